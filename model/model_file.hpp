// A file of a model folder, read by position. Read and not mapped: a mapping of a file that is
// truncated or replaced while it is loaded ends the process with SIGBUS, a short read is an error
// that can be told.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>

namespace troupe {

/// An open regular file. Its size is the one that it had when it was opened.
class model_file {
 public:
  /// Throws model_error where it is absent, unreadable or not a regular file.
  explicit model_file(std::filesystem::path path);
  ~model_file();
  model_file(model_file&& other) noexcept;
  model_file(const model_file&) = delete;
  model_file& operator=(const model_file&) = delete;
  model_file& operator=(model_file&&) = delete;

  const std::filesystem::path& path() const { return path_; }
  std::uint64_t size() const { return size_; }

  /// Fills `out` from `offset` on. Throws model_error where the file has become shorter.
  void read(std::uint64_t offset, std::span<std::byte> out) const;

 private:
  std::filesystem::path path_;
  int descriptor_ = -1;
  std::uint64_t size_ = 0;
};

/// The whole of a text file of at most `limit` bytes.
std::string read_text(const std::filesystem::path& path, std::uint64_t limit);

} // namespace troupe
