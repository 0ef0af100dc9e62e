// What the decoder tells its device beside the ops.
#include "kernels/cpu/cpu_backend.hpp"
#include "tests/model/forwarding_backend.hpp"
#include "tests/model/served.hpp"

#include <gmock/gmock.h>

namespace troupe {
namespace {

using testing::generate;
using testing::loaded_model;

/// Writes down the weights of products, and what was announced one product before each.
class listening_backend : public testing::forwarding_backend {
 public:
  using forwarding_backend::forwarding_backend;

  void announce(const matrix& weight) override { announced_ = weight.data; }
  void matmul(matrix out, const matrix& x, const matrix& weight, const matrix& bias) override {
    read(weight);
    forwarding_backend::matmul(out, x, weight, bias);
  }
  void gated_matmul(matrix out, const matrix& x, const matrix& gate_up, const matrix& bias,
                    matrix scratch) override {
    read(gate_up);
    forwarding_backend::gated_matmul(out, x, gate_up, bias, scratch);
  }

  std::vector<const void*> products, announced;

 private:
  void read(const matrix& weight) {
    products.push_back(weight.data);
    announced.push_back(std::exchange(coming_, std::exchange(announced_, nullptr)));
  }

  const void* announced_ = nullptr; // since the last product
  const void* coming_ = nullptr;    // before it
};

TEST(Decoder, AnnouncesTheWeightOfEachProductOneProductBefore) {
  for (const char* const name : {"llama-llama3-untied", "qwen3-norm"}) {
    SCOPED_TRACE(name);
    auto device = std::make_unique<listening_backend>(make_cpu_backend({}));
    listening_backend& heard = *device;
    const loaded_model model(std::filesystem::path(TROUPE_GOLDEN) / "tiny" / name,
                             std::move(device));
    generate(model, {{.ids = {3, 5}, .sampling = testing::greedy(), .new_tokens = 1}});
    auto want = heard.products; // of one step
    ASSERT_EQ(want.size(), 4U * static_cast<std::size_t>(model.model->model().layers) + 1);
    want[0] = nullptr; // nothing comes before the first
    EXPECT_EQ(heard.announced, want);
  }
}

} // namespace
} // namespace troupe
