// The driver of products by tiles: groups of rows, ranges and blocks of K, in the order that keeps each operand in its cache.
//
// One block of weights stays in the first-level cache while the rows of a group go by, and the rows of a range of K in
// the second-level cache while panels go by. Where K is longer than a range, a chunk of panels goes over each range.

enum {
    /// Most rows that go by a panel: with fewer, weights would have to come faster than memory gives them.
    linear_group_rows = 256,
    /// Bytes of rows that stay in the second-level cache.
    tile_range_bytes = 1 << 20,
    /// Floats of the sums of a panel.
    panel_sums = linear_group_rows * mk_panel_columns,
    tile_chunk_panels = mk_thread_sums_count / panel_sums,
    /// Most lines that are asked for with a step, when rows go over the weights again.
    most_fetch_lines = 16,
};

/// A group of rows of a product. Its blocks have the same number of rows, so that one set of shapes serves all: the last
/// begins early where the number does not divide them, and computes some rows again.
typedef struct linear_job {
    const mk_weights *w;
    tile_form form;
    const char *rows;
    size_t row_stride;
    int32_t count;
    int32_t blocks, height, upper;
    /// Places of a block in the sums: 16 with int4, 32 otherwise.
    int32_t places;
    /// Steps of K whose rows stay in the second-level cache.
    int32_t range;
    int32_t panel_end;
    /// Where K is longer than that: sums of panels `begin ..< end`.
    float *sums;
    int32_t begin, end;
} linear_job;

static int32_t linear_step_rows(const mk_weights *w) {
    (void)w;
    return linear_group_rows;
}

/// Sets the shapes of all tiles.
static void shape_tiles(const linear_job *job) {
    const tile_form *f = &job->form;
    const bool is_groups = f->format == mk_format_int4;
    tile_shapes shapes = {0};
    const int32_t lower = job->height - job->upper;
    for (int i = 0; i < 2; i++) {
        set_shape(&shapes, i, job->upper, tile_row_bytes);
        set_shape(&shapes, i + 2, lower, tile_row_bytes);
    }
    set_shape(&shapes, 4, job->upper, f->row_bytes);
    // Groups have one tile of rows, of which two are on their way.
    set_shape(&shapes, 5, is_groups ? job->upper : lower, f->row_bytes);
    for (int i = 6; i < 8; i++) set_shape(&shapes, i, f->row_bytes / 4, tile_row_bytes);
    MK_TILE_SHAPES(&shapes);
}

static linear_job begin_job(
    const mk_weights *w, int32_t panel_end, const void *rows, size_t row_stride, int32_t first, int32_t count) {
    linear_job job = {
        .w = w, .form = tile_form_of(w), .rows = (const char *)rows + (size_t)first * row_stride,
        .row_stride = row_stride, .count = count, .panel_end = panel_end};
    job.places = w->format == mk_format_int4 ? tile_rows : 2 * tile_rows;
    job.blocks = ceil_div(count, job.places);
    job.height = ceil_div(count, job.blocks);
    job.upper = job.height > tile_rows ? ceil_div(job.height, 2) : job.height;
    const int32_t range = tile_range_bytes / (count * job.form.row_bytes) / job.form.block * job.form.block;
    job.range = range < job.form.block ? job.form.block : range;
    if (job.range < job.form.steps) job.sums = mk_thread_sums();
    if (!job.sums) job.range = job.form.steps;
    shape_tiles(&job);
    return job;
}

/// First row of a block.
static inline int32_t block_row(const linear_job *job, int32_t block) {
    const int32_t row = block * job->height, last = job->count - job->height;
    return row < last ? row : last;
}

static void run_piece(const linear_job *job, const tile_piece *piece) {
    const bool has_lower = job->height > job->upper;
    switch (job->form.format) {
    case mk_format_int4: tile_sums_groups(piece, &job->form); break;
    case mk_format_int8: (has_lower ? tile_sums_quads : tile_sums_quads_upper)(piece); break;
    default: (has_lower ? tile_sums_pairs : tile_sums_pairs_upper)(piece); break;
    }
}

/// Steps `step ..< step + steps` of a panel for all rows of the job, onto `sums` unless they are the first.
static void sum_range(const linear_job *job, int32_t panel, int32_t step, int32_t steps, float *sums) {
    char laid_out[tile_block_bytes] __attribute__((aligned(64)));
    const tile_form *f = &job->form;
    const bool is_alone = job->blocks == 1, is_groups = f->format == mk_format_int4;
    const size_t panel_distance = panel_bytes(f->format, job->w->group, job->w->k);
    tile_source source = open_tiles(job->w, f, panel, step, laid_out);
    for (int32_t at = step; at < step + steps; at += f->block) {
        const int32_t left = step + steps - at, count = left < f->block ? left : f->block;
        const char *stored = source.data + stored_bytes(f, job->w, at);
        const size_t ahead = stored_bytes(f, job->w, count);
        tile_piece piece = {
            .weights = tile_weights(&source, f, at, count),
            .steps = count,
            .row_stride = job->row_stride,
            .start = at == 0 ? tile_start_zero : is_alone && at > step ? tile_start_keep : tile_start_load,
            .stores = !is_alone || count == left,
        };
        if (is_groups) {
            piece.scales = tile_group(&source, at);
            piece.scales_stride = int4_group_bytes(job->w->group);
        }
        // The next block of this range, or the first one of the next panel's.
        piece.fetch = count < left ? stored + ahead : source.data + stored_bytes(f, job->w, step) + panel_distance;
        piece.fetch_lines = ceil_div((int32_t)(ahead / 64), job->blocks * count);
        if (piece.fetch_lines > most_fetch_lines) piece.fetch_lines = most_fetch_lines;
        if (is_alone && piece.weights == stored) {
            piece.fetch = stored + MK_PREFETCH_BYTES;
            piece.fetch_lines = (int32_t)(f->bytes / 64);
        } else if (is_alone) {
            piece.fetch_lines = 0;
        }
        for (int32_t b = 0; b < job->blocks; b++) {
            piece.rows = job->rows + (size_t)block_row(job, b) * job->row_stride + (size_t)at * (size_t)f->row_bytes;
            piece.lower_rows = piece.rows + (size_t)job->upper * job->row_stride;
            piece.sums = sums + (size_t)b * (size_t)job->places * mk_panel_columns;
            run_piece(job, &piece);
            piece.fetch += (size_t)count * (size_t)piece.fetch_lines * 64;
        }
    }
}

/// Sums of as many panels from `panel` on as there is memory for.
static void sum_chunk(linear_job *job, int32_t panel) {
    job->begin = panel;
    job->end = job->panel_end - panel < tile_chunk_panels ? job->panel_end : panel + tile_chunk_panels;
    for (int32_t step = 0; step < job->form.steps; step += job->range) {
        const int32_t left = job->form.steps - step, steps = left < job->range ? left : job->range;
        for (int32_t i = job->begin; i < job->end; i++)
            sum_range(job, i, step, steps, job->sums + (size_t)(i - panel) * panel_sums);
    }
}

/// A row's sums in one panel become numbers and go to their place.
static void finish_row(const linear_job *job, const float *scales, int32_t row, const float *sums, const result *to) {
    const char *values = job->rows + (size_t)row * job->row_stride;
    vf sum[1][MK_VECS];
    MK_UNROLL for (int v = 0; v < MK_VECS; v++) sum[0][v] = vf_load(sums + v * MK_LANES);
    if (job->form.format == mk_format_int8) {
        const row_tail *tail = row_end(mk_format_int8, job->w->k, values);
        MK_UNROLL for (int v = 0; v < MK_VECS; v++)
            sum[0][v] = __builtin_convertvector((vi)sum[0][v] - 128 * tail->total, vf)
                        * (vf_load(scales + v * MK_LANES) * vf_set(tail->scale));
    } else if (job->form.format == mk_format_int4) {
        const vf scale = vf_set(row_end(mk_format_int4, job->w->k, values)->scale);
        MK_UNROLL for (int v = 0; v < MK_VECS; v++) sum[0][v] *= scale;
    }
    result at = *to;
    at.c += (size_t)row * to->c_stride;
    store_rows(1, &at, sum);
}

/// One panel for the rows of a job.
static void linear_panel(linear_job *job, int32_t panel, const result *to) {
    float own[panel_sums] __attribute__((aligned(64)));
    const float *sums = own;
    if (!job->sums) {
        sum_range(job, panel, 0, job->form.steps, own);
    } else {
        if (panel >= job->end) sum_chunk(job, panel);
        sums = job->sums + (size_t)(panel - job->begin) * panel_sums;
    }
    const float *scales = job->form.format == mk_format_int8 ? int8_scales(job->w, panel) : NULL;
    for (int32_t b = 0; b < job->blocks; b++) {
        const int32_t first = block_row(job, b), end = first + job->height;
        for (int32_t row = b * job->height; row < end; row++) {
            const int32_t i = row - first, place = i < job->upper ? i : tile_rows + i - job->upper;
            finish_row(job, scales, row, sums + (b * job->places + place) * mk_panel_columns, to);
        }
    }
}

#include "products.h"
