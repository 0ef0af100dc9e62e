// All arithmetic is on bytes that fit 64 bits by far: the architecture's fields are bounded where
// they are read, and the one product that an operator could make overflow is checked.
#include "model/memory_plan.hpp"

#include "model/kv_cache.hpp"
#include "model/model_error.hpp"
#include "model/step_batch.hpp"
#include "model/workspace.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace troupe {

namespace {

double mib(std::uint64_t bytes) { return static_cast<double>(bytes) / (1 << 20); }

void check(const architecture& model, const memory_request& request) {
  if (request.block_tokens < 1 || request.max_sequences < 1 || request.step_tokens < 1)
    throw model_error(fmt::format(
        "memory: block tokens ({}), sequences ({}) and step tokens ({}) must be at least 1",
        request.block_tokens, request.max_sequences, request.step_tokens));
  if (request.max_context < 0 || request.max_context > model.max_positions)
    throw model_error(fmt::format("memory: max context {} is not in [1, {}], the model's positions",
                                  request.max_context, model.max_positions));
  if (!(request.fraction > 0.0 && request.fraction <= 1.0))
    throw model_error(fmt::format("memory: fraction {} is not in (0, 1]", request.fraction));
}

/// What the KV cache may take.
std::uint64_t available_for_kv(const memory_request& request, std::uint64_t workspace_bytes) {
  const std::uint64_t buffers = workspace_bytes + request.device_bytes;
  const std::uint64_t fixed = request.weight_bytes + buffers;
  const auto usable = static_cast<std::uint64_t>(
      request.kv_bytes ? static_cast<double>(request.free_bytes)
                       : std::floor(static_cast<double>(request.free_bytes) * request.fraction));
  if (fixed >= usable)
    throw model_error(fmt::format("memory: weights take {:.1f} MiB and buffers {:.1f} MiB, {:.1f} "
                                  "MiB may be used of {:.1f} MiB free: nothing is left for KV",
                                  mib(request.weight_bytes), mib(buffers), mib(usable),
                                  mib(request.free_bytes)));
  const std::uint64_t left = usable - fixed;
  if (request.kv_bytes && *request.kv_bytes > left)
    throw model_error(fmt::format("memory: {:.1f} MiB of KV were set, {:.1f} MiB are left after "
                                  "weights ({:.1f} MiB) and buffers ({:.1f} MiB)",
                                  mib(*request.kv_bytes), mib(left), mib(request.weight_bytes),
                                  mib(buffers)));
  return request.kv_bytes.value_or(left);
}

} // namespace

memory_plan plan_memory(const architecture& model, const memory_request& request) {
  check(model, request);
  memory_plan out;
  out.free_bytes = request.free_bytes;
  out.device_bytes = request.device_bytes;
  out.weight_bytes = request.weight_bytes;
  out.block_tokens = request.block_tokens;
  out.max_context = request.max_context > 0 ? request.max_context : model.max_positions;
  out.workspace_bytes = workspace::bytes(model, request.activation_type, request.step_tokens,
                                         std::min(request.step_tokens, request.logits_rows)) +
                        step_batch::bytes(request.step_tokens, request.max_sequences,
                                          blocks_of_context(model, request.block_tokens));
  out.block_bytes = kv_cache::block_bytes(model, request.activation_type, request.block_tokens);
  const std::uint64_t available = available_for_kv(request, out.workspace_bytes);
  const std::uint64_t fitting = available / out.block_bytes;
  const std::uint64_t one_sequence = (static_cast<std::uint64_t>(out.max_context) +
                                      static_cast<std::uint64_t>(out.block_tokens) - 1) /
                                     static_cast<std::uint64_t>(out.block_tokens);
  if (fitting == 0)
    throw model_error(fmt::format(
        "memory: {:.1f} MiB are available for the KV cache and one block of {} tokens takes "
        "{:.1f} MiB; set --kv-memory {}MiB or more",
        mib(available), out.block_tokens, mib(out.block_bytes),
        std::ceil(mib(one_sequence * out.block_bytes))));
  if (fitting < one_sequence)
    throw model_error(fmt::format(
        "memory: needs {:.1f} MiB for max_context {}, {:.1f} MiB available: the longest that fits "
        "is {}; set --max-context {} or --kv-memory {}MiB",
        mib(one_sequence * out.block_bytes), out.max_context, mib(available),
        fitting * static_cast<std::uint64_t>(out.block_tokens),
        fitting * static_cast<std::uint64_t>(out.block_tokens),
        std::ceil(mib(one_sequence * out.block_bytes))));
  const std::uint64_t useful = one_sequence * static_cast<std::uint64_t>(request.max_sequences);
  out.blocks = static_cast<std::int32_t>(
      std::min({fitting, useful, static_cast<std::uint64_t>(INT32_MAX / out.block_tokens)}));
  out.kv_bytes = static_cast<std::uint64_t>(out.blocks) * out.block_bytes;
  return out;
}

std::string to_table(const memory_plan& plan) {
  const auto line = [&](std::string_view what, std::uint64_t bytes) {
    return fmt::format("{:<10} {:>12.1f} MiB {:>5.1f} %\n", what, mib(bytes),
                       100.0 * static_cast<double>(bytes) / static_cast<double>(plan.free_bytes));
  };
  const std::uint64_t buffers = plan.workspace_bytes + plan.device_bytes;
  return line("weights", plan.weight_bytes) + line("buffers", buffers) +
         line("KV cache", plan.kv_bytes) +
         line("left", plan.free_bytes - plan.weight_bytes - buffers - plan.kv_bytes) +
         fmt::format("{} blocks of {} tokens: {} tokens, {:.1f} sequences of {}\n", plan.blocks,
                     plan.block_tokens, plan.tokens(), plan.full_sequences(), plan.max_context);
}

} // namespace troupe
