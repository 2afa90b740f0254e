// The driver of linear.h: one panel for a group of rows, with ranges of K in the order that keeps each operand in its cache.

enum {
    /// Most rows for which one panel is finished before the next begins.
    linear_group_rows = 128,
    /// Bytes of rows of such a group that stay in the second-level cache while the panels go by.
    linear_group_bytes = 768 << 10,
    /// Bytes of weights that stay in the first-level cache while the rows of a group go by.
    linear_block_bytes = 32 << 10,
    /// Pairs that are expanded at a time when there are few rows and few registers.
    few_pairs = 16,
};

/// Rows of a product, with the weights they are multiplied with.
typedef struct linear_job {
    const mk_weights *w;
    linear_form form;
    const char *rows;
    size_t row_stride;
    int32_t count;
} linear_job;

/// Rows that are taken as one job.
static int32_t linear_step_rows(const mk_weights *w) {
    const int32_t rows = (int32_t)(linear_group_bytes / row_bytes(w->format, w->k));
    return rows < 32 ? 32 : rows > linear_group_rows ? linear_group_rows : rows;
}

/// One range of K of one panel, for all row blocks and passes. `bytes` is what the range takes in memory, from
/// `fetch` on: its end is where the next one begins.
static void linear_range(const linear_job *job, linear_piece piece, int32_t blocks, const char *data, size_t bytes) {
    const bool is_read_again = blocks * passes > 1;
    const int32_t parts = blocks * passes < most_fetching ? blocks * passes : most_fetching;
    const int32_t turns = piece.steps * (job->form.format == mk_format_int4 ? job->form.step_inputs / 8 : 1);
    piece.fetch_stride = bytes / (size_t)(turns * parts);
    const result to = piece.to;
    float *const partial = piece.partial;
    for (int32_t b = 0; b < blocks; b++) {
        // Blocks of nearly equal height: a last block of one row would run at the speed of a vector product.
        const int32_t begin = job->count * b / blocks, end = job->count * (b + 1) / blocks;
        piece.rows = job->rows + (size_t)begin * job->row_stride;
        for (int pass = 0; pass < passes && pass * pass_columns < to.columns; pass++) {
            // Each of the first turns over the range brings a part of the next one on its way.
            const int32_t part = b * passes + pass;
            piece.fetch = data + bytes + bytes / (size_t)parts * (size_t)part;
            piece.column = pass * pass_columns;
            piece.partial = partial + begin * mk_panel_columns + piece.column;
            piece.to = to;
            piece.to.c += (size_t)begin * to.c_stride + (size_t)piece.column;
            piece.to.columns -= piece.column;
            if (to.bias) piece.to.bias += piece.column;
            linear_functions[job->form.product][end - begin - 1](
                &piece, !is_read_again ? fetch_near : part < parts ? fetch_far : fetch_nothing);
        }
    }
}

/// One panel for the rows of a job, at most `linear_group_rows`.
///
/// K is cut into ranges only where several row blocks or passes would stream the panel again, or where the panel has to
/// be expanded; the sums travel through `partial` between ranges, which changes nothing in them.
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
    int32_t range = blocks * passes > 1 ? linear_block_bytes / (int32_t)form->step_bytes : form->steps;
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

/// Rows `first ..< first + count` of a product with panels before `panel_end`.
static inline linear_job begin_job(
    const mk_weights *w, int32_t panel_end, const void *rows, size_t row_stride, int32_t first, int32_t count) {
    (void)panel_end;
    return (linear_job){w, form_of(w, count), (const char *)rows + (size_t)first * row_stride, row_stride, count};
}

#include "products.h"
