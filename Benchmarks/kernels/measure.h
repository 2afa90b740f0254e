// Clocks, memory and repetition for the benchmarks of kernels.
#ifndef MARTLET_MEASURE_H
#define MARTLET_MEASURE_H

#include "CKernels.h"

/// Seconds that the calling thread has computed: what others do on the machine counts as little as it can.
double seconds(void);

/// Zeroed memory in large pages, where the system has them.
void *reserve(size_t bytes);
void give_back(void *memory, size_t bytes);

/// A number from -1 to 1, of a sequence that is the same in every run; and one of a normal distribution.
float uniform(void);
float normal(void);

/// Least and median seconds of a call.
typedef struct timing {
    double least, median;
} timing;

/// Calls `body` again and again for about `budget` seconds, five times at least, with the number of the call.
timing measure(double budget, void (*body)(void *context, int call), void *context);

/// What the machine can do on one core: the limits that everything else is held against.
typedef struct limits {
    /// Bytes a second that one thread reads from memory; and two.
    double read, read_by_two;
    /// Operations a second, a multiplication and an addition counted as two; 0 where the instruction is missing.
    double fma, bfloat16, int8, bfloat16_tiles, int8_tiles;
} limits;

/// Measures and prints them.
limits probe(void);

void benchmark_linear(const limits *limits, const char *shape_part, const char *format_part);
void benchmark_attention(const limits *limits);
void benchmark_sampling(void);

#endif
