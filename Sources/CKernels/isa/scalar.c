// The reference: plain loops, one value at a time, in double where a sum is involved. Slow and easy to believe.
#include "tables.h"

#include <math.h>
#include <string.h>

#pragma STDC FP_CONTRACT OFF

static float row_max(const float *x, int32_t n) {
    float m = -INFINITY;
    for (int32_t i = 0; i < n; i++) m = x[i] > m ? x[i] : m;
    return m;
}

static int32_t row_argmax(const float *x, int32_t n) {
    int32_t best = -1;
    for (int32_t i = 0; i < n; i++)
        if (!isnan(x[i]) && (best < 0 || x[i] > x[best])) best = i;
    return best < 0 ? 0 : best;
}

static double row_exp_sum(const float *x, int32_t n, float max, float *out) {
    double sum = 0;
    for (int32_t i = 0; i < n; i++) {
        const float e = expf(x[i] - max);
        if (out) out[i] = e;
        sum += e;
    }
    return sum;
}

static void row_scale(float *x, int32_t n, float temperature) {
    for (int32_t i = 0; i < n; i++) x[i] /= temperature;
}

static void row_floor(float *x, int32_t n, float threshold) {
    for (int32_t i = 0; i < n; i++) x[i] = x[i] >= threshold ? x[i] : -INFINITY;
}

static int32_t row_count_greater(const float *x, int32_t n, float value) {
    int32_t count = 0;
    for (int32_t i = 0; i < n; i++) count += x[i] > value;
    return count;
}

static int32_t row_next_greater(const float *x, int32_t from, int32_t n, float value) {
    for (int32_t i = from; i < n; i++)
        if (x[i] > value) return i;
    return n;
}

static void row_mask(float *x, int32_t n, const uint32_t *bits) {
    for (int32_t i = 0; i < n; i++)
        if (!(bits[i / 32] >> (i % 32) & 1)) x[i] = -INFINITY;
}

#define MK_ISA mk_isa_scalar
#define MK_TABLE mk_kernels_scalar
#include "table.h"
