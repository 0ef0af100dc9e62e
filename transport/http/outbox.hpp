// What waits to be written on a connection. While a write is under way everything that comes is
// joined into the next one, so that a fast stream costs few writes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace troupe {

class outbox {
 public:
  void add(std::string_view text) { waiting_.append(text); }
  /// The text counts as an event of a choice once it is written.
  void count(std::uint32_t choice) { waiting_events_.push_back(choice); }

  /// Makes what waits the batch to write. Only with no batch left.
  void begin_batch() {
    batch_.swap(waiting_);
    batch_events_.swap(waiting_events_);
    written_ = 0;
  }
  std::string_view batch() const { return std::string_view(batch_).substr(written_); }
  void advance(std::size_t bytes) { written_ += bytes; }
  /// Ends the batch: the events that it held are written.
  void end_batch() {
    batch_.clear();
    constexpr std::size_t worth_keeping = 4096;
    if (batch_.capacity() > worth_keeping) batch_.shrink_to_fit();
    for (const std::uint32_t choice : batch_events_) ++written_events_[choice];
    batch_events_.clear();
  }
  /// How many events of each choice were written since the last call.
  std::map<std::uint32_t, std::uint32_t> take_written() {
    return std::exchange(written_events_, {});
  }
  /// That wait for the next batch.
  std::size_t bytes() const { return waiting_.size(); }
  bool empty() const { return waiting_.empty(); }

 private:
  std::string waiting_;
  std::string batch_;
  std::size_t written_ = 0;
  std::vector<std::uint32_t> waiting_events_;
  std::vector<std::uint32_t> batch_events_;
  std::map<std::uint32_t, std::uint32_t> written_events_; // by choice
};

} // namespace troupe
