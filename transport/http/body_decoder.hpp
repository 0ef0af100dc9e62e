// A request's body as its bytes come in: of a known length, or in chunks. Sizes are checked before
// anything is kept, and nothing is allocated for bytes that were only announced.
#pragma once

#include "transport/http/request_head.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace troupe {

class body_decoder {
 public:
  enum class progress : std::uint8_t { need_more, complete, bad };

  /// Begins the body that `head` announces.
  void begin(const request_head& head, const request_limits& limits);
  /// Takes what belongs to the body off the front of `input`.
  progress consume(std::string& input);
  /// After bad.
  const head_fault& fault() const { return fault_; }
  std::string take() { return std::move(body_); }

 private:
  enum class part : std::uint8_t { length, chunk_size, chunk_data, chunk_end, trailer, done };

  /// One step; false where more input is needed.
  bool step(std::string_view& rest);
  bool read_line(std::string_view& rest, std::string_view& line, std::size_t longest);
  bool begin_chunk(std::string_view line);
  bool take_data(std::string_view& rest);
  bool refuse(int status, std::string message);

  const request_limits* limits_ = nullptr;
  part part_ = part::done;
  std::uint64_t remaining_ = 0; // of the length or the chunk
  std::size_t chunks_ = 0;
  std::size_t trailer_bytes_ = 0;
  std::string body_;
  head_fault fault_;
  bool bad_ = false;
};

} // namespace troupe
