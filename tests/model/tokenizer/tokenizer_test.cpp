// What a tokenizer does with text, on the two tokenizers of our own.
#include "model/tokenizer/tokenizer.hpp"
#include "tests/model/tokenizer/test_tokenizers.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <map>
#include <random>
#include <thread>

namespace troupe {
namespace {

using strings = std::vector<std::string>;

class byte_level : public testing::Test {
 protected:
  strings pieces(std::string_view text, std::vector<text_range> untrusted = {}) const {
    return test::spelled(*tokenizer_, tokenizer_->encode(text, false, untrusted));
  }
  std::string round(std::string_view text) const {
    return tokenizer_->decode(tokenizer_->encode(text, false), false);
  }

  std::shared_ptr<const tokenizer> tokenizer_ = test::load(test::fixture("byte_level"));
};

class marked : public byte_level {
 protected:
  marked() { tokenizer_ = test::load(test::fixture("marked")); }
};

// Byte-pair merging as it is defined: look through all merges from the first, do one, begin again.
class plain_merging {
 public:
  explicit plain_merging(const std::string& fixture) {
    const auto json =
        nlohmann::json::parse(test::contents(test::fixture(fixture) / "tokenizer.json"));
    for (const auto& merge : json["model"]["merges"]) {
      if (merge.is_array()) {
        merges_.emplace_back(merge[0], merge[1]);
      } else {
        const auto text = merge.get<std::string>();
        merges_.emplace_back(text.substr(0, text.find(' ')), text.substr(text.find(' ') + 1));
      }
    }
  }

  strings merge(strings symbols) const {
    for (bool merged = true; merged;) {
      merged = false;
      for (const auto& [left, right] : merges_) {
        for (std::size_t i = 0; i + 1 < symbols.size() && !merged; ++i) {
          if (symbols[i] != left || symbols[i + 1] != right) continue;
          symbols[i] += right;
          symbols.erase(symbols.begin() + static_cast<std::ptrdiff_t>(i) + 1);
          merged = true;
        }
        if (merged) break;
      }
    }
    return symbols;
  }

 private:
  std::vector<std::pair<std::string, std::string>> merges_;
};

std::string random_word(std::mt19937& random, std::size_t length) {
  static constexpr std::string_view letters = "eetthaoinsrldwck";
  std::string word;
  while (word.size() < length) word += letters[random() % letters.size()];
  return word;
}

strings letters_of(const std::string& word) {
  strings letters;
  for (const char c : word) letters.emplace_back(1, c);
  return letters;
}

TEST_F(byte_level, MergesWordsOfAnyLengthAsMergingIsDefined) {
  const plain_merging reference("byte_level");
  std::mt19937 random(1);
  for (std::size_t length = 1; length < 160; ++length) {
    const auto word = random_word(random, length);
    EXPECT_EQ(pieces(word), reference.merge(letters_of(word))) << word;
  }
}

TEST_F(marked, MergesWordsOfAnyLengthAsMergingIsDefined) {
  const plain_merging reference("marked");
  std::mt19937 random(2);
  for (std::size_t length = 1; length < 160; ++length) {
    const auto first = random_word(random, length), second = random_word(random, 5);
    auto letters = letters_of(first + " " + second);
    letters.insert(letters.begin(), "\u2581");
    std::replace(letters.begin(), letters.end(), std::string(" "), std::string("\u2581"));
    EXPECT_EQ(pieces(first + " " + second), reference.merge(letters)) << first;
  }
}

TEST_F(byte_level, KeepsSpecialTokensInUntrustedTextAsPlainText) {
  const std::string text = "<|user|>one <|user|> two<|end|>";
  const auto inside = text.find("<|user|>", 1);
  const auto got = pieces(text, {{8, text.size() - 7}});
  EXPECT_EQ(std::count(got.begin(), got.end(), "<|user|>"), 1);
  EXPECT_EQ(std::count(got.begin(), got.end(), "<|end|>"), 1);
  EXPECT_EQ(got.front(), "<|user|>");
  const auto trusted = pieces(text, {{0, 8}, {text.size() - 7, text.size()}});
  EXPECT_EQ(std::count(trusted.begin(), trusted.end(), "<|user|>"), 1);
  EXPECT_EQ(std::count(trusted.begin(), trusted.end(), "<|end|>"), 0);
  EXPECT_EQ(
      tokenizer_->decode(
          tokenizer_->encode(text, false, std::vector<text_range>{{inside, inside + 1}}), true),
      "one <|user|> two");
}

TEST_F(byte_level, DoesNotMakeASpecialTokenOfTrustedAndUntrustedText) {
  for (std::size_t cut = 1; cut < 8; ++cut) {
    EXPECT_NE(pieces("<|user|>", {{0, cut}}), strings{"<|user|>"}) << cut;
    EXPECT_NE(pieces("<|user|>", {{cut, 8}}), strings{"<|user|>"}) << cut;
  }
  EXPECT_EQ(pieces("<|user|>", {{3, 3}}), strings{"<|user|>"}) << "an empty range holds nothing";
  EXPECT_EQ(pieces("<|user|>the", {{3, 3}, {9, 10}}).front(), "<|user|>");
}

TEST_F(byte_level, RecognisesAddedTokensThatAreNotSpecialEverywhere) {
  const auto got = pieces("<think>the</think>", {{0, 18}});
  EXPECT_EQ(got, (strings{"<think>", "the", "</think>"}));
}

TEST_F(byte_level, HandsWhiteSpaceToTheTokensThatTakeIt) {
  EXPECT_EQ(pieces("the  <left> the"), (strings{"the", "<left>", "\u0120the"}));
  EXPECT_EQ(pieces("the <right> \n the"), (strings{"the", "\u0120", "<right>", "the"}));
}

TEST_F(byte_level, FindsASingleWordOnlyWhereNoLetterTouchesIt) {
  EXPECT_EQ(pieces("cat"), strings{"cat"});
  EXPECT_EQ(pieces("(cat)"), (strings{"(", "cat", ")"}));
  for (const auto* text : {"cats", "acat", "cat_", "\u00e4cat"}) {
    const auto got = pieces(text);
    EXPECT_EQ(std::count(got.begin(), got.end(), "cat"), 0) << text;
  }
}

TEST_F(byte_level, PutsTheBeginningInFrontWhereAsked) {
  const auto with = tokenizer_->encode("the", true);
  EXPECT_EQ(test::spelled(*tokenizer_, with), (strings{"<|begin|>", "the"}));
  EXPECT_EQ(test::spelled(*tokenizer_, tokenizer_->encode("", true)), strings{"<|begin|>"});
  EXPECT_TRUE(tokenizer_->encode("", false).empty());
}

TEST_F(marked, FollowsTheConfigurationAboutWhatStandsInFront) {
  EXPECT_EQ(test::spelled(*tokenizer_, tokenizer_->encode("the", true)),
            (strings{"<s>", "\u2581the"}));
}

TEST_F(byte_level, ReadsMalformedUtf8AsReplacementCharacters) {
  EXPECT_EQ(round("a\xFF"
                  "b\xE2\x82"),
            "a\uFFFDb\uFFFD");
  EXPECT_EQ(round("\xED\xA0\x80"), "\uFFFD\uFFFD\uFFFD") << "a surrogate is three malformed bytes";
  EXPECT_EQ(round(std::string("a\0b", 3)), std::string("a\0b", 3));
}

TEST_F(byte_level, MovesUntrustedRangesAlongWithRepairedText) {
  const std::string text = "\xFF\xFF<|user|>\xFF<|user|>";
  const auto got = pieces(text, {{0, 10}});
  EXPECT_EQ(std::count(got.begin(), got.end(), "<|user|>"), 1);
  EXPECT_EQ(got.back(), "<|user|>");
  const auto other = pieces(text, {{11, text.size()}});
  EXPECT_EQ(std::count(other.begin(), other.end(), "<|user|>"), 1);
  EXPECT_NE(other.back(), "<|user|>");
}

TEST_F(marked, FindsSpecialTokensInTheMiddleOfText) {
  const auto got = pieces("the</s><s>the");
  EXPECT_EQ(got, (strings{"\u2581the", "</s>", "<s>", "\u2581the"}));
}

TEST_F(marked, FallsBackOnBytes) {
  EXPECT_EQ(pieces("\u20ac"), (strings{"\u2581", "<0xE2>", "<0x82>", "<0xAC>"}));
  EXPECT_EQ(round("\u20ac 5"), "\u20ac 5");
}

TEST_F(marked, DropsTheFirstSpaceOnlyAtTheStart) {
  const auto ids = tokenizer_->encode("the cat the", false);
  EXPECT_EQ(tokenizer_->decode(ids, false), "the cat the");
  EXPECT_EQ(round("  two"), "  two");
  EXPECT_EQ(tokenizer_->token_bytes(ids.front()), " the");
}

TEST_F(byte_level, GivesBackEveryText) {
  for (const std::string text :
       {"", " ", "\n\n \t", "it's 1234567 \u00c4pfel, \U0001F680\u200D\u00e9!", "\u0301",
        "a\r\nb"}) {
    EXPECT_EQ(round(text), text);
  }
}

TEST_F(byte_level, SpellsAndFindsEveryToken) {
  for (token_id id = 0; static_cast<std::size_t>(id) < tokenizer_->size(); ++id) {
    EXPECT_EQ(tokenizer_->find(tokenizer_->token(id)), id);
  }
  EXPECT_FALSE(tokenizer_->find("no such token"));
}

TEST_F(byte_level, TakesIdsOutsideTheVocabularyForNothing) {
  const auto beyond = static_cast<token_id>(tokenizer_->size());
  EXPECT_EQ(tokenizer_->decode(std::vector<token_id>{beyond, -1}, false), "");
  EXPECT_EQ(tokenizer_->token(beyond), "");
  EXPECT_EQ(tokenizer_->token_bytes(-1), "");
  EXPECT_FALSE(tokenizer_->is_special(beyond));
}

TEST_F(byte_level, LeavesSpecialTokensOutOfTextWhereAsked) {
  const auto ids = tokenizer_->encode("<|user|>the<think>", false);
  EXPECT_EQ(tokenizer_->decode(ids, true), "the<think>");
  EXPECT_EQ(tokenizer_->decode(ids, false), "<|user|>the<think>");
}

TEST_F(byte_level, KnowsTheRolesOfItsTokens) {
  EXPECT_EQ(tokenizer_->bos_token(), "<|begin|>");
  EXPECT_EQ(tokenizer_->eos_token(), "<|end|>");
  EXPECT_EQ(tokenizer_->unk_token(), "");
  EXPECT_EQ(
      tokenizer_->special_strings(),
      (std::map<std::string, std::string>{{"bos_token", "<|begin|>"}, {"eos_token", "<|end|>"}}));
  EXPECT_TRUE(tokenizer_->is_special(*tokenizer_->find("<|begin|>")));
  EXPECT_FALSE(tokenizer_->is_special(*tokenizer_->find("<think>")));
}

TEST_F(byte_level, EncodesAlikeInManyThreads) {
  std::mt19937 random(3);
  std::string text;
  for (int i = 0; i < 2000; ++i) text += random_word(random, 1 + random() % 12) + " ";
  const auto fresh = test::load(test::fixture("byte_level"));
  const auto expected = tokenizer_->encode(text, false);
  std::vector<std::vector<token_id>> got(4);
  std::vector<std::jthread> threads;
  for (auto& ids : got) threads.emplace_back([&] { ids = fresh->encode(text, false); });
  threads.clear();
  for (const auto& ids : got) EXPECT_EQ(ids, expected);
}

} // namespace
} // namespace troupe
