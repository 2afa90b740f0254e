// Matrix product over packed panels. Needs MK_ROWS, rows held in registers at once, and MK_VECS, vectors of a panel
// taken in one pass: MK_ROWS * MK_VECS accumulators plus the weights must fit the registers, or the kernel spills.
#include "result.h"
#include "fetch.h"

/// Bytes ahead of the weights that are asked for early.
enum { prefetch_distance = 2048 };

MK_INLINE void accumulate_float32(
    const int rows, const float *a, size_t a_stride, const float *w, int32_t k, const enum fetching mode,
    const char *far, size_t far_stride, vf sum[][MK_VECS]) {
    for (int32_t i = 0; i < k; i++) {
        vf weight[MK_VECS];
        MK_UNROLL for (int v = 0; v < MK_VECS; v++) weight[v] = vf_load(w + v * MK_LANES);
        fetch(mode, prefetch_distance, (const char *)w, far);
        MK_UNROLL for (int r = 0; r < rows; r++) {
            const vf x = vf_set(a[(size_t)r * a_stride + i]);
            MK_UNROLL for (int v = 0; v < MK_VECS; v++) sum[r][v] = vf_fma(x, weight[v], sum[r][v]);
        }
        w += mk_panel_columns, far += far_stride;
    }
}

// A pair of bfloat16 values in 32 bits: the even one is the low half, and shifting or masking makes either a float.
MK_INLINE void accumulate_bfloat16(
    const int rows, const float *a, size_t a_stride, const uint32_t *w, int32_t k, const enum fetching mode,
    const char *far, size_t far_stride, vf sum[][MK_VECS]) {
    for (int32_t i = 0; i + 1 < k; i += 2) {
        vf even[MK_VECS], odd[MK_VECS];
        MK_UNROLL for (int v = 0; v < MK_VECS; v++) {
            const vu pair = vu_load(w + v * MK_LANES);
            even[v] = (vf)(pair << 16);
            odd[v] = (vf)(pair & 0xFFFF0000u);
        }
        fetch(mode, prefetch_distance, (const char *)w, far);
        MK_UNROLL for (int r = 0; r < rows; r++) {
            const vf x = vf_set(a[(size_t)r * a_stride + i]);
            const vf y = vf_set(a[(size_t)r * a_stride + i + 1]);
            MK_UNROLL for (int v = 0; v < MK_VECS; v++) sum[r][v] = vf_fma(x, even[v], sum[r][v]);
            MK_UNROLL for (int v = 0; v < MK_VECS; v++) sum[r][v] = vf_fma(y, odd[v], sum[r][v]);
        }
        w += mk_panel_columns, far += far_stride;
    }
    if (k & 1) {
        MK_UNROLL for (int v = 0; v < MK_VECS; v++) {
            const vf even = (vf)(vu_load(w + v * MK_LANES) << 16);
            MK_UNROLL for (int r = 0; r < rows; r++)
                sum[r][v] = vf_fma(vf_set(a[(size_t)r * a_stride + k - 1]), even, sum[r][v]);
        }
    }
}

/// A piece of work for the registers: some rows, one pass of a panel, one range of K.
typedef struct piece {
    /// Weights of the pass, from the first input of the range on.
    const void *weights;
    mk_storage storage;
    int32_t k;
    const float *a;
    size_t a_stride;
    /// Sums of the ranges of K before (unless this is the first) and after (unless it is the last), 32 columns a row.
    float *partial;
    bool is_first, is_last;
    /// What is asked for early: with `fetch_far` a line at `far`, and so on with every step, `far_stride` bytes apart.
    enum fetching fetching;
    const char *far;
    size_t far_stride;
    result to;
} piece;

MK_INLINE void piece_rows(const int rows, const piece *p, const enum fetching mode) {
    vf sum[MK_ROWS][MK_VECS];
    MK_UNROLL for (int r = 0; r < rows; r++)
        MK_UNROLL for (int v = 0; v < MK_VECS; v++)
            sum[r][v] = p->is_first ? vf_set(0) : vf_load(p->partial + r * mk_panel_columns + v * MK_LANES);
    if (p->storage == mk_bfloat16)
        accumulate_bfloat16(rows, p->a, p->a_stride, p->weights, p->k, mode, p->far, p->far_stride, sum);
    else
        accumulate_float32(rows, p->a, p->a_stride, p->weights, p->k, mode, p->far, p->far_stride, sum);
    if (p->is_last) {
        store_rows(rows, &p->to, sum);
    } else {
        MK_UNROLL for (int r = 0; r < rows; r++)
            MK_UNROLL for (int v = 0; v < MK_VECS; v++)
                vf_store(p->partial + r * mk_panel_columns + v * MK_LANES, sum[r][v]);
    }
}

#define MK_PIECE(R)                                                                                                    \
    static void piece_##R(const piece *p) {                                                                            \
        switch (p->fetching) {                                                                                         \
        case fetch_near: piece_rows(R, p, fetch_near); break;                                                          \
        case fetch_far: piece_rows(R, p, fetch_far); break;                                                            \
        default: piece_rows(R, p, fetch_nothing); break;                                                               \
        }                                                                                                              \
    }
MK_PIECE(1)
MK_PIECE(2)
MK_PIECE(3)
MK_PIECE(4)
MK_PIECE(5)
MK_PIECE(6)
#if MK_ROWS > 6
MK_PIECE(7)
MK_PIECE(8)
MK_PIECE(9)
MK_PIECE(10)
#endif
#undef MK_PIECE

static void (*const piece_functions[MK_ROWS + 1])(const piece *) = {
    NULL,    piece_1, piece_2, piece_3, piece_4, piece_5, piece_6,
#if MK_ROWS > 6
    piece_7, piece_8, piece_9, piece_10,
#endif
};

enum {
    /// Most rows for which one panel is finished before the next begins.
    group_rows = 128,
    /// Bytes of activations of such a group that stay in the second-level cache while the panels go by.
    group_bytes = 768 << 10,
    /// Bytes of weights that stay in the first-level cache while the rows of a group go by.
    block_bytes = 32 << 10,
};

static int32_t rows_of_group(int32_t k) {
    const int32_t rows = group_bytes / 4 / (k > 0 ? k : 1);
    return rows < 32 ? 32 : rows > group_rows ? group_rows : rows;
}

/// One panel for at most `group_rows` rows. `from_memory` says that the weights are not yet in a cache.
///
/// K is cut into ranges only where several row blocks or passes would stream the panel again; the sums travel through
/// `partial` between ranges, which changes nothing in them.
static void panel_rows(
    const mk_packed *w, int32_t panel, const float *a, size_t a_stride, int32_t rows, bool from_memory, float *c,
    size_t c_stride, const float *bias, bool accumulate, int32_t columns) {
    float partial[group_rows * mk_panel_columns];
    const bool is_pairs = w->storage == mk_bfloat16;
    const size_t row_bytes = (is_pairs ? 2 : 4) * mk_panel_columns;
    const size_t panel_bytes = row_bytes * (size_t)(is_pairs ? (w->k + 1) & ~1 : w->k);
    const char *data = (const char *)w->data + panel_bytes * (size_t)panel;
    const int32_t blocks = (rows + MK_ROWS - 1) / MK_ROWS;
    const bool is_read_again = blocks * passes > 1;
    const int32_t range = is_read_again ? block_bytes / (int32_t)row_bytes : w->k;
    const int32_t parts = blocks * passes < most_fetching ? blocks * passes : most_fetching;
    for (int32_t k = 0; k < w->k; k += range) {
        const int32_t depth = w->k - k < range ? w->k - k : range;
        for (int32_t b = 0; b < blocks; b++) {
            // Blocks of nearly equal height: a last block of one row would run at the speed of a vector product.
            const int32_t begin = rows * b / blocks, end = rows * (b + 1) / blocks;
            for (int pass = 0; pass < passes && pass * pass_columns < columns; pass++) {
                const int32_t column = pass * pass_columns, part = b * passes + pass;
                const char *from = data + row_bytes * (size_t)k;
                const size_t bytes = row_bytes * (size_t)depth;
                const piece p = {
                    .weights = from + (size_t)column * 4,
                    .storage = w->storage,
                    .k = depth,
                    .a = a + (size_t)begin * a_stride + k,
                    .a_stride = a_stride,
                    .partial = partial + begin * mk_panel_columns + column,
                    .is_first = k == 0,
                    .is_last = k + depth == w->k,
                    .fetching = !from_memory || part >= parts ? fetch_nothing : is_read_again ? fetch_far : fetch_near,
                    .far = from + bytes + bytes / (size_t)parts * (size_t)part,
                    .far_stride = (is_pairs ? 2 : 1) * row_bytes / (size_t)parts,
                    .to =
                        {c + (size_t)begin * c_stride + column, c_stride, columns - column,
                         bias ? bias + column : NULL, accumulate},
                };
                piece_functions[end - begin](&p);
            }
        }
    }
}

static void matmul(
    const mk_packed *w, int32_t panel_begin, int32_t panel_end, const float *a, size_t a_stride, int32_t rows, float *c,
    size_t c_stride, const float *bias, bool accumulate) {
    const int32_t step = rows_of_group(w->k);
    for (int32_t row = 0; row < rows; row += step) {
        const int32_t count = rows - row < step ? rows - row : step;
        for (int32_t panel = panel_begin; panel < panel_end; panel++) {
            const int32_t column = panel * mk_panel_columns;
            const int32_t left = w->n - column;
            panel_rows(
                w, panel, a + (size_t)row * a_stride, a_stride, count, true, c + (size_t)row * c_stride + column,
                c_stride, bias ? bias + column : NULL, accumulate, left < mk_panel_columns ? left : mk_panel_columns);
        }
    }
}
