#include "transport/http_server.hpp"

#include "transport/door.hpp"
#include "transport/http/listener.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>

#include <exception>
#include <thread>
#include <utility>
#include <vector>

namespace troupe {

namespace {

/// What one connection throws, for want of memory for example, must not end the others.
void serve(boost::asio::io_context& io) {
  for (;;) {
    try {
      io.run();
      return;
    } catch (const std::exception&) {
      continue;
    }
  }
}

} // namespace

struct http_server::state {
  state(unsigned threads, door_settings settings, front to, caf::actor_system& system)
      : at(std::move(settings), std::move(to), system), io(static_cast<int>(threads)),
        work(boost::asio::make_work_guard(io)), accepts(std::make_shared<listener>(io, at)) {}

  door at;
  boost::asio::io_context io;
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work;
  std::shared_ptr<listener> accepts;
  std::vector<std::thread> threads;
};

http_server::http_server(unsigned threads, door_settings settings, front to,
                         caf::actor_system& system)
    : state_(std::make_unique<state>(threads, std::move(settings), std::move(to), system)) {
  state_->accepts->start();
  for (unsigned i = 0; i < std::max(threads, 1U); ++i)
    state_->threads.emplace_back([&io = state_->io] { serve(io); });
}

http_server::~http_server() { stop(); }

std::uint16_t http_server::port() const { return state_->accepts->port(); }

void http_server::stop_accepting() {
  state_->at.draining = true;
  state_->accepts->stop();
  for (const auto& connection : state_->at.live.all()) connection->drain();
}

std::size_t http_server::connections() const { return state_->at.live.size(); }

void http_server::stop() {
  state_->at.draining = true;
  state_->accepts->stop();
  for (const auto& connection : state_->at.live.all()) connection->stop();
  state_->work.reset();
  for (std::thread& each : state_->threads)
    if (each.joinable()) each.join();
}

} // namespace troupe
