// Compressed bfloat16 back to what it was, for a range of pairs.

#if MK_LANES == 16
typedef uint8_t vbytes __attribute__((ext_vector_type(64)));
#define MK_LOOKUP(table, index) ((vbytes)_mm512_shuffle_epi8((__m512i)(table), (__m512i)(index)))
#define MK_LOW(a, b) ((vbytes)_mm512_unpacklo_epi8((__m512i)(a), (__m512i)(b)))
#define MK_HIGH(a, b) ((vbytes)_mm512_unpackhi_epi8((__m512i)(a), (__m512i)(b)))
#elif MK_LANES == 8
typedef uint8_t vbytes __attribute__((ext_vector_type(32)));
#define MK_LOOKUP(table, index) ((vbytes)_mm256_shuffle_epi8((__m256i)(table), (__m256i)(index)))
#define MK_LOW(a, b) ((vbytes)_mm256_unpacklo_epi8((__m256i)(a), (__m256i)(b)))
#define MK_HIGH(a, b) ((vbytes)_mm256_unpackhi_epi8((__m256i)(a), (__m256i)(b)))
#else
typedef uint8_t vbytes __attribute__((ext_vector_type(16)));
#define MK_LOOKUP(table, index) ((vbytes)vqtbl1q_u8((uint8x16_t)(table), (uint8x16_t)(index)))
#define MK_LOW(a, b) ((vbytes)vzip1q_u8((uint8x16_t)(a), (uint8x16_t)(b)))
#define MK_HIGH(a, b) ((vbytes)vzip2q_u8((uint8x16_t)(a), (uint8x16_t)(b)))
#endif

/// The upper bytes of a panel's numbers by index, for every lookup of 16.
MK_INLINE vbytes load_uppers(const compressed_header *header) {
    uint8_t uppers[sizeof(vbytes)];
    for (size_t i = 0; i < sizeof(vbytes); i++) uppers[i] = header->uppers[i % 16];
    vbytes v;
    memcpy(&v, uppers, sizeof uppers);
    return v;
}

/// Lower bytes to bfloat16 at the two places that `compressed_byte` means for them.
MK_INLINE void expand_bytes(vbytes uppers, vbytes low, vbytes index, char *to) {
    const vbytes high = MK_LOOKUP(uppers, index);
    const vbytes first = MK_LOW(low, high), second = MK_HIGH(low, high);
    memcpy(to, &first, sizeof first);
    memcpy(to + panel_step_bytes / 2, &second, sizeof second);
}

MK_INLINE vbytes load_bytes(const uint8_t *p) {
    vbytes v;
    memcpy(&v, p, sizeof v);
    return v;
}

/// Two pairs of inputs of all columns.
MK_INLINE void expand_step(vbytes uppers, const uint8_t *from, char *to) {
    MK_UNROLL for (size_t at = 0; at < 64; at += sizeof(vbytes)) {
        const vbytes indices = load_bytes(from + 128 + at);
        expand_bytes(uppers, load_bytes(from + at), indices & 0x0F, to + at);
        expand_bytes(uppers, load_bytes(from + 64 + at), indices >> 4, to + panel_step_bytes + at);
    }
}

#undef MK_LOOKUP
#undef MK_LOW
#undef MK_HIGH

/// A panel that is being read from its first pair to its last.
typedef struct compressed_panel {
    vbytes uppers;
    const uint8_t *steps;
    /// Numbers of the pairs kept whole that are still to come, and what they are.
    const int32_t *numbers, *numbers_end;
    const char *whole;
} compressed_panel;

static inline compressed_panel open_panel(const mk_weights *w, int32_t panel) {
    const compressed_header *header = (const compressed_header *)panel_at(w, panel);
    const int32_t *numbers = (const int32_t *)((const char *)w->data + header->whole);
    return (compressed_panel){
        .uppers = load_uppers(header),
        .steps = (const uint8_t *)(header + 1),
        .numbers = numbers,
        .numbers_end = numbers + header->whole_count,
        .whole = (const char *)numbers + whole_pair_numbers_bytes(header->whole_count),
    };
}

/// Goes on to pair `first`: pairs kept whole before it are over.
static inline void skip_pairs(compressed_panel *p, int32_t first) {
    while (p->numbers < p->numbers_end && *p->numbers < first) p->numbers++, p->whole += panel_step_bytes;
}

/// Pairs from `first` on, an even number, in the layout of bfloat16 panels; writes up to one pair more. Ranges must be
/// taken in ascending order.
MK_INLINE void expand_pairs(compressed_panel *p, int32_t first, int32_t count, char *to) {
    const uint8_t *from = p->steps + (size_t)(first / 2) * compressed_step_bytes;
    for (int32_t i = 0; i < count; i += 2, from += compressed_step_bytes) {
        MK_UNROLL for (int line = 0; line < 3; line++) __builtin_prefetch(from + MK_PREFETCH_BYTES + 64 * line);
        expand_step(p->uppers, from, to + (size_t)i * panel_step_bytes);
    }
    for (; p->numbers < p->numbers_end && *p->numbers < first + count; p->numbers++, p->whole += panel_step_bytes)
        memcpy(to + (size_t)(*p->numbers - first) * panel_step_bytes, p->whole, panel_step_bytes);
}
