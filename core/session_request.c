// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/*
 * Requests of a session. Each goes the same way: syntax, existence, ranges; then every translation
 * is counted, so that nothing can fail any more; then words go out; and only then does the state
 * change and the response is written.
 */
#include "core/iommu.h"
#include "core/mem.h"
#include "core/session_impl.h"
#include "core/translate.h"
#include "core/virtio.h"

struct job {
    struct xinv_session *s;
    const struct xinv_unmap_hint *hint;
    const struct xinv_policy *policy;
    const struct xinv_completion *completions;
    struct xinv_out *outs;
    struct xinv_report *reports;
    struct xinv_outcome *outcome;
    bool counting;
    int commands;
    size_t scratch_used;
    struct xinv_virtio_request r;
    /* what the request is about */
    uint32_t domain;
    uint32_t endpoint;
    bool idle_passes;    /* what endpoints without a domain do, after the request */
    uint32_t old_domain; /* ATTACH: the one that the endpoint leaves */
    uint32_t new_tag;    /* ATTACH: under which it enters */
    uint32_t new_pool;   /* ATTACH: the pool that numbers it */
    bool tag_taken;      /* ATTACH: new_tag came out of the pool for this request */
    bool domain_made;    /* ATTACH: the domain did not exist */
};

/* ---- Sending ---- */

static void merge(struct xinv_report *into, const struct xinv_report *from)
{
    into->commands += from->commands;
    into->syncs += from->syncs;
    into->need_words += from->need_words;
    into->need_steps += from->need_steps;
    into->widened |= from->widened;
    into->must_beyond |= from->must_beyond;
    into->may_beyond |= from->may_beyond;
    into->extra_unbounded |= from->extra_unbounded;
    into->asked_pages += from->asked_pages;
    into->extra_pages += from->extra_pages;
    into->rows |= from->rows;
    into->at_tag = from->at_tag;
    into->at_cache = from->at_cache;
}

/* The guest's number of the endpoint behind an attachment of the scratch array. */
static uint32_t endpoint_at(const struct job *job, uint32_t iommu, const struct xinv_attachment *at)
{
    const struct xinv_session *s = job->s;

    if (job->r.type != XINV_VIRTIO_MAP && job->r.type != XINV_VIRTIO_UNMAP)
        return s->endpoints[job->endpoint].e.id;
    for (uint32_t e = s->domains[job->domain].endpoints; e != XINV_NIL; e = s->endpoints[e].next)
        if (s->endpoints[e].e.iommu == iommu && s->endpoints[e].e.rid == at->rid)
            return s->endpoints[e].e.id;
    return 0;
}

/* One list to one IOMMU. While counting, only the needs of the IOMMU grow. */
static int send(struct job *job, uint32_t iommu, struct xinv_parts *parts, bool completes)
{
    struct xinv_session *s = job->s;
    const struct xinv_completion *done =
        completes && job->completions ? &job->completions[iommu] : NULL;
    struct xinv_out none = {0};
    struct xinv_report report;
    int ret = xinv_translate_parts(s->iommus[iommu], parts, job->policy, done,
                                   job->counting ? &none : &job->outs[iommu], &report);

    if (job->counting) {
        s->scratch_needs[iommu * 2] += none.n_words;
        s->scratch_needs[iommu * 2 + 1] += none.n_steps;
    }
    if (ret < 0 && report.at)
        job->outcome->endpoint = endpoint_at(job, iommu, report.at);
    report.at = NULL; /* it would point into the session */
    if (job->reports && (job->counting || ret < 0))
        merge(&job->reports[iommu], &report);
    if (ret < 0)
        return ret;
    if (job->counting) {
        job->commands += ret;
        if (none.n_steps)
            job->outcome->iommus |= UINT32_C(1) << iommu;
    }
    return 0;
}

/* A list of one part. */
struct one_part {
    struct xinv_parts parts;
    struct xinv_part part;
    bool done;
};

static void one_rewind(struct xinv_parts *parts)
{
    ((struct one_part *)parts)->done = false;
}

static bool one_next(struct xinv_parts *parts, struct xinv_part *part)
{
    struct one_part *one = (struct one_part *)parts;

    *part = one->part;
    if (one->done)
        return false;
    one->done = true;
    return true;
}

static int send_one(struct job *job, uint32_t iommu, const struct xinv_attachment *at, size_t n,
                    const struct xinv_request *request, bool completes)
{
    struct one_part one = {{one_rewind, one_next, NULL}, {at, n, *request, false}, false};

    return send(job, iommu, &one.parts, completes);
}

/* The attachments of a domain on one IOMMU under one stage, in the scratch array from `at` on. */
static size_t gather(struct job *job, uint32_t domain, uint32_t iommu, uint8_t stage, size_t at)
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

static uint8_t pte_change(uint8_t stage)
{
    return stage == XINV_STAGE_STAGE2 ? XINV_CHANGE_STAGE2_PTE : XINV_CHANGE_STAGE1_PTE;
}

/* ---- MAP and UNMAP ---- */

/*
 * The largest leaf that a mapping can hold: the largest naturally aligned block within it. Nothing
 * smaller is safe. Granules of 16 KiB and 64 KiB, runs of contiguous entries and AMD's page sizes
 * give leaves of many sizes, and the request's physical address is the guest's, which says nothing
 * of the alignment of the host's.
 */
static uint8_t largest_leaf(uint64_t first, uint64_t last)
{
    for (uint8_t log2 = 63; log2 > 12; log2--) {
        uint64_t mask = (UINT64_C(1) << log2) - 1;
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

static bool in_request(const struct job *job, uint32_t node)
{
    return node != XINV_NIL && job->s->maps.nodes[node].first <= job->r.last;
}

/* Moves node on to the first one after the run. */
static struct run next_run(const struct job *job, uint32_t *node)
{
    const struct xinv_map_store *maps = &job->s->maps;
    struct run run = {.first = maps->nodes[*node].first, .leaf = 12};

    for (;;) {
        const struct xinv_map_node *n = &maps->nodes[*node];
        uint8_t leaf = largest_leaf(n->first, n->last);

        run.last = n->last;
        if (leaf > run.leaf)
            run.leaf = leaf;
        *node = xinv_map_next(maps, *node);
        if (!in_request(job, *node) || maps->nodes[*node].first != run.last + 1)
            return run;
    }
}

/*
 * The removal of a run. A leaf that none of its mappings can hold was shared with a neighbour: the
 * run does not hold it whole.
 */
static struct xinv_request removal(const struct job *job, uint8_t stage, const struct run *run)
{
    struct xinv_request r = {.change = pte_change(stage),
                             .from = XINV_FROM_PRESENT,
                             .log2_leaf_size = run->leaf,
                             .flags = XINV_REQ_RANGE,
                             .first = run->first,
                             .last = run->last};

    if (job->hint && job->hint->known) {
        r.log2_leaf_size = job->hint->log2_leaf_size;
        if (job->hint->leaf_only)
            r.flags |= XINV_REQ_LEAF_ONLY;
    }
    if (r.log2_leaf_size <= run->leaf)
        r.flags |= XINV_REQ_LEAVES_WITHIN;
    return r;
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

static struct xinv_request addition(const struct job *job, uint8_t stage)
{
    return (struct xinv_request){.change = pte_change(stage),
                                 .from = XINV_FROM_NOT_PRESENT,
                                 .log2_leaf_size = largest_leaf(job->r.first, job->r.last),
                                 .flags = XINV_REQ_RANGE | XINV_REQ_LEAVES_WITHIN,
                                 .first = job->r.first,
                                 .last = job->r.last};
}

static const uint8_t granules[] = {12, 14, 16};
static const uint8_t stages[] = {XINV_STAGE_STAGE1, XINV_STAGE_STAGE2};

/*
 * The parts of a MAP or an UNMAP on one IOMMU: every run of mappings that touch, to the endpoints
 * of each stage, once for each granule that the tables may have.
 */
struct pte_parts {
    struct xinv_parts parts;
    const struct job *job;
    uint32_t iommu;
    size_t n[2]; /* attachments of each stage, one after the other in the scratch array */
    /* where the walk is */
    bool started; /* a MAP's one run has been taken */
    uint32_t node;
    struct run run;
    unsigned stage;
    unsigned granule;
    bool in_run;
    bool again;
};

static void pte_rewind(struct xinv_parts *parts)
{
    struct pte_parts *p = (struct pte_parts *)parts;
    const struct xinv_session *s = p->job->s;

    p->started = false;
    p->in_run = false;
    p->node = xinv_map_at_or_after(&s->maps, s->domains[p->job->domain].maps, p->job->r.first);
}

/* The next run, or false after the last. */
static bool take_run(struct pte_parts *p)
{
    if (p->job->r.type == XINV_VIRTIO_MAP) {
        if (p->started)
            return false;
        p->started = true;
    } else {
        if (!in_request(p->job, p->node))
            return false;
        p->run = next_run(p->job, &p->node);
    }
    p->stage = 0;
    p->granule = 0;
    p->again = false;
    return true;
}

static bool pte_next(struct xinv_parts *parts, struct xinv_part *part)
{
    struct pte_parts *p = (struct pte_parts *)parts;
    const struct job *job = p->job;

    for (;;) {
        if (!p->in_run) {
            p->in_run = take_run(p);
            if (!p->in_run)
                return false;
        }
        for (; p->stage < 2; p->stage++, p->granule = 0) {
            uint8_t stage = stages[p->stage];

            while (p->n[p->stage] && p->granule < sizeof(granules)) {
                uint8_t granule = granules[p->granule++];

                if (!may_have_granule(job->s, p->iommu, granule))
                    continue;
                part->at = job->s->scratch + (p->stage ? p->n[0] : 0);
                part->n = p->n[p->stage];
                part->request = job->r.type == XINV_VIRTIO_MAP ? addition(job, stage)
                                                               : removal(job, stage, &p->run);
                part->request.log2_granule = granule;
                part->again = p->again;
                p->again = true;
                return true;
            }
        }
        p->in_run = false;
    }
}

static int send_pte(struct job *job)
{
    for (uint32_t iommu = 0; iommu < job->s->config.n_iommus; iommu++) {
        struct pte_parts p = {{pte_rewind, pte_next, NULL}, .job = job, .iommu = iommu};
        int ret;

        p.n[0] = gather(job, job->domain, iommu, XINV_STAGE_STAGE1, 0);
        p.n[1] = gather(job, job->domain, iommu, XINV_STAGE_STAGE2, p.n[0]);
        if (!p.n[0] && !p.n[1])
            continue;
        ret = send(job, iommu, &p.parts, true);
        if (ret)
            return ret;
    }
    return 0;
}

/* ---- ATTACH and DETACH ---- */

/* How an endpoint translates: under a table and its tag, not at all, or (not live) nothing passes.
 */
struct use {
    bool live;
    uint8_t stage;
    uint32_t tag;
};

static struct use use_of_idle(bool passes)
{
    return (struct use){passes, XINV_STAGE_PASSTHROUGH, XINV_NO_TAG};
}

static struct use use_before(const struct job *job)
{
    const struct xinv_session *s = job->s;

    if (job->old_domain == XINV_NIL)
        return use_of_idle(xinv_session_idle_passes(s));
    return (struct use){true, xinv_endpoint_stage(s, job->endpoint, job->old_domain),
                        xinv_endpoint_tag(s, job->endpoint)};
}

static struct use use_after(const struct job *job)
{
    if (job->domain == XINV_NIL)
        return use_of_idle(job->idle_passes);
    return (struct use){true, xinv_endpoint_stage(job->s, job->endpoint, job->domain),
                        job->new_tag};
}

/*
 * The change of an endpoint's entry: it leaves old_domain, or enters domain, or both; where it is
 * in none, it may pass untranslated. Not leaf-only: a table of entries may have come or gone with
 * it (a level-2 stream table).
 */
static int send_entry(struct job *job, bool completes)
{
    struct xinv_session *s = job->s;
    const struct xinv_session_endpoint *e = &s->endpoints[job->endpoint];
    struct xinv_request r = {.change = xinv_attach_change(s->iommus[e->e.iommu])};
    struct use before = use_before(job);
    struct use now = use_after(job);
    struct xinv_attachment *at = &s->scratch[0];

    if (!before.live && !now.live)
        return 0;
    job->scratch_used = 1;
    r.from = before.live ? XINV_FROM_PRESENT : XINV_FROM_NOT_PRESENT;
    if (now.live)
        xinv_endpoint_attachment(s, job->endpoint, now.stage, now.tag, at);
    if (now.live && (at->known & XINV_TAG_BIT(XINV_TAG_DID))) {
        r.new_did = at->did;
        r.flags |= XINV_REQ_NEW_DID;
    }
    if (before.live)
        xinv_endpoint_attachment(s, job->endpoint, before.stage, before.tag, at);
    return send_one(job, e->e.iommu, at, 1, &r, completes);
}

static int send_move(struct job *job)
{
    return send_entry(job, true);
}

/* Does a mapping of the domain lie where the endpoint cannot have one? */
static bool clashes_with_maps(const struct job *job)
{
    const struct xinv_session *s = job->s;
    const struct xinv_endpoint *e = &s->endpoints[job->endpoint].e;

    for (unsigned i = 0; i < e->n_reserved; i++) {
        uint32_t node =
            xinv_map_at_or_after(&s->maps, s->domains[job->domain].maps, e->reserved[i].start);

        if (node != XINV_NIL && s->maps.nodes[node].first <= e->reserved[i].end)
            return true;
    }
    return false;
}

/* Can the endpoint be in the domain at all (5.13.6.3.2: UNSUPP for what is not compatible)? */
static uint8_t check_attachment(const struct job *job)
{
    uint8_t stage = xinv_endpoint_stage(job->s, job->endpoint, job->domain);

    if (clashes_with_maps(job) || xinv_endpoint_check(job->s, job->endpoint, stage, job->new_tag))
        return XINV_VIRTIO_UNSUPP;
    return XINV_VIRTIO_OK;
}

static uint8_t take_tag(struct job *job, uint32_t iommu)
{
    job->new_tag = xinv_pool_take(job->s, iommu, job->new_pool);
    job->tag_taken = job->new_tag != XINV_NO_TAG;
    return job->tag_taken ? XINV_VIRTIO_OK : XINV_VIRTIO_NOMEM;
}

/* Is a tag in use, on this IOMMU, by an endpoint of another table? */
static bool used_elsewhere(const struct job *job, uint32_t tag)
{
    const struct xinv_session *s = job->s;
    uint32_t iommu = s->endpoints[job->endpoint].e.iommu;
    const struct xinv_vendor *v = s->iommus[iommu]->vendor;
    uint8_t stage = xinv_endpoint_stage(s, job->endpoint, job->domain);
    uint32_t pool = xinv_pool_of(s->iommus[iommu], stage);

    for (uint32_t i = 0; i < s->n_endpoints; i++) {
        const struct xinv_session_endpoint *e = &s->endpoints[i];
        uint8_t other;

        if (i == job->endpoint || e->domain == XINV_NIL || e->e.iommu != iommu)
            continue;
        other = xinv_endpoint_stage(s, i, e->domain);
        if (other == XINV_STAGE_PASSTHROUGH || xinv_pool_of(s->iommus[iommu], other) != pool ||
            xinv_endpoint_tag(s, i) != tag)
            continue;
        if (e->domain != job->domain || other != stage ||
            v->stages[stage].alloc == XINV_ALLOC_ENDPOINT)
            return true;
    }
    return false;
}

/* The caller's own tag. It names one table at a time, and no table before it is clean. */
static uint8_t choose_fixed(struct job *job, uint32_t tag)
{
    const struct xinv_session *s = job->s;
    uint32_t iommu = s->endpoints[job->endpoint].e.iommu;

    if (used_elsewhere(job, tag))
        return XINV_VIRTIO_UNSUPP;
    if (xinv_pool_quarantined(s, iommu, job->new_pool, tag))
        return XINV_VIRTIO_NOMEM;
    job->new_tag = tag;
    return XINV_VIRTIO_OK;
}

/* The tag under which the endpoint enters the domain: the domain's, the caller's, or a fresh one.
 */
static uint8_t choose_tag(struct job *job)
{
    struct xinv_session *s = job->s;
    const struct xinv_endpoint *e = &s->endpoints[job->endpoint].e;
    const struct xinv_iommu *iommu = s->iommus[e->iommu];
    uint8_t stage = xinv_endpoint_stage(s, job->endpoint, job->domain);
    uint8_t alloc = iommu->vendor->stages[stage].alloc;
    const struct xinv_domain_tag *held;

    job->new_tag = XINV_NO_TAG;
    job->new_pool = xinv_pool_of(iommu, stage);
    if (alloc != XINV_ALLOC_DOMAIN && alloc != XINV_ALLOC_ENDPOINT)
        return XINV_VIRTIO_OK;
    held = xinv_domain_tag_at(s, job->domain, e->iommu, stage);
    if (alloc == XINV_ALLOC_DOMAIN && held->users) {
        job->new_tag = held->tag;
        return e->fixed_tag && e->fixed_tag != held->tag ? XINV_VIRTIO_UNSUPP : XINV_VIRTIO_OK;
    }
    if (e->fixed_tag)
        return choose_fixed(job, e->fixed_tag);
    return take_tag(job, e->iommu);
}

/* A tag without users stays out of use until the commands of its last user's departure have
 * completed. A fixed tag that this very request takes again is answered for by its own commands. */
static void release_tag(struct job *job, uint32_t pool, uint32_t tag, bool pooled)
{
    struct xinv_quarantined q = {.token = job->outcome->token,
                                 .tag = tag,
                                 .iommu = (uint8_t)job->s->endpoints[job->endpoint].e.iommu,
                                 .pool = (uint8_t)pool,
                                 .pooled = pooled};

    if (job->domain != XINV_NIL && job->new_pool == pool && job->new_tag == tag)
        return;
    xinv_pool_quarantine(job->s, &q);
    job->outcome->fenced = 1;
}

static void leave(struct job *job)
{
    struct xinv_session *s = job->s;
    struct xinv_session_endpoint *e = &s->endpoints[job->endpoint];
    const struct xinv_iommu *iommu = s->iommus[e->e.iommu];
    uint32_t domain = e->domain;
    uint8_t stage = xinv_endpoint_stage(s, job->endpoint, domain);
    uint32_t pool = xinv_pool_of(iommu, stage);
    struct xinv_domain_tag *held;

    switch (iommu->vendor->stages[stage].alloc) {
    case XINV_ALLOC_DOMAIN:
        held = xinv_domain_tag_at(s, domain, e->e.iommu, stage);
        if (--held->users == 0) {
            release_tag(job, pool, held->tag, held->pooled);
            *held = (struct xinv_domain_tag){0};
        }
        break;
    case XINV_ALLOC_ENDPOINT:
        release_tag(job, pool, e->tag, !e->e.fixed_tag);
        e->tag = XINV_NO_TAG;
        break;
    default:
        break;
    }
    xinv_endpoint_unlink(s, job->endpoint);
    if (s->domains[domain].endpoints == XINV_NIL)
        xinv_domain_drop(s, domain);
}

static void enter(struct job *job)
{
    struct xinv_session *s = job->s;
    struct xinv_session_endpoint *e = &s->endpoints[job->endpoint];
    const struct xinv_iommu *iommu = s->iommus[e->e.iommu];
    uint8_t stage = xinv_endpoint_stage(s, job->endpoint, job->domain);

    if (iommu->vendor->stages[stage].alloc == XINV_ALLOC_DOMAIN) {
        struct xinv_domain_tag *held = xinv_domain_tag_at(s, job->domain, e->e.iommu, stage);

        if (!held->users++) {
            held->tag = job->new_tag;
            held->pooled = job->tag_taken;
        }
    } else {
        e->tag = job->new_tag;
    }
    xinv_endpoint_link(s, job->endpoint, job->domain);
}

/* Undoes what an ATTACH took before it was known to succeed. */
static void undo_attach(struct job *job)
{
    struct xinv_session *s = job->s;

    if (job->tag_taken)
        xinv_pool_give(s, s->endpoints[job->endpoint].e.iommu, job->new_pool, job->new_tag);
    if (job->domain_made)
        xinv_domain_drop(s, job->domain);
}

/* ---- Two passes ---- */

static int fits(const struct job *job)
{
    const struct xinv_session *s = job->s;

    for (uint32_t i = 0; job->outs && i < s->config.n_iommus; i++) {
        const struct xinv_out *out = &job->outs[i];

        if (!out->words || !s->scratch_needs[i * 2 + 1])
            continue;
        if (out->n_words > out->cap_words || out->n_steps > out->cap_steps ||
            s->scratch_needs[i * 2] > out->cap_words - out->n_words ||
            s->scratch_needs[i * 2 + 1] > out->cap_steps - out->n_steps)
            return -XINV_E_NOSPACE;
    }
    return 0;
}

/* Counts, then emits; returns the number of commands or an error, with nothing changed. */
static int run(struct job *job, int (*pass)(struct job *))
{
    struct xinv_session *s = job->s;
    int ret;

    job->counting = true;
    ret = pass(job);
    if (!ret)
        ret = fits(job);
    if (!ret && job->outs) {
        job->counting = false;
        ret = pass(job);
    }
    memset(s->scratch, 0, sizeof(*s->scratch) * job->scratch_used);
    memset(s->scratch_needs, 0, sizeof(*s->scratch_needs) * 2 * s->config.n_iommus);
    if (ret)
        job->outcome->iommus = 0;
    else if (job->outcome->iommus)
        job->outcome->token = ++s->token;
    return ret;
}

/* An error of the call: there is no response, and nothing to complete. */
static int fail(const struct job *job, int error)
{
    job->outcome->status = XINV_VIRTIO_DEVERR;
    job->outcome->error = error;
    return error;
}

/* ---- Requests ---- */

/* What a request comes to: a virtio status, or an error of the call. */
struct result {
    uint8_t status;
    int error;
};

static struct result status(uint8_t value)
{
    return (struct result){value, 0};
}

static struct result after(int error)
{
    return (struct result){XINV_VIRTIO_DEVERR, error};
}

static bool domain_in_range(const struct job *job)
{
    return job->r.domain >= job->s->config.domain_start &&
           job->r.domain <= job->s->config.domain_end;
}

/* Is there room for one more domain, once the endpoint's old one has gone with its last endpoint?
 */
static bool room_for_domain(const struct job *job)
{
    const struct xinv_session *s = job->s;
    uint32_t stay = s->n_domains;

    if (job->old_domain != XINV_NIL && s->domains[job->old_domain].endpoints == job->endpoint &&
        s->endpoints[job->endpoint].next == XINV_NIL)
        stay--;
    return stay < s->config.max_domains;
}

static struct result attach(struct job *job)
{
    struct xinv_session *s = job->s;
    bool bypass = job->r.flags & XINV_VIRTIO_ATTACH_BYPASS;
    uint8_t refused;
    int ret;

    if (bypass && !(s->config.features & XINV_VIRTIO_F_BYPASS_CONFIG))
        return status(XINV_VIRTIO_INVAL);
    job->endpoint = xinv_ids_find_endpoint(s, job->r.endpoint);
    if (job->endpoint == XINV_NIL)
        return status(XINV_VIRTIO_NOENT);
    if (!domain_in_range(job))
        return status(XINV_VIRTIO_RANGE);
    job->domain = xinv_ids_find_domain(s, job->r.domain);
    if (job->domain != XINV_NIL && (s->domains[job->domain].bypass != 0) != bypass)
        return status(XINV_VIRTIO_INVAL);
    job->old_domain = s->endpoints[job->endpoint].domain;
    if (job->domain != XINV_NIL && job->domain == job->old_domain)
        return status(XINV_VIRTIO_OK);
    if (job->domain == XINV_NIL) {
        if (!room_for_domain(job))
            return status(XINV_VIRTIO_NOMEM);
        job->domain = xinv_domain_make(s, job->r.domain);
        job->domain_made = true;
        s->domains[job->domain].bypass = bypass;
    }
    refused = choose_tag(job);
    if (!refused)
        refused = check_attachment(job);
    if (refused) {
        undo_attach(job);
        return status(refused);
    }
    ret = run(job, send_move);
    if (ret) {
        undo_attach(job);
        return after(ret);
    }
    if (job->old_domain != XINV_NIL)
        leave(job);
    enter(job);
    return status(XINV_VIRTIO_OK);
}

static struct result detach(struct job *job)
{
    struct xinv_session *s = job->s;
    int ret;

    job->endpoint = xinv_ids_find_endpoint(s, job->r.endpoint);
    if (job->endpoint == XINV_NIL)
        return status(XINV_VIRTIO_NOENT);
    job->old_domain = xinv_ids_find_domain(s, job->r.domain);
    if (job->old_domain == XINV_NIL || s->endpoints[job->endpoint].domain != job->old_domain)
        return status(XINV_VIRTIO_INVAL);
    ret = run(job, send_move);
    if (ret)
        return after(ret);
    leave(job);
    return status(XINV_VIRTIO_OK);
}

static bool overlaps_reserved(const struct job *job)
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
static uint8_t find_domain(struct job *job)
{
    job->domain = xinv_ids_find_domain(job->s, job->r.domain);
    if (job->domain == XINV_NIL)
        return XINV_VIRTIO_NOENT;
    return job->s->domains[job->domain].bypass ? XINV_VIRTIO_INVAL : XINV_VIRTIO_OK;
}

static struct result map(struct job *job)
{
    struct xinv_session *s = job->s;
    uint64_t granule = UINT64_C(1) << s->log2_page;
    const struct xinv_virtio_request *r = &job->r;
    uint32_t node;
    uint8_t found;
    int ret;

    if ((r->flags & XINV_VIRTIO_MAP_MMIO) && !(s->config.features & XINV_VIRTIO_F_MMIO))
        return status(XINV_VIRTIO_INVAL);
    if (r->last < r->first)
        return status(XINV_VIRTIO_INVAL);
    found = find_domain(job);
    if (found)
        return status(found);
    /* last + 1 may be 2^64: aligned as 0 is */
    if (((r->first | r->phys | (r->last + 1)) & (granule - 1)) ||
        r->first < s->config.input_start || r->last > s->config.input_end ||
        r->last - r->first > UINT64_MAX - r->phys)
        return status(XINV_VIRTIO_RANGE);
    node = xinv_map_at_or_after(&s->maps, s->domains[job->domain].maps, r->first);
    if ((node != XINV_NIL && s->maps.nodes[node].first <= r->last) || overlaps_reserved(job))
        return status(XINV_VIRTIO_INVAL);
    if (s->maps.free == XINV_NIL)
        return status(XINV_VIRTIO_NOMEM);
    ret = run(job, send_pte);
    if (ret)
        return after(ret);
    (void)xinv_map_insert(&s->maps, &s->domains[job->domain].maps, r->first, r->last, r->phys);
    s->domains[job->domain].n_maps++;
    return status(XINV_VIRTIO_OK);
}

/* Would an UNMAP cut a mapping in two? Only those that hold its ends can be cut. */
static bool splits(const struct job *job)
{
    const struct xinv_map_store *maps = &job->s->maps;
    uint32_t root = job->s->domains[job->domain].maps;
    uint32_t first = xinv_map_at_or_after(maps, root, job->r.first);
    uint32_t last = xinv_map_at_or_after(maps, root, job->r.last);

    if (first != XINV_NIL && maps->nodes[first].first < job->r.first)
        return true;
    return last != XINV_NIL && maps->nodes[last].first <= job->r.last &&
           maps->nodes[last].last > job->r.last;
}

static struct result unmap(struct job *job)
{
    struct xinv_session *s = job->s;
    uint8_t found;
    uint32_t node;
    int ret;

    if (job->r.last < job->r.first)
        return status(XINV_VIRTIO_INVAL);
    found = find_domain(job);
    if (found)
        return status(found);
    if (splits(job))
        return status(XINV_VIRTIO_RANGE);
    ret = run(job, send_pte);
    if (ret)
        return after(ret);
    while (in_request(
        job, node = xinv_map_at_or_after(&s->maps, s->domains[job->domain].maps, job->r.first))) {
        xinv_map_remove(&s->maps, &s->domains[job->domain].maps, node);
        s->domains[job->domain].n_maps--;
    }
    return status(XINV_VIRTIO_OK);
}

/* A PROBE's status, and the number of its endpoint in job->endpoint. */
static struct result probe(struct job *job, size_t n_writable)
{
    if (n_writable - XINV_VIRTIO_TAIL < job->s->config.probe_size)
        return status(XINV_VIRTIO_INVAL);
    job->endpoint = xinv_ids_find_endpoint(job->s, job->r.endpoint);
    return status(job->endpoint == XINV_NIL ? XINV_VIRTIO_NOENT : XINV_VIRTIO_OK);
}

static void put_properties(const struct job *job, uint8_t *writable)
{
    const struct xinv_endpoint *e = &job->s->endpoints[job->endpoint].e;
    size_t at = 0;

    for (unsigned i = 0; i < e->n_reserved; i++)
        at +=
            xinv_virtio_put_region(writable + at, job->s->config.probe_size - at, &e->reserved[i]);
}

static struct result dispatch(struct job *job, size_t n_writable)
{
    bool maps = job->s->config.features & XINV_VIRTIO_F_MAP_UNMAP;

    switch (job->r.type) {
    case XINV_VIRTIO_ATTACH:
        return attach(job);
    case XINV_VIRTIO_DETACH:
        return detach(job);
    case XINV_VIRTIO_MAP:
        return maps ? map(job) : status(XINV_VIRTIO_UNSUPP);
    case XINV_VIRTIO_UNMAP:
        return maps ? unmap(job) : status(XINV_VIRTIO_UNSUPP);
    default:
        return probe(job, n_writable);
    }
}

/* What the bytes alone decide; the parts of a request that has them go into the outcome. */
static uint8_t parse(struct job *job, const void *readable, size_t n)
{
    uint8_t found;

    if (n < XINV_VIRTIO_HEAD)
        return XINV_VIRTIO_INVAL;
    found = xinv_virtio_parse(readable, n, &job->r);
    job->outcome->type = job->r.type;
    job->outcome->domain = job->r.domain;
    job->outcome->endpoint = job->r.endpoint;
    job->outcome->first = job->r.first;
    job->outcome->last = job->r.last;
    return found;
}

/* Requests whose answer is a used length of 0 (5.13.6.2, 5.13.6.6.2). */
static bool unanswered(const struct job *job, uint8_t found)
{
    const struct xinv_session_config *c = &job->s->config;

    if (job->r.type == XINV_VIRTIO_PROBE)
        return !(c->features & XINV_VIRTIO_F_PROBE);
    return found == XINV_VIRTIO_UNSUPP && c->unknown_type_unwritten;
}

static void begin(struct job *job)
{
    job->idle_passes = xinv_session_idle_passes(job->s);
    *job->outcome = (struct xinv_outcome){.token = job->s->token};
    if (job->reports)
        memset(job->reports, 0, sizeof(*job->reports) * job->s->config.n_iommus);
}

static bool valid_hint(const struct xinv_unmap_hint *hint)
{
    return !hint || !hint->known || !hint->log2_leaf_size ||
           (hint->log2_leaf_size >= 12 && hint->log2_leaf_size < 64);
}

int xinv_session_request(struct xinv_session *session, const void *readable, size_t n_readable,
                         void *writable, size_t n_writable, const struct xinv_unmap_hint *hint,
                         const struct xinv_policy *policy,
                         const struct xinv_completion *completions, struct xinv_out *outs,
                         struct xinv_report *reports, struct xinv_outcome *outcome)
{
    struct job job = {.s = session,
                      .hint = hint,
                      .policy = policy,
                      .completions = completions,
                      .outs = outs,
                      .reports = reports,
                      .outcome = outcome,
                      .domain = XINV_NIL,
                      .old_domain = XINV_NIL};
    struct result result = {XINV_VIRTIO_OK, 0};

    if (!session || !outcome || !valid_hint(hint) || (n_readable && !readable) ||
        (n_writable && !writable))
        return -XINV_E_INVAL;
    begin(&job);
    result.status = parse(&job, readable, n_readable);
    if (n_writable < XINV_VIRTIO_TAIL) {
        outcome->status = XINV_VIRTIO_IOERR; /* no room for any status */
        return 0;
    }
    if (unanswered(&job, result.status)) {
        outcome->status = XINV_VIRTIO_UNSUPP;
        return 0;
    }
    if (!result.status)
        result = dispatch(&job, n_writable);
    if (result.error)
        return fail(&job, result.error);
    outcome->status = result.status;
    outcome->written = xinv_virtio_reply(writable, n_writable, result.status);
    if (job.r.type == XINV_VIRTIO_PROBE && !result.status)
        put_properties(&job, writable);
    return job.commands;
}

/* Is an endpoint one of this IOMMU that is attached, or one that is not? */
static bool is_among(const struct job *job, uint32_t iommu, uint32_t endpoint, bool attached)
{
    const struct xinv_session_endpoint *e = &job->s->endpoints[endpoint];

    return e->e.iommu == iommu && (e->domain != XINV_NIL) == attached;
}

/* The change of every entry of the attached endpoints, or of the others. Only an IOMMU's last one
 * completes its list. */
static int send_entries(struct job *job, bool attached)
{
    struct xinv_session *s = job->s;

    for (uint32_t iommu = 0; iommu < s->config.n_iommus; iommu++) {
        uint32_t last = 0;

        for (uint32_t i = 0; i < s->n_endpoints; i++)
            if (is_among(job, iommu, i, attached))
                last = i;
        for (uint32_t i = 0; i < s->n_endpoints; i++) {
            int ret;

            if (!is_among(job, iommu, i, attached))
                continue;
            job->endpoint = i;
            job->old_domain = s->endpoints[i].domain;
            ret = send_entry(job, i == last);
            if (ret)
                return ret;
        }
    }
    return 0;
}

/* Every attached endpoint leaves its domain. */
static int send_reset(struct job *job)
{
    return send_entries(job, true);
}

/* Every endpoint without a domain starts to pass, or ceases to. */
static int send_bypass(struct job *job)
{
    return send_entries(job, false);
}

int xinv_session_reset(struct xinv_session *session, const struct xinv_policy *policy,
                       const struct xinv_completion *completions, struct xinv_out *outs,
                       struct xinv_report *reports, struct xinv_outcome *outcome)
{
    struct job job = {.s = session,
                      .policy = policy,
                      .completions = completions,
                      .outs = outs,
                      .reports = reports,
                      .outcome = outcome,
                      .domain = XINV_NIL,
                      .old_domain = XINV_NIL};
    int ret;

    if (!session || !outcome)
        return -XINV_E_INVAL;
    begin(&job);
    ret = run(&job, send_reset);
    if (ret)
        return fail(&job, ret);
    for (uint32_t i = 0; i < session->n_endpoints; i++) {
        job.endpoint = i;
        if (session->endpoints[i].domain != XINV_NIL)
            leave(&job);
    }
    return job.commands;
}

int xinv_session_set_bypass(struct xinv_session *session, uint8_t bypass,
                            const struct xinv_policy *policy,
                            const struct xinv_completion *completions, struct xinv_out *outs,
                            struct xinv_report *reports, struct xinv_outcome *outcome)
{
    struct job job = {.s = session,
                      .policy = policy,
                      .completions = completions,
                      .outs = outs,
                      .reports = reports,
                      .outcome = outcome,
                      .domain = XINV_NIL,
                      .old_domain = XINV_NIL};
    int ret;

    if (!session || !outcome || bypass > 1 ||
        !(session->config.features & XINV_VIRTIO_F_BYPASS_CONFIG))
        return -XINV_E_INVAL;
    begin(&job);
    job.idle_passes = bypass;
    if (job.idle_passes == xinv_session_idle_passes(session))
        return 0;
    ret = run(&job, send_bypass);
    if (ret)
        return fail(&job, ret);
    session->config.bypass = bypass;
    return job.commands;
}
