#include "transport/api/tokenize_request.hpp"

#include "transport/api/parse_parts.hpp"

#include <utility>

namespace troupe {

namespace {

/// A token's piece: a string where it is UTF-8 by itself, else its bytes.
json piece(const std::string& bytes) {
  try {
    (void)json(bytes).dump();
    return bytes;
  } catch (const json::type_error&) {
    json list = json::array();
    for (const char c : bytes) list.push_back(static_cast<unsigned char>(c));
    return list;
  }
}

} // namespace

std::variant<tokenize_request, api_error> parse_tokenize(std::string_view body,
                                                         const request_limits& limits) {
  auto parsed = parse_object(body, limits);
  if (auto* error = std::get_if<api_error>(&parsed)) return std::move(*error);
  field_reader fields(std::get<json>(parsed));
  tokenize_request out;
  if (fields.any("messages") != nullptr) {
    std::vector<prompt_input> prompts;
    parse_conversation(fields, limits, prompts);
    out.prompt = std::move(prompts.front());
    out.add_special_tokens = fields.boolean("add_special_tokens").value_or(false);
  } else if (const auto* prompt = fields.text("prompt")) {
    out.prompt = *prompt;
    out.add_special_tokens = fields.boolean("add_special_tokens").value_or(true);
  } else if (const auto* content = fields.text("content")) {
    out.prompt = *content;
    out.by_content = true;
    out.add_special_tokens = fields.boolean("add_special").value_or(false);
  } else {
    fields.missing("prompt");
  }
  out.spellings =
      fields.boolean(out.by_content ? "with_pieces" : "return_token_strs").value_or(false);
  if (!fields.ok()) return *fields.fault();
  return out;
}

std::variant<token_ids, api_error> parse_detokenize(std::string_view body,
                                                    const request_limits& limits) {
  auto parsed = parse_object(body, limits);
  if (auto* error = std::get_if<api_error>(&parsed)) return std::move(*error);
  field_reader fields(std::get<json>(parsed));
  token_ids ids;
  if (const json* given = fields.array("tokens", limits.json_values))
    ids = parse_token_ids(fields, "tokens", *given);
  else
    fields.missing("tokens");
  if (!fields.ok()) return *fields.fault();
  return ids;
}

std::string tokenize_answer(const tokenize_request& asked, const tokenized& found) {
  if (!asked.by_content) {
    json out = {
        {"count", found.ids.size()}, {"max_model_len", found.max_context}, {"tokens", found.ids}};
    if (asked.spellings) out["token_strs"] = found.spellings;
    return to_text(out);
  }
  if (!asked.spellings) return to_text(json{{"tokens", found.ids}});
  json tokens = json::array();
  for (std::size_t i = 0; i < found.ids.size(); ++i)
    tokens.push_back(
        {{"id", found.ids[i]},
         {"piece", piece(i < found.spellings.size() ? found.spellings[i] : std::string())}});
  return to_text(json{{"tokens", std::move(tokens)}});
}

std::string detokenize_answer(const tokenized& found) {
  return to_text(json{{"prompt", found.text}, {"content", found.text}});
}

} // namespace troupe
