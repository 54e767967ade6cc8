// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/* Bits of the 16-byte command (IHI 0070 4.1 to 4.7): word, lsb, width, shift (core/layout.h). */
#ifndef XINV_BACKENDS_SMMUV3_LAYOUT_H
#define XINV_BACKENDS_SMMUV3_LAYOUT_H

#define SMMUV3_OPCODE      0, 0, 8, 0
#define SMMUV3_OPCODE_MASK UINT64_C(0xff)
#define SMMUV3_GLOBAL      0, 9, 1, 0
#define SMMUV3_SSEC        0, 10, 1, 0
#define SMMUV3_SSV         0, 11, 1, 0
#define SMMUV3_SSID        0, 12, 20, 0
#define SMMUV3_NUM         0, 12, 5, 0
#define SMMUV3_SCALE       0, 20, 5, 0
#define SMMUV3_SCALE_5     0, 25, 1, 5
#define SMMUV3_SID         0, 32, 32, 0
#define SMMUV3_VMID        0, 32, 16, 0
#define SMMUV3_ASID        0, 48, 16, 0
#define SMMUV3_LEAF        1, 0, 1, 0
#define SMMUV3_RANGE       1, 0, 5, 0
#define SMMUV3_TTL128      1, 7, 1, 0
#define SMMUV3_TTL         1, 8, 2, 0
#define SMMUV3_TG          1, 10, 2, 0
#define SMMUV3_VA          1, 12, 52, 12
#define SMMUV3_IPA         1, 12, 44, 12
#define SMMUV3_ATC_SIZE    1, 0, 6, 0
/* CMD_PREFETCH_ADDR (4.2.2) */
#define SMMUV3_PREFETCH_SIZE   1, 0, 5, 0
#define SMMUV3_PREFETCH_STRIDE 1, 5, 5, 0
#define SMMUV3_PREFETCH_NS     1, 10, 1, 0
/* CMD_PRI_RESP (4.5.2) */
#define SMMUV3_PRG_INDEX 1, 0, 9, 0
#define SMMUV3_RESP      1, 12, 2, 0
/* CMD_RESUME (4.7.1) */
#define SMMUV3_AC   0, 12, 1, 0
#define SMMUV3_AB   0, 13, 1, 0
#define SMMUV3_STAG 1, 0, 16, 0
/* CMD_TLBI_S_S2_IPA (4.4.4.1) */
#define SMMUV3_IPA_NS 1, 63, 1, 0
/* CMD_DPTI_PA (4.6.2): Leaf and SIZE stand below the address; their places in it are not split */
#define SMMUV3_DPTI_LEAF_SIZE 1, 0, 12, 0
/* CMD_SYNC */
#define SMMUV3_CS      0, 12, 2, 0
#define SMMUV3_MSH     0, 22, 2, 0
#define SMMUV3_MSIATTR 0, 24, 4, 0
#define SMMUV3_MSIDATA 0, 32, 32, 0
#define SMMUV3_MSIADDR 1, 2, 54, 2
#define SMMUV3_MSI_NS  1, 63, 1, 0

enum {
    SMMUV3_PREFETCH_CONFIG = 0x01,
    SMMUV3_PREFETCH_ADDR = 0x02,
    SMMUV3_CFGI_STE = 0x03,
    SMMUV3_CFGI_STE_RANGE = 0x04,
    SMMUV3_CFGI_ALL = SMMUV3_CFGI_STE_RANGE, /* Range = 31 */
    SMMUV3_CFGI_CD = 0x05,
    SMMUV3_CFGI_CD_ALL = 0x06,
    SMMUV3_CFGI_VMS_PIDM = 0x07,
    SMMUV3_TLBI_NH_ALL = 0x10,
    SMMUV3_TLBI_NH_ASID = 0x11,
    SMMUV3_TLBI_NH_VA = 0x12,
    SMMUV3_TLBI_NH_VAA = 0x13,
    SMMUV3_TLBI_EL3_ALL = 0x18,
    SMMUV3_TLBI_EL3_VA = 0x1a,
    SMMUV3_TLBI_EL2_ALL = 0x20,
    SMMUV3_TLBI_EL2_ASID = 0x21,
    SMMUV3_TLBI_EL2_VA = 0x22,
    SMMUV3_TLBI_EL2_VAA = 0x23,
    SMMUV3_TLBI_S12_VMALL = 0x28,
    SMMUV3_TLBI_S2_IPA = 0x2a,
    SMMUV3_TLBI_NSNH_ALL = 0x30,
    SMMUV3_ATC_INV = 0x40,
    SMMUV3_PRI_RESP = 0x41,
    SMMUV3_RESUME = 0x44,
    SMMUV3_STALL_TERM = 0x45,
    SMMUV3_SYNC = 0x46,
    SMMUV3_TLBI_S_EL2_ALL = 0x50,
    SMMUV3_TLBI_S_EL2_ASID = 0x51,
    SMMUV3_TLBI_S_EL2_VA = 0x52,
    SMMUV3_TLBI_S_EL2_VAA = 0x53,
    SMMUV3_TLBI_S_S12_VMALL = 0x58,
    SMMUV3_TLBI_S_S2_IPA = 0x5a,
    SMMUV3_TLBI_SNH_ALL = 0x60,
    SMMUV3_DPTI_ALL = 0x70,
    SMMUV3_DPTI_PA = 0x73
};

#endif
