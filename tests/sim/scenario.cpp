#include "tests/sim/scenario.hpp"

#include <algorithm>

namespace troupe {
namespace {

constexpr std::uint32_t documents = 3; // whose beginnings are shared

token_id any_token(random_source& random) {
  return static_cast<token_id>(random.below(fake_vocabulary));
}

// The beginning of one of a few documents, then something of its own.
token_ids draw_prompt(random_source& random, std::uint64_t seed, std::uint32_t longest) {
  token_ids out;
  if (!random.one_in(3)) {
    random_source document{seed * documents + random.below(documents)};
    out.resize(random.between(0, longest - 1));
    for (auto& id : out) id = any_token(document);
  }
  const auto own =
      random.one_in(4) ? 0 : random.below(longest - static_cast<std::uint32_t>(out.size()));
  for (std::uint32_t i = 0; i < own; ++i) out.push_back(any_token(random));
  if (out.empty()) out.push_back(any_token(random));
  return out;
}

script draw_script(random_source& random, std::uint64_t seed, sequence_id id, bool many_seeds,
                   bool long_ones) {
  script out;
  auto ids = draw_prompt(random, seed, random.one_in(4) ? 60 : 20);
  sampling_params sampling;
  sampling.seed = many_seeds ? random.next() : seed;
  if (random.one_in(8)) sampling.prompt_logprobs = 0;
  out.spec.id = id;
  out.spec.prompt_tokens = static_cast<std::uint32_t>(ids.size());
  out.spec.ids = std::make_shared<const token_ids>(std::move(ids));
  out.spec.max_tokens = random.one_in(6) ? 1
                                         : random.between(1, random.one_in(4) ? 60
                                                             : long_ones      ? 200
                                                                              : 20);
  out.spec.sampling = std::make_shared<const sampling_params>(std::move(sampling));
  for (auto i = long_ones ? 0 : random.below(4); i > 0; --i)
    out.spec.stop_ids.push_back(any_token(random));
  out.spec.priority = random.one_in(3) ? static_cast<std::int32_t>(random.below(3)) - 1 : 0;
  if (random.one_in(3)) out.spec.salt = random.one_in(2) ? "a" : "b";
  if (random.one_in(5))
    for (auto i = random.between(1, 2); i > 0; --i)
      out.stops.push_back(fake_text(any_token(random)) +
                          (random.one_in(2) ? fake_text(any_token(random)) : ""));
  out.include_stop = random.one_in(3);
  return out;
}

scheduler_limits draw_limits(random_source& random) {
  scheduler_limits out;
  out.max_sequences = random.between(1, 8);
  out.step_tokens = out.max_sequences + random.below(random.one_in(3) ? 3 : 40);
  out.block_tokens = random.between(1, 6);
  out.lease_ahead = random.below(4 * out.block_tokens);
  out.steps_in_flight = random.between(1, 3);
  out.prefix_cache = !random.one_in(4);
  return out;
}

// Now and then there is less room than the largest sequence needs, and it is refused.
void draw_blocks(random_source& random, scenario& out) {
  std::uint32_t largest = 0;
  std::uint32_t all = 0;
  const auto blocks = [&](const script& it) {
    return (it.spec.prompt_tokens + it.spec.max_tokens - 2) / out.limits.block_tokens + 1;
  };
  for (const auto& client : out.clients) {
    largest = std::max(largest, blocks(client.what));
    all += blocks(client.what);
  }
  out.limits.total_blocks = random.one_in(6)   ? random.between(1, largest)
                            : random.one_in(3) ? largest + random.below(4)
                            : random.one_in(2) ? largest + random.below(2 * largest)
                                               : std::max(all / random.between(1, 8), largest);
  for (auto& client : out.clients)
    client.what.too_large = blocks(client.what) > out.limits.total_blocks;
}

} // namespace

scenario draw_scenario(std::uint64_t seed) {
  random_source random{seed};
  scenario out;
  out.seed = seed;
  out.limits = draw_limits(random);
  constexpr std::uint32_t delays[] = {0, 10, 100, 1000};
  out.max_delay = delays[random.below(4)];
  out.slow_one_in = random.one_in(3) ? 10 : 1000;
  out.max_step_time = random.one_in(4) ? 2000 : 200;
  out.slot_error_one_in = random.one_in(3) ? random.between(20, 200) : 0;
  out.streams_forget_lives = random.one_in(3);
  out.requests_in_one = !random.one_in(3);
  if (random.one_in(10)) out.max_waiting = random.between(1, 8);

  const bool long_life = random.one_in(8);
  const auto count =
      long_life ? random.between(20, 60) : random.between(5, random.one_in(4) ? 40 : 15);
  const auto horizon = random.one_in(3) ? 0 : random.between(1, 20'000);
  const bool many_seeds = random.one_in(2);
  const bool cancels = random.one_in(2);
  const bool slow_readers = random.one_in(2);
  for (sequence_id id = 1; id <= count; ++id) {
    simulated_client client;
    client.what = draw_script(random, seed, id, many_seeds, long_life);
    client.arrival = random.below(horizon + 1);
    client.what.spec.arrival =
        std::chrono::steady_clock::time_point{std::chrono::microseconds{client.arrival}};
    write_script(client.what);
    if (cancels && random.one_in(4))
      client.abandons = random.below(random.one_in(2) ? 500 : 20'000);
    if (slow_readers && random.one_in(2)) {
      client.credit = random.between(1, 4);
      client.buffer_bytes = random.between(0, 20);
      client.reading_time = random.between(1, 5'000);
    }
    if (slow_readers && random.one_in(4)) {
      client.parks = random.below(10'000);
      client.parked_for = random.below(random.one_in(2) ? 200 : 10'000);
    }
    out.clients.push_back(std::move(client));
  }
  draw_blocks(random, out);
  if (random.one_in(3))
    for (auto i = random.between(1, 6); i > 0; --i)
      out.deaths.push_back(random.below(2 * horizon + 10'000));
  std::sort(out.deaths.begin(), out.deaths.end());
  return out;
}

} // namespace troupe
