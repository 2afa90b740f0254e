// Limits of the machine: reading from memory, and the instructions that products are made of.
#include "measure.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

static volatile long sink;

typedef struct reading {
    const char *from;
    size_t bytes;
    double rate;
} reading;

static void read_all(void *context, int call) {
    (void)call;
    const reading *r = context;
    typedef long line __attribute__((vector_size(64)));
    line sum[4] = {0};
    for (size_t i = 0; i + 256 <= r->bytes; i += 256)
        for (int j = 0; j < 4; j++) sum[j] |= *(const line *)(r->from + i + 64 * j);
    sum[0] |= sum[1] | sum[2] | sum[3];
    sink += sum[0][0];
}

static void *read_again(void *context) {
    reading *r = context;
    r->rate = (double)r->bytes / measure(0.5, read_all, r).median;
    return NULL;
}

static void probe_memory(limits *l) {
    const size_t bytes = (size_t)256 << 20;
    char *memory = reserve(2 * bytes);
    for (size_t i = 0; i < 2 * bytes; i += 4096) memory[i] = 1;
    reading r[2] = {{memory, bytes, 0}, {memory + bytes, bytes, 0}};
    read_again(&r[0]);
    l->read = r[0].rate;
    pthread_t other;
    if (pthread_create(&other, NULL, read_again, &r[1]) == 0) {
        read_again(&r[0]);
        pthread_join(other, NULL);
        l->read_by_two = r[0].rate + r[1].rate;
    }
    give_back(memory, 2 * bytes);
}

#if defined(__x86_64__)
#include <immintrin.h>

enum { turns = 200000, chains = 16 };

// Sixteen chains of sums, none of which waits for another.
#define CHAINS(NAME, TARGET, OP)                                                                                       \
    __attribute__((target(TARGET))) static void NAME(void *context, int call) {                                        \
        (void)context;                                                                                                 \
        __m512i sum[chains], x = _mm512_set1_epi32(call | 1), y = _mm512_set1_epi32(3);                                \
        _Pragma("clang loop unroll(full)") for (int i = 0; i < chains; i++) sum[i] = _mm512_setzero_si512();           \
        for (int turn = 0; turn < turns; turn++) {                                                                     \
            _Pragma("clang loop unroll(full)") for (int i = 0; i < chains; i++) sum[i] = (__m512i)OP(sum[i], x, y);    \
            __asm__ volatile("" : "+v"(x), "+v"(y));                                                                   \
        }                                                                                                              \
        _Pragma("clang loop unroll(full)") for (int i = 0; i < chains; i++) sink += _mm512_reduce_add_epi32(sum[i]);   \
    }
#define FMA(s, x, y) _mm512_fmadd_ps((__m512)x, (__m512)y, (__m512)s)
#define BF16(s, x, y) _mm512_dpbf16_ps((__m512)s, (__m512bh)x, (__m512bh)y)
#define INT8(s, x, y) _mm512_dpbusd_epi32(s, x, y)
CHAINS(fma_chains, "avx512f,avx512dq", FMA)
CHAINS(bfloat16_chains, "avx512f,avx512dq,avx512bf16", BF16)
CHAINS(int8_chains, "avx512f,avx512dq,avx512vnni", INT8)

// Four sums of tiles, fed from tiles. Random numbers: zeros draw less power and run faster.
#define TILE_CHAINS(NAME, OP)                                                                                          \
    __attribute__((target("amx-tile,amx-bf16,amx-int8"))) static void NAME(void *context, int call) {                  \
        (void)call;                                                                                                    \
        static const struct {                                                                                          \
            unsigned char palette, start, reserved[14];                                                                \
            unsigned short row_bytes[16];                                                                              \
            unsigned char rows[16];                                                                                    \
        } shapes = {1, 0, {0}, {64, 64, 64, 64, 64, 64, 64, 64}, {16, 16, 16, 16, 16, 16, 16, 16}};                    \
        _tile_loadconfig(&shapes);                                                                                     \
        _tile_zero(0), _tile_zero(1), _tile_zero(2), _tile_zero(3);                                                    \
        _tile_loadd(4, context, 64), _tile_loadd(5, context, 64);                                                      \
        _tile_loadd(6, context, 64), _tile_loadd(7, context, 64);                                                      \
        for (int turn = 0; turn < turns; turn++) OP(0, 4, 6), OP(1, 4, 7), OP(2, 5, 6), OP(3, 5, 7);                   \
        _tile_release();                                                                                               \
    }
TILE_CHAINS(bfloat16_tiles, _tile_dpbf16ps)
TILE_CHAINS(int8_tiles, _tile_dpbsud)

static void probe_tiles(limits *l) {
    unsigned short tile[512];
    for (int i = 0; i < 512; i++) {
        const float x = uniform();
        unsigned bits;
        memcpy(&bits, &x, sizeof bits);
        tile[i] = (unsigned short)(bits >> 16);
    }
    const double products = (double)turns * 4 * 16 * 16 * 16;
    l->bfloat16_tiles = products * 4 / measure(0.3, bfloat16_tiles, tile).least;
    l->int8_tiles = products * 8 / measure(0.3, int8_tiles, tile).least;
    printf(
        "tiles on one core: bfloat16 %.0f Gflop/s, int8 %.0f Gop/s\n", l->bfloat16_tiles * 1e-9, l->int8_tiles * 1e-9);
}

static double rate(void (*body)(void *, int), int operations) {
    return (double)turns * chains * operations / measure(0.3, body, NULL).least;
}

static void probe_instructions(limits *l) {
    const mk_cpu_features f = mk_detect_cpu_features();
    if (mk_isa_available(mk_isa_avx512)) l->fma = rate(fma_chains, 32);
    if (f.avx512_bf16) l->bfloat16 = rate(bfloat16_chains, 64);
    if (f.avx512_vnni) l->int8 = rate(int8_chains, 128);
    if (mk_isa_available(mk_isa_amx)) probe_tiles(l);
}
#else
static void probe_instructions(limits *l) { (void)l; }
#endif

limits probe(void) {
    limits l = {0};
    probe_memory(&l);
    probe_instructions(&l);
    printf(
        "limits: read %.1f GB/s on one core, %.1f on two; on one core FMA %.0f Gflop/s, bfloat16 dot %.0f Gflop/s, "
        "int8 dot %.0f Gop/s\n",
        l.read * 1e-9, l.read_by_two * 1e-9, l.fma * 1e-9, l.bfloat16 * 1e-9, l.int8 * 1e-9);
    fflush(stdout);
    return l;
}
