// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/*
 * Random requests, to one session one by one and to another in batches: the same answers and the
 * same state; and the model of the hardware judges each batch's lists by every request in it.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "model/model.h"
#include "tests/support/hardware.h"
#include "tests/support/random.h"
#include "tests/support/sessionrig.h"

#define ENDPOINTS 8
#define DOMAINS   5
#define MAX_MAPS  48
#define MAX_ITEMS 512
#define MAX_KICK  24
#define ROUNDS    30
#define KICKS     40

struct range {
    uint32_t domain;
    uint64_t first;
    uint64_t last;
};

/* Something that a batch has made stale on one IOMMU. */
struct item {
    uint32_t iommu;
    struct xinv_request request;
    struct xinv_attachment at[ENDPOINTS];
    size_t n;
};

static struct rig serial;
static struct rig batch;
static struct range maps[MAX_MAPS];
static unsigned n_maps;
static struct range broken[MAX_ITEMS]; /* with the leaves that went with them, since the flush */
static unsigned n_broken;
static struct range told[MAX_ITEMS]; /* broken ones, and what was mapped */
static unsigned n_told;
static uint32_t moved[MAX_KICK]; /* endpoints, since the flush */
static unsigned n_moved;
static bool mapped[DOMAINS + 1]; /* since the flush: it may have to be told, too */
static struct item items[MAX_ITEMS];
static unsigned n_items;
static struct model_config config[RIG_IOMMUS];
static struct model_run runs[RIG_IOMMUS];
static struct model_bench bench;
static struct xinv_unmap_hint hint;
static unsigned long judged;
static unsigned long early;

static uint32_t below(uint32_t n)
{
    return (uint32_t)(random_next() >> 33) % n;
}

/* ---- Set-up ---- */

static unsigned n_platforms(void)
{
    unsigned n = 0;

    while (hardware_at(n))
        n++;
    return n;
}

/* Endpoints as their platforms can have them; those that cannot be had are left out. */
static void add_endpoints(void)
{
    for (uint32_t id = 0; id < ENDPOINTS; id++) {
        struct xinv_endpoint e = rig_endpoint(id, id % RIG_IOMMUS, (uint8_t)(1 + below(2)));

        e.stage = below(2) ? XINV_STAGE_STAGE1 : XINV_STAGE_STAGE2;
        e.flags = below(2) ? XINV_ATT_ATS : 0;
        for (unsigned attempt = 0; attempt < 4; attempt++) {
            int ret = xinv_session_add_endpoint(batch.session, &e);

            if (!ret) {
                rig_add(&serial, &e);
                break;
            }
            e.flags = 0;
            if (attempt)
                e.stage = e.stage == XINV_STAGE_STAGE1 ? XINV_STAGE_STAGE2 : XINV_STAGE_STAGE1;
        }
    }
}

static void begin_round(void)
{
    struct xinv_session_config c = rig_config(RIG_IOMMUS);

    c.max_endpoints = ENDPOINTS;
    c.max_domains = DOMAINS;
    c.max_mappings = MAX_MAPS;
    c.prepared_lists = (uint32_t)below(4);
    for (uint32_t i = 0; i < RIG_IOMMUS; i++) {
        const char *name = hardware_at(below(n_platforms()))->name;

        rig_platform(&serial, i, name, NULL, 0);
        rig_platform(&batch, i, name, NULL, 0);
        cr_assert_eq(model_config_of(&config[i], &batch.iommu[i]), 0);
        model_run_init(&runs[i], &config[i]);
    }
    rig_open(&serial, &c);
    rig_open(&batch, &c);
    add_endpoints();
    n_maps = 0;
}

static void end_round(void)
{
    for (uint32_t i = 0; i < RIG_IOMMUS; i++)
        model_run_free(&runs[i]);
    rig_close(&serial);
    rig_close(&batch);
}

/* ---- What each request makes stale ---- */

static struct item *new_item(uint32_t iommu, uint8_t change, uint8_t from)
{
    struct item *item = &items[n_items++];

    cr_assert_lt(n_items, MAX_ITEMS);
    *item = (struct item){.iommu = iommu, .request = {.change = change, .from = from}};
    return item;
}

static size_t uses_of(uint32_t domain, uint32_t iommu, struct xinv_attachment *at)
{
    int n = xinv_session_attachments(batch.session, domain, iommu, at, ENDPOINTS);

    return n > 0 ? (size_t)n : 0;
}

static uint8_t largest_leaf(uint64_t first, uint64_t last)
{
    uint64_t start = (first + 0x1fffff) & ~UINT64_C(0x1fffff);

    return start + 0x1fffff <= last ? 21 : 12;
}

static void note_range(const struct range *range, uint8_t from)
{
    struct xinv_request r = {.from = from,
                             .flags = XINV_REQ_RANGE,
                             .log2_leaf_size = largest_leaf(range->first, range->last),
                             .first = range->first,
                             .last = range->last};

    if (from == XINV_FROM_PRESENT && hint.known) {
        r.log2_leaf_size = hint.log2_leaf_size;
        r.flags |= hint.leaf_only ? XINV_REQ_LEAF_ONLY : 0;
    }
    if (r.log2_leaf_size <= largest_leaf(range->first, range->last))
        r.flags |= XINV_REQ_LEAVES_WITHIN;
    for (uint32_t iommu = 0; iommu < RIG_IOMMUS; iommu++) {
        struct xinv_attachment at[ENDPOINTS];
        size_t n = uses_of(range->domain, iommu, at);

        for (uint8_t stage = XINV_STAGE_STAGE1; stage <= XINV_STAGE_STAGE2; stage++) {
            struct item *item = new_item(iommu, 0, from);

            item->request = r;
            item->request.change =
                stage == XINV_STAGE_STAGE1 ? XINV_CHANGE_STAGE1_PTE : XINV_CHANGE_STAGE2_PTE;
            for (size_t i = 0; i < n; i++)
                if (at[i].stage == stage)
                    item->at[item->n++] = at[i];
            if (!item->n)
                n_items--;
        }
    }
}

/* An endpoint's use of a domain that ended with the last request, or begins with it. */
static void note_use(uint32_t iommu, const struct xinv_attachment *at, uint8_t from, bool last)
{
    bool pasid = config[iommu].vendor == MODEL_VTD && config[iommu].scalable;
    struct item *item =
        new_item(iommu, pasid ? XINV_CHANGE_PASID_ENTRY : XINV_CHANGE_DEVICE_ENTRY, from);

    item->at[item->n++] = *at;
    if (!last || at->stage == XINV_STAGE_PASSTHROUGH)
        return;
    item = new_item(iommu, XINV_CHANGE_TAG_RELEASE, from);
    item->request.flags = XINV_REQ_PASID;
    item->request.pasid = at->known & XINV_TAG_BIT(XINV_TAG_PASID) ? at->pasid : 0;
    item->at[item->n++] = *at;
}

static bool find_use(uint32_t domain, uint32_t endpoint, struct xinv_attachment *use, size_t *n)
{
    struct xinv_attachment at[ENDPOINTS];

    *n = uses_of(domain, endpoint % RIG_IOMMUS, at);
    for (size_t i = 0; i < *n; i++)
        if (at[i].rid == 0x100 + endpoint) {
            *use = at[i];
            return true;
        }
    return false;
}

/* ---- Judging ---- */

static const char *const findings[] = {"clean", "an illegal command", "a survivor", "silent",
                                       "miscounted"};

static void judge(void)
{
    for (uint32_t i = 0; i < RIG_IOMMUS; i++) {
        model_run_reset(&runs[i]);
        model_run_out(&runs[i], &batch.outs[i]);
    }
    for (unsigned i = 0; i < n_items; i++) {
        const struct item *item = &items[i];
        struct model_result result = {0};
        char text[160];

        model_check(&bench, &runs[item->iommu], item->at, item->n, &item->request, NULL, 16,
                    &result);
        judged++;
        if (result.finding == MODEL_CLEAN)
            continue;
        cr_assert_fail("%s: %s after change %u from %u, 0x%lx..0x%lx: %s; %s; commands: %s",
                       batch.iommu[item->iommu].platform->name, findings[result.finding],
                       item->request.change, item->request.from, (unsigned long)item->request.first,
                       (unsigned long)item->request.last,
                       model_entry_text(&config[item->iommu], &result.entry, text, sizeof(text)),
                       result.why ? result.why : "", rig_names(&batch, item->iommu));
    }
}

/* Is a page among those that some request since the flush was about? */
static bool is_told(uint64_t page)
{
    for (unsigned i = 0; i < n_told; i++)
        if (told[i].first >> 12 <= page && page <= told[i].last >> 12)
            return true;
    return false;
}

/* Without a word in the report, no range reaches beyond the requests'. */
static void check_exact(void)
{
    for (uint32_t i = 0; i < RIG_IOMMUS; i++) {
        if (batch.reports[i].extra_pages || batch.reports[i].extra_unbounded)
            continue;
        for (unsigned c = 0; c < batch.n_cmd[i]; c++) {
            const struct refdec_cmd *cmd = &batch.cmd[i][c];

            /* larger ones are all that an endpoint or a tag has */
            if (!cmd->has_range || cmd->last - cmd->first >= UINT64_C(1) << 32)
                continue;
            for (uint64_t page = cmd->first >> 12; page <= cmd->last >> 12; page++)
                cr_assert(is_told(page), "%s: %s of page 0x%lx, which nobody asked for",
                          batch.iommu[i].platform->name, cmd->name, (unsigned long)page);
        }
    }
}

static void flush(void)
{
    static const struct xinv_policy policies[] = {{XINV_POLICY_EXACT, 0, 0},
                                                  {XINV_POLICY_EXACT, 0, 3},
                                                  {XINV_POLICY_LATENCY, 0, 0},
                                                  {XINV_POLICY_AT_MOST, 1, 0},
                                                  {XINV_POLICY_AT_MOST, 4, 5}};

    batch.policy = &policies[below(sizeof(policies) / sizeof(policies[0]))];
    cr_assert_geq(rig_flush(&batch), 0);
    check_exact();
    if (n_items)
        judge();
    rig_complete(&batch);
    n_items = 0;
    n_broken = 0;
    n_told = 0;
    n_moved = 0;
    memset(mapped, 0, sizeof(mapped));
}

/* ---- Requests ---- */

static bool is_broken(uint32_t domain, uint64_t first, uint64_t last)
{
    for (unsigned i = 0; i < n_broken; i++)
        if (broken[i].domain == domain && first <= broken[i].last && broken[i].first <= last)
            return true;
    return false;
}

static bool any_broken(uint32_t domain)
{
    return is_broken(domain, 0, UINT64_MAX);
}

static bool has_moved(uint32_t endpoint)
{
    for (unsigned i = 0; i < n_moved; i++)
        if (moved[i] == endpoint)
            return true;
    return false;
}

struct ask {
    uint8_t type;
    uint32_t domain;
    uint32_t endpoint;
    uint64_t first;
    uint64_t last;
    uint8_t bytes[40];
    size_t n;
};

static uint64_t mapped_pages(void)
{
    uint64_t pages = 0;

    for (unsigned i = 0; i < n_maps; i++)
        pages += (maps[i].last - maps[i].first + 1) >> 12;
    return pages;
}

static struct ask random_ask(void)
{
    struct ask a = {.domain = 1 + below(DOMAINS), .endpoint = below(ENDPOINTS + 1)};
    uint64_t page = below(6) ? 0x1f0 + below(0x30) : below(0x800);

    a.first = page << 12;
    a.last = a.first +
             (((uint64_t)(mapped_pages() > 0x80 || below(8) ? below(5) : below(0x240)) + 1) << 12) -
             1;
    switch (below(16)) {
    case 0:
    case 1:
        a.type = XINV_VIRTIO_ATTACH;
        a.n = rig_attach_bytes(a.bytes, a.domain, a.endpoint, !below(6));
        break;
    case 2:
        a.type = XINV_VIRTIO_DETACH;
        a.n = rig_detach_bytes(a.bytes, a.domain, a.endpoint);
        break;
    case 3:
    case 4:
    case 5:
    case 6:
    case 7:
    case 8:
    case 9:
        a.type = XINV_VIRTIO_MAP;
        a.n = rig_map_bytes(a.bytes, a.domain, a.first, a.last, 0, 3);
        break;
    default:
        a.type = XINV_VIRTIO_UNMAP;
        if (n_maps && below(4)) {
            const struct range *m = &maps[below(n_maps)];

            a.domain = m->domain;
            a.first = m->first;
            a.last = m->last;
        } else if (!below(8)) {
            a.first = 0;
            a.last = UINT64_MAX;
        }
        a.n = rig_unmap_bytes(a.bytes, a.domain, a.first, a.last);
        break;
    }
    return a;
}

/* Where the endpoint is, or -1. */
static long domain_of(uint32_t endpoint)
{
    uint32_t domain;

    return xinv_session_attached(batch.session, endpoint, &domain) == 1 ? (long)domain : -1;
}

/* Must the batch end before this request, which would be answered OK? */
static bool meets(const struct ask *a)
{
    long from = domain_of(a->endpoint);

    switch (a->type) {
    case XINV_VIRTIO_MAP:
        return is_broken(a->domain, a->first, a->last);
    case XINV_VIRTIO_ATTACH:
        if (from == (long)a->domain)
            return false;
        return has_moved(a->endpoint) || any_broken(a->domain) ||
               (from >= 0 && any_broken((uint32_t)from));
    case XINV_VIRTIO_DETACH:
        return has_moved(a->endpoint) || any_broken(a->domain);
    default:
        return false;
    }
}

static void break_range(const struct range *m)
{
    struct range b = *m;

    if (hint.known && hint.log2_leaf_size > largest_leaf(m->first, m->last)) {
        uint64_t mask = (UINT64_C(1) << hint.log2_leaf_size) - 1;

        b.first &= ~mask;
        b.last |= mask;
    }
    cr_assert_lt(n_broken, MAX_ITEMS);
    broken[n_broken++] = b;
    told[n_told++] = b;
}

/* A MAP that needs no command, or a range without endpoints here, leaves nothing to wait for. */
static void apply_ranges(const struct ask *a)
{
    unsigned kept = 0;

    if (a->type == XINV_VIRTIO_MAP) {
        maps[n_maps++] = (struct range){a->domain, a->first, a->last};
        note_range(&maps[n_maps - 1], XINV_FROM_NOT_PRESENT);
        mapped[a->domain] = true;
        told[n_told++] = maps[n_maps - 1];
        return;
    }
    for (unsigned i = 0; i < n_maps; i++) {
        if (maps[i].domain != a->domain || maps[i].first < a->first || maps[i].last > a->last) {
            maps[kept++] = maps[i];
            continue;
        }
        note_range(&maps[i], XINV_FROM_PRESENT);
        break_range(&maps[i]);
    }
    n_maps = kept;
}

static void forget_domain(uint32_t domain)
{
    unsigned kept = 0;

    for (unsigned i = 0; i < n_maps; i++)
        if (maps[i].domain != domain)
            maps[kept++] = maps[i];
    n_maps = kept;
}

/* The endpoint was in a domain, or is in one. */
static void apply_move(const struct ask *a, long from, const struct xinv_attachment *was,
                       size_t n_was)
{
    struct xinv_attachment now;
    size_t n;

    if (domain_of(a->endpoint) == from)
        return;
    if (batch.outcome.iommus)
        moved[n_moved++] = a->endpoint;
    if (from >= 0) {
        note_use(a->endpoint % RIG_IOMMUS, was, XINV_FROM_PRESENT, n_was == 1);
        if (xinv_session_mappings(batch.session, (uint32_t)from) < 0)
            forget_domain((uint32_t)from);
    } else if (find_use(a->domain, a->endpoint, &now, &n)) {
        note_use(a->endpoint % RIG_IOMMUS, &now, XINV_FROM_NOT_PRESENT, false);
    }
}

static void step(void)
{
    struct ask a = random_ask();
    long from = domain_of(a.endpoint);
    struct xinv_attachment was = {0};
    size_t n_was = 0;
    bool expected;
    int wanted;
    int status;

    hint = (struct xinv_unmap_hint){0};
    if (a.type == XINV_VIRTIO_UNMAP && below(2))
        hint = (struct xinv_unmap_hint){
            .known = 1, .leaf_only = (uint8_t)below(2), .log2_leaf_size = below(5) ? 12 : 21};
    serial.hint = &hint;
    batch.hint = &hint;
    expected = meets(&a);
    wanted = rig_request(&serial, a.bytes, a.n, 4);
    rig_complete(&serial);
    cr_assert_geq(wanted, 0, "%s", xinv_strerror(wanted));
    if (from >= 0)
        (void)find_use((uint32_t)from, a.endpoint, &was, &n_was);
    status = rig_batch_add(&batch, a.bytes, a.n, 4);
    if (status == -XINV_E_AGAIN) {
        /* nodes, tags and not-present entries that wait end it as well */
        cr_assert(expected || wanted == XINV_VIRTIO_NOMEM || n_maps + n_broken >= MAX_MAPS ||
                      mapped[a.domain] || (from >= 0 && mapped[from]),
                  "type %u: the batch ended, and nothing met it", a.type);
        early++;
        flush();
        status = rig_batch_add(&batch, a.bytes, a.n, 4);
    } else if (expected) {
        cr_assert_neq(status, XINV_VIRTIO_OK, "type %u: it met what waits, and joined", a.type);
    }
    cr_assert_eq(status, wanted, "type %u: %d, one by one %d", a.type, status, wanted);
    if (status)
        return;
    if (a.type == XINV_VIRTIO_MAP || a.type == XINV_VIRTIO_UNMAP)
        apply_ranges(&a);
    else
        apply_move(&a, from, &was, n_was);
}

static void compare(void)
{
    for (uint32_t e = 0; e < ENDPOINTS; e++) {
        uint32_t x = 0;
        uint32_t y = 0;

        cr_assert_eq(xinv_session_attached(batch.session, e, &x),
                     xinv_session_attached(serial.session, e, &y));
        cr_assert_eq(x, y);
    }
    for (uint32_t d = 1; d <= DOMAINS; d++)
        cr_assert_eq(xinv_session_mappings(batch.session, d),
                     xinv_session_mappings(serial.session, d));
}

Test(session, random_batches)
{
    random_start();
    for (unsigned round = 0; round < ROUNDS; round++) {
        begin_round();
        for (unsigned kick = 0; kick < KICKS; kick++) {
            for (unsigned i = 1 + below(MAX_KICK); i; i--)
                step();
            flush();
            compare();
        }
        end_round();
    }
    model_bench_free(&bench);
    printf("%lu changes judged, %lu batches ended early\n", judged, early);
    cr_assert_gt(judged, 1000);
    cr_assert_gt(early, 100);
}
