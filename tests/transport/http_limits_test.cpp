// What the HTTP door refuses, and that it goes on afterwards: keys, methods, sizes, slow senders.
#include "fake_front.hpp"
#include "raw_client.hpp"
#include "transport/http/client.hpp"

#include <gtest/gtest.h>

#include <string>

namespace troupe {
namespace {

/// The status line's number in the answer to `bytes`, after which the connection is at its end.
int status_of(const fake_server& server, const std::string& bytes) {
  raw_client client(server.port());
  client.send(bytes);
  const auto& answer = client.read_until("\r\n");
  return answer.size() < 12 ? 0 : std::stoi(answer.substr(9, 3));
}

std::string request(const std::string& line, const std::string& fields = {}) {
  return line + " HTTP/1.1\r\nHost: a\r\n" + fields + "\r\n";
}

TEST(HttpLimits, RefusesAndClosesWhereTheFramingIsLost) {
  fake_server server;
  raw_client client(server.port());
  client.send(
      request("POST /v1/completions", "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n") +
      "0\r\n\r\n" + request("GET /livez"));
  const auto& all = client.read_all();
  EXPECT_EQ(occurrences(all, "HTTP/1.1 "), 1U) << all;
  EXPECT_NE(all.find("HTTP/1.1 400 "), std::string::npos);
  EXPECT_NE(all.find("Connection: close\r\n"), std::string::npos);
  EXPECT_NE(all.find(R"("type":"invalid_request_error")"), std::string::npos);
  EXPECT_TRUE(client.ended());
}

TEST(HttpLimits, AnswersEveryRefusalWithItsStatus) {
  door_settings settings;
  settings.limits.body_bytes = 100;
  fake_server server({}, settings);
  const std::string json = "Content-Type: application/json\r\n";
  EXPECT_EQ(status_of(server, std::string("\x16\x03\x01\x00", 4)), 400);
  EXPECT_EQ(status_of(server, "GET /" + std::string(9000, 'a')), 414);
  EXPECT_EQ(status_of(server, request("GET /livez", "A: " + std::string(17000, 'a') + "\r\n")),
            431);
  EXPECT_EQ(status_of(server, request("POST /v1/completions", json + "Content-Length: 101\r\n")),
            413);
  EXPECT_EQ(status_of(server, request("GET /nowhere")), 404);
  EXPECT_EQ(status_of(server, request("GET /v1/completions")), 405);
  EXPECT_EQ(status_of(server, request("OPTIONS /v1/completions")), 405);
  EXPECT_EQ(status_of(server, request("POST /v1/completions",
                                      "Content-Type: text/plain\r\nContent-Length: 2\r\n")),
            415);
  EXPECT_EQ(status_of(server, request("POST /v1/completions",
                                      json + "Content-Encoding: gzip\r\nContent-Length: 2\r\n")),
            415);
  EXPECT_EQ(status_of(server, request("POST /v1/completions",
                                      json + "Expect: foo\r\nContent-Length: 2\r\n")),
            417);
  EXPECT_EQ(status_of(server, request("POST /v1/completions",
                                      json + "X-Request-Timeout: soon\r\nContent-Length: 2\r\n")),
            400);
  EXPECT_EQ(status_of(server, "PRI * HTTP/2.0\r\n\r\n"), 505);
  EXPECT_EQ(status_of(server, request("GET /v1/stream")), 426);
}

TEST(HttpLimits, NamesTheMethodsThatAreServed) {
  fake_server server;
  raw_client client(server.port());
  client.send(request("DELETE /health"));
  EXPECT_NE(client.read_until("}}").find("Allow: GET, HEAD\r\n"), std::string::npos)
      << client.received();
}

TEST(HttpLimits, AsksForTheBodyThatWaitsToBeAskedFor) {
  fake_server server;
  raw_client client(server.port());
  client.send(request("POST /v1/completions",
                      "Expect: 100-continue\r\nContent-Length: 14\r\nConnection: close\r\n"));
  EXPECT_EQ(client.read_until("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
  client.send(R"({"prompt":"a"})");
  EXPECT_NE(client.read_all().find("HTTP/1.1 200 OK"), std::string::npos);
}

TEST(HttpLimits, EchoesOnlyHarmlessRequestIds) {
  fake_server server;
  const auto id_for = [&](const std::string& sent) {
    raw_client client(server.port());
    client.send(request("GET /livez", "x-request-id: " + sent + "\r\n"));
    const auto& answer = client.read_until("\r\n\r\n");
    const auto at = answer.find("x-request-id: ") + 14;
    return answer.substr(at, answer.find('\r', at) - at);
  };
  EXPECT_EQ(id_for("aZ0._-"), "aZ0._-");
  EXPECT_NE(id_for("a b"), "a b");
  EXPECT_NE(id_for(std::string(129, 'a')), std::string(129, 'a'));
  EXPECT_GE(id_for("").size(), 24U);
}

TEST(HttpLimits, AsksForAKeyEverywhereButOnProbes) {
  door_settings settings;
  settings.api_keys = {"sesame", "other"};
  fake_server server({}, settings);
  EXPECT_EQ(status_of(server, request("GET /v1/models")), 401);
  EXPECT_EQ(status_of(server, request("GET /nowhere")), 401);
  EXPECT_EQ(status_of(server, request("GET //v1/models")), 401);
  EXPECT_EQ(status_of(server, request("GET /v1/%6dodels")), 401);
  EXPECT_EQ(
      status_of(server, request("GET /v1/stream", "Upgrade: websocket\r\nConnection: upgrade\r\n")),
      401);
  for (const char* wrong :
       {"Bearer ", "Bearer wrong", "bearer sesame", "sesame", "Basic sesame", "Bearer sesame2"})
    EXPECT_EQ(status_of(server,
                        request("GET /v1/models", "Authorization: " + std::string(wrong) + "\r\n")),
              401)
        << wrong;
  EXPECT_EQ(status_of(server,
                      request("GET /v1/models",
                              "Authorization: Bearer sesame\r\nAuthorization: Bearer sesame\r\n")),
            401);
  EXPECT_EQ(status_of(server, request("GET /v1/models", "Authorization: Bearer sesame\r\n")), 200);
  EXPECT_EQ(status_of(server, request("GET /v1/models", "x-api-key: other\r\n")), 200);
  for (const char* open : {"/health", "/livez", "/readyz", "/version", "/metrics"})
    EXPECT_EQ(status_of(server, request("GET " + std::string(open))), 200) << open;
}

TEST(HttpLimits, SendsCorsFieldsOnlyWhereConfigured) {
  fake_server closed;
  raw_client first(closed.port());
  first.send(request("GET /livez", "Origin: http://x\r\nConnection: close\r\n"));
  EXPECT_EQ(first.read_all().find("Access-Control"), std::string::npos);
  door_settings settings;
  settings.cors_origin = "http://x";
  settings.api_keys = {"sesame"};
  fake_server open({}, settings);
  raw_client second(open.port());
  second.send(request("OPTIONS /v1/models", "Origin: http://x\r\nConnection: close\r\n"));
  EXPECT_NE(second.read_all().find("HTTP/1.1 204 "), std::string::npos);
  EXPECT_NE(second.received().find("Access-Control-Allow-Origin: http://x\r\n"), std::string::npos);
}

TEST(HttpLimits, GivesSlowSendersUp) {
  door_settings settings;
  settings.header_timeout = settings.body_timeout = std::chrono::milliseconds(50);
  fake_server server({}, settings);
  EXPECT_EQ(status_of(server, "GET /livez HT"), 408);
  EXPECT_EQ(status_of(server, request("POST /v1/completions", "Content-Length: 14\r\n") + "{"),
            408);
}

TEST(HttpLimits, EndsIdleConnectionsWithoutAWord) {
  door_settings settings;
  settings.idle_timeout = std::chrono::milliseconds(50);
  fake_server server({}, settings);
  raw_client idle(server.port());
  EXPECT_EQ(idle.read_all(), "");
  EXPECT_TRUE(idle.ended());
}

TEST(HttpLimits, GivesReadersUpThatNeverRead) {
  fake_script script;
  script.endless = true;
  script.texts = {std::string(16384, 'x')};
  door_settings settings;
  settings.write_timeout = std::chrono::milliseconds(300);
  fake_server server(script, settings);
  raw_client client(server.port(), 4096);
  const std::string body = R"({"prompt":"a","stream":true})";
  client.send(
      request("POST /v1/completions", "Content-Length: " + std::to_string(body.size()) + "\r\n") +
      body);
  EXPECT_TRUE(
      eventually([&] { return server.counts().abandoned + server.counts().clients_down > 0; }));
  EXPECT_TRUE(eventually([&] { return server.connections() == 0; }));
}

TEST(HttpLimits, TurnsConnectionsAwayBeyondTheLimit) {
  door_settings settings;
  settings.connections = 1;
  fake_server server({}, settings);
  raw_client first(server.port());
  first.send(request("GET /livez"));
  (void)first.read_until("ok\n");
  raw_client second(server.port());
  EXPECT_NE(second.read_all().find("HTTP/1.1 503 "), std::string::npos);
  first.send(request("GET /version"));
  EXPECT_NE(first.read_until("1.2.3").find("1.2.3"), std::string::npos);
}

TEST(HttpLimits, SaysThatTheServerIsStalledWhereNobodyAnswers) {
  fake_script script;
  script.mute = true;
  door_settings settings;
  settings.question_timeout = std::chrono::milliseconds(50);
  fake_server server(script, settings);
  const auto reply = http_client(server.url()).get("/health");
  EXPECT_EQ(reply.status, 503);
  EXPECT_NE(reply.body.find("stalled"), std::string::npos);
  EXPECT_EQ(http_client(server.url()).get("/v1/models").status, 503);
}

TEST(HttpLimits, ForgetsClientsThatLeaveTheQueue) {
  fake_script script;
  script.mute = true;
  fake_server server(script);
  raw_client client(server.port());
  client.send(request("POST /v1/completions", "Content-Length: 14\r\n") + R"({"prompt":"a"})");
  ASSERT_TRUE(eventually([&] { return server.counts().submitted == 1; }));
  client.close();
  EXPECT_TRUE(eventually([&] { return server.connections() == 0; }));
}

} // namespace
} // namespace troupe
