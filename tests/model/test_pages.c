// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/*
 * A space of 64 pages, exhausted: every range, leaf entries alone or tables as well, both stages
 * and nesting, with and without a device TLB, every policy, every built-in platform. The space lies
 * across a gigabyte boundary, so that rounding has something to round to.
 *
 * XINV_MODEL_STEP takes every n-th request (1: all); without it a slice.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/kinds.h"
#include "tests/support/modelrig.h"

#define PAGES 64
#define BASE  UINT64_C(0x3ffe0000) /* 32 pages below 1 GiB */
/* of the slice; shares no factor with the loops below */
#ifdef __SANITIZE_ADDRESS__
#define STEP 331
#else
#define STEP 23
#endif

static const struct xinv_policy policies[] = {
    {.kind = XINV_POLICY_EXACT},
    {.kind = XINV_POLICY_LATENCY},
    {.kind = XINV_POLICY_AT_MOST, .blocks = 2},
};

/* What the ranges are of. */
static const struct cli_kind shapes[] = {
    {.name = "stage 1", .stage = XINV_STAGE_STAGE1, .change = XINV_CHANGE_STAGE1_PTE},
    {.name = "stage 1, ATS, PASID",
     .stage = XINV_STAGE_STAGE1,
     .change = XINV_CHANGE_STAGE1_PTE,
     .at_flags = XINV_ATT_ATS,
     .pasid = 1},
    {.name = "stage 2", .stage = XINV_STAGE_STAGE2, .change = XINV_CHANGE_STAGE2_PTE},
    {.name = "stage 2, ATS",
     .stage = XINV_STAGE_STAGE2,
     .change = XINV_CHANGE_STAGE2_PTE,
     .at_flags = XINV_ATT_ATS},
    {.name = "nested stage 1",
     .stage = XINV_STAGE_NESTED,
     .change = XINV_CHANGE_STAGE1_PTE,
     .at_flags = XINV_ATT_ATS,
     .pasid = 1},
    {.name = "nested stage 2", .stage = XINV_STAGE_NESTED, .change = XINV_CHANGE_STAGE2_PTE},
    {.name = "stage 2, mapped",
     .stage = XINV_STAGE_STAGE2,
     .change = XINV_CHANGE_STAGE2_PTE,
     .from = XINV_FROM_NOT_PRESENT},
};

#define N_SHAPES (sizeof(shapes) / sizeof(shapes[0]))

/* Leaves of a page; a larger one, of which the range is a part or which is a part of the range. */
static const struct {
    uint16_t flags;
    uint8_t log2_leaf;
} leaves[] = {
    {XINV_REQ_LEAF_ONLY | XINV_REQ_LEAVES_WITHIN, 0},
    {XINV_REQ_LEAVES_WITHIN, 0},
    {XINV_REQ_LEAF_ONLY, 21},
    {XINV_REQ_LEAF_ONLY | XINV_REQ_GLOBAL | XINV_REQ_LEAVES_WITHIN, 0},
};

#define N_LEAVES (sizeof(leaves) / sizeof(leaves[0]))

struct walk {
    unsigned step;
    unsigned long at; /* requests passed over and taken */
    unsigned long judged;
    unsigned long bad;
};

static void judge(struct modelrig *rig, struct walk *walk, const struct cli_kind *shape,
                  unsigned first, unsigned last, unsigned leaf, unsigned policy)
{
    struct xinv_attachment at;
    struct xinv_request request;

    cli_kind_request(shape, &rig->iommu, &at, &request);
    request.flags |= (uint16_t)(XINV_REQ_RANGE | leaves[leaf].flags);
    request.log2_leaf_size = leaves[leaf].log2_leaf;
    request.first = BASE + ((uint64_t)first << 12);
    request.last = BASE + ((uint64_t)last << 12) + 0xfff;
    if (modelrig_judge(rig, &at, 1, &request, &policies[policy]) == MODEL_CLEAN)
        return;
    if (walk->bad++ < 5)
        cr_expect_fail("%s, pages %u..%u, leaves %u, policy %u, %s", shape->name, first, last, leaf,
                       policy, modelrig_text(rig));
}

static void shape_pages(struct modelrig *rig, struct walk *walk, const struct cli_kind *shape)
{
    struct xinv_attachment at;
    struct xinv_request request;

    cli_kind_request(shape, &rig->iommu, &at, &request);
    if (modelrig_judge(rig, &at, 1, &request, NULL) == MODEL_CLEAN && rig->commands < 0)
        return; /* this platform has no such attachment */
    for (unsigned first = 0; first < PAGES; first++)
        for (unsigned last = first; last < PAGES; last++)
            for (unsigned leaf = 0; leaf < N_LEAVES; leaf++)
                for (unsigned policy = 0; policy < 3; policy++)
                    if (walk->at++ % walk->step == 0)
                        judge(rig, walk, shape, first, last, leaf, policy);
}

Test(pages, every_range_of_64_pages)
{
    const char *step = getenv("XINV_MODEL_STEP");
    struct walk walk = {.step = step && atoi(step) > 0 ? (unsigned)atoi(step) : STEP};
    unsigned long entries = 0;

    for (unsigned p = 0; xinv_platform_at(p); p++) {
        struct modelrig rig;

        cr_assert(modelrig_open(&rig, xinv_platform_at(p), NULL, 0));
        for (unsigned s = 0; s < N_SHAPES; s++)
            shape_pages(&rig, &walk, &shapes[s]);
        walk.judged += rig.requests - rig.refused;
        entries += rig.entries;
        modelrig_close(&rig);
    }
    printf("step %u: %lu requests judged, %lu entries\n", walk.step, walk.judged, entries);
    cr_expect_eq(walk.bad, 0);
}
