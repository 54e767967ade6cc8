// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/*
 * Ladders: what the planner can choose from for the shapes that come most often, worked out when an
 * IOMMU is set up. A shape that has none is worked out when it is asked for; the answer is the
 * same.
 */
#ifndef XINV_CORE_LADDER_H
#define XINV_CORE_LADDER_H

#include "core/cover.h"

/*
 * xinv_ladder_find - the candidates of an attachment's shape from its IOMMU's ladders
 * @found: filled in, but for `end` and `commands`
 * returns: false: this shape has no ladder
 */
bool xinv_ladder_find(const struct xinv_iommu *iommu, const struct xinv_request *request,
                      const struct xinv_attachment *at, bool has_pasids,
                      struct xinv_candidates *found);

#endif
