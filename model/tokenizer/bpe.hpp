// Byte-pair encoding (Sennrich et al., 1508.07909) of one piece of text: start from its characters
// or bytes, and merge the neighbours that the model learned to merge first until none are left. A
// piece that is itself a token and comes out as that token is remembered, one atomic flag a token:
// most words are, and no cache with locks or a size is needed.
#pragma once

#include "config/sampling.hpp"
#include "model/tokenizer/string_index.hpp"

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

namespace troupe {

class json_field;
struct tokenizer_file;

/// The model of a tokenizer.json of type BPE. Immutable but for the flags, which only remember;
/// shared by threads.
class bpe {
 public:
  /// With `byte_level` the vocabulary is spelled in the byte alphabet and pieces are bytes. Throws
  /// model_error where merges name what is not in the vocabulary, byte_fallback lacks a byte, or a
  /// field asks for something else than this does.
  bpe(const tokenizer_file& file, const json_field& model, bool byte_level);

  /// Appends the ids of `piece`. O(n log n).
  void encode(std::string_view piece, std::vector<token_id>& out) const;

 private:
  struct merge {
    std::uint64_t pair = no_pair;
    std::uint32_t rank = no_rank;
    token_id result = -1;
  };
  static constexpr std::uint64_t no_pair = ~std::uint64_t{0};
  static constexpr std::uint32_t no_rank = ~std::uint32_t{0};

  void read_vocabulary(const tokenizer_file& file, const json_field& model);
  void read_merges(const tokenizer_file& file, const json_field& model);
  void read_bytes(const json_field& model);
  bool merges_across_marks(const tokenizer_file& file) const;

  std::size_t slot_of(std::uint64_t pair) const;
  const merge& merge_of(token_id left, token_id right) const;

  void encode_word(std::string_view word, std::vector<token_id>& out) const;
  void merge_word(std::string_view word, std::vector<token_id>& out) const;
  void first_symbols(std::string_view word, std::vector<token_id>& out) const;
  void merge_few(std::vector<token_id>& out, std::size_t from) const;
  void merge_many(std::vector<token_id>& out, std::size_t from) const;

  bool byte_level_;
  bool ignore_merges_ = false;
  bool byte_fallback_ = false;
  bool fuse_unknown_ = false;
  bool words_begin_with_mark_ = false;
  token_id unknown_ = -1;
  string_index pieces_;               // what a piece may be whole; bytes where byte_level_
  std::array<token_id, 256> bytes_{}; // the token of each byte, or -1
  std::vector<merge> merges_;         // a hash table, a power of two, at most half in use
  std::unique_ptr<std::atomic<std::uint8_t>[]> comes_out_whole_; // by id: 0 not known, 1 yes, 2 no
};

} // namespace troupe
