// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/* Bits of the 16-byte command (IHI 0070 4.1 to 4.7): word, lsb, width, shift (core/layout.h). */
#ifndef XINV_BACKENDS_SMMUV3_LAYOUT_H
#define XINV_BACKENDS_SMMUV3_LAYOUT_H

#define SMMUV3_OPCODE   0, 0, 8, 0
#define SMMUV3_GLOBAL   0, 9, 1, 0
#define SMMUV3_SSEC     0, 10, 1, 0
#define SMMUV3_SSV      0, 11, 1, 0
#define SMMUV3_SSID     0, 12, 20, 0
#define SMMUV3_NUM      0, 12, 5, 0
#define SMMUV3_SCALE    0, 20, 5, 0
#define SMMUV3_SID      0, 32, 32, 0
#define SMMUV3_VMID     0, 32, 16, 0
#define SMMUV3_ASID     0, 48, 16, 0
#define SMMUV3_LEAF     1, 0, 1, 0
#define SMMUV3_RANGE    1, 0, 5, 0
#define SMMUV3_TTL      1, 8, 2, 0
#define SMMUV3_TG       1, 10, 2, 0
#define SMMUV3_VA       1, 12, 52, 12
#define SMMUV3_IPA      1, 12, 44, 12
#define SMMUV3_ATC_SIZE 1, 0, 6, 0
/* CMD_SYNC */
#define SMMUV3_CS      0, 12, 2, 0
#define SMMUV3_MSH     0, 22, 2, 0
#define SMMUV3_MSIATTR 0, 24, 4, 0
#define SMMUV3_MSIDATA 0, 32, 32, 0
#define SMMUV3_MSIADDR 1, 2, 54, 2

enum {
    SMMUV3_CFGI_STE = 0x03,
    SMMUV3_CFGI_STE_RANGE = 0x04,
    SMMUV3_CFGI_CD = 0x05,
    SMMUV3_CFGI_CD_ALL = 0x06,
    SMMUV3_TLBI_NH_ALL = 0x10,
    SMMUV3_TLBI_NH_ASID = 0x11,
    SMMUV3_TLBI_NH_VA = 0x12,
    SMMUV3_TLBI_NH_VAA = 0x13,
    SMMUV3_TLBI_EL2_ALL = 0x20,
    SMMUV3_TLBI_EL2_ASID = 0x21,
    SMMUV3_TLBI_EL2_VA = 0x22,
    SMMUV3_TLBI_EL2_VAA = 0x23,
    SMMUV3_TLBI_S12_VMALL = 0x28,
    SMMUV3_TLBI_S2_IPA = 0x2a,
    SMMUV3_TLBI_NSNH_ALL = 0x30,
    SMMUV3_ATC_INV = 0x40,
    SMMUV3_SYNC = 0x46
};

#endif
