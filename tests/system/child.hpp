// A program in a process of its own, its outputs in files.
#pragma once

#include "tests/model/model_folder.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <sys/types.h>
#include <vector>

namespace troupe {

class child {
 public:
  /// Starts the program of the build with these words.
  explicit child(const std::vector<std::string>& words);
  child(const child&) = delete;
  child& operator=(const child&) = delete;
  /// Kills it, if it still runs.
  ~child();

  void signal(int number) const;
  /// Its exit status, or -signal; nullopt where it still runs when the time is over.
  std::optional<int> wait(std::chrono::milliseconds most);
  std::string out() const { return read("out"); }
  std::string err() const { return read("err"); }

 private:
  std::string read(const std::string& name) const;

  testing::temporary_folder folder_;
  pid_t id_ = -1;
  std::optional<int> status_;
};

/// A port that nobody listened on a moment ago.
std::uint16_t free_port();

} // namespace troupe
