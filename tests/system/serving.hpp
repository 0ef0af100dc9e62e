// The program serving the example's model.
#pragma once

#include "tests/system/child.hpp"
#include "transport/http/client.hpp"

#include <memory>

namespace troupe {

class serving {
 public:
  /// Starts it on a free port with these further flags.
  explicit serving(std::vector<std::string> flags = {}, std::string model = example());

  static std::string example() { return TROUPE_SOURCE "/examples/models/concierge"; }

  /// Waits for the line that says where it serves; false where it ended or took longer than a
  /// minute.
  bool ready();
  /// Seconds from its start to that line, as seen from here.
  double seconds() const { return seconds_; }

  std::uint16_t port() const { return port_; }
  http_client client() const { return http_client("http://127.0.0.1:" + std::to_string(port_)); }
  child& process() { return *process_; }

 private:
  std::uint16_t port_;
  std::chrono::steady_clock::time_point begin_;
  std::unique_ptr<child> process_;
  double seconds_ = 0;
};

} // namespace troupe
