// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/* Where in a range there are entries, and how large they can be. */
#include "model/stale.h"

unsigned stale_granule(const struct stale_maker *m)
{
    unsigned leaf = m->request->log2_leaf_size;

    if (m->request->log2_granule)
        return m->request->log2_granule;
    if (m->config->vendor != MODEL_SMMUV3)
        return 12;
    return leaf == 14 || leaf == 25 || leaf == 36 ? 14 : leaf == 16 || leaf == 29 ? 16 : 12;
}

/* Input sizes: 48 bits of a VA with its sign, 48 bits of an IPA; 52 on AMD-Vi. */
bool stale_exists(const struct stale_maker *m, enum model_walk walk, uint64_t address)
{
    if (walk == MODEL_FIRST || walk == MODEL_BOTH)
        return !(address >> 47) || address >> 47 == UINT64_MAX >> 47;
    return !(address >> (m->config->vendor == MODEL_AMDVI ? 52 : 48));
}

/* Bases of the blocks of 2^log2 bytes that lie in the range, or (within false) touch it. */
unsigned stale_blocks(const struct stale_maker *m, enum model_walk walk, unsigned log2, bool within,
                      uint64_t at[STALE_BLOCKS])
{
    static const uint64_t samples[] = {0, UINT64_C(0x40000000), UINT64_C(0x7ffffffff000),
                                       UINT64_C(0xfffffffffffff000)};
    static const uint64_t edges[] = {UINT64_C(0x7ffffffff000), UINT64_C(0xffff800000000000),
                                     UINT64_C(0xfffffffff000), UINT64_C(0xffffffffff000)};
    uint64_t first = m->request->first >> log2;
    uint64_t last = m->request->last >> log2;
    unsigned n = 0;

    if (!m->ranged) {
        for (unsigned i = 0; i < sizeof(samples) / sizeof(samples[0]); i++)
            if (stale_exists(m, walk, samples[i]))
                at[n++] = model_base(samples[i], log2);
        return n;
    }
    if (within && first << log2 < m->request->first && first++ == last)
        return 0;
    if (within && model_last(last << log2, log2) > m->request->last && last-- == first)
        return 0;
    /* the first ones, the last ones, and those at the ends of what an address can be */
    for (uint64_t i = first, tried = 0; tried < m->most; tried++, i++) {
        if (tried == m->most / 2 && last - i > m->most - tried)
            i = last - (m->most - tried) + 1;
        if (stale_exists(m, walk, i << log2))
            at[n++] = i << log2;
        if (i == last)
            return n;
    }
    for (unsigned e = 0; e < sizeof(edges) / sizeof(edges[0]) && n < STALE_BLOCKS; e++) {
        uint64_t i = edges[e] >> log2;

        if (i >= first && i <= last && stale_exists(m, walk, i << log2))
            at[n++] = i << log2;
    }
    return n;
}

unsigned stale_leaf_sizes(const struct stale_maker *m, uint8_t sizes[4])
{
    unsigned g = stale_granule(m);
    unsigned largest = m->request->log2_leaf_size ? m->request->log2_leaf_size : g;
    unsigned smallest = m->request->log2_smallest_leaf ? m->request->log2_smallest_leaf : g;
    unsigned n = 0;

    for (unsigned k = 0; k < 3; k++) {
        unsigned size = g + k * (g - 3);

        if (!m->ranged || (size >= smallest && size <= largest))
            sizes[n++] = (uint8_t)size;
    }
    /* AMD-Vi host tables have leaves of any power of two */
    if (m->ranged && m->config->vendor == MODEL_AMDVI && largest > g && !n)
        sizes[n++] = (uint8_t)largest;
    return n;
}
