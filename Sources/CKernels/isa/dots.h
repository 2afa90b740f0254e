// Products of pairs of bfloat16 and quads of int8: one instruction where the set has it, a few where it does not.
//
// A "value" is a pair or a quad of a row, the same in all lanes; "weights" are those of a vector of columns.

#if MK_HAS_BF16

enum { pair_bytes = 4 };
typedef vu pair_value;
typedef vu pair_weights;

MK_INLINE pair_weights load_pair_weights(const char *p) { return vu_load(p); }

MK_INLINE pair_value load_pair_value(const char *p) {
    uint32_t pair;
    memcpy(&pair, p, sizeof pair);
    return (vu)pair;
}

MK_INLINE vf add_pair(vf sum, pair_value x, pair_weights w) {
    return (vf)_mm512_dpbf16_ps((__m512)sum, (__m512bh)x, (__m512bh)w);
}

#else

// Rows hold floats that have been rounded to bfloat16.
enum { pair_bytes = 8 };
typedef struct pair_value {
    vf even, odd;
} pair_value;
typedef struct pair_value pair_weights;

MK_INLINE pair_weights load_pair_weights(const char *p) {
    const vu pair = vu_load(p);
    return (pair_weights){(vf)(pair << 16), (vf)(pair & 0xFFFF0000u)};
}

MK_INLINE pair_value load_pair_value(const char *p) {
    float pair[2];
    memcpy(pair, p, sizeof pair);
    return (pair_value){vf_set(pair[0]), vf_set(pair[1])};
}

MK_INLINE vf add_pair(vf sum, pair_value x, pair_weights w) {
    return vf_fma(x.odd, w.odd, vf_fma(x.even, w.even, sum));
}

#endif

MK_INLINE vi load_lanes32(const char *p) {
    int32_t value;
    memcpy(&value, p, sizeof value);
    return (vi)value;
}

#if MK_HAS_VNNI

enum { quad_bytes = 4 };
typedef vi quad_value;
typedef vu quad_weights;

MK_INLINE quad_value load_quad_value(const char *p) { return load_lanes32(p); }

MK_INLINE quad_weights load_quad_weights(const char *p) { return vu_load(p); }

MK_INLINE vi add_quad(vi sum, quad_value x, quad_weights w) {
    return (vi)_mm512_dpbusd_epi32((__m512i)sum, (__m512i)w, (__m512i)x);
}

/// Sums of products with weights of 4 bits.
typedef vi nibble_sum;

MK_INLINE nibble_sum begin_nibbles(int32_t start) { return (vi)start; }

MK_INLINE nibble_sum add_nibbles(nibble_sum sum, vi x, vu w) { return add_quad(sum, x, w); }

/// Called after every 32 inputs.
MK_INLINE nibble_sum fold_nibbles(nibble_sum sum) { return sum; }

MK_INLINE vi end_nibbles(nibble_sum sum) { return sum; }

#elif MK_LANES > 4

// Rows hold a quad (a, b, c, d) as 16 bits each in the order a, c, b, d, because splitting a vector of weights into
// 16 bits separates even from odd bytes. The instruction that takes bytes would saturate.
enum { quad_bytes = 8 };
typedef struct quad_value {
    vi even, odd;
} quad_value;
typedef struct quad_value quad_weights;

#if MK_LANES == 16
#define MK_MADD(a, b) ((vi)_mm512_madd_epi16((__m512i)(a), (__m512i)(b)))
#define MK_MADDUBS(a, b) ((halves)_mm512_maddubs_epi16((__m512i)(a), (__m512i)(b)))
#else
#define MK_MADD(a, b) ((vi)_mm256_madd_epi16((__m256i)(a), (__m256i)(b)))
#define MK_MADDUBS(a, b) ((halves)_mm256_maddubs_epi16((__m256i)(a), (__m256i)(b)))
#endif

MK_INLINE quad_value load_quad_value(const char *p) { return (quad_value){load_lanes32(p), load_lanes32(p + 4)}; }

MK_INLINE quad_weights load_quad_weights(const char *p) {
    const vu w = vu_load(p);
    return (quad_weights){(vi)(w & 0x00FF00FFu), (vi)(w >> 8 & 0x00FF00FFu)};
}

MK_INLINE vi add_quad(vi sum, quad_value x, quad_weights w) {
    return sum + (MK_MADD(w.even, x.even) + MK_MADD(w.odd, x.odd));
}

typedef int16_t halves __attribute__((ext_vector_type(2 * MK_LANES)));

// Two products are at most 2 * 15 * 128, so those of 32 inputs fit 16 bits.
typedef struct nibble_sum {
    vi total;
    halves part;
} nibble_sum;

MK_INLINE nibble_sum begin_nibbles(int32_t start) { return (nibble_sum){(vi)start, (halves)(int16_t)0}; }

MK_INLINE nibble_sum add_nibbles(nibble_sum sum, vi x, vu w) {
    return (nibble_sum){sum.total, sum.part + MK_MADDUBS(w, x)};
}

MK_INLINE nibble_sum fold_nibbles(nibble_sum sum) {
    return (nibble_sum){sum.total + MK_MADD(sum.part, (halves)(int16_t)1), (halves)(int16_t)0};
}

MK_INLINE vi end_nibbles(nibble_sum sum) { return sum.total; }

#undef MK_MADD
#undef MK_MADDUBS

#else

enum { quad_bytes = 4 };
typedef vi quad_value;
typedef vu quad_weights;

MK_INLINE quad_value load_quad_value(const char *p) { return load_lanes32(p); }

MK_INLINE quad_weights load_quad_weights(const char *p) { return vu_load(p); }

MK_INLINE vi add_quad(vi sum, quad_value x, quad_weights w) {
#if defined(__ARM_FEATURE_MATMUL_INT8)
    return (vi)vusdotq_s32((int32x4_t)sum, (uint8x16_t)w, (int8x16_t)x);
#elif defined(__ARM_FEATURE_DOTPROD)
    // This one takes signed bytes only: w = (w - 128) + 64 + 64.
    const int8x16_t half = vdupq_n_s8(64), value = (int8x16_t)x;
    const int32x4_t signed_sum = vdotq_s32((int32x4_t)sum, (int8x16_t)(w ^ 0x80808080u), value);
    return (vi)vdotq_s32(vdotq_s32(signed_sum, half, value), half, value);
#else
    MK_UNROLL for (int i = 0; i < 4; i++)
        sum += (vi)(w >> (8 * i) & 0xFF) * ((vi)((vu)x << (24 - 8 * i)) >> 24);
    return sum;
#endif
}

typedef vi nibble_sum;

MK_INLINE nibble_sum begin_nibbles(int32_t start) { return (vi)start; }

MK_INLINE nibble_sum add_nibbles(nibble_sum sum, vi x, vu w) {
#if defined(__ARM_FEATURE_DOTPROD)
    return (vi)vdotq_s32((int32x4_t)sum, (int8x16_t)w, (int8x16_t)x);
#else
    return add_quad(sum, x, w);
#endif
}

/// Called after every 32 inputs.
MK_INLINE nibble_sum fold_nibbles(nibble_sum sum) { return sum; }

MK_INLINE vi end_nibbles(nibble_sum sum) { return sum; }

#endif
