#include "app/company.hpp"

#include "actors/admission.hpp"
#include "actors/executor.hpp"
#include "actors/kv_blocks.hpp"
#include "actors/report_listener.hpp"
#include "actors/scheduler.hpp"
#include "actors/supervisor.hpp"
#include "actors/telemetry.hpp"
#include "app/device_of.hpp"
#include "app/door_settings_of.hpp"
#include "kernels/gpu_monitor.hpp"
#include "model/served_model.hpp"

#include <caf/all.hpp>

#include <thread>

namespace troupe {
namespace {

using std::chrono::steady_clock;

// Three defaults of CAF are wrong for a server that is bound by latency: see its scheduler's
// policies.
void set_up(caf::actor_system_config& config) {
  config.set("scheduler.policy", caf::atom("sharing"));
  config.set("scheduler.max-throughput", std::size_t{64});
  config.set("scheduler.max-threads",
             std::max<std::size_t>(2, std::thread::hardware_concurrency()));
}

admission_settings_of_streams stream_settings_of(const settings& chosen) {
  return {chosen.admission.default_timeout, chosen.admission.max_timeout,
          chosen.stream.slow_reader_timeout, chosen.stream.buffer, chosen.log.prompts};
}

std::shared_ptr<const front_model> front_of(const served_model& model, const settings& chosen,
                                            std::uint32_t max_context) {
  model_facts facts;
  facts.name = model_name(chosen.model);
  facts.vocabulary = static_cast<std::uint32_t>(model.structure.vocab);
  facts.max_context = max_context;
  facts.end_ids = model.defaults.eos;
  facts.defaults = model.defaults.sampling;
  facts.default_max_tokens = chosen.admission.default_max_tokens;
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::make_shared<const front_model>(
      std::move(facts), model.tokenizer, model.chat_template,
      std::chrono::duration_cast<std::chrono::seconds>(now).count());
}

} // namespace

// What every engine of this process is made of.
struct company::engine_parts {
  std::shared_ptr<engine_device> device; // the executor's alone once the engine runs
  engine_settings settings;
  std::uint32_t blocks = 0;
  std::string model;
  telemetry_actor telemetry;
  supervisor_actor supervisor;
  journal tell;
  executor_maker make_executor; // instead of the device's

  executor_actor spawn_executor(caf::actor_system& system) const {
    if (make_executor) return make_executor(system);
    const auto make_runner = [device = device] { return device->make_runner(); };
    return system.spawn<caf::detached>(executor, make_runner, tell);
  }

  engine_members make(caf::actor_system& system, std::uint64_t incarnation) const {
    scheduler_limits limits;
    limits.max_sequences = settings.max_sequences;
    limits.step_tokens = settings.step_tokens;
    limits.block_tokens = settings.block_tokens;
    limits.total_blocks = blocks;
    limits.lease_ahead = 2 * settings.block_tokens;
    limits.prefix_cache = settings.prefix_cache;

    auto steps = spawn_executor(system);
    auto blocks =
        system.spawn(kv_blocks, limits.total_blocks, limits.block_tokens, model, telemetry);
    auto plans = system.spawn<caf::detached>(
        scheduler, limits, incarnation, scheduler_company{blocks, steps, supervisor, telemetry});
    return {caf::actor_cast<caf::actor>(plans), caf::actor_cast<caf::actor>(blocks),
            caf::actor_cast<caf::actor>(steps)};
  }
};

company::company(const settings& chosen, journal tell) : chosen_{chosen}, tell_{std::move(tell)} {
  set_up(config_);
  system_ = std::make_unique<caf::actor_system>(config_);
  self_ = std::make_unique<caf::scoped_actor>(*system_);
  telemetry_ = system_->spawn(telemetry);
  spawn_front();
  try {
    doors_ = std::make_unique<http_server>(chosen_.server.threads, door_settings_of(chosen_),
                                           front{admission_, supervisor_, telemetry_}, *system_);
  } catch (...) {
    end(); // an actor system waits for its actors, which nobody else would end
    throw;
  }
}

company::company(const settings& chosen, journal tell, without_doors)
    : chosen_{chosen}, tell_{std::move(tell)} {
  set_up(config_);
  system_ = std::make_unique<caf::actor_system>(config_);
  self_ = std::make_unique<caf::scoped_actor>(*system_);
  telemetry_ = system_->spawn(report_listener, caf::actor_cast<caf::actor>(*self_));
  spawn_front();
}

void company::spawn_front() {
  const auto& life = chosen_.lifecycle;
  supervisor_ = system_->spawn(
      supervisor, supervisor_settings{life.max_restarts, life.restart_window, life.stall_timeout},
      telemetry_, tell_);
  admission_ = system_->spawn(
      troupe::admission,
      admission_limits{chosen_.admission.max_queued_requests, chosen_.admission.max_queued_tokens},
      stream_settings_of(chosen_), admission_company{supervisor_, telemetry_, tell_});
}

company::~company() { end(); }

company_facts company::load(const company_progress& progress, executor_maker make_executor,
                            const device_maker& make_device) {
  const auto note = [&](std::string_view part, std::uint64_t done, std::uint64_t total) {
    const std::string stage =
        total > 0 ? "weights" : std::string{part}; // not a stage for each tensor
    caf::anon_send(supervisor_, loading{stage, done, total});
    progress(stage, done, total);
  };
  const auto model = read_model(chosen_.model.path, note);
  const auto device =
      std::make_shared<engine_device>(chosen_, model, make_device ? make_device : device_of, note);
  const auto& memory = device->memory();
  const auto& engine = device->settings_used();
  const auto max_context = static_cast<std::uint32_t>(memory.max_context);
  const auto blocks = static_cast<std::uint32_t>(memory.blocks);
  const auto facing = front_of(model, chosen_, max_context);
  company_facts facts{facing->facts().name, max_context,
                      engine.max_sequences, facing->facts().vocabulary,
                      memory.tokens(),      facing->facts().has_chat_template,
                      to_table(memory)};

  caf::anon_send(telemetry_, metrics_facts{facts.model, max_context, engine.block_tokens, blocks,
                                           engine.prefix_cache,
                                           device->is_gpu() ? open_gpu_monitor() : nullptr});
  caf::anon_send(admission_, model_ready{facing});
  const engine_parts parts{device,     engine,      blocks, facts.model,
                           telemetry_, supervisor_, tell_,  std::move(make_executor)};
  auto& system = *system_;
  caf::anon_send(supervisor_, start_engine{[parts, &system](std::uint64_t incarnation) {
                                             return parts.make(system, incarnation);
                                           },
                                           caf::actor_cast<caf::actor>(admission_)});
  caf::anon_send(supervisor_, locate_engine{caf::actor_cast<caf::actor>(*self_), 0});
  bool up = false;
  (*self_)->receive([&up](const engine_up& engine_is) { up = engine_is.scheduler != nullptr; });
  if (!up) throw std::runtime_error("the engine could not be started; the lines above say why");
  return facts;
}

std::uint16_t company::port() const { return doors_->port(); }

std::size_t company::connections() const { return doors_ ? doors_->connections() : 0; }

void company::drain() {
  if (doors_) doors_->stop_accepting();
  const auto asker = caf::actor_cast<caf::actor>(*self_);
  caf::anon_send(supervisor_, troupe::drain{asker});
  caf::anon_send(admission_, troupe::drain{asker});
}

bool company::drained(std::chrono::milliseconds most) {
  if (drained_) return true;
  (*self_)->receive([this](const troupe::drained&) { drained_ = true; }, caf::after(most) >> [] {});
  return drained_;
}

// The doors first, so that nothing new comes; then who decides, then who computes and counts. A
// detached actor must be gone and its handles dropped before the system ends.
void company::end() {
  doors_.reset();
  const auto stop = [this](auto& handle) {
    if (!handle) return;
    (*self_)->monitor(handle);
    caf::anon_send_exit(handle, caf::exit_reason::user_shutdown);
    (*self_)->receive([](const caf::down_msg&) {}, caf::after(std::chrono::seconds(5)) >> [] {});
    handle = nullptr;
  };
  stop(admission_);
  stop(supervisor_);
  stop(telemetry_);
  self_.reset();
}

} // namespace troupe
