// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
#include "core/shape.h"

#include "core/iommu.h"
#include "core/tags.h"

#define PASID_AXIS (XINV_PASID_UNTAGGED | XINV_PASID_TAGGED)

struct builder {
    const struct xinv_iommu *iommu;
    const struct xinv_request *request;
    const struct xinv_attachment *at;
    struct xinv_shape *shape;
    struct xinv_names names;
    bool has_pasids;
    bool ranged;
};

static xinv_axes without(xinv_axes axes, xinv_axes off)
{
    return (xinv_axes)(axes & ~off);
}

static bool takes_new_did(const struct builder *b, const struct xinv_need_def *def)
{
    return (def->flags & XINV_NEED_NEW_DID) && (def->tags & XINV_TAG_BIT(XINV_TAG_DID)) &&
           (b->request->flags & XINV_REQ_NEW_DID);
}

/*
 * Is the request about whatever an endpoint holds, and not about what one attachment made? A change
 * of the endpoint's own entry is: what it translated without PASID counts beside the PASIDs that
 * are known to be live.
 */
static bool whole_endpoint(const struct builder *b)
{
    if (b->request->flags & XINV_REQ_INVALIDATE)
        return b->request->scope >= XINV_SCOPE_ENDPOINT;
    return b->request->from != XINV_FROM_NOT_PRESENT &&
           (b->request->change == XINV_CHANGE_PASID_TABLE ||
            b->request->change == XINV_CHANGE_DEVICE_ENTRY ||
            b->request->change == XINV_CHANGE_EVERYTHING);
}

/* Which classes of ATC entries an attachment's traffic makes. */
static xinv_axes atc_classes(const struct builder *b, const struct xinv_cache_def *cache)
{
    xinv_axes whole = whole_endpoint(b) ? XINV_PASID_UNTAGGED : 0;
    xinv_axes classes;

    if ((cache->axes & PASID_AXIS) != PASID_AXIS)
        return cache->axes & PASID_AXIS; /* its entries do not differ in that */
    if (!(b->names.known & PASID_BIT))
        return XINV_PASID_UNTAGGED;
    if (b->names.pasid)
        return XINV_PASID_TAGGED | whole;
    /* PASID 0 may stand for requests without PASID: the table says where those end up */
    classes = (xinv_axes)(cache->pasid_zero << 4);
    if (!classes)
        classes = XINV_PASID_TAGGED;
    if ((classes & XINV_PASID_UNTAGGED) && b->has_pasids)
        classes |= XINV_PASID_TAGGED;
    if (!b->iommu->tag_bits[XINV_TAG_PASID])
        classes = XINV_PASID_UNTAGGED;
    return classes | whole;
}

/*
 * Is the request about everything that an endpoint does, and not about one table of one PASID? Then
 * a guest's own PASID table may have live PASIDs beside the attachment's.
 */
static bool endpoint_wide(const struct builder *b)
{
    if (b->request->flags & XINV_REQ_INVALIDATE)
        return !(b->request->flags & XINV_REQ_PASID);
    return b->request->change != XINV_CHANGE_STAGE1_PTE &&
           b->request->change != XINV_CHANGE_PASID_ENTRY;
}

/* Is the stale entries' PASID one of some that nobody here knows? */
static bool pasids_open(const struct builder *b)
{
    return (b->at->flags & XINV_ATT_PASIDS_UNKNOWN) &&
           (endpoint_wide(b) || !(b->names.known & PASID_BIT)) &&
           b->iommu->tag_bits[XINV_TAG_PASID];
}

/* Tags that have one value here: the attachment's, a 0, or the new one of the change. */
static uint8_t given_tags(const struct builder *b, const struct xinv_need_def *def,
                          const struct xinv_cache_def *cache)
{
    uint8_t given = b->names.known | cache->zero | def->zero;

    if (takes_new_did(b, def))
        given |= XINV_TAG_BIT(XINV_TAG_DID);
    if (pasids_open(b) && endpoint_wide(b))
        given &= (uint8_t) ~(PASID_BIT & ~def->zero);
    if (b->ranged)
        given |= ADDRESS_TAGS;
    return given;
}

/* Tags whose every live value is among the attachments: not those that a guest hands out by itself.
 */
static uint8_t listed_tags(const struct builder *b, const struct xinv_cache_def *cache,
                           uint8_t given)
{
    uint8_t listed = given & cache->tags & (uint8_t)~ADDRESS_TAGS;

    if (!(b->request->flags & XINV_REQ_ENUMERATED))
        return 0;
    if (b->at->flags & XINV_ATT_PASIDS_UNKNOWN)
        listed &= (uint8_t)~PASID_BIT;
    if (b->at->stage == XINV_STAGE_NESTED)
        listed &= (uint8_t)~ASID_BIT;
    return listed;
}

/* Tags whose value is 0: by the table, or because the attachment gives none. */
static uint8_t zero_tags(const struct builder *b, const struct xinv_need_def *def,
                         const struct xinv_cache_def *cache)
{
    uint8_t zero = def->zero | (cache->zero & (uint8_t)~b->names.known);

    if ((b->names.known & PASID_BIT) && !b->names.pasid)
        zero |= PASID_BIT;
    if (takes_new_did(b, def) && !(def->zero & XINV_TAG_BIT(XINV_TAG_DID)))
        zero &= (uint8_t)~XINV_TAG_BIT(XINV_TAG_DID);
    return zero;
}

static int add(struct builder *b, const struct xinv_need_def *def, xinv_axes classes)
{
    const struct xinv_cache_def *cache = &b->iommu->vendor->caches[def->cache];
    uint8_t given = given_tags(b, def, cache);
    struct xinv_need *need;

    if (b->shape->n == XINV_MAX_NEEDS)
        return -XINV_E_INVAL;
    need = &b->shape->need[b->shape->n++];
    need->cache = def->cache;
    need->known = def->tags & given;
    need->listed = listed_tags(b, cache, given);
    need->zero = zero_tags(b, def, cache) & (need->known | need->listed);
    need->flags = def->flags & XINV_NEED_ALIASES;
    if (need->listed & (uint8_t)~need->known & XINV_TAG_BIT(XINV_TAG_RID))
        need->flags |= XINV_NEED_ALIASES; /* an alias is a live requester ID too */
    if (takes_new_did(b, def))
        need->flags |= XINV_NEED_NEW_DID;
    need->classes = classes;
    /* what the request knew: these tags, and an address that the change itself cannot use here */
    need->report = need->known;
    if (b->ranged)
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

/* Is one PASID given back, and not the tag that it is used under? */
static bool releases_pasid(const struct builder *b)
{
    return !(b->request->flags & XINV_REQ_INVALIDATE) &&
           b->request->change == XINV_CHANGE_TAG_RELEASE && (b->request->flags & XINV_REQ_PASID);
}

/* One need of a table, or of an explicit request, for one attachment. */
static int add_need(struct builder *b, const struct xinv_need_def *row)
{
    const struct xinv_cache_def *cache = &b->iommu->vendor->caches[row->cache];
    struct xinv_need_def own = *row;
    struct xinv_need_def *def = &own;
    xinv_axes classes = def->classes;
    xinv_axes atc;
    int ret = 0;

    if (!(b->iommu->caches & (1u << def->cache)))
        return 0;
    if (releases_pasid(b)) {
        /* one PASID under the tag: caches without PASIDs hold nothing of it */
        if (!(cache->tags & PASID_BIT))
            return 0;
        def->tags |= PASID_BIT;
    }
    if ((def->flags & XINV_NEED_ATS) && !(b->at->flags & XINV_ATT_ATS))
        return 0;
    if ((def->flags & XINV_NEED_PASID) && !(b->names.known & PASID_BIT) && !pasids_open(b))
        return 0;
    if ((def->flags & XINV_NEED_NO_PASID) && (b->names.known & PASID_BIT))
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
    /* where any PASID may be live, this one is among them */
    if (!ret && (atc & XINV_PASID_TAGGED) && !(pasids_open(b) && endpoint_wide(b)))
        ret = add_atc(b, def, classes | XINV_PASID_TAGGED, true);
    if (!ret && pasids_open(b)) {
        if (!(atc & XINV_PASID_UNTAGGED))
            ret = add_atc(b, def, classes | XINV_PASID_UNTAGGED, false);
        if (!ret)
            ret = add_atc(b, def, classes | XINV_PASID_TAGGED, false);
    }
    return ret;
}

static bool applies(const struct xinv_iommu *iommu, const struct xinv_change_def *change,
                    uint8_t what, uint8_t from, uint8_t stage)
{
    return change->change == what && (change->from & from) &&
           (change->stages & XINV_STAGE_BIT(stage)) && xinv_conds_hold(iommu, change->conds);
}

bool xinv_change_applies(const struct xinv_iommu *iommu, const struct xinv_request *request,
                         uint8_t stage, const struct xinv_change_def *change)
{
    uint8_t from = request->from ? request->from : XINV_FROM_PRESENT;

    if (!(request->flags & XINV_REQ_INVALIDATE))
        return applies(iommu, change, request->change, from, stage);
    return request->scope == XINV_SCOPE_EVERYTHING &&
           applies(iommu, change, XINV_CHANGE_EVERYTHING, from, stage);
}

/* The needs of a change, as far as they are of some caches (1 << enum xinv_cache). */
static int build_change(struct builder *b, uint8_t caches)
{
    const struct xinv_vendor *v = b->iommu->vendor;
    bool found = false;

    for (unsigned i = 0; i < v->n_changes; i++) {
        const struct xinv_change_def *change = &v->changes[i];

        if (!xinv_change_applies(b->iommu, b->request, b->at->stage, change))
            continue;
        found = true;
        for (unsigned k = 0; k < change->needs.count; k++) {
            const struct xinv_need_def *need = &v->needs[change->needs.first + k];
            int ret;

            if (!(caches & (1u << need->cache)) || !xinv_conds_hold(b->iommu, need->conds))
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
    uint8_t scope = b->request->scope;
    bool guest_tags = b->at->stage == XINV_STAGE_NESTED;

    /* under nesting the guest hands out PASIDs and ASIDs, so only those that it names count */
    if ((scope != XINV_SCOPE_DOMAIN && scope != XINV_SCOPE_ENDPOINT) || !guest_tags) {
        if (!guest_tags || (b->request->flags & XINV_REQ_PASID))
            tags |= cache->tags & PASID_BIT;
        if (!guest_tags || (b->request->flags & XINV_REQ_ASID))
            tags |= cache->tags & ASID_BIT;
    }
    if (scope == XINV_SCOPE_ADDRESS) {
        /* an IPA range says nothing of a combined entry, nor a VA of a stage-2 one */
        if (cache->tags & XINV_TAG_BIT(XINV_TAG_ADDRESS))
            tags |= XINV_TAG_BIT(XINV_TAG_ADDRESS);
        else
            tags |= cache->tags & XINV_TAG_BIT(XINV_TAG_IPA);
    }
    return tags;
}

/* The need of some change of a stage's table that says how its entries are found in a cache, or
 * NULL. */
static const struct xinv_need_def *need_of_change(const struct builder *b, uint8_t change_id,
                                                  uint8_t stage, uint8_t cache_id)
{
    const struct xinv_vendor *v = b->iommu->vendor;

    for (unsigned i = 0; i < v->n_changes; i++) {
        const struct xinv_change_def *change = &v->changes[i];

        if (!applies(b->iommu, change, change_id, XINV_FROM_PRESENT, stage))
            continue;
        for (unsigned k = 0; k < change->needs.count; k++) {
            const struct xinv_need_def *need = &v->needs[change->needs.first + k];

            if (need->cache == cache_id && xinv_conds_hold(b->iommu, need->conds))
                return need;
        }
    }
    return NULL;
}

static const struct xinv_need_def *table_need(const struct builder *b, uint8_t stage,
                                              uint8_t cache_id)
{
    const struct xinv_need_def *need;

    switch (stage) {
    case XINV_STAGE_STAGE2:
        return need_of_change(b, XINV_CHANGE_STAGE2_PTE, stage, cache_id);
    case XINV_STAGE_PASSTHROUGH:
        /* no table: its entries are those that a change of the endpoint's own entry removes */
        need = need_of_change(b, XINV_CHANGE_PASID_ENTRY, stage, cache_id);
        return need ? need : need_of_change(b, XINV_CHANGE_DEVICE_ENTRY, stage, cache_id);
    default:
        need = need_of_change(b, XINV_CHANGE_STAGE1_PTE, stage, cache_id);
        return need ? need : need_of_change(b, XINV_CHANGE_STAGE2_PTE, stage, cache_id);
    }
}

/* How entries of a cache are found: as the attachment's own stage says, or the one that fills it.
 */
static const struct xinv_need_def *cache_need(const struct builder *b, uint8_t cache_id)
{
    static const uint8_t filled_by[XINV_NCACHES] = {
        [XINV_CACHE_STAGE1] = XINV_STAGE_STAGE1,
        [XINV_CACHE_STAGE2] = XINV_STAGE_STAGE2,
        [XINV_CACHE_NESTED] = XINV_STAGE_NESTED,
    };
    const struct xinv_need_def *need = table_need(b, b->at->stage, cache_id);

    if (need || cache_id < XINV_CACHE_STAGE1 || cache_id > XINV_CACHE_NESTED)
        return need;
    return table_need(b, filled_by[cache_id], cache_id);
}

static int add_explicit(struct builder *b, uint8_t cache_id)
{
    const struct xinv_cache_def *cache = &b->iommu->vendor->caches[cache_id];
    struct xinv_need_def def = {.cache = cache_id};
    const struct xinv_need_def *table = cache_need(b, cache_id);

    def.tags = explicit_tags(b, cache);
    def.classes = cache->axes;
    if (table) {
        /* the translation regime, and with it the tags, follow from the stream's setting */
        def.tags &= table->tags;
        def.classes = table->classes;
    }
    if (b->request->scope == XINV_SCOPE_ENDPOINT && cache_id == XINV_CACHE_PASID_CONFIG)
        def.tags &= (uint8_t)~PASID_BIT;
    def.flags = XINV_NEED_LEVEL_HINT;
    if (cache_id == XINV_CACHE_DEVICE_TLB)
        def.flags |= XINV_NEED_ATS;
    if (def.tags & ASID_BIT)
        def.flags |= XINV_NEED_GLOBAL_HINT;
    return add_need(b, &def);
}

#define TRANSLATIONS \
    ((uint8_t)(1u << XINV_CACHE_STAGE1 | 1u << XINV_CACHE_STAGE2 | 1u << XINV_CACHE_NESTED))

/* The caches that an explicit request names, as 1 << enum xinv_cache. */
static uint8_t named_caches(const struct builder *b)
{
    static const uint8_t cache_of[8] = {
        XINV_NCACHES,
        XINV_CACHE_DEVICE_TLB,
        XINV_CACHE_PASID_CONFIG,
        XINV_CACHE_DEVICE_CONFIG,
        XINV_CACHE_INTERRUPT,
        XINV_CACHE_STAGE1,
        XINV_CACHE_STAGE2,
        XINV_CACHE_NESTED,
    };
    static const uint8_t translation[XINV_NSTAGES] = {
        [XINV_STAGE_STAGE1] = XINV_CACHE_STAGE1,
        [XINV_STAGE_STAGE2] = XINV_CACHE_STAGE2,
        [XINV_STAGE_NESTED] = XINV_CACHE_NESTED,
        [XINV_STAGE_PASSTHROUGH] = XINV_CACHE_STAGE1,
    };
    uint8_t caches = 0;

    for (unsigned i = 1; i < 8; i++)
        if (b->request->caches & (1u << i))
            caches |= (uint8_t)(1u << cache_of[i]);
    if (!(b->request->caches & XINV_INV_IOTLB))
        return caches;
    if (b->request->scope == XINV_SCOPE_EVERYTHING)
        return caches | TRANSLATIONS;
    /* a stage without translations of its own has none to remove */
    if (table_need(b, b->at->stage, translation[b->at->stage]))
        caches |= (uint8_t)(1u << translation[b->at->stage]);
    return caches;
}

static int build_explicit(struct builder *b)
{
    uint8_t caches = named_caches(b);
    int ret = 0;

    if (!(b->request->caches & XINV_INV_IOTLB) && !(caches & b->iommu->caches))
        return -XINV_E_UNSUPP;
    if (b->request->scope == XINV_SCOPE_EVERYTHING)
        return build_change(b, caches);
    for (uint8_t cache = 0; cache < XINV_NCACHES && !ret; cache++)
        if (caches & (1u << cache))
            ret = add_explicit(b, cache);
    return ret;
}

struct xinv_names xinv_names_of(const struct xinv_request *request,
                                const struct xinv_attachment *at)
{
    struct xinv_names names = {at->pasid, at->asid, at->known};

    if (!(request->flags & XINV_REQ_INVALIDATE))
        return names;
    if (request->flags & XINV_REQ_PASID) {
        names.pasid = request->pasid;
        names.known |= PASID_BIT;
    }
    if (request->flags & XINV_REQ_ASID) {
        names.asid = request->asid;
        names.known |= ASID_BIT;
    }
    return names;
}

uint32_t xinv_shape_key(const struct xinv_attachment *at, bool has_pasids)
{
    return (uint32_t)at->stage | (uint32_t)at->flags << 8 | (uint32_t)at->known << 16 |
           (uint32_t)(at->pasid == 0) << 24 | (uint32_t)has_pasids << 25 | UINT32_C(1) << 31;
}

int xinv_shape_build(const struct xinv_iommu *iommu, const struct xinv_request *request,
                     const struct xinv_attachment *at, bool has_pasids, struct xinv_shape *shape)
{
    struct builder b = {.iommu = iommu,
                        .request = request,
                        .at = at,
                        .shape = shape,
                        .names = xinv_names_of(request, at),
                        .has_pasids = has_pasids,
                        .ranged = xinv_request_ranged(request)};

    shape->n = 0;
    shape->beyond = (request->flags & XINV_REQ_BEYOND) != 0;
    if (request->flags & XINV_REQ_INVALIDATE)
        return build_explicit(&b);
    return build_change(&b, 0xff);
}
