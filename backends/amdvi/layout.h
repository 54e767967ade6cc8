// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/* Bits of the 16-byte command (AMD 48882, 2.4): word, lsb, width, shift (core/layout.h). */
#ifndef XINV_BACKENDS_AMDVI_LAYOUT_H
#define XINV_BACKENDS_AMDVI_LAYOUT_H

#define AMDVI_OPCODE      0, 60, 4, 0
#define AMDVI_OPCODE_LSB  60
#define AMDVI_OPCODE_MASK (UINT64_C(0xf) << AMDVI_OPCODE_LSB)
#define AMDVI_DEVICE_ID   0, 0, 16, 0
#define AMDVI_S           1, 0, 1, 0
#define AMDVI_GN          1, 2, 1, 0
#define AMDVI_ADDRESS     1, 12, 52, 12
/* COMPLETION_WAIT (2.4.1) */
#define AMDVI_WAIT_S       0, 0, 1, 0
#define AMDVI_WAIT_I       0, 1, 1, 0
#define AMDVI_WAIT_F       0, 2, 1, 0
#define AMDVI_WAIT_ADDRESS 0, 3, 49, 3
#define AMDVI_WAIT_DATA    1, 0, 64, 0
/* INVALIDATE_IOMMU_PAGES (2.4.3) */
#define AMDVI_PAGES_PASID  0, 0, 20, 0
#define AMDVI_PAGES_DOMAIN 0, 32, 16, 0
#define AMDVI_PAGES_PDE    1, 1, 1, 0
/* INVALIDATE_IOTLB_PAGES (2.4.4); the order of the PASID's parts is that of revision 2.02 and later
 */
#define AMDVI_IOTLB_PASID_15_8  0, 16, 8, 8
#define AMDVI_IOTLB_MAXPEND     0, 24, 8, 0
#define AMDVI_IOTLB_QUEUE_ID    0, 32, 16, 0
#define AMDVI_IOTLB_PASID_7_0   0, 48, 8, 0
#define AMDVI_IOTLB_PASID_19_16 0, 56, 4, 16
#define AMDVI_IOTLB_TYPE        1, 4, 2, 0
/* PREFETCH_IOMMU_PAGES (2.4.6): the PASID is in one piece here */
#define AMDVI_PREFETCH_COUNT 0, 24, 8, 0
#define AMDVI_PREFETCH_PASID 0, 32, 20, 0
#define AMDVI_PREFETCH_INVAL 1, 4, 1, 0
/* COMPLETE_PPR_REQUEST (2.4.7); its completion tag is the low half of a PRG response message */
#define AMDVI_PPR_PASID     0, 32, 20, 0
#define AMDVI_PPR_PRG_INDEX 1, 32, 9, 0
#define AMDVI_PPR_TAG_11_9  1, 41, 3, 0
#define AMDVI_PPR_CODE      1, 44, 4, 0
/* INSERT_GUEST_EVENT, RESET_VMMIO */
#define AMDVI_EVENT_GUEST_ID 0, 32, 16, 0
#define AMDVI_RESET_GUEST_ID 0, 0, 16, 0
#define AMDVI_RESET_ALL      0, 28, 1, 0
#define AMDVI_RESET_VCMD     0, 31, 1, 0

enum {
    AMDVI_COMPLETION_WAIT = 0x1,
    AMDVI_INVALIDATE_DEVTAB_ENTRY = 0x2,
    AMDVI_INVALIDATE_IOMMU_PAGES = 0x3,
    AMDVI_INVALIDATE_IOTLB_PAGES = 0x4,
    AMDVI_INVALIDATE_INTERRUPT_TABLE = 0x5,
    AMDVI_PREFETCH_IOMMU_PAGES = 0x6,
    AMDVI_COMPLETE_PPR_REQUEST = 0x7,
    AMDVI_INVALIDATE_IOMMU_ALL = 0x8,
    AMDVI_INSERT_GUEST_EVENT = 0x9,
    AMDVI_RESET_VMMIO = 0xa
};

#endif
