// The table of options itself: names, ranges and bindings of every entry.
#include "config/options.hpp"

#include <gtest/gtest.h>

#include <cstddef>
#include <set>
#include <string>
#include <vector>

namespace troupe {
namespace {

/// A value that the option takes and that is not its default.
option_value other_value(const option& which) {
  const option_value standard = which.read(settings{});
  switch (which.kind) {
  case option_kind::text:
    return std::string("other");
  case option_kind::texts:
    return std::vector<std::string>{"one", "two"};
  case option_kind::boolean:
    return !std::get<bool>(standard);
  case option_kind::fraction:
    return which.highest_fraction;
  case option_kind::choice:
    return std::uint64_t{which.choices.size() - 1};
  default:
    break;
  }
  return std::get<std::uint64_t>(standard) == which.highest ? which.lowest : which.highest;
}

TEST(Options, HaveNamesOfTheirOwnInAllPlaces) {
  std::set<std::string> keys;
  std::set<std::string> flags;
  std::set<std::string> variables;
  const auto options = all_options();
  for (const option& each : options) {
    keys.insert(each.key());
    flags.insert(each.flag);
    flags.insert("no-" + each.flag);
    variables.insert(each.variable());
  }
  EXPECT_EQ(keys.size(), options.size());
  EXPECT_EQ(flags.size(), 2 * options.size());
  EXPECT_EQ(variables.size(), options.size());
}

TEST(Options, SpellNamesByOneRule) {
  const auto options = all_options();
  const option& which = find_option(options, "engine.max_sequences");
  EXPECT_EQ(which.dashed(), "--max-sequences");
  EXPECT_EQ(which.variable(), "TROUPE_ENGINE_MAX_SEQUENCES");
}

TEST(Options, TakeTheirOwnDefaults) {
  for (const option& each : all_options()) {
    const option_value standard = each.read(settings{});
    EXPECT_EQ(read_text(each, show(each, standard)), standard) << each.key();
  }
}

TEST(Options, ChangeOneFieldOfTheirOwn) {
  const auto options = all_options();
  for (const option& changed : options) {
    settings values;
    changed.assign(values, other_value(changed));
    for (const option& each : options)
      EXPECT_EQ(each.read(values), &each == &changed ? other_value(each) : each.read(settings{}))
          << each.key() << " after setting " << changed.key();
  }
}

TEST(Options, KeepBothEndsOfTheirRangeAndRefuseWhatLiesBeyond) {
  for (const option& each : all_options()) {
    const bool whole = each.kind == option_kind::count || each.kind == option_kind::size ||
                       each.kind == option_kind::duration;
    if (!whole) continue;
    for (const std::uint64_t end : {each.lowest, each.highest})
      EXPECT_EQ(read_text(each, show(each, option_value(end))), option_value(end)) << each.key();
    EXPECT_THROW(read_text(each, show(each, option_value(each.highest + 1))), bad_value)
        << each.key();
    if (each.lowest > 0) {
      EXPECT_THROW(read_text(each, show(each, option_value(each.lowest - 1))), bad_value)
          << each.key();
    }
  }
}

TEST(Options, HaveOneLineOfHelpThatFitsBesideTheirFlag) {
  for (const option& each : all_options()) {
    EXPECT_FALSE(each.help.empty()) << each.key();
    EXPECT_LE(each.help.size(), 60U) << each.key();
    EXPECT_EQ(each.help.find('|'), std::string::npos) << each.key();
  }
}

TEST(Options, HideSecretsWhereverTheyAreShown) {
  const auto options = all_options();
  const option& keys = find_option(options, "server.api_keys");
  EXPECT_EQ(show(keys, std::vector<std::string>{"hush"}), "(hidden)");
  EXPECT_EQ(show_written(keys, std::string("hush")), "(hidden)");
  EXPECT_EQ(show(keys, std::vector<std::string>{}), "");
}

} // namespace
} // namespace troupe
