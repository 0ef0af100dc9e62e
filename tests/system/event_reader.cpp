#include "tests/system/event_reader.hpp"

#include <nlohmann/json.hpp>

#include <charconv>

namespace troupe {

using nlohmann::json;

void event_reader::feed(std::string_view bytes) {
  bytes_ += bytes;
  if (!in_body_ && !read_head()) return;
  if (answer_.ended) {
    if (!bytes_.empty()) answer_.fault = "bytes behind the answer's end";
    return;
  }
  if (!chunked_) {
    if (bytes_.size() < length_) return;
    payload_ = bytes_.substr(0, length_);
    bytes_.erase(0, length_);
    return end();
  }
  while (read_chunk()) {
  }
  if (events_) read_events();
}

bool event_reader::read_head() {
  const auto end = bytes_.find("\r\n\r\n");
  if (end == std::string::npos) return false;
  answer_.head = bytes_.substr(0, end + 2);
  bytes_.erase(0, end + 4);
  if (!answer_.head.starts_with("HTTP/1.1 ")) answer_.fault = "no HTTP/1.1 answer";
  answer_.status = std::atoi(answer_.head.c_str() + 9);
  chunked_ = answer_.head.find("chunked") != std::string::npos;
  events_ = answer_.head.find("text/event-stream") != std::string::npos;
  if (const auto at = answer_.head.find("Content-Length: "); at != std::string::npos)
    length_ = std::strtoul(answer_.head.c_str() + at + 16, nullptr, 10);
  in_body_ = true;
  return true;
}

bool event_reader::read_chunk() {
  const auto line = bytes_.find("\r\n");
  if (answer_.ended || line == std::string::npos) return false;
  std::size_t size = 0;
  std::from_chars(bytes_.data(), bytes_.data() + line, size, 16);
  if (bytes_.size() < line + 2 + size + 2) return false;
  payload_.append(bytes_, line + 2, size);
  bytes_.erase(0, line + 2 + size + 2);
  if (size == 0) {
    if (events_) read_events();
    end();
  }
  return true;
}

void event_reader::end() {
  answer_.ended = true;
  if (events_) return;
  answer_.body = std::exchange(payload_, {});
  answer_.done = true;
  if (!answer_.body.empty() && answer_.body.front() == '{') read_json(answer_.body);
}

void event_reader::read_events() {
  std::size_t begin = 0;
  for (auto end = payload_.find("\n\n"); end != std::string::npos;
       end = payload_.find("\n\n", begin)) {
    const auto event = std::string_view(payload_).substr(begin, end - begin);
    if (event.starts_with("data: "))
      read_event(event.substr(6));
    else if (!event.starts_with(":"))
      answer_.fault = "an event that is neither data nor comment";
    begin = end + 2;
  }
  payload_.erase(0, begin);
}

void event_reader::read_event(std::string_view data) {
  if (answer_.done) answer_.fault = "an event behind [DONE]";
  if (data == "[DONE]")
    answer_.done = true;
  else
    read_json(data);
}

void event_reader::read_json(std::string_view text) {
  const auto object = json::parse(text, nullptr, false);
  if (object.is_discarded()) {
    answer_.fault = "no JSON: " + std::string(text.substr(0, 200));
    return;
  }
  if (object.contains("error")) answer_.error = object["error"]["message"];
  if (object.contains("usage") && object["usage"].is_object()) {
    const auto& usage = object["usage"];
    answer_.prompt_tokens = usage["prompt_tokens"];
    answer_.completion_tokens = usage["completion_tokens"];
    answer_.cached_tokens = usage["prompt_tokens_details"]["cached_tokens"];
  }
  if (!object.contains("choices")) return;
  for (const auto& choice : object["choices"]) {
    const std::size_t index = choice["index"];
    const auto& holder = choice.contains("delta")     ? choice["delta"]
                         : choice.contains("message") ? choice["message"]
                                                      : choice;
    const auto found = holder.contains("content") ? holder.find("content") : holder.find("text");
    if (found != holder.end() && found->is_string() &&
        !found->get_ref<const std::string&>().empty()) {
      answer_.texts[index] += found->get_ref<const std::string&>();
      ++answer_.events;
    }
    if (!choice["finish_reason"].is_string()) continue;
    if (answer_.finish_reasons.contains(index)) answer_.fault = "a choice ended twice";
    answer_.finish_reasons[index] = choice["finish_reason"];
  }
}

} // namespace troupe
