// The instructions that CUDA C++ has no word for, one function each. Everything else in this folder
// is plain C++: tests interpret it on the processor with this header replaced.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cuda_runtime.h>

namespace troupe::ptx {

/// Two numbers rounded to nearest even, the first in the low half.
__device__ inline std::uint32_t pack_bf16(float low, float high) {
  std::uint32_t out;
  asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(out) : "f"(high), "f"(low));
  return out;
}
__device__ inline std::uint32_t pack_f16(float low, float high) {
  std::uint32_t out;
  asm("cvt.rn.f16x2.f32 %0, %1, %2;" : "=r"(out) : "f"(high), "f"(low));
  return out;
}
/// The half-precision number of the low 16 bits.
__device__ inline float unpack_f16(std::uint32_t bits) {
  float out;
  asm("{ .reg .b16 low, high;\n"
      "  mov.b32 {low, high}, %1;\n"
      "  cvt.f32.f16 %0, low; }"
      : "=f"(out)
      : "r"(bits));
  return out;
}

/// 2^x; 2^-inf is 0. Relative error below 2^-22.
__device__ inline float exp2(float x) {
  float out;
  asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(out) : "f"(x));
  return out;
}

/// c += a · b of a warp: a [16, 16] row-major, b [16, 8] column-major, c [16, 8]; operands bf16.
/// Lane l holds of a rows l/4 (registers 0, 2) and l/4 + 8 (1, 3), columns 2 (l%4) + {0, 1}
/// (0, 1) and + 8 (2, 3); of b column l/4, rows 2 (l%4) + {0, 1} (0) and + 8 (1); of c rows l/4
/// (0, 1) and l/4 + 8 (2, 3), columns 2 (l%4) + {0, 1}.
__device__ inline void mma_bf16(float (&c)[4], const std::uint32_t (&a)[4],
                                const std::uint32_t (&b)[2]) {
  asm("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 "
      "{%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
      : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
}
/// The same with operands f16.
__device__ inline void mma_f16(float (&c)[4], const std::uint32_t (&a)[4],
                               const std::uint32_t (&b)[2]) {
  asm("mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 "
      "{%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
      : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
}

__device__ inline std::uint32_t shared_address(const void* shared) {
  return static_cast<std::uint32_t>(__cvta_generic_to_shared(shared));
}

/// Four 8 x 8 matrices of 16-bit numbers from shared memory. Lane l gives the address of row l%8 of
/// matrix l/8 (16 bytes, aligned); register i gets of matrix i row l/4, columns 2 (l%4) + {0, 1}.
__device__ inline void load_matrices(std::uint32_t (&out)[4], const void* row) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
               : "=r"(out[0]), "=r"(out[1]), "=r"(out[2]), "=r"(out[3])
               : "r"(shared_address(row))
               : "memory");
}
/// The same, each matrix transposed.
__device__ inline void load_matrices_transposed(std::uint32_t (&out)[4], const void* row) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0, %1, %2, %3}, [%4];"
               : "=r"(out[0]), "=r"(out[1]), "=r"(out[2]), "=r"(out[3])
               : "r"(shared_address(row))
               : "memory");
}

/// Copies 16 bytes, both aligned, from global to shared memory, or zeroes there where `valid` is
/// false; done when the thread has waited for the group that it is committed in.
__device__ inline void copy_async(void* shared, const void* global, bool valid = true) {
  asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(shared_address(shared)),
               "l"(global), "r"(valid ? 16 : 0)
               : "memory");
}
__device__ inline void commit_copies() { asm volatile("cp.async.commit_group;" ::: "memory"); }
/// Waits for all but the last `Pending` committed groups.
template <int Pending>
__device__ inline void wait_copies() {
  asm volatile("cp.async.wait_group %0;" ::"n"(Pending) : "memory");
}

/// 16 bytes that nobody reads again soon and nobody writes meanwhile: weights.
__device__ inline uint4 load_once(const void* global) {
  uint4 out;
  asm volatile("ld.global.nc.L1::no_allocate.L2::256B.v4.u32 {%0, %1, %2, %3}, [%4];"
               : "=r"(out.x), "=r"(out.y), "=r"(out.z), "=r"(out.w)
               : "l"(global));
  return out;
}

/// Two floats that another block of this kernel may have written.
__device__ inline float2 load_fresh(const float2* global) {
  float2 out;
  asm volatile("ld.global.cg.v2.f32 {%0, %1}, [%2];" : "=f"(out.x), "=f"(out.y) : "l"(global));
  return out;
}

/// Before it a kernel may read only what the kernel right ahead of it does not write; behind it
/// everything is there. Processors before Hopper start a kernel when the one before it is done.
__device__ inline void wait_for_previous() {
#if __CUDA_ARCH__ >= 900
  asm volatile("griddepcontrol.wait;" ::: "memory");
#endif
}
/// The next kernel may be started, up to its own wait_for_previous().
__device__ inline void allow_next() {
#if __CUDA_ARCH__ >= 900
  asm volatile("griddepcontrol.launch_dependents;" ::: "memory");
#endif
}

/// The block's dynamic shared memory, aligned to 128 bytes.
template <class T>
__device__ inline T* dynamic_shared() {
  extern __shared__ __align__(128) unsigned char all_of_it[];
  return reinterpret_cast<T*>(all_of_it);
}

} // namespace troupe::ptx
