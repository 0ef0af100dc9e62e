// What brings a prefill block its tiles: one warp has the copy engine fetch the keys and one the
// values, box by box as the block tables say; one for each computing warpgroup fetches its queries.
//
// A tile of values also has rows that nobody sees: before the first position that the sequence
// still needs and behind its last. Their weights are 0, but what lies there may be no number, so
// they are zeroed: by the engine where a whole box is of no use, else by the warp before it hands
// the tile over. Keys need no such care, since scores are replaced where they don't count.
#pragma once

#include "kernels/cuda/prefill_shared.cuh"

namespace troupe::cuda {

/// A warp that brings keys or values, the last tile of an item first.
template <int Dim>
class page_copier {
 public:
  using shared_memory = prefill_memory<Dim>;

  /// `map`: of the keys or of the values.
  __device__ page_copier(const prefill_inputs& in, const CUtensorMap& map, shared_memory& shared)
      : in_(in), map_(map), shared_(shared), lane_(static_cast<int>(threadIdx.x % 32)) {}

  __device__ void run_keys(const prefill_item& item) {
    begin(item);
    for (int tile = item.first_keys + item.key_tiles - 1; tile >= item.first_keys; --tile)
      bring_keys(tile);
  }

  __device__ void run_values(const prefill_item& item) {
    begin(item);
    for (int tile = item.first_keys + item.key_tiles - 1; tile >= item.first_keys; --tile)
      bring_values(tile);
  }

 private:
  __device__ void begin(const prefill_item& item) {
    table_ = in_.block_tables + std::int64_t{item.table} * in_.table_stride;
    column_ = item.kv_head * Dim;
    valid_begin_ = first_seen(in_, item.first_position);
    valid_end_ = item.first_position + item.rows;
  }

  /// The row of the pages where the positions of a box begin; behind all pages where nobody needs
  /// any of them.
  __device__ int page_row(int position) const {
    if (position >= valid_end_ || position + in_.box_rows <= valid_begin_) return in_.page_rows;
    return table_[position / in_.block_tokens] * in_.block_tokens + position % in_.block_tokens;
  }

  __device__ void bring_keys(int tile) {
    const int row = page_row(tile * prefill_keys + lane_ % boxes() * in_.box_rows);
    ptx::wait(&shared_.keys_empty[place_.stage], place_.parity ^ 1);
    copy(shared_.keys[place_.stage], row, &shared_.keys_full[place_.stage]);
    place_.advance();
  }

  __device__ void bring_values(int tile) {
    const int start = tile * prefill_keys, end = start + prefill_keys;
    const int row = page_row(start + lane_ % boxes() * in_.box_rows);
    const bool first = valid_begin_ > start && valid_begin_ % in_.box_rows != 0;
    const bool last = valid_end_ < end && valid_end_ % in_.box_rows != 0;
    ptx::wait(&shared_.values_empty[place_.stage], place_.parity ^ 1);
    auto& to = shared_.values[place_.stage];
    if (!first && !last) {
      copy(to, row, &shared_.values_full[place_.stage]);
    } else {
      copy(to, row, &shared_.values_landed);
      ptx::wait(&shared_.values_landed, landed_parity_);
      landed_parity_ ^= 1;
      if (first) zero(to, valid_begin_ / in_.box_rows * in_.box_rows - start, valid_begin_ - start);
      if (last) zero(to, valid_end_ - start, prefill_keys);
      ptx::publish_shared();
      __syncwarp();
      if (lane_ == 0) ptx::arrive(&shared_.values_full[place_.stage]);
    }
    place_.advance();
  }

  /// Boxes of a tile's panel.
  __device__ int boxes() const { return prefill_keys / in_.box_rows; }

  /// Lane l brings box l of the tile, whose rows of the pages begin at `row`: it and the l +
  /// boxes() that have the same positions in another panel.
  __device__ void copy(std::uint16_t (&to)[shared_memory::panels][prefill_keys * panel_columns],
                       int row, std::uint64_t* barrier) const {
    if (lane_ == 0) ptx::arrive_expecting(barrier, shared_memory::tile_bytes);
    __syncwarp();
    const int panel = lane_ / boxes(), box = lane_ % boxes();
    if (panel < shared_memory::panels)
      ptx::copy_box(to[panel] + box * in_.box_rows * panel_columns, map_,
                    column_ + panel * panel_columns, row, barrier);
  }

  /// Rows [begin, end) of a tile.
  __device__ void zero(std::uint16_t (&tile)[shared_memory::panels][prefill_keys * panel_columns],
                       int begin, int end) const {
    constexpr int pieces = panel_row_bytes / 16;
    for (int panel = 0; panel < shared_memory::panels; ++panel) {
      auto* const all = reinterpret_cast<uint4*>(tile[panel]);
      for (int i = begin * pieces + lane_; i < end * pieces; i += 32)
        all[i] = make_uint4(0, 0, 0, 0);
    }
  }

  const prefill_inputs& in_;
  const CUtensorMap& map_;
  shared_memory& shared_;
  const int lane_;
  ring_place<prefill_stages> place_;
  std::uint32_t landed_parity_ = 0;
  const std::int32_t* table_ = nullptr;
  int column_ = 0;
  int valid_begin_ = 0; ///< positions [valid_begin_, valid_end_) have keys and values
  int valid_end_ = 0;
};

/// The warp that brings one computing warpgroup's queries.
template <class T, int Dim>
class query_copier {
 public:
  __device__ query_copier(const prefill_inputs& in, prefill_memory<Dim>& shared, int warpgroup)
      : in_(in), shared_(shared), warpgroup_(warpgroup), lane_(static_cast<int>(threadIdx.x % 32)) {
  }

  __device__ void run(const prefill_item& item) {
    ptx::wait(&shared_.queries_empty[warpgroup_], parity_ ^ 1);
    parity_ ^= 1;
    copy(item);
    if (lane_ == 0) shared_.items[warpgroup_] = item;
    ptx::commit_copies();
    ptx::wait_copies<0>();
    ptx::publish_shared();
    ptx::arrive(&shared_.queries_full[warpgroup_]);
  }

 private:
  static constexpr int pieces = Dim / 8;
  static constexpr int rows_at_once = 32 / pieces;

  /// A lane copies one piece of every few rows; it counts heads rather than divide at each.
  __device__ void copy(const prefill_item& item) const {
    const int group = in_.group, cols = in_.kv_heads * (group + 2) * Dim;
    const int piece = lane_ % pieces, rows = item.rows * group;
    int query = item.first_query + warpgroup_ * warpgroup_queries + lane_ / pieces;
    int head = query % group;
    std::int64_t from = std::int64_t{item.first_row + query / group} * cols +
                        (item.kv_head * group + head) * Dim + piece * 8;
    const int head_step = rows_at_once % group;
    const std::int64_t step = std::int64_t{rows_at_once / group} * cols + head_step * Dim;
    auto* const panel = reinterpret_cast<std::byte*>(shared_.queries[warpgroup_][piece / 8]);
    const T* const all = static_cast<const T*>(in_.qkv);
#pragma unroll 4
    for (int row = lane_ / pieces; row < warpgroup_queries; row += rows_at_once) {
      const bool valid = query < rows;
      ptx::copy_async(panel + panel_offset(static_cast<std::uint32_t>(row),
                                           static_cast<std::uint32_t>(piece % 8)),
                      valid ? all + from : all, valid);
      query += rows_at_once;
      head += head_step;
      from += step;
      if (head < group) continue;
      head -= group;
      from += cols - group * Dim;
    }
  }

  const prefill_inputs& in_;
  prefill_memory<Dim>& shared_;
  const int warpgroup_;
  const int lane_;
  std::uint32_t parity_ = 0;
};

} // namespace troupe::cuda
