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

/* Not inlined, so that what it keeps on the stack is gone before the calls beside it. */
#define XINV_OWN_FRAME __attribute__((noinline))

#define XINV_MAX_NEEDS      16
#define XINV_MAX_ATOMS      32
#define XINV_MAX_PARTS      16 /* atoms of one need */
#define XINV_MAX_CANDIDATES 24
#define XINV_MAX_ROWS       12

/* A set of classes that need not be a product: one bit per combination of axis values. */
typedef uint64_t xinv_classes;

struct xinv_need {
    xinv_axes classes;
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

/*
 * A row, and which value its operands take where needs disagree: one row with two of these is two
 * commands.
 */
typedef uint16_t xinv_choice;

#define XINV_CHOICE_FLAGS (XINV_NEED_ALIASES | XINV_NEED_NEW_DID)

/* @zero: tags that are 0; @flags: of XINV_CHOICE_FLAGS */
static inline xinv_choice xinv_choice_of(unsigned row, unsigned zero, unsigned flags)
{
    return (xinv_choice)(zero << 8 | flags << 3 | row); /* of XINV_MAX_COMMANDS */
}

static inline unsigned xinv_choice_row(xinv_choice choice)
{
    return choice % XINV_MAX_COMMANDS;
}

static inline uint8_t xinv_choice_zero(xinv_choice choice)
{
    return (uint8_t)(choice >> 8);
}

static inline uint8_t xinv_choice_flags(xinv_choice choice)
{
    return choice >> 3 & XINV_CHOICE_FLAGS;
}

/*
 * The rows that cover something of a shape, each with a choice of operands. An atom is a part of a
 * need that every candidate covers whole or not at all.
 */
struct xinv_candidates {
    const struct xinv_rung *c; /* in table order */
    uint32_t atoms;            /* all that must be covered */
    uint8_t n;
    uint8_t end[XINV_MAX_NEEDS]; /* the number of the atom behind each need's last one; not of a
                                    ladder */
    /* set by the caller before the search: what a row costs; 0: it cannot be used; saturates */
    uint32_t commands[XINV_MAX_CANDIDATES];
};

struct xinv_price {
    uint64_t excess;
    uint64_t commands;
    uint8_t syncs;
    uint8_t listed;
    uint8_t phases; /* mask of 1 << enum xinv_phase */
};

struct xinv_cover {
    struct xinv_price price;
    uint8_t n;
    uint8_t chosen[XINV_MAX_ROWS]; /* indices of candidates */
};

/* What a plan's syncs depend on beside its phases. */
struct xinv_sync_rule {
    const struct xinv_vendor *vendor;
    uint8_t again[XINV_NPHASES]; /* how often more than once each phase goes out */
};

xinv_classes xinv_classes_expand(xinv_axes axes);

/*
 * xinv_candidates_find - the rows that cover some part of a shape
 * @rung: the caller's memory for them
 */
void xinv_candidates_find(const struct xinv_iommu *iommu, const struct xinv_shape *shape,
                          struct xinv_rung rung[XINV_MAX_CANDIDATES],
                          struct xinv_candidates *found);

/*
 * xinv_cover_best - the best plan
 * @rule: fewest syncs, then fewest commands, then least excess. NULL: least excess, then fewest
 * commands. In both, rows that need no list of live tags then go first, and then table order.
 * returns: true; false if the usable candidates leave something open
 */
bool xinv_cover_best(const struct xinv_candidates *found, const struct xinv_sync_rule *rule,
                     struct xinv_cover *best);

/* xinv_cover_open - index of the first need that the usable candidates leave open; 0 if none */
unsigned xinv_cover_open(const struct xinv_candidates *found);

/* xinv_row_confined - does a row stay within its user's entries in every cache where entries have a
 * user? */
bool xinv_row_confined(const struct xinv_vendor *v, const struct xinv_command_def *cmd);

/* xinv_row_matches - the tags that a row matches on when it removes entries of a need */
uint8_t xinv_row_matches(const struct xinv_iommu *iommu, unsigned row,
                         const struct xinv_need *need);

/* xinv_row_excess - what a row with a choice of operands removes beyond a shape: fills in its
 * excess, must and may */
void xinv_row_excess(const struct xinv_iommu *iommu, const struct xinv_shape *shape,
                     struct xinv_rung *c);

#endif
