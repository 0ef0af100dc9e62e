// How text is normalized and cut, each kind of normalizer and pre-tokenizer by itself.
#include "model/tokenizer/json_field.hpp"
#include "model/tokenizer/normalizer.hpp"
#include "model/tokenizer/pre_tokenizer.hpp"
#include "model/tokenizer/regex_dialect.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace troupe {
namespace {

using nlohmann::json;
using strings = std::vector<std::string>;

strings cut(const json& how, std::string_view text, bool at_start = true) {
  strings pieces;
  pre_tokenizer(json_field(how, "test")).split(text, at_start, [&](std::string_view piece) {
    pieces.emplace_back(piece);
  });
  return pieces;
}

std::string normalized(const json& how, std::string_view text) {
  return normalizer(json_field(how, "test")).apply(text);
}

json split_at(const char* behavior, bool invert = false) {
  return {{"type", "Split"},
          {"pattern", {{"String", "-"}}},
          {"behavior", behavior},
          {"invert", invert}};
}

TEST(PreTokenizer, DoesWithMatchesWhatTheBehaviorSays) {
  constexpr auto* text = "the-final--countdown";
  EXPECT_EQ(cut(split_at("Isolated"), text), (strings{"the", "-", "final", "-", "-", "countdown"}));
  EXPECT_EQ(cut(split_at("Removed"), text), (strings{"the", "final", "countdown"}));
  EXPECT_EQ(cut(split_at("Contiguous"), text), (strings{"the", "-", "final", "--", "countdown"}));
  EXPECT_EQ(cut(split_at("MergedWithPrevious"), text),
            (strings{"the-", "final-", "-", "countdown"}));
  EXPECT_EQ(cut(split_at("MergedWithNext"), text), (strings{"the", "-final", "-", "-countdown"}));
}

TEST(PreTokenizer, TakesWhatDoesNotMatchForMatchesWhereInverted) {
  EXPECT_EQ(cut(split_at("Removed", true), "a-b--c"), (strings{"-", "-", "-"}));
  EXPECT_EQ(cut(split_at("Contiguous", true), "a-b--c"), (strings{"a", "-", "b", "--", "c"}));
}

TEST(PreTokenizer, SplitsDigitsTogetherOrOneByOne) {
  EXPECT_EQ(cut({{"type", "Digits"}, {"individual_digits", false}}, "ab123c\u0664"),
            (strings{"ab", "123", "c", "\u0664"}));
  EXPECT_EQ(cut({{"type", "Digits"}, {"individual_digits", true}}, "ab12"),
            (strings{"ab", "1", "2"}));
}

TEST(PreTokenizer, SplitsPunctuationOfAnyScript) {
  EXPECT_EQ(cut({{"type", "Punctuation"}}, "a$b\u3002c"), (strings{"a", "$", "b", "\u3002", "c"}));
}

TEST(PreTokenizer, SplitsAtWhiteSpace) {
  EXPECT_EQ(cut({{"type", "Whitespace"}}, "it's  \u00e9t\u00e9_1!"),
            (strings{"it", "'", "s", "\u00e9t\u00e9_1", "!"}));
  EXPECT_EQ(cut({{"type", "WhitespaceSplit"}}, "it's \u3000 so!"), (strings{"it's", "so!"}));
  EXPECT_EQ(cut({{"type", "CharDelimiterSplit"}, {"delimiter", "."}}, "a..b"), (strings{"a", "b"}));
}

TEST(PreTokenizer, MarksSpacesAsMetaspaceDoes) {
  const auto metaspace = [](const char* scheme, bool split) {
    return json{
        {"type", "Metaspace"}, {"replacement", "_"}, {"prepend_scheme", scheme}, {"split", split}};
  };
  EXPECT_EQ(cut(metaspace("always", true), "a  bc"), (strings{"_a", "_", "_bc"}));
  EXPECT_EQ(cut(metaspace("always", false), "a bc"), strings{"_a_bc"});
  EXPECT_EQ(cut(metaspace("always", false), " a"), strings{"_a"}) << "there is a mark already";
  EXPECT_EQ(cut(metaspace("first", false), "a", true), strings{"_a"});
  EXPECT_EQ(cut(metaspace("first", false), "a", false), strings{"a"});
  EXPECT_EQ(cut(metaspace("never", false), "a"), strings{"a"});
}

TEST(PreTokenizer, PutsASpaceInFrontWhereByteLevelAsksForIt) {
  EXPECT_EQ(cut({{"type", "ByteLevel"}, {"add_prefix_space", true}}, "a b's"),
            (strings{" a", " b", "'s"}));
  EXPECT_EQ(cut({{"type", "ByteLevel"}, {"add_prefix_space", true}}, " a"), strings{" a"});
  EXPECT_EQ(cut({{"type", "ByteLevel"}, {"add_prefix_space", false}, {"use_regex", false}}, "a b"),
            strings{"a b"});
}

TEST(PreTokenizer, RunsTheMembersOfASequenceOneAfterTheOther) {
  const json sequence{
      {"type", "Sequence"},
      {"pretokenizers",
       {{{"type", "Digits"}, {"individual_digits", true}},
        {{"type", "ByteLevel"}, {"add_prefix_space", false}, {"use_regex", true}}}}};
  EXPECT_EQ(cut(sequence, "in 12 days"), (strings{"in", " ", "1", "2", " days"}));
}

TEST(Normalizer, ComposesAndDecomposes) {
  EXPECT_EQ(normalized({{"type", "NFC"}}, "ae\u0301x"), "a\u00e9x");
  EXPECT_EQ(normalized({{"type", "NFD"}}, "\u00e9"), "e\u0301");
  EXPECT_EQ(normalized({{"type", "NFKC"}}, "\ufb01\u00bd\u2460"), "fi1\u20442"
                                                                  "1");
  EXPECT_EQ(normalized({{"type", "NFC"}}, "\u1112\u1161\u11ab"), "\ud55c");
}

TEST(Normalizer, OrdersMarksHoweverMany) {
  std::string text = "a", ordered = "a";
  for (int i = 0; i < 20'000; ++i) text += "\u0301\u0323";
  for (int i = 0; i < 20'000; ++i) ordered += "\u0323";
  for (int i = 0; i < 20'000; ++i) ordered += "\u0301";
  EXPECT_EQ(normalized({{"type", "NFD"}}, text), ordered);
}

TEST(Normalizer, ReplacesPrependsLowersAndStrips) {
  EXPECT_EQ(normalized({{"type", "Replace"}, {"pattern", {{"Regex", " {2,}"}}}, {"content", "_"}},
                       "a   b c"),
            "a_b c");
  EXPECT_EQ(
      normalized({{"type", "Replace"}, {"pattern", {{"String", "a"}}}, {"content", "aa"}}, "aba"),
      "aabaa");
  EXPECT_EQ(normalized({{"type", "Prepend"}, {"prepend", "_"}}, "a"), "_a");
  EXPECT_EQ(normalized({{"type", "Prepend"}, {"prepend", "_"}}, ""), "");
  EXPECT_EQ(normalized({{"type", "Lowercase"}}, "\u00c4B"), "\u00e4b");
  EXPECT_EQ(
      normalized({{"type", "Strip"}, {"strip_left", true}, {"strip_right", false}}, " \u3000a "),
      "a ");
}

TEST(RegexDialect, KeepsOnigurumasMeaningOfClasses) {
  const auto split_by = [](const char* pattern) {
    return json{{"type", "Split"}, {"pattern", {{"Regex", pattern}}}, {"behavior", "Removed"}};
  };
  EXPECT_EQ(cut(split_by(R"(\s)"), "a\u180eb\u0085c"), (strings{"a\u180eb", "c"}));
  EXPECT_EQ(cut(split_by(R"([\s,])"), "a\u2003b,c"), (strings{"a", "b", "c"}));
  EXPECT_EQ(cut(split_by(R"(\W)"), "e\u0301a-b"), (strings{"e\u0301a", "b"}));
  EXPECT_EQ(cut(split_by(R"(\h+)"), "xBEEFx\tx"), (strings{"x", "x\tx"}));
  EXPECT_EQ(cut(split_by("^a"), "ab\nab"), (strings{"b\n", "b"}))
      << "lines begin after each newline";
  EXPECT_EQ(cut(split_by(R"([]\[^-]+)"), "a]b[^c"), (strings{"a", "b", "c"}));
}

} // namespace
} // namespace troupe
