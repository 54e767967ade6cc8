// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/*
 * From a request and an attachment to needs: what of each cache is stale, and which of its tags are
 * known.
 */
#ifndef XINV_CORE_SHAPE_H
#define XINV_CORE_SHAPE_H

#include "core/cover.h"

/* The tags of an attachment as a request sees it: an explicit one may name its own. */
struct xinv_names {
    uint32_t pasid;
    uint32_t asid;
    uint8_t known;
};

struct xinv_names xinv_names_of(const struct xinv_request *request,
                                const struct xinv_attachment *at);

/* Everything of an attachment that its shape depends on, as one number. */
uint32_t xinv_shape_key(const struct xinv_attachment *at, bool has_pasids);

/*
 * xinv_shape_build - the needs of one attachment
 * @has_pasids: the endpoint can hold PASID-tagged ATC entries
 * returns: 0; -XINV_E_UNSUPP: the tables say nothing of this change; -XINV_E_INVAL: too many needs
 */
int xinv_shape_build(const struct xinv_iommu *iommu, const struct xinv_request *request,
                     const struct xinv_attachment *at, bool has_pasids, struct xinv_shape *shape);

/* xinv_change_applies - is a row of the changes about this request, for this stage? */
bool xinv_change_applies(const struct xinv_iommu *iommu, const struct xinv_request *request,
                         uint8_t stage, const struct xinv_change_def *change);

/* Does the request give a range that is not the whole space? */
static inline bool xinv_request_ranged(const struct xinv_request *request)
{
    return (request->flags & XINV_REQ_RANGE) &&
           !(request->first == 0 && request->last == UINT64_MAX);
}

#endif
