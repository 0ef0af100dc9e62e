// A million tokens through everything but the arithmetic.
#include "tests/system/requests.hpp"

#include <fmt/format.h>

#include <sys/resource.h>

namespace troupe {
namespace {

double processor_seconds() {
  rusage used{};
  ::getrusage(RUSAGE_SELF, &used);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + 1e-6 * static_cast<double>(time.tv_usec);
  };
  return seconds(used.ru_utime) + seconds(used.ru_stime);
}

// A thousand streams of a thousand tokens each, a step every `step_time`.
void run_a_million(std::chrono::microseconds step_time) {
  allow_many_sockets();
  test_company server(test_company::defaults(), step_time);
  const auto requests = scripted_requests(1000, 1000);
  crowd clients(server.port());
  for (const auto& request : requests) clients.add(request.over_http());
  const auto begin = crowd::clock::now();
  const auto busy = processor_seconds();
  clients.run(std::chrono::seconds(600));
  const std::chrono::duration<double> taken = crowd::clock::now() - begin;
  const auto worked = processor_seconds() - busy;
  std::uint64_t tokens = 0;
  std::uint64_t events = 0;
  for (std::size_t i = 0; i < requests.size(); ++i) {
    ASSERT_TRUE(is_right(clients.at(i), requests[i], server)) << i;
    tokens += clients.at(i).completion_tokens;
    events += clients.at(i).events;
  }
  EXPECT_EQ(tokens, 1'000'000U);
  EXPECT_TRUE(server.comes_to_rest());
  EXPECT_EQ(server.metric("vllm:generation_tokens_total"), 1'000'000);
  EXPECT_EQ(server.metric("vllm:num_preemptions_total"), 0);
  EXPECT_EQ(server.engines_made(), 1);
  fmt::print("{} tokens in {} events: {:.1f} s, {:.0f} tokens/s; {:.1f} s of processor time, "
             "client included\n",
             tokens, events, taken.count(), static_cast<double>(tokens) / taken.count(), worked);
}

// Faster than the sockets: deltas merge.
TEST(Load, LosesDoublesAndReordersNoTokenOfAThousandStreams) { run_a_million({}); }

// As a device would: nearly every token is an event of its own.
TEST(Load, LosesNoTokenOfAThousandStreamsAtTheSpeedOfADevice) {
  run_a_million(std::chrono::milliseconds(20));
}

} // namespace
} // namespace troupe
