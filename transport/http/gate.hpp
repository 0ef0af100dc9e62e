// Who and what comes in, decided from a request's head before a byte of its body is read: the key
// first, then the path, the method, and what the body claims to be.
#pragma once

#include "actors/request.hpp"
#include "transport/door_settings.hpp"
#include "transport/http/key_ring.hpp"
#include "transport/http/request_head.hpp"
#include "transport/http/routes.hpp"

#include <chrono>
#include <optional>
#include <string>

namespace troupe {

/// What the gate found. With an error nothing else counts but `where`, which is null for unknown
/// paths.
struct admission_slip {
  const route* where = nullptr;
  std::optional<api_error> error;
  std::string allow; ///< with 405
  bool preflight = false;
  bool upgrade = false; ///< to WebSocket
  bool wants_continue = false;
  std::chrono::milliseconds timeout{}; ///< X-Request-Timeout
};

admission_slip pass_gate(const request_head& head, const key_ring& keys,
                         const door_settings& settings);

/// The client's x-request-id where it may be echoed, or empty.
std::string usable_request_id(const request_head& head);

} // namespace troupe
