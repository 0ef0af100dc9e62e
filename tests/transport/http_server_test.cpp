// The HTTP door over a loopback socket, against actors that follow a script.
#include "fake_front.hpp"
#include "raw_client.hpp"
#include "transport/http/client.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <chrono>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace troupe {
namespace {

using nlohmann::json;

const std::string chat = R"({"messages":[{"role":"user","content":"hi"}])";

std::string post(const std::string& path, const std::string& body, const std::string& fields = {}) {
  return "POST " + path +
         " HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: " +
         std::to_string(body.size()) + "\r\n" + fields + "\r\n" + body;
}

std::string get(const std::string& path, const std::string& fields = {}) {
  return "GET " + path + " HTTP/1.1\r\nHost: a\r\n" + fields + "\r\n";
}

std::vector<std::string> events_of(const fake_server& server, const std::string& path,
                                   const std::string& body) {
  std::vector<std::string> events;
  const http_client client(server.url());
  (void)client.post_stream(path, body, [&](std::string_view data) {
    events.emplace_back(data);
    return true;
  });
  return events;
}

TEST(HttpServer, AnswersAChatInOnePiece) {
  fake_server server;
  const auto reply =
      http_client(server.url()).post("/v1/chat/completions", chat + R"(,"model":"m"})");
  ASSERT_EQ(reply.status, 200) << reply.body;
  const json body = json::parse(reply.body);
  EXPECT_EQ(body["object"], "chat.completion");
  EXPECT_EQ(body["model"], "m");
  EXPECT_EQ(body["id"].get<std::string>().rfind("chatcmpl-", 0), 0U);
  EXPECT_EQ(body["choices"][0]["message"]["content"], "Hello");
  EXPECT_EQ(body["choices"][0]["finish_reason"], "stop");
  EXPECT_EQ(body["usage"]["prompt_tokens"], 5);
  EXPECT_EQ(body["usage"]["prompt_tokens_details"]["cached_tokens"], 2);
  EXPECT_TRUE(eventually([&] { return server.counts().reports == 1; }));
}

TEST(HttpServer, StreamsAChatInOrder) {
  fake_server server;
  const auto events =
      events_of(server, "/v1/chat/completions",
                chat + R"(,"stream":true,"stream_options":{"include_usage":true}})");
  ASSERT_EQ(events.size(), 6U);
  EXPECT_EQ(json::parse(events[0])["choices"][0]["delta"]["role"], "assistant");
  EXPECT_EQ(json::parse(events[1])["choices"][0]["delta"]["content"], "Hel");
  EXPECT_EQ(json::parse(events[2])["choices"][0]["delta"]["content"], "lo");
  EXPECT_EQ(json::parse(events[3])["choices"][0]["finish_reason"], "stop");
  EXPECT_TRUE(json::parse(events[4])["choices"].empty());
  EXPECT_EQ(json::parse(events[4])["usage"]["completion_tokens"], 2);
  EXPECT_EQ(events[5], "[DONE]");
}

TEST(HttpServer, ContinuesEveryPromptNTimes) {
  fake_server server;
  const auto reply =
      http_client(server.url()).post("/v1/completions", R"({"prompt":["a","b"],"n":2})");
  const json body = json::parse(reply.body);
  ASSERT_EQ(body["choices"].size(), 4U) << reply.body;
  EXPECT_EQ(body["choices"][3]["index"], 3);
  EXPECT_EQ(body["choices"][3]["text"], "Hello");
  EXPECT_EQ(body["usage"]["prompt_tokens"], 10);
}

TEST(HttpServer, TellsLogprobs) {
  fake_script script;
  script.logprobs = true;
  fake_server server(script);
  const auto reply =
      http_client(server.url())
          .post("/v1/chat/completions", chat + R"(,"logprobs":true,"top_logprobs":1})");
  const json content = json::parse(reply.body)["choices"][0]["logprobs"]["content"];
  ASSERT_EQ(content.size(), 2U) << reply.body;
  EXPECT_EQ(content[1]["token"], "lo");
  EXPECT_EQ(content[1]["top_logprobs"][0]["bytes"], json::parse("[108,111]"));
}

TEST(HttpServer, PassesRefusalsOnWithRetryAfter) {
  fake_script script;
  script.refuse_code = "rate_limit_exceeded";
  fake_server server(script);
  raw_client client(server.port());
  client.send(post("/v1/chat/completions", chat + R"(,"stream":true})"));
  const auto& answer = client.read_until("}}");
  EXPECT_NE(answer.find("HTTP/1.1 429 Too Many Requests\r\n"), std::string::npos);
  EXPECT_NE(answer.find("Retry-After: 3\r\n"), std::string::npos);
  EXPECT_NE(answer.find(R"("code":"rate_limit_exceeded")"), std::string::npos);
}

TEST(HttpServer, EndsAStreamThatFailsWithAnErrorAndWithoutDone) {
  fake_script script;
  script.fail_code = "engine_error";
  fake_server server(script);
  const auto events = events_of(server, "/v1/chat/completions", chat + R"(,"stream":true})");
  ASSERT_FALSE(events.empty());
  EXPECT_EQ(json::parse(events.back())["error"]["code"], "engine_error");
}

TEST(HttpServer, NoticesAStreamThatDies) {
  fake_script script;
  script.dies = true;
  fake_server server(script);
  EXPECT_EQ(http_client(server.url()).post("/v1/chat/completions", chat + "}").status, 500);
}

TEST(HttpServer, GivesWhatThereIsWhenTimeRunsOut) {
  fake_script script;
  script.times_out = true;
  fake_server server(script);
  const auto reply = http_client(server.url()).post("/v1/chat/completions", chat + "}");
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(json::parse(reply.body)["choices"][0]["finish_reason"], "timeout");
  const auto events = events_of(server, "/v1/chat/completions", chat + R"(,"stream":true})");
  EXPECT_EQ(json::parse(events.back())["error"]["type"], "timeout_error");
}

TEST(HttpServer, AnswersPipelinedRequestsInOrder) {
  fake_server server;
  raw_client client(server.port());
  client.send(post("/v1/completions", R"({"prompt":"a"})", "x-request-id: one\r\n") +
              get("/livez", "x-request-id: two\r\n") +
              get("/nowhere", "x-request-id: three\r\nConnection: close\r\n"));
  const auto& all = client.read_all();
  const auto one = all.find("x-request-id: one");
  const auto two = all.find("x-request-id: two");
  const auto three = all.find("x-request-id: three");
  ASSERT_TRUE(one != std::string::npos && two != std::string::npos && three != std::string::npos)
      << all;
  EXPECT_TRUE(one < two && two < three);
  EXPECT_NE(all.find("404 Not Found"), std::string::npos);
  EXPECT_TRUE(client.ended());
}

TEST(HttpServer, TellsItsStreamsWhenTheClientHasGone) {
  for (const std::string mode : {R"(,"stream":true})", R"(,"stream":false})"})
    for (const bool hard : {false, true}) {
      fake_script script;
      script.silent = true;
      fake_server server(script);
      raw_client client(server.port());
      client.send(post("/v1/chat/completions", chat + mode));
      ASSERT_TRUE(eventually([&] { return server.counts().credit > 0; }));
      if (hard)
        client.reset();
      else
        client.close();
      EXPECT_TRUE(eventually([&] {
        return server.counts().abandoned + server.counts().clients_down > 0;
      })) << mode
          << hard;
      EXPECT_TRUE(eventually([&] { return server.connections() == 0; }));
    }
}

TEST(HttpServer, AnswersAClientThatClosedOnlyItsSendingSide) {
  fake_server server;
  raw_client client(server.port());
  client.send(post("/v1/completions", R"({"prompt":"a"})"));
  client.half_close();
  EXPECT_NE(client.read_all().find(R"("text":"Hello")"), std::string::npos) << client.received();
}

TEST(HttpServer, PaysCreditOnlyAsTheClientReads) {
  fake_script script;
  script.endless = true;
  script.texts = {std::string(4096, 'x')};
  fake_server server(script);
  raw_client client(server.port(), 4096);
  client.send(post("/v1/chat/completions", chat + R"(,"stream":true})"));
  int before = -1;
  ASSERT_TRUE(eventually([&] {
    const int now = server.counts().deltas;
    const bool stalled = now > 0 && now == before;
    before = now;
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    return stalled;
  }));
  client.read_bytes(16U << 20U);
  EXPECT_GT(server.counts().deltas, before + 1000);
}

TEST(HttpServer, ServesTheOtherRoutes) {
  fake_server server;
  const http_client client(server.url());
  EXPECT_EQ(client.get("/health").body, R"({"status":"ok"})");
  EXPECT_EQ(client.get("/readyz").status, 200);
  EXPECT_EQ(client.get("/livez").body, "ok\n");
  EXPECT_EQ(client.get("/version").body, R"({"version":"1.2.3"})");
  EXPECT_EQ(client.get("/metrics").body, "# metrics\n");
  EXPECT_EQ(json::parse(client.get("/v1/models").body)["data"][0]["id"], "org/tiny");
  EXPECT_EQ(json::parse(client.get("/v1/models/org/tiny").body)["max_model_len"], 99);
  EXPECT_EQ(client.get("/v1/models/other").status, 404);
  EXPECT_NE(client.get("/").body.find("/v1/chat/completions"), std::string::npos);
  EXPECT_EQ(json::parse(client.post("/tokenize", R"({"prompt":"x"})").body),
            json::parse(R"({"count":2,"max_model_len":99,"tokens":[1,2]})"));
  EXPECT_EQ(json::parse(client.post("/tokenize", R"({"content":"x","with_pieces":true})").body),
            json::parse(R"({"tokens":[{"id":1,"piece":"a"},{"id":2,"piece":[255]}]})"));
  EXPECT_EQ(json::parse(client.post("/detokenize", R"({"tokens":[1]})").body)["prompt"],
            "some text");
}

TEST(HttpServer, SaysHowFarLoadingIs) {
  fake_script script;
  script.loading = true;
  fake_server server(script);
  const auto reply = http_client(server.url()).get("/health");
  EXPECT_EQ(reply.status, 503);
  EXPECT_EQ(json::parse(reply.body)["fraction"], 0.5);
}

TEST(HttpServer, FinishesWhatRunsWhenItDrains) {
  fake_script script;
  script.silent = true;
  fake_server server(script);
  raw_client idle(server.port());
  raw_client busy(server.port());
  busy.send(post("/v1/chat/completions", chat + R"(,"stream":true})"));
  (void)busy.read_until("assistant");
  server.stop_accepting();
  (void)idle.read_all();
  EXPECT_TRUE(idle.ended());
  EXPECT_TRUE(eventually([&] { return server.connections() == 1U; }));
  EXPECT_FALSE(busy.ended());
}

TEST(HttpServer, GivesSignsOfLifeOnSilentStreams) {
  fake_script script;
  script.silent = true;
  door_settings settings;
  settings.ping_interval = std::chrono::milliseconds(20);
  fake_server server(script, settings);
  raw_client client(server.port());
  client.send(post("/v1/chat/completions", chat + R"(,"stream":true})"));
  EXPECT_NE(client.read_until(": keep-alive\n\n").find(": keep-alive\n\n"), std::string::npos);
}

TEST(HttpServer, EndsWhatRunsWhenItStops) {
  fake_script script;
  script.silent = true;
  fake_server server(script);
  raw_client client(server.port());
  client.send(post("/v1/chat/completions", chat + R"(,"stream":true})"));
  ASSERT_TRUE(eventually([&] { return server.counts().credit > 0; }));
  server.stop();
  EXPECT_TRUE(
      eventually([&] { return server.counts().abandoned + server.counts().clients_down > 0; }));
  (void)client.read_all();
  EXPECT_TRUE(client.ended());
}

TEST(HttpServer, NamesThePortThatIsInUse) {
  fake_server first;
  door_settings settings;
  settings.port = first.port();
  try {
    fake_server second({}, settings);
    FAIL();
  } catch (const std::runtime_error& error) {
    EXPECT_EQ(std::string(error.what()), "cannot listen on 127.0.0.1:" +
                                             std::to_string(first.port()) + ": the port is in use");
  }
}

TEST(HttpClient, SaysWhatIsWrongWithAnAddress) {
  EXPECT_THROW(http_client("http://127.0.0.1:1").get("/"), std::runtime_error);
  EXPECT_THROW(http_client("ftp://x"), std::invalid_argument);
  EXPECT_THROW(http_client("http://host:port"), std::invalid_argument);
}

} // namespace
} // namespace troupe
