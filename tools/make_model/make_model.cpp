#include "tools/make_model/make_model.hpp"

#include "config/quantity.hpp"
#include "tools/make_model/byte_tokenizer.hpp"
#include "tools/make_model/config_files.hpp"
#include "tools/make_model/output_file.hpp"
#include "tools/make_model/shapes.hpp"

#include <fmt/format.h>

#include <stdexcept>

namespace troupe {
namespace {

namespace fs = std::filesystem;

// What the small files take at most: a tokenizer of some 150,000 short words.
constexpr std::uint64_t small_files_bytes = 8'000'000;

architecture shape_for(const make_options& options) {
  architecture model = find_shape(options.shape);
  if (!options.layers) return model;
  if (*options.layers < 1 || *options.layers > model.layers)
    throw std::invalid_argument(fmt::format("{} layers were asked for; {} has 1 to {}",
                                            *options.layers, options.shape, model.layers));
  model.layers = *options.layers;
  model.windows.resize(static_cast<std::size_t>(model.layers));
  return model;
}

/// Whether a file is one that a model folder is read from.
bool belongs_to_a_model(const fs::path& file) {
  const std::string name = file.filename().string();
  return name == "config.json" || name == "generation_config.json" || name == "tokenizer.json" ||
         name == "tokenizer_config.json" || name == "special_tokens_map.json" ||
         name == "chat_template.jinja" || name == "model.safetensors.index.json" ||
         (name.starts_with("model") && name.ends_with(".safetensors"));
}

/// The files that would be replaced. Throws where there are any and they are to stay.
std::vector<fs::path> files_to_replace(const make_options& options) {
  if (!fs::exists(options.out)) return {};
  if (!fs::is_directory(options.out))
    throw std::runtime_error(fmt::format("{}: is not a folder", options.out.string()));
  std::vector<fs::path> out;
  for (const auto& entry : fs::directory_iterator(options.out)) {
    if (!options.force)
      throw std::runtime_error(fmt::format(
          "{}: has files in it; --force writes over the model there", options.out.string()));
    if (belongs_to_a_model(entry.path())) out.push_back(entry.path());
  }
  return out;
}

void check_room(const fs::path& folder, std::uint64_t needed, std::uint64_t room,
                const std::vector<fs::path>& replaced) {
  for (const fs::path& file : replaced)
    if (fs::is_regular_file(fs::symlink_status(file))) room += fs::file_size(file);
  if (needed > room)
    throw std::runtime_error(fmt::format("{}: {:.1f} GB are needed, {:.1f} GB are free there",
                                         folder.string(), static_cast<double>(needed) / 1e9,
                                         static_cast<double>(room) / 1e9));
}

} // namespace

std::uint64_t free_room(const fs::path& folder) {
  fs::path at = fs::absolute(folder).lexically_normal();
  while (!fs::exists(at) && at.has_relative_path()) at = at.parent_path();
  return fs::space(at).available;
}

made_model make_model(const make_options& options,
                      const std::function<void(std::uint64_t, std::uint64_t)>& progress,
                      const std::function<std::uint64_t(const fs::path&)>& room_at) {
  const architecture model = shape_for(options);
  const auto parameters = parameters_of(model);
  const auto files = plan_weight_files(parameters, options.type, options.shard_bytes);
  made_model out{count_elements(parameters), 0, files.size()};
  for (const weight_file& file : files) out.bytes += file.bytes;

  const auto replaced = files_to_replace(options);
  check_room(options.out, out.bytes + small_files_bytes, room_at(options.out), replaced);
  for (const fs::path& file : replaced) fs::remove(file);
  fs::create_directories(options.out);

  const std::uint64_t total = out.parameters * size_of(options.type);
  const bytes_written tell = [&](std::uint64_t done) {
    if (progress) progress(done, total);
  };
  write_weights(options.out, files, parameters, random_weights(options.seed, options.type),
                options.threads, tell);
  if (files.size() > 1)
    write_text(options.out / "model.safetensors.index.json",
               index_json(files, parameters, options.type));
  write_text(options.out / "tokenizer.json", tokenizer_json(model.vocab));
  write_text(options.out / "tokenizer_config.json", tokenizer_config_json(model.max_positions));
  write_text(options.out / "generation_config.json", generation_config_json(model));
  write_text(options.out / "config.json", config_json(model, options.type));
  return out;
}

} // namespace troupe
