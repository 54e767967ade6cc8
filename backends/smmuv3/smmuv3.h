// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
#ifndef XINV_BACKENDS_SMMUV3_H
#define XINV_BACKENDS_SMMUV3_H

#include "core/backend.h"
#include "core/bits.h"

/* Forms of commands that the table names by `op`. */
enum xinv_smmuv3_op {
    XINV_SMMUV3_OP_CFGI_STE,
    XINV_SMMUV3_OP_CFGI_ALL,
    XINV_SMMUV3_OP_CFGI_CD,
    XINV_SMMUV3_OP_CFGI_CD_ALL,
    XINV_SMMUV3_OP_TLBI_NH_VA,
    XINV_SMMUV3_OP_TLBI_NH_VAA,
    XINV_SMMUV3_OP_TLBI_NH_ASID,
    XINV_SMMUV3_OP_TLBI_NH_ALL,
    XINV_SMMUV3_OP_TLBI_EL2_VA,
    XINV_SMMUV3_OP_TLBI_EL2_ASID,
    XINV_SMMUV3_OP_TLBI_EL2_VAA,
    XINV_SMMUV3_OP_TLBI_EL2_ALL,
    XINV_SMMUV3_OP_TLBI_S2_IPA,
    XINV_SMMUV3_OP_TLBI_S12_VMALL,
    XINV_SMMUV3_OP_TLBI_NSNH_ALL,
    XINV_SMMUV3_OP_ATC_INV,
    XINV_SMMUV3_OP_ATC_INV_ALL,
    XINV_SMMUV3_OP_ATC_INV_PASID,
    XINV_SMMUV3_OP_ATC_INV_PASID_ALL,
    XINV_SMMUV3_NOPS
};

extern const struct xinv_codec xinv_smmuv3_codec;
extern const struct xinv_filter_ops xinv_smmuv3_filter;

/* xinv_smmuv3_output_top - the last physical address: IDR5.OAS (6.3), from 32 bits to 56 */
static inline uint64_t xinv_smmuv3_output_top(unsigned oas)
{
    static const uint8_t bits[8] = {32, 36, 40, 42, 44, 48, 52, 56};

    return xinv_low_bits(bits[oas & 7]);
}

void xinv_smmuv3_read(const struct xinv_iommu *iommu, const uint64_t *words, struct xinv_form *form,
                      struct xinv_removal_set *set);

#endif
