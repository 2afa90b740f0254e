// Attention of a group of rows over a span of up to four tiles: scores, exponentials, values.
//
// The sums of a span's tiles do not wait for each other, and neither do their loads. That changes the order between
// tiles' instructions, never the order in which a row's numbers are added. Needs MK_ATTENTION_ROWS.

enum {
    tile_vectors = mk_tile_positions / MK_LANES,
    span_tiles = 4,
    /// Vectors that sums may take: half of the registers.
    sum_vectors = MK_LANES == 8 ? 8 : 16,
    /// A power of two would put the same channel of all rows into the same few places of the first-level cache.
    row_floats = mk_max_head_dim + 16,
};

/// Tiles, or runs of 16 channels, whose sums fit the registers for that many rows.
MK_INLINE int runs_at_once(const int rows) {
    const int runs = sum_vectors / (rows * tile_vectors);
    return runs >= 4 ? 4 : runs >= 2 ? 2 : 1;
}

typedef struct attention_rows {
    /// Queries, scaled; channels past the head's end are zero.
    float q[MK_ATTENTION_ROWS][row_floats];
    float out[MK_ATTENTION_ROWS][row_floats];
    /// Scores of a span, then what its values are multiplied with.
    float p[span_tiles][MK_ATTENTION_ROWS][mk_tile_positions];
    /// What `out` is multiplied with before a tile is added.
    float factor[span_tiles][MK_ATTENTION_ROWS];
    vf sum[MK_ATTENTION_ROWS][tile_vectors];
    float max[MK_ATTENTION_ROWS];
    /// What is taken off a score for every position between query and key.
    float slope[MK_ATTENTION_ROWS];
    bool has_slopes;
    /// Positions that the row sees: `first[r] ..< limit[r]`.
    int32_t first[MK_ATTENTION_ROWS], limit[MK_ATTENTION_ROWS];
} attention_rows;

typedef struct attention_span {
    const void *k[span_tiles], *v[span_tiles];
    /// Tiles that follow; any readable place where there are none.
    const void *next_k[span_tiles], *next_v[span_tiles];
    int32_t base, tiles;
    /// Positions from here on hold no token that a row of the group sees.
    int32_t limit;
    int32_t head_dim, depth;
} attention_span;

/// 16 float32 or int8 elements.
MK_INLINE void load_run(const mk_storage storage, const void *from, size_t index, vf out[tile_vectors]) {
    MK_UNROLL for (int v = 0; v < tile_vectors; v++) {
        const size_t at = index + (size_t)(v * MK_LANES);
        out[v] = storage == mk_int8 ? vf_load_int8((const int8_t *)from + at) : vf_load((const float *)from + at);
    }
}

/// 16 pairs of bfloat16 elements.
MK_INLINE void load_pairs(const void *from, size_t index, vf even[tile_vectors], vf odd[tile_vectors]) {
    MK_UNROLL for (int v = 0; v < tile_vectors; v++) {
        const vu pair = vu_load((const uint32_t *)from + index + v * MK_LANES);
        even[v] = (vf)(pair << 16);
        odd[v] = (vf)(pair & 0xFFFF0000u);
    }
}

/// Scales of an int8 tile.
MK_INLINE vf tile_scales(const void *tile, int32_t depth, int vector) {
    return vf_load((const float *)((const char *)tile + mk_tile_positions * (size_t)depth) + vector * MK_LANES);
}

/// Asks for the line of a tile that begins with element `16 * run`, if one does. Blocks are scattered, so that the
/// processor guesses none of them by itself; asking line by line keeps the requests from waiting for each other.
MK_INLINE void fetch_line(const mk_storage storage, const void *tile, int32_t depth, int32_t run) {
    const size_t bytes = 16 * (storage == mk_int8 ? 1 : storage == mk_bfloat16 ? 2 : 4);
    if ((size_t)run * bytes % 64 != 0) return;
    __builtin_prefetch((const char *)tile + (size_t)run * bytes, 0, 2);
    if (storage == mk_int8 && run == 0) __builtin_prefetch((const char *)tile + (size_t)depth * bytes, 0, 2);
}

/// Scores of `rows` rows against `tiles` K tiles from `first` on.
MK_INLINE void tile_scores(
    const int rows, const int tiles, const mk_storage storage, attention_rows *s, const attention_span *span,
    int32_t first) {
    const void *const *k = span->k + first;
    vf score[span_tiles][MK_ATTENTION_ROWS][tile_vectors];
    MK_UNROLL for (int t = 0; t < tiles; t++)
        MK_UNROLL for (int r = 0; r < rows; r++)
            MK_UNROLL for (int v = 0; v < tile_vectors; v++) score[t][r][v] = vf_set(0);
    if (storage == mk_bfloat16) {
        for (int32_t d = 0; d < span->head_dim; d += 2) {
            MK_UNROLL for (int t = 0; t < tiles; t++) {
                fetch_line(storage, span->next_k[first + t], span->depth, d);
                vf even[tile_vectors], odd[tile_vectors];
                load_pairs(k[t], (size_t)d / 2 * 16, even, odd);
                MK_UNROLL for (int r = 0; r < rows; r++) {
                    const vf x = vf_set(s->q[r][d]), y = vf_set(s->q[r][d + 1]);
                    MK_UNROLL for (int v = 0; v < tile_vectors; v++) {
                        score[t][r][v] = vf_fma(x, even[v], score[t][r][v]);
                        score[t][r][v] = vf_fma(y, odd[v], score[t][r][v]);
                    }
                }
            }
        }
    } else {
        for (int32_t d = 0; d < span->head_dim; d++) {
            MK_UNROLL for (int t = 0; t < tiles; t++) {
                fetch_line(storage, span->next_k[first + t], span->depth, d);
                vf key[tile_vectors];
                load_run(storage, k[t], (size_t)d * 16, key);
                MK_UNROLL for (int r = 0; r < rows; r++) {
                    const vf x = vf_set(s->q[r][d]);
                    MK_UNROLL for (int v = 0; v < tile_vectors; v++) score[t][r][v] = vf_fma(x, key[v], score[t][r][v]);
                }
            }
        }
    }
    MK_UNROLL for (int t = 0; t < tiles; t++) {
        MK_UNROLL for (int v = 0; v < tile_vectors; v++) {
            const vf scale = storage == mk_int8 ? tile_scales(k[t], span->depth, v) : vf_set(1);
            MK_UNROLL for (int r = 0; r < rows; r++) {
                if (storage == mk_int8) score[t][r][v] *= scale;
                vf_store(&s->p[first + t][r][v * MK_LANES], score[t][r][v]);
            }
        }
    }
}

/// Takes off the scores of a span what their distance to the query costs. Apart, so that it takes no registers from
/// those who have no slopes.
static __attribute__((noinline)) void span_bias(int rows, attention_rows *s, const attention_span *span) {
    vf numbers;
    MK_UNROLL for (int i = 0; i < MK_LANES; i++) numbers[i] = (float)i;
    for (int32_t tile = 0; tile < span->tiles; tile++) {
        for (int r = 0; r < rows; r++) {
            const vf slope = vf_set(s->slope[r]);
            const int32_t first = span->base + tile * mk_tile_positions - (s->limit[r] - 1);
            MK_UNROLL for (int v = 0; v < tile_vectors; v++) {
                float *p = s->p[tile][r] + v * MK_LANES;
                const vf distance = numbers + vf_set((float)(first + v * MK_LANES));
                vf_store(p, vf_fma(slope, distance, vf_load(p)));
            }
        }
    }
}

/// Turns the scores of a tile into exponentials, with the scales of int8 values, and rescales what was summed before.
MK_INLINE void tile_softmax(
    const int rows, const mk_storage storage, attention_rows *s, const attention_span *span, int32_t tile) {
    const int32_t base = span->base + tile * mk_tile_positions;
    MK_UNROLL for (int r = 0; r < rows; r++) {
        float *p = s->p[tile][r];
        if (base < s->first[r] || base + mk_tile_positions > s->limit[r])
            for (int32_t i = 0; i < mk_tile_positions; i++)
                if (base + i < s->first[r] || base + i >= s->limit[r]) p[i] = -INFINITY;
        vf score[tile_vectors], top = vf_load(p);
        MK_UNROLL for (int v = 0; v < tile_vectors; v++) {
            score[v] = vf_load(p + v * MK_LANES);
            top = vf_max(score[v], top);
        }
        const float tile_max = vf_maximum(top);
        s->factor[tile][r] = 1;
        if (tile_max > s->max[r]) {
            const vf factor = vf_exp(vf_set(s->max[r] - tile_max));
            s->max[r] = tile_max;
            s->factor[tile][r] = factor[0];
            MK_UNROLL for (int v = 0; v < tile_vectors; v++) s->sum[r][v] *= factor;
        }
        const vf max = vf_set(s->max[r]);
        MK_UNROLL for (int v = 0; v < tile_vectors; v++) {
            vf e = vf_exp(score[v] - max);
            s->sum[r][v] += e;
            // A position that the row does not see stays 0 whatever its scale is.
            if (storage == mk_int8) e = vf_select(e == vf_set(0), e, e * tile_scales(span->v[tile], span->depth, v));
            vf_store(p + v * MK_LANES, e);
        }
    }
}

/// out = out * factor + p V over one tile, `positions` of it, for `runs` times 16 channels from `d` on. Stops short of
/// positions that hold no token yet: a stale infinity there would turn p = 0 into NaN.
MK_INLINE void tile_values(
    const int rows, const int runs, const mk_storage storage, attention_rows *s, const attention_span *span,
    int32_t tile, int32_t d, int32_t positions) {
    const void *from = span->v[tile];
    const size_t depth = (size_t)span->depth;
    const float(*p)[mk_tile_positions] = s->p[tile];
    vf out[MK_ATTENTION_ROWS][4][tile_vectors];
    MK_UNROLL for (int r = 0; r < rows; r++)
        MK_UNROLL for (int c = 0; c < runs; c++)
            MK_UNROLL for (int v = 0; v < tile_vectors; v++)
                out[r][c][v] = vf_load(&s->out[r][d + 16 * c + v * MK_LANES]) * vf_set(s->factor[tile][r]);
    int32_t i = 0;
    if (storage == mk_bfloat16) {
        for (; i + 1 < positions; i += 2) {
            MK_UNROLL for (int c = 0; c < runs; c++) {
                vf even[tile_vectors], odd[tile_vectors];
                fetch_line(storage, span->next_v[tile], span->depth, d + 16 * c + i);
                load_pairs(from, (size_t)(i / 2) * depth + (size_t)(d + 16 * c), even, odd);
                MK_UNROLL for (int r = 0; r < rows; r++) {
                    const vf x = vf_set(p[r][i]), y = vf_set(p[r][i + 1]);
                    MK_UNROLL for (int v = 0; v < tile_vectors; v++) out[r][c][v] = vf_fma(x, even[v], out[r][c][v]);
                    MK_UNROLL for (int v = 0; v < tile_vectors; v++) out[r][c][v] = vf_fma(y, odd[v], out[r][c][v]);
                }
            }
        }
    }
    for (; i < positions; i++) {
        MK_UNROLL for (int c = 0; c < runs; c++) {
            vf value[tile_vectors], odd[tile_vectors];
            fetch_line(storage, span->next_v[tile], span->depth, d + 16 * c + i);
            if (storage == mk_bfloat16)
                load_pairs(from, (size_t)(i / 2) * depth + (size_t)(d + 16 * c), value, odd);
            else
                load_run(storage, from, (size_t)i * depth + (size_t)(d + 16 * c), value);
            MK_UNROLL for (int r = 0; r < rows; r++) {
                const vf x = vf_set(p[r][i]);
                MK_UNROLL for (int v = 0; v < tile_vectors; v++) out[r][c][v] = vf_fma(x, value[v], out[r][c][v]);
            }
        }
    }
    MK_UNROLL for (int r = 0; r < rows; r++)
        MK_UNROLL for (int c = 0; c < runs; c++)
            MK_UNROLL for (int v = 0; v < tile_vectors; v++)
                vf_store(&s->out[r][d + 16 * c + v * MK_LANES], out[r][c][v]);
}

MK_INLINE void attend_span(
    const int rows, const mk_storage storage, attention_rows *s, const attention_span *span) {
    const int runs = runs_at_once(rows);
    int32_t tile = 0;
    for (; tile + runs <= span->tiles; tile += runs) tile_scores(rows, runs, storage, s, span, tile);
    for (; tile < span->tiles; tile++) tile_scores(rows, 1, storage, s, span, tile);
    if (s->has_slopes) span_bias(rows, s, span);
    for (tile = 0; tile < span->tiles; tile++) tile_softmax(rows, storage, s, span, tile);
    for (tile = 0; tile < span->tiles; tile++) {
        const int32_t left = span->limit - span->base - tile * mk_tile_positions;
        const int32_t positions = left < mk_tile_positions ? left : mk_tile_positions;
        int32_t d = 0;
        for (; d + 16 * runs <= span->depth; d += 16 * runs)
            tile_values(rows, runs, storage, s, span, tile, d, positions);
        for (; d < span->depth; d += 16) tile_values(rows, 1, storage, s, span, tile, d, positions);
    }
}
