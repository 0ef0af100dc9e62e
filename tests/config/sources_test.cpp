// Files, environment and command line as sources of settings: precedence, and the line that each
// refusal prints.
#include "config/page.hpp"
#include "config/sources.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <random>
#include <string>
#include <unistd.h>
#include <vector>

namespace troupe {
namespace {

using lines = std::vector<std::string>;

loaded_settings from_toml(const std::string& text) {
  settings_builder builder;
  read_toml(builder, text, "troupe.toml");
  return builder.finish();
}

loaded_settings from_environment(const environment_variables& variables) {
  settings_builder builder;
  read_environment(builder, variables);
  return builder.finish();
}

loaded_settings from_flag(const std::string& key, const std::string& text) {
  settings_builder builder;
  builder.set_text(key, text, {setting_source::command_line, "--flag"});
  return builder.finish();
}

std::string origin_of(const loaded_settings& loaded, const std::string& key) {
  for (const auto& each : loaded.list)
    if (each.key == key) return each.from.where;
  return "no such key";
}

/// A file that is gone with the test.
class file_of {
 public:
  explicit file_of(const std::string& text)
      : path_(std::filesystem::temp_directory_path() /
              ("troupe_sources_test_" + std::to_string(::getpid()) + ".toml")) {
    std::ofstream(path_, std::ios::binary) << text;
    permit(std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
  }
  ~file_of() { std::filesystem::remove(path_); }
  file_of(const file_of&) = delete;
  file_of& operator=(const file_of&) = delete;

  void permit(std::filesystem::perms allowed) const {
    std::filesystem::permissions(path_, allowed);
  }
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

loaded_settings from_file(const std::filesystem::path& path) {
  settings_builder builder;
  read_file(builder, path);
  return builder.finish();
}

TEST(Sources, ReadEveryKindOfValueFromAFile) {
  const auto loaded = from_toml(R"([server]
port = 8080
max_body = "1MiB"
idle_timeout = "3m"
api_keys = ["one", "two"]
[engine]
kv_memory = 1048576
memory_fraction = 0.25
prefix_cache = false
[log]
format = "json"
[model]
path = "models/größe"
)");
  EXPECT_EQ(loaded.errors, lines{});
  EXPECT_EQ(loaded.values.server.port, 8080);
  EXPECT_EQ(loaded.values.server.max_body, mib);
  EXPECT_EQ(loaded.values.server.idle_timeout, milliseconds(180'000));
  EXPECT_EQ(loaded.values.server.api_keys, (lines{"one", "two"}));
  EXPECT_EQ(loaded.values.engine.kv_memory, mib);
  EXPECT_EQ(loaded.values.engine.memory_fraction, 0.25);
  EXPECT_FALSE(loaded.values.engine.prefix_cache);
  EXPECT_EQ(loaded.values.log.format, log_format::json);
  EXPECT_EQ(loaded.values.model.path, "models/größe");
  EXPECT_EQ(origin_of(loaded, "server.port"), "troupe.toml:2");
  EXPECT_EQ(origin_of(loaded, "server.threads"), "default");
}

TEST(Sources, ReadTheSameFromTheEnvironment) {
  const auto loaded = from_environment({{"TROUPE_SERVER_PORT", "8080"},
                                        {"TROUPE_SERVER_API_KEYS", "one,two"},
                                        {"TROUPE_ENGINE_KV_MEMORY", "4GiB"},
                                        {"TROUPE_ENGINE_PREFIX_CACHE", "false"},
                                        {"TROUPE_LOG_LEVEL", "debug"},
                                        {"PATH", "/bin"}});
  EXPECT_EQ(loaded.errors, lines{});
  EXPECT_EQ(loaded.values.server.port, 8080);
  EXPECT_EQ(loaded.values.server.api_keys, (lines{"one", "two"}));
  EXPECT_EQ(loaded.values.engine.kv_memory, 4096 * mib);
  EXPECT_FALSE(loaded.values.engine.prefix_cache);
  EXPECT_EQ(loaded.values.log.level, log_level::debug);
  EXPECT_EQ(origin_of(loaded, "log.level"), "TROUPE_LOG_LEVEL");
}

TEST(Sources, PreferTheCommandLineToTheEnvironmentToTheFileInAnyOrderOfReading) {
  const auto file = [](settings_builder& to) {
    read_toml(to, "[server]\nport = 1\nthreads = 1\nmax_connections = 1\n", "troupe.toml");
  };
  const auto variables = [](settings_builder& to) {
    read_environment(to, {{"TROUPE_SERVER_PORT", "2"}, {"TROUPE_SERVER_THREADS", "2"}});
  };
  const auto flag = [](settings_builder& to) {
    to.set_text("server.port", "3", {setting_source::command_line, "--port"});
  };
  settings_builder forwards;
  file(forwards);
  variables(forwards);
  flag(forwards);
  settings_builder backwards;
  flag(backwards);
  variables(backwards);
  file(backwards);
  for (const auto& loaded : {forwards.finish(), backwards.finish()}) {
    EXPECT_EQ(loaded.values.server.port, 3);
    EXPECT_EQ(loaded.values.server.threads, 2U);
    EXPECT_EQ(loaded.values.server.max_connections, 1U);
    EXPECT_EQ(loaded.values.engine.max_sequences, 0U);
    EXPECT_EQ(origin_of(loaded, "server.port"), "--port");
    EXPECT_EQ(origin_of(loaded, "server.threads"), "TROUPE_SERVER_THREADS");
    EXPECT_EQ(origin_of(loaded, "server.max_connections"), "troupe.toml:4");
  }
}

TEST(Sources, RefuseAnUnknownKeyAndSuggestTheNearest) {
  EXPECT_EQ(from_toml("\n[engine]\nmax_sequnces = 4\n").errors,
            lines{"troupe.toml:3: engine.max_sequnces is not an option; did you mean "
                  "engine.max_sequences?"});
}

TEST(Sources, SuggestTheGroupOfAKeyThatStandsOutsideIt) {
  EXPECT_EQ(from_toml("port = 3\n").errors,
            lines{"troupe.toml:1: port is not an option; did you mean server.port?"});
  EXPECT_EQ(from_toml("[engin]\nmax_sequences = 3\n").errors,
            lines{"troupe.toml:2: engin.max_sequences is not an option; did you mean "
                  "engine.max_sequences?"});
}

TEST(Sources, RefuseAnEmptyUnknownGroupAndAGroupThatIsAValue) {
  EXPECT_EQ(from_toml("[engin]\n").errors,
            lines{"troupe.toml:1: [engin] is not a group; did you mean [engine]?"});
  EXPECT_EQ(from_toml("engine = 3\n").errors,
            lines{"troupe.toml:1: engine is a group; write it as [engine] with its options below"});
  EXPECT_EQ(from_toml("[[server]]\nport = 3\n").errors,
            lines{"troupe.toml:1: server is a group; write it as [server] with its options below"});
}

TEST(Sources, RefuseATableInsideAGroup) {
  EXPECT_EQ(
      from_toml("[server.port]\nx = 1\n").errors,
      lines{"troupe.toml:1: server.port = a table is not a whole number; it takes 1 to 65535"});
}

TEST(Sources, RefuseANumberOutOfRange) {
  EXPECT_EQ(from_toml("[server]\n\nport = 70000\n").errors,
            lines{"troupe.toml:3: server.port = 70000 is out of range; it takes 1 to 65535"});
  EXPECT_EQ(from_environment({{"TROUPE_SERVER_PORT", "0"}}).errors,
            lines{"TROUPE_SERVER_PORT: server.port = 0 is out of range; it takes 1 to 65535"});
  EXPECT_EQ(from_flag("server.port", "-5").errors,
            lines{"--flag: server.port = -5 is out of range; it takes 1 to 65535"});
  EXPECT_EQ(from_toml("[server]\nport = -5\n").errors,
            lines{"troupe.toml:2: server.port = -5 is out of range; it takes 1 to 65535"});
}

TEST(Sources, RefuseSizesDurationsAndFractionsOutOfRange) {
  EXPECT_EQ(
      from_toml("[server]\nmax_body = \"2TiB\"\n").errors,
      lines{"troupe.toml:2: server.max_body = \"2TiB\" is out of range; it takes 1KiB to 1GiB"});
  EXPECT_EQ(
      from_toml("[stream]\nping_interval = \"0s\"\n").errors,
      lines{"troupe.toml:2: stream.ping_interval = \"0s\" is out of range; it takes 100ms to 1h"});
  for (const char* number : {"1.5", "nan", "inf", "-0.1", "1"})
    EXPECT_EQ(from_toml(std::string("[engine]\nmemory_fraction = ") + number + "\n").errors,
              lines{std::string("troupe.toml:2: engine.memory_fraction = ") + number +
                    " is out of range; it takes 0 to 0.95"});
  EXPECT_EQ(from_flag("engine.memory_fraction", "nan").errors,
            lines{"--flag: engine.memory_fraction = nan is out of range; it takes 0 to 0.95"});
}

TEST(Sources, RefuseValuesOfAnotherTypeInAFile) {
  const auto error_of = [](const std::string& text) {
    const lines errors = from_toml(text).errors;
    return errors.size() == 1 ? errors[0] : "not one error";
  };
  EXPECT_EQ(error_of("[server]\nport = \"8000\"\n"),
            "troupe.toml:2: server.port = \"8000\" is not a whole number; it takes 1 to 65535");
  EXPECT_EQ(error_of("[server]\nport = 80.0\n"),
            "troupe.toml:2: server.port = 80 is not a whole number; it takes 1 to 65535");
  EXPECT_EQ(
      error_of("[server]\nport = 1979-05-27\n"),
      "troupe.toml:2: server.port = a date or time is not a whole number; it takes 1 to 65535");
  EXPECT_EQ(error_of("[server]\nhost = 3\n"),
            "troupe.toml:2: server.host = 3 is not a text; it takes a text");
  EXPECT_EQ(error_of("[server]\nmax_body = 1.5\n"),
            "troupe.toml:2: server.max_body = 1.5 is not a size; it takes 1KiB to 1GiB");
  EXPECT_EQ(error_of("[server]\nidle_timeout = true\n"),
            "troupe.toml:2: server.idle_timeout = true is not a duration; it takes 1s to 24h");
  EXPECT_EQ(
      error_of("[server]\nidle_timeout = 30\n"),
      "troupe.toml:2: server.idle_timeout = 30 has no unit (write it as text, like \"30s\"); it "
      "takes 1s to 24h");
  EXPECT_EQ(error_of("[engine]\nprefix_cache = 1\n"),
            "troupe.toml:2: engine.prefix_cache = 1 is not true or false; it takes true or false");
  EXPECT_EQ(error_of("[log]\nlevel = \"loud\"\n"),
            "troupe.toml:2: log.level = \"loud\" is not a choice; it takes debug, info, warning or "
            "error");
}

TEST(Sources, RefuseTextThatIsNotTheTypeOfTheOption) {
  EXPECT_EQ(
      from_environment({{"TROUPE_ENGINE_PREFIX_CACHE", "maybe"}}).errors,
      lines{"TROUPE_ENGINE_PREFIX_CACHE: engine.prefix_cache = maybe is not true or false; it "
            "takes true or false"});
  EXPECT_EQ(from_flag("engine.memory_fraction", "half").errors,
            lines{"--flag: engine.memory_fraction = half is not a number; it takes 0 to 0.95"});
  EXPECT_EQ(from_flag("server.port", "").errors,
            lines{"--flag: server.port =  is not a whole number; it takes 1 to 65535"});
}

TEST(Sources, RefuseTextThatIsNotUtf8OrHoldsControlCharacters) {
  EXPECT_EQ(from_environment({{"TROUPE_SERVER_HOST", "\xff\xfe"}}).errors,
            lines{"TROUPE_SERVER_HOST: server.host = \\xff\\xfe is not UTF-8; it takes a text"});
  EXPECT_EQ(from_flag("server.cors_origin", "*\r\nX-Forged: 1").errors,
            lines{"--flag: server.cors_origin = *\\x0d\\nX-Forged: 1 holds a control character; it "
                  "takes a text"});
}

TEST(Sources, NeverShowASecretInAnError) {
  EXPECT_EQ(
      from_toml("[server]\napi_keys = \"hush\"\n").errors,
      lines{"troupe.toml:2: server.api_keys = (hidden) is not a list of texts; it takes a list "
            "of texts"});
  EXPECT_EQ(
      from_environment({{"TROUPE_SERVER_API_KEYS", "hush\n"}}).errors,
      lines{"TROUPE_SERVER_API_KEYS: server.api_keys = (hidden) holds a control character; it "
            "takes a list of texts"});
  EXPECT_EQ(from_toml("[server]\napi_keys = [1]\n").errors.size(), 1U);
}

TEST(Sources, RefuseAKeyOrAGroupGivenTwice) {
  EXPECT_EQ(from_toml("[server]\nport = 1\nport = 2\n").errors,
            lines{"troupe.toml:3: port is given twice"});
  EXPECT_EQ(from_toml("[server]\nport = 1\n[engine]\n[server]\nthreads = 2\n").errors,
            lines{"troupe.toml:4: server is given twice"});
}

TEST(Sources, NameTheLineOfBrokenSyntax) {
  const lines errors = from_toml("[server]\nport = \n").errors;
  ASSERT_EQ(errors.size(), 1U);
  EXPECT_EQ(errors[0].rfind("troupe.toml:2: not TOML: ", 0), 0U) << errors[0];
  EXPECT_EQ(errors[0].find('\n'), std::string::npos);
}

TEST(Sources, RefuseDeepNestingInsteadOfRunningOutOfStack) {
  const lines errors = from_toml("a = " + std::string(500'000, '[')).errors;
  ASSERT_EQ(errors.size(), 1U);
  EXPECT_EQ(errors[0].rfind("troupe.toml:1: not TOML: ", 0), 0U) << errors[0];
}

TEST(Sources, NameTheLineThatIsNotUtf8) {
  EXPECT_EQ(from_toml("[server]\n\nhost = \"\xff\"\n").errors, lines{"troupe.toml:3: not UTF-8"});
}

TEST(Sources, ReportEverythingThatIsWrongAtOnce) {
  settings_builder builder;
  read_toml(builder, "[server]\nport = 0\nhots = \"x\"\n[engine]\nthreads = -1\n", "troupe.toml");
  read_environment(builder, {{"TROUPE_LOG_LEVEL", "loud"}, {"TROUPE_NONSENSE", "1"}});
  builder.set_text("server.threads", "many", {setting_source::command_line, "--server-threads"});
  const lines errors = builder.finish().errors;
  EXPECT_EQ(errors.size(), 6U);
}

TEST(Sources, ReportTheErrorsOfAFileFromTheTopDown) {
  const lines errors = from_toml("[server]\nz = 1\na = 1\n[engine]\nb = 1\n").errors;
  ASSERT_EQ(errors.size(), 3U);
  for (std::size_t i = 0; i < 3; ++i)
    EXPECT_EQ(errors[i].rfind("troupe.toml:" + std::to_string(i == 2 ? 5 : i + 2) + ":", 0), 0U)
        << errors[i];
}

TEST(Sources, AnswerBrokenFilesWithValuesInRangeOrLinesThatNameThem) {
  const std::string sound = commented_toml(settings{});
  std::mt19937 random(7);
  const auto below = [&](std::size_t end) { return random() % end; };
  for (int round = 0; round < 2000; ++round) {
    std::string text = sound;
    for (std::size_t edits = 1 + below(4); edits > 0; --edits) {
      const std::size_t at = below(text.size());
      switch (below(4)) {
      case 0:
        text[at] = static_cast<char>(below(256));
        break;
      case 1:
        text.erase(at, 1 + below(40));
        break;
      case 2:
        text.insert(at, text.substr(below(text.size()), below(60)));
        break;
      default:
        text.resize(at + 1);
        break;
      }
    }
    const auto loaded = from_toml(text);
    settings_builder again;
    for (const option& each : again.options())
      EXPECT_NO_THROW(read_text(each, show(each, each.read(loaded.values)))) << each.key();
    for (const std::string& line : loaded.errors) {
      EXPECT_NE(line.find("troupe.toml:"), std::string::npos) << line;
      EXPECT_EQ(line.find('\n'), std::string::npos) << line;
    }
  }
}

TEST(Sources, ReadDottedKeysAndInlineTables) {
  const auto loaded =
      from_toml("server.port = 1\nengine = { threads = 2 }\n\nlog.level = \"error\"\n");
  EXPECT_EQ(loaded.errors, lines{});
  EXPECT_EQ(loaded.values.server.port, 1);
  EXPECT_EQ(loaded.values.engine.threads, 2U);
  EXPECT_EQ(origin_of(loaded, "server.port"), "troupe.toml:1");
  EXPECT_EQ(origin_of(loaded, "engine.threads"), "troupe.toml:2");
  EXPECT_EQ(origin_of(loaded, "log.level"), "troupe.toml:4");
}

TEST(Sources, RefuseUnknownVariablesAndSuggestTheNearest) {
  EXPECT_EQ(from_environment({{"TROUPE_ENGINE_MAX_SEQUNCES", "4"}}).errors,
            lines{"TROUPE_ENGINE_MAX_SEQUNCES: is not an option; did you mean "
                  "TROUPE_ENGINE_MAX_SEQUENCES?"});
  EXPECT_EQ(from_environment({{"TROUPE_PORT", "4"}}).errors,
            lines{"TROUPE_PORT: is not an option; did you mean TROUPE_SERVER_PORT?"});
  EXPECT_EQ(from_environment({{"TROUPE_", "4"}}).errors, lines{"TROUPE_: is not an option"});
}

TEST(Sources, PassOverTheVariableOfTheFileAndThoseOfKubernetes) {
  const auto loaded = from_environment({{"TROUPE_CONFIG", "x.toml"},
                                        {"TROUPE_SERVICE_HOST", "10.0.0.1"},
                                        {"TROUPE_SERVICE_PORT", "8000"},
                                        {"TROUPE_SERVICE_PORT_HTTP", "8000"},
                                        {"TROUPE_PORT", "tcp://10.0.0.1:8000"},
                                        {"TROUPE_SERVER_PORT", "tcp://10.0.0.1:8000"},
                                        {"TROUPE_PORT_8000_TCP", "tcp://10.0.0.1:8000"},
                                        {"TROUPE_PORT_8000_TCP_PROTO", "tcp"}});
  EXPECT_EQ(loaded.errors, lines{});
  EXPECT_EQ(loaded.values, settings{});
}

TEST(Sources, NameAFileThatCannotBeRead) {
  EXPECT_EQ(from_file("/nowhere/troupe.toml").errors,
            lines{"/nowhere/troupe.toml: cannot be read: No such file or directory"});
  EXPECT_EQ(from_file("/proc/self/mem").errors,
            lines{"/proc/self/mem: cannot be read: Input/output error"});
  const file_of file("");
  EXPECT_EQ(from_file(file.path() / "x").errors,
            lines{(file.path() / "x").string() + ": cannot be read: Not a directory"});
}

TEST(Sources, RefuseADirectory) {
  EXPECT_EQ(from_file("/tmp").errors, lines{"/tmp: is a directory; name the file in it"});
}

TEST(Sources, RefuseAFileLargerThanAnySettings) {
  const file_of file(std::string(mib + 1, '#'));
  EXPECT_EQ(from_file(file.path()).errors,
            lines{file.path().string() + ": is longer than 1MiB, which no file of settings is"});
}

TEST(Sources, WarnOfSecretsThatEveryUserCanRead) {
  const file_of file("[server]\napi_keys = [\"hush\"]\n");
  EXPECT_EQ(from_file(file.path()).warnings, lines{});
  file.permit(std::filesystem::perms::owner_read | std::filesystem::perms::others_read);
  const lines warnings = from_file(file.path()).warnings;
  ASSERT_EQ(warnings.size(), 1U);
  EXPECT_EQ(warnings[0].rfind(file.path().string() + ":2: server.api_keys is a secret", 0), 0U);
  EXPECT_EQ(warnings[0].find("hush"), std::string::npos);
}

TEST(Sources, SayNothingOfAReadableFileWithoutSecrets) {
  const file_of file("[server]\nport = 3\n");
  file.permit(std::filesystem::perms::owner_read | std::filesystem::perms::others_read);
  EXPECT_EQ(from_file(file.path()).warnings, lines{});
}

TEST(Sources, ReadBackTheFileOfDefaults) {
  const auto loaded = from_toml(commented_toml(settings{}));
  EXPECT_EQ(loaded.errors, lines{});
  EXPECT_EQ(loaded.values, settings{});
  EXPECT_TRUE(std::none_of(loaded.list.begin(), loaded.list.end(), [](const auto& each) {
    return each.from.from == setting_source::standard;
  }));
}

TEST(Sources, ReadBackTheFileOfAnySettings) {
  settings values;
  values.model.path = "a \"quoted\" \\ path \u200b";
  values.server.api_keys = {"one\"", "t\\wo"};
  values.server.idle_timeout = milliseconds(61'001);
  values.engine.kv_memory = 3 * mib + 1;
  values.engine.memory_fraction = 0.123456789;
  values.log.level = log_level::error;
  const auto loaded = from_toml(commented_toml(values));
  EXPECT_EQ(loaded.errors, lines{});
  EXPECT_EQ(loaded.values, values);
}

} // namespace
} // namespace troupe
