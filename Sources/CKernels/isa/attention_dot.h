// Attention over a cache in bfloat16 by the bfloat16 dot instruction.
//
// Queries (with scale and log2(e)) and probabilities are rounded to bfloat16, sums are float. A row takes its positions in
// chunks of 64 that start at multiples of 64 of its sequence, one step of the online softmax each. As in attention.h its
// bits depend on nothing but its own numbers: a chunk in which it sees nothing leaves its state as it is.

enum {
    dot_rows = 12,
    chunk_tiles = 4,
    chunk_positions = chunk_tiles * mk_tile_positions,
};

typedef struct dot_state {
    /// Queries, pairs of channels; zero past the head's end.
    uint32_t q[dot_rows][mk_max_head_dim / 2 + 16];
    float out[dot_rows][mk_max_head_dim + 16];
    /// Of one chunk.
    float scores[dot_rows][chunk_positions];
    uint16_t p[dot_rows][chunk_positions];
    /// What `out` is multiplied with before the chunk is added.
    float factor[dot_rows];
    vf sum[dot_rows];
    float max[dot_rows], slope[dot_rows];
    /// Positions that the row sees: `first[r] ..< limit[r]`.
    int32_t first[dot_rows], limit[dot_rows];
} dot_state;

typedef struct attention_chunk {
    const char *k[chunk_tiles], *v[chunk_tiles];
    /// Tiles that follow; any readable place where there are none.
    const char *next_k[chunk_tiles], *next_v[chunk_tiles];
    int32_t base, tiles;
    /// Positions from here on hold no token that a row of the group sees.
    int32_t limit;
    int32_t head_dim, depth;
} attention_chunk;

MK_INLINE vf broadcast_dot(vf sum, const void *pair, vu with) {
    return (vf)_mm512_dpbf16_ps((__m512)sum, (__m512bh)load_lanes32(pair), (__m512bh)with);
}

/// 2^x to a few units of float's 2^-19, which is far more than bfloat16 keeps; exactly 1 at 0, exactly 0 from -150 down.
/// NaN stays NaN.
MK_INLINE vf power_of_two(vf x) {
    x = (vf)_mm512_max_ps(_mm512_set1_ps(-160.0f), (__m512)x);
    const vf n = (vf)_mm512_roundscale_ps((__m512)x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC), f = x - n;
    vf p = vf_set(9.6181291e-3f);
    p = vf_fma(p, f, vf_set(5.5504109e-2f));
    p = vf_fma(p, f, vf_set(2.4022651e-1f));
    p = vf_fma(p, f, vf_set(6.9314718e-1f));
    p = vf_fma(p, f, vf_set(1.0f));
    return (vf)_mm512_scalef_ps((__m512)p, (__m512)n);
}

/// Scores of `tiles` tiles from `first` on.
MK_INLINE void dot_scores(const int rows, const int tiles, dot_state *s, const attention_chunk *c, int32_t first) {
    vf score[chunk_tiles][dot_rows];
    MK_UNROLL for (int t = 0; t < tiles; t++) MK_UNROLL for (int r = 0; r < rows; r++) score[t][r] = vf_set(0);
    for (int32_t d = 0; 2 * d < c->head_dim; d++) {
        vu key[chunk_tiles];
        MK_UNROLL for (int t = 0; t < tiles; t++) {
            key[t] = vu_load(c->k[first + t] + 64 * d);
            __builtin_prefetch(c->next_k[first + t] + 64 * d);
        }
        MK_UNROLL for (int r = 0; r < rows; r++)
            MK_UNROLL for (int t = 0; t < tiles; t++) score[t][r] = broadcast_dot(score[t][r], &s->q[r][d], key[t]);
    }
    MK_UNROLL for (int t = 0; t < tiles; t++)
        MK_UNROLL for (int r = 0; r < rows; r++) vf_store(&s->scores[r][(first + t) * mk_tile_positions], score[t][r]);
}

/// Scores of a vector of positions from `position` on with what depends on the position: the bias and what is not seen.
MK_INLINE vf seen_scores(const dot_state *s, int r, vf score, int32_t position) {
    const vi at = (vi)_mm512_set_epi32(15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0) + (vi)position;
    const vf distance = __builtin_convertvector(at - (vi)(s->limit[r] - 1), vf);
    if (s->slope[r] != 0) score = vf_fma(vf_set(s->slope[r]), distance, score);
    return vf_select(at >= (vi)s->first[r] & at < (vi)s->limit[r], score, vf_set(-INFINITY));
}

/// Turns the scores of a row into probabilities, up to a factor that the sum has too.
MK_INLINE void dot_softmax(const int tiles, dot_state *s, const attention_chunk *c, int r) {
    vf score[chunk_tiles];
    const int32_t end = c->base + tiles * mk_tile_positions;
    const bool plain = s->slope[r] == 0 && c->base >= s->first[r] && end <= s->limit[r];
    vf top = vf_set(s->max[r]);
    MK_UNROLL for (int t = 0; t < tiles; t++) {
        score[t] = vf_load(&s->scores[r][t * mk_tile_positions]);
        if (!plain) score[t] = seen_scores(s, r, score[t], c->base + t * mk_tile_positions);
        top = vf_max(score[t], top);
    }
    const float max = _mm512_reduce_max_ps((__m512)top);
    const vf factor = power_of_two(vf_set(s->max[r] - max));
    s->max[r] = max;
    s->factor[r] = factor[0];
    vf sum = s->sum[r] * factor;
    MK_UNROLL for (int t = 0; t < tiles; t++) {
        const vf p = power_of_two(score[t] - vf_set(max));
        sum += p;
        const __m256bh half = _mm512_cvtneps_pbh((__m512)p);
        memcpy(&s->p[r][t * mk_tile_positions], &half, sizeof half);
    }
    s->sum[r] = sum;
}

/// out = out * factor + p V for `runs` times 16 channels from `d` on. Stops short of positions that hold no token yet: a
/// stale infinity there would turn p = 0 into NaN.
MK_INLINE void dot_values(const int rows, const int runs, dot_state *s, const attention_chunk *c, int32_t d) {
    vf out[dot_rows][4];
    MK_UNROLL for (int r = 0; r < rows; r++)
        MK_UNROLL for (int v = 0; v < runs; v++)
            out[r][v] = vf_load(&s->out[r][d + 16 * v]) * vf_set(s->factor[r]);
    for (int32_t t = 0; t < c->tiles; t++) {
        const int32_t left = c->limit - c->base - t * mk_tile_positions;
        const int32_t positions = left < mk_tile_positions ? left : mk_tile_positions;
        const char *from = c->v[t] + 4 * d, *next = c->next_v[t] + 4 * d;
        for (int32_t i = 0; i < positions; i += 2, from += 4 * c->depth, next += 4 * c->depth) {
            const vu last = (vu)(i + 1 < positions ? 0xFFFFFFFFu : 0xFFFFu);
            vu value[4];
            MK_UNROLL for (int v = 0; v < runs; v++) {
                value[v] = vu_load(from + 64 * v) & last;
                __builtin_prefetch(next + 64 * v);
            }
            MK_UNROLL for (int r = 0; r < rows; r++)
                MK_UNROLL for (int v = 0; v < runs; v++)
                    out[r][v] = broadcast_dot(out[r][v], &s->p[r][t * mk_tile_positions + i], value[v]);
        }
    }
    MK_UNROLL for (int r = 0; r < rows; r++)
        MK_UNROLL for (int v = 0; v < runs; v++) vf_store(&s->out[r][d + 16 * v], out[r][v]);
}

static inline int32_t chunk_end(int32_t base) { return (base / chunk_positions + 1) * chunk_positions; }

/// The rest of a chunk from `base` on, at most to its limit.
static inline attention_chunk find_chunk(
    const mk_attention *a, const int32_t *table, int32_t kv_head, int32_t base, int32_t limit, const char *gathered) {
    const mk_cache_shape *shape = &a->shape;
    attention_chunk c = {.base = base, .limit = limit, .head_dim = shape->head_dim, .depth = cache_depth(shape)};
    const size_t tile_bytes = mk_tile_positions * cache_row_bytes(shape);
    const int32_t end = chunk_end(base) < limit ? chunk_end(base) : limit;
    for (; base < end; base += mk_tile_positions, c.tiles++) {
        const bool tiled = shape->block_size >= mk_tile_positions;
        const char *k = gathered + 2 * tile_bytes * (size_t)c.tiles;
        if (tiled)
            k = cache_at(shape, a->cache, table[base / shape->block_size], kv_head)
                + (size_t)(base % shape->block_size) * cache_row_bytes(shape);
        c.k[c.tiles] = k;
        c.v[c.tiles] = k + (tiled ? cache_half_bytes(shape) : tile_bytes);
    }
    return c;
}

/// Assembles the tiles of a chunk from blocks smaller than a tile.
static void gather_chunk(
    const mk_attention *a, const int32_t *table, int32_t kv_head, int32_t first, const attention_chunk *c) {
    for (int32_t t = 0; t < c->tiles; t++) {
        const int32_t base = c->base + t * mk_tile_positions, left = c->limit - base;
        const int32_t begin = first > base ? first - base : 0;
        cache_gather(
            &a->shape, a->cache, table, kv_head, base, begin < mk_tile_positions ? begin : mk_tile_positions,
            left < mk_tile_positions ? left : mk_tile_positions, (char *)c->k[t]);
    }
}

MK_INLINE void dot_chunk(const int rows, dot_state *s, const attention_chunk *c) {
    const int tiles = rows <= 6 ? 4 : 2, runs = rows <= 6 ? 4 : 2;
    int32_t t = 0, d = 0;
    for (; t + tiles <= c->tiles; t += tiles) dot_scores(rows, tiles, s, c, t);
    for (; t < c->tiles; t++) dot_scores(rows, 1, s, c, t);
    for (int r = 0; r < rows; r++) {
        switch (c->tiles) {
        case 1: dot_softmax(1, s, c, r); break;
        case 2: dot_softmax(2, s, c, r); break;
        case 3: dot_softmax(3, s, c, r); break;
        default: dot_softmax(4, s, c, r); break;
        }
    }
    for (; d + 16 * runs <= c->depth; d += 16 * runs) dot_values(rows, runs, s, c, d);
    for (; d < c->depth; d += 16) dot_values(rows, 1, s, c, d);
}

/// All chunks for one group of rows.
MK_INLINE void dot_group(
    const int rows, const mk_attention *a, const mk_sequence *sequence, int32_t kv_head, dot_state *s, char *gathered) {
    const int32_t *table = a->block_tables + sequence->block_table_start;
    int32_t first = s->first[0], limit = s->limit[0];
    for (int r = 1; r < rows; r++) {
        first = s->first[r] < first ? s->first[r] : first;
        limit = s->limit[r] > limit ? s->limit[r] : limit;
    }
    // What lies wholly before all windows is not read: it may be somebody else's by now.
    attention_chunk c =
        find_chunk(a, table, kv_head, first / mk_tile_positions * mk_tile_positions, limit, gathered);
    while (c.tiles > 0) {
        const attention_chunk next = find_chunk(a, table, kv_head, chunk_end(c.base), limit, gathered);
        for (int t = 0; t < chunk_tiles; t++) {
            c.next_k[t] = t < next.tiles ? next.k[t] : c.k[0];
            c.next_v[t] = t < next.tiles ? next.v[t] : c.v[0];
        }
        if (a->shape.block_size < mk_tile_positions) gather_chunk(a, table, kv_head, first, &c);
        dot_chunk(rows, s, &c);
        c = next;
    }
}

#define MK_DOT(R)                                                                                                      \
    static void dot_group_##R(                                                                                         \
        const mk_attention *a, const mk_sequence *q, int32_t kv_head, dot_state *s, char *gathered) {                  \
        dot_group(R, a, q, kv_head, s, gathered);                                                                      \
    }
MK_DOT(1) MK_DOT(2) MK_DOT(3) MK_DOT(4) MK_DOT(5) MK_DOT(6) MK_DOT(7) MK_DOT(8) MK_DOT(9) MK_DOT(10) MK_DOT(11) MK_DOT(12)
#undef MK_DOT

static void (*const dot_functions[dot_rows])(
    const mk_attention *, const mk_sequence *, int32_t, dot_state *, char *) = {
    dot_group_1, dot_group_2, dot_group_3, dot_group_4,  dot_group_5,  dot_group_6,
    dot_group_7, dot_group_8, dot_group_9, dot_group_10, dot_group_11, dot_group_12,
};

/// Row `row` of a group: query head `head` of the token at `position`.
static void begin_row(dot_state *s, const mk_attention *a, int32_t row, const float *q, int32_t head, int32_t position) {
    const int32_t head_dim = a->shape.head_dim, depth = cache_depth(&a->shape);
    const vf scale = vf_set(a->scale * 1.44269504088896341f);
    for (int32_t d = 0; d < depth; d += MK_LANES) {
        const int32_t left = head_dim - d;
        const vf value = left >= MK_LANES ? vf_load(q + d) : load_partial(q + d, left > 0 ? left : 0, 0);
        const __m256bh half = _mm512_cvtneps_pbh((__m512)(value * scale));
        memcpy(&s->q[row][d / 2], &half, sizeof half);
    }
    memset(s->out[row], 0, (size_t)depth * sizeof(float));
    s->sum[row] = vf_set(0);
    // Finite, so that a row that has seen nothing yet computes 2^0, not 2^(infinity - infinity).
    s->max[row] = -1e30f;
    s->slope[row] = a->slopes ? a->slopes[head] * 1.44269504088896341f : 0;
    s->limit[row] = position + 1;
    s->first[row] = a->window > 0 && s->limit[row] > a->window ? s->limit[row] - a->window : 0;
}

static void end_row(dot_state *s, const mk_attention *a, int32_t row, float *out) {
    const vf inverse = vf_set(1.0f / vf_sum(s->sum[row]));
    // Adding zero makes a negative zero positive: which of the two it is may depend on what else the group sees.
    for (int32_t d = 0; d < cache_depth(&a->shape); d += MK_LANES)
        vf_store(&s->out[row][d], vf_load(&s->out[row][d]) * inverse + vf_set(0));
    memcpy(out, s->out[row], (size_t)a->shape.head_dim * sizeof(float));
}

static void attend_dot(
    const mk_attention *a, const mk_sequence *sequence, int32_t kv_head, int32_t token, int32_t token_count) {
    if (a->shape.storage != mk_bfloat16) {
        MK_BASE_TABLE.tensor.attend(a, sequence, kv_head, token, token_count);
        return;
    }
    dot_state s;
    char gathered[2 * chunk_positions * mk_max_head_dim * 2] __attribute__((aligned(64)));
    const int32_t group = a->heads / a->shape.kv_heads, total = token_count * group;
    const int32_t blocks = (total + dot_rows - 1) / dot_rows;
    for (int32_t b = 0; b < blocks; b++) {
        const int32_t begin = total * b / blocks, rows = total * (b + 1) / blocks - begin;
        for (int32_t r = 0; r < rows; r++) {
            const int32_t t = token + (begin + r) / group, head = kv_head * group + (begin + r) % group;
            const size_t at = (size_t)(sequence->token_start + t) * a->q_stride + (size_t)(head * a->shape.head_dim);
            begin_row(&s, a, r, a->q + at, head, sequence->context_length - sequence->token_count + t);
        }
        dot_functions[rows - 1](a, sequence, kv_head, &s, gathered);
        for (int32_t r = 0; r < rows; r++) {
            const int32_t t = token + (begin + r) / group, head = kv_head * group + (begin + r) % group;
            const size_t row = (size_t)(sequence->token_start + t) * a->out_stride;
            end_row(&s, a, r, a->out + row + (size_t)(head * a->shape.head_dim));
        }
    }
}
