// Llama 2 and 3 (2307.09288, 2407.21783) and what was trained in their shape.
#include "model/config_reader.hpp"
#include "model/families/common.hpp"
#include "model/families/family.hpp"

namespace troupe {

architecture read_llama(const config_reader& config) {
  architecture out = read_common(config);
  out.qkv_bias = out.output_bias = config.flag_or("attention_bias", false);
  out.mlp_bias = config.flag_or("mlp_bias", false);
  return out;
}

} // namespace troupe
