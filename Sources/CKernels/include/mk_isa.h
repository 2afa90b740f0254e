// Which instruction sets exist, which run here, and which one is used.
#ifndef MARTLET_MK_ISA_H
#define MARTLET_MK_ISA_H

#include <stdbool.h>
#include <stdint.h>

/// Instruction sets with a kernel table, from the reference to the widest.
typedef enum mk_isa {
    mk_isa_scalar = 0,
    mk_isa_neon = 1,
    mk_isa_avx2 = 2,
    mk_isa_avx512 = 3,
    /// With dot products of int8.
    mk_isa_avx512_vnni = 4,
    /// With dot products of int8 and of bfloat16.
    mk_isa_avx512_bf16 = 5,
    /// With these and with tiles of int8 and bfloat16.
    mk_isa_amx = 6,
    /// The same kernels with tiles in plain C, on processors with AVX-512: for tests, never chosen unless it is named.
    mk_isa_amx_emulated = 7,
} mk_isa;

enum { mk_isa_count = 8 };

/// Short lower-case name: "scalar", "neon", "avx2", "avx512", "avx512_vnni", "avx512_bf16", "amx", "amx_emulated".
const char *_Nonnull mk_isa_name(mk_isa isa);

/// True if this build has the kernels and this processor and operating system can run them. Asks the operating system for
/// the state of tiles, once for the process, where the processor has them.
bool mk_isa_available(mk_isa isa);

/// The name in the environment variable `MARTLET_ISA`, whether there is such a set or not; null without one.
const char *_Nullable mk_isa_wanted(void);

/// The widest available one, or the one named by the environment variable MARTLET_ISA where that is available.
mk_isa mk_isa_default(void);

/// Processor features that matter here.
typedef struct mk_cpu_features {
    bool avx2, fma, f16c, avx512f, avx512bw, avx512vl, avx512dq, avx512_vnni, avx512_bf16, amx_tile, amx_bf16, amx_int8;
    bool neon, neon_dot, neon_bf16;
} mk_cpu_features;

mk_cpu_features mk_detect_cpu_features(void);

/// Processors that the calling thread may run on.
int32_t mk_processor_count(void);

/// A pause for spin loops: tells the core that nothing useful happens until memory changes.
static inline void mk_cpu_pause(void) {
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

#endif
