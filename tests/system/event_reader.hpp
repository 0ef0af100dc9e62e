// Reads one HTTP/1.1 answer as its bytes come: a whole body, or a chunked stream of server-sent
// events.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace troupe {

/// What came of a request, as far as it came.
struct answer {
  int status = 0;
  std::string head; ///< all header lines
  std::string body; ///< where it was no stream of events
  std::map<std::size_t, std::string> texts;
  std::map<std::size_t, std::string> finish_reasons;
  std::string error;               ///< the error event or body's message
  std::uint32_t prompt_tokens = 0; ///< as usage says
  std::uint32_t cached_tokens = 0;
  std::uint32_t completion_tokens = 0;
  std::size_t events = 0; ///< that brought text
  bool done = false;      ///< the stream said [DONE], or the body is whole
  bool ended = false;     ///< the answer is over, as HTTP counts
  std::string fault;      ///< what was wrong with the bytes themselves

  const std::string& text() { return texts[0]; }
  const std::string& finish_reason() { return finish_reasons[0]; }
};

class event_reader {
 public:
  /// More bytes of the connection.
  void feed(std::string_view bytes);
  answer& result() { return answer_; }

 private:
  bool read_head();
  bool read_chunk();
  void read_events();
  void read_event(std::string_view data);
  void read_json(std::string_view text);
  void end();

  answer answer_;
  std::string bytes_;   // not yet read
  std::string payload_; // of chunks, not yet read
  bool in_body_ = false;
  bool chunked_ = false;
  bool events_ = false;
  std::size_t length_ = 0;
};

} // namespace troupe
