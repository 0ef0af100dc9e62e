// The engine against Jinja2: real templates, random conversations, what make_expected.py saw Jinja2
// write. Texts must be equal byte for byte, and where Jinja2 raises the engine must refuse. Nothing
// of the templates is kept in the repository.
#include "model/template/chat_template.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <filesystem>
#include <fstream>
#include <iostream>
#include <map>
#include <sstream>

namespace troupe {
namespace {

/// 26 July 2024, 13:05:09, as make_expected.py.
std::tm fixed_time() {
  std::tm time{};
  time.tm_year = 124;
  time.tm_mon = 6;
  time.tm_mday = 26;
  time.tm_hour = 13;
  time.tm_min = 5;
  time.tm_sec = 9;
  time.tm_wday = 5;
  time.tm_yday = 207;
  return time;
}

std::string read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream out;
  out << in.rdbuf();
  return std::move(out).str();
}

struct tally {
  int pairs = 0;
  int texts = 0;
  int refused = 0;
  std::vector<std::string> differences;
};

void check(const chat_template& parsed, const nlohmann::ordered_json& line, tally& seen) {
  ++seen.pairs;
  const std::string context = line["context"].dump();
  try {
    const rendered_text made = parsed.render(line["context"], line["trusted"]);
    if (!line.contains("text")) {
      seen.differences.push_back("should refuse: " + line["error"].get<std::string>() + "\n  for " +
                                 context);
    } else if (made.text != line["text"].get_ref<const std::string&>()) {
      seen.differences.push_back("wrote\n" + made.text + "\nnot\n" +
                                 line["text"].get<std::string>() + "\n  for " + context);
    } else {
      ++seen.texts;
    }
  } catch (const template_error& error) {
    if (line.contains("text")) {
      seen.differences.push_back(std::string("refused: ") + error.what() + "\n  for " + context);
    } else {
      ++seen.refused;
    }
  }
}

TEST(DifferentialTemplate, AgreesWithJinja2OnRealTemplatesAndRandomConversations) {
  const std::string path = TROUPE_EXPECTED;
  if (!std::filesystem::exists(path))
    GTEST_SKIP() << "needs ../shared/data/templates and python3-jinja2 at build time";
  std::ifstream lines(path);
  std::map<std::string, tally> tallies;
  std::map<std::string, chat_template> parsed;
  for (std::string line; std::getline(lines, line);) {
    const auto expected = nlohmann::ordered_json::parse(line);
    const auto file = expected["template"].get<std::string>();
    tally& seen = tallies[file];
    if (expected.contains("compile_error")) {
      ++seen.pairs;
      EXPECT_THROW(chat_template{read_file(file)}, template_error) << file;
      continue;
    }
    auto found = parsed.find(file);
    if (found == parsed.end())
      found = parsed.emplace(file, chat_template(read_file(file), {}, fixed_time)).first;
    check(found->second, expected, seen);
  }
  ASSERT_FALSE(tallies.empty());
  tally all;
  for (const auto& [file, seen] : tallies) {
    all.pairs += seen.pairs;
    all.texts += seen.texts;
    all.refused += seen.refused;
    if (seen.differences.empty()) continue;
    ADD_FAILURE() << file << ": " << seen.differences.size() << " of " << seen.pairs
                  << " differ; the first " << seen.differences[0];
  }
  std::cout << tallies.size() << " templates, " << all.pairs << " conversations: " << all.texts
            << " texts and " << all.refused << " refusals agree\n";
}

} // namespace
} // namespace troupe
