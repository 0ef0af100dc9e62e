#include "raw_client.hpp"

#include <arpa/inet.h>
#include <cerrno>
#include <netinet/in.h>
#include <stdexcept>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

namespace troupe {

raw_client::raw_client(std::uint16_t port, int receive_buffer)
    : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
  const timeval patience{10, 0};
  ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  if (receive_buffer > 0)
    ::setsockopt(socket_, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    throw std::runtime_error("cannot connect");
}

raw_client::~raw_client() { close(); }

void raw_client::send(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
}

void raw_client::half_close() { ::shutdown(socket_, SHUT_WR); }

void raw_client::close() {
  if (socket_ >= 0) ::close(socket_);
  socket_ = -1;
}

void raw_client::reset() {
  const linger hard{1, 0};
  ::setsockopt(socket_, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
  close();
}

bool raw_client::read_some() {
  char buffer[16384];
  const ssize_t size = ::recv(socket_, buffer, sizeof buffer, 0);
  if (size <= 0) {
    ended_ = size == 0 || (errno != EAGAIN && errno != EWOULDBLOCK);
    return false;
  }
  received_.append(buffer, static_cast<std::size_t>(size));
  return true;
}

const std::string& raw_client::read_until(std::string_view text) {
  while (received_.find(text) == std::string::npos && read_some()) {
  }
  return received_;
}

void raw_client::read_bytes(std::size_t size) {
  while (received_.size() < size && read_some()) {
  }
}

const std::string& raw_client::read_all() {
  while (read_some()) {
  }
  return received_;
}

std::size_t occurrences(std::string_view text, std::string_view part) {
  std::size_t count = 0;
  for (auto at = text.find(part); at != std::string_view::npos;
       at = text.find(part, at + part.size()))
    ++count;
  return count;
}

} // namespace troupe
