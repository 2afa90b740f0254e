// Where the sums of a pass over a panel go. Needs MK_ROWS, MK_VECS.
#ifndef MARTLET_ISA_RESULT_H
#define MARTLET_ISA_RESULT_H

enum { pass_columns = MK_VECS * MK_LANES, passes = mk_panel_columns / pass_columns };

/// Rows of a result, from the first column of a pass on.
typedef struct result {
    float *c;
    size_t c_stride;
    /// Columns from here on that exist.
    int32_t columns;
    const float *bias;
    bool accumulate;
} result;

MK_INLINE void store_rows(const int rows, const result *p, vf sum[][MK_VECS]) {
    if (p->columns >= pass_columns) {
        MK_UNROLL for (int r = 0; r < rows; r++) {
            MK_UNROLL for (int v = 0; v < MK_VECS; v++) {
                float *to = p->c + (size_t)r * p->c_stride + v * MK_LANES;
                vf value = sum[r][v];
                if (p->bias) value += vf_load(p->bias + v * MK_LANES);
                if (p->accumulate) value += vf_load(to);
                vf_store(to, value);
            }
        }
        return;
    }
    float lanes[MK_ROWS][pass_columns];
    MK_UNROLL for (int r = 0; r < rows; r++)
        MK_UNROLL for (int v = 0; v < MK_VECS; v++) vf_store(&lanes[r][v * MK_LANES], sum[r][v]);
    for (int r = 0; r < rows; r++) {
        for (int32_t i = 0; i < p->columns; i++) {
            float *to = p->c + (size_t)r * p->c_stride + i;
            float value = lanes[r][i];
            if (p->bias) value += p->bias[i];
            if (p->accumulate) value += *to;
            *to = value;
        }
    }
}

#endif
