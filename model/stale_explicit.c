// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/* What a request that names caches and a scope, rather than a change, makes stale. */
#include "model/stale.h"

#include <string.h>

/* Everything that the IOMMU has, whoever made it. */
void stale_add_everything(const struct stale_maker *m, unsigned caches)
{
    struct stale_maker all = *m;
    struct model_entry e = stale_translation(m, MODEL_FIRST);
    uint16_t wild = MODEL_WILD_RID | MODEL_WILD_PASID | MODEL_WILD_ASID | MODEL_WILD_DID |
                    MODEL_WILD_VMID | MODEL_WILD_ADDRESS | MODEL_WILD_IPA | MODEL_WILD_INDEX;
    bool smmu = m->config->vendor == MODEL_SMMUV3;
    bool amd = m->config->vendor == MODEL_AMDVI;
    bool first = smmu ? m->config->s1p : amd ? m->config->gtsup : m->config->scalable;
    bool second = smmu ? m->config->s2p : true;

    all.ranged = false;
    e.wild = wild;
    e.kind = MODEL_LEAF;
    for (unsigned walk = MODEL_FIRST; walk <= MODEL_BOTH; walk++) {
        e.walk = (uint8_t)walk;
        e.cache = walk == MODEL_FIRST    ? XINV_CACHE_STAGE1
                  : walk == MODEL_SECOND ? XINV_CACHE_STAGE2
                                         : XINV_CACHE_NESTED;
        if (!(caches & 1u << e.cache) || (walk != MODEL_SECOND && !first) ||
            (walk != MODEL_FIRST && !second))
            continue;
        stale_add_range(&all, &e, true);
        if (smmu && walk == MODEL_FIRST && m->config->hyp) {
            e.regime = m->config->e2h ? MODEL_EL2_E2H : MODEL_EL2;
            stale_add_range(&all, &e, true);
            e.regime = MODEL_EL1;
        }
    }
    memset(&e, 0, sizeof(e));
    e.rid = m->at->rid;
    e.wild = wild;
    e.cache = XINV_CACHE_DEVICE_CONFIG;
    if (caches & 1u << e.cache)
        stale_add(m, &e);
    e.cache = XINV_CACHE_PASID_CONFIG;
    if (caches & 1u << e.cache && first)
        stale_add(m, &e);
    e.cache = XINV_CACHE_INTERRUPT;
    if (caches & 1u << e.cache && (amd || (m->config->vendor == MODEL_VTD && m->config->ir)))
        stale_add(m, &e);
}

/* Under nesting the guest hands out PASIDs and ASIDs: of those that the request does not name, any.
 */
static uint16_t guest_tags(const struct stale_maker *m)
{
    bool all = m->request->scope == XINV_SCOPE_DOMAIN;
    uint16_t pasid = all || !stale_has(m, XINV_REQ_PASID) ? MODEL_WILD_PASID : 0;
    uint16_t asid = all || !stale_has(m, XINV_REQ_ASID) ? MODEL_WILD_ASID : 0;

    return m->at->stage == XINV_STAGE_NESTED ? pasid | asid : 0;
}

/* Of the whole endpoint: what has no PASID, the live PASIDs, and whatever else there may be. */
static void explicit_device_tlb(const struct stale_maker *m, bool endpoint)
{
    struct model_entry e = stale_device_tlb(m);

    stale_add_device_tlb(m, m->ranged, endpoint);
    if (!(m->at->flags & XINV_ATT_ATS))
        return;
    if (e.tagged && guest_tags(m) & MODEL_WILD_PASID) {
        e.wild |= MODEL_WILD_PASID;
        stale_add_device_tlb_entry(m, &e, m->ranged);
    }
    if (!endpoint)
        return;
    if (e.tagged) {
        /* asked for like the live ones */
        e.wild |= MODEL_WILD_PASID | MODEL_WILD_ADDRESS | MODEL_WILD_IPA;
        model_entries_add(m->out, &e);
    }
    e = stale_device_tlb(m);
    e.tagged = false;
    e.pasid = 0;
    stale_add_device_tlb_entry(m, &e, m->ranged);
}

void stale_explicit_request(const struct stale_maker *m)
{
    unsigned caches = m->request->caches;
    bool every = m->request->scope == XINV_SCOPE_EVERYTHING;
    bool endpoint = m->request->scope == XINV_SCOPE_ENDPOINT;
    bool tables = !stale_has(m, XINV_REQ_LEAF_ONLY);
    enum model_walk walk = stale_walk(m);
    struct model_entry e;

    if (every) {
        stale_add_everything(
            m, (caches & XINV_INV_IOTLB
                    ? 1u << XINV_CACHE_STAGE1 | 1u << XINV_CACHE_STAGE2 | 1u << XINV_CACHE_NESTED
                    : 0) |
                   (caches & XINV_INV_PASID_CONFIG ? 1u << XINV_CACHE_PASID_CONFIG : 0) |
                   (caches & XINV_INV_DEVICE_CONFIG ? 1u << XINV_CACHE_DEVICE_CONFIG : 0) |
                   (caches & XINV_INV_INTERRUPT ? 1u << XINV_CACHE_INTERRUPT : 0));
        return;
    }
    if (caches & XINV_INV_DEVICE_CONFIG)
        stale_add_device_config(m, false);
    if (caches & XINV_INV_PASID_CONFIG)
        stale_add_pasid_config(m, false, endpoint, tables);
    if ((caches & XINV_INV_IOTLB || caches & (XINV_INV_STAGE1 << walk)) && walk != MODEL_PASS) {
        e = stale_translation(m, walk);
        e.wild |= guest_tags(m);
        stale_add_range(m, &e, tables);
    }
    if (caches & XINV_INV_DEVICE_TLB)
        explicit_device_tlb(m, endpoint);
    if (caches & XINV_INV_INTERRUPT &&
        (m->config->vendor == MODEL_AMDVI || (m->config->vendor == MODEL_VTD && m->config->ir))) {
        e = stale_config_entry(m, XINV_CACHE_INTERRUPT);
        e.wild = MODEL_WILD_INDEX;
        stale_add(m, &e);
    }
}
