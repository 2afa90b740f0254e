// The table of an instruction set, from the kernels included before: MK_TABLE for MK_ISA, with MK_ATTEND_KERNEL.
const mk_kernels MK_TABLE = {
    .isa = MK_ISA,
    .row =
        {
            .max = row_max,
            .argmax = row_argmax,
            .exp_sum = row_exp_sum,
            .scale = row_scale,
            .floor = row_floor,
            .count_greater = row_count_greater,
            .sum_greater = row_sum_greater,
            .next_greater = row_next_greater,
            .group_max = row_group_max,
            .mask = row_mask,
        },
    .tensor =
        {
            .matmul = matmul,
            .gated_matmul = gated_matmul,
            .rms_norm = rms_norm,
            .layer_norm = layer_norm,
            .rope = rope,
            .write_kv = write_kv,
            .attend = MK_ATTEND_KERNEL,
            .shrink = shrink,
            .expand = expand,
            .gate = gate_pairs,
            .activate = activate_rows,
        },
};
