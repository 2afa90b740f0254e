// The table of kernels of one instruction set.
#ifndef MARTLET_MK_KERNELS_H
#define MARTLET_MK_KERNELS_H

#include "mk_isa.h"
#include "mk_linear.h"
#include "mk_tensors.h"

#include <stddef.h>
#include <stdint.h>

/// Kernels over one row of logits; what each does is said at its public face in mk_sampling.h.
typedef struct mk_row_kernels {
    float (*_Nonnull max)(const float *_Nonnull x, int32_t n);
    int32_t (*_Nonnull argmax)(const float *_Nonnull x, int32_t n);
    /// Sum of exp(x - max), stored to `out` unless it is null.
    double (*_Nonnull exp_sum)(const float *_Nonnull x, int32_t n, float max, float *_Nullable out);
    void (*_Nonnull scale)(float *_Nonnull x, int32_t n, float temperature);
    /// Everything below `threshold` becomes -infinity.
    void (*_Nonnull floor)(float *_Nonnull x, int32_t n, float threshold);
    int32_t (*_Nonnull count_greater)(const float *_Nonnull x, int32_t n, float value);
    /// Sum of the values greater than `value`, and how many they are.
    double (*_Nonnull sum_greater)(const float *_Nonnull x, int32_t n, float value, int32_t *_Nonnull count);
    /// First index at or after `from` whose value is greater than `value`; n if there is none.
    int32_t (*_Nonnull next_greater)(const float *_Nonnull x, int32_t from, int32_t n, float value);
    /// The greatest value of each of some groups of at most `group` values, which are disjoint and cover the row; returns
    /// how many there are, at most n / group + 16. Which value is in which group differs between instruction sets.
    int32_t (*_Nonnull group_max)(const float *_Nonnull x, int32_t n, int32_t group, float *_Nonnull out);
    void (*_Nonnull mask)(float *_Nonnull x, int32_t n, const uint32_t *_Nonnull bits);
} mk_row_kernels;

/// All kernels of one instruction set.
typedef struct mk_kernels {
    mk_isa isa;
    mk_row_kernels row;
    mk_tensor_kernels tensor;
} mk_kernels;

/// The table for `isa`; the scalar one where `isa` is not available.
const mk_kernels *_Nonnull mk_kernels_for(mk_isa isa);

/// What multiplies rows with weights, for `isa`; the scalar one where `isa` is not available.
const mk_linear_kernels *_Nonnull mk_linear_kernels_for(mk_isa isa);

/// Whether the products of both are the same bit for bit: a few milliseconds with small matrices of every format.
bool mk_linear_agree(const mk_linear_kernels *_Nonnull a, const mk_linear_kernels *_Nonnull b);

/// The widest set of this machine, or the one that the environment variable `MARTLET_ISA` names. Tiles are taken only
/// where they agree with their emulation.
const mk_kernels *_Nonnull mk_kernels_default(void);

#endif
