// Tiles in plain C, after the operation sections of LDTILECFG, TILELOADD, TILESTORED, TDPBF16PS, TDPBSSD and TDPBSUD in
// Intel's Software Developer's Manual, volume 2. What the processor refuses ends the program: only tests come here.
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <xmmintrin.h>

typedef union emulated_tile {
    uint8_t bytes[tile_rows][tile_row_bytes];
    uint16_t pairs[tile_rows][tile_row_bytes / 4][2];
    int8_t quads[tile_rows][tile_row_bytes / 4][4];
    uint8_t unsigned_quads[tile_rows][tile_row_bytes / 4][4];
    float floats[tile_rows][tile_row_bytes / 4];
    uint32_t integers[tile_rows][tile_row_bytes / 4];
} emulated_tile;

static _Thread_local struct {
    tile_shapes shapes;
    emulated_tile tiles[tile_count];
} emulated;

static void emulated_check(bool holds, const char *what) {
    if (holds) return;
    fprintf(stderr, "emulated tiles: %s\n", what);
    abort();
}

static void emulated_shapes(const tile_shapes *shapes) {
    emulated_check(shapes->palette == 1 && shapes->start_row == 0, "unknown palette or start row");
    for (int i = 0; i < 16; i++) {
        const bool used = shapes->rows[i] > 0;
        emulated_check(used == (shapes->row_bytes[i] > 0) && (i < tile_count || !used), "half a shape, or a ninth tile");
        emulated_check(shapes->rows[i] <= tile_rows && shapes->row_bytes[i] <= tile_row_bytes, "too large a tile");
    }
    emulated.shapes = *shapes;
    memset(emulated.tiles, 0, sizeof emulated.tiles);
}

static void emulated_release(void) { memset(&emulated, 0, sizeof emulated); }

static emulated_tile *emulated_used(int tile) {
    emulated_check(emulated.shapes.palette == 1 && emulated.shapes.rows[tile] > 0, "a tile without a shape");
    return &emulated.tiles[tile];
}

static void emulated_zero(int tile) { memset(emulated_used(tile), 0, sizeof(emulated_tile)); }

static void emulated_load(int tile, const void *from, size_t stride) {
    emulated_tile *t = emulated_used(tile);
    memset(t, 0, sizeof *t);
    for (int r = 0; r < emulated.shapes.rows[tile]; r++)
        memcpy(t->bytes[r], (const char *)from + (size_t)r * stride, emulated.shapes.row_bytes[tile]);
}

static void emulated_store(int tile, void *to, size_t stride) {
    const emulated_tile *t = emulated_used(tile);
    for (int r = 0; r < emulated.shapes.rows[tile]; r++)
        memcpy((char *)to + (size_t)r * stride, t->bytes[r], emulated.shapes.row_bytes[tile]);
}

/// The shapes of a product have to fit: sum [m][n], x [m][k], w [k][n], all of elements of four bytes.
static void emulated_check_product(int sum, int x, int w) {
    const tile_shapes *s = &emulated.shapes;
    emulated_used(sum), emulated_used(x), emulated_used(w);
    emulated_check(sum != x && sum != w && x != w, "a product of a tile with itself");
    emulated_check(
        s->rows[sum] == s->rows[x] && s->row_bytes[sum] == s->row_bytes[w] && s->row_bytes[x] == 4 * s->rows[w]
            && s->row_bytes[sum] % 4 == 0,
        "shapes that do not fit each other");
}

/// The even and the odd inputs of a product are summed apart, then together, then onto what was there.
static __attribute__((noinline)) void emulated_pair_sums(int sum, int x, int w) {
    enum { columns = tile_row_bytes / 4 };
    emulated_tile *to = &emulated.tiles[sum];
    const emulated_tile *a = &emulated.tiles[x], *b = &emulated.tiles[w];
    for (int m = 0; m < emulated.shapes.rows[sum]; m++) {
        float even[columns] = {0}, odd[columns] = {0};
        for (int k = 0; k < emulated.shapes.row_bytes[x] / 4; k++) {
            const uint32_t low = (uint32_t)a->pairs[m][k][0] << 16, high = (uint32_t)a->pairs[m][k][1] << 16;
            float x_even, x_odd;
            memcpy(&x_even, &low, sizeof low);
            memcpy(&x_odd, &high, sizeof high);
            for (int n = 0; n < columns; n++) {
                const uint32_t pair = b->integers[k][n], w_low = pair << 16, w_high = pair & 0xFFFF0000u;
                float w_even, w_odd;
                memcpy(&w_even, &w_low, sizeof w_low);
                memcpy(&w_odd, &w_high, sizeof w_high);
                even[n] = __builtin_fmaf(x_even, w_even, even[n]);
                odd[n] = __builtin_fmaf(x_odd, w_odd, odd[n]);
            }
        }
        for (int n = 0; n < emulated.shapes.row_bytes[sum] / 4; n++) {
            const float both = even[n] + odd[n];
            to->floats[m][n] += both;
        }
    }
}

/// Rounds to nearest even and takes subnormals for zero, before and after, whatever the caller's settings are.
static void emulated_pairs(int sum, int x, int w) {
    enum { exceptions_masked = 0x1F80, denormals_are_zero = 0x40, flush_to_zero = 0x8000 };
    emulated_check_product(sum, x, w);
    const unsigned before = _mm_getcsr();
    _mm_setcsr(exceptions_masked | denormals_are_zero | flush_to_zero);
    emulated_pair_sums(sum, x, w);
    _mm_setcsr(before);
}

static void emulated_quads(int sum, int x, int w, bool is_signed) {
    emulated_check_product(sum, x, w);
    emulated_tile *to = &emulated.tiles[sum];
    const emulated_tile *a = &emulated.tiles[x], *b = &emulated.tiles[w];
    for (int m = 0; m < emulated.shapes.rows[sum]; m++)
        for (int k = 0; k < emulated.shapes.row_bytes[x] / 4; k++)
            for (int n = 0; n < emulated.shapes.row_bytes[sum] / 4; n++) {
                int32_t dot = 0;
                for (int i = 0; i < 4; i++)
                    dot += a->quads[m][k][i] * (is_signed ? b->quads[k][n][i] : b->unsigned_quads[k][n][i]);
                to->integers[m][n] += (uint32_t)dot;
            }
}

#define MK_TILE_SHAPES(shapes) emulated_shapes(shapes)
#define MK_TILE_RELEASE() emulated_release()
#define MK_TILE_ZERO(tile) emulated_zero(tile)
#define MK_TILE_LOAD(tile, from, stride) emulated_load(tile, from, stride)
#define MK_TILE_STORE(tile, to, stride) emulated_store(tile, to, stride)
#define MK_TILE_PAIRS(sum, x, w) emulated_pairs(sum, x, w)
#define MK_TILE_QUADS(sum, x, w) emulated_quads(sum, x, w, true)
#define MK_TILE_UNSIGNED_QUADS(sum, x, w) emulated_quads(sum, x, w, false)
