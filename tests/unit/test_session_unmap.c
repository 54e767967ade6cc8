// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/* MAP and UNMAP: what is removed, with a hint and without. */
#include <criterion/criterion.h>
#include <string.h>

#include "tests/support/sessionrig.h"

#define S1 XINV_STAGE_STAGE1
#define S2 XINV_STAGE_STAGE2

static struct rig r;

/* One endpoint with a stage-2 table, in domain 1, under pages of that size. */
static void open_pages(const char *platform, unsigned log2_page, uint8_t log2_granule)
{
    struct xinv_session_config config = rig_config(1);
    struct xinv_endpoint e = rig_endpoint(8, 0, S2);

    config.page_size_mask = ~((UINT64_C(1) << log2_page) - 1);
    config.log2_granule = log2_granule;
    rig_platform(&r, 0, platform, NULL, 0);
    rig_open(&r, &config);
    rig_add(&r, &e);
    cr_assert_eq(rig_attach(&r, 1, 8, 0), XINV_VIRTIO_OK);
}

/* One endpoint without a device TLB on a VT-d unit whose descriptors take 2^mamv pages at most. */
static void open_mamv(uint16_t mamv)
{
    struct xinv_session_config config = rig_config(1);
    struct xinv_endpoint e = rig_endpoint(8, 0, S2);

    e.flags = 0;
    rig_platform(&r, 0, "intel-vtd-legacy", "MAMV", mamv);
    rig_open(&r, &config);
    rig_add(&r, &e);
    cr_assert_eq(rig_attach(&r, 1, 8, 0), XINV_VIRTIO_OK);
}

static unsigned count(const char *name)
{
    unsigned n = 0;

    for (unsigned c = 0; c < r.n_cmd[0]; c++)
        n += !strcmp(r.cmd[0][c].name, name);
    return n;
}

Test(session, unmap_without_a_hint_takes_table_pages_to_be_freed)
{
    open_pages("arm-smmuv3-ril", 12, 0);
    cr_assert_eq(rig_map(&r, 1, 0x1000, 0x8fff, 0), XINV_VIRTIO_OK);
    cr_assert_eq(rig_unmap(&r, 1, 0x1000, 0x8fff), XINV_VIRTIO_OK);
    cr_assert_str_eq(rig_names(&r, 0), "TLBI_S2_IPA SYNC ATC_INV ATC_INV ATC_INV ATC_INV SYNC");
    cr_assert_eq(refdec_field(&r.cmd[0][0], "Leaf"), 0);
    cr_assert_eq(refdec_field(&r.cmd[0][0], "TTL"), 0);
    cr_assert_eq(refdec_field(&r.cmd[0][0], "TG"), 1);
    cr_assert(rig_covers_exactly(&r, 0, "TLBI_S2_IPA", NULL, 0, 0x1000, 0x8fff));
    rig_close(&r);
}

Test(session, a_hint_makes_an_unmap_leaf_only)
{
    struct xinv_unmap_hint hint = {.known = 1, .leaf_only = 1, .log2_leaf_size = 12};

    open_pages("arm-smmuv3-ril", 12, 0);
    cr_assert_eq(rig_map(&r, 1, 0x1000, 0x8fff, 0), XINV_VIRTIO_OK);
    r.hint = &hint;
    cr_assert_eq(rig_unmap(&r, 1, 0x1000, 0x8fff), XINV_VIRTIO_OK);
    cr_assert_eq(refdec_field(&r.cmd[0][0], "Leaf"), 1);
    cr_assert_eq(refdec_field(&r.cmd[0][0], "TTL"), 3);
    rig_close(&r);
}

Test(session, a_hint_that_knows_nothing_is_none)
{
    struct xinv_unmap_hint hint = {.known = 0, .leaf_only = 1, .log2_leaf_size = 12};

    open_pages("arm-smmuv3-ril", 12, 0);
    cr_assert_eq(rig_map(&r, 1, 0x1000, 0x8fff, 0), XINV_VIRTIO_OK);
    r.hint = &hint;
    cr_assert_eq(rig_unmap(&r, 1, 0x1000, 0x8fff), XINV_VIRTIO_OK);
    cr_assert_eq(refdec_field(&r.cmd[0][0], "Leaf"), 0);
    cr_assert_eq(refdec_field(&r.cmd[0][0], "TTL"), 0);
    rig_close(&r);
}

Test(session, a_malformed_hint_is_the_callers_error)
{
    struct xinv_unmap_hint hint = {.known = 1, .log2_leaf_size = 11};
    uint8_t b[28];
    uint8_t reply[4];

    open_pages("arm-smmuv3-ril", 12, 0);
    cr_assert_eq(rig_map(&r, 1, 0x1000, 0x1fff, 0), XINV_VIRTIO_OK);
    rig_remember(&r);
    for (unsigned i = 0; i < 2; i++) {
        cr_assert_eq(xinv_session_request(r.session, b, rig_unmap_bytes(b, 1, 0x1000, 0x1fff),
                                          reply, 4, &hint, NULL, NULL, NULL, NULL, &r.outcome),
                     -XINV_E_INVAL);
        hint.log2_leaf_size = 64;
    }
    cr_assert(rig_unchanged(&r));
    rig_close(&r);
}

Test(session, range_commands_name_the_granule_of_the_hosts_tables)
{
    static const struct {
        unsigned page;
        uint8_t granule;
        unsigned n;
        unsigned tg[3]; /* SMMUv3 2.1: 4 KiB 1, 16 KiB 2, 64 KiB 3 */
    } cases[] = {
        {12, 0, 1, {1}},       {12, 12, 1, {1}}, {14, 0, 2, {1, 2}}, {14, 14, 1, {2}},
        {16, 0, 3, {1, 2, 3}}, {16, 14, 1, {2}}, {16, 16, 1, {3}},   {21, 0, 3, {1, 2, 3}},
        {0, 0, 3, {1, 2, 3}},  {0, 16, 1, {3}},
    };

    for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        unsigned n = 0;

        open_pages("arm-smmuv3-ril", cases[i].page, cases[i].granule);
        cr_assert_eq(rig_map(&r, 1, 0x400000, 0x9fffff, 0), XINV_VIRTIO_OK);
        cr_assert_eq(rig_unmap(&r, 1, 0x400000, 0x9fffff), XINV_VIRTIO_OK);
        for (unsigned c = 0; c < r.n_cmd[0]; c++) {
            const struct refdec_cmd *cmd = &r.cmd[0][c];

            if (strcmp(cmd->name, "TLBI_S2_IPA") != 0)
                continue;
            cr_assert_lt(n, cases[i].n);
            cr_assert_eq(refdec_field(cmd, "TG"), cases[i].tg[n++], "case %u", i);
            cr_assert_eq(cmd->first, 0x400000);
            cr_assert_eq(cmd->last, 0x9fffff);
        }
        cr_assert_eq(n, cases[i].n, "case %u", i);
        cr_assert_eq(r.reports[0].asked_pages, 0x600);
        rig_close(&r);
    }
}

Test(session, commands_without_a_granule_go_out_once)
{
    static const char *const platforms[] = {"arm-smmuv3-generic", "intel-vtd-legacy",
                                            "amd-vi-generic"};
    static const char *const sync[] = {"SYNC", "wait", "COMPLETION_WAIT"};
    static const unsigned syncs[] = {2, 1, 2};

    for (unsigned i = 0; i < 3; i++) {
        open_pages(platforms[i], 16, 0);
        cr_assert_eq(rig_map(&r, 1, 0x10000, 0x1ffff, 0), XINV_VIRTIO_OK);
        cr_assert_eq(rig_unmap(&r, 1, 0x10000, 0x1ffff), XINV_VIRTIO_OK);
        cr_assert_eq(count(sync[i]), syncs[i]);
        rig_close(&r);
    }
    /* with page commands the smallest granule is the one that misses nothing */
    open_pages("arm-smmuv3-generic", 16, 0);
    cr_assert_eq(rig_map(&r, 1, 0x10000, 0x1ffff, 0), XINV_VIRTIO_OK);
    cr_assert_eq(rig_unmap(&r, 1, 0x10000, 0x1ffff), XINV_VIRTIO_OK);
    cr_assert_eq(count("TLBI_S2_IPA"), 16);
    cr_assert(rig_covers_exactly(&r, 0, "TLBI_S2_IPA", NULL, 0, 0x10000, 0x1ffff));
    rig_close(&r);
}

Test(session, a_granule_that_cannot_map_the_guests_pages_is_refused)
{
    struct xinv_session_config config = rig_config(1);

    config.log2_granule = 14;
    cr_assert_eq(xinv_session_size(&config), 0);
    config.log2_granule = 13;
    config.page_size_mask = ~UINT64_C(0xffff);
    cr_assert_eq(xinv_session_size(&config), 0);
    config.log2_granule = 14;
    cr_assert_neq(xinv_session_size(&config), 0);
}

/* VT-d's page-selective descriptor is sure of leaves up to CAP.MAMV: 2^18 pages here, 1 GiB. */
Test(session, without_a_hint_a_leaf_may_be_as_large_as_any_aligned_block)
{
    const uint64_t gib = UINT64_C(1) << 30;

    open_pages("intel-vtd-legacy", 12, 0);
    /* the guest's physical address is not aligned like its virtual one; the host's may be */
    cr_assert_eq(rig_map(&r, 1, gib, 2 * gib - 1, 0x1000), XINV_VIRTIO_OK);
    cr_assert_eq(rig_unmap(&r, 1, 0, UINT64_MAX), XINV_VIRTIO_OK);
    cr_assert(rig_covers_exactly(&r, 0, "iotlb", "G", 3, gib, 2 * gib - 1));
    cr_assert_eq(count("iotlb"), 1);
    cr_assert_eq(rig_map(&r, 1, gib, 3 * gib - 1, 0), XINV_VIRTIO_OK);
    cr_assert_eq(rig_unmap(&r, 1, 0, UINT64_MAX), XINV_VIRTIO_OK);
    cr_assert(rig_covers_exactly(&r, 0, "iotlb", "G", 3, gib, 3 * gib - 1), "no block of 2 GiB");
    cr_assert_eq(rig_map(&r, 1, 2 * gib, 4 * gib - 1, 0x1000), XINV_VIRTIO_OK);
    cr_assert_eq(rig_unmap(&r, 1, 0, UINT64_MAX), XINV_VIRTIO_OK);
    cr_assert_not_null(rig_find(&r, 0, "iotlb", "G", 2), "a leaf of 2 GiB: the whole domain");
    cr_assert_eq(count("iotlb"), 1);
    cr_assert(rig_covers_exactly(&r, 0, "dev_tlb", "SID", 0x108, 2 * gib, 4 * gib - 1));
    rig_close(&r);
}

Test(session, a_leaf_that_a_mapping_cannot_hold_is_removed_whole)
{
    struct xinv_unmap_hint hint = {.known = 1, .leaf_only = 1, .log2_leaf_size = 21};

    open_pages("intel-vtd-legacy", 12, 0);
    r.hint = &hint;
    cr_assert_eq(rig_map(&r, 1, 0x201000, 0x201fff, 0), XINV_VIRTIO_OK);
    cr_assert_eq(rig_map(&r, 1, 0x400000, 0x5fffff, 0), XINV_VIRTIO_OK);
    cr_assert_eq(rig_unmap(&r, 1, 0x201000, 0x201fff), XINV_VIRTIO_OK);
    cr_assert(rig_covers_exactly(&r, 0, "iotlb", "G", 3, 0x200000, 0x3fffff));
    cr_assert(rig_covers_exactly(&r, 0, "dev_tlb", NULL, 0, 0x200000, 0x3fffff));
    cr_assert_eq(rig_unmap(&r, 1, 0x400000, 0x5fffff), XINV_VIRTIO_OK);
    cr_assert(rig_covers_exactly(&r, 0, "iotlb", "G", 3, 0x400000, 0x5fffff));
    rig_close(&r);
}

/* A page is mapped, three pages further on two in one, and one up to `top`. */
static void open_mapped(const char *platform, uint64_t top)
{
    rig_open_pair(&r, platform, S2);
    cr_assert_eq(rig_attach(&r, 1, 8, 0), XINV_VIRTIO_OK);
    cr_assert_eq(rig_map(&r, 1, 0x1000, 0x1fff, 0xa000), XINV_VIRTIO_OK);
    cr_assert_eq(rig_map(&r, 1, 0x4000, 0x5fff, 0xb000), XINV_VIRTIO_OK);
    cr_assert_eq(rig_map(&r, 1, top - 0xfff, top, 0xd000), XINV_VIRTIO_OK);
}

Test(session, unmap_truth_table)
{
    static const struct {
        uint64_t first;
        uint64_t last;
        uint8_t status;
        int left; /* of three mappings */
    } cases[] = {
        {0x1000, 0x1fff, XINV_VIRTIO_OK, 2},                 /* exactly one */
        {0x4000, 0x5fff, XINV_VIRTIO_OK, 2},                 /* exactly one, of two pages */
        {0x1000, 0x5fff, XINV_VIRTIO_OK, 1},                 /* two, with a gap */
        {0, 0x6fff, XINV_VIRTIO_OK, 1},                      /* wider than both */
        {0x2000, 0x3fff, XINV_VIRTIO_OK, 3},                 /* the gap alone */
        {0x8000, 0xffff, XINV_VIRTIO_OK, 3},                 /* nothing */
        {0, UINT64_MAX, XINV_VIRTIO_OK, 0},                  /* everything */
        {0x6000, UINT64_MAX, XINV_VIRTIO_OK, 2},             /* up to the top */
        {UINT64_MAX - 0xfff, UINT64_MAX, XINV_VIRTIO_OK, 2}, /* the last page */
        {0x4000, 0x4fff, XINV_VIRTIO_RANGE, 3},              /* the front of one */
        {0x5000, 0x5fff, XINV_VIRTIO_RANGE, 3},              /* the back of one */
        {0x1000, 0x4fff, XINV_VIRTIO_RANGE, 3},              /* one, and the front of the next */
        {0x5000, UINT64_MAX, XINV_VIRTIO_RANGE, 3},          /* a back, and one */
        {0x1001, 0x1fff, XINV_VIRTIO_RANGE, 3},              /* all of one but its first byte */
        {0x1000, 0x1ffe, XINV_VIRTIO_RANGE, 3},              /* all of one but its last byte */
        {0x1800, 0x1800, XINV_VIRTIO_RANGE, 3},              /* a byte in the middle */
        {0x1000, 0x4000, XINV_VIRTIO_RANGE, 3},              /* the first byte of the next */
        {0, UINT64_MAX - 1, XINV_VIRTIO_RANGE, 3},           /* everything but the last byte */
        {0x2000, 0x1fff, XINV_VIRTIO_INVAL, 3}, /* first above last: never everything */
        {UINT64_MAX, 0, XINV_VIRTIO_INVAL, 3},
    };

    for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        open_mapped("intel-vtd-legacy", UINT64_MAX);
        rig_remember(&r);
        cr_assert_eq(rig_unmap(&r, 1, cases[i].first, cases[i].last), cases[i].status, "case %u",
                     i);
        cr_assert_eq(xinv_session_mappings(r.session, 1), cases[i].left, "case %u", i);
        cr_assert_eq(rig_unchanged(&r), cases[i].left == 3, "case %u", i);
        cr_assert_eq(r.n_cmd[0] == 0, cases[i].left == 3, "case %u", i);
        rig_close(&r);
    }
}

Test(session, unmap_invalidates_the_mappings_and_not_the_gaps)
{
    static const char *const platforms[] = {"arm-smmuv3-generic", "arm-smmuv3-ril",
                                            "intel-vtd-legacy", "intel-vtd-scalable",
                                            "amd-vi-generic"};

    for (unsigned i = 0; i < sizeof(platforms) / sizeof(platforms[0]); i++) {
        const uint64_t top = UINT64_C(0xffffffffffff);
        const uint64_t ranges[3][2] = {{0x1000, 0x1fff}, {0x4000, 0x5fff}, {top - 0xfff, top}};
        unsigned pages = 0;

        open_mapped(platforms[i], top);
        cr_assert_eq(rig_unmap(&r, 1, 0, UINT64_MAX), XINV_VIRTIO_OK);
        for (unsigned c = 0; c < r.n_cmd[0]; c++) {
            const struct refdec_cmd *cmd = &r.cmd[0][c];
            bool inside = false;

            if (!cmd->has_range)
                continue;
            for (unsigned k = 0; k < 3; k++)
                inside |= cmd->first >= ranges[k][0] && cmd->last <= ranges[k][1];
            cr_assert(inside, "%s: %s 0x%lx", platforms[i], cmd->name, (unsigned long)cmd->first);
            pages += (unsigned)((cmd->last - cmd->first) >> 12) + 1;
        }
        cr_assert_eq(pages, 8, "%s: four pages in the IOMMU and in the device", platforms[i]);
        rig_close(&r);
    }
}

Test(session, touching_mappings_are_invalidated_as_one_range)
{
    open_pages("arm-smmuv3-ril", 12, 0);
    for (uint64_t page = 0; page < 8; page++)
        cr_assert_eq(rig_map(&r, 1, 0x8000 + (page << 12), 0x8fff + (page << 12), page << 20), 0);
    cr_assert_eq(rig_unmap(&r, 1, 0x8000, 0xffff), XINV_VIRTIO_OK);
    cr_assert_str_eq(rig_names(&r, 0), "TLBI_S2_IPA SYNC ATC_INV SYNC");
    cr_assert_eq(rig_map(&r, 1, 0x8000, 0x8fff, 0), 0);
    cr_assert_eq(rig_map(&r, 1, 0x9000, 0x9fff, 0), 0);
    cr_assert_eq(rig_unmap(&r, 1, 0x8000, 0x8fff), XINV_VIRTIO_OK);
    cr_assert(rig_covers_exactly(&r, 0, "ATC_INV", NULL, 0, 0x8000, 0x8fff));
    rig_close(&r);
}

Test(session, mappings_with_one_page_between_are_invalidated_apart)
{
    open_pages("intel-vtd-legacy", 12, 0);
    cr_assert_eq(rig_map(&r, 1, 0x8000, 0x8fff, 0), XINV_VIRTIO_OK);
    cr_assert_eq(rig_map(&r, 1, 0xa000, 0xafff, 0), XINV_VIRTIO_OK);
    cr_assert_eq(rig_unmap(&r, 1, 0x8000, 0xafff), XINV_VIRTIO_OK);
    cr_assert_str_eq(rig_names(&r, 0), "iotlb iotlb dev_tlb dev_tlb wait");
    cr_assert_eq(r.reports[0].asked_pages, 2);
    cr_assert_eq(r.reports[0].extra_pages, 0);
    rig_close(&r);
}

Test(session, unmap_reaches_both_caches_of_every_endpoint_on_one_iommu)
{
    rig_open_pair(&r, "arm-smmuv3-generic", S1);
    cr_assert_eq(rig_attach(&r, 1, 8, 0), XINV_VIRTIO_OK);
    cr_assert_eq(rig_attach(&r, 1, 9, 0), XINV_VIRTIO_OK);
    cr_assert_eq(rig_map(&r, 1, 0x1000, 0x2fff, 0), XINV_VIRTIO_OK);
    cr_assert_eq(rig_unmap(&r, 1, 0x1000, 0x2fff), XINV_VIRTIO_OK);
    cr_assert_str_eq(rig_names(&r, 0),
                     "TLBI_NH_VA TLBI_NH_VA SYNC ATC_INV ATC_INV ATC_INV ATC_INV SYNC");
    cr_assert(
        rig_covers_exactly(&r, 0, "TLBI_NH_VA", "ASID", rig_tag(&r, 1, 0, 0x108), 0x1000, 0x2fff));
    for (uint32_t sid = 0x108; sid < 0x10a; sid++)
        cr_assert(rig_covers_exactly(&r, 0, "ATC_INV", "SID", sid, 0x1000, 0x2fff));
    rig_close(&r);
}

Test(session, unmap_reaches_both_caches_of_every_endpoint_on_two_iommus)
{
    struct xinv_session_config config = rig_config(2);

    rig_platform(&r, 0, "intel-vtd-legacy", NULL, 0);
    rig_platform(&r, 1, "amd-vi-generic", NULL, 0);
    rig_open(&r, &config);
    for (uint32_t id = 0; id < 4; id++) {
        struct xinv_endpoint e = rig_endpoint(id, id / 2, S2);

        rig_add(&r, &e);
        cr_assert_eq(rig_attach(&r, 1, id, 0), XINV_VIRTIO_OK);
        cr_assert_eq(r.outcome.iommus & ~(1u << (id / 2)), 0, "the other IOMMU hears nothing");
    }
    cr_assert_eq(rig_map(&r, 1, 0x1000, 0x1fff, 0), XINV_VIRTIO_OK);
    cr_assert_eq(rig_unmap(&r, 1, 0x1000, 0x1fff), XINV_VIRTIO_OK);
    cr_assert_eq(r.outcome.iommus, 3);
    cr_assert_str_eq(rig_names(&r, 0), "iotlb dev_tlb dev_tlb wait");
    cr_assert_str_eq(rig_names(&r, 1),
                     "INVALIDATE_IOMMU_PAGES COMPLETION_WAIT INVALIDATE_IOTLB_PAGES "
                     "INVALIDATE_IOTLB_PAGES COMPLETION_WAIT");
    cr_assert(rig_covers_exactly(&r, 0, "iotlb", "DID", rig_tag(&r, 1, 0, 0x100), 0x1000, 0x1fff));
    cr_assert(rig_covers_exactly(&r, 1, "INVALIDATE_IOMMU_PAGES", "DomainID",
                                 rig_tag(&r, 1, 1, 0x102), 0x1000, 0x1fff));
    for (uint32_t id = 0; id < 4; id++)
        cr_assert(rig_covers_exactly(&r, id / 2, id < 2 ? "dev_tlb" : "INVALIDATE_IOTLB_PAGES",
                                     id < 2 ? "SID" : "DeviceID", 0x100 + id, 0x1000, 0x1fff));
    rig_close(&r);
}

/* VT-d 6.5.2.3: without CAP.PSI there is no page-selective invalidation, only the domain's. */
Test(session, a_report_says_what_an_unmap_gave_up)
{
    struct xinv_session_config config = rig_config(1);
    struct xinv_endpoint e = rig_endpoint(8, 0, S2);

    e.flags = 0;
    rig_platform(&r, 0, "intel-vtd-legacy", "PSI", 0);
    rig_open(&r, &config);
    rig_add(&r, &e);
    cr_assert_eq(rig_attach(&r, 1, 8, 0), XINV_VIRTIO_OK);
    cr_assert_eq(rig_map(&r, 1, 0x1000, 0x1fff, 0), XINV_VIRTIO_OK);
    cr_assert_eq(rig_unmap(&r, 1, 0x1000, 0x1fff), XINV_VIRTIO_OK);
    cr_assert_eq(r.reports[0].widened, XINV_TAG_BIT(XINV_TAG_ADDRESS));
    cr_assert_eq(r.reports[0].must_beyond, 1u << XINV_CACHE_STAGE2);
    cr_assert_eq(r.reports[0].extra_unbounded, 1);
    rig_close(&r);
}

/* One block holds pages 1 to 3 with page 0; the page of the second run needs no other. */
Test(session, a_report_adds_up_the_pages_of_several_runs)
{
    static const struct xinv_policy one_block = {XINV_POLICY_AT_MOST, 1, 0};

    open_pages("intel-vtd-legacy", 12, 0);
    cr_assert_eq(rig_map(&r, 1, 0x1000, 0x3fff, 0), XINV_VIRTIO_OK);
    cr_assert_eq(rig_map(&r, 1, 0x9000, 0x9fff, 0), XINV_VIRTIO_OK);
    r.policy = &one_block;
    cr_assert_eq(rig_unmap(&r, 1, 0x1000, 0x9fff), XINV_VIRTIO_OK);
    cr_assert_eq(r.reports[0].asked_pages, 4);
    cr_assert_eq(r.reports[0].extra_pages, 1);
    rig_close(&r);
}

/* VT-d 6.5.2.3: a leaf of 2 MiB goes with a block of its size or the whole domain; MAMV 8 says 1
 * MiB at most. The run's last mapping is a page. */
Test(session, a_run_may_hold_the_largest_leaf_of_its_mappings)
{
    open_mamv(8);
    cr_assert_eq(rig_map(&r, 1, 0x40000000, 0x401fffff, 0), XINV_VIRTIO_OK);
    cr_assert_eq(rig_map(&r, 1, 0x40200000, 0x40200fff, 0), XINV_VIRTIO_OK);
    cr_assert_eq(rig_unmap(&r, 1, 0x40000000, 0x40200fff), XINV_VIRTIO_OK);
    cr_assert_str_eq(rig_names(&r, 0), "iotlb wait");
    cr_assert_not_null(rig_find(&r, 0, "iotlb", "G", 2), "the whole domain");
    rig_close(&r);
}

/* The first run's leaf may be of 1 GiB, which MAMV 9 cannot say; the second is one page. */
Test(session, a_report_adds_up_what_several_runs_gave_up)
{
    open_mamv(9);
    cr_assert_eq(rig_map(&r, 1, 0x40000000, 0x7fffffff, 0), XINV_VIRTIO_OK);
    cr_assert_eq(rig_map(&r, 1, 0x80001000, 0x80001fff, 0), XINV_VIRTIO_OK);
    cr_assert_eq(rig_unmap(&r, 1, 0x40000000, 0x80001fff), XINV_VIRTIO_OK);
    cr_assert_str_eq(rig_names(&r, 0), "iotlb iotlb wait");
    cr_assert_eq(r.reports[0].widened, XINV_TAG_BIT(XINV_TAG_ADDRESS));
    cr_assert_eq(r.reports[0].extra_unbounded, 1);
    cr_assert_eq(r.reports[0].asked_pages, 0x40001);
    rig_close(&r);
}

Test(session, map_emits_what_caching_of_absent_entries_demands_and_nothing_else)
{
    static const struct {
        const char *platform;
        const char *names;
    } cases[] = {
        {"arm-smmuv3-generic", ""},
        {"arm-smmuv3-ril", ""},
        {"intel-vtd-legacy", ""},
        {"intel-vtd-scalable", ""},
        {"amd-vi-generic", ""},
        {"qemu-intel-caching-mode", "iotlb wait"},
        {"qemu-amd-npcache",
         "INVALIDATE_IOMMU_PAGES COMPLETION_WAIT INVALIDATE_IOTLB_PAGES COMPLETION_WAIT"},
    };

    for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        open_pages(cases[i].platform, 12, 0);
        cr_assert_eq(rig_map(&r, 1, 0x1000, 0x1fff, 0), XINV_VIRTIO_OK);
        cr_assert_str_eq(rig_names(&r, 0), cases[i].names, "%s", cases[i].platform);
        cr_assert_eq(r.outs[0].n_steps > 0, *cases[i].names != 0);
        if (*cases[i].names)
            cr_assert(rig_covers_exactly(&r, 0, i == 5 ? "iotlb" : "INVALIDATE_IOMMU_PAGES", NULL,
                                         0, 0x1000, 0x1fff));
        rig_close(&r);
    }
}

Test(session, map_and_attach_flush_a_write_buffer)
{
    struct xinv_session_config config = rig_config(1);
    struct xinv_endpoint e = rig_endpoint(8, 0, S2);

    rig_platform(&r, 0, "intel-vtd-legacy", "RWBF", 1);
    rig_open(&r, &config);
    rig_add(&r, &e);
    for (unsigned i = 0; i < 2; i++) {
        cr_assert_eq(i ? rig_map(&r, 1, 0x1000, 0x1fff, 0) : rig_attach(&r, 1, 8, 0), 0);
        cr_assert_eq(r.outs[0].n_words, 0);
        cr_assert_eq(r.outs[0].n_steps, 1);
        cr_assert_eq(r.steps[0][0].kind, XINV_STEP_REGISTER);
        cr_assert_eq(r.steps[0][0].reg, 0x18);      /* GCMD_REG */
        cr_assert_eq(r.steps[0][0].poll_reg, 0x1c); /* GSTS_REG */
        cr_assert_eq(r.steps[0][0].bits, 1u << 27); /* WBF */
        cr_assert_eq(r.outcome.iommus, 1);
    }
    rig_close(&r);
}

Test(session, stage_1_and_stage_2_endpoints_share_a_domain)
{
    struct xinv_session_config config = rig_config(1);
    struct xinv_endpoint a = rig_endpoint(8, 0, S1);
    struct xinv_endpoint b = rig_endpoint(9, 0, S2);

    rig_platform(&r, 0, "arm-smmuv3-generic", NULL, 0);
    rig_open(&r, &config);
    rig_add(&r, &a);
    rig_add(&r, &b);
    cr_assert_eq(rig_attach(&r, 1, 8, 0), XINV_VIRTIO_OK);
    cr_assert_eq(rig_attach(&r, 1, 9, 0), XINV_VIRTIO_OK);
    cr_assert_eq(rig_map(&r, 1, 0x1000, 0x1fff, 0), XINV_VIRTIO_OK);
    cr_assert_eq(rig_unmap(&r, 1, 0x1000, 0x1fff), XINV_VIRTIO_OK);
    cr_assert_str_eq(rig_names(&r, 0), "TLBI_S2_IPA SYNC TLBI_NH_VA SYNC ATC_INV ATC_INV SYNC");
    cr_assert_neq(refdec_field(&r.cmd[0][0], "VMID"), 0);
    cr_assert_eq(refdec_field(&r.cmd[0][2], "VMID"), 0, "kept for stage 1 alone");
    cr_assert_eq(rig_unmap(&r, 1, 0, 0xffff), XINV_VIRTIO_OK);
    cr_assert_str_eq(rig_names(&r, 0), "");
    rig_close(&r);
}
