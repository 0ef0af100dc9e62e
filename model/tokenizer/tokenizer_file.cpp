// See tokenizer_file.hpp. A receiver of nlohmann's parse events: it builds a document like the
// parser's own, except that the entries of model.vocab and model.merges go to plain vectors. Depth
// is bounded here, since documents are released recursively.
#include "model/tokenizer/tokenizer_file.hpp"

#include "model/model_error.hpp"
#include "model/tokenizer/string_index.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <cstddef>
#include <fstream>
#include <string_view>
#include <system_error>
#include <utility>

namespace troupe {
namespace {

using nlohmann::json;

constexpr std::size_t max_depth = 64;

class receiver : public nlohmann::json_sax<json> {
 public:
  receiver(std::string file, tokenizer_file* apart) : file_(std::move(file)), apart_(apart) {}

  json take() {
    cut_merges();
    return std::move(document_);
  }

  bool null() override { return value(nullptr); }
  bool boolean(bool v) override { return value(v); }
  bool number_integer(number_integer_t v) override { return value(v); }
  bool number_unsigned(number_unsigned_t v) override { return value(v); }
  bool number_float(number_float_t v, const string_t&) override { return value(v); }
  bool string(string_t& v) override { return value(std::move(v)); }
  bool binary(binary_t&) override { return false; }

  bool start_object(std::size_t) override { return open(json::object()); }
  bool start_array(std::size_t) override { return open(json::array()); }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }

  bool key(string_t& v) override {
    if (in_ == place::vocabulary) {
      token_ = std::move(v);
    } else {
      key_ = std::move(v);
    }
    return true;
  }

  bool parse_error(std::size_t at, const std::string&,
                   const nlohmann::detail::exception& error) override {
    refuse("", fmt::format("is not JSON (byte {}: {})", at, error.what()));
  }

 private:
  enum class place { elsewhere, vocabulary, merges, merge_pair };

  [[noreturn]] void refuse(std::string_view field, std::string_view problem) const {
    throw model_error(fmt::format("{}: {}{}{}", file_, field, field.empty() ? "" : ": ", problem));
  }

  std::string merge_name() const { return fmt::format("model.merges[{}]", apart_->merges.size()); }

  json& put(json&& v) {
    if (open_.empty()) return document_ = std::move(v);
    auto& parent = *open_.back();
    if (parent.is_array()) return parent.emplace_back(std::move(v));
    return parent[key_] = std::move(v);
  }

  bool value(json&& v) {
    switch (in_) {
    case place::elsewhere:
      put(std::move(v));
      break;
    case place::vocabulary:
      take_token(v);
      break;
    case place::merges:
      take_merge(v);
      break;
    case place::merge_pair:
      take_half(std::move(v));
      break;
    }
    return true;
  }

  void take_token(const json& id) {
    const auto name = fmt::format("model.vocab[\"{}\"]", token_);
    if (!id.is_number_integer()) refuse(name, fmt::format("is {}, not an id", id.dump()));
    if (id.is_number_unsigned() ? id.get<std::uint64_t>() >= max_vocabulary : true) {
      refuse(name, fmt::format("has the id {}; ids are 0 to {}", id.dump(), max_vocabulary - 1));
    }
    apart_->vocabulary.emplace_back(std::move(token_), id.get<std::int64_t>());
    if (apart_->vocabulary.size() > max_vocabulary)
      refuse("model.vocab", fmt::format("has over {} entries", max_vocabulary));
  }

  void take_merge(const json& merge) {
    if (!merge.is_string()) refuse(merge_name(), "is neither \"LEFT RIGHT\" nor [LEFT, RIGHT]");
    const auto& text = merge.get_ref<const std::string&>();
    const auto space = text.find(' ');
    if (space != std::string::npos && text.find(' ', space + 1) != std::string::npos) {
      uncut_.push_back(apart_->merges.size());
      return add_merge(text, "");
    }
    if (space == std::string::npos || space == 0 || space + 1 == text.size()) {
      refuse(merge_name(), fmt::format("is \"{}\", not two tokens with a space between", text));
    }
    add_merge(text.substr(0, space), text.substr(space + 1));
  }

  void take_half(json&& half) {
    if (!half.is_string() || half.get_ref<const std::string&>().empty())
      refuse(merge_name(), "is not a pair of tokens");
    halves_.push_back(std::move(half.get_ref<std::string&>()));
  }

  void add_merge(std::string left, std::string right) {
    apart_->merges.emplace_back(std::move(left), std::move(right));
    if (apart_->merges.size() > max_vocabulary)
      refuse("model.merges", fmt::format("has over {} entries", max_vocabulary));
  }

  // Depth 2 is a member of "model": the document is open, and the model.
  bool directly_in_model() const { return apart_ != nullptr && open_.size() == 2 && in_model_; }

  bool open(json&& container) {
    if (open_.size() + (in_ == place::elsewhere ? 0 : 1) >= max_depth)
      refuse("", fmt::format("nests deeper than {}", max_depth));
    if (in_ == place::vocabulary)
      refuse(fmt::format("model.vocab[\"{}\"]", token_), "is not an id");
    if (in_ == place::merge_pair || (in_ == place::merges && container.is_object())) {
      refuse(merge_name(), "is neither \"LEFT RIGHT\" nor [LEFT, RIGHT]");
    }
    if (in_ == place::merges) {
      in_ = place::merge_pair;
      halves_.clear();
      return true;
    }
    if (directly_in_model() && key_ == "vocab" && container.is_object()) in_ = place::vocabulary;
    if (directly_in_model() && key_ == "merges" && container.is_array()) in_ = place::merges;
    if (open_.size() == 1) in_model_ = key_ == "model";
    open_.push_back(&put(std::move(container)));
    return true;
  }

  bool close() {
    if (in_ == place::merge_pair) {
      if (halves_.size() != 2) refuse(merge_name(), "is not a pair of tokens");
      add_merge(std::move(halves_[0]), std::move(halves_[1]));
      in_ = place::merges;
      return true;
    }
    in_ = place::elsewhere;
    open_.pop_back();
    return true;
  }

  // Tokens may hold spaces themselves. Then the space between two is the one that has a token on
  // either side.
  void cut_merges() {
    if (uncut_.empty()) return;
    string_index tokens(apart_->vocabulary.size());
    for (const auto& [token, id] : apart_->vocabulary)
      tokens.insert(token, static_cast<token_id>(id));
    for (const auto index : uncut_) {
      auto& [left, right] = apart_->merges[index];
      const std::string_view text = left;
      auto space = text.find(' ');
      while (space != std::string_view::npos &&
             (tokens.find(text.substr(0, space)) < 0 || tokens.find(text.substr(space + 1)) < 0)) {
        space = text.find(' ', space + 1);
      }
      if (space == std::string_view::npos) {
        refuse(fmt::format("model.merges[{}]", index),
               fmt::format("is \"{}\", not two tokens with a space between", text));
      }
      right = text.substr(space + 1);
      left.resize(space);
    }
  }

  std::string file_;
  tokenizer_file* apart_;
  json document_;
  std::vector<json*> open_; // the containers around the next value, outermost first
  std::string key_, token_;
  std::vector<std::string> halves_;
  std::vector<std::size_t> uncut_; // merges of more than one space
  place in_ = place::elsewhere;
  bool in_model_ = false;
};

json parse(const std::filesystem::path& path, std::uintmax_t limit, tokenizer_file* apart) {
  const auto name = path.filename().string();
  std::error_code error;
  const auto size = std::filesystem::file_size(path, error);
  std::ifstream stream(path, std::ios::binary);
  if (error || !stream) throw model_error(fmt::format("{}: cannot be read", path.string()));
  if (size > limit)
    throw model_error(fmt::format("{}: has {} bytes; the limit is {}", name, size, limit));
  std::string text(size, '\0');
  if (!stream.read(text.data(), static_cast<std::streamsize>(size)))
    throw model_error(fmt::format("{}: cannot be read", name));
  receiver events(name, apart);
  json::sax_parse(text, &events);
  return events.take();
}

} // namespace

tokenizer_file read_tokenizer_file(const std::filesystem::path& path) {
  tokenizer_file file;
  file.rest = std::make_shared<const json>(parse(path, std::uintmax_t{256} << 20, &file));
  return file;
}

std::shared_ptr<const json> read_json_file(const std::filesystem::path& path) {
  if (!std::filesystem::exists(path)) return nullptr;
  return std::make_shared<const json>(parse(path, std::uintmax_t{16} << 20, nullptr));
}

} // namespace troupe
