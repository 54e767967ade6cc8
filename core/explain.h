// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/*
 * Why a request became these commands: what the planner worked with, in the caller's memory. For
 * tools that show it; nothing else in the library uses this.
 */
#ifndef XINV_CORE_EXPLAIN_H
#define XINV_CORE_EXPLAIN_H

#include "core/cover.h"

#define XINV_MAX_EXPLAINED 16

/* One shape of the request's attachments, with the plan for it. */
struct xinv_explained {
    size_t at;    /* the first attachment that has it */
    uint32_t key; /* attachments of one key share their plan */
    bool covered; /* false: no set of rows covers the needs, and `chosen` says nothing */
    struct xinv_shape shape;
    struct xinv_candidates found; /* points to `rung` */
    struct xinv_rung rung[XINV_MAX_CANDIDATES];
    struct xinv_cover chosen;
};

struct xinv_explanation {
    unsigned n;
    bool more; /* there are more shapes than fit */
    struct xinv_explained shape[XINV_MAX_EXPLAINED];
};

/*
 * xinv_explain - as xinv_translate(), and says how the plans came about
 * @explanation: filled in as far as planning came, also on an error
 */
int xinv_explain(const struct xinv_iommu *iommu, const struct xinv_attachment *attachments,
                 size_t n, const struct xinv_request *request, const struct xinv_policy *policy,
                 const struct xinv_completion *completion, struct xinv_out *out,
                 struct xinv_report *report, struct xinv_explanation *explanation);

/* xinv_explained_lost - tags of a need that the request knew and the chosen rows do not match on */
uint8_t xinv_explained_lost(const struct xinv_iommu *iommu, const struct xinv_explained *explained,
                            unsigned need);

/* xinv_explained_part - the atoms of a need */
uint32_t xinv_explained_part(const struct xinv_explained *explained, unsigned need);

/* What stands between a row and a need; the first that applies. */
enum xinv_obstacle {
    XINV_ROW_COVERS,      /* nothing: the row removes all of the need's entries, or a part */
    XINV_ROW_UNRELATED,   /* it removes nothing of these entries on any IOMMU */
    XINV_ROW_MISSING,     /* this IOMMU does not have it */
    XINV_ROW_UNKNOWN_TAG, /* it matches on a tag whose value is not known */
    XINV_ROW_BEYOND       /* it reaches entries of other users, which the request does not allow */
};

/*
 * xinv_row_obstacle - why a row is no candidate for a need, or that it is one
 * @tags: XINV_ROW_UNKNOWN_TAG: the tags that are missing
 */
enum xinv_obstacle xinv_row_obstacle(const struct xinv_iommu *iommu, const struct xinv_shape *shape,
                                     const struct xinv_need *need, unsigned row, uint8_t *tags);

#endif
