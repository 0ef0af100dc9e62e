// A server whose actors are played by the test: admission accepts or refuses as the script says,
// streams send the script's texts while they have credit, and what the doors do to them is counted.
#pragma once

#include "transport/door_settings.hpp"

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace troupe {

struct generate_request;
struct api_error;
enum class finish_reason : std::uint8_t;
enum class server_state : std::uint8_t;

struct fake_script {
  std::vector<std::string> texts = {"Hel", "lo"};
  bool endless = false; ///< texts again and again, as long as there is credit
  bool silent = false;  ///< accepted, and then nothing
  bool mute = false;    ///< nothing is answered
  bool holds = false;   ///< accepted only when the test says so by let_in()
  bool dies = false;    ///< streams end without a word after their texts
  bool logprobs = false;
  std::string refuse_code; ///< not empty: refused with it and 429
  std::string fail_code;   ///< not empty: the streams end in this error
  bool times_out = false;
  bool loading = false;
};

struct fake_counts {
  std::atomic<int> submitted = 0;
  std::atomic<int> abandoned = 0;
  std::atomic<int> clients_down = 0;
  std::atomic<int> deltas = 0;
  std::atomic<int> reports = 0;
  std::atomic<std::int64_t> credit = 0;
};

class fake_server {
 public:
  explicit fake_server(fake_script script = {}, door_settings settings = {});
  ~fake_server();

  std::uint16_t port() const;
  std::string url() const;
  const fake_counts& counts() const { return *counts_; }
  std::size_t connections() const;
  /// Accepts what the script has held until now.
  void let_in();
  void stop_accepting();
  void stop();

 private:
  struct state;
  std::shared_ptr<fake_counts> counts_;
  std::unique_ptr<state> state_;
};

/// Whether `condition` holds within some seconds.
bool eventually(const std::function<bool()>& condition);

} // namespace troupe
