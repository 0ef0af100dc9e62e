#include "transport/websocket/session.hpp"

#include "transport/api/api_errors.hpp"

#include <boost/asio/post.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/message.hpp>

#include <algorithm>
#include <chrono>
#include <utility>
#include <variant>

namespace troupe {

namespace asio = boost::asio;
namespace websocket = boost::beast::websocket;
using boost::system::error_code;
using http_request = boost::beast::http::request<boost::beast::http::empty_body>;

namespace {

constexpr std::size_t small_inbox = 1024;
constexpr std::uint8_t most_missed_pongs = 2;

std::string first_protocol(const request_head& head) {
  const std::string* offered = head.find("sec-websocket-protocol");
  return offered == nullptr ? std::string() : offered->substr(0, offered->find_first_of(", "));
}

} // namespace

websocket_session::websocket_session(asio::ip::tcp::socket socket, door& at)
    : socket_(std::move(socket)), door_(at), timer_(socket_.get_executor()) {
  error_code ignored;
  // The handshake's answer and the frames are written by the library, which blocks on nothing.
  socket_.next_layer().non_blocking(false, ignored);
  socket_.read_message_max(at.settings.limits.body_bytes);
}

websocket_session::~websocket_session() { door_.live.remove(this); }

void websocket_session::accept(const request_head& head) {
  auto request = std::make_shared<http_request>(boost::beast::http::verb::get, head.path, 11);
  for (const auto& [name, value] : head.fields) request->insert(name, value);
  if (const auto protocol = first_protocol(head); !protocol.empty())
    socket_.set_option(
        websocket::stream_base::decorator([protocol](websocket::response_type& response) {
          response.set(boost::beast::http::field::sec_websocket_protocol, protocol);
        }));
  socket_.control_callback([this](websocket::frame_type, boost::beast::string_view) {
    missed_pongs_ = 0;
    ++in_this_second_;
  });
  socket_.async_accept(*request, [self = shared_from_this(), request](const error_code& error) {
    if (error) return self->end();
    if (self->door_.draining)
      return self->close(websocket::close_code::service_restart, "the server is stopping");
    self->wait_for_tick();
    self->read();
  });
}

void websocket_session::drain() {
  asio::post(socket_.get_executor(), [self = shared_from_this()] {
    if (self->requests_.empty())
      self->close(websocket::close_code::service_restart, "the server is stopping");
  });
}

void websocket_session::stop() {
  asio::post(socket_.get_executor(), [self = shared_from_this()] { self->end(); });
}

void websocket_session::read() {
  if (reading_ || ended_ || outbox_bytes_ > door_.settings.stream_buffer_bytes) return;
  reading_ = true;
  socket_.async_read(inbox_, [self = shared_from_this()](const error_code& error, std::size_t) {
    self->on_read(error);
  });
}

void websocket_session::on_read(const error_code& error) {
  reading_ = false;
  if (error || ended_) return end();
  missed_pongs_ = 0;
  if (is_flooding()) return close(websocket::close_code::policy_error, "too many messages");
  if (!socket_.got_text())
    return close(websocket::close_code::unknown_data, "only text frames are understood");
  const auto data = inbox_.data();
  auto message =
      parse_client_message({static_cast<const char*>(data.data()), data.size()}, door_.settings);
  inbox_.consume(inbox_.size());
  if (inbox_.capacity() > small_inbox) inbox_.shrink_to_fit();
  if (closing_) return read();
  std::visit([this](auto&& each) { handle(std::forward<decltype(each)>(each)); },
             std::move(message));
  read();
}

bool websocket_session::is_flooding() {
  const auto now = std::chrono::steady_clock::now();
  if (now - second_began_ >= std::chrono::seconds(1)) {
    second_began_ = now;
    in_this_second_ = 0;
  }
  return ++in_this_second_ > door_.settings.websocket_messages_per_second;
}

companion& websocket_session::bridge() {
  if (!bridge_)
    bridge_ = std::make_unique<companion>(door_.system, door_.to, socket_.get_executor(),
                                          [weak = weak_from_this()](front_event&& event) {
                                            if (const auto self = weak.lock())
                                              self->on_event(std::move(event));
                                          });
  return *bridge_;
}

session_request* websocket_session::find(const std::string& id) {
  for (const running& each : requests_)
    if (each.request->id() == id) return each.request.get();
  return nullptr;
}

void websocket_session::handle(create_message&& message) {
  if (find(message.id) != nullptr)
    return say(error_frame(
        {}, invalid_request("A request with this id is under way.", "id", "duplicate_id", 409)));
  if (requests_.size() >= door_.settings.websocket_requests) {
    auto error = invalid_request("Too many requests are under way on this connection.", "",
                                 "websocket_stream_limit_reached", 429);
    error.type = "rate_limit_error";
    return say(error_frame(message.id, error));
  }
  if (door_.draining)
    return say(
        error_frame(message.id, unavailable("The server is stopping.", "server_is_draining")));
  const std::uint64_t number = next_number_++;
  message.parsed.request.id =
      (message.parsed.shape == api_shape::chat ? "chatcmpl-" : "cmpl-") + door_.ids.next();
  auto request = std::make_unique<session_request>(
      std::move(message.id), std::move(message.parsed), bridge(), door_.settings,
      std::chrono::steady_clock::now(),
      [this, number](std::string text, std::optional<std::uint32_t> choice) {
        send({std::move(text), number, choice});
      });
  if (message.credit) request->work().use_client_credit(*message.credit);
  request->work().submit(request->arrival());
  requests_.push_back({number, std::move(request)});
}

void websocket_session::handle(const cancel_message& message) {
  session_request* request = find(message.id);
  if (request == nullptr) return;
  request->work().abandon();
  say("{\"type\":\"cancelled\",\"id\":" + quoted_json(message.id) + "}");
  constexpr int closed_by_client = 499;
  report(*request, closed_by_client);
  std::erase_if(requests_, [&](const running& each) { return each.request.get() == request; });
  remove_ended();
}

void websocket_session::handle(const credit_message& message) {
  if (session_request* request = find(message.id))
    request->work().use_client_credit(message.deltas);
}

void websocket_session::handle(const ping_message&) { say(R"({"type":"pong"})"); }

void websocket_session::handle(const bad_message& message) {
  say(error_frame(message.id, message.error));
}

void websocket_session::on_event(front_event&& event) {
  if (ended_) return;
  const bool taken = std::any_of(requests_.begin(), requests_.end(), [&](const running& each) {
    return dispatch(each.request->work(), std::move(event));
  });
  // Of a request that was cancelled before it was accepted.
  if (auto* orphans = std::get_if<accepted>(&event); orphans != nullptr && !taken)
    for (const caf::actor& stream : orphans->streams) bridge().drop(stream);
  remove_ended();
}

void websocket_session::remove_ended() {
  for (const running& each : requests_)
    if (each.request->over()) report(*each.request, each.request->status());
  std::erase_if(requests_, [](const running& each) { return each.request->over(); });
  if (!requests_.empty()) return;
  // An actor for each idle connection would cost more than making one anew.
  bridge_.reset();
  if (door_.draining) close(websocket::close_code::service_restart, "the server is stopping");
}

void websocket_session::report(const session_request& ended, int status) {
  const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - ended.arrival();
  bridge().report({"/v1/stream", "WS", status, taken.count()});
}

void websocket_session::say(std::string text) { send({std::move(text), 0, {}}); }

void websocket_session::send(outgoing message) {
  if (ended_ || closing_) return;
  outbox_bytes_ += message.text.size();
  if (!outbox_) outbox_ = std::make_unique<std::deque<outgoing>>();
  outbox_->push_back(std::move(message));
  if (!writing_) write();
}

void websocket_session::write() {
  writing_ = true;
  write_began_ = std::chrono::steady_clock::now();
  const std::string& text = outbox_->front().text;
  socket_.text(true);
  socket_.async_write(asio::buffer(text),
                      [self = shared_from_this()](const error_code& error, std::size_t) {
                        self->on_written(error);
                      });
}

void websocket_session::on_written(const error_code& error) {
  writing_ = false;
  if (error || ended_) return end();
  const outgoing sent = std::move(outbox_->front());
  outbox_->pop_front();
  outbox_bytes_ -= sent.text.size();
  if (sent.choice) written_.emplace_back(sent.request, *sent.choice);
  if (outbox_bytes_ <= door_.settings.stream_buffer_bytes) pay();
  if (!outbox_->empty())
    write();
  else
    outbox_.reset();
  read();
}

void websocket_session::pay() {
  for (const auto& [number, choice] : std::exchange(written_, {}))
    for (const running& each : requests_)
      if (each.number == number) each.request->work().written(choice, 1);
}

void websocket_session::wait_for_tick() {
  timer_.expires_after(door_.settings.ping_interval);
  timer_.async_wait([weak = weak_from_this()](const error_code& error) {
    if (error) return;
    if (const auto self = weak.lock()) self->on_tick();
  });
}

void websocket_session::on_tick() {
  if (ended_) return;
  const bool stuck =
      writing_ && std::chrono::steady_clock::now() - write_began_ > door_.settings.write_timeout;
  if (closing_ || stuck || missed_pongs_ >= most_missed_pongs || is_flooding()) return end();
  ++missed_pongs_;
  if (!pinging_) {
    pinging_ = true;
    socket_.async_ping({}, [self = shared_from_this()](const error_code& error) {
      self->pinging_ = false;
      if (error) self->end();
    });
  }
  wait_for_tick();
}

void websocket_session::close(websocket::close_code code, std::string reason) {
  if (closing_ || ended_) return;
  closing_ = true;
  constexpr std::chrono::seconds patience{2};
  timer_.expires_after(patience);
  timer_.async_wait([weak = weak_from_this()](const error_code& error) {
    const auto self = weak.lock();
    if (!error && self) self->end();
  });
  socket_.async_close({code, reason},
                      [self = shared_from_this()](const error_code&) { self->end(); });
}

void websocket_session::end() {
  if (std::exchange(ended_, true)) return;
  requests_.clear();
  if (bridge_) bridge_->close();
  error_code ignored;
  socket_.next_layer().close(ignored);
  timer_.cancel();
  door_.live.remove(this);
}

} // namespace troupe
