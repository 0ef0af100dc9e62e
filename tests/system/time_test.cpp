// The time that a request has: from its arrival to its last token, wherever it spends it.
#include "tests/system/requests.hpp"

namespace troupe {
namespace {

crowd_request within(const scripted_request& request, const char* milliseconds) {
  auto out = request.over_http();
  out.headers = std::string("X-Request-Timeout: ") + milliseconds + "\r\n";
  return out;
}

TEST(Times, ARequestThatNeverRanIsAnsweredWith504) {
  auto chosen = test_company::defaults();
  chosen.engine.max_sequences = 1;
  test_company server(chosen, std::chrono::milliseconds(5));
  auto requests = scripted_requests(3, 600);
  requests[2].stream = false;
  crowd clients(server.port());
  clients.add(requests[0].over_http());
  bool added = false;
  clients.run(std::chrono::seconds(30), [&] {
    added = clients.at(0).events > 0;
    return !added;
  });
  ASSERT_TRUE(added);
  clients.add(within(requests[1], "200"));
  clients.add(within(requests[2], "200"));
  clients.run(std::chrono::seconds(60));
  EXPECT_TRUE(is_right(clients.at(0), requests[0], server));
  EXPECT_EQ(clients.at(2).status, 504);
  EXPECT_NE(clients.at(2).body.find("timeout"), std::string::npos);
  EXPECT_FALSE(clients.at(1).error.empty());
  EXPECT_EQ(clients.at(1).text(), "");
  EXPECT_TRUE(server.comes_to_rest());
}

TEST(Times, AStreamThatRunsOutOfTimeSaysSo) {
  test_company server(test_company::defaults(), std::chrono::milliseconds(5));
  const auto requests = scripted_requests(2, 500);
  crowd clients(server.port());
  clients.add(within(requests[0], "1500"));
  clients.add(requests[1].over_http());
  clients.run(std::chrono::seconds(60));
  auto& cut = clients.at(0);
  EXPECT_EQ(cut.status, 200);
  EXPECT_EQ(cut.finish_reason(), "timeout");
  EXPECT_GT(cut.text().size(), 0U);
  // What was cut inside a character ends with a mark for it.
  const auto whole = server.text(requests[0].prompt, requests[0].seed, 500);
  auto said = cut.text();
  if (!whole.starts_with(said) && said.ends_with("\xEF\xBF\xBD")) said.resize(said.size() - 3);
  EXPECT_TRUE(whole.starts_with(said));
  EXPECT_TRUE(is_right(clients.at(1), requests[1], server));
  EXPECT_TRUE(server.comes_to_rest());
}

TEST(Times, DrainingFinishesWhatRunsAndRefusesTheRest) {
  test_company server(test_company::defaults(), std::chrono::milliseconds(2));
  const auto requests = scripted_requests(21, 200);
  crowd clients(server.port());
  for (std::size_t i = 0; i < 20; ++i) clients.add(requests[i].over_http());
  bool draining = false;
  clients.run(std::chrono::seconds(60), [&] {
    bool all_speak = true;
    for (std::size_t i = 0; i < clients.size(); ++i)
      all_speak = all_speak && clients.at(i).events > 0;
    if (all_speak && !draining) {
      server.all().drain();
      draining = true;
    }
    return true;
  });
  ASSERT_TRUE(draining);
  for (std::size_t i = 0; i < 20; ++i)
    EXPECT_TRUE(is_right(clients.at(i), requests[i], server)) << i;
  EXPECT_TRUE(server.all().drained(std::chrono::seconds(10)));
}

} // namespace
} // namespace troupe
