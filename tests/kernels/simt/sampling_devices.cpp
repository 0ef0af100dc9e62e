// A backend whose rows are sampled by interpreted kernels, and all else by the CPU: their memory is
// the same.
#include "tests/kernels/sampling_devices.hpp"

#include "kernels/cuda/sampling.hpp"

namespace troupe {

namespace {

class interpreted_backend final : public backend {
 public:
  std::string name() const override { return "interpreted"; }
  dtype activation_type() const override { return cpu_->activation_type(); }
  std::size_t free_memory() const override { return cpu_->free_memory(); }
  memory allocate(std::size_t bytes) override { return cpu_->allocate(bytes); }
  void upload(void* device, const void* host, std::size_t bytes) override {
    cpu_->upload(device, host, bytes);
  }
  void download(void* host, const void* device, std::size_t bytes) override {
    cpu_->download(host, device, bytes);
  }
  void wait() override { cpu_->wait(); }
  std::unique_ptr<fence> mark() override { return cpu_->mark(); }
  std::pair<matrix, memory> load_weight(std::span<const host_matrix> parts) override {
    return cpu_->load_weight(parts);
  }
  std::pair<matrix, memory> load_vector(const host_matrix& vector) override {
    return cpu_->load_vector(vector);
  }
  void take_chosen(token_id* ids, const std::int32_t* from, const token_id* chosen,
                   std::int32_t tokens) override {
    cpu_->take_chosen(ids, from, chosen, tokens);
  }
  void embed(matrix out, const matrix& table, const token_id* ids) override {
    cpu_->embed(out, table, ids);
  }
  void add_rms_norm(matrix out, matrix residual, const matrix& delta, const matrix& weight,
                    float epsilon) override {
    cpu_->add_rms_norm(out, residual, delta, weight, epsilon);
  }
  void matmul(matrix out, const matrix& x, const matrix& weight, const matrix& bias) override {
    cpu_->matmul(out, x, weight, bias);
  }
  void norm_rope_store(matrix qkv, const matrix& query_norm, const matrix& key_norm, float epsilon,
                       const rope_table& rope, const head_shape& heads, const kv_pages& pages,
                       const batch_view& batch) override {
    cpu_->norm_rope_store(qkv, query_norm, key_norm, epsilon, rope, heads, pages, batch);
  }
  void attention(matrix out, const matrix& qkv, const head_shape& heads, const kv_pages& pages,
                 const batch_view& batch, float scale, std::int32_t window,
                 float softcap) override {
    cpu_->attention(out, qkv, heads, pages, batch, scale, window, softcap);
  }
  void silu_mul(matrix out, const matrix& gate_up) override { cpu_->silu_mul(out, gate_up); }
  void gather_rows(matrix out, const matrix& x, const std::int32_t* rows) override {
    cpu_->gather_rows(out, x, rows);
  }
  std::unique_ptr<pending_samples> sample(const matrix& logits, std::span<const sample_row> rows,
                                          token_id* chosen) override {
    return sampler_.sample(nullptr, logits, rows, chosen);
  }

 private:
  std::unique_ptr<backend> cpu_ = make_cpu(1, 0);
  cuda::device_sampler sampler_;
};

} // namespace

std::vector<device_case> sampling_devices() {
  return {{"cuda_interpreted", [] { return std::make_unique<interpreted_backend>(); }}};
}
int fewer_draws() { return 10; }

} // namespace troupe
