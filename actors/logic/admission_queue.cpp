#include "actors/logic/admission_queue.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace troupe {
namespace {

// So many starts measure the rate; fewer would follow every hiccup.
constexpr std::size_t measured_starts = 64;

api_error overloaded(std::string message, std::uint32_t retry_after) {
  return {503, "service_unavailable_error", std::move(message),
          {},  "server_is_overloaded",      retry_after};
}

} // namespace

std::optional<api_error> admission_queue::enter(std::uint32_t sequences, time_point now) {
  if (waiting() + sequences > limits_.max_waiting)
    return overloaded(fmt::format("{} sequences wait already and at most {} may; try again later",
                                  waiting(), limits_.max_waiting),
                      retry_after(now));
  if (waiting_tokens_ >= limits_.max_waiting_tokens)
    return overloaded(
        fmt::format("{} prompt tokens wait already and at most {} may; try again later",
                    waiting_tokens_, limits_.max_waiting_tokens),
        retry_after(now));
  entering_ += sequences;
  return std::nullopt;
}

void admission_queue::wait(std::uint64_t sequence, std::uint32_t prompt_tokens) {
  --entering_;
  waiting_.emplace(sequence, prompt_tokens);
  waiting_tokens_ += prompt_tokens;
}

void admission_queue::started(std::uint64_t sequence, time_point now) {
  if (!waiting_.contains(sequence)) return;
  ended(sequence);
  starts_.push_back(now);
  if (starts_.size() > measured_starts) starts_.pop_front();
}

void admission_queue::ended(std::uint64_t sequence) {
  const auto found = waiting_.find(sequence);
  if (found == waiting_.end()) return;
  waiting_tokens_ -= found->second;
  waiting_.erase(found);
}

std::uint32_t admission_queue::retry_after(time_point now) {
  if (starts_.empty()) return 1;
  const std::chrono::duration<double> span = now - starts_.front();
  const auto rate = static_cast<double>(starts_.size()) / std::max(span.count(), 0.001);
  // Spread by a fifth to either side, so that those who were refused together do not return
  // together.
  const auto spread = 0.8 + 0.4 * static_cast<double>(refusals_++ * 7 % 16) / 15;
  return static_cast<std::uint32_t>(std::clamp(std::ceil(waiting() / rate * spread), 1.0, 60.0));
}

} // namespace troupe
