// Every shape is the public model's: as large as it is said to be, and read back from its own
// config.json as what it is.
#include "model/families/family.hpp"
#include "tools/make_model/config_files.hpp"
#include "tools/make_model/parameters.hpp"
#include "tools/make_model/shapes.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <map>

namespace troupe {
namespace {

std::string refusal(const std::string& name) {
  try {
    find_shape(name);
  } catch (const std::invalid_argument& problem) {
    return problem.what();
  }
  return "";
}

TEST(Shapes, HaveAsManyParametersAsThePublishedModels) {
  const std::map<std::string, std::uint64_t> published{
      {"llama-3.1-8b", 8'030'261'248}, {"llama-3.2-1b", 1'235'814'400},
      {"llama-3.2-3b", 3'212'749'824}, {"qwen3-0.6b", 596'049'920},
      {"qwen3-4b", 4'022'468'096},     {"qwen3-8b", 8'190'735'360},
      {"qwen2.5-7b", 7'615'616'512},   {"mistral-7b", 7'248'023'552}};
  for (const auto& [name, count] : published)
    EXPECT_EQ(count_elements(parameters_of(find_shape(name))), count) << name;
  EXPECT_EQ(all_shapes().size(), published.size() + 1); // and tiny
}

TEST(Shapes, AreReadBackFromTheirConfigurations) {
  for (const model_shape& each : all_shapes()) {
    const architecture& wanted = each.model;
    const architecture read =
        read_architecture(nlohmann::json::parse(config_json(wanted, dtype::bf16)), each.name);
    EXPECT_EQ(read.family, wanted.family) << each.name;
    EXPECT_EQ(std::tie(read.layers, read.hidden, read.heads, read.kv_heads, read.head_dim, read.ffn,
                       read.vocab, read.max_positions, read.norm_epsilon),
              std::tie(wanted.layers, wanted.hidden, wanted.heads, wanted.kv_heads, wanted.head_dim,
                       wanted.ffn, wanted.vocab, wanted.max_positions, wanted.norm_epsilon))
        << each.name;
    EXPECT_EQ(std::tie(read.qkv_bias, read.output_bias, read.mlp_bias, read.head_norm,
                       read.tied_embeddings, read.windows, read.bos, read.eos),
              std::tie(wanted.qkv_bias, wanted.output_bias, wanted.mlp_bias, wanted.head_norm,
                       wanted.tied_embeddings, wanted.windows, wanted.bos, wanted.eos))
        << each.name;
    EXPECT_EQ(read.rope.scaling, wanted.rope.scaling) << each.name;
    EXPECT_EQ(std::tie(read.rope.theta, read.rope.factor, read.rope.original_positions,
                       read.rope.low_frequency_factor, read.rope.high_frequency_factor),
              std::tie(wanted.rope.theta, wanted.rope.factor, wanted.rope.original_positions,
                       wanted.rope.low_frequency_factor, wanted.rope.high_frequency_factor))
        << each.name;
  }
}

TEST(Shapes, AreFoundInAnyCaseOfLetters) { EXPECT_EQ(find_shape("Llama-3.1-8B").layers, 32); }

TEST(Shapes, AreAllNamedToWhoeverMistypesOne) {
  const std::string said = refusal("lama-3.1-8b");
  EXPECT_NE(said.find("did you mean llama-3.1-8b?"), std::string::npos) << said;
  for (const model_shape& each : all_shapes())
    EXPECT_NE(said.find(each.name), std::string::npos) << said;
}

TEST(Shapes, OfMixturesOfExpertsAreRefusedAsSuch) {
  EXPECT_EQ(refusal("qwen3-30b-a3b")
                .find("qwen3-30b-a3b is a mixture of experts, a family that is not served"),
            0U);
}

} // namespace
} // namespace troupe
