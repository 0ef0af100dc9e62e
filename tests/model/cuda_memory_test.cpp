// What the plan says is what the device gives: the interpreter counts every byte that is allocated.
#include "kernels/cuda/cuda_backend.hpp"
#include "model/memory_plan.hpp"
#include "tests/model/served.hpp"

#include <gtest/gtest.h>

namespace troupe {
namespace {

class CudaMemory : public ::testing::TestWithParam<std::string> {
 protected:
  std::filesystem::path folder_ =
      std::filesystem::path(TROUPE_SOURCES) / "tests/golden/tiny" / GetParam();
  architecture model_ = read_architecture(folder_);
  safetensors files_{folder_};
  std::unique_ptr<backend> device_ = make_cuda_backend({dtype::bf16, true, {}});
  std::uint64_t free_ = device_->free_memory();

  std::uint64_t used() const { return free_ - device_->free_memory(); }
};

TEST_P(CudaMemory, IsWhatThePlanSaysAndStaysSoWhileStepsRun) {
  constexpr step_limits limits{.tokens = 24, .sequences = 4, .logits_rows = 4};
  step_limits most = limits;
  most.head_dim = model_.head_dim;
  most.vocab = model_.vocab;
  memory_request request;
  request.free_bytes = free_;
  request.device_bytes = device_->reserve(most);
  EXPECT_EQ(used(), request.device_bytes);
  request.weight_bytes = decoder::bytes_on(*device_, model_, files_);
  request.activation_type = device_->activation_type();
  request.max_sequences = limits.sequences;
  request.step_tokens = limits.tokens;
  request.logits_rows = limits.logits_rows;
  const memory_plan plan = plan_memory(model_, request);

  const auto weights = std::make_shared<const decoder>(model_, files_, *device_);
  EXPECT_EQ(used(), plan.device_bytes + plan.weight_bytes);
  runner steps(
      weights, *device_,
      {plan.blocks, plan.block_tokens, limits.sequences, limits.tokens, limits.logits_rows});
  const std::uint64_t all =
      plan.device_bytes + plan.weight_bytes + plan.workspace_bytes + plan.kv_bytes;
  EXPECT_EQ(used(), all);

  std::vector<testing::job> jobs(3, {.ids = {1, 2, 3, 4, 5}, .new_tokens = 3});
  jobs[0].sampling.temperature = 0;
  jobs[1].sampling.repetition_penalty = 1.5F;
  jobs[2].sampling.logprobs = 5;
  for (const auto& result : testing::driver(steps, jobs).run()) EXPECT_EQ(result.error, "");
  const auto frequencies = static_cast<std::uint64_t>(model_.head_dim) / 2 * sizeof(float);
  EXPECT_EQ(used(), all + frequencies); // of the rotation, known when the first step is issued
}

INSTANTIATE_TEST_SUITE_P(Tiny, CudaMemory,
                         ::testing::Values("llama-linear-bias-f32", "llama-llama3-untied",
                                           "qwen3-norm"),
                         [](const auto& info) {
                           std::string name = info.param;
                           std::ranges::replace(name, '-', '_');
                           return name;
                         });

} // namespace
} // namespace troupe
