// What the front needs of a model, made from the tests' small tokenizer: no weights.
#pragma once

#include "actors/front_model.hpp"

#include <filesystem>
#include <memory>

namespace troupe::testing {

inline std::shared_ptr<const tokenizer> small_tokenizer() {
  return std::make_shared<const tokenizer>(
      tokenizer::load(std::filesystem::path{TOKENIZER_FIXTURES} / "byte_level"));
}

/// A template that writes each message as "role: content" on a line of its own.
inline constexpr const char* small_template =
    "{% for m in messages %}{{ m.role }}: {{ m.content }}\n{% endfor %}{% if add_generation_prompt "
    "%}assistant: "
    "{% endif %}";

/// Named "small", with a context of 64 tokens and `source` as its chat template, if any.
inline std::shared_ptr<const front_model> small_front(const char* source = small_template) {
  auto words = small_tokenizer();
  model_facts facts;
  facts.name = "small";
  facts.vocabulary = static_cast<std::uint32_t>(words->size());
  facts.max_context = 64;
  facts.end_ids = {0};
  auto chat = source ? std::make_shared<const chat_template>(source) : nullptr;
  return std::make_shared<const front_model>(facts, std::move(words), std::move(chat), 1234);
}

} // namespace troupe::testing
