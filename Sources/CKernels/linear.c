// Packing of weights for linear layers. One version serves every instruction set: packed weights are the same on all.
#include "isa/cache.h"
#include "isa/float16.h"
#include "isa/weights.h"

#include <math.h>

// The digest of a model covers what is computed here.
#pragma STDC FP_CONTRACT OFF

/// Inputs that are converted at a time; a multiple of every group.
enum { chunk = 512 };

size_t mk_weights_panel_bytes(mk_format format, int32_t group, int32_t k) { return panel_bytes(format, group, k); }

size_t mk_weights_bytes(mk_format format, int32_t group, int32_t n, int32_t k) {
    return panel_bytes(format, group, k) * (size_t)ceil_div(n, mk_panel_columns);
}

void mk_clear_weights(const mk_weights *w, int32_t panel_begin, int32_t panel_end) {
    const size_t bytes = panel_bytes(w->format, w->group, w->k);
    for (int32_t panel = panel_begin; panel < panel_end; panel++) {
        char *at = panel_at(w, panel);
        memset(at, w->format == mk_format_int8 ? 128 : w->format == mk_format_int4 ? 0x88 : 0, bytes);
        if (w->format == mk_format_int8) memset(int8_scales(w, panel), 0, mk_panel_columns * sizeof(float));
        for (int32_t g = 0; w->format == mk_format_int4 && g < ceil_div(w->k, w->group); g++)
            memset(int4_group(w, panel, g), 0, mk_panel_columns * sizeof(uint16_t));
    }
}

/// Part of a row as floats.
static const float *row_part(const void *row, mk_storage type, int32_t first, int32_t count, float *buffer) {
    if (type == mk_float32) return (const float *)row + first;
    mk_convert(buffer, mk_float32, (const uint16_t *)row + first, type, (size_t)count);
    return buffer;
}

/// x / scale rounded to nearest even, within bounds that rounding of the scale may have pushed it over.
static void quantise(const float *x, int32_t count, float inverse, float least, float most, int32_t *q) {
    for (int32_t i = 0; i < count; i++) {
        float v = x[i] * inverse;
        v = v > most ? most : v < least ? least : v;
        q[i] = (int32_t)(v + 12582912.0f - 12582912.0f);
    }
}

/// Greatest magnitude; NaN if there is a NaN or an infinity.
static float greatest(const float *x, int32_t count) {
    uint32_t top = 0;
    for (int32_t i = 0; i < count; i++) {
        uint32_t bits;
        memcpy(&bits, x + i, sizeof bits);
        bits &= 0x7FFFFFFFu;
        top = bits > top ? bits : top;
    }
    if (top >= 0x7F800000u) top = 0x7FC00000u;
    float value;
    memcpy(&value, &top, sizeof value);
    return value;
}

static void pack_int8(const mk_weights *w, int32_t column, const void *row, mk_storage type) {
    float buffer[chunk], max = 0;
    for (int32_t i = 0; i < w->k; i += chunk) {
        const int32_t count = w->k - i < chunk ? w->k - i : chunk;
        const float m = greatest(row_part(row, type, i, count, buffer), count);
        max = m > max || isnan(m) ? m : max;
        if (isnan(max)) break;
    }
    const int32_t panel = column / mk_panel_columns, lane = column % mk_panel_columns;
    // Below this the reciprocal is no longer a number.
    const bool usable = max >= 0x1p-100f;
    int8_scales(w, panel)[lane] = usable ? max / 127.0f : isnan(max) ? max : 0;
    uint8_t *to = (uint8_t *)panel_at(w, panel) + 4 * lane;
    const float inverse = usable ? 127.0f / max : 0;
    for (int32_t i = 0; i < w->k; i += chunk) {
        const int32_t count = w->k - i < chunk ? w->k - i : chunk;
        const float *x = row_part(row, type, i, count, buffer);
        // What is missing to a whole quad counts as zero.
        int32_t q[chunk + 3] = {0};
        if (usable) quantise(x, count, inverse, -127, 127, q);
        for (int32_t j = 0; j < count; j += 4) {
            const uint8_t quad[4] = {
                (uint8_t)(q[j] + 128), (uint8_t)(q[j + 1] + 128), (uint8_t)(q[j + 2] + 128), (uint8_t)(q[j + 3] + 128)};
            memcpy(to + (size_t)((i + j) / 4) * panel_step_bytes, quad, sizeof quad);
        }
    }
}

static void pack_int4_group(uint16_t *group, int32_t lane, const float *x, int32_t count) {
    float top = 0;
    for (int32_t i = 0; i < count; i++) top = fabsf(x[i]) > fabsf(top) ? x[i] : top;
    const float max = greatest(x, count);
    group[lane] = isnan(max) ? float16_nan : to_float16(top / -8.0f);
    const float scale = from_float16(group[lane]);
    // Rounded to float16 a scale may be zero, or infinite where weights are beyond all reason.
    const bool usable = isfinite(scale) && scale != 0;
    const float inverse = usable ? 1.0f / scale : 0;
    uint8_t *to = (uint8_t *)(group + mk_panel_columns) + 4 * lane;
    // What is missing to a whole group counts as zero.
    int32_t q[64] = {0};
    if (usable) quantise(x, count, inverse, -8, 7, q);
    for (int32_t i = 0; i < count; i += 8) {
        uint8_t both[4];
        for (int32_t j = 0; j < 4; j++) both[j] = (uint8_t)((q[i + j] + 8) | (q[i + 4 + j] + 8) << 4);
        memcpy(to + i / 8 * panel_step_bytes, both, sizeof both);
    }
}

static void pack_int4(const mk_weights *w, int32_t column, const void *row, mk_storage type) {
    float buffer[chunk];
    for (int32_t i = 0; i < w->k; i += chunk) {
        const int32_t count = w->k - i < chunk ? w->k - i : chunk;
        const float *x = row_part(row, type, i, count, buffer);
        for (int32_t j = 0; j < count; j += w->group)
            pack_int4_group(
                int4_group(w, column / mk_panel_columns, (i + j) / w->group), column % mk_panel_columns, x + j,
                count - j < w->group ? count - j : w->group);
    }
}

void mk_pack_weights(
    const mk_weights *w, int32_t first, bool interleave, const void *matrix, mk_storage source, int32_t rows) {
    if (w->format == mk_format_float32 || w->format == mk_format_bfloat16) {
        const mk_storage storage = w->format == mk_format_bfloat16 ? mk_bfloat16 : mk_float32;
        mk_pack((void *)w->data, storage, w->k, first, interleave, matrix, source, rows);
        return;
    }
    const size_t row_bytes = (size_t)w->k * (source == mk_float32 ? 4 : 2);
    for (int32_t r = 0; r < rows; r++) {
        const int32_t skipped = interleave ? r / mk_panel_columns * mk_panel_columns : 0;
        const void *row = (const char *)matrix + (size_t)r * row_bytes;
        if (w->format == mk_format_int8)
            pack_int8(w, first + r + skipped, row, source);
        else
            pack_int4(w, first + r + skipped, row, source);
    }
}

// Compression of bfloat16: the lower byte (the last bit of the exponent, and the mantissa) as it is, the upper one (the
// sign and the rest of the exponent) as an index of 4 bits.

typedef uint8_t pair_bytes __attribute__((ext_vector_type(2 * mk_panel_columns)));
typedef uint16_t pair_halves __attribute__((ext_vector_type(2 * mk_panel_columns)));

static const uint16_t *pair_of(const mk_weights *bfloat16, int32_t panel, int32_t pair) {
    return (const uint16_t *)(panel_at(bfloat16, panel) + (size_t)pair * panel_step_bytes);
}

/// How often each upper byte occurs among `count` numbers, a multiple of 4.
static void count_uppers(const uint16_t *values, size_t count, uint32_t counts[256]) {
    // Four tables, because equal bytes often follow each other.
    uint32_t tables[4][256] = {{0}};
    for (size_t i = 0; i < count; i += 4) {
        uint64_t four;
        memcpy(&four, values + i, sizeof four);
        for (int t = 0; t < 4; t++) tables[t][four >> (16 * t + 8) & 0xFF]++;
    }
    for (int e = 0; e < 256; e++) counts[e] = tables[0][e] + tables[1][e] + tables[2][e] + tables[3][e];
}

/// The 16 most frequent upper bytes of a panel, ascending; ties go to the lower one.
static void choose_uppers(const mk_weights *bfloat16, int32_t panel, uint8_t chosen[16]) {
    uint32_t counts[256];
    const size_t pairs = (size_t)ceil_div(bfloat16->k, 2);
    count_uppers(pair_of(bfloat16, panel, 0), pairs * 2 * mk_panel_columns, counts);
    bool taken[256] = {false};
    for (int i = 0; i < 16; i++) {
        int best = -1;
        for (int e = 0; e < 256; e++)
            if (!taken[e] && (best < 0 || counts[e] > counts[best])) best = e;
        taken[best] = true;
    }
    for (int e = 0, i = 0; e < 256; e++)
        if (taken[e]) chosen[i++] = (uint8_t)e;
}

/// A pair of inputs of all columns, taken apart.
typedef struct split_pair {
    pair_bytes lower, index;
    /// Whether each number's upper byte has an index.
    bool is_regular;
} split_pair;

static split_pair split(const uint16_t *pair, const uint8_t uppers[16]) {
    pair_halves numbers;
    memcpy(&numbers, pair, sizeof numbers);
    const pair_bytes upper = __builtin_convertvector(numbers >> 8, pair_bytes);
    split_pair s = {__builtin_convertvector(numbers & 0xFF, pair_bytes), (pair_bytes)(uint8_t)0xFF, false};
    for (int i = 0; i < 16; i++) {
        const pair_bytes equal = (pair_bytes)(upper == (pair_bytes)uppers[i]);
        s.index = (s.index & ~equal) | ((pair_bytes)(uint8_t)i & equal);
    }
    s.is_regular = __builtin_reduce_max(s.index) < 16;
    return s;
}

int32_t mk_count_whole_pairs(const mk_weights *bfloat16, int32_t panel) {
    uint8_t uppers[16];
    choose_uppers(bfloat16, panel, uppers);
    int32_t count = 0;
    for (int32_t pair = 0; pair < ceil_div(bfloat16->k, 2); pair++)
        count += !split(pair_of(bfloat16, panel, pair), uppers).is_regular;
    return count;
}

size_t mk_whole_pairs_bytes(int32_t count) {
    return whole_pair_numbers_bytes(count) + (size_t)count * panel_step_bytes;
}

/// Eight numbers at a time lie together, see `compressed_byte`.
static void compress_pair(uint8_t *step, int32_t which, const split_pair *pair) {
    for (int32_t i = 0; i < 2 * mk_panel_columns; i += 8) {
        const int32_t at = compressed_byte(i / 2, 0);
        uint64_t lower, index, others;
        memcpy(&lower, (const char *)&pair->lower + i, sizeof lower);
        memcpy(&index, (const char *)&pair->index + i, sizeof index);
        memcpy(&others, step + 128 + at, sizeof others);
        others |= (index & 0x0F0F0F0F0F0F0F0Fu) << 4 * which;
        memcpy(step + 64 * which + at, &lower, sizeof lower);
        memcpy(step + 128 + at, &others, sizeof others);
    }
}

void mk_compress_panel(
    const mk_weights *to, const mk_weights *bfloat16, int32_t panel, size_t whole, int32_t whole_count) {
    compressed_header *header = (compressed_header *)panel_at(to, panel);
    memset(header, 0, panel_bytes(to->format, 0, to->k));
    choose_uppers(bfloat16, panel, header->uppers);
    header->whole = whole;
    header->whole_count = whole_count;
    int32_t *numbers = (int32_t *)((char *)to->data + whole);
    char *pairs = (char *)numbers + whole_pair_numbers_bytes(whole_count);
    for (int32_t pair = 0; pair < ceil_div(bfloat16->k, 2); pair++) {
        const uint16_t *from = pair_of(bfloat16, panel, pair);
        const split_pair parts = split(from, header->uppers);
        compress_pair((uint8_t *)(header + 1) + (size_t)(pair / 2) * compressed_step_bytes, pair % 2, &parts);
        if (parts.is_regular) continue;
        *numbers++ = pair;
        memcpy(pairs, from, panel_step_bytes);
        pairs += panel_step_bytes;
    }
}
