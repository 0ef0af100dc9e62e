// Clients that do not read: their own answers wait or end, nobody else's.
#include "tests/system/requests.hpp"

#include <thread>

namespace troupe {
namespace {

settings small_buffers() {
  auto chosen = test_company::defaults();
  chosen.stream.buffer = 4 * kib;
  return chosen;
}

// Some 6 MB: more than its socket and buffers hold, so that what is left unread ends at the
// streams. On a slow machine it takes a while until they are full.
std::size_t add_silent(crowd& clients, scripted_request& request) {
  request.tokens = 1900;
  request.n = 8;
  request.logprobs = 20;
  auto sent = request.over_http();
  sent.reads = false;
  return clients.add(std::move(sent));
}

TEST(Readers, OnesThatDoNotReadAreEndedAndOthersAreNotHeldUp) {
  auto chosen = small_buffers();
  chosen.stream.slow_reader_timeout = std::chrono::seconds(5);
  test_company server(chosen, std::chrono::microseconds(200));
  auto requests = scripted_requests(60, 300);
  constexpr std::size_t silent = 10;
  crowd clients(server.port());
  for (std::size_t i = 0; i < requests.size(); ++i) {
    if (i < silent)
      add_silent(clients, requests[i]);
    else
      clients.add(requests[i].over_http());
  }
  clients.run(std::chrono::minutes(3));
  for (std::size_t i = silent; i < requests.size(); ++i)
    EXPECT_TRUE(is_right(clients.at(i), requests[i], server)) << i;
  EXPECT_TRUE(server.comes_to_rest());
  const auto ended = [&] {
    return server.metric("vllm:request_success_total", "finished_reason=\"abort\"");
  };
  const auto deadline = crowd::clock::now() + std::chrono::minutes(3);
  while (ended() < 8.0 * silent && crowd::clock::now() < deadline)
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  EXPECT_EQ(ended(), 8.0 * silent);
}

TEST(Readers, OnesThatPauseKeepTheirPlaceWithoutBlocksAndGetTheWholeText) {
  auto chosen = small_buffers();
  chosen.stream.slow_reader_timeout = std::chrono::minutes(10);
  test_company server(chosen, std::chrono::microseconds(200));
  auto requests = scripted_requests(3, 0);
  crowd clients(server.port());
  for (auto& request : requests) add_silent(clients, request);
  clients.add({"/health", {}, {}, {}, true});
  bool spoken = false;
  clients.run(std::chrono::seconds(20), [&] {
    spoken = server.metric("vllm:generation_tokens_total") > 1000;
    return !spoken;
  });
  EXPECT_TRUE(server.comes_to_rest()); // they are parked
  EXPECT_LT(server.metric("vllm:generation_tokens_total"), 3 * 8 * 1900);
  for (std::size_t i = 0; i < requests.size(); ++i) clients.let_read(i);
  clients.run(std::chrono::minutes(3));
  for (std::size_t i = 0; i < requests.size(); ++i)
    EXPECT_TRUE(is_right(clients.at(i), requests[i], server)) << i;
  EXPECT_TRUE(server.comes_to_rest());
}

} // namespace
} // namespace troupe
