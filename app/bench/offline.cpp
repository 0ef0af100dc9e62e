// First the yardsticks, while nothing else runs on the device; then the model, a round to warm up,
// and the measurement.
#include "app/bench/offline.hpp"

#include "app/bench/offline_clients.hpp"
#include "app/bench/offline_report.hpp"
#include "app/device_of.hpp"
#include "app/journal_of.hpp"
#include "app/loading.hpp"
#include "app/progress.hpp"
#include "app/terminal.hpp"
#include "model/families/family.hpp"
#include "model/safetensors.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <optional>
#include <ostream>
#include <stdexcept>
#include <unistd.h>

namespace troupe {
namespace {

using clock = std::chrono::steady_clock;

// Answers of the round that warms up.
constexpr std::uint32_t warm_tokens = 16;
constexpr milliseconds no_limit = std::chrono::hours(24 * 365);

offline_work work_of(const bench_offline_load& load) {
  const std::uint32_t at_once = load.concurrency > 0 ? load.concurrency : load.requests;
  return {load.requests, std::min(at_once, load.requests), load.input, load.output, 0, load.seed};
}

/// The engine's settings are the operator's. What would refuse or cut a request that a measurement
/// asks for does not apply, and one failure is enough to end it.
settings settings_for(const settings& chosen, const offline_work& work, const architecture& model) {
  settings out = chosen;
  const std::uint64_t tokens = std::uint64_t{work.input} + work.output;
  const auto most = out.model.max_context > 0 ? out.model.max_context
                                              : static_cast<std::uint32_t>(model.max_positions);
  if (tokens > most)
    throw std::runtime_error(fmt::format("--input and --output are {} tokens together; {} are the "
                                         "most that this model is set to take",
                                         tokens, most));
  out.model.max_context = static_cast<std::uint32_t>(tokens);
  out.admission.max_queued_requests = std::max(out.admission.max_queued_requests, work.concurrency);
  out.admission.max_queued_tokens = UINT64_MAX;
  out.admission.default_timeout = out.admission.max_timeout = no_limit;
  out.lifecycle.max_restarts = 0;
  out.log.level = std::max(chosen.log.level, log_level::warning);
  return out;
}

class measurement_of_engine {
 public:
  measurement_of_engine(const bench_offline_load& load, const settings& chosen,
                        const yardstick_sizes& sizes, std::ostream& err)
      : work_(work_of(load)), warm_(load.warmup), folder_(chosen.model.path),
        model_(read_architecture(folder_)), chosen_(settings_for(chosen, work_, model_)),
        sizes_(sizes), log_(logger::to_stderr(chosen_.log)), err_(err) {
    report_.weight_type = safetensors(folder_).find(model_.names.embedding).type;
    if (const auto columns = terminal_columns(STDERR_FILENO))
      bar_ = progress::on_terminal(err_, *columns);
  }

  offline_report run() {
    measure_device();
    company engine(chosen_, journal_of(log_), without_doors{});
    const company_facts facts = load_with_progress(engine, log_);
    work_.vocabulary = facts.vocabulary;
    report_.model = facts.model;
    report_.work = work_;
    report_.places = places(facts);
    describe();
    warm_up(engine);
    count_outcome(report_, carry_out_with_bar(engine, work_, "measuring"));
    report_.limit = roofline_of(
        model_, report_.cost,
        {report_.places, static_cast<double>(work_.input), static_cast<double>(work_.output)},
        report_.device_rates);
    return report_;
  }

 private:
  void measure_device() {
    const auto device = device_of(chosen_.engine, model_.type);
    if (bar_) bar_->begin("yardsticks", 0, clock::now());
    report_.device = device->name();
    report_.device_rates = measure_yardsticks(*device, report_.weight_type, sizes_);
    report_.cost = cost_of(model_, report_.weight_type, device->activation_type());
    if (bar_) bar_->finish(clock::now());
  }

  /// Sequences that can run at once: of whom the KV cache holds as many as have room while they are
  /// half done, in the mean.
  double places(const company_facts& facts) const {
    const auto fitting = static_cast<double>(facts.kv_tokens) / (work_.input + work_.output / 2.0);
    return std::max(1.0, std::min({static_cast<double>(work_.concurrency),
                                   static_cast<double>(facts.max_sequences), std::floor(fitting)}));
  }

  void describe() const {
    err_ << fmt::format("{} on {}: {} requests of {} and {} tokens, {} at once; seed {}\n",
                        report_.model, report_.device, work_.requests, work_.input, work_.output,
                        work_.concurrency, work_.seed);
  }

  void warm_up(company& engine) {
    if (!warm_) return;
    offline_work round = work_;
    round.requests = round.concurrency;
    round.output = std::min(round.output, warm_tokens);
    round.seed = ~work_.seed; // its prompts are not those that are measured
    carry_out_with_bar(engine, round, "warming up");
  }

  offline_outcome carry_out_with_bar(company& engine, const offline_work& work, const char* stage) {
    if (bar_) bar_->begin(stage, work.requests, clock::now(), "requests");
    auto outcome = carry_out(engine, work, [this](std::size_t done) {
      if (bar_) bar_->advance(done, clock::now());
    });
    if (bar_) bar_->finish(clock::now());
    return outcome;
  }

  offline_work work_;
  bool warm_;
  std::filesystem::path folder_;
  architecture model_;
  settings chosen_;
  yardstick_sizes sizes_;
  logger log_;
  std::ostream& err_;
  std::optional<progress> bar_;
  offline_report report_;
};

void show(const offline_report& report, const std::string& path, std::ofstream& file,
          std::ostream& out, std::ostream& err) {
  const bool json_instead = path == "-";
  (json_instead ? err : out) << offline_text(report) << std::flush;
  if (path.empty()) return;
  std::ostream& to = json_instead ? out : file;
  to << offline_json(report) << std::flush;
  if (!to) throw std::runtime_error(path + ": cannot be written");
}

} // namespace

int run_bench_offline(const bench_offline_options& wanted, const settings& chosen,
                      std::ostream& out, std::ostream& err, const yardstick_sizes& sizes) {
  try {
    const std::string& path = wanted.results.json;
    std::ofstream file;
    if (!path.empty() && path != "-") file.open(path, std::ios::binary);
    if (!file) throw std::runtime_error(path + ": cannot be written");
    const offline_report report = measurement_of_engine(wanted.load, chosen, sizes, err).run();
    show(report, path, file, out, err);
    return 0;
  } catch (const std::exception& problem) {
    err << "troupe bench offline: " << problem.what() << '\n';
    return 1;
  }
}

} // namespace troupe
