// An HTTP/1.1 connection: reads requests one after the other, lets an exchange answer each, and
// writes the answers in order. Everything runs on the socket's strand. It never holds a read buffer
// while it waits, so that idle connections are small; it keeps waiting for bytes while it answers,
// so that a client that has gone is noticed.
#pragma once

#include "transport/companion.hpp"
#include "transport/door.hpp"
#include "transport/http/exchange.hpp"
#include "transport/http/gate.hpp"
#include "transport/http/outbox.hpp"
#include "transport/http/request_reader.hpp"

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <memory>
#include <string>

namespace troupe {

class connection final : public std::enable_shared_from_this<connection>,
                         public live_connection,
                         private responder {
 public:
  /// The socket's executor must be a strand.
  connection(boost::asio::ip::tcp::socket socket, door& at);
  ~connection() override;

  void start();
  void drain() override;
  void stop() override;

 private:
  enum class phase : std::uint8_t { idle, head, body, answering, lingering, closed };

  // Reading.
  void wait_readable();
  void on_readable(const boost::system::error_code& error);
  void read_requests();
  void expect_more();
  bool open_request();
  void run_request();
  void upgrade();
  void on_end_of_input();
  void wait_for_reset();

  // Answering.
  void answer(response what) override;
  void begin_events() override;
  void send_event(std::string_view text, std::optional<std::uint32_t> choice) override;
  void end_events(bool complete) override;
  void refuse(const api_error& error);
  void answer_at_once(endpoint what);
  void start_exchange(endpoint what);
  companion& bridge();
  response_frame frame() const;
  void finish_answer(int status);

  // Writing.
  void flush();
  void write_batch();
  void on_written(const boost::system::error_code& error, std::size_t bytes);
  void on_drained();

  // Time and the end.
  void wait(std::chrono::milliseconds duration);
  void on_time();
  void linger();
  void close();

  boost::asio::ip::tcp::socket socket_;
  door& door_;
  boost::asio::steady_timer timer_;
  boost::asio::steady_timer write_timer_;
  request_reader reader_;
  outbox outbox_;
  phase phase_ = phase::idle;
  admission_slip slip_;
  std::string request_id_;
  clock_time arrival_;
  std::unique_ptr<companion> bridge_;
  std::unique_ptr<exchange> exchange_;
  bool waiting_readable_ = false;
  bool writing_ = false;
  bool answered_ = false; // the answer is in the outbox, whole
  bool streaming_ = false;
  bool keep_alive_ = true;
  bool input_ended_ = false;
};

} // namespace troupe
