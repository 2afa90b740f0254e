// Conversion between storage types and the packed weight layout. Exact, so one version serves every instruction set.
#include "isa/cache.h"
#include "isa/float16.h"

static uint16_t load_u16(const void *p, size_t i) {
    uint16_t value;
    memcpy(&value, (const char *)p + 2 * i, sizeof value);
    return value;
}

static float load_value(const void *p, mk_storage type, size_t i) {
    if (type == mk_bfloat16) return from_bfloat16(load_u16(p, i));
    if (type == mk_float16) return from_float16(load_u16(p, i));
    float value;
    memcpy(&value, (const char *)p + 4 * i, sizeof value);
    return value;
}

static void store_value(void *p, mk_storage type, size_t i, float value) {
    if (type == mk_bfloat16) {
        ((uint16_t *)p)[i] = to_bfloat16(value);
    } else {
        ((float *)p)[i] = value;
    }
}

void mk_convert(void *to, mk_storage to_type, const void *from, mk_storage from_type, size_t count) {
    if (to_type == from_type) {
        memcpy(to, from, count * (to_type == mk_float32 ? 4 : 2));
    } else if (to_type == mk_float32 && from_type == mk_bfloat16) {
        for (size_t i = 0; i < count; i++) ((float *)to)[i] = from_bfloat16(load_u16(from, i));
    } else {
        for (size_t i = 0; i < count; i++) store_value(to, to_type, i, load_value(from, from_type, i));
    }
}

void mk_add(float *to, const float *from, size_t count) {
    for (size_t i = 0; i < count; i++) to[i] += from[i];
}

size_t mk_packed_bytes(mk_storage storage, int32_t n, int32_t k) {
    const size_t panels = ((size_t)n + mk_panel_columns - 1) / mk_panel_columns;
    const size_t depth = storage == mk_bfloat16 ? ((size_t)k + 1) / 2 * 4 : (size_t)k * 4;
    return panels * mk_panel_columns * depth;
}

size_t mk_cache_block_bytes(const mk_cache_shape *shape) {
    return 2 * cache_half_bytes(shape) * (size_t)shape->kv_heads;
}

static int32_t interleaved_column(int32_t first, bool interleave, int32_t row) {
    if (!interleave) return first + row;
    return first + row / mk_panel_columns * 2 * mk_panel_columns + row % mk_panel_columns;
}

void mk_pack(
    void *packed, mk_storage storage, int32_t k, int32_t first, bool interleave, const void *matrix,
    mk_storage source, int32_t rows) {
    // Blocks of 32 rows by 128 inputs keep the written part of a panel in the first-level cache.
    enum { inputs = 128 };
    uint32_t run[inputs];
    // A step is what a column has in four bytes: a pair of bfloat16, or one float.
    const int32_t per_step = storage == mk_bfloat16 ? 2 : 1;
    const size_t steps = (size_t)((k + per_step - 1) / per_step), source_bytes = source == mk_float32 ? 4 : 2;
    for (int32_t row = 0; row < rows; row += mk_panel_columns) {
        const int32_t row_end = rows - row < mk_panel_columns ? rows : row + mk_panel_columns;
        for (int32_t input = 0; input < k; input += inputs) {
            const int32_t input_end = k - input < inputs ? k : input + inputs;
            for (int32_t r = row; r < row_end; r++) {
                const char *from = (const char *)matrix + ((size_t)r * (size_t)k + (size_t)input) * source_bytes;
                mk_convert(run, storage, from, source, (size_t)(input_end - input));
                // An odd last input has a partner of zero.
                if (storage == mk_bfloat16 && input_end % 2 != 0) ((uint16_t *)run)[input_end - input] = 0;
                const int32_t column = interleaved_column(first, interleave, r);
                const size_t step = (size_t)(column / mk_panel_columns) * steps + (size_t)(input / per_step);
                uint32_t *to = (uint32_t *)packed + step * mk_panel_columns + (size_t)(column % mk_panel_columns);
                for (int32_t w = 0; w < (input_end - input + per_step - 1) / per_step; w++) to[w * mk_panel_columns] = run[w];
            }
        }
    }
}

void mk_append_column(
    float *out, const void *matrix, mk_storage matrix_type, size_t rows, size_t columns, const void *column,
    mk_storage column_type) {
    for (size_t r = 0; r < rows; r++) {
        const char *from = (const char *)matrix + r * columns * (matrix_type == mk_float32 ? 4 : 2);
        mk_convert(out + r * (columns + 1), mk_float32, from, matrix_type, columns);
        mk_convert(
            out + r * (columns + 1) + columns, mk_float32, (const char *)column + r * (column_type == mk_float32 ? 4 : 2),
            column_type, 1);
    }
}
