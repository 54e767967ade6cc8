// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
#include "core/backend.h"

int xinv_decode(const struct xinv_iommu *iommu, const uint64_t *words, struct xinv_decoded *decoded)
{
    return iommu->vendor->backend->decode(iommu, words, decoded);
}
