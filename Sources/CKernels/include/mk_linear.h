// Linear layers: weight formats, input rows in the form that each format wants, and the kernels that multiply them.
//
// A row of activations is prepared once (`prepare`, or `norm` together with the normalisation before it) and then
// multiplied by any number of panels, from any thread. What a prepared row looks like depends on the format and on the
// instruction set; to its users it is `row_bytes` opaque bytes. A row's bits depend on that row alone.
#ifndef MARTLET_MK_LINEAR_H
#define MARTLET_MK_LINEAR_H

#include "mk_tensors.h"

/// How the weights of a linear layer are held. All are panels of 32 output columns with all of K contiguous, so that
/// every number of rows streams a panel once, in order. What is missing to whole panels, pairs, quads and groups is zero.
///
/// In the layouts P is the number of panels, and a "quad" is four successive inputs of one column.
typedef enum mk_format {
    /// `[P][k][32]` float. Rows stay in float; products are fused multiply-adds.
    mk_format_float32 = 0,
    /// `[P][ceil(k / 2)][32][2]` bfloat16. Rows are rounded to bfloat16, to nearest even. Products of two are exact in
    /// float; sums are float, with k ascending. Sets with a bfloat16 dot instruction add the odd input of a pair before
    /// the even one; those with tiles sum the even and the odd inputs of each 32 apart, then together, then onto the sum;
    /// both take subnormals for zero. All others add one by one. So the bits are the same within one instruction set, not
    /// between two.
    mk_format_bfloat16 = 1,
    /// The same numbers in 12 bits instead of 16, without loss, and the same results bit for bit. Each panel has a table
    /// of its 16 most frequent upper bytes; pairs of inputs that hold another one are kept whole beside it.
    mk_format_bfloat16_compressed = 2,
    /// `[P]` of quads `[ceil(k / 4)][32][4]` of weight / scale + 128 in 8 bits, then float scales `[32]`, one a column:
    /// max|w| / 127. Rows become int8 in the same way, one scale a row. Sums are integers, so the bits are the same on
    /// every instruction set.
    mk_format_int8 = 3,
    /// `[P][ceil(k / group)]` of float16 scales `[32]`, then `[group / 8][32][4]` bytes of weight / scale + 8: the low
    /// halves are a quad, the high halves the one after it. `group` inputs, 32 or 64, share a scale. Rows are as for
    /// int8. Sums within a group are integers, groups are added in float in ascending order by fused multiply-adds; the
    /// bits are the same on every instruction set.
    mk_format_int4 = 4,
} mk_format;

enum { mk_format_count = 5 };

/// A weight matrix of `k` inputs and `n` outputs.
typedef struct mk_weights {
    const void *_Nonnull data;
    mk_format format;
    /// Inputs that share a scale, with int4: 32 or 64.
    int32_t group;
    int32_t n, k;
} mk_weights;

/// What is done with the columns of a result.
typedef struct mk_output {
    /// `[row][column]` for all columns of the layer, rows `stride` elements apart.
    float *_Nonnull values;
    size_t stride;
    /// A value for each column, to whole panels.
    const float *_Nullable bias;
    /// Adds to what `values` holds.
    bool accumulate;
} mk_output;

/// The best column that an arg-max has seen; `index` is -1 where there was none but NaN.
typedef struct mk_best {
    float value;
    int32_t index;
} mk_best;

typedef struct mk_linear_kernels {
    /// Bytes of a prepared row of `k` values, a multiple of 64; rows may lie further apart, at multiples of 64. Whoever
    /// sets the distance should not choose a multiple of 4096, which sends all rows to the same few cache sets.
    size_t (*_Nonnull row_bytes)(mk_format format, int32_t k);
    /// Brings `k` values into the form that weights of `format` are multiplied with. `row` is aligned to 64 bytes.
    ///
    /// int8: scale = max|x| / 127, stored = x * (127 / max|x|) rounded to nearest even. A row whose greatest magnitude is
    /// below 2^-100 counts as zeros; one with a NaN or an infinity has scale NaN, and so has every product of it.
    void (*_Nonnull prepare)(mk_format format, const float *_Nonnull x, int32_t k, void *_Nonnull row);
    /// `rms_norm` followed by `prepare` in one pass, with the same bits; `out`, if given, gets the float values too.
    void (*_Nonnull norm)(
        mk_format format, const float *_Nonnull x, const float *_Nonnull weight, float epsilon, int32_t k,
        void *_Nonnull row, float *_Nullable out);
    /// out[m][n] = sum over k of row[m][k] w[k][n] for the panels `panel_begin ..< panel_end`.
    void (*_Nonnull multiply)(
        const mk_weights *_Nonnull w, int32_t panel_begin, int32_t panel_end, const void *_Nonnull rows,
        size_t row_stride, int32_t row_count, const mk_output *_Nonnull out);
    /// values[m][n] = activation(gate) * up for weights whose panels alternate gate, up; works on the pairs of panels
    /// `pair_begin ..< pair_end` and writes `columns` outputs at most. `out->bias` is interleaved like the columns of `w`.
    void (*_Nonnull multiply_gated)(
        const mk_weights *_Nonnull w, int32_t pair_begin, int32_t pair_end, const void *_Nonnull rows,
        size_t row_stride, int32_t row_count, const mk_output *_Nonnull out, int32_t columns, mk_activation activation);
    /// The greatest output of each row among the panels `panel_begin ..< panel_end`, which is never stored: the lowest
    /// column wins a tie, NaN is never the best. `best[m]` is replaced where one of these is greater, or equal with a
    /// lower index, or where its index is -1: so calls may follow each other, and results of threads may be merged.
    void (*_Nonnull argmax)(
        const mk_weights *_Nonnull w, int32_t panel_begin, int32_t panel_end, const void *_Nonnull rows,
        size_t row_stride, int32_t row_count, const float *_Nullable bias, mk_best *_Nonnull best);
} mk_linear_kernels;

/// Bytes of a weight matrix; with `mk_format_bfloat16_compressed` those without the pairs that are kept whole.
size_t mk_weights_bytes(mk_format format, int32_t group, int32_t n, int32_t k);

/// Bytes of one panel of it, without the pairs that are kept whole.
size_t mk_weights_panel_bytes(mk_format format, int32_t group, int32_t k);

/// Fills panels `panel_begin ..< panel_end` with zeros, which every column not packed later keeps. Not for
/// `mk_format_bfloat16_compressed`.
void mk_clear_weights(const mk_weights *_Nonnull w, int32_t panel_begin, int32_t panel_end);

/// Writes `rows` rows of a row-major `[rows][k]` matrix as output columns from column `first` on; with `interleave`
/// every other panel is skipped, for two matrices that alternate. Distinct panels may be written from distinct threads.
/// Not for `mk_format_bfloat16_compressed`, which is made from packed bfloat16.
///
/// int4: the value of the greatest magnitude in a group becomes -8 (as ggml's Q4_0), so scales have either sign.
/// A column (int8) or group (int4) with a NaN or an infinity has scale NaN.
void mk_pack_weights(
    const mk_weights *_Nonnull w, int32_t first, bool interleave, const void *_Nonnull matrix, mk_storage source,
    int32_t rows);

/// Reads inputs `k_begin ..< k_end` of output column `column` back as floats: what the products see of them.
void mk_unpack_weights(
    const mk_weights *_Nonnull w, int32_t column, int32_t k_begin, int32_t k_end, float *_Nonnull out);

/// Reads a panel back as `[k][32]` floats; columns past the last are zero.
void mk_unpack_weights_panel(const mk_weights *_Nonnull w, int32_t panel, float *_Nonnull out);

/// Pairs of inputs of a panel of packed bfloat16 weights that compression keeps whole; each costs 132 bytes.
int32_t mk_count_whole_pairs(const mk_weights *_Nonnull bfloat16, int32_t panel);

/// Bytes that `count` pairs kept whole take, a multiple of 64.
size_t mk_whole_pairs_bytes(int32_t count);

/// Compresses one panel of packed bfloat16 weights. `to` is compressed weights of the same shape; the pairs kept whole go
/// to `whole` bytes from the start of its data on, a multiple of 64; there are `whole_count`, as `mk_count_whole_pairs` says.
void mk_compress_panel(
    const mk_weights *_Nonnull to, const mk_weights *_Nonnull bfloat16, int32_t panel, size_t whole,
    int32_t whole_count);

#endif
