// Lines of log: their form, their level, and that no value can pass for more than a value.
#include "app/log.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <chrono>
#include <sstream>
#include <string>

namespace troupe {
namespace {

const std::chrono::system_clock::time_point noon{std::chrono::milliseconds(1'700'000'000'345)};

/// One line of `format` about a client's text.
std::string line_of(log_format format, const std::string& text) {
  std::ostringstream out;
  logger::to_stream(out, {log_level::info, format, false}, [] {
    return noon;
  }).info("http", "refused", {{"reason", text}});
  return out.str();
}

TEST(Log, WritesAHumanLine) {
  std::ostringstream out;
  const logger log =
      logger::to_stream(out, {log_level::info, log_format::human, false}, [] { return noon; });
  log.warning("engine", "step was slow", {{"ms", 12.5}, {"slots", 3}, {"again", true}});
  const std::string line = out.str();
  // Hours depend on where the machine stands.
  EXPECT_EQ(line.substr(2),
            ":13:20.345 WARN  engine    step was slow ms=12.5 slots=3 again=true\n");
}

TEST(Log, WritesAJsonObjectALine) {
  std::ostringstream out;
  const logger log =
      logger::to_stream(out, {log_level::info, log_format::json, false}, [] { return noon; });
  log.error("http", "refused", {{"status", 429U}, {"wait", 0.5}, {"from", "1.2.3.4"}});
  EXPECT_EQ(out.str(), "{\"time\":\"2023-11-14T22:13:20.345Z\",\"level\":\"error\",\"component\":"
                       "\"http\",\"message\":\"refused\",\"status\":429,\"wait\":0.5,\"from\":"
                       "\"1.2.3.4\"}\n");
}

TEST(Log, LeavesOutWhatIsLessThanItsLevel) {
  std::ostringstream out;
  const logger log = logger::to_stream(out, {log_level::warning, log_format::json, false});
  log.debug("a", "no");
  log.info("a", "no");
  EXPECT_EQ(out.str(), "");
  EXPECT_FALSE(log.writes(log_level::info));
  EXPECT_TRUE(log.writes(log_level::error));
  log.warning("a", "yes");
  log.error("a", "yes");
  const std::string lines = out.str();
  EXPECT_EQ(std::count(lines.begin(), lines.end(), '\n'), 2);
}

TEST(Log, CannotBeForgedByLineBreaksAndEscapes) {
  const std::string forged = "x\n12:00:00.000 ERROR engine gone\r\x1b[2J\u2028\u202e";
  for (const log_format format : {log_format::human, log_format::json}) {
    const std::string line = line_of(format, forged);
    EXPECT_EQ(std::count(line.begin(), line.end(), '\n'), 1);
    EXPECT_EQ(line.find('\r'), std::string::npos);
    EXPECT_EQ(line.find('\x1b'), std::string::npos);
  }
  const std::string human = line_of(log_format::human, forged);
  EXPECT_NE(
      human.find("reason=\"x\\n12:00:00.000 ERROR engine gone\\x0d\\x1b[2J\\u{2028}\\u{202e}\""),
      std::string::npos)
      << human;
  EXPECT_EQ(nlohmann::json::parse(line_of(log_format::json, forged)).at("reason"), forged);
}

TEST(Log, QuotesValuesThatLookLikeFields) {
  EXPECT_NE(line_of(log_format::human, "a level=error").find("reason=\"a level=error\"\n"),
            std::string::npos);
  EXPECT_NE(line_of(log_format::human, "a\" b=\"c").find("reason=\"a\\\" b=\\\"c\"\n"),
            std::string::npos);
  EXPECT_NE(line_of(log_format::human, "").find("reason=\"\"\n"), std::string::npos);
}

TEST(Log, KeepsAnObjectWellFormedWhateverTheBytes) {
  for (const std::string& text : {std::string("\xff\xfe"), std::string("\0", 1),
                                  std::string("\"}{"), std::string("\xed\xa0\x80")}) {
    const auto object = nlohmann::json::parse(line_of(log_format::json, text));
    EXPECT_EQ(object.at("message"), "refused");
    EXPECT_EQ(object.size(), 5U);
  }
}

TEST(Log, NeverLetsAFieldReplaceTheLinesOwn) {
  std::ostringstream out;
  logger::to_stream(out, {log_level::info, log_format::json, false})
      .info("a", "b", {{"level", "x"}});
  EXPECT_EQ(nlohmann::json::parse(out.str()).at("level"), "info");
}

TEST(Log, WritesCopiesToTheSamePlace) {
  std::ostringstream out;
  const logger log = logger::to_stream(out, {});
  const logger copy = log;
  log.info("a", "one");
  copy.info("a", "two");
  const std::string lines = out.str();
  EXPECT_EQ(std::count(lines.begin(), lines.end(), '\n'), 2);
}

TEST(Log, WritesNumbersThatAreNotFiniteAsNull) {
  std::ostringstream out;
  logger::to_stream(out, {}).info("a", "b", {{"rate", 1.0 / 0.0}});
  EXPECT_TRUE(nlohmann::json::parse(out.str()).at("rate").is_null());
}

} // namespace
} // namespace troupe
