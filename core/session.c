// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
#include "core/mem.h"
#include "core/session_impl.h"

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
           c->max_mappings > 0 && c->max_mappings <= (1u << 28) && c->prepared_lists <= (1u << 20);
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
    layout.tables = carve(&c, sizeof(*layout.tables), config->n_iommus);
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
    /* a spare one: a mapping that waits for commands of its own is there twice */
    nodes = carve(&c, sizeof(*nodes), (size_t)config->max_mappings + 1);
    layout.lists = carve(&c, sizeof(*layout.lists), config->prepared_lists);
    layout.scratch = carve(&c, sizeof(*layout.scratch), config->max_endpoints);
    layout.needs = carve(&c, sizeof(*layout.needs), config->n_iommus);
    *size = c.used;
    if (!memory)
        return NULL;
    memset(memory, 0, c.used);
    widen_ranges(&layout.config);
    *s = layout;
    xinv_map_init(&s->maps, nodes, config->max_mappings + 1);
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

static void clear_domain(struct xinv_domain *d)
{
    *d = (struct xinv_domain){
        .endpoints = XINV_NIL, .maps = XINV_NIL, .next_free = XINV_NIL, .next_pending = XINV_NIL};
    xinv_pending_init(&d->pending);
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
    for (uint32_t i = 0; i < config->n_iommus; i++) {
        s->iommus[i] = iommus[i];
        s->tables[i] = xinv_session_tables_of(s, i);
    }
    for (uint32_t i = 0; i <= s->endpoint_ids.mask; i++)
        s->endpoint_ids.slots[i] = XINV_NIL;
    for (uint32_t i = 0; i <= s->domain_ids.mask; i++)
        s->domain_ids.slots[i] = XINV_NIL;
    for (uint32_t i = 0; i <= config->max_domains; i++) {
        clear_domain(&s->domains[i]);
        s->domains[i].next_free = i < config->max_domains ? i + 1 : XINV_NIL;
    }
    xinv_batch_init(&s->batch);
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

void xinv_ids_insert(struct xinv_ids *t, uint32_t id, uint32_t index)
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

/* ---- Domains ---- */

uint32_t xinv_domain_make(struct xinv_session *s, uint32_t id)
{
    uint32_t domain = s->free_domain;

    if (domain == XINV_NIL)
        return XINV_NIL;
    s->free_domain = s->domains[domain].next_free;
    clear_domain(&s->domains[domain]);
    s->domains[domain].id = id;
    xinv_ids_insert(&s->domain_ids, id, domain);
    s->n_domains++;
    return domain;
}

void xinv_domain_drop(struct xinv_session *s, uint32_t domain)
{
    struct xinv_domain *d = &s->domains[domain];

    s->n_mappings -= d->n_maps;
    xinv_map_clear(&s->maps, &d->maps);
    ids_remove_domain(s, d->id);
    clear_domain(d);
    d->next_free = s->free_domain;
    s->free_domain = domain;
    s->n_domains--;
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
