// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/* What a request sends: first it is all counted, then it goes out. */
#include "core/iommu.h"
#include "core/mem.h"
#include "core/prepared.h"
#include "core/session_job.h"

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
static uint32_t endpoint_at(const struct xinv_job *job, uint32_t iommu,
                            const struct xinv_attachment *at)
{
    const struct xinv_session *s = job->s;

    if (job->endpoint != XINV_NIL)
        return s->endpoints[job->endpoint].e.id;
    for (uint32_t e = 0; e < s->n_endpoints; e++)
        if (s->endpoints[e].e.iommu == iommu && s->endpoints[e].e.rid == at->rid &&
            (job->domain == XINV_NIL || s->endpoints[e].domain == job->domain))
            return s->endpoints[e].e.id;
    return 0;
}

void xinv_job_tally(struct xinv_job *job, uint32_t iommu, const struct xinv_report *report)
{
    struct xinv_session *s = job->s;

    s->needs[iommu].words += report->need_words;
    s->needs[iommu].steps += report->need_steps;
    if (job->reports)
        merge(&job->reports[iommu], report);
    job->commands += (int)report->commands;
    if (report->need_steps)
        job->outcome->iommus |= UINT32_C(1) << iommu;
}

int xinv_job_send(struct xinv_job *job, uint32_t iommu, struct xinv_parts *parts, bool completes)
{
    struct xinv_session *s = job->s;
    const struct xinv_completion *done =
        completes && job->completions ? &job->completions[iommu] : NULL;
    struct xinv_out none = {0};
    struct xinv_report report;
    int ret = xinv_translate_parts(s->iommus[iommu], parts, job->policy, done,
                                   job->counting ? &none : &job->outs[iommu], &report);

    if (ret < 0 && report.at)
        job->outcome->endpoint = endpoint_at(job, iommu, report.at);
    report.at = NULL; /* it would point into the session */
    if (job->counting && ret >= 0)
        xinv_job_tally(job, iommu, &report);
    else if (job->reports && ret < 0)
        merge(&job->reports[iommu], &report);
    return ret < 0 ? ret : 0;
}

/* Does an output hold no more than it can? */
static bool is_sound(const struct xinv_out *out)
{
    return !out->words || (out->n_words <= out->cap_words && out->n_steps <= out->cap_steps);
}

bool xinv_job_send_listed(struct xinv_job *job, uint32_t iommu, const struct xinv_prepared *list,
                          uint64_t first, uint64_t last)
{
    const struct xinv_completion *done = job->completions ? &job->completions[iommu] : NULL;
    struct xinv_report report;

    /* a change that needs no command is planned to find out what is wrong with the output */
    if (!job->counting)
        return list->n ? xinv_prepared_write(list, first, last, done, &job->outs[iommu], NULL) > 0
                       : is_sound(&job->outs[iommu]);
    if (xinv_prepared_count(list, first, last, done, &report))
        return false;
    xinv_job_tally(job, iommu, &report);
    return true;
}

static int fits(const struct xinv_job *job)
{
    const struct xinv_session *s = job->s;

    for (uint32_t i = 0; job->outs && i < s->config.n_iommus; i++) {
        const struct xinv_out *out = &job->outs[i];

        if (!out->words || !s->needs[i].steps)
            continue;
        if (out->n_words > out->cap_words || out->n_steps > out->cap_steps ||
            s->needs[i].words > out->cap_words - out->n_words ||
            s->needs[i].steps > out->cap_steps - out->n_steps)
            return -XINV_E_NOSPACE;
    }
    return 0;
}

/* While a batch is open, all that it holds and all that it sends has one token. */
static uint64_t take_token(struct xinv_job *job)
{
    struct xinv_session *s = job->s;

    if (!s->batch.open)
        s->token++;
    if (job->batched)
        xinv_batch_open(job);
    return s->token;
}

int xinv_job_run(struct xinv_job *job, int (*pass)(struct xinv_job *))
{
    struct xinv_session *s = job->s;
    int ret;

    if (job->batched && !xinv_batch_admits(job))
        return -XINV_E_AGAIN;

    if (s->config.prepared_lists)
        s->calls++;
    job->counting = true;
    ret = pass(job);
    if (!ret)
        ret = fits(job);
    if (!ret && job->outs) {
        job->counting = false;
        ret = pass(job);
    }
    memset(s->scratch, 0, sizeof(*s->scratch) * job->scratch_used);
    memset(s->needs, 0, sizeof(*s->needs) * s->config.n_iommus);
    if (ret)
        job->outcome->iommus = 0;
    else if (job->outcome->iommus)
        job->outcome->token = take_token(job);
    return ret;
}

int xinv_job_fail(const struct xinv_job *job, int error)
{
    job->outcome->status = XINV_VIRTIO_DEVERR;
    job->outcome->error = error;
    return error;
}
