// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/*
 * Ranges as blocks: how first..last is said by a command that takes one block of addresses. No
 * vendor knowledge.
 */
#ifndef XINV_CORE_RANGE_H
#define XINV_CORE_RANGE_H

#include "core/backend.h"

#define XINV_MAX_PIECES XINV_MAX_BLOCKS

/* What a cut depends on. */
struct xinv_cut_request {
    struct xinv_range_spec spec;
    uint8_t policy;       /* enum xinv_policy_kind */
    uint8_t blocks;       /* XINV_POLICY_AT_MOST */
    uint8_t log2_granule; /* PAGE and SCALED */
    uint8_t log2_step;    /* PAGE: one address for so many bytes is enough; at least the granule */
    uint8_t log2_leaf;    /* largest leaf removed */
    bool leaves_within;   /* no such leaf reaches beyond the range */
    uint64_t first;
    uint64_t last;
};

/*
 * A cut in progress. Invariant: units unit..last_unit are still to be said; everything of the range
 * before `unit` has been. A unit is a 4 KiB page (POW2) or a granule (PAGE, SCALED).
 */
struct xinv_cut {
    uint64_t unit;
    uint64_t last_unit;
    uint8_t kind;
    uint8_t log2_unit;
    uint8_t mode;
    uint8_t max_order;
    uint8_t order;  /* latency, POW2: the one order */
    uint8_t pieces; /* at-most: pieces left */
    uint8_t piece;  /* at-most, POW2: next of `piece_first` */
    bool done;
    uint64_t piece_first[XINV_MAX_PIECES]; /* at-most, POW2: page and order of each block */
    uint8_t piece_order[XINV_MAX_PIECES];
};

/*
 * xinv_cut_begin - starts a cut
 * returns: true; false if these blocks cannot say the range (a leaf larger than the largest block,
 * or more blocks than allowed)
 */
bool xinv_cut_begin(struct xinv_cut *cut, const struct xinv_cut_request *request);

/* xinv_cut_next - the next block, or false after the last */
bool xinv_cut_next(struct xinv_cut *cut, struct xinv_block *block);

/*
 * xinv_cut_count - how many blocks a cut has, and the 4 KiB pages that they cover (saturating)
 * returns: 0 if the range cannot be said; stops counting above `limit` blocks and returns limit + 1
 */
uint64_t xinv_cut_count(const struct xinv_cut_request *request, uint64_t limit, uint64_t *pages);

/* xinv_pages - 4 KiB pages that first..last touches; saturates at UINT64_MAX only in theory: at
 * most 2^52 */
uint64_t xinv_pages(uint64_t first, uint64_t last);

#endif
