// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
#ifndef XINV_BACKENDS_AMDVI_H
#define XINV_BACKENDS_AMDVI_H

#include "core/backend.h"

/* Forms of commands that the table names by `op`. */
enum xinv_amdvi_op {
    XINV_AMDVI_OP_DEVTAB_ENTRY,
    XINV_AMDVI_OP_INTERRUPT_TABLE,
    XINV_AMDVI_OP_IOMMU_ALL,
    XINV_AMDVI_OP_PAGES_HOST,
    XINV_AMDVI_OP_PAGES_HOST_ALL,
    XINV_AMDVI_OP_PAGES_GUEST,
    XINV_AMDVI_OP_PAGES_GUEST_ALL,
    XINV_AMDVI_OP_IOTLB,
    XINV_AMDVI_OP_IOTLB_ALL,
    XINV_AMDVI_OP_IOTLB_PASID,
    XINV_AMDVI_OP_IOTLB_PASID_ALL,
    XINV_AMDVI_NOPS
};

extern const struct xinv_codec xinv_amdvi_codec;
extern const struct xinv_filter_ops xinv_amdvi_filter;

void xinv_amdvi_read(const struct xinv_iommu *iommu, const uint64_t *words, struct xinv_form *form,
                     struct xinv_removal_set *set);

#endif
