// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/*
 * Random requests against a model of the virtio-iommu's semantics: arrays, and rules as the
 * specification states them. For each request the model lists the statuses that some broken rule
 * allows; the session must give one of those, and OK exactly where no rule is broken. Whatever the
 * host may have cached for what went away must be named by the commands.
 */
#include <criterion/criterion.h>
#include <string.h>

#include "core/session_impl.h"
#include "tests/support/random.h"
#include "tests/support/sessionrig.h"

#define ENDPOINTS   5 /* 0..4; number 5 is unknown */
#define DOMAINS     7 /* numbers 0..6; 1..5 are in range */
#define MAX_DOMAINS 3
#define MAX_MAPS    8
#define INPUT_FIRST 0x2000
#define INPUT_LAST  UINT64_C(0xffffffffffff) /* what the tables of both IOMMUs can map */
#define PROBE_SIZE  48

struct mapping {
    uint64_t first;
    uint64_t last;
};

struct domain {
    bool exists;
    bool bypass;
    unsigned n;
    struct mapping maps[MAX_MAPS];
};

static struct {
    struct domain domains[DOMAINS];
    int in[ENDPOINTS]; /* domain, or -1 */
} model;

static struct rig r;
static const struct xinv_reserved_region region = {0x9000, 0xafff, 0}; /* of endpoint 1 */

static uint32_t iommu_of(uint32_t endpoint)
{
    return endpoint % 2;
}

static uint8_t stage_of(uint32_t endpoint)
{
    return endpoint == 3 ? XINV_STAGE_STAGE1 : XINV_STAGE_STAGE2;
}

static unsigned endpoints_in(uint32_t domain)
{
    unsigned n = 0;

    for (unsigned e = 0; e < ENDPOINTS; e++)
        n += model.in[e] == (int)domain;
    return n;
}

/* ---- Statuses ---- */

#define BIT(status) (1u << (status))

static unsigned get32(const uint8_t *b)
{
    return b[0] | (unsigned)b[1] << 8 | (unsigned)b[2] << 16 | (unsigned)b[3] << 24;
}

static uint64_t get64(const uint8_t *b)
{
    return get32(b) | (uint64_t)get32(b + 4) << 32;
}

static bool overlap(uint64_t first, uint64_t last, uint64_t a, uint64_t b)
{
    return first <= b && a <= last;
}

static unsigned attach_breaks(const uint8_t *b)
{
    unsigned domain = get32(b + 4);
    unsigned endpoint = get32(b + 8);
    bool bypass = get32(b + 12) & 1;
    unsigned broken = 0;
    unsigned live = 0;

    if (get32(b + 16) || get32(b + 12) > 1)
        broken |= BIT(XINV_VIRTIO_INVAL);
    if (endpoint >= ENDPOINTS)
        broken |= BIT(XINV_VIRTIO_NOENT);
    if (domain < 1 || domain > 5)
        return broken | BIT(XINV_VIRTIO_RANGE);
    if (model.domains[domain].exists && model.domains[domain].bypass != bypass)
        broken |= BIT(XINV_VIRTIO_INVAL);
    if (endpoint >= ENDPOINTS)
        return broken;
    for (unsigned d = 0; d < DOMAINS; d++)
        live += model.domains[d].exists;
    if (!model.domains[domain].exists) {
        bool last = model.in[endpoint] >= 0 && endpoints_in((uint32_t)model.in[endpoint]) == 1;

        if (live + 1 - last > MAX_DOMAINS)
            broken |= BIT(XINV_VIRTIO_NOMEM);
    }
    for (unsigned i = 0; endpoint == 1 && i < model.domains[domain].n; i++)
        if (overlap(model.domains[domain].maps[i].first, model.domains[domain].maps[i].last,
                    region.start, region.end))
            broken |= BIT(XINV_VIRTIO_UNSUPP);
    return broken;
}

static unsigned detach_breaks(const uint8_t *b)
{
    unsigned domain = get32(b + 4);
    unsigned endpoint = get32(b + 8);

    if (endpoint >= ENDPOINTS)
        return BIT(XINV_VIRTIO_NOENT);
    return model.in[endpoint] < 0 || (unsigned)model.in[endpoint] != domain ? BIT(XINV_VIRTIO_INVAL)
                                                                            : 0;
}

static unsigned domain_breaks(unsigned domain)
{
    if (domain >= DOMAINS || !model.domains[domain].exists)
        return BIT(XINV_VIRTIO_NOENT);
    return model.domains[domain].bypass ? BIT(XINV_VIRTIO_INVAL) : 0;
}

static unsigned map_breaks(const uint8_t *b)
{
    unsigned domain = get32(b + 4);
    uint64_t first = get64(b + 8);
    uint64_t last = get64(b + 16);
    uint64_t phys = get64(b + 24);
    unsigned broken = domain_breaks(domain);
    unsigned all = 0;

    if (get32(b + 32) > 7 || first > last)
        broken |= BIT(XINV_VIRTIO_INVAL);
    if (first % 4096 || last % 4096 != 4095 || phys % 4096 || first < INPUT_FIRST ||
        last > INPUT_LAST)
        broken |= BIT(XINV_VIRTIO_RANGE);
    if (first <= last && last - first > ~phys)
        broken |= BIT(XINV_VIRTIO_RANGE);
    if (domain >= DOMAINS || !model.domains[domain].exists)
        return broken;
    for (unsigned i = 0; i < model.domains[domain].n; i++)
        if (overlap(first, last, model.domains[domain].maps[i].first,
                    model.domains[domain].maps[i].last))
            broken |= BIT(XINV_VIRTIO_INVAL);
    if (model.in[1] == (int)domain && overlap(first, last, region.start, region.end))
        broken |= BIT(XINV_VIRTIO_INVAL);
    for (unsigned d = 0; d < DOMAINS; d++)
        all += model.domains[d].n;
    if (all == MAX_MAPS)
        broken |= BIT(XINV_VIRTIO_NOMEM);
    return broken;
}

static unsigned unmap_breaks(const uint8_t *b)
{
    unsigned domain = get32(b + 4);
    uint64_t first = get64(b + 8);
    uint64_t last = get64(b + 16);
    unsigned broken = domain_breaks(domain);

    if (get32(b + 24) || first > last)
        broken |= BIT(XINV_VIRTIO_INVAL);
    if (domain >= DOMAINS)
        return broken;
    for (unsigned i = 0; i < model.domains[domain].n; i++) {
        const struct mapping *m = &model.domains[domain].maps[i];

        if (overlap(first, last, m->first, m->last) && (m->first < first || m->last > last))
            broken |= BIT(XINV_VIRTIO_RANGE);
    }
    return broken;
}

static unsigned breaks(const uint8_t *b, size_t n, size_t n_writable)
{
    static const size_t sizes[6] = {0, 20, 20, 36, 28, 72};

    if (n < 4)
        return BIT(XINV_VIRTIO_INVAL);
    if (b[0] < 1 || b[0] > 5)
        return BIT(XINV_VIRTIO_UNSUPP);
    if (n != sizes[b[0]])
        return BIT(XINV_VIRTIO_INVAL);
    switch (b[0]) {
    case 1:
        return attach_breaks(b);
    case 2:
        return detach_breaks(b);
    case 3:
        return map_breaks(b);
    case 4:
        return unmap_breaks(b);
    default:
        return (get32(b + 4) >= ENDPOINTS ? BIT(XINV_VIRTIO_NOENT) : 0) |
               (n_writable < PROBE_SIZE + 4 ? BIT(XINV_VIRTIO_INVAL) : 0);
    }
}

/* ---- Commands ---- */

static const char *const tlb_names[2][8] = {
    {"iotlb", "cc", NULL},
    {"TLBI_S2_IPA", "TLBI_S12_VMALL", "TLBI_NH_VA", "TLBI_NH_ASID", "CFGI_STE", NULL},
};

/* Is a range named, under a tag, in the IOMMU's TLB or (by rid) in the endpoint's? */
static bool named(uint32_t iommu, const char *name, const char *field, uint64_t value,
                  uint64_t first, uint64_t last)
{
    bool more = true;

    while (more) {
        more = false;
        for (unsigned c = 0; c < r.n_cmd[iommu]; c++) {
            const struct refdec_cmd *cmd = &r.cmd[iommu][c];

            if (strcmp(cmd->name, name) != 0 || refdec_field(cmd, field) != value)
                continue;
            if (!cmd->has_range || cmd->last >= last) {
                if (!cmd->has_range || cmd->first <= first)
                    return true;
            } else if (cmd->first <= first && cmd->last >= first) {
                first = cmd->last + 1;
                more = true;
            }
        }
    }
    return false;
}

static bool forgets(uint32_t endpoint, uint32_t tag, uint64_t first, uint64_t last)
{
    uint32_t iommu = iommu_of(endpoint);
    uint32_t rid = 0x100 + endpoint;

    if (iommu == 0)
        return named(0, "iotlb", "DID", tag, first, last) &&
               named(0, "dev_tlb", "SID", rid, first, last);
    if (!named(1, "ATC_INV", "SID", rid, first, last))
        return false;
    if (stage_of(endpoint) == XINV_STAGE_STAGE1)
        return named(1, "TLBI_NH_VA", "ASID", tag, first, last) ||
               named(1, "TLBI_NH_ASID", "ASID", tag, first, last);
    return named(1, "TLBI_S2_IPA", "VMID", tag, first, last) ||
           named(1, "TLBI_S12_VMALL", "VMID", tag, first, last);
}

/* What must be gone from the caches, noted before the request changes the tags. */
struct stale {
    uint32_t endpoint;
    uint32_t tag;
    uint64_t first;
    uint64_t last;
};

static struct stale stale[ENDPOINTS * MAX_MAPS + 1];
static unsigned n_stale;
static int entry_of; /* the endpoint whose entry changes, or -1 */

static void note(uint32_t endpoint, uint64_t first, uint64_t last)
{
    uint32_t domain = (uint32_t)model.in[endpoint];

    if (model.domains[domain].bypass)
        return;
    stale[n_stale++] = (struct stale){
        endpoint, rig_tag(&r, domain, iommu_of(endpoint), 0x100 + endpoint), first, last};
}

static void note_unmap(unsigned domain, uint64_t first, uint64_t last)
{
    for (unsigned i = 0; i < model.domains[domain].n; i++) {
        const struct mapping *m = &model.domains[domain].maps[i];

        for (uint32_t e = 0; e < ENDPOINTS; e++)
            if (model.in[e] == (int)domain && m->first >= first && m->last <= last)
                note(e, m->first, m->last);
    }
}

static void note_all(const uint8_t *b)
{
    unsigned endpoint = get32(b + 8);

    n_stale = 0;
    entry_of = -1;
    if (b[0] == XINV_VIRTIO_UNMAP)
        note_unmap(get32(b + 4), get64(b + 8), get64(b + 16));
    if (b[0] != XINV_VIRTIO_ATTACH && b[0] != XINV_VIRTIO_DETACH)
        return;
    if (model.in[endpoint] < 0 ||
        (b[0] == XINV_VIRTIO_ATTACH && model.in[endpoint] == (int)get32(b + 4)))
        return;
    entry_of = (int)endpoint;
    note(endpoint, 0, UINT64_MAX);
}

static void check_commands(void)
{
    for (unsigned i = 0; i < n_stale; i++)
        cr_assert(forgets(stale[i].endpoint, stale[i].tag, stale[i].first, stale[i].last),
                  "endpoint %u, tag %u, 0x%lx..0x%lx: %s", stale[i].endpoint, stale[i].tag,
                  (unsigned long)stale[i].first, (unsigned long)stale[i].last,
                  rig_names(&r, iommu_of(stale[i].endpoint)));
    if (entry_of < 0)
        return;
    cr_assert_not_null(rig_find(&r, iommu_of((uint32_t)entry_of), entry_of % 2 ? "CFGI_STE" : "cc",
                                "SID", 0x100 + (uint64_t)entry_of));
    for (unsigned i = 0; tlb_names[!(entry_of % 2)][i]; i++)
        cr_assert_null(
            rig_find(&r, !iommu_of((uint32_t)entry_of), tlb_names[!(entry_of % 2)][i], NULL, 0),
            "the other IOMMU hears nothing");
}

/* ---- State ---- */

static void leave(unsigned endpoint)
{
    unsigned domain = (unsigned)model.in[endpoint];

    model.in[endpoint] = -1;
    if (!endpoints_in(domain))
        memset(&model.domains[domain], 0, sizeof(model.domains[domain]));
}

static void apply(const uint8_t *b)
{
    struct domain *d = &model.domains[get32(b + 4) % DOMAINS];
    unsigned endpoint = get32(b + 8);
    unsigned kept = 0;

    switch (b[0]) {
    case 1:
        if (model.in[endpoint] == (int)get32(b + 4))
            break;
        if (model.in[endpoint] >= 0)
            leave(endpoint);
        d->exists = true;
        d->bypass = get32(b + 12) & 1;
        model.in[endpoint] = (int)get32(b + 4);
        break;
    case 2:
        leave(endpoint);
        break;
    case 3:
        d->maps[d->n++] = (struct mapping){get64(b + 8), get64(b + 16)};
        break;
    case 4:
        for (unsigned i = 0; i < d->n; i++)
            if (!overlap(get64(b + 8), get64(b + 16), d->maps[i].first, d->maps[i].last))
                d->maps[kept++] = d->maps[i];
        d->n = kept;
        break;
    default:
        break;
    }
}

static bool has(const struct domain *d, uint64_t first, uint64_t last)
{
    for (unsigned i = 0; i < d->n; i++)
        if (d->maps[i].first == first && d->maps[i].last == last)
            return true;
    return false;
}

static void compare(void)
{
    for (uint32_t e = 0; e < ENDPOINTS; e++) {
        uint32_t domain = 99;

        cr_assert_eq(xinv_session_attached(r.session, e, &domain), model.in[e] >= 0);
        if (model.in[e] >= 0)
            cr_assert_eq(domain, (uint32_t)model.in[e]);
    }
    for (uint32_t d = 0; d < DOMAINS; d++) {
        uint32_t at = xinv_ids_find_domain(r.session, d);
        unsigned n = 0;

        cr_assert_eq(at != XINV_NIL, model.domains[d].exists);
        if (at == XINV_NIL)
            continue;
        cr_assert_eq(xinv_session_mappings(r.session, d), (int)model.domains[d].n);
        for (uint32_t node = xinv_map_at_or_after(&r.session->maps, r.session->domains[at].maps, 0);
             node != XINV_NIL; node = xinv_map_next(&r.session->maps, node), n++)
            cr_assert(has(&model.domains[d], r.session->maps.nodes[node].first,
                          r.session->maps.nodes[node].last));
        cr_assert_eq(n, model.domains[d].n);
    }
}

/* No tag of two tables, or of a table and of the quarantine. */
static void check_tags(void)
{
    for (uint32_t a = 0; a < ENDPOINTS; a++) {
        uint32_t tag;

        if (model.in[a] < 0 || model.domains[model.in[a]].bypass)
            continue;
        tag = rig_tag(&r, (uint32_t)model.in[a], iommu_of(a), 0x100 + a);
        cr_assert_not(xinv_pool_quarantined(r.session, iommu_of(a),
                                            xinv_pool_of(&r.iommu[iommu_of(a)], stage_of(a)), tag));
        for (uint32_t b = 0; b < a; b++) {
            bool same_table = model.in[a] == model.in[b] && stage_of(a) == stage_of(b);

            if (model.in[b] < 0 || model.domains[model.in[b]].bypass ||
                iommu_of(a) != iommu_of(b) || stage_of(a) != stage_of(b))
                continue;
            cr_assert_eq(tag == rig_tag(&r, (uint32_t)model.in[b], iommu_of(b), 0x100 + b),
                         same_table);
        }
    }
}

/* ---- Requests ---- */

static uint64_t random_edge(void)
{
    uint64_t page = random_below(12) ? random_below(24) : (INPUT_LAST >> 12) - random_below(2);

    return (page << 12) + (random_below(16) ? 0 : random_below(3) - 1);
}

static size_t random_request(uint8_t *b)
{
    uint32_t domain = random_below(10) ? 1 + random_below(4) : random_below(8);
    uint32_t endpoint = random_below(ENDPOINTS + (random_below(8) == 0));
    uint64_t first = random_edge();
    uint64_t last = (random_below(4) ? first + ((uint64_t)random_below(6) << 12) : random_edge()) -
                    !!random_below(12);
    uint64_t phys =
        random_below(20) ? (uint64_t)random_below(64) << 12 : UINT64_MAX - random_below(0x3000);

    if (!random_below(40)) {
        first = 0;
        last = UINT64_MAX;
    }
    switch (random_below(10)) {
    case 0:
    case 1:
        return rig_attach_bytes(b, domain, endpoint, !random_below(5));
    case 2:
        return rig_detach_bytes(b, domain, endpoint);
    case 3:
        return rig_probe_bytes(b, endpoint);
    case 4:
    case 5:
    case 6:
    case 7:
        return rig_map_bytes(b, domain, first, last, phys, random_below(8));
    default:
        return rig_unmap_bytes(b, domain, first, last);
    }
}

static void step(void)
{
    uint8_t b[80] = {0};
    size_t n = random_request(b);
    size_t n_writable = b[0] == 5 ? PROBE_SIZE + 4 - (random_below(4) ? 0 : random_below(40)) : 4;
    unsigned broken;
    int status;

    if (!random_below(12))
        b[random_below(80)] = (uint8_t)random_next();
    if (!random_below(20))
        n = random_below(80);
    broken = breaks(b, n, n_writable);
    n_stale = 0;
    entry_of = -1;
    if (!broken)
        note_all(b);
    rig_remember(&r);
    status = rig_request(&r, b, n, n_writable);
    cr_assert_geq(status, 0, "type %u: %s", b[0], xinv_strerror(status));
    if (broken) {
        cr_assert(broken >> status & 1, "type %u: status %d, one of mask 0x%x", b[0], status,
                  broken);
        cr_assert(rig_unchanged(&r));
        return;
    }
    cr_assert_eq(status, XINV_VIRTIO_OK, "type %u: status %d", b[0], status);
    check_commands();
    apply(b);
}

Test(session_model, random_requests)
{
    static const char *const platforms[2] = {"intel-vtd-legacy", "arm-smmuv3-ril"};
    struct xinv_session_config config = rig_config(2);

    random_start();
    config.features |= XINV_VIRTIO_F_INPUT_RANGE | XINV_VIRTIO_F_DOMAIN_RANGE;
    config.input_start = INPUT_FIRST;
    config.input_end = INPUT_LAST;
    config.domain_start = 1;
    config.domain_end = 5;
    config.probe_size = PROBE_SIZE;
    config.max_endpoints = ENDPOINTS;
    config.max_domains = MAX_DOMAINS;
    config.max_mappings = MAX_MAPS;
    config.prepared_lists = random_below(4);
    for (uint32_t i = 0; i < 2; i++)
        rig_platform(&r, i, platforms[i], NULL, 0);
    rig_open(&r, &config);
    for (uint32_t id = 0; id < ENDPOINTS; id++) {
        struct xinv_endpoint e = rig_endpoint(id, iommu_of(id), stage_of(id));

        if (id == 1) {
            e.reserved = &region;
            e.n_reserved = 1;
        }
        rig_add(&r, &e);
        model.in[id] = -1;
    }
    for (unsigned i = 0; i < 40000; i++) {
        step();
        compare();
        check_tags();
        if (i % 16 == 0)
            rig_complete(&r);
        if (!random_below(500)) {
            cr_assert_geq(rig_reset(&r), 0);
            memset(model.domains, 0, sizeof(model.domains));
            for (unsigned e = 0; e < ENDPOINTS; e++)
                model.in[e] = -1;
        }
    }
    rig_close(&r);
}
