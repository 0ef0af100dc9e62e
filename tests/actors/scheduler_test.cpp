#include "actors/scheduler.hpp"
#include "tests/actors/actor_fixture.hpp"

namespace troupe::testing {
namespace {

using caf::actor_cast;

class SchedulerActor : public actor_fixture {
 protected:
  SchedulerActor() {
    limits.max_sequences = 4;
    limits.step_tokens = 64;
    limits.block_tokens = 4;
    limits.total_blocks = 16;
    limits.lease_ahead = 8;
    handle = spawn(scheduler, limits, incarnation,
                   scheduler_company{kv_blocks.as<kv_blocks_actor>(), executor.as<executor_actor>(),
                                     supervisor.as<supervisor_actor>(),
                                     telemetry.as<telemetry_actor>()});
    run();
  }

  sequence_spec spec_of(sequence_id id, std::uint32_t max_tokens = 3) {
    sequence_spec spec;
    spec.id = id;
    spec.ids = std::make_shared<const token_ids>(token_ids{1, 2, 3});
    spec.prompt_tokens = 3;
    spec.max_tokens = max_tokens;
    spec.sampling = std::make_shared<const sampling_params>();
    return spec;
  }

  void order(sequence_id id, const probe& stream, std::uint32_t max_tokens = 3) {
    send(handle, enqueue{spec_of(id, max_tokens), stream.handle()});
  }

  /// Answers every lease that was asked for with as many blocks.
  void grant_leases() {
    kv_settled answer;
    for (const auto& work : kv_blocks.take_all<kv_work>())
      for (const auto& lease : work.requests.leased) {
        kv_grant grant{lease.sequence, {}, 0};
        for (std::uint32_t i = 0; i < lease.blocks; ++i) grant.blocks.push_back(next_block_++);
        answer.replies.leased.push_back(std::move(grant));
      }
    send(handle, answer);
  }

  /// Denies every lease that was asked for.
  void deny_leases() {
    kv_settled answer;
    for (const auto& work : kv_blocks.take_all<kv_work>())
      for (const auto& lease : work.requests.leased)
        answer.replies.not_leased.push_back(lease.sequence);
    send(handle, answer);
  }

  /// Computes the oldest plan: each run that samples brings `token`.
  void compute(token_id token, std::uint64_t life = incarnation) {
    const auto request = executor.take<run_step>();
    ASSERT_TRUE(request);
    step_done done;
    done.result.incarnation = life;
    done.result.step = request->plan.step;
    for (const auto& opened : request->plan.opened) slots_[opened.slot] = opened.sequence;
    for (const auto& run : request->plan.runs) {
      slot_result result{run.slot, slots_[run.slot], {}, {}, {}};
      if (run.sample) result.tokens = {{token, 0, {}}};
      done.result.slots.push_back(std::move(result));
    }
    send(handle, done);
  }

  /// What the supervisor was told last; none where it was told nothing since.
  std::optional<bool> told_idle() {
    const auto all = supervisor.take_all<progressed>();
    return all.empty() ? std::nullopt : std::optional{all.back().idle};
  }

  static constexpr std::uint64_t incarnation = 7;
  scheduler_limits limits;
  probe kv_blocks = make_probe();
  probe executor = make_probe();
  probe supervisor = make_probe();
  probe telemetry = make_probe();
  probe stream = make_probe();
  scheduler_actor handle;

 private:
  block_id next_block_ = 0;
  std::map<slot_id, sequence_id> slots_;
};

TEST_F(SchedulerActor, AsksForBlocksBeforeItPlans) {
  order(1, stream);
  const auto work = kv_blocks.take<kv_work>();
  ASSERT_TRUE(work);
  ASSERT_EQ(work->requests.leased.size(), 1U);
  EXPECT_EQ(work->requests.leased[0].sequence, 1U);
  EXPECT_FALSE(executor.has<run_step>());
}

TEST_F(SchedulerActor, PlansAheadOfResultsOnceBlocksAreThere) {
  order(1, stream);
  grant_leases();
  const auto steps = executor.take_all<run_step>();
  ASSERT_EQ(steps.size(), 2U);
  EXPECT_EQ(steps[0].plan.incarnation, incarnation);
  EXPECT_EQ(steps[0].plan.runs.at(0).tokens, 3U);
  EXPECT_EQ(steps[1].plan.runs.at(0).tokens, 1U);
}

TEST_F(SchedulerActor, SendsEachStreamItsOwnTokens) {
  auto other = make_probe();
  order(1, stream);
  order(2, other);
  grant_leases();
  while (executor.has<run_step>()) compute(42);
  for (auto* reader : {&stream, &other}) {
    const auto brought = reader->take_all<tokens>();
    ASSERT_EQ(brought.size(), 3U);
    EXPECT_EQ(brought.back().incarnation, incarnation);
    EXPECT_EQ(brought.back().what.end, finish_reason::length);
    EXPECT_EQ(brought.back().what.sequence, reader == &stream ? 1U : 2U);
  }
}

TEST_F(SchedulerActor, GivesBlocksBackWhenASequenceEnds) {
  order(1, stream);
  grant_leases();
  while (executor.has<run_step>()) compute(42);
  std::vector<sequence_id> released;
  for (const auto& work : kv_blocks.take_all<kv_work>())
    released.insert(released.end(), work.requests.released.begin(), work.requests.released.end());
  EXPECT_EQ(released, std::vector<sequence_id>{1});
}

TEST_F(SchedulerActor, TakesTheDeathOfAStreamForACancellation) {
  order(1, stream, 50);
  grant_leases();
  kill(stream.handle());
  while (executor.has<run_step>()) compute(42);
  EXPECT_EQ(told_idle(), true);
  EXPECT_EQ(telemetry.take_all<cancel_report>().size(), 1U);
}

TEST_F(SchedulerActor, ReportsACancellationWhenTheBlocksAreBack) {
  order(1, stream, 50);
  grant_leases();
  send(handle, cancel_sequence{1});
  EXPECT_FALSE(telemetry.has<cancel_report>()) << "steps that touch the blocks are under way";
  compute(42);
  compute(42);
  const auto report = telemetry.take<cancel_report>();
  ASSERT_TRUE(report);
  EXPECT_GE(report->to_free_seconds, 0);
  EXPECT_FALSE(stream.has<tokens>());
}

TEST_F(SchedulerActor, KeepsNoTraceOfASequenceCancelledBeforeItsLeaseWasDenied) {
  order(1, stream);
  send(handle, cancel_sequence{1});
  deny_leases();
  EXPECT_FALSE(telemetry.has<cancel_report>());
  auto& state = caf::actor_cast<scheduler_actor::stateful_pointer<scheduler_state>>(handle)->state;
  EXPECT_TRUE(state.cancelled.empty());
  EXPECT_TRUE(state.streams.empty());
}

TEST_F(SchedulerActor, SendsNothingToAStreamThatCancelled) {
  order(1, stream, 50);
  grant_leases();
  compute(42);
  EXPECT_EQ(stream.take_all<tokens>().size(), 1U);
  send(handle, cancel_sequence{1});
  while (executor.has<run_step>()) compute(42);
  EXPECT_FALSE(stream.has<tokens>());
}

TEST_F(SchedulerActor, GivesAParkedSequencesBlocksAwayAndAsksAgainWhenItResumes) {
  order(1, stream, 50);
  grant_leases();
  send(handle, park_sequence{1});
  while (executor.has<run_step>()) compute(42);
  const auto works = kv_blocks.take_all<kv_work>();
  EXPECT_TRUE(std::any_of(works.begin(), works.end(),
                          [](const auto& w) { return !w.requests.released.empty(); }));
  send(handle, resume_sequence{1});
  const auto work = kv_blocks.take<kv_work>();
  ASSERT_TRUE(work);
  EXPECT_EQ(work->requests.leased.size(), 1U);
}

TEST_F(SchedulerActor, IgnoresResultsOfAnotherLife) {
  order(1, stream);
  grant_leases();
  compute(42, incarnation - 1);
  EXPECT_FALSE(stream.has<tokens>());
}

TEST_F(SchedulerActor, RefusesWhatCanNeverFit) {
  order(1, stream, 1000);
  const auto answer = stream.take<tokens>();
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->what.end, finish_reason::error);
  EXPECT_FALSE(kv_blocks.has<kv_work>());
}

TEST_F(SchedulerActor, ReportsEachStep) {
  order(1, stream, 50);
  grant_leases();
  telemetry.take_all<step_report>();
  compute(42);
  const auto report = telemetry.take<step_report>();
  ASSERT_TRUE(report);
  EXPECT_EQ(report->running, 1U);
  EXPECT_EQ(report->batch_tokens, 3U);
  EXPECT_EQ(report->sampled_tokens, 1U);
}

TEST_F(SchedulerActor, ReportsTheLastStepAsOneThatLeavesNothingToDo) {
  order(1, stream, 1);
  grant_leases();
  telemetry.take_all<step_report>();
  compute(42);
  const auto reports = telemetry.take_all<step_report>();
  ASSERT_EQ(reports.size(), 1U);
  EXPECT_EQ(reports[0].running, 0U);
  EXPECT_EQ(reports[0].batch_tokens, 3U);
  EXPECT_EQ(reports[0].sampled_tokens, 1U);
}

TEST_F(SchedulerActor, TellsTheSupervisorThatItIsAtWorkAndThatItIsIdleAgain) {
  order(1, stream, 1);
  EXPECT_EQ(told_idle(), false);
  grant_leases();
  compute(42);
  EXPECT_EQ(told_idle(), true);
}

TEST_F(SchedulerActor, IsNotAtWorkForASequenceThatItRefused) {
  order(1, stream, 1000);
  EXPECT_NE(told_idle(), false);
}

TEST_F(SchedulerActor, IsIdleAgainWhenItsOnlySequenceIsCancelledBeforeAnyStep) {
  order(1, stream);
  EXPECT_EQ(told_idle(), false);
  send(handle, cancel_sequence{1});
  deny_leases();
  EXPECT_EQ(told_idle(), true);
}

TEST_F(SchedulerActor, IsIdleWhileEverySequenceIsParked) {
  order(1, stream, 50);
  grant_leases();
  send(handle, park_sequence{1});
  while (executor.has<run_step>()) compute(42);
  EXPECT_EQ(told_idle(), true);
  send(handle, resume_sequence{1});
  EXPECT_EQ(told_idle(), false);
}

} // namespace
} // namespace troupe::testing
