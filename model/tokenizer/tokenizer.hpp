// A model's tokenizer, as the tokenizer.json of its Hugging Face folder describes it: text to ids
// and back. Byte-pair encoding only, at the level of bytes (GPT-2, Llama 3, Qwen) or of characters
// with bytes to fall back on (Llama 2, Phi 3).
#pragma once

#include "config/sampling.hpp"
#include "model/text_range.hpp"

#include <cstddef>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace troupe {

class token_text;

/// Immutable once loaded; shared by threads.
class tokenizer {
 public:
  /// Reads tokenizer.json and, where present, tokenizer_config.json and special_tokens_map.json.
  /// Throws model_error, naming file and field, where one is malformed or asks for what is not
  /// supported.
  static tokenizer load(const std::filesystem::path& folder);

  tokenizer(tokenizer&&) noexcept;
  tokenizer& operator=(tokenizer&&) noexcept;
  ~tokenizer();

  /// The ids of `text`, with what the model puts around a text if `add_special_tokens`. Special
  /// tokens are recognised only outside `untrusted` (sorted byte ranges of `text`); inside they are
  /// plain text. Added tokens that are not special (as "<think>") are recognised everywhere.
  /// Malformed UTF-8 is read as U+FFFD. Takes O(n log n). Throws model_error where a pattern of the
  /// model runs into the limit on its steps.
  std::vector<token_id> encode(std::string_view text, bool add_special_tokens,
                               std::span<const text_range> untrusted = {}) const;

  /// The text of `ids`, without special tokens if `skip_special`: always valid UTF-8. Ids outside
  /// the vocabulary add nothing.
  std::string decode(std::span<const token_id> ids, bool skip_special) const;

  /// The vocabulary's spelling, or "" for an id outside it.
  std::string_view token(token_id id) const;
  /// The bytes that a token adds to the text; they may be a part of a character.
  std::string token_bytes(token_id id) const;
  /// The id that is spelled like this.
  std::optional<token_id> find(std::string_view token) const;

  std::size_t size() const; ///< ids are 0 to size() - 1
  bool is_special(token_id id) const;

  /// How the token of this role is spelled, or "" where the model has none.
  std::string_view bos_token() const { return special_string("bos_token"); }
  std::string_view eos_token() const { return special_string("eos_token"); }
  std::string_view pad_token() const { return special_string("pad_token"); }
  std::string_view unk_token() const { return special_string("unk_token"); }

  /// Every role that the configuration names ("bos_token", "eos_token"...) and its spelling, for
  /// chat templates.
  const std::map<std::string, std::string>& special_strings() const;

  /// What each token adds to the text.
  const token_text& texts() const;

 private:
  struct parts;
  explicit tokenizer(std::unique_ptr<const parts> parts);

  std::string_view special_string(const std::string& role) const;
  void encode_stretch(std::string_view text, bool at_start, std::vector<token_id>& out) const;

  std::unique_ptr<const parts> parts_;
};

} // namespace troupe
