// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/* What the parts of <xinv/iommufd.h> share. */
#ifndef XINV_HOST_IOMMUFD_H
#define XINV_HOST_IOMMUFD_H

#include <xinv/iommufd.h>

#include "core/backend.h"
#include "core/mem.h"

/* A form of the interface is known by what its calls are addressed to. */
static inline bool xinv_iommufd_is_vtd(const struct xinv_iommu *iommu)
{
    return iommu->target == XINV_TAG_BIT(XINV_TAG_DID);
}

static inline bool xinv_iommufd_is_smmuv3(const struct xinv_iommu *iommu)
{
    return iommu->target == XINV_TAG_BIT(XINV_TAG_VMID);
}

static inline uint32_t xinv_iommufd_data_type(const struct xinv_iommu *iommu)
{
    return xinv_iommufd_is_vtd(iommu) ? XINV_IOMMUFD_DATA_VTD_S1 : XINV_IOMMUFD_DATA_ARM_SMMUV3;
}

static inline uint32_t xinv_iommufd_entry_len(const struct xinv_iommu *iommu)
{
    return iommu->words * 8u;
}

/* The words of an entry, which may stand anywhere: other programs make arrays too. */
static inline void xinv_iommufd_load(const struct xinv_iommu *iommu, const void *entries,
                                     uint32_t index, uint64_t *words)
{
    uint32_t len = xinv_iommufd_entry_len(iommu);

    memcpy(words, (const unsigned char *)entries + (size_t)index * len, len);
}

#endif
