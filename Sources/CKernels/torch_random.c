// The numbers of torch's generator on a CPU: MT19937, from which a float takes the lower 24 bits of one draw
// (ATen/core/MT19937RNGEngine.h, ATen/core/TransformationHelper.h).
#include <math.h>

#include "include/mk_files.h"

enum { state_words = 624, state_shift = 397 };

typedef struct generator {
    uint32_t words[state_words];
    size_t next;
} generator;

static void seed_generator(generator *state, uint32_t seed) {
    state->words[0] = seed;
    for (uint32_t i = 1; i < state_words; i++) {
        const uint32_t before = state->words[i - 1];
        state->words[i] = 1812433253u * (before ^ before >> 30) + i;
    }
    state->next = state_words;
}

static void renew(uint32_t *words) {
    for (size_t i = 0; i < state_words; i++) {
        const uint32_t mixed = (words[i] & 0x80000000u) | (words[(i + 1) % state_words] & 0x7FFFFFFFu);
        words[i] = words[(i + state_shift) % state_words] ^ mixed >> 1 ^ (mixed & 1 ? 0x9908B0DFu : 0);
    }
}

static uint32_t draw(generator *state) {
    if (state->next == state_words) {
        renew(state->words);
        state->next = 0;
    }
    uint32_t y = state->words[state->next++];
    y ^= y >> 11;
    y ^= y << 7 & 0x9D2C5680u;
    y ^= y << 15 & 0xEFC60000u;
    return y ^ y >> 18;
}

void mk_torch_uniform(uint64_t seed, size_t skip, double bound, size_t count, float *out) {
    const float low = (float)-bound;
    const float width = (float)bound - low;
    generator state;
    // As in torch, only half of the seed counts.
    seed_generator(&state, (uint32_t)seed);
    for (size_t i = 0; i < skip; i++) (void)draw(&state);
    // torch's compilers fuse the product and the sum; done explicitly, every processor rounds alike.
    for (size_t i = 0; i < count; i++) out[i] = fmaf((float)(draw(&state) & 0xFFFFFF) * 0x1p-24f, width, low);
}
