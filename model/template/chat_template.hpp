// The door of this folder: a model's chat template, parsed once and rendered for every request.
// What a caller wrote stays marked as such all the way into the prompt, so that a user who types
// "<|im_end|>" has typed ten characters, not ended a turn.
#pragma once

#include "model/template/rendered_text.hpp"
#include "model/template/template_error.hpp"

#include <nlohmann/json_fwd.hpp>

#include <ctime>
#include <functional>
#include <memory>
#include <string_view>

namespace troupe {

namespace jinja {
struct parsed_template;
}

/// Gives the local time; asked at most once a rendering, from the rendering's thread.
using template_clock = std::function<std::tm()>;

/// A Jinja template in the dialect of Hugging Face's chat templates. Never changes; any number of
/// threads may render it.
class chat_template {
 public:
  /// Without a clock the template finds no strftime_now. Throws template_error where the source is
  /// no template.
  explicit chat_template(std::string_view source, template_limits limits = {},
                         template_clock clock = {});
  ~chat_template();
  chat_template(chat_template&&) noexcept;
  chat_template& operator=(chat_template&&) noexcept;

  /// `context` and `trusted` are objects whose members become variables: messages, tools,
  /// add_generation_prompt, ... in `context`, of which every text (keys of objects included) is the
  /// caller's, and bos_token, eos_token, ... in `trusted`, which wins where both have a name. One
  /// exception: the role of a message is trusted where it is one of the roles that chat APIs
  /// define, because templates spell control tokens with it. Throws template_error, and of it
  /// template_refusal where the template itself refuses the conversation.
  rendered_text render(const nlohmann::ordered_json& context,
                       const nlohmann::ordered_json& trusted) const;
  rendered_text render(const nlohmann::ordered_json& context) const;

 private:
  std::unique_ptr<const jinja::parsed_template> parsed_;
  template_limits limits_;
  template_clock clock_;
};

} // namespace troupe
