// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/*
 * The cache-tag algebra: which sets of commands remove every entry that a request makes stale.
 *
 * A need is "no entry of this cache with these tags and classes may survive". A row covers a part
 * of a need if one of its guaranteed removals has the cache, reaches those classes, and matches
 * only tags that are known. A plan is a set of rows that covers every class of every need; the best
 * one is searched for among all of them, with what each row costs on this range.
 */
#ifndef XINV_CORE_COVER_H
#define XINV_CORE_COVER_H

#include "core/backend.h"

#define XINV_MAX_NEEDS      16
#define XINV_MAX_ATOMS      64
#define XINV_MAX_CANDIDATES 80
#define XINV_MAX_ROWS       16

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

/* Which value a row's operands take where needs disagree: one row with two of these is two
 * commands. */
struct xinv_operand_choice {
    uint8_t zero;  /* tags that are 0 */
    uint8_t flags; /* XINV_NEED_NEW_DID; XINV_NEED_ALIASES does not exclude anything */
};

/* A row that covers something of a shape. An atom is a part of a need that every candidate covers
 * whole or not at all. */
struct xinv_candidate {
    uint64_t covers; /* atoms */
    uint64_t excess; /* entries removed beyond the shape */
    /* set by the caller before the search: */
    uint64_t commands; /* what the row costs; 0: it cannot be used */
    uint32_t blocks;   /* of the range, for one attachment: the caller's own */
    uint8_t row;
    uint8_t listed; /* it covers some need only through the list of a tag's live values */
    uint8_t phase;
    uint8_t lost; /* tags that the request knew and the row does not match, in what it covers */
    uint8_t must; /* 1 << cache: it certainly removes entries beyond the shape there */
    uint8_t may;  /* 1 << cache: it may */
    struct xinv_operand_choice choice;
};

struct xinv_candidates {
    uint64_t atoms; /* all that must be covered */
    uint8_t n_atoms;
    uint8_t n;
    uint8_t need_of[XINV_MAX_ATOMS];
    struct xinv_candidate c[XINV_MAX_CANDIDATES]; /* in table order */
};

struct xinv_cover {
    uint64_t excess;
    uint64_t commands;
    uint8_t syncs;
    uint8_t listed;
    uint8_t phases; /* mask of 1 << enum xinv_phase */
    uint8_t n;
    uint8_t chosen[XINV_MAX_ROWS]; /* indices of candidates */
};

xinv_classes xinv_classes_expand(xinv_axes axes);

/* xinv_candidates_find - the rows that cover some part of a shape */
void xinv_candidates_find(const struct xinv_iommu *iommu, const struct xinv_shape *shape,
                          struct xinv_candidates *found);

/*
 * xinv_cover_best - the best plan
 * @syncs: for each mask of phases, the syncs that it takes: fewest syncs, then fewest commands,
 * then least excess. NULL: least excess, then fewest commands. In both, rows that need no list of
 * live tags then go first, and then table order. returns: true; false if the usable candidates
 * leave something open
 */
bool xinv_cover_best(const struct xinv_candidates *found, const uint8_t *syncs,
                     struct xinv_cover *best);

/*
 * xinv_cover_syncs - the syncs that a plan takes, for each mask of its phases, as emission places
 * them
 * @again: how often more than once each phase goes out
 */
void xinv_cover_syncs(const struct xinv_vendor *vendor, const uint8_t again[XINV_NPHASES],
                      uint8_t syncs[1 << XINV_NPHASES]);

/* xinv_cover_open - index of the first need that the usable candidates leave open; 0 if none */
unsigned xinv_cover_open(const struct xinv_candidates *found);

/* xinv_row_confined - does a row stay within its user's entries in every cache where entries have a
 * user? */
bool xinv_row_confined(const struct xinv_vendor *v, const struct xinv_command_def *cmd);

/* xinv_row_matches - the tags that a row matches on when it removes entries of a need */
uint8_t xinv_row_matches(const struct xinv_iommu *iommu, unsigned row,
                         const struct xinv_need *need);

/* xinv_row_excess - what a row removes beyond a shape; must or may: mask of 1 << cache, added to */
uint64_t xinv_row_excess(const struct xinv_iommu *iommu, unsigned row,
                         struct xinv_operand_choice choice, const struct xinv_shape *shape,
                         uint8_t *must, uint8_t *may);

#endif
