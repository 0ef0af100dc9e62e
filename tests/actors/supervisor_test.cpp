#include "actors/supervisor.hpp"
#include "tests/actors/actor_fixture.hpp"

#include <array>
#include <stdexcept>

namespace troupe::testing {
namespace {

using namespace std::chrono_literals;
using std::chrono::steady_clock;

class SupervisorActor : public actor_fixture {
 protected:
  SupervisorActor() {
    supervisor_settings settings;
    settings.max_restarts = 2;
    settings.stall_timeout = 60s;
    handle = spawn(supervisor, settings, telemetry.as<telemetry_actor>(), tell());
    run();
  }

  /// The model is loaded; each engine is made of three probes.
  void start() {
    send(handle,
         start_engine{[this](std::uint64_t incarnation) {
                        incarnations.push_back(incarnation);
                        if (fail_to_make) throw std::runtime_error("no memory");
                        engines.push_back({make_probe(), make_probe(), make_probe()});
                        const auto& made = engines.back();
                        return engine_members{made[0].handle(), made[1].handle(), made[2].handle()};
                      },
                      admission.handle()});
  }

  /// Kills a member of the newest engine and lets the pause pass.
  void die_and_restart(std::size_t member = 0) {
    kill(engines.back()[member].handle());
    advance(10s);
  }

  health ask() {
    send(handle, check_health{session.handle(), 3});
    return session.take<health>().value_or(health{});
  }

  static constexpr std::size_t scheduler_place = 0;
  static constexpr std::size_t executor_place = 2;
  probe telemetry = make_probe();
  probe admission = make_probe();
  probe session = make_probe();
  std::vector<std::array<probe, 3>> engines; // scheduler, kv_blocks, executor
  std::vector<std::uint64_t> incarnations;
  bool fail_to_make = false;
  supervisor_actor handle;
};

TEST_F(SupervisorActor, TellsAdmissionWhereTheEngineIs) {
  start();
  const auto up = admission.take<engine_up>();
  ASSERT_TRUE(up);
  EXPECT_EQ(up->incarnation, 1U);
  EXPECT_EQ(up->scheduler, engines[0][scheduler_place].handle());
}

TEST_F(SupervisorActor, AnswersWhoAskedBeforeThereWasAnEngine) {
  send(handle, locate_engine{session.handle(), 0});
  EXPECT_TRUE(session.empty());
  start();
  EXPECT_EQ(session.take_all<engine_up>().size(), 1U);
}

TEST_F(SupervisorActor, AnswersAtOnceWhereThereIsAnEngine) {
  start();
  send(handle, locate_engine{session.handle(), 0});
  EXPECT_EQ(session.get<engine_up>().scheduler, engines[0][scheduler_place].handle());
}

TEST_F(SupervisorActor, SendsNobodyBackToTheEngineThatDiedUnderHim) {
  start();
  send(handle, locate_engine{session.handle(), 1}); // the asker knows before the supervisor does
  EXPECT_TRUE(session.empty());
  die_and_restart();
  EXPECT_EQ(session.get<engine_up>().incarnation, 2U);
}

TEST_F(SupervisorActor, EndsAllMembersWhenAnyOfThemDies) {
  start();
  kill(engines[0][executor_place].handle());
  for (const auto& member : engines[0]) EXPECT_TRUE(is_down(member.handle()));
}

TEST_F(SupervisorActor, StartsTheEngineAgainAfterAPause) {
  start();
  admission.take<engine_up>();
  kill(engines[0][executor_place].handle());
  advance(restart_policy::first_pause - 1ms);
  EXPECT_EQ(engines.size(), 1U);
  advance(1ms);
  ASSERT_EQ(engines.size(), 2U);
  const auto up = admission.take<engine_up>();
  ASSERT_TRUE(up);
  EXPECT_EQ(up->incarnation, 2U);
  EXPECT_EQ(up->scheduler, engines[1][scheduler_place].handle());
}

TEST_F(SupervisorActor, DoublesThePauseWithEachDeath) {
  start();
  die_and_restart();
  kill(engines.back()[0].handle());
  advance(2 * restart_policy::first_pause - 1ms);
  EXPECT_EQ(engines.size(), 2U);
  advance(1ms);
  EXPECT_EQ(engines.size(), 3U);
}

TEST_F(SupervisorActor, TellsTheStreamsThatWaitWhenTheNextEngineIsThere) {
  start();
  kill(engines[0][scheduler_place].handle());
  send(handle, locate_engine{session.handle(), 1});
  EXPECT_TRUE(session.empty());
  advance(restart_policy::first_pause);
  EXPECT_EQ(session.get<engine_up>().scheduler, engines[1][scheduler_place].handle());
}

TEST_F(SupervisorActor, CountsRestarts) {
  start();
  EXPECT_FALSE(telemetry.has<restart_report>());
  die_and_restart();
  EXPECT_EQ(telemetry.get<restart_report>().incarnation, 2U);
}

TEST_F(SupervisorActor, GivesUpAfterTooManyDeaths) {
  start();
  for (int i = 0; i < 3; ++i) die_and_restart();
  EXPECT_EQ(engines.size(), 3U);
  EXPECT_EQ(ask().state, server_state::failed);
  const auto ups = admission.take_all<engine_up>();
  ASSERT_EQ(ups.size(), 4U);
  EXPECT_FALSE(ups.back().scheduler);
}

TEST_F(SupervisorActor, TellsWhoAsksAfterwardsThatThereIsNoEngine) {
  start();
  for (int i = 0; i < 3; ++i) die_and_restart();
  send(handle, locate_engine{session.handle(), 3});
  const auto up = session.take<engine_up>();
  ASSERT_TRUE(up);
  EXPECT_FALSE(up->scheduler);
}

TEST_F(SupervisorActor, TriesAgainWhereAnEngineCannotBeMade) {
  fail_to_make = true;
  start();
  fail_to_make = false;
  advance(restart_policy::first_pause);
  EXPECT_EQ(incarnations, (std::vector<std::uint64_t>{1, 2}));
  EXPECT_EQ(admission.get<engine_up>().incarnation, 2U);
  EXPECT_EQ(ask().state, server_state::ready);
}

TEST_F(SupervisorActor, IsLoadingAndSaysHowFar) {
  send(handle, loading{"weights", 25, 100});
  const auto answer = ask();
  EXPECT_EQ(answer.tag, 3U);
  EXPECT_EQ(answer.state, server_state::loading);
  EXPECT_EQ(answer.stage, "weights");
  EXPECT_DOUBLE_EQ(answer.fraction, 0.25);
  EXPECT_EQ(answer.bytes, 25U);
  EXPECT_EQ(answer.total_bytes, 100U);
}

TEST_F(SupervisorActor, IsNotReadyBeforeTheEngineIsThere) {
  EXPECT_EQ(ask().state, server_state::loading);
}

TEST_F(SupervisorActor, IsReadyWithAnEngine) {
  start();
  EXPECT_EQ(ask().state, server_state::ready);
}

TEST_F(SupervisorActor, IsRecoveringBetweenEngines) {
  start();
  kill(engines[0][0].handle());
  EXPECT_EQ(ask().state, server_state::recovering);
  EXPECT_FALSE(ask().reason.empty());
  advance(restart_policy::first_pause);
  EXPECT_EQ(ask().state, server_state::ready);
  EXPECT_TRUE(ask().reason.empty());
}

TEST_F(SupervisorActor, IsStalledWhereNoStepIsMadeThoughThereIsWork) {
  start();
  send(handle, progressed{steady_clock::now() - 61s, false});
  advance(1s);
  EXPECT_EQ(ask().state, server_state::stalled);
  send(handle, progressed{steady_clock::now(), false});
  advance(1s);
  EXPECT_EQ(ask().state, server_state::ready);
}

TEST_F(SupervisorActor, IsNotStalledWhereThereIsNothingToDo) {
  start();
  send(handle, progressed{steady_clock::now() - 61s, true});
  advance(1s);
  EXPECT_EQ(ask().state, server_state::ready);
}

TEST_F(SupervisorActor, IsDrainingWhateverElseItIs) {
  start();
  send(handle, drain{session.handle()});
  EXPECT_EQ(ask().state, server_state::draining);
  kill(engines[0][0].handle());
  EXPECT_EQ(ask().state, server_state::draining);
}

TEST_F(SupervisorActor, FailsWithTheLoadersReason) {
  send(handle, locate_engine{session.handle(), 0});
  send(handle, load_failed{"config.json: no such file"});
  EXPECT_EQ(ask().state, server_state::failed);
  EXPECT_EQ(ask().reason, "config.json: no such file");
  EXPECT_FALSE(session.get<engine_up>().scheduler);
}

TEST_F(SupervisorActor, EndsItsEngineWhenItIsToldToEnd) {
  start();
  caf::anon_send_exit(handle, caf::exit_reason::user_shutdown);
  run();
  for (const auto& member : engines[0]) EXPECT_TRUE(is_down(member.handle()));
  EXPECT_TRUE(is_down(handle));
  EXPECT_EQ(engines.size(), 1U);
}

} // namespace
} // namespace troupe::testing
