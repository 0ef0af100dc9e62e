#include "app/bench/speculation.hpp"

#include <charconv>

namespace troupe {
namespace {

/// The whole part of a sample's value, or nothing.
std::optional<std::uint64_t> value_of(std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || !(value >= 0 && value < 0x1p53)) return std::nullopt;
  return static_cast<std::uint64_t>(value);
}

std::optional<std::uint32_t> position_in(std::string_view labels) {
  constexpr std::string_view name = "position=\"";
  const std::size_t at = labels.find(name);
  if (at == std::string_view::npos) return std::nullopt;
  const std::string_view digits = labels.substr(at + name.size());
  std::uint32_t position = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), position);
  return error == std::errc{} ? std::optional(position) : std::nullopt;
}

std::uint64_t difference(std::uint64_t after, std::uint64_t before) {
  return after > before ? after - before : 0;
}

} // namespace

std::optional<speculation_counters> read_speculation(std::string_view metrics) {
  constexpr std::string_view family = "vllm:spec_decode_num_";
  speculation_counters out;
  bool any = false;
  while (!metrics.empty()) {
    std::string_view line = metrics.substr(0, metrics.find('\n'));
    metrics.remove_prefix(std::min(metrics.size(), line.size() + 1));
    if (!line.starts_with(family)) continue;
    line.remove_prefix(family.size());
    // Labels may hold blanks, values do not.
    const std::size_t name_end = line.find_first_of("{ ");
    const std::size_t blank = line.rfind(' ');
    if (name_end == std::string_view::npos || blank == std::string_view::npos) continue;
    const auto value = value_of(line.substr(blank + 1));
    if (!value) continue;
    const std::string_view name = line.substr(0, name_end);
    if (name == "drafts_total") {
      out.drafts += *value;
    } else if (name == "draft_tokens_total") {
      out.draft_tokens += *value;
    } else if (name == "accepted_tokens_total") {
      out.accepted_tokens += *value;
    } else if (name == "accepted_tokens_per_pos_total") {
      if (const auto position = position_in(line)) out.accepted_at[*position] += *value;
    } else {
      continue;
    }
    any = true;
  }
  return any ? std::optional(out) : std::nullopt;
}

std::optional<speculation> speculation_between(const std::optional<speculation_counters>& before,
                                               const std::optional<speculation_counters>& after) {
  if (!before || !after) return std::nullopt;
  speculation out;
  out.drafts = difference(after->drafts, before->drafts);
  out.draft_tokens = difference(after->draft_tokens, before->draft_tokens);
  out.accepted_tokens = difference(after->accepted_tokens, before->accepted_tokens);
  if (out.drafts == 0 || out.draft_tokens == 0) return std::nullopt;
  const auto drafts = static_cast<double>(out.drafts);
  const auto accepted = static_cast<double>(out.accepted_tokens);
  out.acceptance_rate = accepted / static_cast<double>(out.draft_tokens);
  out.acceptance_length = 1 + accepted / drafts;
  for (const auto& [position, count] : after->accepted_at) {
    const auto found = before->accepted_at.find(position);
    const std::uint64_t earlier = found == before->accepted_at.end() ? 0 : found->second;
    out.acceptance_at.push_back(static_cast<double>(difference(count, earlier)) / drafts);
  }
  return out;
}

} // namespace troupe
