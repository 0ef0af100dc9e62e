// The weights of a model folder: model.safetensors, or the shards that
// model.safetensors.index.json names. A header is the claim of a file that may be damaged or
// hostile: every number in it is checked against the file before anything is allocated or read by
// it, so that what stands in tensors() can be read without further questions.
#pragma once

#include "kernels/tensor.hpp"
#include "model/model_file.hpp"

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace troupe {

/// Where a tensor stands and what it holds.
struct stored_tensor {
  dtype type = dtype::f32;
  std::vector<std::int64_t> shape; ///< outermost first
  std::size_t shard = 0;           ///< which of the files
  std::uint64_t offset = 0;        ///< of its first byte in that file
  std::uint64_t bytes = 0;         ///< product of shape times the element's size
};

/// The limits of one file's header, well above what published models need.
struct safetensors_limits {
  std::uint64_t header_bytes = std::uint64_t{32} << 20;
  std::size_t tensors = 200'000;
  std::size_t rank = 8;
};

/// All tensors of a folder by their names.
class safetensors {
 public:
  /// Throws model_error where a file is absent, damaged, or has a tensor of a type not served.
  explicit safetensors(const std::filesystem::path& folder, const safetensors_limits& limits = {});

  const std::map<std::string, stored_tensor, std::less<>>& tensors() const { return tensors_; }
  bool contains(std::string_view name) const { return tensors_.contains(name); }
  /// Throws model_error where there is none of that name.
  const stored_tensor& find(std::string_view name) const;
  /// Copies a tensor's elements from byte `offset` of them on: offset + out.size() <= tensor.bytes.
  /// By several threads at once, if need be. Throws model_error where the file was changed
  /// meanwhile.
  void read(const stored_tensor& tensor, std::uint64_t offset, std::span<std::byte> out) const;
  /// Sum of all tensors' bytes.
  std::uint64_t bytes() const { return bytes_; }
  const std::filesystem::path& folder() const { return folder_; }

 private:
  void add_file(const std::filesystem::path& path, const safetensors_limits& limits);
  void add_shards(const safetensors_limits& limits);

  std::filesystem::path folder_;
  std::vector<model_file> files_;
  std::map<std::string, stored_tensor, std::less<>> tensors_;
  std::uint64_t bytes_ = 0;
};

} // namespace troupe
