// Proves that the simulation notices bugs: switches on one planted bug after the other and runs
// seeds until a rule is broken. Each runs in a process of its own, since a bug may also crash or
// never end, which counts as noticed. A bug that nothing notices fails the test, as does a broken
// rule without any bug.
#include "mutants.hpp"
#include "tests/sim/simulation.hpp"
#include "tests/sim/violation.hpp"

#include <cstdlib>
#include <iterator>
#include <optional>
#include <sys/wait.h>
#include <unistd.h>

namespace troupe {
namespace {

constexpr std::uint64_t most_seeds = 10'000;
constexpr unsigned patience = 120; // seconds

int& active() {
  static int number = 0;
  return number;
}

/// What the child tells its parent; small enough to be written at once.
struct finding {
  std::uint64_t seed = 0;
  bool found = false;
  char rule[120] = {};
};

finding search(std::uint64_t seeds, int pipe) {
  finding out;
  journal log{journal::mode::off};
  for (out.seed = 1; out.seed <= seeds; ++out.seed) {
    // Told beforehand, in case that it crashes.
    if (write(pipe, &out, sizeof out) != sizeof out) std::abort();
    const auto world = draw_scenario(out.seed);
    try {
      simulation{world, log}.run();
    } catch (const violation& broken) {
      out.found = true;
      fmt::format_to_n(out.rule, sizeof out.rule - 1, "{}", broken.rule());
    } catch (const std::exception& thrown) {
      out.found = true;
      fmt::format_to_n(out.rule, sizeof out.rule - 1, "it throws: {}", thrown.what());
    }
    if (out.found) break;
  }
  return out;
}

finding try_mutant(int number, std::uint64_t seeds) {
  int ends[2];
  if (pipe(ends) != 0) std::abort();
  std::fflush(nullptr);
  const auto child = fork();
  if (child == 0) {
    close(ends[0]);
    if (std::freopen("/dev/null", "w", stderr) == nullptr) _exit(1);
    active() = number;
    alarm(patience);
    const auto out = search(seeds, ends[1]);
    _exit(write(ends[1], &out, sizeof out) == sizeof out ? 0 : 1);
  }
  close(ends[1]);
  finding last;
  for (finding next; read(ends[0], &next, sizeof next) == sizeof next;) last = next;
  close(ends[0]);
  int status = 0;
  waitpid(child, &status, 0);
  if (WIFSIGNALED(status)) {
    last.found = true;
    const auto* how = WTERMSIG(status) == SIGALRM ? "it never ends" : "it crashes";
    fmt::format_to_n(last.rule, sizeof last.rule - 1, "{}", how);
  }
  return last;
}

int run(std::uint64_t seeds) {
  const auto clean = try_mutant(0, seeds / 20);
  if (clean.found) {
    fmt::print("without any bug, seed {}: {}\n", clean.seed, clean.rule);
    return EXIT_FAILURE;
  }
  const auto count = static_cast<int>(std::size(mutant_names));
  int missed = 0;
  fmt::print("{:<50} {:<55} {}\n", "bug", "noticed because", "seed");
  for (int number = 1; number <= count; ++number) {
    const auto out = try_mutant(number, seeds);
    if (!out.found) ++missed;
    fmt::print("{:<50} {:<55} {}\n", mutant_names[number - 1], out.found ? out.rule : "NOT NOTICED",
               out.seed);
  }
  fmt::print("{} of {} noticed\n", count - missed, count);
  return missed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

} // namespace

bool mutant_is(int number) { return active() == number; }

} // namespace troupe

int main(int argc, char** argv) {
  return troupe::run(argc > 1 ? std::strtoull(argv[1], nullptr, 10) : troupe::most_seeds);
}
