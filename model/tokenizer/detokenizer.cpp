// See detokenizer.hpp. At most three bytes of a character wait, besides what may yet be stripped
// from the front.
#include "model/tokenizer/detokenizer.hpp"

#include "model/tokenizer/token_text.hpp"
#include "model/tokenizer/tokenizer.hpp"
#include "model/tokenizer/utf8.hpp"

#include <utility>

namespace troupe {

detokenizer::detokenizer(std::shared_ptr<const tokenizer> tokenizer, bool skip_special,
                         bool continues)
    : tokenizer_(std::move(tokenizer)), skip_special_(skip_special), continues_(continues),
      first_(!continues), to_strip_(continues ? 0 : tokenizer_->texts().strip_count()) {}

std::string detokenizer::push(token_id id) {
  if (id < 0 || static_cast<std::size_t>(id) >= tokenizer_->size()) return {};
  if (skip_special_ && tokenizer_->is_special(id)) return {};
  pending_ += first_ ? tokenizer_->texts().first_bytes(id) : tokenizer_->texts().bytes(id);
  first_ = false;
  strip_front();
  if (to_strip_ > 0) return {};
  std::string text;
  pending_.erase(0, append_utf8(pending_, text));
  return text;
}

// Whether the front is to be stripped is open only while all there is may be a beginning of what is
// stripped.
void detokenizer::strip_front() {
  const auto stripped = tokenizer_->texts().stripped();
  while (to_strip_ > 0 && pending_.starts_with(stripped)) {
    pending_.erase(0, stripped.size());
    --to_strip_;
  }
  if (!stripped.starts_with(pending_)) to_strip_ = 0;
}

std::string detokenizer::finish() {
  std::string text;
  if (append_utf8(pending_, text) < pending_.size()) text += replacement_character;
  pending_.clear();
  first_ = !continues_;
  to_strip_ = continues_ ? 0 : tokenizer_->texts().strip_count();
  return text;
}

} // namespace troupe
