// A stream's own decisions, without its actor: it turns the tokens of one sequence into pieces of
// text, finds the stop strings, keeps the reader's credit, and remembers prompt and emitted tokens,
// so that the sequence can go on in another engine exactly where it was. Pieces merge while the
// reader has given no credit.
#pragma once

#include "actors/logic/sequence.hpp"
#include "actors/logic/stop_matcher.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace troupe {

/// Tokens to text, incrementally: see model/tokenizer/detokenizer.hpp.
struct text_source {
  std::function<std::string(token_id)> push;
  std::function<std::string()> finish;
};

struct continuation_rules {
  std::vector<std::string> stop;
  bool include_stop = false;
  std::uint32_t min_tokens = 0;      ///< stop strings are not looked for before
  bool wants_tokens = false;         ///< pieces carry their tokens
  std::string initial_text;          ///< comes first: an echoed prompt
  std::uint32_t credit = 0;          ///< pieces that may be sent before the reader gives any
  std::size_t buffer_bytes = 262144; ///< more than this unread and the sequence should be parked
  std::uint32_t deaths =
      3; ///< so many engines may die under it in a row without a token in between
};

/// A piece of the continuation.
struct text_piece {
  std::string text;
  std::vector<token_report> tokens;
  std::vector<token_report>
      prompt_tokens; ///< the first has NaN for a logprob: nothing comes before it
  std::uint32_t token_count = 0;
};

/// How it ended.
struct continuation_end {
  finish_reason reason = finish_reason::stop;
  std::string stop_text;
  std::optional<token_id> stop_token;
  std::string error;
};

class continuation {
 public:
  continuation(sequence_spec spec, continuation_rules rules, text_source text);

  /// What a step brought. Tokens that were seen before are passed over; a gap ends the generation
  /// with an error, since a lost token must never pass unnoticed. After the end everything is
  /// ignored.
  void accept(const emission& what);
  /// Ends it from this side. The first end counts.
  void end(finish_reason reason, std::string error = {});

  void grant(std::uint32_t pieces) {
    credit_ += pieces;
    awaited_ = true;
  }
  /// The next piece, where there is text to send and credit to send it. At the end the rest comes
  /// out as one.
  std::optional<text_piece> take_piece();
  /// The end, once, after the last piece was taken. Not before there ever was credit: a reader who
  /// has given none may not know the stream yet.
  std::optional<continuation_end> take_end();

  /// There is something to send and no credit to send it.
  bool blocked() const { return credit_ == 0 && has_piece(); }
  /// So much is unread that generating more makes no sense.
  bool overfull() const {
    return blocked() && piece_.text.size() + report_bytes_ > rules_.buffer_bytes;
  }
  /// The engine need not know of it any more.
  bool ended() const { return end_.has_value(); }

  /// The engine died. The sequence as it is to be enqueued again; nullopt where it has been under
  /// too many deaths: then it has ended with an error.
  std::optional<sequence_spec> move_on();

  const sequence_spec& spec() const { return spec_; }
  token_usage usage() const;
  bool started() const { return started_; }

 private:
  bool has_piece() const;
  void take_prompt(const emission& what);
  void take_token(const token_report& token, bool is_stop_token);
  void add_text(std::string_view text);

  sequence_spec spec_;
  continuation_rules rules_;
  text_source text_;
  stop_matcher stops_;
  token_ids ids_;
  std::uint32_t cached_ = 0;
  std::uint32_t credit_;
  bool awaited_; // the reader gave credit once
  std::uint32_t deaths_ = 0;
  std::uint32_t prompt_told_ = 0; // reports of prompt tokens
  bool started_ = false;
  bool end_taken_ = false;
  text_piece piece_;
  std::size_t report_bytes_ = 0; // of piece_'s tokens
  std::optional<continuation_end> end_;
};

} // namespace troupe
