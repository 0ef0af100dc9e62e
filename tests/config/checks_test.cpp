// Settings that contradict each other: the line names both values, their origins, and the remedy.
#include "config/sources.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace troupe {
namespace {

loaded_settings from_toml(const std::string& text) {
  settings_builder builder;
  read_toml(builder, text, "troupe.toml");
  return builder.finish();
}

/// The only error, or a text that no test expects.
std::string error_of(const std::string& text) {
  const auto errors = from_toml(text).errors;
  return errors.size() == 1 ? errors[0] : std::to_string(errors.size()) + " errors";
}

TEST(Checks, FindNothingInTheDefaults) {
  EXPECT_EQ(from_toml("").errors, std::vector<std::string>{});
  EXPECT_EQ(from_toml("").warnings, std::vector<std::string>{});
}

TEST(Checks, RefuseFewerTokensAStepThanSequences) {
  EXPECT_EQ(
      error_of("[engine]\nstep_tokens = 128\nmax_sequences = 256\n"),
      "engine.step_tokens = 128 (troupe.toml:2) and engine.max_sequences = 256 (troupe.toml:3): "
      "each "
      "running sequence takes a token of every step; raise step_tokens or lower max_sequences "
      "until step_tokens is not the smaller");
  EXPECT_TRUE(from_toml("[engine]\nstep_tokens = 256\nmax_sequences = 256\n").errors.empty());
  EXPECT_TRUE(from_toml("[engine]\nstep_tokens = 128\n").errors.empty());
  EXPECT_TRUE(from_toml("[engine]\nmax_sequences = 65536\n").errors.empty());
}

TEST(Checks, RefuseADefaultTimeoutAboveTheLongest) {
  EXPECT_EQ(error_of("[admission]\nmax_timeout = \"1m\"\n"),
            "admission.default_timeout = 10m (default) and admission.max_timeout = 1m "
            "(troupe.toml:2): the default is more than a request may ask for; lower it or raise "
            "max_timeout");
}

TEST(Checks, RefuseBlocksThatAreNoPowerOfTwo) {
  EXPECT_EQ(error_of("[engine]\nblock_tokens = 24\n"),
            "engine.block_tokens = 24 (troupe.toml:2): write a power of two: 8, 16, 32, 64, 128 or "
            "256");
}

TEST(Checks, RefuseAQueueTooSmallForOneLongPrompt) {
  EXPECT_EQ(error_of("[model]\nmax_context = 4096\n[admission]\nmax_queued_tokens = 4095\n"),
            "admission.max_queued_tokens = 4095 (troupe.toml:4) and model.max_context = 4096 "
            "(troupe.toml:2): a prompt that fills the context could never wait; raise "
            "max_queued_tokens or lower max_context");
}

TEST(Checks, RefuseAnswersLongerThanTheContext) {
  EXPECT_EQ(
      error_of("[model]\nmax_context = 4096\n[admission]\ndefault_max_tokens = 5000\n"),
      "admission.default_max_tokens = 5000 (troupe.toml:4) and model.max_context = 4096 "
      "(troupe.toml:2): an answer cannot be longer than the context; lower default_max_tokens "
      "or write 0");
}

TEST(Checks, RefuseAPingAfterTheConnectionIsClosed) {
  EXPECT_EQ(error_of("[server]\nidle_timeout = \"20s\"\n"),
            "stream.ping_interval = 20s (default) and server.idle_timeout = 20s (troupe.toml:2): a "
            "silent connection would be closed before its first ping; lower ping_interval or raise "
            "idle_timeout");
}

TEST(Checks, RefuseKeysThatNoHeaderCanCarry) {
  for (const char* keys : {"[\"\"]", "[\"two words\"]", "[\"schl\u00fcssel\"]", "[\"a,b\"]"})
    EXPECT_EQ(
        error_of(std::string("[server]\napi_keys = ") + keys + "\n"),
        "server.api_keys = (hidden) (troupe.toml:2): a key must not be empty and holds visible "
        "ASCII without blanks and commas");
}

TEST(Checks, RefuseOriginsThatNoBrowserSends) {
  for (const char* origin : {"chat.example.org", "https://", "https://a.org/path", "https://a, b"})
    EXPECT_EQ(error_of(std::string("[server]\ncors_origin = \"") + origin + "\"\n"),
              std::string("server.cors_origin = ") + origin +
                  " (troupe.toml:2): write * or one origin without a path, like "
                  "https://chat.example.org");
  for (const char* origin : {"*", "", "https://a.org", "http://localhost:3000"})
    EXPECT_TRUE(
        from_toml(std::string("[server]\ncors_origin = \"") + origin + "\"\n").errors.empty());
}

TEST(Checks, RefuseAnEmptyAddress) {
  EXPECT_EQ(
      error_of("[server]\nhost = \"\"\n"),
      "server.host = empty (troupe.toml:2): write an address, 127.0.0.1 for this machine alone "
      "or 0.0.0.0 for all");
}

TEST(Checks, WarnOfAnOpenDoorToOtherMachines) {
  const auto open = from_toml("[server]\nhost = \"0.0.0.0\"\n");
  EXPECT_TRUE(open.errors.empty());
  EXPECT_EQ(
      open.warnings,
      std::vector<std::string>{
          "server.host = 0.0.0.0 (troupe.toml:2) and server.api_keys = empty (default): whoever "
          "reaches this address may use the model; set api_keys unless that is meant"});
  EXPECT_TRUE(from_toml("[server]\nhost = \"0.0.0.0\"\napi_keys = [\"k\"]\n").warnings.empty());
}

TEST(Checks, ConcludeNothingFromAValueThatWasRefused) {
  EXPECT_EQ(error_of("[engine]\nstep_tokens = 128\nmax_sequences = \"many\"\n"),
            "troupe.toml:3: engine.max_sequences = \"many\" is not a whole number; it takes 0 to "
            "65536");
}

} // namespace
} // namespace troupe
