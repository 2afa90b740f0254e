// The factor of root mean square normalisation.
#ifndef MARTLET_ISA_NORM_H
#define MARTLET_ISA_NORM_H

/// 1 / sqrt(mean(x^2) + epsilon)
MK_INLINE float rms_factor(const float *x, float epsilon, int32_t n) {
    // Four chains hide the latency of the addition; which value goes to which chain depends on its index alone.
    vf sum[4] = {vf_set(0), vf_set(0), vf_set(0), vf_set(0)};
    int32_t i = 0;
    for (; i + 4 * MK_LANES <= n; i += 4 * MK_LANES) {
        MK_UNROLL for (int v = 0; v < 4; v++) {
            const vf value = vf_load(x + i + v * MK_LANES);
            sum[v] = vf_fma(value, value, sum[v]);
        }
    }
    for (; i < n; i += MK_LANES) {
        const vf value = n - i >= MK_LANES ? vf_load(x + i) : load_partial(x + i, n - i, 0);
        sum[0] = vf_fma(value, value, sum[0]);
    }
    const float mean = vf_sum((sum[0] + sum[1]) + (sum[2] + sum[3])) / (float)n;
    return 1.0f / sqrtf(mean + epsilon);
}

#endif
