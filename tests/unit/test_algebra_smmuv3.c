// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/*
 * Requests on SMMUv3 whose obvious plan is wrong. Expected commands follow from IHI 0070: 3.9.1
 * (ATS), 3.17 (TLB tagging), 4.3 to 4.5 (commands), 4.7.3 (CMD_SYNC), 16.2 (configuration caches).
 */
#include <criterion/criterion.h>
#include <string.h>

#include "tests/support/entryoracle.h"

#define RID     XINV_TAG_BIT(XINV_TAG_RID)
#define PASID   XINV_TAG_BIT(XINV_TAG_PASID)
#define ASID    XINV_TAG_BIT(XINV_TAG_ASID)
#define VMID    XINV_TAG_BIT(XINV_TAG_VMID)
#define ADDRESS XINV_TAG_BIT(XINV_TAG_ADDRESS)
#define IPA     XINV_TAG_BIT(XINV_TAG_IPA)

#define IN(cache) (1u << XINV_CACHE_##cache)

/* Classes of entries: EL1 and not global where nothing else is said. */
#define LEAF \
    (XINV_LEVEL_LEAF | XINV_GLOBAL_NO | XINV_PASID_UNTAGGED | XINV_PRESENT | XINV_REGIME_EL1)
#define TREE   (LEAF | XINV_LEVEL_WALK)
#define CONFIG (TREE | XINV_NOT_PRESENT)
#define TAGGED ((LEAF & ~XINV_PASID_UNTAGGED) | XINV_PASID_TAGGED)

static struct trial trial;
static struct oracle oracle;

static void begin(const char *platform, uint8_t stage, const char *feature, uint16_t value)
{
    trial_begin(&trial, platform, feature, value);
    trial.n = 1;
    trial.at[0] = (struct xinv_attachment){.stage = stage,
                                           .known = RID | ASID | VMID,
                                           .rid = 0x310,
                                           .asid = 0x35,
                                           .vmid = stage == XINV_STAGE_STAGE1 ? 0 : 9,
                                           .queue_depth = 16};
}

static void page(uint8_t change, uint16_t flags)
{
    trial.request =
        (struct xinv_request){.change = change,
                              .flags = (uint16_t)(XINV_REQ_RANGE | XINV_REQ_LEAVES_WITHIN | flags),
                              .first = 0x40000000,
                              .last = 0x40000fff};
}

/* Plans; the commands must be these, and the oracle finds them right for the patterns given by
 * then. */
static void expect(const char *text)
{
    cr_assert_geq(trial_run(&trial), 0);
    cr_expect_str_eq(trial_text(&trial), text, "%s", trial_text(&trial));
    oracle_begin(&oracle, &trial);
    oracle_read(&oracle, &trial);
}

static void stale(uint8_t cache, uint8_t fixed, xinv_axes classes)
{
    oracle_stale(&oracle, &trial, cache, fixed, classes);
}

static void expect_clean(void)
{
    const char *text = oracle_survivor(&oracle);

    cr_expect_null(text, "%s", text);
    text = oracle_unreported(&oracle, &trial.report);
    cr_expect_null(text, "%s", text);
    text = oracle_overreported(&oracle, &trial.report);
    cr_expect_null(text, "%s", text);
}

static void expect_report(uint8_t widened, uint8_t must, uint8_t may, uint64_t extra_pages)
{
    cr_expect_eq(trial.report.widened, widened, "widened 0x%x", trial.report.widened);
    cr_expect_eq(trial.report.must_beyond, must, "must_beyond 0x%x", trial.report.must_beyond);
    cr_expect_eq(trial.report.may_beyond, may, "may_beyond 0x%x", trial.report.may_beyond);
    cr_expect_eq(trial.report.extra_pages, extra_pages);
    cr_expect_eq(trial.report.extra_unbounded, (widened & ADDRESS) != 0);
}

/* Would one command of that row do? */
static bool would_do(const char *op, bool leaf)
{
    oracle_imagine(&oracle, &trial, op, leaf);
    return !oracle_survivor(&oracle);
}

/* ---- 1. One stage-1 page ---- */

Test(algebra_smmuv3, of_the_rows_that_remove_a_page_the_one_that_removes_least_is_taken)
{
    begin("arm-smmuv3-ril", XINV_STAGE_STAGE1, NULL, 0);
    page(XINV_CHANGE_STAGE1_PTE, XINV_REQ_LEAF_ONLY);
    expect("TLBI_NH_VA ASID=0x35 Leaf=0x1 Address=0x40000000; SYNC");
    stale(XINV_CACHE_STAGE1, VMID | ASID | ADDRESS, LEAF);
    expect_clean();
    /* global entries of the page, and nested ones that never have VMID 0 */
    expect_report(0, IN(STAGE1) | IN(NESTED), 0, 0);
    cr_expect(would_do("tlbi_nh_va", true));
    cr_expect(would_do("tlbi_nh_va", false));
    cr_expect(would_do("tlbi_nh_vaa", true));
    cr_expect(would_do("tlbi_nh_asid", false));
    cr_expect(would_do("tlbi_nh_all", false));
    cr_expect(would_do("tlbi_s12_vmall", false));
    cr_expect(would_do("tlbi_nsnh_all", false));
}

/* ---- 2. A table page was freed ---- */

Test(algebra_smmuv3, a_freed_table_page_takes_the_form_that_reaches_walk_entries)
{
    begin("arm-smmuv3-ril", XINV_STAGE_STAGE1, NULL, 0);
    page(XINV_CHANGE_STAGE1_PTE, 0);
    expect("TLBI_NH_VA ASID=0x35 Address=0x40000000; SYNC");
    stale(XINV_CACHE_STAGE1, VMID | ASID | ADDRESS, TREE);
    expect_clean();
    cr_expect_not(would_do("tlbi_nh_va", true));
}

/* ---- 3. A whole ASID, global entries included ---- */

Test(algebra_smmuv3, global_entries_of_an_asid_take_every_asid_of_the_vmid)
{
    begin("arm-smmuv3-ril", XINV_STAGE_NESTED, NULL, 0);
    trial.request.change = XINV_CHANGE_STAGE1_PTE;
    trial.request.flags = XINV_REQ_GLOBAL;
    expect("TLBI_NH_ALL VMID=0x9; SYNC");
    stale(XINV_CACHE_NESTED, VMID | ASID, TREE | XINV_GLOBAL_YES);
    expect_clean();
    expect_report(ASID, IN(STAGE1) | IN(NESTED), 0, 0);
    cr_expect_not(would_do("tlbi_nh_asid", false));
}

Test(algebra_smmuv3, an_asid_without_global_entries_goes_by_itself)
{
    begin("arm-smmuv3-ril", XINV_STAGE_NESTED, NULL, 0);
    trial.request.change = XINV_CHANGE_STAGE1_PTE;
    expect("TLBI_NH_ASID VMID=0x9 ASID=0x35; SYNC");
    stale(XINV_CACHE_NESTED, VMID | ASID, TREE);
    expect_clean();
    expect_report(0, IN(STAGE1), 0, 0);
}

/* ---- 4. A stage-2 page under nesting ---- */

static void stale_stage2_page(void)
{
    stale(XINV_CACHE_STAGE2, VMID | IPA, LEAF);
    stale(XINV_CACHE_NESTED, VMID, TREE | XINV_GLOBAL_YES);
}

Test(algebra_smmuv3, a_stage2_page_under_nesting_is_removed_before_the_combined_entries)
{
    begin("arm-smmuv3-ril", XINV_STAGE_NESTED, NULL, 0);
    page(XINV_CHANGE_STAGE2_PTE, XINV_REQ_LEAF_ONLY);
    expect("TLBI_S2_IPA VMID=0x9 Leaf=0x1 Address=0x40000000; SYNC; TLBI_NH_ALL VMID=0x9; SYNC");
    stale_stage2_page();
    expect_clean();
    /* combined entries have no IPA, so all of the VMID's go, and its stage-1 entries with them */
    expect_report(ADDRESS, IN(STAGE1), 0, 0);
    cr_expect_not(would_do("tlbi_s2_ipa", true));
    cr_expect(would_do("tlbi_s12_vmall", false));
}

Test(algebra_smmuv3, a_stage2_page_under_nesting_takes_one_command_where_latency_counts)
{
    begin("arm-smmuv3-ril", XINV_STAGE_NESTED, NULL, 0);
    page(XINV_CHANGE_STAGE2_PTE, XINV_REQ_LEAF_ONLY);
    trial.policy.kind = XINV_POLICY_LATENCY;
    expect("TLBI_S12_VMALL VMID=0x9; SYNC");
    stale_stage2_page();
    expect_clean();
    expect_report(ADDRESS, IN(STAGE1) | IN(STAGE2), 0, 0);
}

/* ---- 5. The PASID is known, its ASID is not ---- */

static void guest_page_of_a_pasid(void)
{
    begin("arm-smmuv3-ril", XINV_STAGE_NESTED, NULL, 0);
    trial.at[0].known = RID | VMID | PASID;
    trial.at[0].pasid = 5;
    page(0, XINV_REQ_INVALIDATE | XINV_REQ_PASID | XINV_REQ_LEAF_ONLY);
    trial.request.caches = XINV_INV_IOTLB;
    trial.request.scope = XINV_SCOPE_ADDRESS;
    trial.request.pasid = 5;
}

Test(algebra_smmuv3, a_pasid_without_asid_takes_the_page_of_every_asid_of_its_vmid)
{
    guest_page_of_a_pasid();
    expect("TLBI_NH_VAA VMID=0x9 Leaf=0x1 Address=0x40000000; SYNC");
    stale(XINV_CACHE_NESTED, VMID | ADDRESS, LEAF | XINV_GLOBAL_YES);
    expect_clean();
    expect_report(PASID, IN(STAGE1), 0, 0);
}

Test(algebra_smmuv3, a_pasid_with_an_asid_takes_that_asid_alone)
{
    guest_page_of_a_pasid();
    trial.at[0].known |= ASID;
    trial.request.flags |= XINV_REQ_ASID;
    trial.request.asid = 0x35;
    expect("TLBI_NH_VA VMID=0x9 ASID=0x35 Leaf=0x1 Address=0x40000000; SYNC");
    stale(XINV_CACHE_NESTED, VMID | ASID | ADDRESS, LEAF);
    expect_clean();
    expect_report(0, IN(STAGE1) | IN(NESTED), 0, 0);
}

/* ---- 15. Everything ---- */

Test(algebra_smmuv3, everything_includes_the_entries_of_el2)
{
    begin("arm-mmu-600", XINV_STAGE_STAGE1, NULL, 0);
    trial.request.change = XINV_CHANGE_EVERYTHING;
    expect("CFGI_ALL Range=0x1f; SYNC; TLBI_NSNH_ALL; TLBI_EL2_ALL; SYNC");
    stale(XINV_CACHE_DEVICE_CONFIG, 0, CONFIG);
    stale(XINV_CACHE_PASID_CONFIG, 0, CONFIG);
    stale(XINV_CACHE_STAGE1, 0, TREE | XINV_GLOBAL_YES | XINV_REGIME_EL2);
    stale(XINV_CACHE_STAGE2, 0, TREE);
    stale(XINV_CACHE_NESTED, 0, TREE | XINV_GLOBAL_YES);
    expect_clean();
    expect_report(0, 0, 0, 0);
    cr_expect_not(would_do("tlbi_nsnh_all", false));
}

/* ---- 16. An STE changes, with ATS and PASIDs ---- */

static void add_pasid(uint32_t pasid, uint32_t asid)
{
    struct xinv_attachment *at = &trial.at[trial.n++];

    *at = trial.at[0];
    at->known |= PASID;
    at->pasid = pasid;
    at->asid = asid;
}

static void stale_atc(uint32_t pasid)
{
    oracle_stale_pattern(&oracle, (struct oracle_pattern){
                                      XINV_CACHE_DEVICE_TLB, RID | PASID, TAGGED, {0x310, pasid}});
}

Test(algebra_smmuv3, a_changed_ste_goes_before_its_translations_and_those_before_every_atc_entry)
{
    begin("arm-smmuv3-generic", XINV_STAGE_STAGE1, NULL, 0);
    trial.at[0].flags = XINV_ATT_ATS;
    add_pasid(5, 0x36);
    add_pasid(6, 0x37);
    trial.request.change = XINV_CHANGE_DEVICE_ENTRY;
    expect("CFGI_STE SID=0x310; SYNC; "
           "TLBI_NH_ASID ASID=0x35; TLBI_NH_ASID ASID=0x36; TLBI_NH_ASID ASID=0x37; SYNC; "
           "ATC_INV SID=0x310 Size=0x34; "
           "ATC_INV SSV=0x1 SSID=0x5 SID=0x310 Size=0x34; "
           "ATC_INV SSV=0x1 SSID=0x6 SID=0x310 Size=0x34; SYNC");
    stale(XINV_CACHE_DEVICE_CONFIG, RID, CONFIG);
    stale(XINV_CACHE_PASID_CONFIG, RID, CONFIG);
    for (uint32_t asid = 0x35; asid <= 0x37; asid++)
        oracle_stale_pattern(&oracle,
                             (struct oracle_pattern){
                                 XINV_CACHE_STAGE1, VMID | ASID, TREE, {[XINV_TAG_ASID] = asid}});
    stale(XINV_CACHE_DEVICE_TLB, RID, LEAF);
    stale_atc(5);
    stale_atc(6);
    expect_clean();
    /* sources disagree on whether the command without PASID reaches tagged entries */
    expect_report(0, IN(NESTED), IN(DEVICE_TLB), 0);
}

/* ---- 17. The Tegra264 erratum ---- */

Test(algebra_smmuv3, the_tegra264_erratum_repeats_a_list_with_its_sync_and_no_atc_invalidation)
{
    begin("nvidia-tegra264", XINV_STAGE_STAGE1, "ATS", 1);
    trial.at[0].flags = XINV_ATT_ATS;
    trial.request.change = XINV_CHANGE_DEVICE_ENTRY;
    expect("CFGI_STE SID=0x310; SYNC; CFGI_STE SID=0x310; SYNC; "
           "TLBI_NH_ASID ASID=0x35; SYNC; TLBI_NH_ASID ASID=0x35; SYNC; "
           "ATC_INV SID=0x310 Size=0x34; SYNC");
    stale(XINV_CACHE_DEVICE_CONFIG, RID, CONFIG);
    stale(XINV_CACHE_PASID_CONFIG, RID, CONFIG);
    stale(XINV_CACHE_STAGE1, VMID | ASID, TREE);
    stale(XINV_CACHE_DEVICE_TLB, RID, LEAF);
    expect_clean();
}

Test(algebra_smmuv3, the_tegra264_erratum_repeats_each_stage_of_a_nested_change)
{
    begin("nvidia-tegra264", XINV_STAGE_NESTED, NULL, 0);
    page(XINV_CHANGE_STAGE2_PTE, XINV_REQ_LEAF_ONLY);
    expect("TLBI_S2_IPA VMID=0x9 Leaf=0x1 Address=0x40000000; SYNC; "
           "TLBI_S2_IPA VMID=0x9 Leaf=0x1 Address=0x40000000; SYNC; "
           "TLBI_NH_ALL VMID=0x9; SYNC; TLBI_NH_ALL VMID=0x9; SYNC");
    stale_stage2_page();
    expect_clean();
}

/* ---- 21. Two attachments, one VMID and ASID ---- */

Test(algebra_smmuv3, two_endpoints_of_one_asid_take_one_tlb_command_and_an_atc_command_each)
{
    begin("arm-smmuv3-ril", XINV_STAGE_STAGE1, NULL, 0);
    trial.at[0].flags = XINV_ATT_ATS;
    trial.at[trial.n++] = trial.at[0];
    trial.at[1].rid = 0x311;
    page(XINV_CHANGE_STAGE1_PTE, XINV_REQ_LEAF_ONLY);
    expect("TLBI_NH_VA ASID=0x35 Leaf=0x1 Address=0x40000000; SYNC; "
           "ATC_INV SID=0x310 Address=0x40000000; ATC_INV SID=0x311 Address=0x40000000; SYNC");
    stale(XINV_CACHE_STAGE1, VMID | ASID | ADDRESS, LEAF);
    stale(XINV_CACHE_DEVICE_TLB, RID | ADDRESS, LEAF);
    oracle_stale_pattern(
        &oracle, (struct oracle_pattern){XINV_CACHE_DEVICE_TLB, RID | ADDRESS, LEAF, {0x311}});
    expect_clean();
}

Test(algebra_smmuv3, two_endpoints_of_one_vmid_take_the_commands_of_both_stages_once)
{
    begin("arm-smmuv3-ril", XINV_STAGE_NESTED, NULL, 0);
    trial.at[trial.n++] = trial.at[0];
    trial.at[1].rid = 0x311;
    page(XINV_CHANGE_STAGE2_PTE, XINV_REQ_LEAF_ONLY);
    expect("TLBI_S2_IPA VMID=0x9 Leaf=0x1 Address=0x40000000; SYNC; TLBI_NH_ALL VMID=0x9; SYNC");
    stale_stage2_page();
    expect_clean();
}
