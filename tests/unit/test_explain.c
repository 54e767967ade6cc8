// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/* What xinv_explain() says of a plan: needs, candidates, the choice, and why a row is none. */
#include <criterion/criterion.h>
#include <string.h>

#include "core/explain.h"

static struct xinv_iommu iommu_of(const char *name)
{
    const struct xinv_platform *platform = xinv_platform_find(name);
    struct xinv_iommu iommu;

    cr_assert_not_null(platform, "%s", name);
    cr_assert_eq(xinv_iommu_init(&iommu, platform, NULL, NULL, 0), 0);
    return iommu;
}

/* A page unmapped under nesting by the host: SMMUv3 finds combined entries by VMID only. */
static const struct xinv_attachment nested = {.stage = XINV_STAGE_NESTED,
                                              .known = XINV_TAG_BIT(XINV_TAG_RID) |
                                                       XINV_TAG_BIT(XINV_TAG_VMID),
                                              .rid = 0x310,
                                              .vmid = 5};
static const struct xinv_request s2_page = {.change = XINV_CHANGE_STAGE2_PTE,
                                            .flags = XINV_REQ_RANGE | XINV_REQ_LEAF_ONLY,
                                            .first = 0x40000000,
                                            .last = 0x40000fff};

/* The row of that name in the vendor's table. */
static unsigned row_of(const struct xinv_iommu *iommu, const char *op)
{
    for (unsigned i = 0; i < iommu->vendor->n_commands; i++)
        if (!strcmp(iommu->vendor->backend->op_names[iommu->vendor->commands[i].op], op))
            return i;
    cr_assert(false, "no row %s", op);
    return 0;
}

Test(explain, answers_as_translate_does)
{
    struct xinv_iommu iommu = iommu_of("arm-smmuv3-generic");
    struct xinv_explanation e;
    uint64_t words[2][16];
    struct xinv_step steps[2][32];
    struct xinv_report report[2];
    struct xinv_out out[2];

    memset(words, 0, sizeof(words));
    for (unsigned i = 0; i < 2; i++)
        out[i] = (struct xinv_out){
            .words = words[i], .steps = steps[i], .cap_words = 16, .cap_steps = 32};
    cr_assert_eq(xinv_translate(&iommu, &nested, 1, &s2_page, NULL, NULL, &out[0], &report[0]), 4);
    cr_assert_eq(xinv_explain(&iommu, &nested, 1, &s2_page, NULL, NULL, &out[1], &report[1], &e),
                 4);
    cr_assert_arr_eq(words[0], words[1], sizeof(words[0]));
    cr_assert_eq(memcmp(&report[0], &report[1], sizeof(report[0])), 0);
}

Test(explain, keeps_the_needs_and_the_choice)
{
    struct xinv_iommu iommu = iommu_of("arm-smmuv3-generic");
    struct xinv_explanation e;
    struct xinv_out out = {0};

    cr_assert_gt(xinv_explain(&iommu, &nested, 1, &s2_page, NULL, NULL, &out, NULL, &e), 0);
    cr_assert_eq(e.n, 1);
    cr_assert_eq(e.more, false);
    cr_assert_eq(e.shape[0].covered, true);
    cr_assert_eq(e.shape[0].shape.n, 2);
    cr_assert_eq(e.shape[0].shape.need[0].cache, XINV_CACHE_STAGE2);
    cr_assert_eq(e.shape[0].shape.need[1].cache, XINV_CACHE_NESTED);
    /* combined entries have no IPA: the address is known to the request, not to the need */
    cr_assert_eq(e.shape[0].shape.need[1].known, XINV_TAG_BIT(XINV_TAG_VMID));
    cr_assert_eq(e.shape[0].shape.need[1].report & XINV_TAG_BIT(XINV_TAG_ADDRESS),
                 XINV_TAG_BIT(XINV_TAG_ADDRESS));
    cr_assert_eq(e.shape[0].chosen.n, 2);
    cr_assert_eq(xinv_choice_row(e.shape[0].found.c[e.shape[0].chosen.chosen[0]].choice),
                 row_of(&iommu, "tlbi_s2_ipa") + 1, "the form with Leaf = 1");
}

Test(explain, one_shape_for_attachments_that_are_alike)
{
    struct xinv_iommu iommu = iommu_of("arm-smmuv3-generic");
    struct xinv_attachment at[3] = {nested, nested, nested};
    struct xinv_explanation e;
    struct xinv_out out = {0};

    at[1].rid = 0x320;
    at[2].rid = 0x330;
    at[2].flags = XINV_ATT_ATS;
    cr_assert_gt(xinv_explain(&iommu, at, 3, &s2_page, NULL, NULL, &out, NULL, &e), 0);
    cr_assert_eq(e.n, 2);
    cr_assert_eq(e.shape[0].at, 0);
    cr_assert_eq(e.shape[1].at, 2);
}

Test(explain, says_how_far_it_came_where_nothing_covers)
{
    struct xinv_iommu iommu = iommu_of("amd-vi-generic");
    struct xinv_attachment at = {.stage = XINV_STAGE_NESTED,
                                 .flags = XINV_ATT_ATS | XINV_ATT_PASIDS_UNKNOWN,
                                 .known = XINV_TAG_BIT(XINV_TAG_RID) | XINV_TAG_BIT(XINV_TAG_DID)};
    struct xinv_explanation e;
    struct xinv_out out = {0};
    uint8_t tags;
    const struct xinv_need *open;

    cr_assert_eq(xinv_explain(&iommu, &at, 1, &s2_page, NULL, NULL, &out, NULL, &e),
                 -XINV_E_MUST_BLOCK);
    cr_assert_eq(e.n, 1);
    cr_assert_eq(e.shape[0].covered, false);
    open = &e.shape[0].shape.need[xinv_cover_open(&e.shape[0].found)];
    cr_assert_eq(open->cache, XINV_CACHE_DEVICE_TLB);
    cr_assert_eq(xinv_row_obstacle(&iommu, &e.shape[0].shape, open,
                                   row_of(&iommu, "iotlb_pasid_all"), &tags),
                 XINV_ROW_UNKNOWN_TAG);
    cr_assert_eq(tags, XINV_TAG_BIT(XINV_TAG_PASID));
}

Test(explain, obstacles_of_rows)
{
    struct xinv_iommu iommu = iommu_of("arm-smmuv3-generic");
    struct xinv_explanation e;
    struct xinv_out out = {0};
    const struct xinv_shape *shape = &e.shape[0].shape;
    uint8_t tags;

    cr_assert_gt(xinv_explain(&iommu, &nested, 1, &s2_page, NULL, NULL, &out, NULL, &e), 0);
    cr_assert_eq(
        xinv_row_obstacle(&iommu, shape, &shape->need[1], row_of(&iommu, "tlbi_nh_all"), &tags),
        XINV_ROW_COVERS);
    cr_assert_eq(
        xinv_row_obstacle(&iommu, shape, &shape->need[1], row_of(&iommu, "cfgi_ste"), &tags),
        XINV_ROW_UNRELATED);
    cr_assert_eq(
        xinv_row_obstacle(&iommu, shape, &shape->need[1], row_of(&iommu, "tlbi_nsnh_all"), &tags),
        XINV_ROW_BEYOND, "it removes entries of every VMID");
    cr_assert_eq(
        xinv_row_obstacle(&iommu, shape, &shape->need[1], row_of(&iommu, "tlbi_nh_asid"), &tags),
        XINV_ROW_UNKNOWN_TAG);
    cr_assert_eq(tags, XINV_TAG_BIT(XINV_TAG_ASID));
    iommu = iommu_of("nvidia-tegra241-cmdqv");
    cr_assert_eq(
        xinv_row_obstacle(&iommu, shape, &shape->need[1], row_of(&iommu, "tlbi_nh_all"), &tags),
        XINV_ROW_MISSING, "a guest's queue takes four commands");
}

Test(explain, arguments_are_checked)
{
    struct xinv_iommu iommu = iommu_of("arm-smmuv3-generic");
    struct xinv_out out = {0};

    cr_assert_eq(xinv_explain(&iommu, &nested, 1, &s2_page, NULL, NULL, &out, NULL, NULL),
                 -XINV_E_INVAL);
}
