// A backend that hands everything on to another one. Tests override what they want to disturb.
#pragma once

#include "kernels/ops.hpp"

#include <utility>

namespace troupe::testing {

/// Wraps a backend whose memory the host can read.
class forwarding_backend : public backend {
 public:
  explicit forwarding_backend(std::unique_ptr<backend> inner) : inner_(std::move(inner)) {}

  std::string name() const override { return inner_->name(); }
  bool failed() const override { return inner_->failed(); }
  bool is_gpu() const override { return inner_->is_gpu(); }
  dtype activation_type() const override { return inner_->activation_type(); }
  std::size_t free_memory() const override { return inner_->free_memory(); }
  std::uint64_t reserve(const step_limits& limits) override { return inner_->reserve(limits); }
  std::uint64_t weight_bytes(std::int64_t rows, std::int64_t cols, dtype type) const override {
    return inner_->weight_bytes(rows, cols, type);
  }
  memory allocate(std::size_t bytes) override { return inner_->allocate(bytes); }
  void upload(void* device, const void* host, std::size_t bytes) override {
    inner_->upload(device, host, bytes);
  }
  void download(void* host, const void* device, std::size_t bytes) override {
    inner_->download(host, device, bytes);
  }
  void copy(void* to, const void* from, std::size_t bytes) override {
    inner_->copy(to, from, bytes);
  }
  void wait() override { inner_->wait(); }
  std::unique_ptr<fence> mark() override { return inner_->mark(); }
  void begin(const batch_view& batch) override { inner_->begin(batch); }
  std::pair<matrix, memory> load_weight(std::span<const host_matrix> parts) override {
    return inner_->load_weight(parts);
  }
  std::pair<matrix, memory> load_vector(const host_matrix& vector) override {
    return inner_->load_vector(vector);
  }
  void take_chosen(token_id* ids, const std::int32_t* from, const token_id* chosen,
                   std::int32_t tokens) override {
    inner_->take_chosen(ids, from, chosen, tokens);
  }
  void place(std::int32_t* table, const std::int32_t* changes, std::int32_t count) override {
    inner_->place(table, changes, count);
  }
  void embed(matrix out, const matrix& table, const token_id* ids) override {
    inner_->embed(out, table, ids);
  }
  void add_rms_norm(matrix out, matrix residual, const matrix& delta, const matrix& weight,
                    float epsilon) override {
    inner_->add_rms_norm(out, residual, delta, weight, epsilon);
  }
  void matmul(matrix out, const matrix& x, const matrix& weight, const matrix& bias) override {
    inner_->matmul(out, x, weight, bias);
  }
  void gated_matmul(matrix out, const matrix& x, const matrix& gate_up, const matrix& bias,
                    matrix scratch) override {
    inner_->gated_matmul(out, x, gate_up, bias, scratch);
  }
  void tune_matmul(matrix out, const matrix& x, const matrix& weight) override {
    inner_->tune_matmul(out, x, weight);
  }
  void norm_rope_store(matrix qkv, const matrix& query_norm, const matrix& key_norm, float epsilon,
                       const rope_table& rope, const head_shape& heads, const kv_pages& pages,
                       const batch_view& batch) override {
    inner_->norm_rope_store(qkv, query_norm, key_norm, epsilon, rope, heads, pages, batch);
  }
  void attention(matrix out, const matrix& qkv, const head_shape& heads, const kv_pages& pages,
                 const batch_view& batch, float scale, std::int32_t window,
                 float softcap) override {
    inner_->attention(out, qkv, heads, pages, batch, scale, window, softcap);
  }
  void gather_rms_norm(matrix out, const matrix& residual, const matrix& delta,
                       const matrix& weight, float epsilon, const std::int32_t* rows) override {
    inner_->gather_rms_norm(out, residual, delta, weight, epsilon, rows);
  }
  std::unique_ptr<pending_samples> sample(const matrix& logits, std::span<const sample_row> rows,
                                          token_id* chosen) override {
    return inner_->sample(logits, rows, chosen);
  }

 private:
  std::unique_ptr<backend> inner_;
};

} // namespace troupe::testing
