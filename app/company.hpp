// The composition of a process: which actors there are, on which threads they run, how they start
// and in which order they end. Only here are actors detached. The doors open first, so that /health
// answers while the model is being loaded.
#pragma once

#include "actors/interfaces.hpp"
#include "actors/journal.hpp"
#include "app/engine_device.hpp"
#include "config/settings.hpp"
#include "transport/http_server.hpp"

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/scoped_actor.hpp>

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace troupe {

/// How far loading is: stage, bytes done, bytes in all.
using company_progress = std::function<void(const std::string&, std::uint64_t, std::uint64_t)>;

/// Spawns who runs an engine's steps. Must spawn it anew at each call.
using executor_maker = std::function<executor_actor(caf::actor_system&)>;

/// What an operator may want to know once it runs.
struct company_facts {
  std::string model;
  std::uint32_t max_context = 0;
  std::uint32_t max_sequences = 0; ///< that run at once
  std::uint32_t vocabulary = 0;
  std::int64_t kv_tokens = 0; ///< that the KV cache has room for
  bool chats = false;         ///< it has a chat template
  std::string memory_table;
};

/// A company whose only client is the process itself.
struct without_doors {};

class company {
 public:
  /// Spawns the front and opens the doors on chosen.server's address. Throws where it can't listen.
  company(const settings& chosen, journal tell);
  /// Without doors and without metrics: reports of steps and sequences come to self().
  company(const settings& chosen, journal tell, without_doors);
  /// Ends everything at once, in order; streams that still run are cut.
  ~company();

  /// Loads chosen.model and starts the engine; returns when requests are served. Throws
  /// model_error, device_error. With `make_executor` its executors run the steps instead of the
  /// device, for tests of all that is around it; `make_device` makes the device instead of
  /// device_of, for tests of its faults.
  company_facts load(const company_progress& progress, executor_maker make_executor = {},
                     const device_maker& make_device = {});

  /// Where answers come to what the process itself submits, and to whom. Not while another method
  /// runs.
  caf::scoped_actor& self() { return *self_; }
  const admission_actor& admission() const { return admission_; }

  /// With doors only.
  std::uint16_t port() const;
  /// That are open.
  std::size_t connections() const;

  /// Refuses what comes and lets what runs finish.
  void drain();
  /// True when the last stream has ended; waits for it no longer than `most`. Its last bytes may
  /// still be on their way to the client: then its connection is open.
  bool drained(std::chrono::milliseconds most);

 private:
  struct engine_parts;

  void spawn_front();
  void end();

  settings chosen_;
  journal tell_;
  caf::actor_system_config config_;
  std::unique_ptr<caf::actor_system> system_;
  std::unique_ptr<caf::scoped_actor> self_;
  telemetry_actor telemetry_;
  supervisor_actor supervisor_;
  admission_actor admission_;
  std::unique_ptr<http_server> doors_;
  bool drained_ = false;
};

} // namespace troupe
