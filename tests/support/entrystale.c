// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/* What a request makes stale, by the table's changes, or by the caches and the scope that it names.
 */
#include <criterion/criterion.h>

#include "core/iommu.h"
#include "tests/support/entryoracle.h"

#define BIT(tag)     XINV_TAG_BIT(XINV_TAG_##tag)
#define ADDRESS_TAGS ((uint8_t)(BIT(ADDRESS) | BIT(IPA)))

struct maker {
    struct oracle *o;
    const struct trial *t;
    const struct xinv_attachment *at;
    const struct xinv_cache_def *cache;
    struct oracle_pattern p;
};

/* Can the endpoint hold entries with a PASID beside those without? */
static bool has_pasids(const struct maker *m)
{
    if (m->at->flags & (XINV_ATT_PASID_ENABLED | XINV_ATT_PASIDS_UNKNOWN))
        return true;
    for (size_t i = 0; i < m->t->n; i++)
        if (m->t->at[i].rid == m->at->rid && (m->t->at[i].known & BIT(PASID)) && m->t->at[i].pasid)
            return true;
    return false;
}

/* Are there PASIDs that only a guest knows, in a request that is about all of them? */
static bool pasids_open(const struct maker *m)
{
    const struct xinv_request *r = &m->t->request;

    return (m->at->flags & XINV_ATT_PASIDS_UNKNOWN) && m->t->iommu.tag_bits[XINV_TAG_PASID] &&
           ((r->flags & XINV_REQ_INVALIDATE) || !(m->at->known & BIT(PASID)) ||
            (r->change != XINV_CHANGE_STAGE1_PTE && r->change != XINV_CHANGE_PASID_ENTRY));
}

/* A pattern for the endpoint, and one for every alias. */
static void add(struct maker *m, bool aliases)
{
    oracle_stale_pattern(m->o, m->p);
    for (unsigned i = 0; aliases && (m->p.fixed & BIT(RID)) && i < m->at->n_aliases; i++) {
        struct oracle_pattern alias = m->p;

        alias.tag[XINV_TAG_RID] = m->at->aliases[i];
        oracle_stale_pattern(m->o, alias);
    }
}

/* Is it the endpoint's own entry that changed? Then all that it may hold counts, also what has no
 * PASID. */
static bool entry_changed(const struct maker *m)
{
    const struct xinv_request *r = &m->t->request;

    return !(r->flags & XINV_REQ_INVALIDATE) && r->from != XINV_FROM_NOT_PRESENT &&
           (r->change == XINV_CHANGE_PASID_TABLE || r->change == XINV_CHANGE_DEVICE_ENTRY ||
            r->change == XINV_CHANGE_EVERYTHING);
}

/* Device TLBs hold entries without PASID, which have none to look for, and entries with one. */
static void add_device_tlb(struct maker *m)
{
    xinv_axes classes = m->p.classes & (xinv_axes) ~(XINV_PASID_UNTAGGED | XINV_PASID_TAGGED);
    xinv_axes of_zero = (xinv_axes)(m->cache->pasid_zero << 4);
    bool field = m->t->iommu.tag_bits[XINV_TAG_PASID];
    bool known = m->at->known & BIT(PASID);
    bool zero = known && !m->at->pasid;
    bool untagged = !known || pasids_open(m) || entry_changed(m) ||
                    (zero && (!field || of_zero & XINV_PASID_UNTAGGED));
    bool tagged = pasids_open(m) ||
                  (known && field && (!zero || of_zero != XINV_PASID_UNTAGGED || has_pasids(m)));

    if (untagged) {
        m->p.classes = classes | XINV_PASID_UNTAGGED;
        add(m, false);
    }
    if (tagged) {
        m->p.classes = classes | XINV_PASID_TAGGED;
        if (pasids_open(m))
            m->p.fixed &= (uint8_t)~BIT(PASID);
        add(m, false);
    }
}

static void fix(struct maker *m, unsigned tag, uint32_t value)
{
    m->p.fixed |= XINV_TAG_BIT(tag);
    m->p.tag[tag] = value;
}

/* The attachment's values of some tags, as far as there are any. */
static void fix_own(struct maker *m, uint8_t tags)
{
    const uint32_t own[] = {m->at->rid, m->at->pasid, m->at->asid, m->at->did, m->at->vmid};

    for (unsigned t = XINV_TAG_RID; t <= XINV_TAG_VMID; t++)
        if (tags & XINV_TAG_BIT(t)) {
            if (m->at->known & XINV_TAG_BIT(t))
                fix(m, t, own[t]);
            else if (m->cache->zero & XINV_TAG_BIT(t))
                fix(m, t, 0);
        }
    if (m->t->request.flags & XINV_REQ_RANGE)
        m->p.fixed |= tags & ADDRESS_TAGS;
}

static xinv_axes hinted(const struct maker *m, const struct xinv_need_def *need)
{
    xinv_axes classes = need->classes;

    if ((need->flags & XINV_NEED_LEVEL_HINT) && (m->t->request.flags & XINV_REQ_LEAF_ONLY))
        classes &= (xinv_axes)~XINV_LEVEL_WALK;
    if ((need->flags & XINV_NEED_GLOBAL_HINT) && !(m->t->request.flags & XINV_REQ_GLOBAL))
        classes &= (xinv_axes)~XINV_GLOBAL_YES;
    return classes;
}

static bool applies(const struct maker *m, const struct xinv_need_def *need)
{
    bool pasid = (m->at->known & BIT(PASID)) || pasids_open(m);

    return (m->t->iommu.caches >> need->cache & 1) && xinv_conds_hold(&m->t->iommu, need->conds) &&
           !((need->flags & XINV_NEED_ATS) && !(m->at->flags & XINV_ATT_ATS)) &&
           !((need->flags & XINV_NEED_PASID) && !pasid) &&
           !((need->flags & XINV_NEED_NO_PASID) && (m->at->known & BIT(PASID)));
}

static void add_need(struct maker *m, const struct xinv_need_def *need)
{
    const struct xinv_request *r = &m->t->request;
    uint8_t tags = need->tags;

    if (!applies(m, need))
        return;
    m->cache = &m->t->iommu.vendor->caches[need->cache];
    m->p = (struct oracle_pattern){.cache = need->cache, .classes = hinted(m, need)};
    /* where every live attachment is given, no entry has tags of anyone else */
    if (r->flags & XINV_REQ_ENUMERATED)
        tags |= m->cache->tags & (uint8_t)~ADDRESS_TAGS;
    if (pasids_open(m))
        tags &= (uint8_t)~BIT(PASID);
    fix_own(m, tags);
    for (unsigned t = XINV_TAG_RID; t <= XINV_TAG_VMID; t++)
        if (need->zero & need->tags & XINV_TAG_BIT(t))
            fix(m, t, 0);
    if ((need->flags & XINV_NEED_NEW_DID) && (need->tags & BIT(DID)) &&
        (r->flags & XINV_REQ_NEW_DID))
        fix(m, XINV_TAG_DID, r->new_did);
    if (need->cache == XINV_CACHE_DEVICE_TLB)
        add_device_tlb(m);
    else
        add(m, (need->flags & XINV_NEED_ALIASES) || !(need->tags & BIT(RID)));
}

static void add_change(struct maker *m)
{
    const struct xinv_vendor *v = m->t->iommu.vendor;
    uint8_t from = m->t->request.from ? m->t->request.from : XINV_FROM_PRESENT;

    for (unsigned i = 0; i < v->n_changes; i++) {
        const struct xinv_change_def *c = &v->changes[i];

        if (c->change != m->t->request.change || !(c->from & from) ||
            !(c->stages & XINV_STAGE_BIT(m->at->stage)) || !xinv_conds_hold(&m->t->iommu, c->conds))
            continue;
        for (unsigned k = 0; k < c->needs.count; k++)
            add_need(m, &v->needs[c->needs.first + k]);
    }
}

/* Everything of a cache that an endpoint uses. Its live PASIDs are those of its attachments, unless
 * a guest has others; under nesting the ASIDs are the guest's. */
static void add_endpoint(struct maker *m, uint8_t cache)
{
    bool device_tlb = cache == XINV_CACHE_DEVICE_TLB;
    bool pasid = (m->at->known & BIT(PASID)) || pasids_open(m);
    uint8_t open = ADDRESS_TAGS;

    if (!(m->t->iommu.caches >> cache & 1) || (device_tlb && !(m->at->flags & XINV_ATT_ATS)))
        return;
    if (m->at->stage == XINV_STAGE_NESTED)
        open |= BIT(ASID);
    if (!device_tlb || pasids_open(m))
        open |= BIT(PASID);
    m->cache = &m->t->iommu.vendor->caches[cache];
    m->p = (struct oracle_pattern){.cache = cache, .classes = m->cache->axes};
    if (device_tlb && !pasid)
        m->p.classes &= (xinv_axes)~XINV_PASID_TAGGED;
    fix_own(m, m->cache->tags & (uint8_t)~open);
    add(m, false);
}

static void add_explicit(struct maker *m)
{
    static const struct {
        uint8_t bit;
        uint8_t cache;
    } named[] = {{XINV_INV_DEVICE_TLB, XINV_CACHE_DEVICE_TLB},
                 {XINV_INV_PASID_CONFIG, XINV_CACHE_PASID_CONFIG},
                 {XINV_INV_DEVICE_CONFIG, XINV_CACHE_DEVICE_CONFIG},
                 {XINV_INV_INTERRUPT, XINV_CACHE_INTERRUPT}};

    cr_assert_eq(m->t->request.scope, XINV_SCOPE_ENDPOINT, "no rule for this scope");
    for (size_t i = 0; i < sizeof(named) / sizeof(named[0]); i++)
        if (m->t->request.caches & named[i].bit)
            add_endpoint(m, named[i].cache);
}

void oracle_stale_by_table(struct oracle *o, const struct trial *t)
{
    for (size_t i = 0; i < t->n; i++) {
        struct maker m = {.o = o, .t = t, .at = &t->at[i]};

        if (t->request.flags & XINV_REQ_INVALIDATE)
            add_explicit(&m);
        else
            add_change(&m);
    }
}
