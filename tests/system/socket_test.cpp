// Many requests on one WebSocket: each text whole, whichever of the others is cancelled.
#include "tests/system/requests.hpp"

#include <boost/asio/buffers_iterator.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/websocket.hpp>
#include <nlohmann/json.hpp>

namespace troupe {
namespace {

namespace beast = boost::beast;
using nlohmann::json;
using tcp = boost::asio::ip::tcp;

class socket_client {
 public:
  explicit socket_client(std::uint16_t port) : socket_(io_) {
    socket_.next_layer().connect({boost::asio::ip::address_v4::loopback(), port});
    socket_.handshake("127.0.0.1", "/v1/stream");
  }
  void send(const json& message) { socket_.write(boost::asio::buffer(message.dump())); }
  json receive() {
    beast::flat_buffer buffer;
    socket_.read(buffer);
    return json::parse(beast::buffers_to_string(buffer.data()));
  }

 private:
  boost::asio::io_context io_;
  beast::websocket::stream<tcp::socket> socket_;
};

json create(const scripted_request& request, std::size_t number) {
  auto out = json::parse(request.body());
  out["type"] = "completion.create";
  out["id"] = std::to_string(number);
  return out;
}

TEST(Socket, CarriesManyRequestsOfWhichOneIsCancelled) {
  test_company server(test_company::defaults(), std::chrono::milliseconds(1));
  auto requests = scripted_requests(20, 200);
  constexpr std::size_t cancelled = 7;
  requests[cancelled].tokens = 1900;
  socket_client client(server.port());
  for (std::size_t i = 0; i < requests.size(); ++i) client.send(create(requests[i], i));
  std::vector<std::string> texts(requests.size());
  std::vector<std::string> ends(requests.size());
  std::size_t open = requests.size();
  bool asked = false;
  while (open > 0) {
    const auto message = client.receive();
    const auto number = std::stoul(message.at("id").get<std::string>());
    const std::string type = message["type"];
    if (type == "chunk") {
      EXPECT_EQ(ends[number], "") << number;
      const auto& choices = message["chunk"]["choices"];
      if (!choices.empty()) texts[number] += choices[0]["text"].get<std::string>();
    } else if (type != "accepted") {
      ends[number] = type;
      --open;
    }
    if (number == cancelled && type == "chunk" && !asked) {
      asked = true;
      client.send({{"type", "cancel"}, {"id", std::to_string(cancelled)}});
    }
  }
  for (std::size_t i = 0; i < requests.size(); ++i) {
    const auto whole = server.text(requests[i].prompt, requests[i].seed, requests[i].tokens);
    EXPECT_EQ(ends[i], i == cancelled ? "cancelled" : "done") << i;
    if (i == cancelled) {
      EXPECT_TRUE(whole.starts_with(texts[i]));
      EXPECT_LT(texts[i].size(), whole.size());
    } else {
      EXPECT_EQ(texts[i], whole) << i;
    }
  }
  EXPECT_TRUE(server.comes_to_rest());
}

TEST(Socket, CutWithRequestsUnderWayLeavesNothingBehind) {
  test_company server(test_company::defaults(), std::chrono::milliseconds(1));
  const auto requests = scripted_requests(30, 1900);
  {
    socket_client client(server.port());
    for (std::size_t i = 0; i < requests.size(); ++i) client.send(create(requests[i], i));
    for (int i = 0; i < 100; ++i) client.receive();
  }
  EXPECT_TRUE(server.comes_to_rest());
  EXPECT_LT(server.metric("vllm:generation_tokens_total"), 30 * 1900);
}

} // namespace
} // namespace troupe
