#include "actors/stream.hpp"

#include <caf/all.hpp>

namespace troupe {
namespace {

using pointer = stream_actor::stateful_pointer<stream_state>;
using std::chrono::steady_clock;

// Times between tokens are reported so many at once.
constexpr std::size_t gaps_at_once = 256;

std::vector<token_spelling> spell(const std::vector<token_report>& reports,
                                  const tokenizer& words) {
  std::vector<token_spelling> out;
  out.reserve(reports.size());
  for (const auto& report : reports) {
    auto& spelling = out.emplace_back();
    spelling.bytes = words.token_bytes(report.id);
    for (const auto& [id, logprob] : report.top) spelling.top.push_back(words.token_bytes(id));
  }
  return out;
}

struct streaming {
  pointer self;

  stream_state& state() const { return self->state; }
  const stream_setup& setup() const { return state().setup; }

  template <class Message>
  void tell_scheduler(Message what) const {
    if (state().scheduler)
      self->send(caf::actor_cast<scheduler_actor>(state().scheduler), std::move(what));
  }

  void enqueue_at(const engine_up& engine, sequence_spec spec) const {
    if (!engine.scheduler) return fail_without_engine();
    state().scheduler = engine.scheduler;
    state().incarnation = engine.incarnation;
    state().parked = false;
    self->monitor(engine.scheduler);
    tell_scheduler(enqueue{std::move(spec), caf::actor_cast<caf::actor>(self)});
  }

  void engine_died() const {
    state().scheduler = nullptr;
    if (state().text->ended()) return;
    self->send(setup().supervisor,
               locate_engine{caf::actor_cast<caf::actor>(self), state().incarnation});
  }

  void engine_found(const engine_up& engine) const {
    if (state().scheduler || state().text->ended()) return;
    if (auto spec = state().text->move_on())
      enqueue_at(engine, std::move(*spec));
    else
      send_all();
  }

  void fail_without_engine() const {
    state().text->end(finish_reason::error, "there is no engine any more");
    send_all();
  }

  void take(const tokens& what) const {
    if (what.incarnation != state().incarnation || state().text->ended()) return;
    if (!state().text->started()) {
      state().times->planned(what.what.scheduled);
      self->send(setup().admission, stream_started{setup().spec.id});
    }
    state().times->came(what.what.tokens.size(), steady_clock::now());
    report_gaps(gaps_at_once);
    state().text->accept(what.what);
    // A stop string ends it before the engine would.
    if (state().text->ended() && !what.what.end) tell_scheduler(cancel_sequence{setup().spec.id});
    send_all();
  }

  void report_gaps(std::size_t at_least) const {
    auto gaps = state().times->take_gaps(at_least);
    if (!gaps.empty()) self->send(setup().telemetry, token_gaps{std::move(gaps)});
  }

  // Ends it from this side; the engine is told.
  void end(finish_reason reason, std::string error = {}) const {
    if (!state().text->ended()) tell_scheduler(cancel_sequence{setup().spec.id});
    state().text->end(reason, std::move(error));
  }

  void send_all() const {
    while (auto piece = state().text->take_piece()) send_piece(std::move(*piece));
    if (auto end = state().text->take_end()) return finish(std::move(*end));
    mind_the_reader();
  }

  void send_piece(text_piece piece) const {
    delta out;
    out.tag = setup().tag;
    out.choice = setup().choice;
    out.spellings = spell(piece.tokens, *setup().words);
    out.prompt_spellings = spell(piece.prompt_tokens, *setup().words);
    out.text = std::move(piece.text);
    out.tokens = std::move(piece.tokens);
    out.prompt_tokens = std::move(piece.prompt_tokens);
    out.token_count = piece.token_count;
    caf::anon_send(setup().client, std::move(out));
  }

  // A reader who stands still has a while to come back; one who leaves too much unread loses its
  // blocks meanwhile.
  void mind_the_reader() const {
    const bool blocked = state().text->blocked();
    if (blocked && !std::exchange(state().pausing, true))
      self->delayed_send(self, setup().slow_reader_timeout, too_slow{++state().pause});
    else if (!blocked)
      state().pausing = false;
    const bool park = state().text->overfull() && !state().text->ended();
    if (park && !state().parked) tell_scheduler(park_sequence{setup().spec.id});
    if (!park && state().parked) tell_scheduler(resume_sequence{setup().spec.id});
    state().parked = park;
  }

  void finish(continuation_end end) const {
    finished out;
    out.tag = setup().tag;
    out.choice = setup().choice;
    out.reason = end.reason;
    out.stop_text = std::move(end.stop_text);
    const auto& asked = setup().request->stop_token_ids;
    if (end.stop_token && std::find(asked.begin(), asked.end(), *end.stop_token) != asked.end())
      out.stop_token = end.stop_token;
    out.usage = state().text->usage();
    if (end.reason == finish_reason::error) {
      setup().tell(log_level::warning, "stream", "a request failed",
                   {{"request", setup().request->id}, {"reason", end.error}});
      out.error = {500,
                   "server_error",
                   "The request failed inside the server. Other requests are not affected.",
                   {},
                   "engine_error",
                   0};
    } else if (end.reason == finish_reason::timeout) {
      out.error = {504,
                   "timeout_error",
                   "timeout: the request's time was over before it was finished",
                   "timeout",
                   "request_timeout",
                   0};
    }
    report(end.reason, out.usage);
    caf::anon_send(setup().client, std::move(out));
    self->quit();
  }

  void report(finish_reason reason, const token_usage& usage) const {
    report_gaps(1);
    self->send(setup().telemetry,
               sequence_report{reason, usage, setup().spec.max_tokens, setup().request->n,
                               state().times->durations(steady_clock::now())});
  }

  // The client is gone: nobody is left to tell.
  void leave() const {
    end(finish_reason::cancelled);
    report(finish_reason::cancelled, state().text->usage());
    self->quit();
  }

  // What is unread is dropped: the reader will not see it.
  void give_up_on_reader() const {
    end(finish_reason::cancelled);
    finish({finish_reason::cancelled, {}, {}, "the client read nothing for too long"});
  }

  caf::error fail_alone(const std::exception_ptr& problem) const {
    std::string reason = "unknown";
    try {
      std::rethrow_exception(problem);
    } catch (const std::exception& known) {
      reason = known.what();
    } catch (...) {
    }
    end(finish_reason::error);
    finish({finish_reason::error, {}, {}, reason});
    return caf::exit_reason::normal;
  }

  void down(const caf::down_msg& down) const {
    if (down.source == setup().client.address()) return leave();
    if (state().scheduler && down.source == state().scheduler.address()) engine_died();
  }
};

} // namespace

stream_actor::behavior_type stream(pointer self, stream_setup setup) {
  self->state.text = std::make_unique<continuation>(setup.spec, setup.rules, std::move(setup.text));
  self->state.times.emplace(setup.spec.arrival);
  self->state.setup = std::move(setup);
  const streaming it{self};
  self->set_down_handler([it](const caf::down_msg& down) { it.down(down); });
  // Whatever is thrown here concerns this request alone.
  self->set_exception_handler([it](std::exception_ptr& problem) { return it.fail_alone(problem); });
  self->monitor(it.setup().client);
  if (it.setup().timeout.count() > 0) {
    const auto left = it.setup().spec.arrival + it.setup().timeout - steady_clock::now();
    self->delayed_send(self, std::max(left, steady_clock::duration{}), deadline{});
  }
  if (it.setup().engine.scheduler)
    it.enqueue_at(it.setup().engine, it.setup().spec);
  else
    it.engine_died();
  return {
      [it](const tokens& what) { it.take(what); },
      [it](const engine_up& engine) { it.engine_found(engine); },
      [it](const more& credit) {
        it.state().text->grant(credit.deltas);
        it.send_all();
      },
      [it](const abandon&) {
        it.end(finish_reason::cancelled);
        it.send_all();
      },
      [it](const deadline&) {
        it.end(finish_reason::timeout);
        it.send_all();
      },
      [it](const too_slow& pause) {
        if (!it.state().pausing || pause.pause != it.state().pause) return;
        it.give_up_on_reader();
      },
  };
}

} // namespace troupe
