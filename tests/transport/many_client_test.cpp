// The client of load generators against servers that say whatever a test wants: whole answers,
// broken ones, none.
#include "tests/transport/scripted_server.hpp"
#include "transport/http/many_client.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <optional>
#include <thread>

namespace troupe {
namespace {

using std::chrono::milliseconds;
using clock = std::chrono::steady_clock;

/// Keeps what it hears.
class heard : public exchange_listener {
 public:
  void on_event(std::string_view data, time now) override {
    EXPECT_FALSE(end) << "an event after the end";
    events.emplace_back(data);
    times.push_back(now);
  }
  void on_end(const exchange_end& how, time) override {
    EXPECT_FALSE(end) << "two ends";
    end = how;
    if (then) then();
  }

  std::vector<std::string> events;
  std::vector<time> times;
  std::optional<exchange_end> end;
  std::function<void()> then;
};

many_client::plan to(const scripted_server& server, milliseconds timeout = milliseconds(20'000)) {
  return {parse_server_address(server.url()), "/v1/completions", {"X-Test: yes"}, timeout};
}

std::string whole_stream(std::string_view events) {
  return stream_head() + stream_chunk(events) + stream_chunk("");
}

exchange_end end_of(many_client& client) {
  heard ears;
  client.post("{}", ears);
  client.run();
  EXPECT_TRUE(ears.end);
  return ears.end.value_or(exchange_end{});
}

TEST(ManyClient, PostsWhatItIsGiven) {
  std::string got;
  scripted_server server([&](const std::string& request, auto& client) {
    got = request;
    client.say(whole_stream("data: a\n\n"));
    return true;
  });
  many_client client(to(server));
  heard ears;
  client.post(R"({"a":1})", ears);
  client.run();
  EXPECT_EQ(got,
            "POST /v1/completions HTTP/1.1\r\nHost: 127.0.0.1:" + std::to_string(server.port()) +
                "\r\nContent-Type: application/json\r\nX-Test: yes\r\n"
                "Content-Length: 7\r\n\r\n{\"a\":1}");
  EXPECT_EQ(ears.events, (std::vector<std::string>{"a"}));
  EXPECT_EQ(ears.end->status, 200);
  EXPECT_EQ(ears.end->reason, "OK");
  EXPECT_TRUE(ears.end->streamed);
  EXPECT_EQ(ears.end->fault, "");
}

TEST(ManyClient, ReadsEventsInWhateverPiecesTheyCome) {
  scripted_server server([&](const std::string&, auto& client) {
    for (const char c : whole_stream(": hi\n\ndata: one\n\ndata: two\r\n\r\n")) client.say({&c, 1});
    return true;
  });
  many_client client(to(server));
  heard ears;
  client.post("{}", ears);
  client.run();
  EXPECT_EQ(ears.events, (std::vector<std::string>{"one", "two"}));
  EXPECT_EQ(ears.end->fault, "");
}

TEST(ManyClient, TellsWhenEachEventCame) {
  std::atomic<bool> got_one = false;
  scripted_server server([&](const std::string&, auto& client) {
    client.say(stream_head() + stream_chunk("data: one\n\n"));
    while (!got_one) std::this_thread::yield();
    std::this_thread::sleep_for(milliseconds(50));
    client.say(stream_chunk("data: two\n\n") + stream_chunk(""));
    return true;
  });
  many_client client(to(server));
  heard ears;
  client.post("{}", ears);
  const auto look = [&](const auto& again) -> void {
    got_one = !ears.events.empty();
    if (!got_one) client.call_at(clock::now() + milliseconds(1), [&, again] { again(again); });
  };
  look(look);
  client.run();
  ASSERT_EQ(ears.times.size(), 2U);
  EXPECT_GE(ears.times[1] - ears.times[0], milliseconds(50));
}

TEST(ManyClient, UsesConnectionsAgain) {
  scripted_server server([&](const std::string&, auto& client) {
    client.say(whole_stream("data: a\n\n"));
    return true;
  });
  many_client client(to(server));
  heard second;
  heard first;
  first.then = [&] { client.post("{}", second); };
  client.post("{}", first);
  client.run();
  EXPECT_EQ(end_of(client).status, 200);
  EXPECT_EQ(second.end->fault, "");
  EXPECT_EQ(server.requests(), 3);
  EXPECT_EQ(server.connections(), 1);
}

TEST(ManyClient, OpensAnotherConnectionWhereTheServerCloses) {
  scripted_server server([&](const std::string&, auto& client) {
    client.say("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n"
               "data: a\n\n");
    return false;
  });
  many_client client(to(server));
  for (int i = 0; i < 3; ++i) EXPECT_EQ(end_of(client).fault, "");
  EXPECT_EQ(server.connections(), 3);
}

TEST(ManyClient, SendsOnceMoreWhereAnIdleConnectionWasClosed) {
  scripted_server server([&](const std::string&, auto& client) {
    client.say(whole_stream("data: a\n\n"));
    return false;
  });
  many_client client(to(server));
  for (int i = 0; i < 3; ++i) {
    const exchange_end end = end_of(client);
    EXPECT_EQ(end.status, 200);
    EXPECT_EQ(end.fault, "");
    std::this_thread::sleep_for(milliseconds(20)); // for the close to arrive
  }
  EXPECT_EQ(server.connections(), 3);
}

TEST(ManyClient, DoesNotSendAgainOnAConnectionThatNeverWorked) {
  scripted_server server([&](const std::string&, auto&) { return false; });
  many_client client(to(server));
  const exchange_end end = end_of(client);
  EXPECT_EQ(end.status, 0);
  EXPECT_EQ(end.fault.find("no answer from 127.0.0.1:"), 0U) << end.fault;
  EXPECT_EQ(server.requests(), 1);
}

TEST(ManyClient, TellsThatNobodyListens) {
  many_client::plan where;
  {
    const scripted_server gone([](const std::string&, auto&) { return false; });
    where = to(gone);
  }
  many_client client(where);
  const exchange_end end = end_of(client);
  EXPECT_EQ(end.status, 0);
  EXPECT_EQ(end.fault, "cannot connect to " + where.server.authority() + ": Connection refused");
}

TEST(ManyClient, GivesTheBodyOfARefusal) {
  scripted_server server([&](const std::string&, auto& client) {
    client.say(plain_answer("503 Service Unavailable", R"({"error":"full"})"));
    return true;
  });
  many_client client(to(server));
  const exchange_end end = end_of(client);
  EXPECT_EQ(end.status, 503);
  EXPECT_EQ(end.reason, "Service Unavailable");
  EXPECT_FALSE(end.streamed);
  EXPECT_EQ(end.body, R"({"error":"full"})");
  EXPECT_EQ(end.fault, "");
  end_of(client);
  EXPECT_EQ(server.connections(), 1);
}

TEST(ManyClient, HearsARefusalBeforeItHasSentEverything) {
  scripted_server server(
      [&](const std::string&, auto& client) {
        client.say(plain_answer("413 Payload Too Large", "{}"));
        client.listen_to_the_end();
        return false;
      },
      true);
  many_client client(to(server));
  heard ears;
  const std::string large(32U << 20U, 'x');
  client.post(large, ears);
  client.run();
  EXPECT_EQ(ears.end->status, 413);
  // Nothing can follow on a connection whose request was not finished.
  EXPECT_EQ(end_of(client).status, 413);
  EXPECT_EQ(server.connections(), 2);
}

TEST(ManyClient, KeepsNoMoreThanTheBeginOfALongBody) {
  scripted_server server([&](const std::string&, auto& client) {
    client.say(plain_answer("500 Oh", std::string(1U << 20U, 'x')));
    return true;
  });
  many_client client(to(server));
  EXPECT_EQ(end_of(client).body.size(), 64U << 10U);
}

TEST(ManyClient, TellsThatAStreamBrokeOff) {
  scripted_server server([&](const std::string&, auto& client) {
    client.say(stream_head() + stream_chunk("data: a\n\n"));
    return false;
  });
  many_client client(to(server));
  heard ears;
  client.post("{}", ears);
  client.run();
  EXPECT_EQ(ears.events.size(), 1U);
  EXPECT_EQ(ears.end->status, 200);
  EXPECT_TRUE(ears.end->streamed);
  EXPECT_EQ(ears.end->fault.find("the answer broke off from 127.0.0.1:"), 0U) << ears.end->fault;
}

TEST(ManyClient, TellsThatWhatCameIsNoHttp) {
  scripted_server server([&](const std::string&, auto& client) {
    client.say("220 mail.example.org ESMTP\r\n\r\n");
    return true;
  });
  many_client client(to(server));
  const exchange_end end = end_of(client);
  EXPECT_EQ(end.status, 0);
  EXPECT_EQ(end.fault.find("no HTTP answer from 127.0.0.1:"), 0U) << end.fault;
}

TEST(ManyClient, GivesUpWhenItsTimeIsOver) {
  scripted_server server([&](const std::string&, auto& client) {
    client.say(stream_head() + stream_chunk("data: a\n\n"));
    client.listen_to_the_end();
    return false;
  });
  many_client client(to(server, milliseconds(1500)));
  const auto begin = clock::now();
  const exchange_end end = end_of(client);
  EXPECT_GE(clock::now() - begin, milliseconds(1500));
  EXPECT_EQ(end.fault, "took longer than 1.5 s");
  EXPECT_EQ(end.status, 200);
}

TEST(ManyClient, CarriesManyAtOnce) {
  constexpr std::size_t count = 200;
  scripted_server server([&](const std::string& request, auto& client) {
    client.say(stream_head());
    const std::string number = request.substr(request.find("\r\n\r\n") + 4);
    for (int i = 0; i < 20; ++i) client.say(stream_chunk("data: " + number + "\n\n"));
    client.say(stream_chunk(""));
    return true;
  });
  many_client client(to(server));
  std::vector<heard> ears(count);
  for (std::size_t i = 0; i < count; ++i) client.post(std::to_string(i), ears[i]);
  client.run();
  for (std::size_t i = 0; i < count; ++i) {
    EXPECT_EQ(ears[i].events, std::vector<std::string>(20, std::to_string(i)));
    EXPECT_EQ(ears[i].end->fault, "");
  }
  EXPECT_EQ(server.connections(), static_cast<int>(count));
}

TEST(ManyClient, CallsInTheOrderOfTheirTimes) {
  const scripted_server server([](const std::string&, auto&) { return false; });
  many_client client(to(server));
  std::vector<int> order;
  const auto now = clock::now();
  client.call_at(now + milliseconds(500), [&] { order.push_back(2); });
  client.call_at(now, [&] {
    order.push_back(1);
    client.call_at(now + milliseconds(1), [&] { order.push_back(3); });
  });
  client.run();
  EXPECT_EQ(order, (std::vector<int>{1, 3, 2}));
}

TEST(ManyClient, StopsWithoutAWordToWhatIsUnderWay) {
  scripted_server server([&](const std::string&, auto& client) {
    client.listen_to_the_end();
    return false;
  });
  heard ears;
  {
    many_client client(to(server));
    client.post("{}", ears);
    client.call_at(clock::now() + milliseconds(20), [&] { client.stop(); });
    client.run();
  }
  EXPECT_FALSE(ears.end);
}

TEST(ManyClient, RefusesAHostThatIsNowhere) {
  EXPECT_THROW(many_client({parse_server_address("http://no.such.host.invalid"), "/", {}, {}}),
               std::runtime_error);
}

} // namespace
} // namespace troupe
