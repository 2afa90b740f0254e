// What the loop over K asks for before it needs it.
#ifndef MARTLET_ISA_FETCH_H
#define MARTLET_ISA_FETCH_H

enum fetching {
    fetch_nothing,
    /// Its own weights, as far ahead as it takes memory to answer: the hardware does not look across a page by itself.
    fetch_near,
    /// Part of what comes after the range, into the second-level cache, while weights of the range are read again: for
    /// further rows, or for further columns where a pass does not take all of them.
    fetch_far,
};

enum {
    /// Parts into which the fetching of the next range is divided at most.
    most_fetching = 4,
};

/// `w` is where the loop is, `far` what it asks for meanwhile; `ahead` is the distance to what is near, in bytes.
MK_INLINE void fetch(const enum fetching mode, const int ahead, const char *w, const char *far) {
    if (mode == fetch_near)
        MK_UNROLL for (int line = 0; line < pass_columns * 4; line += 64) __builtin_prefetch(w + ahead + line);
    if (mode == fetch_far) __builtin_prefetch(far, 0, 2);
}

#endif
