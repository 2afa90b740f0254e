// The entries of the table of linear layers over a driver: all rows and panels of a call, and what is done with each panel.
//
// The driver brings `linear_job`, with a `count` of rows, at most `linear_group_rows`; `linear_step_rows`, `begin_job`
// and `linear_panel`. Panels of a job are asked for in ascending order.

static inline int32_t panel_width(int32_t columns, int32_t panel) {
    const int32_t left = columns - panel * mk_panel_columns;
    return left < mk_panel_columns ? left : mk_panel_columns;
}

static inline mk_packed float_weights(const mk_weights *w) { return (mk_packed){w->data, mk_float32, w->n, w->k}; }

static void multiply(
    const mk_weights *w, int32_t panel_begin, int32_t panel_end, const void *rows, size_t row_stride,
    int32_t row_count, const mk_output *out) {
    if (w->format == mk_format_float32) {
        const mk_packed packed = float_weights(w);
        MK_BASE_TABLE.tensor.matmul(
            &packed, panel_begin, panel_end, rows, row_stride / sizeof(float), row_count, out->values, out->stride,
            out->bias, out->accumulate);
        return;
    }
    const int32_t step = linear_step_rows(w);
    for (int32_t row = 0; row < row_count; row += step) {
        const int32_t count = row_count - row < step ? row_count - row : step;
        linear_job job = begin_job(w, panel_end, rows, row_stride, row, count);
        for (int32_t panel = panel_begin; panel < panel_end; panel++) {
            const int32_t column = panel * mk_panel_columns;
            const result to = {
                out->values + (size_t)row * out->stride + column, out->stride, panel_width(w->n, panel),
                out->bias ? out->bias + column : NULL, out->accumulate};
            linear_panel(&job, panel, &to);
        }
    }
}

static void multiply_gated(
    const mk_weights *w, int32_t pair_begin, int32_t pair_end, const void *rows, size_t row_stride, int32_t row_count,
    const mk_output *out, int32_t columns, mk_activation activation) {
    if (w->format == mk_format_float32) {
        const mk_packed packed = float_weights(w);
        MK_BASE_TABLE.tensor.gated_matmul(
            &packed, pair_begin, pair_end, rows, row_stride / sizeof(float), row_count, out->values, out->stride,
            columns, out->bias, activation);
        return;
    }
    enum { width = 2 * mk_panel_columns };
    float both[linear_group_rows * width];
    const int32_t step = linear_step_rows(w);
    for (int32_t row = 0; row < row_count; row += step) {
        const int32_t count = row_count - row < step ? row_count - row : step;
        linear_job job = begin_job(w, 2 * pair_end, rows, row_stride, row, count);
        for (int32_t pair = pair_begin; pair < pair_end; pair++) {
            for (int32_t i = 0; i < 2; i++) {
                const float *bias = out->bias ? out->bias + (2 * pair + i) * mk_panel_columns : NULL;
                const result to = {both + i * mk_panel_columns, width, mk_panel_columns, bias, false};
                linear_panel(&job, 2 * pair + i, &to);
            }
            const int32_t column = pair * mk_panel_columns;
            MK_BASE_TABLE.tensor.gate(
                both, width, 0, 1, job.count, out->values + (size_t)row * out->stride + column, out->stride,
                panel_width(columns, pair), activation);
        }
    }
}

/// Takes over a better value from the columns of a panel.
static void update_best(mk_best *best, const float *values, int32_t count, int32_t column) {
    if (count == mk_panel_columns && best->index >= 0) {
        // Few panels hold a new best value; NaN is not the greater one here.
        vf top = vf_set(best->value);
        MK_UNROLL for (int v = 0; v < mk_panel_columns; v += MK_LANES) top = vf_max(vf_load(values + v), top);
        const vi found = top > vf_set(best->value);
        if (!__builtin_reduce_or(found) && column > best->index) return;
    }
    for (int32_t i = 0; i < count; i++) {
        const float v = values[i];
        const int32_t at = column + i;
        if (v > best->value || (best->index < 0 && v == v) || (v == best->value && at < best->index))
            *best = (mk_best){v, at};
    }
}

static void argmax_product(
    const mk_weights *w, int32_t panel_begin, int32_t panel_end, const void *rows, size_t row_stride,
    int32_t row_count, const float *bias, mk_best *best) {
    enum { most = 32 };
    float values[most * mk_panel_columns];
    for (int32_t row = 0; row < row_count; row += most) {
        const int32_t count = row_count - row < most ? row_count - row : most;
        linear_job job;
        if (w->format != mk_format_float32) job = begin_job(w, panel_end, rows, row_stride, row, count);
        for (int32_t panel = panel_begin; panel < panel_end; panel++) {
            const int32_t column = panel * mk_panel_columns, columns = panel_width(w->n, panel);
            const result to = {values, mk_panel_columns, columns, bias ? bias + column : NULL, false};
            if (w->format == mk_format_float32) {
                const mk_packed packed = {panel_at(w, panel), mk_float32, columns, w->k};
                MK_BASE_TABLE.tensor.matmul(
                    &packed, 0, 1, (const float *)rows + (size_t)row * (row_stride / sizeof(float)),
                    row_stride / sizeof(float), count, values, mk_panel_columns, to.bias, false);
            } else {
                linear_panel(&job, panel, &to);
            }
            for (int32_t r = 0; r < count; r++)
                update_best(&best[row + r], values + r * mk_panel_columns, columns, column);
        }
    }
}
