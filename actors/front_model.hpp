// What the front knows of a model: how its prompts are rendered and tokenized, and its limits. No
// weights: those belong to the engine.
#pragma once

#include "actors/logic/request_rules.hpp"
#include "model/template/chat_template.hpp"
#include "model/tokenizer/tokenizer.hpp"

#include <memory>
#include <string>
#include <variant>

namespace troupe {

/// A prompt as the model gets it.
struct prepared_prompt {
  std::string text; ///< rendered; empty where the request came as token ids
  token_ids ids;
};

/// Immutable; used by many threads at once.
class front_model {
 public:
  /// `chat` may be null: the model has no template.
  front_model(model_facts facts, std::shared_ptr<const tokenizer> words,
              std::shared_ptr<const chat_template> chat, std::int64_t created);

  const model_facts& facts() const { return facts_; }
  const std::shared_ptr<const tokenizer>& words() const { return words_; }
  /// When it was loaded, in Unix seconds.
  std::int64_t created() const { return created_; }

  /// Renders and tokenizes; an api_error says what is wrong with the prompt. Marks of the format
  /// that are spelled in a conversation's own text stay plain text.
  std::variant<prepared_prompt, api_error> prepare(const prompt_input& prompt,
                                                   bool add_special_tokens) const;

 private:
  std::variant<prepared_prompt, api_error> prepare_chat(const chat_input& chat) const;

  model_facts facts_;
  std::shared_ptr<const tokenizer> words_;
  std::shared_ptr<const chat_template> chat_;
  std::int64_t created_;
};

} // namespace troupe
