// The requests of a connection, one after the other, out of whatever pieces the network made of
// them. It has no socket: bytes are put in, and `advance` says what there is.
#pragma once

#include "transport/http/body_decoder.hpp"

#include <string>
#include <string_view>

namespace troupe {

class request_reader {
 public:
  enum class found : std::uint8_t {
    nothing,  ///< between requests
    part,     ///< of a head or a body: more bytes are needed
    head,     ///< a head: once; advance again for its body
    complete, ///< a request: once; next() before the one behind it
    bad       ///< nothing more can be read: see fault()
  };

  explicit request_reader(const request_limits& limits) : limits_(&limits) {}

  void append(std::string_view bytes) { inbox_.append(bytes); }
  found advance();
  /// Forgets the request that was complete.
  void next();

  const request_head& head() const { return head_; }
  std::string take_body() { return decoder_.take(); }
  const head_fault& fault() const { return fault_; }
  bool in_body() const { return stage_ == stage::body; }
  /// Bytes that wait behind the request.
  std::size_t waiting() const { return inbox_.size(); }

 private:
  enum class stage : std::uint8_t { head, body, complete, bad };

  found advance_head();
  found refuse(head_fault fault);

  const request_limits* limits_;
  std::string inbox_;
  std::size_t scanned_ = 0; // of inbox_, without the end of a head
  bool past_first_line_ = false;
  stage stage_ = stage::head;
  request_head head_;
  body_decoder decoder_;
  head_fault fault_;
};

} // namespace troupe
