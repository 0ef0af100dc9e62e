// A message is moved out of its mailbox element on the connection's strand, not on the sender's
// thread, so that an actor pays for no more than the hand-over.
#include "transport/companion.hpp"

#include "transport/front.hpp"

#include <boost/asio/post.hpp>
#include <caf/actor_companion.hpp>
#include <caf/actor_system.hpp>
#include <caf/exit_reason.hpp>
#include <caf/send.hpp>

namespace troupe {

namespace {

/// What the posted handlers share with the owner; touched on the strand only.
struct receiver {
  companion::handler on_event;
  bool closed = false;
};

template <class Event>
bool deliver(caf::message& message, receiver& to) {
  if (!message.match_elements<Event>()) return false;
  to.on_event(front_event(std::move(message.get_mutable_as<Event>(0))));
  return true;
}

template <class... Events>
void deliver_any(caf::message& message, receiver& to, std::variant<Events...>*) {
  (void)(deliver<Events>(message, to) || ...);
}

void receive(caf::message& message, receiver& to) {
  if (message.match_elements<caf::down_msg>())
    to.on_event(stream_lost{message.get_as<caf::down_msg>(0).source});
  else
    deliver_any(message, to,
                static_cast<std::variant<accepted, refused, delta, finished, tokenized,
                                         model_description, health, metrics_text>*>(nullptr));
}

} // namespace

struct companion::state {
  const front& to;
  std::shared_ptr<receiver> receives;
  caf::actor self;

  caf::actor_companion* actor() const { return caf::actor_cast<caf::actor_companion*>(self); }
};

companion::companion(caf::actor_system& system, const front& to,
                     boost::asio::any_io_executor executor, handler on_event)
    : state_(std::make_unique<state>(
          state{to, std::make_shared<receiver>(receiver{std::move(on_event)}),
                system.spawn<caf::actor_companion>()})) {
  state_->actor()->on_enqueue(
      [executor, to_strand = state_->receives](caf::mailbox_element_ptr element) {
        boost::asio::post(executor, [to_strand, held = std::move(element)]() mutable {
          if (to_strand->closed) return;
          caf::message message = held->move_content_to_message();
          receive(message, *to_strand);
        });
      });
}

companion::~companion() { close(); }

void companion::close() {
  if (state_->receives->closed) return;
  state_->receives->closed = true;
  // Whoever still has the handle may send when the executor is long gone.
  state_->actor()->on_enqueue(nullptr);
  state_->actor()->cleanup(caf::make_error(caf::exit_reason::user_shutdown), nullptr);
}

request_tag companion::next_tag() { return ++tag_; }

request_tag companion::submit_request(request_ptr request, clock_time arrival) {
  const request_tag tag = next_tag();
  caf::anon_send(state_->to.admission, submit{std::move(request), state_->self, tag, arrival});
  return tag;
}

request_tag companion::ask_tokens(prompt_input prompt, bool add_special_tokens) {
  const request_tag tag = next_tag();
  caf::anon_send(state_->to.admission,
                 tokenize{state_->self, tag, std::move(prompt), add_special_tokens});
  return tag;
}

request_tag companion::ask_text(token_ids ids) {
  const request_tag tag = next_tag();
  caf::anon_send(state_->to.admission, detokenize{state_->self, tag, std::move(ids)});
  return tag;
}

request_tag companion::ask_model() {
  const request_tag tag = next_tag();
  caf::anon_send(state_->to.admission, describe_model{state_->self, tag});
  return tag;
}

request_tag companion::ask_health() {
  const request_tag tag = next_tag();
  caf::anon_send(state_->to.supervisor, check_health{state_->self, tag});
  return tag;
}

request_tag companion::ask_metrics() {
  const request_tag tag = next_tag();
  caf::anon_send(state_->to.telemetry, scrape{state_->self, tag});
  return tag;
}

void companion::watch(const caf::actor& stream) { state_->actor()->monitor(stream); }

void companion::grant(const caf::actor& stream, std::uint32_t deltas) {
  caf::anon_send(stream, more{deltas});
}

void companion::drop(const caf::actor& stream) { caf::anon_send(stream, abandon{}); }

void companion::report(http_report what) { caf::anon_send(state_->to.telemetry, std::move(what)); }

} // namespace troupe
