// One thread is all the clients: answers are few messages for it, and it sleeps between them. A
// client reads as fast as a stream can write, as a door does whose socket never fills up.
#include "app/bench/offline_clients.hpp"

#include "app/bench/draws.hpp"

#include <caf/all.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>

namespace troupe {
namespace {

using clock = std::chrono::steady_clock;

constexpr std::uint32_t purpose = 0x0FF11E; // of the random numbers
constexpr std::uint32_t all_credit = 1U << 30U;
// The last reports come behind the last answers, and with the last of them the engine rests.
constexpr std::chrono::seconds patience{5};

class clients {
 public:
  clients(company& engine, const offline_work& work, const offline_watch& watch)
      : engine_(engine), self_(engine.self()), work_(work), watch_(watch) {}

  offline_outcome run() {
    const auto begin = clock::now();
    last_end_ = begin;
    while (submitted_ < std::min(work_.concurrency, work_.requests)) submit_next();
    while (!complete()) receive();
    if (!failure_.empty()) throw std::runtime_error(failure_);
    out_.duration = std::chrono::duration<double>(last_end_ - begin).count();
    return std::move(out_);
  }

 private:
  bool complete() const {
    if (!failure_.empty() || out_of_patience_) return true;
    return ended_ == work_.requests && out_.sequences.size() == ended_ && at_rest_;
  }

  void submit_next() {
    auto request = std::make_shared<generate_request>();
    request->id = fmt::format("offline-{}", submitted_);
    request->prompts.emplace_back(offline_prompt(work_, submitted_));
    request->max_tokens = work_.output;
    request->temperature = 0.0F;
    request->ignore_eos = true;
    ++submitted_;
    self_->send(engine_.admission(), submit{std::move(request), caf::actor_cast<caf::actor>(self_),
                                            submitted_, clock::now()});
  }

  void receive() {
    self_->receive([this](const accepted& answer) { pay(answer); },
                   [this](const refused& answer) { failure_ = answer.error.message; },
                   [this](const delta& piece) { out_.output_tokens += piece.token_count; },
                   [this](const finished& end) { take_end(end); },
                   [this](const sequence_report& what) { out_.sequences.push_back(what); },
                   [this](const step_report& what) { take_step(what); },
                   caf::after(patience) >> [this] { out_of_patience_ = ended_ == work_.requests; });
  }

  void pay(const accepted& answer) {
    for (const auto& each : answer.streams)
      self_->send(caf::actor_cast<stream_actor>(each), more{all_credit});
  }

  void take_end(const finished& end) {
    if (end.reason != finish_reason::length)
      failure_ = end.error.message.empty()
                     ? fmt::format("a request ended early: {}", name_of(end.reason))
                     : end.error.message;
    ++ended_;
    last_end_ = clock::now();
    if (watch_) watch_(ended_);
    if (submitted_ < work_.requests && failure_.empty()) submit_next();
  }

  void take_step(const step_report& what) {
    at_rest_ = what.running == 0 && what.waiting == 0;
    out_.preemptions += what.preemptions;
    if (what.batch_tokens > 0) out_.steps.push_back(what);
  }

  company& engine_;
  caf::scoped_actor& self_;
  offline_work work_;
  const offline_watch& watch_;
  offline_outcome out_;
  std::uint32_t submitted_ = 0;
  std::uint32_t ended_ = 0;
  bool at_rest_ = true;
  bool out_of_patience_ = false;
  clock::time_point last_end_;
  std::string failure_;
};

} // namespace

token_ids offline_prompt(const offline_work& work, std::uint64_t number) {
  draws random(work.seed, purpose, number);
  token_ids ids(work.input);
  for (token_id& id : ids) id = static_cast<token_id>(random.below(work.vocabulary));
  return ids;
}

offline_outcome carry_out(company& engine, const offline_work& work, const offline_watch& watch) {
  return clients(engine, work, watch).run();
}

} // namespace troupe
