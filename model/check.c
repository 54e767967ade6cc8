// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/* The property: nothing stale survives, and what else is lost is in the report. */
#include <stdlib.h>
#include <string.h>

#include "model/rules.h"

void model_bench_free(struct model_bench *bench)
{
    model_entries_free(&bench->stale);
    model_entries_free(&bench->neighbours);
    free(bench->verdicts);
    memset(bench, 0, sizeof(*bench));
}

/* ---- Nothing stale survives ------------------------------------------------------------------
 */

/* Of the reasons why each command missed the entry, the one of the command that came closest: the
 * last that is about its cache. */
static const char *reason(const struct model_run *run, const struct model_entry *e,
                          enum model_fate fate)
{
    if (fate == MODEL_PENDING)
        return "a command removes it, but nothing tells when that is done";
    if (fate == MODEL_REFILLED)
        return "it is removed too early, and comes back";
    for (size_t i = run->n; i-- > 0;) {
        const char *miss = model_miss(&run->config, &run->commands[i], e);

        if (!run->commands[i].sync && miss && strncmp(miss, "the ", 4))
            return miss;
    }
    return "no command is about it";
}

static void survivors(struct model_bench *bench, const struct model_run *run,
                      struct model_result *result)
{
    struct model_entries *stale = &bench->stale;
    bool any = false;

    if (bench->room < stale->n) {
        bench->room = stale->n + stale->n / 2;
        bench->verdicts = realloc(bench->verdicts, bench->room * sizeof(*bench->verdicts));
        if (!bench->verdicts)
            abort();
    }
    if (model_judge(run, stale->at, stale->n, bench->verdicts) < 0)
        abort();
    result->stale = stale->n;
    for (size_t i = 0; i < stale->n; i++) {
        size_t root = i;

        if (bench->verdicts[i].fate == MODEL_GONE)
            continue;
        result->survivors++;
        if (any)
            continue;
        any = true;
        while (bench->verdicts[root].fate == MODEL_REFILLED)
            root = bench->verdicts[root].by;
        result->finding = MODEL_SURVIVOR;
        result->entry = stale->at[i];
        result->root = stale->at[root];
        result->verdict = bench->verdicts[i];
        result->why = reason(run, &stale->at[i], bench->verdicts[i].fate);
    }
}

/* ---- What else is lost is in the report --------------------------------------------------------
 */

static uint8_t tags_of(uint16_t differs)
{
    static const struct {
        uint16_t bit;
        uint8_t tag;
    } map[] = {
        {MODEL_WILD_RID, XINV_TAG_RID},   {MODEL_WILD_PASID, XINV_TAG_PASID},
        {MODEL_WILD_ASID, XINV_TAG_ASID}, {MODEL_WILD_DID, XINV_TAG_DID},
        {MODEL_WILD_VMID, XINV_TAG_VMID},
    };
    unsigned tags = 0;

    for (unsigned i = 0; i < sizeof(map) / sizeof(map[0]); i++)
        if (differs & map[i].bit)
            tags |= XINV_TAG_BIT(map[i].tag);
    return (uint8_t)tags;
}

/* Whether the report says that such an entry can be lost. A hint that hardware need not act on
 * (IH) is not something to report. */
static bool reported(const struct xinv_report *report, const struct model_entry *e, bool must)
{
    uint8_t beyond = must ? report->must_beyond : report->must_beyond | report->may_beyond;

    if (beyond >> e->cache & 1)
        return true;
    if (e->differs & (MODEL_WILD_ADDRESS | MODEL_WILD_IPA))
        return report->extra_unbounded || report->extra_pages;
    if (tags_of(e->differs))
        return report->widened & tags_of(e->differs);
    return !must && e->differs == MODEL_OTHER_KIND;
}

static void losses(struct model_bench *bench, const struct model_run *run,
                   const struct xinv_report *report, struct model_result *result)
{
    const struct model_entries *near = &bench->neighbours;

    result->neighbours = near->n;
    for (size_t i = 0; i < near->n; i++) {
        bool must = false;
        bool may = false;

        for (size_t k = 0; k < run->n && !must; k++) {
            must = !run->commands[k].sync &&
                   !model_miss(&run->config, &run->commands[k], &near->at[i]);
            may = may || model_may(&run->config, &run->commands[k], &near->at[i]);
        }
        if ((!must && !may) || reported(report, &near->at[i], must))
            continue;
        if (!result->silent++ && !result->finding) {
            result->finding = MODEL_SILENT;
            result->must = must;
            result->entry = near->at[i];
        }
    }
}

/* ---- The number of pages -----------------------------------------------------------------------
 */

struct span {
    uint64_t first;
    uint64_t last;
};

static int by_first(const void *a, const void *b)
{
    const struct span *x = a;
    const struct span *y = b;

    return x->first < y->first ? -1 : x->first > y->first;
}

/* Pages outside the range, in entries like `like`, that commands with a range remove. */
static uint64_t extra_pages(const struct model_run *run, const struct model_entry *like,
                            const struct xinv_request *request)
{
    struct span *spans = calloc(run->n + 1, sizeof(*spans));
    struct model_entry e = *like;
    uint64_t pages = 0;
    uint64_t next = 0; /* everything below has been counted */
    size_t n = 0;

    if (!spans)
        abort();
    for (size_t i = 0; i < run->n; i++) {
        const struct model_command *c = &run->commands[i];

        e.address = e.ipa = c->first;
        if (c->ranged && !c->sync && !model_miss(&run->config, c, &e))
            spans[n++] = (struct span){c->first >> 12, c->last >> 12};
    }
    qsort(spans, n, sizeof(*spans), by_first);
    for (size_t i = 0; i < n; i++) {
        uint64_t first = spans[i].first > next ? spans[i].first : next;
        uint64_t in_first = request->first >> 12 > first ? request->first >> 12 : first;
        uint64_t in_last =
            request->last >> 12 < spans[i].last ? request->last >> 12 : spans[i].last;

        if (first > spans[i].last)
            continue;
        pages += spans[i].last - first + 1;
        if (in_first <= in_last)
            pages -= in_last - in_first + 1;
        next = spans[i].last + 1;
    }
    free(spans);
    return pages;
}

/* A leaf that is larger than any that the range can hold whole: whether the rest of it counts as
 * asked for is a question of words. */
static bool leaf_reaches_beyond(const struct xinv_request *request)
{
    uint64_t low = model_last(0, request->log2_smallest_leaf);

    return request->log2_smallest_leaf > 12 && (request->first & low || ~request->last & low);
}

/* "In the cache where they are most": of the entries that differ in nothing but their place. */
static void count(struct model_bench *bench, const struct model_run *run,
                  const struct xinv_request *request, const struct xinv_report *report,
                  struct model_result *result)
{
    uint64_t most = 0;
    unsigned seen = 0;

    if (!(request->flags & XINV_REQ_RANGE) || report->extra_unbounded || result->finding ||
        leaf_reaches_beyond(request))
        return;
    for (size_t i = 0; i < bench->stale.n; i++) {
        const struct model_entry *e = &bench->stale.at[i];
        uint64_t pages;

        if (seen >> e->cache & 1 || e->kind != MODEL_LEAF || e->absent ||
            e->wild & (MODEL_WILD_ADDRESS | MODEL_WILD_IPA) ||
            (!model_is_tlb(e) && e->cache != XINV_CACHE_DEVICE_TLB))
            continue;
        seen |= 1u << e->cache;
        pages = extra_pages(run, e, request);
        most = pages > most ? pages : most;
    }
    if (!seen || most == report->extra_pages)
        return;
    result->finding = MODEL_MISCOUNT;
    result->pages = most;
}

void model_check(struct model_bench *bench, const struct model_run *run,
                 const struct xinv_attachment *attachments, size_t n,
                 const struct xinv_request *request, const struct xinv_report *report,
                 unsigned most, struct model_result *result)
{
    memset(result, 0, sizeof(*result));
    model_stale(&run->config, attachments, n, request, most, &bench->stale);
    survivors(bench, run, result);
    if (run->illegal) {
        result->finding = MODEL_ILLEGAL;
        result->why = run->illegal;
        result->at = run->illegal_at;
    }
    if (!report)
        return;
    model_neighbours(&run->config, attachments, n, request, &bench->stale, &bench->neighbours);
    losses(bench, run, report, result);
    count(bench, run, request, report, result);
}
