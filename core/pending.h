// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/*
 * Ranges of one domain that wait for their invalidation: what touches or overlaps is one range.
 *
 * They live in the nodes of the session's mappings. A range that waits takes the place of the
 * mappings that it stood for, so that a batch needs no memory of its own.
 */
#ifndef XINV_CORE_PENDING_H
#define XINV_CORE_PENDING_H

#include <xinv/xinv.h>

#include "core/map.h"

/* Ranges that differ in what is stale beside their leaves are not made one. */
enum xinv_pending_kind {
    XINV_PENDING_TABLES, /* table pages may have come or gone; every leaf lies within the range */
    XINV_PENDING_LEAVES, /* leaves alone, which lie within */
    XINV_PENDING_SHARED, /* a leaf may reach beyond the range: it was shared with others */
    XINV_PENDING_KINDS
};

struct xinv_pending {
    uint32_t root[XINV_PENDING_KINDS];
    uint8_t log2_shared; /* the largest leaf of XINV_PENDING_SHARED */
    uint8_t log2_leaf;   /* the largest leaf of any */
};

struct xinv_pending_range {
    uint64_t first;
    uint64_t last;
    uint64_t pages;    /* 4 KiB pages of first..last that are stale; the rest are gaps */
    uint8_t from;      /* XINV_FROM_* */
    uint8_t log2_leaf; /* the largest; 0: 4 KiB */
    uint16_t flags;    /* XINV_REQ_LEAF_ONLY, XINV_REQ_LEAVES_WITHIN */
};

static inline bool xinv_pending_any(const struct xinv_pending *pending)
{
    return pending->root[XINV_PENDING_TABLES] != XINV_NIL ||
           pending->root[XINV_PENDING_LEAVES] != XINV_NIL ||
           pending->root[XINV_PENDING_SHARED] != XINV_NIL;
}

void xinv_pending_init(struct xinv_pending *pending);

/* xinv_pending_add - adds a range (pages is not looked at); one node must be free. O(log n),
 * amortised. */
void xinv_pending_add(struct xinv_map_store *store, struct xinv_pending *pending,
                      const struct xinv_pending_range *range);

/* xinv_pending_meets - is some address of first..last among those that wait, or in a leaf that was
 * removed with them? */
bool xinv_pending_meets(const struct xinv_map_store *store, const struct xinv_pending *pending,
                        uint64_t first, uint64_t last);

void xinv_pending_clear(struct xinv_map_store *store, struct xinv_pending *pending);

/* Which gaps between ranges are closed, so that fewer ranges say them all. */
struct xinv_gaps {
    bool close; /* false: none, not even between ranges that touch */
    uint64_t
        under; /* those of fewer bytes, and, beyond the first `open` of them, those of as many */
    uint32_t open;
};

/*
 * xinv_gaps_choose - closes the smallest gaps, until there are at most so many ranges
 * @most: 1..XINV_MAX_BLOCKS
 * returns: the number of ranges
 */
uint32_t xinv_gaps_choose(const struct xinv_map_store *store, const struct xinv_pending *pending,
                          unsigned most, struct xinv_gaps *gaps);

/* A walk over all ranges in the order of their first addresses. */
struct xinv_pending_walk {
    const struct xinv_map_store *store;
    uint32_t node[XINV_PENDING_KINDS];
    struct xinv_gaps gaps;
};

void xinv_pending_begin(struct xinv_pending_walk *walk, const struct xinv_map_store *store,
                        const struct xinv_pending *pending, const struct xinv_gaps *gaps);

/* xinv_pending_next - the next range, or false after the last */
bool xinv_pending_next(struct xinv_pending_walk *walk, struct xinv_pending_range *range);

/* xinv_pending_count - how many ranges a walk has; stops counting above `limit` */
uint32_t xinv_pending_count(const struct xinv_map_store *store, const struct xinv_pending *pending,
                            uint32_t limit);

#endif
