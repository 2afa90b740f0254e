// Whether two instruction sets give the same products, bit for bit: what is trusted only after it has shown that it does.
#include "mk_kernels.h"

#include <stdlib.h>
#include <string.h>

enum { agreement_columns = 70, agreement_inputs = 200, agreement_rows = 40 };

/// Numbers from -1 to 1, the same everywhere.
static void fill(float *values, size_t count, uint32_t state) {
    for (size_t i = 0; i < count; i++) {
        state = state * 1664525u + 1013904223u;
        values[i] = (float)(int32_t)state * 0x1p-31f;
    }
}

static void *zeroed(size_t bytes) {
    void *memory = aligned_alloc(64, (bytes + 63) / 64 * 64);
    if (memory) memset(memory, 0, (bytes + 63) / 64 * 64);
    return memory;
}

/// Products with `rows` rows; false if there is no memory.
static bool product(const mk_linear_kernels *kernels, const mk_weights *w, const float *x, int32_t rows, float *out) {
    const size_t stride = kernels->row_bytes(w->format, w->k) + 64;
    char *prepared = zeroed(stride * (size_t)rows);
    if (!prepared) return false;
    for (int32_t r = 0; r < rows; r++)
        kernels->prepare(w->format, x + (size_t)r * (size_t)w->k, w->k, prepared + (size_t)r * stride);
    const mk_output to = {out, agreement_columns, NULL, false};
    kernels->multiply(w, 0, (w->n + mk_panel_columns - 1) / mk_panel_columns, prepared, stride, rows, &to);
    free(prepared);
    return true;
}

static bool agree_in(mk_format format, const mk_linear_kernels *a, const mk_linear_kernels *b) {
    const int32_t group = format == mk_format_int4 ? 32 : 0;
    mk_weights w = {zeroed(mk_weights_bytes(format, group, agreement_columns, agreement_inputs)), format, group,
                    agreement_columns, agreement_inputs};
    float *matrix = zeroed(sizeof(float) * agreement_columns * agreement_inputs);
    float *x = zeroed(sizeof(float) * agreement_rows * agreement_inputs);
    float *one = zeroed(sizeof(float) * agreement_rows * agreement_columns);
    float *other = zeroed(sizeof(float) * agreement_rows * agreement_columns);
    bool agrees = w.data && matrix && x && one && other;
    if (agrees) {
        fill(matrix, agreement_columns * agreement_inputs, 1);
        fill(x, agreement_rows * agreement_inputs, 2);
        mk_clear_weights(&w, 0, (agreement_columns + mk_panel_columns - 1) / mk_panel_columns);
        mk_pack_weights(&w, 0, false, matrix, mk_float32, agreement_columns);
        for (int32_t rows = 1; agrees && rows <= agreement_rows; rows += agreement_rows - 1)
            agrees = product(a, &w, x, rows, one) && product(b, &w, x, rows, other)
                     && memcmp(one, other, sizeof(float) * (size_t)rows * agreement_columns) == 0;
    }
    free((void *)w.data), free(matrix), free(x), free(one), free(other);
    return agrees;
}

bool mk_linear_agree(const mk_linear_kernels *a, const mk_linear_kernels *b) {
    return agree_in(mk_format_bfloat16, a, b) && agree_in(mk_format_int8, a, b) && agree_in(mk_format_int4, a, b);
}
