// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
#ifndef XINV_CORE_IOMMU_H
#define XINV_CORE_IOMMU_H

#include "core/backend.h"

/* Does a condition hold where its feature has a value? */
static inline bool xinv_cond_holds_for(const struct xinv_cond *cond, uint32_t value)
{
    switch (cond->op) {
    case XINV_COND_EQ:
        return value == cond->value;
    case XINV_COND_NE:
        return value != cond->value;
    case XINV_COND_GE:
        return value >= cond->value;
    default:
        return value < cond->value;
    }
}

static inline bool xinv_cond_holds(const struct xinv_cond *cond, const uint16_t *feature)
{
    return xinv_cond_holds_for(cond, feature[cond->feature]);
}

/* Do all conditions of a list hold for an IOMMU's features? */
bool xinv_conds_hold(const struct xinv_iommu *iommu, struct xinv_span span);

/* Which change an ATTACH or DETACH of a whole endpoint is on this IOMMU: an enum xinv_change. */
uint8_t xinv_attach_change(const struct xinv_iommu *iommu);

/* xinv_target_of - which of the platform's queues an attachment's commands go to; 0: it has one */
static inline uint32_t xinv_target_of(const struct xinv_iommu *iommu,
                                      const struct xinv_attachment *at)
{
    if (iommu->target & XINV_TAG_BIT(XINV_TAG_DID))
        return at->did;
    return iommu->target & XINV_TAG_BIT(XINV_TAG_VMID) ? at->vmid : 0;
}

/* xinv_target_clear - what addresses a queue does not stand in its words */
static inline void xinv_target_clear(const struct xinv_iommu *iommu, uint32_t *did, uint32_t *vmid)
{
    if (iommu->target & XINV_TAG_BIT(XINV_TAG_DID))
        *did = 0;
    if (iommu->target & XINV_TAG_BIT(XINV_TAG_VMID))
        *vmid = 0;
}

#endif
