// What kernels are given: typed views of row-major matrices, and memory that frees itself. A view
// never owns; whoever holds the `memory` keeps the view valid.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <memory>
#include <span>

namespace troupe {

/// Element types of weights and activations.
enum class dtype : std::uint8_t { f32, f16, bf16 };

/// Bytes of one element.
constexpr std::size_t size_of(dtype type) { return type == dtype::f32 ? 4 : 2; }

/// Memory of a backend's device, freed by the backend that gave it.
using memory = std::unique_ptr<std::byte, std::function<void(std::byte*)>>;

/// A row-major matrix [rows, cols] without gaps in device memory.
struct matrix {
  void* data = nullptr;
  dtype type = dtype::f32;
  std::int64_t rows = 0;
  std::int64_t cols = 0;
};

/// Fills `out` with a matrix's elements, from byte `offset` of them on. Several threads may call it
/// at once; what it throws reaches whoever wanted the elements.
using element_reader = std::function<void(std::span<std::byte> out, std::uint64_t offset)>;

/// The same, read only and on the host: in memory, or where it is read from.
struct host_matrix {
  const void* data = nullptr;
  dtype type = dtype::f32;
  std::int64_t rows = 0;
  std::int64_t cols = 0;
  element_reader read{}; ///< gives the elements where data is null

  std::uint64_t bytes() const { return static_cast<std::uint64_t>(rows * cols) * size_of(type); }
  /// Fills `out` with the elements from byte `offset` on.
  void copy_to(std::span<std::byte> out, std::uint64_t offset) const {
    if (data == nullptr)
      read(out, offset);
    else if (!out.empty())
      std::memcpy(out.data(), static_cast<const std::byte*>(data) + offset, out.size());
  }
};

} // namespace troupe
