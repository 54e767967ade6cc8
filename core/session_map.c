// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/* MAP and UNMAP. */
#include "core/bits.h"
#include "core/iommu.h"
#include "core/session_job.h"

/*
 * The largest leaf that a mapping can hold: the largest naturally aligned block within it. Nothing
 * smaller is safe. Granules of 16 KiB and 64 KiB, runs of contiguous entries and AMD's page sizes
 * give leaves of many sizes, and the request's physical address is the guest's, which says nothing
 * of the alignment of the host's.
 */
static uint8_t largest_leaf(uint64_t first, uint64_t last)
{
    /* no block is larger than the range, and one of a quarter of it is surely within: few are tried
     */
    uint8_t most = (uint8_t)(64 - __builtin_clzll((last - first) | 1));

    for (uint8_t log2 = most < 64 ? most : 63; log2 > 12; log2--) {
        uint64_t mask = xinv_low_bits(log2);
        uint64_t start = (first + mask) & ~mask;

        if (last - first >= mask && start >= first && start <= last && last - start >= mask)
            return log2;
    }
    return 12;
}

/* A run of mappings that touch: from node on, up to the request's end. */
struct run {
    uint64_t first;
    uint64_t last;
    uint8_t leaf; /* the largest that one of the mappings can hold */
};

static bool in_request(const struct xinv_job *job, uint32_t node)
{
    return node != XINV_NIL && job->s->maps.nodes[node].first <= job->r.last;
}

/* Moves node on to the first one after the run; XINV_NIL if that is not the request's. */
static struct run next_run(const struct xinv_job *job, uint32_t *node)
{
    const struct xinv_map_store *maps = &job->s->maps;
    struct run run = {.first = maps->nodes[*node].first, .leaf = 12};

    for (;;) {
        const struct xinv_map_node *n = &maps->nodes[*node];
        uint8_t leaf = largest_leaf(n->first, n->last);

        run.last = n->last;
        if (leaf > run.leaf)
            run.leaf = leaf;
        *node = n->last < job->r.last ? xinv_map_next(maps, *node) : XINV_NIL;
        if (!in_request(job, *node) || maps->nodes[*node].first != run.last + 1)
            return run;
    }
}

/*
 * The removal of a run. A leaf that none of its mappings can hold was shared with a neighbour: the
 * run does not hold it whole.
 */
static struct xinv_pending_range removal(const struct xinv_job *job, const struct run *run)
{
    struct xinv_pending_range r = {
        .from = XINV_FROM_PRESENT, .log2_leaf = run->leaf, .first = run->first, .last = run->last};

    if (job->hint && job->hint->known) {
        r.log2_leaf = job->hint->log2_leaf_size;
        if (job->hint->leaf_only)
            r.flags |= XINV_REQ_LEAF_ONLY;
    }
    if (r.log2_leaf <= run->leaf)
        r.flags |= XINV_REQ_LEAVES_WITHIN;
    return r;
}

static struct xinv_pending_range addition(const struct xinv_job *job)
{
    return (struct xinv_pending_range){.from = XINV_FROM_NOT_PRESENT,
                                       .log2_leaf = largest_leaf(job->r.first, job->r.last),
                                       .flags = XINV_REQ_LEAVES_WITHIN,
                                       .first = job->r.first,
                                       .last = job->r.last};
}

struct xinv_request xinv_pte_request(uint8_t stage, const struct xinv_pending_range *range)
{
    return (struct xinv_request){.change = stage == XINV_STAGE_STAGE2 ? XINV_CHANGE_STAGE2_PTE
                                                                      : XINV_CHANGE_STAGE1_PTE,
                                 .from = range->from,
                                 .log2_leaf_size = range->log2_leaf,
                                 .flags = XINV_REQ_RANGE | range->flags,
                                 .first = range->first,
                                 .last = range->last};
}

/*
 * May the tables that this IOMMU walks have such a granule? Where the session is not told, they can
 * have any that is able to map what the guest maps; 4 KiB blocks are right for all of them, except
 * for commands that name the granule, and then reach its entries alone (SMMUv3 4.4.1.1).
 */
static bool may_have_granule(const struct xinv_session *s, uint32_t iommu, uint8_t log2)
{
    const struct xinv_iommu *u = s->iommus[iommu];

    if (s->config.log2_granule)
        return log2 == s->config.log2_granule;
    if (log2 == 12)
        return true;
    if (log2 > s->log2_page && s->log2_page >= 12)
        return false;
    for (unsigned row = 0; row < u->vendor->n_commands; row++)
        if ((u->commands >> row & 1) && u->range[row].kind == XINV_RANGE_SCALED)
            return true;
    return false;
}

const uint8_t xinv_session_granules[XINV_SESSION_GRANULES] = {12, 14, 16};

static uint8_t log2_block_of(const struct xinv_iommu *iommu)
{
    unsigned log2 = 63;

    for (unsigned row = 0; row < iommu->vendor->n_commands; row++)
        if ((iommu->commands >> row & 1) && iommu->range[row].leaf_floor &&
            iommu->range[row].max_order + 12u < log2)
            log2 = iommu->range[row].max_order + 12u;
    return (uint8_t)log2;
}

struct xinv_session_tables xinv_session_tables_of(const struct xinv_session *s, uint32_t iommu)
{
    struct xinv_session_tables tables = {.log2_block = log2_block_of(s->iommus[iommu])};

    for (unsigned i = 0; i < XINV_SESSION_GRANULES; i++)
        if (may_have_granule(s, iommu, xinv_session_granules[i]))
            tables.granules |= (uint8_t)(1u << i);
    return tables;
}

const uint8_t xinv_session_stages[XINV_TABLE_STAGES] = {XINV_STAGE_STAGE1, XINV_STAGE_STAGE2};

/*
 * The parts of a MAP or an UNMAP on one IOMMU: every run of mappings that touch, to the endpoints
 * of each stage, once for each granule that the tables may have.
 */
struct pte_parts {
    struct xinv_parts parts;
    const struct xinv_job *job;
    uint32_t iommu;
    size_t n[XINV_TABLE_STAGES]; /* attachments of each stage, one after the other in the scratch
                                    array */
    /* where the walk is */
    bool started; /* a MAP's one run has been taken */
    uint32_t node;
    struct xinv_pending_range range;
    struct xinv_request request; /* of this part */
    struct xinv_part part;
    unsigned stage;
    unsigned granule;
    bool in_run;
    bool again;
};

static void pte_rewind(struct xinv_parts *parts)
{
    struct pte_parts *p = (struct pte_parts *)parts;

    p->started = false;
    p->in_run = false;
    p->node = p->job->node;
}

/* The next run, or false after the last. */
static bool take_run(struct pte_parts *p)
{
    if (p->job->r.type == XINV_VIRTIO_MAP) {
        if (p->started)
            return false;
        p->started = true;
        p->range = addition(p->job);
    } else {
        struct run run;

        if (!in_request(p->job, p->node))
            return false;
        run = next_run(p->job, &p->node);
        p->range = removal(p->job, &run);
    }
    p->stage = 0;
    p->granule = 0;
    p->again = false;
    return true;
}

static const struct xinv_part *pte_next(struct xinv_parts *parts)
{
    struct pte_parts *p = (struct pte_parts *)parts;
    const struct xinv_job *job = p->job;

    for (;;) {
        if (!p->in_run) {
            p->in_run = take_run(p);
            if (!p->in_run)
                return NULL;
        }
        for (; p->stage < XINV_TABLE_STAGES; p->stage++, p->granule = 0) {
            uint8_t stage = xinv_session_stages[p->stage];

            while (p->n[p->stage] && p->granule < XINV_SESSION_GRANULES) {
                unsigned granule = p->granule++;

                if (!(job->s->tables[p->iommu].granules >> granule & 1))
                    continue;
                p->request = xinv_pte_request(stage, &p->range);
                p->request.log2_granule = xinv_session_granules[granule];
                p->part = (struct xinv_part){.at = job->s->scratch + (p->stage ? p->n[0] : 0),
                                             .n = p->n[p->stage],
                                             .request = &p->request,
                                             .again = p->again};
                p->again = true;
                return &p->part;
            }
        }
        p->in_run = false;
    }
}

size_t xinv_job_gather(struct xinv_job *job, uint32_t domain, uint32_t iommu, uint8_t stage,
                       size_t at)
{
    const struct xinv_session *s = job->s;
    size_t n = at;

    for (uint32_t e = s->domains[domain].endpoints; e != XINV_NIL; e = s->endpoints[e].next)
        if (s->endpoints[e].e.iommu == iommu && xinv_endpoint_stage(s, e, domain) == stage)
            xinv_endpoint_attachment(s, e, stage, xinv_endpoint_tag(s, e), &s->scratch[n++]);
    if (n > job->scratch_used)
        job->scratch_used = n;
    return n - at;
}

/* By a list that the session keeps; false: it is to be planned. */
static bool send_listed(struct xinv_job *job, uint32_t iommu)
{
    if (!job->one_range)
        return false;
    if (job->counting || job->list_iommu != iommu) {
        job->list = xinv_job_list(job, job->domain, iommu, &job->range, 0);
        job->list_iommu = iommu;
    }
    return job->list &&
           xinv_job_send_listed(job, iommu, job->list, job->range.first, job->range.last);
}

static int send_planned(struct xinv_job *job, uint32_t iommu)
{
    struct pte_parts p = {{pte_rewind, pte_next, NULL}, .job = job, .iommu = iommu};

    p.n[0] = xinv_job_gather(job, job->domain, iommu, XINV_STAGE_STAGE1, 0);
    p.n[1] = xinv_job_gather(job, job->domain, iommu, XINV_STAGE_STAGE2, p.n[0]);
    if (!p.n[0] && !p.n[1])
        return 0;
    return xinv_job_send(job, iommu, &p.parts, true);
}

static int send_pte(struct xinv_job *job)
{
    /* those that the domain has, or has had, endpoints on */
    for (uint32_t left = job->s->domains[job->domain].iommus; left; left &= left - 1) {
        uint32_t iommu = (uint32_t)__builtin_ctz(left);
        int ret = send_listed(job, iommu) ? 0 : send_planned(job, iommu);

        if (ret)
            return ret;
    }
    return 0;
}

static bool overlaps_reserved(const struct xinv_job *job)
{
    const struct xinv_session *s = job->s;

    for (uint32_t e = s->domains[job->domain].endpoints; e != XINV_NIL; e = s->endpoints[e].next)
        for (unsigned i = 0; i < s->endpoints[e].e.n_reserved; i++) {
            const struct xinv_reserved_region *region = &s->endpoints[e].e.reserved[i];

            if (job->r.first <= region->end && region->start <= job->r.last)
                return true;
        }
    return false;
}

/* The status of the domain that a MAP or an UNMAP names. */
static uint8_t find_domain(struct xinv_job *job)
{
    job->domain = xinv_ids_find_domain(job->s, job->r.domain);
    if (job->domain == XINV_NIL)
        return XINV_VIRTIO_NOENT;
    return job->s->domains[job->domain].bypass ? XINV_VIRTIO_INVAL : XINV_VIRTIO_OK;
}

struct xinv_job_result xinv_job_map(struct xinv_job *job)
{
    struct xinv_session *s = job->s;
    uint64_t granule = UINT64_C(1) << s->log2_page;
    const struct xinv_virtio_request *r = &job->r;
    uint8_t found;
    int ret;

    if ((r->flags & XINV_VIRTIO_MAP_MMIO) && !(s->config.features & XINV_VIRTIO_F_MMIO))
        return xinv_job_status(XINV_VIRTIO_INVAL);
    if (r->last < r->first)
        return xinv_job_status(XINV_VIRTIO_INVAL);
    found = find_domain(job);
    if (found)
        return xinv_job_status(found);
    /* last + 1 may be 2^64: aligned as 0 is */
    if (((r->first | r->phys | (r->last + 1)) & (granule - 1)) ||
        r->first < s->config.input_start || r->last > s->config.input_end ||
        r->last - r->first > UINT64_MAX - r->phys)
        return xinv_job_status(XINV_VIRTIO_RANGE);
    job->node = xinv_map_at_or_after(&s->maps, s->domains[job->domain].maps, r->first);
    if (in_request(job, job->node) || overlaps_reserved(job))
        return xinv_job_status(XINV_VIRTIO_INVAL);
    if (s->n_mappings == s->config.max_mappings)
        return xinv_job_status(XINV_VIRTIO_NOMEM);
    job->range = addition(job);
    job->one_range = true;
    ret = xinv_job_run(job, send_pte);
    if (ret)
        return xinv_job_error(ret);
    (void)xinv_map_insert(&s->maps, &s->domains[job->domain].maps, r->first, r->last, r->phys);
    s->domains[job->domain].n_maps++;
    s->n_mappings++;
    if (job->batched && job->outcome->iommus)
        xinv_batch_hold(job, &job->range);
    return xinv_job_status(XINV_VIRTIO_OK);
}

/* Removes mappings from a node on, up to `last`. */
static void remove_up_to(struct xinv_job *job, uint32_t node, uint64_t last)
{
    struct xinv_session *s = job->s;
    struct xinv_domain *d = &s->domains[job->domain];

    while (node != XINV_NIL && s->maps.nodes[node].first <= last) {
        uint32_t next = s->maps.nodes[node].last < last ? xinv_map_next(&s->maps, node) : XINV_NIL;

        xinv_map_remove(&s->maps, &d->maps, node);
        d->n_maps--;
        s->n_mappings--;
        node = next;
    }
}

/* Removes them run by run: the batch keeps each in a node that the run leaves free. */
static void hold_removals(struct xinv_job *job)
{
    uint32_t node = job->node;

    while (in_request(job, node)) {
        uint32_t after = node;
        struct run run = next_run(job, &after);
        struct xinv_pending_range range = removal(job, &run);

        remove_up_to(job, node, run.last);
        xinv_batch_hold(job, &range);
        node = after;
    }
}

/* Would an UNMAP cut a mapping in two? Only those that hold its ends can be cut. */
static bool splits(const struct xinv_job *job)
{
    const struct xinv_map_store *maps = &job->s->maps;
    uint32_t first = job->node;
    uint32_t last = first;

    if (first == XINV_NIL)
        return false;
    if (maps->nodes[first].first < job->r.first)
        return true;
    if (maps->nodes[first].last < job->r.last)
        last = xinv_map_at_or_after(maps, job->s->domains[job->domain].maps, job->r.last);
    return in_request(job, last) && maps->nodes[last].last > job->r.last;
}

/* Is one run all that an UNMAP removes? */
static void find_range(struct xinv_job *job)
{
    uint32_t node = job->node;
    struct run run;

    if (!in_request(job, node))
        return;
    run = next_run(job, &node);
    job->range = removal(job, &run);
    job->one_range = !in_request(job, node);
}

struct xinv_job_result xinv_job_unmap(struct xinv_job *job)
{
    uint8_t found;
    int ret;

    if (job->r.last < job->r.first)
        return xinv_job_status(XINV_VIRTIO_INVAL);
    found = find_domain(job);
    if (found)
        return xinv_job_status(found);
    job->node =
        xinv_map_at_or_after(&job->s->maps, job->s->domains[job->domain].maps, job->r.first);
    if (splits(job))
        return xinv_job_status(XINV_VIRTIO_RANGE);
    find_range(job);
    ret = xinv_job_run(job, send_pte);
    if (ret)
        return xinv_job_error(ret);
    if (job->batched && job->outcome->iommus)
        hold_removals(job);
    else
        remove_up_to(job, job->node, job->r.last);
    return xinv_job_status(XINV_VIRTIO_OK);
}
