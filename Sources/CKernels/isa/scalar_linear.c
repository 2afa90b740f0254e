// The reference of linear.h: plain loops, one value at a time.
//
// Products of bfloat16 are summed in double; those of integers are exact, and what is done to them in float afterwards is
// the definition, step by step.
#include "tables.h"
#include "cache.h"
#include "float16.h"
#include "weights.h"

#include <math.h>
#include <stdlib.h>

#pragma STDC FP_CONTRACT OFF

static bool is_integer(mk_format format) { return format == mk_format_int8 || format == mk_format_int4; }

typedef struct row_head {
    float scale;
    int32_t padding[15];
} row_head;

/// Floats, or a scale and integers.
static size_t row_bytes(mk_format format, int32_t k) {
    const size_t inputs = ((size_t)k + 63) / 64 * 64;
    return is_integer(format) ? sizeof(row_head) + inputs : inputs * sizeof(float);
}

static void prepare_integers(const float *x, int32_t k, void *row) {
    float max = 0;
    for (int32_t i = 0; i < k; i++) {
        max = fabsf(x[i]) > max ? fabsf(x[i]) : max;
        if (!isfinite(x[i])) max = INFINITY;
    }
    row_head *head = row;
    int8_t *q = (int8_t *)(head + 1);
    memset(row, 0, row_bytes(mk_format_int8, k));
    head->scale = isinf(max) ? NAN : max >= 0x1p-100f ? max / 127.0f : 0;
    if (!(head->scale > 0)) return;
    const float inverse = 127.0f / max;
    for (int32_t i = 0; i < k; i++) q[i] = (int8_t)nearbyintf(x[i] * inverse);
}

static void prepare(mk_format format, const float *x, int32_t k, void *row) {
    if (is_integer(format)) return prepare_integers(x, k, row);
    float *to = row;
    for (int32_t i = 0; i < k; i++) to[i] = format == mk_format_float32 ? x[i] : from_bfloat16(to_bfloat16(x[i]));
}

static void norm(
    mk_format format, const float *x, const float *weight, float epsilon, int32_t k, void *row, float *out) {
    float *values = out ? out : malloc((size_t)k * sizeof *values);
    if (!values) abort();
    mk_kernels_scalar.tensor.rms_norm(x, weight, epsilon, k, values);
    prepare(format, values, k, row);
    if (!out) free(values);
}

static float int8_product(const mk_weights *w, int32_t column, const char *row) {
    const int32_t panel = column / mk_panel_columns, lane = column % mk_panel_columns;
    const int8_t *q = (const int8_t *)(row + sizeof(row_head));
    const uint8_t *weights = (const uint8_t *)panel_at(w, panel) + 4 * lane;
    int32_t sum = 0;
    for (int32_t i = 0; i < w->k; i++) sum += q[i] * (weights[(size_t)(i / 4) * panel_step_bytes + (size_t)(i % 4)] - 128);
    return (float)sum * (int8_scales(w, panel)[lane] * ((const row_head *)row)->scale);
}

static float int4_product(const mk_weights *w, int32_t column, const char *row) {
    const int8_t *q = (const int8_t *)(row + sizeof(row_head));
    float total = 0;
    for (int32_t g = 0; g < ceil_div(w->k, w->group); g++) {
        const uint16_t *scales = int4_group(w, column / mk_panel_columns, g);
        const uint8_t *weights = (const uint8_t *)(scales + mk_panel_columns) + 4 * (column % mk_panel_columns);
        int32_t sum = 0;
        for (int32_t i = 0; i < w->group && g * w->group + i < w->k; i++) {
            const uint8_t byte = weights[i / 8 * panel_step_bytes + i % 4];
            sum += q[g * w->group + i] * ((i & 4 ? byte >> 4 : byte & 0x0F) - 8);
        }
        total = fmaf((float)sum, from_float16(scales[column % mk_panel_columns]), total);
    }
    return total * ((const row_head *)row)->scale;
}

static float float_product(const mk_weights *w, int32_t column, const float *row, float bias) {
    double sum = 0;
    for (int32_t i = 0; i < w->k; i++) {
        float weight;
        mk_unpack_weights(w, column, i, i + 1, &weight);
        sum += (double)row[i] * weight;
    }
    return (float)(sum + bias);
}

static float product(const mk_weights *w, int32_t column, const char *row, const float *bias) {
    const float b = bias ? bias[column] : 0;
    if (!is_integer(w->format)) return float_product(w, column, (const float *)row, b);
    const float value = w->format == mk_format_int8 ? int8_product(w, column, row) : int4_product(w, column, row);
    return bias ? value + b : value;
}

static void multiply(
    const mk_weights *w, int32_t panel_begin, int32_t panel_end, const void *rows, size_t row_stride,
    int32_t row_count, const mk_output *out) {
    for (int32_t r = 0; r < row_count; r++) {
        const char *row = (const char *)rows + (size_t)r * row_stride;
        float *to = out->values + (size_t)r * out->stride;
        for (int32_t c = panel_begin * mk_panel_columns; c < panel_end * mk_panel_columns && c < w->n; c++) {
            const float value = product(w, c, row, out->bias);
            to[c] = out->accumulate ? to[c] + value : value;
        }
    }
}

static void multiply_gated(
    const mk_weights *w, int32_t pair_begin, int32_t pair_end, const void *rows, size_t row_stride, int32_t row_count,
    const mk_output *out, int32_t columns, mk_activation activation) {
    for (int32_t pair = pair_begin; pair < pair_end; pair++) {
        for (int32_t r = 0; r < row_count; r++) {
            const char *row = (const char *)rows + (size_t)r * row_stride;
            float both[2 * mk_panel_columns];
            for (int32_t c = 0; c < 2 * mk_panel_columns; c++)
                both[c] = product(w, pair * 2 * mk_panel_columns + c, row, out->bias);
            const int32_t column = pair * mk_panel_columns;
            mk_kernels_scalar.tensor.gate(
                both, 2 * mk_panel_columns, 0, 1, 1, out->values + (size_t)r * out->stride + column, out->stride,
                columns - column, activation);
        }
    }
}

static void argmax(
    const mk_weights *w, int32_t panel_begin, int32_t panel_end, const void *rows, size_t row_stride,
    int32_t row_count, const float *bias, mk_best *best) {
    for (int32_t r = 0; r < row_count; r++) {
        const char *row = (const char *)rows + (size_t)r * row_stride;
        for (int32_t c = panel_begin * mk_panel_columns; c < panel_end * mk_panel_columns && c < w->n; c++) {
            const float value = product(w, c, row, bias);
            if (isnan(value)) continue;
            if (best[r].index < 0 || value > best[r].value || (value == best[r].value && c < best[r].index))
                best[r] = (mk_best){value, c};
        }
    }
}

const mk_linear_kernels mk_linear_scalar = {
    .row_bytes = row_bytes,
    .prepare = prepare,
    .norm = norm,
    .multiply = multiply,
    .multiply_gated = multiply_gated,
    .argmax = argmax,
};
