// One generate request under way, as a door sees it: submits it, turns what its streams send into
// chunks or a whole answer, and pays the streams credit as the client takes what was written. The
// HTTP and WebSocket doors differ only in their sink, which must not destroy the generation from
// within its calls.
#pragma once

#include "transport/answer_sink.hpp"
#include "transport/api/chunk_writer.hpp"
#include "transport/api/whole_answer.hpp"
#include "transport/companion.hpp"
#include "transport/credit_window.hpp"

#include <memory>
#include <optional>
#include <vector>

namespace troupe {

class generation {
 public:
  /// `parsed.request.id` is set. All references must outlive the generation.
  generation(companion& bridge, answer_sink& sink, parsed_request parsed,
             const door_settings& settings);
  generation(const generation&) = delete;
  generation& operator=(const generation&) = delete;
  /// Abandons what still runs.
  ~generation();

  /// Sends the request to admission.
  void submit(clock_time arrival);
  /// The client pays credit itself from now on: this many deltas of each choice to begin with.
  void use_client_credit(std::uint32_t deltas);

  request_tag tag() const { return tag_; }
  bool owns(const caf::actor_addr& stream) const;

  void on(accepted&& event);
  void on(refused&& event);
  void on(delta&& event);
  void on(finished&& event);
  void on(const stream_lost& event);

  /// So many counted chunks of this choice have left for the client.
  void written(std::uint32_t choice, std::uint32_t chunks);
  /// Nobody wants the answer: its streams are told, and nothing more goes to the sink.
  void abandon();

 private:
  struct choice {
    caf::actor stream;
    credit_window credit;
    bool ended = false;
  };

  void pay(choice& to);
  void fail(const api_error& error);
  void finish_if_all_ended();

  companion& bridge_;
  answer_sink& sink_;
  const door_settings& settings_;
  bool stream_;
  bool over_ = false;
  std::uint32_t n_;
  request_ptr request_;
  request_tag tag_ = 0;
  std::vector<choice> choices_;
  std::optional<std::uint32_t> client_credit_; // before the streams are there
  chunk_writer chunks_;
  whole_answer whole_;
  bool include_usage_;
  token_usage usage_;
  api_error timeout_; // of a choice that ran out of time; its message is empty if none did
};

/// Gives an event to the generation where it is for it, and says whether it was.
bool dispatch(generation& to, front_event&& event);

} // namespace troupe
