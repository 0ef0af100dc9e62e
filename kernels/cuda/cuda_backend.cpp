// Everything goes to one stream, in the order of the calls. What a kernel finds wrong it leaves in
// a flag that is looked at when the host waits.
#include "kernels/cuda/cuda_backend.hpp"

#include "kernels/cuda/attention.hpp"
#include "kernels/cuda/decode_attention.hpp"
#include "kernels/cuda/gated_matmul.hpp"
#include "kernels/cuda/gemm.hpp"
#include "kernels/cuda/graphs.hpp"
#include "kernels/cuda/prefill_attention.hpp"
#include "kernels/cuda/rows.hpp"
#include "kernels/cuda/runtime.hpp"
#include "kernels/cuda/sampling.hpp"
#include "kernels/cuda/skinny_matmul.hpp"
#include "kernels/cuda/staging.hpp"
#include "kernels/cuda/weight_upload.hpp"
#include "kernels/launch_name.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <stdexcept>
#include <utility>

namespace troupe {

namespace {

using cuda::check;

class cuda_fence final : public fence {
 public:
  explicit cuda_fence(cudaStream_t stream) : event_(cuda::make_event()) {
    check(cudaEventRecord(event_.get(), stream), "cudaEventRecord");
  }
  bool reached() override {
    const auto result = cudaEventQuery(event_.get());
    if (result == cudaErrorNotReady) return false;
    check(result, "cudaEventQuery");
    return true;
  }
  double seconds_since(const fence& earlier) const override {
    check(cudaEventSynchronize(event_.get()), "cudaEventSynchronize");
    float milliseconds = 0;
    check(cudaEventElapsedTime(&milliseconds, dynamic_cast<const cuda_fence&>(earlier).event_.get(),
                               event_.get()),
          "cudaEventElapsedTime");
    return milliseconds * 1e-3;
  }

 private:
  cuda::owned_event event_;
};

std::string name_of_device() {
  cudaDeviceProp properties{};
  check(cudaGetDeviceProperties(&properties, 0), "cudaGetDeviceProperties");
  return properties.name;
}

int attribute(cudaDeviceAttr of) {
  int value = 0;
  check(cudaDeviceGetAttribute(&value, of, 0), "cudaDeviceGetAttribute");
  return value;
}

int multiprocessors() { return attribute(cudaDevAttrMultiProcessorCount); }

/// A table of the host's, brought to the device once.
struct rope_frequencies_on_device {
  std::vector<float> values;
  memory device;
};

class cuda_backend final : public backend {
 public:
  explicit cuda_backend(const cuda_options& options)
      : options_(options), name_(name_of_device()), stream_(cuda::make_stream()),
        multiprocessors_(multiprocessors()), staging_(stream_.get()), weights_(stream_.get()),
        gemm_(options.cache, name_), attention_(multiprocessors_),
        decoding_(stream_.get(), multiprocessors_, staging_), graphs_(stream_.get()), sampler_(),
        fault_(cuda::allocate_device(sizeof(cuda::embed_fault))) {
    if (options.type == dtype::f32)
      throw std::invalid_argument("cuda: activations are bf16 or f16");
    // Their matrix and copy engines are Hopper's, which no later GPU has.
    if (attribute(cudaDevAttrComputeCapabilityMajor) == 9) {
      prefill_.emplace(stream_.get(), multiprocessors_, staging_);
      gating_.emplace(stream_.get());
    }
    forget_fault();
  }
  ~cuda_backend() override { cudaStreamSynchronize(stream_.get()); }

  std::string name() const override { return name_; }
  bool is_gpu() const override { return true; }
  bool failed() const override {
    const auto state = cudaStreamQuery(stream_.get());
    return state != cudaSuccess && state != cudaErrorNotReady;
  }
  dtype activation_type() const override { return options_.type; }
  std::size_t free_memory() const override {
    std::size_t free = 0, total = 0;
    check(cudaMemGetInfo(&free, &total), "cudaMemGetInfo");
    return free;
  }

  std::uint64_t reserve(const step_limits& limits) override {
    const std::uint64_t before = free_memory();
    attention_.reserve(limits.head_dim, limits.sequences);
    if (!options_.deterministic) decoding_.reserve();
    sampler_.reserve(stream_.get(), limits.vocab, static_cast<std::size_t>(limits.logits_rows));
    return before - std::min<std::uint64_t>(before, free_memory());
  }
  std::uint64_t weight_bytes(std::int64_t rows, std::int64_t cols, dtype) const override {
    return static_cast<std::uint64_t>(rows * cols) * size_of(options_.type);
  }

  memory allocate(std::size_t bytes) override { return cuda::allocate_device(bytes); }
  void upload(void* device, const void* host, std::size_t bytes) override {
    staging_.upload(device, host, bytes);
  }
  void download(void* host, const void* device, std::size_t bytes) override;
  void copy(void* to, const void* from, std::size_t bytes) override {
    check(cudaMemcpyAsync(to, from, bytes, cudaMemcpyDeviceToDevice, stream_.get()),
          "cudaMemcpyAsync");
  }
  void wait() override;
  std::unique_ptr<fence> mark() override { return std::make_unique<cuda_fence>(stream_.get()); }

  std::int32_t fitting_rows(std::int32_t rows) const override {
    const std::int32_t step = rows <= 16 ? 1 : rows <= 256 ? 16 : 64;
    return options_.deterministic ? rows : (rows + step - 1) / step * step;
  }
  void begin(const batch_view& batch) override {
    decoding_.begin(batch);
    if (prefill_) prefill_->begin();
  }
  void issue(std::uint64_t name, const std::function<void()>& ops) override {
    if (name == 0 || options_.deterministic) return ops();
    graphs_.issue(launch_name{name}.add(decoding_.launches()).add(attention_.launches()).value,
                  ops);
  }

  std::pair<matrix, memory> load_weight(std::span<const host_matrix> parts) override;
  std::pair<matrix, memory> load_vector(const host_matrix& vector) override;

  void take_chosen(token_id* ids, const std::int32_t* from, const token_id* chosen,
                   std::int32_t tokens) override {
    cuda::take_chosen(stream_.get(), ids, from, chosen, tokens);
  }
  void place(std::int32_t* table, const std::int32_t* changes, std::int32_t count) override {
    cuda::place(stream_.get(), table, changes, count);
  }
  void embed(matrix out, const matrix& table, const token_id* ids) override {
    cuda::embed(stream_.get(), out, table, ids, reinterpret_cast<cuda::embed_fault*>(fault_.get()));
  }
  void add_rms_norm(matrix out, matrix residual, const matrix& delta, const matrix& weight,
                    float epsilon) override {
    cuda::add_rms_norm(stream_.get(), out, residual, delta, weight, epsilon);
  }
  void matmul(matrix out, const matrix& x, const matrix& weight, const matrix& bias) override;
  void gated_matmul(matrix out, const matrix& x, const matrix& gate_up, const matrix& bias,
                    matrix scratch) override;
  void tune_matmul(matrix out, const matrix& x, const matrix& weight) override {
    if (!options_.deterministic) gemm_.tune(stream_.get(), out, x, weight);
  }
  void norm_rope_store(matrix qkv, const matrix& query_norm, const matrix& key_norm, float epsilon,
                       const rope_table& rope, const head_shape& heads, const kv_pages& pages,
                       const batch_view& batch) override {
    cuda::norm_rope_store(stream_.get(), qkv, query_norm, key_norm, epsilon,
                          frequencies_of(rope, heads.head_dim / 2), rope.attention_factor, heads,
                          pages, batch);
  }
  void attention(matrix out, const matrix& qkv, const head_shape& heads, const kv_pages& pages,
                 const batch_view& batch, float scale, std::int32_t window, float softcap) override;
  void gather_rms_norm(matrix out, const matrix& residual, const matrix& delta,
                       const matrix& weight, float epsilon, const std::int32_t* rows) override {
    cuda::add_rms_norm(stream_.get(), out, residual, delta, weight, epsilon, rows);
  }
  std::unique_ptr<pending_samples> sample(const matrix& logits, std::span<const sample_row> rows,
                                          token_id* chosen) override {
    return sampler_.sample(stream_.get(), logits, rows, chosen);
  }

 private:
  void forget_fault() {
    check(cudaMemsetAsync(fault_.get(), 0, sizeof(cuda::embed_fault), stream_.get()),
          "cudaMemsetAsync");
  }
  /// The products of such rows are our own kernel's.
  bool is_skinny(const matrix& x) const {
    return x.rows <= cuda::skinny_rows || options_.deterministic;
  }
  const float* frequencies_of(const rope_table& rope, std::int32_t count);
  /// Brings elements to the device as `type`.
  void convert_to(void* device, dtype type, const host_matrix& part);

  cuda_options options_;
  std::string name_;
  cuda::owned_stream stream_;
  int multiprocessors_;
  cuda::staging staging_;
  cuda::weight_upload weights_;
  cuda::gemm gemm_;
  cuda::paged_attention attention_;
  cuda::decode_attention decoding_;
  std::optional<cuda::prefill_attention> prefill_;
  std::optional<cuda::gated_matmul> gating_;
  cuda::graphs graphs_;
  cuda::device_sampler sampler_;
  memory fault_; // an embed_fault
  std::vector<rope_frequencies_on_device> frequencies_;
};

void cuda_backend::download(void* host, const void* device, std::size_t bytes) {
  check(cudaMemcpyAsync(host, device, bytes, cudaMemcpyDeviceToHost, stream_.get()),
        "cudaMemcpyAsync");
  check(cudaStreamSynchronize(stream_.get()), "cudaStreamSynchronize");
}

void cuda_backend::wait() {
  cuda::embed_fault fault{};
  download(&fault, fault_.get(), sizeof fault);
  if (fault.found == 0) return;
  forget_fault();
  throw std::out_of_range(fmt::format("embed: token id {} of row {} is outside the table of {}",
                                      fault.id, fault.found - 1, fault.vocab));
}

void cuda_backend::convert_to(void* device, dtype type, const host_matrix& part) {
  const std::int64_t n = part.rows * part.cols;
  if (part.type == type) return weights_.bring(device, part);
  const memory as_it_was = allocate(part.bytes());
  weights_.bring(as_it_was.get(), part);
  cuda::convert(stream_.get(), device, type, as_it_was.get(), part.type, n);
  check(cudaStreamSynchronize(stream_.get()), "cudaStreamSynchronize");
}

std::pair<matrix, memory> cuda_backend::load_weight(std::span<const host_matrix> parts) {
  if (parts.empty()) throw std::invalid_argument("load_weight: no parts");
  matrix weight{nullptr, options_.type, 0, parts[0].cols};
  if (weight.cols % 8 != 0)
    throw device_error(
        fmt::format("cuda: a weight of {} columns; they must be a multiple of 8", weight.cols));
  for (const host_matrix& part : parts) {
    if (part.cols != weight.cols || part.type != parts[0].type)
      throw std::invalid_argument(fmt::format(
          "load_weight: a part has type {} and {} columns, the first has {} and {}",
          static_cast<int>(part.type), part.cols, static_cast<int>(parts[0].type), weight.cols));
    weight.rows += part.rows;
  }
  const std::size_t row_bytes = static_cast<std::size_t>(weight.cols) * size_of(weight.type);
  memory data = allocate(static_cast<std::size_t>(weight.rows) * row_bytes);
  weight.data = data.get();
  std::byte* to = data.get();
  for (const host_matrix& part : parts) {
    convert_to(to, weight.type, part);
    to += static_cast<std::size_t>(part.rows) * row_bytes;
  }
  return {weight, std::move(data)};
}

std::pair<matrix, memory> cuda_backend::load_vector(const host_matrix& vector) {
  const std::int64_t n = vector.rows * vector.cols;
  memory data = allocate(static_cast<std::size_t>(n) * sizeof(float));
  convert_to(data.get(), dtype::f32, vector);
  const matrix view{data.get(), dtype::f32, 1, n};
  return {view, std::move(data)};
}

void cuda_backend::matmul(matrix out, const matrix& x, const matrix& weight, const matrix& bias) {
  if (is_skinny(x)) return cuda::skinny_matmul(stream_.get(), out, x, weight, bias);
  gemm_.run(stream_.get(), out, x, weight);
  if (bias.data != nullptr) cuda::add_bias(stream_.get(), out, bias);
}

// Only one kernel for all gives a sequence the same bits in every batch.
void cuda_backend::attention(matrix out, const matrix& qkv, const head_shape& heads,
                             const kv_pages& pages, const batch_view& batch, float scale,
                             std::int32_t window, float softcap) {
  const auto stream = stream_.get();
  std::int32_t least_rows = 1;
  const auto is_left = [&](const sequence_rows& run) { return run.rows >= least_rows; };
  if (!options_.deterministic && cuda::decode_attention::takes(heads, pages.block_tokens)) {
    least_rows = cuda::decode_attention::most_rows + 1;
    if (!std::ranges::all_of(batch.runs, is_left))
      decoding_.run(out, qkv, heads, pages, batch, scale, window, softcap);
    if (std::ranges::none_of(batch.runs, is_left)) return;
  }
  // Its plan is made when it is called, so it has no place among remembered ops, which single rows
  // are: those are taken by now.
  if (least_rows > 1 && prefill_ &&
      cuda::prefill_attention::takes(heads, pages.block_tokens, softcap))
    return prefill_->run(out, qkv, heads, pages, batch, scale, window, least_rows);
  attention_.run(stream, out, qkv, heads, pages, batch, scale, window, softcap, least_rows);
}

void cuda_backend::gated_matmul(matrix out, const matrix& x, const matrix& gate_up,
                                const matrix& bias, matrix scratch) {
  if (is_skinny(x)) return cuda::gated_skinny_matmul(stream_.get(), out, x, gate_up, bias);
  if (gating_ && cuda::gated_matmul::takes(x, gate_up)) return gating_->run(out, x, gate_up, bias);
  matmul(scratch, x, gate_up, bias);
  cuda::silu_mul(stream_.get(), out, scratch);
}

const float* cuda_backend::frequencies_of(const rope_table& rope, std::int32_t count) {
  const std::span wanted(rope.inverse_frequencies, static_cast<std::size_t>(count));
  auto found = std::ranges::find_if(frequencies_, [&](const rope_frequencies_on_device& known) {
    return std::ranges::equal(known.values, wanted);
  });
  if (found == frequencies_.end()) {
    found =
        frequencies_.insert(found, {{wanted.begin(), wanted.end()}, allocate(wanted.size_bytes())});
    upload(found->device.get(), found->values.data(), wanted.size_bytes());
    check(cudaStreamSynchronize(stream_.get()), "cudaStreamSynchronize"); // it is read early
  }
  return reinterpret_cast<const float*>(found->device.get());
}

/// An error that a kernel left stays with the process's context, and all calls fail, until that is
/// destroyed with everything in it. Where that does not help, the next call says so.
void leave_failed_context() {
  cudaGetLastError();
  if (cudaDeviceSynchronize() == cudaSuccess) return;
  cudaDeviceReset();
  cudaGetLastError();
}

int devices_of_any_kind() {
  int count = 0;
  return cudaGetDeviceCount(&count) == cudaSuccess ? count : 0;
}

/// Where that can't be told, as after a kernel failed, what is tried next tells why.
bool has_code_for_device() {
  int major = 0;
  if (cudaDeviceGetAttribute(&major, cudaDevAttrComputeCapabilityMajor, 0) != cudaSuccess)
    return true;
  return major == 8 || major == 9;
}

} // namespace

int cuda_devices() {
  const int count = devices_of_any_kind();
  return count > 0 && has_code_for_device() ? count : 0;
}

std::unique_ptr<backend> make_cuda_backend(const cuda_options& options) {
  leave_failed_context();
  if (devices_of_any_kind() == 0) throw device_error("cuda: no GPU, or no driver for it");
  if (!has_code_for_device())
    throw device_error(fmt::format("cuda: {} has compute capability {}.{}, and this program has "
                                   "code for 8 (Ampere, Ada) and 9 (Hopper) only; use the CPU",
                                   name_of_device(), attribute(cudaDevAttrComputeCapabilityMajor),
                                   attribute(cudaDevAttrComputeCapabilityMinor)));
  return std::make_unique<cuda_backend>(options);
}

} // namespace troupe
