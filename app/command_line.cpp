// CLI11 splits the words into flags, values and the rest. Help, suggestions and the reading of
// values are ours: they have to agree with files and environment.
#include "app/command_line.hpp"

#include "config/nearest.hpp"
#include "config/text.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <algorithm>

namespace troupe {
namespace {

constexpr std::size_t longest_shown = 80;

class reader {
 public:
  explicit reader(const verb& which) : which_(which) {
    app_.set_help_flag();
    app_.allow_extras();
    if (!which.positionals.empty())
      positionals_ = app_.add_option("words", ignored_)->expected(0, 1 << 20);
    help_ = app_.add_option("-h,--help", ignored_)->expected(0, 1)->allow_extra_args(false);
    spellings_.push_back({"--help", "--help"});
    for (const verb_flag& each : which.flags) add_flag(each);
    for (const shown_group& group : which.groups)
      for (const shown_option& each : group.options) add_option(each.form);
  }

  command_line read(std::vector<std::string> words) {
    std::reverse(words.begin(), words.end());
    try {
      app_.parse(words);
    } catch (const CLI::ArgumentMismatch& problem) {
      // The text begins with the flag: "--port: 1 required TEXT missing".
      const std::string text = problem.what();
      line_.errors.push_back(printable(text.substr(0, text.find(':'))) + ": needs a value");
      return std::move(line_);
    } catch (const CLI::ParseError& problem) {
      line_.errors.push_back(fmt::format("{}: {}", which_.name, printable(problem.what())));
      return std::move(line_);
    }
    take_flags();
    take_settings();
    take_rest();
    return std::move(line_);
  }

 private:
  struct bound {
    CLI::Option* given;
    std::string name;      // "--port", as it is suggested and shown
    const verb_flag* flag; // one of these two is set
    const option_form* setting;
    std::string implied; // the value of a flag without argument; empty: it has one
  };

  void add_flag(const verb_flag& each) {
    const std::string names = each.shorter.empty() ? each.name : each.shorter + "," + each.name;
    CLI::Option* made = each.argument.empty() ? app_.add_flag(names, ignored_)
                                              : valued(app_.add_option(names, ignored_));
    bound_.push_back({made, each.name, &each, nullptr, each.argument.empty() ? "true" : ""});
    spellings_.push_back({each.name, each.name});
  }

  void add_option(const option_form& each) {
    const bool is_switch = each.kind == option_kind::boolean;
    CLI::Option* made = is_switch ? app_.add_flag(each.dashed(), ignored_)
                                  : valued(app_.add_option(each.dashed(), ignored_));
    bound_.push_back({made, each.dashed(), nullptr, &each, ""});
    spellings_.push_back({each.dashed(), each.dashed()});
    std::string long_form = "--" + each.group + "-" + each.name;
    std::replace(long_form.begin(), long_form.end(), '_', '-');
    spellings_.push_back({std::move(long_form), each.dashed()});
    if (!is_switch) return;
    const std::string negated = "--no-" + each.flag;
    bound_.push_back({app_.add_flag(negated, ignored_), negated, nullptr, &each, "false"});
    spellings_.push_back({negated, negated});
  }

  /// One value for each time that the flag is written, whatever the value looks like.
  static CLI::Option* valued(CLI::Option* made) {
    return made->expected(1)->type_size(1)->allow_extra_args(false)->multi_option_policy(
        CLI::MultiOptionPolicy::TakeAll);
  }

  void take_flags() {
    if (help_->count() > 0) {
      const auto groups = help_->results();
      line_.help = groups.empty() ? std::string() : groups.back();
    }
    if (positionals_ != nullptr) line_.positionals = positionals_->results();
    for (const bound& each : bound_) {
      if (each.flag == nullptr || each.given->count() == 0) continue;
      if (each.given->count() > 1)
        line_.errors.push_back(each.name + ": is given twice");
      else if (!each.implied.empty() && each.given->results().front() != each.implied)
        line_.errors.push_back(each.name + ": takes no value");
      else
        line_.flags.emplace_back(each.name, each.given->results().front());
    }
  }

  void take_settings() {
    const option_form* last = nullptr;
    for (const bound& each : bound_) {
      if (each.setting == nullptr || each.given->count() == 0) continue;
      const bool once = each.setting->kind != option_kind::texts && !each.setting->many;
      // A switch and its negation stand next to each other, and are one option.
      if ((each.given->count() > 1 && once) || last == each.setting) {
        line_.errors.push_back(each.name + ": is given twice");
        continue;
      }
      last = each.setting;
      if (each.setting->many) {
        for (const std::string& text : each.given->results())
          line_.settings.push_back({each.setting->key(), each.name, text});
        continue;
      }
      const std::string text = fmt::format("{}", fmt::join(each.given->results(), ","));
      if (!each.implied.empty() && text != "true")
        line_.errors.push_back(each.name + ": takes no value");
      else
        line_.settings.push_back(
            {each.setting->key(), each.name, each.implied.empty() ? text : each.implied});
    }
  }

  void take_rest() {
    bool unknown_flag = false;
    for (const std::string& word : app_.remaining()) {
      if (word == "--") continue;
      if (!word.starts_with('-') || word.size() == 1) {
        line_.positionals.push_back(word);
        continue;
      }
      unknown_flag = true;
      const std::string name = word.substr(0, word.find('='));
      line_.errors.push_back(fmt::format("{}: {} has no such flag{}",
                                         printable(name, longest_shown), which_.name,
                                         suggestion(name, spellings_)));
    }
    // The value of a flag that does not exist is no word too many.
    if (unknown_flag) return;
    const std::size_t most = which_.positionals.empty() ? 0 : 1;
    for (std::size_t i = most; i < line_.positionals.size(); ++i)
      line_.errors.push_back(fmt::format("{}: {} is one word too many; it takes {}", which_.name,
                                         printable_in_quotes(line_.positionals[i], longest_shown),
                                         most == 0 ? "none" : "one"));
  }

  const verb& which_;
  CLI::App app_;
  std::vector<std::string> ignored_; // CLI11 wants somewhere to write; results() is read instead
  CLI::Option* help_ = nullptr;
  CLI::Option* positionals_ = nullptr;
  std::vector<bound> bound_;
  std::vector<spelling> spellings_;
  command_line line_;
};

} // namespace

std::optional<std::string> command_line::value(std::string_view flag) const {
  for (const auto& [name, text] : flags)
    if (name == flag) return text;
  return std::nullopt;
}

command_line read_command_line(const verb& which, const std::vector<std::string>& words) {
  return reader(which).read(words);
}

} // namespace troupe
