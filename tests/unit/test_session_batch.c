// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/* Batches: what waits, what must not wait, and what comes out of a flush. */
#include <criterion/criterion.h>
#include <string.h>

#include "tests/support/sessionrig.h"

#define S2    XINV_STAGE_STAGE2
#define OK    XINV_VIRTIO_OK
#define AGAIN (-XINV_E_AGAIN)

static struct rig r;

static unsigned count(const char *name)
{
    unsigned n = 0;

    for (unsigned c = 0; c < r.n_cmd[0]; c++)
        n += !strcmp(r.cmd[0][c].name, name);
    return n;
}

/* ---- What comes out ---- */

Test(session, unmaps_of_a_batch_that_touch_are_one_command)
{
    /* iotlb: G = 3, DW, DR, DID 2; 16 pages from 0x10000: AM = 4, IH = 0; a wait that stores */
    static const uint64_t expected[] = {0x200f2, 0x10004, 0x5100000025, 0x7000};

    rig_open_members(&r, "intel-vtd-legacy");
    rig_map_pages(&r, 1, 0x10000, 16);
    rig_batch_unmap_pages(&r, 1, 0x10000, 16);
    cr_assert_eq(rig_flush(&r), 2);
    cr_assert_eq(rig_tag(&r, 1, 0, 0x108), 2, "the DID that the words are written for");
    cr_assert_arr_eq(r.words[0], expected, sizeof(expected));
    cr_assert_eq(r.reports[0].asked_pages, 16);
    cr_assert_eq(r.reports[0].extra_pages, 0);
    cr_assert_eq(r.reports[0].widened, 0);
    rig_close(&r);
}

Test(session, unmaps_of_a_batch_with_a_page_between_stay_apart_under_exact)
{
    rig_open_members(&r, "intel-vtd-legacy");
    rig_map_pages(&r, 1, 0x10000, 3);
    rig_batch_unmap_pages(&r, 1, 0x10000, 1);
    rig_batch_unmap_pages(&r, 1, 0x12000, 1);
    cr_assert_eq(rig_flush(&r), 3);
    cr_assert_str_eq(rig_names(&r, 0), "iotlb iotlb wait");
    cr_assert_eq(r.reports[0].extra_pages, 0);
    rig_close(&r);
}

Test(session, a_batch_has_one_sync_before_the_device_tlbs_and_one_at_the_end)
{
    struct xinv_session_config config = rig_config(1);
    struct xinv_endpoint a = rig_endpoint(8, 0, S2);
    struct xinv_endpoint b = rig_endpoint(9, 0, S2);

    rig_platform(&r, 0, "arm-smmuv3-ril", NULL, 0);
    rig_open(&r, &config);
    rig_add(&r, &a);
    rig_add(&r, &b);
    cr_assert_eq(rig_attach(&r, 1, 8, 0), OK);
    cr_assert_eq(rig_attach(&r, 2, 9, 0), OK);
    rig_map_pages(&r, 1, 0x10000, 4);
    rig_map_pages(&r, 2, 0x10000, 4);
    for (uint32_t domain = 1; domain <= 2; domain++) {
        rig_batch_unmap_pages(&r, domain, 0x10000, 2);
        rig_batch_unmap_pages(&r, domain, 0x12000, 2);
    }
    cr_assert_eq(rig_flush(&r), 6);
    cr_assert_str_eq(rig_names(&r, 0), "TLBI_S2_IPA TLBI_S2_IPA SYNC ATC_INV ATC_INV SYNC");
    cr_assert(rig_covers_exactly(&r, 0, "ATC_INV", "SID", 0x108, 0x10000, 0x13fff));
    cr_assert(rig_covers_exactly(&r, 0, "ATC_INV", "SID", 0x109, 0x10000, 0x13fff));
    rig_close(&r);
}

Test(session, a_batch_keeps_to_the_commands_that_may_stand_between_two_syncs)
{
    unsigned since = 0;

    rig_open_members(&r, "arm-mmu-700");
    cr_assert_gt(r.iommu[0].max_batch, 0);
    for (unsigned i = 0; i < 60; i++)
        rig_map_pages(&r, 1, i * UINT64_C(0x100000), 1);
    for (unsigned i = 0; i < 60; i++)
        rig_batch_unmap_pages(&r, 1, i * UINT64_C(0x100000), 1);
    cr_assert_gt(rig_flush(&r), 0);
    for (unsigned c = 0; c < r.n_cmd[0]; c++) {
        since = strcmp(r.cmd[0][c].name, "SYNC") ? since + 1 : 0;
        cr_assert_leq(since, r.iommu[0].max_batch);
    }
    cr_assert_gt(r.n_cmd[0], 60);
    rig_close(&r);
}

Test(session, entries_that_change_in_one_batch_flush_their_tag_once)
{
    rig_open_members(&r, "intel-vtd-legacy");
    for (uint32_t id = 9; id < 12; id++)
        cr_assert_eq(rig_attach(&r, 1, id, 0), OK);
    for (uint32_t id = 8; id < 12; id++)
        cr_assert_eq(rig_batch_detach(&r, 1, id), OK);
    cr_assert_gt(rig_flush(&r), 0);
    cr_assert_eq(count("cc"), 4);
    cr_assert_eq(count("iotlb"), 1);
    rig_close(&r);
}

Test(session, a_scope_that_several_ranges_need_goes_out_once)
{
    rig_open_members(&r, "intel-vtd-legacy");
    rig_close(&r);
    /* without page-selective invalidation every range is its domain */
    rig_platform(&r, 0, "intel-vtd-legacy", "PSI", 0);
    rig_open(&r, &r.config);
    rig_add(&r, &(struct xinv_endpoint){.id = 8, .rid = 0x108, .stage = S2});
    cr_assert_eq(rig_attach(&r, 1, 8, 0), OK);
    rig_map_pages(&r, 1, 0x10000, 9);
    for (unsigned i = 0; i < 9; i += 2)
        rig_batch_unmap_pages(&r, 1, 0x10000 + i * UINT64_C(0x1000), 1);
    cr_assert_eq(rig_flush(&r), 2);
    cr_assert_str_eq(rig_names(&r, 0), "iotlb wait");
    cr_assert_eq(r.reports[0].extra_unbounded, 1);
    rig_close(&r);
}

/* The endpoint that moves loses its whole device TLB, and needs no command for the range of the
 * domain that it comes to; the one that was there does. */
Test(session, ranges_are_not_looked_for_in_a_device_tlb_that_goes_as_a_whole)
{
    struct xinv_session_config config = rig_config(1);
    struct xinv_endpoint a = rig_endpoint(8, 0, S2);
    struct xinv_endpoint b = rig_endpoint(9, 0, S2);

    rig_platform(&r, 0, "arm-smmuv3-ril", NULL, 0);
    rig_open(&r, &config);
    rig_add(&r, &a);
    rig_add(&r, &b);
    cr_assert_eq(rig_attach(&r, 1, 8, 0), OK);
    cr_assert_eq(rig_attach(&r, 2, 9, 0), OK);
    rig_map_pages(&r, 2, 0x10000, 1);
    cr_assert_eq(rig_batch_attach(&r, 2, 8, 0), OK);
    rig_batch_unmap_pages(&r, 2, 0x10000, 1);
    cr_assert_gt(rig_flush(&r), 0);
    cr_assert_eq(count("ATC_INV"), 2);
    cr_assert_eq(refdec_field(rig_find(&r, 0, "ATC_INV", "SID", 0x108), "Size"), 52);
    cr_assert(rig_covers_exactly(&r, 0, "ATC_INV", "SID", 0x109, 0x10000, 0x10fff));
    rig_close(&r);
}

Test(session, a_scope_of_one_domain_does_not_serve_another)
{
    struct xinv_session_config config = rig_config(1);

    rig_platform(&r, 0, "intel-vtd-legacy", "PSI", 0);
    rig_open(&r, &config);
    for (uint32_t id = 8; id < 10; id++) {
        rig_add(&r, &(struct xinv_endpoint){.id = id, .rid = 0x100 + id, .stage = S2});
        cr_assert_eq(rig_attach(&r, id, id, 0), OK);
        rig_map_pages(&r, id, 0x10000, 1);
    }
    rig_batch_unmap_pages(&r, 8, 0x10000, 1);
    rig_batch_unmap_pages(&r, 9, 0x10000, 1);
    cr_assert_eq(rig_flush(&r), 3);
    cr_assert_str_eq(rig_names(&r, 0), "iotlb iotlb wait");
    cr_assert_not_null(rig_find(&r, 0, "iotlb", "DID", rig_tag(&r, 8, 0, 0x108)));
    cr_assert_not_null(rig_find(&r, 0, "iotlb", "DID", rig_tag(&r, 9, 0, 0x109)));
    rig_close(&r);
}

/* A mapping of 4 MiB, more than a block of this IOMMU can be, and three pages before it, with a
 * page between them. */
static void hold_a_large_leaf(uint8_t flags)
{
    struct xinv_session_config config = rig_config(1);

    rig_platform(&r, 0, "intel-vtd-legacy", "MAMV", 9);
    rig_open(&r, &config);
    rig_add(&r, &(struct xinv_endpoint){
                    .id = 8, .rid = 0x108, .stage = S2, .flags = flags, .queue_depth = 16});
    cr_assert_eq(rig_attach(&r, 1, 8, 0), OK);
    cr_assert_eq(rig_map(&r, 1, 0x400000, 0x7fffff, 0), OK);
    rig_map_pages(&r, 1, 0x3fa000, 5);
    cr_assert_eq(rig_batch_unmap(&r, 1, 0x400000, 0x7fffff), OK);
    for (unsigned i = 0; i < 3; i++)
        rig_batch_unmap_pages(&r, 1, 0x3fa000 + i * UINT64_C(0x2000), 1);
}

Test(session, the_scope_that_one_range_needs_serves_the_others)
{
    hold_a_large_leaf(0);
    cr_assert_eq(rig_flush(&r), 2);
    cr_assert_str_eq(rig_names(&r, 0), "iotlb wait");
    cr_assert_eq(refdec_field(&r.cmd[0][0], "G"), 2, "domain-selective");
    cr_assert_eq(r.reports[0].widened, XINV_TAG_BIT(XINV_TAG_ADDRESS));
    cr_assert_eq(r.reports[0].extra_unbounded, 1);
    cr_assert_eq(r.reports[0].asked_pages, 1027);
    rig_close(&r);
}

Test(session, a_scope_that_one_range_needs_does_not_widen_the_device_tlbs)
{
    hold_a_large_leaf(XINV_ATT_ATS);
    cr_assert_gt(rig_flush(&r), 0);
    cr_assert_not_null(rig_find(&r, 0, "iotlb", "G", 2));
    cr_assert_not_null(rig_find(&r, 0, "dev_tlb", "ADDR", 0x3fa000));
    cr_assert_not_null(rig_find(&r, 0, "dev_tlb", "ADDR", 0x3fc000));
    cr_assert_not_null(rig_find(&r, 0, "dev_tlb", "ADDR", 0x3fe000));
    cr_assert_eq(count("dev_tlb"), 4);
    rig_close(&r);
}

Test(session, a_write_buffer_is_flushed_once_for_all_maps_of_a_batch)
{
    rig_open_members(&r, "intel-vtd-rwbf");
    for (unsigned i = 0; i < 4; i++)
        cr_assert_eq(rig_batch_map(&r, 1, i * UINT64_C(0x10000), i * UINT64_C(0x10000) + 0xfff),
                     OK);
    cr_assert_eq(rig_flush(&r), 0);
    cr_assert_eq(r.outs[0].n_steps, 1);
    cr_assert_eq(r.steps[0][0].kind, XINV_STEP_REGISTER);
    rig_close(&r);
}

Test(session, a_map_and_an_unmap_of_one_range_are_one_range)
{
    rig_open_members(&r, "qemu-amd-npcache");
    cr_assert_eq(rig_batch_map(&r, 1, 0x10000, 0x10fff), OK);
    cr_assert_eq(rig_batch_unmap(&r, 1, 0x10000, 0x10fff), OK);
    cr_assert_eq(rig_batch_map(&r, 1, 0x11000, 0x11fff), OK);
    cr_assert_eq(rig_flush(&r), 2);
    cr_assert_str_eq(rig_names(&r, 0), "INVALIDATE_IOMMU_PAGES COMPLETION_WAIT");
    rig_close(&r);
}

Test(session, lists_of_a_batch_go_to_the_iommus_that_they_concern)
{
    struct xinv_session_config config = rig_config(2);
    struct xinv_endpoint a = rig_endpoint(8, 0, S2);
    struct xinv_endpoint b = rig_endpoint(9, 1, S2);

    rig_platform(&r, 0, "intel-vtd-legacy", NULL, 0);
    rig_platform(&r, 1, "arm-smmuv3-ril", NULL, 0);
    rig_open(&r, &config);
    rig_add(&r, &a);
    rig_add(&r, &b);
    cr_assert_eq(rig_attach(&r, 1, 8, 0), OK);
    cr_assert_eq(rig_attach(&r, 2, 9, 0), OK);
    rig_map_pages(&r, 1, 0x10000, 1);
    rig_map_pages(&r, 2, 0x20000, 1);
    rig_batch_unmap_pages(&r, 2, 0x20000, 1);
    cr_assert_eq(r.outcome.iommus, 2);
    cr_assert_gt(rig_flush(&r), 0);
    cr_assert_eq(r.outcome.iommus, 2);
    cr_assert_str_eq(rig_names(&r, 0), "");
    rig_batch_unmap_pages(&r, 1, 0x10000, 1);
    cr_assert_eq(r.outcome.iommus, 1);
    cr_assert_gt(rig_flush(&r), 0);
    cr_assert_str_eq(rig_names(&r, 0), "iotlb dev_tlb wait");
    cr_assert_str_eq(rig_names(&r, 1), "");
    rig_close(&r);
}

Test(session, a_flush_of_nothing_is_nothing)
{
    rig_open_members(&r, "intel-vtd-legacy");
    cr_assert_eq(rig_flush(&r), 0);
    cr_assert_eq(rig_batch_map(&r, 1, 0x10000, 0x10fff), OK);
    cr_assert_eq(rig_flush(&r), 0, "a MAP needs nothing here");
    cr_assert_eq(rig_batch_unmap(&r, 1, 0x20000, 0x20fff), OK);
    cr_assert_eq(rig_flush(&r), 0, "there was no mapping");
    rig_close(&r);
}

/* ---- Policies ---- */

/* Pages 0, 1, 4 and 40 of 64 are to be invalidated. */
static void hold_four_pages(const char *platform)
{
    rig_open_members(&r, platform);
    rig_map_pages(&r, 1, 0x40000, 64);
    rig_batch_unmap_pages(&r, 1, 0x40000, 2);
    rig_batch_unmap_pages(&r, 1, 0x44000, 1);
    rig_batch_unmap_pages(&r, 1, 0x68000, 1);
}

Test(session, latency_takes_one_block_for_all_ranges_of_a_domain)
{
    struct xinv_policy latency = {.kind = XINV_POLICY_LATENCY};

    hold_four_pages("intel-vtd-legacy");
    r.policy = &latency;
    cr_assert_eq(rig_flush(&r), 2);
    cr_assert(rig_covers_exactly(&r, 0, "iotlb", NULL, 0, 0x40000, 0x7ffff));
    cr_assert_eq(r.reports[0].asked_pages, 4);
    cr_assert_eq(r.reports[0].extra_pages, 60);
    rig_close(&r);
}

Test(session, at_most_counts_the_blocks_of_all_ranges_and_closes_the_smallest_gaps)
{
    static const struct {
        uint8_t blocks;
        int commands;
        uint64_t extra;
    } cases[] = {{1, 2, 60}, {2, 3, 5}, {3, 4, 0}, {16, 4, 0}};

    for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct xinv_policy policy = {.kind = XINV_POLICY_AT_MOST, .blocks = cases[i].blocks};

        hold_four_pages("intel-vtd-legacy");
        r.policy = &policy;
        cr_expect_eq(rig_flush(&r), cases[i].commands, "%u", cases[i].blocks);
        cr_expect_eq(r.reports[0].asked_pages, 4);
        cr_expect_eq(r.reports[0].extra_pages, cases[i].extra, "%u: %lu", cases[i].blocks,
                     (unsigned long)r.reports[0].extra_pages);
        rig_close(&r);
    }
}

Test(session, more_commands_than_the_limit_for_all_ranges_take_a_wider_scope_and_say_so)
{
    struct xinv_policy limit = {.kind = XINV_POLICY_EXACT, .max_commands = 3};

    rig_open_members(&r, "intel-vtd-legacy");
    rig_map_pages(&r, 1, 0x41000, 62);
    /* two ranges of two blocks each: 0x41000, 0x42000; 0x45000, 0x46000 */
    rig_batch_unmap_pages(&r, 1, 0x41000, 2);
    rig_batch_unmap_pages(&r, 1, 0x45000, 2);
    r.policy = &limit;
    cr_assert_eq(rig_flush(&r), 2);
    cr_assert_eq(refdec_field(&r.cmd[0][0], "G"), 2, "domain-selective");
    cr_assert_eq(r.reports[0].widened, XINV_TAG_BIT(XINV_TAG_ADDRESS));
    cr_assert_eq(r.reports[0].extra_unbounded, 1);
    limit.max_commands = 4;
    rig_batch_unmap_pages(&r, 1, 0x49000, 2);
    rig_batch_unmap_pages(&r, 1, 0x4d000, 2);
    cr_assert_eq(rig_flush(&r), 5);
    cr_assert_eq(r.reports[0].widened, 0);
    cr_assert_eq(r.reports[0].extra_pages, 0);
    rig_close(&r);
}

Test(session, what_commands_are_worth_counts_for_all_ranges_of_a_domain)
{
    struct xinv_policy worth = {.kind = XINV_POLICY_EXACT, .max_commands = XINV_WORTH};

    for (unsigned over = 0; over < 2; over++) {
        unsigned n = 0;

        rig_open_members(&r, "intel-vtd-legacy");
        for (unsigned row = 0; row < r.iommu[0].vendor->n_commands; row++)
            r.iommu[0].worth[row] = 8;
        rig_map_pages(&r, 1, 0x40000, 2 * (8 + over));
        for (; n < 8 + over; n++)
            rig_batch_unmap_pages(&r, 1, 0x40000 + 2 * n * UINT64_C(0x1000), 1);
        r.policy = &worth;
        /* the range from the first to the last has blocks of 16 pages and of one */
        cr_expect_eq(rig_flush(&r), over ? 3 : 9);
        cr_expect_eq(r.reports[0].extra_pages, over ? 8 : 0);
        rig_close(&r);
    }
}

Test(session, a_gap_is_not_closed_where_that_costs_more_commands)
{
    struct xinv_policy at_most = {.kind = XINV_POLICY_AT_MOST, .blocks = 1};

    rig_open_members(&r, "arm-smmuv3-minimal");
    rig_map_pages(&r, 1, 0x40000, 64);
    rig_batch_unmap_pages(&r, 1, 0x40000, 1);
    rig_batch_unmap_pages(&r, 1, 0x7f000, 1);
    /* from here on a command says one page, and none says more */
    for (unsigned row = 0; row < r.iommu[0].vendor->n_commands; row++)
        if (strcmp(r.iommu[0].vendor->commands[row].name, "TLBI_S2_IPA") != 0)
            r.iommu[0].commands &= ~(UINT64_C(1) << row);
    r.policy = &at_most;
    cr_assert_eq(rig_flush(&r), 3);
    cr_assert_str_eq(rig_names(&r, 0), "TLBI_S2_IPA TLBI_S2_IPA SYNC");
    cr_assert_eq(r.reports[0].extra_pages, 0);
    rig_close(&r);
}

/* ---- Break before make ---- */

Test(session, a_map_over_a_range_that_waits_ends_the_batch)
{
    rig_open_members(&r, "intel-vtd-legacy");
    rig_map_pages(&r, 1, 0x10000, 4);
    rig_batch_unmap_pages(&r, 1, 0x11000, 2);
    rig_remember(&r);
    cr_assert_eq(rig_batch_map(&r, 1, 0x12000, 0x12fff), AGAIN);
    cr_assert(rig_unchanged(&r));
    cr_assert_eq(rig_flush(&r), 3);
    cr_assert_eq(rig_batch_map(&r, 1, 0x12000, 0x12fff), OK);
    rig_close(&r);
}

Test(session, a_map_beside_a_range_that_waits_joins_the_batch)
{
    rig_open_members(&r, "intel-vtd-legacy");
    rig_map_pages(&r, 1, 0x10000, 1);
    cr_assert_eq(rig_attach(&r, 2, 9, 0), OK);
    rig_batch_unmap_pages(&r, 1, 0x10000, 1);
    cr_assert_eq(rig_batch_map(&r, 1, 0x11000, 0x11fff), OK);
    cr_assert_eq(rig_batch_map(&r, 1, 0xf000, 0xffff), OK);
    cr_assert_eq(rig_batch_map(&r, 2, 0x10000, 0x10fff), OK, "another domain's tables");
    cr_assert_eq(rig_flush(&r), 2);
    rig_close(&r);
}

Test(session, a_map_into_a_leaf_that_was_shared_ends_the_batch)
{
    struct xinv_unmap_hint shared = {.known = 1, .leaf_only = 1, .log2_leaf_size = 21};

    rig_open_members(&r, "intel-vtd-legacy");
    rig_map_pages(&r, 1, 0x200000, 1);
    rig_map_pages(&r, 1, 0x500000, 1);
    r.hint = &shared;
    rig_batch_unmap_pages(&r, 1, 0x200000, 1);
    rig_batch_unmap_pages(&r, 1, 0x500000, 1);
    cr_assert_eq(rig_batch_map(&r, 1, 0x3ff000, 0x3fffff), AGAIN);
    cr_assert_eq(rig_batch_map(&r, 1, 0x400000, 0x400fff), AGAIN);
    cr_assert_eq(rig_batch_map(&r, 1, 0x600000, 0x600fff), OK);
    cr_assert_eq(rig_batch_map(&r, 1, 0x1ff000, 0x1fffff), OK);
    rig_close(&r);
}

Test(session, an_attach_or_detach_that_meets_ranges_of_its_domains_ends_the_batch)
{
    rig_open_members(&r, "intel-vtd-legacy");
    cr_assert_eq(rig_attach(&r, 2, 9, 0), OK);
    cr_assert_eq(rig_attach(&r, 3, 10, 0), OK);
    rig_map_pages(&r, 1, 0x10000, 1);
    rig_batch_unmap_pages(&r, 1, 0x10000, 1);
    rig_remember(&r);
    cr_assert_eq(rig_batch_attach(&r, 1, 11, 0), AGAIN, "into the domain");
    cr_assert_eq(rig_batch_attach(&r, 1, 9, 0), AGAIN, "from another into the domain");
    cr_assert_eq(rig_batch_attach(&r, 2, 8, 0), AGAIN, "out of the domain");
    cr_assert_eq(rig_batch_attach(&r, 4, 8, 0), AGAIN, "out of the domain into a new one");
    cr_assert_eq(rig_batch_detach(&r, 1, 8), AGAIN);
    cr_assert(rig_unchanged(&r));
    cr_assert_eq(rig_batch_attach(&r, 2, 10, 0), OK);
    cr_assert_eq(rig_batch_detach(&r, 2, 9), OK);
    rig_close(&r);
}

Test(session, an_endpoint_changes_once_in_a_batch)
{
    rig_open_members(&r, "arm-smmuv3-ril");
    cr_assert_eq(rig_batch_attach(&r, 2, 8, 0), OK);
    rig_remember(&r);
    cr_assert_eq(rig_batch_attach(&r, 3, 8, 0), AGAIN);
    cr_assert_eq(rig_batch_detach(&r, 2, 8), AGAIN);
    cr_assert(rig_unchanged(&r));
    cr_assert_eq(rig_batch_attach(&r, 2, 9, 0), OK);
    cr_assert_gt(rig_flush(&r), 0);
    cr_assert_eq(rig_batch_detach(&r, 2, 8), OK);
    rig_close(&r);
}

Test(session, what_comes_after_an_attach_in_a_batch_counts_its_endpoint)
{
    rig_open_members(&r, "arm-smmuv3-ril");
    rig_map_pages(&r, 1, 0x10000, 1);
    cr_assert_eq(rig_batch_attach(&r, 1, 9, 0), OK);
    rig_batch_unmap_pages(&r, 1, 0x10000, 1);
    cr_assert_gt(rig_flush(&r), 0);
    cr_assert_not_null(rig_find(&r, 0, "CFGI_STE", "SID", 0x109));
    cr_assert(rig_covers_exactly(&r, 0, "TLBI_S2_IPA", NULL, 0, 0x10000, 0x10fff));
    rig_close(&r);
}

/* ---- Answers ---- */

Test(session, bad_requests_of_a_batch_answer_for_themselves)
{
    const uint8_t unknown[8] = {77};

    rig_open_members(&r, "intel-vtd-legacy");
    rig_map_pages(&r, 1, 0x10000, 4);
    cr_assert_eq(rig_map(&r, 1, 0x20000, 0x23fff, 0), OK);
    rig_batch_unmap_pages(&r, 1, 0x10000, 1);
    rig_remember(&r);
    cr_assert_eq(rig_batch_unmap(&r, 7, 0x10000, 0x10fff), XINV_VIRTIO_NOENT);
    cr_assert_eq(rig_batch_unmap(&r, 1, 0x21000, 0x21fff), XINV_VIRTIO_RANGE);
    cr_assert_eq(rig_batch_unmap(&r, 1, 0x21000, 0x20fff), XINV_VIRTIO_INVAL);
    cr_assert_eq(rig_batch_map(&r, 1, 0x20000, 0x20fff), XINV_VIRTIO_INVAL);
    cr_assert_eq(rig_batch_map(&r, 1, 0x10000, 0x11fff), XINV_VIRTIO_INVAL,
                 "it meets a mapping as well as a range that waits");
    cr_assert_eq(rig_batch_map(&r, 1, 0x10010, 0x10fff), XINV_VIRTIO_RANGE);
    cr_assert_eq(rig_batch_attach(&r, 1, 99, 0), XINV_VIRTIO_NOENT);
    cr_assert_eq(rig_batch_detach(&r, 2, 8), XINV_VIRTIO_INVAL);
    cr_assert_eq(rig_batch_add(&r, unknown, sizeof(unknown), 4), XINV_VIRTIO_UNSUPP);
    cr_assert_eq(rig_batch_add(&r, unknown, 2, 4), XINV_VIRTIO_INVAL);
    cr_assert(rig_unchanged(&r));
    rig_batch_unmap_pages(&r, 1, 0x11000, 1);
    cr_assert_eq(rig_flush(&r), 2);
    cr_assert(rig_covers_exactly(&r, 0, "iotlb", NULL, 0, 0x10000, 0x11fff));
    rig_close(&r);
}

Test(session, a_response_waits_for_what_the_batch_holds_of_its_domain)
{
    uint8_t b[72];

    rig_open_members(&r, "intel-vtd-legacy");
    cr_assert_eq(rig_attach(&r, 2, 9, 0), OK);
    rig_map_pages(&r, 1, 0x10000, 1);
    cr_assert_eq(rig_batch_map(&r, 1, 0x40000, 0x40fff), OK);
    cr_assert_eq(r.outcome.iommus, 0, "nothing is held yet");
    rig_batch_unmap_pages(&r, 1, 0x10000, 1);
    cr_assert_eq(r.outcome.iommus, 1);
    cr_assert_eq(rig_batch_unmap(&r, 1, 0x10000, 0x10fff), OK);
    cr_assert_eq(r.outcome.iommus, 1, "again the same range: it promises the same");
    cr_assert_eq(rig_batch_map(&r, 1, 0x11000, 0x11fff), OK);
    cr_assert_eq(r.outcome.iommus, 1, "a table may have gone with the UNMAP");
    cr_assert_eq(rig_batch_map(&r, 2, 0x11000, 0x11fff), OK);
    cr_assert_eq(r.outcome.iommus, 0, "another domain");
    cr_assert_eq(rig_batch_add(&r, b, rig_probe_bytes(b, 8), 68), OK);
    cr_assert_eq(r.outcome.iommus, 0);
    cr_assert_eq(rig_batch_detach(&r, 2, 9), OK);
    cr_assert_eq(r.outcome.iommus, 1);
    cr_assert_eq(rig_batch_attach(&r, 3, 10, 0), OK);
    cr_assert_eq(r.outcome.iommus, 0, "entries that were not present are not cached here");
    cr_assert_gt(rig_flush(&r), 0);
    cr_assert_eq(rig_batch_map(&r, 1, 0x12000, 0x12fff), OK);
    cr_assert_eq(r.outcome.iommus, 0, "nothing is held any more");
    rig_close(&r);
}

Test(session, a_repeated_attach_waits_for_the_first_one)
{
    rig_open_members(&r, "arm-smmuv3-ril");
    cr_assert_eq(rig_batch_attach(&r, 2, 8, 0), OK);
    cr_assert_eq(r.outcome.iommus, 1);
    cr_assert_eq(rig_batch_attach(&r, 2, 8, 0), OK);
    cr_assert_eq(r.outcome.iommus, 1);
    rig_close(&r);
}

Test(session, nothing_else_is_done_while_a_batch_holds_something)
{
    rig_open_members(&r, "intel-vtd-legacy");
    rig_map_pages(&r, 1, 0x10000, 2);
    rig_batch_unmap_pages(&r, 1, 0x10000, 1);
    rig_remember(&r);
    cr_assert_eq(rig_unmap(&r, 1, 0x11000, 0x11fff), AGAIN);
    cr_assert_eq(rig_reset(&r), AGAIN);
    cr_assert_eq(rig_set_bypass(&r, 1), AGAIN);
    cr_assert(rig_unchanged(&r));
    cr_assert_eq(rig_flush(&r), 2);
    cr_assert_eq(rig_unmap(&r, 1, 0x11000, 0x11fff), OK);
    rig_close(&r);
}
