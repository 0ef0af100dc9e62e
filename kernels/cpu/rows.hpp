// The ops that go over one row at a time. All f32.
#pragma once

#include <cstdint>

namespace troupe {

/// residual[n] += delta[n] (where not null); out = residual / rms(residual) * weight.
void add_rms_norm_row(float* out, float* residual, const float* delta, const float* weight,
                      std::int64_t n, float epsilon);

/// head[n] = head / rms(head) * weight (where weight is not null), then rotated: element i and i +
/// n/2 are a pair turned by the angle whose cosine is cosines[i] and sine sines[i].
void norm_rope_head(float* head, const float* weight, std::int64_t n, float epsilon,
                    const float* cosines, const float* sines);

/// out[n] = silu(gate[n]) * up[n].
void silu_mul_row(float* out, const float* gate, const float* up, std::int64_t n);

} // namespace troupe
