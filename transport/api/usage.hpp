// What a whole answer cost, summed over its choices.
#pragma once

#include "actors/request.hpp"

#include <string>

namespace troupe {

/// Adds choice `choice` of `n` a prompt: a prompt counts once, however often it was continued.
void add_usage(token_usage& total, const token_usage& part, std::uint32_t choice, std::uint32_t n);

/// OpenAI's usage object.
std::string usage_text(const token_usage& usage);

} // namespace troupe
