// Qwen 3 (2505.09388), dense: an RMS norm of each query and key head instead of Qwen 2's biases,
// and heads whose size is not hidden / heads.
#include "model/config_reader.hpp"
#include "model/families/common.hpp"
#include "model/families/family.hpp"

namespace troupe {

architecture read_qwen3(const config_reader& config) {
  architecture out = read_common(config);
  out.qkv_bias = out.output_bias = config.flag_or("attention_bias", false);
  out.head_norm = true;
  if (!config.has("head_dim")) out.head_dim = 128;
  const std::int32_t window =
      config.flag_or("use_sliding_window", false) ? read_window(config, "sliding_window") : 0;
  out.windows = read_windows(config, out.layers, window,
                             config.whole_or("max_window_layers", 28, 0, INT32_MAX));
  return out;
}

} // namespace troupe
