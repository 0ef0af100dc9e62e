// Files that must not be served: each is the small tokenizer with one thing wrong, and the error
// must name the file, the field and the trouble.
#include "model/model_error.hpp"
#include "model/tokenizer/tokenizer.hpp"
#include "tests/model/tokenizer/test_tokenizers.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <functional>

namespace troupe {
namespace {

using nlohmann::json;

// What loading a folder with these two files says; "" where it loads.
std::string error_of(const std::string& tokenizer_json, const std::string& config_json = "{}") {
  std::string name = testing::UnitTest::GetInstance()->current_test_info()->name();
  std::replace(name.begin(), name.end(), '/', '_');
  const auto folder = std::filesystem::path(testing::TempDir()) / ("refusal_" + name);
  std::filesystem::create_directories(folder);
  std::ofstream(folder / "tokenizer.json") << tokenizer_json;
  std::ofstream(folder / "tokenizer_config.json") << config_json;
  std::string error;
  try {
    static_cast<void>(tokenizer::load(folder));
  } catch (const model_error& refusal) {
    error = refusal.what();
  }
  std::filesystem::remove_all(folder);
  return error;
}

json good(const char* name) {
  return json::parse(test::contents(test::fixture(name) / "tokenizer.json"));
}

struct wrong {
  std::string name;
  std::string expected;
  std::function<void(json&)> spoil;
  const char* fixture = "byte_level";
};

class wrong_file : public testing::TestWithParam<wrong> {};

TEST_P(wrong_file, IsRefusedWithAClearError) {
  auto file = good(GetParam().fixture);
  ASSERT_EQ(error_of(file.dump()), "");
  GetParam().spoil(file);
  const auto error = error_of(file.dump());
  EXPECT_NE(error.find(GetParam().expected), std::string::npos) << "it said: " << error;
  EXPECT_TRUE(error.starts_with("tokenizer.json: ")) << error;
}

json split_by(const char* pattern) {
  return {{"type", "Split"}, {"pattern", {{"Regex", pattern}}}, {"behavior", "Isolated"}};
}

const std::vector<wrong>& wrongs() {
  static const std::vector<wrong> all{
      {"UnknownModel", "model.type: \"Unigram\" is not supported",
       [](json& f) { f["model"]["type"] = "Unigram"; }},
      {"WordPiece", "model.type: \"WordPiece\" is not supported",
       [](json& f) { f["model"]["type"] = "WordPiece"; }},
      {"NoModel", "has no \"model\"", [](json& f) { f.erase("model"); }},
      {"NoVocabulary", "model: has no vocab", [](json& f) { f["model"].erase("vocab"); }},
      {"VocabularyHole", "some id below has none",
       [](json& f) {
         f["model"]["vocab"].erase("b");
         f["model"]["merges"] = json::array();
       }},
      {"DuplicateId", "both have the id 5", [](json& f) { f["model"]["vocab"]["b"] = 5; }},
      {"IdOf2To31", "has the id 2147483648",
       [](json& f) { f["model"]["vocab"]["b"] = 2147483648U; }},
      {"IdBeyond64Bits", "is 1e+20, not an id", [](json& f) { f["model"]["vocab"]["b"] = 1e20; }},
      {"NegativeId", "has the id -1", [](json& f) { f["model"]["vocab"]["b"] = -1; }},
      {"IdAsText", "is \"7\", not an id", [](json& f) { f["model"]["vocab"]["b"] = "7"; }},
      {"IdAsList", "model.vocab[\"b\"]: is not an id",
       [](json& f) { f["model"]["vocab"]["b"] = json::array(); }},
      {"MergeOfOne", "model.merges[0]: is \"ab\", not two tokens",
       [](json& f) { f["model"]["merges"][0] = "ab"; }},
      {"MergeOfThree", "model.merges[0]: is \"a b c\"",
       [](json& f) { f["model"]["merges"][0] = "a b c"; }},
      {"MergeOfEmpty", "model.merges[0]: is \"a \"",
       [](json& f) { f["model"]["merges"][0] = "a "; }},
      {"MergeListOfThree", "model.merges[0]: is not a pair",
       [](json& f) {
         f["model"]["merges"][0] = {"a", "b", "c"};
       }},
      {"MergeOfNumber", "model.merges[1]: is neither",
       [](json& f) { f["model"]["merges"][1] = 3; }},
      {"MergeNested", "model.merges[1]: is neither",
       [](json& f) { f["model"]["merges"][1] = json::array({json::array()}); }},
      {"MergeOfStrangers", "merges[0] has \"Zq\", which is not in model.vocab",
       [](json& f) { f["model"]["merges"][0] = "Z q"; }},
      {"EmptyAddedToken", "added_tokens[0].content: is empty",
       [](json& f) { f["added_tokens"][0]["content"] = ""; }},
      {"AddedTokenWithoutId", "added_tokens[0]: has no \"id\"",
       [](json& f) { f["added_tokens"][0].erase("id"); }},
      {"AddedTokenTwice", "added_tokens has \"<|end|>\" twice",
       [](json& f) { f["added_tokens"].push_back(f["added_tokens"][0]); }},
      {"AddedTokenElsewhere", "with the id 1, but model.vocab with 0",
       [](json& f) { f["added_tokens"][0]["id"] = 1; }},
      {"AddedTokenOnTakenId", "both have the id 9",
       [](json& f) { f["added_tokens"][3]["id"] = 9; }},
      {"AddedTokenFlag", "added_tokens[0].special: is string",
       [](json& f) { f["added_tokens"][0]["special"] = "yes"; }},
      {"HostileNormalizer", "normalizer.pattern.Regex: \"(a+)+b\" takes over",
       [](json& f) {
         f["normalizer"] = {
             {"type", "Replace"}, {"pattern", {{"Regex", "(a+)+b"}}}, {"content", ""}};
       }},
      {"HostilePattern", "pre_tokenizer.pattern.Regex: \"(x*)*(y*)*z\" takes over",
       [](json& f) { f["pre_tokenizer"] = split_by("(x*)*(y*)*z"); }},
      {"NoPattern", "is no regular expression",
       [](json& f) { f["pre_tokenizer"] = split_by("(a"); }},
      {"SetWithinASet", "uses a set within a set",
       [](json& f) { f["pre_tokenizer"] = split_by("[a[bc]]"); }},
      {"Intersection", "uses an intersection of sets",
       [](json& f) { f["pre_tokenizer"] = split_by("[\\p{L}&&a]"); }},
      {"SingleByteInPattern", "is no regular expression",
       [](json& f) { f["pre_tokenizer"] = split_by("\\C"); }},
      {"UnknownNormalizer", "normalizer.type: \"Precompiled\" is not supported",
       [](json& f) {
         f["normalizer"] = {{"type", "Precompiled"}};
       }},
      {"UnknownPreTokenizer",
       "pre_tokenizer.pretokenizers[0].type: \"UnicodeScripts\" is not supported",
       [](json& f) {
         f["pre_tokenizer"]["pretokenizers"][0] = {{"type", "UnicodeScripts"}};
       }},
      {"ByteLevelNotLast", "pre_tokenizer.pretokenizers[2]: follows ByteLevel",
       [](json& f) {
         f["pre_tokenizer"]["pretokenizers"].push_back({{"type", "Digits"}});
       }},
      {"UnknownBehavior", "behavior: is \"Shuffled\"",
       [](json& f) { f["pre_tokenizer"]["pretokenizers"][0]["behavior"] = "Shuffled"; }},
      {"UnknownPostProcessor", "post_processor.type: \"BertProcessing\" is not supported",
       [](json& f) {
         f["post_processor"] = {{"type", "BertProcessing"}};
       }},
      {"TemplateWithStrangeId", "ids[0]: is 99999, outside",
       [](json& f) {
         f["post_processor"]["processors"][1]["special_tokens"]["<|begin|>"]["ids"][0] = 99999;
       }},
      {"UnknownDecoder", "decoder.type: \"CTC\" is not supported",
       [](json& f) {
         f["decoder"] = {{"type", "CTC"}};
       }},
      {"NoDecoder", "has no \"decoder\"", [](json& f) { f["decoder"] = nullptr; }},
      {"Dropout", "model.dropout: is not supported", [](json& f) { f["model"]["dropout"] = 0.1; }},
      {"SubwordPrefix", "model.continuing_subword_prefix: is not supported",
       [](json& f) { f["model"]["continuing_subword_prefix"] = "##"; }},
      {"StrangeUnknownToken", "model.unk_token: is \"<who>\"",
       [](json& f) { f["model"]["unk_token"] = "<who>"; }},
      {"ByteFallbackMissingAByte", "no token for \"<0x41>\", which byte_fallback needs",
       [](json& f) {
         f["model"]["vocab"].erase("<0x41>");
         f["model"]["vocab"]["other"] = 3 + 0x41;
       },
       "marked"},
      {"StripOfTheEnd", "decoder.decoders[3].stop: is 1",
       [](json& f) { f["decoder"]["decoders"][3]["stop"] = 1; }, "marked"},
      {"NumbersForText", "normalizer.normalizers[0].prepend: is number",
       [](json& f) { f["normalizer"]["normalizers"][0]["prepend"] = 3; }, "marked"},
      {"EndlessNesting", "nests deeper than 8",
       [](json& f) {
         for (int i = 0; i < 12; ++i)
           f["normalizer"] = {{"type", "Sequence"},
                              {"normalizers", json::array({f["normalizer"]})}};
       },
       "marked"}};
  return all;
}

INSTANTIATE_TEST_SUITE_P(, wrong_file, testing::ValuesIn(wrongs()),
                         [](const auto& info) { return info.param.name; });

TEST(TokenizerFiles, ThatAreNotJsonAreRefused) {
  for (const auto* text : {"", "{", "nonsense", "{\"model\":}", "\xFF\xFE"}) {
    EXPECT_TRUE(error_of(text).starts_with("tokenizer.json: is not JSON")) << error_of(text);
  }
  EXPECT_NE(error_of("[]"), "");
  EXPECT_NE(error_of("3"), "");
}

TEST(TokenizerFiles, ThatNestDeeplyAreRefused) {
  EXPECT_EQ(error_of(std::string(100'000, '[')), "tokenizer.json: nests deeper than 64");
}

TEST(TokenizerFiles, ThatAreAbsentAreNamed) {
  try {
    static_cast<void>(tokenizer::load(testing::TempDir() + "no such folder"));
    FAIL() << "it loaded";
  } catch (const model_error& error) {
    EXPECT_TRUE(
        std::string(error.what()).ends_with("no such folder/tokenizer.json: cannot be read"))
        << error.what();
  }
}

TEST(TokenizerFiles, WithTheSameSpellingTwiceAreRefused) {
  auto text = good("byte_level").dump();
  const auto at = text.find("\"vocab\":{") + 9;
  text.insert(at, "\"b\":1,");
  EXPECT_NE(error_of(text).find("twice"), std::string::npos) << error_of(text);
}

TEST(TokenizerConfigurations, ThatAreMalformedAreRefused) {
  const auto file = good("byte_level").dump();
  EXPECT_EQ(error_of(file, "{\"bos_token\": null}"), "");
  EXPECT_TRUE(error_of(file, "{").starts_with("tokenizer_config.json: is not JSON"));
  EXPECT_EQ(error_of(file, "{\"add_bos_token\": 1}"),
            "tokenizer_config.json: add_bos_token: is number, not true or false");
  EXPECT_EQ(error_of(file, "{\"add_bos_token\": true}"),
            "tokenizer_config.json: add_bos_token is true, but bos_token is no token");
  EXPECT_EQ(error_of(file, "{\"eos_token\": {}}"),
            "tokenizer_config.json: eos_token: has no \"content\"");
  EXPECT_NE(error_of(file, "{\"added_tokens_decoder\": {\"x\": {\"content\": \"y\"}}}")
                .find("has \"x\", which is no id"),
            std::string::npos);
}

} // namespace
} // namespace troupe
