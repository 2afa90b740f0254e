// Where a weight is in its panel, for each format. Shared by all instruction sets.
#ifndef MARTLET_ISA_WEIGHTS_H
#define MARTLET_ISA_WEIGHTS_H

#include "../include/mk_linear.h"

#include <string.h>

enum {
    /// Bytes of a pair, or a quad, of inputs for all columns of a panel.
    panel_step_bytes = 4 * mk_panel_columns,
    /// Bytes of two compressed pairs: 2 * 64 of lower bytes, then 64 of two indices of upper bytes each.
    compressed_step_bytes = 192,
    float16_nan = 0x7E00,
};

/// Start of a compressed panel.
typedef struct compressed_header {
    /// The upper bytes of numbers, by index.
    uint8_t uppers[16];
    /// Bytes from the start of the weights' data to the pairs of this panel that are kept whole: their numbers in
    /// ascending order, to whole lines, then the pairs as bfloat16 panels have them.
    uint64_t whole;
    int32_t whole_count;
    uint8_t padding[36];
} compressed_header;

static inline int32_t ceil_div(int32_t a, int32_t b) { return (a + b - 1) / b; }

static inline size_t whole_pair_numbers_bytes(int32_t count) { return ((size_t)count * 4 + 63) / 64 * 64; }

/// Scales, then bytes of two quads each.
static inline size_t int4_group_bytes(int32_t group) {
    return 2 * mk_panel_columns + (size_t)group / 8 * panel_step_bytes;
}

static inline size_t panel_bytes(mk_format format, int32_t group, int32_t k) {
    switch (format) {
    case mk_format_float32: return (size_t)k * panel_step_bytes;
    case mk_format_bfloat16: return (size_t)ceil_div(k, 2) * panel_step_bytes;
    case mk_format_bfloat16_compressed:
        return sizeof(compressed_header) + (size_t)ceil_div(k, 4) * compressed_step_bytes;
    case mk_format_int8: return ((size_t)ceil_div(k, 4) + 1) * panel_step_bytes;
    default: return (size_t)ceil_div(k, group) * int4_group_bytes(group);
    }
}

static inline char *panel_at(const mk_weights *w, int32_t panel) {
    return (char *)w->data + panel_bytes(w->format, w->group, w->k) * (size_t)panel;
}

/// Float scales of an int8 panel.
static inline float *int8_scales(const mk_weights *w, int32_t panel) {
    return (float *)(panel_at(w, panel) + (size_t)ceil_div(w->k, 4) * panel_step_bytes);
}

/// float16 scales of a group of an int4 panel; its bytes follow.
static inline uint16_t *int4_group(const mk_weights *w, int32_t panel, int32_t number) {
    return (uint16_t *)(panel_at(w, panel) + (size_t)number * int4_group_bytes(w->group));
}

/// Byte of a compressed pair that holds a column's lower byte: such that interleaving the bytes of vectors of
/// any length by lanes of 16 leaves the columns of the first half of the panel in one vector, those of the second in the
/// other.
static inline int32_t compressed_byte(int32_t column, int32_t odd) {
    return column % 16 / 4 * 16 + column / 16 * 8 + column % 4 * 2 + odd;
}

#endif
