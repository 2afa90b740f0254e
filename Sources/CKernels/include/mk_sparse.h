// Operations that touch few logits of a row, and the draw from sorted or whole rows.
#ifndef MARTLET_MK_SPARSE_H
#define MARTLET_MK_SPARSE_H

#include <stdint.h>

/// Adds values[i] to logits[tokens[i]]; tokens outside 0..<n are left out. O(count).
void mk_add_at(
    float *_Nonnull logits, int32_t n, const int32_t *_Nonnull tokens, const float *_Nonnull values, int32_t count);

/// Divides positive and multiplies negative logits of `tokens` by `penalty` (CTRL, Keskar et al. 2019). O(count).
void mk_repetition_penalty(
    float *_Nonnull logits, int32_t n, const int32_t *_Nonnull tokens, int32_t count, float penalty);

/// Subtracts frequency * counts[i] + presence from logits[tokens[i]] (OpenAI). O(count).
void mk_count_penalty(
    float *_Nonnull logits, int32_t n, const int32_t *_Nonnull tokens, const float *_Nonnull counts, int32_t count,
    float frequency, float presence);

/// First index at which the running sum of `weights` exceeds `target`; the last positive weight where rounding leaves
/// the sum short; -1 if no weight is positive. Sums one after another in double. O(n).
int32_t mk_walk(const float *_Nonnull weights, int32_t n, double target);

/// Length of the shortest head of `weights` whose sum reaches `target`, at least 1; its sum goes to `sum`. O(n).
int32_t mk_nucleus(const float *_Nonnull weights, int32_t n, double target, double *_Nonnull sum);

#endif
