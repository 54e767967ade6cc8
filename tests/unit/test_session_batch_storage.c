// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/* Batches: tags that they free, storage that they hold, flushes that cannot be. */
#include <criterion/criterion.h>
#include <string.h>

#include "tests/support/sessionrig.h"

#define S2    XINV_STAGE_STAGE2
#define OK    XINV_VIRTIO_OK
#define AGAIN (-XINV_E_AGAIN)

static struct rig r;

Test(session, a_tag_that_a_batch_frees_stays_out_of_use_until_the_flush_has_completed)
{
    uint64_t token;
    uint32_t tag;

    rig_open_members(&r, "intel-vtd-legacy");
    tag = rig_tag(&r, 1, 0, 0x108);
    cr_assert_eq(rig_batch_detach(&r, 1, 8), OK);
    cr_assert_eq(r.outcome.fenced, 1);
    token = r.outcome.token;
    xinv_session_complete(r.session, token);
    cr_assert_eq(rig_batch_attach(&r, 2, 9, 0), OK);
    cr_assert_neq(rig_tag(&r, 2, 0, 0x109), tag, "its commands have not been sent");
    cr_assert_gt(rig_flush(&r), 0);
    cr_assert_eq(r.outcome.token, token);
    cr_assert_eq(rig_batch_attach(&r, 3, 10, 0), OK);
    cr_assert_neq(rig_tag(&r, 3, 0, 0x10a), tag, "nor completed");
    xinv_session_complete(r.session, token);
    cr_assert_eq(rig_batch_attach(&r, 4, 11, 0), OK);
    cr_assert_eq(rig_tag(&r, 4, 0, 0x10b), tag);
    rig_close(&r);
}

Test(session, an_attach_that_only_the_batch_keeps_from_a_tag_is_asked_for_again)
{
    struct xinv_session_config config = rig_config(1);
    struct xinv_endpoint a = rig_endpoint(8, 0, S2);
    struct xinv_endpoint b = rig_endpoint(9, 0, S2);

    rig_platform(&r, 0, "intel-vtd-legacy", NULL, 0);
    rig_open(&r, &config);
    a.fixed_tag = 40;
    b.fixed_tag = 40;
    rig_add(&r, &a);
    rig_add(&r, &b);
    cr_assert_eq(rig_attach(&r, 1, 8, 0), OK);
    cr_assert_eq(rig_batch_detach(&r, 1, 8), OK);
    rig_remember(&r);
    cr_assert_eq(rig_batch_attach(&r, 2, 9, 0), AGAIN);
    cr_assert(rig_unchanged(&r));
    cr_assert_gt(rig_flush(&r), 0);
    cr_assert_eq(rig_batch_attach(&r, 2, 9, 0), XINV_VIRTIO_NOMEM, "sent, but not completed");
    rig_complete(&r);
    xinv_session_complete(r.session, UINT64_MAX);
    cr_assert_eq(rig_batch_attach(&r, 2, 9, 0), OK);
    rig_close(&r);
}

Test(session, a_map_without_room_beside_ranges_that_wait_is_asked_for_again)
{
    static const char *const platforms[] = {"intel-vtd-legacy", "qemu-intel-caching-mode"};

    for (unsigned p = 0; p < 2; p++) {
        rig_open_members(&r, platforms[p]);
        /* the storage is full, and apart */
        for (unsigned i = 0; i < 64; i++)
            cr_assert_eq(rig_map(&r, 1, i * UINT64_C(0x10000), i * UINT64_C(0x10000) + 0xfff, 0),
                         OK);
        cr_assert_eq(rig_batch_map(&r, 1, 0x1000, 0x1fff), XINV_VIRTIO_NOMEM);
        cr_assert_eq(rig_batch_unmap(&r, 1, 0, 0x1ffff), OK);
        cr_assert_eq(rig_batch_map(&r, 1, 0x1000, 0x1fff), AGAIN);
        cr_assert_gt(rig_flush(&r), 0);
        cr_assert_eq(rig_batch_map(&r, 1, 0x1000, 0x1fff), OK);
        if (rig_flush(&r) >= 0)
            cr_assert_eq(rig_batch_map(&r, 1, 0x3000, 0x3fff), OK);
        cr_assert_geq(rig_flush(&r), 0);
        cr_assert_eq(rig_batch_map(&r, 1, 0x5000, 0x5fff), XINV_VIRTIO_NOMEM);
        cr_assert_eq(xinv_session_mappings(r.session, 1), 64);
        rig_close(&r);
    }
}

Test(session, an_unmap_of_everything_waits_as_well_as_any)
{
    rig_open_members(&r, "arm-smmuv3-ril");
    for (unsigned i = 0; i < 64; i++)
        cr_assert_eq(rig_map(&r, 1, i * UINT64_C(0x10000), i * UINT64_C(0x10000) + 0xfff, 0), OK);
    cr_assert_eq(rig_batch_unmap(&r, 1, 0, UINT64_MAX), OK);
    cr_assert_eq(xinv_session_mappings(r.session, 1), 0);
    cr_assert_eq(rig_flush(&r), 65);
    cr_assert_eq(r.reports[0].asked_pages, 64);
    for (unsigned i = 0; i < 64; i++)
        cr_assert_eq(rig_map(&r, 1, i * UINT64_C(0x10000), i * UINT64_C(0x10000) + 0xfff, 0), OK);
    rig_close(&r);
}

Test(session, a_flush_into_too_small_an_output_holds_everything_still)
{
    struct xinv_out out = {
        .words = r.words[0], .steps = r.steps[0], .cap_words = 5, .cap_steps = 8};

    rig_open_members(&r, "intel-vtd-legacy");
    rig_map_pages(&r, 1, 0x10000, 3);
    rig_batch_unmap_pages(&r, 1, 0x10000, 1);
    rig_batch_unmap_pages(&r, 1, 0x12000, 1);
    rig_remember(&r);
    memset(r.words, RIG_POISON, sizeof(r.words));
    cr_assert_eq(xinv_session_batch_flush(r.session, NULL, r.done, &out, r.reports, &r.outcome),
                 -XINV_E_NOSPACE);
    cr_assert_eq(r.reports[0].need_words, 6);
    cr_assert_eq(r.reports[0].need_steps, 2);
    cr_assert_eq(out.n_words, 0);
    cr_assert_eq(r.words[0][0], UINT64_C(0xa5a5a5a5a5a5a5a5));
    cr_assert(rig_unchanged(&r));
    cr_assert_eq(rig_flush(&r), 3);
    rig_close(&r);
}

Test(session, a_malformed_policy_of_a_flush_is_the_callers_error)
{
    struct xinv_policy bad[] = {{.kind = 9},
                                {.kind = XINV_POLICY_AT_MOST, .blocks = 0},
                                {.kind = XINV_POLICY_AT_MOST, .blocks = 17}};

    rig_open_members(&r, "intel-vtd-legacy");
    rig_map_pages(&r, 1, 0x10000, 2);
    rig_batch_unmap_pages(&r, 1, 0x10000, 1);
    for (unsigned i = 0; i < 3; i++) {
        r.policy = &bad[i];
        cr_assert_eq(rig_flush(&r), -XINV_E_INVAL);
    }
    r.policy = NULL;
    cr_assert_eq(rig_flush(&r), 2);
    rig_close(&r);
}

Test(session, a_flush_without_outputs_takes_note_only)
{
    rig_open_members(&r, "intel-vtd-legacy");
    rig_map_pages(&r, 1, 0x10000, 2);
    rig_batch_unmap_pages(&r, 1, 0x10000, 1);
    cr_assert_eq(xinv_session_batch_flush(r.session, NULL, r.done, NULL, NULL, &r.outcome), 2);
    cr_assert_eq(r.outcome.iommus, 1);
    cr_assert_eq(rig_flush(&r), 0);
    cr_assert_eq(rig_map(&r, 1, 0x10000, 0x10fff, 0), OK);
    rig_close(&r);
}

Test(session, ranges_with_other_hints_are_not_made_one)
{
    struct xinv_unmap_hint leaves = {.known = 1, .leaf_only = 1, .log2_leaf_size = 12};

    rig_open_members(&r, "arm-smmuv3-ril");
    rig_map_pages(&r, 1, 0x10000, 2);
    rig_batch_unmap_pages(&r, 1, 0x10000, 1);
    r.hint = &leaves;
    rig_batch_unmap_pages(&r, 1, 0x11000, 1);
    cr_assert_eq(rig_flush(&r), 3);
    cr_assert_eq(refdec_field(&r.cmd[0][0], "Leaf"), 0);
    cr_assert_eq(refdec_field(&r.cmd[0][1], "Leaf"), 1);
    rig_close(&r);
}
