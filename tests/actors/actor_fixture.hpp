// A system of actors for one test: a single thread runs what there is to run when the test says so,
// and time moves when it says so. Whatever a test leaves behind is ended after it, so that a
// failing one does not hang.
#pragma once

#include "actors/journal.hpp"
#include "tests/actors/probe.hpp"

#include <caf/all.hpp>
#include <caf/scheduler/test_coordinator.hpp>
#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <utility>
#include <vector>

namespace troupe::testing {

struct deterministic_config : caf::actor_system_config {
  deterministic_config() {
    set("scheduler.policy", caf::atom("testing"));
    set("logger.inline-output", true);
  }
};

class actor_fixture : public ::testing::Test {
 protected:
  ~actor_fixture() override {
    for (const auto& actor : spawned_) caf::anon_send_exit(actor, caf::exit_reason::kill);
    run();
    spawned_.clear();
    system.await_actors_before_shutdown(false);
  }

  /// Handles every message that is there, and those that come of it.
  void run() { sched_.run(); }

  /// Lets actors run so many times, for those who never rest.
  void run(int turns) {
    while (turns-- > 0) sched_.run_once();
  }

  /// Lets time pass: what is due is handled, and what comes of it.
  void advance(std::chrono::nanoseconds span) {
    run();
    sched_.advance_time(span);
    run();
  }

  /// Spawns the actor under test.
  template <class... Arguments>
  auto spawn(Arguments&&... arguments) {
    auto actor = system.spawn(std::forward<Arguments>(arguments)...);
    spawned_.push_back(caf::actor_cast<caf::actor>(actor));
    return actor;
  }

  probe make_probe() {
    probe out{system};
    spawned_.push_back(out.handle());
    return out;
  }

  template <class Handle, class Message>
  void send(const Handle& to, Message what) {
    caf::anon_send(to, std::move(what));
    run();
  }

  /// As send(), so that the receiver can answer `from`.
  template <class Handle, class Message>
  void send_from(const probe& from, const Handle& to, Message what) {
    caf::send_as(from.handle(), to, std::move(what));
    run();
  }

  template <class Handle>
  void kill(const Handle& actor) {
    caf::anon_send_exit(actor, caf::exit_reason::kill);
    run();
  }

  /// Has this actor ended?
  template <class Handle>
  bool is_down(const Handle& actor) {
    caf::scoped_actor watcher{system, true};
    watcher->monitor(actor);
    bool down = false;
    watcher->receive([&](const caf::down_msg&) { down = true; },
                     caf::after(std::chrono::seconds(0)) >> [] {});
    return down;
  }

  /// A journal whose sentences are in told.
  journal tell() {
    return [this](log_level, std::string_view, std::string_view sentence, const journal_values&) {
      told.emplace_back(sentence);
    };
  }

  deterministic_config config;
  caf::actor_system system{config};
  std::vector<std::string> told;

 private:
  caf::scheduler::test_coordinator& sched_ =
      dynamic_cast<caf::scheduler::test_coordinator&>(system.scheduler());
  std::vector<caf::actor> spawned_;
};

} // namespace troupe::testing
