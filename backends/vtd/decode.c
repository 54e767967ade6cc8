// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
#include "backends/vtd/layout.h"
#include "backends/vtd/vtd.h"
#include "core/layout.h"

/* the two parts of a PFSID share one string: see core/layout.c */
static const char pfsid[] = "PFSID";

#define PAGES XINV_FIELD("AM", VTD_AM), XINV_FIELD("IH", VTD_IH), XINV_FIELD("ADDR", VTD_ADDR)
#define PFSID XINV_FIELD(pfsid, VTD_PFSID_LO), XINV_FIELD(pfsid, VTD_PFSID_HI)

static const struct xinv_layout_field cc[] = {XINV_FIELD("G", VTD_G), XINV_FIELD("DID", VTD_DID),
                                              XINV_FIELD("SID", VTD_CC_SID),
                                              XINV_FIELD("FM", VTD_CC_FM)};
static const struct xinv_layout_field iotlb[] = {
    XINV_FIELD("G", VTD_G), XINV_FIELD("DW", VTD_IOTLB_DW), XINV_FIELD("DR", VTD_IOTLB_DR),
    XINV_FIELD("DID", VTD_DID), PAGES};
static const struct xinv_layout_field dev_tlb[] = {
    XINV_FIELD("MIP", VTD_DEV_MIP), XINV_FIELD("SID", VTD_DEV_SID), PFSID,
    XINV_FIELD("S", VTD_DEV_S), XINV_FIELD("ADDR", VTD_ADDR)};
static const struct xinv_layout_field iec[] = {
    XINV_FIELD("G", VTD_IEC_G), XINV_FIELD("IM", VTD_IEC_IM), XINV_FIELD("IIDX", VTD_IEC_IIDX)};
static const struct xinv_layout_field wait[] = {XINV_FIELD("IF", VTD_WAIT_IF),
                                                XINV_FIELD("SW", VTD_WAIT_SW),
                                                XINV_FIELD("FN", VTD_WAIT_FN),
                                                XINV_FIELD("PD", VTD_WAIT_PD),
                                                XINV_FIELD("status_data", VTD_WAIT_DATA),
                                                XINV_FIELD("status_address", VTD_WAIT_ADDR)};
static const struct xinv_layout_field p_iotlb[] = {
    XINV_FIELD("G", VTD_G), XINV_FIELD("DID", VTD_DID), XINV_FIELD("PASID", VTD_PASID), PAGES};
static const struct xinv_layout_field pc[] = {XINV_FIELD("G", VTD_G), XINV_FIELD("DID", VTD_DID),
                                              XINV_FIELD("PASID", VTD_PASID)};
static const struct xinv_layout_field p_dev_tlb[] = {
    XINV_FIELD("MIP", VTD_PDEV_MIP), XINV_FIELD("SID", VTD_PDEV_SID),
    XINV_FIELD("PASID", VTD_PASID),  PFSID,
    XINV_FIELD("G", VTD_PDEV_G),     XINV_FIELD("S", VTD_PDEV_S),
    XINV_FIELD("ADDR", VTD_ADDR)};

#define N(fields) fields, sizeof(fields) / sizeof((fields)[0])

/* p_dev_tlb has MIP at 8:4, and bit 8 of every other type is reserved; the type's own bits are 3:0
 * and 11:9 for all. */
static const struct xinv_layout layouts[] = {
    {"cc", VTD_TYPE_MASK, VTD_CC, N(cc)},
    {"iotlb", VTD_TYPE_MASK, VTD_IOTLB, N(iotlb)},
    {"dev_tlb", VTD_TYPE_MASK, VTD_DEV_TLB, N(dev_tlb)},
    {"iec", VTD_TYPE_MASK, VTD_IEC, N(iec)},
    {"wait", VTD_TYPE_MASK, VTD_WAIT, N(wait)},
    {"p_iotlb", VTD_TYPE_MASK, VTD_P_IOTLB, N(p_iotlb)},
    {"pc", VTD_TYPE_MASK, VTD_PC, N(pc)},
    {"p_dev_tlb", VTD_TYPE_MASK, VTD_P_DEV_TLB, N(p_dev_tlb)},
};

int xinv_vtd_decode(const struct xinv_iommu *iommu, const uint64_t *words,
                    struct xinv_decoded *decoded)
{
    for (unsigned i = 0; i < sizeof(layouts) / sizeof(layouts[0]); i++)
        if ((words[0] & layouts[i].opcode_mask) == layouts[i].opcode)
            return xinv_layout_decode(&layouts[i], words, iommu->words, decoded);
    return -XINV_E_NOENT;
}
