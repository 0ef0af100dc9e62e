#include "app/bench/answer_reader.hpp"

#include "config/text.hpp"

#include <fmt/format.h>

namespace troupe {
namespace {

constexpr std::size_t longest_shown = 80;

} // namespace

double request_record::tpot() const {
  return output > 1 ? (latency - ttft) / static_cast<double>(output - 1) : 0;
}

answer_reader::answer_reader(const planned_request& asked, double sent) {
  record_.planned = asked.at;
  record_.sent = sent;
  record_.planned_input = asked.input();
  record_.planned_output = asked.output;
}

void answer_reader::on_event(std::string_view data, double at) {
  if (data == "[DONE]") {
    done_ = true;
    return;
  }
  const chunk_facts chunk = read_chunk(data);
  if (!chunk.error.empty() && fault_.empty())
    fault_ = "the stream reported an error: " + chunk.error;
  if (!chunk.sound && fault_.empty())
    fault_ = fmt::format("the stream holds {}, which is no JSON object",
                         printable_in_quotes(data, longest_shown));
  if (chunk.usage) usage_ = chunk.usage;
  if (!chunk.choice) return;
  if (chunk.content) {
    if (deltas_ == 0)
      record_.ttft = at - record_.sent;
    else
      record_.gaps.push_back(at - last_content_);
    last_content_ = at;
    ++deltas_;
  }
  // The role that a chat begins with is no token, so it does not count by itself.
  if (!chunk.content && !chunk.finish) return;
  choice_ = true;
  last_choice_ = at;
}

void answer_reader::on_end(const answer_end& end, double at) {
  record_.ended = at;
  record_.error = error_of(end);
  record_.latency = choice_ ? last_choice_ - record_.sent : 0;
  if (deltas_ == 0) record_.ttft = record_.latency;
  record_.counted = usage_.has_value();
  record_.input = usage_ ? usage_->prompt : record_.planned_input;
  record_.output = usage_ ? usage_->completion : deltas_;
  record_.cached = usage_ ? usage_->cached : 0;
}

std::string answer_reader::error_of(const answer_end& end) const {
  if (end.status == 0) return end.fault;
  if (end.status != 200) {
    const std::string message = message_of_error(end.body);
    return fmt::format("{} {}{}{}", end.status, printable(end.reason, longest_shown),
                       message.empty() ? "" : ": ", message);
  }
  if (!end.streamed)
    return end.fault.empty() ? "the answer is no stream of events: " + message_of_error(end.body)
                             : end.fault;
  if (!fault_.empty()) return fault_;
  if (done_) return choice_ ? std::string() : "the stream brought no tokens";
  return end.fault.empty() ? "the stream ended before [DONE]" : end.fault;
}

} // namespace troupe
