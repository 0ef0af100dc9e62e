// cuBLASLt thinks in columns: its A is the weights (a transposed [k, n]), its B is x, its D is out,
// all as they lie in memory.
#include "kernels/cuda/gemm.hpp"

#include "kernels/cuda/runtime.hpp"
#include "kernels/cuda/tuned_products.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cublasLt.h>
#include <limits>
#include <map>
#include <optional>
#include <vector>

namespace troupe::cuda {

namespace {

constexpr std::size_t workspace_bytes = std::size_t{32} << 20;
constexpr int proposals_to_time = 8;

using cuda::check;
void check(cublasStatus_t result, const char* call) {
  if (result == CUBLAS_STATUS_SUCCESS) return;
  throw device_error(fmt::format("cuda: {} failed: {}", call, cublasLtGetStatusString(result)));
}

cudaDataType_t type_of(dtype type) {
  return type == dtype::f32 ? CUDA_R_32F : type == dtype::f16 ? CUDA_R_16F : CUDA_R_16BF;
}

template <auto destroy>
struct destroyed_by {
  template <class T>
  void operator()(T* made) const {
    destroy(made);
  }
};
template <class Handle, auto destroy>
using owned = std::unique_ptr<std::remove_pointer_t<Handle>, destroyed_by<destroy>>;

using owned_handle = owned<cublasLtHandle_t, cublasLtDestroy>;
using owned_operation = owned<cublasLtMatmulDesc_t, cublasLtMatmulDescDestroy>;
using owned_layout = owned<cublasLtMatrixLayout_t, cublasLtMatrixLayoutDestroy>;
using owned_preference = owned<cublasLtMatmulPreference_t, cublasLtMatmulPreferenceDestroy>;

owned_layout layout(dtype type, std::int64_t rows, std::int64_t cols) {
  cublasLtMatrixLayout_t made = nullptr;
  check(cublasLtMatrixLayoutCreate(&made, type_of(type), static_cast<std::uint64_t>(rows),
                                   static_cast<std::uint64_t>(cols), rows),
        "cublasLtMatrixLayoutCreate");
  return owned_layout(made);
}

product_shape shape_of(const matrix& out, const matrix& x, const matrix& weight) {
  return {x.rows, weight.rows, x.cols, x.type, out.type};
}

/// Whose findings they are: an algorithm means nothing to another version.
std::string identity_of(const std::string& device) {
  int driver = 0;
  check(cudaDriverGetVersion(&driver), "cudaDriverGetVersion");
  return fmt::format("{}, driver {}, cublasLt {}", device, driver, cublasLtGetVersion());
}

/// A file for each device and version.
std::filesystem::path file_in(const std::filesystem::path& cache, const std::string& device) {
  if (cache.empty()) return {};
  std::string name = fmt::format("products {} {}.txt", device, cublasLtGetVersion());
  std::ranges::replace_if(
      name, [](char c) { return c == ' ' || c == '/'; }, '-');
  return cache / name;
}

} // namespace

struct gemm::library {
  /// What serves one shape.
  struct plan {
    owned_operation operation;
    owned_layout a, b, d;
    cublasLtMatmulAlgo_t algorithm{};
  };

  library(const std::filesystem::path& cache, const std::string& device)
      : workspace(allocate_device(workspace_bytes)),
        tuned(file_in(cache, device), identity_of(device)) {
    cublasLtHandle_t made = nullptr;
    check(cublasLtCreate(&made), "cublasLtCreate");
    handle.reset(made);
  }

  /// All but the algorithm.
  static plan describe(const matrix& out, const matrix& x, const matrix& weight) {
    plan p;
    cublasLtMatmulDesc_t operation = nullptr;
    check(cublasLtMatmulDescCreate(&operation, CUBLAS_COMPUTE_32F, CUDA_R_32F),
          "cublasLtMatmulDescCreate");
    p.operation.reset(operation);
    const cublasOperation_t transposed = CUBLAS_OP_T;
    check(cublasLtMatmulDescSetAttribute(operation, CUBLASLT_MATMUL_DESC_TRANSA, &transposed,
                                         sizeof transposed),
          "cublasLtMatmulDescSetAttribute");
    p.a = layout(weight.type, weight.cols, weight.rows);
    p.b = layout(x.type, x.cols, x.rows);
    p.d = layout(out.type, out.cols, out.rows);
    return p;
  }

  /// What the library proposes, the best by its own estimate first; at least one.
  std::vector<cublasLtMatmulAlgo_t> proposals(const plan& p, int most) const {
    cublasLtMatmulPreference_t made = nullptr;
    check(cublasLtMatmulPreferenceCreate(&made), "cublasLtMatmulPreferenceCreate");
    const owned_preference preference(made);
    check(cublasLtMatmulPreferenceSetAttribute(made, CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES,
                                               &workspace_bytes, sizeof workspace_bytes),
          "cublasLtMatmulPreferenceSetAttribute");
    std::vector<cublasLtMatmulHeuristicResult_t> results(static_cast<std::size_t>(most));
    int found = 0;
    check(cublasLtMatmulAlgoGetHeuristic(handle.get(), p.operation.get(), p.a.get(), p.b.get(),
                                         p.d.get(), p.d.get(), made, most, results.data(), &found),
          "cublasLtMatmulAlgoGetHeuristic");
    std::vector<cublasLtMatmulAlgo_t> out;
    for (int i = 0; i < found; ++i) out.push_back(results[static_cast<std::size_t>(i)].algo);
    if (out.empty()) throw device_error("cuda: cublasLt has no kernel for a product");
    return out;
  }

  /// Whether an algorithm that was found for other rows, or long ago, serves these.
  bool serves(const plan& p, const cublasLtMatmulAlgo_t& algorithm) const {
    cublasLtMatmulHeuristicResult_t result{};
    return cublasLtMatmulAlgoCheck(handle.get(), p.operation.get(), p.a.get(), p.b.get(), p.d.get(),
                                   p.d.get(), &algorithm, &result) == CUBLAS_STATUS_SUCCESS &&
           result.workspaceSize <= workspace_bytes;
  }

  const plan& plan_for(const matrix& out, const matrix& x, const matrix& weight) {
    const auto key = shape_of(out, x, weight);
    auto found = plans.find(key);
    if (found != plans.end()) return found->second;
    plan p = describe(out, x, weight);
    const auto* kept = tuned.find(key);
    if (kept != nullptr) p.algorithm = std::bit_cast<cublasLtMatmulAlgo_t>(*kept);
    if (kept == nullptr || !serves(p, p.algorithm)) p.algorithm = proposals(p, 1).front();
    return plans.emplace(key, std::move(p)).first->second;
  }

  cublasStatus_t issue(cudaStream_t stream, const plan& p, const matrix& out, const matrix& x,
                       const matrix& weight) const {
    const float one = 1, zero = 0;
    return cublasLtMatmul(handle.get(), p.operation.get(), &one, weight.data, p.a.get(), x.data,
                          p.b.get(), &zero, out.data, p.d.get(), out.data, p.d.get(), &p.algorithm,
                          workspace.get(), workspace_bytes, stream);
  }

  /// Milliseconds that a plan takes, the middle of three after one to warm up; nothing where it
  /// can't be started.
  std::optional<float> time(cudaStream_t stream, const plan& p, const matrix& out, const matrix& x,
                            const matrix& weight) const {
    if (issue(stream, p, out, x, weight) != CUBLAS_STATUS_SUCCESS) return std::nullopt;
    std::array<float, 3> times{};
    std::array<owned_event, 4> marks{make_event(), make_event(), make_event(), make_event()};
    check(cudaEventRecord(marks[0].get(), stream), "cudaEventRecord");
    for (std::size_t i = 0; i < times.size(); ++i) {
      check(issue(stream, p, out, x, weight), "cublasLtMatmul");
      check(cudaEventRecord(marks[i + 1].get(), stream), "cudaEventRecord");
    }
    check(cudaEventSynchronize(marks.back().get()), "cudaEventSynchronize");
    for (std::size_t i = 0; i < times.size(); ++i)
      check(cudaEventElapsedTime(&times[i], marks[i].get(), marks[i + 1].get()),
            "cudaEventElapsedTime");
    std::ranges::sort(times);
    return times[1];
  }

  cublasLtMatmulAlgo_t fastest(cudaStream_t stream, const matrix& out, const matrix& x,
                               const matrix& weight) const {
    plan p = describe(out, x, weight);
    const auto all = proposals(p, proposals_to_time);
    cublasLtMatmulAlgo_t best = all.front();
    float best_time = std::numeric_limits<float>::infinity();
    for (const auto& proposal : all) {
      p.algorithm = proposal;
      const auto took = time(stream, p, out, x, weight);
      if (!took || *took >= best_time) continue;
      best_time = *took;
      best = proposal;
    }
    return best;
  }

  memory workspace;
  owned_handle handle;
  tuned_products tuned;
  std::map<product_shape, plan> plans;
};

gemm::gemm(const std::filesystem::path& cache, const std::string& device)
    : library_(std::make_unique<library>(cache, device)) {}
gemm::~gemm() = default;

void gemm::tune(cudaStream_t stream, const matrix& out, const matrix& x, const matrix& weight) {
  bool found_out = false;
  for (const std::int64_t rows : tuned_rows) {
    if (rows > out.rows) break;
    matrix some_out = out, some_x = x;
    some_out.rows = some_x.rows = rows;
    const auto shape = shape_of(some_out, some_x, weight);
    if (library_->tuned.find(shape) != nullptr) continue;
    library_->tuned.keep(shape, std::bit_cast<tuned_products::algorithm>(
                                    library_->fastest(stream, some_out, some_x, weight)));
    found_out = true;
  }
  if (!found_out) return;
  library_->plans.clear();
  library_->tuned.save();
}

void gemm::run(cudaStream_t stream, const matrix& out, const matrix& x, const matrix& weight) {
  check(library_->issue(stream, library_->plan_for(out, x, weight), out, x, weight),
        "cublasLtMatmul");
}

} // namespace troupe::cuda
