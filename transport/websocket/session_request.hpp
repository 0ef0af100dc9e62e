// One request of a WebSocket session and how its answer is framed: the chunks are those of the HTTP
// door, each in an envelope with the client's id.
#pragma once

#include "transport/generation.hpp"

#include <functional>
#include <string>

namespace troupe {

class session_request final : public answer_sink {
 public:
  /// Sends a text; with a choice, generation::written is due when it has left.
  using sender = std::function<void(std::string text, std::optional<std::uint32_t> choice)>;

  session_request(std::string id, parsed_request parsed, companion& bridge,
                  const door_settings& settings, clock_time arrival, sender send);

  const std::string& id() const { return id_; }
  generation& work() { return generation_; }
  clock_time arrival() const { return arrival_; }
  /// Whether the answer has ended; the request may be destroyed then.
  bool over() const { return over_; }
  int status() const { return status_; }

 private:
  void started() override;
  void chunk(std::uint32_t choice, std::string text, bool counts) override;
  void done(const token_usage& usage, std::string whole) override;
  void failed(const api_error& error) override;

  std::string id_;
  std::string envelope_id_; // as JSON
  sender send_;
  clock_time arrival_;
  bool over_ = false;
  int status_ = 200;
  generation generation_;
};

/// {"type": "error", "id", "status", "error"}; an empty id is null.
std::string error_frame(const std::string& id, const api_error& error);

} // namespace troupe
