// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/* Entries that a request does not make stale, but only just: another tag, the page beside the
 * range, a global entry, a paging-structure entry. What they lose has to be in the report. */
#include "model/rules.h"

static bool is_first(const struct model_entry *e)
{
    return e->walk == MODEL_FIRST || e->walk == MODEL_BOTH;
}

/* Which tags label an entry. */
static uint16_t labels(const struct model_config *config, const struct model_entry *e)
{
    bool smmu = config->vendor == MODEL_SMMUV3;
    bool vtd = config->vendor == MODEL_VTD;
    uint16_t place = e->walk == MODEL_SECOND ? MODEL_WILD_IPA : MODEL_WILD_ADDRESS;
    uint16_t outer =
        smmu ? e->regime == MODEL_EL1 && config->s2p ? MODEL_WILD_VMID : 0 : MODEL_WILD_DID;
    uint16_t asid = e->global || e->regime == MODEL_EL2 ? 0 : MODEL_WILD_ASID;

    switch (e->cache) {
    case XINV_CACHE_DEVICE_CONFIG:
        return MODEL_WILD_RID | (vtd && !config->scalable ? MODEL_WILD_DID : 0);
    case XINV_CACHE_PASID_CONFIG:
        if (e->kind == MODEL_TABLE)
            return MODEL_WILD_RID;
        return MODEL_WILD_PASID | (smmu ? MODEL_WILD_RID : MODEL_WILD_DID);
    case XINV_CACHE_STAGE1:
    case XINV_CACHE_NESTED:
        return place | outer | (smmu ? asid : MODEL_WILD_PASID);
    case XINV_CACHE_STAGE2:
        return place | outer;
    case XINV_CACHE_DEVICE_TLB:
        return MODEL_WILD_RID | MODEL_WILD_ADDRESS | (e->tagged ? MODEL_WILD_PASID : 0);
    case XINV_CACHE_INTERRUPT:
        return vtd ? MODEL_WILD_INDEX : MODEL_WILD_RID;
    default:
        return 0;
    }
}

/* Which of those tags differ. */
static uint16_t difference(const struct model_entry *a, const struct model_entry *b)
{
    uint64_t first = model_base(a->address, a->log2_size);
    uint64_t last = model_last(a->address, a->log2_size);
    uint64_t ipa_first = model_base(a->ipa, a->log2_size);
    uint64_t ipa_last = model_last(a->ipa, a->log2_size);
    unsigned d = 0;

    d |= a->rid != b->rid ? MODEL_WILD_RID : 0;
    d |= a->pasid != b->pasid ? MODEL_WILD_PASID : 0;
    d |= a->asid != b->asid ? MODEL_WILD_ASID : 0;
    d |= a->did != b->did ? MODEL_WILD_DID : 0;
    d |= a->vmid != b->vmid ? MODEL_WILD_VMID : 0;
    d |= a->index != b->index ? MODEL_WILD_INDEX : 0;
    d |= !model_overlaps(b->address, b->log2_size, first, last) ? MODEL_WILD_ADDRESS : 0;
    d |= !model_overlaps(b->ipa, b->log2_size, ipa_first, ipa_last) ? MODEL_WILD_IPA : 0;
    return (uint16_t)d;
}

bool model_is_stale(const struct model_config *config, const struct model_entries *stale,
                    const struct model_entry *e)
{
    for (size_t i = 0; i < stale->n; i++) {
        const struct model_entry *s = &stale->at[i];
        bool same_kind = s->cache == e->cache && s->kind == e->kind && s->walk == e->walk &&
                         s->regime == e->regime &&
                         (s->global == e->global || e->kind == MODEL_TABLE) &&
                         s->tagged == e->tagged && s->absent == e->absent;

        /* an ATC entry does not show how it was made */
        if (e->cache == XINV_CACHE_DEVICE_TLB)
            same_kind = s->cache == e->cache && s->tagged == e->tagged;
        if (e->cache == XINV_CACHE_DEVICE_CONFIG || e->cache == XINV_CACHE_PASID_CONFIG ||
            e->cache == XINV_CACHE_INTERRUPT)
            same_kind = s->cache == e->cache && s->kind == e->kind;
        if (same_kind && !(difference(s, e) & labels(config, e) & (unsigned)~s->wild))
            return true;
    }
    return false;
}

struct maker {
    const struct model_config *config;
    const struct xinv_request *request;
    const struct model_entries *stale;
    struct model_entries *out;
    bool pasids; /* endpoints can hold device-TLB entries with and without PASID */
};

static void offer(const struct maker *m, struct model_entry e, uint16_t differs)
{
    e.differs = differs;
    if (!model_is_stale(m->config, m->stale, &e))
        model_entries_add(m->out, &e);
}

/* The values beside a tag's, of those that it can have; returns their number. */
static unsigned beside(uint32_t value, uint32_t most, uint32_t values[2])
{
    unsigned n = 0;

    if (value < most)
        values[n++] = value + 1;
    if (value > 0)
        values[n++] = value - 1;
    return n;
}

static void other_tags(const struct maker *m, const struct model_entry *s)
{
    uint16_t tags = labels(m->config, s) & (uint16_t)~s->wild;
    bool smmu = m->config->vendor == MODEL_SMMUV3;
    bool vtd = m->config->vendor == MODEL_VTD;
    unsigned pasid_bits = smmu  ? m->config->ssidsize
                          : vtd ? m->config->pasid_bits
                                : m->config->pasmax + 1u;
    struct model_entry e = *s;
    const struct {
        uint32_t *tag;
        uint32_t most;
        uint16_t bit;
    } all[] = {
        {&e.rid, 0xffff, MODEL_WILD_RID},
        {&e.pasid, (1u << pasid_bits) - 1, MODEL_WILD_PASID},
        {&e.asid, m->config->asid16 ? 0xffff : 0xff, MODEL_WILD_ASID},
        {&e.did, (1u << (vtd ? m->config->did_bits : 16)) - 1, MODEL_WILD_DID},
        {&e.vmid, m->config->vmid16 ? 0xffff : 0xff, MODEL_WILD_VMID},
    };

    for (unsigned i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        uint32_t value = *all[i].tag;
        uint32_t near[2];

        for (unsigned n = tags & all[i].bit ? beside(value, all[i].most, near) : 0; n-- > 0;) {
            *all[i].tag = near[n];
            offer(m, e, all[i].bit);
        }
        *all[i].tag = value;
    }
}

/* The page before the range and the one behind it. */
static void other_pages(const struct maker *m, const struct model_entry *s)
{
    uint16_t place = labels(m->config, s) & (MODEL_WILD_ADDRESS | MODEL_WILD_IPA);
    unsigned g = s->log2_granule;
    struct model_entry e = *s;

    if (!place || place & s->wild || !(m->request->flags & XINV_REQ_RANGE) || s->kind != MODEL_LEAF)
        return;
    e.log2_size = (uint8_t)g;
    if (m->request->first >> g) {
        e.address = e.ipa = model_base(m->request->first - 1, g);
        offer(m, e, place);
    }
    if (m->request->last != UINT64_MAX) {
        e.address = e.ipa = model_base(m->request->last + 1, g);
        offer(m, e, place);
    }
}

static void other_classes(const struct maker *m, const struct model_entry *s)
{
    struct model_entry e = *s;
    bool tlb = model_is_tlb(s);

    if (tlb && is_first(s) && m->config->vendor == MODEL_SMMUV3 && !s->global) {
        e.global = true;
        offer(m, e, MODEL_OTHER_GLOBAL);
        e.global = false;
    }
    if (tlb && s->kind == MODEL_LEAF) {
        e.kind = MODEL_TABLE;
        e.log2_size = 21;
        offer(m, e, MODEL_OTHER_KIND);
        e = *s;
    }
    if (s->cache == XINV_CACHE_DEVICE_TLB && m->pasids) {
        e.tagged = !s->tagged;
        if (!s->tagged)
            e.pasid = 1;
        offer(m, e, MODEL_OTHER_TAGGED);
        e = *s;
    }
    if (tlb && m->config->vendor == MODEL_SMMUV3 && m->config->hyp) {
        e.regime = s->regime == MODEL_EL1 ? MODEL_EL2_E2H : MODEL_EL1;
        offer(m, e, MODEL_OTHER_REGIME);
        e = *s;
    }
    /* the other stages' entries under the same outer tag: only nesting has them */
    if (tlb && s->walk == MODEL_BOTH) {
        e.walk = MODEL_SECOND;
        e.cache = XINV_CACHE_STAGE2;
        e.global = false;
        offer(m, e, MODEL_OTHER_WALK);
    }
}

/* Entries that differ in nothing but their place have the same neighbours. */
static bool same_class(const struct model_entry *a, const struct model_entry *b)
{
    uint16_t d = difference(a, b) & (uint16_t) ~(MODEL_WILD_ADDRESS | MODEL_WILD_IPA);

    return a->cache == b->cache && a->kind == b->kind && a->walk == b->walk &&
           a->regime == b->regime && a->global == b->global && a->tagged == b->tagged && !d;
}

void model_neighbours(const struct model_config *config, const struct xinv_attachment *attachments,
                      size_t n, const struct xinv_request *request,
                      const struct model_entries *stale, struct model_entries *neighbours)
{
    struct maker m = {config, request, stale, neighbours, false};

    neighbours->n = 0;
    if (request->change == XINV_CHANGE_EVERYTHING && !(request->flags & XINV_REQ_INVALIDATE))
        return;
    for (size_t i = 0; i < n; i++)
        m.pasids = m.pasids || attachments[i].pasid ||
                   attachments[i].flags & (XINV_ATT_PASID_ENABLED | XINV_ATT_PASIDS_UNKNOWN);
    m.pasids = m.pasids && model_has_pasids(config);
    for (size_t i = 0; i < stale->n; i++) {
        bool seen = false;

        for (size_t k = 0; k < i && !seen; k++)
            seen = same_class(&stale->at[k], &stale->at[i]);
        if (seen || stale->at[i].absent)
            continue;
        other_tags(&m, &stale->at[i]);
        other_pages(&m, &stale->at[i]);
        other_classes(&m, &stale->at[i]);
    }
}
