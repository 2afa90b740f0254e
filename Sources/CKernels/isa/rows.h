// Rows of activations in the form that a weight format is multiplied with.
//
// Values are padded with zeros to 64 inputs. int8 and int4 have after them the sums of each 32 values, then the total and
// the scale: an unsigned weight's zero point is then a start value of the sum.

enum { row_granule = 64 };

/// Bytes of an input in a row, for the products of a format.
MK_INLINE size_t value_bytes(mk_format format) {
    switch (format) {
    case mk_format_float32: return 4;
    case mk_format_int8: return quad_bytes / 4;
    case mk_format_int4: return 1;
    default: return pair_bytes / 2;
    }
}

MK_INLINE size_t row_inputs(int32_t k) { return ((size_t)k + row_granule - 1) / row_granule * row_granule; }

MK_INLINE int32_t *row_sums(mk_format format, int32_t k, const char *row) {
    return (int32_t *)(row + row_inputs(k) * value_bytes(format));
}

typedef struct row_tail {
    float scale;
    int32_t total;
} row_tail;

MK_INLINE row_tail *row_end(mk_format format, int32_t k, const char *row) {
    return (row_tail *)(row_sums(format, k, row) + row_inputs(k) / 32);
}

static size_t row_bytes(mk_format format, int32_t k) {
    const size_t values = row_inputs(k) * value_bytes(format);
    if (format != mk_format_int8 && format != mk_format_int4) return values;
    return (values + row_inputs(k) / 32 * sizeof(int32_t) + sizeof(row_tail) + 63) / 64 * 64;
}

/// What a row is made of: values, or values to be normalised.
typedef struct row_source {
    const float *x, *weight;
    float factor;
    int32_t k;
} row_source;

/// Values from `i` on; zero past the end.
MK_INLINE vf source_vector(const row_source *s, const bool normed, int32_t i) {
    const int32_t left = s->k - i;
    if (left <= 0) return vf_set(0);
    const vf x = left >= MK_LANES ? vf_load(s->x + i) : load_partial(s->x + i, left, 0);
    if (!normed) return x;
    const vf weight = left >= MK_LANES ? vf_load(s->weight + i) : load_partial(s->weight + i, left, 0);
    return weight * (x * vf_set(s->factor));
}

MK_INLINE void write_floats(const row_source *s, const bool normed, float *out) {
    int32_t i = 0;
    for (; i + MK_LANES <= s->k; i += MK_LANES) vf_store(out + i, source_vector(s, normed, i));
    if (i >= s->k) return;
    const vf last = source_vector(s, normed, i);
    memcpy(out + i, &last, (size_t)(s->k - i) * sizeof(float));
}

/// A float rounded to bfloat16, to nearest even; NaN stays NaN.
MK_INLINE vu rounded_bits(vf x) {
    const vu bits = (vu)x, rounded = (bits + 0x7FFFu + (bits >> 16 & 1)) & 0xFFFF0000u;
    return (vu)vf_select((vi)((bits & 0x7FFFFFFFu) > 0x7F800000u), (vf)(bits | 0x400000u), (vf)rounded);
}

MK_INLINE void write_pairs(const row_source *s, const bool normed, char *row) {
    for (size_t i = 0; i < row_inputs(s->k); i += MK_LANES) {
        const vf x = source_vector(s, normed, (int32_t)i);
#if MK_HAS_BF16
        const __m256bh half = _mm512_cvtneps_pbh((__m512)x);
        memcpy(row + 2 * i, &half, sizeof half);
#else
        const vu bits = rounded_bits(x) & 0xFFFF0000u;
        if (pair_bytes == 4) {
            const vh halves = __builtin_convertvector(bits >> 16, vh);
            memcpy(row + 2 * i, &halves, sizeof halves);
        } else {
            memcpy(row + 4 * i, &bits, sizeof bits);
        }
#endif
    }
}

/// Greatest magnitude; NaN if there is a NaN or an infinity. Magnitudes order as their bits do.
MK_INLINE float source_maximum(const row_source *s, const bool normed) {
    vi top[2] = {(vi)0, (vi)0};
    for (int32_t i = 0; i < s->k; i += 2 * MK_LANES)
        MK_UNROLL for (int v = 0; v < 2; v++) {
            const vi bits = (vi)source_vector(s, normed, i + v * MK_LANES) & 0x7FFFFFFF;
            top[v] = bits > top[v] ? bits : top[v];
        }
    int32_t greatest = __builtin_reduce_max(top[0] > top[1] ? top[0] : top[1]);
    if (greatest >= 0x7F800000) greatest = 0x7FC00000;
    float value;
    memcpy(&value, &greatest, sizeof value);
    return value;
}

/// Integers of a vector of floats, rounded to nearest even: 1.5 * 2^23 leaves them in the low bits.
MK_INLINE vi rounded_integers(vf x) { return (vi)(x + vf_set(12582912.0f)) - (vi)vf_set(12582912.0f); }

MK_INLINE void store_quads(const mk_format format, char *row, size_t i, vi q) {
    if (value_bytes(format) == 1) {
        const vc bytes = __builtin_convertvector(q, vc);
        memcpy(row + i, &bytes, sizeof bytes);
        return;
    }
    int16_t halves[MK_LANES];
    MK_UNROLL for (int j = 0; j < MK_LANES; j++) halves[j / 4 * 4 + j % 4 / 2 + j % 2 * 2] = (int16_t)q[j];
    memcpy(row + 2 * i, halves, sizeof halves);
}

MK_INLINE void write_quads(const mk_format format, const row_source *s, const bool normed, char *row) {
    const float max = source_maximum(s, normed);
    const bool usable = max >= 0x1p-100f;
    const vf inverse = vf_set(usable ? 127.0f / max : 0.0f);
    int32_t *sums = row_sums(format, s->k, row), total = 0;
    for (size_t i = 0; i < row_inputs(s->k); i += 32) {
        vi sum = (vi)0;
        MK_UNROLL for (int v = 0; v < 32; v += MK_LANES) {
            const vf x = source_vector(s, normed, (int32_t)i + v) * inverse;
            const vi q = usable ? rounded_integers(x) : (vi)0;
            store_quads(format, row, i + (size_t)v, q);
            sum += q;
        }
        sums[i / 32] = __builtin_reduce_add(sum);
        total += sums[i / 32];
    }
    *row_end(format, s->k, row) = (row_tail){usable ? max / 127.0f : max != max ? max : 0.0f, total};
}

MK_INLINE void write_row(mk_format format, const row_source *s, const bool normed, void *row) {
    switch (format) {
    case mk_format_float32: write_floats(s, normed, row); break;
    case mk_format_int8: write_quads(mk_format_int8, s, normed, row); break;
    case mk_format_int4: write_quads(mk_format_int4, s, normed, row); break;
    default: write_pairs(s, normed, row); break;
    }
}

static void prepare_row(mk_format format, const float *x, int32_t k, void *row) {
    const row_source s = {.x = x, .k = k};
    write_row(format, &s, false, row);
}

static void norm_row(
    mk_format format, const float *x, const float *weight, float epsilon, int32_t k, void *row, float *out) {
    const row_source s = {x, weight, rms_factor(x, epsilon, k), k};
    write_row(format, &s, true, row);
    if (out) write_floats(&s, true, out);
}
