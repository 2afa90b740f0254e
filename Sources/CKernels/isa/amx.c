// AMX with bfloat16 and int8, beside AVX-512 with its dot products: tiles multiply rows with weights. Everything else is
// that of avx512_bf16.c.
#if defined(__x86_64__)
#include "tables.h"
#include "cache.h"
#include "weights.h"

#include <immintrin.h>

#pragma clang attribute push(                                                                                          \
    __attribute__((target(                                                                                             \
        "amx-tile,amx-bf16,amx-int8,avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx512bf16,avx2,fma,f16c"))),        \
    apply_to = function)

#define MK_LINEAR_TABLE mk_linear_amx
#define MK_BASE_TABLE mk_kernels_avx512
#define MK_DOTS_TABLE mk_linear_avx512_bf16
// Fewer rows of integers are as fast as memory without tiles.
#define MK_TILE_LEAST_ROWS 8
#define MK_EMULATED_TILES 0
#define MK_LANES 16
#define MK_HAS_FMA 1
#define MK_HAS_BF16 1
#define MK_ROWS 1
#define MK_VECS 2
#define MK_PREFETCH_BYTES 6144
#include "lanes.h"
#include "tile_linear.h"

#pragma clang attribute pop
#endif
