#include "app/bench/request_writer.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <stdexcept>
#include <utility>

namespace troupe {

using json = nlohmann::ordered_json;

request_writer::request_writer(const request_form& form, prompt_writer prompts)
    : prompts_(std::move(prompts)) {
  json fields{
      {"model", form.model}, {"stream", true}, {"stream_options", {{"include_usage", true}}}};
  if (form.ignore_eos) fields["ignore_eos"] = true;
  if (!form.extra_body.empty()) {
    const json extra = json::parse(form.extra_body, nullptr, false);
    if (!extra.is_object()) throw std::invalid_argument("is not a JSON object");
    for (const char* name :
         {"prompt", "messages", "max_tokens", "max_completion_tokens", "stream", "n"})
      if (extra.contains(name)) throw std::invalid_argument(fmt::format("may not hold {}", name));
    fields.update(extra);
  }
  before_length_ = fields.dump(-1, ' ', false, json::error_handler_t::replace);
  before_length_.back() = ',';
  before_length_ += R"("max_tokens":)";
  const bool chat = form.endpoint == bench_endpoint::chat;
  before_prompt_ = chat ? R"(,"messages":[{"role":"user","content":)" : R"(,"prompt":)";
  end_ = chat ? "}]}" : "}";
}

std::string request_writer::body(const planned_request& request) const {
  std::string out = before_length_ + std::to_string(request.output) + before_prompt_;
  prompts_.append(request.prompt, out);
  return out + end_;
}

} // namespace troupe
