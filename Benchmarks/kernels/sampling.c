// Time of what chooses a token from one row of 128256 logits.
#include "measure.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { vocabulary = 128256 };

typedef struct row {
    const float *original;
    float *logits, *values;
    int32_t *indices;
    int32_t k;
} row;

static volatile double sink;

static void argmax(void *context, int call) {
    (void)call;
    const row *r = context;
    sink += mk_argmax(r->original, vocabulary);
}

static void top_k(void *context, int call) {
    (void)call;
    const row *r = context;
    sink += mk_top_k(r->original, vocabulary, r->k, r->indices, r->values);
}

static void softmax(void *context, int call) {
    (void)call;
    const row *r = context;
    sink += mk_softmax_exp(r->original, vocabulary, 20, r->values);
}

static void log_sum_exp(void *context, int call) {
    (void)call;
    const row *r = context;
    sink += mk_log_sum_exp(r->original, vocabulary);
}

static void scale(void *context, int call) {
    (void)call;
    const row *r = context;
    mk_scale(r->logits, vocabulary, 1.0001f);
}

static void report(const char *name, void (*body)(void *, int), row *r) {
    const timing t = measure(0.2, body, r);
    printf("  %s %.1f us", name, t.median * 1e6);
}

/// Rows as models leave them: peaked, flat, and sorted in the worst order for a heap.
void benchmark_sampling(void) {
    float *memory = reserve(3 * vocabulary * sizeof *memory);
    int32_t *indices = reserve(vocabulary * sizeof *indices);
    static const char *const names[] = {"peaked", "flat", "rising"};
    for (int kind = 0; kind < 3; kind++) {
        for (int i = 0; i < vocabulary; i++) {
            const float x = normal();
            memory[i] = kind == 0 ? 2.5f * x + (i % 9973 == 17 ? 15 : 0) : kind == 1 ? 0.1f * x : (float)i * 1e-4f;
        }
        memcpy(memory + vocabulary, memory, vocabulary * sizeof *memory);
        row r = {memory, memory + vocabulary, memory + 2 * vocabulary, indices, 0};
        printf("%s row of %d:", names[kind], vocabulary);
        report("arg-max", argmax, &r);
        report("log-sum-exp", log_sum_exp, &r);
        report("softmax", softmax, &r);
        report("temperature", scale, &r);
        static const int32_t ks[] = {1, 20, 64, 512, 4096};
        for (size_t i = 0; i < sizeof ks / sizeof *ks; i++) {
            char name[16];
            snprintf(name, sizeof name, "top-%d", ks[i]);
            r.k = ks[i];
            report(name, top_k, &r);
        }
        printf("\n");
    }
    give_back(memory, 3 * vocabulary * sizeof *memory);
    give_back(indices, vocabulary * sizeof *indices);
}
