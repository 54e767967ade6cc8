// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/* ATTACH and DETACH. */
#include <criterion/criterion.h>

#include "tests/support/sessionrig.h"

#define S1 XINV_STAGE_STAGE1
#define S2 XINV_STAGE_STAGE2

static struct rig r;

Test(session, a_second_endpoint_joins_the_domain_and_its_tag)
{
    rig_open_pair(&r, "arm-smmuv3-generic", S1);
    cr_assert_eq(rig_attach(&r, 5, 8, 0), XINV_VIRTIO_OK);
    cr_assert_eq(rig_attach(&r, 5, 9, 0), XINV_VIRTIO_OK);
    cr_assert_eq(rig_tag(&r, 5, 0, 0x108), rig_tag(&r, 5, 0, 0x109));
    cr_assert_eq(xinv_session_attachments(r.session, 5, 0, NULL, 0), 2);
    rig_close(&r);
}

Test(session, attach_to_its_own_domain_does_nothing)
{
    rig_open_pair(&r, "arm-smmuv3-generic", S1);
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

        rig_open_pair(&r, leaving[i].platform, S2);
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

        rig_open_pair(&r, leaving[i].platform, S2);
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
    rig_open_pair(&r, "arm-smmuv3-generic", S1);
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
    rig_open_pair(&r, "arm-smmuv3-generic", S2);
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

/* SMMUv3 4.3.1: with Leaf = 1 a level 1 stream table descriptor stays, and the STE's table may have
 * come or gone. */
Test(session, an_entry_is_removed_with_the_table_that_it_is_in)
{
    rig_open_pair(&r, "arm-smmuv3-generic", S2);
    cr_assert_eq(rig_attach(&r, 1, 8, 0), XINV_VIRTIO_OK);
    cr_assert_not_null(rig_find(&r, 0, "CFGI_STE", "Leaf", 0));
    cr_assert_eq(rig_detach(&r, 1, 8), XINV_VIRTIO_OK);
    cr_assert_not_null(rig_find(&r, 0, "CFGI_STE", "Leaf", 0));
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

    rig_open_pair(&r, "intel-vtd-legacy", S2);
    cr_assert_eq(xinv_session_add_endpoint(r.session, &e), -XINV_E_EXIST);
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
