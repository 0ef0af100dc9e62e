// Edit distance and suggestions.
#include "config/nearest.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace troupe {
namespace {

TEST(Nearest, CountsOneForEachEdit) {
  EXPECT_EQ(edit_distance("", ""), 0U);
  EXPECT_EQ(edit_distance("", "abc"), 3U);
  EXPECT_EQ(edit_distance("kitten", "sitting"), 3U);
  EXPECT_EQ(edit_distance("sequences", "sequnces"), 1U);
  EXPECT_EQ(edit_distance("port", "prot"), 1U);
  EXPECT_EQ(edit_distance("ca", "abc"), 3U);
}

TEST(Nearest, IsSymmetric) {
  const std::vector<std::string> words{"serve", "sevre", "server", "chat", "cht", ""};
  for (const auto& a : words)
    for (const auto& b : words) EXPECT_EQ(edit_distance(a, b), edit_distance(b, a)) << a << b;
}

TEST(Nearest, SuggestsTheClosestAndTheFirstOfEquals) {
  const std::vector<spelling> names{{"serve", "serve"}, {"server", "server"}, {"chat", "chat"}};
  EXPECT_EQ(nearest("serv", names), "serve");
  EXPECT_EQ(nearest("serverr", names), "server");
  EXPECT_EQ(suggestion("caht", names), "; did you mean chat?");
}

TEST(Nearest, SaysNothingWhereNothingIsClose) {
  const std::vector<spelling> names{{"serve", "serve"}, {"chat", "chat"}};
  EXPECT_EQ(suggestion("version", names), "");
  EXPECT_EQ(suggestion("", names), "");
  EXPECT_EQ(suggestion(std::string(1'000'000, 's'), names), "");
}

} // namespace
} // namespace troupe
