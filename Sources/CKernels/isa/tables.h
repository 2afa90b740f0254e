// The tables that each instruction set file defines.
#ifndef MARTLET_ISA_TABLES_H
#define MARTLET_ISA_TABLES_H

#include "../include/mk_kernels.h"

extern const mk_kernels mk_kernels_scalar;
#if defined(__x86_64__)
extern const mk_kernels mk_kernels_avx2;
extern const mk_kernels mk_kernels_avx512;
#elif defined(__aarch64__)
extern const mk_kernels mk_kernels_neon;
#endif

#endif
