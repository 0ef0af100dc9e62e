// A model folder, loaded: everything that the processes around a device need to know of it.
#pragma once

#include "model/decoder.hpp"
#include "model/generation_defaults.hpp"

#include <filesystem>
#include <memory>
#include <string>

namespace troupe {

class chat_template;
class tokenizer;

/// Immutable, shared by threads.
struct served_model {
  std::string name; ///< the folder's
  std::filesystem::path folder;
  architecture structure;
  std::shared_ptr<const safetensors> files; ///< open, so that weights can be read again
  std::shared_ptr<const decoder> weights;   ///< null before they are loaded
  generation_defaults defaults;
  std::shared_ptr<const troupe::tokenizer> tokenizer;
  std::shared_ptr<const troupe::chat_template> chat_template; ///< null where the folder has none
  std::uint64_t weight_bytes = 0;                             ///< as the files hold them
  std::int32_t context_length = 0; ///< most tokens of a prompt and its continuation
};

/// Reads all of a folder but the weights' numbers: `weights` stays null. Throws as load_model.
served_model read_model(const std::filesystem::path& folder, const load_progress& progress = {});

/// Loads a folder of config.json, safetensors and tokenizer.json; generation_config.json and a chat
/// template are read where they are there. `device` must outlive what is returned. Throws
/// model_error with the file and what is wrong, device_error where the device's memory ends.
served_model load_model(const std::filesystem::path& folder, backend& device,
                        const load_progress& progress = {});

} // namespace troupe
