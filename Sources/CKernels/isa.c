// Detection of instruction sets. No kernel lives here.
#if defined(__linux__) && !defined(_GNU_SOURCE)
#define _GNU_SOURCE  // for sched_getaffinity
#endif
#include "mk_isa.h"

#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#if defined(__x86_64__) && defined(__linux__)
#include <sys/syscall.h>
#endif
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
    case mk_isa_amx: return "amx";
    case mk_isa_amx_emulated: return "amx_emulated";
    default: return "scalar";
    }
}

#if defined(__x86_64__) && defined(__linux__)
/// Asks for the state of tiles on behalf of all threads. Kernels and hypervisors that do not know it refuse.
static bool request_tiles(void) {
    enum { tile_shapes_state = 17, tile_data_state = 18, arch_req_xcomp_perm = 0x1023 };
    unsigned low, high;
    if (!cpuid_bit(1, 0, 2, 27)) return false;
    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    if (!(low >> tile_shapes_state & 1) || !(low >> tile_data_state & 1)) return false;
    return syscall(SYS_arch_prctl, arch_req_xcomp_perm, tile_data_state) == 0;
}

static bool may_use_tiles(void) {
    // Threads that race here find the same answer.
    static _Atomic(int) answer;
    if (answer == 0) answer = request_tiles() ? 1 : -1;
    return answer > 0;
}
#else
static bool may_use_tiles(void) { return false; }
#endif

bool mk_isa_available(mk_isa isa) {
    if (isa == mk_isa_scalar) return true;
    const mk_cpu_features f = mk_detect_cpu_features();
    const bool avx2 = f.avx2 && f.fma && f.f16c, avx512 = avx2 && f.avx512f && f.avx512bw && f.avx512vl && f.avx512dq;
    const bool bf16 = avx512 && f.avx512_vnni && f.avx512_bf16;
    switch (isa) {
    case mk_isa_neon: return f.neon;
    case mk_isa_avx2: return avx2;
    case mk_isa_avx512: return avx512;
    case mk_isa_avx512_vnni: return avx512 && f.avx512_vnni;
    case mk_isa_avx512_bf16: return bf16;
    case mk_isa_amx: return bf16 && f.amx_tile && f.amx_bf16 && f.amx_int8 && may_use_tiles();
    case mk_isa_amx_emulated: return avx512;
    default: return false;
    }
}

const char *mk_isa_wanted(void) { return getenv("MARTLET_ISA"); }

mk_isa mk_isa_default(void) {
    const char *wanted = mk_isa_wanted();
    for (int i = 0; wanted && i < mk_isa_count; i++)
        if (strcmp(wanted, mk_isa_name((mk_isa)i)) == 0 && mk_isa_available((mk_isa)i)) return (mk_isa)i;
    for (int i = mk_isa_amx; i > 0; i--)
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
