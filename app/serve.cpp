#include "app/serve.hpp"

#include "app/company.hpp"
#include "app/journal_of.hpp"
#include "app/loading.hpp"
#include "app/log.hpp"

#include <fmt/format.h>

#include <csignal>
#include <thread>

namespace troupe {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

// How often a running server looks for a signal or the end of draining.
constexpr milliseconds glance{50};
// What a second signal leaves of the drain's time.
constexpr milliseconds impatience{5'000};
// What clients have, at most, to take their last bytes once all answers are made; and how often
// that is looked at.
constexpr milliseconds farewell{5'000};
constexpr milliseconds blink{2};
// A process that was told to end ends, whatever is stuck in it.
constexpr std::chrono::seconds last_resort{10};

// SIGTERM and SIGINT are waited for instead of handled: blocked here, they are blocked in every
// thread started later.
class stop_signals {
 public:
  stop_signals() {
    sigemptyset(&set_);
    sigaddset(&set_, SIGTERM);
    sigaddset(&set_, SIGINT);
    pthread_sigmask(SIG_BLOCK, &set_, nullptr);
    std::signal(SIGPIPE, SIG_IGN);
  }
  void wait() const {
    int got = 0;
    sigwait(&set_, &got);
  }
  /// Has another come?
  bool pending() const {
    const timespec now{0, 0};
    return sigtimedwait(&set_, nullptr, &now) > 0;
  }

 private:
  sigset_t set_{};
};

void announce(const company& all, const company_facts& facts, const settings& chosen,
              double seconds) {
  const auto host = chosen.server.host.find(':') == std::string::npos
                        ? chosen.server.host
                        : "[" + chosen.server.host + "]";
  const auto url = fmt::format("http://{}:{}", host, all.port());
  const auto what = facts.chats ? R"("messages": [{"role": "user", "content": "Who are you?"}])"
                                : R"("prompt": "Once upon a time", "max_tokens": 32)";
  fmt::print("{}\n{} is served at {} (ready after {:.2f} s). Try:\n\n"
             "  curl {}/v1/{}completions -H 'Content-Type: application/json' \\\n"
             "    -d '{{\"model\": \"{}\", {}}}'\n\n",
             facts.memory_table, facts.model, url, seconds, url, facts.chats ? "chat/" : "",
             facts.model, what);
  std::fflush(stdout);
}

// Lets what runs finish, up to the deadline; a second signal brings it near.
void let_finish(company& all, const stop_signals& signals, milliseconds timeout,
                const logger& log) {
  log.info("server", "draining: running answers finish, new ones are refused",
           {{"at_most_seconds", timeout.count() / 1000}});
  all.drain();
  auto deadline = steady_clock::now() + timeout;
  while (!all.drained(glance) && steady_clock::now() < deadline)
    if (signals.pending()) deadline = std::min(deadline, steady_clock::now() + impatience);
  if (!all.drained(milliseconds{0}))
    return log.warning("server", "the drain's time is over: running answers are cut");
  deadline = std::min(deadline, steady_clock::now() + farewell);
  while (all.connections() > 0 && steady_clock::now() < deadline)
    std::this_thread::sleep_for(blink);
}

} // namespace

int run_serve(const settings& chosen) {
  const auto begin = steady_clock::now();
  const stop_signals signals;
  const auto log = logger::to_stderr(chosen.log);
  try {
    company all{chosen, journal_of(log)};
    const auto facts = load_with_progress(all, log, [&signals] { return signals.pending(); });
    announce(all, facts, chosen,
             std::chrono::duration<double>(steady_clock::now() - begin).count());
    log.info("server", "ready",
             {{"model", facts.model}, {"host", chosen.server.host}, {"port", all.port()}});
    signals.wait();
    let_finish(all, signals, chosen.lifecycle.drain_timeout, log);
    std::thread{[] {
      std::this_thread::sleep_for(last_resort);
      std::_Exit(0);
    }}.detach();
  } catch (const loading_stopped&) {
    log.info("server", "told to stop while loading");
  } catch (const std::exception& problem) {
    log.error("server", "cannot serve", {{"reason", problem.what()}});
    return 1;
  }
  log.info("server", "stopped");
  return 0;
}

} // namespace troupe
