// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/* What a request and its attachments can be refused for before anything is planned. */
#include "core/planner.h"
#include "core/range.h"
#include "core/shape.h"
#include "core/tags.h"

/* Is a tag's value wider than its field? A tag that the vendor does not have at all is ignored. */
static bool too_wide(const struct xinv_planner *p, unsigned tag, uint32_t value)
{
    const struct xinv_linear *width = &p->vendor->tag_bits[tag];
    uint8_t bits = p->iommu->tag_bits[tag];

    return (width->base || width->times) && bits < 32 && (value >> bits) != 0;
}

int xinv_planner_refuse(struct xinv_planner *p, const struct xinv_attachment *at, unsigned tag,
                        int error)
{
    p->report.at = at;
    p->report.at_tag = (uint8_t)tag;
    return error;
}

/* Is a change about translations of requests without PASID alone? */
static bool is_untagged(const struct xinv_planner *p, const struct xinv_attachment *at)
{
    const struct xinv_request *r = &p->request;

    return !(r->flags & XINV_REQ_INVALIDATE) && r->change <= XINV_CHANGE_STAGE2_PTE &&
           !((at->known & PASID_BIT) && at->pasid) && !(at->flags & XINV_ATT_PASIDS_UNKNOWN);
}

static int check_attachment(struct xinv_planner *p, const struct xinv_attachment *at)
{
    uint32_t value[XINV_NTAGS] = {
        [XINV_TAG_RID] = at->rid, [XINV_TAG_PASID] = at->pasid, [XINV_TAG_ASID] = at->asid,
        [XINV_TAG_DID] = at->did, [XINV_TAG_VMID] = at->vmid,
    };

    if (at->stage >= XINV_NSTAGES || (at->n_aliases && !at->aliases))
        return xinv_planner_refuse(p, at, 0, -XINV_E_INVAL);
    if (!(p->iommu->stages & XINV_STAGE_BIT(at->stage)) ||
        (is_untagged(p, at) && !(p->iommu->untagged & XINV_STAGE_BIT(at->stage))))
        return xinv_planner_refuse(p, at, 0, -XINV_E_UNSUPP);
    if (p->iommu->target & ~at->known) /* nobody to send it to */
        return xinv_planner_refuse(p, at, (unsigned)__builtin_ctz(p->iommu->target), -XINV_E_INVAL);
    for (unsigned t = XINV_TAG_RID; t <= XINV_TAG_VMID; t++) {
        /* a tag that the hardware would cut names somebody else's entries and leaves the stale ones
         */
        if ((at->known & XINV_TAG_BIT(t)) && too_wide(p, t, value[t]))
            return xinv_planner_refuse(p, at, t, -XINV_E_TAG);
    }
    for (unsigned i = 0; i < at->n_aliases; i++)
        if (too_wide(p, XINV_TAG_RID, at->aliases[i]))
            return xinv_planner_refuse(p, at, XINV_TAG_RID, -XINV_E_TAG);
    return 0;
}

/* Is the range one that the attachment's input addresses cannot reach? Its words would name another
 * one. */
static int check_first(struct xinv_planner *p, const struct xinv_attachment *at)
{
    const struct xinv_request *r = &p->request;
    unsigned tag = xinv_input_tag(r, at);

    if (p->ranged && r->first > xinv_address_top(p->iommu, tag))
        return xinv_planner_refuse(p, at, tag, -XINV_E_TAG);
    return 0;
}

int xinv_planner_check(struct xinv_planner *p)
{
    const struct xinv_request *r = &p->request;

    if ((r->flags & XINV_REQ_PASID) && too_wide(p, XINV_TAG_PASID, r->pasid))
        return xinv_planner_refuse(p, NULL, XINV_TAG_PASID, -XINV_E_TAG);
    if ((r->flags & XINV_REQ_ASID) && too_wide(p, XINV_TAG_ASID, r->asid))
        return xinv_planner_refuse(p, NULL, XINV_TAG_ASID, -XINV_E_TAG);
    if ((r->flags & XINV_REQ_NEW_DID) && too_wide(p, XINV_TAG_DID, r->new_did))
        return xinv_planner_refuse(p, NULL, XINV_TAG_DID, -XINV_E_TAG);
    for (size_t i = 0; i < p->n; i++) {
        int ret = check_attachment(p, &p->at[i]);

        if (!ret)
            ret = check_first(p, &p->at[i]);
        if (ret)
            return ret;
    }
    return 0;
}

int xinv_request_check(const struct xinv_request *r, const struct xinv_policy *policy)
{
    if (policy->kind > XINV_POLICY_AT_MOST ||
        (policy->kind == XINV_POLICY_AT_MOST &&
         (!policy->blocks || policy->blocks > XINV_MAX_BLOCKS)))
        return -XINV_E_INVAL;
    if (r->log2_leaf_size > 63 || (r->log2_leaf_size && r->log2_leaf_size < 12) ||
        r->log2_granule > 16 || (r->log2_granule && r->log2_granule < 12) ||
        r->log2_smallest_leaf > (r->log2_leaf_size ? r->log2_leaf_size : 12))
        return -XINV_E_INVAL;
    if ((r->flags & XINV_REQ_RANGE) && r->first > r->last)
        return -XINV_E_RANGE;
    if (r->flags & XINV_REQ_INVALIDATE) {
        if (!r->caches || r->scope > XINV_SCOPE_EVERYTHING)
            return -XINV_E_INVAL;
        if (r->scope == XINV_SCOPE_ADDRESS && !(r->flags & XINV_REQ_RANGE))
            return -XINV_E_INVAL;
        return 0;
    }
    if (r->change >= XINV_NCHANGES || (r->from & ~(XINV_FROM_PRESENT | XINV_FROM_NOT_PRESENT)))
        return -XINV_E_INVAL;
    return 0;
}

/* The granule follows from the leaf size where the caller does not say (4K: 12 21 30 39; 16K: 14 25
 * 36; 64K: 16 29 42). */
static uint8_t granule_of(const struct xinv_request *r)
{
    if (r->log2_granule)
        return r->log2_granule;
    switch (r->log2_leaf_size) {
    case 14:
    case 25:
    case 36:
        return 14;
    case 16:
    case 29:
    case 42:
        return 16;
    default:
        return 12;
    }
}

void xinv_planner_normalise(struct xinv_planner *p)
{
    struct xinv_request *r = &p->request;

    r->log2_granule = granule_of(r);
    p->ranged = xinv_request_ranged(r);
    if (!p->ranged)
        r->flags &= (uint16_t)~XINV_REQ_RANGE;
    p->report.asked_pages = p->ranged ? xinv_pages(r->first, r->last) : 0;
    if ((r->flags & XINV_REQ_INVALIDATE) && r->scope == XINV_SCOPE_ADDRESS && !p->ranged)
        r->scope =
            (r->flags & (XINV_REQ_PASID | XINV_REQ_ASID)) ? XINV_SCOPE_PASID : XINV_SCOPE_DOMAIN;
}
