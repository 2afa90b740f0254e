// Products of prepared rows with packed weights: one driver, and for each kind of product the loop over K.
// Needs what result.h, dots.h and rows.h need, and the most rows whose sums fit the registers beside the weights:
// MK_PAIR_ROWS for pairs, MK_QUAD_ROWS for quads, MK_NIBBLE_ROWS for groups of int4.
#include "norm.h"
#include "result.h"
#include "fetch.h"
#include "dots.h"
#include "rows.h"
#include "weights.h"
#include "compressed.h"

enum product {
    product_pairs,
    product_quads,
    product_groups_32,
    product_groups_64,
    /// Pairs that are expanded on the way into the registers.
    product_compressed,
    product_count,
};

/// A format as the driver sees it. A step is what K is cut into: a pair, a quad, a group.
typedef struct linear_form {
    enum product product;
    mk_format format;
    int32_t step_inputs, steps, most_rows;
    size_t step_bytes;
} linear_form;

static inline linear_form form_of(const mk_weights *w, int32_t rows) {
    switch (w->format) {
    case mk_format_int8:
        return (linear_form){product_quads, w->format, 4, ceil_div(w->k, 4), MK_QUAD_ROWS, panel_step_bytes};
    case mk_format_int4:
        return (linear_form){
            w->group == 32 ? product_groups_32 : product_groups_64, w->format, w->group, ceil_div(w->k, w->group),
            MK_NIBBLE_ROWS, int4_group_bytes(w->group)};
#if MK_LANES == 16
    case mk_format_bfloat16_compressed:
        if (rows <= MK_COMPRESSED_ROWS)
            return (linear_form){
                product_compressed, mk_format_bfloat16, 2, ceil_div(w->k, 2), MK_COMPRESSED_ROWS, panel_step_bytes};
        break;
#endif
    default: break;
    }
    (void)rows;
    return (linear_form){product_pairs, mk_format_bfloat16, 2, ceil_div(w->k, 2), MK_PAIR_ROWS, panel_step_bytes};
}

/// A piece of work for the registers: some rows, one pass of a panel, one range of K.
typedef struct linear_piece {
    /// Weights of the range, and its first step.
    const char *weights;
    int32_t step, steps;
    /// First column of the pass.
    int32_t column;
    const char *rows;
    size_t row_stride;
    int32_t k;
    /// Scales of the panel's columns, with int8.
    const float *scales;
    /// What is read instead of `weights`, for compressed pairs.
    compressed_panel *source;
    /// What is asked for early: a line at `fetch`, and so on with every pair, quad or two quads of int4, `fetch_stride`
    /// bytes apart.
    const char *fetch;
    size_t fetch_stride;
    /// Sums of the ranges of K before (unless this is the first) and after (unless it is the last), 32 columns a row.
    float *partial;
    bool is_first, is_last;
    result to;
} linear_piece;

MK_INLINE void add_pairs(const int rows, const linear_piece *p, const enum fetching mode, vf sum[][MK_VECS]) {
    const char *w = p->weights + 4 * p->column, *x = p->rows + (size_t)p->step * pair_bytes;
    for (int32_t i = 0; i < p->steps; i++, w += panel_step_bytes, x += pair_bytes) {
        pair_weights weights[MK_VECS];
        MK_UNROLL for (int v = 0; v < MK_VECS; v++) weights[v] = load_pair_weights(w + 4 * v * MK_LANES);
        fetch(mode, MK_PREFETCH_BYTES, w, p->fetch + (size_t)i * p->fetch_stride);
        MK_UNROLL for (int r = 0; r < rows; r++) {
            const pair_value value = load_pair_value(x + (size_t)r * p->row_stride);
            MK_UNROLL for (int v = 0; v < MK_VECS; v++) sum[r][v] = add_pair(sum[r][v], value, weights[v]);
        }
    }
}

MK_INLINE void add_quads(const int rows, const linear_piece *p, const enum fetching mode, vf sum[][MK_VECS]) {
    const char *w = p->weights + 4 * p->column, *x = p->rows + (size_t)p->step * quad_bytes;
    for (int32_t i = 0; i < p->steps; i++, w += panel_step_bytes, x += quad_bytes) {
        quad_weights weights[MK_VECS];
        MK_UNROLL for (int v = 0; v < MK_VECS; v++) weights[v] = load_quad_weights(w + 4 * v * MK_LANES);
        fetch(mode, MK_PREFETCH_BYTES, w, p->fetch + (size_t)i * p->fetch_stride);
        MK_UNROLL for (int r = 0; r < rows; r++) {
            const quad_value value = load_quad_value(x + (size_t)r * p->row_stride);
            MK_UNROLL for (int v = 0; v < MK_VECS; v++)
                sum[r][v] = (vf)add_quad((vi)sum[r][v], value, weights[v]);
        }
    }
}

/// The integers of 32 inputs of a group.
MK_INLINE void add_nibbles_32(
    const int rows, const char *w, const char *x, size_t stride, const enum fetching mode, const char *far,
    size_t far_stride, nibble_sum sum[][MK_VECS]) {
    // Unrolled further, loads move up until the sums no longer fit the registers.
    _Pragma("clang loop unroll_count(2)") for (int i = 0; i < 4; i++) {
        vu low[MK_VECS], high[MK_VECS];
        MK_UNROLL for (int v = 0; v < MK_VECS; v++) {
            const vu both = vu_load(w + 4 * v * MK_LANES);
            low[v] = both & 0x0F0F0F0Fu;
            high[v] = both >> 4 & 0x0F0F0F0Fu;
        }
        fetch(mode, MK_PREFETCH_BYTES, w, far);
        MK_UNROLL for (int r = 0; r < rows; r++) {
            const vi a = load_lanes32(x + (size_t)r * stride), b = load_lanes32(x + (size_t)r * stride + 4);
            MK_UNROLL for (int v = 0; v < MK_VECS; v++) sum[r][v] = add_nibbles(sum[r][v], a, low[v]);
            MK_UNROLL for (int v = 0; v < MK_VECS; v++) sum[r][v] = add_nibbles(sum[r][v], b, high[v]);
        }
        w += panel_step_bytes, x += 8, far += far_stride;
    }
    MK_UNROLL for (int r = 0; r < rows; r++)
        MK_UNROLL for (int v = 0; v < MK_VECS; v++) sum[r][v] = fold_nibbles(sum[r][v]);
}

MK_INLINE void add_groups(
    const int rows, const int group, const linear_piece *p, const enum fetching mode, vf sum[][MK_VECS]) {
    const char *w = p->weights, *x = p->rows + (size_t)p->step * (size_t)group, *far = p->fetch;
    const int32_t *sums = row_sums(mk_format_int4, p->k, p->rows) + p->step * (group / 32);
    const size_t sums_stride = p->row_stride / sizeof *sums;
    for (int32_t i = 0; i < p->steps; i++, w += int4_group_bytes(group), sums += group / 32) {
        nibble_sum inner[MK_ROWS][MK_VECS];
        MK_UNROLL for (int r = 0; r < rows; r++) {
            int32_t start = 0;
            MK_UNROLL for (int part = 0; part < group / 32; part++) start -= 8 * sums[(size_t)r * sums_stride + (size_t)part];
            MK_UNROLL for (int v = 0; v < MK_VECS; v++) inner[r][v] = begin_nibbles(start);
        }
        const char *quads = w + 2 * mk_panel_columns + 4 * p->column;
        for (int part = 0; part < group / 32; part++, quads += 4 * panel_step_bytes, x += 32, far += 4 * p->fetch_stride)
            add_nibbles_32(rows, quads, x, p->row_stride, mode, far, p->fetch_stride, inner);
        if (mode == fetch_near) __builtin_prefetch(w + MK_PREFETCH_BYTES);
        MK_UNROLL for (int v = 0; v < MK_VECS; v++) {
            const vf scale = vf_load_float16(w + 2 * (p->column + v * MK_LANES));
            MK_UNROLL for (int r = 0; r < rows; r++)
                sum[r][v] = vf_fma(__builtin_convertvector(end_nibbles(inner[r][v]), vf), scale, sum[r][v]);
        }
    }
}

#if MK_LANES == 16
/// One pair of inputs whose weights are at hand.
MK_INLINE void add_pair_rows(
    const int rows, const char *x, size_t stride, const vbytes *first, const vbytes *second, vf sum[][MK_VECS]) {
    const pair_weights weights[MK_VECS] = {load_pair_weights((const char *)first), load_pair_weights((const char *)second)};
    MK_UNROLL for (int r = 0; r < rows; r++) {
        const pair_value value = load_pair_value(x + (size_t)r * stride);
        MK_UNROLL for (int v = 0; v < MK_VECS; v++) sum[r][v] = add_pair(sum[r][v], value, weights[v]);
    }
}

/// Steps of two pairs. One that has a pair kept whole, or is not full, goes through memory.
MK_INLINE void add_compressed(const int rows, const linear_piece *p, vf sum[][MK_VECS]) {
    compressed_panel *source = p->source;
    const char *x = p->rows;
    const uint8_t *from = source->steps;
    for (int32_t pair = 0; pair < p->steps; pair += 2, from += compressed_step_bytes, x += 2 * pair_bytes) {
        MK_UNROLL for (int line = 0; line < 3; line++)
            __builtin_prefetch(from + MK_PREFETCH_BYTES + 64 * line);
        const bool is_regular = pair + 1 < p->steps && (source->numbers == source->numbers_end || *source->numbers > pair + 1);
        if (__builtin_expect(is_regular, true)) {
            vbytes weights[4];
            expand_step(source->uppers, from, (char *)weights);
            add_pair_rows(rows, x, p->row_stride, &weights[0], &weights[1], sum);
            add_pair_rows(rows, x + pair_bytes, p->row_stride, &weights[2], &weights[3], sum);
        } else {
            vbytes weights[4];
            const int32_t count = p->steps - pair < 2 ? 1 : 2;
            expand_pairs(source, pair, count, (char *)weights);
            for (int32_t i = 0; i < count; i++)
                add_pair_rows(rows, x + i * pair_bytes, p->row_stride, &weights[2 * i], &weights[2 * i + 1], sum);
        }
    }
}
#endif

MK_INLINE void begin_sums(const enum product product, const int rows, const linear_piece *p, vf sum[][MK_VECS]) {
    MK_UNROLL for (int r = 0; r < rows; r++) {
        const char *row = p->rows + (size_t)r * p->row_stride;
        vf start = vf_set(0);
        if (product == product_quads) start = (vf)(vi)(-128 * row_end(mk_format_int8, p->k, row)->total);
        MK_UNROLL for (int v = 0; v < MK_VECS; v++)
            sum[r][v] = p->is_first ? start : vf_load(p->partial + r * mk_panel_columns + v * MK_LANES);
    }
}

/// Integers, or sums of a row's own integers, become numbers.
MK_INLINE void apply_scales(const enum product product, const int rows, const linear_piece *p, vf sum[][MK_VECS]) {
    if (product == product_pairs || product == product_compressed) return;
    const mk_format format = product == product_quads ? mk_format_int8 : mk_format_int4;
    MK_UNROLL for (int r = 0; r < rows; r++) {
        const vf scale = vf_set(row_end(format, p->k, p->rows + (size_t)r * p->row_stride)->scale);
        MK_UNROLL for (int v = 0; v < MK_VECS; v++) {
            if (product == product_quads)
                sum[r][v] = __builtin_convertvector((vi)sum[r][v], vf)
                            * (vf_load(p->scales + p->column + v * MK_LANES) * scale);
            else
                sum[r][v] *= scale;
        }
    }
}

MK_INLINE void linear_rows(
    const enum product product, const int rows, const linear_piece *p, const enum fetching mode) {
    vf sum[MK_ROWS][MK_VECS];
    begin_sums(product, rows, p, sum);
    switch (product) {
    case product_pairs: add_pairs(rows, p, mode, sum); break;
    case product_quads: add_quads(rows, p, mode, sum); break;
#if MK_LANES == 16
    case product_compressed: add_compressed(rows, p, sum); break;
#endif
    case product_groups_32: add_groups(rows, 32, p, mode, sum); break;
    default: add_groups(rows, 64, p, mode, sum); break;
    }
    if (p->is_last) {
        apply_scales(product, rows, p, sum);
        store_rows(rows, &p->to, sum);
    } else {
        MK_UNROLL for (int r = 0; r < rows; r++)
            MK_UNROLL for (int v = 0; v < MK_VECS; v++)
                vf_store(p->partial + r * mk_panel_columns + v * MK_LANES, sum[r][v]);
    }
}

#define MK_LINEAR(R, MOST, PRODUCT)                                                                                    \
    static void PRODUCT##_rows_##R(const linear_piece *p, enum fetching mode) {                                        \
        if (R > MOST) return;                                                                                          \
        switch (mode) {                                                                                                \
        case fetch_near: linear_rows(PRODUCT, R > MOST ? 1 : R, p, fetch_near); break;                                 \
        case fetch_far: linear_rows(PRODUCT, R > MOST ? 1 : R, p, fetch_far); break;                                   \
        default: linear_rows(PRODUCT, R > MOST ? 1 : R, p, fetch_nothing); break;                                      \
        }                                                                                                              \
    }
#define MK_LINEAR_ROWS(MOST, PRODUCT)                                                                                  \
    MK_LINEAR(1, MOST, PRODUCT) MK_LINEAR(2, MOST, PRODUCT) MK_LINEAR(3, MOST, PRODUCT) MK_LINEAR(4, MOST, PRODUCT)    \
    MK_LINEAR(5, MOST, PRODUCT) MK_LINEAR(6, MOST, PRODUCT) MK_LINEAR(7, MOST, PRODUCT) MK_LINEAR(8, MOST, PRODUCT)    \
    MK_LINEAR(9, MOST, PRODUCT) MK_LINEAR(10, MOST, PRODUCT)
MK_LINEAR_ROWS(MK_PAIR_ROWS, product_pairs)
MK_LINEAR_ROWS(MK_QUAD_ROWS, product_quads)
MK_LINEAR_ROWS(MK_NIBBLE_ROWS, product_groups_32)
MK_LINEAR_ROWS(MK_NIBBLE_ROWS, product_groups_64)
#if MK_LANES == 16
#undef MK_LINEAR
// These ask for what they need by themselves.
#define MK_LINEAR(R, MOST, PRODUCT)                                                                                    \
    static void PRODUCT##_rows_##R(const linear_piece *p, enum fetching mode) {                                        \
        (void)mode;                                                                                                    \
        if (R <= MOST) linear_rows(PRODUCT, R > MOST ? 1 : R, p, fetch_nothing);                                       \
    }
MK_LINEAR_ROWS(MK_COMPRESSED_ROWS, product_compressed)
#endif
#undef MK_LINEAR_ROWS
#undef MK_LINEAR

#define MK_ROW_FUNCTIONS(PRODUCT)                                                                                      \
    {PRODUCT##_rows_1, PRODUCT##_rows_2, PRODUCT##_rows_3, PRODUCT##_rows_4, PRODUCT##_rows_5,                         \
     PRODUCT##_rows_6, PRODUCT##_rows_7, PRODUCT##_rows_8, PRODUCT##_rows_9, PRODUCT##_rows_10}
static void (*const linear_functions[product_count][10])(const linear_piece *, enum fetching) = {
    MK_ROW_FUNCTIONS(product_pairs),
    MK_ROW_FUNCTIONS(product_quads),
    MK_ROW_FUNCTIONS(product_groups_32),
    MK_ROW_FUNCTIONS(product_groups_64),
#if MK_LANES == 16
    MK_ROW_FUNCTIONS(product_compressed),
#endif
};
#undef MK_ROW_FUNCTIONS

#include "panels.h"
