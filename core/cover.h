// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/*
 * The cache-tag algebra: which sets of commands remove every entry that a request makes stale.
 *
 * A need is "no entry of this cache with these tags and classes may survive". A row covers a part
 * of a need if one of its guaranteed removals has the cache, reaches those classes, and matches
 * only tags that are known. A plan is a set of rows that covers every class of every need. Plans
 * are kept from precise to broad: a ladder.
 */
#ifndef XINV_CORE_COVER_H
#define XINV_CORE_COVER_H

#include "core/backend.h"

#define XINV_MAX_NEEDS 8
#define XINV_MAX_ROWS  6
#define XINV_MAX_RUNGS 6

/* A set of classes that need not be a product: one bit per combination of axis values. */
typedef uint64_t xinv_classes;

struct xinv_need {
    xinv_classes classes;
    uint8_t cache;
    uint8_t known;  /* tags with one known value */
    uint8_t listed; /* tags whose every live value is among the attachments */
    uint8_t report; /* tags that the request knew, as far as they label this cache */
    uint8_t zero;   /* known tags that are 0 whatever the attachment says */
    uint8_t flags;  /* XINV_NEED_* that change operands: ALIASES, NEW_DID */
};

struct xinv_shape {
    uint8_t n;
    uint8_t beyond; /* commands that reach other users' entries are allowed */
    struct xinv_need need[XINV_MAX_NEEDS];
};

struct xinv_rung {
    uint64_t excess;
    uint8_t n;
    uint8_t n_ranged; /* rows that take the address */
    uint8_t n_listed; /* rows that go out once for every live value of a tag */
    uint8_t phases;   /* mask of 1 << enum xinv_phase */
    uint8_t row[XINV_MAX_ROWS];
};

struct xinv_ladder {
    uint8_t n;
    struct xinv_rung rung[XINV_MAX_RUNGS]; /* by excess, smallest first */
};

xinv_classes xinv_classes_expand(xinv_axes axes);

/*
 * xinv_ladder_build - the plans for a shape that no other plan beats in excess, in commands and in
 * syncs at once returns: how many; 0: nothing covers the shape, and *uncovered is the index of a
 * need that cannot be covered
 */
unsigned xinv_ladder_build(const struct xinv_iommu *iommu, const struct xinv_shape *shape,
                           struct xinv_ladder *ladder, unsigned *uncovered);

/* xinv_row_covers - the classes of a need that a row certainly removes */
xinv_classes xinv_row_covers(const struct xinv_iommu *iommu, unsigned row,
                             const struct xinv_need *need);

/* xinv_row_matches - the tags that a row matches on when it removes entries of a need */
uint8_t xinv_row_matches(const struct xinv_iommu *iommu, unsigned row,
                         const struct xinv_need *need);

/* xinv_row_excess - what a row removes beyond a shape; must or may: mask of 1 << cache, added to */
uint64_t xinv_row_excess(const struct xinv_iommu *iommu, unsigned row,
                         const struct xinv_shape *shape, uint8_t *must, uint8_t *may);

#endif
