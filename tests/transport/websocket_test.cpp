// The WebSocket door: many requests on one connection, cancel, credit, and frames that are wrong.
#include "fake_front.hpp"
#include "raw_client.hpp"

#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/buffers_to_string.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/websocket.hpp>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <map>
#include <string>
#include <thread>
#include <utility>

namespace troupe {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
using nlohmann::json;

const std::string user = R"("messages":[{"role":"user","content":"hi"}]})";

class ws_client {
 public:
  explicit ws_client(const fake_server& server) : socket_(io_) {
    socket_.next_layer().connect({asio::ip::make_address("127.0.0.1"), server.port()});
    socket_.handshake("localhost", "/v1/stream");
  }
  void send(const std::string& text) { socket_.write(asio::buffer(text)); }
  void send_binary(const std::string& bytes) {
    socket_.binary(true);
    send(bytes);
  }
  /// The next message, or null where the server closed.
  json receive() {
    beast::flat_buffer buffer;
    boost::system::error_code error;
    socket_.read(buffer, error);
    if (error) return nullptr;
    return json::parse(beast::buffers_to_string(buffer.data()));
  }
  int close_code() const { return socket_.reason().code; }

 private:
  asio::io_context io_;
  beast::websocket::stream<asio::ip::tcp::socket> socket_;
};

std::string create(const std::string& id, const std::string& fields = {}) {
  return R"({"type":"chat.create","id":")" + id + "\"," + fields + user;
}

TEST(WebSocket, StreamsTheChunksOfTheHttpDoor) {
  fake_server server;
  ws_client client(server);
  client.send(create("a"));
  EXPECT_EQ(client.receive(), json::parse(R"({"type":"accepted","id":"a"})"));
  const json first = client.receive();
  EXPECT_EQ(first["type"], "chunk");
  EXPECT_EQ(first["id"], "a");
  EXPECT_EQ(first["chunk"]["object"], "chat.completion.chunk");
  EXPECT_EQ(first["chunk"]["choices"][0]["delta"]["role"], "assistant");
  EXPECT_EQ(client.receive()["chunk"]["choices"][0]["delta"]["content"], "Hel");
  EXPECT_EQ(client.receive()["chunk"]["choices"][0]["delta"]["content"], "lo");
  EXPECT_EQ(client.receive()["chunk"]["choices"][0]["finish_reason"], "stop");
  const json done = client.receive();
  EXPECT_EQ(done["type"], "done");
  EXPECT_EQ(done["usage"]["completion_tokens"], 2);
  EXPECT_TRUE(eventually([&] { return server.counts().reports == 1; }));
}

TEST(WebSocket, RunsManyRequestsAtOnce) {
  fake_server server;
  ws_client client(server);
  for (int i = 0; i < 20; ++i) client.send(create(std::to_string(i)));
  std::map<std::string, std::string> texts;
  for (int done = 0; done < 20;) {
    const json message = client.receive();
    ASSERT_FALSE(message.is_null());
    if (message["type"] == "done") ++done;
    if (message["type"] != "chunk") continue;
    const json& delta = message["chunk"]["choices"][0]["delta"];
    texts[message["id"]] += delta.value("content", "");
  }
  EXPECT_EQ(texts.size(), 20U);
  for (const auto& [id, text] : texts) EXPECT_EQ(text, "Hello") << id;
}

TEST(WebSocket, CancelsOneRequestAndKeepsTheOthers) {
  fake_script script;
  script.silent = true;
  fake_server server(script);
  ws_client client(server);
  client.send(create("a"));
  client.send(create("b"));
  ASSERT_TRUE(eventually([&] { return server.counts().credit == 2 * 32; })); // both are accepted
  client.send(R"({"type":"cancel","id":"a"})");
  ASSERT_TRUE(eventually([&] { return server.counts().abandoned == 1; }));
  json message = client.receive();
  while (message["type"] != "cancelled") message = client.receive();
  EXPECT_EQ(message["id"], "a");
  client.send(create("b"));
  EXPECT_EQ(client.receive()["error"]["code"], "duplicate_id");
}

TEST(WebSocket, CancelsARequestThatIsNotYetAccepted) {
  fake_script script;
  script.silent = true;
  script.holds = true;
  fake_server server(script);
  ws_client client(server);
  client.send(create("kept"));
  client.send(create("dropped"));
  client.send(R"({"type":"cancel","id":"dropped"})");
  EXPECT_EQ(client.receive()["type"], "cancelled");
  ASSERT_TRUE(eventually([&] { return server.counts().submitted == 2; }));
  server.let_in();
  EXPECT_TRUE(eventually([&] { return server.counts().abandoned == 1; }));
  EXPECT_EQ(client.receive()["id"], "kept");
}

TEST(WebSocket, SpendsNoMoreThanTheClientsCredit) {
  fake_script script;
  script.endless = true;
  fake_server server(script);
  ws_client client(server);
  client.send(create("a", "\"credit\":3,"));
  for (int i = 0; i < 5; ++i) (void)client.receive();
  std::this_thread::sleep_for(std::chrono::milliseconds(100));
  EXPECT_EQ(server.counts().deltas, 3);
  client.send(R"({"type":"credit","id":"a","n":4})");
  for (int i = 0; i < 4; ++i) EXPECT_EQ(client.receive()["type"], "chunk");
  std::this_thread::sleep_for(std::chrono::milliseconds(100));
  EXPECT_EQ(server.counts().deltas, 7);
}

TEST(WebSocket, AnswersBadMessagesAndGoesOn) {
  fake_server server;
  ws_client client(server);
  const auto error_for = [&](const std::string& text) {
    client.send(text);
    return client.receive();
  };
  EXPECT_EQ(error_for("{")["error"]["code"], "invalid_json");
  EXPECT_TRUE(error_for("[]")["id"].is_null());
  EXPECT_EQ(error_for(R"({"id":"a"})")["error"]["param"], "type");
  EXPECT_EQ(error_for(R"({"type":"chat.create"})")["error"]["param"], "id");
  EXPECT_EQ(error_for(R"({"type":"dance","id":"a"})")["error"]["code"], "invalid_value");
  EXPECT_EQ(
      error_for("{\"type\":\"cancel\",\"id\":\"" + std::string(129, 'a') + "\"}")["error"]["param"],
      "id");
  const json refused = error_for(R"({"type":"chat.create","id":"a","messages":[]})");
  EXPECT_EQ(refused["id"], "a");
  EXPECT_EQ(refused["status"], 400);
  EXPECT_EQ(refused["error"]["code"], "empty_array");
  EXPECT_EQ(error_for(R"({"type":"ping"})"), json::parse(R"({"type":"pong"})"));
}

TEST(WebSocket, BoundsRequestsUnderWay) {
  fake_script script;
  script.mute = true;
  door_settings settings;
  settings.websocket_requests = 2;
  fake_server server(script, settings);
  ws_client client(server);
  for (const char* id : {"a", "b", "c"}) client.send(create(id));
  const json refused = client.receive();
  EXPECT_EQ(refused["id"], "c");
  EXPECT_EQ(refused["status"], 429);
  EXPECT_EQ(refused["error"]["code"], "websocket_stream_limit_reached");
}

TEST(WebSocket, TellsItsStreamsWhenTheClientHasGone) {
  fake_script script;
  script.silent = true;
  fake_server server(script);
  {
    ws_client client(server);
    client.send(create("a"));
    ASSERT_TRUE(eventually([&] { return server.counts().credit > 0; }));
  }
  EXPECT_TRUE(
      eventually([&] { return server.counts().abandoned + server.counts().clients_down > 0; }));
  EXPECT_TRUE(eventually([&] { return server.connections() == 0; }));
}

TEST(WebSocket, ClosesWhereMessagesAreOfTheWrongKind) {
  door_settings settings;
  settings.limits.body_bytes = 1000;
  settings.websocket_messages_per_second = 5;
  fake_server server({}, settings);
  ws_client binary(server);
  binary.send_binary("x");
  EXPECT_TRUE(binary.receive().is_null());
  EXPECT_EQ(binary.close_code(), 1003);
  ws_client large(server);
  large.send(std::string(1001, 'x'));
  EXPECT_TRUE(large.receive().is_null());
  EXPECT_EQ(large.close_code(), 1009);
  ws_client flood(server);
  json last = 0;
  for (int i = 0; i < 60; ++i) flood.send(R"({"type":"ping"})");
  while (!last.is_null()) last = flood.receive();
  EXPECT_EQ(flood.close_code(), 1008);
}

/// The close code after `frames` were sent behind a good handshake.
int close_code_after(const fake_server& server, const std::string& frames) {
  raw_client client(server.port());
  client.send("GET /v1/stream HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
              "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n");
  (void)client.read_until("\r\n\r\n");
  client.send(frames);
  const std::string& all = client.read_all();
  const std::string rest = all.substr(all.find("\r\n\r\n") + 4);
  if (rest.size() < 4 || rest[0] != '\x88') return 0;
  return static_cast<unsigned char>(rest[2]) << 8 | static_cast<unsigned char>(rest[3]);
}

TEST(WebSocket, ClosesOnFramesThatBreakTheProtocol) {
  fake_server server;
  const std::string mask(4, '\0');
  EXPECT_EQ(close_code_after(server, "\x81\x01x"), 1002) << "not masked";
  EXPECT_EQ(close_code_after(server, "\xC1\x81" + mask + "x"), 1002) << "reserved bit";
  EXPECT_EQ(close_code_after(server, "\x83\x81" + mask + "x"), 1002) << "unknown opcode";
  EXPECT_EQ(close_code_after(server, "\x80\x81" + mask + "x"), 1002) << "continues nothing";
  EXPECT_EQ(close_code_after(server, "\x09\x81" + mask + "x"), 1002) << "ping in fragments";
  EXPECT_EQ(close_code_after(server, "\x89\xFE" + std::string("\x01\x00", 2) + mask), 1002)
      << "long ping";
  EXPECT_EQ(close_code_after(server, "\x81\x81" + mask + "\xFF"), 1007) << "not UTF-8";
  EXPECT_EQ(close_code_after(server, "\x88\x81" + mask + "x"), 1002) << "close of one byte";
  EXPECT_EQ(close_code_after(server, "\x88\x82" + mask + std::string("\x03\xED", 2)), 1002)
      << "close code 1005";
  EXPECT_EQ(close_code_after(server, "\x81\xFF" + std::string("\x40\0\0\0\0\0\0\0", 8) + mask),
            1009)
      << "huge";
}

TEST(WebSocket, RefusesBadHandshakes) {
  fake_server server;
  const auto status = [&](const std::string& fields) {
    raw_client client(server.port());
    client.send("GET /v1/stream HTTP/1.1\r\nHost: a\r\n" + fields + "\r\n");
    return client.read_until("\r\n").substr(9, 3);
  };
  const std::string upgrade = "Upgrade: websocket\r\nConnection: Upgrade\r\n";
  const std::string key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
  const std::string version = "Sec-WebSocket-Version: 13\r\n";
  EXPECT_EQ(status(upgrade + version), "400");
  EXPECT_EQ(status(upgrade + key + "Sec-WebSocket-Version: 12\r\n"), "426");
  EXPECT_EQ(status(upgrade + key + version + "Content-Length: 2\r\n"), "400");
  EXPECT_EQ(status(upgrade + key + version + "Origin: http://evil\r\n"), "403");
  EXPECT_EQ(status(upgrade + key + version + "Origin: http://a\r\n"), "101");
}

TEST(WebSocket, ClosesPeersThatAnswerNoPing) {
  door_settings settings;
  settings.ping_interval = std::chrono::milliseconds(50);
  fake_server server({}, settings);
  raw_client dead(server.port());
  dead.send("GET /v1/stream HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n");
  (void)dead.read_all();
  EXPECT_TRUE(dead.ended());
  EXPECT_EQ(occurrences(dead.received(), std::string("\x89\x00", 2)), 2U);
}

TEST(WebSocket, ClosesWithServiceRestartWhenTheServerDrains) {
  fake_server server;
  ws_client client(server);
  client.send(R"({"type":"ping"})");
  (void)client.receive();
  server.stop_accepting();
  EXPECT_TRUE(client.receive().is_null());
  EXPECT_EQ(client.close_code(), 1012);
}

} // namespace
} // namespace troupe
