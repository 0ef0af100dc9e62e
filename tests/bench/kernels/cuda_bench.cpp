// What the kernels of the CUDA backend reach of the device's two yardsticks, bytes copied and
// matrices multiplied: cuda_bench [PART OF A NAME]. Shapes are those of Llama-3.1-8B. All data is
// random, caches are cold (buffers take turns until they exceed them), times are the device's own,
// medians of several samples after a warm-up.
#include "kernels/cuda/cuda_backend.hpp"
#include "kernels/yardsticks.hpp"
#include "tests/bench/kernels/device_data.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <numeric>
#include <random>
#include <string_view>

namespace troupe {
namespace {

constexpr std::int64_t hidden = 4096, ffn = 14336, vocab = 128256;
constexpr head_shape heads{32, 8, 128};
constexpr std::int64_t qkv_width = (32 + 2 * 8) * 128;

/// Integers on the device.
class integers {
 public:
  integers(backend& device, const std::vector<std::int32_t>& values)
      : memory_(device.allocate(values.size() * sizeof(std::int32_t))) {
    device.upload(memory_.get(), values.data(), values.size() * sizeof(std::int32_t));
  }
  const std::int32_t* data() const { return reinterpret_cast<const std::int32_t*>(memory_.get()); }

 private:
  memory memory_;
};

/// A batch of sequences of `rows` new tokens each behind `contexts` tokens.
struct batch_of {
  batch_of(backend& device, std::int32_t rows, const std::vector<std::int32_t>& contexts,
           std::int32_t block_tokens)
      : pages_tokens(0) {
    const auto sequences = static_cast<std::int32_t>(contexts.size());
    const std::int32_t longest = *std::ranges::max_element(contexts) + rows;
    const std::int32_t stride = (longest + block_tokens - 1) / block_tokens;
    std::vector<std::int32_t> positions, sequence_of, first_row{0};
    std::vector<std::int32_t> tables(static_cast<std::size_t>(sequences) * stride);
    std::vector<std::int32_t> order;
    for (std::int32_t s = 0; s < sequences; ++s)
      for (std::int32_t b = 0; b * block_tokens < contexts[s] + rows; ++b)
        order.push_back(s * stride + b);
    std::shuffle(order.begin(), order.end(), std::mt19937(2));
    for (std::size_t i = 0; i < order.size(); ++i) tables[order[i]] = static_cast<std::int32_t>(i);
    for (std::int32_t s = 0; s < sequences; ++s) {
      runs.push_back({s * rows, rows, contexts[s], s});
      for (std::int32_t i = 0; i < rows; ++i) {
        positions.push_back(contexts[s] + i);
        sequence_of.push_back(s);
      }
      first_row.push_back(static_cast<std::int32_t>(positions.size()));
    }
    owners.reserve(4);
    view.tokens = static_cast<std::int32_t>(positions.size());
    view.sequences = sequences;
    view.positions = owners.emplace_back(device, positions).data();
    view.sequence_of = owners.emplace_back(device, sequence_of).data();
    view.first_row = owners.emplace_back(device, first_row).data();
    view.table_of = view.sequence_of;
    view.block_tables = owners.emplace_back(device, tables).data();
    view.table_stride = stride;
    view.runs = runs;
    pages_tokens = static_cast<std::int64_t>(order.size()) * block_tokens;
  }

  std::vector<integers> owners;
  std::vector<sequence_rows> runs;
  batch_view view;
  std::int64_t pages_tokens;
};

class bench {
 public:
  explicit bench(std::string_view wanted)
      : wanted_(wanted), device_(make_cuda_backend({dtype::bf16, false, {}})) {
    rates_ = measure_yardsticks(*device_, dtype::bf16);
    fmt::print(
        "{}: {:.2f} TB/s copied, {:.0f} TFLOP/s in matrices\n\n{:<44}{:>10}{:>10}{:>10}{:>8}\n",
        device_->name(), rates_.copy_rate / 1e12, rates_.matrix_rate / 1e12, "", "us", "TB/s",
        "TFLOP/s", "ratio");
  }

  void products() {
    if (!is_wanted("matmul")) return;
    struct shape {
      const char* name;
      std::int64_t n, k;
      dtype out;
      bool gated = false;
    };
    for (const shape& s :
         {shape{"qkv", qkv_width, hidden, dtype::bf16},
          shape{"output", hidden, hidden, dtype::bf16},
          shape{"gate_up", 2 * ffn, hidden, dtype::bf16},
          shape{"gated", 2 * ffn, hidden, dtype::bf16, true},
          shape{"down", hidden, ffn, dtype::bf16}, shape{"head", vocab, hidden, dtype::f32}}) {
      std::vector<filled> weights;
      const std::int64_t copies = std::max<std::int64_t>(2, cache_bytes / (s.n * s.k * 2) + 1);
      for (std::int64_t i = 0; i < copies; ++i) weights.emplace_back(*device_, s.n, s.k);
      for (const std::int64_t rows : {1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 2048}) {
        if (s.out == dtype::f32 && rows > 256) continue;
        const filled x(*device_, rows, s.k), scratch(*device_, rows, s.n, s.out);
        const filled out(*device_, rows, s.gated ? s.n / 2 : s.n, s.out);
        std::size_t turn = 0;
        const double seconds = seconds_of(
            [&] {
              const matrix& weight = weights[turn++ % weights.size()].view();
              if (s.gated)
                device_->gated_matmul(out.view(), x.view(), weight, {}, scratch.view());
              else
                device_->matmul(out.view(), x.view(), weight, {});
            },
            20);
        show(fmt::format("matmul {} {}", s.name, rows), seconds, 2.0 * s.n * s.k,
             2.0 * rows * s.n * s.k);
      }
    }
  }

  /// What a decoder issues for `count` sequences of 128 tokens, over 8 layers' weights and no head.
  void layers(std::int32_t count) {
    if (!is_wanted("layers")) return;
    constexpr int layers = 8;
    const auto weights_of = [&](std::int64_t n, std::int64_t k) {
      std::vector<filled> weights;
      for (int i = 0; i < layers; ++i) weights.emplace_back(*device_, n, k);
      return weights;
    };
    const auto qkvs = weights_of(qkv_width, hidden), outputs = weights_of(hidden, hidden);
    const auto gate_ups = weights_of(2 * ffn, hidden), downs = weights_of(hidden, ffn);
    const std::vector<float> ones(hidden, 1.0F);
    const auto norm = device_->load_vector({ones.data(), dtype::f32, 1, hidden});
    const batch_of batch(*device_, 1, std::vector<std::int32_t>(count, 127), 16);
    const filled residual(*device_, count, hidden), normed(*device_, count, hidden);
    const filled qkv(*device_, count, qkv_width), attended(*device_, count, hidden);
    const filled added(*device_, count, hidden), gate_up(*device_, count, 2 * ffn);
    const filled activated(*device_, count, ffn);
    const filled keys(*device_, batch.pages_tokens, 1024),
        values(*device_, batch.pages_tokens, 1024);
    const kv_pages pages{keys.view(), values.view(), 16};
    const std::vector<float> frequencies(64, 0.01F);
    device_->begin(batch.view);
    const auto layer = [&](std::size_t i) {
      device_->add_rms_norm(normed.view(), residual.view(), added.view(), norm.first, 1e-5F);
      device_->matmul(qkv.view(), normed.view(), qkvs[i].view(), {});
      device_->norm_rope_store(qkv.view(), {}, {}, 1e-5F, {frequencies.data(), 1.0F}, heads, pages,
                               batch.view);
      device_->attention(attended.view(), qkv.view(), heads, pages, batch.view,
                         1.0F / std::sqrt(128.0F), 0, 0);
      device_->matmul(added.view(), attended.view(), outputs[i].view(), {});
      device_->add_rms_norm(normed.view(), residual.view(), added.view(), norm.first, 1e-5F);
      device_->gated_matmul(activated.view(), normed.view(), gate_ups[i].view(), {},
                            gate_up.view());
      device_->matmul(added.view(), activated.view(), downs[i].view(), {});
    };
    const double seconds = seconds_of(
        [&] {
          for (std::size_t i = 0; i < layers; ++i) layer(i);
        },
        5);
    const double numbers = layers * (static_cast<double>(qkv_width + hidden + 3 * ffn) * hidden);
    show(fmt::format("layers {}, of 8", count), seconds, 2 * numbers, 2 * numbers * count);
  }

  void attention(const char* name, std::int32_t rows, const std::vector<std::int32_t>& contexts,
                 std::int32_t block_tokens) {
    const std::string title = fmt::format("attention {}, pages of {}", name, block_tokens);
    if (!is_wanted(title)) return;
    const batch_of batch(*device_, rows, contexts, block_tokens);
    const std::int64_t width = heads.kv_heads * heads.head_dim;
    const filled qkv(*device_, batch.view.tokens, qkv_width);
    const filled out(*device_, batch.view.tokens, hidden);
    const std::int64_t bytes = batch.pages_tokens * width * 4;
    std::vector<filled> pages;
    for (int i = 0; i < 2 * std::max<std::int64_t>(1, cache_bytes / bytes + 1); ++i)
      pages.emplace_back(*device_, batch.pages_tokens, width);
    double pairs = 0, tokens = 0;
    for (const std::int32_t context : contexts) {
      pairs += static_cast<double>(rows) * (context + (rows + 1) / 2.0);
      tokens += context + rows;
    }
    device_->begin(batch.view);
    std::size_t turn = 0;
    const double seconds = seconds_of(
        [&] {
          const std::size_t i = 2 * (turn++ % (pages.size() / 2));
          device_->attention(out.view(), qkv.view(), heads,
                             {pages[i].view(), pages[i + 1].view(), block_tokens}, batch.view,
                             1.0F / std::sqrt(128.0F), 0, 0);
        },
        10);
    show(title, seconds, tokens * width * 4 + 4.0 * batch.view.tokens * hidden,
         4.0 * pairs * hidden);
  }

  void rows(std::int32_t count) {
    if (!is_wanted("rows")) return;
    const filled x(*device_, count, hidden), delta(*device_, count, hidden),
        normed(*device_, count, hidden);
    const std::vector<float> ones(ffn, 1.0F);
    const host_matrix vector{ones.data(), dtype::f32, 1, hidden};
    const auto weight = device_->load_vector(vector);
    show(fmt::format("add_rms_norm {}", count),
         seconds_of(
             [&] {
               device_->add_rms_norm(normed.view(), x.view(), delta.view(), weight.first, 1e-5F);
             },
             50),
         8.0 * count * hidden, 0);
    const batch_of batch(*device_, 1, std::vector<std::int32_t>(count, 100), 16);
    const filled qkv(*device_, count, qkv_width), keys(*device_, batch.pages_tokens, 1024),
        values(*device_, batch.pages_tokens, 1024);
    const std::vector<float> frequencies(64, 0.01F);
    show(fmt::format("norm_rope_store {}", count),
         seconds_of(
             [&] {
               device_->norm_rope_store(qkv.view(), {}, {}, 1e-5F, {frequencies.data(), 1.0F},
                                        heads, {keys.view(), values.view(), 16}, batch.view);
             },
             50),
         4.0 * count * qkv_width, 0);
  }

  void sampling(const char* name, std::int32_t count, const sampling_params& params) {
    const std::string title = fmt::format("sample {} {}", name, count);
    if (!is_wanted(title)) return;
    const filled logits(*device_, count, vocab, dtype::f32);
    {
      std::mt19937 random(3);
      std::normal_distribution<float> normal(0, 3);
      std::vector<float> row(static_cast<std::size_t>(vocab));
      for (std::int32_t i = 0; i < count; ++i) {
        if (i < 8)
          for (float& value : row) value = normal(random);
        device_->upload(static_cast<float*>(logits.view().data) + i * vocab, row.data(),
                        row.size() * sizeof(float));
      }
    }
    const memory chosen = device_->allocate(static_cast<std::size_t>(count) * sizeof(token_id));
    std::vector<sample_row> wanted(static_cast<std::size_t>(count));
    const std::vector<token_id> ids(200, 7);
    for (std::int32_t i = 0; i < count; ++i)
      wanted[i] = {.logits_row = i, .params = &params, .position = 200, .keep = i, .ids = ids};
    std::vector<std::unique_ptr<pending_samples>> pending;
    const double seconds = seconds_of(
        [&] {
          pending.push_back(
              device_->sample(logits.view(), wanted, reinterpret_cast<token_id*>(chosen.get())));
          if (pending.size() > 8) pending.erase(pending.begin());
        },
        5);
    for (auto& each : pending) each->take();
    show(title, seconds, 4.0 * count * vocab, 0);
  }

 private:
  bool is_wanted(std::string_view name) const { return name.find(wanted_) != name.npos; }

  /// Of one call of `op`.
  template <class Op>
  double seconds_of(Op&& op, int repeats) {
    for (int i = 0; i < 3; ++i) op();
    device_->wait();
    return median_of([&] {
      const auto begin = device_->mark();
      for (int i = 0; i < repeats; ++i) op();
      const auto end = device_->mark();
      device_->wait();
      return end->seconds_since(*begin) / repeats;
    });
  }

  /// The ratio is the floor, whichever yardstick gives it, over the time.
  void show(const std::string& name, double seconds, double bytes, double operations) const {
    const double floor = std::max(bytes / rates_.copy_rate, operations / rates_.matrix_rate);
    fmt::print("{:<44}{:>10.2f}{:>10.3f}{:>10.1f}{:>7.1f}%\n", name, seconds * 1e6,
               bytes / seconds / 1e12, operations / seconds / 1e12, 100 * floor / seconds);
    std::fflush(stdout);
  }

  std::string wanted_;
  std::unique_ptr<backend> device_;
  yardsticks rates_;
};

int run(std::string_view wanted) {
  if (cuda_devices() == 0) {
    fmt::print("there is no GPU\n");
    return 1;
  }
  bench on(wanted);
  for (const std::int32_t count : {1, 8, 16, 256}) on.layers(count);
  on.products();
  for (const std::int32_t block_tokens : {16, 64}) {
    on.attention("decode 64 x 4K", 1, std::vector<std::int32_t>(64, 4095), block_tokens);
    on.attention("decode 256 x 192", 1, std::vector<std::int32_t>(256, 191), block_tokens);
    on.attention("decode 1 x 128", 1, {127}, block_tokens);
    std::vector<std::int32_t> mixed(32, 4095);
    mixed[7] = 128 * 1024 - 1;
    on.attention("decode 1 x 128K + 31 x 4K", 1, mixed, block_tokens);
    on.attention("decode 1 x 128K", 1, {128 * 1024 - 1}, block_tokens);
    on.attention("verify 4 rows, 64 x 4K", 4, std::vector<std::int32_t>(64, 4092), block_tokens);
    on.attention("prefill 1 x 2K", 2048, {0}, block_tokens);
    on.attention("prefill 1 x 8K", 8192, {0}, block_tokens);
    on.attention("prefill 16 x 512", 512, std::vector<std::int32_t>(16, 0), block_tokens);
    on.attention("prefill 2K behind 8K", 2048, {8192}, block_tokens);
  }
  for (const std::int32_t count : {1, 16, 256, 2048}) on.rows(count);
  sampling_params greedy, warm, nucleus;
  greedy.temperature = 0;
  warm.temperature = nucleus.temperature = 0.8F;
  nucleus.top_p = 0.9F;
  nucleus.top_k = 50;
  for (const std::int32_t count : {1, 64, 256, 1024}) {
    on.sampling("greedy", count, greedy);
    on.sampling("temperature", count, warm);
    on.sampling("top_p", count, nucleus);
  }
  return 0;
}

} // namespace
} // namespace troupe

int main(int argc, char** argv) { return troupe::run(argc > 1 ? argv[1] : ""); }
