// Speed of the packed matrix product on one core, against the peak of the instruction set and of memory.
#include "CKernels.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static double seconds(void) {
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void *aligned(size_t bytes) {
    void *p = NULL;
    if (posix_memalign(&p, 1 << 21, (bytes + (1 << 21)) & ~(size_t)((1 << 21) - 1))) exit(1);
    memset(p, 0, bytes);
    return p;
}

static void fill(float *x, size_t n) {
    for (size_t i = 0; i < n; i++) x[i] = (float)(rand() % 2001 - 1000) * 1e-3f;
}

/// Best of several runs, in seconds.
static double measure(const mk_kernels *k, const mk_packed *w, const float *a, size_t a_stride, int rows, float *c, size_t c_stride) {
    const int32_t panels = (w->n + mk_panel_columns - 1) / mk_panel_columns;
    double best = 1e9, spent = 0;
    while (spent < 0.4) {
        const double start = seconds();
        k->tensor.matmul(w, 0, panels, a, a_stride, rows, c, c_stride, NULL, false);
        const double time = seconds() - start;
        spent += time;
        if (time < best) best = time;
    }
    return best;
}

int main(void) {
    static const int shapes[][2] = {{256, 1408}, {2048, 3072}, {2048, 8192}, {8192, 2048}};
    static const int rows[] = {1, 2, 4, 8, 16, 32, 128, 512};
    for (int isa = 1; isa < mk_isa_count; isa++) {
        if (!mk_isa_available((mk_isa)isa)) continue;
        const mk_kernels *k = mk_kernels_for((mk_isa)isa);
        for (int storage = 0; storage < 2; storage++) {
            for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s++) {
                const int32_t depth = shapes[s][0], n = shapes[s][1];
                float *matrix = aligned((size_t)n * (size_t)depth * 4);
                fill(matrix, (size_t)n * (size_t)depth);
                const size_t bytes = mk_packed_bytes((mk_storage)storage, n, depth);
                void *data = aligned(bytes);
                mk_pack(data, (mk_storage)storage, depth, 0, false, matrix, mk_float32, n);
                const mk_packed w = {data, (mk_storage)storage, n, depth};
                const size_t a_stride = (size_t)depth + 16, c_stride = (size_t)n + 16;
                float *a = aligned(512 * a_stride * 4), *c = aligned(512 * c_stride * 4);
                fill(a, 512 * a_stride);
                printf("%-7s %-8s K %5d N %5d:", mk_isa_name(k->isa), storage ? "bfloat16" : "float32", depth, n);
                for (size_t r = 0; r < sizeof rows / sizeof *rows; r++) {
                    const double time = measure(k, &w, a, a_stride, rows[r], c, c_stride);
                    if (rows[r] == 1) printf(" %5.1f GB/s |", (double)bytes / time * 1e-9);
                    printf(" %d: %.0f", rows[r], 2.0 * rows[r] * n * depth / time * 1e-9);
                }
                printf(" Gflop/s\n");
                free(matrix), free(data), free(a), free(c);
            }
        }
    }
}
