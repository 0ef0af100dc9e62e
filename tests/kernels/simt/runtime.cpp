// The runtime's functions on the processor's memory. Allocations are the heap's own, so that
// AddressSanitizer knows their ends, and poisoned: 0xFF is no number in any float type.
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <cuda.h>
#include <cuda_runtime.h>
#include <map>
#include <mutex>
#include <numeric>
#include <stdexcept>
#include <string>
#include <vector>

namespace simt {

namespace {

std::uint32_t next_seed() {
  static thread_local std::uint32_t launches = 0;
  return ++launches;
}

double now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

/// What every GPU since Ampere takes.
void check_launch(dim3 grid, dim3 threads, std::size_t shared_bytes) {
  constexpr unsigned most_blocks = 65535; // in y and z
  const std::uint64_t all = std::uint64_t{threads.x} * threads.y * threads.z;
  if (grid.x == 0 || grid.y == 0 || grid.z == 0 || grid.x > INT32_MAX || grid.y > most_blocks ||
      grid.z > most_blocks || all == 0 || all > 1024 || shared_bytes > 227 << 10)
    throw std::logic_error("no GPU takes this launch: " + std::to_string(grid.x) + " x " +
                           std::to_string(grid.y) + " x " + std::to_string(grid.z) + " blocks of " +
                           std::to_string(all) + " threads with " + std::to_string(shared_bytes) +
                           " bytes");
}

constexpr std::size_t total_memory = std::size_t{1} << 32;

/// The device's state: whether it failed, and what it has given.
struct device_state {
  std::atomic<bool> broken = false;
  std::atomic<int> major = 8, minor = 0;
  std::mutex guard;
  std::map<void*, std::size_t> sizes;
  std::size_t used = 0;
};
device_state device;

cudaError_t state() { return device.broken ? cudaErrorIllegalAddress : cudaSuccess; }

cudaError_t allocate(void** memory, std::size_t bytes) {
  if (device.broken) return cudaErrorIllegalAddress;
  *memory = bytes > std::size_t{1} << 40 ? nullptr : std::malloc(std::max<std::size_t>(bytes, 1));
  if (*memory == nullptr) return cudaErrorMemoryAllocation;
  std::memset(*memory, 0xFF, bytes);
  return cudaSuccess;
}

} // namespace

void break_device() { device.broken = true; }

void set_compute_capability(int major, int minor) {
  device.major = major;
  device.minor = minor;
}

void run_grid(const std::function<void()>& kernel, dim3 grid, dim3 threads,
              std::size_t shared_bytes, unsigned cluster) {
  check_launch(grid, threads, shared_bytes);
  if (cluster == 0 || cluster > 8 || grid.x % cluster != 0)
    throw std::logic_error("no GPU takes clusters of " + std::to_string(cluster) + " of " +
                           std::to_string(grid.x) + " blocks");
  const std::uint32_t seed = next_seed();
  const unsigned columns = grid.x / cluster;
  std::vector<unsigned> order(std::size_t{columns} * grid.y * grid.z);
  std::iota(order.begin(), order.end(), 0U);
  std::shuffle(order.begin(), order.end(), std::mt19937(seed));
  const launched as{{grid.x, grid.y, grid.z}, {threads.x, threads.y, threads.z}, shared_bytes};
  std::vector<index3> places(cluster);
  for (const unsigned at : order) {
    for (unsigned i = 0; i < cluster; ++i)
      places[i] = {at % columns * cluster + i, at / columns % grid.y, at / (columns * grid.y)};
    block::run(kernel, as, places, seed + at);
  }
}

void issue(cudaStream_t stream, std::function<void()> work) {
  if (stream != nullptr && stream->recording)
    stream->recording->launches.push_back(std::move(work));
  else
    work();
}

} // namespace simt

const char* cudaGetErrorName(cudaError_t error) {
  return error == cudaSuccess                 ? "cudaSuccess"
         : error == cudaErrorMemoryAllocation ? "cudaErrorMemoryAllocation"
         : error == cudaErrorIllegalAddress   ? "cudaErrorIllegalAddress"
                                              : "cudaErrorNotReady";
}
const char* cudaGetErrorString(cudaError_t error) {
  return error == cudaErrorMemoryAllocation ? "out of memory" : "no error";
}
cudaError_t cudaGetLastError() { return simt::state(); }
cudaError_t cudaGetDeviceCount(int* count) {
  *count = 1;
  return simt::state();
}
cudaError_t cudaGetDeviceProperties(cudaDeviceProp* properties, int) {
  *properties = {"none: kernels are interpreted"};
  return cudaSuccess;
}
cudaError_t cudaDeviceGetAttribute(int* value, cudaDeviceAttr attribute, int) {
  *value = attribute == cudaDevAttrMultiProcessorCount      ? 4
           : attribute == cudaDevAttrComputeCapabilityMajor ? simt::device.major.load()
                                                            : simt::device.minor.load();
  return cudaSuccess;
}
cudaError_t cudaDeviceSynchronize() { return simt::state(); }
cudaError_t cudaDeviceReset() {
  const std::scoped_lock lock(simt::device.guard);
  if (simt::device.used > 0) throw std::logic_error("a reset takes memory away that is in use");
  simt::device.broken = false;
  return cudaSuccess;
}
cudaError_t cudaMalloc(void** memory, std::size_t bytes) {
  const auto result = simt::allocate(memory, bytes);
  if (result != cudaSuccess) return result;
  const std::scoped_lock lock(simt::device.guard);
  simt::device.sizes[*memory] = bytes;
  simt::device.used += bytes;
  return result;
}
cudaError_t cudaFree(void* memory) {
  {
    const std::scoped_lock lock(simt::device.guard);
    if (const auto given = simt::device.sizes.extract(memory)) simt::device.used -= given.mapped();
  }
  std::free(memory);
  return simt::state();
}
cudaError_t cudaHostAlloc(void** memory, std::size_t bytes, unsigned) {
  return simt::allocate(memory, bytes);
}
cudaError_t cudaFreeHost(void* memory) {
  std::free(memory);
  return simt::state();
}
cudaError_t cudaMemGetInfo(std::size_t* free, std::size_t* total) {
  const std::scoped_lock lock(simt::device.guard);
  *total = simt::total_memory;
  *free = *total - std::min<std::size_t>(*total, simt::device.used);
  return simt::state();
}
cudaError_t cudaMemcpyAsync(void* to, const void* from, std::size_t bytes, cudaMemcpyKind,
                            cudaStream_t stream) {
  if (stream != nullptr && stream->recording)
    throw std::logic_error("a copy is recorded: what it copies then would be copied for ever");
  if (bytes > 0 && !simt::device.broken) std::memcpy(to, from, bytes);
  return simt::state();
}
cudaError_t cudaMemsetAsync(void* memory, int value, std::size_t bytes, cudaStream_t) {
  std::memset(memory, value, bytes);
  return simt::state();
}
cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned) {
  const auto result = simt::state();
  if (result == cudaSuccess) *stream = new simt_stream;
  return result;
}
cudaError_t cudaStreamDestroy(cudaStream_t stream) {
  delete stream;
  return simt::state();
}
cudaError_t cudaStreamSynchronize(cudaStream_t) { return simt::state(); }
cudaError_t cudaStreamQuery(cudaStream_t) { return simt::state(); }
cudaError_t cudaStreamBeginCapture(cudaStream_t stream, cudaStreamCaptureMode) {
  stream->recording = std::make_unique<simt_graph>();
  return cudaSuccess;
}
cudaError_t cudaStreamEndCapture(cudaStream_t stream, cudaGraph_t* graph) {
  *graph = stream->recording.release();
  return cudaSuccess;
}
cudaError_t cudaGraphInstantiate(cudaGraphExec_t* made, cudaGraph_t graph, unsigned long long) {
  *made = new simt_graph(*graph);
  return cudaSuccess;
}
cudaError_t cudaGraphLaunch(cudaGraphExec_t graph, cudaStream_t) {
  for (const auto& launch : graph->launches) launch();
  return simt::state();
}
cudaError_t cudaGraphDestroy(cudaGraph_t graph) {
  delete graph;
  return cudaSuccess;
}
cudaError_t cudaGraphExecDestroy(cudaGraphExec_t graph) { return cudaGraphDestroy(graph); }
cudaError_t cudaEventCreate(cudaEvent_t* event) {
  const auto result = simt::state();
  if (result == cudaSuccess) *event = new simt_event;
  return result;
}
cudaError_t cudaEventDestroy(cudaEvent_t event) {
  delete event;
  return simt::state();
}
cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t) {
  event->seconds = simt::now();
  return simt::state();
}
cudaError_t cudaEventQuery(cudaEvent_t) { return simt::state(); }
cudaError_t cudaEventSynchronize(cudaEvent_t) { return simt::state(); }
cudaError_t cudaEventElapsedTime(float* milliseconds, cudaEvent_t from, cudaEvent_t to) {
  *milliseconds = static_cast<float>((to->seconds - from->seconds) * 1e3);
  return simt::state();
}
cudaError_t cudaGetDriverEntryPointByVersion(const char* symbol, void** function, unsigned,
                                             unsigned long long,
                                             cudaDriverEntryPointQueryResult* found) {
  if (std::string(symbol) != "cuTensorMapEncodeTiled")
    throw std::logic_error("nobody knows the driver's " + std::string(symbol));
  *function = reinterpret_cast<void*>(&cuTensorMapEncodeTiled);
  *found = cudaDriverEntryPointSuccess;
  return cudaSuccess;
}
