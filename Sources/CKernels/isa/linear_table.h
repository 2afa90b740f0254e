// The table of what multiplies rows with weights, from the kernels included before.
const mk_linear_kernels MK_LINEAR_TABLE = {
    .row_bytes = row_bytes,
    .prepare = prepare_row,
    .norm = norm_row,
    .multiply = multiply,
    .multiply_gated = multiply_gated,
    .argmax = argmax_product,
};
