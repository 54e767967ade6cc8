// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/* What a batch holds as commands of the session's prepared lists: phase by phase for all ranges, as
 * core/translate.c sends what is planned. */
#include "core/iommu.h"
#include "core/prepared.h"
#include "core/session_job.h"

/* The ranges that wait for an IOMMU, one after the other, each with its list. */
struct ranges {
    struct xinv_job *job;
    uint32_t iommu;
    uint32_t domain; /* at work; XINV_NIL: past the last */
    bool single;     /* that domain alone */
    bool begun;      /* with its ranges */
    struct xinv_pending_walk walk;
    struct xinv_pending_range range;
    const struct xinv_prepared *list; /* NULL: none says this range */
};

static struct ranges ranges_of(struct xinv_job *job, uint32_t iommu, uint32_t only)
{
    return (struct ranges){.job = job,
                           .iommu = iommu,
                           .domain = only == XINV_NIL ? job->s->batch.domains : only,
                           .single = only != XINV_NIL};
}

static bool alike(const struct xinv_pending_range *a, const struct xinv_pending_range *b)
{
    return a->from == b->from && a->log2_leaf == b->log2_leaf && a->flags == b->flags;
}

/* The next range of the domain at work. */
static bool next_of_domain(struct ranges *r)
{
    const struct xinv_session *s = r->job->s;
    const struct xinv_domain *d = &s->domains[r->domain];
    const struct xinv_pending_range before = r->range;

    if (!(d->pending_iommus >> r->iommu & 1))
        return false;
    if (!r->begun)
        xinv_pending_begin(&r->walk, &s->maps, &d->pending, &d->gaps);
    if (!xinv_pending_next(&r->walk, &r->range))
        return false;
    if (!r->begun || !alike(&before, &r->range))
        r->list = xinv_job_list(r->job, r->domain, r->iommu, &r->range, d->blocks);
    r->begun = true;
    return true;
}

static bool next_range(struct ranges *r)
{
    while (r->domain != XINV_NIL) {
        if (next_of_domain(r))
            return true;
        r->domain = r->single ? XINV_NIL : r->job->s->domains[r->domain].next_pending;
        r->begun = false;
    }
    return false;
}

/* Has the batch entries of endpoints for an IOMMU? */
static bool has_entries(const struct xinv_session *s, uint32_t iommu)
{
    for (uint32_t e = s->batch.endpoints; e != XINV_NIL; e = s->endpoints[e].entry.next)
        if (s->endpoints[e].e.iommu == iommu)
            return true;
    return false;
}

/* Syncs between the phases of a list; false: some phase waits for software to see the one before.
 */
static bool count_fences(const struct xinv_vendor *v, unsigned phases, uint32_t *fences)
{
    *fences = 0;
    while (phases & (phases - 1)) {
        unsigned phase = (unsigned)__builtin_ctz(phases);

        phases &= phases - 1;
        if (v->order[phase][__builtin_ctz(phases)] == XINV_ORDER_WAIT)
            return false;
        *fences += v->order[phase][__builtin_ctz(phases)] == XINV_ORDER_FENCE;
    }
    return true;
}

static void add_part(struct xinv_report *sum, const struct ranges *r,
                     const struct xinv_prepared_part *part)
{
    const struct xinv_report *report = &r->list->report;

    sum->widened |= report->widened;
    sum->must_beyond |= report->must_beyond;
    sum->may_beyond |= report->may_beyond;
    sum->extra_unbounded |= report->extra_unbounded;
    sum->rows |= report->rows;
    sum->asked_pages += r->range.pages; /* those of closed gaps were not asked for */
    sum->extra_pages += part->pages - r->range.pages;
}

bool xinv_batch_count_listed(struct xinv_job *job, uint32_t iommu, uint32_t domain,
                             const struct xinv_completion *completion, struct xinv_report *report,
                             uint8_t *phases)
{
    static const struct xinv_completion nothing = {0};
    const struct xinv_iommu *u = job->s->iommus[iommu];
    struct ranges r = ranges_of(job, iommu, domain);
    struct xinv_report sum = {0};
    uint64_t commands = 0;
    bool sync;

    completion = completion ? completion : &nothing;
    *phases = 0;
    while (next_range(&r)) {
        struct xinv_prepared_part part;

        if (!r.list || !xinv_prepared_part(r.list, r.range.first, r.range.last, &part))
            return false;
        *phases |= r.list->phases;
        commands += part.commands;
        add_part(&sum, &r, &part);
    }
    /* beyond the IOMMU's longest batch there are more syncs; positions have 32 bits */
    if (commands > (u->max_batch ? u->max_batch : UINT32_MAX / 64) ||
        !count_fences(u->vendor, *phases, &sum.syncs) || xinv_emit_check(u, completion))
        return false;
    sync = commands && (u->vendor->final_sync || xinv_emit_asked(completion));
    sum.syncs += sync;
    sum.commands = (uint32_t)commands + sum.syncs;
    sum.need_words = sum.commands * u->words;
    sum.need_steps = (commands > 0) + (uint32_t)sync;
    *report = sum;
    return true;
}

static uint32_t put_words(const struct xinv_out *out, uint32_t at, const uint64_t *words,
                          unsigned n)
{
    const uint32_t mask = out->ring_words - 1; /* of a plain buffer: every bit */

    for (unsigned i = 0; i < n; i++)
        out->words[at++ & mask] = xinv_to_le64(words[i]);
    return at;
}

/* What was counted for an IOMMU; false: its output does not take whole commands. */
static bool write_listed(struct xinv_job *job, uint32_t iommu, unsigned phases)
{
    const struct xinv_iommu *u = job->s->iommus[iommu];
    const struct xinv_completion nothing = {0};
    const struct xinv_completion *done = job->completions ? &job->completions[iommu] : &nothing;
    const bool sync = u->vendor->final_sync || xinv_emit_asked(done);
    struct xinv_out *out = &job->outs[iommu];
    uint64_t words[XINV_COMMAND_WORDS];
    uint32_t at = out->head + out->n_words;
    const uint32_t from = at;

    if (!out->words || (out->ring_words && (at & (u->words - 1u))))
        return false;
    while (phases) {
        const unsigned phase = (unsigned)__builtin_ctz(phases);
        struct ranges r = ranges_of(job, iommu, XINV_NIL);

        while (next_range(&r))
            at = xinv_prepared_put(r.list, phase, r.range.first, r.range.last, out, at);
        phases &= phases - 1;
        if (phases && u->vendor->order[phase][__builtin_ctz(phases)] == XINV_ORDER_FENCE) {
            u->vendor->backend->fence(u, words);
            at = put_words(out, at, words, u->words);
        }
    }
    if (sync && !u->vendor->backend->complete(u, done, words))
        at = put_words(out, at, words, u->words);
    xinv_out_steps(out, at - from, sync);
    xinv_out_advance(out, at - from, sync);
    return true;
}

bool xinv_batch_send_listed(struct xinv_job *job, uint32_t iommu)
{
    const struct xinv_completion *done = job->completions ? &job->completions[iommu] : NULL;
    struct xinv_session_need *need = &job->s->needs[iommu];
    struct xinv_report report;

    if (!job->s->config.prepared_lists || has_entries(job->s, iommu))
        return false;
    if (!job->counting)
        return need->phases && write_listed(job, iommu, need->phases);
    if (!xinv_batch_count_listed(job, iommu, XINV_NIL, done, &report, &need->phases)) {
        need->phases = 0;
        return false;
    }
    xinv_job_tally(job, iommu, &report);
    return true;
}
