// A step's batch on a device whose memory can be looked at: what goes there, and how often.
#include "kernels/cpu/cpu_backend.hpp"
#include "model/step_batch.hpp"
#include "tests/model/forwarding_backend.hpp"
#include "tests/model/served.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace troupe {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

/// Writes down what it is given, likes multiples of four rows, and throws at a change of the tables
/// where that is asked for.
class recording_backend : public testing::forwarding_backend {
 public:
  recording_backend() : forwarding_backend(make_cpu_backend({.threads = 1})) {}

  memory allocate(std::size_t bytes) override {
    allocated += bytes;
    return forwarding_backend::allocate(bytes);
  }
  void upload(void* device, const void* host, std::size_t bytes) override {
    uploads.push_back(bytes);
    forwarding_backend::upload(device, host, bytes);
  }
  std::int32_t fitting_rows(std::int32_t rows) const override { return (rows + 3) / 4 * 4; }
  void place(std::int32_t* table, const std::int32_t* changes, std::int32_t count) override {
    if (places_to_come == 0) throw std::runtime_error("no place");
    --places_to_come;
    placed.push_back(count);
    forwarding_backend::place(table, changes, count);
  }

  std::size_t allocated = 0;
  std::vector<std::size_t> uploads;
  std::vector<std::int32_t> placed;
  int places_to_come = 1'000'000;
};

/// Slots that run, by hand: as many rows as they are given, from position 0 on.
class StepBatch : public ::testing::Test {
 protected:
  static constexpr std::int32_t rows = 12, slots = 6, table_blocks = 40;

  void add(slot_id slot, std::uint64_t opening, std::vector<block_id> blocks,
           std::uint32_t tokens = 1) {
    slot_run& run = runs_.emplace_back();
    run.slot = slot;
    run.tokens = tokens;
    const auto state = std::make_shared<slot_state>();
    state->opening = opening;
    state->ids.assign(tokens, 9);
    state->blocks = std::move(blocks);
    work_.push_back({&run, state, nullptr});
  }
  void remove_all() {
    work_.clear();
    runs_.clear();
  }
  batch_view load() {
    device_.uploads.clear();
    device_.placed.clear();
    return batch_.load(work_);
  }

  /// The first entries of a sequence's table as the device would read them.
  static std::vector<block_id> table(const batch_view& view, std::int32_t token,
                                     std::size_t count) {
    const std::int32_t* const first =
        view.block_tables + std::int64_t{view.table_of[token]} * view.table_stride;
    return {first, first + count};
  }
  static std::vector<block_id> counting(block_id first, std::size_t count) {
    std::vector<block_id> out(count);
    std::iota(out.begin(), out.end(), first);
    return out;
  }
  /// Of a batch without changes.
  static std::size_t bytes(std::size_t tokens, std::size_t sequences) {
    return (5 * tokens + sequences + 1) * sizeof(std::int32_t);
  }

  recording_backend device_;
  step_batch batch_{device_, rows, slots, table_blocks};
  std::deque<slot_run> runs_;
  std::vector<slot_work> work_;
};

TEST_F(StepBatch, TakesTheBytesThatItSays) {
  EXPECT_EQ(device_.allocated, step_batch::bytes(rows, slots, table_blocks));
}

TEST_F(StepBatch, FindsEachTokensTableInTheRowOfItsSlot) {
  add(4, 1, {7, 8}, 3);
  add(1, 2, {5}, 2);
  const batch_view view = load();
  EXPECT_EQ(view.table_stride, table_blocks);
  EXPECT_THAT(std::vector(view.table_of, view.table_of + 5), ElementsAre(4, 4, 4, 1, 1));
  EXPECT_EQ(view.runs[0].table, 4);
  EXPECT_EQ(view.runs[1].table, 1);
  EXPECT_THAT(table(view, 0, 2), ElementsAre(7, 8));
  EXPECT_THAT(table(view, 3, 1), ElementsAre(5));
}

TEST_F(StepBatch, UploadsOnceAndOnlyWhatChangedOfTheTables) {
  add(4, 1, {7, 8}, 3);
  add(1, 2, {5}, 2);
  load();
  EXPECT_THAT(device_.uploads, ElementsAre(bytes(5, 2) + 3 * 2 * sizeof(std::int32_t)));
  EXPECT_THAT(device_.placed, ElementsAre(3));
  load();
  EXPECT_THAT(device_.uploads, ElementsAre(bytes(5, 2)));
  EXPECT_THAT(device_.placed, IsEmpty());
  work_[1].state->blocks.push_back(6);
  const batch_view view = load();
  EXPECT_THAT(device_.uploads, ElementsAre(bytes(5, 2) + 2 * sizeof(std::int32_t)));
  EXPECT_THAT(device_.placed, ElementsAre(1));
  EXPECT_THAT(table(view, 0, 2), ElementsAre(7, 8));
  EXPECT_THAT(table(view, 3, 2), ElementsAre(5, 6));
}

TEST_F(StepBatch, KeepsTheTablesOfSlotsThatDoNotRun) {
  add(0, 1, {10, 11}, 2);
  load();
  const slot_work first = work_[0];
  work_.clear();
  add(5, 2, {20}, 2);
  load();
  work_ = {first};
  const batch_view view = load();
  EXPECT_THAT(device_.placed, IsEmpty());
  EXPECT_THAT(table(view, 0, 2), ElementsAre(10, 11));
}

TEST_F(StepBatch, WritesOverTheTableOfWhoHadTheSlotBefore) {
  add(3, 1, counting(10, 5), 2);
  load();
  remove_all();
  add(3, 2, counting(80, 4), 2);
  EXPECT_THAT(table(load(), 0, 4), ElementsAre(80, 81, 82, 83));
  work_[0].state->blocks.push_back(84);
  EXPECT_THAT(table(load(), 0, 5), ElementsAre(80, 81, 82, 83, 84));
  EXPECT_THAT(device_.placed, ElementsAre(1));
}

TEST_F(StepBatch, SendsTheLastTablesRowOnceForAllCopiesOfIt) {
  add(2, 1, {30, 31});
  const batch_view view = load();
  EXPECT_EQ(view.tokens, 4);
  EXPECT_THAT(std::vector(view.table_of, view.table_of + 4), ElementsAre(2, 2, 2, 2));
  EXPECT_EQ(view.runs[3].table, 2);
  EXPECT_THAT(device_.placed, ElementsAre(2));
}

TEST_F(StepBatch, SendsTablesInPartsWhereTheyAreLongerThanItsMemory) {
  add(1, 1, counting(100, 40), 12);
  add(5, 2, counting(200, 3), 0);
  const batch_view view = load();
  EXPECT_THAT(device_.placed, ElementsAre(18, 18, 7)); // of rows + slots
  EXPECT_EQ(device_.uploads.size(), 3U);
  EXPECT_EQ(table(view, 0, 40), counting(100, 40));
  const std::int32_t* const other = view.block_tables + 5 * table_blocks;
  EXPECT_THAT(std::vector(other, other + 3), ElementsAre(200, 201, 202));
  EXPECT_THAT(std::vector(view.positions, view.positions + 12),
              ElementsAre(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11));
}

TEST_F(StepBatch, SendsEverythingAgainWhereItFailedOnTheWay) {
  add(1, 1, counting(100, 40), 2);
  device_.places_to_come = 1;
  EXPECT_THROW(load(), std::runtime_error);
  device_.places_to_come = 0;
  EXPECT_THROW(load(), std::runtime_error);
  device_.places_to_come = 1'000'000;
  EXPECT_EQ(table(load(), 0, 40), counting(100, 40));
  EXPECT_THAT(device_.placed, ElementsAre(18, 18, 4));
  load();
  EXPECT_THAT(device_.placed, IsEmpty());
}

TEST_F(StepBatch, IsRefusedWhereTablesHaveTooManyEntries) {
  EXPECT_THROW(step_batch(device_, 8, 1 << 16, 1 << 15), std::invalid_argument);
}

TEST(StepBatchOfARunner, SendsTheTablesOfAGenerationOnce) {
  testing::temporary_folder folder;
  folder.write("config.json", testing::small_config().dump());
  folder.write("model.safetensors", testing::safetensors_file(testing::small_weights()));
  auto owned = std::make_unique<recording_backend>();
  const recording_backend& device = *owned;
  const testing::loaded_model model(folder.path(), std::move(owned));
  const auto outcomes = testing::generate(
      model, {{.ids = {3, 4, 5}, .sampling = testing::greedy(), .new_tokens = 20},
              {.ids = {6}, .sampling = testing::greedy(), .new_tokens = 20, .first_step = 4}});
  for (const auto& outcome : outcomes) EXPECT_EQ(outcome.tokens.size(), 20U);
  EXPECT_THAT(device.placed, ElementsAre(4, 4)); // 55 and 53 tokens: blocks of 16
}

} // namespace
} // namespace troupe
