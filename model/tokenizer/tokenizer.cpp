// See tokenizer.hpp. The stages follow Hugging Face's: added tokens cut the text; each stretch
// between them is normalized, cut at the added tokens of normalized text, split into pieces, and
// its pieces are encoded.
#include "model/tokenizer/tokenizer.hpp"

#include "model/tokenizer/detokenizer.hpp"
#include "model/tokenizer/tokenizer_parts.hpp"
#include "model/tokenizer/utf8.hpp"

#include <algorithm>
#include <utility>

namespace troupe {
namespace {

// Malformed UTF-8 replaced, and the ranges moved along. A range's ends fall between characters or
// are moved out to there.
struct readable {
  std::string text;
  std::vector<text_range> untrusted;
};

readable make_readable(std::string_view text, std::span<const text_range> untrusted) {
  readable out;
  out.untrusted.assign(untrusted.begin(), untrusted.end());
  for (std::size_t at = 0, range = 0; at < text.size();) {
    const auto step = next_utf8(text.substr(at));
    const auto put = out.text.size();
    if (step.what == utf8_step::kind::character) {
      out.text.append(text, at, step.length);
    } else {
      out.text += replacement_character;
    }
    const auto in_step = [&](std::size_t place) { return place >= at && place < at + step.length; };
    for (auto r = range; r < untrusted.size() && untrusted[r].begin < at + step.length; ++r) {
      if (in_step(untrusted[r].begin)) out.untrusted[r].begin = put;
      if (untrusted[r].end > at) out.untrusted[r].end = out.text.size();
    }
    at += step.length;
    while (range < untrusted.size() && untrusted[range].end <= at) ++range;
  }
  return out;
}

} // namespace

tokenizer::tokenizer(std::unique_ptr<const parts> parts) : parts_(std::move(parts)) {}
tokenizer::tokenizer(tokenizer&&) noexcept = default;
tokenizer& tokenizer::operator=(tokenizer&&) noexcept = default;
tokenizer::~tokenizer() = default;

std::vector<token_id> tokenizer::encode(std::string_view text, bool add_special_tokens,
                                        std::span<const text_range> untrusted) const {
  readable repaired;
  if (!is_utf8(text)) {
    repaired = make_readable(text, untrusted);
    text = repaired.text;
    untrusted = repaired.untrusted;
  }
  std::vector<token_id> out;
  if (add_special_tokens) out = parts_->before;
  parts_->in_text.split(text, untrusted, [&](text_range range, token_id id) {
    if (id >= 0) {
      out.push_back(id);
    } else {
      encode_stretch(text.substr(range.begin, range.end - range.begin), range.begin == 0, out);
    }
  });
  if (add_special_tokens) out.insert(out.end(), parts_->after.begin(), parts_->after.end());
  return out;
}

void tokenizer::encode_stretch(std::string_view text, bool at_start,
                               std::vector<token_id>& out) const {
  std::string normalized;
  if (!parts_->normal.empty()) {
    normalized = parts_->normal.apply(text);
    text = normalized;
  }
  const pre_tokenizer::piece_sink encode_piece = [&](std::string_view piece) {
    parts_->model.encode(piece, out);
  };
  parts_->in_normalized.split(text, {}, [&](text_range range, token_id id) {
    if (id >= 0) {
      out.push_back(id);
    } else {
      const auto stretch = text.substr(range.begin, range.end - range.begin);
      parts_->pieces.split(stretch, at_start && range.begin == 0, encode_piece);
    }
  });
}

std::string tokenizer::decode(std::span<const token_id> ids, bool skip_special) const {
  std::string bytes;
  bool first = true;
  for (const auto id : ids) {
    if (id < 0 || static_cast<std::size_t>(id) >= size() || (skip_special && is_special(id)))
      continue;
    bytes += first ? texts().first_bytes(id) : texts().bytes(id);
    first = false;
  }
  std::string_view kept = bytes;
  for (std::size_t i = 0; i < texts().strip_count() && kept.starts_with(texts().stripped()); ++i) {
    kept.remove_prefix(texts().stripped().size());
  }
  std::string text;
  text.reserve(kept.size());
  if (append_utf8(kept, text) < kept.size()) text += replacement_character;
  return text;
}

std::string_view tokenizer::token(token_id id) const {
  return id < 0 || static_cast<std::size_t>(id) >= size()
             ? ""
             : std::string_view(parts_->spellings[static_cast<std::size_t>(id)]);
}

std::string tokenizer::token_bytes(token_id id) const { return std::string(texts().bytes(id)); }

std::optional<token_id> tokenizer::find(std::string_view token) const {
  const auto id = parts_->ids.find(token);
  return id < 0 ? std::nullopt : std::optional(id);
}

std::size_t tokenizer::size() const { return parts_->spellings.size(); }

bool tokenizer::is_special(token_id id) const {
  return id >= 0 && static_cast<std::size_t>(id) < size() &&
         parts_->special[static_cast<std::size_t>(id)];
}

const std::map<std::string, std::string>& tokenizer::special_strings() const {
  return parts_->special_strings;
}

const token_text& tokenizer::texts() const { return parts_->texts; }

std::string_view tokenizer::special_string(const std::string& role) const {
  const auto found = parts_->special_strings.find(role);
  return found == parts_->special_strings.end() ? std::string_view() : found->second;
}

} // namespace troupe
