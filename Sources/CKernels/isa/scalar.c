// The reference: plain loops, one value at a time, in double where a sum is involved. Slow and easy to believe.
#include "tables.h"
#include "cache.h"

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

static double row_sum_greater(const float *x, int32_t n, float value, int32_t *count) {
    double sum = 0;
    *count = 0;
    for (int32_t i = 0; i < n; i++) {
        if (!(x[i] > value)) continue;
        sum += x[i];
        ++*count;
    }
    return sum;
}

static int32_t row_next_greater(const float *x, int32_t from, int32_t n, float value) {
    for (int32_t i = from; i < n; i++)
        if (x[i] > value) return i;
    return n;
}

static int32_t row_group_max(const float *x, int32_t n, int32_t group, float *out) {
    int32_t groups = 0;
    for (int32_t i = 0; i < n; i += group) out[groups++] = row_max(x + i, n - i < group ? n - i : group);
    return groups;
}

static void row_mask(float *x, int32_t n, const uint32_t *bits) {
    for (int32_t i = 0; i < n; i++)
        if (!(bits[i / 32] >> (i % 32) & 1)) x[i] = -INFINITY;
}

/// Input `i` of every column of a panel.
static void panel_row(const mk_packed *w, int32_t panel, int32_t i, float *row) {
    const size_t pairs = ((size_t)w->k + 1) / 2;
    for (int32_t c = 0; c < mk_panel_columns; c++) {
        if (w->storage == mk_bfloat16) {
            const size_t pair = ((size_t)panel * pairs + (size_t)(i / 2)) * mk_panel_columns + (size_t)c;
            row[c] = from_bfloat16(((const uint16_t *)w->data)[2 * pair + (size_t)(i & 1)]);
        } else {
            row[c] = ((const float *)w->data)[((size_t)panel * (size_t)w->k + (size_t)i) * mk_panel_columns + (size_t)c];
        }
    }
}

static void panel_product(const mk_packed *w, int32_t panel, const float *a, const float *bias, float *out) {
    double sum[mk_panel_columns] = {0};
    for (int32_t i = 0; i < w->k; i++) {
        float row[mk_panel_columns];
        panel_row(w, panel, i, row);
        for (int32_t c = 0; c < mk_panel_columns; c++) sum[c] += (double)a[i] * row[c];
    }
    for (int32_t c = 0; c < mk_panel_columns; c++)
        out[c] = (float)(sum[c] + (bias && panel * mk_panel_columns + c < w->n ? bias[panel * mk_panel_columns + c] : 0));
}

static void matmul(
    const mk_packed *w, int32_t panel_begin, int32_t panel_end, const float *a, size_t a_stride, int32_t rows, float *c,
    size_t c_stride, const float *bias, bool accumulate) {
    for (int32_t panel = panel_begin; panel < panel_end; panel++) {
        for (int32_t r = 0; r < rows; r++) {
            float out[mk_panel_columns];
            panel_product(w, panel, a + (size_t)r * a_stride, bias, out);
            float *to = c + (size_t)r * c_stride + panel * mk_panel_columns;
            for (int32_t i = 0; i < mk_panel_columns && panel * mk_panel_columns + i < w->n; i++)
                to[i] = accumulate ? to[i] + out[i] : out[i];
        }
    }
}

static double activate(double x, mk_activation activation) {
    switch (activation) {
    case mk_silu: return x / (1 + exp(-x));
    case mk_gelu: return 0.5 * x * (1 + erf(x * 0.70710678118654752));
    case mk_gelu_tanh: return 0.5 * x * (1 + tanh(0.7978845608028654 * (x + 0.044715 * x * x * x)));
    default: return x > 0 ? x : 0;
    }
}

static void gated_matmul(
    const mk_packed *w, int32_t pair_begin, int32_t pair_end, const float *a, size_t a_stride, int32_t rows, float *out,
    size_t out_stride, int32_t columns, const float *bias, mk_activation activation) {
    for (int32_t pair = pair_begin; pair < pair_end; pair++) {
        for (int32_t r = 0; r < rows; r++) {
            float gate[mk_panel_columns], up[mk_panel_columns];
            panel_product(w, 2 * pair, a + (size_t)r * a_stride, bias, gate);
            panel_product(w, 2 * pair + 1, a + (size_t)r * a_stride, bias, up);
            float *to = out + (size_t)r * out_stride + pair * mk_panel_columns;
            for (int32_t i = 0; i < mk_panel_columns && pair * mk_panel_columns + i < columns; i++)
                to[i] = (float)(activate(gate[i], activation) * up[i]);
        }
    }
}

static void shrink(
    const void *a, mk_storage storage, int32_t rank, int32_t k, const float *x, size_t x_stride, int32_t rows,
    float scale, float *out, size_t out_stride) {
    for (int32_t m = 0; m < rows; m++) {
        for (int32_t r = 0; r < rank; r++) {
            double sum = 0;
            for (int32_t i = 0; i < k; i++) {
                const size_t index = (size_t)r * (size_t)k + (size_t)i;
                const float factor =
                    storage == mk_bfloat16 ? from_bfloat16(((const uint16_t *)a)[index]) : ((const float *)a)[index];
                sum += (double)x[(size_t)m * x_stride + (size_t)i] * factor;
            }
            out[(size_t)m * out_stride + (size_t)r] = scale * (float)sum;
        }
    }
}

static void expand(
    const mk_packed *w, int32_t panel_begin, int32_t panel_end, const float *v, size_t v_stride, int32_t rows,
    float *out, size_t out_stride, size_t panel_stride) {
    for (int32_t panel = panel_begin; panel < panel_end; panel++) {
        for (int32_t r = 0; r < rows; r++) {
            float product[mk_panel_columns];
            panel_product(w, panel, v + (size_t)r * v_stride, NULL, product);
            float *to = out + (size_t)r * out_stride + (size_t)(panel - panel_begin) * panel_stride;
            for (int32_t i = 0; i < mk_panel_columns && panel * mk_panel_columns + i < w->n; i++) to[i] += product[i];
        }
    }
}

static void gate_pairs(
    const float *in, size_t in_stride, int32_t pair_begin, int32_t pair_end, int32_t rows, float *out,
    size_t out_stride, int32_t columns, mk_activation activation) {
    for (int32_t row = 0; row < rows; row++) {
        for (int32_t pair = pair_begin; pair < pair_end; pair++) {
            const float *gate = in + (size_t)row * in_stride + (size_t)pair * 2 * mk_panel_columns;
            float *to = out + (size_t)row * out_stride + pair * mk_panel_columns;
            for (int32_t i = 0; i < mk_panel_columns && pair * mk_panel_columns + i < columns; i++)
                to[i] = (float)(activate(gate[i], activation) * gate[mk_panel_columns + i]);
        }
    }
}

static void rms_norm(const float *x, const float *weight, float epsilon, int32_t n, float *out) {
    double sum = 0;
    for (int32_t i = 0; i < n; i++) sum += (double)x[i] * x[i];
    const double factor = 1 / sqrt(sum / n + epsilon);
    for (int32_t i = 0; i < n; i++) out[i] = (float)(weight[i] * (x[i] * factor));
}

static void layer_norm(const float *x, const float *weight, const float *bias, float epsilon, int32_t n, float *out) {
    double sum = 0, squares = 0;
    for (int32_t i = 0; i < n; i++) sum += x[i];
    const double mean = sum / n;
    for (int32_t i = 0; i < n; i++) squares += (x[i] - mean) * (x[i] - mean);
    const double factor = 1 / sqrt(squares / n + epsilon);
    for (int32_t i = 0; i < n; i++) out[i] = (float)(weight[i] * ((x[i] - mean) * factor) + (bias ? bias[i] : 0));
}

static void activate_rows(float *x, size_t stride, int32_t rows, int32_t columns, mk_activation activation) {
    for (int32_t r = 0; r < rows; r++)
        for (int32_t i = 0; i < columns; i++)
            x[(size_t)r * stride + (size_t)i] = (float)activate(x[(size_t)r * stride + (size_t)i], activation);
}

static void rope(
    float *x, int32_t heads, int32_t head_dim, int32_t rotary, const float *cosine, const float *sine) {
    const int32_t half = rotary / 2;
    for (int32_t h = 0; h < heads; h++) {
        for (int32_t i = 0; i < half; i++) {
            float *low = x + (size_t)h * (size_t)head_dim + i, *high = low + half;
            const double a = *low, b = *high;
            *low = (float)(a * cosine[i] - b * sine[i]);
            *high = (float)(b * cosine[i] + a * sine[i]);
        }
    }
}

static void write_kv(const mk_cache_shape *shape, void *cache, int64_t slot, const float *k, const float *v) {
    cache_write(shape, cache, slot, k, v);
}

/// Element `index` of a run of positions; `position` is counted from its start.
static float stored(const mk_cache_shape *s, const void *run, size_t index, int32_t position) {
    if (s->storage == mk_int8) return (float)((const int8_t *)run)[index] * cache_scales(s, run)[position];
    return s->storage == mk_bfloat16 ? from_bfloat16(((const uint16_t *)run)[index]) : ((const float *)run)[index];
}

/// Channel `channel` of K (or V) at a position of a sequence.
static float cached(
    const mk_attention *a, const int32_t *table, int32_t kv_head, bool value, int32_t position, int32_t channel) {
    const mk_cache_shape *s = &a->shape;
    const int32_t depth = cache_depth(s), offset = position % s->block_size;
    const char *at = cache_at(s, a->cache, table[position / s->block_size], kv_head);
    if (value) at += cache_half_bytes(s);
    if (s->block_size < mk_tile_positions)
        return stored(s, at, (size_t)offset * (size_t)depth + (size_t)channel, offset);
    at += (size_t)(offset / mk_tile_positions) * mk_tile_positions * cache_row_bytes(s);
    const int32_t p = offset % mk_tile_positions;
    return stored(s, at, value ? v_index(s->storage, depth, p, channel) : k_index(s->storage, p, channel), p);
}

static void attend_row(
    const mk_attention *a, const int32_t *table, int32_t kv_head, const float *q, float slope, int32_t first,
    int32_t limit, float *out) {
    double sum = 0, max = -INFINITY, total[mk_max_head_dim] = {0};
    for (int32_t p = first; p < limit; p++) {
        double score = 0;
        for (int32_t d = 0; d < a->shape.head_dim; d++) score += (double)q[d] * cached(a, table, kv_head, false, p, d);
        score = score * a->scale + (double)slope * (p - (limit - 1));
        const double top = score > max ? score : max, factor = exp(max - top), e = exp(score - top);
        max = top;
        sum = sum * factor + e;
        for (int32_t d = 0; d < a->shape.head_dim; d++)
            total[d] = total[d] * factor + e * cached(a, table, kv_head, true, p, d);
    }
    for (int32_t d = 0; d < a->shape.head_dim; d++) out[d] = (float)(total[d] / sum);
}

static void attend(
    const mk_attention *a, const mk_sequence *sequence, int32_t kv_head, int32_t token, int32_t token_count) {
    const int32_t group = a->heads / a->shape.kv_heads;
    for (int32_t t = token; t < token + token_count; t++) {
        const int32_t limit = sequence->context_length - sequence->token_count + t + 1;
        const int32_t first = a->window > 0 && limit > a->window ? limit - a->window : 0;
        for (int32_t g = 0; g < group; g++) {
            const size_t row = (size_t)(sequence->token_start + t);
            const size_t head = (size_t)(kv_head * group + g) * (size_t)a->shape.head_dim;
            attend_row(
                a, a->block_tables + sequence->block_table_start, kv_head, a->q + row * a->q_stride + head,
                a->slopes ? a->slopes[kv_head * group + g] : 0, first, limit, a->out + row * a->out_stride + head);
        }
    }
}

#define MK_ISA mk_isa_scalar
#define MK_TABLE mk_kernels_scalar
#define MK_ATTEND_KERNEL attend
#include "table.h"
