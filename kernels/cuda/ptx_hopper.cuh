// The instructions that only Hopper has, one function each: products of warpgroups, the engine that
// copies boxes of a tensor, barriers that count bytes, registers that change hands. As with
// ptx.cuh, tests replace this header to interpret on the processor what is built on it.
//
// Products are issued and awaited: between wgmma_fence() and the wait nobody touches the registers
// that they read and write.
#pragma once

#include "kernels/cuda/ptx.cuh"

#include <cuda.h>

namespace troupe::ptx {

/// Whether what is being compiled may use this header's instructions.
#if defined(__CUDA_ARCH__) && !defined(__CUDA_ARCH_FEAT_SM90_ALL)
constexpr bool has_hopper = false;
#else
constexpr bool has_hopper = true;
#endif

/// Ends the kernel with an error.
__device__ inline void trap() { asm volatile("trap;"); }

// Barriers in shared memory. A phase is over when as many have arrived as the barrier was made for
// and as many bytes have come as were announced.

__device__ inline void make_barrier(std::uint64_t* barrier, std::uint32_t arrivals) {
  asm volatile("mbarrier.init.shared::cta.b64 [%0], %1;" ::"r"(shared_address(barrier)),
               "r"(arrivals)
               : "memory");
}
/// Lets the copy engine see the barriers that this thread has made.
__device__ inline void publish_barriers() {
  asm volatile("fence.mbarrier_init.release.cluster;" ::: "memory");
}
__device__ inline void arrive(std::uint64_t* barrier) {
  asm volatile("mbarrier.arrive.shared::cta.b64 _, [%0];" ::"r"(shared_address(barrier))
               : "memory");
}
/// Announces bytes that will come in this phase, and arrives.
__device__ inline void arrive_expecting(std::uint64_t* barrier, std::uint32_t bytes) {
  asm volatile(
      "mbarrier.arrive.expect_tx.shared::cta.b64 _, [%0], %1;" ::"r"(shared_address(barrier)),
      "r"(bytes)
      : "memory");
}
/// Waits until the phase of this parity is over; the first phase has parity 0.
__device__ inline void wait(std::uint64_t* barrier, std::uint32_t parity) {
  std::uint32_t over;
  do
    asm volatile("{ .reg .pred over;\n"
                 "  mbarrier.try_wait.parity.shared::cta.b64 over, [%1], %2;\n"
                 "  selp.u32 %0, 1, 0, over; }"
                 : "=r"(over)
                 : "r"(shared_address(barrier)), "r"(parity)
                 : "memory");
  while (over == 0);
}

/// Orders this thread's own writes to shared memory before what the copy engine and the products
/// of warpgroups do there after the next barrier.
__device__ inline void publish_shared() {
  asm volatile("fence.proxy.async.shared::cta;" ::: "memory");
}

/// The block's barriers by number, for some of its threads. 0 is __syncthreads().
__device__ inline void sync_some(int id, int threads) {
  asm volatile("bar.sync %0, %1;" ::"r"(id), "r"(threads) : "memory");
}
/// Counts there without waiting.
__device__ inline void arrive_some(int id, int threads) {
  asm volatile("bar.arrive %0, %1;" ::"r"(id), "r"(threads) : "memory");
}

/// The calling warpgroup has so many registers a thread from here on: a multiple of 8.
template <int Count>
__device__ inline void take_registers() {
  asm volatile("setmaxnreg.inc.sync.aligned.u32 %0;" ::"n"(Count));
}
template <int Count>
__device__ inline void give_registers() {
  asm volatile("setmaxnreg.dec.sync.aligned.u32 %0;" ::"n"(Count));
}

__device__ inline void prefetch_map(const CUtensorMap& map) {
  asm volatile("prefetch.tensormap [%0];" ::"l"(&map) : "memory");
}
/// Copies the box of a 2-D map at (column, row) to shared memory, aligned to 128 bytes; what lies
/// outside the tensor comes as zeros. The barrier is told how many bytes have come.
__device__ inline void copy_box(void* shared, const CUtensorMap& map, std::int32_t column,
                                std::int32_t row, std::uint64_t* barrier) {
  asm volatile("cp.async.bulk.tensor.2d.shared::cluster.global.tile.mbarrier::complete_tx::bytes "
               "[%0], [%1, {%2, %3}], [%4];" ::"r"(shared_address(shared)),
               "l"(&map), "r"(column), "r"(row), "r"(shared_address(barrier))
               : "memory");
}

// Clusters: blocks that run at the same time and reach each other's shared memory, where what they
// hold of the same kind lies at the same address. They are told apart by their number in the
// cluster.

__device__ inline std::uint32_t number_in_cluster() {
  std::uint32_t number;
  asm volatile("mov.u32 %0, %%cluster_ctarank;" : "=r"(number));
  return number;
}
/// Counts at the cluster's barrier without waiting; what was written before is seen by whoever
/// waits.
__device__ inline void arrive_cluster() {
  asm volatile("barrier.cluster.arrive.release.aligned;" ::: "memory");
}
/// Waits until every thread of the cluster has arrived.
__device__ inline void wait_cluster() {
  asm volatile("barrier.cluster.wait.acquire.aligned;" ::: "memory");
}
/// Arrives at the barrier that lies at the same place in block `block` of the cluster: a signal
/// that says nothing of what the thread has written, which was seen to take 0.4 microseconds more.
__device__ inline void arrive_in(std::uint32_t block, std::uint64_t* barrier) {
  asm volatile("{ .reg .b32 there;\n"
               "  mapa.shared::cluster.u32 there, %0, %1;\n"
               "  mbarrier.arrive.shared::cluster.b64 _, [there]; }" ::"r"(shared_address(barrier)),
               "r"(block)
               : "memory");
}
/// copy_box() to the same place in all blocks of the cluster whose bits are set, and to their
/// barriers there.
__device__ inline void copy_box_to(std::uint32_t blocks, void* shared, const CUtensorMap& map,
                                   std::int32_t column, std::int32_t row, std::uint64_t* barrier) {
  asm volatile("cp.async.bulk.tensor.2d.shared::cluster.global.tile.mbarrier::complete_tx::bytes"
               ".multicast::cluster [%0], [%1, {%2, %3}], [%4], %5;" ::"r"(shared_address(shared)),
               "l"(&map), "r"(column), "r"(row), "r"(shared_address(barrier)),
               "h"(static_cast<std::uint16_t>(blocks))
               : "memory");
}

/// Before the first product, and wherever registers were written that the next one takes.
__device__ inline void wgmma_fence() { asm volatile("wgmma.fence.sync.aligned;" ::: "memory"); }
__device__ inline void commit_products() {
  asm volatile("wgmma.commit_group.sync.aligned;" ::: "memory");
}
/// Waits for all but the last `Pending` committed groups.
template <int Pending>
__device__ inline void wait_products() {
  asm volatile("wgmma.wait_group.sync.aligned %0;" ::"n"(Pending) : "memory");
}
/// The same, of groups that have written `sums`.
template <int Pending, int Count>
__device__ inline void wait_products(float (&sums)[Count]) {
  wait_products<Pending>();
  // No use of them is moved before the wait.
#pragma unroll
  for (int i = 0; i < Count; ++i) asm volatile("" : "+f"(sums[i])::"memory");
}

// c = a · b + (keep ? c : 0) of a warpgroup: a [64, 16], b [16, n], c [64, n] with n = 2 · the size
// of c. In c, warp w, lane l holds rows 16 w + l/4 (numbers 4 j, 4 j + 1) and 8 on (4 j + 2, 4 j +
// 3), columns 8 j + 2 (l%4) + {0, 1}. An operand in shared memory is told by its descriptor
// (shared_matrix.cuh): a row-major and b as its columns, one after the other. a in registers: as
// mma_bf16() has it, 16 rows a warp; b is row-major then.
#define TROUPE_C8(c, i)                                                                            \
  "+f"(c[i]), "+f"(c[i + 1]), "+f"(c[i + 2]), "+f"(c[i + 3]), "+f"(c[i + 4]), "+f"(c[i + 5]),      \
      "+f"(c[i + 6]), "+f"(c[i + 7])
#define TROUPE_C16(c, i) TROUPE_C8(c, i), TROUPE_C8(c, i + 8)
#define TROUPE_C32(c, i) TROUPE_C16(c, i), TROUPE_C16(c, i + 16)
#define TROUPE_C64(c, i) TROUPE_C32(c, i), TROUPE_C32(c, i + 32)
#define TROUPE_R32                                                                                 \
  "%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, %15, %16, %17, %18, %19, "     \
  "%20, %21, %22, %23, %24, %25, %26, %27, %28, %29, %30, %31"
#define TROUPE_R64                                                                                 \
  TROUPE_R32 ", %32, %33, %34, %35, %36, %37, %38, %39, %40, %41, %42, %43, %44, %45, %46, %47, "  \
             "%48, %49, %50, %51, %52, %53, %54, %55, %56, %57, %58, %59, %60, %61, %62, %63"
#define TROUPE_R96                                                                                 \
  TROUPE_R64 ", %64, %65, %66, %67, %68, %69, %70, %71, %72, %73, %74, %75, %76, %77, %78, %79, "  \
             "%80, %81, %82, %83, %84, %85, %86, %87, %88, %89, %90, %91, %92, %93, %94, %95"
#define TROUPE_R112                                                                                \
  TROUPE_R96 ", %96, %97, %98, %99, %100, %101, %102, %103, %104, %105, %106, %107, %108, %109, "  \
             "%110, %111"
#define TROUPE_R128                                                                                \
  TROUPE_R112 ", %112, %113, %114, %115, %116, %117, %118, %119, %120, %121, %122, %123, %124, "   \
              "%125, %126, %127"
#define TROUPE_WGMMA(shape, type, keep)                                                            \
  "{ .reg .pred keep;\n setp.ne.b32 keep, " keep ", 0;\n"                                          \
  " wgmma.mma_async.sync.aligned.m64" shape "k16.f32." type "." type " "
#define TROUPE_LIST(...) __VA_ARGS__
#define TROUPE_SHARED_PRODUCT(name, type, count, shape, registers, numbers, a_b, keep_at)          \
  __device__ inline void name(float(&c)[count], std::uint64_t a, std::uint64_t b, bool keep) {     \
    asm volatile(TROUPE_WGMMA(shape, type, keep_at) "{" registers "}, " a_b                        \
                                                    ", keep, 1, 1, 0, 0; }"                        \
                 : numbers                                                                         \
                 : "l"(a), "l"(b), "r"(static_cast<int>(keep)));                                   \
  }
#define TROUPE_SHARED_PRODUCTS(name, type)                                                         \
  TROUPE_SHARED_PRODUCT(name, type, 32, "n64", TROUPE_R32, TROUPE_LIST(TROUPE_C32(c, 0)),          \
                        "%32, %33", "%34")                                                         \
  TROUPE_SHARED_PRODUCT(name, type, 64, "n128", TROUPE_R64, TROUPE_LIST(TROUPE_C64(c, 0)),         \
                        "%64, %65", "%66")                                                         \
  TROUPE_SHARED_PRODUCT(name, type, 96, "n192", TROUPE_R96,                                        \
                        TROUPE_LIST(TROUPE_C64(c, 0), TROUPE_C32(c, 64)), "%96, %97", "%98")       \
  TROUPE_SHARED_PRODUCT(name, type, 112, "n224", TROUPE_R112,                                      \
                        TROUPE_LIST(TROUPE_C64(c, 0), TROUPE_C32(c, 64), TROUPE_C16(c, 96)),       \
                        "%112, %113", "%114")                                                      \
  TROUPE_SHARED_PRODUCT(name, type, 128, "n256", TROUPE_R128,                                      \
                        TROUPE_LIST(TROUPE_C64(c, 0), TROUPE_C64(c, 64)), "%128, %129", "%130")
#define TROUPE_REGISTER_PRODUCT(name, type, count, shape, registers, numbers, a_b)                 \
  __device__ inline void name(float(&c)[count], const std::uint32_t* a, std::uint64_t b) {         \
    asm volatile(TROUPE_WGMMA(shape, type, "1") "{" registers "}, " a_b ", keep, 1, 1, 1; }"       \
                 : numbers                                                                         \
                 : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "l"(b));                            \
  }
#define TROUPE_REGISTER_PRODUCTS(name, type)                                                       \
  TROUPE_REGISTER_PRODUCT(name, type, 32, "n64", TROUPE_R32, TROUPE_C32(c, 0),                     \
                          "{%32, %33, %34, %35}, %36")                                             \
  TROUPE_REGISTER_PRODUCT(name, type, 64, "n128", TROUPE_R64, TROUPE_C64(c, 0),                    \
                          "{%64, %65, %66, %67}, %68")
/// Both operands in shared memory.
TROUPE_SHARED_PRODUCTS(multiply_shared_bf16, "bf16")
TROUPE_SHARED_PRODUCTS(multiply_shared_f16, "f16")
/// c += a · b with the four registers of a at `a`.
TROUPE_REGISTER_PRODUCTS(multiply_add_bf16, "bf16")
TROUPE_REGISTER_PRODUCTS(multiply_add_f16, "f16")
#undef TROUPE_C8
#undef TROUPE_C32
#undef TROUPE_C64
#undef TROUPE_C16
#undef TROUPE_LIST
#undef TROUPE_R32
#undef TROUPE_R64
#undef TROUPE_R96
#undef TROUPE_R112
#undef TROUPE_R128
#undef TROUPE_WGMMA
#undef TROUPE_SHARED_PRODUCT
#undef TROUPE_SHARED_PRODUCTS
#undef TROUPE_REGISTER_PRODUCT
#undef TROUPE_REGISTER_PRODUCTS

} // namespace troupe::ptx
