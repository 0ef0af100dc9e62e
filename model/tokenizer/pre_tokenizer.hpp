// Cuts normalized text into pieces that byte-pair encoding never joins, as tokenizer.json's
// "pre_tokenizer" says.
#pragma once

#include "model/tokenizer/regex.hpp"

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace troupe {

class json_field;

class pre_tokenizer {
 public:
  using piece_sink = std::function<void(std::string_view)>;

  pre_tokenizer() = default; ///< one piece, the whole text
  /// Throws model_error for a type that is not supported, and where ByteLevel is not the last.
  explicit pre_tokenizer(const json_field& field);

  /// Whether pieces are to be encoded as bytes.
  bool byte_level() const { return byte_level_; }

  /// Hands the pieces of `text` to `sink` in order, none empty. `at_start`: nothing stands before
  /// `text` in the whole input.
  void split(std::string_view text, bool at_start, const piece_sink& sink) const;

 private:
  /// What becomes of the matches of a pattern.
  enum class behavior { isolated, removed, contiguous, merged_with_previous, merged_with_next };

  struct step {
    enum class kind { split, prefix_space, mark_spaces };
    kind what;
    std::optional<regex> pattern;          // split
    behavior matches = behavior::isolated; // split
    bool invert = false;                   // split: what does not match counts as a match
    std::string mark;                      // mark_spaces: stands for a space
    bool prefix = false,
         prefix_start = false; // mark_spaces: put before every text, or the one at the start
  };
  struct span;

  void read(const json_field& field, int depth);
  void read_split(const json_field& field);
  void read_metaspace(const json_field& field);
  void read_byte_level(const json_field& field);
  void add_split(regex pattern, behavior matches, bool invert = false);
  static behavior read_behavior(const json_field& field);

  void run(std::size_t step, std::string_view text, bool at_start, const piece_sink& sink) const;
  void run_split(std::size_t step, std::string_view text, bool at_start,
                 const piece_sink& sink) const;
  static std::vector<span> spans_of(const step& step, std::string_view text);
  static std::vector<span> arranged(std::vector<span> spans, behavior matches);

  std::vector<step> steps_;
  bool byte_level_ = false;
};

} // namespace troupe
