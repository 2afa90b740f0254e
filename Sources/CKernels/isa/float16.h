// float16 by hand: not every processor converts it, and not every C library brings the functions that compilers call.
#ifndef MARTLET_ISA_FLOAT16_H
#define MARTLET_ISA_FLOAT16_H

#include <stdint.h>
#include <string.h>

static inline float from_float16(uint16_t x) {
    const uint32_t sign = (uint32_t)(x & 0x8000u) << 16, magnitude = x & 0x7FFFu;
    uint32_t bits;
    if (magnitude >= 0x7C00u) {
        bits = sign | 0x7F800000u | (magnitude & 0x3FFu) << 13;
    } else if (magnitude >= 0x400u) {
        bits = sign | ((magnitude << 13) + (112u << 23));
    } else {
        // Subnormal: the integer value times 2^-24 is exact in float.
        const float value = (float)magnitude * 0x1p-24f;
        memcpy(&bits, &value, sizeof bits);
        bits |= sign;
    }
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/// To nearest even; beyond the range infinity. Not for NaN.
static inline uint16_t to_float16(float x) {
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    const uint16_t sign = (uint16_t)(bits >> 16 & 0x8000u);
    bits &= 0x7FFFFFFFu;
    if (bits >= 0x477FF000u) return sign | 0x7C00u;
    if (bits < 0x38800000u) {
        // Subnormal: adding 0.5 leaves multiples of 2^-24 in the low bits, rounded as wanted.
        float value;
        memcpy(&value, &bits, sizeof value);
        value += 0.5f;
        memcpy(&bits, &value, sizeof bits);
        return sign | (uint16_t)(bits - 0x3F000000u);
    }
    bits += 0xFFFu + (bits >> 13 & 1);
    return sign | (uint16_t)((bits - (112u << 23)) >> 13);
}

#endif
