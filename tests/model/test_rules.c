// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/*
 * The model's own rules, case by case: words assembled by hand, entries, and what becomes of them.
 * Then each rule is planted with a fault, one way and the other, and some case has to notice.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "model/rules.h"

static const struct model_config configs[] = {
    /* IDR0: S1P, S2P, Hyp, ATS, 16-bit tags; RIL */
    {.vendor = MODEL_SMMUV3,
     .words = 2,
     .s1p = true,
     .s2p = true,
     .hyp = true,
     .ats = true,
     .asid16 = true,
     .vmid16 = true,
     .ril = true,
     .sidsize = 16,
     .ssidsize = 16},
    {.vendor = MODEL_SMMUV3,
     .words = 2,
     .s1p = true,
     .s2p = true,
     .hyp = true,
     .e2h = true,
     .ats = true,
     .asid16 = true,
     .vmid16 = true,
     .sidsize = 16,
     .ssidsize = 16},
    /* 8-bit tags; Tegra264's erratum */
    {.vendor = MODEL_SMMUV3, .words = 2, .s1p = true, .s2p = true, .sidsize = 16, .repeat = 1},
    {.vendor = MODEL_VTD,
     .words = 4,
     .scalable = true,
     .psi = true,
     .dt = true,
     .ir = true,
     .pasid = true,
     .smts = true,
     .mamv = 18,
     .mhmv = 15,
     .did_bits = 16,
     .pasid_bits = 20},
    {.vendor = MODEL_VTD,
     .words = 2,
     .psi = true,
     .dt = true,
     .mamv = 9,
     .did_bits = 8,
     .pasid_bits = 1,
     .rwbf = true},
    {.vendor = MODEL_AMDVI,
     .words = 2,
     .iotlbsup = true,
     .gtsup = true,
     .iasup = true,
     .pasmax = 15},
};

enum {
    SMMU,
    E2H,
    TEGRA,
    SCALABLE,
    LEGACY,
    AMD
};

#define MARK                                                                            \
    UINT64_C(0x7777777777777777) /* not a command: software waits, or writes a register \
                                  */
#define WAIT     MARK, 0
#define REGISTER MARK, 1

#define SYNC   0x46, 0
#define V_WAIT 0x0000000100000025, 0x1000 /* SW */
#define A_WAIT 0x1000000000001001, 1      /* S */

#define SID  0x310
#define PAGE 0x40000000

/* Entries. A size or an address that is not given is a page, at PAGE. */
#define STE      .cache = XINV_CACHE_DEVICE_CONFIG, .rid = SID
#define CD       .cache = XINV_CACHE_PASID_CONFIG, .rid = SID, .pasid = 5
#define S1       .cache = XINV_CACHE_STAGE1
#define S2       .cache = XINV_CACHE_STAGE2, .walk = MODEL_SECOND
#define COMBINED .cache = XINV_CACHE_NESTED, .walk = MODEL_BOTH, .address = 0x5000
#define PT       .cache = XINV_CACHE_STAGE2, .walk = MODEL_PASS
#define ATC      .cache = XINV_CACHE_DEVICE_TLB, .rid = SID
#define TABLE    .kind = MODEL_TABLE, .log2_size = 21
#define PDE30    .kind = MODEL_TABLE, .log2_size = 30
#define BIG      .log2_size = 21
#define TAGGED   .tagged = true, .pasid = 5
#define V3       .vmid = 3
#define A7       .asid = 7
#define GLOBAL   .global = true
#define D5       .did = 5
#define P5       .pasid = 5
#define IRQ      .cache = XINV_CACHE_INTERRUPT, .rid = SID, .index = 0x12

#define GONE     MODEL_GONE
#define MISSED   MODEL_MISSED
#define PENDING  MODEL_PENDING
#define REFILLED MODEL_REFILLED

#define MOST_ENTRIES 5

struct rule_case {
    const char *name;
    unsigned config;
    uint64_t words[16]; /* two a command */
    unsigned n;
    struct {
        struct model_entry entry;
        uint8_t fate;
    } at[MOST_ENTRIES];
};

#define TOGETHER 0x100u /* the entries can feed one another */

#define N(...)     (sizeof((uint64_t[]){__VA_ARGS__}) / sizeof(uint64_t))
#define WORDS(...) {__VA_ARGS__}, N(__VA_ARGS__)

static const struct rule_case cases[] = {
    /* ---- SMMUv3, configuration ---- */
    {"CFGI_STE, Leaf: STE and CDs of the stream, not its first-level descriptor",
     SMMU,
     WORDS(0x0000031000000003, 1, SYNC),
     {{{STE}, GONE},
      {{STE, .kind = MODEL_STE_TABLE}, MISSED},
      {{CD}, GONE},
      {{CD, .kind = MODEL_TABLE}, GONE},
      {{S1}, MISSED}}},
    {"CFGI_STE without Leaf: that too; another stream stays",
     SMMU,
     WORDS(0x0000031000000003, 0, SYNC),
     {{{STE, .kind = MODEL_STE_TABLE}, GONE},
      {{.cache = XINV_CACHE_DEVICE_CONFIG, .rid = 0x311}, MISSED}}},
    {"CFGI_STE_RANGE, Range 3: sixteen streams",
     SMMU,
     WORDS(0x0000031500000004, 3, SYNC),
     {{{STE}, GONE},
      {{.cache = XINV_CACHE_DEVICE_CONFIG, .rid = 0x31f}, GONE},
      {{.cache = XINV_CACHE_DEVICE_CONFIG, .rid = 0x320}, MISSED}}},
    {"CFGI_ALL", SMMU, WORDS(4, 0x1f, SYNC), {{{STE}, GONE}, {{CD}, GONE}, {{ATC}, MISSED}}},
    {"CFGI_CD, Leaf: one CD of one stream",
     SMMU,
     WORDS(0x0000031000005005, 1, SYNC),
     {{{CD}, GONE},
      {{.cache = XINV_CACHE_PASID_CONFIG, .rid = SID, .pasid = 6}, MISSED},
      {{.cache = XINV_CACHE_PASID_CONFIG, .rid = 0x311, .pasid = 5}, MISSED},
      {{CD, .kind = MODEL_TABLE}, MISSED},
      {{STE}, MISSED}}},
    {"CFGI_CD_ALL: every CD of the stream, and descriptors",
     SMMU,
     WORDS(0x0000031000000006, 0, SYNC),
     {{{.cache = XINV_CACHE_PASID_CONFIG, .rid = SID, .pasid = 6}, GONE},
      {{CD, .kind = MODEL_TABLE}, GONE},
      {{STE}, MISSED}}},

    /* ---- SMMUv3, TLBs ---- */
    {"TLBI_NH_ALL: stage 1 and combined of the VMID, global ones too, not stage 2",
     SMMU,
     WORDS(0x0000000300000010, 0, SYNC),
     {{{S1, V3, A7}, GONE},
      {{S1, V3, GLOBAL}, GONE},
      {{COMBINED, V3}, GONE},
      {{S2, V3}, MISSED},
      {{S1, .vmid = 4}, MISSED}}},
    {"TLBI_NH_ASID: one ASID, global ones stay",
     SMMU,
     WORDS(0x0007000300000011, 0, SYNC),
     {{{S1, V3, A7, TABLE}, GONE},
      {{S1, V3, A7, GLOBAL}, MISSED},
      {{S1, V3, .asid = 8}, MISSED},
      {{S1, .vmid = 4, A7}, MISSED},
      {{S1, V3, A7, .regime = MODEL_EL2_E2H}, MISSED}}},
    {"TLBI_NH_VA, Leaf: one page of one ASID, or global",
     SMMU,
     WORDS(0x0007000300000012, PAGE | 1, SYNC),
     {{{S1, V3, A7}, GONE},
      {{S1, V3, .asid = 8, GLOBAL}, GONE},
      {{S1, V3, .asid = 8}, MISSED},
      {{S1, V3, A7, .address = PAGE + 0x1000}, MISSED},
      {{S1, V3, A7, TABLE}, MISSED}}},
    {"TLBI_NH_VA in the middle of a block entry",
     SMMU,
     WORDS(0x0007000300000012, (PAGE + 0x5000) | 1, SYNC),
     {{{S1, V3, A7, BIG}, GONE}, {{S1, V3, A7}, MISSED}}},
    {"TLBI_NH_VA without Leaf: table entries above the page",
     SMMU,
     WORDS(0x0007000300000012, PAGE, SYNC),
     {{{S1, V3, A7, TABLE}, GONE},
      {{S1, V3, A7, PDE30}, GONE},
      {{S1, V3, A7, TABLE, .address = PAGE - 0x200000}, MISSED}}},
    {"TLBI_NH_VAA: any ASID",
     SMMU,
     WORDS(0x0000000300000013, PAGE | 1, SYNC),
     {{{S1, V3, .asid = 8}, GONE}, {{S1, V3, GLOBAL}, GONE}, {{S1, .vmid = 4}, MISSED}}},
    {"a range of two 4 KiB granules (NUM 1, TG 1)",
     SMMU,
     WORDS(0x0007000300001012, PAGE | 0x401, SYNC),
     {{{S1, V3, A7, .address = PAGE + 0x1000}, GONE},
      {{S1, V3, A7, .address = PAGE + 0x2000}, MISSED},
      {{S1, V3, A7, .log2_granule = 14, .log2_size = 14}, MISSED}}},
    {"TTL 3: leaves of the granule alone",
     SMMU,
     WORDS(0x0007000300000012, PAGE | 0x701, SYNC),
     {{{S1, V3, A7}, GONE}, {{S1, V3, A7, BIG}, MISSED}}},
    {"TTL 2 without Leaf: block entries, and tables above them",
     SMMU,
     WORDS(0x0007000300000012, PAGE | 0x600, SYNC),
     {{{S1, V3, A7, BIG}, GONE},
      {{S1, V3, A7, PDE30}, GONE},
      {{S1, V3, A7, TABLE}, MISSED},
      {{S1, V3, A7}, MISSED}}},
    {"a range across the middle of the address space need not reach TTB1",
     SMMU,
     WORDS(0x0007000301f1f012, UINT64_C(0x7fffffffff000000) | 0x401, SYNC),
     {{{S1, V3, A7, .address = 0x7ffffffffffff000}, GONE},
      {{S1, V3, A7, .address = 0x8000000000000000}, MISSED}}},
    {"a start that is not aligned to TTL's level is unpredictable",
     SMMU,
     WORDS(0x0007000300000012, (PAGE + 0x1000) | 0x601, SYNC),
     {{{S1, V3, A7, BIG}, MISSED}}},
    {"TLBI_S2_IPA: stage 2, not combined entries",
     SMMU,
     WORDS(0x000000030000002a, PAGE | 1, SYNC),
     {{{S2, V3}, GONE},
      {{COMBINED, V3}, MISSED},
      {{S2, V3, .ipa = PAGE + 0x1000}, MISSED},
      {{S2, .vmid = 4}, MISSED},
      {{S2, V3, TABLE}, MISSED}}},
    {"TLBI_S12_VMALL: both stages of the VMID",
     SMMU,
     WORDS(0x0000000300000028, 0, SYNC),
     {{{S2, V3}, GONE},
      {{COMBINED, V3, GLOBAL}, GONE},
      {{S2, .vmid = 4}, MISSED},
      {{S1, V3, .regime = MODEL_EL2}, MISSED}}},
    {"TLBI_NSNH_ALL: every VMID, not EL2",
     SMMU,
     WORDS(0x30, 0, SYNC),
     {{{S2, .vmid = 4}, GONE}, {{S1, V3}, GONE}, {{S1, .regime = MODEL_EL2}, MISSED}}},
    {"TLBI_EL2_ALL: both kinds of EL2",
     SMMU,
     WORDS(0x20, 0, SYNC),
     {{{S1, .regime = MODEL_EL2}, GONE},
      {{S1, .regime = MODEL_EL2_E2H, A7}, GONE},
      {{S1, V3}, MISSED}}},
    {"TLBI_EL2_ASID: E2H entries alone, global ones stay",
     E2H,
     WORDS(0x0007000000000021, 0, SYNC),
     {{{S1, .regime = MODEL_EL2_E2H, A7}, GONE},
      {{S1, .regime = MODEL_EL2, A7}, MISSED},
      {{S1, .regime = MODEL_EL2_E2H, GLOBAL, A7}, MISSED}}},
    {"TLBI_EL2_VA with E2H: the ASID counts",
     E2H,
     WORDS(0x0007000000000022, PAGE | 1, SYNC),
     {{{S1, .regime = MODEL_EL2_E2H, A7}, GONE},
      {{S1, .regime = MODEL_EL2_E2H, .asid = 8}, MISSED},
      {{S1, .regime = MODEL_EL2, A7}, MISSED}}},
    {"TLBI_EL2_VA without E2H: it does not",
     SMMU,
     WORDS(0x0007000000000022, PAGE | 1, SYNC),
     {{{S1, .regime = MODEL_EL2, .asid = 8}, GONE}, {{S1, .regime = MODEL_EL2_E2H, A7}, MISSED}}},
    {"a VMID above 8 bits may be ignored",
     TEGRA,
     WORDS(0x0000010300000010, 0, SYNC, 0x0000010300000010, 0, SYNC),
     {{{S1, .vmid = 0x103}, MISSED}}},

    /* ---- SMMUv3, device TLB and order ---- */
    {"ATC_INV with SubstreamID",
     SMMU,
     WORDS(0x0000031000005840, PAGE | 1, SYNC),
     {{{ATC, TAGGED, .address = PAGE + 0x1000}, GONE},
      {{ATC, .tagged = true, .pasid = 6}, MISSED},
      {{ATC}, MISSED},
      {{ATC, TAGGED, .address = PAGE + 0x2000}, MISSED},
      {{.cache = XINV_CACHE_DEVICE_TLB, .rid = 0x311, TAGGED}, MISSED}}},
    {"ATC_INV without: PASIDs are not relied on",
     SMMU,
     WORDS(0x0000031000000040, 52, SYNC),
     {{{ATC}, GONE}, {{ATC, TAGGED}, MISSED}}},
    {"ATC_INV of one page finds a larger entry around it",
     SMMU,
     WORDS(0x0000031000000040, PAGE + 0x1000, SYNC),
     {{{ATC, BIG}, GONE}, {{ATC, BIG, .address = PAGE + 0x200000}, MISSED}}},
    {"a device TLB refills from a TLB that is not known to be clean",
     SMMU | TOGETHER,
     WORDS(0x0007000300000012, PAGE | 1, 0x0000031000000040, PAGE, SYNC),
     {{{S1, V3, A7}, GONE}, {{ATC, V3, A7}, REFILLED}}},
    {"a SYNC between them orders",
     SMMU | TOGETHER,
     WORDS(0x0007000300000012, PAGE | 1, SYNC, 0x0000031000000040, PAGE, SYNC),
     {{{S1, V3, A7}, GONE}, {{ATC, V3, A7}, GONE}}},
    {"from a global TLB entry whatever its ASID",
     SMMU | TOGETHER,
     WORDS(0x0007000300000011, 0, SYNC, 0x0000031000000040, PAGE, SYNC),
     {{{S1, V3, .asid = 9, GLOBAL}, MISSED}, {{ATC, V3, A7}, REFILLED}}},
    {"not from a TLB entry of another page",
     SMMU | TOGETHER,
     WORDS(0x0007000300000012, PAGE | 1, 0x0000031000000040, 52, SYNC),
     {{{S1, V3, A7}, GONE}, {{ATC, V3, A7, .address = PAGE + 0x5000}, GONE}}},
    {"a TLB refills from a CD that is cached",
     SMMU | TOGETHER,
     WORDS(0x0007000300000011, 0, SYNC, 0x0000031000005005, 1, SYNC),
     {{{CD, V3, A7}, GONE}, {{S1, V3, A7, .rid = SID, P5}, REFILLED}}},
    {"a CD makes entries of its own ASID and VMID alone",
     SMMU | TOGETHER,
     WORDS(0x0007000300000011, 0, SYNC, 0x0000031000005005, 1, SYNC),
     {{{CD, V3, .asid = 8}, GONE},
      {{CD, .vmid = 4, A7}, GONE},
      {{S1, V3, A7, .rid = SID, P5}, GONE}}},
    {"a device entry of another DomainID makes none of this one",
     AMD | TOGETHER,
     WORDS(0x3000000500000000, 0x7ffffffffffff003, 0x1000000000000005, 0x1000, 0x2000000000000310,
           0, 0x1000000000000005, 0x1000),
     {{{.cache = XINV_CACHE_DEVICE_CONFIG, .rid = SID, .did = 6}, GONE},
      {{S2, .did = 5, .rid = SID}, GONE}}},
    {"a device entry of this one does",
     AMD | TOGETHER,
     WORDS(0x3000000500000000, 0x7ffffffffffff003, 0x1000000000000005, 0x1000, 0x2000000000000310,
           0, 0x1000000000000005, 0x1000),
     {{{.cache = XINV_CACHE_DEVICE_CONFIG, .rid = SID, .did = 5}, GONE},
      {{S2, .did = 5, .rid = SID}, REFILLED}}},
    {"a leaf entry refills from a table entry",
     SMMU | TOGETHER,
     WORDS(0x0007000300000012, PAGE | 1, SYNC),
     {{{S1, V3, A7, TABLE}, MISSED}, {{S1, V3, A7}, REFILLED}}},
    {"without a SYNC nothing is known",
     SMMU,
     WORDS(0x0007000300000011, 0),
     {{{S1, V3, A7}, PENDING}}},
    {"Tegra264: once is not enough",
     TEGRA,
     WORDS(0x0007000300000011, 0, SYNC),
     {{{S1, V3, A7}, MISSED}}},
    {"Tegra264: twice in one list is not either",
     TEGRA,
     WORDS(0x0007000300000011, 0, 0x0007000300000011, 0, SYNC),
     {{{S1, V3, A7}, MISSED}}},
    {"Tegra264: again after a SYNC is",
     TEGRA,
     WORDS(0x0007000300000011, 0, SYNC, 0x0007000300000011, 0, SYNC),
     {{{S1, V3, A7}, GONE}}},

    /* ---- VT-d ---- */
    {"cc, device-selective, scalable: any DID",
     SCALABLE,
     WORDS(0x0000031000000031, 0, V_WAIT),
     {{{STE, D5}, GONE},
      {{.cache = XINV_CACHE_DEVICE_CONFIG, .rid = 0x311}, MISSED},
      {{.cache = XINV_CACHE_PASID_CONFIG, D5, P5}, MISSED}}},
    {"cc, device-selective, FM 3: a whole device",
     SCALABLE,
     WORDS(0x0003031000000031, 0, V_WAIT),
     {{{.cache = XINV_CACHE_DEVICE_CONFIG, .rid = 0x317}, GONE},
      {{.cache = XINV_CACHE_DEVICE_CONFIG, .rid = 0x318}, MISSED}}},
    {"cc, domain-selective, scalable: finds nothing",
     SCALABLE,
     WORDS(0x0000000000050021, 0, V_WAIT),
     {{{STE, D5}, MISSED}}},
    {"cc, device-selective, legacy: the DID counts",
     LEGACY,
     WORDS(0x0000031000050031, 0, V_WAIT),
     {{{STE, D5}, GONE}, {{STE, .did = 0}, MISSED}}},
    {"cc, domain-selective, legacy",
     LEGACY,
     WORDS(0x0000000000050021, 0, V_WAIT),
     {{{STE, D5}, GONE}, {{STE, .did = 6}, MISSED}}},
    {"pc, PASID-selective",
     SCALABLE,
     WORDS(0x0000000500050017, 0, V_WAIT),
     {{{.cache = XINV_CACHE_PASID_CONFIG, D5, P5}, GONE},
      {{.cache = XINV_CACHE_PASID_CONFIG, D5, .pasid = 6}, MISSED},
      {{.cache = XINV_CACHE_PASID_CONFIG, .did = 6, P5}, MISSED}}},
    {"pc, domain-selective is granularity 0",
     SCALABLE,
     WORDS(0x0000000000050007, 0, V_WAIT),
     {{{.cache = XINV_CACHE_PASID_CONFIG, D5, .pasid = 6}, GONE},
      {{.cache = XINV_CACHE_PASID_CONFIG, .did = 6}, MISSED}}},
    {"iotlb, domain-selective: every stage",
     SCALABLE,
     WORDS(0x0000000000050022, 0, V_WAIT),
     {{{S1, D5, P5}, GONE},
      {{S2, D5}, GONE},
      {{COMBINED, D5, TABLE}, GONE},
      {{S2, .did = 6}, MISSED}}},
    {"iotlb, page-selective: first-stage entries at any address",
     SCALABLE,
     WORDS(0x0000000000050032, PAGE, V_WAIT),
     {{{S2, D5}, GONE},
      {{S2, D5, .ipa = PAGE + 0x1000}, MISSED},
      {{S1, D5, .address = 0x1234000}, GONE},
      {{COMBINED, D5}, GONE},
      {{S2, D5, TABLE}, GONE}}},
    {"iotlb, page-selective, IH: table entries may stay",
     SCALABLE | TOGETHER,
     WORDS(0x0000000000050032, PAGE | 0x40, V_WAIT),
     {{{S2, D5}, REFILLED}, {{S2, D5, TABLE}, MISSED}}},
    {"a superpage needs a mask of its size",
     SCALABLE,
     WORDS(0x0000000000050032, PAGE | 8, V_WAIT),
     {{{S2, D5, BIG}, MISSED}, {{S2, D5, .ipa = PAGE + 0xff000}, GONE}}},
    {"and goes with one",
     SCALABLE,
     WORDS(0x0000000000050032, PAGE | 9, V_WAIT),
     {{{S2, D5, BIG}, GONE}}},
    {"p_iotlb, PASID-selective: not second-stage",
     SCALABLE,
     WORDS(0x0000000500050026, 0, V_WAIT),
     {{{S1, D5, P5}, GONE},
      {{S2, D5, P5}, MISSED},
      {{S1, D5, .pasid = 6}, MISSED},
      {{S1, .did = 6, P5}, MISSED},
      {{PT, D5, P5}, GONE}}},
    {"p_iotlb, page-selective",
     SCALABLE,
     WORDS(0x0000000500050036, PAGE | 1, V_WAIT),
     {{{S1, D5, P5, .address = PAGE + 0x1000}, GONE},
      {{S1, D5, P5, .address = PAGE + 0x2000}, MISSED},
      {{S1, D5, P5, BIG}, MISSED},
      {{S1, D5, P5, TABLE}, GONE},
      {{PT, D5, P5}, MISSED}}},
    {"p_iotlb, page-selective, IH",
     SCALABLE,
     WORDS(0x0000000500050036, PAGE | 0x40, V_WAIT),
     {{{S1, D5, P5, .address = PAGE + 0x1000}, MISSED}, {{S1, D5, P5, TABLE}, MISSED}}},
    {"dev_tlb: entries without PASID",
     SCALABLE,
     WORDS(0x0000031000000003, PAGE | 1, V_WAIT),
     {{{ATC, .address = PAGE + 0x1000}, GONE},
      {{ATC, .address = PAGE + 0x2000}, MISSED},
      {{ATC, TAGGED}, MISSED},
      {{.cache = XINV_CACHE_DEVICE_TLB, .rid = 0x311}, MISSED}}},
    {"p_dev_tlb: entries with it",
     SCALABLE,
     WORDS(0x0000000503100008, PAGE, V_WAIT),
     {{{ATC, TAGGED}, GONE}, {{ATC, .tagged = true, .pasid = 6}, MISSED}, {{ATC}, MISSED}}},
    {"p_dev_tlb, G: any PASID",
     SCALABLE,
     WORDS(0x0000000003100008, 0x7ffffffffffff801, V_WAIT),
     {{{ATC, TAGGED}, GONE}, {{ATC}, MISSED}}},
    {"iec, index-selective",
     SCALABLE,
     WORDS(0x0000001000000014 | UINT64_C(2) << 27, 0, V_WAIT),
     {{{IRQ}, GONE}, {{.cache = XINV_CACHE_INTERRUPT, .index = 0x14}, MISSED}}},
    {"the queue orders iotlb after cc, and device TLBs after iotlb",
     SCALABLE | TOGETHER,
     WORDS(0x0000031000000031, 0, 0x0000000000050022, 0, 0x0000031000000003, 0x7ffffffffffff001,
           V_WAIT),
     {{{STE, D5}, GONE},
      {{S2, D5, .rid = SID}, GONE},
      {{ATC, D5, .walk = MODEL_SECOND, .ipa = PAGE}, GONE}}},
    {"but not device TLBs after cc alone",
     SCALABLE | TOGETHER,
     WORDS(0x0000031000000031, 0, 0x0000031000000003, 0x7ffffffffffff001, V_WAIT),
     {{{STE, D5}, GONE}, {{ATC, D5}, REFILLED}}},
    {"a wait without FN is no fence",
     SCALABLE | TOGETHER,
     WORDS(0x0000031000000031, 0, V_WAIT, 0x0000031000000003, 0x7ffffffffffff001, V_WAIT),
     {{{STE, D5}, GONE}, {{ATC, D5}, REFILLED}}},
    {"with FN it is",
     SCALABLE | TOGETHER,
     WORDS(0x0000031000000031, 0, 0x45, 0, 0x0000031000000003, 0x7ffffffffffff001, V_WAIT),
     {{{STE, D5}, GONE}, {{ATC, D5}, GONE}}},
    {"so is software that waits",
     SCALABLE | TOGETHER,
     WORDS(0x0000031000000031, 0, V_WAIT, WAIT, 0x0000031000000003, 0x7ffffffffffff001, V_WAIT),
     {{{STE, D5}, GONE}, {{ATC, D5}, GONE}}},
    {"a wait that tells nobody",
     SCALABLE,
     WORDS(0x0000000000050022, 0, 0x45, 0),
     {{{S2, D5}, PENDING}}},
    {"the write buffer: a flush by register",
     LEGACY,
     WORDS(REGISTER),
     {{{.cache = XINV_CACHE_WRITE_BUFFER}, GONE}, {{S2, D5}, MISSED}}},

    /* ---- AMD-Vi ---- */
    {"INVALIDATE_DEVTAB_ENTRY",
     AMD,
     WORDS(0x2000000000000310, 0, A_WAIT),
     {{{STE}, GONE},
      {{.cache = XINV_CACHE_DEVICE_CONFIG, .rid = 0x311}, MISSED},
      {{IRQ}, MISSED},
      {{S2, D5}, MISSED}}},
    {"INVALIDATE_INTERRUPT_TABLE",
     AMD,
     WORDS(0x5000000000000310, 0, A_WAIT),
     {{{IRQ}, GONE}, {{.cache = XINV_CACHE_INTERRUPT, .rid = 0x311}, MISSED}}},
    {"INVALIDATE_IOMMU_PAGES, GN = 0, a page",
     AMD,
     WORDS(0x3000000500000000, PAGE | 2, A_WAIT),
     {{{S2, D5}, GONE},
      {{S2, D5, .ipa = PAGE + 0x1000}, MISSED},
      {{S2, .did = 6}, MISSED},
      {{S2, D5, TABLE}, GONE},
      {{COMBINED, D5, P5}, GONE}}},
    {"GN = 0 by range is not about guest entries of no host table",
     AMD,
     WORDS(0x3000000500000000, PAGE | 2, A_WAIT),
     {{{S1, D5, P5}, MISSED}, {{COMBINED, D5, .ipa = PAGE + 0x1000}, MISSED}}},
    {"PDE = 0: page-directory entries stay",
     AMD | TOGETHER,
     WORDS(0x3000000500000000, PAGE, A_WAIT),
     {{{S2, D5, TABLE}, MISSED}, {{S2, D5}, REFILLED}}},
    {"a superpage needs a block of its size",
     AMD,
     WORDS(0x3000000500000000, PAGE | 0x7f003, A_WAIT),
     {{{S2, D5, BIG}, MISSED}, {{S2, D5, .ipa = PAGE + 0xff000}, GONE}}},
    {"and goes with one",
     AMD,
     WORDS(0x3000000500000000, PAGE | 0xff003, A_WAIT),
     {{{S2, D5, BIG}, GONE}}},
    {"GN = 0, every address: guest entries of the domain as well",
     AMD,
     WORDS(0x3000000500000000, 0x7ffffffffffff003, A_WAIT),
     {{{S2, D5}, GONE},
      {{S1, D5, P5}, GONE},
      {{.cache = XINV_CACHE_PASID_CONFIG, D5, P5}, GONE},
      {{S1, .did = 6}, MISSED}}},
    {"GN = 1, a page of a PASID",
     AMD,
     WORDS(0x3000000500000005, PAGE | 6, A_WAIT),
     {{{S1, D5, P5}, GONE},
      {{S1, D5, .pasid = 6}, MISSED},
      {{S2, D5, P5}, MISSED},
      {{S1, D5, P5, .address = PAGE + 0x1000}, MISSED},
      {{.cache = XINV_CACHE_PASID_CONFIG, D5, P5}, MISSED}}},
    {"GN = 1, every address: the GCR3 entry as well",
     AMD,
     WORDS(0x3000000500000005, 0x7ffffffffffff007, A_WAIT),
     {{{.cache = XINV_CACHE_PASID_CONFIG, D5, P5}, GONE},
      {{.cache = XINV_CACHE_PASID_CONFIG, D5, .pasid = 6}, MISSED}}},
    {"INVALIDATE_IOTLB_PAGES with PASID: its parts are split",
     AMD,
     WORDS(0x4005031020020310, PAGE | 4, A_WAIT),
     {{{ATC, .tagged = true, .pasid = 0x205}, GONE},
      {{ATC, .tagged = true, .pasid = 0x502}, MISSED},
      {{ATC, TAGGED}, MISSED}}},
    {"INVALIDATE_IOTLB_PAGES with PASID",
     AMD,
     WORDS(0x4005031020000310, PAGE | 4, A_WAIT),
     {{{ATC, TAGGED}, GONE},
      {{ATC, .tagged = true, .pasid = 6}, MISSED},
      {{ATC}, MISSED},
      {{ATC, TAGGED, .address = PAGE + 0x1000}, MISSED},
      {{.cache = XINV_CACHE_DEVICE_TLB, .rid = 0x311, TAGGED}, MISSED}}},
    {"INVALIDATE_IOTLB_PAGES without",
     AMD,
     WORDS(0x4000031020000310, 0x7ffffffffffff001, A_WAIT),
     {{{ATC}, GONE}, {{ATC, TAGGED}, MISSED}}},
    {"INVALIDATE_IOMMU_ALL: everything but device TLBs",
     AMD,
     WORDS(0x8000000000000000, 0, A_WAIT),
     {{{STE}, GONE}, {{IRQ}, GONE}, {{S1, D5, P5}, GONE}, {{ATC}, MISSED}}},
    {"a COMPLETION_WAIT without F is no fence",
     AMD | TOGETHER,
     WORDS(0x3000000500000000, PAGE | 2, A_WAIT, 0x4000031020000310, PAGE, A_WAIT),
     {{{S2, D5}, GONE}, {{ATC, D5, .walk = MODEL_SECOND, .ipa = PAGE}, REFILLED}}},
    {"nor can software wait for one that tells nobody",
     AMD | TOGETHER,
     WORDS(0x3000000500000000, PAGE | 2, 0x1000000000000000, 0, WAIT, 0x4000031020000310, PAGE,
           A_WAIT),
     {{{S2, D5}, GONE}, {{ATC, D5, .walk = MODEL_SECOND, .ipa = PAGE}, REFILLED}}},
    {"with F it is",
     AMD | TOGETHER,
     WORDS(0x3000000500000000, PAGE | 2, 0x1000000000000004, 0, 0x4000031020000310, PAGE, A_WAIT),
     {{{S2, D5}, GONE}, {{ATC, D5, .walk = MODEL_SECOND, .ipa = PAGE}, GONE}}},
    {"a COMPLETION_WAIT that tells nobody",
     AMD,
     WORDS(0x3000000500000000, PAGE | 2, 0x1000000000000004, 0),
     {{{S2, D5}, PENDING}}},
};

#define N_CASES (sizeof(cases) / sizeof(cases[0]))

static const struct model_config *config_of(const struct rule_case *c)
{
    return &configs[c->config & ~TOGETHER];
}

static void run_words(struct model_run *run, const struct rule_case *c)
{
    for (unsigned i = 0; i < c->n; i += 2) {
        uint64_t words[4] = {c->words[i], c->words[i + 1], 0, 0};

        if (words[0] != MARK)
            model_run_words(run, words, run->config.words);
        else if (words[1])
            model_run_register(run);
        else
            model_run_wait(run);
    }
}

static struct model_entry entry_of(const struct model_entry *given)
{
    struct model_entry e = *given;
    bool mapped = model_is_tlb(&e) || e.cache == XINV_CACHE_DEVICE_TLB;

    if (!mapped)
        return e;
    e.log2_size = e.log2_size ? e.log2_size : 12;
    e.log2_granule = e.log2_granule ? e.log2_granule : 12;
    e.address = e.address ? e.address : PAGE;
    e.ipa = e.ipa ? e.ipa : PAGE;
    return e;
}

/* How many entries of the case fare otherwise than it says; the first one's index in *at. */
static unsigned wrong(const struct rule_case *c, enum model_rule fault, bool holds, unsigned *at,
                      uint8_t *fate)
{
    struct model_config config = *config_of(c);
    struct model_entry entries[MOST_ENTRIES];
    struct model_verdict verdicts[MOST_ENTRIES];
    struct model_run run;
    unsigned n = 0;
    unsigned bad = 0;

    config.fault = (uint16_t)fault;
    config.fault_holds = holds;
    model_run_init(&run, &config);
    run_words(&run, c);
    while (n < MOST_ENTRIES &&
           memcmp(&c->at[n].entry, &(struct model_entry){0}, sizeof(entries[0]))) {
        entries[n] = entry_of(&c->at[n].entry);
        n++;
    }
    for (unsigned i = 0; i < n && !(c->config & TOGETHER); i++)
        cr_assert_geq(model_judge(&run, &entries[i], 1, &verdicts[i]), 0);
    if ((c->config & TOGETHER))
        cr_assert_geq(model_judge(&run, entries, n, verdicts), 0);
    for (unsigned i = 0; i < n; i++) {
        if (verdicts[i].fate == c->at[i].fate)
            continue;
        if (!bad++) {
            *at = i;
            *fate = verdicts[i].fate;
        }
    }
    model_run_free(&run);
    return bad;
}

Test(rules, each_case_fares_as_the_specification_says)
{
    for (unsigned i = 0; i < N_CASES; i++) {
        struct model_command command;
        unsigned at = 0;
        uint8_t fate = 0;
        char text[160];

        for (unsigned k = 0; k < cases[i].n; k += 2) {
            uint64_t words[4] = {cases[i].words[k], cases[i].words[k + 1], 0, 0};

            if (words[0] == MARK)
                continue;
            model_decode(config_of(&cases[i]), words, &command);
            cr_expect_null(command.illegal, "%s: command %u: %s", cases[i].name, k / 2,
                           command.illegal);
        }
        cr_expect_eq(
            wrong(&cases[i], MODEL_NO_RULE, false, &at, &fate), 0, "%s: %s: fate %u", cases[i].name,
            model_entry_text(config_of(&cases[i]), &cases[i].at[at].entry, text, sizeof(text)),
            fate);
    }
}

/* Every rule, taken to hold always and to fail always. Every SYNC of SMMUv3 is a fence: that this
 * holds is no fault. */
Test(rules, a_fault_in_any_rule_is_noticed)
{
    for (unsigned rule = MODEL_NO_RULE + 1; rule < MODEL_NRULES; rule++) {
        for (unsigned holds = 0; holds < 2; holds++) {
            unsigned noticed = rule == MODEL_SMMU_SYNC_ORDERS && holds;
            unsigned at;
            uint8_t fate;

            for (unsigned i = 0; i < N_CASES; i++)
                noticed += wrong(&cases[i], (enum model_rule)rule, holds, &at, &fate) != 0;
            cr_expect_gt(noticed, 0, "%s taken to %s: no case notices", model_rule_names[rule],
                         holds ? "hold" : "fail");
        }
    }
}
