// Stands in for kernels/cuda/ptx_hopper.cuh: the same functions, interpreted. Copies are done some
// time later, products where they are waited for; operands in shared memory are found by their
// descriptors' bits alone, as the PTX ISA tells them.
#pragma once

#include "kernels/cuda/ptx.cuh"

#include <cuda.h>
#include <stdexcept>

namespace troupe::ptx {

constexpr bool has_hopper = true;

[[noreturn]] inline void trap() { throw std::logic_error("trap"); }

/// Where the dynamic shared memory begins: aligned as little as hardware promises.
constexpr std::uint32_t first_shared_address = 1024 + 128;

inline std::uint32_t shared_address(const void* shared) {
  const auto* const base = simt::block::current().shared();
  return static_cast<std::uint32_t>(static_cast<const std::byte*>(shared) - base) +
         first_shared_address;
}
inline std::byte* shared_at(std::uint32_t address) {
  return simt::block::current().shared() + (address - first_shared_address);
}

/// What the 8 bytes of a barrier hold.
struct barrier_state {
  std::uint16_t arrivals; ///< that a phase takes
  std::uint16_t pending;
  std::int32_t bytes : 31;
  std::uint32_t parity : 1;
};
static_assert(sizeof(barrier_state) == 8);

/// Changes a barrier, and ends its phase where nothing is missing.
template <class Change>
void change_barrier(std::uint64_t* barrier, const Change& change) {
  auto state = std::bit_cast<barrier_state>(*barrier);
  change(state);
  if (state.pending == 0 && state.bytes == 0) {
    state.pending = state.arrivals;
    state.parity ^= 1U;
  }
  *barrier = std::bit_cast<std::uint64_t>(state);
}
inline void count_arrival(barrier_state& state) {
  constexpr std::uint16_t poison = 0xFFFF; // memory that nobody has written
  if (state.arrivals == 0 || state.arrivals == poison || state.pending == 0 ||
      state.pending > state.arrivals)
    throw std::logic_error("too many arrive at a barrier, or it was not made");
  --state.pending;
}

inline void make_barrier(std::uint64_t* barrier, std::uint32_t arrivals) {
  const auto count = static_cast<std::uint16_t>(arrivals);
  *barrier = std::bit_cast<std::uint64_t>(barrier_state{count, count, 0, 0});
}
inline void publish_barriers() {}
inline void arrive(std::uint64_t* barrier) { change_barrier(barrier, count_arrival); }
inline void arrive_expecting(std::uint64_t* barrier, std::uint32_t bytes) {
  change_barrier(barrier, [=](barrier_state& state) {
    state.bytes += static_cast<std::int32_t>(bytes);
    count_arrival(state);
  });
}
inline void wait(std::uint64_t* barrier, std::uint32_t parity) {
  simt::block::current().wait_until(
      [=] { return std::bit_cast<barrier_state>(*barrier).parity != parity; },
      "a barrier in shared memory");
}
inline void publish_shared() {}

inline void sync_some(int id, int threads) {
  simt::block::current().sync(static_cast<unsigned>(id), static_cast<unsigned>(threads));
}
inline void arrive_some(int id, int threads) {
  simt::block::current().arrive(static_cast<unsigned>(id), static_cast<unsigned>(threads));
}

template <int Count>
void take_registers() {
  static_assert(Count % 8 == 0 && Count >= 24 && Count <= 256);
}
template <int Count>
void give_registers() {
  static_assert(Count % 8 == 0 && Count >= 24 && Count <= 256);
}

/// The 128-byte swizzle, of addresses.
inline std::uint32_t swizzled(std::uint32_t address) { return address ^ ((address >> 7 & 7) << 4); }

// Blocks of a cluster have the same layout, so that a place in one is told by the address in
// another.

inline std::uint32_t number_in_cluster() { return simt::block::current().number(); }
inline void arrive_cluster() { simt::block::current().arrive_cluster(); }
inline void wait_cluster() { simt::block::current().wait_cluster(); }
/// What lies in block `block` of the cluster where `here` lies in the running thread's.
template <class T>
T* same_place_in(std::uint32_t block, T* here) {
  auto& mine = simt::block::current();
  const auto at = reinterpret_cast<const std::byte*>(here) - mine.shared();
  return reinterpret_cast<T*>(mine.neighbour(block).shared() + at);
}
inline void arrive_in(std::uint32_t block, std::uint64_t* barrier) {
  change_barrier(same_place_in(block, barrier), count_arrival);
}

inline void prefetch_map(const CUtensorMap&) {}
inline void copy_box(void* shared, const CUtensorMap& map, std::int32_t column, std::int32_t row,
                     std::uint64_t* barrier) {
  const std::uint32_t to = shared_address(shared);
  if (to % 128 != 0) throw std::logic_error("a box is copied to where it is not aligned");
  simt::block::current().in_background([=] {
    for (std::uint32_t r = 0; r < map.box_rows; ++r)
      for (std::uint32_t c = 0; c < map.box_columns; ++c) {
        const std::int64_t from_row = std::int64_t{row} + r, from_column = std::int64_t{column} + c;
        std::uint16_t value = 0;
        if (from_row >= 0 && from_row < static_cast<std::int64_t>(map.rows) && from_column >= 0 &&
            from_column < static_cast<std::int64_t>(map.columns))
          std::memcpy(
              &value,
              map.data + static_cast<std::uint64_t>(from_row) * map.row_bytes + 2 * from_column, 2);
        std::memcpy(shared_at(swizzled(to + r * 128 + c * 2)), &value, 2);
      }
    change_barrier(barrier, [&](barrier_state& state) {
      state.bytes -= static_cast<std::int32_t>(map.box_rows * map.box_columns * 2);
    });
  });
}

inline void copy_box_to(std::uint32_t blocks, void* shared, const CUtensorMap& map,
                        std::int32_t column, std::int32_t row, std::uint64_t* barrier) {
  auto& mine = simt::block::current();
  for (std::uint32_t block = 0; block < 16; ++block) {
    if ((blocks >> block & 1) == 0) continue;
    auto* const to = same_place_in(block, static_cast<std::byte*>(shared));
    auto* const full = same_place_in(block, barrier);
    mine.neighbour(block).run_as([&] { copy_box(to, map, column, row, full); });
  }
}

inline void wgmma_fence() {}
inline void commit_products() { simt::block::current().commit_later(simt::block::products); }
/// Nobody of the warp goes on before all have read their operands.
template <int Pending>
void wait_products() {
  simt::block::current().settle_later(Pending, simt::block::products);
  __syncwarp();
}
template <int Pending, int Count>
void wait_products(float (&)[Count]) {
  wait_products<Pending>();
}

/// An operand in shared memory, as a descriptor tells of it.
class shared_operand {
 public:
  explicit shared_operand(std::uint64_t bits)
      : start_(static_cast<std::uint32_t>(bits & 0x3FFF) << 4),
        leading_(static_cast<std::uint32_t>(bits >> 16 & 0x3FFF) << 4),
        stride_(static_cast<std::uint32_t>(bits >> 32 & 0x3FFF) << 4) {
    if (bits >> 62 != 1 || (bits >> 49 & 7) != 0)
      throw std::logic_error("a descriptor of another layout than the 128-byte swizzle");
  }
  /// Element (line, k), the inner dimension k along the rows of 128 bytes.
  std::uint16_t along(std::uint32_t line, std::uint32_t k) const {
    return at(line / 8 * stride_ + line % 8 * 128 + 2 * k);
  }
  /// The same with the lines along the rows of 128 bytes: the transposed form.
  std::uint16_t across(std::uint32_t line, std::uint32_t k) const {
    return at(line / 64 * leading_ + line % 64 * 2 + k / 8 * stride_ + k % 8 * 128);
  }

 private:
  std::uint16_t at(std::uint32_t offset) const {
    std::uint16_t out;
    std::memcpy(&out, shared_at(swizzled(start_ + offset)), 2);
    return out;
  }

  std::uint32_t start_, leading_, stride_;
};

/// 16 numbers of an operand's row or column.
using product_line = std::array<float, 16>;

/// This thread's part of c: two rows, and of every eight columns two. b(column, k) gives bits.
template <auto number, int Count, class Column>
void add_products(float (&c)[Count], const std::array<product_line, 2>& a, const Column& b,
                  bool keep) {
  const unsigned lane = simt::block::current().lane();
  for (unsigned n = 0; n < Count / 4; ++n)
    for (unsigned e = 0; e < 2; ++e) {
      product_line column;
      for (unsigned k = 0; k < 16; ++k) column[k] = number(b(8 * n + lane % 4 * 2 + e, k));
      for (unsigned i = 0; i < 2; ++i) {
        double sum = 0;
        for (unsigned k = 0; k < 16; ++k) sum += double{a[i][k]} * column[k];
        float& to = c[4 * n + 2 * i + e];
        to = static_cast<float>(keep ? to + sum : sum);
      }
    }
}

template <auto number, int Count>
void multiply_shared(float (&c)[Count], std::uint64_t a, std::uint64_t b, bool keep) {
  auto& all = simt::block::current();
  const unsigned row = all.thread() % 128 / 32 * 16 + all.lane() / 4;
  all.later(
      [=, &c] {
        const shared_operand left(a), right(b);
        std::array<product_line, 2> rows;
        for (unsigned i = 0; i < 2; ++i)
          for (unsigned k = 0; k < 16; ++k) rows[i][k] = number(left.along(row + 8 * i, k));
        add_products<number>(
            c, rows, [&](unsigned column, unsigned k) { return right.along(column, k); }, keep);
      },
      simt::block::products);
}

/// The lanes of a quad hold two rows of a together.
template <auto number, int Count>
void multiply_add(float (&c)[Count], const std::uint32_t* a, std::uint64_t b) {
  auto& all = simt::block::current();
  const std::array<std::uint32_t, 4> mine{a[0], a[1], a[2], a[3]};
  const auto& left = all.exchange(0xFFFFFFFF, &mine, sizeof mine);
  std::array<product_line, 2> rows;
  for (unsigned q = 0; q < 4; ++q) {
    std::array<std::uint32_t, 4> of;
    std::memcpy(&of, left[all.lane() / 4 * 4 + q].data(), sizeof of);
    for (unsigned r = 0; r < 4; ++r) {
      rows[r % 2][r / 2 * 8 + 2 * q] = number(of[r] & 0xFFFF);
      rows[r % 2][r / 2 * 8 + 2 * q + 1] = number(of[r] >> 16);
    }
  }
  all.later(
      [=, &c] {
        const shared_operand right(b);
        add_products<number>(
            c, rows, [&](unsigned column, unsigned k) { return right.across(column, k); }, true);
      },
      simt::block::products);
}

template <int Count>
void multiply_shared_bf16(float (&c)[Count], std::uint64_t a, std::uint64_t b, bool keep) {
  multiply_shared<unpack_bf16>(c, a, b, keep);
}
template <int Count>
void multiply_shared_f16(float (&c)[Count], std::uint64_t a, std::uint64_t b, bool keep) {
  multiply_shared<unpack_f16>(c, a, b, keep);
}
template <int Count>
void multiply_add_bf16(float (&c)[Count], const std::uint32_t* a, std::uint64_t b) {
  multiply_add<unpack_bf16>(c, a, b);
}
template <int Count>
void multiply_add_f16(float (&c)[Count], const std::uint32_t* a, std::uint64_t b) {
  multiply_add<unpack_f16>(c, a, b);
}

} // namespace troupe::ptx
