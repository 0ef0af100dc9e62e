// What the clients share: addresses as users write them, and events out of pieces.
#include "transport/http/event_lines.hpp"
#include "transport/http/server_address.hpp"

#include <gtest/gtest.h>

#include <stdexcept>
#include <vector>

namespace troupe {
namespace {

std::vector<std::string> events_of(const std::vector<std::string>& pieces) {
  std::vector<std::string> out;
  event_lines lines;
  for (const std::string& each : pieces)
    EXPECT_TRUE(lines.add(each, [&](std::string_view data) {
      out.emplace_back(data);
      return true;
    }));
  return out;
}

TEST(EventLines, AreFoundInOnePieceAndInAnyTwo) {
  const std::string text =
      ": comment\nevent: x\ndata: one\n\ndata:two\r\n\r\ndata:  three\ndata:\n";
  const std::vector<std::string> wanted{"one", "two", " three", ""};
  EXPECT_EQ(events_of({text}), wanted);
  for (std::size_t cut = 0; cut <= text.size(); ++cut)
    EXPECT_EQ(events_of({text.substr(0, cut), text.substr(cut)}), wanted) << cut;
}

TEST(EventLines, WithoutAnEndAreNotTold) { EXPECT_TRUE(events_of({"data: on", "e"}).empty()); }

TEST(EventLines, EndWhereTheHandlerHasHadEnough) {
  event_lines lines;
  int count = 0;
  const auto once = [&](std::string_view) { return ++count < 1; };
  EXPECT_FALSE(lines.add("data: a\ndata: b\n", once));
  EXPECT_EQ(count, 1);
}

TEST(ServerAddress, IsReadAsUsersWriteIt) {
  const server_address plain = parse_server_address("http://example.org");
  EXPECT_EQ(plain.host, "example.org");
  EXPECT_EQ(plain.port, "80");
  EXPECT_EQ(plain.path, "");
  EXPECT_EQ(plain.authority(), "example.org:80");
  const server_address whole = parse_server_address("http://[::1]:8000/models/v1/");
  EXPECT_EQ(whole.host, "::1");
  EXPECT_EQ(whole.port, "8000");
  EXPECT_EQ(whole.path, "/models");
  EXPECT_EQ(whole.authority(), "[::1]:8000");
  EXPECT_EQ(parse_server_address("http://h:1/v1").path, "");
  EXPECT_EQ(parse_server_address("http://h:1/").path, "");
}

TEST(ServerAddress, RefusesWhatItCannotReach) {
  for (const char* url : {"", "h:1", "https://h", "http://", "http://:80",
                          "http://h:", "http://h:0", "http://h:65536", "http://h:x", "http://h h",
                          "http://u@h", "http://h/?a=b", "http://h\r\nX: y"})
    EXPECT_THROW(parse_server_address(url), std::invalid_argument) << url;
}

} // namespace
} // namespace troupe
