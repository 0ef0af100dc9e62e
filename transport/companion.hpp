// The bridge between a connection and the actors. To the actors a connection is one more actor,
// which can be sent to and monitored; to the connection the actors are events on its own strand.
// Sending never blocks, and no thread ever waits for an answer.
#pragma once

#include "actors/messages.hpp"

// Boost 1.74 uses std::exchange without including it.
#include <boost/asio/any_io_executor.hpp>
#include <caf/actor_addr.hpp>

#include <functional>
#include <memory>
#include <utility>
#include <variant>

namespace caf {
class actor_system;
}

namespace troupe {

struct front;
struct http_report;

/// A stream died without having said how it ended.
struct stream_lost {
  caf::actor_addr stream;
};

using front_event = std::variant<accepted, refused, delta, finished, tokenized, model_description,
                                 health, metrics_text, stream_lost>;

class companion {
 public:
  using handler = std::function<void(front_event&&)>;

  /// Events come to `on_event` through `executor`, which must run one handler at a time. `to` must
  /// outlive the companion.
  companion(caf::actor_system& system, const front& to, boost::asio::any_io_executor executor,
            handler on_event);
  companion(const companion&) = delete;
  companion& operator=(const companion&) = delete;
  ~companion();

  /// Asks; answers carry the tag that is returned.
  request_tag submit_request(request_ptr request, clock_time arrival);
  request_tag ask_tokens(prompt_input prompt, bool add_special_tokens);
  request_tag ask_text(token_ids ids);
  request_tag ask_model();
  request_tag ask_health();
  request_tag ask_metrics();

  /// From now on the stream's death is an event.
  void watch(const caf::actor& stream);
  void grant(const caf::actor& stream, std::uint32_t deltas);
  void drop(const caf::actor& stream);
  void report(http_report what);

  /// Ends the actor: whoever monitors it sees it go down, and no event comes any more. Must be
  /// called on the executor; the destructor does it as well.
  void close();

 private:
  struct state;

  request_tag next_tag();

  std::unique_ptr<state> state_;
  request_tag tag_ = 0;
};

} // namespace troupe
