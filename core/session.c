// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
#include "core/iommu.h"
#include "core/mem.h"
#include "core/session_impl.h"
#include "core/virtio.h"

/* ---- Storage ---- */

static uint32_t table_slots(uint32_t n)
{
    uint32_t slots = 4;

    while (slots < n + n / 2 + 1)
        slots *= 2;
    return slots;
}

/* Cuts the storage into arrays; with base NULL it only adds up. */
struct carver {
    uint8_t *base;
    size_t used;
};

static void *carve(struct carver *c, size_t each, size_t n)
{
    void *p = c->base ? c->base + c->used : NULL;

    c->used += (each * n + 15) & ~(size_t)15;
    return p;
}

static uint32_t log2_page(const struct xinv_session_config *c)
{
    return (uint32_t)__builtin_ctzll(c->page_size_mask);
}

/* A table cannot map pages that are smaller than its granule. */
static bool valid_granule(uint8_t log2, uint32_t page)
{
    return (log2 == 12 || log2 == 14 || log2 == 16) && (log2 <= page || page < 12);
}

static bool valid(const struct xinv_session_config *c)
{
    if (!c || !c->page_size_mask)
        return false;
    if (c->bypass > 1)
        return false;
    if (c->log2_granule && !valid_granule(c->log2_granule, log2_page(c)))
        return false;
    if ((c->features & XINV_VIRTIO_F_INPUT_RANGE) && c->input_start > c->input_end)
        return false;
    if ((c->features & XINV_VIRTIO_F_DOMAIN_RANGE) && c->domain_start > c->domain_end)
        return false;
    return c->n_iommus > 0 && c->n_iommus <= 32 && c->max_endpoints > 0 &&
           c->max_endpoints <= (1u << 20) && c->max_domains > 0 && c->max_domains <= (1u << 20) &&
           c->max_mappings > 0 && c->max_mappings <= (1u << 28);
}

/* Without the features the ranges are not valid: every address and every number is (5.13.4). */
static void widen_ranges(struct xinv_session_config *c)
{
    if (!(c->features & XINV_VIRTIO_F_INPUT_RANGE)) {
        c->input_start = 0;
        c->input_end = UINT64_MAX;
    }
    if (!(c->features & XINV_VIRTIO_F_DOMAIN_RANGE)) {
        c->domain_start = 0;
        c->domain_end = UINT32_MAX;
    }
}

static struct xinv_session *lay_out(const struct xinv_session_config *config, void *memory,
                                    size_t *size)
{
    struct carver c = {memory, 0};
    struct xinv_session *s = carve(&c, sizeof(*s), 1);
    struct xinv_session layout = {.config = *config};
    struct xinv_map_node *nodes;
    size_t tags = (size_t)config->max_domains + config->max_endpoints;
    /* a spare one: an endpoint enters its new domain before its old one goes */
    uint32_t domains = config->max_domains + 1;

    layout.log2_page = log2_page(config);
    layout.pool_tags = (uint32_t)((tags + 63) / 64 * 64);
    layout.endpoint_ids.mask = table_slots(config->max_endpoints) - 1;
    layout.domain_ids.mask = table_slots(domains) - 1;
    layout.iommus = carve(&c, sizeof(*layout.iommus), config->n_iommus);
    layout.endpoints = carve(&c, sizeof(*layout.endpoints), config->max_endpoints);
    layout.domains = carve(&c, sizeof(*layout.domains), domains);
    layout.domain_tags = carve(&c, sizeof(*layout.domain_tags),
                               (size_t)domains * config->n_iommus * XINV_TABLE_STAGES);
    layout.endpoint_ids.slots = carve(&c, sizeof(uint32_t), layout.endpoint_ids.mask + 1);
    layout.domain_ids.slots = carve(&c, sizeof(uint32_t), layout.domain_ids.mask + 1);
    layout.pools = carve(&c, sizeof(uint64_t),
                         (size_t)config->n_iommus * XINV_POOLS * (layout.pool_tags / 64));
    /* each number of the pools, and each endpoint's fixed tag, at most once */
    layout.quarantine =
        carve(&c, sizeof(*layout.quarantine),
              (size_t)config->n_iommus * XINV_POOLS * layout.pool_tags + config->max_endpoints);
    nodes = carve(&c, sizeof(*nodes), config->max_mappings);
    layout.scratch = carve(&c, sizeof(*layout.scratch), config->max_endpoints);
    layout.scratch_needs = carve(&c, sizeof(uint32_t), (size_t)config->n_iommus * 2);
    *size = c.used;
    if (!memory)
        return NULL;
    memset(memory, 0, c.used);
    widen_ranges(&layout.config);
    *s = layout;
    xinv_map_init(&s->maps, nodes, config->max_mappings);
    return s;
}

size_t xinv_session_size(const struct xinv_session_config *config)
{
    size_t size;

    if (!valid(config))
        return 0;
    (void)lay_out(config, NULL, &size);
    return size;
}

int xinv_session_init(void *memory, size_t size, const struct xinv_session_config *config,
                      const struct xinv_iommu *const *iommus, struct xinv_session **session)
{
    struct xinv_session *s;
    size_t need;

    if (!memory || ((uintptr_t)memory & 15) || !valid(config) || !iommus || !session)
        return -XINV_E_INVAL;
    for (uint32_t i = 0; i < config->n_iommus; i++)
        if (!iommus[i])
            return -XINV_E_INVAL;
    if (size < xinv_session_size(config))
        return -XINV_E_NOSPACE;
    s = lay_out(config, memory, &need);
    for (uint32_t i = 0; i < config->n_iommus; i++)
        s->iommus[i] = iommus[i];
    for (uint32_t i = 0; i <= s->endpoint_ids.mask; i++)
        s->endpoint_ids.slots[i] = XINV_NIL;
    for (uint32_t i = 0; i <= s->domain_ids.mask; i++)
        s->domain_ids.slots[i] = XINV_NIL;
    for (uint32_t i = 0; i <= config->max_domains; i++) {
        s->domains[i] = (struct xinv_domain){.endpoints = XINV_NIL, .maps = XINV_NIL};
        s->domains[i].next_free = i < config->max_domains ? i + 1 : XINV_NIL;
    }
    *session = s;
    return 0;
}

bool xinv_session_idle_passes(const struct xinv_session *s)
{
    if (s->config.features & XINV_VIRTIO_F_BYPASS_CONFIG)
        return s->config.bypass != 0;
    return s->config.features & XINV_VIRTIO_F_BYPASS;
}

/* ---- Numbers ---- */

static uint32_t hash(uint32_t id)
{
    /* a finaliser with full avalanche, so that guests' regular numbers spread */
    id ^= id >> 16;
    id *= UINT32_C(0x7feb352d);
    id ^= id >> 15;
    id *= UINT32_C(0x846ca68b);
    return id ^ id >> 16;
}

uint32_t xinv_ids_find_endpoint(const struct xinv_session *s, uint32_t id)
{
    const struct xinv_ids *t = &s->endpoint_ids;

    for (uint32_t i = hash(id) & t->mask; t->slots[i] != XINV_NIL; i = (i + 1) & t->mask)
        if (s->endpoints[t->slots[i]].e.id == id)
            return t->slots[i];
    return XINV_NIL;
}

uint32_t xinv_ids_find_domain(const struct xinv_session *s, uint32_t id)
{
    const struct xinv_ids *t = &s->domain_ids;

    for (uint32_t i = hash(id) & t->mask; t->slots[i] != XINV_NIL; i = (i + 1) & t->mask)
        if (s->domains[t->slots[i]].id == id)
            return t->slots[i];
    return XINV_NIL;
}

static void ids_insert(struct xinv_ids *t, uint32_t id, uint32_t index)
{
    uint32_t i = hash(id) & t->mask;

    while (t->slots[i] != XINV_NIL)
        i = (i + 1) & t->mask;
    t->slots[i] = index;
}

/* Removal moves later entries of the probe run back, so that no marks are left behind. */
static void ids_remove_domain(struct xinv_session *s, uint32_t id)
{
    struct xinv_ids *t = &s->domain_ids;
    uint32_t hole = hash(id) & t->mask;
    uint32_t i;

    while (s->domains[t->slots[hole]].id != id)
        hole = (hole + 1) & t->mask;
    for (i = (hole + 1) & t->mask; t->slots[i] != XINV_NIL; i = (i + 1) & t->mask) {
        uint32_t home = hash(s->domains[t->slots[i]].id) & t->mask;

        /* may this one stand in the hole: is its home not between the hole and it? */
        if (((i - home) & t->mask) < ((i - hole) & t->mask))
            continue;
        t->slots[hole] = t->slots[i];
        hole = i;
    }
    t->slots[hole] = XINV_NIL;
}

/* ---- Tags ---- */

uint32_t xinv_pool_of(const struct xinv_iommu *iommu, uint8_t stage)
{
    return iommu->vendor->stages[stage].alloc_tag == XINV_TAG_ASID ? 0 : 1;
}

static uint64_t *pool_words(const struct xinv_session *s, uint32_t iommu, uint32_t pool)
{
    return s->pools + (size_t)(iommu * XINV_POOLS + pool) * (s->pool_tags / 64);
}

/* How many numbers a pool has on this IOMMU: as many as the field's width allows. */
static uint32_t pool_size(const struct xinv_session *s, uint32_t iommu, uint32_t pool)
{
    const struct xinv_iommu *u = s->iommus[iommu];
    uint8_t bits = 0;

    if (pool == 0) {
        bits = u->tag_bits[XINV_TAG_ASID];
    } else {
        bits = u->tag_bits[XINV_TAG_VMID];
        if (u->tag_bits[XINV_TAG_DID] > bits)
            bits = u->tag_bits[XINV_TAG_DID];
    }
    if (bits >= 32)
        return s->pool_tags;
    /* numbers count from first_free_tag */
    if ((UINT32_C(1) << bits) <= u->vendor->first_free_tag)
        return 0;
    if ((UINT32_C(1) << bits) - u->vendor->first_free_tag < s->pool_tags)
        return (UINT32_C(1) << bits) - u->vendor->first_free_tag;
    return s->pool_tags;
}

uint32_t xinv_pool_take(struct xinv_session *s, uint32_t iommu, uint32_t pool)
{
    uint64_t *words = pool_words(s, iommu, pool);
    uint32_t n = pool_size(s, iommu, pool);

    for (uint32_t w = 0; w * 64 < n; w++) {
        uint32_t i;

        if (words[w] == UINT64_MAX)
            continue;
        i = w * 64 + (uint32_t)__builtin_ctzll(~words[w]);
        if (i >= n)
            break;
        words[w] |= UINT64_C(1) << (i % 64);
        return i + s->iommus[iommu]->vendor->first_free_tag;
    }
    return XINV_NO_TAG;
}

void xinv_pool_give(struct xinv_session *s, uint32_t iommu, uint32_t pool, uint32_t tag)
{
    uint32_t i = tag - s->iommus[iommu]->vendor->first_free_tag;

    pool_words(s, iommu, pool)[i / 64] &= ~(UINT64_C(1) << (i % 64));
}

void xinv_pool_quarantine(struct xinv_session *s, const struct xinv_quarantined *tag)
{
    s->quarantine[s->n_quarantined++] = *tag;
}

bool xinv_pool_quarantined(const struct xinv_session *s, uint32_t iommu, uint32_t pool,
                           uint32_t tag)
{
    for (uint32_t i = 0; i < s->n_quarantined; i++)
        if (s->quarantine[i].iommu == iommu && s->quarantine[i].pool == pool &&
            s->quarantine[i].tag == tag)
            return true;
    return false;
}

void xinv_session_complete(struct xinv_session *s, uint64_t token)
{
    uint32_t kept = 0;

    for (uint32_t i = 0; i < s->n_quarantined; i++) {
        struct xinv_quarantined *q = &s->quarantine[i];

        if (q->token > token)
            s->quarantine[kept++] = *q;
        else if (q->pooled)
            xinv_pool_give(s, q->iommu, q->pool, q->tag);
    }
    for (uint32_t i = kept; i < s->n_quarantined; i++)
        s->quarantine[i] = (struct xinv_quarantined){0};
    s->n_quarantined = kept;
}

struct xinv_domain_tag *xinv_domain_tag_at(const struct xinv_session *s, uint32_t domain,
                                           uint32_t iommu, uint8_t stage)
{
    return &s->domain_tags[((size_t)domain * s->config.n_iommus + iommu) * XINV_TABLE_STAGES +
                           (stage == XINV_STAGE_STAGE2)];
}

/* ---- Domains and endpoints ---- */

uint32_t xinv_domain_make(struct xinv_session *s, uint32_t id)
{
    uint32_t domain = s->free_domain;

    if (domain == XINV_NIL)
        return XINV_NIL;
    s->free_domain = s->domains[domain].next_free;
    s->domains[domain] = (struct xinv_domain){
        .id = id, .endpoints = XINV_NIL, .maps = XINV_NIL, .next_free = XINV_NIL};
    ids_insert(&s->domain_ids, id, domain);
    s->n_domains++;
    return domain;
}

void xinv_domain_drop(struct xinv_session *s, uint32_t domain)
{
    struct xinv_domain *d = &s->domains[domain];

    xinv_map_clear(&s->maps, &d->maps);
    ids_remove_domain(s, d->id);
    *d = (struct xinv_domain){.endpoints = XINV_NIL, .maps = XINV_NIL, .next_free = s->free_domain};
    s->free_domain = domain;
    s->n_domains--;
}

void xinv_endpoint_link(struct xinv_session *s, uint32_t endpoint, uint32_t domain)
{
    struct xinv_session_endpoint *e = &s->endpoints[endpoint];
    struct xinv_domain *d = &s->domains[domain];

    e->domain = domain;
    e->prev = XINV_NIL;
    e->next = d->endpoints;
    if (d->endpoints != XINV_NIL)
        s->endpoints[d->endpoints].prev = endpoint;
    d->endpoints = endpoint;
}

void xinv_endpoint_unlink(struct xinv_session *s, uint32_t endpoint)
{
    struct xinv_session_endpoint *e = &s->endpoints[endpoint];

    if (e->prev != XINV_NIL)
        s->endpoints[e->prev].next = e->next;
    else
        s->domains[e->domain].endpoints = e->next;
    if (e->next != XINV_NIL)
        s->endpoints[e->next].prev = e->prev;
    e->domain = XINV_NIL;
    e->next = XINV_NIL;
    e->prev = XINV_NIL;
}

uint8_t xinv_endpoint_stage(const struct xinv_session *s, uint32_t endpoint, uint32_t domain)
{
    return s->domains[domain].bypass ? XINV_STAGE_PASSTHROUGH : s->endpoints[endpoint].e.stage;
}

uint32_t xinv_endpoint_tag(const struct xinv_session *s, uint32_t endpoint)
{
    const struct xinv_session_endpoint *e = &s->endpoints[endpoint];
    const struct xinv_iommu *iommu = s->iommus[e->e.iommu];
    uint8_t stage = xinv_endpoint_stage(s, endpoint, e->domain);

    if (iommu->vendor->stages[stage].alloc == XINV_ALLOC_DOMAIN)
        return xinv_domain_tag_at(s, e->domain, e->e.iommu, stage)->tag;
    return e->tag;
}

static void set_tag(struct xinv_attachment *at, unsigned tag, uint32_t value)
{
    at->known |= XINV_TAG_BIT(tag);
    switch (tag) {
    case XINV_TAG_ASID:
        at->asid = value;
        break;
    case XINV_TAG_DID:
        at->did = value;
        break;
    case XINV_TAG_VMID:
        at->vmid = value;
        break;
    default:
        break;
    }
}

void xinv_endpoint_attachment(const struct xinv_session *s, uint32_t endpoint, uint8_t stage,
                              uint32_t tag, struct xinv_attachment *at)
{
    const struct xinv_endpoint *e = &s->endpoints[endpoint].e;
    const struct xinv_stage_def *def = &s->iommus[e->iommu]->vendor->stages[stage];

    *at = (struct xinv_attachment){.stage = stage,
                                   .flags = e->flags,
                                   .known = XINV_TAG_BIT(XINV_TAG_RID),
                                   .quirks = e->quirks,
                                   .n_aliases = e->n_aliases,
                                   .queue_depth = e->queue_depth,
                                   .queue_id = e->queue_id,
                                   .pfsid = e->pfsid,
                                   .rid = e->rid,
                                   .aliases = e->aliases};
    for (unsigned t = XINV_TAG_ASID; t <= XINV_TAG_VMID; t++)
        if (def->const_tags & XINV_TAG_BIT(t))
            set_tag(at, t, def->const_value);
    if (def->alloc == XINV_ALLOC_DOMAIN || def->alloc == XINV_ALLOC_ENDPOINT)
        set_tag(at, def->alloc_tag, tag);
    if (def->pasid_required)
        at->known |= XINV_TAG_BIT(XINV_TAG_PASID);
}

/* Does an endpoint that is there already have this fixed tag on the same IOMMU? */
static bool fixed_already(const struct xinv_session *s, const struct xinv_endpoint *endpoint)
{
    uint32_t pool = xinv_pool_of(s->iommus[endpoint->iommu], endpoint->stage);

    for (uint32_t i = 0; i < s->n_endpoints; i++) {
        const struct xinv_endpoint *e = &s->endpoints[i].e;

        if (e->iommu == endpoint->iommu && e->fixed_tag == endpoint->fixed_tag &&
            xinv_pool_of(s->iommus[e->iommu], e->stage) == pool)
            return true;
    }
    return false;
}

/* Sets a fixed tag apart: the pool must hand its number to nobody. */
static int reserve_fixed(struct xinv_session *s, const struct xinv_endpoint *endpoint)
{
    const struct xinv_iommu *iommu = s->iommus[endpoint->iommu];
    const struct xinv_stage_def *def = &iommu->vendor->stages[endpoint->stage];
    uint8_t bits = iommu->tag_bits[def->alloc_tag];
    uint64_t *words = pool_words(s, endpoint->iommu, xinv_pool_of(iommu, endpoint->stage));
    uint32_t i = endpoint->fixed_tag - iommu->vendor->first_free_tag;

    if (!endpoint->fixed_tag)
        return 0;
    if (endpoint->fixed_tag < iommu->vendor->first_free_tag ||
        (bits < 32 && endpoint->fixed_tag >> bits))
        return -XINV_E_TAG;
    if (i >= s->pool_tags || fixed_already(s, endpoint))
        return 0;
    if (words[i / 64] >> (i % 64) & 1)
        return -XINV_E_EXIST;
    words[i / 64] |= UINT64_C(1) << (i % 64);
    return 0;
}

int xinv_endpoint_check(const struct xinv_session *s, uint32_t endpoint, uint8_t stage,
                        uint32_t tag)
{
    const struct xinv_iommu *iommu = s->iommus[s->endpoints[endpoint].e.iommu];
    uint8_t changes[] = {xinv_attach_change(iommu), stage == XINV_STAGE_STAGE2
                                                        ? XINV_CHANGE_STAGE2_PTE
                                                        : XINV_CHANGE_STAGE1_PTE};
    struct xinv_attachment at;

    if (!(iommu->stages & XINV_STAGE_BIT(stage)))
        return -XINV_E_UNSUPP;
    xinv_endpoint_attachment(s, endpoint, stage, tag, &at);
    for (unsigned i = 0; i < (stage == XINV_STAGE_PASSTHROUGH ? 1 : 2); i++)
        for (uint8_t from = XINV_FROM_PRESENT; from <= XINV_FROM_NOT_PRESENT; from++) {
            struct xinv_request r = {.change = changes[i], .from = from};
            struct xinv_out none = {0};
            int ret = xinv_translate(iommu, &at, 1, &r, NULL, NULL, &none, NULL);

            if (ret < 0)
                return ret == -XINV_E_MUST_BLOCK ? -XINV_E_UNSUPP : ret;
        }
    return 0;
}

/* Do the regions make a list that a PROBE can give? */
static bool valid_regions(const struct xinv_session *s, const struct xinv_endpoint *e)
{
    unsigned msi = 0;

    if (e->n_reserved && !e->reserved)
        return false;
    for (unsigned i = 0; i < e->n_reserved; i++) {
        if (e->reserved[i].start > e->reserved[i].end)
            return false;
        msi += e->reserved[i].msi != 0;
    }
    /* a region that is left out would be refused to MAPs without the guest's knowing why */
    return msi <= 1 && (!(s->config.features & XINV_VIRTIO_F_PROBE) ||
                        e->n_reserved * XINV_VIRTIO_REGION <= s->config.probe_size);
}

static bool valid_endpoint(const struct xinv_session *s, const struct xinv_endpoint *e)
{
    const uint8_t flags = XINV_ATT_ATS | XINV_ATT_PASID_ENABLED | XINV_ATT_PASIDS_UNKNOWN;

    return e->iommu < s->config.n_iommus &&
           (e->stage == XINV_STAGE_STAGE1 || e->stage == XINV_STAGE_STAGE2) &&
           !(e->flags & ~flags) && e->queue_depth <= 32 && (!e->n_aliases || e->aliases) &&
           valid_regions(s, e);
}

int xinv_session_add_endpoint(struct xinv_session *s, const struct xinv_endpoint *endpoint)
{
    struct xinv_session_endpoint *e;
    uint32_t tag;
    int ret;

    if (!s || !endpoint || !valid_endpoint(s, endpoint))
        return -XINV_E_INVAL;
    if (xinv_ids_find_endpoint(s, endpoint->id) != XINV_NIL)
        return -XINV_E_EXIST;
    if (s->n_endpoints == s->config.max_endpoints)
        return -XINV_E_NOMEM;
    e = &s->endpoints[s->n_endpoints];
    e->e = *endpoint;
    tag = s->iommus[endpoint->iommu]->vendor->first_free_tag;
    ret = xinv_endpoint_check(s, s->n_endpoints, endpoint->stage, tag);
    if (!ret && xinv_session_idle_passes(s))
        ret = xinv_endpoint_check(s, s->n_endpoints, XINV_STAGE_PASSTHROUGH, XINV_NO_TAG);
    if (!ret)
        ret = reserve_fixed(s, endpoint);
    if (ret) {
        memset(e, 0, sizeof(*e));
        return ret;
    }
    e->domain = XINV_NIL;
    e->next = XINV_NIL;
    e->prev = XINV_NIL;
    e->tag = XINV_NO_TAG;
    ids_insert(&s->endpoint_ids, endpoint->id, s->n_endpoints++);
    return 0;
}

/* ---- Looking ---- */

int xinv_session_mappings(const struct xinv_session *s, uint32_t domain)
{
    uint32_t d = xinv_ids_find_domain(s, domain);

    return d == XINV_NIL ? -XINV_E_NOENT : (int)s->domains[d].n_maps;
}

int xinv_session_attached(const struct xinv_session *s, uint32_t endpoint, uint32_t *domain)
{
    uint32_t e = xinv_ids_find_endpoint(s, endpoint);

    if (e == XINV_NIL)
        return -XINV_E_NOENT;
    if (s->endpoints[e].domain == XINV_NIL)
        return 0;
    *domain = s->domains[s->endpoints[e].domain].id;
    return 1;
}

int xinv_session_attachments(const struct xinv_session *s, uint32_t domain, uint32_t iommu,
                             struct xinv_attachment *attachments, unsigned max)
{
    uint32_t d = xinv_ids_find_domain(s, domain);
    unsigned n = 0;

    if (d == XINV_NIL || iommu >= s->config.n_iommus)
        return -XINV_E_NOENT;
    for (uint32_t e = s->domains[d].endpoints; e != XINV_NIL; e = s->endpoints[e].next) {
        if (s->endpoints[e].e.iommu != iommu)
            continue;
        if (n < max)
            xinv_endpoint_attachment(s, e, xinv_endpoint_stage(s, e, d), xinv_endpoint_tag(s, e),
                                     &attachments[n]);
        n++;
    }
    return (int)n;
}
