// Where K and V of a position are in a paged cache. Shared by all instruction sets.
#ifndef MARTLET_ISA_CACHE_H
#define MARTLET_ISA_CACHE_H

#include "../include/mk_tensors.h"

#include <string.h>

static inline int32_t cache_depth(const mk_cache_shape *s) { return (s->head_dim + 15) / 16 * 16; }

static inline size_t cache_element(const mk_cache_shape *s) {
    return s->storage == mk_int8 ? 1 : s->storage == mk_bfloat16 ? 2 : 4;
}

/// Bytes of K (or of V) of one position and KV head, with its scale.
static inline size_t cache_row_bytes(const mk_cache_shape *s) {
    return (size_t)cache_depth(s) * cache_element(s) + (s->storage == mk_int8 ? sizeof(float) : 0);
}

/// Bytes of K (or of V) of one block and KV head.
static inline size_t cache_half_bytes(const mk_cache_shape *s) { return (size_t)s->block_size * cache_row_bytes(s); }

/// Start of K of a block and KV head; V follows after `cache_half_bytes`.
static inline char *cache_at(const mk_cache_shape *s, const void *cache, int64_t block, int32_t kv_head) {
    return (char *)cache + 2 * cache_half_bytes(s) * (size_t)(block * s->kv_heads + kv_head);
}

/// Scales of a run of positions whose int8 elements start at `run`: a tile, or a whole block smaller than one.
static inline float *cache_scales(const mk_cache_shape *s, const void *run) {
    const int32_t positions = s->block_size < mk_tile_positions ? s->block_size : mk_tile_positions;
    return (float *)((char *)run + (size_t)positions * (size_t)cache_depth(s));
}

static inline uint16_t to_bfloat16(float x) {
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    // Rounding could carry a NaN's payload into infinity.
    if ((bits & 0x7FFFFFFFu) > 0x7F800000u) return (uint16_t)(bits >> 16 | 0x40u);
    return (uint16_t)((bits + 0x7FFFu + (bits >> 16 & 1)) >> 16);
}

static inline float from_bfloat16(uint16_t x) {
    const uint32_t bits = (uint32_t)x << 16;
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/// Scale of `count` values in int8: see `mk_cache_shape`.
static inline float int8_scale(const float *x, int32_t count) {
    // Magnitudes order as their bits do, with infinities and NaNs at the top.
    uint32_t top = 0;
    for (int32_t i = 0; i < count; i++) {
        uint32_t bits;
        memcpy(&bits, x + i, sizeof bits);
        bits &= 0x7FFFFFFFu;
        top = bits > top ? bits : top;
    }
    if (top >= 0x7F800000u) top = 0x7FC00000u;
    float max;
    memcpy(&max, &top, sizeof max);
    return max / 127.0f;
}

/// x / scale for a scale above 0.
static inline int8_t to_int8(float x, float scale) {
    // A subnormal scale is coarse: the quotient may lie beyond 127.
    float q = x / scale;
    q = q > 127.0f ? 127.0f : q;
    q = q < -127.0f ? -127.0f : q;
    // Adding and subtracting 1.5 * 2^23 rounds to the nearest integer, halves to even.
    q += 12582912.0f;
    return (int8_t)(q - 12582912.0f);
}

/// Element index of (position, channel) within a tile of 16 positions, for K and for V.
static inline size_t k_index(mk_storage storage, int32_t position, int32_t channel) {
    return storage == mk_bfloat16 ? ((size_t)(channel / 2) * 16 + (size_t)position) * 2 + (size_t)(channel & 1)
                                  : (size_t)channel * 16 + (size_t)position;
}

static inline size_t v_index(mk_storage storage, int32_t depth, int32_t position, int32_t channel) {
    return storage == mk_bfloat16
               ? ((size_t)(position / 2) * (size_t)depth + (size_t)channel) * 2 + (size_t)(position & 1)
               : (size_t)position * (size_t)depth + (size_t)channel;
}

/// K (or V) of one token and KV head as int8 with its scale; `to` is the start of the tile or of the small block.
static inline void cache_write_int8(
    const mk_cache_shape *s, char *to, bool value, int32_t position, const float *from) {
    const bool tiled = s->block_size >= mk_tile_positions;
    const int32_t depth = cache_depth(s);
    const float scale = int8_scale(from, s->head_dim);
    cache_scales(s, to)[position] = scale;
    int8_t *out = (int8_t *)to, row[mk_max_head_dim] = {0};
    if (scale > 0)
        for (int32_t d = 0; d < s->head_dim; d++) row[d] = to_int8(from[d], scale);
    if (tiled && !value)
        for (int32_t d = 0; d < depth; d++) out[k_index(mk_int8, position, d)] = row[d];
    else
        memcpy(out + (size_t)position * (size_t)depth, row, (size_t)depth);
}

/// K and V of one token into its slot; channels past the head's end become zero.
static inline void cache_write(const mk_cache_shape *s, void *cache, int64_t slot, const float *k, const float *v) {
    const int32_t depth = cache_depth(s), offset = (int32_t)(slot % s->block_size);
    const bool tiled = s->block_size >= mk_tile_positions;
    const int32_t tile = tiled ? offset / mk_tile_positions : 0, position = tiled ? offset % mk_tile_positions : offset;
    const size_t start = (size_t)tile * mk_tile_positions * cache_row_bytes(s);
    for (int32_t h = 0; h < s->kv_heads; h++) {
        char *to_k = cache_at(s, cache, slot / s->block_size, h) + start, *to_v = to_k + cache_half_bytes(s);
        const float *from_k = k + (size_t)h * (size_t)s->head_dim, *from_v = v + (size_t)h * (size_t)s->head_dim;
        if (s->storage == mk_int8) {
            cache_write_int8(s, to_k, false, position, from_k);
            cache_write_int8(s, to_v, true, position, from_v);
            continue;
        }
        for (int32_t d = 0; d < depth; d++) {
            const float key = d < s->head_dim ? from_k[d] : 0, value = d < s->head_dim ? from_v[d] : 0;
            const size_t flat = (size_t)position * (size_t)depth + (size_t)d;
            const size_t at_k = tiled ? k_index(s->storage, position, d) : flat;
            const size_t at_v = tiled ? v_index(s->storage, depth, position, d) : flat;
            if (s->storage == mk_bfloat16) {
                ((uint16_t *)to_k)[at_k] = to_bfloat16(key);
                ((uint16_t *)to_v)[at_v] = to_bfloat16(value);
            } else {
                ((float *)to_k)[at_k] = key;
                ((float *)to_v)[at_v] = value;
            }
        }
    }
}

/// Assembles one tile, K then V, from blocks smaller than a tile: its positions `first ..< limit`; the rest is zero.
static inline void cache_gather(
    const mk_cache_shape *s, const void *cache, const int32_t *table, int32_t kv_head, int32_t base, int32_t first,
    int32_t limit, void *tile) {
    const int32_t depth = cache_depth(s);
    char *tile_k = tile, *tile_v = tile_k + mk_tile_positions * cache_row_bytes(s);
    memset(tile, 0, 2 * mk_tile_positions * cache_row_bytes(s));
    for (int32_t p = first; p < limit; p++) {
        const char *k = cache_at(s, cache, table[(base + p) / s->block_size], kv_head), *v = k + cache_half_bytes(s);
        const int32_t offset = p % s->block_size;
        const size_t row = (size_t)offset * (size_t)depth;
        for (int32_t d = 0; d < depth; d++) {
            const size_t to_k = k_index(s->storage, p, d), to_v = v_index(s->storage, depth, p, d);
            if (s->storage == mk_int8) {
                tile_k[to_k] = k[row + (size_t)d];
                tile_v[to_v] = v[row + (size_t)d];
            } else if (s->storage == mk_bfloat16) {
                ((uint16_t *)tile_k)[to_k] = ((const uint16_t *)k)[row + (size_t)d];
                ((uint16_t *)tile_v)[to_v] = ((const uint16_t *)v)[row + (size_t)d];
            } else {
                ((float *)tile_k)[to_k] = ((const float *)k)[row + (size_t)d];
                ((float *)tile_v)[to_v] = ((const float *)v)[row + (size_t)d];
            }
        }
        if (s->storage == mk_int8) {
            const size_t scale = mk_tile_positions * (size_t)depth + (size_t)p * sizeof(float);
            memcpy(tile_k + scale, cache_scales(s, k) + offset, sizeof(float));
            memcpy(tile_v + scale, cache_scales(s, v) + offset, sizeof(float));
        }
    }
}

#endif
