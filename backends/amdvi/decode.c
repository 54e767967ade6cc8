// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
#include "backends/amdvi/amdvi.h"
#include "backends/amdvi/layout.h"
#include "core/layout.h"

/* the parts of a PASID share one string: see core/layout.c */
static const char pasid[] = "PASID";

static const struct xinv_layout_field completion_wait[] = {
    XINV_FIELD("S", AMDVI_WAIT_S), XINV_FIELD("I", AMDVI_WAIT_I), XINV_FIELD("F", AMDVI_WAIT_F),
    XINV_FIELD("Address", AMDVI_WAIT_ADDRESS), XINV_FIELD("Data", AMDVI_WAIT_DATA)};
static const struct xinv_layout_field device_id[] = {XINV_FIELD("DeviceID", AMDVI_DEVICE_ID)};
static const struct xinv_layout_field pages[] = {XINV_FIELD(pasid, AMDVI_PAGES_PASID),
                                                 XINV_FIELD("DomainID", AMDVI_PAGES_DOMAIN),
                                                 XINV_FIELD("S", AMDVI_S),
                                                 XINV_FIELD("PDE", AMDVI_PAGES_PDE),
                                                 XINV_FIELD("GN", AMDVI_GN),
                                                 XINV_FIELD("Address", AMDVI_ADDRESS)};
static const struct xinv_layout_field iotlb[] = {XINV_FIELD("DeviceID", AMDVI_DEVICE_ID),
                                                 XINV_FIELD(pasid, AMDVI_IOTLB_PASID_15_8),
                                                 XINV_FIELD("MaxPend", AMDVI_IOTLB_MAXPEND),
                                                 XINV_FIELD("QueueID", AMDVI_IOTLB_QUEUE_ID),
                                                 XINV_FIELD(pasid, AMDVI_IOTLB_PASID_7_0),
                                                 XINV_FIELD(pasid, AMDVI_IOTLB_PASID_19_16),
                                                 XINV_FIELD("S", AMDVI_S),
                                                 XINV_FIELD("GN", AMDVI_GN),
                                                 XINV_FIELD("Type", AMDVI_IOTLB_TYPE),
                                                 XINV_FIELD("Address", AMDVI_ADDRESS)};

#define N(fields)  fields, sizeof(fields) / sizeof((fields)[0])
#define OP(opcode) AMDVI_OPCODE_MASK, (uint64_t)(opcode) << 60

static const struct xinv_layout layouts[] = {
    {"COMPLETION_WAIT", OP(AMDVI_COMPLETION_WAIT), N(completion_wait)},
    {"INVALIDATE_DEVTAB_ENTRY", OP(AMDVI_INVALIDATE_DEVTAB_ENTRY), N(device_id)},
    {"INVALIDATE_IOMMU_PAGES", OP(AMDVI_INVALIDATE_IOMMU_PAGES), N(pages)},
    {"INVALIDATE_IOTLB_PAGES", OP(AMDVI_INVALIDATE_IOTLB_PAGES), N(iotlb)},
    {"INVALIDATE_INTERRUPT_TABLE", OP(AMDVI_INVALIDATE_INTERRUPT_TABLE), N(device_id)},
    {"INVALIDATE_IOMMU_ALL", OP(AMDVI_INVALIDATE_IOMMU_ALL), NULL, 0},
};

int xinv_amdvi_decode(const struct xinv_iommu *iommu, const uint64_t *words,
                      struct xinv_decoded *decoded)
{
    (void)iommu;
    for (unsigned i = 0; i < sizeof(layouts) / sizeof(layouts[0]); i++)
        if ((words[0] & layouts[i].opcode_mask) == layouts[i].opcode)
            return xinv_layout_decode(&layouts[i], words, 2, decoded);
    return -XINV_E_NOENT;
}
