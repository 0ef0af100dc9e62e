// The answering and writing half of a connection.
#include "transport/api/api_errors.hpp"
#include "transport/api/parse_request.hpp"
#include "transport/http/connection.hpp"
#include "transport/http/generate_exchange.hpp"
#include "transport/http/question_exchange.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/write.hpp>

#include <chrono>
#include <utility>

namespace troupe {

namespace asio = boost::asio;
using boost::system::error_code;

namespace {

constexpr std::string_view about_text =
    "This is Troupe, a server for large language models.\n\n"
    "  POST /v1/chat/completions   chats, as OpenAI's API has them\n"
    "  POST /v1/completions        completions\n"
    "  GET  /v1/models             what is served\n"
    "  GET  /v1/stream             the same over a WebSocket, many requests at once\n"
    "  POST /tokenize /detokenize  text to tokens and back\n"
    "  GET  /health /metrics       how it does\n";

double seconds_since(clock_time start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

} // namespace

companion& connection::bridge() {
  if (!bridge_)
    bridge_ = std::make_unique<companion>(door_.system, door_.to, socket_.get_executor(),
                                          [weak = weak_from_this()](front_event&& event) {
                                            const auto self = weak.lock();
                                            if (!self || !self->exchange_ || self->answered_)
                                              return;
                                            self->exchange_->on(std::move(event));
                                            self->flush();
                                          });
  return *bridge_;
}

void connection::start_exchange(endpoint what) {
  const request_limits& limits = door_.settings.limits;
  switch (what) {
  case endpoint::about:
  case endpoint::livez:
  case endpoint::version:
    return answer_at_once(what);
  case endpoint::chat:
  case endpoint::completions: {
    const bool chat = what == endpoint::chat;
    auto parsed =
        parse_request(reader_.take_body(), chat ? api_shape::chat : api_shape::completions,
                      door_.settings, slip_.timeout);
    if (auto* error = std::get_if<api_error>(&parsed)) return refuse(*error);
    auto& request = std::get<parsed_request>(parsed);
    request.request.id = (chat ? "chatcmpl-" : "cmpl-") + door_.ids.next();
    exchange_ = std::make_unique<generate_exchange>(bridge(), static_cast<responder&>(*this),
                                                    std::move(request), door_.settings, arrival_);
    break;
  }
  default: {
    std::string detail = what == endpoint::model ? std::string(model_in_path(reader_.head().path))
                                                 : reader_.take_body();
    exchange_ = std::make_unique<question_exchange>(bridge(), static_cast<responder&>(*this), what,
                                                    std::move(detail), limits);
    wait(door_.settings.question_timeout);
  }
  }
  exchange_->start();
}

void connection::answer_at_once(endpoint what) {
  response out;
  out.content_type = "text/plain; charset=utf-8";
  if (what == endpoint::about) {
    out.body = about_text;
  } else if (what == endpoint::livez) {
    out.body = "ok\n";
  } else {
    out.content_type = "application/json; charset=utf-8";
    out.body = "{\"version\":\"" + door_.settings.version + "\"}";
  }
  answer(std::move(out));
}

response_frame connection::frame() const {
  return {request_id_, door_.settings.cors_origin, keep_alive_, reader_.head().method == "HEAD"};
}

void connection::answer(response what) {
  if (answered_ || phase_ == phase::closed) return;
  if (door_.draining) keep_alive_ = false;
  outbox_.add(write_response(what, frame()));
  finish_answer(what.status);
  flush();
}

void connection::refuse(const api_error& error) {
  response out = error_response(error);
  if (!slip_.allow.empty()) out.fields += "Allow: " + slip_.allow + "\r\n";
  if (error.status == 426) out.fields += "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n";
  answer(std::move(out));
}

void connection::begin_events() {
  const bool chunked = reader_.head().minor_version == 1;
  keep_alive_ = keep_alive_ && chunked && !door_.draining;
  streaming_ = true;
  outbox_.add(write_event_stream_head(frame(), chunked));
  wait(door_.settings.ping_interval);
}

void connection::send_event(std::string_view text, std::optional<std::uint32_t> choice) {
  if (reader_.head().minor_version == 1)
    outbox_.add(write_chunk(text));
  else
    outbox_.add(text);
  if (choice) outbox_.count(*choice);
}

void connection::end_events(bool complete) {
  keep_alive_ = keep_alive_ && complete;
  if (reader_.head().minor_version == 1) outbox_.add(write_chunk({}));
  finish_answer(200);
}

void connection::finish_answer(int status) {
  answered_ = true;
  const request_head& head = reader_.head();
  bridge().report({std::string(slip_.where != nullptr ? slip_.where->name : "none"),
                   slip_.where != nullptr ? head.method : std::string("none"), status,
                   seconds_since(arrival_)});
}

void connection::flush() {
  if (writing_ || phase_ == phase::closed) return;
  if (outbox_.empty()) return;
  outbox_.begin_batch();
  writing_ = true;
  write_batch();
}

void connection::write_batch() {
  write_timer_.expires_after(door_.settings.write_timeout);
  write_timer_.async_wait([weak = weak_from_this()](const error_code& error) {
    const auto self = weak.lock();
    if (error || !self || self->write_timer_.expiry() > std::chrono::steady_clock::now()) return;
    self->close();
  });
  const auto batch = outbox_.batch();
  socket_.async_write_some(asio::buffer(batch.data(), batch.size()),
                           [self = shared_from_this()](const error_code& error, std::size_t bytes) {
                             self->on_written(error, bytes);
                           });
}

void connection::on_written(const error_code& error, std::size_t bytes) {
  if (phase_ == phase::closed) return;
  if (error) return close();
  outbox_.advance(bytes);
  if (!outbox_.batch().empty()) return write_batch();
  writing_ = false;
  write_timer_.cancel();
  outbox_.end_batch();
  // With much waiting already, credit for more comes with a later batch.
  if (exchange_ && outbox_.bytes() <= door_.settings.stream_buffer_bytes)
    for (const auto& [choice, events] : outbox_.take_written()) exchange_->written(choice, events);
  if (!outbox_.empty()) return flush();
  on_drained();
}

void connection::on_drained() {
  if (!answered_) return;
  answered_ = false;
  streaming_ = false;
  exchange_.reset();
  (void)outbox_.take_written();
  slip_ = {};
  timer_.cancel();
  if (!keep_alive_) return linger();
  reader_.next();
  phase_ = phase::idle;
  read_requests();
}

} // namespace troupe
