// What the tensors of adapter files need once, when they are loaded. Plain loops: the order of every sum is fixed.
#include <string.h>

#include "include/mk_files.h"

// The digest of an adapter covers what is computed here: no fused operations, so that every processor rounds alike.
#pragma STDC FP_CONTRACT OFF

// A value is finite when its exponent is not all ones. Blocks are tested as a whole, so that the loop has no exit inside.
enum { finite_block = 1024 };

static ptrdiff_t find_nonfinite_32(const uint32_t *values, size_t count) {
    for (size_t start = 0; start < count; start += finite_block) {
        const size_t end = count - start < finite_block ? count : start + finite_block;
        uint32_t found = 0;
        for (size_t i = start; i < end; i++) found |= (values[i] & 0x7F800000u) == 0x7F800000u;
        if (!found) continue;
        for (size_t i = start; i < end; i++) {
            if ((values[i] & 0x7F800000u) == 0x7F800000u) return (ptrdiff_t)i;
        }
    }
    return -1;
}

static ptrdiff_t find_nonfinite_16(const uint16_t *values, uint16_t exponent, size_t count) {
    for (size_t start = 0; start < count; start += finite_block) {
        const size_t end = count - start < finite_block ? count : start + finite_block;
        uint16_t found = 0;
        for (size_t i = start; i < end; i++) found |= (values[i] & exponent) == exponent;
        if (!found) continue;
        for (size_t i = start; i < end; i++) {
            if ((values[i] & exponent) == exponent) return (ptrdiff_t)i;
        }
    }
    return -1;
}

ptrdiff_t mk_find_nonfinite(const void *values, mk_storage type, size_t count) {
    if (type == mk_float32) return find_nonfinite_32(values, count);
    return find_nonfinite_16(values, type == mk_bfloat16 ? 0x7F80u : 0x7C00u, count);
}

void mk_scale_matrix(
    const void *in, mk_storage type, size_t stride, const float *row_factors, const float *column_factors, size_t rows,
    size_t columns, float *out) {
    const size_t size = type == mk_float32 ? 4 : 2;
    for (size_t r = 0; r < rows; r++) {
        float *to = out + r * columns;
        mk_convert(to, mk_float32, (const char *)in + r * stride * size, type, columns);
        if (row_factors) {
            for (size_t c = 0; c < columns; c++) to[c] *= row_factors[r];
        }
        if (column_factors) {
            for (size_t c = 0; c < columns; c++) to[c] *= column_factors[c];
        }
    }
}

void mk_small_product(const float *a, const float *b, size_t rows, size_t inner, size_t columns, float *out) {
    memset(out, 0, rows * columns * sizeof *out);
    for (size_t i = 0; i < rows; i++) {
        for (size_t k = 0; k < inner; k++) {
            const float factor = a[i * inner + k];
            for (size_t j = 0; j < columns; j++) out[i * columns + j] += factor * b[k * columns + j];
        }
    }
}

void mk_multiply(const float *a, const float *b, size_t count, float *out) {
    for (size_t i = 0; i < count; i++) out[i] = a[i] * b[i];
}

void mk_kronecker(const float *a, size_t m, size_t n, const float *b, size_t p, size_t q, float *out) {
    for (size_t i = 0; i < m; i++) {
        for (size_t k = 0; k < p; k++) {
            float *row = out + (i * p + k) * n * q;
            for (size_t j = 0; j < n; j++) {
                const float factor = a[i * n + j];
                for (size_t l = 0; l < q; l++) row[j * q + l] = factor * b[k * q + l];
            }
        }
    }
}

void mk_pair_rows(const float *a, size_t r, const float *b, size_t s, size_t columns, float *out) {
    for (size_t i = 0; i < r; i++) {
        for (size_t j = 0; j < s; j++) mk_multiply(a + i * columns, b + j * columns, columns, out + (i * s + j) * columns);
    }
}

void mk_pair_columns(const float *a, size_t r, const float *b, size_t s, size_t rows, float *out) {
    for (size_t o = 0; o < rows; o++) {
        for (size_t i = 0; i < r; i++) {
            for (size_t j = 0; j < s; j++) out[(o * r + i) * s + j] = a[o * r + i] * b[o * s + j];
        }
    }
}
