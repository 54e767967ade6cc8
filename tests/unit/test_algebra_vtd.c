// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/*
 * Requests on VT-d whose obvious plan is wrong. Expected descriptors follow from the VT-d
 * specification: 6.1 (caching mode), 6.2 (tagging), 6.5.2 (descriptors), 6.5.3.3 (sequences).
 */
#include <criterion/criterion.h>
#include <string.h>

#include "tests/support/hardcase.h"

/* A legacy descriptor with the whole address space: ADDR[63:12] = 0x7ffffffffffff, S = 1. */
#define WHOLE "S=0x1 ADDR=0x7ffffffffffff000"

static struct hardcase h;

static void begin(const char *platform, uint8_t stage, const char *feature, uint16_t value)
{
    trial_begin(&h.trial, platform, feature, value);
    h.trial.n = 1;
    h.trial.at[0] = (struct xinv_attachment){
        .stage = stage, .known = RID | DID, .rid = 0x310, .did = 5, .queue_depth = 16};
}

static void with_pasid(uint32_t pasid, uint8_t flags)
{
    h.trial.at[0].known |= PASID;
    h.trial.at[0].pasid = pasid;
    h.trial.at[0].flags = flags;
}

/* ---- A device TLB, PASID 5 ---- */

Test(algebra_vtd, a_pasids_device_tlb_entries_go_by_the_command_with_a_pasid)
{
    begin("intel-vtd-scalable", XINV_STAGE_STAGE1, NULL, 0);
    with_pasid(5, XINV_ATT_ATS);
    hardcase_page(&h, XINV_CHANGE_STAGE1_PTE, XINV_REQ_LEAF_ONLY);
    hardcase_expect(&h, "p_iotlb G=0x3 DID=0x5 PASID=0x5 IH=0x1 ADDR=0x40000000; "
                        "p_dev_tlb MIP=0x10 SID=0x310 PASID=0x5 ADDR=0x40000000");
    hardcase_stale(&h, XINV_CACHE_STAGE1, DID | PASID | ADDRESS, LEAF);
    hardcase_stale(&h, XINV_CACHE_DEVICE_TLB, RID | PASID | ADDRESS, TAGGED);
    hardcase_expect_clean(&h);
    hardcase_expect_report(&h, 0, IN(NESTED), 0, 0);
    cr_expect_not(hardcase_would_do(&h, "dev_tlb_page", false, XINV_CACHE_DEVICE_TLB));
}

/* ---- The whole device TLB of a device with PASIDs ---- */

static void whole_device_tlb(uint8_t stage, uint8_t flags)
{
    begin("intel-vtd-scalable", stage, NULL, 0);
    with_pasid(5, XINV_ATT_ATS | flags);
    h.trial.request = (struct xinv_request){
        .flags = XINV_REQ_INVALIDATE, .caches = XINV_INV_DEVICE_TLB, .scope = XINV_SCOPE_ENDPOINT};
}

Test(algebra_vtd, a_whole_device_tlb_takes_a_command_for_untagged_and_one_for_tagged_entries)
{
    whole_device_tlb(XINV_STAGE_STAGE1, XINV_ATT_PASID_ENABLED);
    hardcase_expect(&h, "dev_tlb MIP=0x10 SID=0x310 " WHOLE "; "
                        "p_dev_tlb MIP=0x10 SID=0x310 PASID=0x5 " WHOLE);
    /* type 3: MIP 20:16, SID 47:32; type 8: MIP 8:4, SID 31:16, PASID 51:32, S at bit 11 of qw1 */
    hardcase_expect_words(&h, 0, UINT64_C(0x0000031000100003), UINT64_C(0x7ffffffffffff001));
    hardcase_expect_words(&h, 1, UINT64_C(0x0000000503100108), UINT64_C(0x7ffffffffffff800));
    hardcase_stale(&h, XINV_CACHE_DEVICE_TLB, RID, LEAF);
    hardcase_stale(&h, XINV_CACHE_DEVICE_TLB, RID | PASID, TAGGED);
    hardcase_expect_clean(&h);
    hardcase_expect_report(&h, 0, 0, IN(DEVICE_TLB), 0);
    cr_expect_not(hardcase_would_do(&h, "dev_tlb_all", false, XINV_NCACHES));
    cr_expect_not(hardcase_would_do(&h, "p_dev_tlb_all", false, XINV_NCACHES));
}

Test(algebra_vtd, a_whole_device_tlb_with_unknown_pasids_takes_all_of_them)
{
    whole_device_tlb(XINV_STAGE_NESTED, XINV_ATT_PASIDS_UNKNOWN);
    hardcase_expect(&h, "dev_tlb MIP=0x10 SID=0x310 " WHOLE
                        "; p_dev_tlb MIP=0x10 SID=0x310 G=0x1 " WHOLE);
    hardcase_stale(&h, XINV_CACHE_DEVICE_TLB, RID, LEAF);
    hardcase_stale(&h, XINV_CACHE_DEVICE_TLB, RID, TAGGED);
    hardcase_expect_clean(&h);
    hardcase_expect_report(&h, 0, 0, 0, 0);
}

Test(algebra_vtd, a_page_of_unknown_pasids_takes_that_page_of_all_of_them)
{
    begin("intel-vtd-scalable", XINV_STAGE_STAGE2, NULL, 0);
    h.trial.at[0].flags = XINV_ATT_ATS | XINV_ATT_PASIDS_UNKNOWN;
    hardcase_page(&h, XINV_CHANGE_STAGE2_PTE, XINV_REQ_LEAF_ONLY);
    hardcase_expect(&h, "iotlb G=0x3 DW=0x1 DR=0x1 DID=0x5 IH=0x1 ADDR=0x40000000; "
                        "dev_tlb MIP=0x10 SID=0x310 ADDR=0x40000000; "
                        "p_dev_tlb MIP=0x10 SID=0x310 G=0x1 ADDR=0x40000000");
    hardcase_stale(&h, XINV_CACHE_STAGE2, DID | IPA, LEAF);
    hardcase_stale(&h, XINV_CACHE_DEVICE_TLB, RID | ADDRESS, LEAF);
    hardcase_stale(&h, XINV_CACHE_DEVICE_TLB, RID | ADDRESS, TAGGED);
    hardcase_expect_clean(&h);
}

/* ---- A first-stage page, requests without PASID ---- */

Test(algebra_vtd, requests_without_pasid_are_pasid_0_in_the_iotlb_and_untagged_at_the_endpoint)
{
    begin("intel-vtd-scalable", XINV_STAGE_STAGE1, NULL, 0);
    with_pasid(0, XINV_ATT_ATS);
    hardcase_page(&h, XINV_CHANGE_STAGE1_PTE, XINV_REQ_LEAF_ONLY);
    hardcase_expect(&h, "p_iotlb G=0x3 DID=0x5 IH=0x1 ADDR=0x40000000; "
                        "dev_tlb MIP=0x10 SID=0x310 ADDR=0x40000000");
    /* type 6: G 5:4, DID 31:16, IH at bit 6 of qw1 */
    hardcase_expect_words(&h, 0, UINT64_C(0x0000000000050036), UINT64_C(0x0000000040000040));
    hardcase_expect_words(&h, 1, UINT64_C(0x0000031000100003), UINT64_C(0x0000000040000000));
    hardcase_stale(&h, XINV_CACHE_STAGE1, DID | PASID | ADDRESS, LEAF);
    hardcase_stale(&h, XINV_CACHE_DEVICE_TLB, RID | ADDRESS, LEAF);
    hardcase_expect_clean(&h);
    hardcase_expect_report(&h, 0, IN(NESTED), IN(DEVICE_TLB), 0);
    cr_expect_not(hardcase_would_do(&h, "p_dev_tlb_page", false, XINV_CACHE_DEVICE_TLB));
}

/* ---- Caching mode, a context entry becomes present ---- */

Test(algebra_vtd, a_context_entry_that_was_not_present_is_removed_under_did_0)
{
    begin("qemu-intel-caching-mode", XINV_STAGE_STAGE2, NULL, 0);
    h.trial.request = (struct xinv_request){.change = XINV_CHANGE_DEVICE_ENTRY,
                                            .from = XINV_FROM_NOT_PRESENT,
                                            .flags = XINV_REQ_NEW_DID,
                                            .new_did = 7};
    hardcase_expect(&h, "cc G=0x3 SID=0x310; iotlb G=0x2 DW=0x1 DR=0x1 DID=0x7");
    /* type 1: G 5:4, DID 31:16, SID 47:32; type 2: G 5:4, DW 6, DR 7, DID 31:16 */
    hardcase_expect_words(&h, 0, UINT64_C(0x0000031000000031), 0);
    hardcase_expect_words(&h, 1, UINT64_C(0x00000000000700e2), 0);
    hardcase_stale_of(&h, XINV_CACHE_DEVICE_CONFIG, RID | DID, ABSENT, XINV_TAG_DID, 0);
    hardcase_stale_of(&h, XINV_CACHE_STAGE2, DID, ABSENT, XINV_TAG_DID, 7);
    hardcase_expect_clean(&h);
    cr_expect_not(hardcase_would_do(&h, "cc_device", false, XINV_CACHE_DEVICE_CONFIG));
}

/* ---- A second-stage page ---- */

Test(algebra_vtd, a_second_stage_page_takes_first_stage_entries_of_its_did_and_the_report_says_so)
{
    begin("intel-vtd-scalable", XINV_STAGE_STAGE2, NULL, 0);
    hardcase_page(&h, XINV_CHANGE_STAGE2_PTE, XINV_REQ_LEAF_ONLY);
    hardcase_expect(&h, "iotlb G=0x3 DW=0x1 DR=0x1 DID=0x5 IH=0x1 ADDR=0x40000000");
    hardcase_stale(&h, XINV_CACHE_STAGE2, DID | IPA, LEAF);
    hardcase_expect_clean(&h);
    hardcase_expect_report(&h, 0, IN(STAGE1) | IN(NESTED), 0, 0);
}

/* ---- The QAT erratum ---- */

#define QAT_ENTRY "p_dev_tlb MIP=0x10 SID=0x310 PASID=0x5 ADDR=0x40000000"
#define QAT_WHOLE "p_dev_tlb MIP=0x10 SID=0x310 PASID=0x5 " WHOLE

static void qat(void)
{
    begin("intel-vtd-scalable", XINV_STAGE_STAGE1, NULL, 0);
    with_pasid(5, XINV_ATT_ATS);
    h.trial.at[h.trial.n++] = h.trial.at[0];
    h.trial.at[1].rid = 0x411;
    h.trial.at[0].quirks = xinv_endpoint_quirks(&h.trial.iommu, 0x8086, 0x4942);
    h.trial.at[1].quirks = xinv_endpoint_quirks(&h.trial.iommu, 0x8086, 0x4944);
}

Test(algebra_vtd, the_qat_erratum_doubles_that_endpoints_device_tlb_command_alone)
{
    qat();
    hardcase_page(&h, XINV_CHANGE_STAGE1_PTE, XINV_REQ_LEAF_ONLY);
    hardcase_expect(&h, "p_iotlb G=0x3 DID=0x5 PASID=0x5 IH=0x1 ADDR=0x40000000; " QAT_ENTRY
                        "; " QAT_ENTRY "; "
                        "p_dev_tlb MIP=0x10 SID=0x411 PASID=0x5 ADDR=0x40000000");
    hardcase_stale(&h, XINV_CACHE_STAGE1, DID | PASID | ADDRESS, LEAF);
    hardcase_stale(&h, XINV_CACHE_DEVICE_TLB, RID | PASID | ADDRESS, TAGGED);
    hardcase_stale_of(&h, XINV_CACHE_DEVICE_TLB, RID | PASID | ADDRESS, TAGGED, XINV_TAG_RID,
                      0x411);
    hardcase_expect_clean(&h);
}

Test(algebra_vtd, the_qat_erratum_doubles_nothing_where_a_pasid_entry_is_torn_down)
{
    qat();
    h.trial.n = 1;
    h.trial.request.change = XINV_CHANGE_PASID_ENTRY;
    hardcase_expect(&h, "pc G=0x1 DID=0x5 PASID=0x5; p_iotlb G=0x2 DID=0x5 PASID=0x5; " QAT_WHOLE);
    hardcase_stale(&h, XINV_CACHE_PASID_CONFIG, DID | PASID, LEAF);
    hardcase_stale(&h, XINV_CACHE_STAGE1, DID | PASID, TREE);
    hardcase_stale(&h, XINV_CACHE_DEVICE_TLB, RID | PASID, TAGGED);
    hardcase_expect_clean(&h);
    hardcase_expect_report(&h, 0, IN(NESTED), IN(STAGE2), 0);
}

/* ---- A 1 GiB leaf removed, MAMV 9 ---- */

static void gigabyte(const char *platform)
{
    begin(platform, XINV_STAGE_STAGE2, NULL, 0);
    hardcase_page(&h, XINV_CHANGE_STAGE2_PTE, XINV_REQ_LEAF_ONLY);
    h.trial.request.log2_leaf_size = 30;
    h.trial.request.log2_smallest_leaf = 30;
    h.trial.request.last = 0x7fffffff;
}

Test(algebra_vtd, a_leaf_larger_than_the_largest_mask_takes_the_domain)
{
    gigabyte("intel-vtd-rwbf");
    hardcase_expect(&h, "iotlb G=0x2 DW=0x1 DR=0x1 DID=0x5");
    hardcase_stale(&h, XINV_CACHE_STAGE2, DID | IPA, LEAF);
    hardcase_expect_clean(&h);
    hardcase_expect_report(&h, ADDRESS, IN(STAGE2), 0, 0);
}

Test(algebra_vtd, a_leaf_as_large_as_the_largest_mask_takes_one_block)
{
    gigabyte("intel-vtd-legacy");
    hardcase_expect(&h, "iotlb G=0x3 DW=0x1 DR=0x1 DID=0x5 AM=0x12 IH=0x1 ADDR=0x40000000");
    hardcase_stale(&h, XINV_CACHE_STAGE2, DID | IPA, LEAF);
    hardcase_expect_clean(&h);
    hardcase_expect_report(&h, 0, 0, 0, 0);
}

/* The blocks of 2 MiB that MAMV 9 can say need not remove a leaf of 1 GiB (6.5.2.3). */
Test(algebra_vtd, blocks_smaller_than_the_leaf_leave_it)
{
    gigabyte("intel-vtd-rwbf");
    hardcase_expect(&h, "iotlb G=0x2 DW=0x1 DR=0x1 DID=0x5");
    hardcase_stale(&h, XINV_CACHE_STAGE2, DID | IPA, LEAF);
    h.trial.request.last = 0x401fffff;
    oracle_imagine(&h.oracle, &h.trial, "iotlb_page", true);
    h.trial.request.last = 0x7fffffff;
    cr_expect_not_null(oracle_survivor(&h.oracle));
}

/* ---- A ragged range in many domains ---- */

/* 65,535 pages from an odd one: blocks of 1, 2, 4 ... 32,768 pages, in 256 domains. */
static void ragged(uint8_t policy, uint16_t max_commands, uint16_t flags)
{
    begin("intel-vtd-legacy", XINV_STAGE_STAGE2, NULL, 0);
    h.trial.n = 256;
    for (uint32_t i = 1; i < 256; i++) {
        h.trial.at[i] = h.trial.at[0];
        h.trial.at[i].rid += i;
        h.trial.at[i].did += i;
    }
    hardcase_page(&h, XINV_CHANGE_STAGE2_PTE, XINV_REQ_LEAF_ONLY | flags);
    h.trial.request.first = 0x40001000;
    h.trial.request.last = 0x4fffffff;
    h.trial.policy.kind = policy;
    h.trial.policy.max_commands = max_commands;
    cr_assert_geq(trial_run(&h.trial), 0);
    oracle_begin(&h.oracle, &h.trial);
    oracle_read(&h.oracle, &h.trial);
    oracle_stale_by_table(&h.oracle, &h.trial);
    cr_expect_null(oracle_survivor(&h.oracle), "%s", h.oracle.text);
    cr_expect_null(oracle_unreported(&h.oracle, &h.trial.report), "%s", h.oracle.text);
}

Test(algebra_vtd, a_ragged_range_of_many_domains_is_said_exactly_where_that_is_asked)
{
    ragged(XINV_POLICY_EXACT, 0, 0);
    cr_expect_eq(h.trial.n_cmd, 4096);
    hardcase_expect_report(&h, 0, 0, 0, 0);
}

Test(algebra_vtd, a_ragged_range_beyond_the_limit_takes_each_of_its_domains)
{
    ragged(XINV_POLICY_EXACT, 8, 0);
    cr_expect_eq(h.trial.n_cmd, 256);
    for (unsigned i = 0; i < 256; i++) {
        cr_expect_eq(refdec_field(&h.trial.cmd[i], "G"), 2);
        cr_expect_eq(refdec_field(&h.trial.cmd[i], "DID"), 5 + i);
    }
    hardcase_expect_report(&h, ADDRESS, IN(STAGE2), 0, 0);
}

Test(algebra_vtd, a_ragged_range_of_many_domains_takes_each_of_them_where_latency_counts)
{
    ragged(XINV_POLICY_LATENCY, 8, 0);
    cr_expect_eq(h.trial.n_cmd, 256);
}

Test(algebra_vtd, a_ragged_range_of_many_domains_takes_one_command_if_the_caller_allows_it)
{
    ragged(XINV_POLICY_LATENCY, 8, XINV_REQ_BEYOND);
    cr_expect_str_eq(trial_text(&h.trial), "iotlb G=0x1 DW=0x1 DR=0x1");
    hardcase_expect_report(&h, DID | ADDRESS, IN(STAGE2), 0, 0);
}

/* ---- Two attachments, one DID ---- */

Test(algebra_vtd, two_endpoints_of_one_did_take_one_iotlb_command_and_a_device_tlb_command_each)
{
    begin("intel-vtd-legacy", XINV_STAGE_STAGE2, NULL, 0);
    h.trial.at[0].flags = XINV_ATT_ATS;
    h.trial.at[h.trial.n++] = h.trial.at[0];
    h.trial.at[1].rid = 0x311;
    hardcase_page(&h, XINV_CHANGE_STAGE2_PTE, XINV_REQ_LEAF_ONLY);
    hardcase_expect(
        &h,
        "iotlb G=0x3 DW=0x1 DR=0x1 DID=0x5 IH=0x1 ADDR=0x40000000; "
        "dev_tlb MIP=0x10 SID=0x310 ADDR=0x40000000; dev_tlb MIP=0x10 SID=0x311 ADDR=0x40000000");
    hardcase_stale(&h, XINV_CACHE_STAGE2, DID | IPA, LEAF);
    hardcase_stale(&h, XINV_CACHE_DEVICE_TLB, RID | ADDRESS, LEAF);
    hardcase_stale_of(&h, XINV_CACHE_DEVICE_TLB, RID | ADDRESS, LEAF, XINV_TAG_RID, 0x311);
    hardcase_expect_clean(&h);
}

/* ---- Mapping under caching mode ---- */

static void becomes_present(const char *platform, uint8_t stage, uint8_t change)
{
    begin(platform, stage, strstr(platform, "caching") ? NULL : "CM", 1);
    if (stage == XINV_STAGE_STAGE1)
        with_pasid(5, 0);
    if (change == XINV_CHANGE_STAGE1_PTE || change == XINV_CHANGE_STAGE2_PTE)
        hardcase_page(&h, change, XINV_REQ_LEAF_ONLY);
    h.trial.request.change = change;
    h.trial.request.from = XINV_FROM_NOT_PRESENT;
}

Test(algebra_vtd, a_first_stage_mapping_takes_nothing_even_in_caching_mode)
{
    becomes_present("intel-vtd-scalable", XINV_STAGE_STAGE1, XINV_CHANGE_STAGE1_PTE);
    hardcase_expect(&h, "");
    hardcase_expect_clean(&h);
}

Test(algebra_vtd, a_second_stage_mapping_takes_its_not_present_entries_in_caching_mode)
{
    becomes_present("qemu-intel-caching-mode", XINV_STAGE_STAGE2, XINV_CHANGE_STAGE2_PTE);
    hardcase_expect(&h, "iotlb G=0x3 DW=0x1 DR=0x1 DID=0x5 ADDR=0x40000000");
    hardcase_stale(&h, XINV_CACHE_STAGE2, DID | IPA, ABSENT);
    hardcase_expect_clean(&h);
}

Test(algebra_vtd, a_new_pasid_entry_takes_its_not_present_entries_in_caching_mode)
{
    becomes_present("intel-vtd-scalable", XINV_STAGE_STAGE1, XINV_CHANGE_PASID_ENTRY);
    hardcase_expect(&h, "pc G=0x1 DID=0x5 PASID=0x5; p_iotlb G=0x2 DID=0x5 PASID=0x5");
    hardcase_stale(&h, XINV_CACHE_PASID_CONFIG, DID | PASID, ABSENT);
    hardcase_stale(&h, XINV_CACHE_STAGE1, DID | PASID, ABSENT);
    hardcase_expect_clean(&h);
}

Test(algebra_vtd, a_new_scalable_context_entry_takes_what_was_cached_under_did_0)
{
    becomes_present("intel-vtd-scalable", XINV_STAGE_STAGE2, XINV_CHANGE_DEVICE_ENTRY);
    hardcase_expect(&h, "cc G=0x3 SID=0x310; iotlb G=0x2 DW=0x1 DR=0x1");
    hardcase_stale(&h, XINV_CACHE_DEVICE_CONFIG, RID, ABSENT);
    hardcase_stale_of(&h, XINV_CACHE_STAGE2, DID, ABSENT, XINV_TAG_DID, 0);
    hardcase_expect_clean(&h);
}

Test(algebra_vtd, mappings_take_nothing_without_caching_mode)
{
    begin("intel-vtd-legacy", XINV_STAGE_STAGE2, NULL, 0);
    hardcase_page(&h, XINV_CHANGE_STAGE2_PTE, XINV_REQ_LEAF_ONLY);
    h.trial.request.from = XINV_FROM_NOT_PRESENT;
    hardcase_expect(&h, "");
    hardcase_expect_clean(&h);
}
