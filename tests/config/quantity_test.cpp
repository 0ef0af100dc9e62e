// Sizes and durations: every unit, both directions, and what is refused.
#include "config/quantity.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <functional>
#include <limits>
#include <string>

namespace troupe {
namespace {

std::string problem_of(const std::function<void()>& parse) {
  try {
    parse();
  } catch (const bad_value& problem) {
    return problem.what();
  }
  return "accepted";
}

TEST(Quantity, ReadsEveryUnitOfSize) {
  EXPECT_EQ(parse_size("512"), 512U);
  EXPECT_EQ(parse_size("7B"), 7U);
  EXPECT_EQ(parse_size("1KB"), 1'000U);
  EXPECT_EQ(parse_size("1KiB"), 1'024U);
  EXPECT_EQ(parse_size("256MiB"), 268'435'456U);
  EXPECT_EQ(parse_size("1GB"), 1'000'000'000U);
  EXPECT_EQ(parse_size("4 GiB"), 4'294'967'296U);
  EXPECT_EQ(parse_size("2TB"), 2'000'000'000'000U);
  EXPECT_EQ(parse_size("2TiB"), 2'199'023'255'552U);
}

TEST(Quantity, RefusesSizesThatCouldMeanTwoThings) {
  for (const char* text : {"10g", "10Mb", "10mib", "10 Gi", "10GiBs"})
    EXPECT_NE(problem_of([&] { parse_size(text); }).find("unknown unit"), std::string::npos)
        << text;
  EXPECT_EQ(problem_of([] { parse_size("1.5GiB"); }), "is not a whole number with a unit");
  EXPECT_EQ(problem_of([] { parse_size(""); }), "does not begin with a whole number");
  EXPECT_EQ(problem_of([] { parse_size("GiB"); }), "does not begin with a whole number");
}

TEST(Quantity, RefusesSizesBelowZeroAndBeyond64Bits) {
  EXPECT_EQ(problem_of([] { parse_size("-1"); }), "is out of range");
  EXPECT_EQ(problem_of([] { parse_size("18446744073709551616"); }), "is out of range");
  EXPECT_EQ(problem_of([] { parse_size("16777216TiB"); }), "is out of range");
  EXPECT_EQ(parse_size("18446744073709551615"), std::numeric_limits<std::uint64_t>::max());
}

TEST(Quantity, ReadsEveryUnitOfDuration) {
  using std::chrono::milliseconds;
  EXPECT_EQ(parse_duration("500ms"), milliseconds(500));
  EXPECT_EQ(parse_duration("30s"), milliseconds(30'000));
  EXPECT_EQ(parse_duration("2m"), milliseconds(120'000));
  EXPECT_EQ(parse_duration("1h"), milliseconds(3'600'000));
  EXPECT_EQ(parse_duration("0s"), milliseconds(0));
}

TEST(Quantity, RefusesADurationWithoutAUnit) {
  EXPECT_EQ(problem_of([] { parse_duration("30"); }), "has no unit (ms, s, m, h)");
  EXPECT_NE(problem_of([] { parse_duration("1d"); }).find("unknown unit"), std::string::npos);
  EXPECT_EQ(problem_of([] { parse_duration("18446744073709551615ms"); }), "is out of range");
}

TEST(Quantity, ShowsWhatReadsAsTheSameValue) {
  for (const std::uint64_t bytes :
       {0ULL, 1ULL, 999ULL, 1000ULL, 1024ULL, 32ULL << 20, 1'500'000ULL, (1ULL << 40) + 1, ~0ULL})
    EXPECT_EQ(parse_size(show_size(bytes)), bytes) << show_size(bytes);
  for (const std::int64_t time : {0LL, 1LL, 1500LL, 60'000LL, 90'000LL, 7'200'000LL})
    EXPECT_EQ(parse_duration(show_duration(std::chrono::milliseconds(time))).count(), time);
}

TEST(Quantity, ShowsTheLargestUnitWithoutARemainder) {
  EXPECT_EQ(show_size(32 << 20), "32MiB");
  EXPECT_EQ(show_size(5'000'000), "5MB");
  EXPECT_EQ(show_size(1025), "1025");
  EXPECT_EQ(show_duration(std::chrono::milliseconds(120'000)), "2m");
  EXPECT_EQ(show_duration(std::chrono::milliseconds(1500)), "1500ms");
}

TEST(Quantity, RefusesCountsThatAreNotPlainDigits) {
  EXPECT_EQ(parse_count("0"), 0U);
  for (const char* text : {"", "-", "+1", " 1", "1 ", "0x10", "1e3", "1.0", "abc"})
    EXPECT_EQ(problem_of([&] { parse_count(text); }), "is not a whole number") << text;
  EXPECT_EQ(problem_of([] { parse_count("-1"); }), "is out of range");
  EXPECT_EQ(problem_of([] { parse_count("99999999999999999999"); }), "is out of range");
}

} // namespace
} // namespace troupe
