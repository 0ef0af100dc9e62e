// A server on the loopback that says exactly what a test wants said, to as many clients as come.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace troupe {

class scripted_server {
 public:
  /// One client's connection.
  class peer {
   public:
    explicit peer(int socket) : socket_(socket) {}
    void say(std::string_view bytes);
    /// Waits for the client to close.
    void listen_to_the_end();
    int socket() const { return socket_; }

   private:
    int socket_;
  };

  /// Called in the connection's own thread with each request, head and body; false closes the
  /// connection.
  using script = std::function<bool(const std::string& request, peer& client)>;

  /// Where `at_head`, the script is called as soon as a request's head is there.
  explicit scripted_server(script says, bool at_head = false);
  scripted_server(const scripted_server&) = delete;
  scripted_server& operator=(const scripted_server&) = delete;
  ~scripted_server();

  std::uint16_t port() const { return port_; }
  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }
  /// Connections and requests so far.
  int connections() const { return connections_; }
  int requests() const { return requests_; }

 private:
  void accept_all();
  void serve(int socket);

  script says_;
  bool at_head_;
  int listener_ = -1;
  std::uint16_t port_ = 0;
  std::atomic<int> connections_{0};
  std::atomic<int> requests_{0};
  std::mutex guard_;
  std::vector<int> sockets_;
  std::vector<std::thread> threads_;
  std::thread acceptor_;
};

/// An answer with a body of known length.
std::string plain_answer(std::string_view status, std::string_view body);
/// The head of a stream of events, and a chunk of it; an empty chunk ends it.
std::string stream_head();
std::string stream_chunk(std::string_view text);

} // namespace troupe
