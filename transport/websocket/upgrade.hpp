// From an HTTP connection to a WebSocket.
#pragma once

#include "transport/door.hpp"
#include "transport/http/request_head.hpp"

#include <boost/asio/ip/tcp.hpp>

#include <optional>

namespace troupe {

/// Why the handshake in `head` cannot be accepted, if so.
std::optional<api_error> check_upgrade(const request_head& head, const door_settings& settings);

/// Accepts the handshake, which has been checked, and serves the socket from then on.
void start_websocket(boost::asio::ip::tcp::socket socket, const request_head& head, door& at);

} // namespace troupe
