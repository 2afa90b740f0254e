// Weights of a panel as tiles read them: 16 pairs or quads of inputs of all columns, which are two tiles side by side.
//
// bfloat16 and int8 lie so in memory. What is compressed, or ends within a tile, is laid out anew, a block at a time.
#include "compressed.h"

enum {
    /// Bytes of a step: two tiles.
    tile_step_bytes = tile_rows * panel_step_bytes,
    /// Bytes of weights that stay in the first-level cache, beside as many of the rows, while the rows go by.
    tile_block_bytes = 16 << 10,
};

/// K as tiles cut it.
typedef struct tile_form {
    mk_format format;
    /// Inputs of a step, the bytes they take in a row, and those of two tiles of weights.
    int32_t inputs, row_bytes;
    size_t bytes;
    /// Steps of all of K, and of a block.
    int32_t steps, block;
} tile_form;

static inline tile_form tile_form_of(const mk_weights *w) {
    tile_form f = {w->format, 32, tile_row_bytes, tile_step_bytes, 0, 0};
    if (w->format == mk_format_int8) f.inputs = 64;
    if (w->format == mk_format_int4) {
        // A group is a step: its sums get a scale of their own.
        f.inputs = f.row_bytes = w->group;
        f.bytes = (size_t)w->group / 4 * panel_step_bytes;
    }
    f.steps = ceil_div(w->k, f.inputs);
    f.block = tile_block_bytes / (int32_t)f.bytes;
    return f;
}

/// A panel that is being read, blocks in ascending order, and where a block is laid out.
typedef struct tile_source {
    const mk_weights *w;
    const char *data;
    compressed_panel compressed;
    char *laid_out;
} tile_source;

/// Bytes that `steps` steps take in memory, without pairs that are kept whole.
static inline size_t stored_bytes(const tile_form *f, const mk_weights *w, int32_t steps) {
    if (f->format == mk_format_bfloat16_compressed) return (size_t)(steps * tile_rows / 2) * compressed_step_bytes;
    return (f->format == mk_format_int4 ? int4_group_bytes(w->group) : tile_step_bytes) * (size_t)steps;
}

static tile_source open_tiles(const mk_weights *w, const tile_form *f, int32_t panel, int32_t step, char *laid_out) {
    tile_source s = {.w = w, .data = panel_at(w, panel), .laid_out = laid_out};
    if (f->format != mk_format_bfloat16_compressed) return s;
    s.compressed = open_panel(w, panel);
    s.data = (const char *)s.compressed.steps;
    skip_pairs(&s.compressed, step * tile_rows);
    return s;
}

/// Compressed pairs of some steps, zero past the end.
static const char *lay_out_compressed(tile_source *s, int32_t step, int32_t steps) {
    const int32_t left = ceil_div(s->w->k, 2) - step * tile_rows, pairs = steps * tile_rows;
    const int32_t count = left < pairs ? left : pairs;
    expand_pairs(&s->compressed, step * tile_rows, count, s->laid_out);
    memset(s->laid_out + (size_t)count * panel_step_bytes, 0, (size_t)(pairs - count) * panel_step_bytes);
    return s->laid_out;
}

/// Weights of 4 bits as signed bytes, without their scales.
static const char *lay_out_nibbles(tile_source *s, int32_t step, int32_t steps) {
    typedef int8_t bytes __attribute__((ext_vector_type(64)));
    const int32_t eights = s->w->group / 8;
    const char *from = s->data + int4_group_bytes(s->w->group) * (size_t)step;
    char *to = s->laid_out;
    for (int32_t g = 0; g < steps; g++) {
        __builtin_prefetch(from + MK_PREFETCH_BYTES);
        from += 2 * mk_panel_columns;
        for (int32_t i = 0; i < eights; i++, from += panel_step_bytes, to += 2 * panel_step_bytes) {
            MK_UNROLL for (int line = 0; line < panel_step_bytes; line += 64) {
                __builtin_prefetch(from + line + MK_PREFETCH_BYTES);
                vbytes both;
                memcpy(&both, from + line, sizeof both);
                const bytes low = (bytes)(both & 0x0F) - (bytes)(int8_t)8, high = (bytes)(both >> 4) - (bytes)(int8_t)8;
                memcpy(to + line, &low, sizeof low);
                memcpy(to + panel_step_bytes + line, &high, sizeof high);
            }
        }
    }
    return s->laid_out;
}

/// Weights of some steps, at most a block: rows of tiles `panel_step_bytes` apart.
static const char *tile_weights(tile_source *s, const tile_form *f, int32_t step, int32_t steps) {
    if (f->format == mk_format_bfloat16_compressed) return lay_out_compressed(s, step, steps);
    if (f->format == mk_format_int4) return lay_out_nibbles(s, step, steps);
    const char *from = s->data + (size_t)step * tile_step_bytes;
    const int32_t values = f->format == mk_format_int8 ? 4 : 2;
    const size_t left = (size_t)(ceil_div(s->w->k, values) - step * tile_rows) * panel_step_bytes;
    const size_t wanted = (size_t)steps * tile_step_bytes;
    if (left >= wanted) return from;
    memcpy(s->laid_out, from, left);
    memset(s->laid_out + left, 0, wanted - left);
    return s->laid_out;
}

/// Scales of a group of int4.
static inline const char *tile_group(const tile_source *s, int32_t group) {
    return s->data + int4_group_bytes(s->w->group) * (size_t)group;
}
