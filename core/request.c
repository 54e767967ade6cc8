// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/* What a request and its attachments can be refused for before anything is planned. */
#include "core/planner.h"
#include "core/range.h"
#include "core/shape.h"
#include "core/tags.h"

/* Is a tag's value wider than its field? A tag that the vendor does not have at all is ignored. */
static bool too_wide(const struct xinv_planner *p, unsigned tag, uint32_t value)
{
    const struct xinv_linear *width = &p->iommu->vendor->tag_bits[tag];
    uint8_t bits = p->iommu->tag_bits[tag];

    return (width->base || width->times) && bits < 32 && (value >> bits) != 0;
}

/* Is a change about translations of requests without PASID alone? */
static bool is_untagged(const struct xinv_planner *p, const struct xinv_attachment *at)
{
    const struct xinv_request *r = &p->request;

    return !(r->flags & XINV_REQ_INVALIDATE) && r->change <= XINV_CHANGE_STAGE2_PTE &&
           !((at->known & PASID_BIT) && at->pasid) && !(at->flags & XINV_ATT_PASIDS_UNKNOWN);
}

#define N_VALUES (XINV_TAG_VMID + 1u) /* RID, PASID, ASID, DID, VMID */

/* A tag that the hardware would cut names somebody else's entries and leaves the stale ones. Notes
 * the first of these. */
static int check_tags(struct xinv_planner *p, uint8_t known, const uint32_t *value)
{
    for (unsigned t = 0; t < N_VALUES; t++)
        if ((known >> t & 1) && too_wide(p, t, value[t])) {
            p->report.at_tag = (uint8_t)t;
            return -XINV_E_TAG;
        }
    return 0;
}

/* The tags that the request names itself. */
static int check_named(struct xinv_planner *p)
{
    const struct xinv_request *r = &p->request;
    const uint32_t value[N_VALUES] = {0, r->pasid, r->asid, r->new_did, 0};
    uint8_t named = 0;

    if (r->flags & XINV_REQ_PASID)
        named |= PASID_BIT;
    if (r->flags & XINV_REQ_ASID)
        named |= ASID_BIT;
    if (r->flags & XINV_REQ_NEW_DID)
        named |= DID_BIT;
    return check_tags(p, named, value);
}

static int check_attachment(struct xinv_planner *p, const struct xinv_attachment *at)
{
    const uint32_t value[N_VALUES] = {at->rid, at->pasid, at->asid, at->did, at->vmid};
    const struct xinv_iommu *iommu = p->iommu;
    uint8_t homeless = iommu->target & (uint8_t)~at->known;
    unsigned input;
    int ret;

    if (at->stage >= XINV_NSTAGES || (at->n_aliases && !at->aliases))
        return -XINV_E_INVAL;
    if (!(iommu->stages >> at->stage & 1) ||
        (is_untagged(p, at) && !(iommu->untagged >> at->stage & 1)))
        return -XINV_E_UNSUPP;
    if (homeless) { /* nobody to send it to */
        p->report.at_tag = (uint8_t)__builtin_ctz(homeless);
        return -XINV_E_INVAL;
    }
    ret = check_tags(p, at->known, value);
    for (unsigned i = 0; !ret && i < at->n_aliases; i++)
        ret = check_tags(p, RID_BIT, &at->aliases[i]);
    if (ret)
        return ret;
    /* the words of a range that the attachment's input addresses cannot reach name another one */
    input = xinv_input_tag(&p->request, at);
    if (!p->ranged || p->request.first <= xinv_address_top(iommu, input))
        return 0;
    p->report.at_tag = (uint8_t)input;
    return -XINV_E_TAG;
}

int xinv_planner_check(struct xinv_planner *p)
{
    int ret = check_named(p);

    for (const struct xinv_attachment *at = p->at; !ret && at < p->end; at++) {
        ret = check_attachment(p, at);
        if (ret)
            p->report.at = at;
    }
    return ret;
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
    if ((r->flags & XINV_REQ_INVALIDATE) && r->scope == XINV_SCOPE_ADDRESS && !p->ranged)
        r->scope =
            (r->flags & (XINV_REQ_PASID | XINV_REQ_ASID)) ? XINV_SCOPE_PASID : XINV_SCOPE_DOMAIN;
}
