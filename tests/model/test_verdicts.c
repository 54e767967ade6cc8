// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/*
 * What the judge says of streams that it has not made: those that leave something stale, each for
 * its reason, and reports that do not tell the truth.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "cli/kinds.h"
#include "tests/support/modelrig.h"

#define PAGE UINT64_C(0x40000000) /* the kinds' first page */

/* A stream for a kind of request on a platform, two words a command, with its report or NULL. */
static struct model_result judge(const char *platform, const char *kind, const uint64_t *words,
                                 size_t n, const struct xinv_report *report)
{
    const struct cli_kind *k = cli_kind_find(kind);
    struct model_bench bench = {.room = 0};
    struct model_config config;
    struct model_result result;
    struct model_run run;
    struct xinv_attachment at;
    struct xinv_iommu iommu;
    struct xinv_request request;

    cr_assert_not_null(k);
    cr_assert_eq(xinv_iommu_init(&iommu, xinv_platform_find(platform), NULL, NULL, 0), 0);
    cr_assert_eq(model_config_of(&config, &iommu), 0);
    cli_kind_request(k, &iommu, &at, &request);
    model_run_init(&run, &config);
    for (size_t i = 0; i < n; i += 2) {
        uint64_t command[4] = {words[i], words[i + 1], 0, 0};

        model_run_words(&run, command, config.words);
    }
    model_check(&bench, &run, &at, 1, &request, report, 64, &result);
    model_run_free(&run);
    model_bench_free(&bench);
    return result;
}

#define JUDGE_TOLD(report, platform, kind, ...)            \
    judge(platform, kind, (const uint64_t[]){__VA_ARGS__}, \
          sizeof((uint64_t[]){__VA_ARGS__}) / sizeof(uint64_t), report)
#define JUDGE(platform, kind, ...) JUDGE_TOLD(NULL, platform, kind, __VA_ARGS__)

/* RID 0x310, tag 5 and PASID 5 are the kinds'. */
#define V_WAIT 0x0000000100000025, 0x1000
#define A_WAIT 0x1000000000001001, 1

Test(verdicts, a_right_stream_is_clean)
{
    struct model_result r;

    r = JUDGE("intel-vtd-scalable", "s1-page-pasid-ats", 0x0000000500050036, PAGE | 0x40,
              0x0000000503100008, PAGE, V_WAIT);
    cr_expect_eq(r.finding, MODEL_CLEAN);
    r = JUDGE("arm-smmuv3-generic", "s1-page-pasid-ats", 0x0005000000000012, PAGE | 1, 0x46, 0,
              0x0000031000005840, PAGE, 0x46, 0);
    cr_expect_eq(r.finding, MODEL_CLEAN);
    r = JUDGE("amd-vi-generic", "s2-page-ats", 0x3000000500000000, PAGE, 0x1000000000000004, 0,
              0x4000031020000310, PAGE, A_WAIT);
    cr_expect_eq(r.finding, MODEL_CLEAN);
}

/* vtd.md names both of these as found in the wild: trap 12. */
Test(verdicts, a_device_tlb_flush_without_pasid_leaves_what_has_one)
{
    struct model_result r;

    r = JUDGE("intel-vtd-scalable", "s1-page-pasid-ats", 0x0000000500050036, PAGE | 0x40,
              0x0000031000000003, PAGE, V_WAIT);
    cr_assert_eq(r.finding, MODEL_SURVIVOR);
    cr_expect_eq(r.entry.cache, XINV_CACHE_DEVICE_TLB);
    cr_expect_eq(r.entry.pasid, 5);
    cr_expect_str_eq(r.why, "it has a PASID, the descriptor has none");
}

Test(verdicts, a_device_tlb_flush_of_everything_without_pasid_does_too)
{
    struct model_result r;

    r = JUDGE("intel-vtd-scalable", "pasid-remove-ats", 0x0000000500050017, 0, 0x0000000500050026,
              0, 0x0000031000000003, 0x7ffffffffffff001, V_WAIT);
    cr_assert_eq(r.finding, MODEL_SURVIVOR);
    cr_expect_eq(r.entry.cache, XINV_CACHE_DEVICE_TLB);
    cr_expect_str_eq(r.why, "it has a PASID, the descriptor has none");
}

Test(verdicts, a_device_tlb_that_is_flushed_with_the_tlb_refills)
{
    struct model_result r;

    r = JUDGE("arm-smmuv3-generic", "s1-page-ats", 0x0005000000000012, PAGE | 1, 0x0000031000000040,
              PAGE, 0x46, 0);
    cr_assert_eq(r.finding, MODEL_SURVIVOR);
    cr_expect_eq(r.verdict.fate, MODEL_REFILLED);
    cr_expect_eq(r.entry.cache, XINV_CACHE_DEVICE_TLB);
    cr_expect_eq(r.root.cache, XINV_CACHE_STAGE1);
    cr_expect_str_eq(r.why, "it is removed too early, and comes back");
}

Test(verdicts, nobody_knows_without_a_sync)
{
    struct model_result r;

    r = JUDGE("arm-smmuv3-generic", "s1-page", 0x0005000000000012, PAGE | 1);
    cr_assert_eq(r.finding, MODEL_SURVIVOR);
    cr_expect_eq(r.verdict.fate, MODEL_PENDING);
    cr_expect_str_eq(r.why, "a command removes it, but nothing tells when that is done");
}

Test(verdicts, an_ipa_does_not_find_combined_entries)
{
    struct model_result r;

    r = JUDGE("arm-smmuv3-generic", "n-s2-page", 0x000000050000002a, PAGE | 1, 0x46, 0);
    cr_assert_eq(r.finding, MODEL_SURVIVOR);
    cr_expect_eq(r.entry.cache, XINV_CACHE_NESTED);
    cr_expect_str_eq(r.why, "no command is about it");
    r = JUDGE("arm-smmuv3-generic", "n-s2-page", 0x000000050000002a, PAGE | 1, 0x46, 0,
              0x0000000500000010, 0, 0x46, 0);
    cr_expect_eq(r.finding, MODEL_CLEAN);
}

Test(verdicts, a_freed_table_needs_more_than_its_leaves)
{
    struct model_result r;

    r = JUDGE("intel-vtd-scalable", "s2-table", 0x00000000000500f2, PAGE | 0x40, V_WAIT);
    cr_assert_eq(r.finding, MODEL_SURVIVOR);
    cr_expect_eq(r.root.kind, MODEL_TABLE);
    r = JUDGE("intel-vtd-scalable", "s2-table", 0x00000000000500f2, PAGE, V_WAIT);
    cr_expect_eq(r.finding, MODEL_CLEAN);
}

/* AMD 2.4.3: with PDE = 0 the page-directory entries stay, and hold addresses that stage 2 gave. */
Test(verdicts, a_stage_2_page_may_hold_a_table_of_the_guest)
{
    struct model_result r;

    r = JUDGE("amd-vi-generic", "n-s2-page", 0x3000000500000000, PAGE, A_WAIT);
    cr_assert_eq(r.finding, MODEL_SURVIVOR);
    cr_expect_eq(r.root.cache, XINV_CACHE_NESTED);
    cr_expect_eq(r.root.kind, MODEL_TABLE);
    r = JUDGE("amd-vi-generic", "n-s2-page", 0x3000000500000000, PAGE | 2, A_WAIT);
    cr_expect_eq(r.finding, MODEL_CLEAN);
}

/* SMMUv3 4.3.3: with Leaf = 1 the level 1 descriptor stays. */
Test(verdicts, a_freed_table_of_cds_needs_more_than_its_leaf)
{
    struct model_result r;

    r = JUDGE("arm-smmuv3-generic", "pasid-remove", 0x0000031000005005, 1, 0x46, 0,
              0x0005000000000011, 0, 0x46, 0);
    cr_assert_eq(r.finding, MODEL_SURVIVOR);
    cr_expect_eq(r.root.cache, XINV_CACHE_PASID_CONFIG);
    cr_expect_eq(r.root.kind, MODEL_TABLE);
    r = JUDGE("arm-smmuv3-generic", "pasid-remove", 0x0000031000005005, 0, 0x46, 0,
              0x0005000000000011, 0, 0x46, 0);
    cr_expect_eq(r.finding, MODEL_CLEAN);
}

Test(verdicts, a_superpage_needs_its_size)
{
    struct model_result r;

    r = JUDGE("intel-vtd-scalable", "s2-2m", 0x00000000000500f2, PAGE | 8 | 0x40, V_WAIT);
    cr_assert_eq(r.finding, MODEL_SURVIVOR);
    cr_expect_str_eq(r.why, "it maps more than the descriptor's range");
    r = JUDGE("intel-vtd-scalable", "s2-2m", 0x00000000000500f2, PAGE | 9 | 0x40, V_WAIT);
    cr_expect_eq(r.finding, MODEL_CLEAN);
}

Test(verdicts, a_global_entry_survives_its_asid)
{
    struct model_result r;

    r = JUDGE("arm-smmuv3-generic", "s1-global", 0x0005000000000011, 0, 0x46, 0);
    cr_assert_eq(r.finding, MODEL_SURVIVOR);
    cr_expect(r.entry.global);
    cr_expect_str_eq(r.why, "it is global, the command names an ASID");
}

Test(verdicts, legacy_not_present_entries_live_under_did_0)
{
    struct model_result r;

    r = JUDGE("qemu-intel-caching-mode", "dev-s2-add", 0x0000031000050031, 0, 0x0000000000050022, 0,
              V_WAIT);
    cr_assert_eq(r.finding, MODEL_SURVIVOR);
    cr_expect(r.entry.absent);
    cr_expect_eq(r.entry.did, 0);
    r = JUDGE("qemu-intel-caching-mode", "dev-s2-add", 0x0000031000000031, 0, 0x0000000000050022, 0,
              V_WAIT);
    cr_expect_eq(r.finding, MODEL_CLEAN);
}

Test(verdicts, amd_iommu_all_reaches_no_endpoint)
{
    struct model_result r;

    r = JUDGE("amd-vi-generic", "everything-ats", 0x8000000000000000, 0, A_WAIT);
    cr_assert_eq(r.finding, MODEL_SURVIVOR);
    cr_expect_eq(r.entry.cache, XINV_CACHE_DEVICE_TLB);
}

Test(verdicts, an_illegal_command_stops_the_queue)
{
    struct model_result r;

    /* AM above MAMV (18) */
    r = JUDGE("intel-vtd-legacy", "s2-all", 0x0000000000050032, 19, V_WAIT);
    cr_expect_eq(r.finding, MODEL_ILLEGAL);
    cr_expect_str_eq(r.why, "AM is above CAP.MAMV");
    /* TG = 1 with NUM = SCALE = TTL = 0 */
    r = JUDGE("arm-smmuv3-ril", "s1-page", 0x0005000000000012, PAGE | 0x401, 0x46, 0);
    cr_expect_eq(r.finding, MODEL_ILLEGAL);
    cr_expect_str_eq(r.why, "NUM = SCALE = TTL = 0 with TG is reserved");
    /* the range's address in page units, as SMMUv2 has it */
    r = JUDGE("amd-vi-generic", "s2-page", 0x3000000500000000, PAGE >> 12 | 8, A_WAIT);
    cr_expect_eq(r.finding, MODEL_ILLEGAL);
    cr_expect_str_eq(r.why, "a reserved bit is set");
    cr_expect_eq(r.at, 0);
}

Test(verdicts, mmu_700_wants_a_sync_within_64_commands)
{
    uint64_t words[2 * 65] = {0};

    for (unsigned i = 0; i < 64; i++)
        words[2 * i] = 0x0000000500000028;
    words[128] = 0x46;
    cr_expect_eq(judge("arm-mmu-700", "s2-all", words, 130, NULL).finding, MODEL_ILLEGAL);
    cr_expect_eq(judge("arm-mmu-700", "s2-all", &words[2], 128, NULL).finding, MODEL_CLEAN);
    cr_expect_eq(judge("arm-fvp-base-revc", "s2-all", words, 130, NULL).finding, MODEL_CLEAN);
}

/* ---- Reports ----------------------------------------------------------------------------------
 */

static enum model_finding tampered(const char *platform, const char *kind,
                                   const struct xinv_policy *policy,
                                   void (*tamper)(struct xinv_report *report))
{
    struct xinv_attachment at;
    struct xinv_request request;
    struct modelrig rig;
    enum model_finding finding;

    cr_assert(modelrig_open(&rig, xinv_platform_find(platform), NULL, 0));
    cli_kind_request(cli_kind_find(kind), &rig.iommu, &at, &request);
    cr_assert_eq(modelrig_judge(&rig, &at, 1, &request, policy), MODEL_CLEAN, "%s",
                 modelrig_text(&rig));
    cr_assert_geq(rig.commands, 1);
    tamper(&rig.report);
    model_check(&rig.bench, &rig.run, &at, 1, &request, &rig.report, 64, &rig.result);
    finding = (enum model_finding)rig.result.finding;
    modelrig_close(&rig);
    return finding;
}

static void say_nothing(struct xinv_report *report)
{
    report->widened = 0;
    report->must_beyond = 0;
    report->may_beyond = 0;
}

static void one_page_more(struct xinv_report *report)
{
    report->extra_pages++;
}

static void no_extra_pages(struct xinv_report *report)
{
    report->extra_pages = 0;
    report->must_beyond = 0;
}

static void not_certainly(struct xinv_report *report)
{
    report->may_beyond |= report->must_beyond;
    report->must_beyond = 0;
}

Test(verdicts, a_report_that_hides_a_loss_is_found)
{
    /* no page-selective invalidation: the whole domain */
    cr_expect_eq(tampered("intel-vtd-client-graphics", "s2-page", NULL, say_nothing), MODEL_SILENT);
    cr_expect_eq(tampered("intel-vtd-client-graphics", "s2-page", NULL, not_certainly),
                 MODEL_SILENT);
}

/* VT-d 6.5.2.3: all of a DID goes; the global form takes every other DID with it. */
Test(verdicts, a_loss_of_another_did_alone_is_found)
{
    const struct xinv_report nothing = {0};
    struct model_result r;

    r = JUDGE_TOLD(&nothing, "intel-vtd-legacy", "tag-s2", 0x00000000000500e2, 0, V_WAIT);
    cr_expect_eq(r.finding, MODEL_CLEAN);
    r = JUDGE_TOLD(&nothing, "intel-vtd-legacy", "tag-s2", 0x00000000000000d2, 0, V_WAIT);
    cr_assert_eq(r.finding, MODEL_SILENT);
    cr_expect_eq(r.entry.cache, XINV_CACHE_STAGE2);
    cr_expect_neq(r.entry.did, 5);
}

Test(verdicts, a_wrong_number_of_pages_is_found)
{
    const struct xinv_policy at_most = {.kind = XINV_POLICY_AT_MOST, .blocks = 2};

    cr_expect_eq(tampered("intel-vtd-scalable", "s2-ragged", &at_most, one_page_more),
                 MODEL_MISCOUNT);
    cr_expect_eq(tampered("amd-vi-generic", "s1-ragged", NULL, one_page_more), MODEL_MISCOUNT);
    cr_expect_neq(tampered("intel-vtd-scalable", "s2-ragged", &at_most, no_extra_pages),
                  MODEL_CLEAN);
}
