// Ties the parts together for one rendering: JSON in, variables set, tree walked, faults given
// their line.
#include "model/template/chat_template.hpp"

#include "model/template/evaluator.hpp"
#include "model/template/from_json.hpp"
#include "model/template/globals.hpp"
#include "model/template/parser.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace troupe {
namespace {

using jinja::evaluator;
using jinja::origin;
using jinja::runtime;
using jinja::symbol;

void require_object(const nlohmann::ordered_json& json, std::string_view what) {
  if (!json.is_object() && !json.is_null()) {
    throw template_error(fmt::format(
        "chat template: the {} is no JSON object; pass one with the variables as members", what));
  }
}

/// Sets every variable that the template speaks of.
void set_variables(runtime& run, evaluator& eval, const jinja::parsed_template& parsed,
                   const nlohmann::ordered_json& context, const nlohmann::ordered_json& trusted,
                   bool has_clock) {
  for (symbol name = 0; name < parsed.symbols.size(); ++name) {
    const std::string& spelled = parsed.symbols[name];
    if (const auto own = trusted.find(spelled); own != trusted.end()) {
      eval.set_global(name, from_json(run, *own, origin::trusted));
    } else if (const auto given = context.find(spelled); given != context.end()) {
      eval.set_global(name, spelled == "messages" ? messages_from_json(run, *given)
                                                  : from_json(run, *given, origin::caller));
    } else if (jinja::value found = find_global(run, spelled, has_clock); !is_undefined(found)) {
      eval.set_global(name, std::move(found));
    }
  }
}

} // namespace

chat_template::chat_template(std::string_view source, template_limits limits, template_clock clock)
    : parsed_(std::make_unique<const jinja::parsed_template>(jinja::parse(source, limits))),
      limits_(limits), clock_(std::move(clock)) {}

chat_template::~chat_template() = default;
chat_template::chat_template(chat_template&&) noexcept = default;
chat_template& chat_template::operator=(chat_template&&) noexcept = default;

rendered_text chat_template::render(const nlohmann::ordered_json& context) const {
  return render(context, nlohmann::ordered_json::object());
}

rendered_text chat_template::render(const nlohmann::ordered_json& context,
                                    const nlohmann::ordered_json& trusted) const {
  require_object(context, "context");
  require_object(trusted, "trusted context");
  runtime run(limits_, clock_);
  evaluator eval(run, *parsed_);
  try {
    set_variables(run, eval, *parsed_, context, trusted, static_cast<bool>(clock_));
    return eval.render();
  } catch (const jinja::refusal& refused) {
    throw template_refusal(fmt::format("chat template, line {}: {}", eval.line(), refused.what()));
  } catch (const jinja::fault& failed) {
    throw template_error(fmt::format("chat template, line {}: {}", eval.line(), failed.what()));
  }
}

} // namespace troupe
