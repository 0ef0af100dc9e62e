#include "transport/websocket/session_request.hpp"

#include "transport/api/api_errors.hpp"
#include "transport/api/json.hpp"
#include "transport/api/usage.hpp"

#include <fmt/format.h>

#include <utility>

namespace troupe {

session_request::session_request(std::string id, parsed_request parsed, companion& bridge,
                                 const door_settings& settings, clock_time arrival, sender send)
    : id_(std::move(id)), envelope_id_(quoted_json(id_)), send_(std::move(send)), arrival_(arrival),
      generation_(bridge, *this, std::move(parsed), settings) {}

void session_request::started() {
  send_(fmt::format(R"({{"type":"accepted","id":{}}})", envelope_id_), {});
}

void session_request::chunk(std::uint32_t choice, std::string text, bool counts) {
  send_(fmt::format(R"({{"type":"chunk","id":{},"chunk":{}}})", envelope_id_, text),
        counts ? std::optional(choice) : std::nullopt);
}

void session_request::done(const token_usage& usage, std::string) {
  over_ = true;
  send_(fmt::format(R"({{"type":"done","id":{},"usage":{}}})", envelope_id_, usage_text(usage)),
        {});
}

void session_request::failed(const api_error& error) {
  over_ = true;
  status_ = error.status;
  send_(error_frame(id_, error), {});
}

std::string error_frame(const std::string& id, const api_error& error) {
  return fmt::format(R"({{"type":"error","id":{},"status":{},"error":{}}})",
                     id.empty() ? "null" : quoted_json(id), error.status, error_object(error));
}

} // namespace troupe
