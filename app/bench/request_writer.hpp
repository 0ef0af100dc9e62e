// The bodies of the requests that a plan asks for.
#pragma once

#include "app/bench/plan.hpp"
#include "app/bench/prompt_writer.hpp"

#include <string>

namespace troupe {

enum class bench_endpoint { completions, chat };

struct request_form {
  bench_endpoint endpoint = bench_endpoint::completions;
  std::string model;
  bool ignore_eos = true;
  /// Further fields of each body: a JSON object, or empty. They win over ours.
  std::string extra_body;
};

class request_writer {
 public:
  /// Throws std::invalid_argument where extra_body is no JSON object, or holds what plans decide:
  /// the prompt, its messages, max_tokens and stream.
  request_writer(const request_form& form, prompt_writer prompts);

  std::string body(const planned_request& request) const;

 private:
  prompt_writer prompts_;
  std::string before_length_;
  std::string before_prompt_;
  std::string end_;
};

} // namespace troupe
