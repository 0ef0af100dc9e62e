// The pool's promises, one by one.
#include "actors/logic/block_pool.hpp"

#include <gtest/gtest.h>

#include <numeric>
#include <set>

namespace troupe {
namespace {

constexpr std::uint32_t block_tokens = 4;

token_ids counting(std::size_t tokens, token_id from = 0) {
  token_ids out(tokens);
  std::iota(out.begin(), out.end(), from);
  return out;
}

kv_lease lease_of(sequence_id id, const token_ids& ids, std::uint32_t blocks,
                  std::string salt = {}) {
  return {id, std::make_shared<const token_ids>(ids), blocks, 0, std::move(salt), true};
}

// Leases, publishes and releases: afterwards its whole blocks are in the cache.
void remember(block_pool& pool, sequence_id id, const token_ids& ids,
              const std::string& salt = {}) {
  const auto blocks = static_cast<std::uint32_t>(ids.size()) / block_tokens;
  ASSERT_TRUE(pool.lease(lease_of(id, ids, blocks, salt)));
  pool.publish({id, ids});
  pool.release(id);
}

TEST(BlockPool, LeasesDistinctBlocks) {
  block_pool pool{8, block_tokens, "m"};
  const auto grant = pool.lease(lease_of(1, counting(9), 3));
  ASSERT_TRUE(grant);
  EXPECT_EQ(std::set<block_id>(grant->blocks.begin(), grant->blocks.end()).size(), 3U);
  EXPECT_EQ(grant->cached_tokens, 0U);
  EXPECT_EQ(pool.stats().used, 3U);
  EXPECT_EQ(pool.contradiction(), "");
}

TEST(BlockPool, GivesAllOfALeaseOrNothing) {
  block_pool pool{4, block_tokens, "m"};
  EXPECT_FALSE(pool.lease(lease_of(1, counting(20), 5)));
  EXPECT_EQ(pool.stats().free, 4U);
  EXPECT_TRUE(pool.blocks_of(1).empty());
  EXPECT_TRUE(pool.lease(lease_of(1, counting(16), 4)));
}

TEST(BlockPool, GivesAllOfAnExtensionOrNothing) {
  block_pool pool{4, block_tokens, "m"};
  ASSERT_TRUE(pool.lease(lease_of(1, counting(8), 2)));
  EXPECT_FALSE(pool.extend({1, 3}));
  EXPECT_EQ(pool.blocks_of(1).size(), 2U);
  const auto grant = pool.extend({1, 2});
  ASSERT_TRUE(grant);
  EXPECT_EQ(grant->blocks.size(), 2U);
  EXPECT_EQ(pool.blocks_of(1).size(), 4U);
}

TEST(BlockPool, LeavesTheReserveToThoseWhoRun) {
  block_pool pool{4, block_tokens, "m"};
  auto request = lease_of(1, counting(12), 3);
  request.reserve = 2;
  EXPECT_FALSE(pool.lease(request));
  request.reserve = 1;
  EXPECT_TRUE(pool.lease(request));
}

TEST(BlockPool, DeniesASecondLeaseOfOneSequence) {
  block_pool pool{4, block_tokens, "m"};
  ASSERT_TRUE(pool.lease(lease_of(1, counting(4), 1)));
  EXPECT_FALSE(pool.lease(lease_of(1, counting(4), 1)));
}

TEST(BlockPool, PassesOverSequencesThatItDoesNotKnow) {
  block_pool pool{4, block_tokens, "m"};
  pool.publish({7, counting(4)});
  pool.release(7);
  EXPECT_FALSE(pool.extend({7, 1}));
  EXPECT_EQ(pool.stats().free, 4U);
}

TEST(BlockPool, SharesPublishedBlocksOfACommonPrefix) {
  block_pool pool{8, block_tokens, "m"};
  const auto ids = counting(9);
  const auto first = pool.lease(lease_of(1, ids, 3));
  pool.publish({1, counting(8)});
  const auto second = pool.lease(lease_of(2, ids, 3));
  ASSERT_TRUE(first && second);
  EXPECT_EQ(second->cached_tokens, 8U);
  EXPECT_EQ(second->blocks[0], first->blocks[0]);
  EXPECT_EQ(second->blocks[1], first->blocks[1]);
  EXPECT_NE(second->blocks[2], first->blocks[2]);
  EXPECT_EQ(pool.stats().used, 4U);
  pool.release(1);
  EXPECT_EQ(pool.stats().used, 3U) << "the second still has the shared ones";
  EXPECT_EQ(pool.contradiction(), "");
}

TEST(BlockPool, SharesNothingThatIsNotPublished) {
  block_pool pool{8, block_tokens, "m"};
  ASSERT_TRUE(pool.lease(lease_of(1, counting(8), 2)));
  EXPECT_EQ(pool.lease(lease_of(2, counting(8), 2))->cached_tokens, 0U);
}

TEST(BlockPool, NeverTakesTheLastTokenFromTheCache) {
  block_pool pool{8, block_tokens, "m"};
  remember(pool, 1, counting(8));
  EXPECT_EQ(pool.lease(lease_of(2, counting(8), 2))->cached_tokens, 4U);
  EXPECT_EQ(pool.lease(lease_of(3, counting(9), 3))->cached_tokens, 8U);
}

TEST(BlockPool, SharesWithEqualSaltsOnly) {
  block_pool pool{12, block_tokens, "m"};
  remember(pool, 1, counting(8), "a");
  EXPECT_EQ(pool.lease(lease_of(2, counting(9), 3, "b"))->cached_tokens, 0U);
  EXPECT_EQ(pool.lease(lease_of(3, counting(9), 3, ""))->cached_tokens, 0U);
  EXPECT_EQ(pool.lease(lease_of(4, counting(9), 3, "a"))->cached_tokens, 8U);
}

TEST(BlockPool, TakesNothingFromTheCacheWhereReuseIsNotWanted) {
  block_pool pool{8, block_tokens, "m"};
  remember(pool, 1, counting(8));
  auto request = lease_of(2, counting(9), 3);
  request.reuse = false;
  EXPECT_EQ(pool.lease(request)->cached_tokens, 0U);
  EXPECT_EQ(pool.stats().queried_tokens, 8U) << "of the first lease alone";
}

TEST(BlockPool, EvictsTheLeastRecentlyUsedFirst) {
  block_pool pool{3, block_tokens, "m"};
  remember(pool, 1, counting(4, 100));
  remember(pool, 2, counting(4, 200));
  remember(pool, 3, counting(4, 300));
  remember(
      pool, 4,
      counting(4, 100)); // its last token is not looked up: it evicts 100 itself and brings it back
  ASSERT_TRUE(pool.lease(lease_of(5, counting(4, 900), 1)));
  EXPECT_EQ(pool.lease(lease_of(6, counting(5, 300), 2))->cached_tokens, 4U)
      << "used later than 200, which went";
  EXPECT_EQ(pool.contradiction(), "");
}

TEST(BlockPool, EvictsTheEndOfAPrefixBeforeItsBeginning) {
  block_pool pool{4, block_tokens, "m"};
  remember(pool, 1, counting(12));
  ASSERT_TRUE(pool.lease(lease_of(2, counting(8, 500), 2))); // one free, one evicted
  pool.release(2);
  EXPECT_EQ(pool.lease(lease_of(3, counting(13), 4))->cached_tokens, 8U);
}

TEST(BlockPool, CountsIdleHitsAsGoneWhenItLooksForRoom) {
  block_pool pool{3, block_tokens, "m"};
  remember(pool, 1, counting(8));
  EXPECT_FALSE(pool.lease(lease_of(2, counting(16), 4))) << "two hits and one free are not four";
  EXPECT_TRUE(pool.lease(lease_of(2, counting(12), 3)));
  EXPECT_EQ(pool.stats().used, 3U);
  EXPECT_EQ(pool.contradiction(), "");
}

TEST(BlockPool, KeepsOneBlockWhereTwoComputedTheSame) {
  block_pool pool{8, block_tokens, "m"};
  const auto first = pool.lease(lease_of(1, counting(8), 2));
  const auto second = pool.lease(lease_of(2, counting(8), 2));
  pool.publish({1, counting(8)});
  pool.publish({2, counting(8)});
  pool.release(2);
  EXPECT_EQ(pool.stats().idle, 0U) << "the second's blocks are free, not cached";
  pool.release(1);
  EXPECT_EQ(pool.stats().idle, 2U);
  EXPECT_EQ(pool.lease(lease_of(3, counting(9), 3))->blocks[0], first->blocks[0]);
  EXPECT_NE(first->blocks[0], second->blocks[0]);
}

TEST(BlockPool, ServesReleasesBeforeLeases) {
  block_pool pool{2, block_tokens, "m"};
  ASSERT_TRUE(pool.lease(lease_of(1, counting(8), 2)));
  kv_requests requests;
  requests.released.push_back(1);
  requests.leased.push_back(lease_of(2, counting(8, 50), 2));
  const auto replies = pool.serve(requests);
  ASSERT_EQ(replies.leased.size(), 1U);
  EXPECT_EQ(replies.leased[0].sequence, 2U);
  EXPECT_EQ(replies.stats.used, 2U);
}

TEST(BlockPool, LetsNoLeaseOvertakeOneThatWasDenied) {
  block_pool pool{4, block_tokens, "m"};
  kv_requests requests;
  requests.leased.push_back(lease_of(1, counting(20), 5));
  requests.leased.push_back(lease_of(2, counting(4, 50), 1));
  const auto replies = pool.serve(requests);
  EXPECT_EQ(replies.not_leased, (std::vector<sequence_id>{1, 2}));
  EXPECT_EQ(pool.stats().free, 4U);
}

} // namespace
} // namespace troupe
