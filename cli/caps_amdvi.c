// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/* The capability header, and the extended feature registers at 0030h and 01A0h (AMD 48882). */
#include <stddef.h>

#include "cli/caps.h"

static const char *const host_levels[] = {"host tables of up to 4 levels",
                                          "host tables of up to 5 levels",
                                          "host tables of up to 6 levels", "no host tables", NULL};
static const char *const guest_levels[] = {
    "guest tables of 4 levels", "guest tables of up to 5 levels", "reserved", "reserved", NULL};
static const char *const gcr3_levels[] = {
    "GCR3 tables of one level: 9-bit PASIDs", "GCR3 tables of up to two levels: 18-bit PASIDs",
    "GCR3 tables of up to three levels: 27-bit PASIDs", "reserved", NULL};

static const char *const device_tables[] = {"the device table is in one piece",
                                            "the device table may be in 2 segments",
                                            "the device table may be in up to 4 segments",
                                            "the device table may be in up to 8 segments", NULL};
static const char *const interrupt_tables[] = {"interrupt tables of up to 512 entries",
                                               "interrupt tables of up to 2048 entries", "reserved",
                                               "reserved", NULL};

static const struct caps_field cap[] = {
    {"IotlbSup", 24, 24, "no device TLBs: INVALIDATE_IOTLB_PAGES is illegal",
     "INVALIDATE_IOTLB_PAGES exists", 0, 0, NULL},
    {"NpCache", 26, 26, "not-present entries are not cached",
     "not-present entries are cached: a map needs invalidations too", 0, 0, NULL},
    {"EFRSup", 27, 27, "no extended features: EFR and EFR2 say nothing", "EFR exists", 0, 0, NULL},
};
static const struct caps_field efr[] = {
    {"PreFSup", 0, 0, "PREFETCH_IOMMU_PAGES is illegal", "PREFETCH_IOMMU_PAGES exists", 0, 0, NULL},
    {"PPRSup", 1, 1, "COMPLETE_PPR_REQUEST is illegal", "COMPLETE_PPR_REQUEST exists", 0, 0, NULL},
    {"GTSup", 4, 4, "no guest translation: GN = 1 is illegal",
     "guest translation: GN = 1 names a PASID and a GVA", 0, 0, NULL},
    {"IASup", 6, 6,
     "INVALIDATE_IOMMU_ALL is illegal: every DeviceID and DomainID must be named instead",
     "INVALIDATE_IOMMU_ALL exists; it reaches no device TLB", 0, 0, NULL},
    {"HATS", 11, 10, NULL, NULL, 0, 0, host_levels},
    {"GATS", 13, 12, NULL, NULL, 0, 0, guest_levels},
    {"GLXSup", 15, 14, NULL, NULL, 0, 0, gcr3_levels},
    {"PASmax", 36, 32, NULL, "#-bit PASIDs", 1, 1, NULL},
    {"DevTblSegSup", 39, 38, NULL, NULL, 0, 0, device_tables},
    {"GIoSup", 48, 48, "requests without PASID use host tables alone",
     "requests without PASID may use a guest table: GN = 1 with PASID 0 drops their entries", 0, 0,
     NULL},
    {"HASup", 49, 49, NULL, "accessed bits in host tables", 0, 0, NULL},
    {"EPHSup", 50, 50, NULL, "enhanced page request handling", 0, 0, NULL},
    {"HDSup", 52, 52, NULL, "dirty bits in host tables: turning them on or off needs invalidations",
     0, 0, NULL},
    {"InvIotlbTypeSup", 54, 54, "Type of INVALIDATE_IOTLB_PAGES must be 0",
     "INVALIDATE_IOTLB_PAGES has a Type", 0, 0, NULL},
    {"vIommuSup", 55, 55, "INSERT_GUEST_EVENT and RESET_VMMIO are illegal",
     "INSERT_GUEST_EVENT and RESET_VMMIO exist", 0, 0, NULL},
    {"SNPSup", 63, 63, NULL,
     "with SNP on there is no pass-through, and the completion word has a page of its own", 0, 0,
     NULL},
};
static const struct caps_field efr2[] = {
    {"SNPIOSup", 1, 1, NULL, "trusted I/O under SNP", 0, 0, NULL},
    {"GCR3TRPMode", 3, 3, NULL, "a DTE's GCR3 root may be a guest physical address", 0, 0, NULL},
    {"NumIntRemapSup", 9, 8, NULL, NULL, 0, 0, interrupt_tables},
};

#define FIELDS(f) (f), sizeof(f) / sizeof((f)[0])

const struct caps_register caps_amdvi[] = {
    {"CAP", NULL, NULL, FIELDS(cap)},
    {"EFR", "CAP", "EFRSup", FIELDS(efr)},
    {"EFR2", "CAP", "EFRSup", FIELDS(efr2)},
    {NULL, NULL, NULL, NULL, 0},
};
