// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/*
 * Batches: requests change the state one by one, and what they make stale waits for a flush. It is
 * kept as what it is about, ranges of domains and entries of endpoints, so that the flush plans for
 * all of them together.
 */
#include "core/cover.h"
#include "core/mem.h"
#include "core/session_job.h"

/* A list that is longer than this serves nobody, and its words could not be counted in 32 bits. */
#define MOST_COMMANDS (UINT32_C(1) << 24)

void xinv_batch_init(struct xinv_batch *batch)
{
    *batch = (struct xinv_batch){.domains = XINV_NIL,
                                 .last_domain = XINV_NIL,
                                 .endpoints = XINV_NIL,
                                 .last_endpoint = XINV_NIL};
}

/* ---- What is held ---- */

static bool has_pending(const struct xinv_session *s, uint32_t domain)
{
    return domain != XINV_NIL && s->domains[domain].pending_iommus;
}

/* A MAP needs a node, and one more if it waits itself. Those that ranges wait in come back. */
static bool has_room(const struct xinv_session *s)
{
    return s->maps.free != XINV_NIL && s->maps.nodes[s->maps.free].parent != XINV_NIL;
}

/*
 * Break before make: what is to be written anew must have been invalidated first. And whoever joins
 * or leaves a domain must not change for whom its ranges wait.
 */
bool xinv_batch_admits(const struct xinv_job *job)
{
    const struct xinv_session *s = job->s;

    if (!s->batch.open)
        return true;
    if (s->batch.commands >= MOST_COMMANDS)
        return false;
    switch (job->r.type) {
    case XINV_VIRTIO_MAP:
        return has_room(s) && !xinv_pending_meets(&s->maps, &s->domains[job->domain].pending,
                                                  job->r.first, job->r.last);
    case XINV_VIRTIO_ATTACH:
    case XINV_VIRTIO_DETACH:
        return !s->endpoints[job->endpoint].entry.held && !has_pending(s, job->domain) &&
               !has_pending(s, job->old_domain);
    default:
        return true;
    }
}

void xinv_batch_open(struct xinv_job *job)
{
    struct xinv_batch *batch = &job->s->batch;
    uint32_t room = MOST_COMMANDS - batch->commands;

    batch->open = true;
    batch->commands += (uint32_t)job->commands < room ? (uint32_t)job->commands : room;
}

void xinv_batch_hold(struct xinv_job *job, const struct xinv_pending_range *range)
{
    struct xinv_session *s = job->s;
    struct xinv_domain *d = &s->domains[job->domain];

    if (!d->pending_iommus) {
        if (s->batch.last_domain == XINV_NIL)
            s->batch.domains = job->domain;
        else
            s->domains[s->batch.last_domain].next_pending = job->domain;
        s->batch.last_domain = job->domain;
    }
    d->pending_iommus |= job->outcome->iommus;
    xinv_pending_add(&s->maps, &d->pending, range);
}

void xinv_batch_hold_entry(struct xinv_job *job, const struct xinv_held_entry *entry)
{
    struct xinv_session *s = job->s;
    struct xinv_session_endpoint *e = &s->endpoints[job->endpoint];

    if (s->batch.last_endpoint == XINV_NIL)
        s->batch.endpoints = job->endpoint;
    else
        s->endpoints[s->batch.last_endpoint].entry.next = job->endpoint;
    s->batch.last_endpoint = job->endpoint;
    e->entry = *entry;
    e->entry.held = 1;
    e->entry.next = XINV_NIL;
}

/* Tables that were freed stay in walk caches until the flush: a MAP beside them is not seen before
 * it, and a second UNMAP of a range promises what the first one did. */
uint32_t xinv_batch_awaited(const struct xinv_job *job)
{
    const struct xinv_session *s = job->s;
    const struct xinv_session_endpoint *e;

    switch (job->r.type) {
    case XINV_VIRTIO_MAP:
    case XINV_VIRTIO_UNMAP:
        return s->domains[job->domain].pending_iommus;
    case XINV_VIRTIO_ATTACH:
    case XINV_VIRTIO_DETACH:
        e = &s->endpoints[job->endpoint];
        return e->entry.held ? UINT32_C(1) << e->e.iommu : 0;
    default:
        return 0;
    }
}

void xinv_batch_clear(struct xinv_session *s)
{
    uint32_t next;

    for (uint32_t i = s->batch.domains; i != XINV_NIL; i = next) {
        struct xinv_domain *d = &s->domains[i];

        next = d->next_pending;
        xinv_pending_clear(&s->maps, &d->pending);
        d->pending_iommus = 0;
        d->next_pending = XINV_NIL;
        d->gaps = (struct xinv_gaps){0};
        d->blocks = 0;
    }
    for (uint32_t i = s->batch.endpoints; i != XINV_NIL; i = next) {
        next = s->endpoints[i].entry.next;
        s->endpoints[i].entry = (struct xinv_held_entry){0};
    }
    xinv_batch_init(&s->batch);
}

/* ---- What goes out ---- */

/*
 * The parts of a batch on one IOMMU: entries of endpoints, those that change alike together; then
 * domain by domain, for the endpoints of each stage, for each granule that the tables may have, the
 * ranges that wait.
 */
struct batch_parts {
    struct xinv_parts parts;
    struct xinv_job *job;
    uint32_t iommu;
    uint32_t only; /* this domain's ranges, and nothing else; XINV_NIL: everything */
    /* where the walk is */
    uint32_t endpoint;
    uint32_t domain;
    size_t n[XINV_TABLE_STAGES]; /* attachments of each stage, one after the other in the scratch
                                    array */
    unsigned stage;
    unsigned granule;
    bool in_domain;
    bool in_pass; /* over the domain's ranges, for one stage and granule */
    bool again;
    bool alike;
    struct xinv_pending_walk walk;
    struct xinv_request request; /* of this part */
    struct xinv_part part;
};

static void batch_rewind(struct xinv_parts *parts)
{
    struct batch_parts *p = (struct batch_parts *)parts;
    const struct xinv_batch *batch = &p->job->s->batch;

    p->endpoint = p->only == XINV_NIL ? batch->endpoints : XINV_NIL;
    p->domain = p->only == XINV_NIL ? batch->domains : p->only;
    p->in_domain = false;
}

static bool change_alike(const struct xinv_held_entry *a, const struct xinv_held_entry *b)
{
    return a->stage == b->stage && a->from == b->from && a->leads == b->leads &&
           a->new_did == b->new_did;
}

/* Entries that change alike are one part, in which no command goes out twice. */
static bool next_entries(struct batch_parts *p)
{
    struct xinv_session *s = p->job->s;
    const struct xinv_held_entry *first = NULL;
    size_t n = 0;

    for (; p->endpoint != XINV_NIL; p->endpoint = s->endpoints[p->endpoint].entry.next) {
        const struct xinv_session_endpoint *e = &s->endpoints[p->endpoint];

        if (e->e.iommu != p->iommu)
            continue;
        if (first && !change_alike(first, &e->entry))
            break;
        first = first ? first : &e->entry;
        xinv_endpoint_attachment(s, p->endpoint, e->entry.stage, e->entry.tag, &s->scratch[n++]);
    }
    if (!n)
        return false;
    if (n > p->job->scratch_used)
        p->job->scratch_used = n;
    p->request = xinv_entry_request(s->iommus[p->iommu], first);
    p->part = (struct xinv_part){.at = s->scratch, .n = n, .request = &p->request};
    return true;
}

/* Goes to the next domain that has ranges and endpoints on this IOMMU. */
static bool enter_domain(struct batch_parts *p)
{
    const struct xinv_session *s = p->job->s;

    for (; p->domain != XINV_NIL; p->domain = s->domains[p->domain].next_pending) {
        if (!(s->domains[p->domain].pending_iommus >> p->iommu & 1)) {
            if (p->only != XINV_NIL)
                return false;
            continue;
        }
        p->n[0] = xinv_job_gather(p->job, p->domain, p->iommu, XINV_STAGE_STAGE1, 0);
        p->n[1] = xinv_job_gather(p->job, p->domain, p->iommu, XINV_STAGE_STAGE2, p->n[0]);
        p->stage = 0;
        p->granule = 0;
        p->in_domain = true;
        p->in_pass = false;
        p->again = false;
        p->alike = false;
        return true;
    }
    return false;
}

static void leave_domain(struct batch_parts *p)
{
    p->in_domain = false;
    p->domain = p->only == XINV_NIL ? p->job->s->domains[p->domain].next_pending : XINV_NIL;
}

/* Begins the next pass over the domain's ranges: a stage that has endpoints, a granule that the
 * tables may have. */
static bool enter_pass(struct batch_parts *p)
{
    const struct xinv_session *s = p->job->s;
    const struct xinv_domain *d = &s->domains[p->domain];

    for (; p->stage < XINV_TABLE_STAGES; p->stage++, p->granule = 0, p->alike = false)
        while (p->n[p->stage] && p->granule < XINV_SESSION_GRANULES) {
            if (!(s->tables[p->iommu].granules >> p->granule++ & 1))
                continue;
            xinv_pending_begin(&p->walk, &s->maps, &d->pending, &d->gaps);
            p->in_pass = true;
            return true;
        }
    return false;
}

static void fill_part(struct batch_parts *p, const struct xinv_pending_range *range)
{
    const struct xinv_session *s = p->job->s;

    p->request = xinv_pte_request(xinv_session_stages[p->stage], range);
    p->request.log2_granule = xinv_session_granules[p->granule - 1];
    p->part = (struct xinv_part){
        .at = s->scratch + (p->stage ? p->n[0] : 0),
        .n = p->n[p->stage],
        .request = &p->request,
        .again = p->again,
        .alike = p->alike,
        .blocks = s->domains[p->domain].blocks,
        .pages = range->pages,
    };
    p->alike = true;
}

static const struct xinv_part *batch_next(struct xinv_parts *parts)
{
    struct batch_parts *p = (struct batch_parts *)parts;
    struct xinv_pending_range range;

    if (p->endpoint != XINV_NIL && next_entries(p))
        return &p->part;
    while (p->in_domain || enter_domain(p)) {
        while (p->in_pass || enter_pass(p)) {
            if (xinv_pending_next(&p->walk, &range)) {
                fill_part(p, &range);
                return &p->part;
            }
            p->in_pass = false;
            p->again = true;
        }
        leave_domain(p);
    }
    return NULL;
}

static struct batch_parts parts_of(struct xinv_job *job, uint32_t iommu, uint32_t only)
{
    return (struct batch_parts){
        .parts = {batch_rewind, batch_next, NULL}, .job = job, .iommu = iommu, .only = only};
}

/* ---- Fewer ranges, where the policy prefers them ---- */

/* Blocks of each row for a domain's ranges, for its first attachment. */
struct block_count {
    struct batch_parts ranges;
    bool too_many;                      /* of some row, in some walk */
    uint32_t blocks[XINV_MAX_COMMANDS]; /* saturate */
};

static void rewind_count(struct xinv_parts *parts)
{
    struct block_count *count = (struct block_count *)parts;

    memset(count->blocks, 0, sizeof(count->blocks));
    batch_rewind(parts);
}

/* Once the answer is known, there is nothing more to count. */
static const struct xinv_part *next_count(struct xinv_parts *parts)
{
    return ((struct block_count *)parts)->too_many ? NULL : batch_next(parts);
}

/* max_commands of a row. */
static uint32_t most_commands(const struct xinv_job *job, uint32_t iommu, unsigned row)
{
    uint16_t most = job->policy->max_commands;

    if (most == XINV_WORTH)
        most = job->s->iommus[iommu]->worth[row];
    return most ? most : UINT32_MAX;
}

static void count_blocks(struct xinv_parts *parts, size_t at, uint32_t key,
                         const struct xinv_shape *shape, const struct xinv_candidates *found,
                         const struct xinv_cover *chosen, const uint32_t *own)
{
    struct block_count *count = (struct block_count *)parts;

    (void)key;
    (void)shape;
    for (unsigned i = 0; !at && chosen && i < chosen->n; i++) {
        unsigned row = xinv_choice_row(found->c[chosen->chosen[i]].choice);
        uint32_t *blocks = &count->blocks[row];

        *blocks += own[i] < UINT32_MAX - *blocks ? own[i] : UINT32_MAX - *blocks;
        if (*blocks > most_commands(count->ranges.job, count->ranges.iommu, row))
            count->too_many = true;
    }
}

/* Are all commands together no more than any of their rows may have? */
static bool surely_within(struct xinv_job *job, uint32_t iommu, uint32_t domain)
{
    struct xinv_report report;
    uint8_t phases;

    if (!xinv_batch_count_listed(job, iommu, domain, NULL, &report, &phases))
        return false;
    for (; report.rows; report.rows &= report.rows - 1)
        if (report.commands > most_commands(job, iommu, (unsigned)__builtin_ctzll(report.rows)))
            return false;
    return true;
}

/* Do a domain's ranges, each for itself, take more than max_commands for some tag and cache? */
static bool passes_limit(struct xinv_job *job, uint32_t iommu, uint32_t domain)
{
    struct xinv_session *s = job->s;
    struct block_count count = {.ranges = parts_of(job, iommu, domain)};
    uint16_t limit = job->policy->max_commands;
    struct xinv_out none = {0};

    if (!limit)
        return false;
    if (limit != XINV_WORTH &&
        xinv_pending_count(&s->maps, &s->domains[domain].pending, limit) > limit)
        return true;
    if (surely_within(job, iommu, domain))
        return false;
    count.ranges.parts = (struct xinv_parts){rewind_count, next_count, count_blocks};
    (void)xinv_translate_parts(s->iommus[iommu], &count.ranges.parts, job->policy, NULL, &none,
                               NULL);
    return count.too_many;
}

static const struct xinv_gaps no_gaps;
static const struct xinv_gaps all_gaps = {true, UINT64_MAX, 0};

/* What a domain's ranges come to, with such gaps closed; false: not to commands. */
static bool try_gaps(struct xinv_job *job, uint32_t iommu, uint32_t domain,
                     const struct xinv_gaps *gaps, struct xinv_report *report)
{
    struct batch_parts p = parts_of(job, iommu, domain);
    struct xinv_out none = {0};
    uint8_t phases;

    job->s->domains[domain].gaps = *gaps;
    if (xinv_batch_count_listed(job, iommu, domain, NULL, report, &phases))
        return true;
    return xinv_translate_parts(job->s->iommus[iommu], &p.parts, job->policy, NULL, &none,
                                report) >= 0;
}

/* Commands without syncs. */
static uint32_t commands_of(struct xinv_job *job, uint32_t iommu, uint32_t domain,
                            const struct xinv_gaps *gaps)
{
    struct xinv_report report;

    if (!try_gaps(job, iommu, domain, gaps, &report))
        return UINT32_MAX;
    return report.commands - report.syncs;
}

/* Is a leaf among the ranges larger than a block that some command can say? */
static bool has_large_leaf(const struct xinv_job *job, uint32_t iommu, uint32_t domain)
{
    const struct xinv_session *s = job->s;

    return s->domains[domain].pending.log2_leaf > s->tables[iommu].log2_block;
}

/*
 * Does one range's wider scope serve all the others? Where it is the whole of what the ranges would
 * come to together, and they send it anyway, what else they send is for nothing.
 */
static bool shares_scope(struct xinv_job *job, uint32_t iommu, uint32_t domain)
{
    const struct xinv_vendor *v = job->s->iommus[iommu]->vendor;
    struct xinv_report apart;
    struct xinv_report together;

    if (!has_large_leaf(job, iommu, domain) || !try_gaps(job, iommu, domain, &no_gaps, &apart) ||
        !apart.extra_unbounded || !try_gaps(job, iommu, domain, &all_gaps, &together) ||
        (together.rows & ~apart.rows))
        return false;
    for (unsigned row = 0; row < v->n_commands; row++)
        if ((together.rows >> row & 1) && v->commands[row].ranges.count)
            return false;
    return true;
}

/* How many ranges the policy wants at most; 0: each for itself. */
static unsigned wanted(struct xinv_job *job, uint32_t iommu, uint32_t domain)
{
    const struct xinv_policy *policy = job->policy;

    if (!policy)
        return shares_scope(job, iommu, domain) ? 1 : 0;
    switch (policy->kind) {
    case XINV_POLICY_LATENCY:
        return 1;
    case XINV_POLICY_AT_MOST:
        if (!policy->blocks || policy->blocks > XINV_MAX_BLOCKS)
            return 0; /* refused when the first part is looked at */
        if (policy->max_commands && policy->max_commands < policy->blocks)
            return policy->max_commands;
        return policy->blocks;
    default:
        return passes_limit(job, iommu, domain) || shares_scope(job, iommu, domain) ? 1 : 0;
    }
}

/*
 * Chooses which gaps between a domain's ranges are closed. Where blocks are small and nothing wider
 * can be said, a closed gap may cost more than it saves: then none is.
 */
static void choose_gaps(struct xinv_job *job, uint32_t iommu, uint32_t domain)
{
    struct xinv_session *s = job->s;
    struct xinv_domain *d = &s->domains[domain];
    unsigned most;
    uint32_t together;
    uint32_t ranges;
    struct xinv_gaps gaps;

    d->gaps = no_gaps;
    d->blocks = 0;
    most = wanted(job, iommu, domain);
    d->gaps = no_gaps;
    if (!most)
        return;
    ranges = xinv_gaps_choose(&s->maps, &d->pending, most, &gaps);
    if (job->policy && job->policy->kind == XINV_POLICY_AT_MOST)
        d->blocks = (uint8_t)(most / ranges);
    ranges = xinv_pending_count(&s->maps, &d->pending, UINT32_MAX - 1);
    if (ranges == 1)
        return;
    together = commands_of(job, iommu, domain, &gaps);
    /* each range takes one command at least */
    if (together > ranges && commands_of(job, iommu, domain, &no_gaps) <= together)
        return;
    d->gaps = gaps;
}

/* Has the batch anything for this IOMMU? */
static bool concerns(struct batch_parts *p)
{
    batch_rewind(&p->parts);
    return batch_next(&p->parts) != NULL;
}

int xinv_batch_send(struct xinv_job *job)
{
    struct xinv_session *s = job->s;

    for (uint32_t iommu = 0; iommu < s->config.n_iommus; iommu++) {
        struct batch_parts p = parts_of(job, iommu, XINV_NIL);
        int ret;

        for (uint32_t d = s->batch.domains; d != XINV_NIL; d = s->domains[d].next_pending)
            if (s->domains[d].pending_iommus >> iommu & 1)
                choose_gaps(job, iommu, d);
        if (xinv_batch_send_listed(job, iommu))
            continue;
        if (!concerns(&p))
            continue;
        ret = xinv_job_send(job, iommu, &p.parts, true);
        if (ret)
            return ret;
    }
    return 0;
}
