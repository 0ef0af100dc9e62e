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

TEST(Load, LosesDoublesAndReordersNoTokenOfAThousandStreams) {
  allow_many_sockets();
  auto chosen = test_company::defaults();
  chosen.admission.max_queued_requests = 4096;
  test_company server(chosen);
  const auto requests = scripted_requests(1000, 1000);
  crowd clients(server.port());
  for (const auto& request : requests) clients.add(request.over_http());
  const auto begin = crowd::clock::now();
  const auto busy = processor_seconds();
  clients.run(std::chrono::seconds(600));
  const std::chrono::duration<double> taken = crowd::clock::now() - begin;
  std::uint64_t tokens = 0;
  std::uint64_t events = 0;
  for (std::size_t i = 0; i < requests.size(); ++i) {
    ASSERT_TRUE(is_right(clients.at(i), requests[i], server)) << i;
    tokens += clients.at(i).completion_tokens;
    events += clients.at(i).events;
  }
  EXPECT_EQ(tokens, 1'000'000U);
  EXPECT_EQ(server.metric("vllm:generation_tokens_total"), 1'000'000);
  EXPECT_EQ(server.engines_made(), 1);
  EXPECT_TRUE(server.comes_to_rest());
  fmt::print("{} tokens in {} events: {:.1f} s, {:.0f} tokens/s; {:.1f} s of processor time\n", tokens, events,
             taken.count(), static_cast<double>(tokens) / taken.count(), processor_seconds() - busy);
}

} // namespace
} // namespace troupe
