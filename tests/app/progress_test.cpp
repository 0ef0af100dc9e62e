// The text of the bar, how often it is drawn, and the log's line where nobody watches.
#include "app/progress.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <chrono>
#include <sstream>
#include <string>

namespace troupe {
namespace {

using std::chrono::milliseconds;
constexpr std::uint64_t mebi = 1024 * 1024;

const progress::time start{};

TEST(Progress, ShowsStageBytesRateAndRemainingTime) {
  EXPECT_EQ(progress_text({"weights", 512 * mebi, 2048 * mebi, milliseconds(2000)}, 100),
            "weights  [######------------------]   25%  512 MiB of 2.0 GiB  256 MiB/s  6s left");
}

TEST(Progress, CountsWhatIsNotBytes) {
  EXPECT_EQ(
      progress_text({"measuring", 250, 1000, milliseconds(20'000), "requests"}, 100),
      "measuring  [######------------------]   25%  250 of 1000 requests  12.5/s  1m00s left");
}

TEST(Progress, ShowsNoRateBeforeAnyTimeHasPassed) {
  EXPECT_EQ(progress_text({"weights", 0, 100 * mebi, milliseconds(0)}, 100),
            "weights  [------------------------]    0%  0 B of 100 MiB");
}

TEST(Progress, ShowsNothingLeftAtTheEnd) {
  EXPECT_EQ(progress_text({"weights", 10 * mebi, 10 * mebi, milliseconds(1000)}, 100),
            "weights  [########################]  100%  10.0 MiB of 10.0 MiB  10.0 MiB/s");
}

TEST(Progress, ShowsBytesAloneWhereTheTotalIsNotKnown) {
  EXPECT_EQ(progress_text({"reading", 1536, 0, milliseconds(500)}, 100),
            "reading  1.5 KiB  3.0 KiB/s");
}

TEST(Progress, ShowsMinutesAndHours) {
  EXPECT_NE(progress_text({"w", 1, 91, milliseconds(1000)}, 100).find("1m30s left"),
            std::string::npos);
  EXPECT_NE(progress_text({"w", 1, 7261, milliseconds(1000)}, 100).find("2h01m left"),
            std::string::npos);
}

TEST(Progress, LeavesOutWhatDoesNotFit) {
  const progress_state state{"weights", 512 * mebi, 2048 * mebi, milliseconds(2000)};
  for (const std::size_t columns : {7, 20, 40, 60, 80})
    EXPECT_LE(progress_text(state, columns).size(), columns);
  EXPECT_EQ(progress_text(state, 10), "weights");
  EXPECT_EQ(progress_text(state, 42), "weights  [######------------------]   25%");
}

TEST(Progress, IsDrawnAtMostTenTimesASecond) {
  std::ostringstream out;
  progress bar = progress::on_terminal(out, 80);
  bar.begin("weights", 1000, start);
  for (int ms = 1; ms <= 1000; ++ms)
    bar.advance(static_cast<std::uint64_t>(ms), start + milliseconds(ms));
  const std::string text = out.str();
  EXPECT_EQ(std::count(text.begin(), text.end(), '\r'), 1 + 10);
}

TEST(Progress, EndsEachStageOnALineOfItsOwn) {
  std::ostringstream out;
  progress bar = progress::on_terminal(out, 80);
  bar.begin("one", 10, start);
  bar.advance(10, start + milliseconds(5));
  bar.begin("two", 10, start + milliseconds(6));
  bar.finish(start + milliseconds(7));
  bar.finish(start + milliseconds(8));
  const std::string text = out.str();
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 2);
  EXPECT_NE(text.find("100%"), std::string::npos);
}

TEST(Progress, DrawsOverWhatWasThere) {
  std::ostringstream out;
  progress bar = progress::on_terminal(out, 80);
  bar.begin("one", 0, start);
  EXPECT_EQ(out.str(), "\rone\x1b[K");
}

TEST(Progress, NeverShowsMoreThanAll) {
  std::ostringstream out;
  progress bar = progress::on_terminal(out, 80);
  bar.begin("one", 10, start);
  bar.advance(25, start + milliseconds(200));
  EXPECT_NE(out.str().find("100%  10 B of 10 B"), std::string::npos);
}

TEST(Progress, LogsOneLineAStageWhereNobodyWatches) {
  std::ostringstream out;
  progress bar = progress::to_log(logger::to_stream(out, {}));
  bar.begin("weights", 10, start);
  bar.advance(5, start + milliseconds(500));
  EXPECT_EQ(out.str(), "");
  bar.advance(10, start + milliseconds(1000));
  bar.finish(start + milliseconds(1500));
  const auto line = nlohmann::json::parse(out.str());
  EXPECT_EQ(line.at("stage"), "weights");
  EXPECT_EQ(line.at("bytes"), 10);
  EXPECT_EQ(line.at("seconds"), 1.5);
}

} // namespace
} // namespace troupe
