#include "tests/transport/scripted_server.hpp"

#include <fmt/format.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdexcept>
#include <sys/socket.h>
#include <unistd.h>

namespace troupe {
namespace {

/// The size of the first request in `bytes`, or 0: it is not all there.
std::size_t request_size(const std::string& bytes, bool head_alone) {
  const auto end = bytes.find("\r\n\r\n");
  if (end == std::string::npos) return 0;
  if (head_alone) return bytes.size();
  constexpr std::string_view field = "Content-Length: ";
  const auto at = bytes.find(field);
  const std::size_t body =
      at < end ? std::strtoul(bytes.c_str() + at + field.size(), nullptr, 10) : 0;
  return bytes.size() >= end + 4 + body ? end + 4 + body : 0;
}

} // namespace

void scripted_server::peer::say(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t size = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (size <= 0) return;
    bytes.remove_prefix(static_cast<std::size_t>(size));
  }
}

void scripted_server::peer::listen_to_the_end() {
  char buffer[16384];
  while (::recv(socket_, buffer, sizeof buffer, 0) > 0) {
  }
}

scripted_server::scripted_server(script says, bool at_head)
    : says_(std::move(says)), at_head_(at_head),
      listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  if (::bind(listener_, reinterpret_cast<sockaddr*>(&address), size) != 0 ||
      ::listen(listener_, 1024) != 0 ||
      ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) != 0)
    throw std::runtime_error("cannot listen");
  port_ = ntohs(address.sin_port);
  acceptor_ = std::thread([this] { accept_all(); });
}

scripted_server::~scripted_server() {
  ::shutdown(listener_, SHUT_RDWR);
  acceptor_.join();
  ::close(listener_);
  {
    const std::lock_guard lock(guard_);
    for (const int socket : sockets_) ::shutdown(socket, SHUT_RDWR);
  }
  for (std::thread& each : threads_) each.join();
  for (const int socket : sockets_) ::close(socket);
}

void scripted_server::accept_all() {
  for (;;) {
    const int socket = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (socket < 0) return;
    ++connections_;
    const std::lock_guard lock(guard_);
    sockets_.push_back(socket);
    threads_.emplace_back([this, socket] { serve(socket); });
  }
}

void scripted_server::serve(int socket) {
  peer client(socket);
  std::string bytes;
  char buffer[16384];
  for (;;) {
    const ssize_t size = ::recv(socket, buffer, sizeof buffer, 0);
    if (size <= 0) break;
    bytes.append(buffer, static_cast<std::size_t>(size));
    const std::size_t request = request_size(bytes, at_head_);
    if (request == 0) continue;
    ++requests_;
    if (!says_(bytes.substr(0, request), client)) break;
    bytes.erase(0, request);
  }
  // The file descriptor stays ours until the end, so that no other connection gets its number.
  ::shutdown(socket, SHUT_RDWR);
}

std::string plain_answer(std::string_view status, std::string_view body) {
  return fmt::format(
      "HTTP/1.1 {}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{}", status,
      body.size(), body);
}

std::string stream_head() {
  return "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\n"
         "Transfer-Encoding: chunked\r\n\r\n";
}

std::string stream_chunk(std::string_view text) {
  return fmt::format("{:x}\r\n{}\r\n", text.size(), text);
}

} // namespace troupe
