// Speed of attention while decoding, on one core: each sequence has one new token and a long context in a paged cache.
// The storage types take turns in every round, so that what else the machine does hits all alike.
#include "CKernels.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

enum { context = 2048, block_size = 16, kv_heads = 8, storages = 3, rounds = 15 };

static const mk_storage types[storages] = {mk_float32, mk_bfloat16, mk_int8};

typedef struct setting {
    mk_cache_shape shape;
    size_t bytes;
    char *cache;
    double best;
} setting;

static double seconds(void) {
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static float uniform(void) { return (float)(rand() % 2001 - 1000) * 1e-3f; }

/// A cache with all blocks written, on huge pages where the system gives them.
static setting make(const mk_kernels *kernels, mk_storage storage, int head_dim, int blocks) {
    setting s = {.shape = {storage, kv_heads, head_dim, block_size}, .best = 1e9};
    s.bytes = mk_cache_block_bytes(&s.shape) * (size_t)blocks;
    if (posix_memalign((void **)&s.cache, 1 << 21, s.bytes)) exit(1);
#ifdef MADV_HUGEPAGE
    madvise(s.cache, s.bytes, MADV_HUGEPAGE);
#endif
    float row[2][kv_heads * mk_max_head_dim];
    for (int slot = 0; slot < blocks * block_size; slot++) {
        // A few new values a row suffice and cost little.
        for (int i = slot % 7; i < kv_heads * head_dim; i += slot ? 7 : 1) row[0][i] = uniform(), row[1][i] = uniform();
        kernels->tensor.write_kv(&s.shape, s.cache, slot, row[0], row[1]);
    }
    return s;
}

/// One layer's attention for `batch` sequences, in seconds.
static double attend(const mk_kernels *kernels, const setting *s, const int32_t *table, int batch, int heads) {
    static float q[64 * 64 * 128], out[64 * 64 * 128];
    const size_t stride = (size_t)heads * (size_t)s->shape.head_dim;
    for (size_t i = 0; i < (size_t)batch * stride; i++) q[i] = uniform();
    const mk_attention a = {s->shape, s->cache, table, q, stride, out, stride, heads, 0.1f, 0};
    const double start = seconds();
    for (int b = 0; b < batch; b++) {
        const mk_sequence sequence = {b, 1, context, b * (context / block_size)};
        for (int head = 0; head < kv_heads; head++) kernels->tensor.attend(&a, &sequence, head, 0, 1);
    }
    return seconds() - start;
}

static void compare(const mk_kernels *kernels, int heads, int head_dim, int batch) {
    const int blocks = batch * context / block_size;
    int32_t *table = malloc((size_t)blocks * sizeof *table);
    for (int i = 0; i < blocks; i++) {
        // A random order, as a pool has after a while.
        const int j = rand() % (i + 1);
        table[i] = table[j], table[j] = i;
    }
    setting s[storages];
    for (int i = 0; i < storages; i++) s[i] = make(kernels, types[i], head_dim, blocks);
    for (int round = 0; round < rounds; round++) {
        for (int i = 0; i < storages; i++) {
            const double time = attend(kernels, &s[i], table, batch, heads);
            if (time < s[i].best) s[i].best = time;
        }
    }
    printf("%-7s %2d/%d heads of %3d, batch %2d:", mk_isa_name(kernels->isa), heads, kv_heads, head_dim, batch);
    static const char *const names[] = {"float32", "bfloat16", "int8"};
    for (int i = 0; i < storages; i++) {
        printf(
            "  %s %3.0f MiB %6.2f us/token %5.1f GB/s", names[i], (double)s[i].bytes / (1 << 20),
            s[i].best / batch * 1e6, (double)s[i].bytes / s[i].best * 1e-9);
        free(s[i].cache);
    }
    printf("  int8 %.2fx bfloat16\n", s[1].best / s[2].best);
    fflush(stdout);
    free(table);
}

int main(void) {
    for (int isa = 1; isa < mk_isa_count; isa++) {
        if (!mk_isa_available((mk_isa)isa)) continue;
        const mk_kernels *kernels = mk_kernels_for((mk_isa)isa);
        for (int heads = kv_heads; heads <= 4 * kv_heads; heads *= 4)
            for (int head_dim = 64; head_dim <= 128; head_dim *= 2)
                for (int batch = 8; batch <= 32; batch *= 4) compare(kernels, heads, head_dim, batch);
    }
}
