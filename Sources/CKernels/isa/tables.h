// The tables that each instruction set file defines.
#ifndef MARTLET_ISA_TABLES_H
#define MARTLET_ISA_TABLES_H

#include "../include/mk_kernels.h"

extern const mk_kernels mk_kernels_scalar;
extern const mk_linear_kernels mk_linear_scalar;
#if defined(__x86_64__)
extern const mk_kernels mk_kernels_avx2;
extern const mk_kernels mk_kernels_avx512;
// These differ from the one before in what multiplies rows with weights, and those with bfloat16 in attention.
extern const mk_kernels mk_kernels_avx512_vnni;
extern const mk_kernels mk_kernels_avx512_bf16;
extern const mk_kernels mk_kernels_amx;
extern const mk_kernels mk_kernels_amx_emulated;
void mk_attend_avx512_bf16(
    const mk_attention *attention, const mk_sequence *sequence, int32_t kv_head, int32_t token, int32_t token_count);
extern const mk_linear_kernels mk_linear_avx2;
extern const mk_linear_kernels mk_linear_avx512;
extern const mk_linear_kernels mk_linear_avx512_vnni;
extern const mk_linear_kernels mk_linear_avx512_bf16;
extern const mk_linear_kernels mk_linear_amx;
extern const mk_linear_kernels mk_linear_amx_emulated;
#elif defined(__aarch64__)
extern const mk_kernels mk_kernels_neon;
extern const mk_linear_kernels mk_linear_neon;
#endif

#endif
