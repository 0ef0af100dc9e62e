// Running an op in a test: the backends there are, arrays on a device, batches over pages. Arrays
// for results start out as NaN, so that what an op does not write is seen.
#pragma once

#include "kernels/ops.hpp"
#include "tests/kernels/reference.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <functional>
#include <limits>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace troupe {

/// A backend that tests run on.
struct device_case {
  std::string name;
  std::function<std::unique_ptr<backend>()> make;
  std::int64_t granule = 1; ///< elements that a row must be a multiple of
  bool slow = false;        ///< tests of many sizes take a few of them
  bool invariant = true;    ///< a row's bits are the same in every batch
};

/// The backends that this program tests: cpu_devices.cpp, simt/devices.cpp.
std::vector<device_case> device_cases();

/// Those of them that promise batch invariance.
inline std::vector<device_case> invariant_devices() {
  auto cases = device_cases();
  std::erase_if(cases, [](const device_case& device) { return !device.invariant; });
  return cases;
}

inline void PrintTo(const device_case& device, std::ostream* out) { *out << device.name; }

/// A test that runs once on every backend.
class device_test : public testing::TestWithParam<device_case> {
 protected:
  device_test() : device_(GetParam().make()) {}

  /// The length of a row that the backend takes, n or a little more.
  static std::int64_t fitting(std::int64_t n) {
    const std::int64_t granule = GetParam().granule;
    return (n + granule - 1) / granule * granule;
  }

  std::unique_ptr<backend> device_;
};

inline std::string name_of_device(const testing::TestParamInfo<device_case>& info) {
  return info.param.name;
}

inline std::vector<float> random_floats(std::size_t n, std::uint32_t seed, float spread = 1) {
  std::mt19937 generator(seed);
  std::normal_distribution<float> normal(0, spread);
  std::vector<float> values(n);
  for (float& value : values) value = normal(generator);
  return values;
}

/// Values rounded through a type, and the type's bytes for them.
struct typed_values {
  std::vector<float> values;
  std::vector<std::byte> bytes;
};

inline typed_values as_type(std::vector<float> values, dtype type) {
  typed_values result{std::move(values), {}};
  result.bytes.resize(result.values.size() * size_of(type));
  for (std::size_t i = 0; i < result.values.size(); ++i) {
    float& value = result.values[i];
    std::byte* const to = result.bytes.data() + i * size_of(type);
    if (type == dtype::f32) {
      std::memcpy(to, &value, 4);
      continue;
    }
    const std::uint16_t bits =
        type == dtype::bf16 ? reference::to_bf16(value) : reference::to_f16(value);
    value = type == dtype::bf16 ? reference::of_bf16(bits) : reference::of_f16(bits);
    std::memcpy(to, &bits, 2);
  }
  return result;
}

/// Device memory of a test.
template <class T>
class device_array {
 public:
  device_array(backend& device, const std::vector<T>& values)
      : device_(&device), size_(values.size()), memory_(device.allocate(size_ * sizeof(T))) {
    device.upload(memory_.get(), values.data(), size_ * sizeof(T));
    device.wait();
  }

  T* data() const { return reinterpret_cast<T*>(memory_.get()); }
  std::vector<T> read() const {
    device_->wait();
    std::vector<T> values(size_);
    device_->download(values.data(), memory_.get(), size_ * sizeof(T));
    device_->wait();
    return values;
  }

 private:
  backend* device_;
  std::size_t size_;
  memory memory_;
};

/// A matrix of activations, in the type that the device has for them (or f32, for logits).
class device_matrix {
 public:
  device_matrix(backend& device, std::int64_t rows, std::int64_t cols, std::vector<float> values,
                dtype type)
      : typed_(as_type(std::move(values), type)),
        bytes_(device, typed_.bytes), view_{bytes_.data(), type, rows, cols} {}
  device_matrix(backend& device, std::int64_t rows, std::int64_t cols, std::vector<float> values)
      : device_matrix(device, rows, cols, std::move(values), device.activation_type()) {}
  /// Poisoned.
  device_matrix(backend& device, std::int64_t rows, std::int64_t cols)
      : device_matrix(device, rows, cols,
                      std::vector<float>(static_cast<std::size_t>(rows * cols),
                                         std::numeric_limits<float>::quiet_NaN())) {}

  const matrix& view() const { return view_; }
  /// What was uploaded, as the device's type rounds it.
  const std::vector<float>& values() const { return typed_.values; }
  std::vector<float> read() const {
    const auto bytes = bytes_.read();
    std::vector<float> out(typed_.values.size());
    for (std::size_t i = 0; i < out.size(); ++i) {
      std::uint16_t half = 0;
      if (view_.type == dtype::f32)
        std::memcpy(&out[i], &bytes[i * 4], 4);
      else
        std::memcpy(&half, &bytes[i * 2], 2);
      if (view_.type == dtype::bf16) out[i] = reference::of_bf16(half);
      if (view_.type == dtype::f16) out[i] = reference::of_f16(half);
    }
    return out;
  }

 private:
  typed_values typed_;
  device_array<std::byte> bytes_;
  matrix view_;
};

/// A weight or a vector on a device, and its values as the type rounds them.
struct device_weight {
  std::vector<float> values;
  matrix view;
  memory data;
};

inline device_weight load_weight(backend& device, std::vector<float> values, std::int64_t rows,
                                 std::int64_t cols, dtype type) {
  auto typed = as_type(std::move(values), type);
  const host_matrix part{typed.bytes.data(), type, rows, cols};
  auto [view, data] = device.load_weight({&part, 1});
  return {std::move(typed.values), view, std::move(data)};
}

inline device_weight load_vector(backend& device, std::vector<float> values) {
  const auto n = static_cast<std::int64_t>(values.size());
  auto [view, data] = device.load_vector({values.data(), dtype::f32, 1, n});
  return {std::move(values), view, std::move(data)};
}

/// Rows of one sequence in a batch.
struct run {
  std::int32_t first = 0; ///< position of the first row
  std::int32_t rows = 1;
};

/// A batch and what its view points to. Each sequence's blocks are scattered over the pages, whose
/// number is `blocks`; their tables stand in the reverse order behind a row that is nobody's.
class device_batch {
 public:
  device_batch(backend& device, const std::vector<run>& runs, std::int32_t block_tokens,
               std::uint32_t seed = 1)
      : device_batch(device, tables(runs, block_tokens, seed)) {}

  const batch_view& view() const { return view_; }
  std::int32_t blocks() const { return host_.blocks; }
  /// Row of the pages that holds a position of a sequence.
  std::size_t page_row(std::size_t sequence, std::int32_t position) const {
    const auto stride = static_cast<std::size_t>(host_.stride);
    const auto table = static_cast<std::size_t>(host_.runs[sequence].table);
    const auto block =
        host_.blocks_of[table * stride + static_cast<std::size_t>(position / host_.block_tokens)];
    return static_cast<std::size_t>(block * host_.block_tokens + position % host_.block_tokens);
  }

 private:
  struct host_tables {
    std::vector<token_id> ids;
    std::vector<std::int32_t> positions, sequence_of, table_of, first_row{0}, blocks_of;
    std::vector<sequence_rows> runs;
    std::int32_t stride = 0, blocks = 0, block_tokens = 0;
  };

  static host_tables tables(const std::vector<run>& runs, std::int32_t block_tokens,
                            std::uint32_t seed) {
    host_tables host;
    host.block_tokens = block_tokens;
    for (const run& run : runs)
      host.stride =
          std::max(host.stride, (run.first + run.rows + block_tokens - 1) / block_tokens + 1);
    host.blocks = host.stride * static_cast<std::int32_t>(runs.size()) + 3;
    std::vector<std::int32_t> free(static_cast<std::size_t>(host.blocks));
    for (std::size_t i = 0; i < free.size(); ++i) free[i] = static_cast<std::int32_t>(i);
    std::shuffle(free.begin(), free.end(), std::mt19937(seed));
    for (std::size_t s = 0; s < runs.size(); ++s) {
      const auto table = static_cast<std::int32_t>(runs.size() - s);
      host.runs.push_back({host.first_row.back(), runs[s].rows, runs[s].first, table});
      for (std::int32_t i = 0; i < runs[s].rows; ++i) {
        host.ids.push_back(0);
        host.positions.push_back(runs[s].first + i);
        host.sequence_of.push_back(static_cast<std::int32_t>(s));
        host.table_of.push_back(table);
      }
      host.first_row.push_back(static_cast<std::int32_t>(host.positions.size()));
    }
    host.blocks_of.assign(static_cast<std::size_t>(host.stride), free.back());
    host.blocks_of.insert(host.blocks_of.end(), free.begin(),
                          free.begin() + static_cast<std::ptrdiff_t>(runs.size()) * host.stride);
    return host;
  }

  device_batch(backend& device, host_tables host)
      : host_(std::move(host)), ids_(device, host_.ids), positions_(device, host_.positions),
        sequence_of_(device, host_.sequence_of), table_of_(device, host_.table_of),
        first_row_(device, host_.first_row), blocks_of_(device, host_.blocks_of) {
    view_.tokens = static_cast<std::int32_t>(host_.positions.size());
    view_.sequences = static_cast<std::int32_t>(host_.first_row.size()) - 1;
    view_.ids = ids_.data();
    view_.positions = positions_.data();
    view_.sequence_of = sequence_of_.data();
    view_.first_row = first_row_.data();
    view_.table_of = table_of_.data();
    view_.block_tables = blocks_of_.data();
    view_.table_stride = host_.stride;
    view_.runs = host_.runs;
  }

  host_tables host_;
  device_array<token_id> ids_;
  device_array<std::int32_t> positions_, sequence_of_, table_of_, first_row_, blocks_of_;
  batch_view view_;
};

/// Relative error that an op of this device may have beside the magnitude of what it adds up.
inline double tolerance(const backend& device) {
  return device.activation_type() == dtype::f32   ? 2e-5
         : device.activation_type() == dtype::f16 ? 4e-3
                                                  : 2e-2;
}

/// Each of `got` within tolerance * (|want| + scale) of `want`; the first that is not fails.
inline void expect_close(const std::vector<float>& got, const std::vector<double>& want,
                         double tolerance, double scale = 1) {
  ASSERT_EQ(got.size(), want.size());
  for (std::size_t i = 0; i < got.size(); ++i)
    ASSERT_LE(std::fabs(got[i] - want[i]), tolerance * (std::fabs(want[i]) + scale))
        << "element " << i << ": " << got[i] << ", not " << want[i];
}

/// The same bits.
inline void expect_same(const std::vector<float>& got, const std::vector<float>& want) {
  ASSERT_EQ(got.size(), want.size());
  for (std::size_t i = 0; i < got.size(); ++i)
    ASSERT_EQ(std::bit_cast<std::uint32_t>(got[i]), std::bit_cast<std::uint32_t>(want[i]))
        << "element " << i << ": " << got[i] << ", not " << want[i];
}

} // namespace troupe
