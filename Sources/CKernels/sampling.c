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

enum {
    /// As many weights around the end of a nucleus are looked at one by one.
    edge_count = 256,
    draw_block = 256,
};

/// Weights greater than `low` and at most `high`, the greatest first, equal ones by index; `count` at most `edge_count`.
typedef struct edge {
    float value[edge_count];
    int32_t index[edge_count];
    int32_t count;
} edge;

static void find_edge(const mk_row_kernels *row, const float *weights, int32_t n, float low, float high, edge *edge) {
    edge->count = 0;
    for (int32_t start = 0; start < n; start += draw_block) {
        const int32_t size = n - start < draw_block ? n - start : draw_block;
        if (row->count_greater(weights + start, size, low) == row->count_greater(weights + start, size, high)) continue;
        for (int32_t i = start; i < start + size && edge->count < edge_count; i++) {
            if (!(weights[i] > low && weights[i] <= high)) continue;
            int32_t at = edge->count++;
            for (; at > 0 && edge->value[at - 1] < weights[i]; at--) {
                edge->value[at] = edge->value[at - 1];
                edge->index[at] = edge->index[at - 1];
            }
            edge->value[at] = weights[i];
            edge->index[at] = i;
        }
    }
}

/// The weight at which the sum of those greater than `least`, by index, exceeds `target`; the last of them if none does.
static int32_t walk_greater(const mk_row_kernels *row, const float *weights, int32_t n, float least, double target) {
    double sum = 0;
    int32_t last = -1;
    for (int32_t start = 0; start < n; start += draw_block) {
        const int32_t size = n - start < draw_block ? n - start : draw_block;
        int32_t count;
        const double block = row->sum_greater(weights + start, size, least, &count);
        if (count == 0) continue;
        const bool is_here = sum + block > target;
        double within = sum;
        for (int32_t i = start; i < start + size && (is_here || start + draw_block >= n); i++) {
            if (!(weights[i] > least)) continue;
            last = i;
            within += weights[i];
            if (within > target) return i;
        }
        if (is_here) return last;
        sum += block;
        last = start + size - 1;
        while (!(weights[last] > least)) last--;
    }
    return last;
}

/// The `nth` weight, by index, that is greater than `low` and at most `high`.
static int32_t nth_between(
    const mk_row_kernels *row, const float *weights, int32_t n, float low, float high, int64_t nth) {
    int32_t last = -1;
    for (int32_t start = 0; start < n; start += draw_block) {
        const int32_t size = n - start < draw_block ? n - start : draw_block;
        const float *block = weights + start;
        const int32_t count = row->count_greater(block, size, low) - row->count_greater(block, size, high);
        if (count == 0) continue;
        for (int32_t i = 0, left = (int32_t)(nth < count ? nth : count - 1); i < size; i++) {
            if (!(block[i] > low && block[i] <= high)) continue;
            last = start + i;
            if (left-- == 0) break;
        }
        if (nth < count) return last;
        nth -= count;
    }
    return last;
}

int32_t mk_draw_nucleus(const float *weights, int32_t n, double target, double uniform) {
    const mk_row_kernels *row = rows();
    int32_t low = 0, high = ordered(0x3F800000), below, over = 0;
    double mass = 0;
    row->sum_greater(weights, n, 0, &below);
    if (below == 0) return -1;
    while (below - over > edge_count && high - low > 1) {
        const int32_t middle = low + (high - low) / 2;
        int32_t count;
        const double sum = row->sum_greater(weights, n, number(middle), &count);
        if (sum < target) {
            high = middle;
            over = count;
            mass = sum;
        } else {
            low = middle;
            below = count;
        }
    }
    if (below - over > edge_count) {
        // All of them equal; the first ones count.
        const double each = number(high), wanted = ceil((target - mass) / each);
        const double count = wanted < below - over ? wanted : below - over;
        const double point = uniform * (mass + count * each);
        if (over > 0 && point < mass) return walk_greater(row, weights, n, number(high), point);
        return nth_between(row, weights, n, number(low), number(high), (int64_t)((point - mass) / each));
    }
    edge edge;
    find_edge(row, weights, n, number(low), number(high), &edge);
    double total = mass;
    int32_t taken = 0;
    while (taken < edge.count && total < target) total += edge.value[taken++];
    const double point = uniform * total;
    if (over > 0 && point < mass) return walk_greater(row, weights, n, number(high), point);
    double sum = mass;
    for (int32_t i = 0; i < taken; i++) {
        sum += edge.value[i];
        if (sum > point) return edge.index[i];
    }
    return taken > 0 ? edge.index[taken - 1] : walk_greater(row, weights, n, number(high), point);
}
