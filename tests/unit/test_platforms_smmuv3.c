// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/* Quirks of SMMUv3 platforms: each has its own, and no other platform. */
#include <criterion/criterion.h>
#include <string.h>

#include "tests/support/hardware.h"
#include "tests/support/listrig.h"

#define S2 XINV_STAGE_BIT(XINV_STAGE_STAGE2)

#define OPCODE_SYNC 0x46

/* Longest run of commands without a CMD_SYNC when each of n VMIDs loses a page. */
static unsigned longest_run(const struct xinv_iommu *iommu, unsigned n, uint32_t *syncs)
{
    struct xinv_attachment at[130];
    struct xinv_request r = list_page(XINV_CHANGE_STAGE2_PTE, XINV_FROM_PRESENT);
    struct xinv_out out;
    unsigned now = 0;
    unsigned longest = 0;

    cr_assert_leq(n, N(at));
    for (unsigned i = 0; i < n; i++) {
        at[i] = list_narrow_attachment(XINV_STAGE_STAGE2, 0);
        at[i].rid = 0x100 + i;
        at[i].vmid = 1 + i;
    }
    cr_assert_gt(list_run(iommu, at, n, &r, NULL, &out), 0);
    *syncs = list_report.syncs;
    for (uint32_t i = 0; i < out.n_words; i += 2) {
        now = (list_words[i] & 0xff) == OPCODE_SYNC ? 0 : now + 1;
        if (now > longest)
            longest = now;
    }
    cr_assert_eq(list_words[out.n_words - 2] & 0xff, OPCODE_SYNC);
    return longest;
}

Test(platforms, mmu_700_alone_syncs_after_63_commands)
{
    for (unsigned i = 0; hardware_at(i); i++) {
        const char *name = hardware_at(i)->name;
        struct xinv_iommu iommu = test_iommu(name, NULL, 0);
        uint32_t syncs;

        if (strcmp(iommu.vendor->name, "smmuv3")) {
            cr_expect_eq(iommu.max_batch, 0, "%s", name);
            continue;
        }
        if (!(iommu.stages & S2))
            continue;
        if (test_platform_is(name, "arm-mmu-700")) {
            cr_expect_eq(longest_run(&iommu, 63, &syncs), 63);
            cr_expect_eq(syncs, 1);
            cr_expect_eq(longest_run(&iommu, 64, &syncs), 63);
            cr_expect_eq(syncs, 2);
            cr_expect_eq(longest_run(&iommu, 130, &syncs), 63);
            cr_expect_eq(syncs, 3);
        } else {
            cr_expect_geq(longest_run(&iommu, 130, &syncs), 130, "%s", name);
        }
    }
}

Test(platforms, a_forced_sync_is_counted_in_the_size_that_is_needed)
{
    struct xinv_iommu iommu = test_iommu("arm-mmu-700", NULL, 0);
    struct xinv_attachment at[64];
    struct xinv_request r = list_page(XINV_CHANGE_STAGE2_PTE, XINV_FROM_PRESENT);
    struct xinv_out out = {
        .words = list_words, .steps = list_steps, .cap_words = 2 * 65, .cap_steps = 64};

    for (unsigned i = 0; i < N(at); i++) {
        at[i] = list_narrow_attachment(XINV_STAGE_STAGE2, 0);
        at[i].vmid = 1 + i;
    }
    memset(list_words, 0xa5, sizeof(list_words));
    cr_assert_eq(xinv_translate(&iommu, at, N(at), &r, NULL, NULL, &out, &list_report),
                 -XINV_E_NOSPACE);
    cr_assert_eq(list_report.need_words, 2 * 66); /* 63, SYNC, 1, SYNC */
    cr_assert_eq(list_words[0], 0xa5a5a5a5a5a5a5a5);
    out.cap_words = 2 * 66;
    cr_assert_eq(xinv_translate(&iommu, at, N(at), &r, NULL, NULL, &out, &list_report), 66);
    cr_assert_eq(list_words[2 * 63], OPCODE_SYNC); /* CS = 0 */
    cr_assert_eq(list_words[2 * 65], OPCODE_SYNC);
}

Test(platforms, forced_syncs_stand_for_those_between_phases)
{
    struct xinv_iommu iommu = test_iommu("arm-mmu-700", NULL, 0);
    struct xinv_attachment at[63];
    struct xinv_request r = list_page(XINV_CHANGE_STAGE2_PTE, XINV_FROM_PRESENT);
    struct xinv_out out;

    for (unsigned i = 0; i < N(at); i++) {
        at[i] = list_narrow_attachment(XINV_STAGE_STAGE2, XINV_ATT_ATS);
        at[i].rid = 0x100 + i;
        at[i].vmid = 1 + i;
    }
    /* 63 TLBI, SYNC, 63 ATC_INV, SYNC */
    cr_assert_eq(list_run(&iommu, at, N(at), &r, NULL, &out), 128);
    cr_assert_eq(list_report.syncs, 2);
}

Test(platforms, early_mmu_600_and_mmu_700_alone_do_not_nest_two_stages)
{
    struct xinv_attachment at = list_narrow_attachment(XINV_STAGE_NESTED, 0);
    struct xinv_request r = list_page(XINV_CHANGE_STAGE1_PTE, XINV_FROM_PRESENT);

    for (unsigned i = 0; hardware_at(i); i++) {
        const char *name = hardware_at(i)->name;
        struct xinv_iommu iommu = test_iommu(name, NULL, 0);
        bool quirk =
            test_platform_is(name, "arm-mmu-600-r0") || test_platform_is(name, "arm-mmu-700");
        struct xinv_out out;
        int ret;

        if (strcmp(iommu.vendor->name, "smmuv3"))
            continue;
        cr_expect_eq(list_feature(&iommu, "NO_NESTING"), quirk, "%s", name);
        if (!list_feature(&iommu, "S1P") || !list_feature(&iommu, "S2P"))
            continue;
        ret = list_run(&iommu, &at, 1, &r, NULL, &out);
        if (quirk)
            cr_expect_eq(ret, -XINV_E_UNSUPP, "%s", name);
        else
            cr_expect_gt(ret, 0, "%s", name);
        cr_expect_eq((iommu.caches >> XINV_CACHE_NESTED & 1) != 0, !quirk, "%s", name);
    }
}

Test(platforms, early_mmu_600_alone_has_sev_taken_away)
{
    for (unsigned i = 0; hardware_at(i); i++) {
        const char *name = hardware_at(i)->name;
        struct xinv_iommu iommu = test_iommu(name, NULL, 0);
        int f = xinv_feature_find(iommu.vendor, "SEV");

        if (f < 0)
            continue;
        cr_expect_eq((iommu.platform->registers[0] >> 14 & 1) != iommu.feature[f],
                     test_platform_is(name, "arm-mmu-600-r0"), "%s", name);
    }
}

Test(platforms, hip07_alone_takes_no_prefetch)
{
    for (unsigned i = 0; hardware_at(i); i++) {
        const char *name = hardware_at(i)->name;
        struct xinv_iommu iommu = test_iommu(name, NULL, 0);

        cr_expect_eq(list_feature(&iommu, "NO_PREFETCH"), test_platform_is(name, "hisilicon-hip07"),
                     "%s", name);
    }
}

Test(platforms, tegra264_alone_sends_tlb_invalidations_twice_and_atc_invalidations_once)
{
    for (unsigned i = 0; hardware_at(i); i++) {
        const char *name = hardware_at(i)->name;
        struct xinv_iommu iommu = test_iommu(name, NULL, 0);
        struct xinv_attachment at = list_narrow_attachment(XINV_STAGE_STAGE2, XINV_ATT_ATS);
        struct xinv_request r = list_page(XINV_CHANGE_STAGE2_PTE, XINV_FROM_PRESENT);
        struct xinv_out out;

        if (strcmp(iommu.vendor->name, "smmuv3") || !(iommu.stages & S2))
            continue;
        iommu = test_iommu(name, "ATS", 1);
        cr_assert_gt(list_run(&iommu, &at, 1, &r, NULL, &out), 0);
        cr_expect_str_eq(list_names(&iommu, &out),
                         test_platform_is(name, "nvidia-tegra264")
                             ? "TLBI_S2_IPA SYNC TLBI_S2_IPA SYNC ATC_INV SYNC"
                             : "TLBI_S2_IPA SYNC ATC_INV SYNC",
                         "%s: %s", name, list_names(&iommu, &out));
    }
}

Test(platforms, tegra264_alone_sends_configuration_invalidations_twice)
{
    struct xinv_attachment at = list_narrow_attachment(XINV_STAGE_PASSTHROUGH, 0);
    struct xinv_request r = {.change = XINV_CHANGE_DEVICE_ENTRY, .flags = XINV_REQ_LEAF_ONLY};
    struct xinv_out out;
    struct xinv_iommu iommu = test_iommu("nvidia-tegra264", NULL, 0);

    cr_assert_gt(list_run(&iommu, &at, 1, &r, NULL, &out), 0);
    cr_assert_str_eq(list_names(&iommu, &out), "CFGI_STE SYNC CFGI_STE SYNC");
    iommu = test_iommu("arm-smmuv3-minimal", NULL, 0);
    cr_assert_gt(list_run(&iommu, &at, 1, &r, NULL, &out), 0);
    cr_assert_str_eq(list_names(&iommu, &out), "CFGI_STE SYNC");
}

Test(platforms, a_guests_vcmdq_takes_its_four_commands_and_blocks_for_the_rest)
{
    struct xinv_iommu iommu = test_iommu("nvidia-tegra241-cmdqv", NULL, 0);
    struct xinv_attachment at = list_narrow_attachment(XINV_STAGE_STAGE1, XINV_ATT_ATS);
    struct xinv_request r = list_page(XINV_CHANGE_STAGE1_PTE, XINV_FROM_PRESENT);
    struct xinv_out out;

    cr_assert_gt(list_run(&iommu, &at, 1, &r, NULL, &out), 0);
    cr_assert_str_eq(list_names(&iommu, &out), "TLBI_NH_VA SYNC ATC_INV SYNC");
    r.flags = 0;
    cr_assert_gt(list_run(&iommu, &at, 1, &r, NULL, &out), 0);
    cr_assert_str_eq(list_names(&iommu, &out), "TLBI_NH_ASID SYNC ATC_INV SYNC");
    r.change = XINV_CHANGE_DEVICE_ENTRY;
    cr_assert_eq(list_run(&iommu, &at, 1, &r, NULL, &out), -XINV_E_MUST_BLOCK);
    cr_assert_eq(list_report.at_cache, XINV_CACHE_DEVICE_CONFIG);
}

Test(platforms, a_guests_vcmdq_alone_has_no_sync_that_interrupts)
{
    const struct xinv_completion interrupt = {.interrupt = 1};

    for (unsigned i = 0; hardware_at(i); i++) {
        const char *name = hardware_at(i)->name;
        struct xinv_iommu iommu = test_iommu(name, NULL, 0);
        struct xinv_out out = {
            .words = list_words, .steps = list_steps, .cap_words = LIST_WORDS, .cap_steps = 64};

        cr_expect_eq(xinv_sync(&iommu, &interrupt, &out),
                     test_platform_is(name, "nvidia-tegra241-cmdqv") ? -XINV_E_INVAL : 1, "%s",
                     name);
    }
}

Test(platforms, a_sync_that_stores_needs_idr0_msi)
{
    const struct xinv_completion store = {.store = 1, .address = 0x1000, .data = 1};

    for (unsigned i = 0; hardware_at(i); i++) {
        /* IDR0 bit 13, and a queue that takes CS = 1 */
        static const char *const without[] = {
            "arm-smmuv3-minimal",    "arm-mmu-700",     "hisilicon-hip07", "cavium-thunderx2",
            "nvidia-tegra241-cmdqv", "nvidia-tegra264", "qemu-virt-smmuv3"};
        const char *name = hardware_at(i)->name;
        struct xinv_iommu iommu = test_iommu(name, NULL, 0);
        struct xinv_out out = {
            .words = list_words, .steps = list_steps, .cap_words = LIST_WORDS, .cap_steps = 64};
        int expected = 1;

        for (size_t k = 0; k < N(without); k++)
            if (!strcmp(name, without[k]))
                expected = -XINV_E_INVAL;
        cr_expect_eq(xinv_sync(&iommu, &store, &out), expected, "%s", name);
    }
}
