// The arithmetic of a decoder, declared once. Every device implements this interface: the decoder
// in model/ calls the ops in order and knows no device. Ops are issued, not awaited: they run in
// the order of their calls, after the uploads and before the downloads that stand around them, and
// wait() is the only point where the host may block.
//
// Every op is batch-invariant: a row of its result depends on that row's inputs only, never on how
// many other rows there are or where it stands among them (fixed order of every sum). That makes a
// sequence's tokens the same alone, in a batch, chunked or preempted. A device may give that up for
// products of many rows where it was not made to be deterministic.
#pragma once

#include "config/sampling.hpp"
#include "kernels/tensor.hpp"

#include <functional>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

namespace troupe {

/// A device is out of memory, or failed for good; what() says which and how much was asked.
class device_error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// The rows of one sequence in a batch.
struct sequence_rows {
  std::int32_t first_row = 0;
  std::int32_t rows = 0;
  std::int32_t first_position = 0;
  std::int32_t table = 0; ///< its row of the block tables
};

/// One step's batch. A step computes `tokens` rows; each belongs to one of `sequences`, whose rows
/// are adjacent and at adjacent positions. The pointers are device memory, valid until the step is
/// done; `runs` is valid while the step is issued. The block tables outlive the step: place() keeps
/// them up to date, and a batch has any of their rows, a row several times too.
struct batch_view {
  std::int32_t tokens = 0;
  std::int32_t sequences = 0;
  const token_id* ids = nullptr;             // [tokens]
  const std::int32_t* positions = nullptr;   // [tokens], 0 is a sequence's first token
  const std::int32_t* sequence_of = nullptr; // [tokens], 0 <= . < sequences
  const std::int32_t* first_row = nullptr; // [sequences + 1], rows first_row[s] .. first_row[s + 1]
  const std::int32_t* table_of = nullptr;  // [tokens], row of block_tables: the token's sequence's
  const std::int32_t* block_tables =
      nullptr; // [., table_stride], block ids in the order of the tokens
  std::int32_t table_stride = 0;
  std::span<const sequence_rows> runs; // host memory, [sequences]: the same once more
};

/// One layer's pages. A block holds block_tokens tokens: [blocks, block_tokens, kv_heads,
/// head_dim].
struct kv_pages {
  matrix keys;   // [blocks * block_tokens, kv_heads * head_dim]
  matrix values; // the same
  std::int32_t block_tokens = 0;
};

/// How the heads of one attention layer are cut.
struct head_shape {
  std::int32_t heads = 0;    ///< query heads, a multiple of kv_heads
  std::int32_t kv_heads = 0; ///< key and value heads
  std::int32_t head_dim = 0; ///< elements of one head, even, at most 256
};

/// Rotary position embedding, rotate-half layout (Su et al., 2104.09864).
struct rope_table {
  const float* inverse_frequencies = nullptr; // [head_dim / 2], host memory that outlives the model
  float attention_factor = 1.0F; ///< multiplies sin and cos (YaRN, 2309.00071); 1 otherwise
};

/// One row to sample: which logits, by which rules, and what came before.
struct sample_row {
  std::int32_t logits_row = 0;
  const sampling_params* params = nullptr;
  std::uint32_t position = 0; ///< the position that the sampled token will have; counter of Philox
  std::int32_t keep = -1; ///< the token is also left in chosen[keep], for later steps; -1: nowhere
  std::span<const token_id> ids; ///< the sequence before that position; only penalties look at it,
                                 ///< without them it may lack tokens that are not known yet
  std::uint32_t prompt_tokens =
      0; ///< the first of ids that are the prompt; the others were generated
  bool suppress =
      false; ///< params->suppressed have no chance: fewer than min_tokens were generated
  std::span<const float> allowed_mask =
      {};                 ///< [vocab] added to the logits (0 or -inf); empty allows all
  bool is_prompt = false; ///< the token is known: report `known`'s logprob, sample nothing
  token_id known = 0;     ///< with is_prompt: the token that really follows
};

struct token_logprob {
  token_id id = 0;
  float logprob = 0; ///< natural logarithm, <= 0
};

/// What came of a sample_row.
struct sampled_token {
  token_id id = 0;
  float logprob =
      0; ///< under the model's own distribution (before temperature); only where asked for
  std::vector<token_logprob> top; ///< the most likely, best first; as many as params->logprobs asks
  bool finite = true; ///< false: the logits held NaN or +inf, or no token had a chance under the
                      ///< mask, bias and suppression; `id` means nothing
};

/// What sample() issued.
class pending_samples {
 public:
  virtual ~pending_samples() = default;
  /// The tokens, in the order of the rows; waits until the device has come so far. Once only.
  virtual std::vector<sampled_token> take() = 0;
};

/// The most that steps will ask of a device.
struct step_limits {
  std::int32_t tokens = 0;      ///< rows of a step
  std::int32_t sequences = 0;   ///< of a step
  std::int32_t logits_rows = 0; ///< sampled at once
  std::int32_t head_dim = 0;
  std::int32_t vocab = 0;
};

/// A point in what was issued, reached when everything before it is done.
class fence {
 public:
  virtual ~fence() = default;
  /// Never blocks. Throws device_error if anything before it failed.
  virtual bool reached() = 0;
  /// Seconds of the device's clock since `earlier` was reached. Waits until both are.
  virtual double seconds_since(const fence& earlier) const = 0;
};

/// A device and its arithmetic. One thread issues; ops check nothing that costs time, callers hold
/// the preconditions.
class backend {
 public:
  virtual ~backend() = default;

  virtual std::string name() const = 0;
  /// It failed for good: every op throws from now on, and nothing that it holds can be read again.
  /// Another one can be made when all that belongs to this one is gone.
  virtual bool failed() const { return false; }
  /// The driver's monitor tells of it.
  virtual bool is_gpu() const { return false; }
  /// The type that activations and KV pages have.
  virtual dtype activation_type() const = 0;
  /// Bytes that could be allocated now.
  virtual std::size_t free_memory() const = 0;

  /// Allocates what the device needs for itself in steps within these limits, so that all that is
  /// free afterwards is for weights, buffers and pages. Returns how many bytes it took. Throws
  /// device_error when there is not enough.
  virtual std::uint64_t reserve(const step_limits& /*limits*/) { return 0; }
  /// Bytes that load_weight takes for a stack of such parts.
  virtual std::uint64_t weight_bytes(std::int64_t rows, std::int64_t cols, dtype type) const {
    return static_cast<std::uint64_t>(rows * cols) * size_of(type);
  }

  /// Throws device_error when there is not enough.
  virtual memory allocate(std::size_t bytes) = 0;
  /// `host` may be changed when it returns.
  virtual void upload(void* device, const void* host, std::size_t bytes) = 0;
  virtual void download(void* host, const void* device, std::size_t bytes) = 0;
  /// Copies within the device. The two do not overlap.
  virtual void copy(void* to, const void* from, std::size_t bytes) = 0;
  /// Returns when everything issued so far is done. Throws device_error if any of it failed.
  virtual void wait() = 0;
  /// A fence behind everything issued so far.
  virtual std::unique_ptr<fence> mark() = 0;

  /// How many rows a batch of `rows` single rows is best filled up to: a device that remembers ops
  /// likes few sizes. At least `rows`.
  virtual std::int32_t fitting_rows(std::int32_t rows) const { return rows; }
  /// The ops of a batch follow, none of an earlier one. A device may plan for them now or at their
  /// first call, and keep that until the next begin().
  virtual void begin(const batch_view& batch) = 0;
  /// Issues what `ops` issues. All calls with the same name, where it is not 0, issue the same ops
  /// on the same memory, whatever its contents are: a device may remember them and leave out the
  /// call.
  virtual void issue(std::uint64_t name, const std::function<void()>& ops) {
    static_cast<void>(name);
    ops();
  }

  /// Brings weights to the device in the layout that its matmul likes. Parts are stacked: [sum of
  /// rows, cols], one type. Returned: a view for the ops below (its data may be private to the
  /// backend) and the memory behind it. Parts that are read are read by several threads.
  virtual std::pair<matrix, memory> load_weight(std::span<const host_matrix> parts) = 0;
  /// A vector of n elements as f32 (norm weights, biases).
  virtual std::pair<matrix, memory> load_vector(const host_matrix& vector) = 0;

  /// ids[t] = chosen[from[t]] where from[t] >= 0: tokens that the device chose and the host need
  /// not know. All device memory; ids and from: [tokens].
  virtual void take_chosen(token_id* ids, const std::int32_t* from, const token_id* chosen,
                           std::int32_t tokens) = 0;

  /// table[changes[2i]] = changes[2i + 1] for i < count: what has changed of the block tables. All
  /// device memory; no entry is changed twice. Comes before the begin() of the batch that reads
  /// it, and at least an op before those that take the batch: they may read it early.
  virtual void place(std::int32_t* table, const std::int32_t* changes, std::int32_t count) = 0;

  /// out[t] = table[ids[t]]. table: [vocab, hidden] as load_weight gave it; ids outside it are the
  /// caller's error and throw std::out_of_range. out: [tokens, hidden].
  virtual void embed(matrix out, const matrix& table, const token_id* ids) = 0;

  /// residual += delta (where delta.data), out = residual / rms(residual) * weight. All [tokens,
  /// hidden].
  virtual void add_rms_norm(matrix out, matrix residual, const matrix& delta, const matrix& weight,
                            float epsilon) = 0;

  /// out[i] = what add_rms_norm gives for row rows[i], with nothing written back: the rows whose
  /// logits are wanted. rows: device memory [out.rows], 0 <= . < residual.rows.
  virtual void gather_rms_norm(matrix out, const matrix& residual, const matrix& delta,
                               const matrix& weight, float epsilon, const std::int32_t* rows) = 0;

  /// out = x · weightᵀ + bias (where bias.data). x: [rows, k], weight: [n, k], bias: [n], out:
  /// [rows, n].
  virtual void matmul(matrix out, const matrix& x, const matrix& weight, const matrix& bias) = 0;

  /// out = silu(gate) * up, where gate and up are the halves of x · gate_upᵀ + bias (where
  /// bias.data). x: [rows, k], gate_up: [2 * width, k], gate first, bias: [2 * width], out: [rows,
  /// width]. scratch: [rows, 2 * width], for devices that write the halves down.
  virtual void gated_matmul(matrix out, const matrix& x, const matrix& gate_up, const matrix& bias,
                            matrix scratch) = 0;

  /// Finds out how matmul of these is computed best, for any number of rows up to out.rows. Takes
  /// its time, and what out holds is lost.
  virtual void tune_matmul(matrix /*out*/, const matrix& /*x*/, const matrix& /*weight*/) {}

  /// Takes qkv: [tokens, (heads + 2 kv_heads) * head_dim]; normalises each query and key head
  /// (where the weights [head_dim] have data), rotates both to their positions, leaves the queries
  /// in place and writes keys and values into the pages at each token's block and offset.
  virtual void norm_rope_store(matrix qkv, const matrix& query_norm, const matrix& key_norm,
                               float epsilon, const rope_table& rope, const head_shape& heads,
                               const kv_pages& pages, const batch_view& batch) = 0;

  /// Causal attention of the batch's queries (the first heads * head_dim of each qkv row) over
  /// their sequences' pages, from position 0 (or the last `window` positions where window > 0) to
  /// their own. out: [tokens, heads * head_dim]. scale multiplies the scores; softcap > 0 bounds
  /// them to softcap * tanh(score / softcap).
  virtual void attention(matrix out, const matrix& qkv, const head_shape& heads,
                         const kv_pages& pages, const batch_view& batch, float scale,
                         std::int32_t window, float softcap) = 0;

  /// Chooses a token for each row of logits: [., vocab] f32. What the rows refer to is read before
  /// the call returns. chosen: device memory for the rows that keep their token.
  virtual std::unique_ptr<pending_samples>
  sample(const matrix& logits, std::span<const sample_row> rows, token_id* chosen) = 0;
};

} // namespace troupe
