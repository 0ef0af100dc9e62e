// Positional reads through POSIX, since a stream has neither pread nor a way to refuse a FIFO.
#include "model/model_file.hpp"

#include "model/model_error.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

namespace troupe {

model_file::model_file(std::filesystem::path path) : path_(std::move(path)) {
  // O_NONBLOCK: opening a FIFO must not wait for its writer.
  descriptor_ = ::open(path_.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (descriptor_ < 0)
    throw model_error(fmt::format("{}: cannot be opened: {}", path_.string(), strerror(errno)));
  struct stat info {};
  const bool regular = ::fstat(descriptor_, &info) == 0 && S_ISREG(info.st_mode);
  if (!regular) {
    ::close(std::exchange(descriptor_, -1));
    throw model_error(fmt::format("{}: is not a regular file", path_.string()));
  }
  size_ = static_cast<std::uint64_t>(info.st_size);
}

model_file::~model_file() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

model_file::model_file(model_file&& other) noexcept
    : path_(std::move(other.path_)), descriptor_(std::exchange(other.descriptor_, -1)),
      size_(other.size_) {}

void model_file::read(std::uint64_t offset, std::span<std::byte> out) const {
  while (!out.empty()) {
    const ssize_t n = ::pread(descriptor_, out.data(), out.size(), static_cast<off_t>(offset));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) throw model_error(fmt::format("{}: {}", path_.string(), strerror(errno)));
    if (n == 0)
      throw model_error(
          fmt::format("{}: ends at byte {} but had {} bytes when it was opened: it was changed "
                      "while it was loaded",
                      path_.string(), offset, size_));
    out = out.subspan(static_cast<std::size_t>(n));
    offset += static_cast<std::uint64_t>(n);
  }
}

std::string read_text(const std::filesystem::path& path, std::uint64_t limit) {
  const model_file file(path);
  if (file.size() > limit)
    throw model_error(
        fmt::format("{}: has {} bytes, at most {} are read", path.string(), file.size(), limit));
  std::string text(file.size(), '\0');
  file.read(0, std::as_writable_bytes(std::span(text)));
  return text;
}

} // namespace troupe
