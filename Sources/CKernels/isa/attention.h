// Causal attention over a paged cache, online softmax in tiles of 16 absolute positions.
// A row (one query head of one token) sees the same tiles in the same order however rows are grouped, chunked or
// batched, and a tile in which a row sees nothing leaves its state as it is, bit for bit. Needs MK_ATTENTION_ROWS.
#include "span.h"

/// The tiles from `base` on: as many as make a span, at most to its limit.
static inline attention_span find_span(
    const mk_attention *a, const int32_t *table, int32_t kv_head, int32_t base, int32_t limit, const char *gathered) {
    const mk_cache_shape *shape = &a->shape;
    const bool tiled = shape->block_size >= mk_tile_positions;
    // One assembled tile fits the stack.
    const int32_t most = tiled ? span_tiles : 1;
    attention_span span = {.base = base, .limit = limit, .head_dim = shape->head_dim, .depth = cache_depth(shape)};
    for (; span.tiles < most && base < limit; base += mk_tile_positions, span.tiles++) {
        const char *k = gathered;
        if (tiled)
            k = cache_at(shape, a->cache, table[base / shape->block_size], kv_head)
                + (size_t)(base % shape->block_size) * cache_row_bytes(shape);
        span.k[span.tiles] = k;
        span.v[span.tiles] = k + (tiled ? cache_half_bytes(shape) : mk_tile_positions * cache_row_bytes(shape));
    }
    return span;
}

/// All tiles for one group of rows.
MK_INLINE void attend_rows(
    const int rows, const mk_storage storage, const mk_attention *a, const mk_sequence *sequence, int32_t kv_head,
    attention_rows *s, char *gathered) {
    const int32_t *table = a->block_tables + sequence->block_table_start;
    int32_t first = s->first[0], limit = s->limit[0];
    for (int r = 1; r < rows; r++) {
        first = s->first[r] < first ? s->first[r] : first;
        limit = s->limit[r] > limit ? s->limit[r] : limit;
    }
    attention_span span =
        find_span(a, table, kv_head, first / mk_tile_positions * mk_tile_positions, limit, gathered);
    while (span.tiles > 0) {
        const int32_t end = span.base + span.tiles * mk_tile_positions;
        const attention_span next = find_span(a, table, kv_head, end, limit, gathered);
        for (int t = 0; t < span_tiles; t++) {
            span.next_k[t] = t < next.tiles ? next.k[t] : span.k[0];
            span.next_v[t] = t < next.tiles ? next.v[t] : span.v[0];
        }
        if (a->shape.block_size < mk_tile_positions)
            cache_gather(
                &a->shape, a->cache, table, kv_head, span.base, first > span.base ? first - span.base : 0,
                limit < end ? limit - span.base : mk_tile_positions, gathered);
        attend_span(rows, storage, s, &span);
        span = next;
    }
}

#define MK_ATTEND(R)                                                                                                   \
    static void attend_##R(                                                                                            \
        const mk_attention *a, const mk_sequence *q, int32_t kv_head, attention_rows *s, char *gathered) {             \
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

typedef void (*attend_function)(const mk_attention *, const mk_sequence *, int32_t, attention_rows *, char *);

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
    s.has_slopes = a->slopes != NULL;
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
            s.slope[r] = a->slopes ? a->slopes[head] : 0;
            s.limit[r] = sequence->context_length - sequence->token_count + t + 1;
            s.first[r] = a->window > 0 && s.limit[r] > a->window ? s.limit[r] - a->window : 0;
        }
        attend_functions[rows](a, sequence, kv_head, &s, (char *)gathered);
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
