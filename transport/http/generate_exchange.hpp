// POST /v1/chat/completions and /v1/completions: a generation whose sink is an HTTP answer, either
// whole or as server-sent events.
#pragma once

#include "transport/generation.hpp"
#include "transport/http/exchange.hpp"

namespace troupe {

class generate_exchange final : public exchange, private answer_sink {
 public:
  generate_exchange(companion& bridge, responder& reply, parsed_request parsed,
                    const door_settings& settings, clock_time arrival);

  void start() override;
  void on(front_event&& event) override;
  void written(std::uint32_t choice, std::uint32_t events) override;
  bool hurries() const override { return false; }

 private:
  void started() override;
  void chunk(std::uint32_t choice, std::string text, bool counts) override;
  void done(const token_usage& usage, std::string whole) override;
  void failed(const api_error& error) override;

  responder& reply_;
  clock_time arrival_;
  bool stream_;
  bool begun_ = false;
  generation generation_;
};

} // namespace troupe
