// The head is scanned byte by byte as it grows, so that what can never become a request is refused
// at once and not after a time-out.
#include "transport/http/request_reader.hpp"

#include <utility>

namespace troupe {

request_reader::found request_reader::advance() {
  switch (stage_) {
  case stage::head:
    return advance_head();
  case stage::body:
    break;
  case stage::complete:
    return found::complete;
  case stage::bad:
    return found::bad;
  }
  switch (decoder_.consume(inbox_)) {
  case body_decoder::progress::need_more:
    return found::part;
  case body_decoder::progress::bad:
    return refuse(decoder_.fault());
  case body_decoder::progress::complete:
    break;
  }
  stage_ = stage::complete;
  return found::complete;
}

request_reader::found request_reader::advance_head() {
  if (scanned_ == 0 && inbox_.size() >= 2 && inbox_.compare(0, 2, "\r\n") == 0) inbox_.erase(0, 2);
  if (inbox_.empty()) return found::nothing;
  const char first = inbox_.front();
  if (first != '\r' && (first < 'A' || first > 'Z'))
    return refuse({400, "This is not an HTTP request."});
  for (; scanned_ < inbox_.size(); ++scanned_) {
    const char c = inbox_[scanned_];
    const bool after_return = scanned_ > 0 && inbox_[scanned_ - 1] == '\r';
    if ((c == '\n') != after_return || c == '\0')
      return refuse({400, "The request's head holds a bare line break or a NUL."});
    if (scanned_ >= limits_->header_bytes) return refuse({431, "The request's head is too long."});
    if (!past_first_line_ && scanned_ >= limits_->request_line_bytes)
      return refuse({414, "The request line is too long."});
    past_first_line_ |= c == '\n';
    if (c != '\n' || scanned_ < 3 || inbox_.compare(scanned_ - 3, 4, "\r\n\r\n") != 0) continue;
    auto parsed = parse_head(std::string_view(inbox_).substr(0, scanned_ + 1), *limits_);
    if (auto* fault = std::get_if<head_fault>(&parsed)) return refuse(std::move(*fault));
    head_ = std::move(std::get<request_head>(parsed));
    inbox_.erase(0, scanned_ + 1);
    scanned_ = 0;
    past_first_line_ = false;
    if (head_.content_length.value_or(0) > limits_->body_bytes)
      return refuse({413, "The body is too large."});
    decoder_.begin(head_, *limits_);
    stage_ = stage::body;
    return found::head;
  }
  return found::part;
}

void request_reader::next() {
  stage_ = stage::head;
  scanned_ = 0;
  head_ = {};
  decoder_.take();
  if (inbox_.empty()) inbox_.shrink_to_fit();
}

request_reader::found request_reader::refuse(head_fault fault) {
  stage_ = stage::bad;
  fault_ = std::move(fault);
  return found::bad;
}

} // namespace troupe
