#include "tools/make_model/write_weights.hpp"

#include "kernels/cpu/thread_pool.hpp"
#include "tools/make_model/output_file.hpp"

#include <algorithm>
#include <mutex>

namespace troupe {
namespace {

constexpr std::uint64_t piece_elements = std::uint64_t{1} << 21;

struct piece {
  std::size_t file = 0;
  std::size_t parameter = 0;
  std::uint64_t first = 0; // element of the parameter
  std::uint64_t count = 0;
  std::uint64_t offset = 0; // in the file
};

/// Every piece of every tensor, in the order of their offsets: all files advance together.
std::vector<piece> cut(const std::vector<weight_file>& files,
                       const std::vector<parameter>& parameters, dtype type) {
  std::vector<piece> out;
  for (std::size_t f = 0; f < files.size(); ++f)
    for (const placed_tensor& tensor : files[f].tensors) {
      const std::uint64_t elements = parameters[tensor.parameter].elements();
      for (std::uint64_t first = 0; first < elements; first += piece_elements)
        out.push_back({f, tensor.parameter, first, std::min(piece_elements, elements - first),
                       tensor.offset + first * size_of(type)});
    }
  std::ranges::stable_sort(out, {}, &piece::offset);
  return out;
}

} // namespace

void write_weights(const std::filesystem::path& folder, const std::vector<weight_file>& files,
                   const std::vector<parameter>& parameters, const random_weights& source,
                   int threads, const bytes_written& progress) {
  std::vector<output_file> outputs;
  for (const weight_file& file : files) {
    outputs.emplace_back(folder / file.name);
    outputs.back().write(0, std::as_bytes(std::span(file.header)));
  }
  const auto pieces = cut(files, parameters, source.type());
  std::mutex guard;
  std::uint64_t done = 0;
  thread_pool pool({.threads = threads, .pin = false, .spin = {}});
  pool.parallel_for(
      static_cast<std::int64_t>(pieces.size()), 1, [&](std::int64_t begin, std::int64_t end) {
        std::vector<std::byte> buffer;
        for (auto i = static_cast<std::size_t>(begin); i < static_cast<std::size_t>(end); ++i) {
          const piece& each = pieces[i];
          buffer.resize(each.count * size_of(source.type()));
          source.fill(buffer, parameters[each.parameter], each.first);
          outputs[each.file].write(each.offset, buffer);
          const std::scoped_lock lock(guard);
          done += buffer.size();
          if (progress) progress(done);
        }
      });
  for (output_file& each : outputs) each.close();
}

} // namespace troupe
