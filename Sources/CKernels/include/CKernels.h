// Martlet's compute kernels: plain C, chosen at run time by CPU features.
//
// Conventions
// - Every kernel exists for each instruction set in `mk_isa`; the scalar one is the reference the others are tested against.
// - A row's bits never depend on how many rows, columns or threads share the call: sums run in one fixed order.
// - Sizes are element counts, strides are in elements, and no kernel allocates or keeps anything.
#ifndef MARTLET_CKERNELS_H
#define MARTLET_CKERNELS_H

#include "mk_changes.h"
#include "mk_files.h"
#include "mk_isa.h"
#include "mk_kernels.h"
#include "mk_linear.h"
#include "mk_sampling.h"
#include "mk_sparse.h"
#include "mk_tensors.h"

#endif
