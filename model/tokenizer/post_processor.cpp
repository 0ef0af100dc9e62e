// See post_processor.hpp.
#include "model/tokenizer/post_processor.hpp"

#include "model/tokenizer/json_field.hpp"

#include <fmt/format.h>

namespace troupe {
namespace {

constexpr int max_nesting = 8;

void read_template(const json_field& field, std::size_t size, surroundings& out) {
  bool after = false;
  for (const auto& item : field.at("single").elements()) {
    if (const auto sequence = item.find("Sequence")) {
      if (after || sequence->at("id").string() != "A")
        sequence->refuse("is not the one sequence \"A\"");
      after = true;
      continue;
    }
    const auto name = item.at("SpecialToken").at("id").string();
    for (const auto& id : field.at("special_tokens").at(name).at("ids").elements()) {
      auto& side = after ? out.after : out.before;
      side.push_back(static_cast<token_id>(id.integer(0, static_cast<std::int64_t>(size) - 1)));
    }
  }
  if (!after) field.at("single").refuse("has no sequence \"A\"");
}

void read(const json_field& field, std::size_t size, int depth, surroundings& out) {
  const auto type = field.at("type").string();
  if (type == "Sequence") {
    if (depth == max_nesting) field.refuse(fmt::format("nests deeper than {}", max_nesting));
    for (const auto& inner : field.at("processors").elements()) read(inner, size, depth + 1, out);
  } else if (type == "TemplateProcessing") {
    read_template(field, size, out);
  } else if (type != "ByteLevel") {
    field.at("type").refuse(fmt::format(
        "\"{}\" is not supported; Sequence, TemplateProcessing and ByteLevel are", type));
  }
}

} // namespace

surroundings read_post_processor(const json_field& field, std::size_t size) {
  surroundings out;
  read(field, size, 0, out);
  return out;
}

} // namespace troupe
