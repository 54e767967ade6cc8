// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/*
 * A space of 64 pages, exhausted: every range, of every granule that SMMUv3 tables have; leaf
 * entries alone or tables as well, of pages or of larger leaves, global or not; both stages and
 * nesting, with and without a device TLB and PASID, with E2H; changes and explicit requests of
 * every scope; every policy, every built-in platform. The space lies across a boundary of the
 * largest leaf, so that rounding has something to round to.
 *
 * XINV_MODEL_STEP takes every n-th request (1: all), XINV_SEED says which; without them a slice.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "cli/kinds.h"
#include "tests/support/hardware.h"
#include "tests/support/hashset.h"
#include "tests/support/modelrig.h"
#include "tests/support/random.h"

#define PAGES 64
/* of the slice; shares no factor with the loops below */
#ifdef __SANITIZE_ADDRESS__
#define STEP 1999
#else
#define STEP 211
#endif

static const struct xinv_policy policies[] = {
    {.kind = XINV_POLICY_EXACT},
    {.kind = XINV_POLICY_LATENCY},
    {.kind = XINV_POLICY_AT_MOST, .blocks = 2},
};

#define ATS XINV_ATT_ATS
#define S1  .stage = XINV_STAGE_STAGE1, .change = XINV_CHANGE_STAGE1_PTE
#define S2  .stage = XINV_STAGE_STAGE2, .change = XINV_CHANGE_STAGE2_PTE
#define N1  .stage = XINV_STAGE_NESTED, .change = XINV_CHANGE_STAGE1_PTE
#define N2  .stage = XINV_STAGE_NESTED, .change = XINV_CHANGE_STAGE2_PTE
#define OF(what, where)                                                         \
    .caches = XINV_INV_IOTLB | XINV_INV_DEVICE_TLB, .scope = XINV_SCOPE_##what, \
    .stage = XINV_STAGE_##where

/* What the ranges are of. */
static const struct cli_kind shapes[] = {
    {.name = "stage 1", S1},
    {.name = "stage 1, ATS, PASID", S1, .at_flags = ATS, .pasid = 1},
    {.name = "stage 1, ATS, endpoints with PASIDs", S1, .at_flags = ATS | XINV_ATT_PASID_ENABLED},
    {.name = "stage 2", S2},
    {.name = "stage 2, ATS", S2, .at_flags = ATS},
    {.name = "nested stage 1", N1, .at_flags = ATS, .pasid = 1},
    {.name = "nested stage 1, ASID not known", N1, .no_asid = 1},
    {.name = "nested stage 2", N2},
    {.name = "nested stage 2, ATS, PASID", N2, .at_flags = ATS, .pasid = 1},
    {.name = "stage 1, mapped", S1, .from = XINV_FROM_NOT_PRESENT},
    {.name = "stage 2, mapped", S2, .from = XINV_FROM_NOT_PRESENT},
    {.name = "nested stage 2, mapped", N2, .from = XINV_FROM_NOT_PRESENT},
    {.name = "address scope, stage 1", OF(ADDRESS, STAGE1), .at_flags = ATS},
    {.name = "address scope, stage 2", OF(ADDRESS, STAGE2), .at_flags = ATS},
    {.name = "address scope, nested", OF(ADDRESS, NESTED), .at_flags = ATS, .pasid = 1},
    {.name = "address scope, nested, PASID and ASID named",
     OF(ADDRESS, NESTED),
     .at_flags = ATS,
     .pasid = 1,
     .flags = XINV_REQ_PASID | XINV_REQ_ASID},
    {.name = "PASID scope", OF(PASID, STAGE1), .at_flags = ATS, .pasid = 1},
    {.name = "domain scope", OF(DOMAIN, STAGE2), .at_flags = ATS},
};

#define N_SHAPES (sizeof(shapes) / sizeof(shapes[0]))

#define LEAF   XINV_REQ_LEAF_ONLY
#define WITHIN XINV_REQ_LEAVES_WITHIN
#define GLOBAL XINV_REQ_GLOBAL

/* Leaves of a page, or `level` levels larger, of which the range is a part or which are parts of
 * the range; where `only`, there are no smaller ones. */
static const struct {
    uint16_t flags;
    uint8_t level;
    bool only;
} leaves[] = {
    {LEAF | WITHIN, 0, false},
    {WITHIN, 0, false},
    {LEAF | GLOBAL | WITHIN, 0, false},
    {GLOBAL | WITHIN, 0, false},
    {LEAF, 1, false},
    {LEAF, 1, true},
    {0, 1, false},
    {LEAF | GLOBAL, 1, false},
    {LEAF, 2, false},
    {LEAF, 2, true},
};

#define N_LEAVES (sizeof(leaves) / sizeof(leaves[0]))

struct walk {
    unsigned step;
    unsigned long offset;
    unsigned long at; /* requests passed over and taken */
    unsigned long judged;
    unsigned long entries;
    unsigned bad;
    unsigned long distinct; /* platform, request, commands */
    struct hashset seen;    /* of the platform at hand */
};

/* The library's answer is a function of these: what is judged twice counts once. */
static void remember(struct walk *walk, const struct modelrig *rig,
                     const struct xinv_attachment *at, const struct xinv_request *request)
{
    uint64_t hash =
        hash_of(HASH_START, rig->iommu.platform->name, strlen(rig->iommu.platform->name));

    hash = hash_of(hash, &rig->config.e2h, sizeof(rig->config.e2h));
    hash = hash_of(hash, at, offsetof(struct xinv_attachment, aliases));
    hash = hash_of(hash, request, sizeof(*request));
    hash = hash_of(hash, rig->out.words, rig->out.n_words * sizeof(uint64_t));
    hashset_add(&walk->seen, hash);
}

static void judge(struct modelrig *rig, struct walk *walk, const struct cli_kind *shape,
                  unsigned granule, unsigned first, unsigned last, unsigned leaf, unsigned policy)
{
    /* the largest leaf, of two levels above the page, ends in the middle */
    uint64_t base =
        (UINT64_C(1) << (granule + 2 * (granule - 3))) - ((uint64_t)PAGES / 2 << granule);
    struct xinv_attachment at;
    struct xinv_request request;

    memset(&at, 0, sizeof(at));
    memset(&request, 0, sizeof(request));
    cli_kind_request(shape, &rig->iommu, &at, &request);
    request.flags |= (uint16_t)(XINV_REQ_RANGE | leaves[leaf].flags);
    request.log2_granule = granule == 12 ? 0 : (uint8_t)granule;
    request.log2_leaf_size = (uint8_t)(granule + leaves[leaf].level * (granule - 3));
    if (leaves[leaf].only)
        request.log2_smallest_leaf = request.log2_leaf_size;
    request.first = base + ((uint64_t)first << granule);
    request.last = base + ((uint64_t)(last + 1) << granule) - 1;
    request.pasid = request.flags & XINV_REQ_PASID ? at.pasid : 0;
    request.asid = request.flags & XINV_REQ_ASID ? at.asid : 0;
    if (shape->scope != XINV_SCOPE_ADDRESS && shape->caches)
        request.flags &= (uint16_t)~XINV_REQ_RANGE;
    if (modelrig_judge(rig, &at, 1, &request, &policies[policy]) != MODEL_CLEAN && walk->bad++ < 5)
        cr_expect_fail("%s, granule %u, pages %u..%u, leaves %u, policy %u, %s", shape->name,
                       granule, first, last, leaf, policy, modelrig_text(rig));
    if (rig->commands >= 0)
        remember(walk, rig, &at, &request);
}

static void shape_pages(struct modelrig *rig, struct walk *walk, const struct cli_kind *shape,
                        unsigned granule)
{
    bool one = shape->caches && shape->scope != XINV_SCOPE_ADDRESS; /* it has no range */
    unsigned pages = one ? 1 : PAGES;
    struct xinv_attachment at;
    struct xinv_request request;

    cli_kind_request(shape, &rig->iommu, &at, &request);
    if (!one) {
        request.flags |= XINV_REQ_RANGE;
        request.last = 0xfff;
    }
    if (modelrig_judge(rig, &at, 1, &request, NULL) == MODEL_CLEAN && rig->commands < 0)
        return; /* this platform has no such attachment */
    for (unsigned first = 0; first < pages; first++)
        for (unsigned last = first; last < pages; last++)
            for (unsigned leaf = 0; leaf < N_LEAVES; leaf++)
                for (unsigned policy = 0; policy < 3; policy++)
                    if (walk->at++ % walk->step == walk->offset)
                        judge(rig, walk, shape, granule, first, last, leaf, policy);
}

static void every_shape(struct modelrig *rig, struct walk *walk)
{
    bool smmu = rig->config.vendor == MODEL_SMMUV3;

    /* E2H is about the host's own first stage */
    for (unsigned s = 0; s < N_SHAPES; s++)
        for (unsigned granule = 12; granule <= (smmu ? 16 : 12); granule += 2)
            if (!rig->config.e2h || shapes[s].stage == XINV_STAGE_STAGE1)
                shape_pages(rig, walk, &shapes[s], granule);
    walk->judged += rig->requests - rig->refused;
    walk->entries += rig->entries;
}

/* The platform as it is, and where it can be with E2H. */
static void every_mode(const struct xinv_platform *platform, struct walk *walk)
{
    int e2h = xinv_feature_find(platform->vendor, "E2H");
    struct xinv_setting setting = {.feature = (uint8_t)e2h, .value = 1};
    struct modelrig rig;

    cr_assert(modelrig_open(&rig, platform, NULL, 0));
    every_shape(&rig, walk);
    modelrig_close(&rig);
    if (e2h < 0 || !modelrig_open(&rig, platform, &setting, 1))
        return;
    if (rig.config.hyp)
        every_shape(&rig, walk);
    modelrig_close(&rig);
}

Test(pages, every_range_of_64_pages)
{
    struct walk walk = {.step = (unsigned)random_given("XINV_MODEL_STEP", STEP)};

    cr_assert_neq(walk.step, 0);
    walk.offset = random_given("XINV_SEED", 0) % walk.step;
    for (unsigned p = 0; hardware_at(p); p++) {
        every_mode(hardware_at(p), &walk);
        walk.distinct += walk.seen.n;
        hashset_free(&walk.seen);
    }
    printf(
        "XINV_MODEL_STEP=%u XINV_SEED=%lu: %lu requests judged, %lu distinct (platform, request, "
        "commands), %lu entries\n",
        walk.step, walk.offset, walk.judged, walk.distinct, walk.entries);
    cr_expect_eq(walk.bad, 0);
    if (walk.step == 1)
        cr_expect_gt(walk.distinct, 1000000);
}
