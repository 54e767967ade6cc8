// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
#include <criterion/criterion.h>
#include <string.h>

#include "core/backend.h"
#include "tests/support/hardware.h"
#include "tests/support/listrig.h"
#include "tests/support/vectorcaps.h"

#define RID   XINV_TAG_BIT(XINV_TAG_RID)
#define PASID XINV_TAG_BIT(XINV_TAG_PASID)
#define ASID  XINV_TAG_BIT(XINV_TAG_ASID)
#define DID   XINV_TAG_BIT(XINV_TAG_DID)
#define VMID  XINV_TAG_BIT(XINV_TAG_VMID)

static bool has_stage2(const struct xinv_iommu *iommu)
{
    return iommu->stages & XINV_STAGE_BIT(XINV_STAGE_STAGE2);
}

static bool has_ats(const struct xinv_iommu *iommu)
{
    bool found = false;

    for (unsigned i = 0; i < iommu->vendor->n_commands; i++)
        found |=
            (iommu->commands >> i & 1) && iommu->vendor->commands[i].phase == XINV_PHASE_DEVICE_TLB;
    return found;
}

Test(translate, first_above_last_is_an_error_and_never_everything)
{
    struct xinv_iommu iommu = test_iommu("intel-vtd-legacy", NULL, 0);
    struct xinv_attachment at = list_attachment(XINV_STAGE_STAGE2);
    struct xinv_request r = list_change(XINV_STAGE_STAGE2, UINT64_MAX, 0);
    struct xinv_out out;

    cr_assert_eq(list_run(&iommu, &at, 1, &r, NULL, &out), -XINV_E_RANGE);
    cr_assert_eq(out.n_words, 0);
    cr_assert_eq(out.n_steps, 0);
}

Test(translate, no_attachment_is_an_error)
{
    struct xinv_iommu iommu = test_iommu("intel-vtd-legacy", NULL, 0);
    struct xinv_attachment at = list_attachment(XINV_STAGE_STAGE2);
    struct xinv_request r = list_change(XINV_STAGE_STAGE2, 0, 0xfff);
    struct xinv_out out;

    cr_assert_eq(list_run(&iommu, &at, 0, &r, NULL, &out), -XINV_E_INVAL);
}

Test(translate, a_tag_wider_than_the_field_is_refused_and_named)
{
    struct xinv_iommu iommu = test_iommu("arm-smmuv3-generic", "ASID16", 0);
    struct xinv_attachment at = list_attachment(XINV_STAGE_STAGE1);
    struct xinv_request r = list_change(XINV_STAGE_STAGE1, 0, 0xfff);
    struct xinv_out out;

    at.asid = 0x100;
    cr_assert_eq(list_run(&iommu, &at, 1, &r, NULL, &out), -XINV_E_TAG);
    cr_assert_eq(list_report.at, &at);
    cr_assert_eq(list_report.at_tag, XINV_TAG_ASID);
    cr_assert_eq(out.n_words, 0);
    at.asid = 0xff;
    cr_assert_gt(list_run(&iommu, &at, 1, &r, NULL, &out), 0);
}

Test(translate, a_stage_that_the_iommu_lacks_is_unsupported)
{
    struct xinv_iommu iommu = test_iommu("intel-vtd-legacy", NULL, 0);
    struct xinv_attachment at = list_attachment(XINV_STAGE_STAGE1);
    struct xinv_request r = list_change(XINV_STAGE_STAGE1, 0, 0xfff);
    struct xinv_out out;

    cr_assert_eq(list_run(&iommu, &at, 1, &r, NULL, &out), -XINV_E_UNSUPP);
}

Test(translate, ats_on_an_iommu_without_it_must_block)
{
    struct xinv_iommu iommu = test_iommu("arm-smmuv3-generic", "ATS", 0);
    struct xinv_attachment at = list_attachment(XINV_STAGE_STAGE2);
    struct xinv_request r = list_change(XINV_STAGE_STAGE2, 0, 0xfff);
    struct xinv_out out;

    at.flags = XINV_ATT_ATS;
    cr_assert_eq(list_run(&iommu, &at, 1, &r, NULL, &out), -XINV_E_MUST_BLOCK);
    cr_assert_eq(list_report.at, &at);
    cr_assert_eq(list_report.at_cache, XINV_CACHE_DEVICE_TLB);
    cr_assert_eq(out.n_words, 0);
}

Test(translate, unknown_guest_pasids_are_reached_on_vtd_and_block_on_amd_and_arm)
{
    static const struct {
        const char *platform;
        int error;
    } cases[] = {{"intel-vtd-scalable", 0},
                 {"amd-vi-generic", -XINV_E_MUST_BLOCK},
                 {"arm-smmuv3-ril", -XINV_E_MUST_BLOCK}};

    for (unsigned i = 0; i < 3; i++) {
        struct xinv_iommu iommu = test_iommu(cases[i].platform, NULL, 0);
        struct xinv_attachment at = list_attachment(XINV_STAGE_NESTED);
        struct xinv_request r = list_change(XINV_STAGE_STAGE2, 0x40000000, 0x401fffff);
        struct xinv_out out;
        int ret;

        at.flags = XINV_ATT_ATS | XINV_ATT_PASIDS_UNKNOWN;
        ret = list_run(&iommu, &at, 1, &r, NULL, &out);
        if (cases[i].error) {
            cr_expect_eq(ret, cases[i].error, "%s", cases[i].platform);
        } else {
            cr_expect_gt(ret, 0);
            cr_expect_str_eq(list_names(&iommu, &out), "iotlb dev_tlb p_dev_tlb");
        }
    }
}

/* Peers split one request into a TLBI list and an ATC list; only one sync may stand at the end
 * without ATS. */
Test(translate, one_sync_in_all_where_no_endpoint_has_ats)
{
    const struct xinv_platform *p;

    for (unsigned i = 0; (p = working_at(i)) != NULL; i++) {
        struct xinv_iommu iommu;
        struct xinv_attachment at[3];
        struct xinv_request r = list_change(XINV_STAGE_STAGE2, 0x12345000, 0x12347fff);
        struct xinv_completion done = {.store = 1, .address = 0x1000, .data = 1};
        struct xinv_out out = {
            .words = list_words, .steps = list_steps, .cap_words = LIST_WORDS, .cap_steps = 64};

        cr_assert_eq(xinv_iommu_init(&iommu, p, NULL, NULL, 0), 0);
        if (!has_stage2(&iommu) || xinv_sync(&iommu, &done, &(struct xinv_out){0}) != 1)
            continue;
        for (unsigned k = 0; k < 3; k++) {
            at[k] = list_attachment(XINV_STAGE_STAGE2);
            at[k].rid += k;
            at[k].did = 7; /* the narrowest DID has 4 bits */
        }
        cr_assert_gt(xinv_translate(&iommu, at, 3, &r, NULL, &done, &out, &list_report), 0, "%s",
                     p->name);
        cr_expect_eq(list_report.syncs, 1, "%s: %u syncs", p->name, list_report.syncs);
        cr_expect_eq(list_steps[out.n_steps - 1].kind, XINV_STEP_WAIT);
        (void)list_names(&iommu, &out);
    }
}

Test(translate, the_iommu_tlb_is_fenced_from_the_device_tlb_as_the_platform_orders)
{
    static const struct {
        const char *platform;
        const char *names;
    } cases[] = {
        {"arm-smmuv3-generic", "TLBI_S2_IPA SYNC ATC_INV SYNC"},
        {"arm-smmuv3-ril", "TLBI_S2_IPA SYNC ATC_INV SYNC"},
        {"intel-vtd-legacy", "iotlb dev_tlb"},
        {"qemu-intel-caching-mode", "iotlb dev_tlb"},
        {"amd-vi-generic",
         "INVALIDATE_IOMMU_PAGES COMPLETION_WAIT INVALIDATE_IOTLB_PAGES COMPLETION_WAIT"},
        {"qemu-amd-npcache",
         "INVALIDATE_IOMMU_PAGES COMPLETION_WAIT INVALIDATE_IOTLB_PAGES COMPLETION_WAIT"},
    };

    for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct xinv_iommu iommu = test_iommu(cases[i].platform, NULL, 0);
        struct xinv_attachment at = list_attachment(XINV_STAGE_STAGE2);
        struct xinv_request r = list_change(XINV_STAGE_STAGE2, 0x12345000, 0x12345fff);
        struct xinv_out out;

        at.flags = XINV_ATT_ATS;
        cr_assert_gt(list_run(&iommu, &at, 1, &r, NULL, &out), 0);
        cr_expect_str_eq(list_names(&iommu, &out), cases[i].names, "%s: %s", cases[i].platform,
                         list_names(&iommu, &out));
    }
}

Test(translate, every_endpoint_with_ats_gets_its_device_tlb_command_and_a_shared_tag_one)
{
    struct xinv_iommu iommu = test_iommu("intel-vtd-legacy", NULL, 0);
    struct xinv_attachment at[5];
    struct xinv_request r = list_change(XINV_STAGE_STAGE2, 0x12345000, 0x12345fff);
    struct xinv_out out;

    for (unsigned k = 0; k < 5; k++) {
        at[k] = list_attachment(XINV_STAGE_STAGE2);
        at[k].rid += k;
        at[k].flags = (uint8_t)(k == 2 ? 0 : XINV_ATT_ATS);
        at[k].did = k < 3 ? 7 : 8;
    }
    cr_assert_eq(list_run(&iommu, at, 5, &r, NULL, &out), 6);
    cr_assert_str_eq(list_names(&iommu, &out), "iotlb iotlb dev_tlb dev_tlb dev_tlb dev_tlb");
}

Test(translate, mapping_costs_nothing_but_where_not_present_entries_are_cached)
{
    static const struct {
        const char *platform;
        const char *feature;
        const char *names;
    } cases[] = {
        {"arm-smmuv3-ril", NULL, ""},
        {"intel-vtd-legacy", NULL, ""},
        {"intel-vtd-scalable", NULL, ""},
        {"qemu-intel-caching-mode", NULL, "iotlb"},
        {"amd-vi-generic", NULL, ""},
        {"qemu-amd-npcache", NULL, "INVALIDATE_IOMMU_PAGES COMPLETION_WAIT"},
    };

    for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct xinv_iommu iommu = test_iommu(cases[i].platform, NULL, 0);
        struct xinv_attachment at = list_attachment(XINV_STAGE_STAGE2);
        struct xinv_request r = list_change(XINV_STAGE_STAGE2, 0x12345000, 0x12345fff);
        struct xinv_out out;

        r.from = XINV_FROM_NOT_PRESENT;
        cr_assert_geq(list_run(&iommu, &at, 1, &r, NULL, &out), 0);
        cr_expect_str_eq(list_names(&iommu, &out), cases[i].names, "%s: %s", cases[i].platform,
                         list_names(&iommu, &out));
        cr_expect_eq(out.n_steps, *cases[i].names ? (i == 3 ? 1 : 2) : 0);
    }
}

Test(translate, a_write_buffer_flush_is_a_register_step_and_no_queue_word)
{
    struct xinv_iommu iommu = test_iommu("intel-vtd-legacy", "RWBF", 1);
    struct xinv_attachment at = list_attachment(XINV_STAGE_STAGE2);
    struct xinv_request r = list_change(XINV_STAGE_STAGE2, 0x12345000, 0x12345fff);
    struct xinv_out out;

    r.from = XINV_FROM_NOT_PRESENT;
    cr_assert_eq(list_run(&iommu, &at, 1, &r, NULL, &out), 0);
    cr_assert_eq(out.n_words, 0);
    cr_assert_eq(out.n_steps, 1);
    cr_expect_eq(list_steps[0].kind, XINV_STEP_REGISTER);
    cr_expect_eq(list_steps[0].reg, 0x18);
    cr_expect_eq(list_steps[0].poll_reg, 0x1c);
    cr_expect_eq(list_steps[0].bits, 0x08000000);
}

Test(translate, caching_mode_does_not_apply_to_the_first_stage)
{
    struct xinv_iommu iommu = test_iommu("intel-vtd-scalable", "CM", 1);
    struct xinv_attachment at = list_attachment(XINV_STAGE_STAGE1);
    struct xinv_request r = list_change(XINV_STAGE_STAGE1, 0x12345000, 0x12345fff);
    struct xinv_out out;

    r.from = XINV_FROM_NOT_PRESENT;
    cr_assert_eq(list_run(&iommu, &at, 1, &r, NULL, &out), 0);
    cr_assert_eq(out.n_steps, 0);
}

Test(translate, an_output_that_is_too_small_is_left_as_it_was_at_every_capacity)
{
    const struct xinv_platform *p;

    for (unsigned i = 0; (p = working_at(i)) != NULL; i++) {
        struct xinv_iommu iommu;
        struct xinv_attachment at[2] = {list_attachment(XINV_STAGE_STAGE2),
                                        list_attachment(XINV_STAGE_STAGE2)};
        struct xinv_request r = list_change(XINV_STAGE_STAGE2, 0x1234000, 0x1253fff);
        uint32_t need_words = 0;
        uint32_t need_steps = 0;

        cr_assert_eq(xinv_iommu_init(&iommu, p, NULL, NULL, 0), 0);
        if (!has_stage2(&iommu))
            continue;
        at[0].did = at[1].did = 7; /* the narrowest DID has 4 bits */
        at[1].rid++;
        if (has_ats(&iommu))
            at[0].flags = at[1].flags = XINV_ATT_ATS;
        for (uint32_t cap = 0;; cap++) {
            struct xinv_out out = {
                .words = list_words, .steps = list_steps, .cap_words = cap, .cap_steps = 64};
            struct xinv_out before = out;
            int ret;

            memset(list_words, 0x5a, sizeof(list_words));
            memset(list_steps, 0x5a, sizeof(list_steps));
            ret = xinv_translate(&iommu, at, 2, &r, NULL, NULL, &out, &list_report);
            for (uint32_t w = ret < 0 ? 0 : out.n_words; w < LIST_WORDS; w++)
                cr_assert_eq(list_words[w], UINT64_C(0x5a5a5a5a5a5a5a5a), "%s: cap %u word %u",
                             p->name, cap, w);
            if (ret >= 0) {
                cr_assert_eq(cap, need_words, "%s: the need is exact", p->name);
                cr_assert_eq(out.n_words, need_words);
                cr_assert_eq(out.n_steps, need_steps);
                break;
            }
            cr_assert_eq(ret, -XINV_E_NOSPACE);
            cr_assert(!memcmp(&out, &before, sizeof(out)));
            cr_assert_eq(*(unsigned char *)&list_steps[0], 0x5a);
            need_words = list_report.need_words;
            need_steps = list_report.need_steps;
            cr_assert_gt(need_words, cap);
        }
        for (uint32_t cap = 0; cap < need_steps; cap++) {
            struct xinv_out out = {.words = list_words,
                                   .steps = list_steps,
                                   .cap_words = LIST_WORDS,
                                   .cap_steps = cap};

            memset(list_words, 0x5a, sizeof(list_words));
            cr_assert_eq(xinv_translate(&iommu, at, 2, &r, NULL, NULL, &out, &list_report),
                         -XINV_E_NOSPACE);
            cr_assert_eq(list_words[0], UINT64_C(0x5a5a5a5a5a5a5a5a));
            cr_assert_eq(out.n_words, 0);
        }
    }
}

Test(translate, counting_without_a_buffer_agrees_with_emission)
{
    struct xinv_iommu iommu = test_iommu("amd-vi-generic", NULL, 0);
    struct xinv_attachment at = list_attachment(XINV_STAGE_STAGE2);
    struct xinv_request r = list_change(XINV_STAGE_STAGE2, 0x1234000, 0x1253fff);
    struct xinv_out none = {0};
    struct xinv_out out;
    int counted = xinv_translate(&iommu, &at, 1, &r, NULL, NULL, &none, &list_report);
    uint32_t need = list_report.need_words;

    cr_assert_eq(list_run(&iommu, &at, 1, &r, NULL, &out), counted);
    cr_assert_eq(out.n_words, need);
    cr_assert_eq(none.n_words, need);
}

Test(translate, commands_are_appended_and_wrap_in_a_ring)
{
    struct xinv_iommu iommu = test_iommu("arm-smmuv3-generic", NULL, 0);
    struct xinv_attachment at = list_attachment(XINV_STAGE_STAGE2);
    struct xinv_request r = list_change(XINV_STAGE_STAGE2, 0x1000, 0x3fff);
    struct xinv_out flat;
    uint64_t ring[16];
    struct xinv_out out = {.words = ring,
                           .steps = list_steps,
                           .ring_words = 16,
                           .head = 12,
                           .cap_words = 14,
                           .cap_steps = 64};

    cr_assert_eq(list_run(&iommu, &at, 1, &r, NULL, &flat), 4);
    memset(ring, 0xee, sizeof(ring));
    cr_assert_eq(xinv_translate(&iommu, &at, 1, &r, NULL, NULL, &out, &list_report), 4);
    for (unsigned w = 0; w < 8; w++)
        cr_expect_eq(ring[(12 + w) % 16], list_words[w]);
    for (unsigned w = 8; w < 16; w++)
        cr_expect_eq(ring[(12 + w) % 16], UINT64_C(0xeeeeeeeeeeeeeeee));
    cr_assert_eq(xinv_translate(&iommu, &at, 1, &r, NULL, NULL, &out, &list_report),
                 -XINV_E_NOSPACE);
    cr_assert_eq(list_report.need_words, 8);
    cr_assert_eq(out.n_words, 8);
}

Test(translate, a_range_up_to_the_top_of_64_bits_is_whole_at_every_granule)
{
    static const uint8_t granules[] = {12, 14, 16};

    for (unsigned g = 0; g < 3; g++) {
        struct xinv_iommu iommu = test_iommu("arm-smmuv3-ril", NULL, 0);
        struct xinv_attachment at = list_attachment(XINV_STAGE_STAGE1);
        struct xinv_request r = list_change(
            XINV_STAGE_STAGE1, UINT64_MAX - (UINT64_C(3) << granules[g]) + 1, UINT64_MAX);
        struct refdec_caps caps = vector_caps(&iommu);
        struct refdec_cmd cmd;
        struct xinv_out out;
        char err[160];

        r.log2_granule = granules[g];
        cr_assert_eq(list_run(&iommu, &at, 1, &r, NULL, &out), 2);
        cr_assert_eq(refdec_decode(REFDEC_SMMUV3, &caps, list_words, 2, &cmd, err, sizeof(err)), 0,
                     "%s", err);
        cr_expect_eq(cmd.first, r.first);
        cr_expect_eq(cmd.last, UINT64_MAX);
    }
}

Test(translate, the_whole_space_is_no_range)
{
    struct xinv_iommu iommu = test_iommu("intel-vtd-legacy", NULL, 0);
    struct xinv_attachment at = list_attachment(XINV_STAGE_STAGE2);
    struct xinv_request r = list_change(XINV_STAGE_STAGE2, 0, UINT64_MAX);
    struct xinv_out out;

    cr_assert_eq(list_run(&iommu, &at, 1, &r, NULL, &out), 1);
    cr_expect_eq(list_words[0], UINT64_C(0x4700e2), "domain-selective");
    cr_expect_eq(list_report.widened, 0);
    cr_expect_not(list_report.extra_unbounded);
}

Test(translate, the_command_count_is_bounded_by_policy_and_the_widening_is_told)
{
    struct xinv_iommu iommu = test_iommu("arm-smmuv3-generic", NULL, 0);
    struct xinv_attachment at = list_attachment(XINV_STAGE_STAGE1);
    struct xinv_request r = list_change(XINV_STAGE_STAGE1, 0x1000, 0x1000 + (512 << 12) - 1);
    struct xinv_policy policy = {.kind = XINV_POLICY_EXACT, .max_commands = 512};
    struct xinv_out out;

    cr_assert_eq(list_run(&iommu, &at, 1, &r, &policy, &out), 513);
    cr_expect_eq(list_report.widened, 0);
    policy.max_commands = 511;
    cr_assert_eq(list_run(&iommu, &at, 1, &r, &policy, &out), 2);
    cr_expect_str_eq(list_names(&iommu, &out), "TLBI_NH_ASID SYNC");
    cr_expect_eq(list_report.widened, XINV_TAG_BIT(XINV_TAG_ADDRESS));
    cr_expect(list_report.extra_unbounded);
}

/* 256 addresses of a TLB at 400 ns each against 440 ns a command; 64 of a device TLB at 1400 ns
 * each against 1000 ns a message */
#define WORTH_TLB    232
#define WORTH_DEVICE 89

Test(translate, a_range_is_widened_where_its_commands_cost_more_than_what_that_loses)
{
    struct xinv_iommu iommu = test_iommu("arm-smmuv3-generic", NULL, 0);
    struct xinv_attachment at = list_attachment(XINV_STAGE_STAGE1);
    struct xinv_request r = list_change(XINV_STAGE_STAGE1, 0x1000, (WORTH_TLB + 1) * 0x1000 - 1);
    struct xinv_policy policy = {.kind = XINV_POLICY_EXACT, .max_commands = XINV_WORTH};
    struct xinv_out out;

    cr_assert_eq(list_run(&iommu, &at, 1, &r, &policy, &out), WORTH_TLB + 1);
    cr_expect_eq(list_report.widened, 0);
    r.last += 0x1000;
    cr_assert_eq(list_run(&iommu, &at, 1, &r, &policy, &out), 2);
    cr_expect_str_eq(list_names(&iommu, &out), "TLBI_NH_ASID SYNC");
    cr_expect_eq(list_report.widened, XINV_TAG_BIT(XINV_TAG_ADDRESS));
    policy.max_commands = 0;
    cr_assert_eq(list_run(&iommu, &at, 1, &r, &policy, &out), WORTH_TLB + 2, "without it, never");
}

Test(translate, what_commands_are_worth_is_worked_out_for_each_row_when_an_iommu_is_set_up)
{
    static const char *const platforms[] = {"arm-smmuv3-ril", "intel-vtd-scalable",
                                            "amd-vi-generic"};

    for (unsigned i = 0; i < 3; i++) {
        struct xinv_iommu iommu = test_iommu(platforms[i], NULL, 0);
        const struct xinv_vendor *v = iommu.vendor;

        for (unsigned row = 0; row < v->n_commands; row++) {
            bool device = v->commands[row].phase == XINV_PHASE_DEVICE_TLB;

            if (v->commands[row].ranges.count)
                cr_expect_eq(iommu.worth[row], device ? WORTH_DEVICE : WORTH_TLB, "%s, row %u",
                             platforms[i], row);
        }
    }
}

Test(translate, a_platform_without_costs_widens_no_range_for_them)
{
    struct xinv_platform costless = *xinv_platform_find("arm-smmuv3-generic");
    struct xinv_attachment at = list_attachment(XINV_STAGE_STAGE1);
    struct xinv_request r = list_change(XINV_STAGE_STAGE1, 0x1000, 0x1000 + (512 << 12) - 1);
    struct xinv_policy policy = {.kind = XINV_POLICY_EXACT, .max_commands = XINV_WORTH};
    struct xinv_iommu iommu;
    struct xinv_out out;

    costless.costs = (struct xinv_costs){0};
    cr_assert_eq(xinv_iommu_init(&iommu, &costless, NULL, NULL, 0), 0);
    cr_assert_eq(list_run(&iommu, &at, 1, &r, &policy, &out), 513);
}

Test(translate, a_gibibyte_leaf_beyond_mamv_widens_to_the_domain)
{
    struct xinv_iommu iommu = test_iommu("intel-vtd-legacy", "MAMV", 9);
    struct xinv_attachment at = list_attachment(XINV_STAGE_STAGE2);
    struct xinv_request r = list_change(XINV_STAGE_STAGE2, 0x40000000, 0x7fffffff);
    struct xinv_out out;

    r.log2_leaf_size = 30;
    cr_assert_eq(list_run(&iommu, &at, 1, &r, NULL, &out), 1);
    cr_expect_eq(list_words[0], UINT64_C(0x4700e2));
    cr_expect_eq(list_report.widened, XINV_TAG_BIT(XINV_TAG_ADDRESS));
}

Test(translate, a_freed_table_page_never_keeps_walk_entries)
{
    static const char *const platforms[] = {"arm-smmuv3-generic", "arm-smmuv3-ril",
                                            "intel-vtd-legacy", "amd-vi-generic"};
    static const char *const hints[] = {"Leaf", "Leaf", "IH", "PDE"};

    for (unsigned i = 0; i < 4; i++)
        for (unsigned leaf_only = 0; leaf_only < 2; leaf_only++) {
            struct xinv_iommu iommu = test_iommu(platforms[i], NULL, 0);
            struct xinv_attachment at = list_attachment(XINV_STAGE_STAGE2);
            struct xinv_request r = list_change(XINV_STAGE_STAGE2, 0x40000000, 0x40000fff);
            struct refdec_caps caps = vector_caps(&iommu);
            struct refdec_cmd cmd;
            struct xinv_out out;
            char err[160];

            if (leaf_only)
                r.flags |= XINV_REQ_LEAF_ONLY;
            cr_assert_gt(list_run(&iommu, &at, 1, &r, NULL, &out), 0);
            cr_assert_eq(refdec_decode(vector_refdec_vendor(&iommu), &caps, list_words, 2, &cmd,
                                       err, sizeof(err)),
                         0);
            cr_expect_eq(refdec_field(&cmd, hints[i]), i == 3 ? !leaf_only : leaf_only, "%s",
                         platforms[i]);
        }
}

Test(translate, errors_have_a_text_each)
{
    for (int e = 0; e < XINV_NERRORS; e++) {
        cr_expect_str_not_empty(xinv_strerror(e));
        cr_expect_str_eq(xinv_strerror(e), xinv_strerror(-e));
    }
    cr_expect_str_eq(xinv_strerror(XINV_NERRORS), "unknown error");
    cr_expect_str_eq(xinv_strerror(-1000), "unknown error");
    cr_expect_str_eq(xinv_version(), "0.1.0");
}

Test(sync, a_sync_alone_says_its_completion)
{
    struct xinv_iommu iommu = test_iommu("intel-vtd-legacy", NULL, 0);
    struct xinv_completion done = {.store = 1, .address = 0x1004, .data = 0x99};
    struct xinv_out out = {
        .words = list_words, .steps = list_steps, .cap_words = 2, .cap_steps = 2};

    cr_assert_eq(xinv_sync(&iommu, &done, &out), 1);
    cr_expect_eq(list_words[0], UINT64_C(0x0000009900000025));
    cr_expect_eq(list_words[1], UINT64_C(0x1004));
    cr_expect_eq(out.n_words, 2);
    cr_expect_eq(list_steps[1].kind, XINV_STEP_WAIT);
    cr_expect_eq(xinv_sync(&iommu, &done, &out), -XINV_E_NOSPACE);
    cr_expect_eq(xinv_sync(&iommu, NULL, &out), -XINV_E_INVAL, "a wait that tells nobody");
}

Test(sync, a_completion_that_cannot_be_said_is_refused_before_anything_is_written)
{
    struct xinv_iommu iommu = test_iommu("amd-vi-generic", NULL, 0);
    struct xinv_attachment at = list_attachment(XINV_STAGE_STAGE2);
    struct xinv_request r = list_change(XINV_STAGE_STAGE2, 0, 0xfff);
    struct xinv_completion done = {.store = 1, .address = 0x1004, .data = 1};
    struct xinv_out out = {
        .words = list_words, .steps = list_steps, .cap_words = LIST_WORDS, .cap_steps = 64};

    cr_assert_eq(xinv_translate(&iommu, &at, 1, &r, NULL, &done, &out, &list_report), -XINV_E_INVAL,
                 "8-byte alignment");
    cr_assert_eq(out.n_words, 0);
}

/* SMMUv3 4.4.1: any address in a block finds its entry; a table of 4 KiB pages beside the blocks is
 * found page by page. */
Test(translate, large_leaves_are_stepped_over_only_where_no_table_was_freed)
{
    struct xinv_iommu iommu = test_iommu("arm-smmuv3-generic", NULL, 0);
    struct xinv_attachment at = list_attachment(XINV_STAGE_STAGE2);
    struct xinv_request r = list_change(XINV_STAGE_STAGE2, 0x40000000, 0x403fffff);
    struct xinv_out out;

    r.log2_leaf_size = 21;
    r.log2_smallest_leaf = 21;
    r.flags |= XINV_REQ_LEAF_ONLY;
    cr_assert_geq(list_run(&iommu, &at, 1, &r, NULL, &out), 0);
    cr_assert_eq(out.n_words / 2 - list_report.syncs, 2);
    r.flags &= (uint16_t)~XINV_REQ_LEAF_ONLY;
    cr_assert_geq(list_run(&iommu, &at, 1, &r, NULL, &out), 0);
    cr_assert_eq(out.n_words / 2 - list_report.syncs, 1024);
}

/* SMMUv3 4.4.1: CMD_TLBI_S2_IPA has bits 51:12 of the address; those above are RES0. */
Test(translate, a_range_above_what_an_address_field_can_name_is_refused_and_named)
{
    struct xinv_iommu iommu = test_iommu("arm-smmuv3-ril", NULL, 0);
    struct xinv_attachment at = list_attachment(XINV_STAGE_STAGE2);
    struct xinv_request r =
        list_change(XINV_STAGE_STAGE2, UINT64_C(1) << 52, (UINT64_C(1) << 52) + 0xfff);
    struct xinv_out out;

    cr_assert_eq(list_run(&iommu, &at, 1, &r, NULL, &out), -XINV_E_TAG);
    cr_assert_eq(list_report.at, &at);
    cr_assert_eq(list_report.at_tag, XINV_TAG_IPA);
    cr_assert_eq(out.n_words, 0);
}

/* The last page that can be named: NUM = SCALE = 0, TTL = 3 for a leaf (TG = 1), word 1 bits 51:12.
 */
Test(translate, a_range_that_reaches_beyond_what_an_address_field_can_name_ends_there)
{
    struct xinv_iommu iommu = test_iommu("arm-smmuv3-ril", NULL, 0);
    struct xinv_attachment at = list_attachment(XINV_STAGE_STAGE2);
    struct xinv_request r =
        list_change(XINV_STAGE_STAGE2, UINT64_C(0x000ffffffffff000), UINT64_MAX - 0x1000);
    struct xinv_out out;

    r.flags |= XINV_REQ_LEAF_ONLY;
    cr_assert_eq(list_run(&iommu, &at, 1, &r, NULL, &out), 2);
    cr_assert_str_eq(list_names(&iommu, &out), "TLBI_S2_IPA SYNC");
    cr_assert_eq(list_words[1] >> 12, UINT64_C(0x000ffffffffff));
    cr_assert_eq(list_report.extra_pages, 0);
}
