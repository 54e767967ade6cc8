// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
#ifndef XINV_BACKENDS_VTD_H
#define XINV_BACKENDS_VTD_H

#include "core/backend.h"

/* Forms of descriptors that the table names by `op`. */
enum xinv_vtd_op {
    XINV_VTD_OP_WRITE_BUFFER_FLUSH,
    XINV_VTD_OP_CC_DEVICE,
    XINV_VTD_OP_CC_DOMAIN,
    XINV_VTD_OP_CC_GLOBAL,
    XINV_VTD_OP_PC_PASID,
    XINV_VTD_OP_PC_DOMAIN,
    XINV_VTD_OP_PC_GLOBAL,
    XINV_VTD_OP_P_IOTLB_PAGE,
    XINV_VTD_OP_P_IOTLB_PASID,
    XINV_VTD_OP_IOTLB_PAGE,
    XINV_VTD_OP_IOTLB_DOMAIN,
    XINV_VTD_OP_IOTLB_GLOBAL,
    XINV_VTD_OP_DEV_TLB_PAGE,
    XINV_VTD_OP_DEV_TLB_ALL,
    XINV_VTD_OP_P_DEV_TLB_PAGE,
    XINV_VTD_OP_P_DEV_TLB_ALL,
    XINV_VTD_OP_P_DEV_TLB_PAGE_ALL_PASIDS,
    XINV_VTD_OP_P_DEV_TLB_ALL_PASIDS,
    XINV_VTD_OP_IEC_GLOBAL,
    XINV_VTD_NOPS
};

extern const struct xinv_codec xinv_vtd_codec;
extern const struct xinv_filter_ops xinv_vtd_filter;

int xinv_vtd_queued_ccmd(const struct xinv_iommu *iommu, uint64_t value, const uint64_t *addresses,
                         uint64_t *words);
int xinv_vtd_queued_iotlb(const struct xinv_iommu *iommu, uint64_t value, const uint64_t *addresses,
                          uint64_t *words);
void xinv_vtd_read(const struct xinv_iommu *iommu, const uint64_t *words, struct xinv_form *form,
                   struct xinv_removal_set *set);

#endif
