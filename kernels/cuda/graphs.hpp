// Ops that are issued again and again in the same way, as CUDA graphs: hundreds of launches become
// one, and the device goes from kernel to kernel faster.
#pragma once

#include "kernels/cuda/runtime.hpp"

#include <functional>
#include <map>

namespace troupe::cuda {

struct end_graph {
  void operator()(cudaGraphExec_t graph) const { cudaGraphExecDestroy(graph); }
};
using owned_graph = std::unique_ptr<std::remove_pointer_t<cudaGraphExec_t>, end_graph>;

class graphs {
 public:
  explicit graphs(cudaStream_t stream) : stream_(stream) {}

  /// Issues what `ops` issues. Whoever comes with a name again promises the same launches with the
  /// same arguments: the first time they are issued one by one, so that what they need is there
  /// before they are recorded at the second; from then on the record is issued. Throws what `ops`
  /// throws, and device_error.
  void issue(std::uint64_t name, const std::function<void()>& ops);

 private:
  struct known {
    owned_graph graph;
    std::uint64_t used = 0; ///< when, by a count of calls
  };

  owned_graph record(const std::function<void()>& ops) const;
  void forget_oldest();

  cudaStream_t stream_;
  std::map<std::uint64_t, known> known_;
  std::uint64_t calls_ = 0;
};

} // namespace troupe::cuda
