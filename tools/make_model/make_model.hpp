// Makes a model folder of random weights in the shape of a public model, to load, serve and measure
// without downloading anything.
#pragma once

#include "kernels/tensor.hpp"
#include "tools/make_model/write_weights.hpp"

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

namespace troupe {

struct make_options {
  std::string shape;
  std::filesystem::path out;
  std::uint64_t seed = 0;
  dtype type = dtype::bf16;
  std::uint64_t shard_bytes = 5'000'000'000;
  std::optional<std::int32_t> layers; ///< fewer than the shape has
  bool force = false;                 ///< writes over a model that is there
  int threads = 0;                    ///< 0: one for each core
};

struct made_model {
  std::uint64_t parameters = 0;
  std::uint64_t bytes = 0; ///< of the weights' files
  std::size_t files = 0;   ///< of weights
};

/// Bytes that could be written to the disk that `folder` is or will be on.
std::uint64_t free_room(const std::filesystem::path& folder);

/// `progress` is told bytes written and bytes in all; `room_at` is asked for the disk's room. The
/// folder is complete only when config.json is there, which comes last. Throws
/// std::invalid_argument for options that make no sense, std::runtime_error where the folder cannot
/// be used, the disk lacks room or does not take it.
made_model
make_model(const make_options& options,
           const std::function<void(std::uint64_t, std::uint64_t)>& progress = {},
           const std::function<std::uint64_t(const std::filesystem::path&)>& room_at = free_room);

} // namespace troupe
