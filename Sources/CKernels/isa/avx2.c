// AVX2 with FMA and F16C: 8 lanes, 16 registers.
#if defined(__x86_64__)
#include "tables.h"
#include "cache.h"
#include "weights.h"

#include <immintrin.h>

#pragma clang attribute push(__attribute__((target("avx2,fma,f16c"))), apply_to = function)

#define MK_ISA mk_isa_avx2
#define MK_TABLE mk_kernels_avx2
#define MK_ATTEND_KERNEL attend
#define MK_LINEAR_TABLE mk_linear_avx2
#define MK_BASE_TABLE mk_kernels_avx2
#define MK_LANES 8
#define MK_HAS_FMA 1
#define MK_ROWS 6
#define MK_VECS 2
#define MK_PAIR_ROWS 5
#define MK_QUAD_ROWS 4
#define MK_NIBBLE_ROWS 2
#define MK_PREFETCH_BYTES 2048
#define MK_ATTENTION_ROWS 4
#include "lanes.h"
#include "sampling.h"
#include "matmul.h"
#include "layer.h"
#include "adapter.h"
#include "attention.h"
#include "linear.h"
#include "linear_table.h"
#include "table.h"

#pragma clang attribute pop
#endif
