// A hash against damage, not against people: as fast as memory is read.
#include "mk_files.h"

#include <string.h>

enum { lanes = 8, block = lanes * sizeof(uint64_t) };

static const uint64_t prime = 0x9E3779B185EBCA87;

static uint64_t stirred(uint64_t state, uint64_t word) {
    const uint64_t product = (state ^ word) * prime;
    return product << 29 | product >> 35;
}

static void add_block(uint64_t *state, const void *bytes) {
    uint64_t words[lanes];
    memcpy(words, bytes, block);
    for (int i = 0; i < lanes; i++) state[i] = stirred(state[i], words[i]);
}

uint64_t mk_hash64(const void *bytes, size_t count) {
    uint64_t state[lanes];
    for (int i = 0; i < lanes; i++) state[i] = prime * (uint64_t)(2 * i + 1);
    const char *at = bytes;
    size_t left = count;
    for (; left >= block; left -= block, at += block) add_block(state, at);
    if (left > 0) {
        char last[block] = {0};
        memcpy(last, at, left);
        add_block(state, last);
    }
    uint64_t hash = stirred(prime, count);
    for (int i = 0; i < lanes; i++) hash = stirred(hash, state[i]);
    hash = (hash ^ hash >> 32) * prime;
    return hash ^ hash >> 29;
}
