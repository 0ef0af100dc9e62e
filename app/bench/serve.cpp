// A plan from the seed, requests for warming up, the measurement, and its report. The block goes to
// standard output, unless the JSON does; progress and notes go to standard error.
#include "app/bench/serve.hpp"

#include "app/bench/load.hpp"
#include "app/bench/report.hpp"
#include "app/bench/subject.hpp"
#include "app/bench/trace.hpp"
#include "app/progress.hpp"
#include "app/terminal.hpp"
#include "config/text.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <csignal>
#include <fstream>
#include <iostream>
#include <optional>
#include <random>
#include <stdexcept>
#include <sys/resource.h>
#include <unistd.h>

namespace troupe {
namespace {

using clock = std::chrono::steady_clock;

constexpr std::uint32_t standard_requests = 100;

volatile std::sig_atomic_t interrupted = 0;

void on_interrupt(int) { interrupted = 1; }

// Ctrl-C ends the measurement with what there is; a second one ends the program.
void catch_interrupts() {
  struct sigaction action {};
  action.sa_handler = on_interrupt;
  action.sa_flags = static_cast<int>(SA_RESETHAND);
  sigaction(SIGINT, &action, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
}

/// Each request under way has a socket.
void allow_all_sockets() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

/// A short one, which is easy to type again.
std::uint64_t seed_of(std::uint64_t wanted) {
  if (wanted != 0) return wanted;
  std::random_device source;
  return std::uniform_int_distribution<std::uint64_t>(1, 999'999'999)(source);
}

request_plan plan_of(const bench_serve_options& wanted, std::uint64_t seed) {
  const bench_load& load = wanted.load;
  if (!wanted.trace.file.empty()) {
    std::ifstream file(wanted.trace.file, std::ios::binary);
    if (!file) throw std::runtime_error(wanted.trace.file + ": cannot be read");
    return plan_trace(read_trace(file, wanted.trace.file),
                      {load.requests, wanted.trace.speed, wanted.trace.scale});
  }
  const bench_lengths& lengths = wanted.lengths;
  return plan_drawn({load.requests > 0 ? load.requests : standard_requests, lengths.input,
                     lengths.output, lengths.range_ratio, lengths.prefix_tokens, lengths.prefixes},
                    {load.rate, load.burstiness}, seed);
}

many_client::plan exchanges_of(const bench_server& server) {
  many_client::plan out;
  out.server = parse_server_address(server.url);
  const bool chat = server.endpoint == bench_endpoint::chat;
  out.path = chat ? "/v1/chat/completions" : "/v1/completions";
  out.headers = server.headers;
  if (!server.api_key.empty()) out.headers.push_back("Authorization: Bearer " + server.api_key);
  out.timeout = server.timeout;
  return out;
}

/// Where the server is gone, the load says so better.
std::optional<speculation_counters> drafts_so_far(const bench_server& server) {
  try {
    return read_speculation(text_at(server, "/metrics"));
  } catch (const std::runtime_error&) {
    return std::nullopt;
  }
}

/// A measurement under way: what its loads have in common.
class bench {
 public:
  explicit bench(const bench_serve_options& wanted)
      : wanted_(wanted), seed_(seed_of(wanted.load.seed)), plan_(plan_of(wanted, seed_)),
        subject_(find_subject(wanted, seed_)), exchanges_(exchanges_of(wanted.server)),
        writer_(
            {wanted.server.endpoint, subject_.model, wanted.bodies.ignore_eos, wanted.bodies.extra},
            subject_.prompts) {
    if (const auto columns = terminal_columns(STDERR_FILENO))
      bar_ = progress::on_terminal(std::cerr, *columns);
  }

  bench_report run() {
    describe();
    warm_up();
    const std::string date = fmt::format("{:%FT%TZ}", fmt::gmtime(std::time(nullptr)));
    const auto drafts = drafts_so_far(wanted_.server);
    load_outcome outcome = send("measuring", plan_);
    bench_report report;
    report.date = date;
    report.url = wanted_.server.url;
    report.endpoint = wanted_.server.endpoint == bench_endpoint::chat ? "chat" : "completions";
    report.model = subject_.model;
    report.prompts = subject_.kind;
    report.trace = wanted_.trace.file;
    report.seed = seed_;
    report.requests = plan_.size();
    report.warmup = wanted_.load.warmup;
    report.concurrency = wanted_.load.concurrency;
    report.rate = wanted_.load.rate;
    report.burstiness = wanted_.load.burstiness;
    report.ignores_eos = wanted_.bodies.ignore_eos;
    report.interrupted = outcome.interrupted;
    report.limits = parse_goodput(wanted_.results.goodput);
    report.numbers = measure(outcome.records, outcome.duration, report.limits);
    report.drafts = speculation_between(drafts, drafts_so_far(wanted_.server));
    report.records = std::move(outcome.records);
    return report;
  }

 private:
  void describe() const {
    std::uint64_t input = 0;
    std::uint64_t output = 0;
    for (const planned_request& each : plan_) {
      input += each.input();
      output += each.output;
    }
    const bench_load& load = wanted_.load;
    const std::string pace = !wanted_.trace.file.empty() ? ", as the trace has them"
                             : load.rate > 0             ? fmt::format(", {:g} a second", load.rate)
                                                         : std::string();
    const std::string most =
        load.concurrency > 0 ? fmt::format(", at most {} at once", load.concurrency) : "";
    fmt::print(stderr, "{} at {}: {} requests{}{}; {} tokens in (as {}), {} out; seed {}\n",
               printable(subject_.model), wanted_.server.url, plan_.size(), pace, most, input,
               subject_.kind, output, seed_);
  }

  void warm_up() {
    if (wanted_.load.warmup == 0) return;
    const load_outcome outcome = send("warming up", plan_warmup(plan_, wanted_.load.warmup));
    const auto& records = outcome.records;
    const auto failed = std::find_if(records.begin(), records.end(),
                                     [](const request_record& each) { return !each.ok(); });
    if (failed != records.end())
      throw std::runtime_error("a request for warming up failed: " + failed->error);
    if (outcome.interrupted) throw std::runtime_error("interrupted while warming up");
  }

  load_outcome send(const char* stage, const request_plan& plan) {
    if (bar_) bar_->begin(stage, plan.size(), clock::now(), "requests");
    const load_watch watch = [this](std::size_t done, clock::time_point now) {
      if (bar_) bar_->advance(done, now);
      return interrupted == 0;
    };
    load_outcome outcome = carry_out(plan, wanted_.load.concurrency, exchanges_, writer_, watch);
    if (bar_) {
      bar_->advance(outcome.records.size(), clock::now());
      bar_->finish(clock::now());
    }
    return outcome;
  }

  const bench_serve_options& wanted_;
  std::uint64_t seed_;
  request_plan plan_;
  bench_subject subject_;
  many_client::plan exchanges_;
  request_writer writer_;
  std::optional<progress> bar_;
};

/// Tried before the measurement, so that it is not made in vain. What the file holds stays there
/// until there is something better.
void try_to_write(const std::string& path) {
  if (path.empty() || path == "-") return;
  if (!std::ofstream(path, std::ios::app)) throw std::runtime_error(path + ": cannot be written");
}

void show(const bench_report& report, const bench_results& wanted) {
  const bool json_instead = wanted.json == "-";
  (json_instead ? std::cerr : std::cout) << result_block(report) << std::flush;
  std::cerr << result_notes(report);
  if (wanted.json.empty()) return;
  std::ofstream file;
  if (!json_instead) file.open(wanted.json, std::ios::binary);
  std::ostream& to = json_instead ? static_cast<std::ostream&>(std::cout) : file;
  to << result_json(report, wanted.per_request) << std::flush;
  if (!to) throw std::runtime_error(wanted.json + ": cannot be written");
}

} // namespace

int run_bench_serve(const bench_serve_options& wanted) {
  try {
    try_to_write(wanted.results.json);
    catch_interrupts();
    allow_all_sockets();
    const bench_report report = bench(wanted).run();
    show(report, wanted.results);
    return report.numbers.completed > 0 && !report.interrupted ? 0 : 1;
  } catch (const std::exception& problem) {
    fmt::print(stderr, "troupe bench serve: {}\n", problem.what());
    return 1;
  }
}

} // namespace troupe
