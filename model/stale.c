// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/*
 * What a change of tables makes stale: examples of every kind of entry that hardware could have
 * made of the old tables, and that must not be used with the new ones.
 */
#include "model/stale.h"

/* "Not present" is cached, and so must be forgotten when an entry becomes present: VT-d caching
 * mode for all but first-stage entries, NpCache. */
static bool caches_absent(const struct stale_maker *m, enum model_walk walk)
{
    return (m->config->vendor == MODEL_VTD && m->config->cm && walk != MODEL_FIRST) ||
           (m->config->vendor == MODEL_AMDVI && m->config->npcache);
}

/* VT-d 6.8: where nothing else is invalidated, the unit must be made to see the new entry. */
static void add_write_buffer(const struct stale_maker *m)
{
    struct model_entry e = {.cache = XINV_CACHE_WRITE_BUFFER};

    if (m->config->vendor == MODEL_VTD && m->config->rwbf && !m->config->cm)
        stale_add(m, &e);
}

static void stage1_pte(const struct stale_maker *m, bool absent)
{
    enum model_walk walk = m->at->stage == XINV_STAGE_NESTED ? MODEL_BOTH : MODEL_FIRST;
    struct model_entry e = stale_translation(m, walk);
    bool tables = !stale_has(m, XINV_REQ_LEAF_ONLY);

    if (m->at->stage != XINV_STAGE_STAGE1 && m->at->stage != XINV_STAGE_NESTED)
        return;
    e.wild |= walk == MODEL_BOTH ? MODEL_WILD_IPA : 0;
    e.absent = absent;
    if (absent) {
        /* caching mode does not concern what a first-stage table says (3.3) */
        if (m->config->vendor == MODEL_AMDVI && m->config->npcache)
            stale_add_range(m, &e, tables);
        add_write_buffer(m);
        return;
    }
    stale_add_range(m, &e, tables);
    if (stale_has(m, XINV_REQ_GLOBAL) && m->config->vendor == MODEL_SMMUV3) {
        e.global = true;
        e.wild |= MODEL_WILD_ASID;
        stale_add_range(m, &e, tables);
    }
    stale_add_device_tlb(m, true, false);
}

static void stage2_pte(const struct stale_maker *m, bool absent)
{
    struct model_entry e = stale_translation(m, MODEL_SECOND);

    if (m->at->stage != XINV_STAGE_STAGE2 && m->at->stage != XINV_STAGE_NESTED)
        return;
    e.absent = absent;
    if (absent) {
        if (caches_absent(m, MODEL_SECOND))
            stale_add_range(m, &e, !stale_has(m, XINV_REQ_LEAF_ONLY));
        add_write_buffer(m);
        return;
    }
    stale_add_range(m, &e, !stale_has(m, XINV_REQ_LEAF_ONLY));
    if (m->at->stage == XINV_STAGE_NESTED)
        stale_add_combined(m);
    /* the endpoint's addresses are not IPAs under nesting */
    stale_add_device_tlb(m, m->at->stage == XINV_STAGE_STAGE2, m->at->stage == XINV_STAGE_NESTED);
}

/* Everything of the attachment's own table: all addresses. `whose`: tags that any value of goes. */
static void add_whole(const struct stale_maker *m, bool absent, uint16_t whose)
{
    struct stale_maker all = *m;
    enum model_walk walk = stale_walk(m);
    struct model_entry e = stale_translation(m, walk);

    all.ranged = false;
    e.absent = absent;
    e.wild |= MODEL_WILD_ADDRESS | MODEL_WILD_IPA | whose;
    if (walk != MODEL_PASS)
        stale_add_range(&all, &e, true);
    if (walk == MODEL_BOTH && whose & MODEL_WILD_ASID && m->config->vendor == MODEL_SMMUV3) {
        e.global = true;
        stale_add_range(&all, &e, true);
    }
    if (walk == MODEL_PASS && m->config->vendor == MODEL_VTD)
        stale_add_range(&all, &e, false);
    if (walk != MODEL_BOTH)
        return;
    e = stale_translation(m, MODEL_SECOND);
    e.absent = absent;
    e.wild |= MODEL_WILD_ADDRESS | MODEL_WILD_IPA;
    stale_add_range(&all, &e, true);
}

static void add_whole_stage1(const struct stale_maker *m, uint16_t whose)
{
    struct stale_maker all = *m;
    struct model_entry e = stale_translation(m, stale_walk(m));

    all.ranged = false;
    e.wild |= MODEL_WILD_ADDRESS | MODEL_WILD_IPA | whose;
    stale_add_range(&all, &e, true);
}

static void pasid_entry(const struct stale_maker *m, bool absent)
{
    struct stale_maker all = *m;

    all.ranged = false;
    if (absent) {
        bool config = m->config->vendor == MODEL_SMMUV3 || caches_absent(m, MODEL_SECOND);

        /* SMMUv3 may have fetched the CD, and found it not valid, without caching it: no more
         * than that is promised, so the old one is taken as cached */
        if (config)
            stale_add_pasid_config(m, true, false, false);
        if (caches_absent(m, MODEL_SECOND) && m->config->vendor == MODEL_VTD)
            add_whole(m, true, 0);
        add_write_buffer(m);
        return;
    }
    stale_add_pasid_config(m, false, false, !stale_has(m, XINV_REQ_LEAF_ONLY));
    if (m->config->vendor == MODEL_VTD && m->at->stage != XINV_STAGE_STAGE1)
        add_whole(m, false, 0); /* iotlb of the domain (3.3) */
    else
        add_whole_stage1(m, 0);
    stale_add_device_tlb(&all, false, false);
}

static void device_entry(const struct stale_maker *m, bool absent)
{
    struct stale_maker all = *m;
    struct stale_maker renamed = *m;
    struct xinv_attachment at = *m->at;

    all.ranged = false;
    if (absent) {
        /* SMMUv3 may cache an STE with V = 0; so is AMD's DTE with V = 0, which passes traffic */
        if (m->config->vendor != MODEL_VTD || m->config->cm)
            stale_add_device_config(m, true);
        if (m->config->vendor == MODEL_VTD && m->config->cm) {
            /* legacy: under the new DID; scalable: under DID 0 */
            at.did = m->config->scalable              ? 0
                     : stale_has(m, XINV_REQ_NEW_DID) ? m->request->new_did
                                                      : at.did;
            renamed.at = &at;
            add_whole(&renamed, true, 0);
        }
        add_write_buffer(m);
        return;
    }
    stale_add_device_config(m, false);
    stale_add_pasid_config(m, false, true, true);
    add_whole(m, false, stale_own_tags(m));
    stale_add_whole_device_tlb(&all);
}

static void pasid_table(const struct stale_maker *m)
{
    struct stale_maker all = *m;

    all.ranged = false;
    stale_add_device_config(m, false);
    stale_add_pasid_config(m, false, true, true);
    if (m->config->vendor == MODEL_VTD && m->at->stage != XINV_STAGE_STAGE1)
        add_whole(m, false, stale_own_tags(m));
    else
        add_whole_stage1(m, stale_own_tags(m));
    stale_add_whole_device_tlb(&all);
}

static void tag_release(const struct stale_maker *m)
{
    /* a domain's tag is released for every PASID below it, unless the request names one */
    uint16_t whose = stale_has(m, XINV_REQ_PASID) ? 0 : MODEL_WILD_PASID;

    if (m->at->stage == XINV_STAGE_NESTED && !stale_has(m, XINV_REQ_ASID))
        whose |= MODEL_WILD_ASID;
    add_whole(m, false, whose);
    if (caches_absent(m, stale_walk(m)))
        add_whole(m, true, whose);
}

void model_stale(const struct model_config *config, const struct xinv_attachment *attachments,
                 size_t n, const struct xinv_request *request, unsigned most,
                 struct model_entries *stale)
{
    bool absent = request->from == XINV_FROM_NOT_PRESENT;

    stale->n = 0;
    for (size_t i = 0; i < n; i++) {
        struct stale_maker m = {.config = config,
                                .request = request,
                                .at = &attachments[i],
                                .out = stale,
                                .most = most > STALE_BLOCKS ? STALE_BLOCKS
                                        : most < 2          ? 2
                                                            : most,
                                .ranged = request->flags & XINV_REQ_RANGE};
        struct stale_maker all = m;

        all.ranged = false;
        if (request->flags & XINV_REQ_INVALIDATE) {
            stale_explicit_request(&m);
            continue;
        }
        switch (request->change) {
        case XINV_CHANGE_STAGE1_PTE:
            stage1_pte(&m, absent);
            break;
        case XINV_CHANGE_STAGE2_PTE:
            stage2_pte(&m, absent);
            break;
        case XINV_CHANGE_PASID_ENTRY:
            pasid_entry(&m, absent);
            break;
        case XINV_CHANGE_PASID_TABLE:
            pasid_table(&m);
            break;
        case XINV_CHANGE_DEVICE_ENTRY:
            device_entry(&m, absent);
            break;
        case XINV_CHANGE_TAG_RELEASE:
            tag_release(&m);
            break;
        default:
            stale_add_everything(&m, ~0u);
            stale_add_whole_device_tlb(&all);
            break;
        }
    }
}
