// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/*
 * Ranges as blocks: how first..last is said by a command that takes one block of addresses. No
 * vendor knowledge.
 *
 * n pages, of which one command says at most M; each figure is proved by comparison with a search
 * of every way on small spaces (tests/unit/test_range.c):
 *
 *   blocks            exact                          at most k                   latency
 *   POW2: 2^order     fewest; n <= M: at most        least waste of all ways;    fewest, then
 *   pages, aligned    2 * floor(log2(n)), n > 1;     k >= 2: below n / 2^j,      least waste;
 *                     otherwise n / M more           j = floor(k / 2) - 1        n <= M: 1 block
 *   SCALED: (NUM + 1) fewest; n <= M: 1 or 2;        k = 1: as latency;          n <= M: 1, waste
 *   << SCALE granules otherwise ceil(n / M)          k >= 2: exact               at most n / 16
 *   PAGE: one         n                              n                           n
 *
 * A range that more than k blocks of M cannot say is refused. SCALED commands may overlap, since
 * they need no alignment: where two windows of five bits do not make up n, one command from the
 * start and one up to the end do.
 */
#ifndef XINV_CORE_RANGE_H
#define XINV_CORE_RANGE_H

#include <xinv/prepared.h>

#include "core/backend.h"
#include "core/bits.h"

/*
 * A cut in progress. Invariant: units unit..last_unit are still to be said; everything of the range
 * before `unit` has been. A unit is a 4 KiB page (POW2) or a granule (PAGE, SCALED). The policy has
 * widened the range before the first block, and the blocks then say it exactly.
 */
struct xinv_cut {
    uint64_t unit;
    uint64_t last_unit;
    uint8_t kind;
    uint8_t log2_unit;
    uint8_t max_order;
    bool begun; /* something lies before `unit`, and may be said twice */
    bool done;
};

/*
 * xinv_cut_begin - starts a cut
 * returns: true; false if these blocks cannot say the range (a leaf larger than the largest block,
 * or more blocks than allowed)
 */
bool xinv_cut_begin(struct xinv_cut *cut, const struct xinv_cut_request *request);

/* xinv_cut_blocks - how many blocks a cut has that was begun, and the 4 KiB pages that they cover,
 * each once */
uint64_t xinv_cut_blocks(const struct xinv_cut *cut, uint64_t *pages);

/* xinv_cut_next - the next block, or false after the last */
bool xinv_cut_next(struct xinv_cut *cut, struct xinv_block *block);

/*
 * xinv_cut_count - how many blocks a cut has, and the 4 KiB pages that they cover, each once
 * returns: 0 if the range cannot be said; limit + 1 if there are more than `limit`
 */
uint64_t xinv_cut_count(const struct xinv_cut_request *request, uint64_t limit, uint64_t *pages);

/* xinv_pages - 4 KiB pages that first..last touches: at most 2^52 */
static inline uint64_t xinv_pages(uint64_t first, uint64_t last)
{
    return (last >> 12) - (first >> 12) + 1;
}

#endif
