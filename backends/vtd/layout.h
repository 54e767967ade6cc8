// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/*
 * Bits of the invalidation descriptors (VT-d 6.5.2): word, lsb, width, shift (core/layout.h). The
 * type is qw0 3:0 with qw0 11:9 above it; every type so far has 0 there. qw2 and qw3 of 256-bit
 * descriptors are reserved for every type.
 */
#ifndef XINV_BACKENDS_VTD_LAYOUT_H
#define XINV_BACKENDS_VTD_LAYOUT_H

#define VTD_TYPE_MASK UINT64_C(0xe0f)
#define VTD_G         0, 4, 2, 0
#define VTD_DID       0, 16, 16, 0
#define VTD_PASID     0, 32, 20, 0
#define VTD_PFSID_LO  0, 12, 4, 0
#define VTD_PFSID_HI  0, 52, 12, 4
#define VTD_AM        1, 0, 6, 0
#define VTD_IH        1, 6, 1, 0
#define VTD_ADDR      1, 12, 52, 12
/* context-cache (6.5.2.1) */
#define VTD_CC_SID 0, 32, 16, 0
#define VTD_CC_FM  0, 48, 2, 0
/* IOTLB (6.5.2.3) */
#define VTD_IOTLB_DW 0, 6, 1, 0
#define VTD_IOTLB_DR 0, 7, 1, 0
/* Device-TLB (6.5.2.5) */
#define VTD_DEV_MIP 0, 16, 5, 0
#define VTD_DEV_SID 0, 32, 16, 0
#define VTD_DEV_S   1, 0, 1, 0
/* PASID-based Device-TLB (6.5.2.6) */
#define VTD_PDEV_MIP 0, 4, 5, 0
#define VTD_PDEV_SID 0, 16, 16, 0
#define VTD_PDEV_G   1, 0, 1, 0
#define VTD_PDEV_S   1, 11, 1, 0
/* interrupt entry cache (6.5.2.7) */
#define VTD_IEC_G    0, 4, 1, 0
#define VTD_IEC_IM   0, 27, 5, 0
#define VTD_IEC_IIDX 0, 32, 16, 0
/* wait (6.5.2.8) */
#define VTD_WAIT_IF   0, 4, 1, 0
#define VTD_WAIT_SW   0, 5, 1, 0
#define VTD_WAIT_FN   0, 6, 1, 0
#define VTD_WAIT_PD   0, 7, 1, 0
#define VTD_WAIT_DATA 0, 32, 32, 0
#define VTD_WAIT_ADDR 1, 2, 62, 2
/* page group response (7.7.1) */
#define VTD_PRESP_PP   0, 4, 1, 0
#define VTD_PRESP_CODE 0, 12, 4, 0
#define VTD_PRESP_RID  0, 16, 16, 0
#define VTD_PRESP_LPIG 1, 2, 1, 0
#define VTD_PRESP_PRGI 1, 3, 9, 0
/* registers: CCMD_REG (11.4.6.1), IVA_REG and IOTLB_REG (11.4.6.2) */
#define VTD_CCMD_DID  0, 0, 16, 0
#define VTD_CCMD_SID  0, 16, 16, 0
#define VTD_CCMD_FM   0, 32, 2, 0
#define VTD_CCMD_CAIG 0, 59, 2, 0
#define VTD_CCMD_CIRG 0, 61, 2, 0
#define VTD_CCMD_ICC  0, 63, 1, 0
#define VTD_IVA_AM    0, 0, 6, 0
#define VTD_IVA_IH    0, 6, 1, 0
#define VTD_IVA_ADDR  0, 12, 52, 12
#define VTD_REG_DID   0, 32, 16, 0
#define VTD_REG_DW    0, 48, 1, 0
#define VTD_REG_DR    0, 49, 1, 0
#define VTD_REG_IAIG  0, 57, 2, 0
#define VTD_REG_IIRG  0, 60, 2, 0
#define VTD_REG_IVT   0, 63, 1, 0

enum {
    VTD_CC = 0x1,
    VTD_IOTLB = 0x2,
    VTD_DEV_TLB = 0x3,
    VTD_IEC = 0x4,
    VTD_WAIT = 0x5,
    VTD_P_IOTLB = 0x6,
    VTD_PC = 0x7,
    VTD_P_DEV_TLB = 0x8,
    VTD_PAGE_RESP = 0x9
};

/* Granularities: not the same numbers for every type. */
enum {
    VTD_CC_GLOBAL = 1,
    VTD_CC_DOMAIN = 2,
    VTD_CC_DEVICE = 3,
    VTD_IOTLB_GLOBAL = 1,
    VTD_IOTLB_DOMAIN = 2,
    VTD_IOTLB_PAGE = 3,
    VTD_P_IOTLB_PASID = 2,
    VTD_P_IOTLB_PAGE = 3,
    VTD_PC_DOMAIN = 0,
    VTD_PC_PASID = 1,
    VTD_PC_GLOBAL = 3
};

#endif
