// NEON: 4 lanes, 32 registers; part of every arm64 processor.
#if defined(__aarch64__)
#include "tables.h"
#include "cache.h"
#include "weights.h"

#include <arm_neon.h>

#define MK_ISA mk_isa_neon
#define MK_TABLE mk_kernels_neon
#define MK_ATTEND_KERNEL attend
#define MK_LINEAR_TABLE mk_linear_neon
#define MK_BASE_TABLE mk_kernels_neon
#define MK_LANES 4
#define MK_HAS_FMA 1
#define MK_ROWS 6
#define MK_VECS 4
#define MK_PAIR_ROWS 6
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

#endif
