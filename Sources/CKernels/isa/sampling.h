// Sampling kernels over lanes.h; the tail of a row shorter than a vector is read through a padded copy.

static float row_max(const float *x, int32_t n) {
    vf m = vf_set(-INFINITY);
    int32_t i = 0;
    for (; i + MK_LANES <= n; i += MK_LANES) m = vf_max(vf_load(x + i), m);
    if (i < n) m = vf_max(load_partial(x + i, n - i, -INFINITY), m);
    return vf_maximum(m);
}

static int32_t row_argmax(const float *x, int32_t n) {
    const float m = row_max(x, n);
    const vf best = vf_set(m);
    int32_t i = 0;
    for (; i + MK_LANES <= n; i += MK_LANES)
        if (__builtin_reduce_or((vi)(vf_load(x + i) == best))) break;
    for (; i < n; i++)
        if (x[i] == m) return i;
    return 0;
}

/// Sum of exp(x - max), stored to `out` unless it is null. Always 16 partial sums per block of 256 values, whatever the
/// lane count, so that the order is one and the same for every instruction set.
static double row_exp_sum(const float *x, int32_t n, float max, float *out) {
    enum { vectors = 16 / MK_LANES };
    const vf m = vf_set(max);
    double total = 0;
    for (int32_t start = 0; start < n; start += 256) {
        const int32_t end = n - start < 256 ? n : start + 256;
        vf sum[vectors];
        MK_UNROLL for (int v = 0; v < vectors; v++) sum[v] = vf_set(0);
        for (int32_t i = start; i < end; i += 16) {
            MK_UNROLL for (int v = 0; v < vectors; v++) {
                const int32_t at = i + v * MK_LANES, left = end - at;
                if (left >= MK_LANES) {
                    const vf e = vf_exp(vf_load(x + at) - m);
                    if (out) vf_store(out + at, e);
                    sum[v] += e;
                } else if (left > 0) {
                    const vf e = vf_exp(load_partial(x + at, left, -INFINITY) - m);
                    if (out) memcpy(out + at, &e, (size_t)left * sizeof(float));
                    sum[v] += e;
                }
            }
        }
        float lanes[16];
        MK_UNROLL for (int v = 0; v < vectors; v++) vf_store(lanes + v * MK_LANES, sum[v]);
        MK_UNROLL for (int width = 8; width > 0; width /= 2)
            MK_UNROLL for (int i = 0; i < width; i++) lanes[i] += lanes[i + width];
        total += lanes[0];
    }
    return total;
}

static void row_scale(float *x, int32_t n, float temperature) {
    for (int32_t i = 0; i < n; i++) x[i] /= temperature;
}

static void row_floor(float *x, int32_t n, float threshold) {
    for (int32_t i = 0; i < n; i++) x[i] = x[i] >= threshold ? x[i] : -INFINITY;
}

static int32_t row_count_greater(const float *x, int32_t n, float value) {
    int32_t count = 0;
    for (int32_t i = 0; i < n; i++) count += x[i] > value;
    return count;
}

/// Sum of the values greater than `value`, in the order of `row_exp_sum`, and how many they are.
static double row_sum_greater(const float *x, int32_t n, float value, int32_t *count) {
    enum { vectors = 16 / MK_LANES };
    const vf limit = vf_set(value);
    vi counts[vectors];
    MK_UNROLL for (int v = 0; v < vectors; v++) counts[v] = (vi)vf_set(0);
    double total = 0;
    for (int32_t start = 0; start < n; start += 256) {
        const int32_t end = n - start < 256 ? n : start + 256;
        vf sum[vectors];
        MK_UNROLL for (int v = 0; v < vectors; v++) sum[v] = vf_set(0);
        for (int32_t i = start; i < end; i += 16) {
            MK_UNROLL for (int v = 0; v < vectors; v++) {
                const int32_t at = i + v * MK_LANES, left = end - at;
                if (left <= 0) continue;
                const vf e = left >= MK_LANES ? vf_load(x + at) : load_partial(x + at, left, -INFINITY);
                const vi is = (vi)(e > limit);
                counts[v] -= is;
                sum[v] += vf_select(is, e, vf_set(0));
            }
        }
        float lanes[16];
        MK_UNROLL for (int v = 0; v < vectors; v++) vf_store(lanes + v * MK_LANES, sum[v]);
        MK_UNROLL for (int width = 8; width > 0; width /= 2)
            MK_UNROLL for (int i = 0; i < width; i++) lanes[i] += lanes[i + width];
        total += lanes[0];
    }
    *count = 0;
    MK_UNROLL for (int v = 0; v < vectors; v++) *count += __builtin_reduce_add(counts[v]);
    return total;
}

/// First index at or after `from` whose value is greater than `value`; n if there is none.
static int32_t row_next_greater(const float *x, int32_t from, int32_t n, float value) {
    const vf v = vf_set(value);
    int32_t i = from;
    for (; i + MK_LANES <= n; i += MK_LANES)
        if (__builtin_reduce_or((vi)(vf_load(x + i) > v))) break;
    for (; i < n; i++)
        if (x[i] > value) return i;
    return n;
}

/// Groups lie across the lanes, so that no vector is searched.
static int32_t row_group_max(const float *x, int32_t n, int32_t group, float *out) {
    int32_t groups = 0;
    for (int32_t i = 0; i < n; i += group * MK_LANES, groups += MK_LANES) {
        vf m = vf_set(-INFINITY);
        for (int32_t j = i; j < n && j < i + group * MK_LANES; j += MK_LANES)
            m = vf_max(n - j >= MK_LANES ? vf_load(x + j) : load_partial(x + j, n - j, -INFINITY), m);
        vf_store(out + groups, m);
    }
    return groups;
}

static void row_mask(float *x, int32_t n, const uint32_t *bits) {
    for (int32_t word = 0; word * 32 < n; word++) {
        const uint32_t b = bits[word];
        const int32_t count = n - word * 32 < 32 ? n - word * 32 : 32;
        if (b == UINT32_MAX) continue;
        float *p = x + word * 32;
        for (int32_t i = 0; i < count; i++) p[i] = (b >> i & 1) ? p[i] : -INFINITY;
    }
}
