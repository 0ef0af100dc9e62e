// A socket that says exactly what a test wants said.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace troupe {

class raw_client {
 public:
  explicit raw_client(std::uint16_t port, int receive_buffer = 0);
  raw_client(const raw_client&) = delete;
  raw_client& operator=(const raw_client&) = delete;
  ~raw_client();

  void send(std::string_view bytes);
  /// No more will be sent.
  void half_close();
  void close();
  /// Closes so that the other side gets a reset.
  void reset();
  /// Reads until `text` has come, or the end, or some seconds are over; all that was read so far.
  const std::string& read_until(std::string_view text);
  /// Reads this much, whatever it is.
  void read_bytes(std::size_t size);
  /// Reads to the end of the connection.
  const std::string& read_all();
  /// Whether the other side closed.
  bool ended() const { return ended_; }
  const std::string& received() const { return received_; }

 private:
  bool read_some();

  int socket_ = -1;
  std::string received_;
  bool ended_ = false;
};

/// How often `part` is in `text`.
std::size_t occurrences(std::string_view text, std::string_view part);

} // namespace troupe
