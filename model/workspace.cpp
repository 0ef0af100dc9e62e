// One list of shapes serves both the allocation and the estimate of its size, so that they agree.
#include "model/workspace.hpp"

#include <array>
#include <numeric>
#include <utility>

namespace troupe {

namespace {

using slot_of_workspace = matrix workspace::*;

/// Each buffer with its shape and type.
std::array<std::pair<slot_of_workspace, matrix>, 9>
shapes_of(const architecture& model, dtype type, std::int64_t tokens, std::int64_t logits_rows) {
  const std::int64_t hidden = model.hidden;
  const std::int64_t attended = std::int64_t{model.heads} * model.head_dim;
  return {{
      {&workspace::residual, {nullptr, type, tokens, hidden}},
      {&workspace::normed, {nullptr, type, tokens, hidden}},
      {&workspace::qkv, {nullptr, type, tokens, model.qkv_width()}},
      {&workspace::attended, {nullptr, type, tokens, attended}},
      {&workspace::delta, {nullptr, type, tokens, hidden}},
      {&workspace::gate_up, {nullptr, type, tokens, std::int64_t{2} * model.ffn}},
      {&workspace::activated, {nullptr, type, tokens, model.ffn}},
      {&workspace::selected, {nullptr, type, logits_rows, hidden}},
      {&workspace::logits, {nullptr, dtype::f32, logits_rows, model.vocab}},
  }};
}

std::size_t bytes_of(const matrix& m) {
  return static_cast<std::size_t>(m.rows * m.cols) * size_of(m.type);
}

} // namespace

workspace::workspace(backend& device, const architecture& model, std::int32_t tokens,
                     std::int32_t logits_rows) {
  for (const auto& [member, shape] :
       shapes_of(model, device.activation_type(), tokens, logits_rows)) {
    owners.push_back(device.allocate(bytes_of(shape)));
    this->*member = shape;
    (this->*member).data = owners.back().get();
  }
}

std::uint64_t workspace::bytes(const architecture& model, dtype type, std::int32_t tokens,
                               std::int32_t logits_rows) {
  const auto shapes = shapes_of(model, type, tokens, logits_rows);
  return std::accumulate(shapes.begin(), shapes.end(), std::uint64_t{0},
                         [](std::uint64_t sum, const auto& s) { return sum + bytes_of(s.second); });
}

} // namespace troupe
