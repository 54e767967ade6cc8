// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/* Requests of a session: from bytes to a response; and what the device as a whole can be told. */
#include "core/iommu.h"
#include "core/mem.h"
#include "core/session_job.h"

/* A PROBE's status, and the number of its endpoint in job->endpoint. */
static struct xinv_job_result probe(struct xinv_job *job, size_t n_writable)
{
    if (n_writable - XINV_VIRTIO_TAIL < job->s->config.probe_size)
        return xinv_job_status(XINV_VIRTIO_INVAL);
    job->endpoint = xinv_ids_find_endpoint(job->s, job->r.endpoint);
    return xinv_job_status(job->endpoint == XINV_NIL ? XINV_VIRTIO_NOENT : XINV_VIRTIO_OK);
}

static void put_properties(const struct xinv_job *job, uint8_t *writable)
{
    const struct xinv_endpoint *e = &job->s->endpoints[job->endpoint].e;
    size_t at = 0;

    for (unsigned i = 0; i < e->n_reserved; i++)
        at +=
            xinv_virtio_put_region(writable + at, job->s->config.probe_size - at, &e->reserved[i]);
}

static struct xinv_job_result dispatch(struct xinv_job *job, size_t n_writable)
{
    bool maps = job->s->config.features & XINV_VIRTIO_F_MAP_UNMAP;

    switch (job->r.type) {
    case XINV_VIRTIO_ATTACH:
        return xinv_job_attach(job);
    case XINV_VIRTIO_DETACH:
        return xinv_job_detach(job);
    case XINV_VIRTIO_MAP:
        return maps ? xinv_job_map(job) : xinv_job_status(XINV_VIRTIO_UNSUPP);
    case XINV_VIRTIO_UNMAP:
        return maps ? xinv_job_unmap(job) : xinv_job_status(XINV_VIRTIO_UNSUPP);
    default:
        return probe(job, n_writable);
    }
}

/* What the bytes alone decide; the parts of a request that has them go into the outcome. */
static uint8_t parse(struct xinv_job *job, const void *readable, size_t n)
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
static bool unanswered(const struct xinv_job *job, uint8_t found)
{
    const struct xinv_session_config *c = &job->s->config;

    if (job->r.type == XINV_VIRTIO_PROBE)
        return !(c->features & XINV_VIRTIO_F_PROBE);
    return found == XINV_VIRTIO_UNSUPP && c->unknown_type_unwritten;
}

static struct xinv_job job_of(struct xinv_session *session, const struct xinv_policy *policy,
                              const struct xinv_completion *completions, struct xinv_out *outs,
                              struct xinv_report *reports, struct xinv_outcome *outcome)
{
    return (struct xinv_job){.s = session,
                             .policy = policy,
                             .completions = completions,
                             .outs = outs,
                             .reports = reports,
                             .outcome = outcome,
                             .domain = XINV_NIL,
                             .endpoint = XINV_NIL,
                             .old_domain = XINV_NIL};
}

void xinv_job_begin(struct xinv_job *job)
{
    job->idle_passes = xinv_session_idle_passes(job->s);
    *job->outcome = (struct xinv_outcome){.token = job->s->token};
    if (job->reports)
        memset(job->reports, 0, sizeof(*job->reports) * job->s->config.n_iommus);
}

/* Commands of an open batch go out before those of any other call. */
static bool held_back(struct xinv_job *job)
{
    xinv_job_begin(job);
    return job->s->batch.open;
}

static bool valid_hint(const struct xinv_unmap_hint *hint)
{
    return !hint || !hint->known || !hint->log2_leaf_size ||
           (hint->log2_leaf_size >= 12 && hint->log2_leaf_size < 64);
}

static bool valid_call(const struct xinv_session *session, const void *readable, size_t n_readable,
                       const void *writable, size_t n_writable, const struct xinv_unmap_hint *hint,
                       const struct xinv_outcome *outcome)
{
    return session && outcome && valid_hint(hint) && (!n_readable || readable) &&
           (!n_writable || writable);
}

/*
 * What is left of a request that its type has dealt with: an ATTACH that found no clean tag may
 * find one once the batch has made them clean.
 */
static struct xinv_job_result settle(const struct xinv_job *job, struct xinv_job_result result)
{
    if (!job->batched)
        return result;
    if (job->s->batch.open && result.status == XINV_VIRTIO_NOMEM &&
        job->r.type == XINV_VIRTIO_ATTACH)
        return xinv_job_error(-XINV_E_AGAIN);
    if (!result.error && !result.status)
        job->outcome->iommus |= xinv_batch_awaited(job);
    return result;
}

int xinv_job_serve(struct xinv_job *job, const void *readable, size_t n_readable, void *writable,
                   size_t n_writable)
{
    struct xinv_outcome *outcome = job->outcome;
    struct xinv_job_result result = {XINV_VIRTIO_OK, 0};

    xinv_job_begin(job);
    result.status = parse(job, readable, n_readable);
    if (n_writable < XINV_VIRTIO_TAIL) {
        outcome->status = XINV_VIRTIO_IOERR; /* no room for any status */
        return 0;
    }
    if (unanswered(job, result.status)) {
        outcome->status = XINV_VIRTIO_UNSUPP;
        return 0;
    }
    if (!result.status)
        result = settle(job, dispatch(job, n_writable));
    if (result.error)
        return xinv_job_fail(job, result.error);
    outcome->status = result.status;
    outcome->written = xinv_virtio_reply(writable, n_writable, result.status);
    if (job->r.type == XINV_VIRTIO_PROBE && !result.status)
        put_properties(job, writable);
    return job->commands;
}

int xinv_session_request(struct xinv_session *session, const void *readable, size_t n_readable,
                         void *writable, size_t n_writable, const struct xinv_unmap_hint *hint,
                         const struct xinv_policy *policy,
                         const struct xinv_completion *completions, struct xinv_out *outs,
                         struct xinv_report *reports, struct xinv_outcome *outcome)
{
    struct xinv_job job = job_of(session, policy, completions, outs, reports, outcome);

    if (!valid_call(session, readable, n_readable, writable, n_writable, hint, outcome))
        return -XINV_E_INVAL;
    if (held_back(&job))
        return xinv_job_fail(&job, -XINV_E_AGAIN);
    job.hint = hint;
    return xinv_job_serve(&job, readable, n_readable, writable, n_writable);
}

int xinv_session_batch_add(struct xinv_session *session, const void *readable, size_t n_readable,
                           void *writable, size_t n_writable, const struct xinv_unmap_hint *hint,
                           struct xinv_outcome *outcome)
{
    struct xinv_job job = job_of(session, NULL, NULL, NULL, NULL, outcome);
    int ret;

    if (!valid_call(session, readable, n_readable, writable, n_writable, hint, outcome))
        return -XINV_E_INVAL;
    job.hint = hint;
    job.batched = true;
    ret = xinv_job_serve(&job, readable, n_readable, writable, n_writable);
    return ret < 0 ? ret : 0;
}

/* Is an endpoint one of this IOMMU that is attached, or one that is not? */
static bool is_among(const struct xinv_job *job, uint32_t iommu, uint32_t endpoint, bool attached)
{
    const struct xinv_session_endpoint *e = &job->s->endpoints[endpoint];

    return e->e.iommu == iommu && (e->domain != XINV_NIL) == attached;
}

/* The change of every entry of the attached endpoints, or of the others. Only an IOMMU's last one
 * completes its list. */
static int send_entries(struct xinv_job *job, bool attached)
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
            ret = xinv_job_send_entry(job, i == last);
            if (ret)
                return ret;
        }
    }
    return 0;
}

/* Every attached endpoint leaves its domain. */
static int send_reset(struct xinv_job *job)
{
    return send_entries(job, true);
}

/* Every endpoint without a domain starts to pass, or ceases to. */
static int send_bypass(struct xinv_job *job)
{
    return send_entries(job, false);
}

int xinv_session_batch_flush(struct xinv_session *session, const struct xinv_policy *policy,
                             const struct xinv_completion *completions, struct xinv_out *outs,
                             struct xinv_report *reports, struct xinv_outcome *outcome)
{
    struct xinv_job job = job_of(session, policy, completions, outs, reports, outcome);
    int ret;

    if (!session || !outcome)
        return -XINV_E_INVAL;
    xinv_job_begin(&job);
    if (!session->batch.open)
        return 0;
    ret = xinv_job_run(&job, xinv_batch_send);
    if (ret)
        return xinv_job_fail(&job, ret);
    xinv_batch_clear(session);
    return job.commands;
}

int xinv_session_reset(struct xinv_session *session, const struct xinv_policy *policy,
                       const struct xinv_completion *completions, struct xinv_out *outs,
                       struct xinv_report *reports, struct xinv_outcome *outcome)
{
    struct xinv_job job = job_of(session, policy, completions, outs, reports, outcome);
    int ret;

    if (!session || !outcome)
        return -XINV_E_INVAL;
    if (held_back(&job))
        return xinv_job_fail(&job, -XINV_E_AGAIN);
    ret = xinv_job_run(&job, send_reset);
    if (ret)
        return xinv_job_fail(&job, ret);
    for (uint32_t i = 0; i < session->n_endpoints; i++) {
        job.endpoint = i;
        if (session->endpoints[i].domain != XINV_NIL)
            xinv_job_leave(&job);
    }
    return job.commands;
}

int xinv_session_set_bypass(struct xinv_session *session, uint8_t bypass,
                            const struct xinv_policy *policy,
                            const struct xinv_completion *completions, struct xinv_out *outs,
                            struct xinv_report *reports, struct xinv_outcome *outcome)
{
    struct xinv_job job = job_of(session, policy, completions, outs, reports, outcome);
    int ret;

    if (!session || !outcome || bypass > 1 ||
        !(session->config.features & XINV_VIRTIO_F_BYPASS_CONFIG))
        return -XINV_E_INVAL;
    if (held_back(&job))
        return xinv_job_fail(&job, -XINV_E_AGAIN);
    job.idle_passes = bypass;
    if (job.idle_passes == xinv_session_idle_passes(session))
        return 0;
    ret = xinv_job_run(&job, send_bypass);
    if (ret)
        return xinv_job_fail(&job, ret);
    session->config.bypass = bypass;
    return job.commands;
}
