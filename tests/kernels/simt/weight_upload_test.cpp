// Weights come to the device whole, whoever reads which piece, and what reading throws reaches the
// caller when nobody reads any more.
#include "kernels/cuda/weight_upload.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <latch>
#include <stdexcept>
#include <vector>

namespace troupe {

namespace {

constexpr std::size_t piece = cuda::weight_upload::piece_bytes;

host_matrix read_by(element_reader read, std::size_t bytes) {
  return {nullptr, dtype::bf16, 1, static_cast<std::int64_t>(bytes / 2), std::move(read)};
}

TEST(WeightUpload, BringsEveryByteWhateverItsLength) {
  std::vector<std::byte> all(5 * piece + 1234);
  for (std::size_t i = 0; i < all.size(); ++i) all[i] = static_cast<std::byte>(i * 7 + i / 4093);
  const auto stream = cuda::make_stream();
  cuda::weight_upload upload(stream.get(), 3);
  for (const std::size_t bytes : {std::size_t{0}, std::size_t{2}, piece, piece + 2, all.size()}) {
    const memory device = cuda::allocate_device(all.size());
    upload.bring(device.get(), read_by(
                                   [&](std::span<std::byte> out, std::uint64_t offset) {
                                     std::copy_n(all.data() + offset, out.size(), out.data());
                                   },
                                   bytes));
    EXPECT_TRUE(std::equal(all.data(), all.data() + bytes, device.get())) << bytes;
  }
}

TEST(WeightUpload, ReadsOnSeveralThreadsAtOnce) {
  const auto stream = cuda::make_stream();
  cuda::weight_upload upload(stream.get(), 3);
  const memory device = cuda::allocate_device(3 * piece);
  std::latch all_here(3);
  std::atomic<int> readers = 0;
  upload.bring(device.get(), read_by(
                                 [&](std::span<std::byte>, std::uint64_t) {
                                   ++readers;
                                   all_here.arrive_and_wait();
                                 },
                                 3 * piece));
  EXPECT_EQ(readers, 3);
}

TEST(WeightUpload, ThrowsWhatReadingThrewAndServesTheNext) {
  const auto stream = cuda::make_stream();
  cuda::weight_upload upload(stream.get(), 3);
  const memory device = cuda::allocate_device(8 * piece);
  std::atomic<int> reading = 0;
  const auto failing = [&](std::span<std::byte>, std::uint64_t offset) {
    ++reading;
    const bool fails = offset == 2 * piece;
    --reading;
    if (fails) throw std::runtime_error("the file was changed");
  };
  EXPECT_THROW(upload.bring(device.get(), read_by(failing, 8 * piece)), std::runtime_error);
  EXPECT_EQ(reading, 0);
  std::atomic<std::size_t> bytes = 0;
  upload.bring(
      device.get(),
      read_by([&](std::span<std::byte> out, std::uint64_t) { bytes += out.size(); }, 8 * piece));
  EXPECT_EQ(bytes, 8 * piece);
}

} // namespace

} // namespace troupe
