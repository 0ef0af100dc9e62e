// A call is one upload, a launch for each kind of row that there is, and one download. Each has its
// own buffers, from a list of those that are free: nothing waits for an earlier call.
#include "kernels/cuda/sampling.hpp"

#include "kernels/cuda/pinned_copies.hpp"
#include "kernels/cuda/sampling_plan.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
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

void device_sampler::make_meetings(cudaStream_t stream) {
  if (meetings_) return;
  constexpr std::size_t bytes = sampling_meetings * sizeof(sampling_meeting);
  meetings_ = allocate_device(bytes);
  check(cudaMemsetAsync(meetings_.get(), 0, bytes, stream), "cudaMemset");
}

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

void device_sampler::reserve(cudaStream_t stream, std::int64_t vocab, std::size_t rows) {
  make_meetings(stream);
  make_scratch(stream, vocab, rows);
  const std::size_t input = rows * sizeof(sampling_task);
  const std::size_t output = rows * (sizeof(sampling_head) + sizeof(sampling_tops));
  std::array<std::unique_ptr<sampling_call>, 2> calls{calls_->take(), calls_->take()};
  for (auto& call : calls) {
    call->input_host.at_least(input);
    call->input_device.at_least(input);
    call->output_device.at_least(output);
    call->output_host.at_least(output);
    calls_->give_back(std::move(call));
  }
}

std::unique_ptr<pending_samples> device_sampler::sample(cudaStream_t stream, const matrix& logits,
                                                        std::span<const sample_row> rows,
                                                        token_id* chosen) {
  if (rows.empty()) return std::make_unique<no_samples>();
  const sampling_plan plan = plan_of(rows, logits.cols);
  const auto [greedy, plain, adjusted] = plan.of_kind;
  make_meetings(stream);
  if (adjusted > 0) make_scratch(stream, logits.cols, adjusted);
  auto call = calls_->take();
  std::byte* const host = call->input_host.at_least(plan.input_bytes());
  std::byte* const in = call->input_device.at_least(plan.input_bytes());
  std::byte* const out = call->output_device.at_least(plan.output_bytes());
  std::byte* const out_host = call->output_host.at_least(plan.output_bytes());
  pack(host, plan, rows, logits.cols);
  bring_from_pinned(stream, in, host, plan.input_bytes());

  const sampling_output output{reinterpret_cast<sampling_head*>(out),
                               reinterpret_cast<sampling_tops*>(out + plan.heads_bytes()), chosen};
  const auto* tasks = reinterpret_cast<const sampling_task*>(in);
  const auto input = [&](std::size_t first, std::size_t count) {
    return sampling_input{static_cast<const float*>(logits.data),
                          static_cast<std::int32_t>(logits.cols), tasks + first,
                          static_cast<std::int32_t>(count),
                          reinterpret_cast<const std::uint32_t*>(in + plan.tasks_bytes())};
  };
  if (greedy > 0)
    sample_greedy(stream, input(0, greedy), output,
                  reinterpret_cast<sampling_meeting*>(meetings_.get()));
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
  leave_in_pinned(stream, out_host, out, plan.output_bytes());
  check(cudaEventRecord(call->done.get(), stream), "cudaEventRecord");
  return std::make_unique<device_samples>(calls_, std::move(call), plan);
}

} // namespace troupe::cuda
