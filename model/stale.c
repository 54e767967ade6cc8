// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/*
 * What a change of tables makes stale: examples of every kind of entry that hardware could have
 * made of the old tables, and that must not be used with the new ones.
 */
#include <stdlib.h>
#include <string.h>

#include "model/rules.h"

void model_entries_add(struct model_entries *entries, const struct model_entry *entry)
{
    if (entries->n == entries->room) {
        size_t room = entries->room ? 2 * entries->room : 64;
        void *p = realloc(entries->at, room * sizeof(*entries->at));

        if (!p)
            abort();
        entries->at = p;
        entries->room = room;
    }
    entries->at[entries->n++] = *entry;
}

void model_entries_free(struct model_entries *entries)
{
    free(entries->at);
    memset(entries, 0, sizeof(*entries));
}

#define MOST 68 /* blocks of one size that are taken one by one, and some at edges */

struct maker {
    const struct model_config *config;
    const struct xinv_request *request;
    const struct xinv_attachment *at;
    struct model_entries *out;
    unsigned most;
    bool ranged;
};

static bool has(const struct maker *m, unsigned flag)
{
    return m->request->flags & flag;
}

static bool knows(const struct maker *m, enum xinv_tag tag)
{
    return m->at->known & XINV_TAG_BIT(tag);
}

/* ---- Addresses -------------------------------------------------------------------------------
 */

static unsigned granule(const struct maker *m)
{
    unsigned leaf = m->request->log2_leaf_size;

    if (m->request->log2_granule)
        return m->request->log2_granule;
    if (m->config->vendor != MODEL_SMMUV3)
        return 12;
    return leaf == 14 || leaf == 25 || leaf == 36 ? 14 : leaf == 16 || leaf == 29 ? 16 : 12;
}

/* Input sizes: 48 bits of a VA with its sign, 48 bits of an IPA; 52 on AMD-Vi. */
static bool exists(const struct maker *m, enum model_walk walk, uint64_t address)
{
    if (walk == MODEL_FIRST || walk == MODEL_BOTH)
        return !(address >> 47) || address >> 47 == UINT64_MAX >> 47;
    return !(address >> (m->config->vendor == MODEL_AMDVI ? 52 : 48));
}

/* Bases of the blocks of 2^log2 bytes that lie in the range, or (within false) touch it. */
static unsigned blocks(const struct maker *m, enum model_walk walk, unsigned log2, bool within,
                       uint64_t at[MOST])
{
    static const uint64_t samples[] = {0, UINT64_C(0x40000000), UINT64_C(0x7ffffffff000),
                                       UINT64_C(0xfffffffffffff000)};
    static const uint64_t edges[] = {UINT64_C(0x7ffffffff000), UINT64_C(0xffff800000000000),
                                     UINT64_C(0xfffffffff000), UINT64_C(0xffffffffff000)};
    uint64_t first = m->request->first >> log2;
    uint64_t last = m->request->last >> log2;
    unsigned n = 0;

    if (!m->ranged) {
        for (unsigned i = 0; i < sizeof(samples) / sizeof(samples[0]); i++)
            if (exists(m, walk, samples[i]))
                at[n++] = model_base(samples[i], log2);
        return n;
    }
    if (within && first << log2 < m->request->first && first++ == last)
        return 0;
    if (within && model_last(last << log2, log2) > m->request->last && last-- == first)
        return 0;
    /* the first ones, the last ones, and those at the ends of what an address can be */
    for (uint64_t i = first, tried = 0; tried < m->most; tried++, i++) {
        if (tried == m->most / 2 && last - i > m->most - tried)
            i = last - (m->most - tried) + 1;
        if (exists(m, walk, i << log2))
            at[n++] = i << log2;
        if (i == last)
            return n;
    }
    for (unsigned e = 0; e < sizeof(edges) / sizeof(edges[0]) && n < MOST; e++) {
        uint64_t i = edges[e] >> log2;

        if (i >= first && i <= last && exists(m, walk, i << log2))
            at[n++] = i << log2;
    }
    return n;
}

static unsigned leaf_sizes(const struct maker *m, uint8_t sizes[4])
{
    unsigned g = granule(m);
    unsigned largest = m->request->log2_leaf_size ? m->request->log2_leaf_size : g;
    unsigned smallest = m->request->log2_smallest_leaf ? m->request->log2_smallest_leaf : g;
    unsigned n = 0;

    for (unsigned k = 0; k < 3; k++) {
        unsigned size = g + k * (g - 3);

        if (!m->ranged || (size >= smallest && size <= largest))
            sizes[n++] = (uint8_t)size;
    }
    /* AMD-Vi host tables have leaves of any power of two */
    if (m->ranged && m->config->vendor == MODEL_AMDVI && largest > g && !n)
        sizes[n++] = (uint8_t)largest;
    return n;
}

/* ---- Adding ----------------------------------------------------------------------------------
 */

static uint32_t other(uint32_t value, unsigned bits)
{
    uint32_t top = bits < 32 ? (1u << bits) - 1 : 0xffff;

    return value == top ? top - 1 : top;
}

/* An entry; where any value of a tag would do, a second one with other values. */
static void add(const struct maker *m, const struct model_entry *entry)
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
        e.pasid = other(e.pasid, pasid_bits);
    if (e.wild & MODEL_WILD_ASID)
        e.asid = other(e.asid, asid_bits);
    if (e.wild & MODEL_WILD_DID)
        e.did = other(e.did, m->config->vendor == MODEL_VTD ? m->config->did_bits : 16);
    if (e.wild & MODEL_WILD_VMID && m->config->s2p)
        e.vmid = other(e.vmid, wide);
    if (e.wild & MODEL_WILD_INDEX)
        e.index = 0xffff;
    model_entries_add(m->out, &e);
}

/* The attachment's tags, as the IOMMU's own caches label its translations. */
static struct model_entry translation(const struct maker *m, enum model_walk walk)
{
    const struct xinv_attachment *at = m->at;
    struct model_entry e = {
        .walk = (uint8_t)walk, .rid = at->rid, .log2_granule = (uint8_t)granule(m)};
    bool el2 = m->config->e2h && at->stage == XINV_STAGE_STAGE1;

    e.cache = walk == MODEL_FIRST  ? XINV_CACHE_STAGE1
              : walk == MODEL_BOTH ? XINV_CACHE_NESTED
                                   : XINV_CACHE_STAGE2;
    e.regime = el2 ? MODEL_EL2_E2H : MODEL_EL1;
    /* traffic without PASID is PASID 0 to the IOMMU */
    e.pasid = knows(m, XINV_TAG_PASID) ? at->pasid : 0;
    e.asid = knows(m, XINV_TAG_ASID) ? at->asid : 1;
    e.did = knows(m, XINV_TAG_DID) ? at->did : 0;
    e.vmid = knows(m, XINV_TAG_VMID) ? at->vmid : 0;
    if (has(m, XINV_REQ_ASID))
        e.asid = m->request->asid;
    else if (m->config->vendor == MODEL_SMMUV3 && walk != MODEL_SECOND && !knows(m, XINV_TAG_ASID))
        e.wild |= MODEL_WILD_ASID;
    if (has(m, XINV_REQ_PASID))
        e.pasid = m->request->pasid;
    return e;
}

static enum model_walk walk_of(const struct maker *m)
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
static void add_range(const struct maker *m, const struct model_entry *like, bool tables)
{
    uint64_t at[MOST];
    uint8_t sizes[4];
    struct model_entry e = *like;
    unsigned n_sizes = leaf_sizes(m, sizes);
    unsigned g = granule(m);

    for (unsigned s = 0; s < n_sizes; s++) {
        unsigned n = blocks(m, e.walk, sizes[s], has(m, XINV_REQ_LEAVES_WITHIN), at);

        e.kind = MODEL_LEAF;
        e.log2_size = sizes[s];
        for (unsigned i = 0; i < n; i++) {
            e.address = e.ipa = at[i];
            add(m, &e);
        }
    }
    for (unsigned k = 1; tables && k < 4; k++) {
        unsigned n = blocks(m, e.walk, g + k * (g - 3), false, at);

        e.kind = MODEL_TABLE;
        e.log2_size = (uint8_t)(g + k * (g - 3));
        for (unsigned i = 0; i < n; i++) {
            e.address = e.ipa = at[i];
            add(m, &e);
        }
    }
}

/* Combined entries whose walk used the range of IPAs: any VA, ASID and PASID, global or not. Their
 * paging-structure entries hold translated addresses of stage-1 tables, which may lie in the range.
 */
static void add_combined(const struct maker *m)
{
    static const uint64_t vas[] = {0, UINT64_C(0x7ffffffff000), UINT64_C(0xffff800000000000)};
    struct model_entry e = translation(m, MODEL_BOTH);
    uint64_t ipas[MOST];
    unsigned n = blocks(m, MODEL_SECOND, 12, false, ipas);

    e.wild |= MODEL_WILD_ADDRESS | MODEL_WILD_PASID | MODEL_WILD_ASID;
    for (unsigned v = 0; v < sizeof(vas) / sizeof(vas[0]); v++) {
        e.address = vas[v];
        for (unsigned i = 0; i<n; i += n> 1 ? n - 1 : 1) {
            e.ipa = ipas[i];
            e.kind = MODEL_LEAF;
            e.log2_size = 12;
            e.global = false;
            add(m, &e);
            e.global = m->config->vendor == MODEL_SMMUV3;
            add(m, &e);
            e.global = false;
            e.kind = MODEL_TABLE;
            e.log2_size = 21;
            add(m, &e);
        }
    }
}

/* ---- The endpoint's own cache ------------------------------------------------------------------
 */

static struct model_entry device_tlb(const struct maker *m)
{
    struct model_entry e = translation(m, walk_of(m));

    e.cache = XINV_CACHE_DEVICE_TLB;
    e.kind = MODEL_LEAF;
    e.log2_size = 12;
    e.wild &= (uint16_t)~MODEL_WILD_ASID;
    e.tagged = e.pasid != 0;
    return e;
}

/* Everywhere, or in the range. */
static void add_device_tlb_entry(const struct maker *m, const struct model_entry *like, bool range)
{
    static const uint64_t samples[] = {0, UINT64_C(0x40000000), UINT64_C(0x7ffffffff000),
                                       UINT64_C(0xfffffffffffff000)};
    struct model_entry e = *like;

    if (range) {
        add_range(m, &e, false);
        return;
    }
    e.wild |= MODEL_WILD_ADDRESS | MODEL_WILD_IPA;
    for (unsigned i = 0; i < sizeof(samples) / sizeof(samples[0]); i++) {
        e.address = e.ipa = samples[i];
        if (exists(m, e.walk, e.address))
            add(m, &e);
    }
}

/* `all`: whatever PASID, as far as they are known. */
static void add_device_tlb(const struct maker *m, bool range, bool all)
{
    struct model_entry e = device_tlb(m);

    if (!(m->at->flags & XINV_ATT_ATS))
        return;
    add_device_tlb_entry(m, &e, range);
    /* GIOV: a request with PASID 0 uses the same table as one without */
    if (m->config->vendor == MODEL_AMDVI && !e.pasid && e.walk != MODEL_SECOND &&
        m->at->flags & XINV_ATT_PASID_ENABLED) {
        e.tagged = true;
        add_device_tlb_entry(m, &e, range);
    }
    /* whatever a guest's own table lets the endpoint do, requests without PASID among it */
    if (all && m->at->flags & XINV_ATT_PASIDS_UNKNOWN && e.pasid) {
        e.tagged = false;
        add_device_tlb_entry(m, &e, range);
    }
    if (all && m->at->flags & XINV_ATT_PASIDS_UNKNOWN && model_has_pasids(m->config)) {
        e.tagged = true;
        e.pasid = 1;
        e.wild |= MODEL_WILD_PASID;
        add_device_tlb_entry(m, &e, range);
    }
}

/* Everything that an endpoint may hold once its own entry has changed: without PASID as well. */
static void add_whole_device_tlb(const struct maker *m)
{
    struct model_entry e = device_tlb(m);

    add_device_tlb(m, false, true);
    if (!e.tagged || !(m->at->flags & XINV_ATT_ATS))
        return;
    e.tagged = false;
    e.pasid = 0;
    add_device_tlb_entry(m, &e, false);
}

/* ---- Configuration -----------------------------------------------------------------------------
 */

static struct model_entry config_entry(const struct maker *m, enum xinv_cache cache)
{
    struct model_entry e = translation(m, walk_of(m));

    e.cache = (uint8_t)cache;
    e.kind = MODEL_LEAF;
    e.wild = 0;
    return e;
}

static void add_device_config(const struct maker *m, bool absent)
{
    struct model_entry e = config_entry(m, XINV_CACHE_DEVICE_CONFIG);

    e.absent = absent;
    if (absent && m->config->vendor == MODEL_VTD)
        e.did = 0; /* under caching mode */
    add(m, &e);
    for (unsigned i = 0; i < m->at->n_aliases; i++) {
        e.rid = m->at->aliases[i];
        add(m, &e);
    }
}

/*
 * Tags below the one that the endpoint has to itself, so that a change of its device entry or of
 * its PASID table concerns every value: a guest's ASIDs and PASIDs under nesting, the PASIDs of
 * AMD's DomainID, of which each device with a GCR3 table has its own (3.1).
 */
static uint16_t own_tags(const struct maker *m)
{
    if (m->at->stage == XINV_STAGE_NESTED)
        return MODEL_WILD_ASID | MODEL_WILD_PASID;
    return m->config->vendor == MODEL_AMDVI ? MODEL_WILD_PASID : 0;
}

static void add_pasid_config(const struct maker *m, bool absent, bool all, bool tables)
{
    struct model_entry e = config_entry(m, XINV_CACHE_PASID_CONFIG);
    bool vtd = m->config->vendor == MODEL_VTD;
    bool amd = m->config->vendor == MODEL_AMDVI;

    if ((vtd && !m->config->scalable) || (amd && !m->config->gtsup) ||
        ((amd || m->config->vendor == MODEL_SMMUV3) && e.walk == MODEL_SECOND))
        return;
    e.absent = absent;
    /* every CD of a stream; every PASID entry that an endpoint is asked to forget */
    if (all && (m->config->vendor == MODEL_SMMUV3 || has(m, XINV_REQ_INVALIDATE)))
        e.wild |= MODEL_WILD_PASID;
    else if (all)
        e.wild |= own_tags(m) & MODEL_WILD_PASID;
    /* the attachments are the live PASIDs, unless they are said to be unknown */
    if (vtd && !has(m, XINV_REQ_INVALIDATE) && !(m->at->flags & XINV_ATT_PASIDS_UNKNOWN))
        model_entries_add(m->out, &e);
    else
        add(m, &e);
    if (tables && m->config->vendor == MODEL_SMMUV3) {
        e.kind = MODEL_TABLE;
        add(m, &e);
    }
}

/* ---- Changes -----------------------------------------------------------------------------------
 */

/* "Not present" is cached, and so must be forgotten when an entry becomes present: VT-d caching
 * mode for all but first-stage entries, NpCache. */
static bool caches_absent(const struct maker *m, enum model_walk walk)
{
    return (m->config->vendor == MODEL_VTD && m->config->cm && walk != MODEL_FIRST) ||
           (m->config->vendor == MODEL_AMDVI && m->config->npcache);
}

/* VT-d 6.8: where nothing else is invalidated, the unit must be made to see the new entry. */
static void add_write_buffer(const struct maker *m)
{
    struct model_entry e = {.cache = XINV_CACHE_WRITE_BUFFER};

    if (m->config->vendor == MODEL_VTD && m->config->rwbf && !m->config->cm)
        add(m, &e);
}

static void stage1_pte(const struct maker *m, bool absent)
{
    enum model_walk walk = m->at->stage == XINV_STAGE_NESTED ? MODEL_BOTH : MODEL_FIRST;
    struct model_entry e = translation(m, walk);
    bool tables = !has(m, XINV_REQ_LEAF_ONLY);

    if (m->at->stage != XINV_STAGE_STAGE1 && m->at->stage != XINV_STAGE_NESTED)
        return;
    e.wild |= walk == MODEL_BOTH ? MODEL_WILD_IPA : 0;
    e.absent = absent;
    if (absent) {
        /* caching mode does not concern what a first-stage table says (3.3) */
        if (m->config->vendor == MODEL_AMDVI && m->config->npcache)
            add_range(m, &e, tables);
        add_write_buffer(m);
        return;
    }
    add_range(m, &e, tables);
    if (has(m, XINV_REQ_GLOBAL) && m->config->vendor == MODEL_SMMUV3) {
        e.global = true;
        e.wild |= MODEL_WILD_ASID;
        add_range(m, &e, tables);
    }
    add_device_tlb(m, true, false);
}

static void stage2_pte(const struct maker *m, bool absent)
{
    struct model_entry e = translation(m, MODEL_SECOND);

    if (m->at->stage != XINV_STAGE_STAGE2 && m->at->stage != XINV_STAGE_NESTED)
        return;
    e.absent = absent;
    if (absent) {
        if (caches_absent(m, MODEL_SECOND))
            add_range(m, &e, !has(m, XINV_REQ_LEAF_ONLY));
        add_write_buffer(m);
        return;
    }
    add_range(m, &e, !has(m, XINV_REQ_LEAF_ONLY));
    if (m->at->stage == XINV_STAGE_NESTED)
        add_combined(m);
    /* the endpoint's addresses are not IPAs under nesting */
    add_device_tlb(m, m->at->stage == XINV_STAGE_STAGE2, m->at->stage == XINV_STAGE_NESTED);
}

/* Everything of the attachment's own table: all addresses. `whose`: tags that any value of goes. */
static void add_whole(const struct maker *m, bool absent, uint16_t whose)
{
    struct maker all = *m;
    enum model_walk walk = walk_of(m);
    struct model_entry e = translation(m, walk);

    all.ranged = false;
    e.absent = absent;
    e.wild |= MODEL_WILD_ADDRESS | MODEL_WILD_IPA | whose;
    if (walk != MODEL_PASS)
        add_range(&all, &e, true);
    if (walk == MODEL_BOTH && whose & MODEL_WILD_ASID && m->config->vendor == MODEL_SMMUV3) {
        e.global = true;
        add_range(&all, &e, true);
    }
    if (walk == MODEL_PASS && m->config->vendor == MODEL_VTD)
        add_range(&all, &e, false);
    if (walk != MODEL_BOTH)
        return;
    e = translation(m, MODEL_SECOND);
    e.absent = absent;
    e.wild |= MODEL_WILD_ADDRESS | MODEL_WILD_IPA;
    add_range(&all, &e, true);
}

static void add_whole_stage1(const struct maker *m, uint16_t whose)
{
    struct maker all = *m;
    struct model_entry e = translation(m, walk_of(m));

    all.ranged = false;
    e.wild |= MODEL_WILD_ADDRESS | MODEL_WILD_IPA | whose;
    add_range(&all, &e, true);
}

static void pasid_entry(const struct maker *m, bool absent)
{
    struct maker all = *m;

    all.ranged = false;
    if (absent) {
        bool config = m->config->vendor == MODEL_SMMUV3 || caches_absent(m, MODEL_SECOND);

        /* SMMUv3 may have fetched the CD, and found it not valid, without caching it: no more
         * than that is promised, so the old one is taken as cached */
        if (config)
            add_pasid_config(m, true, false, false);
        if (caches_absent(m, MODEL_SECOND) && m->config->vendor == MODEL_VTD)
            add_whole(m, true, 0);
        add_write_buffer(m);
        return;
    }
    add_pasid_config(m, false, false, !has(m, XINV_REQ_LEAF_ONLY));
    if (m->config->vendor == MODEL_VTD && m->at->stage != XINV_STAGE_STAGE1)
        add_whole(m, false, 0); /* iotlb of the domain (3.3) */
    else
        add_whole_stage1(m, 0);
    add_device_tlb(&all, false, false);
}

static void device_entry(const struct maker *m, bool absent)
{
    struct maker all = *m;
    struct maker renamed = *m;
    struct xinv_attachment at = *m->at;

    all.ranged = false;
    if (absent) {
        /* SMMUv3 may cache an STE with V = 0; so is AMD's DTE with V = 0, which passes traffic */
        if (m->config->vendor != MODEL_VTD || m->config->cm)
            add_device_config(m, true);
        if (m->config->vendor == MODEL_VTD && m->config->cm) {
            /* legacy: under the new DID; scalable: under DID 0 */
            at.did = m->config->scalable        ? 0
                     : has(m, XINV_REQ_NEW_DID) ? m->request->new_did
                                                : at.did;
            renamed.at = &at;
            add_whole(&renamed, true, 0);
        }
        add_write_buffer(m);
        return;
    }
    add_device_config(m, false);
    add_pasid_config(m, false, true, true);
    add_whole(m, false, own_tags(m));
    add_whole_device_tlb(&all);
}

static void pasid_table(const struct maker *m)
{
    struct maker all = *m;

    all.ranged = false;
    add_device_config(m, false);
    add_pasid_config(m, false, true, true);
    if (m->config->vendor == MODEL_VTD && m->at->stage != XINV_STAGE_STAGE1)
        add_whole(m, false, own_tags(m));
    else
        add_whole_stage1(m, own_tags(m));
    add_whole_device_tlb(&all);
}

static void tag_release(const struct maker *m)
{
    /* a domain's tag is released for every PASID below it, unless the request names one */
    uint16_t whose = has(m, XINV_REQ_PASID) ? 0 : MODEL_WILD_PASID;

    if (m->at->stage == XINV_STAGE_NESTED && !has(m, XINV_REQ_ASID))
        whose |= MODEL_WILD_ASID;
    add_whole(m, false, whose);
    if (caches_absent(m, walk_of(m)))
        add_whole(m, true, whose);
}

/* Everything that the IOMMU has, whoever made it. */
static void add_everything(const struct maker *m, unsigned caches)
{
    struct maker all = *m;
    struct model_entry e = translation(m, MODEL_FIRST);
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
        add_range(&all, &e, true);
        if (smmu && walk == MODEL_FIRST && m->config->hyp) {
            e.regime = m->config->e2h ? MODEL_EL2_E2H : MODEL_EL2;
            add_range(&all, &e, true);
            e.regime = MODEL_EL1;
        }
    }
    memset(&e, 0, sizeof(e));
    e.rid = m->at->rid;
    e.wild = wild;
    e.cache = XINV_CACHE_DEVICE_CONFIG;
    if (caches & 1u << e.cache)
        add(m, &e);
    e.cache = XINV_CACHE_PASID_CONFIG;
    if (caches & 1u << e.cache && first)
        add(m, &e);
    e.cache = XINV_CACHE_INTERRUPT;
    if (caches & 1u << e.cache && (amd || (m->config->vendor == MODEL_VTD && m->config->ir)))
        add(m, &e);
}

/* ---- Explicit requests -------------------------------------------------------------------------
 */

/* Of the whole endpoint: what has no PASID, the live PASIDs, and whatever else there may be. */
static void explicit_device_tlb(const struct maker *m, bool endpoint)
{
    struct model_entry e = device_tlb(m);

    add_device_tlb(m, m->ranged, endpoint);
    if (!endpoint || !(m->at->flags & XINV_ATT_ATS))
        return;
    if (e.tagged) {
        /* asked for like the live ones */
        e.wild |= MODEL_WILD_PASID | MODEL_WILD_ADDRESS | MODEL_WILD_IPA;
        model_entries_add(m->out, &e);
    }
    e = device_tlb(m);
    e.tagged = false;
    e.pasid = 0;
    add_device_tlb_entry(m, &e, m->ranged);
}

static void explicit_request(const struct maker *m)
{
    unsigned caches = m->request->caches;
    bool every = m->request->scope == XINV_SCOPE_EVERYTHING;
    bool endpoint = m->request->scope == XINV_SCOPE_ENDPOINT;
    bool tables = !has(m, XINV_REQ_LEAF_ONLY);
    enum model_walk walk = walk_of(m);
    struct model_entry e;

    if (every) {
        add_everything(
            m, (caches & XINV_INV_IOTLB
                    ? 1u << XINV_CACHE_STAGE1 | 1u << XINV_CACHE_STAGE2 | 1u << XINV_CACHE_NESTED
                    : 0) |
                   (caches & XINV_INV_PASID_CONFIG ? 1u << XINV_CACHE_PASID_CONFIG : 0) |
                   (caches & XINV_INV_DEVICE_CONFIG ? 1u << XINV_CACHE_DEVICE_CONFIG : 0) |
                   (caches & XINV_INV_INTERRUPT ? 1u << XINV_CACHE_INTERRUPT : 0));
        return;
    }
    if (caches & XINV_INV_DEVICE_CONFIG)
        add_device_config(m, false);
    if (caches & XINV_INV_PASID_CONFIG)
        add_pasid_config(m, false, endpoint, tables);
    if ((caches & XINV_INV_IOTLB || caches & (XINV_INV_STAGE1 << walk)) && walk != MODEL_PASS) {
        e = translation(m, walk);
        add_range(m, &e, tables);
    }
    if (caches & XINV_INV_DEVICE_TLB)
        explicit_device_tlb(m, endpoint);
    if (caches & XINV_INV_INTERRUPT &&
        (m->config->vendor == MODEL_AMDVI || (m->config->vendor == MODEL_VTD && m->config->ir))) {
        e = config_entry(m, XINV_CACHE_INTERRUPT);
        e.wild = MODEL_WILD_INDEX;
        add(m, &e);
    }
}

void model_stale(const struct model_config *config, const struct xinv_attachment *attachments,
                 size_t n, const struct xinv_request *request, unsigned most,
                 struct model_entries *stale)
{
    bool absent = request->from == XINV_FROM_NOT_PRESENT;

    stale->n = 0;
    for (size_t i = 0; i < n; i++) {
        struct maker m = {.config = config,
                          .request = request,
                          .at = &attachments[i],
                          .out = stale,
                          .most = most > MOST ? MOST
                                  : most < 2  ? 2
                                              : most,
                          .ranged = request->flags & XINV_REQ_RANGE};
        struct maker all = m;

        all.ranged = false;
        if (request->flags & XINV_REQ_INVALIDATE) {
            explicit_request(&m);
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
            add_everything(&m, ~0u);
            add_whole_device_tlb(&all);
            break;
        }
    }
}
