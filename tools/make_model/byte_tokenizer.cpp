#include "tools/make_model/byte_tokenizer.hpp"

#include "model/tokenizer/byte_alphabet.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <string_view>

namespace troupe {
namespace {

using nlohmann::json;

constexpr const char* bos = "<|begin|>";
constexpr const char* eos = "<|end|>";

constexpr const char* chat_template =
    "{{ bos_token }}{% for message in messages %}{{ message['role'] }}: {{ message['content'] }}\n"
    "{% endfor %}{% if add_generation_prompt %}assistant: {% endif %}";

json special_token(token_id id, const char* content) {
  return {{"id", id},        {"content", content},  {"single_word", false}, {"lstrip", false},
          {"rstrip", false}, {"normalized", false}, {"special", true}};
}

json byte_level() {
  return {{"type", "ByteLevel"},
          {"add_prefix_space", false},
          {"trim_offsets", true},
          {"use_regex", false}};
}

} // namespace

std::string filler_word(token_id id) {
  std::string letters;
  for (std::int64_t rest = id - byte_tokenizer_eos; rest > 0; rest = (rest - 1) / 26)
    letters += static_cast<char>('a' + (rest - 1) % 26);
  std::ranges::reverse(letters);
  return " " + letters;
}

std::string tokenizer_json(std::int32_t vocab) {
  json words = json::object();
  for (int byte = 0; byte < 256; ++byte)
    words[spelling_of_bytes(std::string(1, static_cast<char>(byte)))] = byte;
  // Here too, or readers that number added tokens anew behind the vocabulary move them.
  words[bos] = byte_tokenizer_bos;
  words[eos] = byte_tokenizer_eos;
  for (token_id id = byte_tokenizer_eos + 1; id < vocab; ++id)
    words[spelling_of_bytes(filler_word(id))] = id;
  return json{{"version", "1.0"},
              {"truncation", nullptr},
              {"padding", nullptr},
              {"added_tokens",
               {special_token(byte_tokenizer_bos, bos), special_token(byte_tokenizer_eos, eos)}},
              {"normalizer", nullptr},
              {"pre_tokenizer", byte_level()},
              {"post_processor", nullptr},
              {"decoder", byte_level()},
              {"model",
               {{"type", "BPE"},
                {"dropout", nullptr},
                {"unk_token", nullptr},
                {"continuing_subword_prefix", nullptr},
                {"end_of_word_suffix", nullptr},
                {"fuse_unk", false},
                {"byte_fallback", false},
                {"ignore_merges", false},
                {"vocab", std::move(words)},
                {"merges", json::array()}}}}
      .dump(1);
}

std::string tokenizer_config_json(std::int32_t max_positions) {
  return json{{"tokenizer_class", "PreTrainedTokenizerFast"},
              {"bos_token", bos},
              {"eos_token", eos},
              {"clean_up_tokenization_spaces", false},
              {"model_max_length", max_positions},
              {"chat_template", chat_template}}
      .dump(2);
}

} // namespace troupe
