// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/*
 * Sessions whose obvious plan is wrong: one domain on two IOMMUs, and an endpoint that is
 * refused because a later change could not be said.
 */
#include <criterion/criterion.h>
#include <string.h>

#include "tests/support/hardcase.h"
#include "tests/support/sessionrig.h"

#define FIRST 0x40003000
#define LAST  0x40025fff /* 35 pages */

static struct rig r;
static struct hardcase h;

/* The commands of one IOMMU as a trial of the session's own attachments of a domain. */
static void take(uint32_t iommu, uint32_t domain)
{
    int n;

    memset(&h.trial, 0, sizeof(h.trial));
    h.trial.iommu = r.iommu[iommu];
    n = xinv_session_attachments(r.session, domain, iommu, h.trial.at, TRIAL_ATTACHMENTS);
    cr_assert_gt(n, 0);
    h.trial.n = (size_t)n;
    h.trial.request = (struct xinv_request){.change = XINV_CHANGE_STAGE2_PTE,
                                            .flags = XINV_REQ_RANGE | XINV_REQ_LEAF_ONLY,
                                            .first = FIRST,
                                            .last = LAST};
    h.trial.report = r.reports[iommu];
    h.trial.out = r.outs[iommu];
    cr_assert_leq(h.trial.out.n_words, TRIAL_COMMANDS * 4);
    memcpy(h.trial.words, r.words[iommu], h.trial.out.n_words * sizeof(uint64_t));
    memcpy(h.trial.steps, r.steps[iommu], h.trial.out.n_steps * sizeof(struct xinv_step));
    trial_decode(&h.trial);
    oracle_begin(&h.oracle, &h.trial);
    oracle_read(&h.oracle, &h.trial);
    oracle_stale_by_table(&h.oracle, &h.trial);
}

/* Domain 1 on both IOMMUs; on the second one another domain came first, so its tags differ. */
static void two_iommus(const char *first, const char *second)
{
    static const struct xinv_unmap_hint leaf = {.known = 1, .leaf_only = 1};
    struct xinv_session_config config = rig_config(2);
    struct xinv_endpoint e[3] = {rig_endpoint(8, 0, XINV_STAGE_STAGE2),
                                 rig_endpoint(9, 1, XINV_STAGE_STAGE2),
                                 rig_endpoint(10, 1, XINV_STAGE_STAGE2)};

    rig_platform(&r, 0, first, NULL, 0);
    rig_platform(&r, 1, second, NULL, 0);
    rig_open(&r, &config);
    for (unsigned i = 0; i < 3; i++)
        rig_add(&r, &e[i]);
    cr_assert_eq(rig_attach(&r, 2, 10, 0), XINV_VIRTIO_OK);
    cr_assert_eq(rig_attach(&r, 1, 8, 0), XINV_VIRTIO_OK);
    cr_assert_eq(rig_attach(&r, 1, 9, 0), XINV_VIRTIO_OK);
    cr_assert_eq(rig_map(&r, 1, FIRST, LAST, 0x1000), XINV_VIRTIO_OK);
    rig_complete(&r);
    r.hint = &leaf;
    cr_assert_eq(rig_unmap(&r, 1, FIRST, LAST), XINV_VIRTIO_OK);
}

Test(algebra, a_domain_on_two_iommus_is_removed_under_each_ones_own_tag_and_by_its_own_rows)
{
    two_iommus("intel-vtd-legacy", "intel-vtd-client-graphics");
    take(0, 1);
    /* 0x40003000 to 0x40025fff in aligned blocks: 1, 4, 8, 16, 4 and 2 pages */
    cr_expect_eq(h.trial.at[0].did, 2);
    cr_expect(rig_covers_exactly(&r, 0, "iotlb", "DID", 2, FIRST, LAST));
    cr_expect(rig_covers_exactly(&r, 0, "dev_tlb", "SID", 0x108, FIRST, LAST));
    cr_expect_eq(r.n_cmd[0], 6 + 6 + 1);
    hardcase_expect_clean(&h);
    hardcase_expect_report(&h, 0, 0, IN(DEVICE_TLB), 0);

    /* the other has no page-selective invalidation (CAP.PSI = 0), but Device-TLBs */
    take(1, 1);
    cr_expect_eq(h.trial.at[0].did, 3);
    cr_expect_not_null(rig_find(&r, 1, "iotlb", "G", 2));
    cr_expect_not_null(rig_find(&r, 1, "iotlb", "DID", 3));
    cr_expect(rig_covers_exactly(&r, 1, "dev_tlb", "SID", 0x109, FIRST, LAST));
    cr_expect_eq(r.n_cmd[1], 1 + 6 + 1);
    hardcase_expect_clean(&h);
    hardcase_expect_report(&h, ADDRESS, IN(STAGE2), IN(DEVICE_TLB), 0);
    rig_close(&r);
}

Test(algebra, a_domain_on_two_iommus_takes_ranges_on_the_one_that_has_them)
{
    two_iommus("arm-smmuv3-ril", "arm-smmuv3-generic");
    take(0, 1);
    /* 35 pages: 32 and 3 (SMMUv3 4.4.1.1), a SYNC, six ATC blocks, a SYNC */
    cr_expect_eq(h.trial.at[0].vmid, 1);
    cr_expect(rig_covers_exactly(&r, 0, "TLBI_S2_IPA", "VMID", 1, FIRST, LAST));
    cr_expect_eq(r.n_cmd[0], 2 + 1 + 6 + 1);
    hardcase_expect_clean(&h);

    take(1, 1);
    cr_expect_eq(h.trial.at[0].vmid, 2);
    cr_expect(rig_covers_exactly(&r, 1, "TLBI_S2_IPA", "VMID", 2, FIRST, LAST));
    cr_expect_eq(r.n_cmd[1], 35 + 1 + 6 + 1);
    hardcase_expect_clean(&h);
    rig_close(&r);
}

/* ---- A guest's own PASIDs, with ATS ---- */

/* 0 where the session takes the endpoint and attaches it, the error of its refusal otherwise. */
static int use_with_unknown_pasids(const char *platform, uint8_t flags)
{
    struct xinv_session_config config = rig_config(1);
    struct xinv_endpoint e = rig_endpoint(8, 0, XINV_STAGE_STAGE2);
    int ret;

    e.flags = flags | XINV_ATT_PASIDS_UNKNOWN;
    rig_platform(&r, 0, platform, NULL, 0);
    rig_open(&r, &config);
    ret = xinv_session_add_endpoint(r.session, &e);
    if (!ret)
        cr_expect_eq(rig_attach(&r, 1, 8, 0), XINV_VIRTIO_OK);
    rig_close(&r);
    return ret;
}

Test(algebra, an_endpoint_whose_tagged_device_tlb_entries_no_command_removes_is_refused)
{
    cr_expect_eq(use_with_unknown_pasids("amd-vi-generic", XINV_ATT_ATS), -XINV_E_UNSUPP);
    cr_expect_eq(use_with_unknown_pasids("arm-smmuv3-generic", XINV_ATT_ATS), -XINV_E_UNSUPP);
}

Test(algebra, an_endpoint_with_unknown_pasids_is_attached_where_one_command_removes_every_pasid)
{
    cr_expect_eq(use_with_unknown_pasids("intel-vtd-scalable", XINV_ATT_ATS), 0);
}

Test(algebra, an_endpoint_with_unknown_pasids_is_attached_where_it_has_no_device_tlb)
{
    cr_expect_eq(use_with_unknown_pasids("amd-vi-generic", 0), 0);
}
