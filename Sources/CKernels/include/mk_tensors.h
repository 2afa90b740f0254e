// Types of the tensor kernels: packed weights, the paged cache, and the table entries that work on them.
#ifndef MARTLET_MK_TENSORS_H
#define MARTLET_MK_TENSORS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/// How a number is stored. Arithmetic is float, unless a kernel says otherwise.
typedef enum mk_storage {
    mk_float32 = 0,
    mk_bfloat16 = 1,
    /// Only as a source of conversion.
    mk_float16 = 2,
    /// Only in the KV cache, with a scale for each row.
    mk_int8 = 3,
} mk_storage;

/// Output columns of a panel of packed weights.
enum { mk_panel_columns = 32 };

/// KV positions that attention takes in one step; tiles start at multiples of it, counted from the start of the sequence.
enum { mk_tile_positions = 16 };

/// The widest attention head that the kernels take.
enum { mk_max_head_dim = 512 };

/// A weight matrix of `k` inputs and `n` outputs in panels of 32 outputs with all of K contiguous, so that every
/// number of rows streams the weights once, in order. Columns past `n` and an odd last input are zero.
/// - float32: `[ceil(n / 32)][k][32]`
/// - bfloat16: `[ceil(n / 32)][ceil(k / 2)][32][2]`
typedef struct mk_packed {
    const void *_Nonnull data;
    mk_storage storage;
    int32_t n, k;
} mk_packed;

/// Activation functions of feed-forward layers.
typedef enum mk_activation {
    mk_silu = 0,
    /// x * Phi(x), by erf.
    mk_gelu = 1,
    /// The tanh approximation.
    mk_gelu_tanh = 2,
    mk_relu = 3,
} mk_activation;

/// Shape of one layer of the paged KV cache: `[block][kv head]` of K then V.
///
/// `depth` is `head_dim` rounded up to 16. Blocks of 16 positions and more are cut into tiles of 16, first all K tiles,
/// then all V tiles, with positions in the vector lanes for K and channels for V, so no kernel sums across lanes:
/// - float32: K `[depth][16]`, V `[16][depth]`
/// - bfloat16: K `[depth / 2][16][2]`, V `[8][depth][2]`
/// - int8: K `[depth][16]`, V `[16][depth]`, each tile followed by the scales of its positions as float `[16]`
/// Smaller blocks hold K `[block][depth]`, V `[block][depth]`, with int8 each followed by scales `[block]`, and are
/// assembled into tiles when they are read.
///
/// int8 is symmetric, by token and KV head, K and V apart: scale = max|x| / 127, stored = x / scale rounded to nearest
/// even. A row of zeros has scale 0; a row with a NaN or an infinity has scale NaN.
typedef struct mk_cache_shape {
    mk_storage storage;
    int32_t kv_heads, head_dim, block_size;
} mk_cache_shape;

/// Tokens of one sequence in a flat batch: `token_count` rows from `token_start` on are its positions
/// `context_length - token_count ..< context_length`; its block table starts at `block_table_start`.
typedef struct mk_sequence {
    int32_t token_start, token_count, context_length, block_table_start;
} mk_sequence;

/// What all attention calls of one layer share.
typedef struct mk_attention {
    mk_cache_shape shape;
    const void *_Nonnull cache;
    const int32_t *_Nonnull block_tables;
    /// Query rows `[token][heads][head_dim]`, `q_stride` elements apart.
    const float *_Nonnull q;
    size_t q_stride;
    float *_Nonnull out;
    size_t out_stride;
    int32_t heads;
    float scale;
    /// Each position sees itself and the `window - 1` before it; 0 means all. Blocks wholly before the window of all of
    /// a call's tokens are never read.
    int32_t window;
    /// For each query head, what is taken off a score for every position between query and key (ALiBi, arXiv
    /// 2108.12409); null for none.
    const float *_Nullable slopes;
} mk_attention;

/// Kernels of a transformer layer.
typedef struct mk_tensor_kernels {
    /// c[m][n] = sum over k of a[m][k] w[k][n] (+ bias[n]), for the panels `panel_begin ..< panel_end`; with
    /// `accumulate` the result is added to what `c` holds. K is summed in ascending order for every row alike.
    void (*_Nonnull matmul)(
        const mk_packed *_Nonnull w, int32_t panel_begin, int32_t panel_end, const float *_Nonnull a, size_t a_stride,
        int32_t rows, float *_Nonnull c, size_t c_stride, const float *_Nullable bias, bool accumulate);
    /// out[m][n] = activation(gate) * up for weights whose panels alternate gate, up; works on the pairs
    /// `pair_begin ..< pair_end` and writes `columns` outputs at most. `bias` is interleaved like the columns of `w`.
    void (*_Nonnull gated_matmul)(
        const mk_packed *_Nonnull w, int32_t pair_begin, int32_t pair_end, const float *_Nonnull a, size_t a_stride,
        int32_t rows, float *_Nonnull out, size_t out_stride, int32_t columns, const float *_Nullable bias,
        mk_activation activation);
    /// out = x / sqrt(mean(x^2) + epsilon) * weight over `n` values.
    void (*_Nonnull rms_norm)(
        const float *_Nonnull x, const float *_Nonnull weight, float epsilon, int32_t n, float *_Nonnull out);
    /// out = (x - mean) / sqrt(mean((x - mean)^2) + epsilon) * weight (+ bias) over `n` values.
    void (*_Nonnull layer_norm)(
        const float *_Nonnull x, const float *_Nonnull weight, const float *_Nullable bias, float epsilon, int32_t n,
        float *_Nonnull out);
    /// Rotates the first `rotary` channels of each head in place, halves paired: (x[i], x[i + rotary / 2]).
    /// `cosine` and `sine` hold `rotary / 2` values for the token's position.
    void (*_Nonnull rope)(
        float *_Nonnull x, int32_t heads, int32_t head_dim, int32_t rotary, const float *_Nonnull cosine,
        const float *_Nonnull sine);
    /// Stores K and V of one token, `[kv head][head_dim]` each, at a slot of the layer's cache:
    /// slot = block * block_size + offset.
    void (*_Nonnull write_kv)(
        const mk_cache_shape *_Nonnull shape, void *_Nonnull cache, int64_t slot, const float *_Nonnull k,
        const float *_Nonnull v);
    /// Causal attention of `token_count` tokens from `token` on (counted within the sequence) for the query heads of
    /// one KV head. K and V come from the cache alone, in tiles of 16 absolute positions, in ascending order.
    /// Over a bfloat16 cache sets with a bfloat16 dot instruction round queries and probabilities to bfloat16 and take
    /// one step of the softmax for 64 absolute positions.
    void (*_Nonnull attend)(
        const mk_attention *_Nonnull attention, const mk_sequence *_Nonnull sequence, int32_t kv_head, int32_t token,
        int32_t token_count);
    /// out[m][r] = scale * sum over k of x[m][k] a[r][k], for `rows` tokens: the first half of a low-rank change. `a` is
    /// `[rank][k]` in float32 or bfloat16. The order of the sum depends on k alone.
    void (*_Nonnull shrink)(
        const void *_Nonnull a, mk_storage storage, int32_t rank, int32_t k, const float *_Nonnull x, size_t x_stride,
        int32_t rows, float scale, float *_Nonnull out, size_t out_stride);
    /// out[m][n] += sum over k of v[m][k] b[k][n] for the panels `panel_begin ..< panel_end`: the second half of a low-rank
    /// change. `out` is where the first of these panels begins in the first row; panels are `panel_stride` numbers apart,
    /// which is more than 32 where they alternate with others. The bits are those of `matmul` with `accumulate`.
    void (*_Nonnull expand)(
        const mk_packed *_Nonnull b, int32_t panel_begin, int32_t panel_end, const float *_Nonnull v, size_t v_stride,
        int32_t rows, float *_Nonnull out, size_t out_stride, size_t panel_stride);
    /// out[m][n] = activation(gate) * up for outputs that alternate gate, up panel by panel, as `matmul` of weights for
    /// `gated_matmul` gives them; works on the pairs `pair_begin ..< pair_end` and writes `columns` outputs at most.
    void (*_Nonnull gate)(
        const float *_Nonnull in, size_t in_stride, int32_t pair_begin, int32_t pair_end, int32_t rows,
        float *_Nonnull out, size_t out_stride, int32_t columns, mk_activation activation);
    /// x = activation(x) in place, over `columns` values of each row.
    void (*_Nonnull activate)(
        float *_Nonnull x, size_t stride, int32_t rows, int32_t columns, mk_activation activation);
} mk_tensor_kernels;

/// Bytes of one block of one layer.
size_t mk_cache_block_bytes(const mk_cache_shape *_Nonnull shape);

/// Bytes of the packed form of an `n` by `k` weight matrix.
size_t mk_packed_bytes(mk_storage storage, int32_t n, int32_t k);

/// Writes `rows` rows of a row-major `[rows][k]` matrix as output columns of packed weights of depth `k`, from column
/// `first` on; with `interleave` every other panel is skipped, for two matrices that alternate. Columns not written stay
/// as they are; distinct columns may be written from distinct threads.
void mk_pack(
    void *_Nonnull packed, mk_storage storage, int32_t k, int32_t first, bool interleave, const void *_Nonnull matrix,
    mk_storage source, int32_t rows);

/// Writes a row-major `[rows][columns]` matrix in float with one more column at its end.
void mk_append_column(
    float *_Nonnull out, const void *_Nonnull matrix, mk_storage matrix_type, size_t rows, size_t columns,
    const void *_Nonnull column, mk_storage column_type);

/// to[i] += from[i] for `count` values.
void mk_add(float *_Nonnull to, const float *_Nonnull from, size_t count);

/// Converts `count` values between storage types; to bfloat16 rounds to nearest even.
void mk_convert(void *_Nonnull to, mk_storage to_type, const void *_Nonnull from, mk_storage from_type, size_t count);

/// cos and sin of position * inverse_frequency[i], times `scale`, for `count` positions from `first` on, as
/// `[count][half]` each. In float throughout, as transformers computes them.
void mk_rope_table(
    const float *_Nonnull inverse_frequency, int32_t half, int32_t first, int32_t count, float scale,
    float *_Nonnull cosine, float *_Nonnull sine);

#endif
