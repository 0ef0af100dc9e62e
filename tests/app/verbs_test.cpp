// Verbs, help, version, config and the committed pages of documentation.
#include "app/help.hpp"
#include "config/options.hpp"
#include "tests/app/run.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <unistd.h>

namespace troupe {
namespace {

std::string contents(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}

/// The width in characters, not bytes, of the widest line.
std::size_t widest(const std::string& text) {
  std::size_t most = 0;
  std::size_t at = 0;
  for (const char c : text) {
    if (c == '\n')
      at = 0;
    else if ((static_cast<unsigned char>(c) & 0xC0U) != 0x80U)
      most = std::max(most, ++at);
  }
  return most;
}

class file_of {
 public:
  explicit file_of(const std::string& text)
      : path_(std::filesystem::temp_directory_path() /
              ("troupe_verbs_test_" + std::to_string(::getpid()) + ".toml")) {
    std::ofstream(path_, std::ios::binary) << text;
  }
  ~file_of() { std::filesystem::remove(path_); }
  file_of(const file_of&) = delete;
  file_of& operator=(const file_of&) = delete;

  std::string path() const { return path_.string(); }

 private:
  std::filesystem::path path_;
};

TEST(Verbs, ShowThreeThingsToWhoeverWritesNone) {
  const outcome result = run({});
  EXPECT_EQ(result.status, exit_usage);
  EXPECT_NE(result.err.find("troupe serve MODEL"), std::string::npos);
  EXPECT_NE(result.err.find("troupe chat MODEL"), std::string::npos);
  EXPECT_NE(result.err.find("troupe config check FILE"), std::string::npos);
  EXPECT_LE(std::count(result.err.begin(), result.err.end(), '\n'), 10);
}

TEST(Verbs, SuggestTheNearestToOneMistyped) {
  EXPECT_EQ(run({"sreve", "m"}).err.find("troupe: sreve is not a verb; did you mean serve?\n"), 0U);
  EXPECT_EQ(run({"config", "chekc"})
                .err.find("troupe: config chekc is not a verb; did you mean config check?\n"),
            0U);
  EXPECT_EQ(run({"sreve"}).status, exit_usage);
  EXPECT_EQ(run({"help", "chta"}).err, "help: chta is not a verb; did you mean chat?\n");
}

TEST(Verbs, ExplainThemselvesInAnyOfTheUsualWays) {
  EXPECT_EQ(run({"--help"}).out, program_help());
  EXPECT_EQ(run({"-h"}).out, program_help());
  EXPECT_EQ(run({"help"}).out, program_help());
  EXPECT_EQ(run({"help", "serve"}).out, run({"serve", "--help"}).out);
  EXPECT_EQ(run({"chat", "-h"}).status, exit_done);
  EXPECT_EQ(run({"config"}).out, run({"help", "config"}).out);
  EXPECT_EQ(run({"help", "config", "check"}).out, run({"config", "check", "--help"}).out);
}

TEST(Help, FitsAHundredColumns) {
  EXPECT_LE(widest(program_help()), 100U);
  EXPECT_LE(widest(short_usage()), 100U);
  for (const verb& each : all_verbs()) {
    EXPECT_LE(widest(verb_help(each)), 100U) << each.name;
    for (const shown_group& group : each.groups)
      EXPECT_LE(widest(group_help(each, group.name)), 100U) << each.name << ' ' << group.name;
  }
}

TEST(Help, ShowsEveryOptionOfServeUnderItsGroup) {
  const std::string text = run({"serve", "--help"}).out;
  std::size_t at = 0;
  for (const option_group& group : option_groups()) {
    at = text.find("\n" + group.name + ": ", at);
    ASSERT_NE(at, std::string::npos) << group.name;
    for (const option& each : group.options) {
      at = text.find(each.flag, at);
      ASSERT_NE(at, std::string::npos) << each.flag;
    }
  }
}

TEST(Help, ShowsOneGroupWithRangesAndVariables) {
  for (const auto& words : {std::vector<std::string>{"serve", "--help=engine"},
                            std::vector<std::string>{"chat", "--help", "engine"}}) {
    const outcome result = run(words);
    EXPECT_EQ(result.status, exit_done);
    EXPECT_NE(result.out.find("TROUPE_ENGINE_MAX_SEQUENCES"), std::string::npos);
    EXPECT_NE(result.out.find("takes 0 to 65536; default 0"), std::string::npos);
    EXPECT_EQ(result.out.find("TROUPE_SERVER_PORT"), std::string::npos);
  }
}

TEST(Help, NamesTheGroupsToWhoeverAsksForAnother) {
  const outcome result = run({"serve", "--help=engines"});
  EXPECT_EQ(result.status, exit_usage);
  EXPECT_EQ(result.err, "--help: engines is not a group; there are model server engine admission "
                        "limits stream lifecycle log\n");
  EXPECT_EQ(run({"version", "--help=engine"}).status, exit_usage);
}

TEST(Version, NamesVersionAndCompilerInBothForms) {
  EXPECT_EQ(run({"version"}).out.find("troupe " TROUPE_VERSION "\n"), 0U);
  EXPECT_EQ(run({"--version"}).out, run({"version"}).out);
  const auto json = nlohmann::json::parse(run({"version", "--json"}).out);
  EXPECT_EQ(json.at("name"), "troupe");
  EXPECT_EQ(json.at("version"), TROUPE_VERSION);
  EXPECT_TRUE(json.at("features").is_array());
  for (const char* key : {"compiler", "build_type"})
    EXPECT_NE(run({"version"}).out.find(json.at(key).get<std::string>()), std::string::npos) << key;
}

TEST(ConfigCheck, ShowsEveryValueWithItsOrigin) {
  const file_of file("[server]\nport = 8080\n");
  const outcome result = run({"config", "check", file.path()}, {{"TROUPE_LOG_LEVEL", "error"}});
  EXPECT_EQ(result.status, exit_done);
  EXPECT_EQ(result.err, "");
  const auto line_with = [&](const std::string& start) {
    const std::size_t at = result.out.find(start);
    return at == std::string::npos ? "" : result.out.substr(at, result.out.find('\n', at) - at);
  };
  EXPECT_NE(line_with("server.port ").find(" 8080 "), std::string::npos);
  EXPECT_NE(line_with("server.port ").find(file.path() + ":2"), std::string::npos);
  EXPECT_NE(line_with("log.level ").find("TROUPE_LOG_LEVEL"), std::string::npos);
  EXPECT_NE(line_with("engine.threads ").find("default"), std::string::npos);
  EXPECT_NE(result.out.find("\n" + std::to_string(all_options().size()) + " options checked, ok\n"),
            std::string::npos);
}

TEST(ConfigCheck, PrintsAllErrorsAndNothingElse) {
  const file_of file(
      "[server]\nport = 0\nhots = 1\n[engine]\nstep_tokens = 1\nmax_sequences = 2\n");
  const outcome result = run({"config", "check", file.path()});
  EXPECT_EQ(result.status, exit_usage);
  EXPECT_EQ(result.out, "");
  EXPECT_EQ(std::count(result.err.begin(), result.err.end(), '\n'), 3);
  EXPECT_EQ(result.err.find(file.path() + ":2: server.port = 0 is out of range"), 0U) << result.err;
}

TEST(ConfigCheck, ReadsTheFileThatTheEnvironmentNames) {
  const file_of file("[server]\nport = 8080\n");
  EXPECT_NE(run({"config", "check"}, {{"TROUPE_CONFIG", file.path()}}).out.find(file.path() + ":2"),
            std::string::npos);
}

TEST(ConfigCheck, NeverShowsASecret) {
  const outcome result = run({"config", "check"}, {{"TROUPE_SERVER_API_KEYS", "hush"}});
  EXPECT_EQ(result.out.find("hush"), std::string::npos);
  EXPECT_NE(result.out.find("(hidden)"), std::string::npos);
}

TEST(ConfigPrint, WritesAFileThatChecksAsTheDefaults) {
  const outcome printed = run({"config", "print"});
  const file_of file(printed.out);
  const outcome served = run({"serve", "m", "--config", file.path()});
  ASSERT_TRUE(served.served) << served.err;
  settings wanted;
  wanted.model.path = "m";
  EXPECT_EQ(*served.served, wanted);
}

TEST(Docs, AreCommittedAsTheProgramPrintsThem) {
  for (const std::string page : {"configuration", "cli"}) {
    const outcome result = run({"docs", page});
    EXPECT_EQ(result.status, exit_done);
    EXPECT_EQ(contents(TROUPE_SOURCE "/docs/" + page + ".md"), result.out)
        << "run: troupe docs " << page << " > docs/" << page << ".md";
  }
}

TEST(Docs, RefuseAnyOtherPage) {
  EXPECT_EQ(run({"docs"}).status, exit_usage);
  EXPECT_EQ(run({"docs", "x"}).status, exit_usage);
}

} // namespace
} // namespace troupe
