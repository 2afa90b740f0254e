// Low-rank changes: the product with the narrow matrix A, whose few rows are as long as the input. Lanes go along the
// input, so that A is read as it is stored, at its true rank; each product has one chain of sums, however many tokens
// and rows are taken together.

/// Vectors of one row of A, as floats.
MK_INLINE vf load_factor(const void *a, const mk_storage storage, size_t index) {
    if (storage == mk_bfloat16) {
        vh half;
        memcpy(&half, (const uint16_t *)a + index, sizeof half);
        return (vf)(__builtin_convertvector(half, vu) << 16);
    }
    return vf_load((const float *)a + index);
}

MK_INLINE vf load_factor_tail(const void *a, const mk_storage storage, size_t index, int32_t count) {
    if (storage == mk_bfloat16) {
        vh half = (vh)(uint16_t)0;
        memcpy(&half, (const uint16_t *)a + index, (size_t)count * sizeof(uint16_t));
        return (vf)(__builtin_convertvector(half, vu) << 16);
    }
    return load_partial((const float *)a + index, count, 0);
}

MK_INLINE void shrink_block(
    const int tokens, const int rows, const void *a, const mk_storage storage, size_t first, int32_t k, const float *x,
    size_t x_stride, float scale, float *out, size_t out_stride) {
    vf sum[4][4];
    MK_UNROLL for (int t = 0; t < tokens; t++)
        MK_UNROLL for (int r = 0; r < rows; r++) sum[t][r] = vf_set(0);
    int32_t i = 0;
    for (; i + MK_LANES <= k; i += MK_LANES) {
        vf factor[4];
        MK_UNROLL for (int r = 0; r < rows; r++) {
            const size_t index = first + (size_t)r * (size_t)k + (size_t)i;
            // A row is about a page, and the hardware does not look across pages: the next ones are asked for early.
            if (tokens == 1)
                __builtin_prefetch(
                    (const char *)a + (index + (size_t)rows * (size_t)k) * (storage == mk_bfloat16 ? 2 : 4));
            factor[r] = load_factor(a, storage, index);
        }
        MK_UNROLL for (int t = 0; t < tokens; t++) {
            const vf value = vf_load(x + (size_t)t * x_stride + i);
            MK_UNROLL for (int r = 0; r < rows; r++) sum[t][r] = vf_fma(value, factor[r], sum[t][r]);
        }
    }
    if (i < k) {
        MK_UNROLL for (int r = 0; r < rows; r++) {
            const vf factor = load_factor_tail(a, storage, first + (size_t)r * (size_t)k + (size_t)i, k - i);
            MK_UNROLL for (int t = 0; t < tokens; t++)
                sum[t][r] = vf_fma(load_partial(x + (size_t)t * x_stride + i, k - i, 0), factor, sum[t][r]);
        }
    }
    MK_UNROLL for (int t = 0; t < tokens; t++)
        MK_UNROLL for (int r = 0; r < rows; r++) out[(size_t)t * out_stride + (size_t)r] = scale * vf_sum(sum[t][r]);
}

MK_INLINE void shrink_rows(
    const mk_storage storage, const void *a, int32_t rank, int32_t k, const float *x, size_t x_stride, int32_t tokens,
    float scale, float *out, size_t out_stride) {
    for (int32_t t = 0; t < tokens;) {
        const int32_t block = tokens - t >= 4 ? 4 : 1;
        const float *from = x + (size_t)t * x_stride;
        for (int32_t r = 0; r < rank;) {
            float *to = out + (size_t)t * out_stride + r;
            const size_t first = (size_t)r * (size_t)k;
            const bool wide = rank - r >= 4;
            if (block == 4 && wide)
                shrink_block(4, 4, a, storage, first, k, from, x_stride, scale, to, out_stride);
            else if (block == 4)
                shrink_block(4, 1, a, storage, first, k, from, x_stride, scale, to, out_stride);
            else if (wide)
                shrink_block(1, 4, a, storage, first, k, from, x_stride, scale, to, out_stride);
            else
                shrink_block(1, 1, a, storage, first, k, from, x_stride, scale, to, out_stride);
            r += wide ? 4 : 1;
        }
        t += block;
    }
}

static void shrink(
    const void *a, mk_storage storage, int32_t rank, int32_t k, const float *x, size_t x_stride, int32_t rows,
    float scale, float *out, size_t out_stride) {
    if (storage == mk_bfloat16)
        shrink_rows(mk_bfloat16, a, rank, k, x, x_stride, rows, scale, out, out_stride);
    else
        shrink_rows(mk_float32, a, rank, k, x, x_stride, rows, scale, out, out_stride);
}

MK_INLINE void expand_rows(
    const int rows, const mk_packed *w, const void *weights, const float *v, size_t v_stride, float *out,
    size_t out_stride, int32_t columns, const enum fetching mode) {
    vf sum[MK_ROWS][MK_VECS];
    MK_UNROLL for (int r = 0; r < rows; r++)
        MK_UNROLL for (int i = 0; i < MK_VECS; i++) sum[r][i] = vf_set(0);
    if (w->storage == mk_bfloat16)
        accumulate_bfloat16(rows, v, v_stride, weights, w->k, mode, NULL, 0, sum);
    else
        accumulate_float32(rows, v, v_stride, weights, w->k, mode, NULL, 0, sum);
    const result to = {.c = out, .c_stride = out_stride, .columns = columns, .accumulate = true};
    store_rows(rows, &to, sum);
}

/// Adds the product with a shallow B, panel by panel: what `matmul` with `accumulate` does, bit for bit, without its
/// preparations, which would cost more than the product.
static void expand(
    const mk_packed *w, int32_t panel_begin, int32_t panel_end, const float *v, size_t v_stride, int32_t rows,
    float *out, size_t out_stride, size_t panel_stride) {
    const bool is_pairs = w->storage == mk_bfloat16;
    const size_t panel_bytes =
        (size_t)mk_panel_columns * (is_pairs ? 2 * (size_t)((w->k + 1) & ~1) : 4 * (size_t)w->k);
    for (int32_t panel = panel_begin; panel < panel_end; panel++) {
        const char *weights = (const char *)w->data + panel_bytes * (size_t)panel;
        const int32_t columns = w->n - panel * mk_panel_columns;
        for (int pass = 0; pass < passes && pass * pass_columns < columns; pass++) {
            const int32_t column = pass * pass_columns;
            const char *from = weights + (size_t)column * 4;
            float *to = out + (size_t)(panel - panel_begin) * panel_stride + column;
            int32_t row = 0;
            for (; row + 4 <= rows; row += 4)
                expand_rows(
                    4, w, from, v + (size_t)row * v_stride, v_stride, to + (size_t)row * out_stride, out_stride,
                    columns - column, fetch_nothing);
            if (rows == 1) {
                expand_rows(1, w, from, v, v_stride, to, out_stride, columns - column, fetch_near);
                continue;
            }
            for (; row < rows; row++)
                expand_rows(
                    1, w, from, v + (size_t)row * v_stride, v_stride, to + (size_t)row * out_stride, out_stride,
                    columns - column, fetch_nothing);
        }
    }
}

/// Gate and up of alternating panels to activation(gate) * up, for the pairs of panels `pair_begin ..< pair_end`.
static void gate_pairs(
    const float *in, size_t in_stride, int32_t pair_begin, int32_t pair_end, int32_t rows, float *out,
    size_t out_stride, int32_t columns, mk_activation activation) {
    for (int32_t row = 0; row < rows; row++) {
        for (int32_t pair = pair_begin; pair < pair_end; pair++) {
            const float *gate = in + (size_t)row * in_stride + (size_t)pair * 2 * mk_panel_columns;
            const int32_t column = pair * mk_panel_columns;
            const int32_t left = columns - column < mk_panel_columns ? columns - column : mk_panel_columns;
            float *to = out + (size_t)row * out_stride + column;
            const float *up = gate + mk_panel_columns;
            switch (activation) {
            case mk_silu: gate_rows(gate, up, 1, to, out_stride, left, mk_silu); break;
            case mk_gelu: gate_rows(gate, up, 1, to, out_stride, left, mk_gelu); break;
            case mk_gelu_tanh: gate_rows(gate, up, 1, to, out_stride, left, mk_gelu_tanh); break;
            case mk_relu: gate_rows(gate, up, 1, to, out_stride, left, mk_relu); break;
            }
        }
    }
}
