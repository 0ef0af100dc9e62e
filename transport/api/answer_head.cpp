#include "transport/api/answer_head.hpp"

#include <fmt/format.h>

namespace troupe {

answer_head make_head(const parsed_request& parsed, const std::string& model,
                      std::int64_t created) {
  const generate_request& request = parsed.request;
  answer_head head;
  head.id = request.id;
  head.created = created;
  head.model = request.model.empty() ? model : request.model;
  head.shape = parsed.shape;
  head.include_usage = parsed.include_usage;
  head.logprobs = request.logprobs >= 0;
  head.echo_logprobs = request.echo && head.logprobs;
  head.prompt_logprobs = request.prompt_logprobs >= 0 && !head.echo_logprobs;
  return head;
}

std::string open_object(const answer_head& head, std::string_view object) {
  return fmt::format(R"({{"id":{},"object":"{}","created":{},"model":{})", quoted_json(head.id),
                     object, head.created, quoted_json(head.model));
}

} // namespace troupe
