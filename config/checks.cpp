// The checks, one after the other, each a condition, the keys that it is about, and what to do.
#include "config/checks.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <bit>
#include <initializer_list>
#include <string_view>

namespace troupe {
namespace {

using key_list = std::initializer_list<std::string_view>;

class checker {
 public:
  checker(loaded_settings& loaded, const std::vector<std::string>& refused)
      : loaded_(loaded), refused_(refused) {}

  void require(bool holds, key_list keys, std::string_view remedy) const {
    if (!holds && none_refused(keys)) loaded_.errors.push_back(describe(keys, remedy));
  }
  void advise(bool holds, key_list keys, std::string_view remedy) const {
    if (!holds && none_refused(keys)) loaded_.warnings.push_back(describe(keys, remedy));
  }

 private:
  bool none_refused(key_list keys) const {
    return std::none_of(keys.begin(), keys.end(), [&](std::string_view key) {
      return std::find(refused_.begin(), refused_.end(), key) != refused_.end();
    });
  }

  std::string describe(key_list keys, std::string_view remedy) const {
    std::vector<std::string> parts;
    for (const std::string_view key : keys) {
      const auto found = std::find_if(loaded_.list.begin(), loaded_.list.end(),
                                      [&](const effective_value& each) { return each.key == key; });
      const std::string value = found->value.empty() ? "empty" : found->value;
      parts.push_back(fmt::format("{} = {} ({})", key, value, found->from.where));
    }
    return fmt::format("{}: {}", fmt::join(parts, " and "), remedy);
  }

  loaded_settings& loaded_;
  const std::vector<std::string>& refused_;
};

/// What a header can carry and a list can hold: visible ASCII without the comma.
bool is_key(const std::string& key) {
  return !key.empty() && std::all_of(key.begin(), key.end(),
                                     [](char c) { return c > ' ' && c <= '~' && c != ','; });
}

bool is_origin(const std::string& text) {
  if (text.empty() || text == "*") return true;
  const std::size_t scheme = text.find("://");
  return (text.starts_with("http://") || text.starts_with("https://")) &&
         scheme + 3 < text.size() && text.find_first_of(" /,", scheme + 3) == std::string::npos;
}

/// False for addresses that other machines can reach. An empty one is refused before that matters.
bool stays_here(const std::string& host) {
  return host.empty() || host == "localhost" || host == "::1" || host.starts_with("127.");
}

} // namespace

void check_together(loaded_settings& loaded, const std::vector<std::string>& refused) {
  const settings s = loaded.values;
  const checker check(loaded, refused);
  check.require(!s.server.host.empty(), {"server.host"},
                "write an address, 127.0.0.1 for this machine alone or 0.0.0.0 for all");
  check.require(std::all_of(s.server.api_keys.begin(), s.server.api_keys.end(), is_key),
                {"server.api_keys"},
                "a key must not be empty and holds visible ASCII without blanks and commas");
  check.require(is_origin(s.server.cors_origin), {"server.cors_origin"},
                "write * or one origin without a path, like https://chat.example.org");
  check.require(std::has_single_bit(s.engine.block_tokens), {"engine.block_tokens"},
                "write a power of two: 8, 16, 32, 64, 128 or 256");
  check.require(s.engine.step_tokens == 0 || s.engine.step_tokens >= s.engine.max_sequences,
                {"engine.step_tokens", "engine.max_sequences"},
                "each running sequence takes a token of every step; raise step_tokens or lower "
                "max_sequences until step_tokens is not the smaller");
  check.require(s.admission.default_timeout <= s.admission.max_timeout,
                {"admission.default_timeout", "admission.max_timeout"},
                "the default is more than a request may ask for; lower it or raise max_timeout");
  check.require(
      s.model.max_context == 0 || s.admission.max_queued_tokens >= s.model.max_context,
      {"admission.max_queued_tokens", "model.max_context"},
      "a prompt that fills the context could never wait; raise max_queued_tokens or lower "
      "max_context");
  check.require(s.model.max_context == 0 || s.admission.default_max_tokens <= s.model.max_context,
                {"admission.default_max_tokens", "model.max_context"},
                "an answer cannot be longer than the context; lower default_max_tokens or write 0");
  check.require(s.stream.ping_interval < s.server.idle_timeout,
                {"stream.ping_interval", "server.idle_timeout"},
                "a silent connection would be closed before its first ping; lower ping_interval or "
                "raise idle_timeout");
  check.advise(stays_here(s.server.host) || !s.server.api_keys.empty(),
               {"server.host", "server.api_keys"},
               "whoever reaches this address may use the model; set api_keys unless that is meant");
}

} // namespace troupe
