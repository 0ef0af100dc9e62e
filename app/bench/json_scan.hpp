// A look into JSON text without building anything of it: a stream brings an object for nearly every
// token, and all that is asked of most is whether they bring one.
#pragma once

#include <string_view>

namespace troupe {

/// The members of the object that `text` is, one after the other. What is skipped is not checked
/// beyond its strings and brackets.
class json_members {
 public:
  explicit json_members(std::string_view text);

  /// Goes to the next member; false behind the last, and where the text is broken.
  bool next();
  /// As it is spelled, without its quotes.
  std::string_view name() const { return name_; }
  /// All of its text.
  std::string_view value() const { return value_; }
  /// The object was whole as far as next() went; once that is false, all of it.
  bool sound() const { return sound_; }

 private:
  bool fail();
  void skip_blanks();
  bool take(char wanted);
  bool take_string(std::string_view& out);
  bool take_value();

  std::string_view left_;
  std::string_view name_;
  std::string_view value_;
  bool sound_ = false;
  bool first_ = true;
  bool ended_ = false;
};

/// The first element of the array that `text` is; empty where there is none.
std::string_view first_element(std::string_view text);

/// A string that is not empty.
inline bool is_filled_string(std::string_view value) {
  return value.size() > 2 && value.front() == '"';
}

} // namespace troupe
