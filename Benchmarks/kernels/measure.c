#define _GNU_SOURCE
#include "measure.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>

double seconds(void) {
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

void *reserve(size_t bytes) {
    void *p = mmap(NULL, bytes + 1, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED) {
        fprintf(stderr, "cannot reserve %zu bytes\n", bytes);
        exit(1);
    }
#if defined(MADV_HUGEPAGE)
    madvise(p, bytes, MADV_HUGEPAGE);
#endif
    return p;
}

void give_back(void *memory, size_t bytes) { munmap(memory, bytes + 1); }

static uint32_t random_bits(void) {
    static uint64_t state = 88172645463325252ull;
    state ^= state << 13, state ^= state >> 7, state ^= state << 17;
    return (uint32_t)(state >> 32);
}

float uniform(void) { return (float)(int32_t)random_bits() * 0x1p-31f; }

float normal(void) {
    // Box and Muller (1958).
    const float a = ((float)random_bits() + 1) * 0x1p-32f, b = (float)random_bits() * 0x1p-32f;
    return sqrtf(-2 * logf(a)) * cosf(6.2831853f * b);
}

static int ascending(const void *a, const void *b) {
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

timing measure(double budget, void (*body)(void *context, int call), void *context) {
    enum { most = 4000 };
    static double times[most];
    int calls = 0;
    for (double spent = 0; calls < most && (calls < 5 || spent < budget); calls++) {
        const double start = seconds();
        body(context, calls);
        times[calls] = seconds() - start;
        spent += times[calls];
    }
    qsort(times, (size_t)calls, sizeof *times, ascending);
    return (timing){times[0], times[calls / 2]};
}
