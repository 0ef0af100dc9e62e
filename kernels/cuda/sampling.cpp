// Packs the rows' parameters into one piece of pinned memory, so that a call costs one upload, up
// to three launches and one download. Rows that are merely greedy come first, then the rest that
// takes the logits as they are, then those that change them. Each call has its own buffers, from a
// list of those that are free: nothing waits for an earlier call.
#include "kernels/cuda/sampling.hpp"

#include "kernels/cuda/sampling_kernels.hpp"
#include "kernels/philox.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <mutex>
#include <vector>

namespace troupe::cuda {

namespace {

/// Memory that grows and keeps no contents.
class buffer {
 public:
  explicit buffer(memory (*allocate)(std::size_t)) : allocate_(allocate) {}

  std::byte* at_least(std::size_t bytes) {
    if (bytes <= size_) return data_.get();
    const std::size_t wanted = std::max<std::size_t>(bytes + bytes / 2, 1 << 16);
    size_ = 0;
    data_.reset();
    data_ = allocate_(wanted);
    size_ = wanted;
    return data_.get();
  }
  std::byte* data() const { return data_.get(); }

 private:
  memory (*allocate_)(std::size_t);
  memory data_;
  std::size_t size_ = 0;
};

/// What one call needs until its tokens are taken.
struct sampling_call {
  buffer input_host{allocate_pinned}, output_host{allocate_pinned};
  buffer input_device{allocate_device}, output_device{allocate_device};
  owned_event done = make_event();
};

} // namespace

/// Calls that nobody uses. Tokens may be taken by another thread than the one that issues.
struct sampling_calls {
  std::mutex mutex;
  std::vector<std::unique_ptr<sampling_call>> free;

  std::unique_ptr<sampling_call> take() {
    const std::lock_guard lock(mutex);
    if (free.empty()) return std::make_unique<sampling_call>();
    auto call = std::move(free.back());
    free.pop_back();
    return call;
  }
  void give_back(std::unique_ptr<sampling_call> call) {
    const std::lock_guard lock(mutex);
    free.push_back(std::move(call));
  }
};

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

/// Tasks of each kind, one kind behind the other, and what lies where.
struct sampling_plan {
  std::vector<std::size_t> order; // rows by kind
  std::size_t of_kind[3] = {};
  std::size_t words = 0;
  std::size_t tops = 0;
  bool reports = false;

  std::size_t tasks_bytes() const { return order.size() * sizeof(sampling_task); }
  std::size_t input_bytes() const { return tasks_bytes() + words * sizeof(std::uint32_t); }
  std::size_t heads_bytes() const { return order.size() * sizeof(sampling_head); }
  std::size_t output_bytes() const { return heads_bytes() + tops * sizeof(sampling_tops); }
};

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

sampled_token token_of(const sampling_head& head, const sampling_tops* tops, bool reported) {
  sampled_token token;
  token.id = head.id;
  token.finite = head.finite != 0;
  if (!token.finite || !reported) return token;
  const double total =
      head.sum == 0 ? 0 : head.highest + std::log(static_cast<double>(head.sum) * sum_unit);
  const auto logprob = [&](float logit) {
    return std::min(0.0F, static_cast<float>(static_cast<double>(logit) - total));
  };
  token.logprob = logprob(head.logit);
  for (std::int32_t i = 0; tops != nullptr && i < tops->count; ++i)
    token.top.push_back({tops->ids[i], logprob(tops->logits[i])});
  return token;
}

class device_samples final : public pending_samples {
 public:
  device_samples(std::shared_ptr<sampling_calls> calls, std::unique_ptr<sampling_call> call,
                 const sampling_plan& plan)
      : calls_(std::move(calls)), call_(std::move(call)), rows_(plan.order.size()) {}
  device_samples(const device_samples&) = delete;
  device_samples& operator=(const device_samples&) = delete;
  ~device_samples() override {
    // Without tokens taken the copies may be under way. What failed shows at the next call.
    if (!taken_) cudaEventSynchronize(call_->done.get());
    calls_->give_back(std::move(call_));
  }

  std::vector<sampled_token> take() override {
    check(cudaEventSynchronize(call_->done.get()), "sampling");
    taken_ = true;
    const std::byte* const out = call_->output_host.data();
    const auto* heads = reinterpret_cast<const sampling_head*>(out);
    const auto* tops = reinterpret_cast<const sampling_tops*>(out + rows_ * sizeof(sampling_head));
    const auto* tasks = reinterpret_cast<const sampling_task*>(call_->input_host.data());
    std::vector<sampled_token> tokens(rows_);
    for (std::size_t i = 0; i < rows_; ++i) {
      const sampling_task& task = tasks[i];
      tokens[task.result] = token_of(
          heads[task.result], task.report > 0 ? tops + task.tops : nullptr, task.report >= 0);
    }
    return tokens;
  }

 private:
  std::shared_ptr<sampling_calls> calls_;
  std::unique_ptr<sampling_call> call_;
  std::size_t rows_;
  bool taken_ = false;
};

class no_samples final : public pending_samples {
 public:
  std::vector<sampled_token> take() override { return {}; }
};

} // namespace

device_sampler::device_sampler(std::size_t scratch_bytes)
    : scratch_bytes_(scratch_bytes), calls_(std::make_shared<sampling_calls>()) {}

device_sampler::~device_sampler() = default;

void device_sampler::make_scratch(cudaStream_t stream, std::int64_t vocab, std::size_t rows) {
  const auto stride = static_cast<std::size_t>(vocab + 3) / 4 * 4;
  const std::size_t most = std::max<std::size_t>(scratch_bytes_ / (8 * stride), 1);
  const std::size_t slots = std::min(most, std::bit_ceil(rows)); // few steps to the most
  if (slots * stride <= copied_elements_) return;
  check(cudaStreamSynchronize(stream), "cudaStreamSynchronize"); // what still uses the old ones
  copied_elements_ = 0;
  copies_.reset();
  counts_.reset();
  copies_ = allocate_device(slots * stride * sizeof(float));
  counts_ = allocate_device(slots * stride * sizeof(std::uint32_t));
  check(cudaMemsetAsync(counts_.get(), 0, slots * stride * sizeof(std::uint32_t), stream),
        "cudaMemset");
  copied_elements_ = slots * stride;
}

std::unique_ptr<pending_samples> device_sampler::sample(cudaStream_t stream, const matrix& logits,
                                                        std::span<const sample_row> rows,
                                                        token_id* chosen) {
  if (rows.empty()) return std::make_unique<no_samples>();
  const sampling_plan plan = plan_of(rows, logits.cols);
  const auto [greedy, plain, adjusted] = plan.of_kind;
  if (adjusted > 0) make_scratch(stream, logits.cols, adjusted);
  auto call = calls_->take();
  std::byte* const host = call->input_host.at_least(plan.input_bytes());
  std::byte* const in = call->input_device.at_least(plan.input_bytes());
  std::byte* const out = call->output_device.at_least(plan.output_bytes());
  std::byte* const out_host = call->output_host.at_least(plan.output_bytes());
  pack(host, plan, rows, logits.cols);
  check(cudaMemcpyAsync(in, host, plan.input_bytes(), cudaMemcpyHostToDevice, stream),
        "cudaMemcpy");

  const sampling_output output{reinterpret_cast<sampling_head*>(out),
                               reinterpret_cast<sampling_tops*>(out + plan.heads_bytes()), chosen};
  const auto* tasks = reinterpret_cast<const sampling_task*>(in);
  const auto input = [&](std::size_t first, std::size_t count) {
    return sampling_input{static_cast<const float*>(logits.data),
                          static_cast<std::int32_t>(logits.cols), tasks + first,
                          static_cast<std::int32_t>(count),
                          reinterpret_cast<const std::uint32_t*>(in + plan.tasks_bytes())};
  };
  if (greedy > 0) sample_greedy(stream, input(0, greedy), output);
  if (plain > 0) sample_any(stream, input(greedy, plain), output, {});
  if (adjusted > 0) {
    const auto stride = static_cast<std::int32_t>((logits.cols + 3) / 4 * 4);
    const auto slots =
        static_cast<std::int32_t>(copied_elements_ / static_cast<std::size_t>(stride));
    sample_any(stream, input(greedy + plain, adjusted), output,
               {reinterpret_cast<float*>(copies_.get()),
                reinterpret_cast<std::uint32_t*>(counts_.get()), slots, stride});
  }
  if (plan.reports) sample_report(stream, input(greedy, plain + adjusted), output);
  check(cudaMemcpyAsync(out_host, out, plan.output_bytes(), cudaMemcpyDeviceToHost, stream),
        "cudaMemcpy");
  check(cudaEventRecord(call->done.get(), stream), "cudaEventRecord");
  return std::make_unique<device_samples>(calls_, std::move(call), plan);
}

} // namespace troupe::cuda
