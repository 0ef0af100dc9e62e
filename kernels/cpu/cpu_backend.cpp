// Cuts each op into ranges for the thread pool. How it is cut depends on the batch and the threads,
// and must not matter: every range computes whole rows, heads or panels.
#include "kernels/cpu/cpu_backend.hpp"

#include "kernels/cpu/attention.hpp"
#include "kernels/cpu/matmul.hpp"
#include "kernels/cpu/numbers.hpp"
#include "kernels/cpu/rope_cache.hpp"
#include "kernels/cpu/rows.hpp"
#include "kernels/cpu/thread_pool.hpp"
#include "kernels/sampling.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <sys/mman.h>

namespace troupe {

namespace {

/// Elements that a thread should have to touch before another one is worth waking.
constexpr std::int64_t elements_per_grain = 8192;
constexpr std::size_t huge_page = std::size_t{2} << 20;
constexpr std::int64_t bytes_per_grain = std::int64_t{256} << 10;

std::int64_t rows_per_grain(std::int64_t cols) {
  return std::max<std::int64_t>(1, elements_per_grain / std::max<std::int64_t>(1, cols));
}

/// MemAvailable of the kernel, in bytes; 0 where it cannot be read.
std::size_t available_memory() {
  std::ifstream info("/proc/meminfo");
  for (std::string word; info >> word;)
    if (word == "MemAvailable:") {
      std::size_t kib = 0;
      info >> kib;
      return kib << 10;
    }
  return 0;
}

float* row_of(const matrix& m, std::int64_t row) {
  return static_cast<float*>(m.data) + row * m.cols;
}

/// Packs the rows begin .. end of a part that stands at row `first`, a panel's worth at a time.
void pack_range(void* to, std::int64_t first, const host_matrix& part, std::int64_t begin,
                std::int64_t end) {
  const std::size_t row_bytes = static_cast<std::size_t>(part.cols) * size_of(part.type);
  const auto buffer = std::make_unique_for_overwrite<std::byte[]>(panel_width * row_bytes);
  for (std::int64_t row = begin; row < end; row += panel_width) {
    const std::int64_t rows = std::min(panel_width, end - row);
    part.copy_to({buffer.get(), static_cast<std::size_t>(rows) * row_bytes},
                 static_cast<std::uint64_t>(row) * row_bytes);
    pack_rows(to, first + row, {buffer.get(), part.type, rows, part.cols});
  }
}

/// Nothing is ever under way here: an op is done when its call returns.
class cpu_fence final : public fence {
 public:
  bool reached() override { return true; }
  double seconds_since(const fence& earlier) const override {
    return std::chrono::duration<double>(at_ - dynamic_cast<const cpu_fence&>(earlier).at_).count();
  }

 private:
  std::chrono::steady_clock::time_point at_ = std::chrono::steady_clock::now();
};

class cpu_samples final : public pending_samples {
 public:
  explicit cpu_samples(std::vector<sampled_token> chosen) : chosen_(std::move(chosen)) {}
  std::vector<sampled_token> take() override { return std::move(chosen_); }

 private:
  std::vector<sampled_token> chosen_;
};

class cpu_backend final : public backend {
 public:
  explicit cpu_backend(const cpu_options& options)
      : pool_({options.threads, options.pin, options.spin}) {}

  std::string name() const override { return fmt::format("cpu, {} threads", pool_.size()); }
  dtype activation_type() const override { return dtype::f32; }
  std::size_t free_memory() const override { return available_memory(); }

  std::uint64_t weight_bytes(std::int64_t rows, std::int64_t cols, dtype type) const override {
    return packed_bytes(rows, cols, type);
  }
  memory allocate(std::size_t bytes) override;
  void upload(void* device, const void* host, std::size_t bytes) override {
    if (bytes > 0) std::memcpy(device, host, bytes);
  }
  void download(void* host, const void* device, std::size_t bytes) override {
    if (bytes > 0) std::memcpy(host, device, bytes);
  }
  void copy(void* to, const void* from, std::size_t bytes) override;
  void wait() override {}
  std::unique_ptr<fence> mark() override { return std::make_unique<cpu_fence>(); }

  std::pair<matrix, memory> load_weight(std::span<const host_matrix> parts) override;
  std::pair<matrix, memory> load_vector(const host_matrix& vector) override;

  void take_chosen(token_id* ids, const std::int32_t* from, const token_id* chosen,
                   std::int32_t tokens) override;
  void place(std::int32_t* table, const std::int32_t* changes, std::int32_t count) override;
  void embed(matrix out, const matrix& table, const token_id* ids) override;
  void add_rms_norm(matrix out, matrix residual, const matrix& delta, const matrix& weight,
                    float epsilon) override;
  void matmul(matrix out, const matrix& x, const matrix& weight, const matrix& bias) override;
  void gated_matmul(matrix out, const matrix& x, const matrix& gate_up, const matrix& bias,
                    matrix scratch) override;
  void norm_rope_store(matrix qkv, const matrix& query_norm, const matrix& key_norm, float epsilon,
                       const rope_table& rope, const head_shape& heads, const kv_pages& pages,
                       const batch_view& batch) override;
  void attention(matrix out, const matrix& qkv, const head_shape& heads, const kv_pages& pages,
                 const batch_view& batch, float scale, std::int32_t window, float softcap) override;
  void begin(const batch_view&) override {}
  void gather_rms_norm(matrix out, const matrix& residual, const matrix& delta,
                       const matrix& weight, float epsilon, const std::int32_t* rows) override;
  std::unique_ptr<pending_samples> sample(const matrix& logits, std::span<const sample_row> rows,
                                          token_id* chosen) override;

 private:
  /// Rows of a block of matmul: as many as give every thread a few pieces of work.
  std::int64_t block_rows(std::int64_t rows, std::int64_t panels) const;

  thread_pool pool_;
  rope_cache rope_cache_;
  std::vector<attention_task> tasks_;
};

memory cpu_backend::allocate(std::size_t bytes) {
  const std::size_t alignment = bytes >= 2 * huge_page ? huge_page : 64;
  const std::size_t rounded = (std::max(bytes, std::size_t{1}) + alignment - 1) & ~(alignment - 1);
  void* const data = rounded < bytes || (rounded >= huge_page && rounded > free_memory())
                         ? nullptr
                         : std::aligned_alloc(alignment, rounded);
  if (data == nullptr)
    throw device_error(fmt::format("cpu: {} bytes asked for, {} available", bytes, free_memory()));
  if (alignment == huge_page)
    madvise(data, rounded, MADV_HUGEPAGE); // a hint: refusal changes
                                           // nothing but speed
  return {static_cast<std::byte*>(data), [](std::byte* p) { std::free(p); }};
}

void cpu_backend::copy(void* to, const void* from, std::size_t bytes) {
  pool_.parallel_for(static_cast<std::int64_t>(bytes), bytes_per_grain,
                     [&](std::int64_t begin, std::int64_t end) {
                       std::memcpy(static_cast<std::byte*>(to) + begin,
                                   static_cast<const std::byte*>(from) + begin,
                                   static_cast<std::size_t>(end - begin));
                     });
}

std::pair<matrix, memory> cpu_backend::load_weight(std::span<const host_matrix> parts) {
  if (parts.empty()) throw std::invalid_argument("load_weight: no parts");
  matrix weight{nullptr, parts[0].type, 0, parts[0].cols};
  for (const host_matrix& part : parts) {
    if (part.type != weight.type || part.cols != weight.cols)
      throw std::invalid_argument(fmt::format(
          "load_weight: a part has type {} and {} columns, the first has {} and {}",
          static_cast<int>(part.type), part.cols, static_cast<int>(weight.type), weight.cols));
    weight.rows += part.rows;
  }
  const std::size_t bytes = packed_bytes(weight.rows, weight.cols, weight.type);
  memory data = allocate(bytes);
  weight.data = data.get();
  const std::int64_t in_last_panel = weight.rows % panel_width;
  if (in_last_panel != 0) {
    const std::size_t panel = packed_bytes(panel_width, weight.cols, weight.type);
    std::memset(data.get() + bytes - panel, 0, panel);
  }
  std::int64_t first = 0;
  for (const host_matrix& part : parts) {
    pool_.parallel_for(part.rows, panel_width, [&](std::int64_t begin, std::int64_t end) {
      pack_range(weight.data, first, part, begin, end);
    });
    first += part.rows;
  }
  return {weight, std::move(data)};
}

std::pair<matrix, memory> cpu_backend::load_vector(const host_matrix& vector) {
  const std::int64_t n = vector.rows * vector.cols;
  memory data = allocate(static_cast<std::size_t>(n) * sizeof(float));
  matrix result{data.get(), dtype::f32, 1, n};
  for (std::int64_t i = 0; i < n; ++i)
    static_cast<float*>(result.data)[i] =
        element(vector.data, vector.type, static_cast<std::size_t>(i));
  return {result, std::move(data)};
}

void cpu_backend::take_chosen(token_id* ids, const std::int32_t* from, const token_id* chosen,
                              std::int32_t tokens) {
  for (std::int32_t t = 0; t < tokens; ++t)
    if (from[t] >= 0) ids[t] = chosen[from[t]];
}

void cpu_backend::place(std::int32_t* table, const std::int32_t* changes, std::int32_t count) {
  for (std::int64_t i = 0; i < count; ++i) table[changes[2 * i]] = changes[2 * i + 1];
}

void cpu_backend::embed(matrix out, const matrix& table, const token_id* ids) {
  for (std::int64_t row = 0; row < out.rows; ++row)
    if (ids[row] < 0 || ids[row] >= table.rows)
      throw std::out_of_range(fmt::format("embed: token id {} of row {} is outside the table of {}",
                                          ids[row], row, table.rows));
  // A gathered element costs a cache line.
  pool_.parallel_for(out.rows, rows_per_grain(8 * out.cols),
                     [&](std::int64_t begin, std::int64_t end) {
                       for (std::int64_t row = begin; row < end; ++row)
                         unpack_row(row_of(out, row), table, ids[row]);
                     });
}

void cpu_backend::add_rms_norm(matrix out, matrix residual, const matrix& delta,
                               const matrix& weight, float epsilon) {
  pool_.parallel_for(out.rows, rows_per_grain(out.cols), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t row = begin; row < end; ++row)
      add_rms_norm_row(row_of(out, row), row_of(residual, row),
                       delta.data == nullptr ? nullptr : row_of(delta, row),
                       static_cast<const float*>(weight.data), out.cols, epsilon);
  });
}

std::int64_t cpu_backend::block_rows(std::int64_t rows, std::int64_t panels) const {
  std::int64_t block = max_block_rows;
  const auto pieces = [&] { return panels * ((rows + block - 1) / block); };
  while (block > 12 && pieces() < 4 * pool_.size()) block /= 2;
  return block;
}

void cpu_backend::matmul(matrix out, const matrix& x, const matrix& weight, const matrix& bias) {
  assert(x.cols == weight.cols && out.cols == weight.rows && out.rows == x.rows);
  const std::int64_t panels = panels_of(weight.rows);
  const std::int64_t block = block_rows(x.rows, panels);
  const std::int64_t blocks = (x.rows + block - 1) / block;
  const std::int64_t grain = std::max<std::int64_t>(
      1, 16 * elements_per_grain / (weight.cols * panel_width * std::min(block, x.rows) + 1));
  pool_.parallel_for(panels * blocks, grain, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      const std::int64_t first = i % blocks * block;
      matmul_panel(out, x, weight, static_cast<const float*>(bias.data), i / blocks, first,
                   std::min(x.rows, first + block));
    }
  });
}

void cpu_backend::norm_rope_store(matrix qkv, const matrix& query_norm, const matrix& key_norm,
                                  float epsilon, const rope_table& rope, const head_shape& heads,
                                  const kv_pages& pages, const batch_view& batch) {
  const std::int64_t dim = heads.head_dim;
  const float* const angles =
      rope_cache_.find(rope, heads.head_dim / 2, batch.positions, batch.tokens, pool_);
  const auto token = [&](std::int64_t row) {
    const float* const cosines = angles + row * dim;
    float* const queries = row_of(qkv, row);
    float* const keys = queries + heads.heads * dim;
    const auto turn = [&](float* head, const matrix& norm) {
      norm_rope_head(head, static_cast<const float*>(norm.data), dim, epsilon, cosines,
                     cosines + dim / 2);
    };
    for (std::int64_t head = 0; head < heads.heads; ++head) turn(queries + head * dim, query_norm);
    for (std::int64_t head = 0; head < heads.kv_heads; ++head) turn(keys + head * dim, key_norm);
    const std::int32_t position = batch.positions[row];
    const std::int64_t block =
        batch.block_tables[static_cast<std::int64_t>(batch.table_of[row]) * batch.table_stride +
                           position / pages.block_tokens];
    const std::int64_t place = block * pages.block_tokens + position % pages.block_tokens;
    const std::int64_t width = heads.kv_heads * dim;
    std::copy_n(keys, width, row_of(pages.keys, place));
    std::copy_n(keys + width, width, row_of(pages.values, place));
  };
  pool_.parallel_for(batch.tokens, rows_per_grain(4 * qkv.cols),
                     [&](std::int64_t begin, std::int64_t end) {
                       for (std::int64_t row = begin; row < end; ++row) token(row);
                     });
}

void cpu_backend::attention(matrix out, const matrix& qkv, const head_shape& heads,
                            const kv_pages& pages, const batch_view& batch, float scale,
                            std::int32_t window, float softcap) {
  assert(heads.head_dim <= max_head_dim && heads.heads % heads.kv_heads == 0);
  const attention_inputs inputs{out, qkv, heads, pages, batch, scale, window, softcap};
  const std::int32_t group = heads.heads / heads.kv_heads;
  const std::int32_t heads_of_task = std::min(group, max_task_queries);
  const std::int32_t rows_of_task = max_task_queries / heads_of_task;
  tasks_.clear();
  for (std::int32_t sequence = 0; sequence < batch.sequences; ++sequence)
    for (std::int32_t head = 0; head < heads.heads;) {
      const std::int32_t left_in_group = group - head % group;
      const std::int32_t count = std::min(left_in_group, heads_of_task);
      for (std::int32_t row = batch.first_row[sequence]; row < batch.first_row[sequence + 1];
           row += rows_of_task)
        tasks_.push_back(
            {row, std::min(rows_of_task, batch.first_row[sequence + 1] - row), head, count});
      head += count;
    }
  pool_.parallel_for(static_cast<std::int64_t>(tasks_.size()), 1,
                     [&](std::int64_t begin, std::int64_t end) {
                       for (std::int64_t i = begin; i < end; ++i)
                         attend(inputs, tasks_[static_cast<std::size_t>(i)]);
                     });
}

void cpu_backend::gated_matmul(matrix out, const matrix& x, const matrix& gate_up,
                               const matrix& bias, matrix scratch) {
  matmul(scratch, x, gate_up, bias);
  pool_.parallel_for(out.rows, rows_per_grain(4 * out.cols),
                     [&](std::int64_t begin, std::int64_t end) {
                       for (std::int64_t row = begin; row < end; ++row) {
                         const float* const gate = row_of(scratch, row);
                         silu_mul_row(row_of(out, row), gate, gate + out.cols, out.cols);
                       }
                     });
}

void cpu_backend::gather_rms_norm(matrix out, const matrix& residual, const matrix& delta,
                                  const matrix& weight, float epsilon, const std::int32_t* rows) {
  pool_.parallel_for(out.rows, rows_per_grain(out.cols), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t row = begin; row < end; ++row) {
      float* const to = row_of(out, row);
      std::copy_n(row_of(residual, rows[row]), out.cols, to);
      add_rms_norm_row(to, to, delta.data == nullptr ? nullptr : row_of(delta, rows[row]),
                       static_cast<const float*>(weight.data), out.cols, epsilon);
    }
  });
}

std::unique_ptr<pending_samples>
cpu_backend::sample(const matrix& logits, std::span<const sample_row> rows, token_id* chosen) {
  std::vector<sampled_token> out(rows.size());
  pool_.parallel_for(static_cast<std::int64_t>(rows.size()), rows_per_grain(8 * logits.cols),
                     [&](std::int64_t begin, std::int64_t end) {
                       sampling_scratch scratch;
                       for (auto i = static_cast<std::size_t>(begin);
                            i < static_cast<std::size_t>(end); ++i)
                         out[i] = sample_token({row_of(logits, rows[i].logits_row),
                                                static_cast<std::size_t>(logits.cols)},
                                               rows[i], scratch);
                     });
  for (std::size_t i = 0; i < rows.size(); ++i)
    if (rows[i].keep >= 0) chosen[rows[i].keep] = out[i].id;
  return std::make_unique<cpu_samples>(std::move(out));
}

} // namespace

std::unique_ptr<backend> make_cpu_backend(const cpu_options& options) {
  return std::make_unique<cpu_backend>(options);
}

} // namespace troupe
