// Clients that do not read: their own answers wait or end, nobody else's.
#include "tests/system/requests.hpp"

#include <algorithm>

namespace troupe {
namespace {

constexpr std::size_t slow = 10;

settings impatient() {
  auto chosen = test_company::defaults();
  chosen.stream.buffer = 4 * kib;
  chosen.stream.slow_reader_timeout = std::chrono::milliseconds(1500);
  return chosen;
}

TEST(Readers, OnesThatDoNotReadAreEndedAndOthersAreNotHeldUp) {
  test_company server(impatient());
  auto requests = scripted_requests(60, 300);
  crowd clients(server.port());
  // Far more than sockets and buffers hold: what a client can leave unread ends at the stream.
  for (std::size_t i = 0; i < slow; ++i) {
    requests[i].tokens = 1900;
    auto sent = requests[i].over_http();
    sent.body.insert(sent.body.size() - 1, R"(,"logprobs":5)");
    sent.reads = false;
    clients.add(std::move(sent));
  }
  for (std::size_t i = slow; i < requests.size(); ++i) clients.add(requests[i].over_http());
  clients.run(std::chrono::seconds(60));
  for (std::size_t i = slow; i < requests.size(); ++i) EXPECT_TRUE(is_right(clients.at(i), requests[i], server)) << i;
  EXPECT_TRUE(server.comes_to_rest());
}

// They pause for less than the timeout and get all of it.
TEST(Readers, OnesThatPauseGetTheWholeText) {
  auto chosen = impatient();
  chosen.stream.slow_reader_timeout = std::chrono::seconds(60);
  test_company server(chosen);
  auto requests = scripted_requests(slow, 1900);
  crowd clients(server.port());
  for (const auto& request : requests) {
    auto sent = request.over_http();
    sent.reads = false;
    clients.add(std::move(sent));
  }
  clients.add({"/health", {}, {}, {}, true});
  clients.run(std::chrono::seconds(10));
  const auto pause = crowd::clock::now() + std::chrono::seconds(2);
  while (crowd::clock::now() < pause) std::this_thread::sleep_for(std::chrono::milliseconds(10));
  for (std::size_t i = 0; i < requests.size(); ++i) clients.let_read(i);
  clients.run(std::chrono::seconds(60));
  for (std::size_t i = 0; i < requests.size(); ++i) EXPECT_TRUE(is_right(clients.at(i), requests[i], server)) << i;
  EXPECT_TRUE(server.comes_to_rest());
}

} // namespace
} // namespace troupe
