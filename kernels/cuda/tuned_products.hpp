// Which of the library's ways to multiply was the fastest for a shape, found out once and kept on
// disk: finding out takes longer than a start should. A step may have any number of rows, so only
// some numbers are tried, and another one takes the way of the next larger.
#pragma once

#include "kernels/tensor.hpp"

#include <array>
#include <compare>
#include <filesystem>
#include <map>
#include <string>

namespace troupe::cuda {

/// out: [rows, outputs] = x: [rows, inputs] · weightᵀ, x and weight of `type`, out of `out_type`.
struct product_shape {
  std::int64_t rows = 0;
  std::int64_t outputs = 0;
  std::int64_t inputs = 0;
  dtype type = dtype::bf16;
  dtype out_type = dtype::bf16;

  auto operator<=>(const product_shape&) const = default;
};

/// Numbers of rows that are tried, rising.
inline constexpr std::array<std::int64_t, 14> tuned_rows = {32,  64,  96,   128,  192,  256,  384,
                                                            512, 768, 1024, 1536, 2048, 4096, 8192};

class tuned_products {
 public:
  /// What the library calls an algorithm, as it asks to be kept.
  using algorithm = std::array<std::uint64_t, 8>;

  /// Reads the file, if there is one. What was found out by others than `identity` (the device and
  /// the versions; one line) or can't be read counts for nothing. An empty path keeps nothing.
  tuned_products(std::filesystem::path file, std::string identity);

  /// What was kept for a shape, its rows rounded up to the next that is tried; null where nothing
  /// was.
  const algorithm* find(product_shape shape) const;
  void keep(const product_shape& shape, const algorithm& fastest) { all_[shape] = fastest; }
  /// Replaces the file at once, so that whoever reads it meanwhile sees the old one or the new one.
  /// Returns whether it was written.
  bool save() const;

 private:
  std::filesystem::path file_;
  std::string identity_;
  std::map<product_shape, algorithm> all_;
};

} // namespace troupe::cuda
