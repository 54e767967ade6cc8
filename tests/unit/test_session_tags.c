// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/* Host tags: from the pool or the caller's own, and when one is clean again. */
#include <criterion/criterion.h>

#include "tests/support/sessionrig.h"

#define S1 XINV_STAGE_STAGE1
#define S2 XINV_STAGE_STAGE2

static struct rig r;

Test(session, a_tag_is_handed_out_again_only_once_its_commands_have_completed)
{
    uint32_t first;
    uint64_t token;

    rig_open_pair(&r, "arm-smmuv3-generic", S1);
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
