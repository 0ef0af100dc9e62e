// A stream between probes. Its tokens are spelled like the characters that their ids are.
#pragma once

#include "actors/stream.hpp"
#include "tests/actors/actor_fixture.hpp"
#include "tests/actors/small_model.hpp"

#include <optional>
#include <string>
#include <vector>

namespace troupe::testing {

inline token_report report_of(token_id id) { return {id, 0, {}}; }

class stream_fixture : public actor_fixture {
 protected:
  stream_fixture() {
    setup.tag = 9;
    setup.choice = 1;
    setup.spec.id = 5;
    setup.spec.ids = std::make_shared<const token_ids>(prompt);
    setup.spec.prompt_tokens = static_cast<std::uint32_t>(prompt.size());
    setup.spec.max_tokens = 100;
    setup.spec.sampling = std::make_shared<const sampling_params>();
    setup.spec.arrival = std::chrono::steady_clock::now();
    setup.rules.credit = 4; // as if the reader had given it
    setup.text = {[](token_id id) { return std::string(1, static_cast<char>(id)); },
                  [] { return std::string{}; }};
    setup.words = small_tokenizer();
    setup.timeout = std::chrono::hours(1);
    setup.slow_reader_timeout = std::chrono::hours(1);
    setup.client = client.handle();
    setup.admission = admission.as<admission_actor>();
    setup.supervisor = supervisor.as<supervisor_actor>();
    setup.telemetry = telemetry.as<telemetry_actor>();
    setup.engine = {1, scheduler.handle()};
  }

  void start() {
    setup.request = std::make_shared<const generate_request>(request);
    setup.tell = tell();
    handle = spawn(stream, setup);
    run();
  }

  caf::actor stream_handle() const { return caf::actor_cast<caf::actor>(handle); }
  const tokenizer& words() const { return *setup.words; }

  /// The engine sends it these tokens, which follow on those before.
  void bring(const std::string& letters, std::optional<finish_reason> end = {}) {
    emission what;
    for (const char letter : letters) what.tokens.push_back(report_of(letter));
    what.end = end;
    bring(what);
  }
  void bring(emission what) {
    what.sequence = setup.spec.id;
    what.first = brought_;
    what.scheduled = std::chrono::steady_clock::now();
    brought_ += static_cast<std::uint32_t>(what.tokens.size());
    send(handle, tokens{setup.engine.incarnation, what});
  }

  /// Of all deltas since the last call.
  std::vector<std::string> texts() {
    std::vector<std::string> out;
    for (auto& piece : client.take_all<delta>()) out.push_back(std::move(piece.text));
    return out;
  }

  const token_ids prompt{1, 2, 3};
  probe client = make_probe();
  probe admission = make_probe();
  probe supervisor = make_probe();
  probe telemetry = make_probe();
  probe scheduler = make_probe();
  generate_request request;
  stream_setup setup;
  stream_actor handle;

 private:
  std::uint32_t brought_ = 0;
};

} // namespace troupe::testing
