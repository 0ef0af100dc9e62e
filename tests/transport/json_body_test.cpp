// JSON from untrusted bytes: what is accepted, what is refused, and that limits hold.
#include "transport/api/json_body.hpp"

#include <gtest/gtest.h>

namespace troupe {
namespace {

bool accepts(std::string_view text) {
  return std::holds_alternative<json>(parse_json(text, request_limits{}));
}

TEST(JsonBody, KeepsTheOrderOfKeys) {
  const auto parsed = parse_json(R"({"b":1,"a":{"z":[1,2,{"y":null}],"c":"d"}})", {});
  EXPECT_EQ(to_text(std::get<json>(parsed)), R"({"b":1,"a":{"z":[1,2,{"y":null}],"c":"d"}})");
}

TEST(JsonBody, RefusesWhatTheGrammarDoesNotHave) {
  for (const char* text : {"", "{", "[1,]", "{\"a\":1,}", "NaN", "{'a':1}", "[1] x", "// c\n1",
                           "01", "+1", "1e400", "\"\t\"", "[1 2]", "{\"a\" 1}", "nul"})
    EXPECT_FALSE(accepts(text)) << text;
}

TEST(JsonBody, RefusesBadEncodings) {
  EXPECT_FALSE(accepts("\xEF\xBB\xBF{}"));
  EXPECT_FALSE(accepts("\"\xFF\""));
  EXPECT_FALSE(accepts("\"\xC0\xAF\""));
  EXPECT_FALSE(accepts(R"("\ud800")"));
  EXPECT_FALSE(accepts(R"("\udc00\ud800")"));
  EXPECT_TRUE(accepts(R"("\ud83d\ude00")"));
}

TEST(JsonBody, RefusesDuplicateKeysHoweverTheyAreSpelled) {
  EXPECT_FALSE(accepts(R"({"a":1,"a":2})"));
  EXPECT_FALSE(accepts(R"({"model":1,"\u006dodel":2})"));
  EXPECT_TRUE(accepts(R"({"a":{"a":1},"b":{"a":1}})"));
}

TEST(JsonBody, BoundsDepthAtTheLimit) {
  request_limits limits;
  const auto nested = [](std::size_t depth) {
    return std::string(depth, '[') + std::string(depth, ']');
  };
  EXPECT_TRUE(accepts(nested(limits.json_depth)));
  EXPECT_FALSE(accepts(nested(limits.json_depth + 1)));
  EXPECT_FALSE(accepts(std::string(1'000'000, '[')));
}

TEST(JsonBody, BoundsValuesAndMembers) {
  request_limits limits;
  limits.json_values = 5;
  limits.json_members = 2;
  EXPECT_TRUE(std::holds_alternative<json>(parse_json("[1,2,3,4]", limits)));
  EXPECT_TRUE(std::get<json_fault>(parse_json("[1,2,3,4,5]", limits)).too_large);
  EXPECT_TRUE(std::get<json_fault>(parse_json(R"({"a":1,"b":2,"c":3})", limits)).too_large);
}

} // namespace
} // namespace troupe
