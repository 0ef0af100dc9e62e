// The requests that one message to an actor answers: health, metrics, models, tokens and text.
#pragma once

#include "transport/api/tokenize_request.hpp"
#include "transport/http/exchange.hpp"
#include "transport/http/routes.hpp"

#include <string>

namespace troupe {

class question_exchange final : public exchange {
 public:
  /// `detail` is the body, or the model's name in the path.
  question_exchange(companion& bridge, responder& reply, endpoint what, std::string detail,
                    const request_limits& limits);

  void start() override;
  void on(front_event&& event) override;
  void out_of_time() override;

 private:
  void ask_tokens();
  void ask_text();
  bool is_answer(request_tag tag);
  void answer_json(int status, std::string body);
  void reply_with(const refused& event);
  void reply_with(const health& event);
  void reply_with(const metrics_text& event);
  void reply_with(const model_description& event);
  void reply_with(const tokenized& event);

  companion& bridge_;
  responder& reply_;
  endpoint what_;
  std::string detail_;
  const request_limits& limits_;
  request_tag tag_ = 0;
  bool answered_ = false;
  tokenize_request asked_;
};

} // namespace troupe
