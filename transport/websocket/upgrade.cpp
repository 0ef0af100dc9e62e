#include "transport/websocket/upgrade.hpp"

#include "transport/api/api_errors.hpp"
#include "transport/websocket/session.hpp"

#include <algorithm>
#include <memory>
#include <utility>

namespace troupe {

namespace {

constexpr std::size_t key_characters = 24; // of 16 bytes in base64

/// Browsers name the page's origin and let any page open a WebSocket: pages of others are refused.
bool is_welcome_origin(const request_head& head, const door_settings& settings) {
  const std::string* origin = head.find("origin");
  if (origin == nullptr || settings.cors_origin == "*") return true;
  if (!settings.cors_origin.empty()) return *origin == settings.cors_origin;
  const auto scheme = origin->find("://");
  const std::string* host = head.find("host");
  return scheme != std::string::npos && host != nullptr && origin->substr(scheme + 3) == *host;
}

} // namespace

std::optional<api_error> check_upgrade(const request_head& head, const door_settings& settings) {
  if (!head.lists("upgrade", "websocket") || !head.lists("connection", "upgrade") ||
      head.minor_version != 1 || head.method != "GET")
    return invalid_request("This path speaks WebSocket: send an upgrade to it.", "",
                           "upgrade_required", 426);
  const std::string* version = head.find("sec-websocket-version");
  if (version == nullptr || *version != "13")
    return invalid_request("The only version of WebSocket spoken here is 13.", "",
                           "upgrade_required", 426);
  const std::string* key = head.find("sec-websocket-key");
  if (key == nullptr || key->size() != key_characters || head.count("sec-websocket-key") != 1)
    return invalid_request("The WebSocket handshake has no valid Sec-WebSocket-Key.", "",
                           "invalid_value");
  if (!is_welcome_origin(head, settings))
    return invalid_request("Pages of this origin may not open a WebSocket here.", "",
                           "origin_not_allowed", 403);
  return {};
}

void start_websocket(boost::asio::ip::tcp::socket socket, const request_head& head, door& at) {
  const auto session = std::make_shared<websocket_session>(std::move(socket), at);
  at.live.add(session);
  session->accept(head);
}

} // namespace troupe
