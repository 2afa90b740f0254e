// AVX-512 with dot products of int8. Only what multiplies rows with weights is different from avx512.c.
#if defined(__x86_64__)
#include "tables.h"
#include "cache.h"
#include "weights.h"

#include <immintrin.h>

#pragma clang attribute push(                                                                      \
    __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx2,fma,f16c"))),    \
    apply_to = function)

#define MK_LINEAR_TABLE mk_linear_avx512_vnni
#define MK_BASE_TABLE mk_kernels_avx512
#define MK_LANES 16
#define MK_HAS_FMA 1
#define MK_HAS_VNNI 1
#define MK_HAS_BF16 0
#define MK_ROWS 10
#define MK_VECS 2
#define MK_PAIR_ROWS 10
#define MK_QUAD_ROWS 10
#define MK_NIBBLE_ROWS 6
#define MK_COMPRESSED_ROWS 6
#define MK_PREFETCH_BYTES 6144
#include "lanes.h"
#include "linear.h"
#include "linear_table.h"

#pragma clang attribute pop
#endif
