// What all connections of a server share. It outlives them.
#pragma once

#include "transport/connection_set.hpp"
#include "transport/door_settings.hpp"
#include "transport/front.hpp"
#include "transport/http/key_ring.hpp"
#include "transport/id_source.hpp"

#include <atomic>
#include <utility>

namespace caf {
class actor_system;
}

namespace troupe {

struct door {
  door(door_settings with, front actors, caf::actor_system& in)
      : settings(std::move(with)), keys(settings.api_keys), to(std::move(actors)), system(in) {
    settings.api_keys.clear();
  }

  door_settings settings; ///< without the keys themselves
  key_ring keys;
  front to;
  caf::actor_system& system;
  connection_set live;
  id_source ids;
  std::atomic<bool> draining = false;
};

} // namespace troupe
