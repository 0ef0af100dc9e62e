// What a model puts around a text: tokenizer.json's "post_processor", then what
// tokenizer_config.json says about it.
#pragma once

#include "config/sampling.hpp"

#include <vector>

namespace troupe {

class json_field;

struct surroundings {
  std::vector<token_id> before, after;
};

/// Reads TemplateProcessing (its template for a single text), ByteLevel (which adds nothing) or a
/// Sequence of them. Ids must be below `size`. Throws model_error for anything else.
surroundings read_post_processor(const json_field& field, std::size_t size);

} // namespace troupe
