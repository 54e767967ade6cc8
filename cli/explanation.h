// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/* Why one request became these commands, as a page and as JSON (docs/json.md). */
#ifndef XINV_CLI_EXPLANATION_H
#define XINV_CLI_EXPLANATION_H

#include "cli/text.h"
#include "cli/translation.h"

/* All take a translation with an explanation, after translation_run(), also where that failed. */
void explanation_print(const struct translation *t);
cJSON *explanation_json(const struct translation *t);

/* explanation_status - "exact", "widened", "impossible" or "nothing" (no command is needed) */
const char *explanation_status(const struct translation *t);

/* explanation_request - the change or the explicit request in words */
void explanation_request(const struct request *r, struct text *text);

/* explanation_features - the features that this answer hangs on: a bit each */
uint64_t explanation_features(const struct translation *t);

/* A set of classes by its axes. */
struct explanation_axis {
    const char *name;
    const char *values[5]; /* NULL ends */
};

/*
 * explanation_axis - the values of one axis that some class of a set has
 * @cache: axes that it has one value of say nothing, and are left out
 * returns: false past the last axis
 */
bool explanation_axis(const struct xinv_cache_def *cache, xinv_axes classes, unsigned axis,
                      struct explanation_axis *found);

/* A row that has to do with a need. */
struct explanation_row {
    unsigned row;
    enum xinv_obstacle obstacle; /* XINV_ROW_COVERS: the rest is given */
    uint8_t unknown;             /* tags, XINV_ROW_UNKNOWN_TAG */
    bool chosen;
    bool partly; /* it reaches a part of the need */
    const struct xinv_rung *candidate;
    uint32_t commands;   /* that it comes to; 0: it cannot say the range */
    uint8_t matches;     /* tags that it matches on */
    uint8_t loses;       /* tags that were known and it does not match on */
    uint8_t must_beyond; /* 1 << cache: what else it removes */
    uint8_t may_beyond;
};

/*
 * explanation_row - the rows of a need, in table order
 * @next: 0 at first; moved on
 * returns: false after the last
 */
bool explanation_row(const struct xinv_iommu *iommu, const struct xinv_explained *explained,
                     unsigned need, unsigned *next, struct explanation_row *found);

/* explanation_tag - the value that a need knows of a tag, 0 where the table says so */
uint64_t explanation_tag(const struct translation *t, const struct xinv_explained *explained,
                         const struct xinv_need *need, unsigned tag);

#endif
