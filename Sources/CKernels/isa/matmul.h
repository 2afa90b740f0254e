// Matrix product over packed panels. Needs MK_ROWS, rows held in registers at once, and MK_VECS, vectors of a panel
// taken in one pass: MK_ROWS * MK_VECS accumulators plus the weights must fit the registers, or the kernel spills.

enum { pass_columns = MK_VECS * MK_LANES, passes = mk_panel_columns / pass_columns };

/// Bytes ahead of the weights that are asked for early; the hardware does not look across a page by itself.
enum { prefetch_distance = 2048 };

MK_INLINE void accumulate_float32(
    const int rows, const float *a, size_t a_stride, const float *w, int32_t k, bool prefetch, vf sum[][MK_VECS]) {
    for (int32_t i = 0; i < k; i++) {
        vf weight[MK_VECS];
        MK_UNROLL for (int v = 0; v < MK_VECS; v++) {
            weight[v] = vf_load(w + v * MK_LANES);
            if (prefetch) __builtin_prefetch((const char *)(w + v * MK_LANES) + prefetch_distance);
        }
        MK_UNROLL for (int r = 0; r < rows; r++) {
            const vf x = vf_set(a[(size_t)r * a_stride + i]);
            MK_UNROLL for (int v = 0; v < MK_VECS; v++) sum[r][v] = vf_fma(x, weight[v], sum[r][v]);
        }
        w += mk_panel_columns;
    }
}

// A pair of bfloat16 values in 32 bits: the even one is the low half, and shifting or masking makes either a float.
MK_INLINE void accumulate_bfloat16(
    const int rows, const float *a, size_t a_stride, const uint32_t *w, int32_t k, bool prefetch, vf sum[][MK_VECS]) {
    for (int32_t i = 0; i + 1 < k; i += 2) {
        vf even[MK_VECS], odd[MK_VECS];
        MK_UNROLL for (int v = 0; v < MK_VECS; v++) {
            const vu pair = vu_load(w + v * MK_LANES);
            if (prefetch) __builtin_prefetch((const char *)(w + v * MK_LANES) + prefetch_distance);
            even[v] = (vf)(pair << 16);
            odd[v] = (vf)(pair & 0xFFFF0000u);
        }
        MK_UNROLL for (int r = 0; r < rows; r++) {
            const vf x = vf_set(a[(size_t)r * a_stride + i]);
            const vf y = vf_set(a[(size_t)r * a_stride + i + 1]);
            MK_UNROLL for (int v = 0; v < MK_VECS; v++) sum[r][v] = vf_fma(x, even[v], sum[r][v]);
            MK_UNROLL for (int v = 0; v < MK_VECS; v++) sum[r][v] = vf_fma(y, odd[v], sum[r][v]);
        }
        w += mk_panel_columns;
    }
    if (k & 1) {
        MK_UNROLL for (int v = 0; v < MK_VECS; v++) {
            const vf even = (vf)(vu_load(w + v * MK_LANES) << 16);
            MK_UNROLL for (int r = 0; r < rows; r++)
                sum[r][v] = vf_fma(vf_set(a[(size_t)r * a_stride + k - 1]), even, sum[r][v]);
        }
    }
}

/// One pass of a panel for `rows` rows; `columns` of the pass are real.
MK_INLINE void pass_rows(
    const int rows, const mk_packed *w, const void *panel, int pass, const float *a, size_t a_stride, bool prefetch,
    float *c, size_t c_stride, int32_t columns, const float *bias, bool accumulate) {
    vf sum[MK_ROWS][MK_VECS];
    MK_UNROLL for (int r = 0; r < rows; r++)
        MK_UNROLL for (int v = 0; v < MK_VECS; v++) sum[r][v] = vf_set(0);
    if (w->storage == mk_bfloat16)
        accumulate_bfloat16(rows, a, a_stride, (const uint32_t *)panel + pass * pass_columns, w->k, prefetch, sum);
    else
        accumulate_float32(rows, a, a_stride, (const float *)panel + pass * pass_columns, w->k, prefetch, sum);

    if (columns >= pass_columns) {
        MK_UNROLL for (int r = 0; r < rows; r++) {
            MK_UNROLL for (int v = 0; v < MK_VECS; v++) {
                float *to = c + (size_t)r * c_stride + v * MK_LANES;
                vf value = sum[r][v];
                if (bias) value += vf_load(bias + v * MK_LANES);
                if (accumulate) value += vf_load(to);
                vf_store(to, value);
            }
        }
        return;
    }
    float lanes[MK_ROWS][pass_columns];
    MK_UNROLL for (int r = 0; r < rows; r++)
        MK_UNROLL for (int v = 0; v < MK_VECS; v++) vf_store(&lanes[r][v * MK_LANES], sum[r][v]);
    for (int r = 0; r < rows; r++) {
        for (int32_t i = 0; i < columns; i++) {
            float *to = c + (size_t)r * c_stride + i;
            float value = lanes[r][i];
            if (bias) value += bias[i];
            if (accumulate) value += *to;
            *to = value;
        }
    }
}

#define MK_PASS(R)                                                                                                     \
    static void pass_##R(                                                                                              \
        const mk_packed *w, const void *panel, int pass, const float *a, size_t a_stride, bool prefetch, float *c,     \
        size_t c_stride, int32_t columns, const float *bias, bool accumulate) {                                        \
        if (prefetch)                                                                                                  \
            pass_rows(R, w, panel, pass, a, a_stride, true, c, c_stride, columns, bias, accumulate);                   \
        else                                                                                                           \
            pass_rows(R, w, panel, pass, a, a_stride, false, c, c_stride, columns, bias, accumulate);                  \
    }
MK_PASS(1)
MK_PASS(2)
MK_PASS(3)
MK_PASS(4)
MK_PASS(5)
MK_PASS(6)
#if MK_ROWS > 6
MK_PASS(7)
MK_PASS(8)
MK_PASS(9)
MK_PASS(10)
#endif
#undef MK_PASS

typedef void (*pass_function)(
    const mk_packed *, const void *, int, const float *, size_t, bool, float *, size_t, int32_t, const float *, bool);

static const pass_function pass_functions[MK_ROWS + 1] = {
    NULL, pass_1, pass_2, pass_3, pass_4, pass_5, pass_6,
#if MK_ROWS > 6
    pass_7, pass_8, pass_9, pass_10,
#endif
};

static const char *panel_at(const mk_packed *w, int32_t panel) {
    const size_t bytes = w->storage == mk_bfloat16 ? ((size_t)w->k + 1) / 2 * 4 : (size_t)w->k * 4;
    return (const char *)w->data + bytes * mk_panel_columns * (size_t)panel;
}

/// One panel for any number of rows. Only the first block of rows takes the weights from memory and prefetches.
static void panel_rows(
    const mk_packed *w, int32_t panel, const float *a, size_t a_stride, int32_t rows, bool first_use, float *c,
    size_t c_stride, const float *bias, bool accumulate, int32_t columns) {
    const char *data = panel_at(w, panel);
    const int32_t blocks = (rows + MK_ROWS - 1) / MK_ROWS;
    for (int32_t b = 0; b < blocks; b++) {
        // Blocks of nearly equal height: a last block of one row would run at the speed of a vector product.
        const int32_t begin = (int32_t)((int64_t)rows * b / blocks), end = (int32_t)((int64_t)rows * (b + 1) / blocks);
        for (int pass = 0; pass < passes; pass++) {
            const int32_t left = columns - pass * pass_columns;
            if (left <= 0) break;
            pass_functions[end - begin](
                w, data, pass, a + (size_t)begin * a_stride, a_stride, first_use && b == 0,
                c + (size_t)begin * c_stride + pass * pass_columns, c_stride, left,
                bias ? bias + pass * pass_columns : NULL, accumulate);
        }
    }
}

/// Rows whose activations stay in the second-level cache while the panels go by.
static int32_t cached_rows(int32_t k) {
    const int32_t rows = (512 << 10) / 4 / (k > 0 ? k : 1);
    return rows < 2 * MK_ROWS ? 2 * MK_ROWS : rows;
}

static void matmul(
    const mk_packed *w, int32_t panel_begin, int32_t panel_end, const float *a, size_t a_stride, int32_t rows, float *c,
    size_t c_stride, const float *bias, bool accumulate) {
    const int32_t step = cached_rows(w->k);
    for (int32_t row = 0; row < rows; row += step) {
        const int32_t count = rows - row < step ? rows - row : step;
        for (int32_t panel = panel_begin; panel < panel_end; panel++) {
            const int32_t column = panel * mk_panel_columns;
            const int32_t left = w->n - column;
            panel_rows(
                w, panel, a + (size_t)row * a_stride, a_stride, count, row == 0, c + (size_t)row * c_stride + column,
                c_stride, bias ? bias + column : NULL, accumulate, left < mk_panel_columns ? left : mk_panel_columns);
        }
    }
}
