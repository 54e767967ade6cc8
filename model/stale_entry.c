// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/* Stale entries of each cache, with the attachment's tags. */
#include "model/stale.h"

static uint32_t other_value(uint32_t value, unsigned bits)
{
    uint32_t top = bits < 32 ? (1u << bits) - 1 : 0xffff;

    return value == top ? top - 1 : top;
}

/* An entry; where any value of a tag would do, a second one with other values. */
void stale_add(const struct stale_maker *m, const struct model_entry *entry)
{
    struct model_entry e = *entry;
    unsigned wide = m->config->vendor == MODEL_SMMUV3 && m->config->vmid16 ? 16 : 8;
    unsigned asid_bits = m->config->asid16 ? 16 : 8;
    unsigned pasid_bits = m->config->vendor == MODEL_SMMUV3  ? m->config->ssidsize
                          : m->config->vendor == MODEL_AMDVI ? m->config->pasmax + 1u
                                                             : m->config->pasid_bits;

    model_entries_add(m->out, &e);
    if (!e.wild)
        return;
    if (e.wild & MODEL_WILD_RID)
        e.rid ^= 8;
    if (e.wild & MODEL_WILD_PASID && pasid_bits)
        e.pasid = other_value(e.pasid, pasid_bits);
    if (e.wild & MODEL_WILD_ASID)
        e.asid = other_value(e.asid, asid_bits);
    if (e.wild & MODEL_WILD_DID)
        e.did = other_value(e.did, m->config->vendor == MODEL_VTD ? m->config->did_bits : 16);
    if (e.wild & MODEL_WILD_VMID && m->config->s2p)
        e.vmid = other_value(e.vmid, wide);
    if (e.wild & MODEL_WILD_INDEX)
        e.index = 0xffff;
    model_entries_add(m->out, &e);
}

/* The attachment's tags, as the IOMMU's own caches label its translations. */
struct model_entry stale_translation(const struct stale_maker *m, enum model_walk walk)
{
    const struct xinv_attachment *at = m->at;
    struct model_entry e = {
        .walk = (uint8_t)walk, .rid = at->rid, .log2_granule = (uint8_t)stale_granule(m)};
    bool el2 = m->config->e2h && at->stage == XINV_STAGE_STAGE1;

    e.cache = walk == MODEL_FIRST  ? XINV_CACHE_STAGE1
              : walk == MODEL_BOTH ? XINV_CACHE_NESTED
                                   : XINV_CACHE_STAGE2;
    e.regime = el2 ? MODEL_EL2_E2H : MODEL_EL1;
    /* traffic without PASID is PASID 0 to the IOMMU */
    e.pasid = stale_knows(m, XINV_TAG_PASID) ? at->pasid : 0;
    e.asid = stale_knows(m, XINV_TAG_ASID) ? at->asid : 1;
    e.did = stale_knows(m, XINV_TAG_DID) ? at->did : 0;
    e.vmid = stale_knows(m, XINV_TAG_VMID) ? at->vmid : 0;
    if (stale_has(m, XINV_REQ_ASID))
        e.asid = m->request->asid;
    else if (m->config->vendor == MODEL_SMMUV3 && walk != MODEL_SECOND &&
             !stale_knows(m, XINV_TAG_ASID))
        e.wild |= MODEL_WILD_ASID;
    if (stale_has(m, XINV_REQ_PASID))
        e.pasid = m->request->pasid;
    return e;
}

enum model_walk stale_walk(const struct stale_maker *m)
{
    switch (m->at->stage) {
    case XINV_STAGE_STAGE1:
        return MODEL_FIRST;
    case XINV_STAGE_STAGE2:
        return MODEL_SECOND;
    case XINV_STAGE_NESTED:
        return MODEL_BOTH;
    default:
        return MODEL_PASS;
    }
}

/* Leaf entries in the range, and (tables) the paging-structure entries above it. */
void stale_add_range(const struct stale_maker *m, const struct model_entry *like, bool tables)
{
    uint64_t at[STALE_BLOCKS];
    uint8_t sizes[4];
    struct model_entry e = *like;
    unsigned n_sizes = stale_leaf_sizes(m, sizes);
    unsigned g = stale_granule(m);

    for (unsigned s = 0; s < n_sizes; s++) {
        unsigned n = stale_blocks(m, e.walk, sizes[s], stale_has(m, XINV_REQ_LEAVES_WITHIN), at);

        e.kind = MODEL_LEAF;
        e.log2_size = sizes[s];
        for (unsigned i = 0; i < n; i++) {
            e.address = e.ipa = at[i];
            stale_add(m, &e);
        }
    }
    for (unsigned k = 1; tables && k < 4; k++) {
        unsigned n = stale_blocks(m, e.walk, g + k * (g - 3), false, at);

        e.kind = MODEL_TABLE;
        e.log2_size = (uint8_t)(g + k * (g - 3));
        for (unsigned i = 0; i < n; i++) {
            e.address = e.ipa = at[i];
            stale_add(m, &e);
        }
    }
}

/* Combined entries whose walk used the range of IPAs: any VA, ASID and PASID, global or not. Their
 * paging-structure entries hold translated addresses of stage-1 tables, which may lie in the range.
 */
void stale_add_combined(const struct stale_maker *m)
{
    static const uint64_t vas[] = {0, UINT64_C(0x7ffffffff000), UINT64_C(0xffff800000000000)};
    struct model_entry e = stale_translation(m, MODEL_BOTH);
    uint64_t ipas[STALE_BLOCKS];
    unsigned n = stale_blocks(m, MODEL_SECOND, 12, false, ipas);

    e.wild |= MODEL_WILD_ADDRESS | MODEL_WILD_PASID | MODEL_WILD_ASID;
    for (unsigned v = 0; v < sizeof(vas) / sizeof(vas[0]); v++) {
        e.address = vas[v];
        for (unsigned i = 0; i<n; i += n> 1 ? n - 1 : 1) {
            e.ipa = ipas[i];
            e.kind = MODEL_LEAF;
            e.log2_size = 12;
            e.global = false;
            stale_add(m, &e);
            e.global = m->config->vendor == MODEL_SMMUV3;
            stale_add(m, &e);
            e.global = false;
            e.kind = MODEL_TABLE;
            e.log2_size = 21;
            stale_add(m, &e);
        }
    }
}

/* ---- The endpoint's own cache ------------------------------------------------------------------
 */

struct model_entry stale_device_tlb(const struct stale_maker *m)
{
    struct model_entry e = stale_translation(m, stale_walk(m));

    e.cache = XINV_CACHE_DEVICE_TLB;
    e.kind = MODEL_LEAF;
    e.log2_size = 12;
    e.wild &= (uint16_t)~MODEL_WILD_ASID;
    e.tagged = e.pasid != 0;
    return e;
}

/* Everywhere, or in the range. */
void stale_add_device_tlb_entry(const struct stale_maker *m, const struct model_entry *like,
                                bool range)
{
    static const uint64_t samples[] = {0, UINT64_C(0x40000000), UINT64_C(0x7ffffffff000),
                                       UINT64_C(0xfffffffffffff000)};
    struct model_entry e = *like;

    if (range) {
        stale_add_range(m, &e, false);
        return;
    }
    e.wild |= MODEL_WILD_ADDRESS | MODEL_WILD_IPA;
    for (unsigned i = 0; i < sizeof(samples) / sizeof(samples[0]); i++) {
        e.address = e.ipa = samples[i];
        if (stale_exists(m, e.walk, e.address))
            stale_add(m, &e);
    }
}

/* `all`: whatever PASID, as far as they are known. */
void stale_add_device_tlb(const struct stale_maker *m, bool range, bool all)
{
    struct model_entry e = stale_device_tlb(m);

    if (!(m->at->flags & XINV_ATT_ATS))
        return;
    stale_add_device_tlb_entry(m, &e, range);
    /* GIOV: a request with PASID 0 uses the same table as one without */
    if (m->config->vendor == MODEL_AMDVI && !e.pasid &&
        (e.walk == MODEL_FIRST || e.walk == MODEL_BOTH) && m->at->flags & XINV_ATT_PASID_ENABLED) {
        e.tagged = true;
        stale_add_device_tlb_entry(m, &e, range);
    }
    /* whatever a guest's own table lets the endpoint do, requests without PASID among it */
    if (all && m->at->flags & XINV_ATT_PASIDS_UNKNOWN && e.pasid) {
        e.tagged = false;
        stale_add_device_tlb_entry(m, &e, range);
    }
    if (all && m->at->flags & XINV_ATT_PASIDS_UNKNOWN && model_has_pasids(m->config)) {
        e.tagged = true;
        e.pasid = 1;
        e.wild |= MODEL_WILD_PASID;
        stale_add_device_tlb_entry(m, &e, range);
    }
}

/* Everything that an endpoint may hold once its own entry has changed: without PASID as well. */
void stale_add_whole_device_tlb(const struct stale_maker *m)
{
    struct model_entry e = stale_device_tlb(m);

    stale_add_device_tlb(m, false, true);
    if (!e.tagged || !(m->at->flags & XINV_ATT_ATS))
        return;
    e.tagged = false;
    e.pasid = 0;
    stale_add_device_tlb_entry(m, &e, false);
}

/* ---- Configuration -----------------------------------------------------------------------------
 */

struct model_entry stale_config_entry(const struct stale_maker *m, enum xinv_cache cache)
{
    struct model_entry e = stale_translation(m, stale_walk(m));

    e.cache = (uint8_t)cache;
    e.kind = MODEL_LEAF;
    e.wild = 0;
    return e;
}

void stale_add_device_config(const struct stale_maker *m, bool absent)
{
    struct model_entry e = stale_config_entry(m, XINV_CACHE_DEVICE_CONFIG);

    e.absent = absent;
    if (absent && m->config->vendor == MODEL_VTD)
        e.did = 0; /* under caching mode */
    stale_add(m, &e);
    for (unsigned i = 0; i < m->at->n_aliases; i++) {
        e.rid = m->at->aliases[i];
        stale_add(m, &e);
    }
}

/*
 * Tags below the one that the endpoint has to itself, so that a change of its device entry or of
 * its PASID table concerns every value: a guest's ASIDs and PASIDs under nesting, the PASIDs of
 * AMD's DomainID, of which each device with a GCR3 table has its own (3.1).
 */
uint16_t stale_own_tags(const struct stale_maker *m)
{
    if (m->at->stage == XINV_STAGE_NESTED)
        return MODEL_WILD_ASID | MODEL_WILD_PASID;
    return m->config->vendor == MODEL_AMDVI ? MODEL_WILD_PASID : 0;
}

void stale_add_pasid_config(const struct stale_maker *m, bool absent, bool all, bool tables)
{
    struct model_entry e = stale_config_entry(m, XINV_CACHE_PASID_CONFIG);
    bool vtd = m->config->vendor == MODEL_VTD;
    bool amd = m->config->vendor == MODEL_AMDVI;

    if ((vtd && !m->config->scalable) || (amd && !m->config->gtsup) ||
        ((amd || m->config->vendor == MODEL_SMMUV3) && e.walk == MODEL_SECOND))
        return;
    e.absent = absent;
    /* every CD of a stream; every PASID entry that an endpoint is asked to forget */
    if (all && (m->config->vendor == MODEL_SMMUV3 || stale_has(m, XINV_REQ_INVALIDATE)))
        e.wild |= MODEL_WILD_PASID;
    else if (all)
        e.wild |= stale_own_tags(m) & MODEL_WILD_PASID;
    /* the attachments are the live PASIDs, unless they are said to be unknown */
    if (vtd && !stale_has(m, XINV_REQ_INVALIDATE) && !(m->at->flags & XINV_ATT_PASIDS_UNKNOWN))
        model_entries_add(m->out, &e);
    else
        stale_add(m, &e);
    if (tables && m->config->vendor == MODEL_SMMUV3) {
        e.kind = MODEL_TABLE;
        stale_add(m, &e);
    }
}
