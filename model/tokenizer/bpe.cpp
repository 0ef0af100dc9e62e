// See bpe.hpp. Short words, nearly all, are merged by looking for the best pair again after each
// merge; long ones over a linked list with candidates in order of rank, so that a million equal
// letters are not quadratic. Both merge the lowest rank first, and of one rank the leftmost.
#include "model/tokenizer/bpe.hpp"

#include "model/model_error.hpp"
#include "model/tokenizer/byte_alphabet.hpp"
#include "model/tokenizer/json_field.hpp"
#include "model/tokenizer/tokenizer_file.hpp"
#include "model/tokenizer/utf8.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <map>
#include <string>

namespace troupe {
namespace {

constexpr std::string_view mark =
    "\xE2\x96\x81";             // U+2581, which stands for a space in SentencePiece's vocabularies
constexpr std::size_t few = 48; // symbols; up to here looking again is cheaper than the lists

std::uint64_t pair_of(token_id left, token_id right) {
  return static_cast<std::uint64_t>(static_cast<std::uint32_t>(left)) << 32 |
         static_cast<std::uint32_t>(right);
}

} // namespace

bpe::bpe(const tokenizer_file& file, const json_field& model, bool byte_level)
    : byte_level_(byte_level), pieces_(file.vocabulary.size()) {
  for (const auto* field : {"continuing_subword_prefix", "end_of_word_suffix"}) {
    if (!model.string_or(field, "").empty())
      model.at(field).refuse("is not supported; only empty or null is");
  }
  if (model.has("dropout"))
    model.at("dropout").refuse("is not supported: encoding must not be random");
  ignore_merges_ = model.boolean_or("ignore_merges", false);
  byte_fallback_ = model.boolean_or("byte_fallback", false);
  fuse_unknown_ = model.boolean_or("fuse_unk", false);
  read_vocabulary(file, model);
  read_merges(file, model);
  read_bytes(model);
  words_begin_with_mark_ =
      !byte_level_ && !ignore_merges_ && pieces_.find(mark) >= 0 && !merges_across_marks(file);
}

void bpe::read_vocabulary(const tokenizer_file& file, const json_field& model) {
  std::int64_t largest = -1;
  string_index spellings(file.vocabulary.size());
  for (const auto& [spelling, id] : file.vocabulary) {
    largest = std::max(largest, id);
    if (!spellings.insert(spelling, static_cast<token_id>(id))) {
      model.refuse(fmt::format("vocab has \"{}\" twice", spelling));
    }
    if (!byte_level_) continue;
    const auto bytes = bytes_of_spelling(spelling);
    if (bytes) pieces_.insert(*bytes, static_cast<token_id>(id));
  }
  if (!byte_level_) pieces_ = spellings;
  comes_out_whole_ =
      std::make_unique<std::atomic<std::uint8_t>[]>(static_cast<std::size_t>(largest + 1));
  if (const auto unknown = model.find("unk_token")) {
    unknown_ = spellings.find(unknown->string());
    if (unknown_ < 0)
      unknown->refuse(fmt::format("is \"{}\", which is not in model.vocab", unknown->string()));
  }
}

void bpe::read_merges(const tokenizer_file& file, const json_field& model) {
  merges_.resize(std::bit_ceil(std::max<std::size_t>(16, file.merges.size() * 2)));
  const auto id_of = [&](std::size_t rank, std::string_view part) {
    token_id id = -1;
    if (!byte_level_) {
      id = pieces_.find(part);
    } else if (const auto bytes = bytes_of_spelling(part)) {
      id = pieces_.find(*bytes);
    }
    if (id < 0)
      model.refuse(fmt::format("merges[{}] has \"{}\", which is not in model.vocab", rank, part));
    return id;
  };
  std::string both;
  for (std::size_t rank = 0; rank < file.merges.size(); ++rank) {
    const auto& [left, right] = file.merges[rank];
    const auto pair = pair_of(id_of(rank, left), id_of(rank, right));
    both.assign(left).append(right);
    merges_[slot_of(pair)] = {pair, static_cast<std::uint32_t>(rank), id_of(rank, both)};
  }
}

void bpe::read_bytes(const json_field& model) {
  std::string missing;
  std::size_t found = 0;
  for (std::size_t byte = 0; byte < bytes_.size(); ++byte) {
    const char text = static_cast<char>(static_cast<unsigned char>(byte));
    const auto name = byte_level_ ? std::string(1, text) : fmt::format("<0x{:02X}>", byte);
    bytes_[byte] = pieces_.find(name);
    if (bytes_[byte] >= 0) {
      ++found;
    } else if (const auto occurs = byte != 0xC0 && byte != 0xC1 && byte <= 0xF4;
               occurs && missing.empty()) {
      missing = byte_level_ ? fmt::format("the byte 0x{:02X}", byte) : fmt::format("\"{}\"", name);
    }
  }
  if (missing.empty() || !(byte_level_ || byte_fallback_)) return;
  // A vocabulary without any byte may say that it falls back on bytes: it falls back on unk_token.
  if (unknown_ >= 0 && (byte_level_ || found == 0)) {
    byte_fallback_ = false;
    return;
  }
  model.refuse(fmt::format("vocab has no token for {}, which {} needs", missing,
                           byte_level_ ? "ByteLevel" : "byte_fallback"));
}

// Where no merge joins something and a following mark, no token spans the two, and text may be cut
// there beforehand.
bool bpe::merges_across_marks(const tokenizer_file& file) const {
  return std::any_of(file.merges.begin(), file.merges.end(), [](const auto& merge) {
    return merge.second.starts_with(mark) && !merge.first.ends_with(mark);
  });
}

std::size_t bpe::slot_of(std::uint64_t pair) const {
  const auto mask = merges_.size() - 1;
  auto at = static_cast<std::size_t>((pair * 0x9E3779B97F4A7C15U) >> 32) & mask;
  while (merges_[at].pair != pair && merges_[at].pair != no_pair) at = (at + 1) & mask;
  return at;
}

const bpe::merge& bpe::merge_of(token_id left, token_id right) const {
  return merges_[slot_of(pair_of(left, right))];
}

void bpe::encode(std::string_view piece, std::vector<token_id>& out) const {
  if (!words_begin_with_mark_) return encode_word(piece, out);
  std::size_t begin = 0;
  while (begin < piece.size()) {
    auto end = begin;
    while (piece.substr(end).starts_with(mark)) end += mark.size();
    end = std::min(piece.find(mark, end), piece.size());
    encode_word(piece.substr(begin, end - begin), out);
    begin = end;
  }
}

void bpe::encode_word(std::string_view word, std::vector<token_id>& out) const {
  const auto whole = pieces_.find(word);
  if (whole < 0) return merge_word(word, out);
  auto& known = comes_out_whole_[static_cast<std::size_t>(whole)];
  const auto state = known.load(std::memory_order_relaxed);
  if (ignore_merges_ || state == 1) {
    out.push_back(whole);
    return;
  }
  const auto from = out.size();
  merge_word(word, out);
  if (state == 0)
    known.store(out.size() == from + 1 && out[from] == whole ? 1 : 2, std::memory_order_relaxed);
}

void bpe::merge_word(std::string_view word, std::vector<token_id>& out) const {
  const auto from = out.size();
  first_symbols(word, out);
  if (out.size() - from <= few) {
    merge_few(out, from);
  } else {
    merge_many(out, from);
  }
}

void bpe::first_symbols(std::string_view word, std::vector<token_id>& out) const {
  bool after_unknown = false;
  const auto put_unknown = [&] {
    if (unknown_ >= 0 && !(after_unknown && fuse_unknown_)) out.push_back(unknown_);
    after_unknown = true;
  };
  while (!word.empty()) {
    const auto length = byte_level_ ? 1 : utf8_length(word.front());
    const auto symbol = word.substr(0, length);
    const auto id =
        byte_level_ ? bytes_[static_cast<unsigned char>(symbol[0])] : pieces_.find(symbol);
    word.remove_prefix(length);
    if (id >= 0) {
      out.push_back(id);
      after_unknown = false;
    } else if (byte_fallback_ && !byte_level_) {
      for (const char byte : symbol) out.push_back(bytes_[static_cast<unsigned char>(byte)]);
      after_unknown = false;
    } else {
      put_unknown();
    }
  }
}

void bpe::merge_few(std::vector<token_id>& out, std::size_t from) const {
  std::array<merge, few> next; // what each symbol and the one after it merge to
  auto* const ids = out.data() + from;
  auto count = out.size() - from;
  for (std::size_t i = 0; i + 1 < count; ++i) next[i] = merge_of(ids[i], ids[i + 1]);
  while (count > 1) {
    const auto best = static_cast<std::size_t>(
        std::min_element(next.begin(), next.begin() + static_cast<std::ptrdiff_t>(count) - 1,
                         [](const merge& a, const merge& b) { return a.rank < b.rank; }) -
        next.begin());
    if (next[best].rank == no_rank) break;
    ids[best] = next[best].result;
    for (auto i = best + 1; i + 1 < count; ++i) {
      ids[i] = ids[i + 1];
      next[i] = next[i + 1];
    }
    --count;
    if (best > 0) next[best - 1] = merge_of(ids[best - 1], ids[best]);
    if (best + 1 < count) next[best] = merge_of(ids[best], ids[best + 1]);
  }
  out.resize(from + count);
}

// Candidates wait by rank, their places in order, and one rank is merged from left to right at a
// time: text that repeats itself has few ranks, so this goes through memory in order where one
// queue of all candidates would jump about in it.
void bpe::merge_many(std::vector<token_id>& out, std::size_t from) const {
  struct symbol {
    token_id id; // -1 once it is part of the one before it
    std::uint32_t before, after;
  };
  struct waiting {
    std::vector<std::uint32_t> places;
    std::size_t done = 0;
    bool in_order = true;
  };
  const auto count = static_cast<std::uint32_t>(out.size() - from);
  std::vector<symbol> symbols(count);
  for (std::uint32_t i = 0; i < count; ++i) symbols[i] = {out[from + i], i - 1, i + 1};

  const auto rank_at = [&](std::uint32_t place) {
    const auto& s = symbols[place];
    return s.id < 0 || s.after >= count ? no_rank : merge_of(s.id, symbols[s.after].id).rank;
  };
  std::map<std::uint32_t, waiting> ranks;
  const auto offer = [&](std::uint32_t place) {
    const auto rank = rank_at(place);
    if (rank == no_rank) return;
    auto& entry = ranks[rank];
    if (!entry.places.empty() && entry.places.back() > place) entry.in_order = false;
    entry.places.push_back(place);
  };
  for (std::uint32_t i = 0; i < count; ++i) offer(i);
  while (!ranks.empty()) {
    const auto first = ranks.begin();
    auto& [places, done, in_order] = first->second;
    if (!in_order) std::sort(places.begin() + static_cast<std::ptrdiff_t>(done), places.end());
    in_order = true;
    // A merge may make one possible that the model learned before; then that is the first.
    while (done < places.size() && ranks.begin() == first) {
      const auto place = places[done++];
      if (rank_at(place) != first->first) continue;
      auto& left = symbols[place];
      auto& right = symbols[left.after];
      left.id = merge_of(left.id, right.id).result;
      left.after = right.after;
      right.id = -1;
      if (left.after < count) symbols[left.after].before = place;
      if (place > 0) offer(left.before);
      offer(place);
    }
    if (done == places.size()) ranks.erase(first);
  }
  out.resize(from);
  for (std::uint32_t i = 0; i < count; i = symbols[i].after) out.push_back(symbols[i].id);
}

} // namespace troupe
