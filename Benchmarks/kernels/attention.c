// Speed of attention over a paged cache on one core, while decoding and in prefill, for every type of cache.
#include "measure.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { block_size = 16, storages = 3 };

static const mk_storage types[storages] = {mk_float32, mk_bfloat16, mk_int8};
static const char *const type_names[storages] = {"float32", "bfloat16", "int8"};

typedef struct setting {
    const char *name;
    int32_t heads, kv_heads, head_dim;
} setting;

static const setting settings[] = {{"1B", 32, 8, 64}, {"135M", 9, 3, 64}, {"8B", 32, 8, 128}};

/// Sequences of one length, each with its last tokens to compute.
typedef struct run {
    const mk_kernels *kernels;
    mk_attention attention;
    int32_t batch, tokens, context;
} run;

static void attend(void *context, int call) {
    (void)call;
    const run *r = context;
    const int32_t group = r->attention.heads / r->attention.shape.kv_heads, step = 32 / group > 0 ? 32 / group : 1;
    for (int32_t b = 0; b < r->batch; b++) {
        const mk_sequence s = {b * r->tokens, r->tokens, r->context, b * (r->context / block_size)};
        for (int32_t head = 0; head < r->attention.shape.kv_heads; head++)
            for (int32_t t = 0; t < r->tokens; t += step)
                r->kernels->tensor.attend(
                    &r->attention, &s, head, t, r->tokens - t < step ? r->tokens - t : step);
    }
}

/// A cache with all blocks written.
static void *fill_cache(const mk_kernels *k, const mk_cache_shape *shape, int32_t blocks) {
    char *cache = reserve(mk_cache_block_bytes(shape) * (size_t)blocks);
    float row[2][8 * mk_max_head_dim];
    const int32_t width = shape->kv_heads * shape->head_dim;
    for (int32_t slot = 0; slot < blocks * block_size; slot++) {
        // A few new values a row suffice and cost little.
        for (int32_t i = slot % 7; i < width; i += slot ? 7 : 1) row[0][i] = uniform(), row[1][i] = uniform();
        k->tensor.write_kv(shape, cache, slot, row[0], row[1]);
    }
    return cache;
}

static void compare(const limits *l, const mk_kernels *k, const setting *s, int32_t batch, int32_t tokens, int32_t context) {
    const int32_t blocks = batch * context / block_size, rows = batch * tokens;
    const size_t stride = (size_t)(s->heads * s->head_dim) + 16;
    int32_t *table = malloc((size_t)blocks * sizeof *table);
    float *q = reserve((size_t)rows * stride * sizeof *q), *out = reserve((size_t)rows * stride * sizeof *out);
    if (!table) exit(1);
    for (int32_t i = 0; i < blocks; i++) {
        // A random order, as a pool has after a while.
        const int32_t j = rand() % (i + 1);
        table[i] = table[j], table[j] = i;
    }
    for (size_t i = 0; i < (size_t)rows * stride; i++) q[i] = uniform();
    const double pairs = (double)tokens * (context - tokens) + tokens * (tokens + 1.0) / 2;
    const double operations = 4.0 * batch * s->heads * s->head_dim * pairs;
    printf(
        "%-12s %-4s batch %2d, %4d tokens at %4d:", mk_isa_name(k->isa), s->name, batch, tokens, context);
    for (int t = 0; t < storages; t++) {
        const mk_cache_shape shape = {types[t], s->kv_heads, s->head_dim, block_size};
        const size_t bytes = mk_cache_block_bytes(&shape) * (size_t)blocks;
        void *cache = fill_cache(k, &shape, blocks);
        run r = {k, {shape, cache, table, q, stride, out, stride, s->heads, 0.1f, 0, NULL}, batch, tokens, context};
        const timing time = measure(0.3, attend, &r);
        const bool has_dots = k->isa == mk_isa_avx512_bf16 || k->isa == mk_isa_amx;
        const double roof = types[t] == mk_bfloat16 && has_dots ? l->bfloat16 : l->fma;
        if (tokens == 1)
            printf(
                "  %s %6.2f us, %4.1f GB/s (%3.0f%%)", type_names[t], time.median / batch * 1e6,
                (double)bytes / time.median * 1e-9, (double)bytes / time.least / l->read * 100);
        else
            printf(
                "  %s %4.0f Gflop/s (%3.0f%%)", type_names[t], operations / time.median * 1e-9,
                operations / time.least / roof * 100);
        fflush(stdout);
        give_back(cache, bytes);
    }
    printf("\n");
    free(table);
    give_back(q, (size_t)rows * stride * sizeof *q);
    give_back(out, (size_t)rows * stride * sizeof *out);
}

void benchmark_attention(const limits *limits) {
    for (int isa = 1; isa < mk_isa_count; isa++) {
        const char *wanted = getenv("MARTLET_ISA");
        if (!mk_isa_available((mk_isa)isa)) continue;
        if (wanted ? strcmp(wanted, mk_isa_name((mk_isa)isa)) != 0 : isa == mk_isa_amx_emulated) continue;
        const mk_kernels *k = mk_kernels_for((mk_isa)isa);
        for (size_t s = 0; s < sizeof settings / sizeof *settings; s++) {
            compare(limits, k, &settings[s], 1, 1, 512);
            compare(limits, k, &settings[s], 32, 1, 2048);
            compare(limits, k, &settings[s], 1, 512, 512);
            compare(limits, k, &settings[s], 1, 512, 2048);
        }
    }
}
