// Percentiles, sums and peaks of records made by hand.
#include "app/bench/statistics.hpp"
#include "config/quantity.hpp"

#include <gtest/gtest.h>

namespace troupe {
namespace {

request_record answered(double sent, double ttft, const std::vector<double>& gaps,
                        std::uint64_t output) {
  request_record out;
  out.planned = sent;
  out.sent = sent;
  out.ttft = ttft;
  out.gaps = gaps;
  out.latency = ttft;
  for (const double gap : gaps) out.latency += gap;
  out.ended = sent + out.latency;
  out.input = out.planned_input = 10;
  out.output = out.planned_output = output;
  out.counted = true;
  return out;
}

request_record failed(double sent, double ended, const std::string& error) {
  request_record out;
  out.sent = sent;
  out.ended = ended;
  out.error = error;
  return out;
}

TEST(Spread, LiesBetweenTheNearestValues) {
  const spread found = spread_of({4, 1, 3, 2});
  EXPECT_EQ(found.count, 4U);
  EXPECT_DOUBLE_EQ(found.mean, 2.5);
  EXPECT_DOUBLE_EQ(found.median, 2.5);
  EXPECT_DOUBLE_EQ(found.p90, 3.7);
  EXPECT_DOUBLE_EQ(found.p95, 3.85);
  EXPECT_DOUBLE_EQ(found.p99, 3.97);
  EXPECT_DOUBLE_EQ(found.deviation, 1.118033988749895);
  EXPECT_EQ(found.lowest, 1);
  EXPECT_EQ(found.highest, 4);
}

TEST(Spread, OfOneValueOrNone) {
  const spread one = spread_of({7});
  EXPECT_EQ(one.median, 7);
  EXPECT_EQ(one.p99, 7);
  EXPECT_EQ(one.deviation, 0);
  EXPECT_EQ(spread_of({}).count, 0U);
  EXPECT_EQ(spread_of({}).p99, 0);
}

TEST(Measurement, CountsWholeAnswersAndFailuresApart) {
  const measurement found = measure({answered(0, 1, {1, 1}, 3), failed(0, 1, "b"),
                                     answered(0, 2, {}, 1), failed(0, 1, "a"), failed(1, 2, "b")},
                                    10, {});
  EXPECT_EQ(found.completed, 2U);
  EXPECT_EQ(found.failed, 3U);
  EXPECT_EQ(found.input_tokens, 20U);
  EXPECT_EQ(found.output_tokens, 4U);
  EXPECT_EQ(found.per_second(4), 0.4);
  EXPECT_EQ(found.failures, (std::vector<std::pair<std::string, std::size_t>>{{"b", 2}, {"a", 1}}));
}

TEST(Measurement, TakesTimesPerTokenOfAnswersWithSeveral) {
  const measurement found = measure({answered(0, 1, {1, 3}, 3), answered(0, 5, {}, 1)}, 10, {});
  EXPECT_EQ(found.ttft.count, 2U);
  EXPECT_EQ(found.ttft.mean, 3);
  EXPECT_EQ(found.tpot.count, 1U);
  EXPECT_EQ(found.tpot.mean, 2);
  EXPECT_EQ(found.itl.count, 2U);
  EXPECT_EQ(found.itl.highest, 3);
  EXPECT_EQ(found.e2el.highest, 5);
}

TEST(Measurement, FindsTheMostRequestsUnderWayAtOnce) {
  EXPECT_EQ(measure({answered(0, 2, {}, 1), answered(2, 2, {}, 1)}, 4, {}).peak_concurrency, 1U);
  EXPECT_EQ(measure({answered(0, 3, {}, 1), answered(2, 2, {}, 1), failed(2.5, 2.6, "x")}, 4, {})
                .peak_concurrency,
            3U);
  EXPECT_EQ(measure({}, 0, {}).peak_concurrency, 0U);
}

TEST(Measurement, FindsTheBestSecond) {
  // Tokens at 0.5, 1.2, 1.4, 1.9 and, from another request, 1.1 and 2.5 after the first sending.
  const measurement found =
      measure({answered(5, 0.5, {0.7, 0.2, 0.5}, 4), answered(6, 0.1, {1.4}, 2)}, 10, {});
  EXPECT_EQ(found.peak_output_throughput, 4);
}

TEST(Measurement, SharesTokensAmongTheDeltasThatBringThem) {
  const measurement found = measure({answered(0, 0.5, {1}, 6)}, 10, {});
  EXPECT_EQ(found.peak_output_throughput, 3);
}

TEST(Measurement, NoticesWhatIsOdd) {
  request_record uncounted = answered(0, 1, {1}, 2);
  uncounted.counted = false;
  request_record shorter = answered(0, 1, {1}, 2);
  shorter.planned_output = 3;
  shorter.cached = 8;
  const measurement found = measure({uncounted, shorter}, 10, {});
  EXPECT_EQ(found.uncounted, 1U);
  EXPECT_EQ(found.shorter, 1U);
  EXPECT_EQ(found.cached_tokens, 8U);
}

TEST(Goodput, CountsAnswersWithinAllLimits) {
  const std::vector<request_record> records{
      answered(0, 0.1, {0.01}, 2), answered(0, 0.5, {0.01}, 2), answered(0, 0.1, {0.05}, 2),
      answered(0, 0.2, {}, 1), failed(0, 1, "x")};
  EXPECT_EQ(measure(records, 1, {}).good, 4U);
  EXPECT_EQ(measure(records, 1, parse_goodput("ttft:200")).good, 3U);
  EXPECT_EQ(measure(records, 1, parse_goodput("ttft:200,tpot:30")).good, 2U);
  EXPECT_EQ(measure(records, 1, parse_goodput("e2el:100")).good, 0U);
}

TEST(Goodput, ReadsLimitsInAnyOrder) {
  EXPECT_EQ(parse_goodput("e2el:9000,ttft:0.5"), (goodput_limits{0.5, std::nullopt, 9000}));
  EXPECT_FALSE(parse_goodput("").any());
}

TEST(Goodput, SaysWhatIsWrongWithALimit) {
  const auto refusal = [](const std::string& text) -> std::string {
    try {
      parse_goodput(text);
    } catch (const bad_value& problem) {
      return problem.what();
    }
    return "was read";
  };
  EXPECT_EQ(refusal("itl:5"),
            "holds \"itl:5\", which is not ttft, tpot or e2el with a colon and milliseconds");
  EXPECT_EQ(refusal("ttft"),
            "holds \"ttft\", which is not ttft, tpot or e2el with a colon and milliseconds");
  EXPECT_EQ(refusal("ttft:5,ttft:6"), "holds ttft twice");
  EXPECT_EQ(refusal("ttft:5ms"), "gives ttft \"5ms\"; it takes milliseconds from 0 to 1000000000");
  EXPECT_EQ(refusal("ttft:-1"), "gives ttft \"-1\"; it takes milliseconds from 0 to 1000000000");
  EXPECT_EQ(refusal("ttft:nan"), "gives ttft \"nan\"; it takes milliseconds from 0 to 1000000000");
}

} // namespace
} // namespace troupe
