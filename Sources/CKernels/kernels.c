// Choice of the kernel table.
#include "isa/tables.h"

const mk_kernels *mk_kernels_for(mk_isa isa) {
    if (!mk_isa_available(isa)) return &mk_kernels_scalar;
    switch (isa) {
#if defined(__x86_64__)
    case mk_isa_avx2: return &mk_kernels_avx2;
    case mk_isa_avx512: return &mk_kernels_avx512;
    case mk_isa_avx512_vnni: return &mk_kernels_avx512_vnni;
    case mk_isa_avx512_bf16: return &mk_kernels_avx512_bf16;
    case mk_isa_amx: return &mk_kernels_amx;
    case mk_isa_amx_emulated: return &mk_kernels_amx_emulated;
#elif defined(__aarch64__)
    case mk_isa_neon: return &mk_kernels_neon;
#endif
    default: return &mk_kernels_scalar;
    }
}

const mk_linear_kernels *mk_linear_kernels_for(mk_isa isa) {
    if (!mk_isa_available(isa)) return &mk_linear_scalar;
    switch (isa) {
#if defined(__x86_64__)
    case mk_isa_avx2: return &mk_linear_avx2;
    case mk_isa_avx512: return &mk_linear_avx512;
    case mk_isa_avx512_vnni: return &mk_linear_avx512_vnni;
    case mk_isa_avx512_bf16: return &mk_linear_avx512_bf16;
    case mk_isa_amx: return &mk_linear_amx;
    case mk_isa_amx_emulated: return &mk_linear_amx_emulated;
#elif defined(__aarch64__)
    case mk_isa_neon: return &mk_linear_neon;
#endif
    default: return &mk_linear_scalar;
    }
}

/// The default set; tiles only if this processor computes with them what it should.
static mk_isa trusted_isa(void) {
    const mk_isa isa = mk_isa_default();
    if (isa != mk_isa_amx || mk_linear_agree(mk_linear_kernels_for(isa), mk_linear_kernels_for(mk_isa_amx_emulated)))
        return isa;
    return mk_isa_avx512_bf16;
}

const mk_kernels *mk_kernels_default(void) {
    // Threads that race here write the same pointer.
    static _Atomic(const mk_kernels *) chosen;
    const mk_kernels *table = chosen;
    if (!table) chosen = table = mk_kernels_for(trusted_isa());
    return table;
}
