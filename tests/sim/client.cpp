#include "tests/sim/client.hpp"

#include "tests/sim/violation.hpp"

#include <cmath>

namespace troupe {
namespace {

continuation_rules rules_of(const simulated_client& what) {
  continuation_rules out;
  out.stop = what.what.stops;
  out.include_stop = what.what.include_stop;
  out.wants_tokens = true;
  out.credit = what.credit;
  out.buffer_bytes = what.buffer_bytes;
  return out;
}

} // namespace

client::client(const simulated_client& what)
    : what_{what.what}, stream_{what.what.spec,
                                rules_of(what),
                                {fake_text, [] { return std::string{}; }}},
      expected_{&what_.text}, credit_{what.credit} {}

void client::read() {
  ++credit_;
  stream_.grant(1);
}

// What was held back, because it might have become a stop string, is let go.
void client::abandon() {
  if (!stream_.ended()) expected_ = &what_.uncut;
  stream_.end(finish_reason::cancelled);
}

void client::accept(const emission& what) { stream_.accept(what); }

std::uint32_t client::send() {
  std::uint32_t sent = 0;
  while (auto piece = stream_.take_piece()) {
    require(!finish_, "nothing is sent after the end", "{}", what_.spec.id);
    require(credit_-- > 0, "pieces are sent on credit", "{}", what_.spec.id);
    check_piece(*piece);
    ++sent;
  }
  if (auto end = stream_.take_end()) {
    require(!finish_, "a stream ends once", "{}", what_.spec.id);
    finish_ = std::move(end);
  }
  return sent;
}

void client::check_piece(const text_piece& piece) {
  text_ += piece.text;
  require(expected_->starts_with(text_), "text is a beginning of what is expected",
          "{}: '{}' of '{}'", what_.spec.id, text_, *expected_);
  require(piece.token_count == piece.tokens.size(), "pieces count their tokens", "{}",
          what_.spec.id);
  for (const auto& token : piece.tokens) {
    const auto position = what_.spec.prompt_tokens + tokens_;
    ++tokens_;
    require(tokens_ <= what_.generated && token.id == what_.ids[position],
            "tokens reach the reader once, in order", "{} at {}", what_.spec.id, position);
  }
  for (const auto& token : piece.prompt_tokens) {
    require(prompt_tokens_ < what_.spec.prompt_tokens && token.id == what_.ids[prompt_tokens_] &&
                std::isnan(token.logprob) == (prompt_tokens_ == 0),
            "prompt tokens are reported once, in order", "{} at {}", what_.spec.id, prompt_tokens_);
    ++prompt_tokens_;
  }
}

void client::check_end(bool may_fail, bool abandoned) const {
  const auto id = what_.spec.id;
  require(finish_.has_value(), "every stream ends", "{}", id);
  const auto reason = finish_->reason;
  if (reason == finish_reason::cancelled || reason == finish_reason::error) {
    require(reason == finish_reason::cancelled ? abandoned : may_fail,
            "a stream ends for the right reason", "{}: {}", id, finish_->error);
    return;
  }
  require(!what_.too_large, "what never fits is refused", "{}", id);
  require(reason == what_.end && finish_->stop_text == what_.stop_text,
          "a stream ends for the right reason", "{}: {} by '{}'", id, static_cast<int>(reason),
          finish_->stop_text);
  require(text_ == what_.text && tokens_ == what_.generated, "a stream brings everything",
          "{}: '{}' of '{}'", id, text_, what_.text);
  const bool reported = what_.spec.sampling->prompt_logprobs >= 0;
  require(prompt_tokens_ == (reported ? what_.spec.prompt_tokens : 0),
          "prompt tokens are reported once, in order", "{}: {} of {}", id, prompt_tokens_,
          what_.spec.prompt_tokens);
}

} // namespace troupe
