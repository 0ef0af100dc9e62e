// With the smallest of the golden models: an executor has no other part than its runner.
#include "actors/executor.hpp"
#include "kernels/cpu/cpu_backend.hpp"
#include "model/families/family.hpp"
#include "tests/actors/actor_fixture.hpp"
#include "tests/model/late_backend.hpp"

#include <stdexcept>

namespace troupe::testing {
namespace {

class ExecutorActor : public actor_fixture {
 protected:
  ExecutorActor() { load(make_cpu_backend({1, false, {}})); }

  void load(std::unique_ptr<backend> on) {
    const auto folder = std::filesystem::path{TROUPE_GOLDEN} / "tiny/qwen3-norm";
    weights.reset();
    device = std::move(on);
    weights =
        std::make_shared<const decoder>(read_architecture(folder), safetensors(folder), *device);
  }

  runner_maker maker(fault_probe fault = {}) {
    return [this, fault] {
      return std::make_unique<runner>(weights, *device, runner_options{4, 16, 2, 16}, fault);
    };
  }

  /// Computes a prompt of three tokens and samples the next.
  static run_step first_step() {
    run_step out;
    out.plan.incarnation = 3;
    out.plan.step = 1;
    sampling_params greedy;
    greedy.temperature = 0;
    out.plan.opened = {{0, 11, std::make_shared<const token_ids>(token_ids{1, 2, 3}), 3,
                        std::make_shared<const sampling_params>(greedy)}};
    out.plan.grown = {{0, {0}}};
    out.plan.runs = {{0, 0, 3, true, {}}};
    return out;
  }
  static run_step next_step(std::uint64_t step) {
    run_step out;
    out.plan.incarnation = 3;
    out.plan.step = step;
    out.plan.runs = {{0, static_cast<std::uint32_t>(step + 1), 1, true, {}}};
    return out;
  }

  std::unique_ptr<backend> device;
  std::shared_ptr<const decoder> weights;
  probe scheduler = make_probe();
};

TEST_F(ExecutorActor, AnswersAStepToWhoSentIt) {
  const auto handle = spawn(executor, maker(), tell());
  send_from(scheduler, handle, first_step());
  const auto done = scheduler.get<step_done>();
  EXPECT_EQ(done.result.incarnation, 3U);
  EXPECT_EQ(done.result.step, 1U);
  ASSERT_EQ(done.result.slots.size(), 1U);
  EXPECT_EQ(done.result.slots[0].sequence, 11U);
  EXPECT_EQ(done.result.slots[0].tokens.size(), 1U);
}

TEST_F(ExecutorActor, RunsStepsInTheirOrder) {
  const auto handle = spawn(executor, maker(), tell());
  caf::send_as(scheduler.handle(), handle, first_step());
  caf::send_as(scheduler.handle(), handle, next_step(2));
  caf::send_as(scheduler.handle(), handle, next_step(3));
  run();
  const auto all = scheduler.take_all<step_done>();
  ASSERT_EQ(all.size(), 3U);
  for (std::size_t i = 0; i < all.size(); ++i) {
    EXPECT_EQ(all[i].result.step, i + 1);
    EXPECT_EQ(all[i].result.slots.at(0).error, "");
  }
}

TEST_F(ExecutorActor, IssuesTheNextStepWhileItsDeviceWorks) {
  auto lagging = std::make_unique<late_backend>(std::move(device));
  auto& late = *lagging;
  load(std::move(lagging));
  const auto handle = spawn(executor, maker(), tell());
  caf::send_as(scheduler.handle(), handle, first_step());
  caf::send_as(scheduler.handle(), handle, next_step(2));
  run(20);
  EXPECT_FALSE(scheduler.has<step_done>());
  late.catch_up();
  run();
  const auto all = scheduler.take_all<step_done>();
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[1].result.slots.at(0).error, "");
  EXPECT_EQ(all[1].result.slots.at(0).tokens.size(), 1U);
  EXPECT_EQ(late.waits(), 0);
}

TEST_F(ExecutorActor, AnswersForASlotThatFailedAndLivesOn) {
  const auto handle = spawn(executor, maker([](std::string_view stage, sequence_id) {
                              if (stage == "sample") throw std::runtime_error("planted");
                            }),
                            tell());
  send_from(scheduler, handle, first_step());
  EXPECT_EQ(scheduler.get<step_done>().result.slots.at(0).error, "planted");
  EXPECT_FALSE(is_down(handle));
}

TEST_F(ExecutorActor, DiesWhereItsDeviceFailsAndSaysWhy) {
  const auto handle = spawn(
      executor, runner_maker([]() -> std::unique_ptr<runner> { throw device_error("planted"); }),
      tell());
  run();
  EXPECT_TRUE(is_down(handle));
  EXPECT_EQ(told, std::vector<std::string>{"the device failed"});
}

} // namespace
} // namespace troupe::testing
