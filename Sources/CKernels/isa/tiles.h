// The vocabulary of tiles: registers of up to 16 rows of 64 bytes, and instructions that multiply whole tiles.
//
// With MK_EMULATED_TILES the same operations are plain C, so that what is written with them can be tested on processors
// without the instructions. Tile numbers are constants.
#ifndef MARTLET_ISA_TILES_H
#define MARTLET_ISA_TILES_H

#include <stdint.h>
#include <string.h>

enum {
    tile_count = 8,
    /// Rows of a tile, and their bytes.
    tile_rows = 16,
    tile_row_bytes = 64,
};

/// Shapes of all tiles, as the instruction that sets them reads it. A tile without rows and bytes is not used.
typedef struct tile_shapes {
    uint8_t palette, start_row, reserved[14];
    uint16_t row_bytes[16];
    uint8_t rows[16];
} tile_shapes;

_Static_assert(sizeof(tile_shapes) == 64, "the processor reads 64 bytes");

static inline void set_shape(tile_shapes *shapes, int tile, int32_t rows, int32_t row_bytes) {
    shapes->palette = 1;
    shapes->rows[tile] = (uint8_t)rows;
    shapes->row_bytes[tile] = (uint16_t)(rows > 0 ? row_bytes : 0);
}

#if MK_EMULATED_TILES
#include "tiles_emulated.h"
#else
#include <immintrin.h>

#define MK_TILE_SHAPES(shapes) _tile_loadconfig(shapes)
#define MK_TILE_RELEASE() _tile_release()
#define MK_TILE_ZERO(tile) _tile_zero(tile)
/// Rows `stride` bytes apart.
#define MK_TILE_LOAD(tile, from, stride) _tile_loadd(tile, from, stride)
#define MK_TILE_STORE(tile, to, stride) _tile_stored(tile, to, stride)
/// sum += x w for pairs of bfloat16, and for quads of int8 whose second factor is signed or not.
#define MK_TILE_PAIRS(sum, x, w) _tile_dpbf16ps(sum, x, w)
#define MK_TILE_QUADS(sum, x, w) _tile_dpbssd(sum, x, w)
#define MK_TILE_UNSIGNED_QUADS(sum, x, w) _tile_dpbsud(sum, x, w)
#endif

#endif
