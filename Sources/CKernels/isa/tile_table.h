// The table of what multiplies rows with weights by tiles. Below MK_TILE_LEAST_ROWS rows, products of integers, which are
// the same on all sets, are left to MK_DOTS_TABLE, whose prepared rows are the same.
static bool leaves_to_dots(const mk_weights *w, int32_t row_count) {
    return row_count < MK_TILE_LEAST_ROWS && (w->format == mk_format_int8 || w->format == mk_format_int4);
}

static void multiply_by_tiles(
    const mk_weights *w, int32_t panel_begin, int32_t panel_end, const void *rows, size_t row_stride,
    int32_t row_count, const mk_output *out) {
    if (leaves_to_dots(w, row_count)) {
        MK_DOTS_TABLE.multiply(w, panel_begin, panel_end, rows, row_stride, row_count, out);
        return;
    }
    multiply(w, panel_begin, panel_end, rows, row_stride, row_count, out);
    MK_TILE_RELEASE();
}

static void multiply_gated_by_tiles(
    const mk_weights *w, int32_t pair_begin, int32_t pair_end, const void *rows, size_t row_stride, int32_t row_count,
    const mk_output *out, int32_t columns, mk_activation activation) {
    if (leaves_to_dots(w, row_count)) {
        MK_DOTS_TABLE.multiply_gated(w, pair_begin, pair_end, rows, row_stride, row_count, out, columns, activation);
        return;
    }
    multiply_gated(w, pair_begin, pair_end, rows, row_stride, row_count, out, columns, activation);
    MK_TILE_RELEASE();
}

static void argmax_by_tiles(
    const mk_weights *w, int32_t panel_begin, int32_t panel_end, const void *rows, size_t row_stride,
    int32_t row_count, const float *bias, mk_best *best) {
    if (leaves_to_dots(w, row_count)) {
        MK_DOTS_TABLE.argmax(w, panel_begin, panel_end, rows, row_stride, row_count, bias, best);
        return;
    }
    argmax_product(w, panel_begin, panel_end, rows, row_stride, row_count, bias, best);
    MK_TILE_RELEASE();
}

const mk_linear_kernels MK_LINEAR_TABLE = {
    .row_bytes = row_bytes,
    .prepare = prepare_row,
    .norm = norm_row,
    .multiply = multiply_by_tiles,
    .multiply_gated = multiply_gated_by_tiles,
    .argmax = argmax_by_tiles,
};
