// The blocking client against a server that repeats what it was asked.
#include "tests/transport/scripted_server.hpp"
#include "transport/http/client.hpp"

#include <gtest/gtest.h>

#include <stdexcept>

namespace troupe {
namespace {

/// The request line and the header called `name`, as the server got them.
std::string echo(const std::string& path_in_address, const std::string& header,
                 const std::string& name) {
  scripted_server server([&](const std::string& request, auto& client) {
    const auto at = request.find("\r\n" + name + ": ");
    const auto line = at == std::string::npos
                          ? std::string()
                          : request.substr(at + 2, request.find("\r\n", at + 2) - at - 2);
    client.say(plain_answer("200 OK", request.substr(0, request.find("\r\n")) + "|" + line));
    return false;
  });
  http_client client(server.url() + path_in_address);
  if (!header.empty()) client.add_header(header);
  return client.get("/v1/models").body;
}

TEST(HttpClient, KeepsThePathOfTheServersAddress) {
  EXPECT_EQ(echo("", "", "X"), "GET /v1/models HTTP/1.1|");
  EXPECT_EQ(echo("/gateway/v1", "", "X"), "GET /gateway/v1/models HTTP/1.1|");
}

TEST(HttpClient, SendsFurtherHeaders) {
  EXPECT_EQ(echo("", "X-Team: blue, red", "X-Team"), "GET /v1/models HTTP/1.1|X-Team: blue, red");
  http_client client("http://127.0.0.1:1");
  EXPECT_THROW(client.add_header("none"), std::invalid_argument);
}

TEST(HttpClient, GivesEventsToItsHandlerUntilThatHasHadEnough) {
  scripted_server server([&](const std::string&, auto& client) {
    client.say(stream_head() + stream_chunk("data: a\n\nda") + stream_chunk("ta: b\n\n") +
               stream_chunk("data: c\n\n") + stream_chunk(""));
    return false;
  });
  std::string text;
  http_client(server.url()).post_stream("/", "{}", [&](std::string_view data) {
    text += data;
    return text.size() < 2;
  });
  EXPECT_EQ(text, "ab");
}

} // namespace
} // namespace troupe
