// The bodies of the answers that tell what the server is and how it does.
#pragma once

#include "actors/messages.hpp"

#include <string>

namespace troupe {

/// {"status":"ok"}, or why not with how far loading is.
std::string health_text(const health& state);
/// OpenAI's model object.
std::string model_text(const model_description& model);
/// The list of the one model.
std::string model_list_text(const model_description& model);

} // namespace troupe
