// Mistral (2310.06825): Llama's shape with a sliding window in every layer. Later releases set
// sliding_window to null; a file that does not speak of it means the first release's 4096.
#include "model/config_reader.hpp"
#include "model/families/common.hpp"
#include "model/families/family.hpp"

namespace troupe {

architecture read_mistral(const config_reader& config) {
  architecture out = read_common(config);
  const std::int32_t window =
      config.names("sliding_window") ? read_window(config, "sliding_window") : 4096;
  out.windows = read_windows(config, out.layers, window, 0);
  return out;
}

} // namespace troupe
