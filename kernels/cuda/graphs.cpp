#include "kernels/cuda/graphs.hpp"

#include <algorithm>

namespace troupe::cuda {

namespace {

constexpr std::size_t most_graphs = 128;

struct end_record {
  void operator()(cudaGraph_t graph) const { cudaGraphDestroy(graph); }
};
using owned_record = std::unique_ptr<std::remove_pointer_t<cudaGraph_t>, end_record>;

owned_record end_of_recording(cudaStream_t stream, cudaError_t& result) {
  cudaGraph_t made = nullptr;
  result = cudaStreamEndCapture(stream, &made);
  return owned_record(made);
}

} // namespace

void graphs::issue(std::uint64_t name, const std::function<void()>& ops) {
  auto [found, is_new] = known_.try_emplace(name);
  found->second.used = ++calls_;
  if (is_new) {
    if (known_.size() > most_graphs) forget_oldest();
    try {
      return ops();
    } catch (...) {
      known_.erase(name);
      throw;
    }
  }
  if (!found->second.graph) found->second.graph = record(ops);
  check(cudaGraphLaunch(found->second.graph.get(), stream_), "cudaGraphLaunch");
}

owned_graph graphs::record(const std::function<void()>& ops) const {
  check(cudaStreamBeginCapture(stream_, cudaStreamCaptureModeThreadLocal),
        "cudaStreamBeginCapture");
  cudaError_t result = cudaSuccess;
  try {
    ops();
  } catch (...) {
    end_of_recording(stream_, result);
    throw;
  }
  const owned_record recorded = end_of_recording(stream_, result);
  check(result, "cudaStreamEndCapture");
  cudaGraphExec_t made = nullptr;
  check(cudaGraphInstantiate(&made, recorded.get(), 0), "cudaGraphInstantiate");
  return owned_graph(made);
}

void graphs::forget_oldest() {
  const auto oldest =
      std::ranges::min_element(known_, {}, [](const auto& one) { return one.second.used; });
  known_.erase(oldest);
}

} // namespace troupe::cuda
