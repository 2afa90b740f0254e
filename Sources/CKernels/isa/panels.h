// The driver of linear.h: panels, groups of rows and ranges of K in the order that keeps each operand in its cache.

enum {
    /// Most rows for which one panel is finished before the next begins.
    linear_group_rows = 128,
    /// Bytes of rows of such a group that stay in the second-level cache while the panels go by.
    linear_group_bytes = 768 << 10,
    /// Bytes of weights that stay in the first-level cache while the rows of a group go by.
    linear_block_bytes = 32 << 10,
    /// Pairs that are expanded at a time when there are few rows and few registers.
    few_pairs = 16,
    /// Row blocks among which the fetching of the next range is divided.
    most_fetching = 4,
};

/// Rows of a product, with the weights they are multiplied with.
typedef struct linear_job {
    const mk_weights *w;
    linear_form form;
    const char *rows;
    size_t row_stride;
    int32_t count;
} linear_job;

static int32_t linear_step_rows(const linear_job *job) {
    const int32_t rows = (int32_t)(linear_group_bytes / row_bytes(job->w->format, job->w->k));
    return rows < 32 ? 32 : rows > linear_group_rows ? linear_group_rows : rows;
}

/// One range of K of one panel, for all row blocks and passes. `bytes` is what the range takes in memory, from
/// `fetch` on: its end is where the next one begins.
static void linear_range(const linear_job *job, linear_piece piece, int32_t blocks, const char *data, size_t bytes) {
    const int32_t fetching = blocks < most_fetching ? blocks : most_fetching;
    enum fetching mode = blocks > 1 ? fetch_far : job->form.product == product_compressed ? fetch_nothing : fetch_near;
    const int32_t turns = piece.steps * (job->form.format == mk_format_int4 ? job->form.step_inputs / 8 : 1);
    piece.fetch_stride = bytes / (size_t)(turns * fetching);
    const result to = piece.to;
    float *const partial = piece.partial;
    for (int32_t b = 0; b < blocks; b++) {
        // Blocks of nearly equal height: a last block of one row would run at the speed of a vector product.
        const int32_t begin = job->count * b / blocks, end = job->count * (b + 1) / blocks;
        // While rows go over the range again, a part of the next one is on its way for each of the first blocks.
        piece.fetch = data + bytes + bytes / (size_t)fetching * (size_t)b;
        if (b == fetching) mode = fetch_nothing;
        piece.rows = job->rows + (size_t)begin * job->row_stride;
        for (int pass = 0; pass < passes && pass * pass_columns < to.columns; pass++) {
            piece.column = pass * pass_columns;
            piece.partial = partial + begin * mk_panel_columns + piece.column;
            piece.to = to;
            piece.to.c += (size_t)begin * to.c_stride + (size_t)piece.column;
            piece.to.columns -= piece.column;
            if (to.bias) piece.to.bias += piece.column;
            linear_functions[job->form.product][end - begin - 1](&piece, mode);
        }
    }
}

/// One panel for the rows of a job, at most `linear_group_rows`.
///
/// K is cut into ranges only where several row blocks would stream the panel again, or where the panel has to be
/// expanded; the sums travel through `partial` between ranges, which changes nothing in them.
static void linear_panel(const linear_job *job, int32_t panel, const result *to) {
    float partial[linear_group_rows * mk_panel_columns];
    char expanded[linear_block_bytes + panel_step_bytes] __attribute__((aligned(64)));
    const linear_form *form = &job->form;
    const bool is_compressed = job->w->format == mk_format_bfloat16_compressed;
    const bool is_expanded = is_compressed && form->product == product_pairs;
    compressed_panel source;
    if (is_compressed) source = open_panel(job->w, panel);
    const char *data = is_compressed ? (const char *)source.steps : panel_at(job->w, panel);
    const size_t step_bytes = is_compressed ? compressed_step_bytes / 2 : form->step_bytes;
    const int32_t blocks = ceil_div(job->count, form->most_rows);
    int32_t range = blocks > 1 ? linear_block_bytes / (int32_t)form->step_bytes : form->steps;
    if (is_expanded && blocks == 1) range = few_pairs;
    for (int32_t step = 0; step < form->steps; step += range) {
        const int32_t left = form->steps - step, steps = left < range ? left : range;
        const char *from = data + step_bytes * (size_t)step;
        const linear_piece piece = {
            .weights = is_expanded ? expanded : from,
            .step = step,
            .steps = steps,
            .row_stride = job->row_stride,
            .k = job->w->k,
            .scales = form->product == product_quads ? int8_scales(job->w, panel) : NULL,
            .source = &source,
            .partial = partial,
            .is_first = step == 0,
            .is_last = left == steps,
            .to = *to,
        };
        if (is_expanded) expand_pairs(&source, step, steps, expanded);
        linear_range(job, piece, blocks, from, step_bytes * (size_t)steps);
    }
}

/// Rows `first ..< first + count` of a product.
static inline linear_job job_of(
    const mk_weights *w, const void *rows, size_t row_stride, int32_t first, int32_t count) {
    return (linear_job){w, form_of(w, count), (const char *)rows + (size_t)first * row_stride, row_stride, count};
}

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
    linear_job job = job_of(w, rows, row_stride, 0, row_count);
    const int32_t step = linear_step_rows(&job);
    for (int32_t row = 0; row < row_count; row += step) {
        job = job_of(w, rows, row_stride, row, row_count - row < step ? row_count - row : step);
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
    linear_job job = job_of(w, rows, row_stride, 0, row_count);
    const int32_t step = linear_step_rows(&job);
    for (int32_t row = 0; row < row_count; row += step) {
        job = job_of(w, rows, row_stride, row, row_count - row < step ? row_count - row : step);
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
        for (int32_t panel = panel_begin; panel < panel_end; panel++) {
            const int32_t column = panel * mk_panel_columns, columns = panel_width(w->n, panel);
            const result to = {values, mk_panel_columns, columns, bias ? bias + column : NULL, false};
            if (w->format == mk_format_float32) {
                const mk_packed packed = {panel_at(w, panel), mk_float32, columns, w->k};
                MK_BASE_TABLE.tensor.matmul(
                    &packed, 0, 1, (const float *)rows + (size_t)row * (row_stride / sizeof(float)),
                    row_stride / sizeof(float), count, values, mk_panel_columns, to.bias, false);
            } else {
                const linear_job job = job_of(w, rows, row_stride, row, count);
                linear_panel(&job, panel, &to);
            }
            for (int32_t r = 0; r < count; r++)
                update_best(&best[row + r], values + r * mk_panel_columns, columns, column);
        }
    }
}
