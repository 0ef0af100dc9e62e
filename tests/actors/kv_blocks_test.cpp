#include "actors/kv_blocks.hpp"
#include "tests/actors/actor_fixture.hpp"

namespace troupe::testing {
namespace {

class KvBlocksActor : public actor_fixture {
 protected:
  KvBlocksActor() {
    handle = spawn(kv_blocks, 8U, 4U, "small", telemetry.as<telemetry_actor>());
    run();
  }

  static kv_lease lease_of(sequence_id sequence, std::uint32_t blocks) {
    kv_lease out;
    out.sequence = sequence;
    out.ids = std::make_shared<const token_ids>(token_ids{1, 2, 3});
    out.blocks = blocks;
    return out;
  }

  void ask(kv_requests requests) { send_from(scheduler, handle, kv_work{std::move(requests)}); }

  probe telemetry = make_probe();
  probe scheduler = make_probe();
  kv_blocks_actor handle;
};

TEST_F(KvBlocksActor, ShowsTheEmptyCacheWhenItStarts) {
  const auto report = telemetry.take<kv_report>();
  ASSERT_TRUE(report);
  EXPECT_EQ(report->stats.total, 8U);
  EXPECT_EQ(report->stats.free, 8U);
}

TEST_F(KvBlocksActor, AnswersALeaseToWhoAsked) {
  kv_requests requests;
  requests.leased = {lease_of(1, 3)};
  ask(requests);
  const auto answer = scheduler.take<kv_settled>();
  ASSERT_TRUE(answer);
  ASSERT_EQ(answer->replies.leased.size(), 1U);
  EXPECT_EQ(answer->replies.leased[0].blocks.size(), 3U);
}

TEST_F(KvBlocksActor, AnswersADenialToo) {
  kv_requests requests;
  requests.leased = {lease_of(1, 9)};
  ask(requests);
  EXPECT_EQ(scheduler.get<kv_settled>().replies.not_leased, std::vector<sequence_id>{1});
}

TEST_F(KvBlocksActor, AnswersAnExtension) {
  kv_requests lease;
  lease.leased = {lease_of(1, 1)};
  ask(lease);
  scheduler.take<kv_settled>();
  kv_requests extend;
  extend.extended = {{1, 2}};
  ask(extend);
  EXPECT_EQ(scheduler.get<kv_settled>().replies.extended.at(0).blocks.size(), 2U);
}

TEST_F(KvBlocksActor, AnswersNothingWhereNothingWasAsked) {
  kv_requests lease;
  lease.leased = {lease_of(1, 3)};
  ask(lease);
  scheduler.take<kv_settled>();
  kv_requests release;
  release.released = {1};
  release.published = {{1, {1, 2, 3, 4}}};
  ask(release);
  EXPECT_TRUE(scheduler.empty());
}

TEST_F(KvBlocksActor, ShowsTheCacheAfterEachMessage) {
  telemetry.take_all<kv_report>();
  kv_requests requests;
  requests.leased = {lease_of(1, 3)};
  ask(requests);
  const auto report = telemetry.take<kv_report>();
  ASSERT_TRUE(report);
  EXPECT_EQ(report->stats.used, 3U);
  EXPECT_EQ(report->stats.ownerless, 0U);
}

} // namespace
} // namespace troupe::testing
