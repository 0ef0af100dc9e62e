// Python's backslash escapes in string literals.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace troupe::jinja {

/// The text a literal stands for; an unknown escape keeps its backslash. Throws template_error
/// naming `line`.
std::string unescape(std::string_view literal, std::uint32_t line);

} // namespace troupe::jinja
