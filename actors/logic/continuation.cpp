#include "actors/logic/continuation.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <utility>

namespace troupe {
namespace {

// Of a prompt's first token, which nothing comes before.
constexpr auto no_logprob = std::numeric_limits<float>::quiet_NaN();

} // namespace

continuation::continuation(sequence_spec spec, continuation_rules rules, text_source text)
    : spec_{std::move(spec)}, rules_{std::move(rules)}, text_{std::move(text)},
      stops_{rules_.stop, rules_.include_stop}, ids_{*spec_.ids}, credit_{rules_.credit},
      awaited_{credit_ > 0} {
  piece_.text = std::exchange(rules_.initial_text, {});
}

void continuation::accept(const emission& what) {
  if (end_) return;
  if (!std::exchange(started_, true)) {
    cached_ = what.cached_tokens;
    if (spec_.sampling->prompt_logprobs >= 0)
      piece_.prompt_tokens.push_back({ids_.front(), no_logprob, {}});
  }
  take_prompt(what);
  const auto generated = static_cast<std::uint32_t>(ids_.size()) - spec_.prompt_tokens;
  if (what.first > generated && !what.tokens.empty())
    return end(finish_reason::error,
               fmt::format("tokens {} to {} were lost", generated, what.first - 1));
  for (std::size_t i = generated - std::min(what.first, generated); i < what.tokens.size() && !end_;
       ++i) {
    deaths_ = 0;
    const bool last = i + 1 == what.tokens.size();
    take_token(what.tokens[i], last && what.end == finish_reason::stop);
  }
  if (end_ || !what.end) return;
  end(*what.end, what.error);
  if (*what.end == finish_reason::stop) end_->stop_token = ids_.back();
}

// A prompt that is computed again is reported again.
void continuation::take_prompt(const emission& what) {
  const auto seen = prompt_told_ - std::min(what.prompt_first, prompt_told_);
  if (seen >= what.prompt_tokens.size()) return;
  piece_.prompt_tokens.insert(piece_.prompt_tokens.end(), what.prompt_tokens.begin() + seen,
                              what.prompt_tokens.end());
  prompt_told_ = what.prompt_first + static_cast<std::uint32_t>(what.prompt_tokens.size());
}

void continuation::take_token(const token_report& token, bool is_stop_token) {
  ids_.push_back(token.id);
  ++piece_.token_count;
  if (rules_.wants_tokens) {
    piece_.tokens.push_back(token);
    report_bytes_ += sizeof token + token.top.size() * sizeof token.top.front();
  }
  if (is_stop_token && !rules_.include_stop) return;
  add_text(text_.push(token.id));
}

void continuation::add_text(std::string_view text) {
  const auto generated = ids_.size() - spec_.prompt_tokens;
  if (rules_.stop.empty() || generated < rules_.min_tokens) {
    piece_.text += stops_.flush();
    piece_.text += text;
    return;
  }
  piece_.text += stops_.feed(text);
  if (stops_.matched()) end_ = continuation_end{finish_reason::stop, *stops_.matched(), {}, {}};
}

void continuation::end(finish_reason reason, std::string error) {
  if (end_) return;
  if (reason != finish_reason::error) {
    add_text(text_.finish());
    if (end_) return; // the last characters completed a stop string
    piece_.text += stops_.flush();
  }
  end_ = continuation_end{reason, {}, {}, std::move(error)};
}

bool continuation::has_piece() const {
  if (!piece_.text.empty() || !piece_.prompt_tokens.empty()) return true;
  return end_ && !end_taken_ && piece_.token_count > 0;
}

std::optional<text_piece> continuation::take_piece() {
  if (credit_ == 0 || !has_piece()) return std::nullopt;
  --credit_;
  report_bytes_ = 0;
  return std::exchange(piece_, {});
}

std::optional<continuation_end> continuation::take_end() {
  if (!end_ || end_taken_ || !awaited_ || has_piece()) return std::nullopt;
  end_taken_ = true;
  return end_;
}

std::optional<sequence_spec> continuation::move_on() {
  if (end_) return std::nullopt;
  if (++deaths_ > rules_.deaths) {
    end(finish_reason::error, "the engine died repeatedly under this request");
    return std::nullopt;
  }
  auto spec = spec_;
  spec.ids = std::make_shared<const token_ids>(ids_);
  if (spec.sampling->prompt_logprobs >= 0 &&
      ids_.size() > spec.prompt_tokens) { // all were reported already
    auto sampling = *spec.sampling;
    sampling.prompt_logprobs = -1;
    spec.sampling = std::make_shared<const sampling_params>(std::move(sampling));
  }
  return spec;
}

token_usage continuation::usage() const {
  return {spec_.prompt_tokens, cached_,
          static_cast<std::uint32_t>(ids_.size()) - spec_.prompt_tokens};
}

} // namespace troupe
