#include "transport/generation.hpp"

#include "transport/api/api_errors.hpp"
#include "transport/api/usage.hpp"

#include <algorithm>
#include <chrono>
#include <type_traits>
#include <utility>
#include <variant>

namespace troupe {

namespace {

/// Deltas ahead of the reader, shared by a request's choices.
constexpr std::uint32_t window = 32;
/// What is collected is bounded in bytes, not in deltas.
constexpr std::uint32_t unbounded_credit = 1U << 30U;

std::int64_t unix_seconds() {
  return std::chrono::duration_cast<std::chrono::seconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

std::size_t count_choices(const generate_request& request) {
  return request.prompts.size() * request.n;
}

} // namespace

generation::generation(companion& bridge, answer_sink& sink, parsed_request parsed,
                       const door_settings& settings)
    : bridge_(bridge), sink_(sink), settings_(settings), stream_(parsed.stream),
      n_(parsed.request.n),
      chunks_(make_head(parsed, settings.model, unix_seconds()), count_choices(parsed.request)),
      whole_(make_head(parsed, settings.model, unix_seconds()), count_choices(parsed.request)),
      include_usage_(parsed.include_usage) {
  request_ = std::make_shared<const generate_request>(std::move(parsed.request));
}

generation::~generation() { abandon(); }

void generation::submit(clock_time arrival) {
  tag_ = bridge_.submit_request(std::exchange(request_, nullptr), arrival);
}

void generation::use_client_credit(std::uint32_t deltas) {
  if (choices_.empty()) {
    client_credit_ = client_credit_.value_or(0) + deltas;
    return;
  }
  for (choice& each : choices_) {
    each.credit.pay(deltas);
    pay(each);
  }
}

bool generation::owns(const caf::actor_addr& stream) const {
  return std::any_of(choices_.begin(), choices_.end(),
                     [&](const choice& each) { return each.stream.address() == stream; });
}

void generation::on(accepted&& event) {
  if (over_ || event.streams.empty()) return;
  const auto width =
      std::max<std::uint32_t>(2, window / static_cast<std::uint32_t>(event.streams.size()));
  for (caf::actor& stream : event.streams) {
    bridge_.watch(stream);
    choices_.push_back({std::move(stream), credit_window(stream_ ? width : unbounded_credit)});
  }
  sink_.started();
  for (std::uint32_t i = 0; stream_ && i < choices_.size(); ++i)
    if (auto first = chunks_.role(i); !first.empty()) sink_.chunk(i, std::move(first), false);
  for (choice& each : choices_) {
    if (client_credit_) each.credit.pay(*client_credit_);
    pay(each);
  }
}

void generation::on(refused&& event) { fail(event.error); }

void generation::on(delta&& event) {
  if (over_ || event.choice >= choices_.size()) return;
  if (stream_) {
    const std::uint32_t index = event.choice;
    sink_.chunk(index, chunks_.content(std::move(event)), true);
    return;
  }
  whole_.add(std::move(event));
  if (whole_.bytes() > settings_.limits.answer_bytes)
    fail(internal_error("The answer is larger than this server collects; ask for a stream."));
}

void generation::on(finished&& event) {
  if (over_ || event.choice >= choices_.size() || choices_[event.choice].ended) return;
  if (event.reason == finish_reason::error) {
    fail(event.error.message.empty() ? internal_error("The generation failed.") : event.error);
    return;
  }
  choices_[event.choice].ended = true;
  add_usage(usage_, event.usage, event.choice, n_);
  if (event.reason == finish_reason::timeout) {
    timeout_ = std::move(event.error);
    if (timeout_.message.empty()) {
      timeout_ = invalid_request("The request's time was over.", "timeout", "timeout", 504);
      timeout_.type = "timeout_error";
    }
  }
  if (stream_)
    sink_.chunk(event.choice, chunks_.finish(event), false);
  else
    whole_.add(std::move(event));
  finish_if_all_ended();
}

void generation::on(const stream_lost& event) {
  for (const choice& each : choices_)
    if (each.stream.address() == event.stream && !each.ended) {
      fail(internal_error("The generation ended unexpectedly."));
      return;
    }
}

void generation::written(std::uint32_t index, std::uint32_t chunks) {
  if (over_ || index >= choices_.size()) return;
  choices_[index].credit.arrived(chunks);
  pay(choices_[index]);
}

void generation::abandon() {
  over_ = true;
  for (choice& each : choices_)
    if (!std::exchange(each.ended, true)) bridge_.drop(each.stream);
}

void generation::pay(choice& to) {
  if (to.ended) return;
  if (const std::uint32_t due = to.credit.take(); due > 0) bridge_.grant(to.stream, due);
}

void generation::fail(const api_error& error) {
  if (over_) return;
  abandon();
  sink_.failed(error);
}

void generation::finish_if_all_ended() {
  const auto ended = [](const choice& each) { return each.ended; };
  if (!std::all_of(choices_.begin(), choices_.end(), ended)) return;
  over_ = true;
  // Whoever streams has the text already and learns why there is no more; whoever waited for the
  // whole gets what there is, and the error only where there is nothing.
  const bool timed_out = !timeout_.message.empty();
  if (timed_out && (stream_ || usage_.completion == 0)) {
    sink_.failed(timeout_);
    return;
  }
  if (stream_ && include_usage_) sink_.chunk(0, chunks_.usage(usage_), false);
  sink_.done(usage_, stream_ ? std::string() : whole_.write(usage_));
}

bool dispatch(generation& to, front_event&& event) {
  const auto give = [&](auto&& each) {
    using event_type = std::decay_t<decltype(each)>;
    if constexpr (std::is_same_v<event_type, stream_lost>) {
      if (!to.owns(each.stream)) return false;
      to.on(each);
      return true;
    } else if constexpr (requires { to.on(std::move(each)); }) {
      if (each.tag != to.tag()) return false;
      to.on(std::move(each));
      return true;
    } else {
      return false;
    }
  };
  return std::visit(give, std::move(event));
}

} // namespace troupe
