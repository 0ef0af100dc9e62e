// What config.json says in the same words in every family served.
#pragma once

#include "model/architecture.hpp"

#include <string_view>

namespace troupe {

class config_reader;

/// The sizes, token ids, norms and rotary positions. Throws model_error where a field is wrong,
/// does not divide, or asks for what is not served. Biases, head norms and windows are the family's
/// to set; windows come as [layers] zeros. A head_dim that is absent is hidden / heads.
architecture read_common(const config_reader& config);

/// The window of each layer that `layer_types` names sliding_attention, 0 in the others. Without
/// layer_types the layers from `first_sliding` on have it. window 0 is none.
std::vector<std::int32_t> read_windows(const config_reader& config, std::int32_t layers,
                                       std::int32_t window, std::int64_t first_sliding);

/// `key` as a window of at least 1; 0 where it is null or absent.
std::int32_t read_window(const config_reader& config, std::string_view key);

} // namespace troupe
