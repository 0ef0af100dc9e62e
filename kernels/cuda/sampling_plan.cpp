// The lists are copied as they are, but for the mask, which becomes a bit a token, and the bias,
// whose equal ids are brought together for one thread to add up in their order.
#include "kernels/cuda/sampling_plan.hpp"

#include "kernels/philox.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

namespace troupe::cuda {

namespace {

void check_id(token_id id, std::int64_t vocab, const char* what) {
  if (id < 0 || id >= vocab)
    throw std::out_of_range(
        fmt::format("{}: token id {} is outside the vocabulary of {}", what, id, vocab));
}

/// Alternatives to report with a row's token; -1: not even its logprob.
std::int32_t wanted_tops(const sample_row& row) {
  if (row.is_prompt) return std::max(row.params->prompt_logprobs, 0);
  return std::max(row.params->logprobs, -1);
}

bool is_penalised(const sample_row& row) { return has_penalties(*row.params) && !row.ids.empty(); }

/// Which launch a row belongs to.
enum class kind { greedy, plain, adjusted };

kind kind_of(const sample_row& row) {
  if (row.is_prompt) return kind::plain;
  const sampling_params& params = *row.params;
  if (!params.logit_bias.empty() || (row.suppress && !params.suppressed.empty()) ||
      !row.allowed_mask.empty() || is_penalised(row))
    return kind::adjusted;
  return params.temperature <= 0 && params.logprobs < 0 ? kind::greedy : kind::plain;
}

void check_row(const sample_row& row, std::int64_t vocab) {
  if (wanted_tops(row) > most_tops)
    throw std::invalid_argument(fmt::format("{}: {} alternatives asked for, the most are {}",
                                            row.is_prompt ? "prompt_logprobs" : "logprobs",
                                            wanted_tops(row), most_tops));
  if (row.is_prompt) return check_id(row.known, vocab, "known");
  for (const auto& [id, bias] : row.params->logit_bias) check_id(id, vocab, "logit_bias");
  if (row.suppress)
    for (const token_id id : row.params->suppressed) check_id(id, vocab, "suppressed");
  if (is_penalised(row))
    for (const token_id id : row.ids) check_id(id, vocab, "penalties");
}

/// Words that a row's lists take.
std::size_t words_of(const sample_row& row, std::int64_t vocab) {
  if (kind_of(row) != kind::adjusted) return 0;
  return 2 * row.params->logit_bias.size() + (row.suppress ? row.params->suppressed.size() : 0) +
         (is_penalised(row) ? row.ids.size() : 0) +
         (row.allowed_mask.empty() ? 0 : static_cast<std::size_t>(vocab + 31) / 32);
}

/// Writes lists one behind the other.
class word_writer {
 public:
  explicit word_writer(std::uint32_t* words) : words_(words) {}

  word_list ids(std::span<const token_id> ids) {
    std::memcpy(words_ + size_, ids.data(), ids.size_bytes());
    return added(ids.size());
  }
  word_list bias(std::vector<std::pair<token_id, float>> pairs) {
    std::ranges::stable_sort(pairs, {}, &std::pair<token_id, float>::first);
    std::uint32_t* to = words_ + size_;
    for (const auto& [id, bias] : pairs) {
      *to++ = static_cast<std::uint32_t>(id);
      *to++ = std::bit_cast<std::uint32_t>(bias);
    }
    return added(2 * pairs.size());
  }
  /// What the mask does not reach is allowed.
  word_list allowed(std::span<const float> mask, std::size_t vocab) {
    constexpr float impossible = -std::numeric_limits<float>::infinity();
    const std::size_t count = (vocab + 31) / 32;
    for (std::size_t word = 0; word < count; ++word) {
      const std::size_t first = 32 * word;
      const std::size_t here =
          first < mask.size() ? std::min<std::size_t>(32, mask.size() - first) : 0;
      std::uint32_t forbidden = 0;
      for (std::size_t i = 0; i < here; ++i)
        forbidden |= std::uint32_t{mask[first + i] == impossible} << i;
      words_[size_ + word] = ~forbidden;
    }
    return added(count);
  }

 private:
  word_list added(std::size_t count) {
    const word_list list{static_cast<std::uint32_t>(size_), static_cast<std::uint32_t>(count)};
    size_ += count;
    return list;
  }

  std::uint32_t* words_;
  std::size_t size_ = 0;
};

sampling_task task_of(const sample_row& row, std::int64_t vocab, word_writer& words) {
  sampling_task task;
  task.logits_row = row.logits_row;
  task.keep = row.keep;
  task.report = wanted_tops(row);
  if (row.is_prompt) {
    task.known = row.known;
    return task;
  }
  const sampling_params& params = *row.params;
  task.uniform = static_cast<std::uint64_t>(uniform_at(params.seed, row.position) * 0x1p64);
  const float scale = params.temperature > 0 ? 1.0F / params.temperature : 0.0F;
  task.scale = std::isfinite(scale) ? scale : 0.0F; // so cold that it is greedy
  task.top_p = params.top_p;
  task.min_p = std::min(params.min_p, 1.0F);
  task.top_k = params.top_k > 0 && params.top_k < vocab ? params.top_k : 0;
  if (kind_of(row) != kind::adjusted) return task;
  task.bias = words.bias(params.logit_bias);
  if (row.suppress) task.suppressed = words.ids(params.suppressed);
  if (!row.allowed_mask.empty())
    task.allowed = words.allowed(row.allowed_mask, static_cast<std::size_t>(vocab));
  if (!is_penalised(row)) return task;
  task.history = words.ids(row.ids);
  task.prompt_tokens = std::min(row.prompt_tokens, task.history.count);
  task.repetition_penalty = params.repetition_penalty;
  task.frequency_penalty = params.frequency_penalty;
  task.presence_penalty = params.presence_penalty;
  return task;
}

} // namespace

sampling_plan plan_of(std::span<const sample_row> rows, std::int64_t vocab) {
  if (vocab > most_vocab)
    throw std::invalid_argument(
        fmt::format("cuda: sampling from {} tokens, the most are {}", vocab, most_vocab));
  sampling_plan plan;
  for (const sample_row& row : rows) {
    check_row(row, vocab);
    plan.words += words_of(row, vocab);
    plan.tops += wanted_tops(row) > 0 ? 1 : 0;
    plan.reports = plan.reports || wanted_tops(row) >= 0;
    ++plan.of_kind[static_cast<std::size_t>(kind_of(row))];
  }
  if (plan.words > std::numeric_limits<std::uint32_t>::max())
    throw std::invalid_argument(
        fmt::format("cuda: the rows to sample refer to {} words, the most are 2^32", plan.words));
  for (const kind wanted : {kind::greedy, kind::plain, kind::adjusted})
    for (std::size_t i = 0; i < rows.size(); ++i)
      if (kind_of(rows[i]) == wanted) plan.order.push_back(i);
  return plan;
}

void pack(std::byte* to, const sampling_plan& plan, std::span<const sample_row> rows,
          std::int64_t vocab) {
  word_writer words(reinterpret_cast<std::uint32_t*>(to + plan.tasks_bytes()));
  auto* task = reinterpret_cast<sampling_task*>(to);
  std::uint32_t tops = 0;
  for (const std::size_t i : plan.order) {
    *task = task_of(rows[i], vocab, words);
    task->result = static_cast<std::uint32_t>(i);
    if (task->report > 0) task->tops = tops++;
    ++task;
  }
}

} // namespace troupe::cuda
