// AVX-512 (F, BW, DQ, VL): 16 lanes, 32 registers.
#if defined(__x86_64__)
#include "tables.h"

#pragma clang attribute push(                                                                      \
    __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx2,fma"))), apply_to = function)

#define MK_ISA mk_isa_avx512
#define MK_TABLE mk_kernels_avx512
#define MK_LANES 16
#define MK_HAS_FMA 1
#include "lanes.h"
#include "sampling.h"
#include "table.h"

#pragma clang attribute pop
#endif
