// The source of amx.c with tiles in plain C, for tests on processors without AMX. Nobody else chooses it.
#if defined(__x86_64__)
#include "tables.h"
#include "cache.h"
#include "weights.h"

#include <immintrin.h>

#pragma clang attribute push(                                                                                          \
    __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx2,fma,f16c"))), apply_to = function)

#define MK_LINEAR_TABLE mk_linear_amx_emulated
#define MK_BASE_TABLE mk_kernels_avx512
// All products go through tiles; the table is never asked.
#define MK_DOTS_TABLE mk_linear_avx512
#define MK_TILE_LEAST_ROWS 0
#define MK_EMULATED_TILES 1
#define MK_LANES 16
#define MK_HAS_FMA 1
#define MK_HAS_BF16 0
#define MK_ROWS 1
#define MK_VECS 2
#define MK_PREFETCH_BYTES 6144
#include "lanes.h"
#include "tile_linear.h"

#pragma clang attribute pop
#endif
