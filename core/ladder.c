// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
#include "core/ladder.h"

#include "core/mem.h"

#include "core/shape.h"
#include "core/tags.h"

/*
 * All that a shape depends on, as one number: xinv_shape_build() reads nothing else of a request
 * and an attachment. Never 0.
 */
static uint64_t key_of(const struct xinv_ladders *all, const struct xinv_request *r,
                       const struct xinv_attachment *at, bool has_pasids)
{
    const uint16_t flags = XINV_REQ_LEAF_ONLY | XINV_REQ_GLOBAL | XINV_REQ_PASID |
                           XINV_REQ_NEW_DID | XINV_REQ_BEYOND | XINV_REQ_ENUMERATED;
    uint8_t from = r->from ? r->from : XINV_FROM_PRESENT;
    bool pasid_zero = (at->known & PASID_BIT) && !at->pasid;
    uint8_t tags = r->flags & XINV_REQ_ENUMERATED ? 0xff : all->tags[r->change];

    return (uint64_t)(at->known & tags) | (uint64_t)at->stage << 8 |
           (uint64_t)(at->flags & (XINV_ATT_ATS | XINV_ATT_PASIDS_UNKNOWN)) << 12 |
           (uint64_t)pasid_zero << 16 | (uint64_t)(pasid_zero && has_pasids) << 17 |
           (uint64_t)xinv_request_ranged(r) << 18 | (uint64_t)r->change << 20 |
           (uint64_t)from << 24 | (uint64_t)(r->flags & flags) << 32 | UINT64_C(1) << 63;
}

bool xinv_ladder_find(const struct xinv_iommu *iommu, const struct xinv_request *request,
                      const struct xinv_attachment *at, bool has_pasids,
                      struct xinv_candidates *found)
{
    const struct xinv_ladders *all = iommu->ladders;
    const struct xinv_ladder *ladder;
    uint64_t key;

    if (!all || (request->flags & XINV_REQ_INVALIDATE))
        return false;
    key = key_of(all, request, at, has_pasids);
    for (ladder = all->ladder; ladder < all->ladder + all->n; ladder++)
        if (ladder->key == key) {
            found->c = &all->rung[ladder->first];
            found->atoms = ladder->atoms;
            found->n = ladder->n;
            return true;
        }
    return false;
}

/* Set-up. */

struct setup {
    struct xinv_ladders *all;
    const struct xinv_iommu *iommu;
    bool both; /* what an endpoint without a device TLB needs follows from what one with it does */
};

/* Keeps a ladder: those of the candidates that cover some of the atoms. */
static void keep(struct xinv_ladders *all, uint64_t key, uint32_t atoms,
                 const struct xinv_candidates *found)
{
    struct xinv_ladder *ladder = &all->ladder[all->n];

    if (!atoms || all->n == XINV_MAX_LADDERS || found->n > XINV_MAX_RUNGS - all->n_rungs)
        return;
    *ladder = (struct xinv_ladder){.key = key, .atoms = atoms, .first = all->n_rungs};
    for (unsigned i = 0; i < found->n; i++)
        if (found->c[i].covers & atoms) {
            all->rung[all->n_rungs++] = found->c[i];
            ladder->n++;
        }
    all->n++;
}

/* Caches that a row removes from, certainly or not. */
static uint8_t touched(const struct xinv_vendor *v, unsigned row)
{
    const struct xinv_command_def *cmd = &v->commands[row];
    uint8_t caches = 0;

    for (unsigned i = 0; i < cmd->removals.count; i++)
        caches |= (uint8_t)(1u << v->removals[cmd->removals.first + i].cache);
    return caches;
}

/* Is every need of a device TLB one of endpoints that have it on? */
static bool needs_of_ats_alone(const struct xinv_vendor *v)
{
    for (unsigned i = 0; i < v->n_changes; i++)
        for (unsigned k = 0; k < v->changes[i].needs.count; k++) {
            const struct xinv_need_def *need = &v->needs[v->changes[i].needs.first + k];

            if (need->cache == XINV_CACHE_DEVICE_TLB && !(need->flags & XINV_NEED_ATS))
                return false;
        }
    return true;
}

/* Is there a row for device TLBs, and none that removes from them and from another cache; and are
 * they nothing to an endpoint without one? */
static bool separate_device_tlb(const struct xinv_iommu *iommu)
{
    bool any = false;

    for (unsigned row = 0; row < iommu->vendor->n_commands; row++) {
        uint8_t reach = iommu->commands >> row & 1 ? touched(iommu->vendor, row) : 0;

        if (!(reach & (1u << XINV_CACHE_DEVICE_TLB)))
            continue;
        if (reach != 1u << XINV_CACHE_DEVICE_TLB)
            return false;
        any = true;
    }
    return any && needs_of_ats_alone(iommu->vendor);
}

/* The atoms of needs that are not of a device TLB. */
static uint32_t atoms_inside(const struct xinv_shape *shape, const struct xinv_candidates *found)
{
    uint32_t inside = 0;

    for (unsigned k = 0, a = 0; k < shape->n; k++)
        for (; a < found->end[k]; a++)
            if (shape->need[k].cache != XINV_CACHE_DEVICE_TLB)
                inside |= UINT32_C(1) << a;
    return inside;
}

/*
 * The ladder of an endpoint with a device TLB, and of one without. Its needs are the same but for
 * those of the device TLB, and so are the rows for them.
 */
static void add(struct setup *s, const struct xinv_request *request, struct xinv_attachment *at)
{
    struct xinv_ladders *all = s->all;
    struct xinv_rung rung[XINV_MAX_CANDIDATES];
    struct xinv_candidates found;
    struct xinv_shape shape;

    at->flags = s->both ? XINV_ATT_ATS : 0;
    if (xinv_shape_build(s->iommu, request, at, false, &shape) != 0 || !shape.n)
        return; /* nothing to plan */
    xinv_candidates_find(s->iommu, &shape, rung, &found);
    keep(all, key_of(all, request, at, false), found.atoms, &found);
    at->flags = 0;
    if (s->both)
        keep(all, key_of(all, request, at, false), atoms_inside(&shape, &found), &found);
}

static void change_tags(struct xinv_ladders *all, const struct xinv_vendor *v)
{
    for (unsigned i = 0; i < XINV_NCHANGES; i++)
        all->tags[i] = PASID_BIT;
    for (unsigned i = 0; i < v->n_changes; i++)
        for (unsigned k = 0; k < v->changes[i].needs.count; k++)
            all->tags[v->changes[i].change] |= v->needs[v->changes[i].needs.first + k].tags;
}

/* An attachment whose host tags are known as far as the tables say that the host hands them out. */
static struct xinv_attachment usual(const struct xinv_iommu *iommu, uint8_t stage)
{
    const struct xinv_stage_def *def = &iommu->vendor->stages[stage];
    struct xinv_attachment at = {.stage = stage,
                                 .known = XINV_TAG_BIT(XINV_TAG_RID) | def->const_tags};

    if (def->alloc == XINV_ALLOC_DOMAIN || def->alloc == XINV_ALLOC_ENDPOINT)
        at.known |= XINV_TAG_BIT(def->alloc_tag);
    if (def->pasid_required)
        at.known |= PASID_BIT;
    if (stage == XINV_STAGE_NESTED)
        at.known |= XINV_TAG_BIT(XINV_TAG_ASID); /* the guest's own, which it names */
    return at;
}

/* A page or more unmapped, with and without table pages; where it matters, mapped without PASID. */
static void add_changes(struct setup *s, struct xinv_attachment *at)
{
    struct xinv_request request = {
        .change = at->stage == XINV_STAGE_STAGE2 ? XINV_CHANGE_STAGE2_PTE : XINV_CHANGE_STAGE1_PTE,
        .flags = XINV_REQ_RANGE};

    add(s, &request, at);
    if (!at->pasid) {
        request.from = XINV_FROM_NOT_PRESENT;
        add(s, &request, at);
        request.from = XINV_FROM_PRESENT;
    }
    request.flags |= XINV_REQ_LEAF_ONLY;
    add(s, &request, at);
}

void xinv_iommu_prepare(struct xinv_iommu *iommu, struct xinv_ladders *ladders)
{
    struct setup s = {ladders, iommu, separate_device_tlb(iommu)};

    memset(ladders, 0, sizeof(*ladders));
    change_tags(ladders, iommu->vendor);
    for (uint8_t stage = XINV_STAGE_STAGE1; stage <= XINV_STAGE_NESTED; stage++) {
        struct xinv_attachment at = usual(iommu, stage);

        if (!(iommu->stages & XINV_STAGE_BIT(stage)))
            continue;
        if (iommu->untagged & XINV_STAGE_BIT(stage))
            add_changes(&s, &at);
        if (stage == XINV_STAGE_STAGE2 || !iommu->tag_bits[XINV_TAG_PASID])
            continue;
        at.known |= PASID_BIT;
        at.pasid = 1;
        add_changes(&s, &at);
    }
    iommu->ladders = ladders;
}
