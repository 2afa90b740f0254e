// AVX-512 (F, BW, DQ, VL): 16 lanes, 32 registers.
#if defined(__x86_64__)
#include "tables.h"
#include "cache.h"
#include "weights.h"

#include <immintrin.h>

#pragma clang attribute push(                                                                      \
    __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx2,fma,f16c"))), apply_to = function)

#define MK_LINEAR_TABLE mk_linear_avx512
#define MK_BASE_TABLE mk_kernels_avx512
#define MK_LANES 16
#define MK_HAS_FMA 1
#define MK_ROWS 10
#define MK_VECS 2
#define MK_PAIR_ROWS 10
#define MK_QUAD_ROWS 8
#define MK_NIBBLE_ROWS 4
#define MK_COMPRESSED_ROWS 6
#define MK_PREFETCH_BYTES 6144
#define MK_ATTENTION_ROWS 8
#include "lanes.h"
#include "sampling.h"
#include "matmul.h"
#include "layer.h"
#include "adapter.h"
#include "attention.h"
#include "linear.h"
#include "linear_table.h"

#define MK_ATTEND_KERNEL attend
#define MK_ISA mk_isa_avx512
#define MK_TABLE mk_kernels_avx512
#include "table.h"

#undef MK_ISA
#undef MK_TABLE
#define MK_ISA mk_isa_avx512_vnni
#define MK_TABLE mk_kernels_avx512_vnni
#include "table.h"

#undef MK_ISA
#undef MK_TABLE
#define MK_ISA mk_isa_amx_emulated
#define MK_TABLE mk_kernels_amx_emulated
#include "table.h"

#undef MK_ISA
#undef MK_TABLE
#undef MK_ATTEND_KERNEL
#define MK_ATTEND_KERNEL mk_attend_avx512_bf16
#define MK_ISA mk_isa_avx512_bf16
#define MK_TABLE mk_kernels_avx512_bf16
#include "table.h"

#undef MK_ISA
#undef MK_TABLE
#define MK_ISA mk_isa_amx
#define MK_TABLE mk_kernels_amx
#include "table.h"

#pragma clang attribute pop
#endif
