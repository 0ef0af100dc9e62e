#include "fake_front.hpp"

#include "transport/http_server.hpp"

#include <caf/all.hpp>

#include <thread>
#include <utility>

namespace troupe {

namespace {

using script_ptr = std::shared_ptr<const fake_script>;
using counts_ptr = std::shared_ptr<fake_counts>;

struct stream_state {
  std::int64_t credit = 0;
  std::size_t next = 0;
  bool over = false;
};

delta next_delta(const fake_script& script, std::size_t index, request_tag tag,
                 std::uint32_t choice) {
  delta part;
  part.tag = tag;
  part.choice = choice;
  part.text = script.texts[index % script.texts.size()];
  part.token_count = 1;
  if (script.logprobs) {
    part.tokens = {{1, -0.25F, {{1, -0.25F}}}};
    part.spellings = {{part.text, {part.text}}};
  }
  return part;
}

finished end_of(const fake_script& script, request_tag tag, std::uint32_t choice) {
  finished end;
  end.tag = tag;
  end.choice = choice;
  end.usage = {5, 2, static_cast<std::uint32_t>(script.texts.size())};
  if (!script.fail_code.empty()) {
    end.reason = finish_reason::error;
    end.error.status = 500;
    end.error.type = "server_error";
    end.error.message = "it failed";
    end.error.code = script.fail_code;
  }
  if (script.times_out) end.reason = finish_reason::timeout;
  return end;
}

caf::behavior play_stream(caf::stateful_actor<stream_state>* self, script_ptr script,
                          counts_ptr counts, caf::actor client, request_tag tag,
                          std::uint32_t choice) {
  self->monitor(client);
  self->set_down_handler([=](const caf::down_msg&) {
    ++counts->clients_down;
    self->quit();
  });
  const auto play = [=] {
    stream_state& state = self->state;
    while (!state.over && !script->silent && state.credit > 0 &&
           (script->endless || state.next < script->texts.size())) {
      --state.credit;
      ++counts->deltas;
      caf::anon_send(client, next_delta(*script, state.next++, tag, choice));
    }
    if (state.over || script->silent || script->endless || state.next < script->texts.size())
      return;
    state.over = true;
    if (!script->dies) caf::anon_send(client, end_of(*script, tag, choice));
    self->quit();
  };
  return {[=](const more& credit) {
            self->state.credit += credit.deltas;
            counts->credit += credit.deltas;
            play();
          },
          [=](abandon) {
            ++counts->abandoned;
            self->quit();
          }};
}

using let_in_atom = caf::atom_constant<caf::atom("letin")>;
using held_requests = std::vector<std::pair<caf::actor, accepted>>;

caf::behavior play_admission(caf::stateful_actor<held_requests>* self, script_ptr script,
                             counts_ptr counts) {
  return {[=](const submit& asked) {
            ++counts->submitted;
            if (script->mute) return;
            if (!script->refuse_code.empty()) {
              refused no{asked.tag, {}};
              no.error.status = 429;
              no.error.message = "no";
              no.error.code = script->refuse_code;
              no.error.retry_after = 3;
              caf::anon_send(asked.client, no);
              return;
            }
            accepted yes{asked.tag, {}};
            const auto choices = asked.request->prompts.size() * asked.request->n;
            for (std::uint32_t i = 0; i < choices; ++i)
              yes.streams.push_back(
                  self->spawn(play_stream, script, counts, asked.client, asked.tag, i));
            if (script->holds)
              self->state.emplace_back(asked.client, std::move(yes));
            else
              caf::anon_send(asked.client, std::move(yes));
          },
          [=](let_in_atom) {
            for (auto& [client, yes] : std::exchange(self->state, {}))
              caf::anon_send(client, std::move(yes));
          },
          [=](const tokenize& asked) {
            caf::anon_send(asked.client, tokenized{asked.tag, {1, 2}, {"a", "\xFF"}, "text", 99});
          },
          [=](const detokenize& asked) {
            caf::anon_send(asked.client, tokenized{asked.tag, asked.ids, {}, "some text", 99});
          },
          [=](const describe_model& asked) {
            if (script->mute) return;
            caf::anon_send(asked.client, model_description{asked.tag, "org/tiny", 11, 99, 7});
          }};
}

caf::behavior play_supervisor(caf::event_based_actor*, script_ptr script) {
  return {[=](const check_health& asked) {
    if (script->mute) return;
    health state;
    state.tag = asked.tag;
    state.state = script->loading ? server_state::loading : server_state::ready;
    state.stage = "weights";
    state.fraction = 0.5;
    state.bytes = 1;
    state.total_bytes = 2;
    caf::anon_send(asked.client, state);
  }};
}

caf::behavior play_telemetry(caf::event_based_actor*, counts_ptr counts) {
  return {[=](const http_report&) { ++counts->reports; },
          [=](const scrape& asked) {
            caf::anon_send(asked.client, metrics_text{asked.tag, "# metrics\n"});
          }};
}

struct test_config : caf::actor_system_config {
  test_config() {
    set("scheduler.policy", caf::atom("sharing"));
    set("scheduler.max-threads", 2U);
  }
};

} // namespace

struct fake_server::state {
  test_config config;
  caf::actor_system system{config};
  std::vector<caf::actor> actors;
  std::unique_ptr<http_server> server;

  void end_actors() {
    for (const caf::actor& each : actors)
      caf::anon_send_exit(each, caf::exit_reason::user_shutdown);
    actors.clear();
  }
};

fake_server::fake_server(fake_script script, door_settings settings)
    : counts_(std::make_shared<fake_counts>()), state_(std::make_unique<state>()) {
  const auto shared = std::make_shared<const fake_script>(std::move(script));
  state_->actors = {state_->system.spawn(play_admission, shared, counts_),
                    state_->system.spawn(play_supervisor, shared),
                    state_->system.spawn(play_telemetry, counts_)};
  if (settings.port == door_settings{}.port) settings.port = 0;
  settings.version = "1.2.3";
  front to{caf::actor_cast<admission_actor>(state_->actors[0]),
           caf::actor_cast<supervisor_actor>(state_->actors[1]),
           caf::actor_cast<telemetry_actor>(state_->actors[2])};
  try {
    state_->server =
        std::make_unique<http_server>(2, std::move(settings), std::move(to), state_->system);
  } catch (...) {
    state_->end_actors();
    throw;
  }
}

fake_server::~fake_server() {
  stop();
  state_->server.reset();
  state_->end_actors();
}

std::uint16_t fake_server::port() const { return state_->server->port(); }

std::string fake_server::url() const { return "http://127.0.0.1:" + std::to_string(port()); }

std::size_t fake_server::connections() const { return state_->server->connections(); }

void fake_server::let_in() { caf::anon_send(state_->actors[0], let_in_atom::value); }

void fake_server::stop_accepting() { state_->server->stop_accepting(); }

void fake_server::stop() { state_->server->stop(); }

bool eventually(const std::function<bool()>& condition) {
  for (int i = 0; i < 1000; ++i) {
    if (condition()) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return condition();
}

} // namespace troupe
