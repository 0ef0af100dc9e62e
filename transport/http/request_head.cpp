#include "transport/http/request_head.hpp"

#include <algorithm>
#include <charconv>

namespace troupe {

namespace {

bool is_token_char(char c) {
  constexpr std::string_view others = "!#$%&'*+-.^_`|~";
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         others.find(c) != std::string_view::npos;
}

bool is_token(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), is_token_char);
}

std::string_view trim(std::string_view text) {
  const auto first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

bool is_field_value(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte == '\t' || (byte >= 0x20 && byte != 0x7F);
  });
}

/// Origin form only: whoever sends another form means a proxy, which this is not.
bool is_target(std::string_view text) {
  return !text.empty() && text.front() == '/' && std::all_of(text.begin(), text.end(), [](char c) {
    constexpr std::string_view never = "\"<>\\^`{|}#";
    return c > 0x20 && c < 0x7F && never.find(c) == std::string_view::npos;
  });
}

bool is_host(std::string_view text) {
  const auto bracket = text.find(']');
  if (!text.empty() && text.front() == '[') {
    if (bracket == std::string_view::npos) return false;
    const auto inside = text.substr(1, bracket - 1);
    const bool address = !inside.empty() && inside.find_first_not_of("0123456789abcdefABCDEF:.") ==
                                                std::string_view::npos;
    text.remove_prefix(bracket + 1);
    if (!address || (!text.empty() && text.front() != ':')) return false;
  } else {
    const auto colon = text.find(':');
    const auto name = text.substr(0, colon);
    const bool ok = !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
      constexpr std::string_view others = "-._~!$&'()*+,;=%";
      return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
             others.find(c) != std::string_view::npos;
    });
    if (!ok) return false;
    text.remove_prefix(colon == std::string_view::npos ? text.size() : colon);
  }
  return text.empty() ||
         (text.size() <= 6 && text.find_first_not_of("0123456789", 1) == std::string_view::npos);
}

std::optional<head_fault> parse_request_line(std::string_view line, request_head& head) {
  const auto first = line.find(' ');
  const auto last = line.rfind(' ');
  if (first == std::string_view::npos || first == last)
    return head_fault{400, "The request line is not of HTTP/1.1."};
  const auto version = line.substr(last + 1);
  const bool http = version.size() == 8 && version.substr(0, 5) == "HTTP/" && version[6] == '.';
  if (!http) return head_fault{400, "The request line is not of HTTP/1.1."};
  if (version != "HTTP/1.1" && version != "HTTP/1.0")
    return head_fault{505, "Only HTTP/1.1 and HTTP/1.0 are spoken here."};
  head.minor_version = version == "HTTP/1.1" ? 1 : 0;
  head.keep_alive = head.minor_version == 1;
  head.method = line.substr(0, first);
  if (!is_token(head.method)) return head_fault{400, "The method is not a token."};
  const auto target = line.substr(first + 1, last - first - 1);
  if (!is_target(target)) return head_fault{400, "The request target must be a path."};
  head.path = target.substr(0, target.find('?'));
  return {};
}

std::optional<head_fault> parse_fields(std::string_view text, const request_limits& limits,
                                       request_head& head) {
  while (!text.empty()) {
    const auto end = text.find("\r\n");
    const auto line = text.substr(0, end);
    text.remove_prefix(end + 2);
    if (line.empty()) break;
    if (head.fields.size() + 1 >= limits.header_lines)
      return head_fault{431, "The request has too many header lines."};
    if (line.front() == ' ' || line.front() == '\t')
      return head_fault{400, "A header line is folded."};
    const auto colon = line.find(':');
    if (colon == std::string_view::npos || !is_token(line.substr(0, colon)))
      return head_fault{400, "A header field's name is not a token followed by a colon."};
    const auto value = trim(line.substr(colon + 1));
    if (!is_field_value(value)) return head_fault{400, "A header field holds control characters."};
    head.fields.emplace_back(to_lower(line.substr(0, colon)), value);
  }
  return {};
}

std::optional<head_fault> check_host(const request_head& head) {
  const auto hosts = head.count("host");
  if (hosts == 0 && head.minor_version == 0) return {};
  if (hosts != 1) return head_fault{400, "Exactly one Host field is required."};
  if (!is_host(*head.find("host"))) return head_fault{400, "The Host field is not a host."};
  return {};
}

std::optional<head_fault> check_framing(request_head& head) {
  const auto lengths = head.count("content-length");
  const auto encodings = head.count("transfer-encoding");
  if (lengths > 0 && encodings > 0)
    return head_fault{400, "Content-Length and Transfer-Encoding exclude each other."};
  if (lengths > 1) return head_fault{400, "Content-Length was sent more than once."};
  if (lengths == 1) {
    const std::string& digits = *head.find("content-length");
    const bool decimal =
        !digits.empty() && digits.find_first_not_of("0123456789") == std::string::npos;
    std::uint64_t length = 0;
    const auto [rest, error] =
        std::from_chars(digits.data(), digits.data() + digits.size(), length);
    if (!decimal || error != std::errc() || rest != digits.data() + digits.size())
      return head_fault{400, "Content-Length is not a number."};
    head.content_length = length;
  }
  if (encodings == 0) return {};
  if (head.minor_version == 0) return head_fault{400, "HTTP/1.0 has no Transfer-Encoding."};
  if (encodings > 1 || to_lower(*head.find("transfer-encoding")) != "chunked")
    return head_fault{501, "The only Transfer-Encoding that is understood is chunked."};
  head.chunked = true;
  return {};
}

} // namespace

const std::string* request_head::find(std::string_view name) const {
  const auto found = std::find_if(fields.begin(), fields.end(),
                                  [&](const auto& field) { return field.first == name; });
  return found == fields.end() ? nullptr : &found->second;
}

std::size_t request_head::count(std::string_view name) const {
  return static_cast<std::size_t>(std::count_if(
      fields.begin(), fields.end(), [&](const auto& field) { return field.first == name; }));
}

bool request_head::lists(std::string_view name, std::string_view token) const {
  for (const auto& [field, value] : fields) {
    if (field != name) continue;
    std::string_view rest = value;
    while (!rest.empty()) {
      const auto comma = std::min(rest.find(','), rest.size());
      if (to_lower(trim(rest.substr(0, comma))) == token) return true;
      rest.remove_prefix(std::min(comma + 1, rest.size()));
    }
  }
  return false;
}

std::variant<request_head, head_fault> parse_head(std::string_view text,
                                                  const request_limits& limits) {
  request_head head;
  const auto line_end = text.find("\r\n");
  if (auto fault = parse_request_line(text.substr(0, line_end), head)) return *fault;
  if (auto fault = parse_fields(text.substr(line_end + 2), limits, head)) return *fault;
  if (auto fault = check_host(head)) return *fault;
  if (auto fault = check_framing(head)) return *fault;
  if (head.lists("connection", "close"))
    head.keep_alive = false;
  else if (head.lists("connection", "keep-alive"))
    head.keep_alive = true;
  return head;
}

std::string to_lower(std::string_view text) {
  std::string lower(text);
  for (char& c : lower)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return lower;
}

} // namespace troupe
