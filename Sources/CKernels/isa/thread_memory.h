// Memory that a thread keeps for sums that exceed its stack.
#ifndef MARTLET_ISA_THREAD_MEMORY_H
#define MARTLET_ISA_THREAD_MEMORY_H

#include <stddef.h>

enum { mk_thread_sums_count = 128 << 10 };

/// Room for `mk_thread_sums_count` floats, aligned to 64 bytes, the same in every call of a thread; null where memory is
/// short.
float *mk_thread_sums(void);

#endif
