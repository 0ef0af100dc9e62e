// Runs the simulation: `troupe_sim [--seeds N] [--first N]`, or one seed with everything it did:
// `troupe_sim --seed N --verbose`.
#include "tests/sim/simulation.hpp"
#include "tests/sim/violation.hpp"

#include <CLI/CLI.hpp>

#include <chrono>
#include <cstdlib>

namespace troupe {
namespace {

int replay(std::uint64_t seed, bool verbose) {
  const auto world = draw_scenario(seed);
  journal log{verbose ? journal::mode::all : journal::mode::last};
  const auto& limits = world.limits;
  fmt::print("seed {}: {} sequences, {} blocks of {}, {} slots, {} rows, {} ahead, {} in flight, "
             "cache {}, {} deaths\n",
             seed, world.clients.size(), limits.total_blocks, limits.block_tokens,
             limits.max_sequences, limits.step_tokens, limits.lease_ahead, limits.steps_in_flight,
             limits.prefix_cache, world.deaths.size());
  if (verbose)
    for (const auto& it : world.clients)
      fmt::print("  {}: {} + {} tokens, priority {}, salt '{}', stops '{}', expects '{}' by '{}'\n",
                 it.what.spec.id, it.what.spec.prompt_tokens, it.what.spec.max_tokens,
                 it.what.spec.priority, it.what.spec.salt, fmt::join(it.what.stops, "' '"),
                 it.what.text, it.what.stop_text);
  try {
    const auto totals = simulation{world, log}.run();
    fmt::print("all is well after {} steps of {} engines\n", totals.steps, totals.engines);
    return EXIT_SUCCESS;
  } catch (const violation& broken) {
    if (!verbose)
      for (const auto& line : log.lines()) fmt::print("{}\n", line);
    fmt::print("BROKEN in seed {}: {}\n", seed, broken.what());
    return EXIT_FAILURE;
  }
}

int run_all(std::uint64_t first, std::uint64_t seeds) {
  const auto begin = std::chrono::steady_clock::now();
  simulation_totals sum;
  journal log{journal::mode::off};
  for (auto seed = first; seed < first + seeds; ++seed) {
    const auto world = draw_scenario(seed);
    try {
      const auto totals = simulation{world, log}.run();
      sum.steps += totals.steps;
      sum.events += totals.events;
      sum.sequences += totals.sequences;
      sum.engines += totals.engines;
    } catch (const violation&) {
      return replay(seed, false);
    }
  }
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
  fmt::print("{} seeds from {}: {} sequences in {} engines, {} steps, {} events, no rule broken, "
             "{:.1f} s\n",
             seeds, first, sum.sequences, sum.engines, sum.steps, sum.events, took.count());
  return EXIT_SUCCESS;
}

} // namespace
} // namespace troupe

int main(int argc, char** argv) {
  std::uint64_t seeds = 10'000;
  std::uint64_t first = 1;
  std::uint64_t seed = 0;
  bool verbose = false;
  CLI::App app{"Simulates the logic behind the doors, one life a seed"};
  app.add_option("--seeds", seeds, "how many");
  app.add_option("--first", first, "the first of them");
  auto* one = app.add_option("--seed", seed, "only this one");
  app.add_flag("--verbose", verbose, "with everything that happens")->needs(one);
  CLI11_PARSE(app, argc, argv);
  return *one ? troupe::replay(seed, verbose) : troupe::run_all(first, seeds);
}
