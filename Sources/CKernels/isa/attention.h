// Causal attention over a paged cache, online softmax in tiles of 16 absolute positions.
// A row (one query head of one token) sees the same tiles in the same order however rows are grouped, chunked or
// batched, and a tile in which a row sees nothing leaves its state as it is, bit for bit. Needs MK_ATTENTION_ROWS.

enum { tile_vectors = mk_tile_positions / MK_LANES };

typedef struct attention_rows {
    /// Queries, scaled; channels past the head's end are zero.
    float q[MK_ATTENTION_ROWS][mk_max_head_dim];
    float out[MK_ATTENTION_ROWS][mk_max_head_dim];
    /// Scores of one tile, then their exponentials.
    float p[MK_ATTENTION_ROWS][mk_tile_positions];
    vf sum[MK_ATTENTION_ROWS][tile_vectors];
    float max[MK_ATTENTION_ROWS];
    /// Positions that the row sees: `first[r] ..< limit[r]`.
    int32_t first[MK_ATTENTION_ROWS], limit[MK_ATTENTION_ROWS];
} attention_rows;

/// Scales of an int8 tile.
MK_INLINE const float *tile_scales(const void *tile, int32_t depth) {
    return (const float *)((const char *)tile + mk_tile_positions * (size_t)depth);
}

/// Scores of `rows` rows against one K tile.
MK_INLINE void tile_scores(
    const int rows, const mk_storage storage, attention_rows *s, const void *k, int32_t head_dim, int32_t depth) {
    vf score[MK_ATTENTION_ROWS][tile_vectors];
    MK_UNROLL for (int r = 0; r < rows; r++)
        MK_UNROLL for (int v = 0; v < tile_vectors; v++) score[r][v] = vf_set(0);
    if (storage == mk_bfloat16) {
        const uint32_t *pairs = k;
        for (int32_t d = 0; d < head_dim; d += 2) {
            vf even[tile_vectors], odd[tile_vectors];
            MK_UNROLL for (int v = 0; v < tile_vectors; v++) {
                const vu pair = vu_load(pairs + (size_t)d / 2 * 16 + v * MK_LANES);
                even[v] = (vf)(pair << 16);
                odd[v] = (vf)(pair & 0xFFFF0000u);
            }
            MK_UNROLL for (int r = 0; r < rows; r++) {
                const vf x = vf_set(s->q[r][d]), y = vf_set(s->q[r][d + 1]);
                MK_UNROLL for (int v = 0; v < tile_vectors; v++) score[r][v] = vf_fma(x, even[v], score[r][v]);
                MK_UNROLL for (int v = 0; v < tile_vectors; v++) score[r][v] = vf_fma(y, odd[v], score[r][v]);
            }
        }
    } else {
        for (int32_t d = 0; d < head_dim; d++) {
            vf key[tile_vectors];
            MK_UNROLL for (int v = 0; v < tile_vectors; v++) {
                const size_t at = (size_t)d * 16 + v * MK_LANES;
                key[v] = storage == mk_int8 ? vf_load_int8((const int8_t *)k + at) : vf_load((const float *)k + at);
            }
            MK_UNROLL for (int r = 0; r < rows; r++) {
                const vf x = vf_set(s->q[r][d]);
                MK_UNROLL for (int v = 0; v < tile_vectors; v++) score[r][v] = vf_fma(x, key[v], score[r][v]);
            }
        }
    }
    if (storage == mk_int8) {
        const float *scales = tile_scales(k, depth);
        MK_UNROLL for (int v = 0; v < tile_vectors; v++) {
            const vf scale = vf_load(scales + v * MK_LANES);
            MK_UNROLL for (int r = 0; r < rows; r++) score[r][v] *= scale;
        }
    }
    MK_UNROLL for (int r = 0; r < rows; r++)
        MK_UNROLL for (int v = 0; v < tile_vectors; v++) vf_store(&s->p[r][v * MK_LANES], score[r][v]);
}

/// Turns the scores of a tile that starts at `base` into exponentials and rescales what was summed before.
MK_INLINE void tile_softmax(const int rows, attention_rows *s, int32_t base, int32_t depth) {
    MK_UNROLL for (int r = 0; r < rows; r++) {
        if (base < s->first[r] || base + mk_tile_positions > s->limit[r])
            for (int32_t i = 0; i < mk_tile_positions; i++)
                if (base + i < s->first[r] || base + i >= s->limit[r]) s->p[r][i] = -INFINITY;
        vf score[tile_vectors], top = vf_load(s->p[r]);
        MK_UNROLL for (int v = 0; v < tile_vectors; v++) {
            score[v] = vf_load(&s->p[r][v * MK_LANES]);
            top = vf_max(score[v], top);
        }
        const float tile_max = vf_maximum(top);
        if (tile_max > s->max[r]) {
            // Where the maximum stays the factor would be exactly 1.
            const vf factor = vf_exp(vf_set(s->max[r] - tile_max));
            s->max[r] = tile_max;
            MK_UNROLL for (int v = 0; v < tile_vectors; v++) s->sum[r][v] *= factor;
            for (int32_t d = 0; d < depth; d += MK_LANES) vf_store(&s->out[r][d], vf_load(&s->out[r][d]) * factor);
        }
        const vf max = vf_set(s->max[r]);
        MK_UNROLL for (int v = 0; v < tile_vectors; v++) {
            const vf e = vf_exp(score[v] - max);
            s->sum[r][v] += e;
            vf_store(&s->p[r][v * MK_LANES], e);
        }
    }
}

/// p times the scales of an int8 V tile. Where p is 0 it stays so whatever the scale: the row does not see the position.
MK_INLINE void scale_exponentials(const int rows, attention_rows *s, const float *scales) {
    MK_UNROLL for (int v = 0; v < tile_vectors; v++) {
        const vf scale = vf_load(scales + v * MK_LANES);
        MK_UNROLL for (int r = 0; r < rows; r++) {
            const vf p = vf_load(&s->p[r][v * MK_LANES]);
            vf_store(&s->p[r][v * MK_LANES], vf_select(p == vf_set(0), p, p * scale));
        }
    }
}

/// out += p V over one tile, `positions` of it, 16 channels at a time. Stops short of positions that hold no token yet:
/// a stale infinity there would turn p = 0 into NaN.
MK_INLINE void tile_values(
    const int rows, const mk_storage storage, attention_rows *s, const void *v_tile, int32_t depth, int32_t positions) {
    if (storage == mk_int8) scale_exponentials(rows, s, tile_scales(v_tile, depth));
    for (int32_t d = 0; d < depth; d += 16) {
        vf out[MK_ATTENTION_ROWS][tile_vectors];
        MK_UNROLL for (int r = 0; r < rows; r++)
            MK_UNROLL for (int v = 0; v < tile_vectors; v++) out[r][v] = vf_load(&s->out[r][d + v * MK_LANES]);
        if (storage == mk_bfloat16) {
            const uint32_t *pairs = (const uint32_t *)v_tile + d;
            int32_t i = 0;
            for (; i + 1 < positions; i += 2, pairs += depth) {
                vf even[tile_vectors], odd[tile_vectors];
                MK_UNROLL for (int v = 0; v < tile_vectors; v++) {
                    const vu pair = vu_load(pairs + v * MK_LANES);
                    even[v] = (vf)(pair << 16);
                    odd[v] = (vf)(pair & 0xFFFF0000u);
                }
                MK_UNROLL for (int r = 0; r < rows; r++) {
                    const vf x = vf_set(s->p[r][i]), y = vf_set(s->p[r][i + 1]);
                    MK_UNROLL for (int v = 0; v < tile_vectors; v++) out[r][v] = vf_fma(x, even[v], out[r][v]);
                    MK_UNROLL for (int v = 0; v < tile_vectors; v++) out[r][v] = vf_fma(y, odd[v], out[r][v]);
                }
            }
            if (i < positions) {
                MK_UNROLL for (int v = 0; v < tile_vectors; v++) {
                    const vf even = (vf)(vu_load(pairs + v * MK_LANES) << 16);
                    MK_UNROLL for (int r = 0; r < rows; r++)
                        out[r][v] = vf_fma(vf_set(s->p[r][i]), even, out[r][v]);
                }
            }
        } else {
            for (int32_t i = 0; i < positions; i++) {
                vf value[tile_vectors];
                MK_UNROLL for (int v = 0; v < tile_vectors; v++) {
                    const size_t at = (size_t)i * (size_t)depth + (size_t)(d + v * MK_LANES);
                    value[v] = storage == mk_int8 ? vf_load_int8((const int8_t *)v_tile + at)
                                                  : vf_load((const float *)v_tile + at);
                }
                MK_UNROLL for (int r = 0; r < rows; r++) {
                    const vf x = vf_set(s->p[r][i]);
                    MK_UNROLL for (int v = 0; v < tile_vectors; v++) out[r][v] = vf_fma(x, value[v], out[r][v]);
                }
            }
        }
        MK_UNROLL for (int r = 0; r < rows; r++)
            MK_UNROLL for (int v = 0; v < tile_vectors; v++) vf_store(&s->out[r][d + v * MK_LANES], out[r][v]);
    }
}

/// All tiles for one group of rows.
MK_INLINE void attend_rows(
    const int rows, const mk_storage storage, const mk_attention *a, const mk_sequence *sequence, int32_t kv_head,
    attention_rows *s, float *gathered) {
    const mk_cache_shape *shape = &a->shape;
    const int32_t depth = cache_depth(shape);
    const int32_t *table = a->block_tables + sequence->block_table_start;
    int32_t first = s->first[0], limit = s->limit[0];
    for (int r = 1; r < rows; r++) {
        first = s->first[r] < first ? s->first[r] : first;
        limit = s->limit[r] > limit ? s->limit[r] : limit;
    }
    for (int32_t base = first / mk_tile_positions * mk_tile_positions; base < limit; base += mk_tile_positions) {
        const int32_t positions = limit - base < mk_tile_positions ? limit - base : mk_tile_positions;
        const void *k, *v;
        if (shape->block_size >= mk_tile_positions) {
            const char *block = cache_at(shape, a->cache, table[base / shape->block_size], kv_head);
            const size_t tile = (size_t)(base % shape->block_size) * cache_row_bytes(shape);
            k = block + tile;
            v = block + cache_half_bytes(shape) + tile;
        } else {
            cache_gather(shape, a->cache, table, kv_head, base, positions, gathered);
            k = gathered;
            v = (const char *)gathered + mk_tile_positions * cache_row_bytes(shape);
        }
        tile_scores(rows, storage, s, k, shape->head_dim, depth);
        tile_softmax(rows, s, base, depth);
        tile_values(rows, storage, s, v, depth, positions);
    }
}

#define MK_ATTEND(R)                                                                                                   \
    static void attend_##R(                                                                                            \
        const mk_attention *a, const mk_sequence *q, int32_t kv_head, attention_rows *s, float *gathered) {            \
        if (a->shape.storage == mk_bfloat16)                                                                           \
            attend_rows(R, mk_bfloat16, a, q, kv_head, s, gathered);                                                   \
        else if (a->shape.storage == mk_int8)                                                                          \
            attend_rows(R, mk_int8, a, q, kv_head, s, gathered);                                                       \
        else                                                                                                           \
            attend_rows(R, mk_float32, a, q, kv_head, s, gathered);                                                    \
    }
MK_ATTEND(1)
MK_ATTEND(2)
MK_ATTEND(3)
MK_ATTEND(4)
#if MK_ATTENTION_ROWS > 4
MK_ATTEND(5)
MK_ATTEND(6)
MK_ATTEND(7)
MK_ATTEND(8)
#endif
#undef MK_ATTEND

typedef void (*attend_function)(const mk_attention *, const mk_sequence *, int32_t, attention_rows *, float *);

static const attend_function attend_functions[MK_ATTENTION_ROWS + 1] = {
    NULL, attend_1, attend_2, attend_3, attend_4,
#if MK_ATTENTION_ROWS > 4
    attend_5, attend_6, attend_7, attend_8,
#endif
};

static void attend(
    const mk_attention *a, const mk_sequence *sequence, int32_t kv_head, int32_t token, int32_t token_count) {
    const int32_t group = a->heads / a->shape.kv_heads, head_dim = a->shape.head_dim, depth = cache_depth(&a->shape);
    attention_rows s;
    float gathered[2 * mk_tile_positions * mk_max_head_dim];
    const int32_t total = token_count * group;
    for (int32_t row = 0; row < total; row += MK_ATTENTION_ROWS) {
        const int32_t rows = total - row < MK_ATTENTION_ROWS ? total - row : MK_ATTENTION_ROWS;
        for (int32_t r = 0; r < rows; r++) {
            const int32_t t = token + (row + r) / group, head = kv_head * group + (row + r) % group;
            const float *q = a->q + (size_t)(sequence->token_start + t) * a->q_stride + (size_t)head * (size_t)head_dim;
            for (int32_t d = 0; d < head_dim; d++) s.q[r][d] = q[d] * a->scale;
            for (int32_t d = head_dim; d < depth; d++) s.q[r][d] = 0;
            memset(s.out[r], 0, (size_t)depth * sizeof(float));
            for (int v = 0; v < tile_vectors; v++) s.sum[r][v] = vf_set(0);
            // Finite, so that a row that has seen nothing yet computes exp(0), not exp(infinity - infinity).
            s.max[r] = -1e30f;
            s.limit[r] = sequence->context_length - sequence->token_count + t + 1;
            s.first[r] = a->window > 0 && s.limit[r] > a->window ? s.limit[r] - a->window : 0;
        }
        attend_functions[rows](a, sequence, kv_head, &s, gathered);
        for (int32_t r = 0; r < rows; r++) {
            const int32_t t = token + (row + r) / group, head = kv_head * group + (row + r) % group;
            vf sum = s.sum[r][0];
            for (int v = 1; v < tile_vectors; v++) sum += s.sum[r][v];
            const vf inverse = vf_set(1.0f / vf_sum(sum));
            for (int32_t d = 0; d < depth; d += MK_LANES) vf_store(&s.out[r][d], vf_load(&s.out[r][d]) * inverse);
            float *out =
                a->out + (size_t)(sequence->token_start + t) * a->out_stride + (size_t)head * (size_t)head_dim;
            memcpy(out, s.out[r], (size_t)head_dim * sizeof(float));
        }
    }
}

static void write_kv(const mk_cache_shape *shape, void *cache, int64_t slot, const float *k, const float *v) {
    cache_write(shape, cache, slot, k, v);
}
