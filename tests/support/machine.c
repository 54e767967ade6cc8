// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/* Caches that DMA fills and commands empty. */
#include "tests/support/machine.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LEVELS 3

void machine_open(struct machine *m, const struct xinv_iommu *iommu)
{
    memset(m, 0, sizeof(*m));
    cr_assert_eq(model_config_of(&m->config, iommu), 0);
}

void machine_close(struct machine *m)
{
    free(m->entries);
    memset(m, 0, sizeof(*m));
}

static bool is_smmu(const struct machine *m)
{
    return m->config.vendor == MODEL_SMMUV3;
}

static bool is_nested(const struct machine_context *c)
{
    return c->at.stage == XINV_STAGE_NESTED;
}

/* "Not present" is cached where a table says so (VT-d 6.1: all but first-stage tables). */
static bool caches_absent(const struct machine *m, const struct machine_context *c)
{
    return (m->config.vendor == MODEL_VTD && m->config.cm && c->at.stage == XINV_STAGE_STAGE2) ||
           (m->config.vendor == MODEL_AMDVI && m->config.npcache);
}

static bool has_pasid_entry(const struct machine *m, const struct machine_context *c)
{
    bool first = c->at.stage == XINV_STAGE_STAGE1 || is_nested(c);

    return m->config.vendor == MODEL_VTD ? m->config.scalable
                                         : first && (is_smmu(m) || m->config.gtsup);
}

/* The same traffic is another context's now. */
static bool is_replaced(const struct machine *m, const struct machine_context *c)
{
    for (size_t i = 0; i < m->n_contexts && !c->live; i++) {
        const struct machine_context *other = m->contexts[i];

        if (other->live && other->at.rid == c->at.rid && other->tagged == c->tagged &&
            other->at.pasid == c->at.pasid)
            return true;
    }
    return false;
}

/* ---- Filling -----------------------------------------------------------------------------------
 */

static bool same_entry(const struct model_entry *a, const struct model_entry *b)
{
    bool kind = a->cache == b->cache && a->kind == b->kind && a->walk == b->walk &&
                a->regime == b->regime && a->global == b->global && a->absent == b->absent &&
                a->tagged == b->tagged;
    bool tags = a->rid == b->rid && a->pasid == b->pasid && a->asid == b->asid &&
                a->did == b->did && a->vmid == b->vmid;

    return kind && tags && a->log2_size == b->log2_size && a->address == b->address &&
           a->ipa == b->ipa;
}

static void add_due(struct machine *m, const struct model_entry *e, uint64_t says, unsigned due)
{
    struct machine_entry entry = {*e, says, due};

    for (size_t i = 0; i < m->n; i++)
        if (m->entries[i].says == says && same_entry(&m->entries[i].e, e))
            return;
    if (m->n == m->room) {
        m->room = m->room ? 2 * m->room : 64;
        m->entries = realloc(m->entries, m->room * sizeof(*m->entries));
        cr_assert_not_null(m->entries);
    }
    m->entries[m->n++] = entry;
    m->filled++;
}

static void add(struct machine *m, const struct model_entry *e, uint64_t says)
{
    add_due(m, e, says, 0);
}

/* An entry with the tags that the context's traffic has in the IOMMU's own caches. */
static struct model_entry tagged(const struct machine *m, const struct machine_context *c,
                                 enum xinv_cache cache, enum model_walk walk)
{
    struct model_entry e = {.log2_granule = 12};

    e.cache = (uint8_t)cache;
    e.walk = (uint8_t)walk;
    e.regime = m->config.e2h && c->at.stage == XINV_STAGE_STAGE1 ? MODEL_EL2_E2H : MODEL_EL1;
    e.rid = c->at.rid;
    e.pasid = c->at.pasid;
    e.asid = c->at.asid;
    e.did = c->at.did;
    e.vmid = c->at.vmid;
    return e;
}

static void add_config(struct machine *m, const struct machine_context *c)
{
    struct model_entry e = tagged(m, c, XINV_CACHE_DEVICE_CONFIG, MODEL_PASS);

    add(m, &e, c->device);
    e.cache = XINV_CACHE_PASID_CONFIG;
    if (has_pasid_entry(m, c))
        add(m, &e, c->pasid);
}

/* Pages of a table on the way to an address, and "not present" where they end. */
static void add_pages(struct machine *m, const struct machine_context *c,
                      const struct model_entry *like, const struct machine_table *t,
                      uint64_t address)
{
    struct model_entry e = *like;

    e.kind = MODEL_TABLE;
    for (unsigned level = LEVELS; level; level--) {
        uint32_t page = machine_page_at(t, level, address);

        e.log2_size = (uint8_t)(12 + 9 * level);
        e.address = e.ipa = model_base(address, e.log2_size);
        e.absent = !page;
        if (page || caches_absent(m, c))
            add(m, &e, page);
        if (!page)
            return;
    }
}

static void add_device_tlb(struct machine *m, const struct machine_context *c, uint64_t address,
                           unsigned log2_size, uint64_t says, unsigned due)
{
    struct model_entry e = tagged(m, c, XINV_CACHE_DEVICE_TLB, MODEL_FIRST);

    if (!(c->at.flags & XINV_ATT_ATS))
        return;
    e.walk = c->passes                          ? MODEL_PASS
             : is_nested(c)                     ? MODEL_BOTH
             : c->at.stage == XINV_STAGE_STAGE1 ? MODEL_FIRST
                                                : MODEL_SECOND;
    e.tagged = c->tagged;
    e.log2_size = (uint8_t)log2_size;
    e.address = model_base(address, log2_size);
    e.ipa = e.walk == MODEL_SECOND ? e.address : 0;
    e.wild = is_nested(c) ? MODEL_WILD_IPA : 0; /* the endpoint does not know by which it came */
    add_due(m, &e, says, due);
}

static void add_leaf(struct machine *m, const struct model_entry *like,
                     const struct machine_leaf *leaf, uint64_t address)
{
    struct model_entry e = *like;

    e.kind = MODEL_LEAF;
    e.log2_size = leaf->log2_size;
    e.global = leaf->global && is_smmu(m) && e.walk == MODEL_FIRST;
    e.address = e.ipa = model_base(address, leaf->log2_size);
    add(m, &e, leaf->says);
}

static void add_absent(struct machine *m, const struct machine_context *c,
                       const struct model_entry *like, uint64_t address)
{
    struct model_entry e = *like;

    if (!caches_absent(m, c))
        return;
    e.log2_size = 12;
    e.address = e.ipa = model_base(address, 12);
    e.absent = true;
    add(m, &e, 0);
}

static void dma_one_stage(struct machine *m, const struct machine_context *c, uint64_t address)
{
    bool first = c->at.stage == XINV_STAGE_STAGE1;
    const struct machine_table *t = first ? c->stage1 : c->stage2;
    struct model_entry e = tagged(m, c, first ? XINV_CACHE_STAGE1 : XINV_CACHE_STAGE2,
                                  first ? MODEL_FIRST : MODEL_SECOND);
    struct machine_leaf leaf;

    add_pages(m, c, &e, t, address);
    if (!machine_walk(t, address, &leaf)) {
        add_absent(m, c, &e, address);
        return;
    }
    add_leaf(m, &e, &leaf, address);
    add_device_tlb(m, c, address, leaf.log2_size, leaf.says, 0);
}

/* Where the guest's table has its pages: in a part of its memory that nothing else uses. */
static uint64_t ipa_of_page(uint32_t serial)
{
    return UINT64_C(0x80000000) + (uint64_t)(serial % 256) * 0x1000;
}

static uint64_t both(uint64_t first, uint64_t second)
{
    return first * UINT64_C(0x9e3779b97f4a7c15) ^ second;
}

/* What stage 2 makes of an IPA, its own entries cached. */
static bool dma_stage2(struct machine *m, const struct machine_context *c, uint64_t ipa,
                       struct machine_leaf *leaf)
{
    struct model_entry e = tagged(m, c, XINV_CACHE_STAGE2, MODEL_SECOND);

    add_pages(m, c, &e, c->stage2, ipa);
    if (!machine_walk(c->stage2, ipa, leaf))
        return false;
    add_leaf(m, &e, leaf, ipa);
    return true;
}

static void dma_nested(struct machine *m, const struct machine_context *c, uint64_t address)
{
    struct model_entry e = tagged(m, c, XINV_CACHE_NESTED, MODEL_BOTH);
    struct machine_leaf first;
    struct machine_leaf second;

    for (unsigned level = LEVELS; level; level--) {
        uint32_t page = machine_page_at(c->stage1, level, address);

        if (!page || !dma_stage2(m, c, ipa_of_page(page), &second))
            return;
        e.kind = MODEL_TABLE;
        e.log2_size = (uint8_t)(12 + 9 * level);
        e.address = model_base(address, e.log2_size);
        e.ipa = ipa_of_page(page);
        add(m, &e, both(page, second.says));
    }
    if (!machine_walk(c->stage1, address, &first) || !dma_stage2(m, c, first.to, &second))
        return;
    e.kind = MODEL_LEAF;
    e.log2_size = first.log2_size < second.log2_size ? first.log2_size : second.log2_size;
    e.global = first.global && is_smmu(m);
    e.address = model_base(address, e.log2_size);
    e.ipa = model_base(first.to, e.log2_size);
    add(m, &e, both(first.says, second.says));
    add_device_tlb(m, c, address, e.log2_size, both(first.says, second.says), 0);
}

static bool can_hit(const struct machine *m, const struct machine_context *c,
                    const struct model_entry *e);

/* While commands wait, a translation that is about to go is given to the endpoint all the same. */
static void dma_stale(struct machine *m, const struct machine_context *c, uint64_t address)
{
    for (size_t i = 0; i < m->n && m->waiting > 0; i++) {
        const struct machine_entry entry = m->entries[i];

        if (model_is_tlb(&entry.e) && entry.e.kind == MODEL_LEAF && !entry.e.absent &&
            (entry.e.walk != MODEL_SECOND || !is_nested(c)) && can_hit(m, c, &entry.e) &&
            model_overlaps(entry.e.address, entry.e.log2_size, address, address))
            add_device_tlb(m, c, address, entry.e.log2_size, entry.says, entry.due);
    }
}

void machine_dma(struct machine *m, struct machine_context *c, uint64_t address)
{
    if (is_replaced(m, c))
        return;
    if (!c->live) {
        c->knocked = true;
        machine_refused(m, c);
        return;
    }
    add_config(m, c);
    dma_stale(m, c, address);
    if (c->passes)
        add_device_tlb(m, c, address, 12, 0, 0);
    else if (is_nested(c))
        dma_nested(m, c, address);
    else
        dma_one_stage(m, c, address);
}

void machine_refused(struct machine *m, const struct machine_context *c)
{
    struct model_entry e = tagged(m, c, XINV_CACHE_DEVICE_CONFIG, MODEL_PASS);
    bool vtd = m->config.vendor == MODEL_VTD;

    if (!c->knocked || (vtd && !m->config.cm))
        return;
    e.absent = true;
    if (vtd)
        e.did = 0; /* legacy context entries, while not present (6.1) */
    if (!c->device)
        add(m, &e, 0);
    if (!c->device || c->pasid || !has_pasid_entry(m, c) || m->config.vendor == MODEL_AMDVI)
        return;
    e.did = c->at.did;
    e.cache = XINV_CACHE_PASID_CONFIG;
    add(m, &e, 0);
}

/* ---- What is stale -----------------------------------------------------------------------------
 */

/* The context's traffic can hit the entry: its tags are those of the lookup. */
static bool can_hit(const struct machine *m, const struct machine_context *c,
                    const struct model_entry *e)
{
    bool space = is_smmu(m) ? c->at.vmid == e->vmid : c->at.did == e->did;
    bool inner = is_smmu(m) ? e->global || c->at.asid == e->asid : c->at.pasid == e->pasid;

    switch (e->cache) {
    case XINV_CACHE_DEVICE_CONFIG:
        return c->at.rid == e->rid;
    case XINV_CACHE_PASID_CONFIG:
        /* by way of a device entry that is present; AMD-Vi has them under the DomainID */
        return c->device && c->at.pasid == e->pasid &&
               (m->config.vendor == MODEL_AMDVI ? c->live && space : c->at.rid == e->rid);
    case XINV_CACHE_DEVICE_TLB:
        return c->at.rid == e->rid && c->tagged == e->tagged &&
               (!e->tagged || c->at.pasid == e->pasid);
    case XINV_CACHE_STAGE1:
        return c->live && c->at.stage == XINV_STAGE_STAGE1 && space && inner;
    case XINV_CACHE_NESTED:
        return c->live && is_nested(c) && space && inner;
    case XINV_CACHE_STAGE2:
        if (c->at.stage == XINV_STAGE_STAGE2)
            return c->live && space;
        /* VT-d names the table in the PASID entry, the others in the device entry */
        return is_nested(c) && space && (m->config.vendor == MODEL_VTD ? c->live : c->device != 0);
    default:
        return false;
    }
}

static bool one_stage_is_right(const struct machine_table *t, const struct machine_entry *entry,
                               uint64_t address)
{
    const struct model_entry *e = &entry->e;
    struct machine_leaf leaf;
    bool mapped;

    if (e->kind == MODEL_TABLE)
        return machine_page_at(t, (e->log2_size - 12u) / 9, address) == entry->says;
    mapped = machine_walk(t, address, &leaf);
    return e->absent ? !mapped : mapped && leaf.says == entry->says;
}

static bool nested_is_right(const struct machine_context *c, const struct machine_entry *entry)
{
    const struct model_entry *e = &entry->e;
    struct machine_leaf first;
    struct machine_leaf second;
    uint32_t page;

    if (e->kind == MODEL_LEAF)
        return machine_walk(c->stage1, e->address, &first) &&
               machine_walk(c->stage2, first.to, &second) &&
               both(first.says, second.says) == entry->says;
    page = machine_page_at(c->stage1, (e->log2_size - 12u) / 9, e->address);
    return page && machine_walk(c->stage2, ipa_of_page(page), &second) &&
           both(page, second.says) == entry->says;
}

static bool is_right(const struct machine_context *c, const struct machine_entry *entry)
{
    const struct model_entry *e = &entry->e;

    switch (e->cache) {
    case XINV_CACHE_DEVICE_CONFIG:
        return c->device == entry->says;
    case XINV_CACHE_PASID_CONFIG:
        return c->pasid == entry->says;
    case XINV_CACHE_STAGE1:
        return one_stage_is_right(c->stage1, entry, e->address);
    case XINV_CACHE_STAGE2:
        return one_stage_is_right(c->stage2, entry, e->ipa);
    case XINV_CACHE_NESTED:
        return nested_is_right(c, entry);
    default:
        if (!c->live || c->passes)
            return c->passes && !entry->says;
        if (is_nested(c))
            return nested_is_right(c, entry);
        return one_stage_is_right(c->at.stage == XINV_STAGE_STAGE1 ? c->stage1 : c->stage2, entry,
                                  e->address);
    }
}

/* Stale, or under tags that nobody has: what is right for one context may not be for another. */
static bool is_stale(const struct machine *m, const struct machine_entry *entry, bool *can_be_hit)
{
    bool right = false;

    *can_be_hit = false;
    for (size_t i = 0; i < m->n_contexts; i++) {
        if (is_replaced(m, m->contexts[i]) || !can_hit(m, m->contexts[i], &entry->e))
            continue;
        right = true;
        if (!is_right(m->contexts[i], entry))
            *can_be_hit = true;
    }
    return *can_be_hit || !right;
}

const struct machine_entry *machine_stale(const struct machine *m)
{
    bool can_be_hit;

    for (size_t i = 0; i < m->n; i++)
        if (is_stale(m, &m->entries[i], &can_be_hit) && can_be_hit)
            return &m->entries[i];
    return NULL;
}

/* ---- Commands ----------------------------------------------------------------------------------
 */

/* Why the entry is still there, of those that the commands are about. */
static void explain(struct machine *m, const struct model_run *run, const struct model_entry *e,
                    enum model_fate fate)
{
    const char *why = fate == MODEL_REFILLED  ? "it is removed too early, and comes back"
                      : fate == MODEL_PENDING ? "nothing tells when its removal is done"
                                              : NULL;

    for (size_t i = run->n; i-- > 0 && !why;) {
        const char *miss = model_miss(&run->config, &run->commands[i], e);

        if (!run->commands[i].sync && miss && strncmp(miss, "the ", 4))
            why = miss;
    }
    snprintf(m->why, sizeof(m->why), "%s", why ? why : "no command is about it");
}

/* An endpoint is given translations under the tags of its entry. Once that names others, or none, a
 * TLB entry under the old tags cannot feed the endpoint's own cache: only a stale entry of the
 * endpoint could still lead there. */
static struct model_entry without_old_tags(const struct machine *m, const struct model_entry *e)
{
    struct model_entry as = *e;

    for (size_t i = 0; i < m->n_contexts && e->cache == XINV_CACHE_DEVICE_TLB; i++) {
        const struct machine_context *c = m->contexts[i];

        if (c->live && c->at.rid == e->rid && c->at.pasid == e->pasid && c->tagged == e->tagged &&
            c->at.asid == e->asid && c->at.did == e->did && c->at.vmid == e->vmid)
            return as;
    }
    if (e->cache == XINV_CACHE_DEVICE_TLB)
        as.asid = as.did = as.vmid = UINT32_MAX;
    return as;
}

void machine_submit(struct machine *m)
{
    bool hit;

    m->waiting++;
    for (size_t i = 0; i < m->n; i++)
        if (!m->entries[i].due && is_stale(m, &m->entries[i], &hit))
            m->entries[i].due = m->waiting;
}

/* One list: of what it has to do with, which is still there, what goes? */
static void run_list(struct machine *m, const struct model_run *run, unsigned list)
{
    struct model_entry *stale = malloc((m->n + 1) * sizeof(*stale));
    struct model_verdict *verdicts = malloc((m->n + 1) * sizeof(*verdicts));
    size_t n_stale = 0;
    size_t kept = 0;
    bool explained = false;

    cr_assert(stale && verdicts);
    for (size_t i = 0; i < m->n; i++)
        if (m->entries[i].due && m->entries[i].due <= list)
            stale[n_stale++] = without_old_tags(m, &m->entries[i].e);
    cr_assert_geq(model_judge(run, stale, n_stale, verdicts), 0);
    m->judged += n_stale;
    n_stale = 0;
    for (size_t i = 0; i < m->n; i++) {
        const struct machine_entry *entry = &m->entries[i];
        bool due = entry->due && entry->due <= list;
        bool hit = false;

        if (due && verdicts[n_stale++].fate == MODEL_GONE)
            continue;
        if (due && !explained && is_stale(m, entry, &hit) && hit) {
            explain(m, run, &entry->e, (enum model_fate)verdicts[n_stale - 1].fate);
            explained = true;
        }
        m->entries[kept++] = *entry;
    }
    m->n = kept;
    free(stale);
    free(verdicts);
}

void machine_run(struct machine *m, const struct model_run *lists, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        run_list(m, &lists[i], i + 1);
    m->waiting = 0;
    for (size_t i = 0; i < m->n; i++)
        m->entries[i].due = 0;
}
