#include "actors/supervisor.hpp"

#include <caf/all.hpp>
#include <fmt/format.h>

#include <algorithm>

namespace troupe {
namespace {

using pointer = supervisor_actor::stateful_pointer<supervisor_state>;
using std::chrono::steady_clock;

// How often it looks whether a step was made.
constexpr std::chrono::seconds watch_interval{1};

struct supervising {
  pointer self;
  supervisor_settings settings;
  telemetry_actor telemetry;
  journal tell;

  supervisor_state& state() const { return self->state; }

  void publish() const {
    const engine_up up{state().incarnation, state().members.scheduler};
    caf::anon_send(state().admission, up);
    for (const auto& asker : state().askers) caf::anon_send(asker, up);
    state().askers.clear();
  }

  // It is over: those who wait are told, and whoever asks from now on.
  void give_up(std::string reason) const {
    tell(log_level::error, "supervisor", "the engine is given up", {{"reason", reason}});
    state().status.state = server_state::failed;
    state().status.reason = std::move(reason);
    publish();
  }

  void start() const {
    try {
      state().members = state().make(++state().incarnation);
    } catch (const std::exception& problem) {
      tell(log_level::error, "supervisor", "the engine did not start",
           {{"reason", problem.what()}});
      return retry();
    }
    for (const auto& member : members()) self->monitor(member);
    state().status.state = server_state::ready;
    state().status.reason.clear();
    state().last_progress = steady_clock::now();
    state().idle = true;
    if (state().incarnation > 1) self->send(telemetry, restart_report{state().incarnation});
    publish();
  }

  void retry() const {
    if (const auto pause = state().policy.died(steady_clock::now())) {
      self->delayed_send(self, *pause, restart_engine{});
    } else {
      give_up(fmt::format("the engine died more than {} times within {} s", settings.max_restarts,
                          settings.restart_window.count() / 1000));
    }
  }

  std::vector<caf::actor> members() const {
    const auto& all = state().members;
    return all.scheduler ? std::vector{all.scheduler, all.kv_blocks, all.executor}
                         : std::vector<caf::actor>{};
  }

  // One member is dead, so the engine is: the others end too. The next starts when the last is
  // gone, since members of two engines must never share the device.
  void member_down(const caf::down_msg& down) const {
    auto& dying = state().dying;
    const auto all = members();
    const auto ours = [&](const caf::actor& member) { return member.address() == down.source; };
    if (std::any_of(all.begin(), all.end(), ours)) {
      tell(log_level::error, "supervisor", "the engine died",
           {{"incarnation", std::to_string(state().incarnation)},
            {"reason", caf::to_string(down.reason)}});
      state().status.state = server_state::recovering;
      state().status.reason = "the engine died and is being started again";
      for (const auto& member : all) {
        dying.push_back(member.address());
        caf::anon_send_exit(member, caf::exit_reason::kill);
      }
      state().members = {};
    }
    if (std::erase(dying, down.source) > 0 && dying.empty()) retry();
  }

  void watch() const {
    const bool stuck =
        !state().idle && steady_clock::now() - state().last_progress > settings.stall_timeout;
    auto& status = state().status;
    if (stuck && status.state == server_state::ready) {
      tell(log_level::error, "supervisor", "no step was made for too long", {});
      status.state = server_state::stalled;
      status.reason = fmt::format("no step was made for {} s though there is work",
                                  settings.stall_timeout.count() / 1000);
    } else if (!stuck && status.state == server_state::stalled) {
      status.state = server_state::ready;
      status.reason.clear();
    }
    self->delayed_send(self, watch_interval, check_progress{});
  }

  void answer(const check_health& question) const {
    auto reply = state().status;
    if (state().draining) {
      reply.state = server_state::draining;
      reply.reason = "the server is shutting down";
    }
    reply.tag = question.tag;
    caf::anon_send(question.client, std::move(reply));
  }
};

} // namespace

supervisor_actor::behavior_type supervisor(pointer self, supervisor_settings settings,
                                           telemetry_actor telemetry, journal tell) {
  self->state.policy = restart_policy{settings.max_restarts, settings.restart_window};
  self->state.status.stage = "starting";
  const supervising it{self, settings, std::move(telemetry), std::move(tell)};
  self->set_down_handler([it](const caf::down_msg& down) { it.member_down(down); });
  // It is told to end with everything else; its engine ends with it.
  self->set_exit_handler([it](const caf::exit_msg& exit) {
    for (const auto& member : it.members())
      caf::anon_send_exit(member, caf::exit_reason::user_shutdown);
    it.state() = {};
    it.self->quit(exit.reason);
  });
  self->delayed_send(self, watch_interval, check_progress{});
  return {
      [it](start_engine& order) {
        it.state().make = std::move(order.make);
        it.state().admission = std::move(order.admission);
        it.start();
      },
      [it](locate_engine& question) {
        const auto& state = it.state();
        const bool there = state.members.scheduler && state.incarnation > question.after;
        if (there || state.status.state == server_state::failed)
          caf::anon_send(question.asker, engine_up{state.incarnation, state.members.scheduler});
        else
          it.state().askers.push_back(std::move(question.asker));
      },
      [it](const loading& progress) {
        auto& status = it.state().status;
        status.stage = progress.stage;
        status.bytes = progress.bytes;
        status.total_bytes = progress.total_bytes;
        status.fraction = progress.total_bytes == 0 ? 0
                                                    : static_cast<double>(progress.bytes) /
                                                          static_cast<double>(progress.total_bytes);
      },
      [it](const load_failed& failure) { it.give_up(failure.reason); },
      [it](const progressed& what) {
        it.state().last_progress = what.at;
        it.state().idle = what.idle;
      },
      [it](const check_health& question) { it.answer(question); },
      [it](const drain&) { it.state().draining = true; },
      [it](const restart_engine&) { it.start(); },
      [it](const check_progress&) { it.watch(); },
  };
}

} // namespace troupe
