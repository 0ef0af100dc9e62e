// The additive roofline, against figures that were worked out by hand for a model of eight thousand
// million parameters on a large GPU.
#include "app/bench/roofline.hpp"

#include <gtest/gtest.h>

namespace troupe {
namespace {

struct figure {
  double sequences;
  double input;
  double output;
  double tokens_per_second;
};

// 4.3 TB/s copied, 0.75 PFLOP/s in bf16 and 1.25 in fp8; 14 GFLOP a row, without the head and
// without attention.
const yardsticks bf16_rates{4.3e12, 0.75e15};
const yardsticks fp8_rates{4.3e12, 1.25e15};
const model_cost bf16_cost{15.01e9, 14e9, 0, 131072, 0};
const model_cost fp8_cost{8.03e9, 14e9, 0, 65536, 0};

void expect(const figure& wanted, const model_cost& cost, const yardsticks& rates) {
  const roofline found =
      roofline_of({}, cost, {wanted.sequences, wanted.input, wanted.output}, rates);
  EXPECT_NEAR(found.output_tokens_per_second() / wanted.tokens_per_second, 1, 0.005)
      << wanted.input << '/' << wanted.output;
}

TEST(Roofline, GivesTheFiguresOfA16BitModel) {
  for (const figure& each : {figure{1024, 128, 128, 23'200},
                             {460, 128, 2048, 18'200},
                             {501, 1000, 1000, 12'000},
                             {460, 2048, 128, 2'620},
                             {244, 2048, 2048, 7'640},
                             {182, 5000, 500, 2'730}})
    expect(each, bf16_cost, bf16_rates);
}

TEST(Roofline, GivesTheFiguresOfAn8BitModel) {
  expect({1024, 128, 128, 39'500}, fp8_cost, fp8_rates);
}

TEST(Roofline, OfOneSequenceIsTheReadingOfWeightsAndContext) {
  const roofline one = roofline_of({}, bf16_cost, {1, 1, 1'000'000}, bf16_rates);
  EXPECT_DOUBLE_EQ(one.weights, 15.01e9 / 4.3e12);
  EXPECT_NEAR(one.context, 500'001 * 131072.0 / 4.3e12, 1e-12);
  EXPECT_LT(one.prompts, 1e-9);
}

TEST(Roofline, OfManySequencesComputesForTheirRows) {
  const roofline many = roofline_of({}, bf16_cost, {1024, 128, 128}, bf16_rates);
  EXPECT_DOUBLE_EQ(many.weights, 1024 * 14e9 / 0.75e15);
  EXPECT_DOUBLE_EQ(many.prompts, many.weights);
}

architecture llama_8b() {
  architecture out;
  out.layers = 32;
  out.hidden = 4096;
  out.heads = 32;
  out.kv_heads = 8;
  out.head_dim = 128;
  out.ffn = 14336;
  out.vocab = 128256;
  out.windows.assign(32, 0);
  return out;
}

TEST(ModelCost, IsThatOfEveryWeightOnceAndOfTwoOperationsForEach) {
  const model_cost cost = cost_of(llama_8b(), dtype::bf16, dtype::bf16);
  EXPECT_NEAR(cost.weight_bytes, 15.01e9, 0.005e9);
  EXPECT_NEAR(cost.row_operations, 13.96e9, 0.005e9);
  EXPECT_NEAR(cost.head_operations, 1.051e9, 0.001e9);
  EXPECT_EQ(cost.kv_bytes, 131072);
  EXPECT_EQ(cost.attention_operations, 4.0 * 32 * 128 * 32); // scores and values, each in pairs
}

TEST(ModelCost, FollowsTheTypesOfWeightsAndPages) {
  const model_cost half = cost_of(llama_8b(), dtype::f16, dtype::bf16);
  const model_cost whole = cost_of(llama_8b(), dtype::f32, dtype::f32);
  EXPECT_EQ(whole.weight_bytes, 2 * half.weight_bytes);
  EXPECT_EQ(whole.kv_bytes, 2 * half.kv_bytes);
  EXPECT_EQ(whole.row_operations, half.row_operations);
}

TEST(ModelCost, CountsNoContextBeyondAWindow) {
  architecture model = llama_8b();
  EXPECT_EQ(attended(model, 10'000), 10'000);
  for (std::size_t i = 0; i < 16; ++i) model.windows[i] = 1000;
  EXPECT_EQ(attended(model, 10'000), 5'500);
  EXPECT_EQ(attended(model, 800), 800);
  const model_cost cost = cost_of(model, dtype::bf16, dtype::bf16);
  const workload load{4, 9'000, 2'000};
  EXPECT_DOUBLE_EQ(roofline_of(model, cost, load, bf16_rates).context,
                   4 * 5'500 * cost.kv_bytes / bf16_rates.copy_rate);
}

} // namespace
} // namespace troupe
