// The instruction sets that the SIMD files are compiled for: Highway's static one, SSE4, AVX2 and
// AVX-512. To be included before anything of Highway.
#pragma once

#define HWY_DISABLED_TARGETS HWY_SSSE3
