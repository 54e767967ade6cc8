// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/*
 * What a row removes beyond a request, and which operands it can have, on tables of one or two
 * rows. The cache is stage 1 with 2^8 entries, all leaf, of one class; 2^2 ASIDs, 2^3 DIDs share
 * it, and one PASID has it to itself.
 */
#include <criterion/criterion.h>

#include "core/cover.h"

#define PASID XINV_TAG_BIT(XINV_TAG_PASID)
#define ASID  XINV_TAG_BIT(XINV_TAG_ASID)
#define DID   XINV_TAG_BIT(XINV_TAG_DID)
#define VMID  XINV_TAG_BIT(XINV_TAG_VMID)

#define ONE_CLASS \
    (XINV_LEVEL_LEAF | XINV_GLOBAL_NO | XINV_PASID_UNTAGGED | XINV_PRESENT | XINV_REGIME_EL1)
#define ENTRIES(n) ((uint64_t)(n) << 28) /* the unit of an excess */

#define MAX_REMOVALS 3

struct rig {
    struct xinv_vendor vendor;
    struct xinv_command_def row;
    struct xinv_removal_def removals[MAX_REMOVALS];
    struct xinv_iommu iommu;
    struct xinv_shape shape;
};

static struct rig make(void)
{
    struct rig r = {.row = {.name = "row", .phase = XINV_PHASE_STAGE1}};
    struct xinv_cache_def *c = &r.vendor.caches[XINV_CACHE_STAGE1];

    c->present = 1;
    c->tags = PASID | ASID | DID | VMID;
    c->log2_entries = 8;
    c->spread[XINV_TAG_ASID] = 2;
    c->spread[XINV_TAG_DID] = 3;
    c->axes = ONE_CLASS;
    r.vendor.n_commands = 1;
    r.iommu.commands = 1;
    r.iommu.confined = 1;
    r.iommu.reach[0] = 1u << XINV_CACHE_STAGE1;
    r.iommu.caches = 1u << XINV_CACHE_STAGE1;
    return r;
}

static void removes(struct rig *r, uint8_t match, uint8_t must)
{
    r->removals[r->row.removals.count++] =
        (struct xinv_removal_def){XINV_CACHE_STAGE1, match, must, ONE_CLASS};
    r->row.operands |= match;
}

static void needs(struct rig *r, uint8_t known, uint8_t zero)
{
    r->shape.need[r->shape.n++] = (struct xinv_need){.cache = XINV_CACHE_STAGE1,
                                                     .known = known,
                                                     .report = known,
                                                     .zero = zero,
                                                     .classes = ONE_CLASS};
}

struct excess {
    uint64_t entries;
    uint8_t must;
    uint8_t may;
};

static struct excess excess_of(struct rig *r)
{
    struct xinv_rung own = {0};

    r->vendor.commands = &r->row;
    r->vendor.removals = r->removals;
    r->iommu.vendor = &r->vendor;
    xinv_row_excess(&r->iommu, &r->shape, &own);
    return (struct excess){own.excess, own.must, own.may};
}

Test(cover, a_row_that_matches_all_that_is_known_reaches_nothing_else)
{
    struct rig r = make();
    struct excess e;

    needs(&r, PASID | DID, 0);
    removes(&r, PASID | DID, 1);
    e = excess_of(&r);
    cr_assert_eq(e.entries, 0);
    cr_assert_eq(e.must, 0);
    cr_assert_eq(e.may, 0);
}

/* Together the two match all that the need knows, and each alone reaches other entries. */
Test(cover, what_one_of_two_overlapping_removals_reaches_is_named)
{
    struct rig r = make();
    struct excess e;

    needs(&r, PASID | VMID, 0);
    removes(&r, PASID, 1);
    removes(&r, VMID, 1);
    e = excess_of(&r);
    cr_assert_eq(e.must, 1u << XINV_CACHE_STAGE1);
    cr_assert_eq(e.may, 0);
}

/* No number tells: a PASID has the cache to itself, and so the entries that go are as many. */
Test(cover, entries_of_a_tag_that_nothing_divides_are_named)
{
    struct rig r = make();
    struct excess e;

    needs(&r, PASID | DID, 0);
    removes(&r, DID, 1);
    e = excess_of(&r);
    cr_assert_eq(e.entries, 0);
    cr_assert_eq(e.must, 1u << XINV_CACHE_STAGE1);
}

Test(cover, what_may_go_is_named_apart)
{
    struct rig r = make();
    struct excess e;

    needs(&r, PASID | DID, 0);
    removes(&r, PASID | DID, 1);
    removes(&r, PASID, 0);
    e = excess_of(&r);
    cr_assert_eq(e.must, 0);
    cr_assert_eq(e.may, 1u << XINV_CACHE_STAGE1);
}

/* 256 entries, of which a DID has 32. */
Test(cover, an_entry_that_two_removals_of_a_row_take_dies_once)
{
    struct rig r = make();

    needs(&r, DID, 0);
    removes(&r, DID | ASID, 1);
    removes(&r, 0, 1);
    removes(&r, 0, 0);
    cr_assert_eq(excess_of(&r).entries, ENTRIES(256 - 32));
}

/* An ASID under a DID has 8 entries; the other need asks for all 32 of the DID. */
Test(cover, what_the_wider_of_two_needs_asks_for_is_no_excess)
{
    struct rig r = make();

    needs(&r, DID | ASID, 0);
    needs(&r, DID, 0);
    removes(&r, DID, 1);
    cr_assert_eq(excess_of(&r).entries, 0);
    cr_assert_eq(excess_of(&r).must, 0);
}

/* Neither takes all that the other does: 256 by the PASID and 64 by the ASID. */
Test(cover, a_row_removes_no_more_than_the_cache_holds)
{
    struct rig r = make();

    removes(&r, PASID, 1);
    removes(&r, ASID, 1);
    cr_assert_eq(excess_of(&r).entries, ENTRIES(256));
}

static void find(struct rig *r, struct xinv_candidates *found)
{
    static struct xinv_rung rung[XINV_MAX_CANDIDATES];

    (void)excess_of(r); /* joins the parts */
    xinv_candidates_find(&r->iommu, &r->shape, rung, found);
    for (unsigned i = 0; i < found->n; i++)
        found->commands[i] = 1;
}

/* One need asks for entries under its PASID and its DID, the other for those under PASID 0 and DID
 * 0: the first's PASID with DID 0 removes both, in one command. */
Test(cover, a_row_takes_the_pasid_of_one_need_and_the_did_of_another)
{
    struct rig r = make();
    struct xinv_candidates found;
    struct xinv_cover best;

    needs(&r, PASID | ASID | DID, 0);
    needs(&r, PASID | ASID | DID, PASID | DID);
    removes(&r, PASID, 1);
    removes(&r, DID, 1);
    find(&r, &found);
    cr_assert(xinv_cover_best(&found, NULL, &best));
    cr_assert_eq(best.price.commands, 1);
}

/* The need with DID 0 is covered by none of these, yet its DID is the one that takes nothing beyond
 * the request. Any other DID has 32 entries, 8 of them under the ASID. */
Test(cover, operands_may_be_those_of_a_need_that_the_row_does_not_cover)
{
    struct rig r = make();
    struct xinv_candidates found;

    needs(&r, ASID, 0);
    needs(&r, DID, DID);
    removes(&r, ASID, 1);
    removes(&r, DID, 0);
    find(&r, &found);
    cr_assert_eq(found.n, 2);
    cr_assert_eq(found.c[0].excess, ENTRIES(32 - 8));
    cr_assert_eq(found.c[1].excess, 0);
    cr_assert_eq(xinv_choice_zero(found.c[1].choice), DID);
    cr_assert_eq(found.c[1].covers, found.c[0].covers);
}

/*
 * Eight rows tell all 64 classes of the first need apart, so that there is no room left to split
 * the second one. Each takes some of its classes, and none takes them all.
 */
Test(cover, without_room_for_parts_of_a_need_no_part_stands_for_all)
{
    static const xinv_axes taken[] = {0xfff & ~XINV_LEVEL_WALK,   0xfff & ~XINV_GLOBAL_YES,
                                      0xfff & ~XINV_PASID_TAGGED, 0xfff & ~XINV_NOT_PRESENT,
                                      0xff | XINV_REGIME_EL1,     0xff | XINV_REGIME_EL2,
                                      0xff | XINV_REGIME_SECURE,  0xff | XINV_REGIME_REALM};
    struct xinv_command_def rows[8];
    struct xinv_removal_def removals[8];
    struct rig r = make();
    struct xinv_rung rung[XINV_MAX_CANDIDATES];
    struct xinv_candidates found;
    struct xinv_cover best;

    needs(&r, PASID, 0);
    needs(&r, DID, 0);
    r.shape.need[0].classes = r.shape.need[1].classes = 0xfff;
    for (uint8_t i = 0; i < 8; i++) {
        rows[i] = (struct xinv_command_def){
            .name = "row", .phase = XINV_PHASE_STAGE1, .removals = {i, 1}};
        removals[i] = (struct xinv_removal_def){XINV_CACHE_STAGE1, 0, 1, taken[i]};
        r.iommu.reach[i] = 1u << XINV_CACHE_STAGE1;
    }
    r.vendor.commands = rows;
    r.vendor.removals = removals;
    r.vendor.n_commands = 8;
    r.vendor.caches[XINV_CACHE_STAGE1].axes = 0xfff;
    r.iommu.commands = r.iommu.confined = 0xff;
    r.iommu.vendor = &r.vendor;
    xinv_candidates_find(&r.iommu, &r.shape, rung, &found);
    cr_assert_eq(found.end[1], XINV_MAX_ATOMS);
    for (unsigned i = 0; i < found.n; i++)
        found.commands[i] = 1;
    cr_assert_not(xinv_cover_best(&found, NULL, &best));
}
