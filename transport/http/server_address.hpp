// Where a server is, as its user writes it.
#pragma once

#include <string>

namespace troupe {

struct server_address {
  std::string host; ///< without the brackets of IPv6
  std::string port = "80";
  std::string path; ///< that all of the server's paths begin with: empty, or like "/models"

  /// "127.0.0.1:8000", "[::1]:8000": what the Host header and messages say.
  std::string authority() const;
};

/// `url` is http://host[:port][/path]; a slash at its end, and a /v1 before that, may be there.
/// Throws std::invalid_argument where it is not.
server_address parse_server_address(const std::string& url);

} // namespace troupe
