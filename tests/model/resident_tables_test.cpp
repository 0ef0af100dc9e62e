// What is missing of a slot's table: nothing twice, nothing of who had the slot before.
#include "model/resident_tables.hpp"
#include "tests/model/model_folder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace troupe {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

using words = std::vector<std::int32_t>;

/// Tables of four slots and ten blocks, of what a slot table has.
class ResidentTables : public ::testing::Test {
 protected:
  void open(slot_id slot, sequence_id sequence) {
    slots_.open({slot, sequence, std::make_shared<const token_ids>(token_ids{3}), 1,
                 std::make_shared<const sampling_params>()});
  }
  void grow(slot_id slot, std::vector<block_id> blocks) { slots_.grow({slot, std::move(blocks)}); }

  words missing(slot_id slot) const {
    words out;
    tables_.append_missing(slot, *slots_.find(slot), out);
    return out;
  }
  words send(slot_id slot) {
    words out = missing(slot);
    tables_.note_sent(slot, *slots_.find(slot));
    return out;
  }

  slot_table slots_{
      {.max_sequences = 4, .blocks = 100, .block_tokens = 16, .max_positions = 160, .vocab = 64}};
  resident_tables tables_{4, 10};
};

TEST_F(ResidentTables, SendATableOnce) {
  open(0, 7);
  grow(0, {31, 5});
  EXPECT_THAT(send(0), ElementsAre(0, 31, 1, 5));
  EXPECT_THAT(missing(0), IsEmpty());
}

TEST_F(ResidentTables, SendOnlyTheBlocksThatWereAdded) {
  open(2, 7);
  grow(2, {31, 5});
  send(2);
  grow(2, {8});
  grow(2, {9});
  EXPECT_THAT(send(2), ElementsAre(22, 8, 23, 9));
  EXPECT_THAT(missing(2), IsEmpty());
}

TEST_F(ResidentTables, KnowEachSlotByItself) {
  open(1, 7);
  open(3, 8);
  grow(1, {40});
  grow(3, {41, 42});
  EXPECT_THAT(send(3), ElementsAre(30, 41, 31, 42));
  EXPECT_THAT(send(1), ElementsAre(10, 40));
}

TEST_F(ResidentTables, BeginAgainForAnotherSequence) {
  open(1, 7);
  grow(1, {40, 41, 42});
  send(1);
  slots_.close(1);
  open(1, 8);
  grow(1, {50});
  EXPECT_THAT(send(1), ElementsAre(10, 50));
  grow(1, {51, 52, 53});
  EXPECT_THAT(send(1), ElementsAre(11, 51, 12, 52, 13, 53));
}

TEST_F(ResidentTables, BeginAgainForASequenceThatComesBackToItsSlot) {
  open(1, 7);
  grow(1, {40, 41});
  send(1);
  slots_.close(1);
  open(1, 7);
  grow(1, {60, 61});
  EXPECT_THAT(send(1), ElementsAre(10, 60, 11, 61));
}

TEST_F(ResidentTables, BeginAgainForASequenceThatComesBackFromAnotherSlot) {
  open(1, 7);
  grow(1, {40});
  send(1);
  slots_.close(1);
  open(2, 7);
  grow(2, {50});
  send(2);
  slots_.close(2);
  open(1, 7);
  grow(1, {60});
  EXPECT_THAT(send(1), ElementsAre(10, 60));
}

TEST_F(ResidentTables, MissWhatWasAskedForButNotSent) {
  open(0, 7);
  grow(0, {31, 5});
  EXPECT_EQ(missing(0), missing(0));
  send(0);
  slots_.close(0);
  open(0, 8);
  grow(0, {9});
  EXPECT_THAT(missing(0), ElementsAre(0, 9));
  EXPECT_THAT(send(0), ElementsAre(0, 9));
}

TEST_F(ResidentTables, AppendToWhatIsThere) {
  open(0, 7);
  grow(0, {31});
  words out = {1, 2, 3};
  tables_.append_missing(0, *slots_.find(0), out);
  EXPECT_THAT(out, ElementsAre(1, 2, 3, 0, 31));
}

TEST_F(ResidentTables, LeaveOutBlocksThatNoPositionNeeds) {
  open(0, 7);
  grow(0, std::vector<block_id>(9, 31));
  send(0);
  grow(0, {6, 7, 8});
  EXPECT_THAT(send(0), ElementsAre(9, 6));
  EXPECT_THAT(missing(0), IsEmpty());
}

TEST_F(ResidentTables, RefuseMoreEntriesThanCanBeNumbered) {
  EXPECT_EQ(testing::error_of([] { resident_tables(1, 1); }), "");
  EXPECT_THAT(testing::error_of([] { resident_tables(65'536, 32'768); }),
              HasSubstr("65536 sequences of 32768 blocks"));
  EXPECT_THAT(testing::error_of([] { resident_tables(0, 8); }), HasSubstr("at least 1"));
  EXPECT_THAT(testing::error_of([] { resident_tables(8, 0); }), HasSubstr("at least 1"));
}

} // namespace
} // namespace troupe
