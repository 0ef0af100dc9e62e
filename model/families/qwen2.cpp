// Qwen 2 and 2.5 (2407.10671, 2412.15115): biases of queries, keys and values; a sliding window in
// the layers from max_window_layers on, where use_sliding_window switches it on.
#include "model/config_reader.hpp"
#include "model/families/common.hpp"
#include "model/families/family.hpp"

namespace troupe {

architecture read_qwen2(const config_reader& config) {
  architecture out = read_common(config);
  out.qkv_bias = true;
  const std::int32_t window =
      config.flag_or("use_sliding_window", false) ? read_window(config, "sliding_window") : 0;
  out.windows = read_windows(config, out.layers, window,
                             config.whole_or("max_window_layers", 28, 0, INT32_MAX));
  return out;
}

} // namespace troupe
