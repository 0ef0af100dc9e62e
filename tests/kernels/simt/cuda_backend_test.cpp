// Which GPUs the backend takes.
#include "kernels/cuda/cuda_backend.hpp"

#include <gmock/gmock.h>

#include <cuda_runtime.h>

namespace troupe {

namespace {

std::string refusal_of(int major, int minor) {
  simt::set_compute_capability(major, minor);
  std::string text;
  try {
    make_cuda_backend({});
  } catch (const device_error& e) {
    text = e.what();
  }
  simt::set_compute_capability(8, 0);
  return text;
}

TEST(CudaBackend, TakesAmpereAdaAndHopper) {
  EXPECT_EQ(refusal_of(8, 0), "");
  EXPECT_EQ(refusal_of(8, 9), "");
  EXPECT_EQ(refusal_of(9, 0), "");
}

TEST(CudaBackend, CountsOnlyGpusThatItHasCodeFor) {
  EXPECT_EQ(cuda_devices(), 1);
  simt::set_compute_capability(10, 0);
  EXPECT_EQ(cuda_devices(), 0);
  simt::set_compute_capability(8, 0);
}

TEST(CudaBackend, NamesTheGpuThatItHasNoCodeFor) {
  for (const auto& [major, minor] : {std::pair{7, 5}, {10, 0}, {12, 1}})
    EXPECT_THAT(refusal_of(major, minor),
                testing::HasSubstr("has compute capability " + std::to_string(major) + "." +
                                   std::to_string(minor)));
}

} // namespace

} // namespace troupe
