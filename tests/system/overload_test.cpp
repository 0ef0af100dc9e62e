// More requests than may wait: the surplus is refused at once, and what was let in is served.
#include "tests/system/requests.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace troupe {
namespace {

TEST(Overload, RefusesWhatIsOverTheLimitAndServesTheRest) {
  auto chosen = test_company::defaults();
  chosen.engine.max_sequences = 8;
  chosen.admission.max_queued_requests = 40;
  test_company server(chosen, std::chrono::milliseconds(1));
  const auto requests = scripted_requests(480, 200);
  crowd clients(server.port());
  for (const auto& request : requests) clients.add(request.over_http());
  const auto begin = crowd::clock::now();
  clients.run(std::chrono::seconds(120));
  std::vector<double> refusals;
  std::chrono::duration<double> coming{}; // until the last one was let in or refused, at most
  for (std::size_t i = 0; i < requests.size(); ++i) {
    auto& got = clients.at(i);
    coming = std::max<std::chrono::duration<double>>(coming, clients.answered(i) - begin);
    if (got.status == 200) {
      EXPECT_TRUE(is_right(got, requests[i], server)) << i;
      continue;
    }
    ASSERT_EQ(got.status, 503) << i << got.error;
    EXPECT_NE(got.body.find("server_is_overloaded"), std::string::npos);
    const auto at = got.head.find("Retry-After: ");
    ASSERT_NE(at, std::string::npos) << got.head;
    const auto seconds = std::atoi(got.head.c_str() + at + 13);
    EXPECT_GE(seconds, 1);
    EXPECT_LE(seconds, 60);
    refusals.push_back(clients.whole(i).count() * 1e3);
  }
  const auto served = requests.size() - refusals.size();
  // A queue's worth and one in each slot, and what slots had finished while others still came, each
  // in 200 steps of a millisecond or more.
  EXPECT_GE(served, 40U);
  EXPECT_LE(static_cast<double>(served), 40 + 8 + 8 * coming.count() / 0.2);
  EXPECT_EQ(server.metric("troupe:requests_refused_total"), static_cast<double>(refusals.size()));
  EXPECT_TRUE(server.comes_to_rest());
  std::sort(refusals.begin(), refusals.end());
  ASSERT_FALSE(refusals.empty());
  fmt::print("{} served, {} refused within {:.2f} s; a refusal took {:.1f} ms in the median, "
             "{:.1f} ms at the 99th percentile\n",
             served, refusals.size(), coming.count(), refusals[refusals.size() / 2],
             refusals[refusals.size() * 99 / 100]);
}

TEST(Overload, TakesRequestsAgainWhenTheQueueIsShorter) {
  auto chosen = test_company::defaults();
  chosen.engine.max_sequences = 2;
  chosen.admission.max_queued_requests = 4;
  test_company server(chosen, std::chrono::milliseconds(1));
  for (std::uint64_t round = 1; round <= 3; ++round) {
    const auto requests = scripted_requests(30, 200, round);
    crowd clients(server.port());
    for (const auto& request : requests) clients.add(request.over_http());
    clients.run(std::chrono::seconds(60));
    std::size_t served = 0;
    for (std::size_t i = 0; i < requests.size(); ++i) {
      if (clients.at(i).status != 200) continue;
      ++served;
      EXPECT_TRUE(is_right(clients.at(i), requests[i], server)) << i;
    }
    EXPECT_GE(served, 4U) << round;
    EXPECT_LT(served, requests.size()) << round;
  }
}

// Less KV cache than the running sequences want: some give theirs away and are computed again.
TEST(Overload, SharesTooFewBlocksWithoutLosingATokenOfAnyone) {
  auto chosen = test_company::defaults();
  chosen.engine.max_sequences = 64;
  chosen.engine.kv_memory =
      160 * 16 * 2 * 16 * 4; // 160 blocks of 16 tokens, at 16 floats for each key and value
  test_company server(chosen, std::chrono::microseconds(200));
  auto requests = scripted_requests(8, 200);
  crowd clients(server.port());
  for (auto& request : requests) {
    request.n = 16; // the choices of one alone want 208 blocks at the same time
    clients.add(request.over_http());
  }
  clients.run(std::chrono::seconds(120));
  for (std::size_t i = 0; i < requests.size(); ++i)
    EXPECT_TRUE(is_right(clients.at(i), requests[i], server)) << i;
  EXPECT_GT(server.metric("vllm:num_preemptions_total"), 0);
  EXPECT_TRUE(server.comes_to_rest());
}

} // namespace
} // namespace troupe
