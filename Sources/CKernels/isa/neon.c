// NEON: 4 lanes, 32 registers; part of every arm64 processor.
#if defined(__aarch64__)
#include "tables.h"
#include "cache.h"

#define MK_ISA mk_isa_neon
#define MK_TABLE mk_kernels_neon
#define MK_LANES 4
#define MK_HAS_FMA 1
#define MK_ROWS 6
#define MK_VECS 4
#define MK_ATTENTION_ROWS 4
#include "lanes.h"
#include "sampling.h"
#include "matmul.h"
#include "layer.h"
#include "adapter.h"
#include "attention.h"
#include "table.h"

#endif
