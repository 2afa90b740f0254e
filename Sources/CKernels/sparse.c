#include "include/mk_sparse.h"

static int is_inside(int32_t token, int32_t n) { return token >= 0 && token < n; }

void mk_add_at(float *logits, int32_t n, const int32_t *tokens, const float *values, int32_t count) {
    for (int32_t i = 0; i < count; i++) {
        if (is_inside(tokens[i], n)) logits[tokens[i]] += values[i];
    }
}

void mk_repetition_penalty(float *logits, int32_t n, const int32_t *tokens, int32_t count, float penalty) {
    for (int32_t i = 0; i < count; i++) {
        if (!is_inside(tokens[i], n)) continue;
        const float value = logits[tokens[i]];
        logits[tokens[i]] = value > 0 ? value / penalty : value * penalty;
    }
}

void mk_count_penalty(
    float *logits, int32_t n, const int32_t *tokens, const float *counts, int32_t count, float frequency,
    float presence) {
    for (int32_t i = 0; i < count; i++) {
        if (is_inside(tokens[i], n)) logits[tokens[i]] -= frequency * counts[i] + presence;
    }
}

int32_t mk_walk(const float *weights, int32_t n, double target) {
    double sum = 0;
    int32_t last = -1;
    for (int32_t i = 0; i < n; i++) {
        if (!(weights[i] > 0)) continue;
        last = i;
        sum += weights[i];
        if (sum > target) return i;
    }
    return last;
}

int32_t mk_nucleus(const float *weights, int32_t n, double target, double *sum) {
    *sum = 0;
    int32_t i = 0;
    while (i < n) {
        *sum += weights[i++];
        if (*sum >= target) break;
    }
    return i;
}
