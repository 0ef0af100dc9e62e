// The tokenizers of real models against ids that others computed. They lie beside the checkout, and
// are skipped where absent.
#include "model/tokenizer/byte_alphabet.hpp"
#include "model/tokenizer/detokenizer.hpp"
#include "model/tokenizer/tokenizer.hpp"
#include "tests/model/tokenizer/test_tokenizers.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <map>
#include <sstream>
#include <tuple>

namespace troupe {
namespace {

using nlohmann::json;

std::vector<token_id> ids_in(const std::string& line) {
  std::istringstream stream(line);
  std::vector<token_id> ids;
  for (token_id id = 0; stream >> id;) ids.push_back(id);
  return ids;
}

// The texts of NAME.inp, parted by a line of their own, and the ids of each in a line of NAME.out.
void expect_vectors(const tokenizer& tokenizer, const std::string& name) {
  static constexpr std::string_view part = "\n__ggml_vocab_test__\n";
  const auto folder = test::shared("data/tokenizers/vectors");
  const auto texts = test::contents(folder / (name + ".inp"));
  std::istringstream lines(test::contents(folder / (name + ".out")));
  std::size_t count = 0;
  std::size_t at = 0;
  for (std::string line; std::getline(lines, line); ++count) {
    const auto end = std::min(texts.find(part, at), texts.size());
    const auto text = texts.substr(at, end - at);
    at = std::min(end + part.size(), texts.size());
    EXPECT_EQ(tokenizer.encode(text, false), ids_in(line)) << text;
    EXPECT_EQ(tokenizer.decode(ids_in(line), false), text);
  }
  EXPECT_EQ(count, 46U);
}

struct vectors {
  std::string folder, name;
};

class real_tokenizer : public testing::TestWithParam<vectors> {};

TEST_P(real_tokenizer, GivesTheIdsOfItsVectors) {
  const auto folder = test::shared("data/tokenizers") / GetParam().folder;
  if (!std::filesystem::exists(folder)) GTEST_SKIP() << "no ../shared/data beside the checkout";
  expect_vectors(*test::load(folder), GetParam().name);
}

INSTANTIATE_TEST_SUITE_P(, real_tokenizer,
                         testing::Values(vectors{"gpt2", "ggml-vocab-gpt-2.gguf"},
                                         vectors{"llama2", "ggml-vocab-llama-spm.gguf"},
                                         vectors{"phi-3-mini", "ggml-vocab-phi-3.gguf"}),
                         [](const auto& info) { return info.param.folder.substr(0, 3); });

// The two families below come without a tokenizer.json; it is put together here as their published
// ones are made.
class assembled_tokenizer : public testing::Test {
 protected:
  std::shared_ptr<const tokenizer> assemble(const std::string& digits, json normalizer,
                                            bool ignore_merges, json vocab, json merges) {
    const auto pattern = R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|)" + digits +
                         R"(| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
    const json split{{"type", "Split"},
                     {"pattern", {{"Regex", pattern}}},
                     {"behavior", "Isolated"},
                     {"invert", false}};
    const json bytes{{"type", "ByteLevel"}, {"add_prefix_space", false}, {"use_regex", false}};
    const json whole{{"normalizer", std::move(normalizer)},
                     {"pre_tokenizer", {{"type", "Sequence"}, {"pretokenizers", {split, bytes}}}},
                     {"decoder", {{"type", "ByteLevel"}}},
                     {"model",
                      {{"type", "BPE"},
                       {"ignore_merges", ignore_merges},
                       {"vocab", std::move(vocab)},
                       {"merges", std::move(merges)}}}};
    const auto folder = std::filesystem::path(testing::TempDir()) /
                        testing::UnitTest::GetInstance()->current_test_info()->name();
    std::filesystem::create_directories(folder);
    std::ofstream(folder / "tokenizer.json") << whole;
    auto loaded = test::load(folder);
    std::filesystem::remove_all(folder);
    return loaded;
  }
};

std::string from_base64(const std::string& text) {
  static const std::string digits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string bytes;
  unsigned bits = 0, count = 0;
  for (const char c : text.substr(0, text.find('='))) {
    bits = bits << 6 | static_cast<unsigned>(digits.find(c));
    count += 6;
    if (count < 8) continue;
    count -= 8;
    bytes += static_cast<char>(bits >> count & 0xFF);
  }
  return bytes;
}

TEST_F(assembled_tokenizer, Llama3GivesTheIdsOfItsVectors) {
  const auto ranks = test::shared("data/tokenizers/llama3/tokenizer.model.tiktoken");
  if (!std::filesystem::exists(ranks)) GTEST_SKIP() << "no ../shared/data beside the checkout";
  std::map<std::string, int> rank_of;
  std::istringstream lines(test::contents(ranks));
  std::string base64;
  for (int rank = 0; lines >> base64 >> rank;) rank_of[from_base64(base64)] = rank;

  // A rank is when its bytes were first merged, from whichever two halves.
  std::vector<std::tuple<int, int, int, std::string, std::string>> merges;
  json vocab;
  for (const auto& [bytes, rank] : rank_of) {
    vocab[spelling_of_bytes(bytes)] = rank;
    for (std::size_t cut = 1; cut < bytes.size(); ++cut) {
      const auto left = rank_of.find(bytes.substr(0, cut)), right = rank_of.find(bytes.substr(cut));
      if (left == rank_of.end() || right == rank_of.end()) continue;
      merges.emplace_back(rank, left->second, right->second, spelling_of_bytes(left->first),
                          spelling_of_bytes(right->first));
    }
  }
  std::sort(merges.begin(), merges.end());
  auto pairs = json::array();
  for (const auto& [rank, left_rank, right_rank, left, right] : merges)
    pairs.push_back(json::array({left, right}));
  expect_vectors(*assemble(R"(\p{N}{1,3})", nullptr, true, std::move(vocab), std::move(pairs)),
                 "ggml-vocab-llama-bpe.gguf");
}

TEST_F(assembled_tokenizer, Qwen2GivesTheIdsOfItsVectors) {
  const auto folder = test::shared("data/tokenizers/qwen2.5");
  if (!std::filesystem::exists(folder)) GTEST_SKIP() << "no ../shared/data beside the checkout";
  auto merges = json::array();
  std::istringstream lines(test::contents(folder / "merges.txt"));
  for (std::string line; std::getline(lines, line);) {
    if (!line.empty() && !line.starts_with("#version")) merges.push_back(line);
  }
  auto vocab = json::parse(test::contents(folder / "vocab.json"));
  expect_vectors(
      *assemble(R"(\p{N})", {{"type", "NFC"}}, false, std::move(vocab), std::move(merges)),
      "ggml-vocab-qwen2.gguf");
}

TEST(Concierge, EncodesAndDecodesAsItsGoldenFileSays) {
  const auto folder = test::shared("models/concierge");
  if (!std::filesystem::exists(folder)) GTEST_SKIP() << "no ../shared/models beside the checkout";
  const auto tokenizer = test::load(folder);
  const auto golden = json::parse(test::contents(folder / "golden.json"));
  ASSERT_FALSE(golden["cases"].empty());
  for (const auto& example : golden["cases"]) {
    EXPECT_EQ(tokenizer->encode(example["prompt"].get<std::string>(), false),
              example["ids"].get<std::vector<token_id>>());
    EXPECT_EQ(tokenizer->decode(example["greedy_ids"].get<std::vector<token_id>>(), false),
              example["greedy_text"].get<std::string>());
  }
}

// GOLDEN.txt has PROMPT, IDS and GREEDY48 lines and, last of a case, TEXT, which may go on over
// several lines.
TEST(TinyStories, EncodesAndDecodesAsItsGoldenFileSays) {
  const auto folder = test::shared("models/TinyStories-656K");
  if (!std::filesystem::exists(folder)) GTEST_SKIP() << "no ../shared/models beside the checkout";
  const auto tokenizer = test::load(folder);
  std::istringstream lines(test::contents(folder / "GOLDEN.txt"));
  std::vector<std::array<std::string, 4>> cases;
  for (std::string line; std::getline(lines, line) && !line.starts_with("NLL");) {
    if (line.starts_with("PROMPT ")) cases.push_back({line.substr(7), "", "", ""});
    if (line.starts_with("IDS ")) cases.back()[1] = line.substr(4);
    if (line.starts_with("GREEDY48 ")) cases.back()[2] = line.substr(9);
    if (line.starts_with("TEXT "))
      cases.back()[3] = line.substr(5);
    else if (!cases.back()[3].empty())
      cases.back()[3] += "\n" + line;
  }
  ASSERT_EQ(cases.size(), 3U);
  for (const auto& [prompt, ids, greedy, text] : cases) {
    EXPECT_EQ(tokenizer->encode(prompt, true), ids_in(ids));
    EXPECT_EQ(tokenizer->decode(ids_in(greedy), true),
              text.substr(0, text.find_last_not_of('\n') + 1))
        << "of " << prompt;
  }
}

} // namespace
} // namespace troupe
