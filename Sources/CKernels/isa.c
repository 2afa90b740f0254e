// Detection of instruction sets. No kernel lives here.
#if defined(__linux__) && !defined(_GNU_SOURCE)
#define _GNU_SOURCE  // for sched_getaffinity
#endif
#include "mk_isa.h"

#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#if defined(__x86_64__)
#include <cpuid.h>

static bool cpuid_bit(unsigned leaf, unsigned subleaf, int reg, int bit) {
    unsigned r[4];
    if (!__get_cpuid_count(leaf, subleaf, &r[0], &r[1], &r[2], &r[3])) return false;
    return r[reg] >> bit & 1;
}
#endif

mk_cpu_features mk_detect_cpu_features(void) {
    mk_cpu_features f;
    memset(&f, 0, sizeof f);
#if defined(__x86_64__)
    // __builtin_cpu_supports also asks the operating system whether it saves the wide registers.
    __builtin_cpu_init();
    f.avx2 = __builtin_cpu_supports("avx2");
    f.fma = __builtin_cpu_supports("fma");
    f.f16c = f.avx2 && cpuid_bit(1, 0, 2, 29);
    f.avx512f = __builtin_cpu_supports("avx512f");
    f.avx512bw = __builtin_cpu_supports("avx512bw");
    f.avx512vl = __builtin_cpu_supports("avx512vl");
    f.avx512dq = __builtin_cpu_supports("avx512dq");
    f.avx512_vnni = __builtin_cpu_supports("avx512vnni");
    f.avx512_bf16 = __builtin_cpu_supports("avx512bf16");
    f.amx_tile = cpuid_bit(7, 0, 3, 24);
    f.amx_bf16 = cpuid_bit(7, 0, 3, 22);
    f.amx_int8 = cpuid_bit(7, 0, 3, 25);
#elif defined(__aarch64__)
    f.neon = true;
#if defined(__ARM_FEATURE_DOTPROD)
    f.neon_dot = true;
#endif
#if defined(__ARM_FEATURE_BF16)
    f.neon_bf16 = true;
#endif
#endif
    return f;
}

const char *mk_isa_name(mk_isa isa) {
    switch (isa) {
    case mk_isa_neon: return "neon";
    case mk_isa_avx2: return "avx2";
    case mk_isa_avx512: return "avx512";
    case mk_isa_avx512_vnni: return "avx512_vnni";
    case mk_isa_avx512_bf16: return "avx512_bf16";
    default: return "scalar";
    }
}

bool mk_isa_available(mk_isa isa) {
    if (isa == mk_isa_scalar) return true;
    const mk_cpu_features f = mk_detect_cpu_features();
    const bool avx2 = f.avx2 && f.fma && f.f16c, avx512 = avx2 && f.avx512f && f.avx512bw && f.avx512vl && f.avx512dq;
    switch (isa) {
    case mk_isa_neon: return f.neon;
    case mk_isa_avx2: return avx2;
    case mk_isa_avx512: return avx512;
    case mk_isa_avx512_vnni: return avx512 && f.avx512_vnni;
    case mk_isa_avx512_bf16: return avx512 && f.avx512_vnni && f.avx512_bf16;
    default: return false;
    }
}

mk_isa mk_isa_default(void) {
    const char *wanted = getenv("MARTLET_ISA");
    for (int i = 0; wanted && i < mk_isa_count; i++)
        if (strcmp(wanted, mk_isa_name((mk_isa)i)) == 0 && mk_isa_available((mk_isa)i)) return (mk_isa)i;
    for (int i = mk_isa_count - 1; i > 0; i--)
        if (mk_isa_available((mk_isa)i)) return (mk_isa)i;
    return mk_isa_scalar;
}

int32_t mk_processor_count(void) {
#if defined(__linux__)
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) == 0) return CPU_COUNT(&set);
#endif
    const long count = sysconf(_SC_NPROCESSORS_ONLN);
    return count > 0 ? (int32_t)count : 1;
}
