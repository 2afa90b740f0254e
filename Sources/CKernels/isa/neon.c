// NEON: 4 lanes, 32 registers; part of every arm64 processor.
#if defined(__aarch64__)
#include "tables.h"

#define MK_ISA mk_isa_neon
#define MK_TABLE mk_kernels_neon
#define MK_LANES 4
#define MK_HAS_FMA 1
#include "lanes.h"
#include "sampling.h"
#include "table.h"

#endif
