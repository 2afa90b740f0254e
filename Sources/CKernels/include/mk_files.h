// Work on the bytes of files: hashing, checking and folding the tensors of adapters. Not for the inside of a step.
#ifndef MARTLET_MK_FILES_H
#define MARTLET_MK_FILES_H

#include "mk_tensors.h"

/// A running SHA-256 (FIPS 180-4); zero is not a valid state, `mk_sha256_begin` makes one.
typedef struct mk_sha256 {
    uint32_t state[8];
    uint64_t length;
    uint8_t pending[64];
    /// Whether the processor's own instructions are used.
    bool has_instructions;
} mk_sha256;

void mk_sha256_begin(mk_sha256 *_Nonnull hash);
/// The same in plain C, whatever the processor has.
void mk_sha256_begin_plain(mk_sha256 *_Nonnull hash);
void mk_sha256_add(mk_sha256 *_Nonnull hash, const void *_Nullable bytes, size_t count);
/// Writes 32 bytes; `hash` must be begun again afterwards.
void mk_sha256_end(mk_sha256 *_Nonnull hash, uint8_t *_Nonnull digest);

/// A hash of 64 bits that tells damaged bytes from whole ones; anybody can make other bytes with the same. Any change
/// within eight aligned bytes changes it, other changes do but for one in 2^64. Bytes are read in the machine's order.
uint64_t mk_hash64(const void *_Nullable bytes, size_t count);

/// Index of the first value that is NaN or infinite, or -1.
ptrdiff_t mk_find_nonfinite(const void *_Nonnull values, mk_storage type, size_t count);

/// out[r][c] = in[r][c] * rows[r] * columns[c] in float, of the top left `[rows][columns]` part of a matrix whose rows
/// are `stride` values apart; a null factor counts as ones.
void mk_scale_matrix(
    const void *_Nonnull in, mk_storage type, size_t stride, const float *_Nullable row_factors,
    const float *_Nullable column_factors, size_t rows, size_t columns, float *_Nonnull out);

/// out[i][j] = sum over k of a[i][k] b[k][j], in float with k ascending.
void mk_small_product(
    const float *_Nonnull a, const float *_Nonnull b, size_t rows, size_t inner, size_t columns, float *_Nonnull out);

/// out[i][j] = a[i][j] * b[i][j].
void mk_multiply(const float *_Nonnull a, const float *_Nonnull b, size_t count, float *_Nonnull out);

/// The Kronecker product: out[i p + k][j q + l] = a[i][j] b[k][l] for a `[m][n]` and b `[p][q]`.
void mk_kronecker(
    const float *_Nonnull a, size_t m, size_t n, const float *_Nonnull b, size_t p, size_t q, float *_Nonnull out);

/// Products of all pairs of rows at the same column: out[i s + j][c] = a[i][c] b[j][c] for a `[r][columns]`, b `[s][columns]`.
void mk_pair_rows(
    const float *_Nonnull a, size_t r, const float *_Nonnull b, size_t s, size_t columns, float *_Nonnull out);

/// Products of all pairs of columns at the same row: out[o][i s + j] = a[o][i] b[o][j] for a `[rows][r]`, b `[rows][s]`.
void mk_pair_columns(
    const float *_Nonnull a, size_t r, const float *_Nonnull b, size_t s, size_t rows, float *_Nonnull out);

/// What torch's `Tensor.uniform_(-bound, bound)` draws in float on a CPU from a generator of this seed, after `skip` numbers.
void mk_torch_uniform(uint64_t seed, size_t skip, double bound, size_t count, float *_Nonnull out);

#endif
