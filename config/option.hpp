// One thing that can be set: its names, what it takes, and where in the settings it lives.
// Everything that knows about options (files, environment, command line, help, documentation) works
// from this struct alone.
#pragma once

#include "config/quantity.hpp"
#include "config/settings.hpp"

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace troupe {

enum class option_kind { text, texts, count, size, duration, fraction, boolean, choice };

/// A value after reading: counts, bytes, milliseconds and the index of a choice are all whole
/// numbers.
using option_value =
    std::variant<bool, std::uint64_t, double, std::string, std::vector<std::string>>;

/// What an option is called and what it takes, whoever's it is.
struct option_form {
  std::string group; ///< "engine"
  std::string name;  ///< "max_sequences"
  std::string flag;  ///< "max-sequences": unique among all options
  option_kind kind = option_kind::text;
  std::string help;     ///< one line
  std::string argument; ///< what help calls its value; empty: after its kind
  bool secret = false;
  bool many = false;        ///< a text that may be given several times, each a value by itself
  std::uint64_t lowest = 0; ///< of a count, of bytes, of milliseconds
  std::uint64_t highest = 0;
  double lowest_fraction = 0;
  double highest_fraction = 1;
  std::vector<std::string> choices;

  /// "engine.max_sequences", the name in files and errors.
  std::string key() const { return group + "." + name; }
  /// "TROUPE_ENGINE_MAX_SEQUENCES"
  std::string variable() const;
  /// "--max-sequences"
  std::string dashed() const { return "--" + flag; }
};

/// An option and the place of its value in a `Values`.
template <class Values>
struct option_of : option_form {
  std::function<void(Values&, const option_value&)> assign;
  std::function<option_value(const Values&)> read;
};

template <class Values>
struct option_group_of {
  std::string name; ///< "engine", also the section of a file
  std::string help; ///< one line
  std::vector<option_of<Values>> options;
};

using option = option_of<settings>;
using option_group = option_group_of<settings>;

/// Something of TOML that is no value of ours: a date, a table. Holds what to call it.
struct foreign_value {
  std::string called;
};

/// A value as a file holds it, already typed. Text of the environment and the command line is a
/// plain std::string_view instead, and is read as whatever its option takes.
using typed_value =
    std::variant<bool, std::int64_t, double, std::string, std::vector<std::string>, foreign_value>;

/// Throws bad_value; the value is then not out of range, not of another type, not broken text.
option_value read_text(const option_form& which, std::string_view text);
option_value read_typed(const option_form& which, const typed_value& value);

/// What the option takes, as the end of "it takes": "1 to 65535", "auto, human or json".
std::string takes(const option_form& which);

/// The value as it would be written on the command line; a secret as "(hidden)".
std::string show(const option_form& which, const option_value& value);

/// The value as it would be written in a file, secrets included.
std::string show_toml(const option_form& which, const option_value& value);

/// A value of a file as it was written there, cut to a readable length; a secret as "(hidden)".
std::string show_written(const option_form& which, const typed_value& value);

} // namespace troupe
