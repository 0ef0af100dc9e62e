#include "transport/http/question_exchange.hpp"

#include "transport/api/api_errors.hpp"
#include "transport/api/status_answers.hpp"

#include <utility>
#include <variant>

namespace troupe {

question_exchange::question_exchange(companion& bridge, responder& reply, endpoint what,
                                     std::string detail, const request_limits& limits)
    : bridge_(bridge), reply_(reply), what_(what), detail_(std::move(detail)), limits_(limits) {}

void question_exchange::start() {
  switch (what_) {
  case endpoint::metrics:
    tag_ = bridge_.ask_metrics();
    return;
  case endpoint::models:
  case endpoint::model:
    tag_ = bridge_.ask_model();
    return;
  case endpoint::tokenize:
    ask_tokens();
    return;
  case endpoint::detokenize:
    ask_text();
    return;
  default:
    tag_ = bridge_.ask_health();
    return;
  }
}

void question_exchange::ask_tokens() {
  auto parsed = parse_tokenize(std::exchange(detail_, {}), limits_);
  if (auto* error = std::get_if<api_error>(&parsed)) {
    answered_ = true;
    reply_.answer(error_response(*error));
    return;
  }
  asked_ = std::move(std::get<tokenize_request>(parsed));
  tag_ = bridge_.ask_tokens(std::exchange(asked_.prompt, {}), asked_.add_special_tokens);
}

void question_exchange::ask_text() {
  auto parsed = parse_detokenize(std::exchange(detail_, {}), limits_);
  if (auto* error = std::get_if<api_error>(&parsed)) {
    answered_ = true;
    reply_.answer(error_response(*error));
    return;
  }
  tag_ = bridge_.ask_text(std::move(std::get<token_ids>(parsed)));
}

void question_exchange::on(front_event&& event) {
  const auto give = [&](const auto& each) {
    if constexpr (requires { reply_with(each); })
      if (is_answer(each.tag)) reply_with(each);
  };
  std::visit(give, event);
}

bool question_exchange::is_answer(request_tag tag) {
  return tag == tag_ && tag_ != 0 && !std::exchange(answered_, true);
}

void question_exchange::out_of_time() {
  if (std::exchange(answered_, true)) return;
  if (what_ == endpoint::health || what_ == endpoint::readyz) {
    health silent;
    silent.state = server_state::stalled;
    silent.reason = "the supervisor does not answer";
    answer_json(503, health_text(silent));
    return;
  }
  reply_.answer(
      error_response(unavailable("The server took too long to answer.", "server_is_overloaded")));
}

void question_exchange::answer_json(int status, std::string body) {
  response out;
  out.status = status;
  out.body = std::move(body);
  reply_.answer(std::move(out));
}

void question_exchange::reply_with(const refused& event) {
  reply_.answer(error_response(event.error));
}

void question_exchange::reply_with(const health& event) {
  answer_json(event.state == server_state::ready ? 200 : 503, health_text(event));
}

void question_exchange::reply_with(const metrics_text& event) {
  response out;
  out.content_type = "text/plain; version=0.0.4; charset=utf-8";
  out.body = event.text;
  reply_.answer(std::move(out));
}

void question_exchange::reply_with(const model_description& event) {
  if (what_ == endpoint::models) {
    answer_json(200, model_list_text(event));
  } else if (event.id == detail_) {
    answer_json(200, model_text(event));
  } else {
    reply_.answer(error_response(
        invalid_request("The requested model does not exist.", "model", "model_not_found", 404)));
  }
}

void question_exchange::reply_with(const tokenized& event) {
  answer_json(200, what_ == endpoint::tokenize ? tokenize_answer(asked_, event)
                                               : detokenize_answer(event));
}

} // namespace troupe
