// Kernels over one row of logits. All of them treat NaN as "never the best" and read `n` floats from `logits`.
#ifndef MARTLET_MK_SAMPLING_H
#define MARTLET_MK_SAMPLING_H

#include <stdint.h>

/// Index of the greatest value; the lowest index wins a tie. 0 if every value is NaN or -infinity. O(n).
int32_t mk_argmax(const float *_Nonnull logits, int32_t n);

/// The greatest value; -infinity if there is none. O(n).
float mk_max(const float *_Nonnull logits, int32_t n);

/// log(sum(exp(x))), summed in a fixed order: blocks of lanes in float, blocks together in double.
/// -infinity if every value is -infinity. O(n).
double mk_log_sum_exp(const float *_Nonnull logits, int32_t n);

/// Divides every value by `temperature` in place. The caller rules out 0. O(n).
void mk_scale(float *_Nonnull logits, int32_t n, float temperature);

/// Writes exp(x - max) to `out` (may be `logits` itself) and returns the sum in the order of `mk_log_sum_exp`. O(n).
double mk_softmax_exp(const float *_Nonnull logits, int32_t n, float max, float *_Nonnull out);

/// Sets to -infinity every value whose probability is below `min_p` times the greatest one; `max` is `mk_max` of the row. O(n).
void mk_apply_min_p(float *_Nonnull logits, int32_t n, float max, float min_p);

/// How many values are greater than `value`: the zero-based rank of a token, given its own value. O(n).
int32_t mk_count_greater(const float *_Nonnull logits, int32_t n, float value);

/// The `k` greatest values in descending order, ties by lower index; returns how many were written, min(k, n).
/// `out_idx` and `out_val` hold `k` elements. O(n + c log k), c the number of values that ever entered the best k.
int32_t mk_top_k(
    const float *_Nonnull logits, int32_t n, int32_t k, int32_t *_Nonnull out_idx, float *_Nonnull out_val);

/// Draws among the greatest weights that together reach `target`: an index, with the probability of its weight.
///
/// Which weights these are, and which of equal ones (those of lower index), is as a sort would find; but they are drawn
/// from in another order, so that nothing is sorted. For rows in which they are many. Weights are from 0 to 1, `uniform`
/// is from 0 to below 1. -1 if all weights are 0. O(n) about fifteen times.
int32_t mk_draw_nucleus(const float *_Nonnull weights, int32_t n, double target, double uniform);

/// Sets to -infinity every value whose bit is 0; bit i of word w is token 32 w + i, `bits` holds (n + 31) / 32 words. O(n).
void mk_apply_mask_bits(float *_Nonnull logits, int32_t n, const uint32_t *_Nonnull bits);

#endif
