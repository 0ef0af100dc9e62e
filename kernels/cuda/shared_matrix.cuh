// How 16-bit matrices lie in shared memory for the products of warpgroups: in panels of 64 columns,
// a row of 128 bytes after the other, whose 16-byte pieces are exchanged by the row's last three
// bits so that no way to read them meets one bank twice. The copy engine's 128-byte swizzle writes
// the same. Panels begin at multiples of 1024 bytes. Layouts and descriptors: PTX ISA,
// "Asynchronous warpgroup level matrix shared memory layout" and "matrix descriptor format".
#pragma once

#include <cstddef>
#include <cstdint>
#include <cuda_runtime.h>

namespace troupe::cuda {

/// Columns of a panel.
constexpr int panel_columns = 64;
constexpr int panel_row_bytes = 128;
constexpr int panel_alignment = 1024;

/// Where in a panel piece `piece` (8 columns) of a row lies, in bytes.
__device__ constexpr std::uint32_t panel_offset(std::uint32_t row, std::uint32_t piece) {
  return row * panel_row_bytes + ((piece ^ (row % 8)) << 4);
}

/// A descriptor: eight rows of 128 bytes are an atom; `stride` bytes lie from atom to atom along
/// the rows, `leading` from panel to panel where a product goes over several.
__device__ constexpr std::uint64_t panel_descriptor(std::uint32_t address, std::uint32_t leading,
                                                    std::uint32_t stride) {
  constexpr std::uint64_t swizzle_128 = std::uint64_t{1} << 62;
  return swizzle_128 | std::uint64_t{stride >> 4} << 32 | std::uint64_t{leading >> 4} << 16 |
         (address & 0x3FFFF) >> 4;
}

/// Of rows that are the operand's own (a) or columns (b) with the inner dimension along the panel.
__device__ constexpr std::uint64_t rows_descriptor(std::uint32_t address) {
  return panel_descriptor(address, 16, 8 * panel_row_bytes);
}
/// Of panels whose rows go along the inner dimension: b row-major, `panel_bytes` from 64 columns to
/// the next 64.
__device__ constexpr std::uint64_t columns_descriptor(std::uint32_t address,
                                                      std::uint32_t panel_bytes) {
  return panel_descriptor(address, panel_bytes, 8 * panel_row_bytes);
}
/// The descriptor of what lies `bytes` on.
__device__ constexpr std::uint64_t advanced(std::uint64_t descriptor, std::uint32_t bytes) {
  return descriptor + (bytes >> 4);
}

} // namespace troupe::cuda
