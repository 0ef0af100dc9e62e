// What is small and likely to be wrong is read before the weights, so that a mistake is answered at
// once.
#include "model/served_model.hpp"

#include "model/chat_template_file.hpp"
#include "model/families/family.hpp"
#include "model/model_error.hpp"
#include "model/template/chat_template.hpp"
#include "model/tokenizer/tokenizer.hpp"

#include <fmt/format.h>

#include <utility>

namespace troupe {

namespace {

/// The folder's own name, also where it was given with a slash behind it.
std::string name_of(const std::filesystem::path& folder) {
  const auto path = std::filesystem::weakly_canonical(folder);
  return path.filename().string();
}

void check_vocabulary(const tokenizer& tokens, const architecture& model,
                      const std::filesystem::path& folder) {
  if (tokens.size() > static_cast<std::size_t>(model.vocab))
    throw model_error(fmt::format("{}: tokenizer.json has {} tokens, config.json's vocab_size is "
                                  "{}: they belong to different models",
                                  folder.string(), tokens.size(), model.vocab));
}

} // namespace

served_model read_model(const std::filesystem::path& folder, const load_progress& progress) {
  if (!std::filesystem::is_directory(folder))
    throw model_error(fmt::format("{}: is not a folder", folder.string()));
  served_model out;
  const architecture& model = out.structure = read_architecture(folder);
  out.name = name_of(folder);
  out.folder = folder;
  out.defaults = read_generation_defaults(folder, model);
  if (progress) progress("tokenizer", 0, 0);
  out.tokenizer = std::make_shared<const tokenizer>(tokenizer::load(folder));
  check_vocabulary(*out.tokenizer, model, folder);
  if (const auto source = read_chat_template(folder))
    out.chat_template = std::make_shared<const chat_template>(parse_chat_template(*source));
  out.context_length = model.max_positions;
  out.files = std::make_shared<const safetensors>(folder);
  return out;
}

served_model load_model(const std::filesystem::path& folder, backend& device,
                        const load_progress& progress) {
  served_model out = read_model(folder, progress);
  out.weights = std::make_shared<const decoder>(out.structure, *out.files, device, progress);
  out.weight_bytes = out.weights->bytes();
  return out;
}

} // namespace troupe
