// The format: the header's length as u64 little-endian, the header as JSON {name: {dtype, shape,
// data_offsets}}, then the bytes that the offsets count from. The offsets must tile those bytes
// without gap or overlap (github.com/huggingface/safetensors, README, "Format").
#include "model/safetensors.hpp"

#include "model/checked.hpp"
#include "model/model_error.hpp"
#include "model/strict_json.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <set>

namespace troupe {

namespace {

using json = nlohmann::json;

constexpr std::uint64_t length_bytes = 8;
constexpr std::uint64_t index_limit = std::uint64_t{64} << 20;

json read_header(const model_file& file, const safetensors_limits& limits, std::uint64_t& data) {
  const std::string name = file.path().string();
  if (file.size() < length_bytes)
    throw model_error(fmt::format("{}: has {} bytes, fewer than the {} of a header's length", name,
                                  file.size(), length_bytes));
  std::array<std::byte, length_bytes> raw{};
  file.read(0, raw);
  std::uint64_t length = 0;
  for (std::size_t i = 0; i < length_bytes; ++i)
    length |= std::to_integer<std::uint64_t>(raw[i]) << (8 * i);
  if (length > limits.header_bytes)
    throw model_error(fmt::format("{}: its header says to be {} bytes long, at most {} are read",
                                  name, length, limits.header_bytes));
  if (length < 2 || length > file.size() - length_bytes)
    throw model_error(fmt::format("{}: its header says to be {} bytes long, the file has {} after "
                                  "the length",
                                  name, length, file.size() - length_bytes));
  std::string text(length, '\0');
  file.read(length_bytes, std::as_writable_bytes(std::span(text)));
  data = length_bytes + length;
  return parse_json_object(text, name + " (header)", 4);
}

/// An array of numbers that are not negative; nothing where it is something else.
std::optional<std::vector<std::uint64_t>> whole_numbers(const json& value, std::size_t most) {
  if (!value.is_array() || value.size() > most) return std::nullopt;
  std::vector<std::uint64_t> out;
  for (const json& v : value) {
    if (!v.is_number_unsigned()) return std::nullopt;
    out.push_back(v.get<std::uint64_t>());
  }
  return out;
}

dtype type_of(const json& entry, const std::string& where) {
  const auto found = entry.find("dtype");
  const std::string name =
      found != entry.end() && found->is_string() ? found->get<std::string>() : "absent";
  if (name == "F32") return dtype::f32;
  if (name == "F16") return dtype::f16;
  if (name == "BF16") return dtype::bf16;
  throw model_error(fmt::format(
      "{}: dtype is {}; F32, F16 and BF16 are served, quantised weights are not", where, name));
}

/// One entry of a header, its offset within the file's data.
stored_tensor read_entry(const json& entry, const std::string& where, std::uint64_t data_bytes,
                         const safetensors_limits& limits) {
  if (!entry.is_object()) throw model_error(where + ": must be an object");
  stored_tensor out;
  out.type = type_of(entry, where);
  const auto shape = whole_numbers(entry.value("shape", json()), limits.rank);
  if (!shape)
    throw model_error(
        fmt::format("{}: shape must be a list of at most {} whole numbers", where, limits.rank));
  std::optional<std::uint64_t> bytes = size_of(out.type);
  for (const std::uint64_t n : *shape) bytes = bytes ? checked_product(*bytes, n) : bytes;
  if (!bytes || std::ranges::any_of(*shape, [](auto n) { return n > INT64_MAX; }))
    throw model_error(fmt::format("{}: its shape's product exceeds 64 bits", where));
  const auto offsets = whole_numbers(entry.value("data_offsets", json()), 2);
  if (!offsets || offsets->size() != 2)
    throw model_error(where + ": data_offsets must be two whole numbers");
  const auto [begin, end] = std::pair((*offsets)[0], (*offsets)[1]);
  if (begin > end || end > data_bytes)
    throw model_error(fmt::format("{}: data_offsets [{}, {}] are not within the file's {} bytes of "
                                  "data",
                                  where, begin, end, data_bytes));
  if (end - begin != *bytes)
    throw model_error(fmt::format("{}: data_offsets span {} bytes, shape and dtype need {}", where,
                                  end - begin, *bytes));
  out.shape.assign(shape->begin(), shape->end());
  out.offset = begin;
  out.bytes = *bytes;
  return out;
}

/// The tensors tile [0, data_bytes) exactly.
void check_tiling(const std::vector<std::pair<std::string, stored_tensor>>& entries,
                  const std::string& file, std::uint64_t data_bytes) {
  std::vector<const std::pair<std::string, stored_tensor>*> order;
  for (const auto& e : entries) order.push_back(&e);
  std::ranges::sort(order, {},
                    [](const auto* e) { return std::pair(e->second.offset, e->second.bytes); });
  std::uint64_t at = 0;
  for (const auto* e : order) {
    if (e->second.offset != at)
      throw model_error(fmt::format(
          "{}: tensor {} begins at byte {} of the data, {} the one before "
          "it ends at {}",
          file, e->first, e->second.offset, e->second.offset < at ? "it overlaps:" : "a gap:", at));
    at += e->second.bytes;
  }
  if (at != data_bytes)
    throw model_error(
        fmt::format("{}: its tensors end at byte {} of {} bytes of data", file, at, data_bytes));
}

/// A shard's name is a plain file name, so that an index cannot lead out of its folder.
std::string shard_name(const json& value, const std::string& index) {
  const std::string name = value.is_string() ? value.get<std::string>() : "";
  const std::filesystem::path path(name);
  if (name.empty() || path.filename() != path || path.extension() != ".safetensors" ||
      name.find('\0') != std::string::npos)
    throw model_error(fmt::format("{}: weight_map names the shard {}; it must be the name of a "
                                  ".safetensors file in the same folder",
                                  index,
                                  value.dump(-1, ' ', true, json::error_handler_t::replace)));
  return name;
}

} // namespace

safetensors::safetensors(const std::filesystem::path& folder, const safetensors_limits& limits)
    : folder_(folder) {
  if (std::filesystem::exists(folder / "model.safetensors")) {
    add_file(folder / "model.safetensors", limits);
  } else if (std::filesystem::exists(folder / "model.safetensors.index.json")) {
    add_shards(limits);
  } else {
    throw model_error(fmt::format("{}: has neither model.safetensors nor "
                                  "model.safetensors.index.json",
                                  folder.string()));
  }
}

const stored_tensor& safetensors::find(std::string_view name) const {
  const auto found = tensors_.find(name);
  if (found == tensors_.end())
    throw model_error(fmt::format("{}: its weights have no tensor {}", folder_.string(), name));
  return found->second;
}

void safetensors::read(const stored_tensor& tensor, std::uint64_t offset,
                       std::span<std::byte> out) const {
  files_.at(tensor.shard).read(tensor.offset + offset, out);
}

void safetensors::add_file(const std::filesystem::path& path, const safetensors_limits& limits) {
  model_file file(path);
  const std::string name = path.string();
  std::uint64_t data = 0;
  const json header = read_header(file, limits, data);
  if (header.size() > limits.tensors)
    throw model_error(fmt::format("{}: its header names {} tensors, at most {} are read", name,
                                  header.size(), limits.tensors));
  std::vector<std::pair<std::string, stored_tensor>> entries;
  for (const auto& [key, value] : header.items()) {
    if (key == "__metadata__") continue;
    entries.emplace_back(key, read_entry(value, fmt::format("{}: tensor {}", name, key),
                                         file.size() - data, limits));
  }
  check_tiling(entries, name, file.size() - data);
  for (auto& [key, tensor] : entries) {
    tensor.offset += data;
    tensor.shard = files_.size();
    bytes_ += tensor.bytes;
    const auto [at, fresh] = tensors_.emplace(key, std::move(tensor));
    if (!fresh)
      throw model_error(fmt::format("{}: tensor {} stands in {} too", name, key,
                                    files_[at->second.shard].path().filename().string()));
  }
  files_.push_back(std::move(file));
}

void safetensors::add_shards(const safetensors_limits& limits) {
  const std::filesystem::path path = folder_ / "model.safetensors.index.json";
  const std::string name = path.string();
  const json index = parse_json_object(read_text(path, index_limit), name, 8);
  const auto map = index.find("weight_map");
  if (map == index.end() || !map->is_object() || map->empty())
    throw model_error(name + ": weight_map must be an object that names each tensor's shard");
  std::set<std::string> shards;
  for (const json& shard : *map) shards.insert(shard_name(shard, name));
  for (const std::string& shard : shards) add_file(folder_ / shard, limits);
  for (const auto& [tensor, shard] : map->items()) {
    const auto found = tensors_.find(tensor);
    if (found == tensors_.end() ||
        files_[found->second.shard].path().filename() != shard.get<std::string>())
      throw model_error(fmt::format("{}: says that {} stands in {}, where it is not", name, tensor,
                                    shard.get<std::string>()));
  }
}

} // namespace troupe
