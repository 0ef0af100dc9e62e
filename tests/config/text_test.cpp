// UTF-8 and escapes.
#include "config/text.hpp"

#include <gtest/gtest.h>

#include <string>

namespace troupe {
namespace {

TEST(Text, AcceptsWellFormedUtf8) {
  EXPECT_TRUE(is_well_formed_utf8("plain"));
  EXPECT_TRUE(is_well_formed_utf8("\u00e9\u20ac\U0001F600\U0010FFFF"));
  EXPECT_TRUE(is_well_formed_utf8(""));
}

TEST(Text, RefusesOverlongSurrogateTruncatedAndTooLargeBytes) {
  for (const char* text : {"\xff", "\xc0\xaf", "\xe0\x80\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80",
                           "\xf0\x80\x80\x80", "\xe2\x82", "\x80"})
    EXPECT_FALSE(is_well_formed_utf8(text)) << printable(text);
}

TEST(Text, EscapesEverythingThatCannotBeSeen) {
  EXPECT_EQ(printable("a\nb\tc\\"), "a\\nb\\tc\\\\");
  EXPECT_EQ(printable("\x1b[2J\x7f"), "\\x1b[2J\\x7f");
  EXPECT_EQ(printable("\xff\xc3"), "\\xff\\xc3");
  EXPECT_EQ(printable("\u0085\u2028\u202e\u200b"), "\\u{85}\\u{2028}\\u{202e}\\u{200b}");
  EXPECT_EQ(printable(std::string("\0", 1)), "\\x00");
}

TEST(Text, KeepsWhatCanBeSeen) {
  EXPECT_EQ(printable("gr\u00fc\u00df \u4f60\u597d \U0001F600"),
            "gr\u00fc\u00df \u4f60\u597d \U0001F600");
}

TEST(Text, CutsBetweenCharacters) {
  EXPECT_EQ(printable("abcdef", 3), "abc\u2026");
  EXPECT_EQ(printable("\u4f60\u597d", 4), "\u4f60\u2026");
  EXPECT_EQ(printable("abc", 3), "abc");
}

TEST(Text, EscapesQuotesInsideQuotes) {
  EXPECT_EQ(printable_in_quotes("say \"hi\""), "\"say \\\"hi\\\"\"");
}

TEST(Text, SeesControlCharactersOfBothRanges) {
  EXPECT_TRUE(has_control("a\r\nb"));
  EXPECT_TRUE(has_control("\u009b"));
  EXPECT_FALSE(has_control("gr\u00fc\u00df"));
}

} // namespace
} // namespace troupe
