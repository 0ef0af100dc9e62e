#include "actors/admission.hpp"

#include "actors/stream.hpp"
#include "actors/tokenizing.hpp"

#include <caf/all.hpp>
#include <fmt/format.h>

namespace troupe {
namespace {

using pointer = admission_actor::stateful_pointer<admission_state>;
using std::chrono::steady_clock;

api_error unavailable(std::string message, std::string code, std::uint32_t retry_after) {
  return {503, "service_unavailable_error", std::move(message), {}, std::move(code), retry_after};
}

struct admitting {
  pointer self;
  admission_settings_of_streams settings;
  admission_company company;

  admission_state& state() const { return self->state; }

  void refuse(const caf::actor& client, request_tag tag, api_error error) const {
    self->send(company.telemetry, refusal_report{error.code});
    caf::anon_send(client, refused{tag, std::move(error)});
  }

  // Why nothing can run now, whatever it is.
  std::optional<api_error> closed() const {
    if (state().draining)
      return unavailable("The server is shutting down.", "server_is_draining", 5);
    if (!state().model)
      return unavailable("The model is being loaded; see /health for how far it is.",
                         "model_loading", 2);
    if (!state().engine.scheduler && state().engine.incarnation > 0)
      return unavailable("The model is unavailable: its engine could not be kept running.",
                         "model_unavailable", 60);
    return std::nullopt;
  }

  void take(submit& what) const {
    const auto& request = *what.request;
    auto error = closed();
    if (!error) error = check_request(request, state().model->facts());
    const auto sequences = static_cast<std::uint32_t>(request.prompts.size()) * request.n;
    if (!error && request.timeout > settings.max_timeout)
      error = api_error{400,
                        "invalid_request_error",
                        fmt::format("timeout: at most {} s", settings.max_timeout.count() / 1000),
                        "timeout",
                        "integer_above_max_value",
                        0};
    if (!error) error = state().queue->enter(sequences, what.arrival);
    if (error) return refuse(what.client, what.tag, std::move(*error));
    ++state().preparing;
    self->spawn(prepare_prompts, std::move(what), state().model,
                caf::actor_cast<admission_actor>(self));
  }

  void run(prompt_prepared& what) const {
    --state().preparing;
    const auto& request = *what.request.request;
    const auto& facts = state().model->facts();
    auto error = std::move(what.error);
    for (const auto& prompt : what.prompts)
      if (error.message.empty())
        if (auto problem = check_length(request, prompt.ids->size(), facts))
          error = std::move(*problem);
    if (!error.message.empty()) {
      state().queue->leave(static_cast<std::uint32_t>(request.prompts.size()) * request.n);
      refuse(what.request.client, what.request.tag, std::move(error));
      return finish_drain();
    }
    tell_of(what);
    const auto seed = state().seeds();
    accepted answer{what.request.tag, {}};
    for (std::uint32_t choice = 0; choice < what.prompts.size() * request.n; ++choice)
      answer.streams.push_back(spawn_stream(what, choice, seed));
    caf::anon_send(what.request.client, std::move(answer));
  }

  void tell_of(const prompt_prepared& what) const {
    const auto& request = *what.request.request;
    std::size_t tokens = 0;
    for (const auto& prompt : what.prompts) tokens += prompt.ids->size();
    company.tell(log_level::debug, "admission", "a request runs",
                 {{"request", request.id},
                  {"prompt_tokens", std::to_string(tokens)},
                  {"choices", std::to_string(what.prompts.size() * request.n)}});
    if (!settings.tell_prompts) return;
    for (const auto& prompt : what.prompts)
      company.tell(
          log_level::info, "admission", "prompt",
          {{"request", request.id},
           {"text", prompt.text.empty() ? state().model->words()->decode(*prompt.ids, false)
                                        : prompt.text}});
  }

  caf::actor spawn_stream(const prompt_prepared& what, std::uint32_t choice,
                          std::uint64_t seed) const {
    auto setup = setup_of(what, choice, state().next_sequence++, seed, *state().model);
    setup.rules.buffer_bytes = settings.stream_buffer;
    if (setup.timeout.count() == 0) setup.timeout = settings.default_timeout;
    setup.slow_reader_timeout = settings.slow_reader_timeout;
    setup.engine = state().engine;
    setup.admission = caf::actor_cast<admission_actor>(self);
    setup.supervisor = company.supervisor;
    setup.telemetry = company.telemetry;
    setup.tell = company.tell;
    const auto id = setup.spec.id;
    state().queue->wait(id, setup.spec.prompt_tokens);
    const auto made =
        caf::actor_cast<caf::actor>(self->spawn<caf::monitored>(stream, std::move(setup)));
    state().streams.emplace(made.address(), id);
    return made;
  }

  void stream_down(const caf::down_msg& down) const {
    const auto found = state().streams.find(down.source);
    if (found == state().streams.end()) return;
    state().queue->ended(found->second);
    state().streams.erase(found);
    finish_drain();
  }

  void finish_drain() const {
    if (!state().draining || !state().streams.empty() || state().preparing > 0 ||
        !state().drain_asker)
      return;
    caf::anon_send(state().drain_asker, drained{});
    state().drain_asker = nullptr;
  }

  // What needs the model but no engine is done by a worker of the pool.
  template <class Question, class Worker>
  void delegate(Question& question, Worker worker) const {
    if (!state().model) return refuse(question.client, question.tag, *closed());
    self->spawn(worker, std::move(question), state().model);
  }

  void describe(const describe_model& question) const {
    if (!state().model) return refuse(question.client, question.tag, *closed());
    const auto& facts = state().model->facts();
    caf::anon_send(question.client,
                   model_description{question.tag, facts.name, state().model->created(),
                                     facts.max_context, facts.vocabulary});
  }
};

} // namespace

admission_actor::behavior_type admission(pointer self, admission_limits limits,
                                         admission_settings_of_streams settings,
                                         admission_company company) {
  self->state.queue = std::make_unique<admission_queue>(limits);
  const admitting it{self, settings, std::move(company)};
  self->set_down_handler([it](const caf::down_msg& down) { it.stream_down(down); });
  return {
      [it](submit& what) { it.take(what); },
      [it](tokenize& what) { it.delegate(what, tokenize_text); },
      [it](detokenize& what) { it.delegate(what, detokenize_ids); },
      [it](const describe_model& what) { it.describe(what); },
      [it](const model_ready& ready) { it.state().model = ready.model; },
      [it](const engine_up& engine) { it.state().engine = engine; },
      [it](prompt_prepared& what) { it.run(what); },
      [it](const stream_started& what) {
        it.state().queue->started(what.stream, steady_clock::now());
      },
      [it](const drain& order) {
        it.state().draining = true;
        it.state().drain_asker = order.asker;
        it.finish_drain();
      },
  };
}

} // namespace troupe
