// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/*
 * Requests on SMMUv3 whose obvious plan is wrong. Expected commands follow from IHI 0070: 3.9.1
 * (ATS), 3.17 (TLB tagging), 4.3 to 4.5 (commands), 4.7.3 (CMD_SYNC), 16.2 (configuration caches).
 */
#include <criterion/criterion.h>

#include "tests/support/hardcase.h"

static struct hardcase h;

static void begin(const char *platform, uint8_t stage, const char *feature, uint16_t value)
{
    trial_begin(&h.trial, platform, feature, value);
    h.trial.n = 1;
    h.trial.at[0] = (struct xinv_attachment){.stage = stage,
                                             .known = RID | ASID | VMID,
                                             .rid = 0x310,
                                             .asid = 0x35,
                                             .vmid = stage == XINV_STAGE_STAGE1 ? 0 : 9,
                                             .queue_depth = 16};
}

/* ---- One stage-1 page ---- */

Test(algebra_smmuv3, of_the_rows_that_remove_a_page_the_one_that_removes_least_is_taken)
{
    begin("arm-smmuv3-ril", XINV_STAGE_STAGE1, NULL, 0);
    hardcase_page(&h, XINV_CHANGE_STAGE1_PTE, XINV_REQ_LEAF_ONLY);
    hardcase_expect(&h, "TLBI_NH_VA ASID=0x35 Leaf=0x1 Address=0x40000000; SYNC");
    /* opcode 7:0, ASID 63:48; Leaf 64, TTL 73:72 = 0 and TG 75:74 = 0: one address of any entry */
    hardcase_expect_words(&h, 0, UINT64_C(0x0035000000000012), UINT64_C(0x0000000040000001));
    hardcase_stale(&h, XINV_CACHE_STAGE1, VMID | ASID | ADDRESS, LEAF);
    hardcase_expect_clean(&h);
    /* global entries of the page, and nested ones that never have VMID 0 */
    hardcase_expect_report(&h, 0, IN(STAGE1) | IN(NESTED), 0, 0);
    cr_expect(hardcase_would_do(&h, "tlbi_nh_va", true, XINV_NCACHES));
    cr_expect(hardcase_would_do(&h, "tlbi_nh_va", false, XINV_NCACHES));
    cr_expect(hardcase_would_do(&h, "tlbi_nh_vaa", true, XINV_NCACHES));
    cr_expect(hardcase_would_do(&h, "tlbi_nh_asid", false, XINV_NCACHES));
    cr_expect(hardcase_would_do(&h, "tlbi_nh_all", false, XINV_NCACHES));
    cr_expect(hardcase_would_do(&h, "tlbi_s12_vmall", false, XINV_NCACHES));
    cr_expect(hardcase_would_do(&h, "tlbi_nsnh_all", false, XINV_NCACHES));
}

/* ---- A table page was freed ---- */

Test(algebra_smmuv3, a_freed_table_page_takes_the_form_that_reaches_walk_entries)
{
    begin("arm-smmuv3-ril", XINV_STAGE_STAGE1, NULL, 0);
    hardcase_page(&h, XINV_CHANGE_STAGE1_PTE, 0);
    hardcase_expect(&h, "TLBI_NH_VA ASID=0x35 Address=0x40000000; SYNC");
    hardcase_stale(&h, XINV_CACHE_STAGE1, VMID | ASID | ADDRESS, TREE);
    hardcase_expect_clean(&h);
    cr_expect_not(hardcase_would_do(&h, "tlbi_nh_va", true, XINV_NCACHES));
}

/* ---- A whole ASID, global entries included ---- */

Test(algebra_smmuv3, global_entries_of_an_asid_take_every_asid_of_the_vmid)
{
    begin("arm-smmuv3-ril", XINV_STAGE_NESTED, NULL, 0);
    h.trial.request.change = XINV_CHANGE_STAGE1_PTE;
    h.trial.request.flags = XINV_REQ_GLOBAL;
    hardcase_expect(&h, "TLBI_NH_ALL VMID=0x9; SYNC");
    hardcase_stale(&h, XINV_CACHE_NESTED, VMID | ASID, TREE | XINV_GLOBAL_YES);
    hardcase_expect_clean(&h);
    hardcase_expect_report(&h, ASID, IN(STAGE1) | IN(NESTED), 0, 0);
    cr_expect_not(hardcase_would_do(&h, "tlbi_nh_asid", false, XINV_NCACHES));
}

Test(algebra_smmuv3, an_asid_without_global_entries_goes_by_itself)
{
    begin("arm-smmuv3-ril", XINV_STAGE_NESTED, NULL, 0);
    h.trial.request.change = XINV_CHANGE_STAGE1_PTE;
    hardcase_expect(&h, "TLBI_NH_ASID VMID=0x9 ASID=0x35; SYNC");
    hardcase_stale(&h, XINV_CACHE_NESTED, VMID | ASID, TREE);
    hardcase_expect_clean(&h);
    hardcase_expect_report(&h, 0, IN(STAGE1), 0, 0);
}

/* ---- A stage-2 page under nesting ---- */

static void stale_stage2_page(void)
{
    hardcase_stale(&h, XINV_CACHE_STAGE2, VMID | IPA, LEAF);
    hardcase_stale(&h, XINV_CACHE_NESTED, VMID, TREE | XINV_GLOBAL_YES);
}

Test(algebra_smmuv3, a_stage2_page_under_nesting_is_removed_before_the_combined_entries)
{
    begin("arm-smmuv3-ril", XINV_STAGE_NESTED, NULL, 0);
    hardcase_page(&h, XINV_CHANGE_STAGE2_PTE, XINV_REQ_LEAF_ONLY);
    hardcase_expect(
        &h, "TLBI_S2_IPA VMID=0x9 Leaf=0x1 Address=0x40000000; SYNC; TLBI_NH_ALL VMID=0x9; SYNC");
    stale_stage2_page();
    hardcase_expect_clean(&h);
    /* combined entries have no IPA, so all of the VMID's go, and its stage-1 entries with them */
    hardcase_expect_report(&h, ADDRESS, IN(STAGE1), 0, 0);
    cr_expect_not(hardcase_would_do(&h, "tlbi_s2_ipa", true, XINV_NCACHES));
    cr_expect(hardcase_would_do(&h, "tlbi_s12_vmall", false, XINV_NCACHES));
}

Test(algebra_smmuv3, a_stage2_page_under_nesting_takes_one_command_where_latency_counts)
{
    begin("arm-smmuv3-ril", XINV_STAGE_NESTED, NULL, 0);
    hardcase_page(&h, XINV_CHANGE_STAGE2_PTE, XINV_REQ_LEAF_ONLY);
    h.trial.policy.kind = XINV_POLICY_LATENCY;
    hardcase_expect(&h, "TLBI_S12_VMALL VMID=0x9; SYNC");
    stale_stage2_page();
    hardcase_expect_clean(&h);
    hardcase_expect_report(&h, ADDRESS, IN(STAGE1) | IN(STAGE2), 0, 0);
}

/* ---- The PASID is known, its ASID is not ---- */

static void guest_page_of_a_pasid(void)
{
    begin("arm-smmuv3-ril", XINV_STAGE_NESTED, NULL, 0);
    h.trial.at[0].known = RID | VMID | PASID;
    h.trial.at[0].pasid = 5;
    hardcase_page(&h, 0, XINV_REQ_INVALIDATE | XINV_REQ_PASID | XINV_REQ_LEAF_ONLY);
    h.trial.request.caches = XINV_INV_IOTLB;
    h.trial.request.scope = XINV_SCOPE_ADDRESS;
    h.trial.request.pasid = 5;
}

Test(algebra_smmuv3, a_pasid_without_asid_takes_the_page_of_every_asid_of_its_vmid)
{
    guest_page_of_a_pasid();
    hardcase_expect(&h, "TLBI_NH_VAA VMID=0x9 Leaf=0x1 Address=0x40000000; SYNC");
    hardcase_stale(&h, XINV_CACHE_NESTED, VMID | ADDRESS, LEAF | XINV_GLOBAL_YES);
    hardcase_expect_clean(&h);
    hardcase_expect_report(&h, PASID, IN(STAGE1), 0, 0);
}

Test(algebra_smmuv3, a_pasid_with_an_asid_takes_that_asid_alone)
{
    guest_page_of_a_pasid();
    h.trial.at[0].known |= ASID;
    h.trial.request.flags |= XINV_REQ_ASID;
    h.trial.request.asid = 0x35;
    hardcase_expect(&h, "TLBI_NH_VA VMID=0x9 ASID=0x35 Leaf=0x1 Address=0x40000000; SYNC");
    hardcase_stale(&h, XINV_CACHE_NESTED, VMID | ASID | ADDRESS, LEAF);
    hardcase_expect_clean(&h);
    hardcase_expect_report(&h, 0, IN(STAGE1) | IN(NESTED), 0, 0);
}

static int page_of_an_unknown_vmid(uint16_t flags)
{
    guest_page_of_a_pasid();
    h.trial.at[0].known = RID | PASID;
    h.trial.at[0].vmid = 0;
    h.trial.request.flags |= flags;
    return trial_run(&h.trial);
}

Test(algebra_smmuv3, without_a_vmid_the_entries_of_other_vms_are_left_alone)
{
    cr_assert_eq(page_of_an_unknown_vmid(0), -XINV_E_MUST_BLOCK);
    cr_assert_eq(h.trial.report.at, &h.trial.at[0]);
    cr_assert_eq(h.trial.report.at_cache, XINV_CACHE_NESTED);
    cr_assert_eq(h.trial.n_cmd, 0);
}

Test(algebra_smmuv3, without_a_vmid_every_vms_entries_go_if_the_caller_allows_it)
{
    cr_assert_geq(page_of_an_unknown_vmid(XINV_REQ_BEYOND), 0);
    cr_assert_str_eq(trial_text(&h.trial), "TLBI_NSNH_ALL; SYNC");
}

/* ---- Everything ---- */

Test(algebra_smmuv3, everything_includes_the_entries_of_el2)
{
    begin("arm-mmu-600", XINV_STAGE_STAGE1, NULL, 0);
    h.trial.request.change = XINV_CHANGE_EVERYTHING;
    hardcase_expect(&h, "CFGI_ALL Range=0x1f; SYNC; TLBI_NSNH_ALL; TLBI_EL2_ALL; SYNC");
    hardcase_stale(&h, XINV_CACHE_DEVICE_CONFIG, 0, TREE);
    hardcase_stale(&h, XINV_CACHE_PASID_CONFIG, 0, TREE);
    hardcase_stale(&h, XINV_CACHE_STAGE1, 0, TREE | XINV_GLOBAL_YES | XINV_REGIME_EL2);
    hardcase_stale(&h, XINV_CACHE_STAGE2, 0, TREE);
    hardcase_stale(&h, XINV_CACHE_NESTED, 0, TREE | XINV_GLOBAL_YES);
    hardcase_expect_clean(&h);
    hardcase_expect_report(&h, 0, 0, 0, 0);
    cr_expect_not(hardcase_would_do(&h, "tlbi_nsnh_all", false, XINV_NCACHES));
}

/* ---- An STE changes, with ATS and PASIDs ---- */

static void add_pasid(uint32_t pasid, uint32_t asid)
{
    struct xinv_attachment *at = &h.trial.at[h.trial.n++];

    *at = h.trial.at[0];
    at->known |= PASID;
    at->pasid = pasid;
    at->asid = asid;
}

static void stale_atc(uint32_t pasid)
{
    hardcase_stale_of(&h, XINV_CACHE_DEVICE_TLB, RID | PASID, TAGGED, XINV_TAG_PASID, pasid);
}

Test(algebra_smmuv3, a_changed_ste_goes_before_its_translations_and_those_before_every_atc_entry)
{
    begin("arm-smmuv3-generic", XINV_STAGE_STAGE1, NULL, 0);
    h.trial.at[0].flags = XINV_ATT_ATS;
    add_pasid(5, 0x36);
    add_pasid(6, 0x37);
    h.trial.request.change = XINV_CHANGE_DEVICE_ENTRY;
    hardcase_expect(&h,
                    "CFGI_STE SID=0x310; SYNC; "
                    "TLBI_NH_ASID ASID=0x35; TLBI_NH_ASID ASID=0x36; TLBI_NH_ASID ASID=0x37; SYNC; "
                    "ATC_INV SID=0x310 Size=0x34; "
                    "ATC_INV SSV=0x1 SSID=0x5 SID=0x310 Size=0x34; "
                    "ATC_INV SSV=0x1 SSID=0x6 SID=0x310 Size=0x34; SYNC");
    /* ATC_INV: opcode 7:0, SSV 11, SubstreamID 31:12, StreamID 63:32, Size 69:64 */
    hardcase_expect_words(&h, 6, UINT64_C(0x0000031000000040), 0x34);
    hardcase_expect_words(&h, 7, UINT64_C(0x0000031000005840), 0x34);
    hardcase_stale(&h, XINV_CACHE_DEVICE_CONFIG, RID, TREE);
    hardcase_stale(&h, XINV_CACHE_PASID_CONFIG, RID, TREE);
    for (uint32_t asid = 0x35; asid <= 0x37; asid++)
        hardcase_stale_of(&h, XINV_CACHE_STAGE1, VMID | ASID, TREE, XINV_TAG_ASID, asid);
    hardcase_stale(&h, XINV_CACHE_DEVICE_TLB, RID, LEAF);
    stale_atc(5);
    stale_atc(6);
    hardcase_expect_clean(&h);
    /* sources disagree on whether the command without PASID reaches tagged entries */
    hardcase_expect_report(&h, 0, IN(NESTED), IN(DEVICE_TLB), 0);
}

/* ---- The Tegra264 erratum ---- */

Test(algebra_smmuv3, the_tegra264_erratum_repeats_a_list_with_its_sync_and_no_atc_invalidation)
{
    begin("nvidia-tegra264", XINV_STAGE_STAGE1, "ATS", 1);
    h.trial.at[0].flags = XINV_ATT_ATS;
    h.trial.request.change = XINV_CHANGE_DEVICE_ENTRY;
    hardcase_expect(&h, "CFGI_STE SID=0x310; SYNC; CFGI_STE SID=0x310; SYNC; "
                        "TLBI_NH_ASID ASID=0x35; SYNC; TLBI_NH_ASID ASID=0x35; SYNC; "
                        "ATC_INV SID=0x310 Size=0x34; SYNC");
    hardcase_stale(&h, XINV_CACHE_DEVICE_CONFIG, RID, TREE);
    hardcase_stale(&h, XINV_CACHE_PASID_CONFIG, RID, TREE);
    hardcase_stale(&h, XINV_CACHE_STAGE1, VMID | ASID, TREE);
    hardcase_stale(&h, XINV_CACHE_DEVICE_TLB, RID, LEAF);
    hardcase_expect_clean(&h);
}

Test(algebra_smmuv3, the_tegra264_erratum_repeats_each_stage_of_a_nested_change)
{
    begin("nvidia-tegra264", XINV_STAGE_NESTED, NULL, 0);
    hardcase_page(&h, XINV_CHANGE_STAGE2_PTE, XINV_REQ_LEAF_ONLY);
    hardcase_expect(&h, "TLBI_S2_IPA VMID=0x9 Leaf=0x1 Address=0x40000000; SYNC; "
                        "TLBI_S2_IPA VMID=0x9 Leaf=0x1 Address=0x40000000; SYNC; "
                        "TLBI_NH_ALL VMID=0x9; SYNC; TLBI_NH_ALL VMID=0x9; SYNC");
    stale_stage2_page();
    hardcase_expect_clean(&h);
}

/* ---- Two attachments, one VMID and ASID ---- */

Test(algebra_smmuv3, two_endpoints_of_one_asid_take_one_tlb_command_and_an_atc_command_each)
{
    begin("arm-smmuv3-ril", XINV_STAGE_STAGE1, NULL, 0);
    h.trial.at[0].flags = XINV_ATT_ATS;
    h.trial.at[h.trial.n++] = h.trial.at[0];
    h.trial.at[1].rid = 0x311;
    hardcase_page(&h, XINV_CHANGE_STAGE1_PTE, XINV_REQ_LEAF_ONLY);
    hardcase_expect(
        &h, "TLBI_NH_VA ASID=0x35 Leaf=0x1 Address=0x40000000; SYNC; "
            "ATC_INV SID=0x310 Address=0x40000000; ATC_INV SID=0x311 Address=0x40000000; SYNC");
    hardcase_stale(&h, XINV_CACHE_STAGE1, VMID | ASID | ADDRESS, LEAF);
    hardcase_stale(&h, XINV_CACHE_DEVICE_TLB, RID | ADDRESS, LEAF);
    hardcase_stale_of(&h, XINV_CACHE_DEVICE_TLB, RID | ADDRESS, LEAF, XINV_TAG_RID, 0x311);
    hardcase_expect_clean(&h);
}

Test(algebra_smmuv3, two_endpoints_of_one_vmid_take_the_commands_of_both_stages_once)
{
    begin("arm-smmuv3-ril", XINV_STAGE_NESTED, NULL, 0);
    h.trial.at[h.trial.n++] = h.trial.at[0];
    h.trial.at[1].rid = 0x311;
    hardcase_page(&h, XINV_CHANGE_STAGE2_PTE, XINV_REQ_LEAF_ONLY);
    hardcase_expect(
        &h, "TLBI_S2_IPA VMID=0x9 Leaf=0x1 Address=0x40000000; SYNC; TLBI_NH_ALL VMID=0x9; SYNC");
    stale_stage2_page();
    hardcase_expect_clean(&h);
}
