// Unicode's normal forms.
#pragma once

#include <string>
#include <string_view>

namespace troupe {

/// NFC, NFKC (`compatible`), NFD or NFKD (not `compose`) of valid UTF-8. O(n log n), whatever marks
/// it piles up.
std::string unicode_form(std::string_view text, bool compose, bool compatible);

std::string lower_case(std::string_view text);

} // namespace troupe
