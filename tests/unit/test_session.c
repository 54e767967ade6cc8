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
