// Where K and V of a position are in a paged cache. Shared by all instruction sets.
#ifndef MARTLET_ISA_CACHE_H
#define MARTLET_ISA_CACHE_H

#include "../include/mk_tensors.h"

#include <string.h>

static inline int32_t cache_depth(const mk_cache_shape *s) { return (s->head_dim + 15) / 16 * 16; }

static inline size_t cache_element(const mk_cache_shape *s) { return s->storage == mk_bfloat16 ? 2 : 4; }

/// Bytes of K (or of V) of one block and KV head.
static inline size_t cache_half_bytes(const mk_cache_shape *s) {
    return (size_t)s->block_size * (size_t)cache_depth(s) * cache_element(s);
}

/// Start of K of a block and KV head; V follows after `cache_half_bytes`.
static inline char *cache_at(const mk_cache_shape *s, const void *cache, int64_t block, int32_t kv_head) {
    return (char *)cache + 2 * cache_half_bytes(s) * (size_t)(block * s->kv_heads + kv_head);
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

/// K and V of one token into its slot; channels past the head's end become zero.
static inline void cache_write(const mk_cache_shape *s, void *cache, int64_t slot, const float *k, const float *v) {
    const int32_t depth = cache_depth(s), offset = (int32_t)(slot % s->block_size);
    const bool tiled = s->block_size >= mk_tile_positions;
    const int32_t tile = tiled ? offset / mk_tile_positions : 0, position = tiled ? offset % mk_tile_positions : offset;
    const size_t start = (size_t)tile * mk_tile_positions * (size_t)depth;
    for (int32_t h = 0; h < s->kv_heads; h++) {
        char *to_k = cache_at(s, cache, slot / s->block_size, h), *to_v = to_k + cache_half_bytes(s);
        const float *from_k = k + (size_t)h * (size_t)s->head_dim, *from_v = v + (size_t)h * (size_t)s->head_dim;
        for (int32_t d = 0; d < depth; d++) {
            const float key = d < s->head_dim ? from_k[d] : 0, value = d < s->head_dim ? from_v[d] : 0;
            const size_t flat = (size_t)position * (size_t)depth + (size_t)d;
            const size_t at_k = tiled ? start + k_index(s->storage, position, d) : flat;
            const size_t at_v = tiled ? start + v_index(s->storage, depth, position, d) : flat;
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

/// Assembles one tile, K then V, from blocks smaller than a tile; `positions` of it hold tokens, the rest is zero.
static inline void cache_gather(
    const mk_cache_shape *s, const void *cache, const int32_t *table, int32_t kv_head, int32_t base, int32_t positions,
    void *tile) {
    const int32_t depth = cache_depth(s);
    const size_t elements = (size_t)mk_tile_positions * (size_t)depth;
    memset(tile, 0, 2 * elements * cache_element(s));
    for (int32_t p = 0; p < positions; p++) {
        const char *k = cache_at(s, cache, table[(base + p) / s->block_size], kv_head), *v = k + cache_half_bytes(s);
        const size_t row = (size_t)(p % s->block_size) * (size_t)depth;
        for (int32_t d = 0; d < depth; d++) {
            const size_t to_k = k_index(s->storage, p, d), to_v = elements + v_index(s->storage, depth, p, d);
            if (s->storage == mk_bfloat16) {
                ((uint16_t *)tile)[to_k] = ((const uint16_t *)k)[row + (size_t)d];
                ((uint16_t *)tile)[to_v] = ((const uint16_t *)v)[row + (size_t)d];
            } else {
                ((float *)tile)[to_k] = ((const float *)k)[row + (size_t)d];
                ((float *)tile)[to_v] = ((const float *)v)[row + (size_t)d];
            }
        }
    }
}

#endif
