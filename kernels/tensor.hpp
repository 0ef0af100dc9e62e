// What kernels are given: typed views of row-major matrices, and memory that frees itself. A view
// never owns; whoever holds the `memory` keeps the view valid.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>

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

/// The same, in host memory and read only: how weights come from a file.
struct host_matrix {
  const void* data = nullptr;
  dtype type = dtype::f32;
  std::int64_t rows = 0;
  std::int64_t cols = 0;
};

} // namespace troupe
