// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/* CAP_REG and ECAP_REG (VT-d 11.4.2, 11.4.3). */
#include <stddef.h>

#include "cli/caps.h"

static const char *const ss_pages[] = {
    "4 KiB second-stage pages alone", "2 MiB second-stage pages: AM of at least 9 drops one",
    "1 GiB second-stage pages: AM of at least 18 drops one",
    "2 MiB and 1 GiB second-stage pages: AM of at least 9 and 18 drops one", NULL};

static const struct caps_field cap[] = {
    {"ND", 2, 0, NULL, "#-bit DIDs; further bits are ignored", 4, 2, NULL},
    {"RWBF", 4, 4, "no write-buffer flush is needed",
     "a change that needs no invalidation needs a write-buffer flush (GCMD.WBF)", 0, 0, NULL},
    {"CM", 7, 7, "not-present entries are not cached",
     "not-present entries are cached (context entries under DID 0): a map needs invalidations, but "
     "for first-stage tables",
     0, 0, NULL},
    {"SAGAW", 12, 8, NULL, "second-stage table depths: bit 1 is 3, bit 2 is 4, bit 3 is 5 levels",
     0, 0, NULL},
    {"MGAW", 21, 16, NULL, "#-bit addresses; IVA_REG ignores bits above", 1, 1, NULL},
    {"SLLPS", 35, 34, NULL, NULL, 0, 0, ss_pages},
    {"PSI", 39, 39, "no page-selective iotlb: the domain-selective one instead",
     "page-selective iotlb, up to MAMV", 0, 0, NULL},
    {"MAMV", 53, 48, NULL, "iotlb and IVA_REG take AM up to #; p_iotlb is not bound by it", 0, 1,
     NULL},
    {"DWD", 54, 54, "the DW bit is ignored", "the DW bit drains writes", 0, 0, NULL},
    {"DRD", 55, 55, "the DR bit is ignored", "the DR bit drains reads", 0, 0, NULL},
    {"FL1GP", 56, 56, NULL, "1 GiB first-stage pages: AM of at least 18 drops one", 0, 0, NULL},
    {"PI", 59, 59, NULL, "posted interrupts: interrupt entries hold posted descriptors", 0, 0,
     NULL},
    {"FL5LP", 60, 60, NULL, "57-bit first-stage addresses", 0, 0, NULL},
    {"ESIRTPS", 62, 62, "iec global after the interrupt table pointer is set",
     "setting the interrupt table pointer drops interrupt entries by itself", 0, 0, NULL},
    {"ESRTPS", 63, 63, "cc, pc and iotlb global after the root table pointer is set",
     "setting the root table pointer drops context, PASID and IOTLB entries by itself", 0, 0, NULL},
};
static const struct caps_field ecap[] = {
    {"C", 0, 0, "tables must be cleaned to memory before the doorbell (legacy mode)",
     "coherent walks: a barrier before the doorbell is enough (legacy mode)", 0, 0, NULL},
    {"QI", 1, 1, "no queue: CCMD_REG, IVA_REG and IOTLB_REG", "the invalidation queue exists", 0, 0,
     NULL},
    {"DT", 2, 2, "no Device-TLBs: dev_tlb and p_dev_tlb are invalid", "dev_tlb exists", 0, 0, NULL},
    {"IR", 3, 3, "no interrupt remapping: iec is invalid", "iec exists", 0, 0, NULL},
    {"PT", 6, 6, NULL, "pass-through entries: DIDs of their own, p_iotlb drops them", 0, 0, NULL},
    {"IRO", 17, 8, NULL, "IVA_REG at 16 * IRO, IOTLB_REG 8 above", 0, 0, NULL},
    {"MHMV", 23, 20, NULL, "iec takes IM up to #", 0, 1, NULL},
    {"NEST", 26, 26, NULL, "nested translation: entries of both stages under the nested DID", 0, 0,
     NULL},
    {"PRS", 29, 29, "no page requests: page_resp is invalid", "page_resp exists (scalable mode)", 0,
     0, NULL},
    {"PSS", 39, 35, NULL, "#-bit PASIDs", 1, 1, NULL},
    {"PASID", 40, 40, "no PASIDs at devices: p_dev_tlb is invalid", "p_dev_tlb exists", 0, 0, NULL},
    {"DIT", 41, 41, "PFSID must be 0", "PFSID names the function whose queue depth MIP counts", 0,
     0, NULL},
    {"PDS", 42, 42, "wait: PD must be 0", "wait: PD drains page requests", 0, 0, NULL},
    {"SMTS", 43, 43, "legacy mode alone: 128-bit entries, types 1 to 5",
     "scalable mode and 256-bit entries: p_iotlb and pc exist", 0, 0, NULL},
    {"SLTS", 46, 46, NULL, "second stage in scalable mode: iotlb", 0, 0, NULL},
    {"FLTS", 47, 47, NULL, "first stage: p_iotlb", 0, 0, NULL},
    {"SMPWCS", 48, 48, NULL, "coherent walks in scalable mode where the entry says so", 0, 0, NULL},
    {"RPS", 49, 49, NULL, "requests without PASID are tagged with the context entry's RID_PASID", 0,
     0, NULL},
    {"ADMS", 52, 52, NULL, "abort-DMA mode", 0, 0, NULL},
};

#define FIELDS(f) (f), sizeof(f) / sizeof((f)[0])

const struct caps_register caps_vtd[] = {
    {"CAP", NULL, NULL, FIELDS(cap)},
    {"ECAP", NULL, NULL, FIELDS(ecap)},
    {NULL, NULL, NULL, NULL, 0},
};
