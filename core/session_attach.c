// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/* ATTACH and DETACH: the tags of host tables, and the entries of endpoints. */
#include "core/iommu.h"
#include "core/session_job.h"

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

static struct use use_before(const struct xinv_job *job)
{
    const struct xinv_session *s = job->s;

    if (job->old_domain == XINV_NIL)
        return use_of_idle(xinv_session_idle_passes(s));
    return (struct use){true, xinv_endpoint_stage(s, job->endpoint, job->old_domain),
                        xinv_endpoint_tag(s, job->endpoint)};
}

static struct use use_after(const struct xinv_job *job)
{
    if (job->domain == XINV_NIL)
        return use_of_idle(job->idle_passes);
    return (struct use){true, xinv_endpoint_stage(job->s, job->endpoint, job->domain),
                        job->new_tag};
}

/* What the request makes of the endpoint's entry; false: it was nothing, and stays nothing. */
static bool entry_change(const struct xinv_job *job, struct xinv_held_entry *entry)
{
    struct use before = use_before(job);
    struct use now = use_after(job);
    struct use was = before.live ? before : now;
    struct xinv_attachment at;

    if (!was.live)
        return false;
    *entry =
        (struct xinv_held_entry){.stage = was.stage,
                                 .from = before.live ? XINV_FROM_PRESENT : XINV_FROM_NOT_PRESENT,
                                 .tag = was.tag};
    if (!now.live)
        return true;
    xinv_endpoint_attachment(job->s, job->endpoint, now.stage, now.tag, &at);
    entry->leads = (at.known & XINV_TAG_BIT(XINV_TAG_DID)) != 0;
    entry->new_did = at.did;
    return true;
}

/* Not leaf-only: a table of entries may have come or gone with it (a level-2 stream table). */
struct xinv_request xinv_entry_request(const struct xinv_iommu *iommu,
                                       const struct xinv_held_entry *entry)
{
    return (struct xinv_request){.change = xinv_attach_change(iommu),
                                 .from = entry->from,
                                 .flags = entry->leads ? XINV_REQ_NEW_DID : 0,
                                 .new_did = entry->leads ? entry->new_did : 0};
}

int xinv_job_send_entry(struct xinv_job *job, bool completes)
{
    struct xinv_session *s = job->s;
    uint32_t iommu = s->endpoints[job->endpoint].e.iommu;
    struct xinv_held_entry entry;
    struct xinv_request r;
    struct xinv_single one;

    if (!entry_change(job, &entry))
        return 0;
    job->scratch_used = 1;
    xinv_endpoint_attachment(s, job->endpoint, entry.stage, entry.tag, &s->scratch[0]);
    r = xinv_entry_request(s->iommus[iommu], &entry);
    xinv_single_init(&one, &s->scratch[0], 1, &r);
    return xinv_job_send(job, iommu, &one.parts, completes);
}

static int send_move(struct xinv_job *job)
{
    return xinv_job_send_entry(job, true);
}

/* Commands are made; where they wait for a flush, the batch holds what they are about. */
static int change_entry(struct xinv_job *job)
{
    struct xinv_held_entry entry;
    int ret = xinv_job_run(job, send_move);

    if (!ret && job->batched && job->outcome->iommus && entry_change(job, &entry))
        xinv_batch_hold_entry(job, &entry);
    return ret;
}

/* Does a mapping of the domain lie where the endpoint cannot have one? */
static bool clashes_with_maps(const struct xinv_job *job)
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
static uint8_t check_attachment(const struct xinv_job *job)
{
    uint8_t stage = xinv_endpoint_stage(job->s, job->endpoint, job->domain);

    if (clashes_with_maps(job) || xinv_endpoint_check(job->s, job->endpoint, stage, job->new_tag))
        return XINV_VIRTIO_UNSUPP;
    return XINV_VIRTIO_OK;
}

static uint8_t take_tag(struct xinv_job *job, uint32_t iommu)
{
    job->new_tag = xinv_pool_take(job->s, iommu, job->new_pool);
    job->tag_taken = job->new_tag != XINV_NO_TAG;
    return job->tag_taken ? XINV_VIRTIO_OK : XINV_VIRTIO_NOMEM;
}

/* Is a tag in use, on this IOMMU, by an endpoint of another table? */
static bool used_elsewhere(const struct xinv_job *job, uint32_t tag)
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
static uint8_t choose_fixed(struct xinv_job *job, uint32_t tag)
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
static uint8_t choose_tag(struct xinv_job *job)
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
static void release_tag(struct xinv_job *job, uint32_t pool, uint32_t tag, bool pooled)
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

void xinv_job_leave(struct xinv_job *job)
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

static void enter(struct xinv_job *job)
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
static void undo_attach(struct xinv_job *job)
{
    struct xinv_session *s = job->s;

    if (job->tag_taken)
        xinv_pool_give(s, s->endpoints[job->endpoint].e.iommu, job->new_pool, job->new_tag);
    if (job->domain_made)
        xinv_domain_drop(s, job->domain);
}

static bool domain_in_range(const struct xinv_job *job)
{
    return job->r.domain >= job->s->config.domain_start &&
           job->r.domain <= job->s->config.domain_end;
}

/* Is there room for one more domain, once the endpoint's old one has gone with its last endpoint?
 */
static bool room_for_domain(const struct xinv_job *job)
{
    const struct xinv_session *s = job->s;
    uint32_t stay = s->n_domains;

    if (job->old_domain != XINV_NIL && s->domains[job->old_domain].endpoints == job->endpoint &&
        s->endpoints[job->endpoint].next == XINV_NIL)
        stay--;
    return stay < s->config.max_domains;
}

struct xinv_job_result xinv_job_attach(struct xinv_job *job)
{
    struct xinv_session *s = job->s;
    bool bypass = job->r.flags & XINV_VIRTIO_ATTACH_BYPASS;
    uint8_t refused;
    int ret;

    if (bypass && !(s->config.features & XINV_VIRTIO_F_BYPASS_CONFIG))
        return xinv_job_status(XINV_VIRTIO_INVAL);
    job->endpoint = xinv_ids_find_endpoint(s, job->r.endpoint);
    if (job->endpoint == XINV_NIL)
        return xinv_job_status(XINV_VIRTIO_NOENT);
    if (!domain_in_range(job))
        return xinv_job_status(XINV_VIRTIO_RANGE);
    job->domain = xinv_ids_find_domain(s, job->r.domain);
    if (job->domain != XINV_NIL && (s->domains[job->domain].bypass != 0) != bypass)
        return xinv_job_status(XINV_VIRTIO_INVAL);
    job->old_domain = s->endpoints[job->endpoint].domain;
    if (job->domain != XINV_NIL && job->domain == job->old_domain)
        return xinv_job_status(XINV_VIRTIO_OK);
    if (job->domain == XINV_NIL) {
        if (!room_for_domain(job))
            return xinv_job_status(XINV_VIRTIO_NOMEM);
        job->domain = xinv_domain_make(s, job->r.domain);
        job->domain_made = true;
        s->domains[job->domain].bypass = bypass;
    }
    refused = choose_tag(job);
    if (!refused)
        refused = check_attachment(job);
    if (refused) {
        undo_attach(job);
        return xinv_job_status(refused);
    }
    ret = change_entry(job);
    if (ret) {
        undo_attach(job);
        return xinv_job_error(ret);
    }
    if (job->old_domain != XINV_NIL)
        xinv_job_leave(job);
    enter(job);
    return xinv_job_status(XINV_VIRTIO_OK);
}

struct xinv_job_result xinv_job_detach(struct xinv_job *job)
{
    struct xinv_session *s = job->s;
    int ret;

    job->endpoint = xinv_ids_find_endpoint(s, job->r.endpoint);
    if (job->endpoint == XINV_NIL)
        return xinv_job_status(XINV_VIRTIO_NOENT);
    job->old_domain = xinv_ids_find_domain(s, job->r.domain);
    if (job->old_domain == XINV_NIL || s->endpoints[job->endpoint].domain != job->old_domain)
        return xinv_job_status(XINV_VIRTIO_INVAL);
    ret = change_entry(job);
    if (ret)
        return xinv_job_error(ret);
    xinv_job_leave(job);
    return xinv_job_status(XINV_VIRTIO_OK);
}
