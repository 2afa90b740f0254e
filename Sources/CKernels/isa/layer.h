// The row-wise operations of a transformer layer: normalisation, activation, rotation.
#include "norm.h"

MK_INLINE vf activate(vf x, const mk_activation activation) {
    const vf one = vf_set(1.0f);
    switch (activation) {
    case mk_silu: return x / (one + vf_exp(-x));
    case mk_gelu_tanh: {
        // 0.5 x (1 + tanh(u)) = x / (1 + exp(-2u))
        const vf u = vf_set(0.7978845608028654f) * vf_fma(vf_set(0.044715f) * x * x, x, x);
        return x / (one + vf_exp(u * vf_set(-2.0f)));
    }
    case mk_gelu: {
        float lanes[MK_LANES];
        vf_store(lanes, x);
        for (int i = 0; i < MK_LANES; i++) lanes[i] = 0.5f * lanes[i] * (1.0f + erff(lanes[i] * 0.70710678118654752f));
        return vf_load(lanes);
    }
    default: return vf_max(x, vf_set(0));
    }
}

/// activation(gate) * up over one panel of columns.
MK_INLINE void gate_rows(
    const float *gate, const float *up, int32_t rows, float *out, size_t out_stride, int32_t columns,
    const mk_activation activation) {
    for (int32_t r = 0; r < rows; r++) {
        float lanes[mk_panel_columns];
        MK_UNROLL for (int v = 0; v < mk_panel_columns; v += MK_LANES) {
            const vf g = vf_load(gate + r * mk_panel_columns + v), u = vf_load(up + r * mk_panel_columns + v);
            vf_store(lanes + v, activate(g, activation) * u);
        }
        memcpy(out + (size_t)r * out_stride, lanes, (size_t)columns * sizeof(float));
    }
}

static void gated_matmul(
    const mk_packed *w, int32_t pair_begin, int32_t pair_end, const float *a, size_t a_stride, int32_t rows, float *out,
    size_t out_stride, int32_t columns, const float *bias, mk_activation activation) {
    float gate[group_rows * mk_panel_columns], up[group_rows * mk_panel_columns];
    const int32_t step = rows_of_group(w->k);
    for (int32_t row = 0; row < rows; row += step) {
        const int32_t count = rows - row < step ? rows - row : step;
        for (int32_t pair = pair_begin; pair < pair_end; pair++) {
            const float *from = a + (size_t)row * a_stride;
            const float *b = bias ? bias + (size_t)pair * 2 * mk_panel_columns : NULL;
            panel_rows(
                w, 2 * pair, from, a_stride, count, true, gate, mk_panel_columns, b, false, mk_panel_columns);
            panel_rows(
                w, 2 * pair + 1, from, a_stride, count, true, up, mk_panel_columns, b ? b + mk_panel_columns : NULL,
                false, mk_panel_columns);
            const int32_t column = pair * mk_panel_columns;
            const int32_t left = columns - column < mk_panel_columns ? columns - column : mk_panel_columns;
            float *to = out + (size_t)row * out_stride + column;
            switch (activation) {
            case mk_silu: gate_rows(gate, up, count, to, out_stride, left, mk_silu); break;
            case mk_gelu: gate_rows(gate, up, count, to, out_stride, left, mk_gelu); break;
            case mk_gelu_tanh: gate_rows(gate, up, count, to, out_stride, left, mk_gelu_tanh); break;
            case mk_relu: gate_rows(gate, up, count, to, out_stride, left, mk_relu); break;
            }
        }
    }
}

static void rms_norm(const float *x, const float *weight, float epsilon, int32_t n, float *out) {
    const float factor = rms_factor(x, epsilon, n);
    for (int32_t i = 0; i < n; i++) out[i] = weight[i] * (x[i] * factor);
}

/// Sum of x - shift, or of its squares. Four chains, as in `rms_norm`.
MK_INLINE float sum_row(const float *x, float shift, const bool squares, int32_t n) {
    vf sum[4] = {vf_set(0), vf_set(0), vf_set(0), vf_set(0)};
    int32_t i = 0;
    for (; i + 4 * MK_LANES <= n; i += 4 * MK_LANES) {
        MK_UNROLL for (int v = 0; v < 4; v++) {
            const vf value = vf_load(x + i + v * MK_LANES) - vf_set(shift);
            sum[v] = squares ? vf_fma(value, value, sum[v]) : sum[v] + value;
        }
    }
    for (; i < n; i += MK_LANES) {
        const vf value = (n - i >= MK_LANES ? vf_load(x + i) : load_partial(x + i, n - i, shift)) - vf_set(shift);
        sum[0] = squares ? vf_fma(value, value, sum[0]) : sum[0] + value;
    }
    return vf_sum((sum[0] + sum[1]) + (sum[2] + sum[3]));
}

static void layer_norm(const float *x, const float *weight, const float *bias, float epsilon, int32_t n, float *out) {
    const float mean = sum_row(x, 0, false, n) / (float)n;
    const float factor = 1.0f / sqrtf(sum_row(x, mean, true, n) / (float)n + epsilon);
    for (int32_t i = 0; i < n; i++) out[i] = weight[i] * ((x[i] - mean) * factor);
    if (bias)
        for (int32_t i = 0; i < n; i++) out[i] += bias[i];
}

MK_INLINE void activate_each(float *x, size_t stride, int32_t rows, int32_t columns, const mk_activation activation) {
    for (int32_t r = 0; r < rows; r++) {
        float *row = x + (size_t)r * stride;
        int32_t i = 0;
        for (; i + MK_LANES <= columns; i += MK_LANES) vf_store(row + i, activate(vf_load(row + i), activation));
        if (i == columns) continue;
        float lanes[MK_LANES];
        vf_store(lanes, activate(load_partial(row + i, columns - i, 0), activation));
        memcpy(row + i, lanes, (size_t)(columns - i) * sizeof(float));
    }
}

static void activate_rows(float *x, size_t stride, int32_t rows, int32_t columns, mk_activation activation) {
    switch (activation) {
    case mk_silu: activate_each(x, stride, rows, columns, mk_silu); break;
    case mk_gelu: activate_each(x, stride, rows, columns, mk_gelu); break;
    case mk_gelu_tanh: activate_each(x, stride, rows, columns, mk_gelu_tanh); break;
    case mk_relu: activate_each(x, stride, rows, columns, mk_relu); break;
    }
}

static void rope(
    float *x, int32_t heads, int32_t head_dim, int32_t rotary, const float *cosine, const float *sine) {
    const int32_t half = rotary / 2;
    for (int32_t h = 0; h < heads; h++) {
        float *restrict low = x + (size_t)h * (size_t)head_dim, *restrict high = low + half;
        for (int32_t i = 0; i < half; i++) {
            const float a = low[i], b = high[i];
            low[i] = a * cosine[i] - b * sine[i];
            high[i] = b * cosine[i] + a * sine[i];
        }
    }
}
