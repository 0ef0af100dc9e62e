#include "actors/logic/block_pool.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <span>

namespace troupe {

block_pool::block_pool(std::uint32_t blocks, std::uint32_t block_tokens, std::string model)
    : block_tokens_{block_tokens}, model_{std::move(model)}, blocks_(blocks) {
  free_.reserve(blocks);
  for (auto id = static_cast<block_id>(blocks); id-- > 0;) free_.push_back(id);
}

kv_replies block_pool::serve(const kv_requests& requests) {
  kv_replies replies;
  for (const auto& request : requests.published) publish(request);
  for (const auto sequence : requests.released) release(sequence);
  for (const auto& request : requests.extended) {
    if (auto grant = extend(request))
      replies.extended.push_back(std::move(*grant));
    else
      replies.not_extended.push_back(request.sequence);
  }
  // Leases are asked for in turn: where one has to wait for room, nobody behind it takes the room.
  for (const auto& request : requests.leased) {
    if (!replies.not_leased.empty())
      replies.not_leased.push_back(request.sequence);
    else if (auto grant = lease(request))
      replies.leased.push_back(std::move(*grant));
    else
      replies.not_leased.push_back(request.sequence);
  }
  replies.stats = stats();
  return replies;
}

std::optional<kv_grant> block_pool::lease(const kv_lease& request) {
  const auto& ids = *request.ids;
  holder fresh;
  fresh.prefix = root_key(model_, request.salt);

  // The last token is left to compute: its logits are needed.
  const std::size_t lookups = request.reuse ? (ids.size() - 1) / block_tokens_ : 0;
  std::uint32_t idle_hits = 0;
  for (std::size_t i = 0; i < std::min<std::size_t>(lookups, request.blocks); ++i) {
    const auto key =
        extend_key(fresh.prefix, std::span{ids}.subspan(i * block_tokens_, block_tokens_));
    const auto found = index_.find(key);
    if (found == index_.end()) break;
    fresh.prefix = key;
    fresh.blocks.push_back(found->second);
    if (blocks_[static_cast<std::size_t>(found->second)].users == 0) ++idle_hits;
  }
  fresh.whole = static_cast<std::uint32_t>(fresh.blocks.size());

  const auto missing = request.blocks - fresh.whole;
  if (holders_.contains(request.sequence) ||
      std::uint64_t{missing} + request.reserve > available() - idle_hits)
    return std::nullopt;

  for (const auto id : fresh.blocks) use(id);
  for (std::uint32_t i = 0; i < missing; ++i) fresh.blocks.push_back(take());
  if (request.reuse) queried_tokens_ += ids.size();
  hit_tokens_ += std::uint64_t{fresh.whole} * block_tokens_;
  held_ += fresh.blocks.size();
  kv_grant grant{request.sequence, fresh.blocks, fresh.whole * block_tokens_};
  holders_.emplace(request.sequence, std::move(fresh));
  return grant;
}

std::optional<kv_grant> block_pool::extend(const kv_extend& request) {
  const auto found = holders_.find(request.sequence);
  if (found == holders_.end() || request.blocks > available()) return std::nullopt;
  kv_grant grant{request.sequence, {}, 0};
  for (std::uint32_t i = 0; i < request.blocks; ++i) {
    grant.blocks.push_back(take());
    found->second.blocks.push_back(grant.blocks.back());
  }
  held_ += request.blocks;
  return grant;
}

void block_pool::publish(const kv_publish& request) {
  const auto found = holders_.find(request.sequence);
  if (found == holders_.end()) return;
  auto& holder = found->second;
  const std::span tokens{request.tokens};
  for (std::size_t at = 0;
       at + block_tokens_ <= tokens.size() && holder.whole < holder.blocks.size();
       at += block_tokens_) {
    holder.prefix = extend_key(holder.prefix, tokens.subspan(at, block_tokens_));
    const auto id = holder.blocks[holder.whole++];
    // Where another sequence computed the same prefix first, its block stays the shared one.
    if (index_.try_emplace(holder.prefix, id).second) {
      blocks_[static_cast<std::size_t>(id)].indexed = true;
      blocks_[static_cast<std::size_t>(id)].key = holder.prefix;
    }
  }
}

void block_pool::release(sequence_id sequence) {
  const auto found = holders_.find(sequence);
  if (found == holders_.end()) return;
  // Last block first: the end of a prefix is evicted before its beginning, without which it is of
  // no use.
  const auto blocks = std::move(found->second.blocks);
  held_ -= blocks.size();
  holders_.erase(found);
  std::for_each(blocks.rbegin(), blocks.rend(), [this](block_id id) { drop(id); });
}

block_id block_pool::take() {
  if (free_.empty()) forget(idle_.front());
  const auto id = free_.back();
  free_.pop_back();
  use(id);
  return id;
}

void block_pool::use(block_id id) {
  auto& block = blocks_[static_cast<std::size_t>(id)];
  ++uses_;
  if (block.users++ == 0 && block.indexed) idle_.erase(block.idle_place);
}

void block_pool::drop(block_id id) {
  auto& block = blocks_[static_cast<std::size_t>(id)];
  --uses_;
  if (--block.users > 0) return;
  if (block.indexed)
    block.idle_place = idle_.insert(idle_.end(), id);
  else
    free_.push_back(id);
}

void block_pool::forget(block_id id) {
  auto& block = blocks_[static_cast<std::size_t>(id)];
  idle_.erase(block.idle_place);
  index_.erase(block.key);
  block.indexed = false;
  free_.push_back(id);
}

kv_stats block_pool::stats() const {
  kv_stats out;
  out.total = static_cast<std::uint32_t>(blocks_.size());
  out.free = static_cast<std::uint32_t>(free_.size());
  out.idle = static_cast<std::uint32_t>(idle_.size());
  out.used = out.total - out.free - out.idle;
  out.ownerless = static_cast<std::uint32_t>(uses_ - std::min(uses_, held_));
  out.queried_tokens = queried_tokens_;
  out.hit_tokens = hit_tokens_;
  return out;
}

std::vector<block_id> block_pool::blocks_of(sequence_id sequence) const {
  const auto found = holders_.find(sequence);
  return found == holders_.end() ? std::vector<block_id>{} : found->second.blocks;
}

std::string block_pool::contradiction() const {
  std::vector<std::uint32_t> users(blocks_.size(), 0);
  for (const auto& [sequence, holder] : holders_)
    for (const auto id : holder.blocks) ++users[static_cast<std::size_t>(id)];
  std::vector<int> places(blocks_.size(), 0);
  for (const auto id : free_) ++places[static_cast<std::size_t>(id)];
  for (const auto id : idle_) ++places[static_cast<std::size_t>(id)];
  for (std::size_t i = 0; i < blocks_.size(); ++i) {
    const auto& block = blocks_[i];
    if (users[i] != block.users)
      return fmt::format("block {} counts {} users and has {}", i, block.users, users[i]);
    if (places[i] != (block.users == 0 ? 1 : 0))
      return fmt::format("block {} with {} users is {} times free or idle", i, block.users,
                         places[i]);
    if (block.indexed && index_.find(block.key) == index_.end())
      return fmt::format("block {} is indexed under a key that the index lacks", i);
  }
  for (const auto& [key, id] : index_)
    if (!blocks_[static_cast<std::size_t>(id)].indexed)
      return fmt::format("the index names block {}, which is not indexed", id);
  return {};
}

} // namespace troupe
