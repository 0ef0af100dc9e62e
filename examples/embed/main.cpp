// A program with a language model inside: the company without its doors. It loads a model folder,
// puts the actors together as app/company.cpp does, asks one question and prints the answer as it
// comes.
//
//   embed MODEL QUESTION
#include "actors/admission.hpp"
#include "actors/executor.hpp"
#include "actors/kv_blocks.hpp"
#include "actors/scheduler.hpp"
#include "actors/supervisor.hpp"
#include "actors/telemetry.hpp"
#include "kernels/cpu/cpu_backend.hpp"
#include "model/memory_plan.hpp"
#include "model/served_model.hpp"

#include <caf/all.hpp>
#include <nlohmann/json.hpp>

#include <iostream>

namespace troupe {
namespace {

constexpr std::uint32_t sequences = 4;
constexpr std::uint32_t step_tokens = 256;
constexpr std::uint32_t block_tokens = 16;
constexpr std::uint64_t kv_bytes = 64 << 20;

memory_plan plan_for(const served_model& model, const backend& device) {
  memory_request request;
  request.free_bytes = device.free_memory();
  request.weight_bytes = model.weight_bytes;
  request.activation_type = device.activation_type();
  request.block_tokens = block_tokens;
  request.max_sequences = sequences;
  request.step_tokens = step_tokens;
  request.kv_bytes = kv_bytes;
  return plan_memory(model.weights->model(), request);
}

// What admission and streams need to know of the model: words and limits, no weights.
std::shared_ptr<const front_model> front_of(const served_model& model, std::int32_t max_context) {
  model_facts facts;
  facts.name = model.name;
  facts.vocabulary = static_cast<std::uint32_t>(model.weights->model().vocab);
  facts.max_context = static_cast<std::uint32_t>(max_context);
  facts.end_ids = model.defaults.eos;
  facts.defaults = model.defaults.sampling;
  return std::make_shared<const front_model>(std::move(facts), model.tokenizer, model.chat_template,
                                             0);
}

request_ptr greedy(const std::string& question) {
  chat_input chat;
  chat.messages = nlohmann::json::array({{{"role", "user"}, {"content", question}}}).dump();
  auto request = std::make_shared<generate_request>();
  request->prompts.emplace_back(std::move(chat));
  request->temperature = 0.0F;
  return request;
}

void pay(caf::scoped_actor& self, const caf::actor& stream) {
  self->send(caf::actor_cast<stream_actor>(stream), more{1});
}

// The client is an actor like the others: it submits, and pays its stream for one delta at a time.
bool ask(caf::scoped_actor& self, const admission_actor& admission, const std::string& question) {
  self->send(admission, submit{greedy(question), caf::actor_cast<caf::actor>(self), 1,
                               clock_time::clock::now()});
  std::vector<caf::actor> streams;
  std::string problem;
  bool over = false;
  self->receive_while([&] { return !over; })(
      [&](const accepted& answer) {
        streams = answer.streams;
        for (const auto& each : streams) pay(self, each);
      },
      [&](const delta& piece) {
        std::cout << piece.text << std::flush;
        pay(self, streams.at(piece.choice));
      },
      [&](const finished& end) {
        problem = end.error.message;
        over = true;
      },
      [&](const refused& answer) {
        problem = answer.error.message;
        over = true;
      });
  std::cout << '\n';
  if (!problem.empty()) std::cerr << "embed: " << problem << '\n';
  return problem.empty();
}

bool run(const std::string& folder, const std::string& question) {
  const std::shared_ptr<backend> device = make_cpu_backend({});
  const auto model = load_model(folder, *device);
  const auto memory = plan_for(model, *device);
  const journal tell = [](log_level level, std::string_view who, std::string_view what,
                          const journal_values&) {
    if (level < log_level::warning) return;
    std::cerr << who << ": " << what << '\n';
  };

  caf::actor_system_config config;
  caf::actor_system system{config};
  caf::scoped_actor self{system};
  const auto counting = system.spawn(telemetry);
  const auto watching = system.spawn(supervisor, supervisor_settings{}, counting, tell);
  const auto door = system.spawn(admission, admission_limits{}, admission_settings_of_streams{},
                                 admission_company{watching, counting, tell});

  // The supervisor makes the engine, and makes it again when it dies.
  const auto make_engine = [=, &system](std::uint64_t incarnation) -> engine_members {
    const runner_options options{memory.blocks, memory.block_tokens, sequences, step_tokens};
    const auto make_runner = [=] {
      return std::make_unique<runner>(model.weights, *device, options);
    };
    const scheduler_limits limits{
        sequences,        step_tokens, block_tokens, static_cast<std::uint32_t>(memory.blocks),
        2 * block_tokens, 2,           true};
    const auto steps = system.spawn<caf::detached>(executor, make_runner, tell);
    const auto blocks =
        system.spawn(kv_blocks, limits.total_blocks, block_tokens, model.name, counting);
    const auto plans = system.spawn<caf::detached>(
        scheduler, limits, incarnation, scheduler_company{blocks, steps, watching, counting});
    return {caf::actor_cast<caf::actor>(plans), caf::actor_cast<caf::actor>(blocks),
            caf::actor_cast<caf::actor>(steps)};
  };
  self->send(door, model_ready{front_of(model, memory.max_context)});
  self->send(watching, start_engine{make_engine, caf::actor_cast<caf::actor>(door)});

  const bool answered = ask(self, door, question);
  for (const auto& last : {caf::actor_cast<caf::actor>(door), caf::actor_cast<caf::actor>(watching),
                           caf::actor_cast<caf::actor>(counting)})
    caf::anon_send_exit(last, caf::exit_reason::user_shutdown);
  return answered;
}

} // namespace
} // namespace troupe

int main(int count, char** words) {
  if (count != 3) {
    std::cerr << "usage: embed MODEL QUESTION\n";
    return 2;
  }
  try {
    return troupe::run(words[1], words[2]) ? 0 : 1;
  } catch (const std::exception& problem) {
    std::cerr << "embed: " << problem.what() << '\n';
    return 1;
  }
}
