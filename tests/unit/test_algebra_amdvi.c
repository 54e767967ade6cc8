// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/*
 * Requests on AMD-Vi whose obvious plan is wrong. Expected commands follow from document 48882:
 * 2.4.1 (COMPLETION_WAIT), 2.4.3 (INVALIDATE_IOMMU_PAGES), 2.4.4 (INVALIDATE_IOTLB_PAGES), 2.4.8.
 */
#include <criterion/criterion.h>

#include "tests/support/hardcase.h"

/* Every address: bits 62:12 are ones, S = 1. */
#define WHOLE  "Address=0x7ffffffffffff000"
#define FENCE  "COMPLETION_WAIT Flush=0x1; "
#define LAST   "COMPLETION_WAIT"
#define DEVICE "DeviceID=0x310 MaxPend=0x10 QueueID=0x310"

static struct hardcase h;

static void begin(const char *platform, uint8_t stage)
{
    trial_begin(&h.trial, platform, NULL, 0);
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

static void add_pasid(uint32_t pasid)
{
    struct xinv_attachment *at = &h.trial.at[h.trial.n++];

    *at = h.trial.at[0];
    at->known |= PASID;
    at->pasid = pasid;
}

/* ---- A guest page of PASID 5 ---- */

Test(algebra_amdvi, a_guest_page_of_a_pasid_goes_under_that_pasid_in_both_caches)
{
    begin("amd-vi-generic", XINV_STAGE_NESTED);
    with_pasid(5, XINV_ATT_ATS);
    hardcase_page(&h, XINV_CHANGE_STAGE1_PTE, XINV_REQ_LEAF_ONLY);
    hardcase_expect(
        &h, "INVALIDATE_IOMMU_PAGES DomainID=0x5 Address=0x40000000 PASID=0x5 GN=0x1; " FENCE
            "INVALIDATE_IOTLB_PAGES " DEVICE " Address=0x40000000 PASID=0x5 GN=0x1; " LAST);
    /* op 3: PASID 19:0, DomainID 47:32, GN 66; op 4: MaxPend 31:24, QueueID 47:32, PASID[7:0] 55:48
     */
    hardcase_expect_words(&h, 0, UINT64_C(0x3000000500000005), UINT64_C(0x0000000040000004));
    hardcase_expect_words(&h, 1, UINT64_C(0x1000000000000004), 0);
    hardcase_expect_words(&h, 2, UINT64_C(0x4005031010000310), UINT64_C(0x0000000040000004));
    hardcase_stale(&h, XINV_CACHE_NESTED, DID | PASID | ADDRESS, LEAF);
    hardcase_stale(&h, XINV_CACHE_DEVICE_TLB, RID | PASID | ADDRESS, TAGGED);
    hardcase_expect_clean(&h);
    hardcase_expect_report(&h, 0, IN(STAGE1), 0, 0);
    cr_expect_not(hardcase_would_do(&h, "pages_host", false, XINV_CACHE_NESTED));
    cr_expect_not(hardcase_would_do(&h, "iotlb", false, XINV_CACHE_DEVICE_TLB));
}

/* ---- The whole device TLB of a device with PASIDs ---- */

static void whole_device_tlb(uint8_t flags)
{
    begin("amd-vi-generic", XINV_STAGE_STAGE1);
    with_pasid(0, XINV_ATT_ATS | flags);
    h.trial.request = (struct xinv_request){
        .flags = XINV_REQ_INVALIDATE, .caches = XINV_INV_DEVICE_TLB, .scope = XINV_SCOPE_ENDPOINT};
}

Test(algebra_amdvi, a_whole_device_tlb_takes_a_command_without_pasid_and_one_for_each_live_pasid)
{
    whole_device_tlb(0);
    add_pasid(5);
    add_pasid(6);
    hardcase_expect(&h,
                    "INVALIDATE_IOTLB_PAGES " DEVICE " S=0x1 " WHOLE "; "
                    "INVALIDATE_IOTLB_PAGES " DEVICE " S=0x1 " WHOLE " GN=0x1; "
                    "INVALIDATE_IOTLB_PAGES " DEVICE " S=0x1 " WHOLE " PASID=0x5 GN=0x1; "
                    "INVALIDATE_IOTLB_PAGES " DEVICE " S=0x1 " WHOLE " PASID=0x6 GN=0x1; " LAST);
    hardcase_stale(&h, XINV_CACHE_DEVICE_TLB, RID, LEAF);
    for (uint32_t pasid = 0; pasid <= 6; pasid = pasid ? pasid + 1 : 5)
        hardcase_stale_of(&h, XINV_CACHE_DEVICE_TLB, RID | PASID, TAGGED, XINV_TAG_PASID, pasid);
    hardcase_expect_clean(&h);
    hardcase_expect_report(&h, 0, 0, IN(DEVICE_TLB), 0);
    cr_expect_not(hardcase_would_do(&h, "iotlb_all", false, XINV_NCACHES));
}

Test(algebra_amdvi, a_whole_device_tlb_with_unknown_pasids_is_refused)
{
    whole_device_tlb(XINV_ATT_PASIDS_UNKNOWN);
    cr_assert_eq(trial_run(&h.trial), -XINV_E_MUST_BLOCK);
    cr_assert_eq(h.trial.report.at, &h.trial.at[0]);
    cr_assert_eq(h.trial.report.at_cache, XINV_CACHE_DEVICE_TLB);
    cr_assert_eq(h.trial.n_cmd, 0);
}

/* ---- A nested stage-2 page, with ATS ---- */

static void nested_stage2_page(void)
{
    begin("amd-vi-generic", XINV_STAGE_NESTED);
    hardcase_page(&h, XINV_CHANGE_STAGE2_PTE, XINV_REQ_LEAF_ONLY);
}

Test(algebra_amdvi, a_nested_stage2_page_takes_the_device_tlb_entries_of_every_live_pasid)
{
    nested_stage2_page();
    with_pasid(5, XINV_ATT_ATS);
    add_pasid(6);
    hardcase_expect(&h,
                    "INVALIDATE_IOMMU_PAGES DomainID=0x5 PDE=0x1 Address=0x40000000; " FENCE
                    "INVALIDATE_IOTLB_PAGES " DEVICE " S=0x1 " WHOLE " PASID=0x5 GN=0x1; "
                    "INVALIDATE_IOTLB_PAGES " DEVICE " S=0x1 " WHOLE " PASID=0x6 GN=0x1; " LAST);
    hardcase_stale(&h, XINV_CACHE_STAGE2, DID | IPA, LEAF);
    hardcase_stale(&h, XINV_CACHE_NESTED, DID | IPA, TREE);
    hardcase_stale_of(&h, XINV_CACHE_DEVICE_TLB, RID | PASID, TAGGED, XINV_TAG_PASID, 5);
    hardcase_stale_of(&h, XINV_CACHE_DEVICE_TLB, RID | PASID, TAGGED, XINV_TAG_PASID, 6);
    hardcase_expect_clean(&h);
    hardcase_expect_report(&h, ADDRESS, IN(STAGE2), IN(STAGE1) | IN(NESTED), 0);
    cr_expect_not(hardcase_would_do(&h, "iotlb_all", false, XINV_CACHE_DEVICE_TLB));
}

Test(algebra_amdvi, a_nested_stage2_page_takes_untagged_entries_and_those_of_pasid_0_as_well)
{
    nested_stage2_page();
    with_pasid(0, XINV_ATT_ATS);
    add_pasid(5);
    hardcase_expect(&h,
                    "INVALIDATE_IOMMU_PAGES DomainID=0x5 PDE=0x1 Address=0x40000000; " FENCE
                    "INVALIDATE_IOTLB_PAGES " DEVICE " S=0x1 " WHOLE "; "
                    "INVALIDATE_IOTLB_PAGES " DEVICE " S=0x1 " WHOLE " GN=0x1; "
                    "INVALIDATE_IOTLB_PAGES " DEVICE " S=0x1 " WHOLE " PASID=0x5 GN=0x1; " LAST);
    hardcase_stale(&h, XINV_CACHE_STAGE2, DID | IPA, LEAF);
    hardcase_stale(&h, XINV_CACHE_NESTED, DID | IPA, TREE);
    hardcase_stale(&h, XINV_CACHE_DEVICE_TLB, RID, LEAF);
    hardcase_stale_of(&h, XINV_CACHE_DEVICE_TLB, RID | PASID, TAGGED, XINV_TAG_PASID, 0);
    hardcase_stale_of(&h, XINV_CACHE_DEVICE_TLB, RID | PASID, TAGGED, XINV_TAG_PASID, 5);
    hardcase_expect_clean(&h);
}

Test(algebra_amdvi, a_nested_stage2_page_with_a_guests_own_pasids_must_block)
{
    nested_stage2_page();
    with_pasid(5, XINV_ATT_ATS | XINV_ATT_PASIDS_UNKNOWN);
    cr_assert_eq(trial_run(&h.trial), -XINV_E_MUST_BLOCK);
    cr_assert_eq(h.trial.report.at, &h.trial.at[0]);
    cr_assert_eq(h.trial.report.at_cache, XINV_CACHE_DEVICE_TLB);
    cr_assert_eq(h.trial.n_cmd, 0);
}

Test(algebra_amdvi, a_nested_stage2_page_with_a_guests_own_pasids_needs_no_device_tlb_without_ats)
{
    nested_stage2_page();
    with_pasid(5, XINV_ATT_PASIDS_UNKNOWN);
    hardcase_expect(&h, "INVALIDATE_IOMMU_PAGES DomainID=0x5 PDE=0x1 Address=0x40000000; " LAST);
}

/* ---- Everything without INVALIDATE_IOMMU_ALL ---- */

/* Two endpoints of one domain, and one of another. */
static void everything(const char *platform, uint16_t flags)
{
    begin(platform, XINV_STAGE_STAGE2);
    h.trial.n = 3;
    h.trial.at[1] = h.trial.at[0];
    h.trial.at[2] = h.trial.at[0];
    h.trial.at[1].rid = 0x311;
    h.trial.at[2].rid = 0x418;
    h.trial.at[2].did = 6;
    h.trial.request.change = XINV_CHANGE_EVERYTHING;
    h.trial.request.flags = flags;
}

Test(algebra_amdvi, everything_without_its_command_is_said_for_every_device_and_domain)
{
    everything("amd-rd890", XINV_REQ_ENUMERATED);
    hardcase_expect(&h, "INVALIDATE_DEVTAB_ENTRY DeviceID=0x310; "
                        "INVALIDATE_INTERRUPT_TABLE DeviceID=0x310; "
                        "INVALIDATE_DEVTAB_ENTRY DeviceID=0x311; "
                        "INVALIDATE_INTERRUPT_TABLE DeviceID=0x311; "
                        "INVALIDATE_DEVTAB_ENTRY DeviceID=0x418; "
                        "INVALIDATE_INTERRUPT_TABLE DeviceID=0x418; " FENCE
                        "INVALIDATE_IOMMU_PAGES DomainID=0x5 S=0x1 PDE=0x1 " WHOLE "; "
                        "INVALIDATE_IOMMU_PAGES DomainID=0x6 S=0x1 PDE=0x1 " WHOLE "; " LAST);
    for (uint32_t rid = 0x310; rid <= 0x418; rid = rid == 0x311 ? 0x418 : rid + 1) {
        hardcase_stale_of(&h, XINV_CACHE_DEVICE_CONFIG, RID, LEAF, XINV_TAG_RID, rid);
        hardcase_stale_of(&h, XINV_CACHE_INTERRUPT, RID, LEAF, XINV_TAG_RID, rid);
    }
    hardcase_stale_of(&h, XINV_CACHE_STAGE2, DID, TREE, XINV_TAG_DID, 5);
    hardcase_stale_of(&h, XINV_CACHE_STAGE2, DID, TREE, XINV_TAG_DID, 6);
    hardcase_expect_clean(&h);
}

Test(algebra_amdvi, everything_without_its_command_is_refused_where_not_every_attachment_is_given)
{
    everything("amd-rd890", 0);
    cr_assert_eq(trial_run(&h.trial), -XINV_E_MUST_BLOCK);
    cr_assert_eq(h.trial.n_cmd, 0);
}

Test(algebra_amdvi, everything_with_its_command_is_one_and_the_endpoints_device_tlbs)
{
    everything("amd-vi-generic", XINV_REQ_ENUMERATED);
    h.trial.at[2].flags = XINV_ATT_ATS;
    hardcase_expect(&h,
                    "INVALIDATE_IOMMU_ALL; " FENCE
                    "INVALIDATE_IOTLB_PAGES DeviceID=0x418 MaxPend=0x10 QueueID=0x418 S=0x1 " WHOLE
                    "; " LAST);
}

/* ---- One DomainID for two endpoints; not-present entries ---- */

Test(algebra_amdvi, two_endpoints_of_one_domain_take_one_command_for_its_pages)
{
    begin("amd-vi-generic", XINV_STAGE_STAGE2);
    h.trial.at[h.trial.n++] = h.trial.at[0];
    h.trial.at[1].rid = 0x311;
    hardcase_page(&h, XINV_CHANGE_STAGE2_PTE, XINV_REQ_LEAF_ONLY);
    hardcase_expect(&h, "INVALIDATE_IOMMU_PAGES DomainID=0x5 Address=0x40000000; " LAST);
    hardcase_stale(&h, XINV_CACHE_STAGE2, DID | IPA, LEAF);
    hardcase_expect_clean(&h);
}

Test(algebra_amdvi, a_mapping_takes_its_not_present_entries_where_they_are_cached)
{
    begin("qemu-amd-npcache", XINV_STAGE_STAGE2);
    hardcase_page(&h, XINV_CHANGE_STAGE2_PTE, 0);
    h.trial.request.from = XINV_FROM_NOT_PRESENT;
    hardcase_expect(&h, "INVALIDATE_IOMMU_PAGES DomainID=0x5 PDE=0x1 Address=0x40000000; " LAST);
    hardcase_stale(&h, XINV_CACHE_STAGE2, DID | IPA, ABSENT);
    hardcase_expect_clean(&h);
}

Test(algebra_amdvi, a_mapping_takes_nothing_where_only_present_entries_are_cached)
{
    begin("amd-vi-generic", XINV_STAGE_STAGE2);
    hardcase_page(&h, XINV_CHANGE_STAGE2_PTE, 0);
    h.trial.request.from = XINV_FROM_NOT_PRESENT;
    hardcase_expect(&h, "");
    hardcase_expect_clean(&h);
}
