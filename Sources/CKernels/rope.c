// Rotary position tables.
#include "mk_tensors.h"

#include <math.h>

void mk_rope_table(
    const float *inverse_frequency, int32_t half, int32_t first, int32_t count, float scale, float *cosine,
    float *sine) {
    for (int32_t p = 0; p < count; p++) {
        for (int32_t i = 0; i < half; i++) {
            const float angle = (float)(first + p) * inverse_frequency[i];
            cosine[(size_t)p * (size_t)half + (size_t)i] = cosf(angle) * scale;
            sine[(size_t)p * (size_t)half + (size_t)i] = sinf(angle) * scale;
        }
    }
}
