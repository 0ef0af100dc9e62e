// Options of a verb's own struct, from the words of its command line.
#include "app/option_values.hpp"
#include "config/declaring.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace troupe {
namespace {

struct load_part {
  std::uint32_t requests = 100;
  double rate = 0;
  std::vector<std::string> headers;
  std::string key;
  bool steady = true;
};

struct measured {
  load_part load;
};

std::vector<option_group_of<measured>> groups() {
  declaring group("load", "what is sent", &measured::load);
  group.count("requests", &load_part::requests, {1, 1000}, "how many");
  group.fraction("rate", &load_part::rate, 0, 1000, "a second");
  group.repeated("header", &load_part::headers, "a line of each request's head");
  group.text("key", &load_part::key, "a secret").secret = true;
  group.boolean("steady", &load_part::steady, "hold it");
  return {group.take()};
}

struct outcome_of_words {
  measured values;
  std::vector<std::string> errors;
};

outcome_of_words read(const std::vector<std::string>& words) {
  const verb which{"bench", "", "measure", {}, shown(groups()), {}};
  const command_line line = read_command_line(which, words);
  outcome_of_words out{{}, line.errors};
  out.values = read_options(groups(), line, out.errors);
  return out;
}

TEST(OptionValues, KeepTheirDefaultsUnlessGiven) {
  const outcome_of_words none = read({});
  EXPECT_TRUE(none.errors.empty());
  EXPECT_EQ(none.values.load.requests, 100U);
  const outcome_of_words some = read({"--requests", "7", "--rate=2.5", "--no-steady"});
  EXPECT_TRUE(some.errors.empty());
  EXPECT_EQ(some.values.load.requests, 7U);
  EXPECT_EQ(some.values.load.rate, 2.5);
  EXPECT_FALSE(some.values.load.steady);
}

TEST(OptionValues, AreRefusedWithFlagValueAndLimit) {
  EXPECT_EQ(
      read({"--requests", "0", "--rate", "x", "--key", "a\nb"}).errors,
      (std::vector<std::string>{"--requests: \"0\" is out of range; it takes 1 to 1000",
                                "--rate: \"x\" is not a number; it takes 0 to 1000",
                                "--key: (hidden) holds a control character; it takes a text"}));
}

TEST(OptionValues, OfManyKeepTheirCommasAndOrder) {
  EXPECT_EQ(read({"--header", "A: b, c", "--header", "D: e"}).values.load.headers,
            (std::vector<std::string>{"A: b, c", "D: e"}));
  EXPECT_EQ(read({"--requests", "1", "--requests", "2"}).errors,
            (std::vector<std::string>{"--requests: is given twice"}));
}

TEST(OptionValues, AreShownWithTheirDefaultsAndWithoutNamesThatSettingsHave) {
  const auto shown_groups = shown(groups());
  ASSERT_EQ(shown_groups.size(), 1U);
  EXPECT_FALSE(shown_groups[0].of_settings);
  ASSERT_EQ(shown_groups[0].options.size(), 5U);
  EXPECT_EQ(shown_groups[0].options[0].standard, "100");
  EXPECT_EQ(shown_groups[0].options[4].standard, "true");
}

} // namespace
} // namespace troupe
