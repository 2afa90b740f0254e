// What adapters do to rows of activations and, once when they are loaded, to weights.
#ifndef MARTLET_MK_CHANGES_H
#define MARTLET_MK_CHANGES_H

#include "mk_tensors.h"

/// x[r][c] = x[r][c] * factors[c] + terms[c] in place.
void mk_scale_and_add(
    float *_Nonnull x, size_t stride, size_t rows, const float *_Nonnull factors, const float *_Nonnull terms,
    size_t columns);

/// out[r][c] = x[r][c] * factors[c].
void mk_scale_columns(
    const float *_Nonnull x, size_t stride, size_t rows, const float *_Nonnull factors, size_t columns,
    float *_Nonnull out, size_t out_stride);

/// Copies `columns` values of each row.
void mk_copy_rows(
    float *_Nonnull to, size_t to_stride, const float *_Nonnull from, size_t from_stride, size_t rows, size_t columns);

/// out[i] = x[i] * factor.
void mk_scaled(const float *_Nonnull x, float factor, size_t count, float *_Nonnull out);

/// to[places[i]] = from[i].
void mk_scatter(float *_Nonnull to, const int32_t *_Nonnull places, const float *_Nonnull from, size_t count);

/// out[c][r] = scale * matrix[r][c], with rows of `out` that are `stride` values apart.
void mk_transpose(
    const void *_Nonnull matrix, mk_storage type, size_t rows, size_t columns, float scale, float *_Nonnull out,
    size_t stride);

/// sums[c] += x[r][c]^2 with r ascending, in double.
void mk_add_squares(
    const float *_Nonnull x, size_t stride, size_t rows, size_t columns, double *_Nonnull sums);

/// out[i] = magnitudes[i] / sqrt(sums[i]); 0 where the sum is 0.
void mk_magnitude_factors(
    const float *_Nonnull magnitudes, const double *_Nonnull sums, size_t count, float *_Nonnull out);

/// Factors and terms for `mk_scale_and_add` that make `count` outputs of a product `p` of an adapter's:
/// out = outer * (inner * (p - applied) + wanted), where `applied` is the bias that p has already. Null factors are
/// ones, null biases zeros.
void mk_output_change(
    const float *_Nullable inner, const float *_Nullable outer, const float *_Nullable applied,
    const float *_Nullable wanted, size_t count, float *_Nonnull factors, float *_Nonnull terms);

#endif
