// Text as tokens come is the text of all of them, for every tokenizer at hand.
#include "model/tokenizer/detokenizer.hpp"
#include "model/tokenizer/utf8.hpp"
#include "tests/model/tokenizer/test_tokenizers.hpp"

#include <gtest/gtest.h>

#include <random>

namespace troupe {
namespace {

class every_tokenizer : public testing::TestWithParam<std::filesystem::path> {
 protected:
  std::shared_ptr<const tokenizer> tokenizer_ = test::load(GetParam());
};

// Ids as a model never gives them: special ones, parts of characters, and now and then one outside
// the vocabulary.
std::vector<token_id> random_ids(std::mt19937& random, const tokenizer& tokenizer) {
  std::vector<token_id> ids(random() % 40);
  const auto narrow = random() % 2 == 0; // the low ids hold the single bytes and special tokens
  for (auto& id : ids) id = static_cast<token_id>(random() % (narrow ? 300 : tokenizer.size() + 2));
  return ids;
}

TEST_P(every_tokenizer, StreamsWhatDecodingAllAtOnceGives) {
  std::mt19937 random(7);
  for (int round = 0; round < 3000; ++round) {
    const auto ids = random_ids(random, *tokenizer_);
    const auto skip_special = round % 2 == 0;
    detokenizer stream(tokenizer_, skip_special);
    std::string text;
    for (const auto id : ids) {
      const auto piece = stream.push(id);
      ASSERT_TRUE(is_utf8(piece));
      text += piece;
    }
    text += stream.finish();
    ASSERT_EQ(text, tokenizer_->decode(ids, skip_special)) << testing::PrintToString(ids);
  }
}

TEST_P(every_tokenizer, GivesBackRandomText) {
  const auto spells_bytes = tokenizer_->find("<0x00>") || tokenizer_->find("\u0120");
  if (!spells_bytes) GTEST_SKIP() << "this vocabulary cannot spell every text";
  std::mt19937 random(8);
  static constexpr char32_t ranges[][2] = {
      {0x20, 0x7F}, {0x20, 0x7F}, {0x400, 0x460}, {0x4E00, 0x4F00}, {0x1F600, 0x1F640}};
  for (int round = 0; round < 500; ++round) {
    std::string text;
    for (auto left = random() % 60; left > 0; --left) {
      const auto& range = ranges[random() % std::size(ranges)];
      append_code_point(range[0] + random() % (range[1] - range[0]), text);
    }
    const auto whole = std::vector<text_range>{{0, text.size()}};
    ASSERT_EQ(tokenizer_->decode(tokenizer_->encode(text, false, whole), false), text);
  }
}

INSTANTIATE_TEST_SUITE_P(, every_tokenizer, testing::ValuesIn(test::all_folders()),
                         [](const auto& info) {
                           auto name = info.param.filename().string();
                           std::erase_if(name, [](char c) {
                             return std::isalnum(static_cast<unsigned char>(c)) == 0;
                           });
                           return name;
                         });

TEST(Detokenizer, HoldsBackACharacterUntilItIsComplete) {
  const auto tokenizer = test::load(test::fixture("marked"));
  detokenizer stream(tokenizer, true);
  EXPECT_EQ(stream.push(*tokenizer->find("<0xE2>")), "");
  EXPECT_EQ(stream.push(*tokenizer->find("<0x82>")), "");
  EXPECT_EQ(stream.push(*tokenizer->find("<0xAC>")), "\u20ac");
  EXPECT_EQ(stream.finish(), "");
}

TEST(Detokenizer, EndsAnIncompleteCharacterAsOneReplacement) {
  const auto tokenizer = test::load(test::fixture("marked"));
  detokenizer stream(tokenizer, true);
  EXPECT_EQ(stream.push(*tokenizer->find("<0xE2>")), "");
  EXPECT_EQ(stream.push(*tokenizer->find("<0x82>")), "");
  EXPECT_EQ(stream.push(*tokenizer->find("t")), "\uFFFDt");
  EXPECT_EQ(stream.push(*tokenizer->find("<0xF0>")), "");
  EXPECT_EQ(stream.finish(), "\uFFFD");
}

TEST(Detokenizer, KeepsTheFirstSpaceWhereItContinuesAText) {
  const auto tokenizer = test::load(test::fixture("marked"));
  const auto the = *tokenizer->find("\u2581the");
  detokenizer fresh(tokenizer, true), continuing(tokenizer, true, true);
  EXPECT_EQ(fresh.push(the), "the");
  EXPECT_EQ(fresh.push(the), " the");
  EXPECT_EQ(continuing.push(the), " the");
  EXPECT_EQ(continuing.push(the), " the");
}

} // namespace
} // namespace troupe
