// Each family's config.json becomes its architecture, and every wrong field is named.
#include "model/families/family.hpp"
#include "model/generation_defaults.hpp"
#include "tests/model/model_folder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace troupe {
namespace {

using nlohmann::json;
using ::testing::AllOf;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::small_config;

architecture read(const json& config) { return read_architecture(config, "config.json"); }

/// The error of small_config() with one field set to `value`.
std::string refusal(const std::string& key, const json& value) {
  json config = small_config();
  config[key] = value;
  return testing::error_of([&] { read(config); });
}

json with(json config, const json& fields) {
  config.update(fields);
  return config;
}

TEST(Architecture, ReadsALlama) {
  const architecture a = read(small_config());
  EXPECT_EQ(a.family, "llama");
  EXPECT_EQ(a.layers, 2);
  EXPECT_EQ(a.qkv_width(), 64);
  EXPECT_TRUE(a.tied_embeddings);
  EXPECT_FALSE(a.qkv_bias || a.head_norm || a.mlp_bias);
  EXPECT_THAT(a.windows, ElementsAre(0, 0));
  EXPECT_THAT(a.eos, ElementsAre(2));
}

TEST(Architecture, ReadsBothGenerationsOfRopeFields) {
  const json old = with(small_config(), {{"rope_theta", 5e5},
                                         {"rope_scaling", {{"type", "linear"}, {"factor", 4.0}}}});
  const json now =
      with(small_config(),
           {{"rope_theta", nullptr},
            {"rope_parameters", {{"rope_theta", 5e5}, {"rope_type", "linear"}, {"factor", 4.0}}}});
  for (const json& config : {old, now}) {
    const rope_settings rope = read(config).rope;
    EXPECT_EQ(rope.theta, 5e5);
    EXPECT_EQ(rope.scaling, rope_scaling::linear);
    EXPECT_EQ(rope.factor, 4.0);
  }
}

TEST(Architecture, YarnLengthensTheContextByItsFactor) {
  const architecture a = read(with(
      small_config(),
      {{"rope_scaling",
        {{"rope_type", "yarn"}, {"factor", 4.0}, {"original_max_position_embeddings", 128}}}}));
  EXPECT_EQ(a.max_positions, 512);
}

TEST(Architecture, GivesMistralItsWindowInEveryLayer) {
  const json mistral = with(small_config(), {{"model_type", "mistral"}});
  EXPECT_THAT(read(mistral).windows, Each(4096));
  EXPECT_THAT(read(with(mistral, {{"sliding_window", 8}})).windows, Each(8));
  EXPECT_THAT(read(with(mistral, {{"sliding_window", nullptr}})).windows, Each(0));
}

TEST(Architecture, GivesQwen2BiasesAndWindowsInItsUpperLayersOnly) {
  const json qwen = with(
      small_config(), {{"model_type", "qwen2"}, {"sliding_window", 16}, {"max_window_layers", 1}});
  EXPECT_TRUE(read(qwen).qkv_bias);
  EXPECT_FALSE(read(qwen).output_bias);
  EXPECT_THAT(read(qwen).windows, ElementsAre(0, 0));
  EXPECT_THAT(read(with(qwen, {{"use_sliding_window", true}})).windows, ElementsAre(0, 16));
  EXPECT_THAT(read(with(qwen, {{"use_sliding_window", true},
                               {"layer_types", {"sliding_attention", "full_attention"}}}))
                  .windows,
              ElementsAre(16, 0));
}

TEST(Architecture, GivesQwen3HeadNorms) {
  const architecture a = read(with(small_config(), {{"model_type", "qwen3"}}));
  EXPECT_TRUE(a.head_norm);
  EXPECT_FALSE(a.qkv_bias);
}

TEST(Architecture, RefusesFamiliesThatAreNotServedWithTheList) {
  EXPECT_THAT(refusal("model_type", "gpt2"), AllOf(HasSubstr("model_type is \"gpt2\""),
                                                   HasSubstr("llama, mistral, qwen2, qwen3")));
  EXPECT_THAT(refusal("model_type", nullptr), HasSubstr("model_type is absent"));
  EXPECT_THAT(refusal("model_type", 7), HasSubstr("must be a string"));
}

TEST(Architecture, RefusesWhatIsNotServed) {
  EXPECT_THAT(refusal("quantization_config", {{"quant_method", "awq"}}),
              HasSubstr("quantised are not"));
  EXPECT_THAT(refusal("hidden_act", "gelu"), HasSubstr("served is: silu"));
  EXPECT_THAT(refusal("torch_dtype", "float8_e4m3fn"), HasSubstr("float32, float16, bfloat16"));
  EXPECT_THAT(refusal("rope_scaling", {{"type", "dynamic"}, {"factor", 2.0}}),
              HasSubstr("default, linear, llama3, yarn"));
  EXPECT_THAT(refusal("partial_rotary_factor", 0.5), HasSubstr("it must be 1"));
}

TEST(Architecture, RefusesSizesThatAreNotPositiveWholeNumbers) {
  for (const char* key : {"hidden_size", "intermediate_size", "num_hidden_layers", "vocab_size",
                          "num_attention_heads", "max_position_embeddings"}) {
    for (const json& value : {json(0), json(-1), json(1.5), json("32"), json(true), json(nullptr),
                              json(json::array()), json(std::uint64_t{1} << 63), json(1e300)})
      EXPECT_THAT(refusal(key, value), AllOf(HasSubstr(key), HasSubstr("must be a whole number")))
          << key << " " << value;
  }
}

TEST(Architecture, RefusesHeadsThatDoNotDivide) {
  EXPECT_THAT(refusal("num_key_value_heads", 3), HasSubstr("must divide num_attention_heads, 4"));
  EXPECT_THAT(refusal("head_dim", 7), HasSubstr("must be even"));
  EXPECT_THAT(refusal("head_dim", 512), HasSubstr("[2, 256]"));
  json config = small_config();
  config.erase("head_dim");
  config["num_attention_heads"] = 6;
  EXPECT_THAT(testing::error_of([&] { read(config); }), HasSubstr("must divide hidden_size, 32"));
}

TEST(Architecture, RefusesNumbersOutOfTheirRange) {
  EXPECT_THAT(refusal("rms_norm_eps", 0.0), HasSubstr("rms_norm_eps"));
  EXPECT_THAT(refusal("rms_norm_eps", "tiny"), HasSubstr("must be a number"));
  EXPECT_THAT(refusal("rope_theta", -1.0), HasSubstr("rope_theta"));
  EXPECT_THAT(refusal("rope_scaling", {{"rope_type", "llama3"}, {"factor", 8.0}}),
              HasSubstr("low_freq_factor is absent"));
  EXPECT_THAT(refusal("rope_scaling", json::array()), HasSubstr("must be an object"));
  EXPECT_THAT(refusal("tie_word_embeddings", "yes"), HasSubstr("true or false"));
}

TEST(Architecture, RefusesEndTokensThatAreNotInTheVocabulary) {
  EXPECT_THAT(refusal("eos_token_id", 64), HasSubstr("in [0, 63]"));
  EXPECT_THAT(refusal("eos_token_id", json::array()), HasSubstr("1 to 1024 entries"));
  EXPECT_THAT(refusal("eos_token_id", {2, -1}), HasSubstr("in [0, 63]"));
  EXPECT_THAT(refusal("eos_token_id", {"</s>"}), HasSubstr("whole number"));
  EXPECT_THAT(read(with(small_config(), {{"eos_token_id", {2, 5}}})).eos, ElementsAre(2, 5));
}

TEST(Architecture, RefusesWindowsThatAreNone) {
  const json mistral = with(small_config(), {{"model_type", "mistral"}, {"sliding_window", 0}});
  EXPECT_THAT(testing::error_of([&] { read(mistral); }), HasSubstr("sliding_window is 0"));
}

TEST(Architecture, RefusesAFileThatIsAbsentOrNotAnObject) {
  const testing::temporary_folder folder;
  EXPECT_THAT(testing::error_of([&] { read_architecture(folder.path()); }),
              HasSubstr("config.json: cannot be opened"));
  folder.write("config.json", "null");
  EXPECT_THAT(testing::error_of([&] { read_architecture(folder.path()); }),
              HasSubstr("must hold a JSON object"));
  folder.write("config.json", R"({"model_type":"llama","model_type":"qwen2"})");
  EXPECT_THAT(testing::error_of([&] { read_architecture(folder.path()); }),
              HasSubstr("the key \"model_type\" twice"));
}

TEST(GenerationDefaults, MergesEndTokensAndReadsSampling) {
  const testing::temporary_folder folder;
  folder.write(
      "generation_config.json",
      R"({"do_sample":true,"temperature":0.7,"top_p":0.9,"top_k":20,"eos_token_id":[2,0]})");
  const generation_defaults d = read_generation_defaults(folder.path(), read(small_config()));
  EXPECT_FLOAT_EQ(d.sampling.temperature, 0.7F);
  EXPECT_FLOAT_EQ(d.sampling.top_p, 0.9F);
  EXPECT_EQ(d.sampling.top_k, 20);
  EXPECT_THAT(d.eos, ElementsAre(0, 2));
}

TEST(GenerationDefaults, AreGreedyWhereTheModelDoesNotSample) {
  const testing::temporary_folder folder;
  folder.write("generation_config.json", R"({"do_sample":false,"temperature":0.7})");
  EXPECT_EQ(read_generation_defaults(folder.path(), read(small_config())).sampling.temperature, 0);
}

TEST(GenerationDefaults, AreThoseOfSamplingWithoutAFile) {
  const testing::temporary_folder folder;
  const generation_defaults d = read_generation_defaults(folder.path(), read(small_config()));
  EXPECT_EQ(d.sampling.temperature, 1.0F);
  EXPECT_THAT(d.eos, ElementsAre(2));
}

TEST(GenerationDefaults, RefuseFieldsOutOfTheirRange) {
  const testing::temporary_folder folder;
  const auto refusal_of = [&](const char* text) {
    folder.write("generation_config.json", text);
    return testing::error_of(
        [&] { read_generation_defaults(folder.path(), read(small_config())); });
  };
  EXPECT_THAT(refusal_of(R"({"temperature":"hot"})"), HasSubstr("temperature is \"hot\""));
  EXPECT_THAT(refusal_of(R"({"temperature":3})"), HasSubstr("[0, 2]"));
  EXPECT_THAT(refusal_of(R"({"top_p":0})"), HasSubstr("top_p is 0"));
  EXPECT_THAT(refusal_of(R"({"top_k":-1})"), HasSubstr("top_k is -1"));
  EXPECT_THAT(refusal_of(R"({"eos_token_id":[]})"), HasSubstr("eos_token_id"));
  EXPECT_THAT(refusal_of(R"({"do_sample":1})"), HasSubstr("true or false"));
  EXPECT_THAT(refusal_of("[]"), HasSubstr("must hold a JSON object"));
}

} // namespace
} // namespace troupe
