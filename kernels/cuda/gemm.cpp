// cuBLASLt thinks in columns: its A is the weights (a transposed [k, n]), its B is x, its D is out,
// all as they lie in memory.
#include "kernels/cuda/gemm.hpp"

#include "kernels/cuda/runtime.hpp"

#include <fmt/format.h>

#include <cublasLt.h>
#include <map>
#include <tuple>

namespace troupe::cuda {

namespace {

constexpr std::size_t workspace_bytes = std::size_t{32} << 20;

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

} // namespace

struct gemm::library {
  /// What serves one shape.
  struct plan {
    owned_operation operation;
    owned_layout a, b, d;
    cublasLtMatmulAlgo_t algorithm{};
  };
  using shape = std::tuple<std::int64_t, std::int64_t, std::int64_t, dtype, dtype>;

  library() : workspace(allocate_device(workspace_bytes)) {
    cublasLtHandle_t made = nullptr;
    check(cublasLtCreate(&made), "cublasLtCreate");
    handle.reset(made);
  }

  plan make(const matrix& out, const matrix& x, const matrix& weight) const {
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
    cublasLtMatmulPreference_t made = nullptr;
    check(cublasLtMatmulPreferenceCreate(&made), "cublasLtMatmulPreferenceCreate");
    const owned_preference preference(made);
    check(cublasLtMatmulPreferenceSetAttribute(made, CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES,
                                               &workspace_bytes, sizeof workspace_bytes),
          "cublasLtMatmulPreferenceSetAttribute");
    cublasLtMatmulHeuristicResult_t best{};
    int found = 0;
    check(cublasLtMatmulAlgoGetHeuristic(handle.get(), operation, p.a.get(), p.b.get(), p.d.get(),
                                         p.d.get(), made, 1, &best, &found),
          "cublasLtMatmulAlgoGetHeuristic");
    if (found == 0)
      throw device_error(fmt::format("cuda: cublasLt has no kernel for [{}, {}] x [{}, {}]", x.rows,
                                     x.cols, weight.rows, weight.cols));
    p.algorithm = best.algo;
    return p;
  }

  const plan& plan_for(const matrix& out, const matrix& x, const matrix& weight) {
    const shape key{x.rows, weight.rows, x.cols, x.type, out.type};
    auto found = plans.find(key);
    if (found == plans.end()) found = plans.emplace(key, make(out, x, weight)).first;
    return found->second;
  }

  memory workspace;
  owned_handle handle;
  std::map<shape, plan> plans;
};

gemm::gemm() : library_(std::make_unique<library>()) {}
gemm::~gemm() = default;

void gemm::run(cudaStream_t stream, const matrix& out, const matrix& x, const matrix& weight) {
  const auto& plan = library_->plan_for(out, x, weight);
  const float one = 1, zero = 0;
  check(cublasLtMatmul(library_->handle.get(), plan.operation.get(), &one, weight.data,
                       plan.a.get(), x.data, plan.b.get(), &zero, out.data, plan.d.get(), out.data,
                       plan.d.get(), &plan.algorithm, library_->workspace.get(), workspace_bytes,
                       stream),
        "cublasLtMatmul");
}

} // namespace troupe::cuda
