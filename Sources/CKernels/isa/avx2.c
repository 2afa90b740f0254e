// AVX2 with FMA: 8 lanes, 16 registers.
#if defined(__x86_64__)
#include "tables.h"

#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)

#define MK_ISA mk_isa_avx2
#define MK_TABLE mk_kernels_avx2
#define MK_LANES 8
#define MK_HAS_FMA 1
#include "lanes.h"
#include "sampling.h"
#include "table.h"

#pragma clang attribute pop
#endif
