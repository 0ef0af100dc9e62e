#include "transport/http/generate_exchange.hpp"

#include "transport/api/api_errors.hpp"

#include <type_traits>
#include <utility>

namespace troupe {

generate_exchange::generate_exchange(companion& bridge, responder& reply, parsed_request parsed,
                                     const door_settings& settings, clock_time arrival)
    : reply_(reply), arrival_(arrival), stream_(parsed.stream),
      generation_(bridge, *this, std::move(parsed), settings) {}

void generate_exchange::start() { generation_.submit(arrival_); }

void generate_exchange::on(front_event&& event) { dispatch(generation_, std::move(event)); }

void generate_exchange::written(std::uint32_t choice, std::uint32_t events) {
  generation_.written(choice, events);
}

void generate_exchange::started() {
  if (!stream_) return;
  begun_ = true;
  reply_.begin_events();
}

void generate_exchange::chunk(std::uint32_t choice, std::string text, bool counts) {
  reply_.send_event("data: " + text + "\n\n", counts ? std::optional(choice) : std::nullopt);
}

void generate_exchange::done(const token_usage&, std::string whole) {
  if (stream_) {
    reply_.send_event("data: [DONE]\n\n", {});
    reply_.end_events(true);
  } else {
    response answer;
    answer.body = std::move(whole);
    reply_.answer(std::move(answer));
  }
}

void generate_exchange::failed(const api_error& error) {
  if (begun_) {
    reply_.send_event("data: " + error_body(error) + "\n\n", {});
    reply_.end_events(false);
  } else {
    reply_.answer(error_response(error));
  }
}

} // namespace troupe
