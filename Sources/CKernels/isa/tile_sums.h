// Sums of tiles over a block of K, for one block of rows and all columns of a panel.
//
// A tile product treats each row alone and adds 32 inputs of bfloat16 in an order of its own; blocks of K begin at multiples
// of those, so that a row's bits depend neither on the number of rows nor on how K is cut.

enum tile_start {
    tile_start_zero,
    /// From the sums in memory.
    tile_start_load,
    /// From what the tiles hold.
    tile_start_keep,
};

/// A piece of work for the tiles. Tiles 0 and 1 hold sums of its upper rows, 2 and 3 of its lower rows, 4 and 5 the rows,
/// 6 and 7 the weights.
typedef struct tile_piece {
    const char *weights;
    int32_t steps;
    const char *rows, *lower_rows;
    size_t row_stride;
    /// `[upper, then lower rows in 16 places each][32]`, float or integer.
    float *sums;
    enum tile_start start;
    bool stores;
    /// Lines from `fetch` on are asked for early, so many with each step.
    const char *fetch;
    int32_t fetch_lines;
    /// int4: scales of the first step.
    const char *scales;
    size_t scales_stride;
} tile_piece;

enum { tile_sums_stride = mk_panel_columns * sizeof(float), lower_sums = tile_rows * mk_panel_columns };

MK_INLINE const char *fetch_lines(const char *at, int32_t lines) {
    for (int32_t i = 0; i < lines; i++, at += 64) __builtin_prefetch(at, 0, 2);
    return at;
}

MK_INLINE void begin_tiles(const bool has_lower, const tile_piece *p) {
    if (p->start == tile_start_zero) {
        MK_TILE_ZERO(0);
        MK_TILE_ZERO(1);
        if (has_lower) {
            MK_TILE_ZERO(2);
            MK_TILE_ZERO(3);
        }
    } else if (p->start == tile_start_load) {
        MK_TILE_LOAD(0, p->sums, tile_sums_stride);
        MK_TILE_LOAD(1, p->sums + tile_rows, tile_sums_stride);
        if (has_lower) {
            MK_TILE_LOAD(2, p->sums + lower_sums, tile_sums_stride);
            MK_TILE_LOAD(3, p->sums + lower_sums + tile_rows, tile_sums_stride);
        }
    }
}

MK_INLINE void end_tiles(const bool has_lower, const tile_piece *p) {
    if (!p->stores) return;
    MK_TILE_STORE(0, p->sums, tile_sums_stride);
    MK_TILE_STORE(1, p->sums + tile_rows, tile_sums_stride);
    if (has_lower) {
        MK_TILE_STORE(2, p->sums + lower_sums, tile_sums_stride);
        MK_TILE_STORE(3, p->sums + lower_sums + tile_rows, tile_sums_stride);
    }
}

#define MK_TILE_SUMS(NAME, MULTIPLY, HAS_LOWER)                                                                        \
    static void NAME(const tile_piece *p) {                                                                            \
        const char *w = p->weights, *x = p->rows, *lower = p->lower_rows, *far = p->fetch;                             \
        begin_tiles(HAS_LOWER, p);                                                                                     \
        for (int32_t i = 0; i < p->steps; i++) {                                                                       \
            MK_TILE_LOAD(6, w, panel_step_bytes);                                                                      \
            MK_TILE_LOAD(4, x, p->row_stride);                                                                         \
            MULTIPLY(0, 4, 6);                                                                                         \
            MK_TILE_LOAD(7, w + tile_row_bytes, panel_step_bytes);                                                     \
            MULTIPLY(1, 4, 7);                                                                                         \
            if (HAS_LOWER) {                                                                                           \
                MK_TILE_LOAD(5, lower, p->row_stride);                                                                 \
                MULTIPLY(2, 5, 6);                                                                                     \
                MULTIPLY(3, 5, 7);                                                                                     \
            }                                                                                                          \
            far = fetch_lines(far, p->fetch_lines);                                                                    \
            w += tile_step_bytes, x += tile_row_bytes, lower += tile_row_bytes;                                        \
        }                                                                                                              \
        end_tiles(HAS_LOWER, p);                                                                                       \
    }
MK_TILE_SUMS(tile_sums_pairs, MK_TILE_PAIRS, true)
MK_TILE_SUMS(tile_sums_pairs_upper, MK_TILE_PAIRS, false)
MK_TILE_SUMS(tile_sums_quads, MK_TILE_UNSIGNED_QUADS, true)
MK_TILE_SUMS(tile_sums_quads_upper, MK_TILE_UNSIGNED_QUADS, false)
#undef MK_TILE_SUMS

/// The integers of one group of int4 for half of the columns, as float times the group's scale, onto the sums.
MK_INLINE void add_scaled(const int32_t integers[tile_rows][MK_LANES], const char *scales, vf sum[tile_rows]) {
    const vf scale = vf_load_float16(scales);
    MK_UNROLL for (int r = 0; r < tile_rows; r++) {
        vi values;
        memcpy(&values, integers[r], sizeof values);
        sum[r] = vf_fma(__builtin_convertvector(values, vf), scale, sum[r]);
    }
}

/// A group is one tile product, whose integers leave the tile; two of them are on their way at a time. Places of rows that
/// a tile does not have stay zero.
static __attribute__((noinline)) void tile_sums_groups_half(const tile_piece *p, size_t group_bytes, size_t row_bytes, int half) {
    _Static_assert(MK_LANES == tile_rows, "a row of a tile is a vector");
    int32_t first[tile_rows][MK_LANES] __attribute__((aligned(64))) = {0};
    int32_t second[tile_rows][MK_LANES] __attribute__((aligned(64))) = {0};
    vf sum[tile_rows];
    float *const sums = p->sums + half * MK_LANES;
    MK_UNROLL for (int r = 0; r < tile_rows; r++)
        sum[r] = p->start == tile_start_zero ? vf_set(0) : vf_load(sums + r * mk_panel_columns);
    const char *w = p->weights + half * tile_row_bytes, *x = p->rows, *far = p->fetch;
    const char *scales = p->scales + half * MK_LANES * 2;
    int32_t i = 0;
    for (; i + 2 <= p->steps; i += 2, w += 2 * group_bytes, x += 2 * row_bytes, scales += 2 * p->scales_stride) {
        MK_TILE_ZERO(0);
        MK_TILE_LOAD(4, x, p->row_stride);
        MK_TILE_LOAD(6, w, panel_step_bytes);
        MK_TILE_QUADS(0, 4, 6);
        MK_TILE_ZERO(1);
        MK_TILE_LOAD(5, x + row_bytes, p->row_stride);
        MK_TILE_LOAD(7, w + group_bytes, panel_step_bytes);
        MK_TILE_QUADS(1, 5, 7);
        MK_TILE_STORE(0, first, tile_row_bytes);
        MK_TILE_STORE(1, second, tile_row_bytes);
        far = fetch_lines(far, p->fetch_lines);
        add_scaled(first, scales, sum);
        add_scaled(second, scales + p->scales_stride, sum);
    }
    if (i < p->steps) {
        MK_TILE_ZERO(0);
        MK_TILE_LOAD(4, x, p->row_stride);
        MK_TILE_LOAD(6, w, panel_step_bytes);
        MK_TILE_QUADS(0, 4, 6);
        MK_TILE_STORE(0, first, tile_row_bytes);
        add_scaled(first, scales, sum);
    }
    MK_UNROLL for (int r = 0; r < tile_rows; r++) vf_store(sums + r * mk_panel_columns, sum[r]);
}

static void tile_sums_groups(const tile_piece *p, const tile_form *form) {
    for (int half = 0; half < 2; half++) tile_sums_groups_half(p, form->bytes, (size_t)form->row_bytes, half);
}
