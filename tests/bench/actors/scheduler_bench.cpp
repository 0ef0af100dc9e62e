// The scheduler's own time a step: a result applied, the pool's answers settled, the next step
// planned, requests and emissions taken. Computing and the pool's own work are left out. Steady
// decoding includes the growth of block tables and the publishing of whole blocks, as they come;
// the mixed load has sequences that end and others that come with prompts of 512 tokens.
#include "actors/logic/batch_scheduler.hpp"
#include "actors/logic/block_pool.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <ctime>
#include <deque>
#include <optional>
#include <unordered_map>
#include <utility>
#include <vector>

namespace troupe {
namespace {

using clock = std::chrono::steady_clock;

// Of this thread alone: what else runs on the machine does not count.
double microseconds_of_work() {
  timespec at{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &at);
  return static_cast<double>(at.tv_sec) * 1e6 + static_cast<double>(at.tv_nsec) * 1e-3;
}

constexpr std::uint32_t block_tokens = 16;

struct load {
  const char* name;
  std::uint32_t slots;
  std::uint32_t prompt;
  std::uint32_t shortest; // tokens to generate
  std::uint32_t longest;
  double budget; // microseconds
};

class measurement {
 public:
  explicit measurement(const load& what)
      : load_{what}, limits_{limits_of(what)}, scheduler_{limits_, 1}, pool_{limits_.total_blocks,
                                                                             block_tokens, "m"},
        owners_(what.slots) {
    for (std::uint32_t i = 0; i < what.slots; ++i) arrive();
  }

  /// One step: microseconds of the scheduler alone.
  double step() {
    for (auto i = std::exchange(ended_, 0U); i > 0; --i) arrive();
    std::optional<step_result> result;
    if (!plans_.empty()) result = compute();
    std::vector<emission> emissions;
    const auto begin = microseconds_of_work();
    if (result) scheduler_.apply(std::move(*result));
    if (replies_) scheduler_.settle(*replies_);
    while (auto plan = scheduler_.plan(clock::time_point{})) plans_.push_back(std::move(*plan));
    auto requests = scheduler_.take_requests();
    emissions = scheduler_.take_emissions();
    const auto took = microseconds_of_work() - begin;
    for (const auto& it : emissions) ended_ += it.end ? 1 : 0;
    replies_.reset();
    if (!requests.empty()) replies_ = pool_.serve(requests);
    return took;
  }

  bool all_decode() const { return scheduler_.counts().waiting == 0; }

 private:
  static scheduler_limits limits_of(const load& what) {
    scheduler_limits out;
    out.max_sequences = what.slots;
    out.step_tokens = std::max(2048U, 2 * what.slots);
    out.total_blocks = what.slots * ((what.prompt + what.longest) / block_tokens + 2);
    return out;
  }

  void arrive() {
    const auto id = ++last_id_;
    sequence_spec spec;
    token_ids ids(load_.prompt);
    for (std::uint32_t i = 0; i < load_.prompt; ++i) ids[i] = static_cast<token_id>(id * 31 + i);
    spec.id = id;
    spec.ids = std::make_shared<const token_ids>(std::move(ids));
    spec.prompt_tokens = load_.prompt;
    // Spread, so that not all end or grow in the same step.
    spec.max_tokens = load_.shortest +
                      static_cast<std::uint32_t>(id * 7919 % (load_.longest - load_.shortest + 1));
    spec.sampling = sampling_;
    spec.stop_ids = {-1, -2};
    spec.arrival = clock::time_point{std::chrono::microseconds{id}};
    scheduler_.enqueue(std::move(spec));
  }

  step_result compute() {
    const auto plan = std::move(plans_.front());
    plans_.pop_front();
    for (const auto& it : plan.opened) owners_[it.slot] = it.sequence;
    step_result out;
    out.incarnation = 1;
    out.step = plan.step;
    out.slots.resize(plan.runs.size());
    for (std::size_t i = 0; i < plan.runs.size(); ++i) {
      out.slots[i].slot = plan.runs[i].slot;
      out.slots[i].sequence = owners_[plan.runs[i].slot];
      if (plan.runs[i].sample) out.slots[i].tokens.push_back({7, 0, {}});
    }
    return out;
  }

  load load_;
  scheduler_limits limits_;
  batch_scheduler scheduler_;
  block_pool pool_;
  std::shared_ptr<const sampling_params> sampling_ = std::make_shared<const sampling_params>();
  std::deque<step_plan> plans_;
  std::optional<kv_replies> replies_;
  std::vector<sequence_id> owners_; // by slot
  sequence_id last_id_ = 0;
  std::uint32_t ended_ = 0;
};

void measure(const load& what) {
  constexpr std::size_t steps = 4000;
  measurement run{what};
  for (int i = 0; i < 100'000 && !run.all_decode(); ++i) run.step();
  for (int i = 0; i < 500; ++i) run.step();
  std::vector<double> times;
  for (std::size_t i = 0; i < steps; ++i) times.push_back(run.step());
  std::sort(times.begin(), times.end());
  const auto median = times[steps / 2];
  const auto p99 = times[steps * 99 / 100];
  fmt::print("{:<8} {:>5} slots: median {:>7.1f} us, p99 {:>7.1f} us, budget {:>4.0f} us, ratio "
             "{:.2f} and {:.2f}\n",
             what.name, what.slots, median, p99, what.budget, median / what.budget,
             p99 / what.budget);
}

} // namespace
} // namespace troupe

int main() {
  for (const auto& [slots, budget] : {std::pair{64U, 30.0}, {256U, 80.0}, {1024U, 250.0}}) {
    troupe::measure({"steady", slots, 16, 8'000, 8'001, budget});
    troupe::measure({"mixed", slots, 512, 100, 400, budget});
  }
}
