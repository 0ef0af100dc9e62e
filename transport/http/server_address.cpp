#include "transport/http/server_address.hpp"

#include <fmt/format.h>

#include <charconv>
#include <stdexcept>
#include <string_view>

namespace troupe {
namespace {

bool is_port(std::string_view text) {
  unsigned number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc{} && end == text.data() + text.size() && number > 0 && number < 65536;
}

bool is_plain(std::string_view text) {
  for (const char c : text)
    if (c <= ' ' || c > '~' || c == '?' || c == '#' || c == '@') return false;
  return true;
}

void drop_end(std::string& text, std::string_view end) {
  if (text.ends_with(end)) text.resize(text.size() - end.size());
}

} // namespace

std::string server_address::authority() const {
  const bool bare = host.find(':') == std::string::npos;
  return fmt::format(fmt::runtime(bare ? "{}:{}" : "[{}]:{}"), host, port);
}

server_address parse_server_address(const std::string& url) {
  constexpr std::string_view scheme = "http://";
  const std::string problem = fmt::format("'{}' is not of the form http://host[:port][/path]", url);
  if (!url.starts_with(scheme) || !is_plain(url)) throw std::invalid_argument(problem);
  std::string rest = url.substr(scheme.size());
  server_address out;
  if (const auto slash = rest.find('/'); slash != std::string::npos) {
    out.path = rest.substr(slash);
    rest.resize(slash);
    drop_end(out.path, "/");
    drop_end(out.path, "/v1");
  }
  const auto bracket = rest.rfind(']');
  const auto colon = rest.find(':', bracket == std::string::npos ? 0 : bracket);
  out.host = rest.substr(0, colon);
  if (colon != std::string::npos) out.port = rest.substr(colon + 1);
  if (out.host.size() > 2 && out.host.front() == '[' && out.host.back() == ']')
    out.host = out.host.substr(1, out.host.size() - 2);
  if (out.host.empty() || !is_port(out.port)) throw std::invalid_argument(problem);
  return out;
}

} // namespace troupe
