// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/* SMMU_IDR0 to SMMU_AIDR (IHI 0070 6.3). */
#include <stddef.h>

#include "cli/caps.h"

static const char *const stall_models[] = {
    "faults may stall or terminate: RESUME and STALL_TERM exist",
    "faults only terminate: RESUME and STALL_TERM are illegal",
    "every fault stalls: RESUME and STALL_TERM exist", "reserved", NULL};
static const char *const st_levels[] = {
    "linear stream table: CFGI_STE's Leaf makes no difference",
    "two-level stream table: CFGI_STE with Leaf = 0 drops level-1 descriptors too", "reserved",
    "reserved", NULL};
static const char *const cd_levels[] = {
    "linear CD tables: CFGI_CD's Leaf makes no difference",
    "two-level CD tables: CFGI_CD with Leaf = 0 drops level-1 descriptors too", NULL};
static const char *const sizes[] = {"32 bits: an MSI's or DPTI_PA's address above them is cut",
                                    "36 bits: an MSI's or DPTI_PA's address above them is cut",
                                    "40 bits: an MSI's or DPTI_PA's address above them is cut",
                                    "42 bits: an MSI's or DPTI_PA's address above them is cut",
                                    "44 bits: an MSI's or DPTI_PA's address above them is cut",
                                    "48 bits: an MSI's or DPTI_PA's address above them is cut",
                                    "52 bits: an MSI's or DPTI_PA's address above them is cut",
                                    "56 bits: an MSI's or DPTI_PA's address above them is cut",
                                    NULL};

static const struct caps_field idr0[] = {
    {"S2P", 0, 0, "no stage 2: S12_VMALL and S2_IPA are illegal, VMIDs must be 0",
     "stage 2: S12_VMALL and S2_IPA exist, a VMID tags stage-1 entries as well", 0, 0, NULL},
    {"S1P", 1, 1, "no stage 1: CFGI_CD, CFGI_CD_ALL and TLBI_NH_* are illegal",
     "stage 1: CFGI_CD, CFGI_CD_ALL and TLBI_NH_* exist", 0, 0, NULL},
    {"COHACC", 4, 4, "tables must be cleaned to memory before the doorbell",
     "coherent walks: a barrier before the doorbell is enough", 0, 0, NULL},
    {"BTM", 5, 5, "CPU broadcast TLBIs do not reach this SMMU",
     "CPU broadcast TLBIs reach entries of shared ASIDs if CR2.PTM is 0; never an ATC", 0, 0, NULL},
    {"Hyp", 9, 9, "no EL2: TLBI_EL2_* are illegal", "TLBI_EL2_* exist; CR2.E2H gives EL2 ASIDs", 0,
     0, NULL},
    {"ATS", 10, 10, "no ATS: ATC_INV is illegal", "ATC_INV exists, behind a SYNC of the TLBIs", 0,
     0, NULL},
    {"ASID16", 12, 12, "ASIDs have 8 bits; a wider one may invalidate nothing, without an error",
     "ASIDs have 16 bits", 0, 0, NULL},
    {"MSI", 13, 13, "a SYNC's MSI fields are ignored", "a SYNC can write a completion word", 0, 0,
     NULL},
    {"SEV", 14, 14, "SYNC with CS = 2 signals nothing", "SYNC with CS = 2 sends an event", 0, 0,
     NULL},
    {"PRI", 16, 16, "no page requests: PRI_RESP is illegal", "PRI_RESP exists", 0, 0, NULL},
    {"VMW", 17, 17, NULL, "CR0.VMW can make invalidations ignore up to 4 low bits of the VMID", 0,
     0, NULL},
    {"VMID16", 18, 18, "VMIDs have 8 bits; a wider one may invalidate nothing, without an error",
     "VMIDs have 16 bits", 0, 0, NULL},
    {"CD2L", 19, 19, NULL, NULL, 0, 0, cd_levels},
    {"STALL_MODEL", 25, 24, NULL, NULL, 0, 0, stall_models},
    {"TERM_MODEL", 26, 26, "RESUME may terminate as RAZ/WI or abort", "RESUME terminates by abort",
     0, 0, NULL},
    {"ST_LEVEL", 28, 27, NULL, NULL, 0, 0, st_levels},
    {"RME_IMPL", 30, 30, NULL, "TLBI_EL3_* are illegal on every queue", 0, 0, NULL},
};
static const struct caps_field idr1[] = {
    {"SIDSIZE", 5, 0, NULL, "#-bit StreamIDs; a wider one has no effect, or on another ID", 0, 1,
     NULL},
    {"SSIDSIZE", 10, 6, "no SubstreamIDs",
     "#-bit SubstreamIDs; a wider one has no effect, or on another ID", 0, 1, NULL},
    {"CMDQS", 25, 21, NULL, "the command queue has up to 2^# entries", 0, 1, NULL},
    {"QUEUES_PRESET", 29, 29, NULL, "queue addresses are fixed", 0, 0, NULL},
    {"ECMDQ", 31, 31, "one command queue",
     "more command queues: a SYNC completes commands of its own queue alone", 0, 0, NULL},
};
static const struct caps_field idr3[] = {
    {"MPAM", 7, 7, "CFGI_VMS_PIDM is illegal", "CFGI_VMS_PIDM exists", 0, 0, NULL},
    {"RIL", 10, 10, "no ranges: one TLBI a granule; NUM, SCALE, TTL and TG must be 0",
     "ranges: a TLBI names (NUM + 1) * 2^SCALE granules and may hint the level", 0, 0, NULL},
    {"BBML", 12, 11, "a block's size changes by break-before-make, with an invalidation between",
     "level #: a block's size may change in place, with an invalidation behind", 0, 1, NULL},
    {"DPT", 15, 15, "DPTI_ALL and DPTI_PA are illegal", "DPTI_ALL and DPTI_PA exist", 0, 0, NULL},
};
static const struct caps_field idr5[] = {
    {"OAS", 2, 0, NULL, NULL, 0, 0, sizes},
    {"GRAN4K", 4, 4, NULL, "4 KiB granules: TG = 1", 0, 0, NULL},
    {"GRAN16K", 5, 5, NULL, "16 KiB granules: TG = 2", 0, 0, NULL},
    {"GRAN64K", 6, 6, NULL, "64 KiB granules: TG = 3", 0, 0, NULL},
    {"DS", 7, 7, "SCALE has 5 bits; TTL 1 of 16 KiB granules counts as 0",
     "SCALE has 6 bits, 39 at most; TTL 1 of 16 KiB granules exists", 0, 0, NULL},
    {"D128", 8, 8, NULL, "128-bit descriptors: TTL128 exists", 0, 0, NULL},
    {"STALL_MAX", 31, 16, NULL, "stalled transactions: # at most", 0, 1, NULL},
};
static const struct caps_field idr6[] = {
    {"CMDQ_CONTROL_PAGE_LOG2NUMQ", 19, 16, NULL, "2^# more command queues a control page", 0, 1,
     NULL},
    {"CMDQ_CONTROL_PAGE_LOG2NUMP", 27, 24, NULL, "2^# control pages", 0, 1, NULL},
};
static const struct caps_field iidr[] = {
    {"Implementer", 11, 0, NULL, "errata go by these four fields", 0, 0, NULL},
    {"Revision", 15, 12, NULL, "errata go by these four fields", 0, 0, NULL},
    {"Variant", 19, 16, NULL, "errata go by these four fields", 0, 0, NULL},
    {"ProductID", 31, 20, NULL, "errata go by these four fields", 0, 0, NULL},
};
static const struct caps_field aidr[] = {
    {"ArchMinorRev", 3, 0, NULL, "SMMUv3.#; ranges are told by IDR3.RIL alone", 0, 1, NULL},
    {"ArchMajorRev", 7, 4, NULL, "0 is SMMUv3", 0, 0, NULL},
};

#define FIELDS(f) (f), sizeof(f) / sizeof((f)[0])

const struct caps_register caps_smmuv3[] = {
    {"IDR0", NULL, NULL, FIELDS(idr0)},      {"IDR1", NULL, NULL, FIELDS(idr1)},
    {"IDR3", NULL, NULL, FIELDS(idr3)},      {"IDR5", NULL, NULL, FIELDS(idr5)},
    {"IDR6", "IDR1", "ECMDQ", FIELDS(idr6)}, {"IIDR", NULL, NULL, FIELDS(iidr)},
    {"AIDR", NULL, NULL, FIELDS(aidr)},      {NULL, NULL, NULL, NULL, 0},
};
