// Speed of the products of linear layers on one core, for every format, against the limits of the machine.
#include "measure.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct shape {
    const char *name;
    int32_t k, n;
} shape;

static const shape shapes[] = {
    {"1B q|k|v", 2048, 3072},     {"1B gate|up", 2048, 16384},  {"1B down", 8192, 2048},
    {"135M gate|up", 576, 3072}, {"135M down", 1536, 576},
};

typedef struct form {
    const char *name;
    mk_format format;
    int32_t group;
} form;

static const form forms[] = {
    {"float32", mk_format_float32, 0}, {"bfloat16", mk_format_bfloat16, 0},
    {"bf16 in 12", mk_format_bfloat16_compressed, 0}, {"int8", mk_format_int8, 0},
    {"int4 by 64", mk_format_int4, 64}, {"int4 by 32", mk_format_int4, 32},
};

enum { most_rows = 512, most_copies = 64 };

/// Weights in as many copies as exceed every cache, so that each product takes them from memory as a model's layers do.
typedef struct layers {
    mk_weights w[most_copies];
    int copies;
    size_t bytes;
} layers;

static size_t compress(const mk_weights *from, mk_weights *to) {
    const size_t plain = mk_weights_bytes(mk_format_bfloat16_compressed, 0, from->n, from->k);
    const int32_t panels = from->n / mk_panel_columns;
    size_t bytes = plain;
    for (int32_t p = 0; p < panels; p++) bytes += mk_whole_pairs_bytes(mk_count_whole_pairs(from, p));
    *to = (mk_weights){reserve(bytes), mk_format_bfloat16_compressed, 0, from->n, from->k};
    size_t at = plain;
    for (int32_t p = 0; p < panels; p++) {
        const int32_t count = mk_count_whole_pairs(from, p);
        mk_compress_panel(to, from, p, at, count);
        at += mk_whole_pairs_bytes(count);
    }
    return bytes;
}

static void make(layers *l, const form *f, const shape *s, const float *matrix) {
    const mk_format first = f->format == mk_format_bfloat16_compressed ? mk_format_bfloat16 : f->format;
    l->bytes = mk_weights_bytes(first, f->group, s->n, s->k);
    l->w[0] = (mk_weights){reserve(l->bytes), first, f->group, s->n, s->k};
    mk_clear_weights(&l->w[0], 0, s->n / mk_panel_columns);
    mk_pack_weights(&l->w[0], 0, false, matrix, mk_float32, s->n);
    if (first != f->format) {
        const mk_weights plain = l->w[0];
        const size_t plain_bytes = l->bytes;
        l->bytes = compress(&plain, &l->w[0]);
        give_back((void *)plain.data, plain_bytes);
    }
    l->copies = (int)(((size_t)160 << 20) / l->bytes) + 1;
    if (l->copies > most_copies) l->copies = most_copies;
    for (int i = 1; i < l->copies; i++) {
        l->w[i] = l->w[0];
        l->w[i].data = memcpy(reserve(l->bytes), l->w[0].data, l->bytes);
    }
}

typedef struct product {
    const mk_linear_kernels *kernels;
    const layers *l;
    const void *rows;
    size_t row_stride;
    int32_t count;
    mk_output out;
} product;

static void multiply(void *context, int call) {
    const product *p = context;
    const mk_weights *w = &p->l->w[call % p->l->copies];
    p->kernels->multiply(w, 0, w->n / mk_panel_columns, p->rows, p->row_stride, p->count, &p->out);
}

static double roof(const limits *l, const mk_kernels *k, mk_format format) {
    if (format == mk_format_float32) return l->fma;
    const bool is_integer = format == mk_format_int8 || format == mk_format_int4;
    if (k->isa == mk_isa_amx) return is_integer ? l->int8_tiles : l->bfloat16_tiles;
    if (!is_integer) return k->isa == mk_isa_avx512_bf16 ? l->bfloat16 : l->fma;
    return l->int8 > 0 ? l->int8 : l->fma;
}

static void compare(const limits *limits, const mk_kernels *k, const form *f, const shape *s, const float *matrix) {
    static const int32_t counts[] = {1, 2, 8, 32, 128, 512};
    layers l;
    make(&l, f, s, matrix);
    size_t stride = mk_linear_kernels_for(k->isa)->row_bytes(f->format, s->k);
    if (stride % 4096 == 0) stride += 64;
    char *rows = reserve(most_rows * stride);
    float *x = reserve((size_t)s->k * sizeof *x);
    for (int32_t r = 0; r < most_rows; r++) {
        for (int32_t i = 0; i < s->k; i++) x[i] = uniform();
        mk_linear_kernels_for(k->isa)->prepare(f->format, x, s->k, rows + (size_t)r * stride);
    }
    const size_t out_stride = (size_t)s->n + 32;
    float *out = reserve(most_rows * out_stride * sizeof *out);
    printf("%-12s %-12s %-10s:", mk_isa_name(k->isa), s->name, f->name);
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        product p = {mk_linear_kernels_for(k->isa), &l, rows, stride, counts[i], {out, out_stride, NULL, false}};
        const timing t = measure(counts[i] < 8 ? 0.3 : 0.5, multiply, &p);
        const double operations = 2.0 * counts[i] * s->n * s->k;
        if (counts[i] <= 2)
            printf(
                "  %d: %5.1f GB/s (%3.0f%%)", counts[i], (double)l.bytes / t.median * 1e-9,
                (double)l.bytes / t.median / limits->read * 100);
        else
            printf(
                "  %d: %5.0f Gop/s (%3.0f%%)", counts[i], operations / t.median * 1e-9,
                operations / t.least / roof(limits, k, f->format) * 100);
        fflush(stdout);
    }
    printf("\n");
    for (int i = 0; i < l.copies; i++) give_back((void *)l.w[i].data, l.bytes);
    give_back(rows, most_rows * stride);
    give_back(x, (size_t)s->k * sizeof *x);
    give_back(out, most_rows * out_stride * sizeof *out);
}

void benchmark_linear(const limits *limits, const char *shape_part, const char *format_part) {
    for (int isa = 1; isa < mk_isa_count; isa++) {
        if (!mk_isa_available((mk_isa)isa)) continue;
        const char *wanted = getenv("MARTLET_ISA");
        if (wanted ? strcmp(wanted, mk_isa_name((mk_isa)isa)) != 0 : isa == mk_isa_amx_emulated) continue;
        for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s++) {
            if (shape_part && !strstr(shapes[s].name, shape_part)) continue;
            const size_t count = (size_t)shapes[s].n * (size_t)shapes[s].k;
            float *matrix = reserve(count * sizeof *matrix);
            for (size_t i = 0; i < count; i++) matrix[i] = 0.03f * normal();
            for (size_t f = 0; f < sizeof forms / sizeof *forms; f++)
                if (!format_part || strstr(forms[f].name, format_part))
                    compare(limits, mk_kernels_for((mk_isa)isa), &forms[f], &shapes[s], matrix);
            give_back(matrix, count * sizeof *matrix);
        }
    }
}
