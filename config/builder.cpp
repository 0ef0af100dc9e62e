// Precedence, and the wording of a refused value.
#include "config/builder.hpp"

#include "config/checks.hpp"
#include "config/options.hpp"
#include "config/text.hpp"

#include <fmt/format.h>

namespace troupe {

settings_builder::settings_builder() : options_(all_options()), slots_(options_.size()) {}

void settings_builder::set_text(std::string_view key, std::string_view text,
                                const setting_origin& from) {
  const option& which = find_option(options_, key);
  constexpr std::size_t longest_shown = 80;
  try {
    keep(which, read_text(which, text), from);
  } catch (const bad_value& problem) {
    refuse_value(which, which.secret ? "(hidden)" : printable(text, longest_shown), problem.what(),
                 from);
  }
}

void settings_builder::set_typed(std::string_view key, const typed_value& value,
                                 const setting_origin& from) {
  const option& which = find_option(options_, key);
  try {
    keep(which, read_typed(which, value), from);
  } catch (const bad_value& problem) {
    refuse_value(which, show_written(which, value), problem.what(), from);
  }
}

settings_builder::slot& settings_builder::slot_of(const option& which) {
  return slots_.at(static_cast<std::size_t>(&which - options_.data()));
}

void settings_builder::keep(const option& which, const option_value& value,
                            const setting_origin& from) {
  slot& place = slot_of(which);
  if (from.from < place.from.from) return;
  which.assign(values_, value);
  place.from = from;
}

void settings_builder::refuse_value(const option& which, std::string_view shown,
                                    std::string_view problem, const setting_origin& from) {
  slot_of(which).refused = true;
  refuse(fmt::format("{}: {} = {} {}; it takes {}", from.where, which.key(), shown, problem,
                     takes(which)));
}

loaded_settings settings_builder::finish() const {
  loaded_settings loaded{values_, {}, errors_, warnings_};
  std::vector<std::string> refused;
  for (std::size_t i = 0; i < options_.size(); ++i) {
    const option& each = options_[i];
    loaded.list.push_back({each.key(), show(each, each.read(values_)), slots_[i].from});
    if (slots_[i].refused) refused.push_back(each.key());
  }
  check_together(loaded, refused);
  return loaded;
}

} // namespace troupe
