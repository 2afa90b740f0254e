// Plain loops: what they cost is small beside the products around them. Each value depends on its own place alone, and
// every sum has one order.
#include "include/mk_changes.h"

#include <math.h>
#include <string.h>

void mk_scale_and_add(
    float *x, size_t stride, size_t rows, const float *factors, const float *terms, size_t columns) {
    for (size_t r = 0; r < rows; r++) {
        float *row = x + r * stride;
        for (size_t c = 0; c < columns; c++) row[c] = row[c] * factors[c] + terms[c];
    }
}

void mk_scale_columns(
    const float *x, size_t stride, size_t rows, const float *factors, size_t columns, float *out, size_t out_stride) {
    for (size_t r = 0; r < rows; r++) {
        for (size_t c = 0; c < columns; c++) out[r * out_stride + c] = x[r * stride + c] * factors[c];
    }
}

void mk_copy_rows(float *to, size_t to_stride, const float *from, size_t from_stride, size_t rows, size_t columns) {
    for (size_t r = 0; r < rows; r++) memcpy(to + r * to_stride, from + r * from_stride, columns * sizeof *to);
}

void mk_scaled(const float *x, float factor, size_t count, float *out) {
    for (size_t i = 0; i < count; i++) out[i] = x[i] * factor;
}

void mk_scatter(float *to, const int32_t *places, const float *from, size_t count) {
    for (size_t i = 0; i < count; i++) to[places[i]] = from[i];
}

void mk_transpose(
    const void *matrix, mk_storage type, size_t rows, size_t columns, float scale, float *out, size_t stride) {
    enum { block = 256 };
    float values[block];
    const size_t size = type == mk_float32 ? 4 : 2;
    for (size_t r = 0; r < rows; r++) {
        for (size_t c = 0; c < columns; c += block) {
            const size_t count = columns - c < block ? columns - c : block;
            mk_convert(values, mk_float32, (const char *)matrix + (r * columns + c) * size, type, count);
            for (size_t i = 0; i < count; i++) out[(c + i) * stride + r] = scale * values[i];
        }
    }
}

void mk_add_squares(const float *x, size_t stride, size_t rows, size_t columns, double *sums) {
    for (size_t r = 0; r < rows; r++) {
        for (size_t c = 0; c < columns; c++) {
            const double value = x[r * stride + c];
            sums[c] += value * value;
        }
    }
}

void mk_magnitude_factors(const float *magnitudes, const double *sums, size_t count, float *out) {
    for (size_t i = 0; i < count; i++) out[i] = sums[i] > 0 ? (float)(magnitudes[i] / sqrt(sums[i])) : 0;
}

void mk_output_change(
    const float *inner, const float *outer, const float *applied, const float *wanted, size_t count, float *factors,
    float *terms) {
    for (size_t i = 0; i < count; i++) {
        const float in = inner ? inner[i] : 1, out = outer ? outer[i] : 1;
        factors[i] = out * in;
        terms[i] = out * ((wanted ? wanted[i] : 0) - in * (applied ? applied[i] : 0));
    }
}
