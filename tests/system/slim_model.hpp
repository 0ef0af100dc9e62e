// A model folder with the example's tokenizer and chat template, and next to no weights: for tests
// in which nothing is computed, so that loading takes no time and a block of KV cache next to no
// memory.
#pragma once

#include "tests/model/model_folder.hpp"

namespace troupe {

/// Writes it into the folder. Its context is 2048 tokens.
void write_slim_model(const testing::temporary_folder& folder);

} // namespace troupe
