// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/*
 * VT-d: what each descriptor removes (VT-d 6.5.2), with the tags that entries are matched by (6.2),
 * line by line. The descriptors and granularities without a row are at the end.
 */
#include <criterion/criterion.h>

#include "tests/support/rows.h"

#define CONTEXT  XINV_CACHE_DEVICE_CONFIG
#define PCACHE   XINV_CACHE_PASID_CONFIG
#define FS       XINV_CACHE_STAGE1 /* first stage and pass-through */
#define SS       XINV_CACHE_STAGE2 /* second stage and legacy */
#define NESTED   XINV_CACHE_NESTED
#define DEVTLB   XINV_CACHE_DEVICE_TLB
#define IRTES    XINV_CACHE_INTERRUPT
#define WRITES   XINV_CACHE_WRITE_BUFFER
#define SID      ROW_RID
#define PASID    ROW_PASID
#define DID      ROW_DID
#define ADDRESS  ROW_ADDRESS
#define IPA      ROW_IPA
#define ANY      ROW_NO_TAG
#define EVERY    ROW_EVERY_CLASS
#define LEAF     XINV_LEVEL_LEAF
#define UNTAGGED XINV_PASID_UNTAGGED
#define TAGGED   XINV_PASID_TAGGED
#define REMOVES  ROW_REMOVES
#define MUST     ROW_MUST
#define MAY      ROW_MAY

#define LEGACY   .vendor = "vtd", .platform = "intel-vtd-legacy"
#define SCALABLE .vendor = "vtd", .platform = "intel-vtd-scalable"

#define AT(stage_, known_, flags_)       \
    .at = {.stage = XINV_STAGE_##stage_, \
           .known = known_,              \
           .flags = flags_,              \
           .rid = 0x2b1,                 \
           .pasid = 5,                   \
           .did = 0x47,                  \
           .queue_depth = 8}
#define CHANGE    ROW_CHANGE
#define EXPLICIT  ROW_EXPLICIT
#define ATS       XINV_ATT_ATS
#define RANGE     XINV_REQ_RANGE
#define LEAF_ONLY XINV_REQ_LEAF_ONLY

/* A test for each line; its name is the rule. */
#define LINES(X)                                                                            \
    X(WBF, write_buffer_flush_is_a_register_step_of_units_that_require_it)                  \
    X(CC_DEVICE, cc_device_selective_removes_a_legacy_entry_by_source_id_and_did)           \
    X(CC_DEVICE_TTM, cc_device_selective_ignores_the_did_in_scalable_mode)                  \
    X(CC_DOMAIN, cc_domain_selective_is_of_legacy_mode_alone)                               \
    X(CC_GLOBAL, cc_global_removes_every_context_entry)                                     \
    X(PC_PASID, pc_pasid_selective_removes_a_pasid_of_a_did)                                \
    X(PC_DOMAIN, pc_domain_selective_removes_every_pasid_of_a_did)                          \
    X(PC_GLOBAL, pc_global_removes_every_pasid_entry)                                       \
    X(P_IOTLB, p_iotlb_page_selective_removes_first_stage_and_nested_entries_in_range)      \
    X(P_IOTLB_LEAF, p_iotlb_page_selective_with_ih_keeps_paging_structure_entries)          \
    X(P_IOTLB_PASID,                                                                        \
      p_iotlb_pasid_selective_removes_a_pasid_of_a_did_and_perhaps_second_stage_entries)    \
    X(IOTLB_PAGE,                                                                           \
      iotlb_page_selective_removes_second_stage_entries_in_range_and_all_others_of_the_did) \
    X(IOTLB_PAGE_LEAF, iotlb_page_selective_with_ih_keeps_paging_structure_entries)         \
    X(IOTLB_DOMAIN, iotlb_domain_selective_removes_every_translation_of_a_did)              \
    X(IOTLB_GLOBAL, iotlb_global_removes_every_translation)                                 \
    X(DEV_TLB, dev_tlb_removes_entries_without_pasid_in_range)                              \
    X(DEV_TLB_ALL, dev_tlb_of_the_whole_space_removes_every_entry_without_pasid)            \
    X(P_DEV_TLB, p_dev_tlb_removes_entries_of_a_pasid_in_range)                             \
    X(P_DEV_TLB_ALL, p_dev_tlb_of_the_whole_space_removes_every_entry_of_a_pasid)           \
    X(P_DEV_TLB_RANGE_G, p_dev_tlb_with_g_removes_entries_of_every_pasid_in_range)          \
    X(P_DEV_TLB_G, p_dev_tlb_with_g_of_the_whole_space_removes_every_entry_with_a_pasid)    \
    X(IEC_GLOBAL, iec_global_removes_every_interrupt_entry)

#define NUMBER(id, test) id,
enum {
    LINES(NUMBER) N_LINES
};

static const struct row_line lines[N_LINES] = {
    [WBF] = {.vendor = "vtd",
             .platform = "intel-vtd-rwbf",
             .name = "write_buffer_flush",
             .op = "write_buffer_flush",
             .when = "RWBF",
             .section = "6.8",
             REMOVES(MUST(WRITES, ANY, EVERY)),
             AT(STAGE2, SID | DID, 0),
             .request = {.change = XINV_CHANGE_STAGE2_PTE,
                         .from = XINV_FROM_NOT_PRESENT,
                         .flags = RANGE,
                         .first = 0x41234000,
                         .last = 0x41234fff}},
    [CC_DEVICE] = {LEGACY, .name = "cc", .op = "cc_device", .when = "!ttm", .section = "6.5.2.1",
                   REMOVES(MUST(CONTEXT, SID | DID, EVERY)), AT(STAGE2, SID | DID, 0),
                   EXPLICIT(DEVICE_CONFIG, DOMAIN, 0), .fields = "G=3 SID=0x2b1 DID=0x47 FM=0"},
    [CC_DEVICE_TTM] = {SCALABLE, .name = "cc", .op = "cc_device", .when = "ttm",
                       .section = "6.5.2.1", REMOVES(MUST(CONTEXT, SID, EVERY)),
                       AT(STAGE2, SID | DID, 0), EXPLICIT(DEVICE_CONFIG, DOMAIN, 0),
                       .fields = "G=3 SID=0x2b1 DID=0 FM=0"},
    [CC_DOMAIN] = {LEGACY, .name = "cc", .op = "cc_domain", .when = "!ttm", .section = "6.5.2.1",
                   REMOVES(MUST(CONTEXT, DID, EVERY)), AT(STAGE2, DID, 0),
                   EXPLICIT(DEVICE_CONFIG, DOMAIN, 0), .fields = "G=2 DID=0x47"},
    [CC_GLOBAL] = {LEGACY, .name = "cc", .op = "cc_global", .section = "6.5.2.1",
                   REMOVES(MUST(CONTEXT, ANY, EVERY)), AT(STAGE2, SID | DID, 0),
                   CHANGE(EVERYTHING, 0), .with = "iotlb_global iec_global",
                   .fields = "G=1 DID=0 SID=0"},
    [PC_PASID] = {SCALABLE, .name = "pc", .op = "pc_pasid", .when = "ttm SMTS",
                  .section = "6.5.2.2", REMOVES(MUST(PCACHE, DID | PASID, EVERY)),
                  AT(STAGE1, SID | PASID | DID, 0), EXPLICIT(PASID_CONFIG, PASID, 0),
                  .fields = "G=1 DID=0x47 PASID=5"},
    [PC_DOMAIN] = {SCALABLE, .name = "pc", .op = "pc_domain", .when = "ttm SMTS",
                   .section = "6.5.2.2", REMOVES(MUST(PCACHE, DID, EVERY)),
                   /* the guest's PASIDs are its own */ AT(NESTED, SID | DID, 0),
                   EXPLICIT(PASID_CONFIG, DOMAIN, 0), .fields = "G=0 DID=0x47"},
    [PC_GLOBAL] = {SCALABLE, .name = "pc", .op = "pc_global", .when = "ttm SMTS",
                   .section = "6.5.2.2", REMOVES(MUST(PCACHE, ANY, EVERY)),
                   AT(STAGE2, SID | DID, 0), CHANGE(EVERYTHING, 0),
                   .with = "cc_global iotlb_global iec_global", .fields = "G=3"},
    [P_IOTLB] = {SCALABLE, .name = "p_iotlb", .op = "p_iotlb_page", .when = "ttm SMTS",
                 .range = "pow2", .section = "6.5.2.4",
                 REMOVES(MUST(FS, DID | PASID | ADDRESS, EVERY),
                         MUST(NESTED, DID | PASID | ADDRESS, EVERY)),
                 AT(STAGE1, SID | PASID | DID, 0), CHANGE(STAGE1_PTE, RANGE),
                 .fields = "G=3 DID=0x47 PASID=5 AM=0 IH=0 ADDR=0x41234000"},
    [P_IOTLB_LEAF] = {SCALABLE, .name = "p_iotlb", .op = "p_iotlb_page", .leaf = true,
                      .when = "ttm SMTS", .range = "pow2", .section = "6.5.2.4",
                      REMOVES(MUST(FS, DID | PASID | ADDRESS, LEAF),
                              MUST(NESTED, DID | PASID | ADDRESS, LEAF)),
                      AT(STAGE1, SID | PASID | DID, 0), CHANGE(STAGE1_PTE, RANGE | LEAF_ONLY),
                      .fields = "G=3 DID=0x47 PASID=5 AM=0 IH=1 ADDR=0x41234000"},
    [P_IOTLB_PASID] = {SCALABLE, .name = "p_iotlb", .op = "p_iotlb_pasid", .when = "ttm SMTS",
                       .section = "6.5.2.4",
                       REMOVES(MUST(FS, DID | PASID, EVERY), MUST(NESTED, DID | PASID, EVERY),
                               MAY(SS, DID, EVERY)),
                       AT(STAGE1, SID | PASID | DID, 0), CHANGE(STAGE1_PTE, 0),
                       .fields = "G=2 DID=0x47 PASID=5 AM=0 IH=0 ADDR=0"},
    [IOTLB_PAGE] = {LEGACY, .name = "iotlb", .op = "iotlb_page", .when = "PSI", .range = "pow2",
                    .section = "6.5.2.3",
                    REMOVES(MUST(SS, DID | IPA, EVERY), MUST(FS, DID, EVERY),
                            MUST(NESTED, DID, EVERY)),
                    AT(STAGE2, SID | DID, 0), CHANGE(STAGE2_PTE, RANGE),
                    .fields = "G=3 DID=0x47 AM=0 IH=0 ADDR=0x41234000"},
    [IOTLB_PAGE_LEAF] = {LEGACY, .name = "iotlb", .op = "iotlb_page", .leaf = true, .when = "PSI",
                         .range = "pow2", .section = "6.5.2.3",
                         REMOVES(MUST(SS, DID | IPA, LEAF), MUST(FS, DID, LEAF),
                                 MUST(NESTED, DID, LEAF)),
                         AT(STAGE2, SID | DID, 0), CHANGE(STAGE2_PTE, RANGE | LEAF_ONLY),
                         .fields = "G=3 DID=0x47 AM=0 IH=1 ADDR=0x41234000"},
    [IOTLB_DOMAIN] = {LEGACY, .name = "iotlb", .op = "iotlb_domain", .section = "6.5.2.3",
                      REMOVES(MUST(FS, DID, EVERY), MUST(SS, DID, EVERY), MUST(NESTED, DID, EVERY)),
                      AT(STAGE2, SID | DID, 0), CHANGE(STAGE2_PTE, 0),
                      .fields = "G=2 DID=0x47 AM=0 IH=0 ADDR=0"},
    [IOTLB_GLOBAL] = {LEGACY, .name = "iotlb", .op = "iotlb_global", .section = "6.5.2.3",
                      REMOVES(MUST(FS, ANY, EVERY), MUST(SS, ANY, EVERY), MUST(NESTED, ANY, EVERY)),
                      AT(STAGE2, SID | DID, 0), CHANGE(EVERYTHING, 0),
                      .with = "cc_global iec_global", .fields = "G=1"},
    [DEV_TLB] = {LEGACY, .name = "dev_tlb", .op = "dev_tlb_page", .when = "DT", .range = "pow2",
                 .section = "6.5.2.5",
                 REMOVES(MUST(DEVTLB, SID | ADDRESS, UNTAGGED), MAY(DEVTLB, SID | ADDRESS, TAGGED)),
                 AT(STAGE2, SID | DID, ATS), EXPLICIT(DEVICE_TLB, ADDRESS, RANGE),
                 .fields = "SID=0x2b1 S=0 ADDR=0x41234000"},
    [DEV_TLB_ALL] = {LEGACY, .name = "dev_tlb", .op = "dev_tlb_all", .when = "DT",
                     .section = "6.5.2.5",
                     REMOVES(MUST(DEVTLB, SID, UNTAGGED), MAY(DEVTLB, SID, TAGGED)),
                     AT(STAGE2, SID | DID, ATS), EXPLICIT(DEVICE_TLB, DOMAIN, 0),
                     .fields = "SID=0x2b1 S=1 ADDR=0x7ffffffffffff000"},
    [P_DEV_TLB] = {SCALABLE, .name = "p_dev_tlb", .op = "p_dev_tlb_page",
                   .when = "DT ttm SMTS PASID", .range = "pow2", .section = "6.5.2.6",
                   REMOVES(MUST(DEVTLB, SID | PASID | ADDRESS, TAGGED)),
                   AT(STAGE1, SID | PASID | DID, ATS), EXPLICIT(DEVICE_TLB, ADDRESS, RANGE),
                   .fields = "SID=0x2b1 PASID=5 G=0 S=0 ADDR=0x41234000"},
    [P_DEV_TLB_ALL] = {SCALABLE, .name = "p_dev_tlb", .op = "p_dev_tlb_all",
                       .when = "DT ttm SMTS PASID", .section = "6.5.2.6",
                       REMOVES(MUST(DEVTLB, SID | PASID, TAGGED)),
                       AT(STAGE1, SID | PASID | DID, ATS), EXPLICIT(DEVICE_TLB, DOMAIN, 0),
                       .fields = "SID=0x2b1 PASID=5 G=0 S=1 ADDR=0x7ffffffffffff000"},
    [P_DEV_TLB_RANGE_G] = {SCALABLE, .name = "p_dev_tlb", .op = "p_dev_tlb_page_all_pasids",
                           .when = "DT ttm SMTS PASID", .range = "pow2", .section = "6.5.2.6",
                           REMOVES(MUST(DEVTLB, SID | ADDRESS, TAGGED)),
                           AT(NESTED, SID | DID, ATS | XINV_ATT_PASIDS_UNKNOWN),
                           EXPLICIT(DEVICE_TLB, ADDRESS, RANGE), .with = "dev_tlb_page",
                           .fields = "SID=0x2b1 PASID=0 G=1 S=0 ADDR=0x41234000"},
    [P_DEV_TLB_G] = {SCALABLE, .name = "p_dev_tlb", .op = "p_dev_tlb_all_pasids",
                     .when = "DT ttm SMTS PASID", .section = "6.5.2.6",
                     REMOVES(MUST(DEVTLB, SID, TAGGED)),
                     AT(NESTED, SID | DID, ATS | XINV_ATT_PASIDS_UNKNOWN),
                     EXPLICIT(DEVICE_TLB, DOMAIN, 0), .with = "dev_tlb_all",
                     .fields = "SID=0x2b1 G=1 S=1 ADDR=0x7ffffffffffff000"},
    [IEC_GLOBAL] = {LEGACY, .name = "iec", .op = "iec_global", .when = "IR", .section = "6.5.2.7",
                    REMOVES(MUST(IRTES, ANY, EVERY)), AT(STAGE2, SID | DID, 0),
                    CHANGE(EVERYTHING, 0), .with = "cc_global iotlb_global",
                    .fields = "G=0 IM=0 IIDX=0"},
};

#define TEST(id, test) ROW_TEST(rows_vtd, id, test)
LINES(TEST)

Test(rows_vtd, the_table_has_no_other_row)
{
    row_check_all("vtd", lines, N_LINES);
}

/*
 * Lines of the specification without a row:
 * - iec, index-selective: no request has an interrupt index, so it would be in no plan.
 * - cc, device-selective with FM: functions of one device that differ in some bits are no set of
 *   tags. Every function has its own command.
 */
Test(rows_vtd, descriptors_that_remove_nothing_have_no_row)
{
    static const char *const names[] = {"wait", "page_resp", NULL};

    row_check_none("vtd", names);
}

/*
 * dev_tlb: type 3:0 = 3, MIP 20:16, SID 47:32; p_dev_tlb: type 3:0 = 8, MIP 8:4, SID 31:16, G at
 * bit 0 of qw1 (6.5.2.5, 6.5.2.6). No descriptor has anything in qw2 and qw3.
 */
Test(rows_vtd, a_range_of_every_pasid_is_one_descriptor_beside_that_of_untagged_entries)
{
    static const uint64_t untagged[] = {UINT64_C(0x000002b100080003), 0x41234000, 0, 0};
    static const uint64_t tagged[] = {0x02b10088, 0x41234001, 0, 0};
    uint64_t words[16];
    uint32_t n = 16;

    cr_assert_eq(row_translate(&lines[P_DEV_TLB_RANGE_G], words, &n), 2);
    cr_assert_eq(n, 8);
    cr_expect_arr_eq(words, untagged, sizeof(untagged));
    cr_expect_arr_eq(words + 4, tagged, sizeof(tagged));
}
