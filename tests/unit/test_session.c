// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/* A session as a whole: its configuration, reset, endpoints without a domain, calls that fail. */
#include <criterion/criterion.h>

#include "tests/support/sessionrig.h"

#define S1 XINV_STAGE_STAGE1
#define S2 XINV_STAGE_STAGE2

static struct rig r;

Test(session, attach_creates_the_domain_and_tells_the_iommu)
{
    uint32_t domain = 0;

    rig_open_pair(&r, "arm-smmuv3-generic", S1);
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

/* ---- Calls without outputs ---- */

Test(session, without_outputs_only_the_state_changes)
{
    uint8_t b[36];
    uint8_t reply[4];
    uint32_t tag;

    rig_open_pair(&r, "arm-smmuv3-generic", S1);
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
