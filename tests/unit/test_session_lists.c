// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/* A session that keeps prepared lists answers as one that plans every request: each thing that a
 * list depends on by itself. */
#include <criterion/criterion.h>

#include "core/session_impl.h"
#include "tests/support/testiommu.h"
#include "tests/support/twins.h"

static struct twins t;

/* ---- What a list depends on ---- */

static void add_to_both(uint32_t id, uint32_t iommu)
{
    struct xinv_endpoint e = rig_endpoint(id, iommu, XINV_STAGE_STAGE2);

    cr_assert_eq(xinv_session_add_endpoint(t.side[0].session, &e), 0);
    cr_assert_eq(xinv_session_add_endpoint(t.side[1].session, &e), 0);
}

static void attach(uint32_t domain, uint32_t endpoint)
{
    uint8_t b[64];

    cr_assert_eq(twins_request(&t, b, rig_attach_bytes(b, domain, endpoint, 0)), XINV_VIRTIO_OK);
    twins_complete(&t);
}

static void detach(uint32_t domain, uint32_t endpoint)
{
    uint8_t b[64];

    cr_assert_eq(twins_request(&t, b, rig_detach_bytes(b, domain, endpoint)), XINV_VIRTIO_OK);
    twins_complete(&t);
}

/* Maps so many pages and unmaps them; returns the commands of the UNMAP, which both agree on. */
static int unmap(uint32_t domain, unsigned pages)
{
    const uint64_t last = 0x40001000 + pages * 0x1000 - 1;
    uint8_t b[64];

    cr_assert_eq(twins_request(&t, b, rig_map_bytes(b, domain, 0x40001000, last, 0, 3)), 0);
    cr_assert_eq(twins_request(&t, b, rig_unmap_bytes(b, domain, 0x40001000, last)), 0);
    return t.side[1].ret;
}

/* Until a list says it. */
static int unmap_often(uint32_t domain, unsigned pages)
{
    const uint64_t before = t.from_lists;
    int commands = 0;

    for (unsigned i = 0; i < 3; i++)
        commands = unmap(domain, pages);
    cr_assert_gt(t.from_lists, before, "no list was made");
    return commands;
}

Test(session_lists, an_endpoint_that_enters_or_leaves_a_domain_changes_its_lists)
{
    int alone;
    int both;

    twins_open(&t, "intel-vtd-legacy", NULL, 8);
    add_to_both(0, 0);
    add_to_both(1, 0);
    attach(1, 0);
    alone = unmap_often(1, 1);
    attach(1, 1);
    both = unmap(1, 1);
    cr_assert_eq(both, alone + 1, "a command for the other's device TLB");
    cr_assert_eq(unmap_often(1, 1), both);
    detach(1, 0);
    cr_assert_eq(unmap(1, 1), alone);
    twins_close(&t);
}

Test(session_lists, a_domain_in_the_place_of_another_has_lists_of_its_own)
{
    twins_open(&t, "intel-vtd-legacy", NULL, 8);
    add_to_both(0, 0);
    attach(1, 0);
    (void)unmap_often(1, 1);
    attach(2, 0); /* under another DID: the first one's commands have not been issued yet */
    (void)unmap_often(2, 1);
    detach(2, 0);
    attach(3, 0);
    (void)unmap_often(3, 1);
    twins_reset(&t);
    attach(1, 0);
    (void)unmap_often(1, 1);
    twins_close(&t);
}

Test(session_lists, a_domain_on_two_iommus_has_a_list_for_each)
{
    twins_open(&t, "intel-vtd-legacy", "intel-vtd-legacy", 64);
    add_to_both(0, 0);
    add_to_both(1, 1);
    attach(1, 0);
    attach(1, 1);
    (void)unmap_often(1, 1);
    (void)unmap_often(1, 3);
    twins_close(&t);
}

/* Three unaligned pages: two blocks of a page and of two, one block of four, or the domain. */
Test(session_lists, another_policy_has_another_list)
{
    static const struct xinv_policy latency = {.kind = XINV_POLICY_LATENCY};
    static const struct xinv_policy one = {.kind = XINV_POLICY_AT_MOST, .blocks = 1};
    static const struct xinv_policy two = {.kind = XINV_POLICY_AT_MOST, .blocks = 2};
    static const struct xinv_policy limited = {.kind = XINV_POLICY_EXACT, .max_commands = 1};
    static const struct xinv_policy *const policies_of[] = {NULL, &latency, &one, &two, &limited};

    twins_open(&t, "intel-vtd-legacy", NULL, 64);
    add_to_both(0, 0);
    attach(1, 0);
    for (unsigned i = 0; i < 5; i++) {
        t.given.policy = policies_of[i];
        (void)unmap(1, 3);
        (void)unmap(1, 3);
        (void)unmap(1, 3);
    }
    t.given.policy = NULL;
    (void)unmap_often(1, 3);
    twins_close(&t);
}

/* TTL says the level of a page's leaf, and of no other. */
Test(session_lists, another_hint_has_another_list)
{
    static const struct xinv_unmap_hint leaves = {.known = 1, .leaf_only = 1, .log2_leaf_size = 12};
    static const struct xinv_unmap_hint large = {.known = 1, .leaf_only = 1, .log2_leaf_size = 14};
    static const struct xinv_unmap_hint tables = {.known = 1, .log2_leaf_size = 14};
    static const struct xinv_unmap_hint *const hints_of[] = {NULL, &leaves, &large, &tables};

    twins_open(&t, "arm-smmuv3-ril", NULL, 64);
    add_to_both(0, 0);
    attach(1, 0);
    for (unsigned i = 0; i < 4; i++) {
        t.given.hint = hints_of[i];
        (void)unmap_often(1, 16);
    }
    twins_close(&t);
}

/* A page's UNMAP alone: those of domain 1 are mapped from 0x1000 on, those of domain 2 likewise. */
static void unmap_page(uint32_t domain, unsigned page)
{
    uint8_t b[64];

    cr_assert_eq(
        twins_request(&t, b, rig_unmap_bytes(b, domain, page * 0x1000, page * 0x1000 + 0xfff)), 0);
}

Test(session_lists, a_list_is_made_for_what_is_asked_for_again_and_keeps_its_place)
{
    const struct xinv_session_list *only;
    uint64_t first;
    uint8_t b[64];

    twins_open(&t, "intel-vtd-legacy", NULL, 1);
    only = t.side[1].session->lists;
    for (uint32_t i = 0; i < 2; i++) {
        add_to_both(i, 0);
        attach(1 + i, i);
        for (unsigned page = 1; page <= 40; page++)
            (void)twins_request(
                &t, b, rig_map_bytes(b, 1 + i, page * 0x1000, page * 0x1000 + 0xfff, 0, 3));
    }
    first = only->epoch; /* the MAPs' */
    for (unsigned page = 1; only->epoch == first; page++)
        unmap_page(1, page);
    first = only->epoch;
    cr_assert_eq(only->state, XINV_LIST_NOTED, "made for what is asked for once");
    for (unsigned page = 31; page <= 34; page++)
        unmap_page(1, page);
    cr_assert_eq(only->state, XINV_LIST_MADE);
    unmap_page(2, 1);
    unmap_page(2, 2);
    cr_assert_eq(only->epoch, first, "asked for five times, it makes way for two others");
    for (unsigned page = 3; page <= 12; page++)
        unmap_page(2, page);
    cr_assert_neq(only->epoch, first, "not asked for any more, it keeps its place");
    twins_close(&t);
}

/* ---- Flushes ---- */

static void hold_map(uint32_t domain, unsigned page)
{
    uint8_t b[64];

    cr_assert_eq(
        twins_request(&t, b, rig_map_bytes(b, domain, page * 0x1000, page * 0x1000 + 0xfff, 0, 3)),
        0);
}

static void hold_unmap(uint32_t domain, unsigned page)
{
    uint8_t b[64];

    cr_assert_eq(twins_add(&t, b, rig_unmap_bytes(b, domain, page * 0x1000, page * 0x1000 + 0xfff)),
                 0);
}

/* A batch of pages apart in each of so many domains; returns the flush's commands. */
static int flush_pages(unsigned domains, const unsigned *pages, unsigned n)
{
    int commands;

    for (uint32_t d = 1; d <= domains; d++)
        for (unsigned i = 0; i < n; i++)
            hold_map(d, pages[i]);
    for (uint32_t d = 1; d <= domains; d++)
        for (unsigned i = 0; i < n; i++)
            hold_unmap(d, pages[i]);
    commands = twins_flush(&t);
    twins_complete(&t);
    return commands;
}

static const unsigned apart[] = {1, 3, 5, 8};

Test(session_lists, the_ranges_of_a_flush_go_out_phase_by_phase)
{
    twins_open(&t, "arm-smmuv3-ril", NULL, 16);
    for (uint32_t i = 0; i < 2; i++) {
        add_to_both(i, 0);
        attach(1 + i, i);
    }
    for (unsigned i = 0; i < 3; i++)
        cr_assert_eq(flush_pages(2, apart, 4), 8 + 1 + 8 + 1);
    twins_close(&t);
}

Test(session_lists, a_flush_keeps_to_the_longest_batch_of_an_iommu)
{
    static const unsigned pages[] = {1, 3, 5, 7, 9, 11, 13, 15};

    struct xinv_session_config config = rig_config(1);

    t.names[0] = "arm-smmuv3-ril";
    t.iommu[0] = test_iommu(t.names[0], "MAX_BATCH", 6);
    twins_open_as(&t, &config, 16);
    add_to_both(0, 0);
    attach(1, 0);
    for (unsigned i = 0; i < 3; i++)
        (void)flush_pages(1, pages, 3 + i);
    for (unsigned i = 0; i < 3; i++)
        (void)flush_pages(1, pages, 8);
    twins_close(&t);
}

Test(session_lists, a_flush_counts_its_policy_over_all_ranges)
{
    static const struct xinv_policy kinds[] = {{.kind = XINV_POLICY_LATENCY},
                                               {.kind = XINV_POLICY_AT_MOST, .blocks = 2},
                                               {.kind = XINV_POLICY_AT_MOST, .blocks = 8},
                                               {.kind = XINV_POLICY_EXACT, .max_commands = 2}};

    twins_open(&t, "intel-vtd-legacy", NULL, 64);
    add_to_both(0, 0);
    attach(1, 0);
    for (unsigned kind = 0; kind < 4; kind++)
        for (unsigned i = 0; i < 4; i++) {
            t.given.policy = &kinds[kind];
            (void)flush_pages(1, apart, 4);
        }
    twins_close(&t);
}

/* Four ranges of two blocks each: more commands than 6, though not more ranges. */
Test(session_lists, a_flush_counts_the_blocks_of_its_ranges_against_the_limit)
{
    static const unsigned pages[] = {1, 2, 3, 5, 6, 7, 9, 10, 11, 13, 14, 15};
    static const struct xinv_policy limits[] = {{.max_commands = 6}, {.max_commands = 8}};

    twins_open(&t, "intel-vtd-legacy", NULL, 64);
    add_to_both(0, 0);
    attach(1, 0);
    for (unsigned i = 0; i < 8; i++) {
        t.given.policy = &limits[i / 4];
        (void)flush_pages(1, pages, 12);
    }
    twins_close(&t);
}

Test(session_lists, entries_that_wait_go_out_with_the_ranges)
{
    uint8_t b[64];

    twins_open(&t, "intel-vtd-legacy", NULL, 16);
    add_to_both(0, 0);
    add_to_both(1, 0);
    attach(1, 0);
    attach(2, 1);
    (void)flush_pages(1, apart, 4);
    (void)flush_pages(1, apart, 4);
    hold_map(1, 1);
    hold_unmap(1, 1);
    cr_assert_eq(twins_add(&t, b, rig_detach_bytes(b, 2, 1)), 0);
    cr_assert_gt(twins_flush(&t), 0);
    twins_close(&t);
}

/* One slot, which is asked for by domains of other IOMMUs while the first one's ranges have been
 * counted and not written. */
Test(session_lists, a_list_that_was_counted_with_is_there_to_write_with)
{
    twins_open(&t, "arm-smmuv3-ril", "arm-smmuv3-ril", 1);
    for (uint32_t i = 0; i < TWIN_IOMMUS; i++) {
        add_to_both(i, i);
        attach(1 + i, i);
        for (unsigned page = 1; page <= 3; page++)
            hold_map(1 + i, page);
    }
    t.side[1].session->lists[0].uses = 0;
    hold_unmap(1, 1);
    hold_unmap(1, 3);
    hold_unmap(2, 1);
    hold_unmap(3, 1);
    hold_unmap(2, 3);
    cr_assert_eq(t.side[1].session->lists[0].uses, 0);
    cr_assert_eq(t.side[1].session->lists[0].state, XINV_LIST_MADE);
    cr_assert_gt(twins_flush(&t), 0);
    twins_close(&t);
}
