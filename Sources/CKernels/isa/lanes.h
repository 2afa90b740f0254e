// The vector vocabulary of one instruction set, over clang's vector extensions.
// Included once per instruction set file after MK_LANES (4, 8 or 16 floats) and MK_HAS_FMA are set.
// Contraction is off so that only MK_FMA fuses: where the compiler may choose, bits could differ between two uses.
#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#pragma STDC FP_CONTRACT OFF

#define MK_INLINE static inline __attribute__((always_inline))
#define MK_UNROLL _Pragma("clang loop unroll(full)")

typedef float vf __attribute__((ext_vector_type(MK_LANES)));
typedef int32_t vi __attribute__((ext_vector_type(MK_LANES)));
typedef uint32_t vu __attribute__((ext_vector_type(MK_LANES)));
typedef uint16_t vh __attribute__((ext_vector_type(MK_LANES)));
typedef int8_t vc __attribute__((ext_vector_type(MK_LANES)));
typedef double vd __attribute__((ext_vector_type(MK_LANES)));

MK_INLINE vf vf_load(const float *p) {
    vf v;
    memcpy(&v, p, sizeof v);
    return v;
}

MK_INLINE void vf_store(float *p, vf v) { memcpy(p, &v, sizeof v); }

MK_INLINE vu vu_load(const void *p) {
    vu v;
    memcpy(&v, p, sizeof v);
    return v;
}

/// A vector of int8 as floats.
MK_INLINE vf vf_load_int8(const void *p) {
    vc v;
    memcpy(&v, p, sizeof v);
    return __builtin_convertvector(v, vf);
}

/// A vector of float16 as floats.
MK_INLINE vf vf_load_float16(const void *p) {
    typedef _Float16 half __attribute__((ext_vector_type(MK_LANES)));
    half h;
    memcpy(&h, p, sizeof h);
    return __builtin_convertvector(h, vf);
}

/// Loads `count` values, fewer than a vector; missing lanes hold `fill`.
MK_INLINE vf load_partial(const float *p, int32_t count, float fill) {
    float lanes[MK_LANES];
    MK_UNROLL for (int i = 0; i < MK_LANES; i++) lanes[i] = fill;
    memcpy(lanes, p, (size_t)count * sizeof(float));
    return vf_load(lanes);
}

MK_INLINE vf vf_set(float x) { return (vf)(x); }

MK_INLINE vf vf_fma(vf a, vf b, vf c) {
#if MK_HAS_FMA
    return __builtin_elementwise_fma(a, b, c);
#else
    return a * b + c;
#endif
}

MK_INLINE vf vf_select(vi mask, vf a, vf b) { return (vf)((mask & (vi)a) | (~mask & (vi)b)); }

/// Maximum by comparison, as `maxps` does it: b where a is NaN.
MK_INLINE vf vf_max(vf a, vf b) { return vf_select(a > b, a, b); }

MK_INLINE vf vf_min(vf a, vf b) { return vf_select(a < b, a, b); }

/// Fixed-order sum of the lanes: halves are folded onto each other.
MK_INLINE float vf_sum(vf v) {
    float lanes[MK_LANES];
    vf_store(lanes, v);
    MK_UNROLL for (int width = MK_LANES / 2; width > 0; width /= 2)
        MK_UNROLL for (int i = 0; i < width; i++) lanes[i] += lanes[i + width];
    return lanes[0];
}

MK_INLINE float vf_maximum(vf v) { return __builtin_reduce_max(v); }

/// exp(x) to about 1 ulp; exactly 1 at 0 and exactly 0 below -87.3 (and for NaN-free -infinity); clamps above 88.
MK_INLINE vf vf_exp(vf x) {
    const vi underflow = x < vf_set(-87.3f);
    const vf c = vf_max(vf_min(x, vf_set(88.0f)), vf_set(-87.3f));
    // Adding and subtracting 1.5 * 2^23 rounds to the nearest integer.
    const vf n = vf_fma(c, vf_set(1.44269504088896341f), vf_set(12582912.0f)) - vf_set(12582912.0f);
    vf r = vf_fma(n, vf_set(-0.693359375f), c);
    r = vf_fma(n, vf_set(2.12194440e-4f), r);
    vf p = vf_set(1.9875691500e-4f);
    p = vf_fma(p, r, vf_set(1.3981999507e-3f));
    p = vf_fma(p, r, vf_set(8.3334519073e-3f));
    p = vf_fma(p, r, vf_set(4.1665795894e-2f));
    p = vf_fma(p, r, vf_set(1.6666665459e-1f));
    p = vf_fma(p, r, vf_set(5.0000001201e-1f));
    p = vf_fma(p, r * r, r) + vf_set(1.0f);
    const vi power = __builtin_convertvector(n, vi) << 23;
    return (vf)(~underflow & ((vi)p + power));
}
