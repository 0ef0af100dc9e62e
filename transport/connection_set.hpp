// The connections that are open, so that they can be counted, limited, and told to end.
#pragma once

#include <cstddef>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <vector>

namespace troupe {

/// A connection, whatever it speaks. Both calls may come from any thread.
class live_connection {
 public:
  virtual ~live_connection() = default;
  /// Finish what is under way, then close.
  virtual void drain() = 0;
  /// Close now.
  virtual void stop() = 0;
};

class connection_set {
 public:
  void add(const std::shared_ptr<live_connection>& connection) {
    const std::lock_guard lock(mutex_);
    open_.emplace(connection.get(), connection);
  }
  void remove(const live_connection* connection) {
    const std::lock_guard lock(mutex_);
    open_.erase(connection);
  }
  std::size_t size() const {
    const std::lock_guard lock(mutex_);
    return open_.size();
  }
  std::vector<std::shared_ptr<live_connection>> all() const {
    const std::lock_guard lock(mutex_);
    std::vector<std::shared_ptr<live_connection>> alive;
    for (const auto& [address, connection] : open_)
      if (auto held = connection.lock()) alive.push_back(std::move(held));
    return alive;
  }

 private:
  mutable std::mutex mutex_;
  std::unordered_map<const live_connection*, std::weak_ptr<live_connection>> open_;
};

} // namespace troupe
