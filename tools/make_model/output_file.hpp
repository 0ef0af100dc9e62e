// A file that several threads write by position.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string_view>

namespace troupe {

class output_file {
 public:
  /// Makes it, or empties it. Throws std::system_error, as write() and close() do.
  explicit output_file(std::filesystem::path path);
  ~output_file();
  output_file(output_file&& other) noexcept;
  output_file(const output_file&) = delete;
  output_file& operator=(const output_file&) = delete;
  output_file& operator=(output_file&&) = delete;

  /// Any thread, any order.
  void write(std::uint64_t offset, std::span<const std::byte> bytes) const;
  /// Some file systems say only here that they could not keep what was written.
  void close();

 private:
  std::filesystem::path path_;
  int descriptor_ = -1;
};

/// A whole file of text.
void write_text(const std::filesystem::path& path, std::string_view text);

} // namespace troupe
