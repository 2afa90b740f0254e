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
static int32_t quantised(float x, float inverse, float least, float most) {
    float q = x * inverse;
    q = q > most ? most : q < least ? least : q;
    return (int32_t)(q + 12582912.0f - 12582912.0f);
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
        for (int32_t j = 0; j < count; j++) {
            const int32_t q = usable ? quantised(x[j], inverse, -127, 127) : 0;
            to[(size_t)((i + j) / 4) * panel_step_bytes + (size_t)(j % 4)] = (uint8_t)(q + 128);
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
    for (int32_t i = 0; i < count; i++) {
        const int32_t q = 8 + (usable ? quantised(x[i], inverse, -8, 7) : 0);
        uint8_t *at = to + i / 8 * panel_step_bytes + i % 4;
        *at = (uint8_t)(i & 4 ? (*at & 0x0F) | q << 4 : (*at & 0xF0) | q);
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

static const uint16_t *pair_of(const mk_weights *bfloat16, int32_t panel, int32_t pair) {
    return (const uint16_t *)(panel_at(bfloat16, panel) + (size_t)pair * panel_step_bytes);
}

/// The 16 most frequent upper bytes of a panel, ascending; ties go to the lower one.
static void choose_uppers(const mk_weights *bfloat16, int32_t panel, uint8_t chosen[16]) {
    uint32_t counts[256] = {0};
    const uint16_t *values = pair_of(bfloat16, panel, 0);
    for (size_t i = 0; i < (size_t)ceil_div(bfloat16->k, 2) * 2 * mk_panel_columns; i++) counts[values[i] >> 8]++;
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

static void invert(const uint8_t uppers[16], int8_t index[256]) {
    memset(index, -1, 256);
    for (int i = 0; i < 16; i++) index[uppers[i]] = (int8_t)i;
}

static bool is_regular(const uint16_t *pair, const int8_t index[256]) {
    for (int i = 0; i < 2 * mk_panel_columns; i++)
        if (index[pair[i] >> 8] < 0) return false;
    return true;
}

int32_t mk_count_whole_pairs(const mk_weights *bfloat16, int32_t panel) {
    uint8_t uppers[16];
    int8_t index[256];
    choose_uppers(bfloat16, panel, uppers);
    invert(uppers, index);
    int32_t count = 0;
    for (int32_t pair = 0; pair < ceil_div(bfloat16->k, 2); pair++)
        count += !is_regular(pair_of(bfloat16, panel, pair), index);
    return count;
}

size_t mk_whole_pairs_bytes(int32_t count) {
    return whole_pair_numbers_bytes(count) + (size_t)count * panel_step_bytes;
}

static void compress_pair(uint8_t *step, int32_t which, const uint16_t *pair, const int8_t index[256]) {
    for (int32_t i = 0; i < 2 * mk_panel_columns; i++) {
        const int32_t at = compressed_byte(i / 2, i & 1);
        step[64 * which + at] = (uint8_t)pair[i];
        step[128 + at] |= (uint8_t)((index[pair[i] >> 8] & 0x0F) << 4 * which);
    }
}

void mk_compress_panel(const mk_weights *to, const mk_weights *bfloat16, int32_t panel, size_t whole) {
    compressed_header *header = (compressed_header *)panel_at(to, panel);
    memset(header, 0, panel_bytes(to->format, 0, to->k));
    int8_t index[256];
    choose_uppers(bfloat16, panel, header->uppers);
    invert(header->uppers, index);
    header->whole = whole;
    header->whole_count = mk_count_whole_pairs(bfloat16, panel);
    int32_t *numbers = (int32_t *)((char *)to->data + whole);
    char *pairs = (char *)numbers + whole_pair_numbers_bytes(header->whole_count);
    for (int32_t pair = 0; pair < ceil_div(bfloat16->k, 2); pair++) {
        const uint16_t *from = pair_of(bfloat16, panel, pair);
        compress_pair((uint8_t *)(header + 1) + (size_t)(pair / 2) * compressed_step_bytes, pair % 2, from, index);
        if (is_regular(from, index)) continue;
        *numbers++ = pair;
        memcpy(pairs, from, panel_step_bytes);
        pairs += panel_step_bytes;
    }
}
