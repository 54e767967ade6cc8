// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/*
 * SMMUv3: what each command of the Non-secure queue must remove (IHI 0070 16.2, 3.17 and the
 * descriptions of the commands in chapter 4), line by line. The commands without a row are at the
 * end.
 */
#include <criterion/criterion.h>

#include "tests/support/rows.h"

#define STE      XINV_CACHE_DEVICE_CONFIG
#define CD       XINV_CACHE_PASID_CONFIG
#define S1       XINV_CACHE_STAGE1
#define S2       XINV_CACHE_STAGE2
#define COMBINED XINV_CACHE_NESTED
#define ATC      XINV_CACHE_DEVICE_TLB
#define RID      ROW_RID
#define PASID    ROW_PASID
#define ASID     ROW_ASID
#define VMID     ROW_VMID
#define ADDRESS  ROW_ADDRESS
#define IPA      ROW_IPA
#define ANY      ROW_NO_TAG
#define EVERY    ROW_EVERY_CLASS
#define LEAF     XINV_LEVEL_LEAF
#define EL1      XINV_REGIME_EL1
#define EL2      XINV_REGIME_EL2
#define NG       XINV_GLOBAL_NO
#define GLOBAL   XINV_GLOBAL_YES
#define UNTAGGED XINV_PASID_UNTAGGED
#define TAGGED   XINV_PASID_TAGGED
#define REMOVES  ROW_REMOVES
#define MUST     ROW_MUST
#define MAY      ROW_MAY
#define HOST     "!CMDQV_GUEST"  /* a guest's own queue of a Tegra241 takes four commands */
#define QUEUE    HOST " !VIOMMU" /* and the user of a vIOMMU of Linux has eight */

#define COMMON .vendor = "smmuv3", .platform = "arm-smmuv3-ril"
#define E2H    .settings = {{"Hyp", 1}, {"E2H", 1}}

#define AT(stage_, known_, flags_)                                      \
    .at = {.stage = XINV_STAGE_##stage_,                                \
           .known = known_,                                             \
           .flags = flags_,                                             \
           .rid = 0x2b1,                                                \
           .pasid = 5,                                                  \
           .asid = 0x35,                                                \
           .vmid = XINV_STAGE_##stage_ == XINV_STAGE_STAGE1 ? 0 : 0x59, \
           .queue_depth = 8}
#define CHANGE     ROW_CHANGE
#define EXPLICIT   ROW_EXPLICIT
#define RANGE      XINV_REQ_RANGE
#define LEAF_ONLY  XINV_REQ_LEAF_ONLY
#define MAY_GLOBAL XINV_REQ_GLOBAL
#define BEYOND     XINV_REQ_BEYOND

/* A test for each line; its name is the rule. */
#define LINES(X)                                                                               \
    X(STE_WALK, cfgi_ste_removes_an_ste_its_level_1_descriptor_and_every_cd_of_the_stream)     \
    X(STE_LEAF, cfgi_ste_leaf_keeps_the_level_1_descriptor_and_removes_every_cd_of_the_stream) \
    X(CFGI_ALL, cfgi_all_removes_every_ste_and_cd)                                             \
    X(CD_WALK, cfgi_cd_removes_a_cd_and_its_level_1_descriptor)                                \
    X(CD_LEAF, cfgi_cd_leaf_keeps_the_level_1_descriptor)                                      \
    X(CD_ALL, cfgi_cd_all_removes_every_cd_of_the_stream_and_no_ste)                           \
    X(NH_VA, nh_va_matches_vmid_and_address_and_the_asid_of_entries_that_are_not_global)       \
    X(NH_VAA, nh_vaa_matches_vmid_and_address_and_any_asid)                                    \
    X(NH_VA_LEAF, nh_va_leaf_matches_likewise_and_keeps_walk_entries)                          \
    X(NH_VAA_LEAF, nh_vaa_leaf_matches_likewise_and_keeps_walk_entries)                        \
    X(NH_ASID, nh_asid_removes_entries_that_are_not_global_alone)                              \
    X(NH_ALL, nh_all_removes_stage_1_and_combined_entries_of_a_vmid_and_global_ones)           \
    X(EL2_VA, el2_va_matches_address_and_the_asid_of_entries_that_are_not_global)              \
    X(EL2_VAA, el2_vaa_matches_address_and_any_asid)                                           \
    X(EL2_VA_LEAF, el2_va_leaf_matches_likewise_and_keeps_walk_entries)                        \
    X(EL2_VAA_LEAF, el2_vaa_leaf_matches_likewise_and_keeps_walk_entries)                      \
    X(EL2_ASID, el2_asid_removes_el2_entries_that_are_not_global_alone)                        \
    X(EL2_ALL, el2_all_removes_every_el2_entry)                                                \
    X(S2_IPA, s2_ipa_removes_stage_2_entries_and_no_combined_ones)                             \
    X(S2_IPA_LEAF, s2_ipa_leaf_matches_likewise_and_keeps_walk_entries)                        \
    X(S12_VMALL, s12_vmall_removes_both_stages_of_a_vmid)                                      \
    X(NSNH_ALL, nsnh_all_removes_both_stages_of_every_vmid_and_no_el2_entry)                   \
    X(ATC_RANGE, atc_inv_without_ssv_removes_untagged_entries_and_perhaps_tagged_ones)         \
    X(ATC_ALL, atc_inv_without_ssv_of_size_52_has_no_address)                                  \
    X(ATC_PASID, atc_inv_with_ssv_removes_entries_of_one_pasid)                                \
    X(ATC_PASID_ALL, atc_inv_with_ssv_of_size_52_has_no_address)

#define NUMBER(id, test) id,
enum {
    LINES(NUMBER) N_LINES
};

static const struct row_line lines[N_LINES] = {
    [STE_WALK] = {COMMON, .name = "CFGI_STE", .op = "cfgi_ste", .when = QUEUE,
                  .section = "CMD_CFGI_STE", REMOVES(MUST(STE, RID, EVERY), MUST(CD, RID, EVERY)),
                  AT(STAGE1, RID | ASID | VMID, 0), EXPLICIT(DEVICE_CONFIG, DOMAIN, 0),
                  .fields = "SID=0x2b1 Leaf=0 SSec=0"},
    [STE_LEAF] = {COMMON, .name = "CFGI_STE", .op = "cfgi_ste", .leaf = true, .when = QUEUE,
                  .section = "CMD_CFGI_STE", /* L1CDs go as well: Leaf speaks of the stream table */
                  REMOVES(MUST(STE, RID, LEAF), MUST(CD, RID, EVERY)),
                  AT(STAGE1, RID | ASID | VMID, 0), EXPLICIT(DEVICE_CONFIG, DOMAIN, LEAF_ONLY),
                  .fields = "SID=0x2b1 Leaf=1"},
    [CFGI_ALL] = {COMMON, .name = "CFGI_ALL", .op = "cfgi_all", .when = QUEUE,
                  .section = "CMD_CFGI_STE_RANGE",
                  REMOVES(MUST(STE, ANY, EVERY), MUST(CD, ANY, EVERY)), AT(STAGE2, RID | VMID, 0),
                  CHANGE(EVERYTHING, 0), .with = "tlbi_nsnh_all", .fields = "Range=31 SID=0"},
    [CD_WALK] = {COMMON, .name = "CFGI_CD", .op = "cfgi_cd", .when = "S1P " HOST,
                 .section = "CMD_CFGI_CD", REMOVES(MUST(CD, RID | PASID, EVERY)),
                 AT(STAGE1, RID | PASID | ASID | VMID, 0), EXPLICIT(PASID_CONFIG, PASID, 0),
                 .fields = "SID=0x2b1 SSID=5 Leaf=0"},
    [CD_LEAF] = {COMMON, .name = "CFGI_CD", .op = "cfgi_cd", .leaf = true, .when = "S1P " HOST,
                 .section = "CMD_CFGI_CD", REMOVES(MUST(CD, RID | PASID, LEAF)),
                 AT(STAGE1, RID | PASID | ASID | VMID, 0), EXPLICIT(PASID_CONFIG, PASID, LEAF_ONLY),
                 .fields = "SID=0x2b1 SSID=5 Leaf=1"},
    [CD_ALL] = {COMMON, .name = "CFGI_CD_ALL", .op = "cfgi_cd_all", .when = "S1P " HOST,
                .section = "CMD_CFGI_CD_ALL", REMOVES(MUST(CD, RID, EVERY)),
                /* the guest's SubstreamIDs are its own */ AT(NESTED, RID | ASID | VMID, 0),
                EXPLICIT(PASID_CONFIG, DOMAIN, 0), .fields = "SID=0x2b1"},
    [NH_VA] = {COMMON, .name = "TLBI_NH_VA", .op = "tlbi_nh_va", .when = "S1P",
               .range = "scaled page", .section = "CMD_TLBI_NH_VA",
               REMOVES(MUST(S1, VMID | ASID | ADDRESS, EL1 | NG),
                       MUST(COMBINED, VMID | ASID | ADDRESS, NG),
                       MUST(S1, VMID | ADDRESS, EL1 | GLOBAL),
                       MUST(COMBINED, VMID | ADDRESS, GLOBAL)),
               AT(STAGE1, RID | ASID | VMID, 0), CHANGE(STAGE1_PTE, RANGE | MAY_GLOBAL),
               .fields = "VMID=0 ASID=0x35 Leaf=0 Address=0x41234000"},
    [NH_VAA] = {COMMON, .name = "TLBI_NH_VAA", .op = "tlbi_nh_vaa", .when = "S1P " HOST,
                .range = "scaled page", .section = "CMD_TLBI_NH_VAA",
                REMOVES(MUST(S1, VMID | ADDRESS, EL1), MUST(COMBINED, VMID | ADDRESS, EVERY)),
                AT(NESTED, RID | VMID, 0), CHANGE(STAGE1_PTE, RANGE),
                .fields = "VMID=0x59 Leaf=0 Address=0x41234000"},
    [NH_VA_LEAF] = {COMMON, .name = "TLBI_NH_VA", .op = "tlbi_nh_va", .leaf = true, .when = "S1P",
                    .range = "scaled page", .section = "CMD_TLBI_NH_VA",
                    REMOVES(MUST(S1, VMID | ASID | ADDRESS, EL1 | NG | LEAF),
                            MUST(COMBINED, VMID | ASID | ADDRESS, NG | LEAF),
                            MUST(S1, VMID | ADDRESS, EL1 | GLOBAL | LEAF),
                            MUST(COMBINED, VMID | ADDRESS, GLOBAL | LEAF)),
                    AT(STAGE1, RID | ASID | VMID, 0),
                    CHANGE(STAGE1_PTE, RANGE | MAY_GLOBAL | LEAF_ONLY),
                    .fields = "VMID=0 ASID=0x35 Leaf=1 Address=0x41234000"},
    [NH_VAA_LEAF] = {COMMON, .name = "TLBI_NH_VAA", .op = "tlbi_nh_vaa", .leaf = true,
                     .when = "S1P " HOST, .range = "scaled page", .section = "CMD_TLBI_NH_VAA",
                     REMOVES(MUST(S1, VMID | ADDRESS, EL1 | LEAF),
                             MUST(COMBINED, VMID | ADDRESS, LEAF)),
                     AT(NESTED, RID | VMID, 0), CHANGE(STAGE1_PTE, RANGE | LEAF_ONLY),
                     .fields = "VMID=0x59 Leaf=1 Address=0x41234000"},
    [NH_ASID] = {COMMON, .name = "TLBI_NH_ASID", .op = "tlbi_nh_asid", .when = "S1P",
                 .section = "CMD_TLBI_NH_ASID",
                 REMOVES(MUST(S1, VMID | ASID, EL1 | NG), MUST(COMBINED, VMID | ASID, NG)),
                 AT(STAGE1, RID | ASID | VMID, 0), CHANGE(STAGE1_PTE, 0),
                 .fields = "VMID=0 ASID=0x35"},
    [NH_ALL] = {COMMON, .name = "TLBI_NH_ALL", .op = "tlbi_nh_all", .when = "S1P " HOST,
                .section = "CMD_TLBI_NH_ALL",
                REMOVES(MUST(S1, VMID, EL1), MUST(COMBINED, VMID, EVERY)),
                AT(STAGE1, RID | ASID | VMID, 0), CHANGE(STAGE1_PTE, MAY_GLOBAL),
                .fields = "VMID=0"},
    [EL2_VA] = {COMMON, .name = "TLBI_EL2_VA", .op = "tlbi_el2_va", .when = "Hyp E2H " QUEUE,
                .range = "scaled page", .section = "CMD_TLBI_EL2_VA", E2H,
                REMOVES(MUST(S1, ASID | ADDRESS, EL2 | NG), MUST(S1, ADDRESS, EL2 | GLOBAL)),
                AT(STAGE1, RID | ASID, 0), CHANGE(STAGE1_PTE, RANGE | MAY_GLOBAL),
                .fields = "ASID=0x35 Leaf=0 Address=0x41234000"},
    [EL2_VAA] = {COMMON, .name = "TLBI_EL2_VAA", .op = "tlbi_el2_vaa", .when = "Hyp " QUEUE,
                 .range = "scaled page", .section = "CMD_TLBI_EL2_VAA", E2H,
                 REMOVES(MUST(S1, ADDRESS, EL2)), AT(STAGE1, RID, 0),
                 CHANGE(STAGE1_PTE, RANGE | BEYOND), .fields = "Leaf=0 Address=0x41234000"},
    [EL2_VA_LEAF] = {COMMON, .name = "TLBI_EL2_VA", .op = "tlbi_el2_va", .leaf = true,
                     .when = "Hyp E2H " QUEUE, .range = "scaled page", .section = "CMD_TLBI_EL2_VA",
                     E2H,
                     REMOVES(MUST(S1, ASID | ADDRESS, EL2 | NG | LEAF),
                             MUST(S1, ADDRESS, EL2 | GLOBAL | LEAF)),
                     AT(STAGE1, RID | ASID, 0), CHANGE(STAGE1_PTE, RANGE | MAY_GLOBAL | LEAF_ONLY),
                     .fields = "ASID=0x35 Leaf=1 Address=0x41234000"},
    [EL2_VAA_LEAF] = {COMMON, .name = "TLBI_EL2_VAA", .op = "tlbi_el2_vaa", .leaf = true,
                      .when = "Hyp " QUEUE, .range = "scaled page", .section = "CMD_TLBI_EL2_VAA",
                      E2H, REMOVES(MUST(S1, ADDRESS, EL2 | LEAF)), AT(STAGE1, RID, 0),
                      CHANGE(STAGE1_PTE, RANGE | BEYOND | LEAF_ONLY),
                      .fields = "Leaf=1 Address=0x41234000"},
    [EL2_ASID] = {COMMON, .name = "TLBI_EL2_ASID", .op = "tlbi_el2_asid", .when = "Hyp E2H " QUEUE,
                  .section = "CMD_TLBI_EL2_ASID", E2H, REMOVES(MUST(S1, ASID, EL2 | NG)),
                  AT(STAGE1, RID | ASID, 0), CHANGE(STAGE1_PTE, 0), .fields = "ASID=0x35"},
    [EL2_ALL] = {COMMON, .name = "TLBI_EL2_ALL", .op = "tlbi_el2_all", .when = "Hyp " QUEUE,
                 .section = "CMD_TLBI_EL2_ALL", E2H, REMOVES(MUST(S1, ANY, EL2)),
                 /* EL2 has no VMID: nothing narrower has global entries of every address */
                 AT(STAGE1, RID | ASID, 0), CHANGE(STAGE1_PTE, MAY_GLOBAL | BEYOND)},
    [S2_IPA] = {COMMON, .name = "TLBI_S2_IPA", .op = "tlbi_s2_ipa", .when = "S2P " QUEUE,
                .range = "scaled page", .section = "CMD_TLBI_S2_IPA",
                REMOVES(MUST(S2, VMID | IPA, EVERY)), AT(STAGE2, RID | VMID, 0),
                CHANGE(STAGE2_PTE, RANGE), .fields = "VMID=0x59 Leaf=0 Address=0x41234000"},
    [S2_IPA_LEAF] = {COMMON, .name = "TLBI_S2_IPA", .op = "tlbi_s2_ipa", .leaf = true,
                     .when = "S2P " QUEUE, .range = "scaled page", .section = "CMD_TLBI_S2_IPA",
                     REMOVES(MUST(S2, VMID | IPA, LEAF)), AT(STAGE2, RID | VMID, 0),
                     CHANGE(STAGE2_PTE, RANGE | LEAF_ONLY),
                     .fields = "VMID=0x59 Leaf=1 Address=0x41234000"},
    [S12_VMALL] = {COMMON, .name = "TLBI_S12_VMALL", .op = "tlbi_s12_vmall", .when = "S2P " QUEUE,
                   .section = "CMD_TLBI_S12_VMALL",
                   REMOVES(MUST(S1, VMID, EL1), MUST(S2, VMID, EVERY), MUST(COMBINED, VMID, EVERY)),
                   AT(STAGE2, RID | VMID, 0), CHANGE(STAGE2_PTE, 0), .fields = "VMID=0x59"},
    [NSNH_ALL] = {COMMON, .name = "TLBI_NSNH_ALL", .op = "tlbi_nsnh_all", .when = QUEUE,
                  .section = "CMD_TLBI_NSNH_ALL",
                  REMOVES(MUST(S1, ANY, EL1), MUST(S2, ANY, EVERY), MUST(COMBINED, ANY, EVERY)),
                  AT(STAGE2, RID, 0), CHANGE(STAGE2_PTE, BEYOND)},
    [ATC_RANGE] = {COMMON, .name = "ATC_INV", .op = "atc_inv", .when = "ATS", .range = "pow2",
                   .section = "CMD_ATC_INV, SSV = 0",
                   REMOVES(MUST(ATC, RID | ADDRESS, UNTAGGED), MAY(ATC, RID | ADDRESS, TAGGED)),
                   AT(STAGE1, RID | ASID | VMID, XINV_ATT_ATS),
                   EXPLICIT(DEVICE_TLB, ADDRESS, RANGE),
                   .fields = "SID=0x2b1 SSV=0 Global=0 Size=0 Address=0x41234000"},
    [ATC_ALL] = {COMMON, .name = "ATC_INV", .op = "atc_inv_all", .when = "ATS",
                 .section = "CMD_ATC_INV, SSV = 0, Size = 52",
                 REMOVES(MUST(ATC, RID, UNTAGGED), MAY(ATC, RID, TAGGED)),
                 AT(STAGE1, RID | ASID | VMID, XINV_ATT_ATS), EXPLICIT(DEVICE_TLB, DOMAIN, 0),
                 .fields = "SID=0x2b1 SSV=0 Global=0 Size=52 Address=0"},
    [ATC_PASID] = {COMMON, .name = "ATC_INV", .op = "atc_inv_pasid", .when = "ATS SSIDSIZE>=1",
                   .range = "pow2", .section = "CMD_ATC_INV, SSV = 1",
                   REMOVES(MUST(ATC, RID | PASID | ADDRESS, TAGGED)),
                   AT(STAGE1, RID | PASID | ASID | VMID, XINV_ATT_ATS),
                   EXPLICIT(DEVICE_TLB, ADDRESS, RANGE),
                   .fields = "SID=0x2b1 SSV=1 SSID=5 Global=0 Size=0 Address=0x41234000"},
    [ATC_PASID_ALL] = {COMMON, .name = "ATC_INV", .op = "atc_inv_pasid_all",
                       .when = "ATS SSIDSIZE>=1", .section = "CMD_ATC_INV, SSV = 1, Size = 52",
                       REMOVES(MUST(ATC, RID | PASID, TAGGED)),
                       AT(STAGE1, RID | PASID | ASID | VMID, XINV_ATT_ATS),
                       EXPLICIT(DEVICE_TLB, DOMAIN, 0),
                       .fields = "SID=0x2b1 SSV=1 SSID=5 Global=0 Size=52 Address=0"},
};

#define TEST(id, test) ROW_TEST(rows_smmuv3, id, test)
LINES(TEST)

Test(rows_smmuv3, the_table_has_no_other_row)
{
    row_check_all("smmuv3", lines, N_LINES);
}

/*
 * Lines of the specification without a row:
 * - CMD_CFGI_STE_RANGE of fewer than all streams: an aligned group of StreamIDs is no set of tags.
 *   For one StreamID CFGI_STE says the same; a larger group reaches other users' entries, and where
 *   that is allowed CFGI_ALL is one command too.
 * - CMD_TLBI_EL2_VA where CR2.E2H = 0: its ASID is ignored, so TLBI_EL2_VAA says the same.
 * - CMD_ATC_INV with Global = 1: whether an endpoint heeds it is a capability of the endpoint, so
 *   it guarantees nothing.
 * - CMD_CFGI_VMS_PIDM, CMD_DPTI_ALL, CMD_DPTI_PA: of caches (PARTID maps, the device permission
 *   table) that no change of translations makes stale.
 */
Test(rows_smmuv3, commands_that_remove_nothing_have_no_row)
{
    static const char *const names[] = {"PREFETCH_CONFIG", "PREFETCH_ADDR", "PRI_RESP", "RESUME",
                                        "STALL_TERM",      "SYNC",          NULL};

    row_check_none("smmuv3", names);
}

/* Commands about other Security states are illegal in the Non-secure queue (4.1). */
Test(rows_smmuv3, commands_of_other_queues_have_no_row)
{
    static const char *const names[] = {
        "TLBI_EL3_ALL",   "TLBI_EL3_VA",      "TLBI_S_EL2_ALL", "TLBI_S_EL2_ASID", "TLBI_S_EL2_VA",
        "TLBI_S_EL2_VAA", "TLBI_S_S12_VMALL", "TLBI_S_S2_IPA",  "TLBI_SNH_ALL",    NULL};

    row_check_none("smmuv3", names);
}

/* A stream in the EL2 regime has no VMID that would keep other users' entries out of it. */
Test(rows_smmuv3, global_el2_entries_of_every_address_go_only_with_everybody_elses)
{
    struct row_line line = lines[EL2_ALL];

    line.request.flags &= (uint16_t)~XINV_REQ_BEYOND;
    cr_assert_eq(row_translate(&line, NULL, NULL), -XINV_E_MUST_BLOCK);
}

/* VMID 0 is that of stage-1-only streams: no stage-2 or combined entry may be looked for there. */
Test(rows_smmuv3, an_unknown_vmid_of_stage_2_is_not_vmid_0)
{
    struct row_line stage2 = lines[S2_IPA];
    struct row_line nested = lines[NH_VAA];

    stage2.at.known &= (uint8_t)~VMID;
    nested.at.known &= (uint8_t)~VMID;
    cr_expect_eq(row_translate(&stage2, NULL, NULL), -XINV_E_MUST_BLOCK);
    cr_expect_eq(row_translate(&nested, NULL, NULL), -XINV_E_MUST_BLOCK);
}
