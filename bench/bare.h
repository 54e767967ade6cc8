// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/*
 * The least that anything can do: one page of one stage-2 table invalidated, and the command that
 * waits for it, as straight-line code for one vendor and one width of its queue, without a table, a
 * check or a report. Each returns the number of words.
 */
#ifndef XINV_BENCH_BARE_H
#define XINV_BENCH_BARE_H

#include <stdint.h>

#define BARE_TAG    5u     /* VMID, DID, DomainID */
#define BARE_RID    0x310u /* of the endpoint with a device TLB */
#define BARE_STATUS UINT64_C(0x10000)

typedef unsigned bare_builder(uint64_t *w, uint32_t tag, uint32_t rid, uint64_t address);

/* TLBI_S2_IPA with Leaf, without a range; CMD_SYNC (SMMUv3 4.4.1, 4.7.3) */
__attribute__((noinline)) static unsigned bare_smmuv3(uint64_t *w, uint32_t tag, uint32_t rid,
                                                      uint64_t address)
{
    (void)rid;
    w[0] = 0x2a | (uint64_t)tag << 32;
    w[1] = address | 1;
    w[2] = 0x46;
    w[3] = 0;
    return 4;
}

/* and ATC_INV of one page, with a CMD_SYNC before and one after (4.5.1) */
__attribute__((noinline)) static unsigned bare_smmuv3_ats(uint64_t *w, uint32_t tag, uint32_t rid,
                                                          uint64_t address)
{
    w[0] = 0x2a | (uint64_t)tag << 32;
    w[1] = address | 1;
    w[2] = 0x46;
    w[3] = 0;
    w[4] = 0x40 | (uint64_t)rid << 32;
    w[5] = address;
    w[6] = 0x46;
    w[7] = 0;
    return 8;
}

/* iotlb, page-selective, DR, DW, IH; wait with a status write (VT-d 6.5.2.3, 6.5.2.8) */
__attribute__((noinline)) static unsigned bare_vtd(uint64_t *w, uint32_t tag, uint32_t rid,
                                                   uint64_t address)
{
    (void)rid;
    w[0] = 0xf2 | (uint64_t)tag << 16;
    w[1] = address | 0x40;
    w[2] = 0x25 | UINT64_C(1) << 32;
    w[3] = BARE_STATUS;
    return 4;
}

/* and dev_tlb, queue depth 32 (6.5.2.5) */
__attribute__((noinline)) static unsigned bare_vtd_ats(uint64_t *w, uint32_t tag, uint32_t rid,
                                                       uint64_t address)
{
    w[0] = 0xf2 | (uint64_t)tag << 16;
    w[1] = address | 0x40;
    w[2] = 3 | (uint64_t)rid << 32;
    w[3] = address;
    w[4] = 0x25 | UINT64_C(1) << 32;
    w[5] = BARE_STATUS;
    return 6;
}

/* the same in descriptors of 256 bits */
__attribute__((noinline)) static unsigned bare_vtd_wide(uint64_t *w, uint32_t tag, uint32_t rid,
                                                        uint64_t address)
{
    (void)rid;
    w[0] = 0xf2 | (uint64_t)tag << 16;
    w[1] = address | 0x40;
    w[2] = 0;
    w[3] = 0;
    w[4] = 0x25 | UINT64_C(1) << 32;
    w[5] = BARE_STATUS;
    w[6] = 0;
    w[7] = 0;
    return 8;
}

__attribute__((noinline)) static unsigned bare_vtd_wide_ats(uint64_t *w, uint32_t tag, uint32_t rid,
                                                            uint64_t address)
{
    w[0] = 0xf2 | (uint64_t)tag << 16;
    w[1] = address | 0x40;
    w[2] = 0;
    w[3] = 0;
    w[4] = 3 | (uint64_t)rid << 32;
    w[5] = address;
    w[6] = 0;
    w[7] = 0;
    w[8] = 0x25 | UINT64_C(1) << 32;
    w[9] = BARE_STATUS;
    w[10] = 0;
    w[11] = 0;
    return 12;
}

/* INVALIDATE_IOMMU_PAGES without PDE; COMPLETION_WAIT (AMD 2.4.3, 2.4.1) */
__attribute__((noinline)) static unsigned bare_amdvi(uint64_t *w, uint32_t tag, uint32_t rid,
                                                     uint64_t address)
{
    (void)rid;
    w[0] = UINT64_C(3) << 60 | (uint64_t)tag << 32;
    w[1] = address;
    w[2] = UINT64_C(1) << 60;
    w[3] = 0;
    return 4;
}

/* and INVALIDATE_IOTLB_PAGES, MaxPend 32, behind a COMPLETION_WAIT with F (2.4.4) */
__attribute__((noinline)) static unsigned bare_amdvi_ats(uint64_t *w, uint32_t tag, uint32_t rid,
                                                         uint64_t address)
{
    w[0] = UINT64_C(3) << 60 | (uint64_t)tag << 32;
    w[1] = address;
    w[2] = UINT64_C(1) << 60 | 4;
    w[3] = 0;
    w[4] = UINT64_C(4) << 60 | (uint64_t)rid << 32 | UINT64_C(32) << 24 | rid;
    w[5] = address;
    w[6] = UINT64_C(1) << 60;
    w[7] = 0;
    return 8;
}

#endif
