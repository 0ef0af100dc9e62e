#include "tests/system/crowd.hpp"

#include <fmt/format.h>

#include <arpa/inet.h>
#include <array>
#include <cerrno>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdexcept>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace troupe {

crowd::~crowd() {
  for (client& each : clients_) close(each);
  if (poll_ >= 0) ::close(poll_);
}

std::size_t crowd::add(crowd_request request) {
  client made;
  made.bytes = fmt::format("{} {} HTTP/1.1\r\nHost: 127.0.0.1\r\n{}",
                           request.body.empty() ? "GET" : "POST", request.path, request.headers);
  if (!request.body.empty())
    made.bytes += fmt::format("Content-Type: application/json\r\nContent-Length: {}\r\n",
                              request.body.size());
  made.bytes += "\r\n" + request.body;
  made.request = std::move(request);
  clients_.push_back(std::move(made));
  return clients_.size() - 1;
}

void crowd::connect(std::size_t number) {
  client& which = clients_[number];
  which.socket = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (which.socket < 0) throw std::runtime_error("no more sockets");
  const int small = 4096;
  if (!which.request.reads) ::setsockopt(which.socket, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port_);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(which.socket, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 &&
      errno != EINPROGRESS)
    throw std::runtime_error("cannot connect");
  which.begin = clock::now();
  epoll_event event{};
  event.events = EPOLLOUT | (which.request.reads ? EPOLLIN : 0U);
  event.data.u64 = number;
  ::epoll_ctl(poll_, EPOLL_CTL_ADD, which.socket, &event);
  if (which.request.reads) ++open_;
}

void crowd::let_read(std::size_t number) {
  client& which = clients_[number];
  if (which.request.reads || which.socket < 0) return;
  which.request.reads = true;
  ++open_;
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.u64 = number;
  ::epoll_ctl(poll_, EPOLL_CTL_MOD, which.socket, &event);
}

void crowd::run(std::chrono::seconds limit, const std::function<bool()>& on_tick) {
  if (poll_ < 0) poll_ = ::epoll_create1(EPOLL_CLOEXEC);
  for (std::size_t i = 0; i < clients_.size(); ++i)
    if (clients_[i].socket < 0 && clients_[i].begin == clock::time_point{}) connect(i);
  const auto deadline = clock::now() + limit;
  auto next_tick = clock::now();
  std::array<epoll_event, 256> events{};
  while (open_ > 0 && clock::now() < deadline) {
    const int count = ::epoll_wait(poll_, events.data(), static_cast<int>(events.size()), 5);
    for (int i = 0; i < count; ++i) advance(events[static_cast<std::size_t>(i)].data.u64);
    if (!on_tick || clock::now() < next_tick) continue;
    if (!on_tick()) return;
    next_tick = clock::now() + std::chrono::milliseconds(5);
  }
}

bool crowd::send(client& which) {
  while (which.sent < which.bytes.size()) {
    const auto size = ::send(which.socket, which.bytes.data() + which.sent,
                             which.bytes.size() - which.sent, MSG_NOSIGNAL);
    if (size <= 0) return errno == EAGAIN || errno == EWOULDBLOCK;
    which.sent += static_cast<std::size_t>(size);
  }
  return true;
}

void crowd::advance(std::size_t number) {
  client& which = clients_[number];
  if (which.socket < 0) return;
  if (which.sent < which.bytes.size()) {
    if (!send(which)) {
      which.closed = true;
      return close(which);
    }
    if (which.sent == which.bytes.size()) {
      epoll_event event{};
      event.events = which.request.reads ? EPOLLIN : 0U;
      event.data.u64 = number;
      ::epoll_ctl(poll_, EPOLL_CTL_MOD, which.socket, &event);
      if (which.request.leaves_after == std::size_t{0}) return close(which);
    }
  } else if (!which.request.reads) { // only an error wakes who does not read
    which.closed = true;
    return close(which);
  }
  if (!which.request.reads) return;
  std::array<char, 65536> buffer;
  const auto size = ::recv(which.socket, buffer.data(), buffer.size(), 0);
  if (size < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return;
  if (which.first == clock::time_point{}) which.first = clock::now();
  if (size > 0) which.reader.feed({buffer.data(), static_cast<std::size_t>(size)});
  which.closed = size <= 0;
  const answer& so_far = which.reader.result();
  const bool leaves = which.request.leaves_after && so_far.events >= *which.request.leaves_after;
  if (which.closed || so_far.ended || leaves) close(which);
}

void crowd::close(client& which) {
  if (which.socket < 0) return;
  ::close(which.socket);
  which.socket = -1;
  which.end = clock::now();
  if (which.request.reads) --open_;
}

std::chrono::duration<double> crowd::whole(std::size_t number) const {
  return clients_[number].end - clients_[number].begin;
}

} // namespace troupe
