// Speed of the kernels alone, against what the machine can do.
//
// `KernelBenchmark [linear|attention|sampling] [part of a shape's name] [part of a format's name]`; everything without arguments. The environment
// variable MARTLET_ISA leaves one instruction set.
#include "measure.h"

#include <string.h>

int main(int argc, char **argv) {
    const char *part = argc > 1 ? argv[1] : "";
    const limits l = probe();
    if (!*part || strcmp(part, "linear") == 0) benchmark_linear(&l, argc > 2 ? argv[2] : NULL, argc > 3 ? argv[3] : NULL);
    if (!*part || strcmp(part, "attention") == 0) benchmark_attention(&l);
    if (!*part || strcmp(part, "sampling") == 0) benchmark_sampling();
    return 0;
}
