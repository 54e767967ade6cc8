// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
#include "core/shape.h"

#include "core/iommu.h"

#define ADDRESS_TAGS ((uint8_t)(XINV_TAG_BIT(XINV_TAG_ADDRESS) | XINV_TAG_BIT(XINV_TAG_IPA)))
#define PASID_BIT    XINV_TAG_BIT(XINV_TAG_PASID)
#define ASID_BIT     XINV_TAG_BIT(XINV_TAG_ASID)

#define PASID_AXIS (XINV_PASID_UNTAGGED | XINV_PASID_TAGGED)

struct builder {
    const struct xinv_iommu *iommu;
    const struct xinv_request *request;
    const struct xinv_attachment *at;
    struct xinv_shape *shape;
    bool has_pasids;
    bool ranged;
};

static xinv_axes without(xinv_axes axes, xinv_axes off)
{
    return (xinv_axes)(axes & ~off);
}

/* Which classes of ATC entries an attachment's traffic makes. */
static xinv_axes atc_classes(const struct builder *b, const struct xinv_cache_def *cache)
{
    xinv_axes classes;

    if (!(b->at->known & PASID_BIT))
        return XINV_PASID_UNTAGGED;
    if (b->at->pasid)
        return XINV_PASID_TAGGED;
    /* PASID 0 may stand for requests without PASID: the table says where those end up */
    classes = (xinv_axes)(cache->pasid_zero << 4);
    if (!classes)
        classes = XINV_PASID_TAGGED;
    if ((classes & XINV_PASID_UNTAGGED) && b->has_pasids)
        classes |= XINV_PASID_TAGGED;
    if (!b->iommu->tag_bits[XINV_TAG_PASID])
        classes = XINV_PASID_UNTAGGED;
    return classes;
}

static int add(struct builder *b, const struct xinv_need_def *def, xinv_axes classes)
{
    const struct xinv_cache_def *cache = &b->iommu->vendor->caches[def->cache];
    uint8_t given = (uint8_t)(b->at->known | cache->zero | def->zero);
    struct xinv_need *need;

    if (b->shape->n == XINV_MAX_NEEDS)
        return -XINV_E_INVAL;
    need = &b->shape->need[b->shape->n++];
    if (b->ranged)
        given |= ADDRESS_TAGS;
    need->cache = def->cache;
    need->known = def->tags & given;
    need->listed = 0;
    if (b->request->flags & XINV_REQ_ENUMERATED)
        need->listed = given & (uint8_t)~ADDRESS_TAGS & cache->tags;
    need->zero = def->zero;
    need->flags = def->flags & (XINV_NEED_ALIASES | XINV_NEED_NEW_DID);
    need->classes = xinv_classes_expand(classes);
    /* what the request knew: these tags, and an address that the change itself cannot use here */
    need->report = need->known;
    if (b->ranged && !(need->report & ADDRESS_TAGS))
        need->report |= cache->tags & XINV_TAG_BIT(XINV_TAG_ADDRESS);
    if (cache->via_asid && (b->request->flags & XINV_REQ_PASID) && !(need->known & ASID_BIT))
        need->report |= PASID_BIT;
    if (!def->tags && cache->owner)
        b->shape->beyond = 1;
    return 0;
}

static int add_atc(struct builder *b, const struct xinv_need_def *def, unsigned classes,
                   bool by_pasid)
{
    struct xinv_need_def atc = *def;

    if (!by_pasid)
        atc.tags &= (uint8_t)~PASID_BIT;
    return add(b, &atc, (xinv_axes)classes);
}

/* One need of a table, or of an explicit request, for one attachment. */
static int add_need(struct builder *b, const struct xinv_need_def *def)
{
    const struct xinv_cache_def *cache = &b->iommu->vendor->caches[def->cache];
    xinv_axes classes = def->classes;
    xinv_axes atc;
    int ret = 0;

    if (!(b->iommu->caches & (1u << def->cache)))
        return 0;
    if ((def->flags & XINV_NEED_ATS) && !(b->at->flags & XINV_ATT_ATS))
        return 0;
    if ((def->flags & XINV_NEED_PASID) && !(b->at->known & PASID_BIT))
        return 0;
    if ((def->flags & XINV_NEED_NO_PASID) && (b->at->known & PASID_BIT))
        return 0;
    if ((def->flags & XINV_NEED_LEVEL_HINT) && (b->request->flags & XINV_REQ_LEAF_ONLY) &&
        (classes & XINV_LEVEL_LEAF))
        classes = without(classes, XINV_LEVEL_WALK);
    if ((def->flags & XINV_NEED_GLOBAL_HINT) && !(b->request->flags & XINV_REQ_GLOBAL) &&
        (classes & XINV_GLOBAL_NO))
        classes = without(classes, XINV_GLOBAL_YES);
    if (def->cache != XINV_CACHE_DEVICE_TLB)
        return add(b, def, classes);

    /* entries without PASID have none to match: they are a need of their own */
    atc = atc_classes(b, cache);
    classes = without(classes, PASID_AXIS);
    if (atc & XINV_PASID_UNTAGGED)
        ret = add_atc(b, def, classes | XINV_PASID_UNTAGGED, false);
    if (!ret && (atc & XINV_PASID_TAGGED))
        ret = add_atc(b, def, classes | XINV_PASID_TAGGED, true);
    if (!ret && (b->at->flags & XINV_ATT_PASIDS_UNKNOWN) && !(b->at->known & PASID_BIT) &&
        b->iommu->tag_bits[XINV_TAG_PASID])
        ret = add_atc(b, def, classes | XINV_PASID_TAGGED, false);
    return ret;
}

static int build_change(struct builder *b)
{
    const struct xinv_vendor *v = b->iommu->vendor;
    uint8_t from = b->request->from ? b->request->from : XINV_FROM_PRESENT;
    bool found = false;

    for (unsigned i = 0; i < v->n_changes; i++) {
        const struct xinv_change_def *change = &v->changes[i];

        if (change->change != b->request->change || !(change->from & from) ||
            !(change->stages & XINV_STAGE_BIT(b->at->stage)) ||
            !xinv_conds_hold(v, b->iommu->feature, change->conds))
            continue;
        found = true;
        for (unsigned k = 0; k < change->needs.count; k++) {
            const struct xinv_need_def *need = &v->needs[change->needs.first + k];
            int ret;

            if (!xinv_conds_hold(v, b->iommu->feature, need->conds))
                continue;
            ret = add_need(b, need);
            if (ret)
                return ret;
        }
    }
    return found ? 0 : -XINV_E_UNSUPP;
}

/* Tags that an explicit request confines its need to. */
static uint8_t explicit_tags(const struct builder *b, const struct xinv_cache_def *cache)
{
    uint8_t tags = cache->tags & (uint8_t) ~(ADDRESS_TAGS | PASID_BIT | ASID_BIT);
    bool guest_tags = b->at->stage == XINV_STAGE_NESTED;

    /* under nesting the guest hands out PASIDs and ASIDs, so only those that it names count */
    if (b->request->scope != XINV_SCOPE_DOMAIN || !guest_tags) {
        if (!guest_tags || (b->request->flags & XINV_REQ_PASID))
            tags |= cache->tags & PASID_BIT;
        if (!guest_tags || (b->request->flags & XINV_REQ_ASID))
            tags |= cache->tags & ASID_BIT;
    }
    if (b->request->scope == XINV_SCOPE_ADDRESS) {
        /* an IPA range says nothing of a combined entry, nor a VA of a stage-2 one */
        if (cache->tags & XINV_TAG_BIT(XINV_TAG_ADDRESS))
            tags |= XINV_TAG_BIT(XINV_TAG_ADDRESS);
        else
            tags |= cache->tags & XINV_TAG_BIT(XINV_TAG_IPA);
    }
    return tags;
}

/* The row that says how the host's own change of such a table finds its entries in a cache, or
 * NULL. */
static const struct xinv_need_def *pte_need(const struct builder *b, uint8_t cache_id)
{
    const struct xinv_vendor *v = b->iommu->vendor;
    uint8_t pte =
        b->at->stage == XINV_STAGE_STAGE2 ? XINV_CHANGE_STAGE2_PTE : XINV_CHANGE_STAGE1_PTE;

    for (unsigned i = 0; i < v->n_changes; i++) {
        const struct xinv_change_def *change = &v->changes[i];

        if (change->change != pte || !(change->from & XINV_FROM_PRESENT) ||
            !(change->stages & XINV_STAGE_BIT(b->at->stage)) ||
            !xinv_conds_hold(v, b->iommu->feature, change->conds))
            continue;
        for (unsigned k = 0; k < change->needs.count; k++)
            if (v->needs[change->needs.first + k].cache == cache_id)
                return &v->needs[change->needs.first + k];
    }
    return NULL;
}

static int add_explicit(struct builder *b, uint8_t cache_id)
{
    const struct xinv_cache_def *cache = &b->iommu->vendor->caches[cache_id];
    struct xinv_need_def def = {.cache = cache_id};
    const struct xinv_need_def *pte;

    def.tags = explicit_tags(b, cache);
    def.classes = cache->axes;
    pte = pte_need(b, cache_id);
    if (pte) {
        /* the translation regime, and with it the tags, follow from the stream's setting */
        def.tags &= pte->tags;
        def.classes = pte->classes;
    }
    def.flags = XINV_NEED_LEVEL_HINT;
    if (cache_id == XINV_CACHE_DEVICE_TLB)
        def.flags |= XINV_NEED_ATS;
    if (def.tags & ASID_BIT)
        def.flags |= XINV_NEED_GLOBAL_HINT;
    return add_need(b, &def);
}

static int build_explicit(struct builder *b)
{
    static const uint8_t translation[XINV_NSTAGES] = {
        [XINV_STAGE_STAGE1] = XINV_CACHE_STAGE1,
        [XINV_STAGE_STAGE2] = XINV_CACHE_STAGE2,
        [XINV_STAGE_NESTED] = XINV_CACHE_NESTED,
        [XINV_STAGE_PASSTHROUGH] = XINV_CACHE_STAGE1,
    };
    uint8_t caches = b->request->caches;
    int ret = 0;

    if (caches & XINV_INV_DEVICE_CONFIG)
        ret = add_explicit(b, XINV_CACHE_DEVICE_CONFIG);
    if (!ret && (caches & XINV_INV_PASID_CONFIG))
        ret = add_explicit(b, XINV_CACHE_PASID_CONFIG);
    if (!ret && (caches & XINV_INV_IOTLB))
        ret = add_explicit(b, translation[b->at->stage]);
    if (!ret && (caches & XINV_INV_DEVICE_TLB))
        ret = add_explicit(b, XINV_CACHE_DEVICE_TLB);
    return ret;
}

uint32_t xinv_shape_key(const struct xinv_attachment *at, bool has_pasids)
{
    return (uint32_t)at->stage | (uint32_t)at->flags << 8 | (uint32_t)at->known << 16 |
           (uint32_t)(at->pasid == 0) << 24 | (uint32_t)has_pasids << 25 | UINT32_C(1) << 31;
}

int xinv_shape_build(const struct xinv_iommu *iommu, const struct xinv_request *request,
                     const struct xinv_attachment *at, bool has_pasids, struct xinv_shape *shape)
{
    struct builder b = {iommu, request, at, shape, has_pasids, xinv_request_ranged(request)};

    shape->n = 0;
    shape->beyond = (request->flags & XINV_REQ_BEYOND) != 0;
    if (request->flags & XINV_REQ_INVALIDATE)
        return build_explicit(&b);
    return build_change(&b);
}
