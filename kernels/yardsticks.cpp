// Ops are issued several at a time between two waits, so that a device that is far away is not
// timed for the way there.
#include "kernels/yardsticks.hpp"

#include "kernels/philox.hpp"

#include <algorithm>
#include <utility>
#include <vector>

namespace troupe {
namespace {

constexpr std::int64_t first_rows = 64;
constexpr std::int64_t growth_of_rows = 4;

/// Random words that are numbers of `type`, of either sign and between 1 and 2: none is NaN or
/// small enough to be computed in another way.
std::vector<std::uint32_t> random_elements(std::size_t count, dtype type, std::uint32_t stream) {
  const auto [kept, one] = type == dtype::f32    ? std::pair{0x807FFFFFU, 0x3F800000U}
                           : type == dtype::bf16 ? std::pair{0x807F807FU, 0x3F803F80U}
                                                 : std::pair{0x83FF83FFU, 0x3C003C00U};
  std::vector<std::uint32_t> words(count * size_of(type) / sizeof(std::uint32_t) + 1);
  for (std::size_t i = 0; i < words.size(); i += 4) {
    const auto random = philox({static_cast<std::uint32_t>(i), 0, 0, 0}, {stream, 0});
    for (std::size_t j = i; j < std::min(i + 4, words.size()); ++j)
      words[j] = (random[j - i] & kept) | one;
  }
  return words;
}

class timing {
 public:
  timing(backend& device, const yardstick_sizes& sizes, const std::function<double()>& clock)
      : device_(device), wanted_(std::chrono::duration<double>(sizes.sample).count()),
        samples_(sizes.samples), clock_(clock) {}

  bool fills_a_sample(double seconds) const { return seconds >= wanted_; }

  template <class Op>
  double seconds_of(Op&& op, int repeats = 1) const {
    const double begin = clock_();
    for (int i = 0; i < repeats; ++i) op();
    device_.wait();
    return clock_() - begin;
  }

  /// Of one call of `op`: the median, after a warm-up that finds how often a sample repeats it.
  template <class Op>
  double median_seconds_of(Op&& op) const {
    seconds_of(op);
    int repeats = 1;
    while (!fills_a_sample(seconds_of(op, repeats))) repeats *= 2;
    std::vector<double> taken;
    for (int i = 0; i < samples_; ++i) taken.push_back(seconds_of(op, repeats));
    const auto middle = taken.begin() + static_cast<std::ptrdiff_t>(taken.size() / 2);
    std::nth_element(taken.begin(), middle, taken.end());
    return *middle / repeats;
  }

 private:
  backend& device_;
  double wanted_;
  int samples_;
  const std::function<double()>& clock_;
};

/// Device memory full of random bits.
memory random_memory(backend& device, std::size_t bytes, dtype type, std::uint32_t stream) {
  constexpr std::size_t piece = std::size_t{16} << 20;
  memory out = device.allocate(bytes);
  const auto random = random_elements(std::min(bytes, piece) / size_of(type) + 1, type, stream);
  for (std::size_t at = 0; at < bytes; at += piece)
    device.upload(out.get() + at, random.data(), std::min(piece, bytes - at));
  device.wait();
  return out;
}

double measure_copy(backend& device, const yardstick_sizes& sizes, const timing& time) {
  const memory from = random_memory(device, sizes.copy_bytes, dtype::f32, 1);
  const memory to = random_memory(device, sizes.copy_bytes, dtype::f32, 2);
  const double seconds =
      time.median_seconds_of([&] { device.copy(to.get(), from.get(), sizes.copy_bytes); });
  return 2.0 * static_cast<double>(sizes.copy_bytes) / seconds;
}

double measure_matrix(backend& device, dtype weight_type, const yardstick_sizes& sizes,
                      const timing& time) {
  const std::int64_t side = sizes.matrix_side;
  const auto elements = random_elements(static_cast<std::size_t>(side * side), weight_type, 3);
  const host_matrix part{elements.data(), weight_type, side, side};
  const auto loaded = device.load_weight({&part, 1});
  device.wait();
  const dtype type = device.activation_type();
  for (std::int64_t rows = std::min(first_rows, sizes.most_rows);;
       rows = std::min(rows * growth_of_rows, sizes.most_rows)) {
    const std::size_t bytes = static_cast<std::size_t>(rows * side) * size_of(type);
    const memory in = random_memory(device, bytes, type, 4);
    const memory out = device.allocate(bytes);
    const auto multiply = [&] {
      device.matmul({out.get(), type, rows, side}, {in.get(), type, rows, side}, loaded.first, {});
    };
    time.seconds_of(multiply);
    if (rows < sizes.most_rows && !time.fills_a_sample(time.seconds_of(multiply))) continue;
    return 2.0 * static_cast<double>(rows * side) * static_cast<double>(side) /
           time.median_seconds_of(multiply);
  }
}

} // namespace

double steady_seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

yardsticks measure_yardsticks(backend& device, dtype weight_type, const yardstick_sizes& sizes,
                              const std::function<double()>& clock) {
  const timing time(device, sizes, clock);
  return {measure_copy(device, sizes, time), measure_matrix(device, weight_type, sizes, time)};
}

} // namespace troupe
