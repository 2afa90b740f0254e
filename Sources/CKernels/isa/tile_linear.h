// Products of prepared rows with packed weights by tiles: what amx.c and its emulation share.
//
// Rows have the form that dot instructions take: bfloat16 and int8, padded to 64 inputs.
#include "norm.h"
#include "result.h"
enum { pair_bytes = 4, quad_bytes = 4 };
#include "rows.h"
#include "weights.h"
#include "tiles.h"
#include "thread_memory.h"
#include "tile_weights.h"
#include "tile_sums.h"
#include "tile_panels.h"
#include "tile_table.h"
