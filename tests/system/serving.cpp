#include "tests/system/serving.hpp"

#include <thread>

namespace troupe {

serving::serving(std::vector<std::string> flags, std::string model)
    : port_(free_port()), begin_(std::chrono::steady_clock::now()) {
  std::vector<std::string> words{"serve", std::move(model), "--port", std::to_string(port_),
                                 "--no-pin-threads"};
  words.insert(words.end(), flags.begin(), flags.end());
  process_ = std::make_unique<child>(words);
}

bool serving::ready() {
  const auto deadline = begin_ + std::chrono::minutes(1);
  const auto line = " is served at http://127.0.0.1:" + std::to_string(port_);
  while (std::chrono::steady_clock::now() < deadline) {
    if (process_->out().find(line) != std::string::npos) {
      seconds_ = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin_).count();
      return true;
    }
    if (process_->wait(std::chrono::milliseconds(1))) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  return false;
}

} // namespace troupe
