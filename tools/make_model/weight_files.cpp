// The format: model/safetensors.cpp. Headers are padded with spaces to eight bytes, as the format's
// own writer does, so that data is aligned.
#include "tools/make_model/weight_files.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <string_view>

namespace troupe {
namespace {

using json = nlohmann::ordered_json;

constexpr std::size_t alignment = 8;

std::string_view name_of(dtype type) {
  return type == dtype::f32 ? "F32" : type == dtype::f16 ? "F16" : "BF16";
}

std::string header_of(const json& entries) {
  std::string text = entries.dump();
  text.append((alignment - text.size() % alignment) % alignment, ' ');
  std::string length(alignment, '\0');
  for (std::size_t i = 0; i < length.size(); ++i)
    length[i] = static_cast<char>(text.size() >> (8 * i));
  return length + text;
}

/// Header, offsets and size of a file whose tensors are chosen.
void lay_out(weight_file& file, const std::vector<parameter>& parameters, dtype type) {
  json entries;
  entries["__metadata__"] = {{"format", "pt"}};
  std::uint64_t at = 0;
  for (placed_tensor& each : file.tensors) {
    const parameter& what = parameters[each.parameter];
    each.offset = at;
    at += what.elements() * size_of(type);
    entries[what.name] = {
        {"dtype", name_of(type)}, {"shape", what.shape}, {"data_offsets", {each.offset, at}}};
  }
  file.header = header_of(entries);
  for (placed_tensor& each : file.tensors) each.offset += file.header.size();
  file.bytes = file.header.size() + at;
}

} // namespace

std::vector<weight_file> plan_weight_files(const std::vector<parameter>& parameters, dtype type,
                                           std::uint64_t shard_bytes) {
  std::vector<weight_file> files(1);
  std::uint64_t filled = 0;
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    const std::uint64_t bytes = parameters[i].elements() * size_of(type);
    if (filled > 0 && filled + bytes > shard_bytes) {
      files.emplace_back();
      filled = 0;
    }
    files.back().tensors.push_back({i, 0});
    filled += bytes;
  }
  for (std::size_t i = 0; i < files.size(); ++i) {
    files[i].name = files.size() == 1
                        ? "model.safetensors"
                        : fmt::format("model-{:05}-of-{:05}.safetensors", i + 1, files.size());
    lay_out(files[i], parameters, type);
  }
  return files;
}

std::string index_json(const std::vector<weight_file>& files,
                       const std::vector<parameter>& parameters, dtype type) {
  json map = json::object();
  for (const weight_file& file : files)
    for (const placed_tensor& each : file.tensors) map[parameters[each.parameter].name] = file.name;
  return json{{"metadata", {{"total_size", count_elements(parameters) * size_of(type)}}},
              {"weight_map", std::move(map)}}
      .dump(2);
}

} // namespace troupe
