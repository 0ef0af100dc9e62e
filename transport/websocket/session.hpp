// A WebSocket connection: many requests under way at once, each with an id of the client's choice.
// It keeps no buffers while nothing happens, because ten thousand idle ones must fit into little
// memory.
#pragma once

#include "transport/door.hpp"
#include "transport/http/request_head.hpp"
#include "transport/websocket/client_message.hpp"
#include "transport/websocket/session_request.hpp"

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/websocket/stream.hpp>

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace troupe {

class websocket_session final : public std::enable_shared_from_this<websocket_session>,
                                public live_connection {
 public:
  /// The socket's executor must be a strand.
  websocket_session(boost::asio::ip::tcp::socket socket, door& at);
  ~websocket_session() override;

  /// Answers the handshake and begins to read.
  void accept(const request_head& head);
  void drain() override;
  void stop() override;

 private:
  struct outgoing {
    std::string text;
    std::uint64_t request = 0; ///< of a counted chunk
    std::optional<std::uint32_t> choice;
  };
  struct running {
    std::uint64_t number = 0;
    std::unique_ptr<session_request> request;
  };

  void read();
  void on_read(const boost::system::error_code& error);
  bool is_flooding();
  void handle(create_message&& message);
  void handle(const cancel_message& message);
  void handle(const credit_message& message);
  void handle(const ping_message& message);
  void handle(const bad_message& message);
  void on_event(front_event&& event);
  void remove_ended();
  void report(const session_request& ended, int status);
  session_request* find(const std::string& id);
  companion& bridge();

  void say(std::string text);
  void send(outgoing message);
  void write();
  void pay();
  void on_written(const boost::system::error_code& error);

  void wait_for_tick();
  void on_tick();
  void close(boost::beast::websocket::close_code code, std::string reason);
  void end();

  boost::beast::websocket::stream<boost::asio::ip::tcp::socket, false> socket_;
  door& door_;
  boost::asio::steady_timer timer_;
  boost::beast::flat_buffer inbox_;
  std::unique_ptr<companion> bridge_;
  std::vector<running> requests_;
  std::unique_ptr<std::deque<outgoing>> outbox_; // there while there is something to send
  std::size_t outbox_bytes_ = 0;
  std::vector<std::pair<std::uint64_t, std::uint32_t>>
      written_; // requests and choices, not yet paid for
  std::uint64_t next_number_ = 1;
  clock_time write_began_;
  clock_time second_began_;
  std::uint32_t in_this_second_ = 0;
  std::uint8_t missed_pongs_ = 0;
  bool writing_ = false;
  bool reading_ = false;
  bool pinging_ = false;
  bool closing_ = false;
  bool ended_ = false;
};

} // namespace troupe
