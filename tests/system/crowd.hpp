// Many HTTP clients in one thread: each sends its request on a connection of its own and reads what
// comes, as fast as it can, or leaves early, or does not read at all.
#pragma once

#include "tests/system/event_reader.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace troupe {

struct crowd_request {
  std::string path;
  std::string body;                        ///< empty: GET
  std::string headers;                     ///< further lines, each with its \r\n
  std::optional<std::size_t> leaves_after; ///< closes when so many events with text have come
  bool reads = true;
};

class crowd {
 public:
  using clock = std::chrono::steady_clock;

  explicit crowd(std::uint16_t port) : port_(port) {}
  crowd(const crowd&) = delete;
  crowd& operator=(const crowd&) = delete;
  ~crowd();

  /// Returns its number.
  std::size_t add(crowd_request request);
  /// Connects all that were added and works until every one who reads has an answer, left, or lost
  /// the connection, or the time is over. `on_tick` is called some hundred times a second; its
  /// false ends the work.
  void run(std::chrono::seconds limit, const std::function<bool()>& on_tick = {});

  answer& at(std::size_t number) { return clients_[number].reader.result(); }
  std::size_t size() const { return clients_.size(); }
  /// When its answer's first byte came.
  clock::time_point answered(std::size_t number) const { return clients_[number].first; }
  /// Seconds from the request to the end of the answer.
  std::chrono::duration<double> whole(std::size_t number) const;
  /// The other side has closed the connection, or it broke.
  bool closed(std::size_t number) const { return clients_[number].closed; }
  /// Begins to read after all; to be called before another run().
  void let_read(std::size_t number);
  std::size_t open() const { return open_; }

 private:
  struct client {
    crowd_request request;
    event_reader reader;
    int socket = -1;
    std::size_t sent = 0;
    std::string bytes; // to send
    bool closed = false;
    clock::time_point begin;
    clock::time_point first;
    clock::time_point end;
  };

  void connect(std::size_t number);
  void advance(std::size_t number);
  void close(client& which);
  bool send(client& which);

  std::uint16_t port_;
  int poll_ = -1;
  std::size_t open_ = 0; // of those who read
  std::vector<client> clients_;
};

} // namespace troupe
