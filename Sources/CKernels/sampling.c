// The public face of the logits kernels, on the default instruction set.
#include "mk_kernels.h"
#include "mk_sampling.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

static const mk_row_kernels *rows(void) { return &mk_kernels_default()->row; }

int32_t mk_argmax(const float *logits, int32_t n) { return rows()->argmax(logits, n); }

float mk_max(const float *logits, int32_t n) { return rows()->max(logits, n); }

double mk_log_sum_exp(const float *logits, int32_t n) {
    const float max = rows()->max(logits, n);
    if (isinf(max)) return max;
    return (double)max + log(rows()->exp_sum(logits, n, max, NULL));
}

void mk_scale(float *logits, int32_t n, float temperature) { rows()->scale(logits, n, temperature); }

double mk_softmax_exp(const float *logits, int32_t n, float max, float *out) {
    return rows()->exp_sum(logits, n, max, out);
}

void mk_apply_min_p(float *logits, int32_t n, float max, float min_p) {
    if (min_p > 0) rows()->floor(logits, n, max + logf(min_p));
}

int32_t mk_count_greater(const float *logits, int32_t n, float value) { return rows()->count_greater(logits, n, value); }

void mk_apply_mask_bits(float *logits, int32_t n, const uint32_t *bits) { rows()->mask(logits, n, bits); }

// The best k as a heap whose root is the worst of them: lowest value, and among equals the highest index.
static bool worse(float value_a, int32_t index_a, float value_b, int32_t index_b) {
    return value_a < value_b || (value_a == value_b && index_a > index_b);
}

static void sift_down(float *value, int32_t *index, int32_t root, int32_t count) {
    const float v = value[root];
    const int32_t i = index[root];
    for (int32_t child = 2 * root + 1; child < count; child = 2 * root + 1) {
        if (child + 1 < count && worse(value[child + 1], index[child + 1], value[child], index[child])) child++;
        if (!worse(value[child], index[child], v, i)) break;
        value[root] = value[child];
        index[root] = index[child];
        root = child;
    }
    value[root] = v;
    index[root] = i;
}

enum {
    /// Rows shorter than this are not worth a look ahead.
    long_row = 4096,
    most_groups = 8192,
};

/// Floats in ascending order as integers in ascending order, and back.
static int32_t ordered(int32_t bits) { return bits ^ (bits >> 31 & 0x7FFFFFFF); }

static float number(int32_t order) {
    const int32_t bits = ordered(order);
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/// A value that at least `k` others of the row exceed, and few more than that as a rule; -infinity where there is none.
///
/// Found among the greatest values of small groups: those that exceed it are values of the row.
static float floor_of_best(const mk_row_kernels *row, const float *logits, int32_t n, int32_t k) {
    if (n < long_row || k > most_groups / 2) return -INFINITY;
    float tops[most_groups + 16];
    int32_t group = 4 * k < n / 64 ? 64 : 16;
    if (n / group > most_groups) group = n / most_groups + 1;
    const int32_t groups = row->group_max(logits, n, group, tops);
    if (row->count_greater(tops, groups, -INFINITY) < k) return -INFINITY;
    int32_t low = ordered((int32_t)0xFF800000), high = 0x7F800000;
    while (high - (int64_t)low > 1) {
        const int32_t middle = (int32_t)(((int64_t)low + high) >> 1);
        const int32_t count = row->count_greater(tops, groups, number(middle));
        if (count < k) {
            high = middle;
        } else {
            low = middle;
            if (count < k + k / 8) break;
        }
    }
    return number(low);
}

int32_t mk_top_k(const float *logits, int32_t n, int32_t k, int32_t *out_idx, float *out_val) {
    if (k > n) k = n;
    if (k <= 0) return 0;
    const mk_row_kernels *row = rows();
    const float floor = floor_of_best(row, logits, n, k);
    int32_t next = 0;
    for (int32_t i = 0; i < k; i++, next++) {
        if (floor > -INFINITY) next = row->next_greater(logits, next, n, floor);
        out_val[i] = isnan(logits[next]) ? -INFINITY : logits[next];
        out_idx[i] = next;
    }
    for (int32_t root = k / 2 - 1; root >= 0; root--) sift_down(out_val, out_idx, root, k);
    for (int32_t i = row->next_greater(logits, next, n, out_val[0]); i < n;
         i = row->next_greater(logits, i + 1, n, out_val[0])) {
        out_val[0] = logits[i];
        out_idx[0] = i;
        sift_down(out_val, out_idx, 0, k);
    }
    // Taking the worst off the heap again and again leaves the best first.
    for (int32_t last = k - 1; last > 0; last--) {
        const float v = out_val[0];
        const int32_t i = out_idx[0];
        out_val[0] = out_val[last];
        out_idx[0] = out_idx[last];
        sift_down(out_val, out_idx, 0, last);
        out_val[last] = v;
        out_idx[last] = i;
    }
    return k;
}
