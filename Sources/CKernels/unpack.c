// Reading packed weights back as numbers; one version serves every instruction set.
#include "isa/cache.h"
#include "isa/float16.h"
#include "isa/weights.h"

#pragma STDC FP_CONTRACT OFF

/// The pair that a compressed panel keeps whole, as bfloat16 panels have it; null if it is like most.
static const uint16_t *whole_pair(const mk_weights *w, const compressed_header *header, int32_t pair) {
    const int32_t *numbers = (const int32_t *)((const char *)w->data + header->whole);
    int32_t low = 0, high = header->whole_count;
    while (low < high) {
        const int32_t middle = (low + high) / 2;
        if (numbers[middle] < pair)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == header->whole_count || numbers[low] != pair) return NULL;
    const char *pairs = (const char *)numbers + whole_pair_numbers_bytes(header->whole_count);
    return (const uint16_t *)(pairs + (size_t)low * panel_step_bytes);
}

static void read_compressed(const mk_weights *w, int32_t panel, int32_t input, int32_t begin, int32_t end, float *out) {
    const compressed_header *header = (const compressed_header *)panel_at(w, panel);
    const uint16_t *whole = whole_pair(w, header, input / 2);
    const uint8_t *step = (const uint8_t *)(header + 1) + (size_t)(input / 4) * compressed_step_bytes;
    const int32_t which = input / 2 % 2;
    for (int32_t lane = begin; lane < end; lane++) {
        const int32_t at = compressed_byte(lane, input & 1);
        const uint8_t upper = header->uppers[step[128 + at] >> 4 * which & 0x0F];
        const uint16_t value = (uint16_t)(upper << 8 | step[64 * which + at]);
        out[lane - begin] = from_bfloat16(whole ? whole[2 * lane + (input & 1)] : value);
    }
}

static void read_int4(const mk_weights *w, int32_t panel, int32_t input, int32_t begin, int32_t end, float *out) {
    const uint16_t *group = int4_group(w, panel, input / w->group);
    const int32_t inside = input % w->group;
    const uint8_t *bytes = (const uint8_t *)(group + mk_panel_columns) + inside / 8 * panel_step_bytes + inside % 4;
    for (int32_t lane = begin; lane < end; lane++) {
        const uint8_t byte = bytes[4 * lane];
        out[lane - begin] = (float)((inside & 4 ? byte >> 4 : byte & 0x0F) - 8) * from_float16(group[lane]);
    }
}

/// One input of the columns `begin ..< end` of a panel.
static void read_input(const mk_weights *w, int32_t panel, int32_t input, int32_t begin, int32_t end, float *out) {
    const char *at = panel_at(w, panel);
    switch (w->format) {
    case mk_format_float32:
        memcpy(out, (const float *)at + (size_t)input * mk_panel_columns + begin, (size_t)(end - begin) * sizeof(float));
        break;
    case mk_format_bfloat16: {
        const uint16_t *pair = (const uint16_t *)(at + (size_t)(input / 2) * panel_step_bytes) + input % 2;
        for (int32_t lane = begin; lane < end; lane++) out[lane - begin] = from_bfloat16(pair[2 * lane]);
        break;
    }
    case mk_format_bfloat16_compressed: read_compressed(w, panel, input, begin, end, out); break;
    case mk_format_int8: {
        const uint8_t *quad = (const uint8_t *)at + (size_t)(input / 4) * panel_step_bytes + input % 4;
        const float *scales = int8_scales(w, panel);
        for (int32_t lane = begin; lane < end; lane++) out[lane - begin] = (float)(quad[4 * lane] - 128) * scales[lane];
        break;
    }
    default: read_int4(w, panel, input, begin, end, out); break;
    }
}

void mk_unpack_weights(const mk_weights *w, int32_t column, int32_t k_begin, int32_t k_end, float *out) {
    const int32_t panel = column / mk_panel_columns, lane = column % mk_panel_columns;
    for (int32_t i = k_begin; i < k_end; i++) read_input(w, panel, i, lane, lane + 1, out + (i - k_begin));
}

void mk_unpack_weights_panel(const mk_weights *w, int32_t panel, float *out) {
    for (int32_t i = 0; i < w->k; i++)
        read_input(w, panel, i, 0, mk_panel_columns, out + (size_t)i * mk_panel_columns);
}
