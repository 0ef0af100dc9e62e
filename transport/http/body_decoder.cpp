#include "transport/http/body_decoder.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

namespace troupe {

namespace {

constexpr std::size_t longest_chunk_line = 4096;
constexpr std::size_t longest_trailer = 4096;

} // namespace

void body_decoder::begin(const request_head& head, const request_limits& limits) {
  limits_ = &limits;
  remaining_ = head.content_length.value_or(0);
  part_ = head.chunked ? part::chunk_size : remaining_ > 0 ? part::length : part::done;
  chunks_ = 0;
  trailer_bytes_ = 0;
  body_.clear();
  bad_ = false;
}

body_decoder::progress body_decoder::consume(std::string& input) {
  std::string_view rest = input;
  while (part_ != part::done && step(rest)) {
  }
  input.erase(0, input.size() - rest.size());
  if (bad_) return progress::bad;
  return part_ == part::done ? progress::complete : progress::need_more;
}

bool body_decoder::step(std::string_view& rest) {
  std::string_view line;
  switch (part_) {
  case part::length:
  case part::chunk_data:
    return take_data(rest);
  case part::chunk_size:
    return read_line(rest, line, longest_chunk_line) && begin_chunk(line);
  case part::chunk_end:
    if (rest.size() < 2)
      return rest.empty() || rest.front() == '\r' ? false : refuse(400, "A chunk is malformed.");
    if (rest.substr(0, 2) != "\r\n") return refuse(400, "A chunk is malformed.");
    rest.remove_prefix(2);
    part_ = part::chunk_size;
    return true;
  case part::trailer:
    if (!read_line(rest, line, longest_trailer)) return false;
    trailer_bytes_ += line.size();
    if (trailer_bytes_ > longest_trailer) return refuse(431, "The trailer is too long.");
    if (line.empty()) part_ = part::done;
    return true;
  case part::done:
    return false;
  }
  return false;
}

bool body_decoder::read_line(std::string_view& rest, std::string_view& line, std::size_t longest) {
  const auto end = rest.find('\n');
  if (std::min(end, rest.size()) > longest) return refuse(400, "A chunk's line is too long.");
  if (end == std::string_view::npos) return false;
  if (end == 0 || rest[end - 1] != '\r')
    return refuse(400, "A chunk's line does not end with CRLF.");
  line = rest.substr(0, end - 1);
  if (std::any_of(line.begin(), line.end(),
                  [](char c) { return static_cast<unsigned char>(c) < 0x20 && c != '\t'; }))
    return refuse(400, "A chunk's line holds control characters.");
  rest.remove_prefix(end + 1);
  return true;
}

bool body_decoder::begin_chunk(std::string_view line) {
  constexpr std::size_t most_digits = 15;
  const auto digits =
      line.substr(0, std::min(line.find_first_not_of("0123456789abcdefABCDEF"), line.size()));
  const auto extension = line.substr(digits.size());
  if (digits.empty() || digits.size() > most_digits ||
      (!extension.empty() && extension.front() != ';'))
    return refuse(400, "A chunk's size is not a number.");
  std::from_chars(digits.data(), digits.data() + digits.size(), remaining_, 16);
  if (remaining_ == 0) {
    part_ = part::trailer;
    return true;
  }
  if (++chunks_ > limits_->chunks) return refuse(413, "The body has too many chunks.");
  if (remaining_ > limits_->body_bytes - body_.size()) return refuse(413, "The body is too large.");
  part_ = part::chunk_data;
  return true;
}

bool body_decoder::take_data(std::string_view& rest) {
  const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(remaining_, rest.size()));
  if (size == 0) return false;
  body_.append(rest.substr(0, size));
  rest.remove_prefix(size);
  remaining_ -= size;
  if (remaining_ == 0) part_ = part_ == part::length ? part::done : part::chunk_end;
  return true;
}

bool body_decoder::refuse(int status, std::string message) {
  fault_ = {status, std::move(message)};
  bad_ = true;
  return false;
}

} // namespace troupe
