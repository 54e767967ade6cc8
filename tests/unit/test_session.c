// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
#include <criterion/criterion.h>
#include <string.h>

#include "tests/support/sessionrig.h"

#define S1 XINV_STAGE_STAGE1
#define S2 XINV_STAGE_STAGE2

static struct rig r;

/* One IOMMU, two endpoints 8 and 9 with ATS. */
static void open_one(const char *platform, uint8_t stage)
{
    struct xinv_session_config config = rig_config(1);
    struct xinv_endpoint a = rig_endpoint(8, 0, stage);
    struct xinv_endpoint b = rig_endpoint(9, 0, stage);

    rig_platform(&r, 0, platform, NULL, 0);
    rig_open(&r, &config);
    rig_add(&r, &a);
    rig_add(&r, &b);
}

Test(session, attach_creates_the_domain_and_tells_the_iommu)
{
    uint32_t domain = 0;

    open_one("arm-smmuv3-generic", S1);
    cr_assert_eq(xinv_session_mappings(r.session, 5), -XINV_E_NOENT);
    cr_assert_eq(rig_attach(&r, 5, 8, 0), XINV_VIRTIO_OK);
    cr_assert_eq(xinv_session_mappings(r.session, 5), 0);
    cr_assert_eq(xinv_session_attached(r.session, 8, &domain), 1);
    cr_assert_eq(domain, 5);
    cr_assert_str_eq(rig_names(&r, 0), "CFGI_STE SYNC");
    cr_assert_eq(refdec_field(&r.cmd[0][0], "SID"), 0x108);
    rig_close(&r);
}

Test(session, ranges_of_the_configuration_count_only_with_their_features)
{
    struct xinv_session_config config = rig_config(1);
    struct xinv_endpoint e = rig_endpoint(8, 0, S1);

    config.input_end = 0xffffffff;
    config.domain_start = 4;
    config.domain_end = 5;
    rig_platform(&r, 0, "arm-smmuv3-generic", NULL, 0);
    rig_open(&r, &config);
    rig_add(&r, &e);
    cr_assert_eq(rig_attach(&r, UINT32_MAX, 8, 0), XINV_VIRTIO_OK);
    cr_assert_eq(rig_map(&r, UINT32_MAX, UINT64_C(0xfffffffffffff000), UINT64_MAX, 0), 0);
    rig_close(&r);

    config.features |= XINV_VIRTIO_F_INPUT_RANGE | XINV_VIRTIO_F_DOMAIN_RANGE;
    rig_open(&r, &config);
    rig_add(&r, &e);
    cr_assert_eq(rig_attach(&r, 6, 8, 0), XINV_VIRTIO_RANGE);
    cr_assert_eq(rig_attach(&r, 3, 8, 0), XINV_VIRTIO_RANGE);
    cr_assert_eq(rig_attach(&r, 4, 8, 0), XINV_VIRTIO_OK);
    cr_assert_eq(rig_map(&r, 4, 0xfffff000, 0xffffffff, 0), XINV_VIRTIO_OK);
    cr_assert_eq(rig_map(&r, 4, 0x100000000, 0x100000fff, 0), XINV_VIRTIO_RANGE);
    rig_close(&r);
}

Test(session, a_tag_is_handed_out_again_only_once_its_commands_have_completed)
{
    uint32_t first;
    uint64_t token;

    open_one("arm-smmuv3-generic", S1);
    cr_assert_eq(rig_attach(&r, 1, 8, 0), XINV_VIRTIO_OK);
    first = rig_tag(&r, 1, 0, 0x108);
    cr_assert_eq(rig_detach(&r, 1, 8), XINV_VIRTIO_OK);
    cr_assert_eq(r.outcome.fenced, 1);
    token = r.outcome.token;
    cr_assert_eq(rig_attach(&r, 2, 8, 0), XINV_VIRTIO_OK);
    cr_assert_neq(rig_tag(&r, 2, 0, 0x108), first);
    xinv_session_complete(r.session, token - 1);
    cr_assert_eq(rig_attach(&r, 3, 9, 0), XINV_VIRTIO_OK);
    cr_assert_neq(rig_tag(&r, 3, 0, 0x109), first);
    xinv_session_complete(r.session, token);
    cr_assert_eq(rig_attach(&r, 4, 9, 0), XINV_VIRTIO_OK);
    cr_assert_eq(rig_tag(&r, 4, 0, 0x109), first);
    rig_close(&r);
}

Test(session, a_first_stage_and_a_second_stage_table_of_one_domain_have_tags_of_their_own)
{
    struct xinv_session_config config = rig_config(1);
    struct xinv_endpoint a = rig_endpoint(8, 0, S1);
    struct xinv_endpoint b = rig_endpoint(9, 0, S2);
    uint32_t did[2];

    rig_platform(&r, 0, "intel-vtd-scalable", NULL, 0);
    rig_open(&r, &config);
    rig_add(&r, &a);
    rig_add(&r, &b);
    cr_assert_eq(rig_attach(&r, 1, 8, 0), XINV_VIRTIO_OK);
    cr_assert_eq(rig_attach(&r, 1, 9, 0), XINV_VIRTIO_OK);
    did[0] = rig_tag(&r, 1, 0, 0x108);
    did[1] = rig_tag(&r, 1, 0, 0x109);
    cr_assert_neq(did[0], did[1]);
    cr_assert_eq(rig_map(&r, 1, 0x1000, 0x1fff, 0), XINV_VIRTIO_OK);
    cr_assert_eq(rig_unmap(&r, 1, 0x1000, 0x1fff), XINV_VIRTIO_OK);
    cr_assert(rig_covers_exactly(&r, 0, "p_iotlb", "DID", did[0], 0x1000, 0x1fff));
    cr_assert(rig_covers_exactly(&r, 0, "iotlb", "DID", did[1], 0x1000, 0x1fff));
    cr_assert(rig_covers_exactly(&r, 0, "dev_tlb", "SID", 0x108, 0x1000, 0x1fff));
    cr_assert(rig_covers_exactly(&r, 0, "dev_tlb", "SID", 0x109, 0x1000, 0x1fff));
    cr_assert_eq(rig_detach(&r, 1, 8), XINV_VIRTIO_OK);
    cr_assert_eq(rig_tag(&r, 1, 0, 0x109), did[1]);
    rig_close(&r);
}

/* Endpoint 8 has the fixed tag 3, and 9 none. */
static void open_fixed(const char *platform, uint8_t stage, uint32_t tag)
{
    struct xinv_session_config config = rig_config(1);
    struct xinv_endpoint a = rig_endpoint(8, 0, stage);
    struct xinv_endpoint b = rig_endpoint(9, 0, stage);

    a.fixed_tag = tag;
    rig_platform(&r, 0, platform, NULL, 0);
    rig_open(&r, &config);
    rig_add(&r, &a);
    rig_add(&r, &b);
}

Test(session, a_fixed_tag_is_never_handed_to_another_domain)
{
    open_fixed("intel-vtd-legacy", S2, 3);
    for (uint32_t domain = 1; domain < 6; domain++) {
        cr_assert_eq(rig_attach(&r, domain, 9, 0), XINV_VIRTIO_OK);
        cr_assert_neq(rig_tag(&r, domain, 0, 0x109), 3);
    }
    cr_assert_eq(rig_attach(&r, 7, 8, 0), XINV_VIRTIO_OK);
    cr_assert_eq(rig_tag(&r, 7, 0, 0x108), 3);
    rig_close(&r);
}

Test(session, a_fixed_tag_that_another_endpoint_holds_on_to_is_refused)
{
    open_fixed("intel-vtd-legacy", S2, 3);
    cr_assert_eq(rig_attach(&r, 1, 8, 0), XINV_VIRTIO_OK);
    cr_assert_eq(rig_attach(&r, 1, 9, 0), XINV_VIRTIO_OK);
    cr_assert_eq(rig_tag(&r, 1, 0, 0x109), 3, "it joins the domain's tag");
    rig_remember(&r);
    cr_assert_eq(rig_attach(&r, 2, 8, 0), XINV_VIRTIO_UNSUPP);
    cr_assert(rig_unchanged(&r));
    /* the last user is not the one whose tag it is: the number must not reach the pool */
    cr_assert_eq(rig_detach(&r, 1, 8), XINV_VIRTIO_OK);
    cr_assert_eq(rig_attach(&r, 2, 8, 0), XINV_VIRTIO_UNSUPP);
    cr_assert_eq(rig_detach(&r, 1, 9), XINV_VIRTIO_OK);
    cr_assert_eq(r.outcome.fenced, 1);
    cr_assert_eq(rig_attach(&r, 2, 8, 0), XINV_VIRTIO_NOMEM, "not clean yet");
    xinv_session_complete(r.session, r.outcome.token);
    for (uint32_t domain = 3; domain < 7; domain++) {
        cr_assert_eq(rig_attach(&r, domain, 9, 0), XINV_VIRTIO_OK);
        cr_assert_neq(rig_tag(&r, domain, 0, 0x109), 3);
    }
    cr_assert_eq(rig_attach(&r, 2, 8, 0), XINV_VIRTIO_OK);
    cr_assert_eq(rig_tag(&r, 2, 0, 0x108), 3);
    rig_close(&r);
}

Test(session, an_endpoint_takes_its_fixed_tag_along)
{
    open_fixed("intel-vtd-legacy", S2, 3);
    cr_assert_eq(rig_attach(&r, 1, 8, 0), XINV_VIRTIO_OK);
    cr_assert_eq(rig_attach(&r, 2, 8, 0), XINV_VIRTIO_OK);
    cr_assert_eq(rig_tag(&r, 2, 0, 0x108), 3);
    cr_assert_str_eq(rig_names(&r, 0), "cc iotlb dev_tlb wait");
    cr_assert_eq(rig_attach(&r, 3, 8, 0), XINV_VIRTIO_OK, "before any completion");
    rig_close(&r);
}

Test(session, a_fixed_tag_must_fit_and_be_free)
{
    struct xinv_session_config config = rig_config(1);
    struct xinv_endpoint e = rig_endpoint(8, 0, S2);
    struct xinv_endpoint f = rig_endpoint(9, 0, S2);

    rig_platform(&r, 0, "intel-vtd-legacy", NULL, 0);
    rig_open(&r, &config);
    rig_add(&r, &e);
    cr_assert_eq(rig_attach(&r, 1, 8, 0), XINV_VIRTIO_OK);
    f.fixed_tag = rig_tag(&r, 1, 0, 0x108);
    rig_remember(&r);
    cr_assert_eq(xinv_session_add_endpoint(r.session, &f), -XINV_E_EXIST);
    f.fixed_tag = 1; /* pass-through traffic's */
    cr_assert_eq(xinv_session_add_endpoint(r.session, &f), -XINV_E_TAG);
    f.fixed_tag = 0x10000; /* CAP.ND 6: 16 bits */
    cr_assert_eq(xinv_session_add_endpoint(r.session, &f), -XINV_E_TAG);
    cr_assert(rig_unchanged(&r));
    f.fixed_tag = 0xffff;
    rig_add(&r, &f);
    cr_assert_eq(rig_attach(&r, 2, 9, 0), XINV_VIRTIO_OK);
    cr_assert_eq(rig_tag(&r, 2, 0, 0x109), 0xffff);
    cr_assert_eq(rig_attach(&r, 1, 9, 0), XINV_VIRTIO_UNSUPP, "the domain has another tag");
    rig_close(&r);
}

Test(session, reset_detaches_all_and_completes_once_on_each_iommu)
{
    static const char *const platforms[2] = {"arm-smmuv3-generic", "intel-vtd-legacy"};
    struct xinv_session_config config = rig_config(2);
    uint64_t token;

    for (uint32_t i = 0; i < 2; i++)
        rig_platform(&r, i, platforms[i], NULL, 0);
    rig_open(&r, &config);
    for (uint32_t id = 0; id < 6; id++) {
        struct xinv_endpoint e = rig_endpoint(id, id % 2, S2);

        rig_add(&r, &e);
        if (id < 4)
            cr_assert_eq(rig_attach(&r, id / 2, id, 0), XINV_VIRTIO_OK);
    }
    token = r.outcome.token;
    cr_assert_eq(rig_map(&r, 1, 0x1000, 0x1fff, 0), XINV_VIRTIO_OK);
    cr_assert_gt(rig_reset(&r), 0); /* the rig checks that one completion ends each list */
    cr_assert_eq(r.outcome.iommus, 3);
    cr_assert_eq(r.outcome.fenced, 1);
    cr_assert_eq(r.outcome.token, token + 1);
    for (uint32_t id = 0; id < 4; id++) {
        uint32_t iommu = id % 2;

        cr_assert_eq(xinv_session_attached(r.session, id, &(uint32_t){0}), 0);
        cr_assert_not_null(rig_find(&r, iommu, iommu ? "cc" : "CFGI_STE", "SID", 0x100 + id));
        cr_assert_not_null(rig_find(&r, iommu, iommu ? "dev_tlb" : "ATC_INV", "SID", 0x100 + id));
    }
    for (uint32_t domain = 0; domain < 2; domain++)
        cr_assert_eq(xinv_session_mappings(r.session, domain), -XINV_E_NOENT);
    cr_assert_eq(rig_reset(&r), 0);
    rig_close(&r);
}

Test(session, an_output_that_is_past_its_end_has_no_room)
{
    struct xinv_session_config config = rig_config(2);
    uint8_t b[28];
    uint8_t reply[4];

    for (uint32_t i = 0; i < 2; i++) {
        rig_platform(&r, i, "arm-smmuv3-generic", NULL, 0);
    }
    rig_open(&r, &config);
    for (uint32_t i = 0; i < 2; i++) {
        struct xinv_endpoint e = rig_endpoint(i, i, S2);

        rig_add(&r, &e);
        cr_assert_eq(rig_attach(&r, 1, i, 0), XINV_VIRTIO_OK);
    }
    cr_assert_eq(rig_map(&r, 1, 0x1000, 0x1fff, 0), XINV_VIRTIO_OK);
    (void)rig_unmap_bytes(b, 1, 0, UINT64_MAX);
    rig_remember(&r);
    for (uint32_t i = 0; i < 2; i++)
        r.outs[i] = (struct xinv_out){
            .words = r.words[i], .steps = r.steps[i], .cap_words = 64, .cap_steps = 64};
    r.outs[1].n_words = 66;
    cr_assert_eq(xinv_session_request(r.session, b, sizeof(b), reply, sizeof(reply), NULL, NULL,
                                      NULL, r.outs, NULL, &r.outcome),
                 -XINV_E_NOSPACE);
    cr_assert_eq(r.outs[0].n_words, 0);
    cr_assert_eq(r.outs[1].n_words, 66);
    cr_assert_eq(r.outcome.iommus, 0);
    cr_assert_eq(r.outcome.status, XINV_VIRTIO_DEVERR);
    cr_assert(rig_unchanged(&r));
    rig_close(&r);
}

/* ---- What an UNMAP removes without a hint, and with one ---- */

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

/* ---- Endpoints without a domain ---- */

/* Endpoint 8 without a domain, and that passes or not. */
static void open_idle(const char *platform, uint32_t features, uint8_t bypass)
{
    struct xinv_session_config config = rig_config(1);
    struct xinv_endpoint e = rig_endpoint(8, 0, S2);

    config.features = XINV_VIRTIO_F_MAP_UNMAP | features;
    config.bypass = bypass;
    rig_platform(&r, 0, platform, NULL, 0);
    rig_open(&r, &config);
    rig_add(&r, &e);
}

Test(session, attach_of_an_endpoint_that_passed_makes_its_entry_forgotten)
{
    open_idle("intel-vtd-legacy", XINV_VIRTIO_F_BYPASS_CONFIG, 0);
    cr_assert_eq(rig_attach(&r, 1, 8, 0), XINV_VIRTIO_OK);
    cr_assert_str_eq(rig_names(&r, 0), "", "a not-present entry is not cached");
    rig_close(&r);
    open_idle("intel-vtd-legacy", XINV_VIRTIO_F_BYPASS_CONFIG, 1);
    cr_assert_eq(rig_attach(&r, 1, 8, 0), XINV_VIRTIO_OK);
    cr_assert_str_eq(rig_names(&r, 0), "cc iotlb dev_tlb wait");
    cr_assert_eq(refdec_field(&r.cmd[0][0], "DID"), 1, "pass-through traffic's");
    rig_close(&r);
    open_idle("intel-vtd-legacy", XINV_VIRTIO_F_BYPASS, 0);
    cr_assert_eq(rig_attach(&r, 1, 8, 0), XINV_VIRTIO_OK);
    cr_assert_str_eq(rig_names(&r, 0), "cc iotlb dev_tlb wait");
    rig_close(&r);
}

Test(session, a_write_of_the_bypass_byte_reaches_endpoints_without_a_domain)
{
    struct xinv_endpoint e = rig_endpoint(9, 0, S2);

    open_idle("intel-vtd-legacy", XINV_VIRTIO_F_BYPASS_CONFIG, 1);
    rig_add(&r, &e);
    cr_assert_eq(rig_attach(&r, 1, 9, 0), XINV_VIRTIO_OK);
    cr_assert_eq(rig_set_bypass(&r, 1), 0, "no change");
    cr_assert_eq(rig_set_bypass(&r, 0), 4);
    cr_assert_str_eq(rig_names(&r, 0), "cc iotlb dev_tlb wait");
    cr_assert_eq(refdec_field(&r.cmd[0][0], "SID"), 0x108);
    cr_assert_eq(rig_attach(&r, 1, 8, 0), XINV_VIRTIO_OK);
    cr_assert_str_eq(rig_names(&r, 0), "");
    cr_assert_eq(rig_set_bypass(&r, 1), 0, "none is without a domain");
    cr_assert_eq(rig_detach(&r, 1, 8), XINV_VIRTIO_OK);
    cr_assert_eq(rig_attach(&r, 1, 8, 0), XINV_VIRTIO_OK);
    cr_assert_str_eq(rig_names(&r, 0), "cc iotlb dev_tlb wait", "it had passed");
    rig_close(&r);
}

Test(session, an_endpoint_that_begins_to_pass_has_its_absent_entry_forgotten)
{
    open_idle("arm-smmuv3-generic", XINV_VIRTIO_F_BYPASS_CONFIG, 0);
    cr_assert_eq(rig_set_bypass(&r, 1), 2);
    cr_assert_str_eq(rig_names(&r, 0), "CFGI_STE SYNC");
    cr_assert_eq(refdec_field(&r.cmd[0][0], "SID"), 0x108);
    rig_close(&r);
}

Test(session, the_bypass_byte_is_0_or_1_and_needs_its_feature)
{
    open_idle("intel-vtd-legacy", XINV_VIRTIO_F_BYPASS_CONFIG, 0);
    cr_assert_eq(xinv_session_set_bypass(r.session, 2, NULL, NULL, NULL, NULL, &r.outcome),
                 -XINV_E_INVAL);
    rig_close(&r);
    open_idle("intel-vtd-legacy", XINV_VIRTIO_F_BYPASS, 0);
    cr_assert_eq(xinv_session_set_bypass(r.session, 1, NULL, NULL, NULL, NULL, &r.outcome),
                 -XINV_E_INVAL);
    rig_close(&r);
}

/* ---- Attaching and detaching ---- */

Test(session, a_second_endpoint_joins_the_domain_and_its_tag)
{
    open_one("arm-smmuv3-generic", S1);
    cr_assert_eq(rig_attach(&r, 5, 8, 0), XINV_VIRTIO_OK);
    cr_assert_eq(rig_attach(&r, 5, 9, 0), XINV_VIRTIO_OK);
    cr_assert_eq(rig_tag(&r, 5, 0, 0x108), rig_tag(&r, 5, 0, 0x109));
    cr_assert_eq(xinv_session_attachments(r.session, 5, 0, NULL, 0), 2);
    rig_close(&r);
}

Test(session, attach_to_its_own_domain_does_nothing)
{
    open_one("arm-smmuv3-generic", S1);
    cr_assert_eq(rig_attach(&r, 5, 8, 0), XINV_VIRTIO_OK);
    rig_remember(&r);
    cr_assert_eq(rig_attach(&r, 5, 8, 0), XINV_VIRTIO_OK);
    cr_assert_str_eq(rig_names(&r, 0), "");
    cr_assert(rig_unchanged(&r));
    rig_close(&r);
}

/* Names of the commands of DETACH, or of an ATTACH elsewhere, of a stage-2 endpoint with ATS. */
static const struct {
    const char *platform;
    const char *names;
    const char *flush; /* the command that names the old tag */
    const char *tag;   /* and the field */
} leaving[] = {
    {"arm-smmuv3-generic", "CFGI_STE SYNC TLBI_S12_VMALL SYNC ATC_INV SYNC", "TLBI_S12_VMALL",
     "VMID"},
    {"intel-vtd-legacy", "cc iotlb dev_tlb wait", "iotlb", "DID"},
    {"intel-vtd-scalable", "pc iotlb dev_tlb wait", "iotlb", "DID"},
    {"amd-vi-generic",
     "INVALIDATE_DEVTAB_ENTRY COMPLETION_WAIT INVALIDATE_IOMMU_PAGES COMPLETION_WAIT "
     "INVALIDATE_IOTLB_PAGES COMPLETION_WAIT",
     "INVALIDATE_IOMMU_PAGES", "DomainID"},
};

Test(session, an_attach_elsewhere_flushes_the_old_tag)
{
    for (unsigned i = 0; i < sizeof(leaving) / sizeof(leaving[0]); i++) {
        uint32_t old;

        open_one(leaving[i].platform, S2);
        cr_assert_eq(rig_attach(&r, 1, 8, 0), XINV_VIRTIO_OK);
        old = rig_tag(&r, 1, 0, 0x108);
        cr_assert_eq(rig_attach(&r, 2, 8, 0), XINV_VIRTIO_OK);
        cr_assert_str_eq(rig_names(&r, 0), leaving[i].names);
        cr_assert_not_null(rig_find(&r, 0, leaving[i].flush, leaving[i].tag, old));
        cr_assert_neq(rig_tag(&r, 2, 0, 0x108), old);
        cr_assert_eq(xinv_session_mappings(r.session, 1), -XINV_E_NOENT);
        rig_close(&r);
    }
}

Test(session, detach_flushes_what_the_endpoint_may_have_cached)
{
    for (unsigned i = 0; i < sizeof(leaving) / sizeof(leaving[0]); i++) {
        uint32_t old;

        open_one(leaving[i].platform, S2);
        cr_assert_eq(rig_attach(&r, 1, 8, 0), XINV_VIRTIO_OK);
        old = rig_tag(&r, 1, 0, 0x108);
        cr_assert_eq(rig_detach(&r, 1, 8), XINV_VIRTIO_OK);
        cr_assert_str_eq(rig_names(&r, 0), leaving[i].names);
        cr_assert_not_null(rig_find(&r, 0, leaving[i].flush, leaving[i].tag, old));
        cr_assert_eq(xinv_session_attached(r.session, 8, &(uint32_t){0}), 0);
        rig_close(&r);
    }
}

Test(session, the_last_detach_drops_the_domain_with_its_mappings)
{
    open_one("arm-smmuv3-generic", S1);
    cr_assert_eq(rig_attach(&r, 5, 8, 0), XINV_VIRTIO_OK);
    cr_assert_eq(rig_attach(&r, 5, 9, 0), XINV_VIRTIO_OK);
    cr_assert_eq(rig_map(&r, 5, 0x1000, 0x1fff, 0xa000), XINV_VIRTIO_OK);
    cr_assert_eq(rig_detach(&r, 5, 8), XINV_VIRTIO_OK);
    cr_assert_eq(r.outcome.fenced, 0, "9 uses the tag");
    cr_assert_eq(xinv_session_mappings(r.session, 5), 1);
    cr_assert_eq(rig_unmap(&r, 5, 0x1000, 0x1fff), XINV_VIRTIO_OK);
    cr_assert_null(rig_find(&r, 0, "ATC_INV", "SID", 0x108), "8 is no longer in it");
    cr_assert_not_null(rig_find(&r, 0, "ATC_INV", "SID", 0x109));
    cr_assert_eq(rig_map(&r, 5, 0x1000, 0x1fff, 0xa000), XINV_VIRTIO_OK);
    cr_assert_eq(rig_detach(&r, 5, 9), XINV_VIRTIO_OK);
    cr_assert_eq(r.outcome.fenced, 1);
    cr_assert_eq(rig_map(&r, 5, 0x1000, 0x1fff, 0xa000), XINV_VIRTIO_NOENT);
    /* the number is free for a domain of the other kind */
    cr_assert_eq(rig_attach(&r, 5, 8, 1), XINV_VIRTIO_OK);
    cr_assert_eq(xinv_session_mappings(r.session, 5), 0);
    rig_close(&r);
}

Test(session, all_domains_in_use_an_endpoint_can_still_change_to_a_new_one)
{
    struct xinv_session_config config = rig_config(1);
    struct xinv_endpoint e = rig_endpoint(8, 0, S1);
    struct xinv_endpoint f = rig_endpoint(9, 0, S1);

    config.max_domains = 1;
    rig_platform(&r, 0, "arm-smmuv3-generic", NULL, 0);
    rig_open(&r, &config);
    rig_add(&r, &e);
    rig_add(&r, &f);
    cr_assert_eq(rig_attach(&r, 1, 8, 0), XINV_VIRTIO_OK);
    cr_assert_eq(rig_attach(&r, 2, 8, 0), XINV_VIRTIO_OK);
    cr_assert_eq(xinv_session_mappings(r.session, 1), -XINV_E_NOENT);
    cr_assert_eq(rig_attach(&r, 2, 9, 0), XINV_VIRTIO_OK);
    rig_remember(&r);
    cr_assert_eq(rig_attach(&r, 3, 9, 0), XINV_VIRTIO_NOMEM, "8 keeps domain 2");
    cr_assert(rig_unchanged(&r));
    rig_close(&r);
}

Test(session, bypass_domains_have_no_tag_of_their_own)
{
    open_one("arm-smmuv3-generic", S2);
    cr_assert_eq(rig_attach(&r, 1, 8, 0), XINV_VIRTIO_OK);
    cr_assert_eq(rig_attach(&r, 2, 8, 1), XINV_VIRTIO_OK);
    cr_assert_str_eq(rig_names(&r, 0), "CFGI_STE SYNC TLBI_S12_VMALL SYNC ATC_INV SYNC");
    cr_assert_eq(rig_attach(&r, 2, 9, 1), XINV_VIRTIO_OK);
    cr_assert_eq(rig_attach(&r, 2, 9, 0), XINV_VIRTIO_INVAL, "of the other kind");
    cr_assert_eq(rig_detach(&r, 2, 8), XINV_VIRTIO_OK);
    cr_assert_str_eq(rig_names(&r, 0), "CFGI_STE SYNC ATC_INV SYNC");
    cr_assert_eq(r.outcome.fenced, 0);
    rig_close(&r);
}

Test(session, every_endpoint_can_be_in_one_domain)
{
    struct xinv_session_config config = rig_config(1);

    rig_platform(&r, 0, "amd-vi-generic", NULL, 0);
    rig_open(&r, &config);
    for (uint32_t id = 0; id < config.max_endpoints; id++) {
        struct xinv_endpoint e = rig_endpoint(id, 0, id % 2 ? S1 : S2);

        rig_add(&r, &e);
        cr_assert_eq(rig_attach(&r, 1, id, 0), XINV_VIRTIO_OK);
    }
    cr_assert_eq(xinv_session_add_endpoint(r.session, &(struct xinv_endpoint){.id = 99}),
                 -XINV_E_NOMEM);
    cr_assert_eq(rig_map(&r, 1, 0x1000, 0x1fff, 0), XINV_VIRTIO_OK);
    cr_assert_eq(rig_unmap(&r, 1, 0x1000, 0x1fff), XINV_VIRTIO_OK);
    for (uint32_t id = 0; id < config.max_endpoints; id++) {
        cr_assert(rig_covers_exactly(&r, 0, "INVALIDATE_IOTLB_PAGES", "DeviceID", 0x100 + id,
                                     0x1000, 0x1fff));
        cr_assert(rig_covers_exactly(&r, 0, "INVALIDATE_IOMMU_PAGES", "DomainID",
                                     rig_tag(&r, 1, 0, 0x100 + id), 0x1000, 0x1fff));
    }
    rig_close(&r);
}

Test(session, endpoints_that_could_not_be_invalidated_are_refused)
{
    static const uint32_t alias[] = {0x10000};
    static const struct xinv_reserved_region msi[] = {{0x1000, 0x1fff, 1}, {0x3000, 0x3fff, 1}};
    static const struct xinv_reserved_region many[3] = {
        {0x1000, 0x1fff, 0}, {0x3000, 0x3fff, 0}, {0x5000, 0x5fff, 0}};
    static const struct xinv_reserved_region backward[] = {{0x2000, 0x1fff, 0}};
    struct xinv_session_config config = rig_config(1);
    struct xinv_endpoint cases[12];
    int error[12];
    unsigned n = 0;

    rig_platform(&r, 0, "intel-vtd-legacy", "DT", 0);
    rig_open(&r, &config);
    for (unsigned i = 0; i < 12; i++) {
        cases[i] = rig_endpoint(8, 0, S2);
        cases[i].flags = 0;
    }
    cases[n].flags = XINV_ATT_ATS;
    error[n++] = -XINV_E_UNSUPP; /* no Device-TLB support */
    cases[n].stage = S1;
    error[n++] = -XINV_E_UNSUPP; /* legacy mode has no first stage */
    cases[n].stage = XINV_STAGE_NESTED;
    error[n++] = -XINV_E_INVAL;
    cases[n].iommu = 1;
    error[n++] = -XINV_E_INVAL;
    cases[n].flags = 0x80;
    error[n++] = -XINV_E_INVAL;
    cases[n].queue_depth = 33;
    error[n++] = -XINV_E_INVAL;
    cases[n].rid = 0x10000;
    error[n++] = -XINV_E_TAG;
    cases[n].aliases = alias;
    cases[n].n_aliases = 1;
    error[n++] = -XINV_E_TAG;
    cases[n].n_aliases = 1;
    error[n++] = -XINV_E_INVAL;
    cases[n].reserved = msi;
    cases[n].n_reserved = 2;
    error[n++] = -XINV_E_INVAL;
    cases[n].reserved = many;
    cases[n].n_reserved = 3; /* 72 bytes; probe_size is 64 */
    error[n++] = -XINV_E_INVAL;
    cases[n].reserved = backward;
    cases[n].n_reserved = 1;
    error[n++] = -XINV_E_INVAL;
    rig_remember(&r);
    for (unsigned i = 0; i < n; i++) {
        cr_assert_eq(xinv_session_add_endpoint(r.session, &cases[i]), error[i], "case %u", i);
        cr_assert(rig_unchanged(&r), "case %u", i);
    }
    rig_close(&r);
}

Test(session, an_endpoint_is_added_once)
{
    struct xinv_endpoint e = rig_endpoint(8, 0, S2);

    open_one("intel-vtd-legacy", S2);
    cr_assert_eq(xinv_session_add_endpoint(r.session, &e), -XINV_E_EXIST);
    rig_close(&r);
}

/* ---- Mapping and unmapping ---- */

/* A page is mapped, three pages further on two in one, and one up to `top`. */
static void open_mapped(const char *platform, uint64_t top)
{
    open_one(platform, S2);
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

Test(session, unmap_reaches_both_caches_of_every_endpoint_on_one_iommu)
{
    open_one("arm-smmuv3-generic", S1);
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

Test(session, attach_under_caching_mode_reaches_the_absent_entry)
{
    struct xinv_session_config config = rig_config(1);
    struct xinv_endpoint e = rig_endpoint(8, 0, S2);

    rig_platform(&r, 0, "qemu-intel-caching-mode", NULL, 0);
    rig_open(&r, &config);
    rig_add(&r, &e);
    cr_assert_eq(rig_attach(&r, 1, 8, 0), XINV_VIRTIO_OK);
    cr_assert_str_eq(rig_names(&r, 0), "cc iotlb wait");
    cr_assert_eq(refdec_field(&r.cmd[0][0], "DID"), 0, "VT-d 6.1");
    cr_assert_eq(refdec_field(&r.cmd[0][0], "SID"), 0x108);
    cr_assert_eq(refdec_field(&r.cmd[0][1], "DID"), rig_tag(&r, 1, 0, 0x108));
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

/* ---- Reserved regions ---- */

static const struct xinv_reserved_region doorbell[] = {{0xfee00000, 0xfeefffff, 1}};

/* Endpoint 8 has the region of the worked PROBE reply; 9 has none. */
static void open_reserved(uint32_t probe_size)
{
    struct xinv_session_config config = rig_config(1);
    struct xinv_endpoint a = rig_endpoint(8, 0, S2);
    struct xinv_endpoint b = rig_endpoint(9, 0, S2);

    config.probe_size = probe_size;
    a.reserved = doorbell;
    a.n_reserved = 1;
    rig_platform(&r, 0, "intel-vtd-legacy", NULL, 0);
    rig_open(&r, &config);
    rig_add(&r, &a);
    rig_add(&r, &b);
}

Test(session, probe_replies_with_the_reserved_regions_then_zeroes)
{
    static const uint8_t expect[36] = {
        0x01, 0,    0x14, 0, 0x01, 0, 0,    0,    0,    0,
        0xe0, 0xfe, 0,    0, 0,    0, 0xff, 0xff, 0xef, 0xfe, /* the rest is zero */
    };
    uint8_t b[72];

    open_reserved(32);
    cr_assert_eq(rig_request(&r, b, rig_probe_bytes(b, 8), 36), XINV_VIRTIO_OK);
    cr_assert_arr_eq(r.reply, expect, sizeof(expect));
    cr_assert_eq(rig_request(&r, b, rig_probe_bytes(b, 9), 36), XINV_VIRTIO_OK);
    for (unsigned i = 0; i < 36; i++)
        cr_assert_eq(r.reply[i], 0, "no region: no property");
    cr_assert_eq(rig_request(&r, b, rig_probe_bytes(b, 8), 100), XINV_VIRTIO_OK);
    cr_assert_arr_eq(r.reply, expect, 24);
    for (unsigned i = 24; i < 100; i++)
        cr_assert_eq(r.reply[i], 0, "a larger area is zero to its end");
    rig_close(&r);
}

Test(session, probe_with_every_shorter_buffer)
{
    uint8_t b[72];

    open_reserved(32);
    rig_remember(&r);
    for (unsigned n = 0; n < 36; n++) {
        cr_assert_eq(rig_request(&r, b, rig_probe_bytes(b, 8), n),
                     n < 4 ? XINV_VIRTIO_IOERR : XINV_VIRTIO_INVAL);
        cr_assert_eq(r.outcome.written, n < 4 ? 0 : n);
        for (unsigned i = 0; n >= 4 && i < n - 4; i++)
            cr_assert_eq(r.reply[i], 0, "no property");
    }
    cr_assert(rig_unchanged(&r));
    rig_close(&r);
}

Test(session, an_endpoint_whose_region_is_mapped_cannot_join)
{
    open_reserved(32);
    cr_assert_eq(rig_attach(&r, 1, 9, 0), XINV_VIRTIO_OK);
    cr_assert_eq(rig_map(&r, 1, 0xfeeff000, 0xfef0ffff, 0), XINV_VIRTIO_OK);
    rig_remember(&r);
    cr_assert_eq(rig_attach(&r, 1, 8, 0), XINV_VIRTIO_UNSUPP);
    cr_assert(rig_unchanged(&r));
    cr_assert_eq(rig_unmap(&r, 1, 0xfeeff000, 0xfef0ffff), XINV_VIRTIO_OK);
    cr_assert_eq(rig_map(&r, 1, 0xfef00000, 0xfef0ffff, 0), XINV_VIRTIO_OK);
    cr_assert_eq(rig_attach(&r, 1, 8, 0), XINV_VIRTIO_OK);
    cr_assert_eq(rig_map(&r, 1, 0xfee00000, 0xfee00fff, 0), XINV_VIRTIO_INVAL);
    rig_close(&r);
}

Test(session, a_region_counts_to_its_last_byte)
{
    static const struct xinv_reserved_region bytes[] = {{0x5fff, 0x7000, 0}};
    struct xinv_session_config config = rig_config(1);
    struct xinv_endpoint e = rig_endpoint(8, 0, S2);

    e.reserved = bytes;
    e.n_reserved = 1;
    rig_platform(&r, 0, "intel-vtd-legacy", NULL, 0);
    rig_open(&r, &config);
    rig_add(&r, &e);
    cr_assert_eq(rig_attach(&r, 1, 8, 0), XINV_VIRTIO_OK);
    cr_assert_eq(rig_map(&r, 1, 0x7000, 0x7fff, 0), XINV_VIRTIO_INVAL);
    cr_assert_eq(rig_map(&r, 1, 0x5000, 0x5fff, 0), XINV_VIRTIO_INVAL);
    cr_assert_eq(rig_map(&r, 1, 0x8000, 0x8fff, 0), XINV_VIRTIO_OK);
    cr_assert_eq(rig_map(&r, 1, 0x4000, 0x4fff, 0), XINV_VIRTIO_OK);
    rig_close(&r);
}

/* ---- Calls without outputs ---- */

Test(session, without_outputs_only_the_state_changes)
{
    uint8_t b[36];
    uint8_t reply[4];
    uint32_t tag;

    open_one("arm-smmuv3-generic", S1);
    cr_assert_eq(xinv_session_request(r.session, b, rig_attach_bytes(b, 1, 8, 0), reply, 4, NULL,
                                      NULL, NULL, NULL, NULL, &r.outcome),
                 2);
    cr_assert_eq(r.outcome.iommus, 1);
    tag = rig_tag(&r, 1, 0, 0x108);
    cr_assert_eq(xinv_session_request(r.session, b, rig_detach_bytes(b, 1, 8), reply, 4, NULL, NULL,
                                      NULL, NULL, NULL, &r.outcome),
                 6);
    cr_assert_eq(r.outcome.fenced, 1);
    cr_assert_eq(rig_attach(&r, 2, 8, 0), XINV_VIRTIO_OK);
    cr_assert_neq(rig_tag(&r, 2, 0, 0x108), tag, "still to be cleaned");
    rig_close(&r);
}

Test(session, two_live_domains_never_share_a_tag)
{
    static const char *const platforms[] = {"arm-smmuv3-generic", "intel-vtd-scalable",
                                            "amd-vi-generic"};

    for (unsigned p = 0; p < 3; p++)
        for (uint8_t stage = S1; stage <= S2; stage++) {
            struct xinv_session_config config = rig_config(1);
            uint32_t tags[8];

            rig_platform(&r, 0, platforms[p], NULL, 0);
            rig_open(&r, &config);
            for (uint32_t id = 0; id < 8; id++) {
                struct xinv_endpoint e = rig_endpoint(id, 0, stage);

                rig_add(&r, &e);
                cr_assert_eq(rig_attach(&r, id, id, 0), XINV_VIRTIO_OK);
                tags[id] = rig_tag(&r, id, 0, 0x100 + id);
                for (uint32_t k = 0; k < id; k++)
                    cr_assert_neq(tags[k], tags[id]);
            }
            rig_close(&r);
        }
}

Test(session, init_checks_its_arguments)
{
    static _Alignas(16) uint8_t memory[64];
    struct xinv_session_config config = rig_config(1);
    const struct xinv_iommu *iommus[1] = {NULL};
    struct xinv_session *s;

    rig_platform(&r, 0, "arm-smmuv3-generic", NULL, 0);
    cr_assert_eq(xinv_session_init(memory, 64, &config, iommus, &s), -XINV_E_INVAL);
    iommus[0] = &r.iommu[0];
    cr_assert_eq(xinv_session_init(memory, 64, &config, iommus, &s), -XINV_E_NOSPACE);
    cr_assert_eq(xinv_session_init(memory + 8, 64, &config, iommus, &s), -XINV_E_INVAL);
    config.page_size_mask = 0;
    cr_assert_eq(xinv_session_size(&config), 0);
    config = rig_config(33);
    cr_assert_eq(xinv_session_size(&config), 0);
    config = rig_config(1);
    config.features |= XINV_VIRTIO_F_DOMAIN_RANGE;
    config.domain_start = 1;
    cr_assert_eq(xinv_session_size(&config), 0);
}
