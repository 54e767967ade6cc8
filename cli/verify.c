// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
#include "cli/verify.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cli/verdict.h"

#define MOST_USES 1024 /* of one domain on one IOMMU */

/* Who used a domain on an IOMMU when it was last looked at. */
struct uses {
    uint32_t domain;
    uint32_t iommu;
    struct xinv_attachment *at;
    size_t n;
};

struct mapping {
    uint32_t domain;
    uint64_t first;
    uint64_t last;
};

struct watch {
    const struct verify_job *job;
    struct verify_result *result;
    struct verdict verdict;
    struct uses *uses;
    size_t n_uses;
    struct mapping *mappings;
    size_t n_mappings;
    size_t room;
    const struct replay_event *event;
    struct xinv_attachment left[256]; /* uses that ended with this list */
    size_t n_left;
    bool open;
};

static struct uses *find_uses(struct watch *w, uint32_t domain, uint32_t iommu)
{
    for (size_t i = 0; i < w->n_uses; i++)
        if (w->uses[i].domain == domain && w->uses[i].iommu == iommu)
            return &w->uses[i];
    w->uses = cli_grow(w->uses, w->n_uses + 1, sizeof(*w->uses));
    w->uses[w->n_uses] = (struct uses){.domain = domain, .iommu = iommu};
    return &w->uses[w->n_uses++];
}

/* ---- Judging -----------------------------------------------------------------------------------
 */

/* `report`: of the whole list, where it is about this change alone; or NULL */
static void judge(struct watch *w, const struct xinv_attachment *at, size_t n,
                  const struct xinv_request *request, const struct xinv_report *report)
{
    struct verify_result *r = w->result;
    const struct model_result *m = &w->verdict.result;
    bool stale;

    if (!n)
        return;
    verdict_judge(&w->verdict, at, n, request, report);
    stale = m->finding == MODEL_SURVIVOR || m->finding == MODEL_ILLEGAL;
    r->judged++;
    r->entries += m->stale;
    r->reports += report != NULL;
    if (verdict_is_clean(&w->verdict))
        return;
    if (!r->stale && !r->untold) {
        r->line = w->event->request->line;
        r->why = stale                          ? m->why
                 : m->finding == MODEL_MISCOUNT ? "the report has another number of pages"
                                                : "it is lost, and the report does not say so";
        model_entry_text(&w->verdict.config, &m->entry, r->entry, sizeof(r->entry));
    }
    r->stale += stale;
    r->untold += !stale;
}

/* The largest page that the guest's mapping can have become: what is aligned, and fits. */
static uint8_t largest_leaf(const struct mapping *m)
{
    static const uint8_t sizes[] = {30, 21};

    for (unsigned i = 0; i < sizeof(sizes); i++) {
        uint64_t size = UINT64_C(1) << sizes[i];
        uint64_t base = (m->first + size - 1) & ~(size - 1);

        if (base >= m->first && base <= m->last && m->last - base >= size - 1)
            return sizes[i];
    }
    return 0;
}

/* A mapping that came or went, or (whole) all that the request is about, for all who use its
 * domain.
 */
static void judge_mapping(struct watch *w, const struct mapping *m, uint8_t from, bool whole)
{
    struct xinv_request request = {.from = from,
                                   .flags = XINV_REQ_RANGE | XINV_REQ_LEAVES_WITHIN,
                                   .log2_leaf_size = largest_leaf(m),
                                   .first = m->first,
                                   .last = m->last};

    for (uint32_t k = 0; k < w->job->topology->config.n_iommus; k++) {
        const struct uses *uses = find_uses(w, m->domain, k);
        /* of several requests in one list the report tells together, and of none alone */
        const struct xinv_report *report = whole && w->event->n == 1 ? &w->event->reports[k] : NULL;

        model_run_reset(&w->verdict.run);
        model_run_out(&w->verdict.run, &w->event->outs[k]);
        for (unsigned stage = XINV_STAGE_STAGE1; stage <= XINV_STAGE_STAGE2; stage++) {
            struct xinv_attachment at[MOST_USES];
            size_t n = 0;

            request.change =
                stage == XINV_STAGE_STAGE1 ? XINV_CHANGE_STAGE1_PTE : XINV_CHANGE_STAGE2_PTE;
            for (size_t i = 0; i < uses->n; i++)
                if (uses->at[i].stage == stage)
                    at[n++] = uses->at[i];
            judge(w, at, n, &request, n == uses->n ? report : NULL);
        }
    }
}

static bool same_use(const struct xinv_attachment *a, const struct xinv_attachment *b)
{
    return a->rid == b->rid && a->stage == b->stage && a->known == b->known &&
           a->pasid == b->pasid && a->asid == b->asid && a->did == b->did && a->vmid == b->vmid;
}

static bool among(const struct xinv_attachment *at, const struct xinv_attachment *in, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (same_use(at, &in[i]))
            return true;
    return false;
}

/* An endpoint that has gone from a domain, or come to it: what its device entry, or where there are
 * PASID entries its PASID entry, was before. */
static void judge_use(struct watch *w, const struct xinv_attachment *at, uint8_t from, bool last)
{
    struct xinv_request request = {.from = from, .change = XINV_CHANGE_DEVICE_ENTRY};

    if (w->verdict.config.vendor == MODEL_VTD && w->verdict.config.scalable)
        request.change = XINV_CHANGE_PASID_ENTRY;
    judge(w, at, 1, &request, NULL);
    request.change = XINV_CHANGE_TAG_RELEASE;
    /* a session's domains have no PASIDs: nothing else was made under the tag */
    request.flags = XINV_REQ_PASID;
    request.pasid = at->known & XINV_TAG_BIT(XINV_TAG_PASID) ? at->pasid : 0;
    /* what passes untranslated has a tag that everybody shares, and keeps */
    if (last && at->stage != XINV_STAGE_PASSTHROUGH)
        judge(w, at, 1, &request, NULL);
}

static void leave(struct watch *w, const struct xinv_attachment *at, bool last)
{
    judge_use(w, at, XINV_FROM_PRESENT, last);
    if (w->n_left < sizeof(w->left) / sizeof(w->left[0]))
        w->left[w->n_left++] = *at;
}

/* An endpoint that came from another domain: its entry was present all the time. */
static bool moved(const struct watch *w, const struct xinv_attachment *at)
{
    for (size_t i = 0; i < w->n_left; i++)
        if (w->left[i].rid == at->rid && w->left[i].pasid == at->pasid)
            return true;
    return false;
}

/* ---- Keeping up --------------------------------------------------------------------------------
 */

/*
 * Looks again at who uses a domain on an IOMMU, and judges the difference: who has left it, or else
 * who has come.
 */
static void look(struct watch *w, struct uses *uses, bool leaving)
{
    static struct xinv_attachment now[MOST_USES];
    int n = xinv_session_attachments(w->event->session, uses->domain, uses->iommu, now, MOST_USES);
    size_t n_now = n > 0 ? (size_t)n : 0;

    model_run_reset(&w->verdict.run);
    model_run_out(&w->verdict.run, &w->event->outs[uses->iommu]);
    if (leaving) {
        for (size_t i = 0; i < uses->n; i++)
            if (!among(&uses->at[i], now, n_now))
                leave(w, &uses->at[i], !n_now);
        return;
    }
    for (size_t i = 0; i < n_now; i++)
        if (!among(&now[i], uses->at, uses->n) && !moved(w, &now[i]))
            judge_use(w, &now[i], XINV_FROM_NOT_PRESENT, false);
    uses->at = cli_grow(uses->at, n_now + 1, sizeof(*uses->at));
    memcpy(uses->at, now, n_now * sizeof(*now));
    uses->n = n_now;
}

/* Looks at all domains, at those first that some endpoint has left. */
static void look_everywhere(struct watch *w)
{
    for (unsigned pass = 0; pass < 2; pass++)
        for (size_t i = 0; i < w->n_uses; i++)
            look(w, &w->uses[i], pass == 0);
}

static void map(struct watch *w, const struct xinv_outcome *o)
{
    struct mapping m = {o->domain, o->first, o->last};

    if (w->n_mappings == w->room) {
        w->room = w->room ? 2 * w->room : 256;
        w->mappings = cli_grow(w->mappings, w->room, sizeof(*w->mappings));
    }
    w->mappings[w->n_mappings++] = m;
    judge_mapping(w, &m, XINV_FROM_NOT_PRESENT, true);
}

static bool goes(const struct mapping *m, const struct xinv_outcome *o)
{
    return m->domain == o->domain && m->first >= o->first && m->last <= o->last;
}

/* Mappings that touch go as one run, of which the report tells; each for itself may have had leaves
 * of other sizes. */
static void unmap(struct watch *w, const struct xinv_outcome *o)
{
    struct mapping run = {o->domain, UINT64_MAX, 0};
    uint64_t bytes = 0;
    size_t gone = 0;
    size_t kept = 0;

    for (size_t i = 0; i < w->n_mappings; i++) {
        const struct mapping *m = &w->mappings[i];

        if (!goes(m, o))
            continue;
        run.first = m->first < run.first ? m->first : run.first;
        run.last = m->last > run.last ? m->last : run.last;
        bytes += m->last - m->first + 1;
        gone++;
    }
    if (gone && run.last - run.first + 1 == bytes)
        judge_mapping(w, &run, XINV_FROM_PRESENT, true);
    for (size_t i = 0; i < w->n_mappings; i++) {
        struct mapping m = w->mappings[i];

        if (!goes(&m, o))
            w->mappings[kept++] = m;
        else if (gone > 1)
            judge_mapping(w, &m, XINV_FROM_PRESENT, false);
    }
    w->n_mappings = kept;
}

/* A domain that nobody uses any more has lost its mappings. */
static void forget(struct watch *w)
{
    size_t kept = 0;

    for (size_t i = 0; i < w->n_mappings; i++)
        if (xinv_session_mappings(w->event->session, w->mappings[i].domain) >= 0)
            w->mappings[kept++] = w->mappings[i];
    w->n_mappings = kept;
}

static int each(void *context, const struct xinv_iommu *iommu, const struct replay_event *event)
{
    struct watch *w = context;
    const struct xinv_outcome *o = event->outcome;

    if (!w->open && verdict_open(&w->verdict, iommu))
        return CLI_INPUT;
    w->open = true;
    w->event = event;
    if (event->k == 0)
        w->n_left = 0;
    if (o->status != XINV_VIRTIO_OK)
        return CLI_OK;
    if (o->type == XINV_VIRTIO_ATTACH || o->type == XINV_VIRTIO_DETACH) {
        /* all that the list moved: the session is as it is after the last of its requests */
        for (uint32_t k = 0; k < w->job->topology->config.n_iommus; k++)
            (void)find_uses(w, o->domain, k);
        look_everywhere(w);
        forget(w);
    }
    if (o->type == XINV_VIRTIO_MAP)
        map(w, o);
    if (o->type == XINV_VIRTIO_UNMAP)
        unmap(w, o);
    return CLI_OK;
}

int verify_run(const struct verify_job *job, const struct xinv_platform *platform,
               struct verify_result *result)
{
    struct watch w = {.job = job, .result = result};
    struct replay_job replay = {.capture = job->capture,
                                .topology = job->topology,
                                .platform = platform,
                                .policy = job->policy,
                                .batch = job->batch,
                                .each = each,
                                .context = &w};
    struct replay_result counts;
    int status;

    *result = (struct verify_result){.why = ""};
    status = replay_run(&replay, &counts);
    if (!status) {
        result->requests = counts.n_requests;
        snprintf(result->refused, sizeof(result->refused), "%s", counts.refused);
    }
    replay_result_free(&counts);
    for (size_t i = 0; i < w.n_uses; i++)
        free(w.uses[i].at);
    free(w.uses);
    free(w.mappings);
    if (w.open)
        verdict_close(&w.verdict);
    return status;
}

void verify_print(const struct xinv_platform *platform, const struct verify_result *r)
{
    printf("%-28s", platform->name);
    if (*r->refused) {
        printf("%s\n", r->refused);
        return;
    }
    printf("%" PRIu64 " request%s, %" PRIu64 " change%s, %" PRIu64 " stale entr%s: ", r->requests,
           cli_s(r->requests), r->judged, cli_s(r->judged), r->entries,
           r->entries == 1 ? "y" : "ies");
    if (r->stale)
        printf("after %" PRIu64 " change%s something survives", r->stale, cli_s(r->stale));
    else
        printf("none survives");
    if (r->untold)
        printf("; %" PRIu64 " of %" PRIu64 " report%s wrong\n", r->untold, r->reports,
               r->reports == 1 ? " is" : "s are");
    else
        printf("; %" PRIu64 " report%s hold%s\n", r->reports, cli_s(r->reports),
               r->reports == 1 ? "s" : "");
    if (!r->stale && !r->untold)
        return;
    printf("    line %u: %s: %s\n", r->line, r->entry, r->why);
}

cJSON *verify_json(const struct xinv_platform *platform, const struct verify_result *r)
{
    cJSON *item = json_object();

    json_add_text(item, "platform", platform->name);
    if (*r->refused) {
        json_add_text(item, "refused", r->refused);
        return item;
    }
    json_add_bool(item, "clean", !r->stale && !r->untold);
    json_add_count(item, "requests", r->requests);
    json_add_count(item, "changes", r->judged);
    json_add_count(item, "stale", r->entries);
    json_add_count(item, "surviving", r->stale);
    json_add_count(item, "reports", r->reports);
    json_add_count(item, "wrong_reports", r->untold);
    if (r->stale || r->untold) {
        cJSON *first = json_add_object(item, "first");

        json_add_count(first, "line", r->line);
        json_add_text(first, "entry", r->entry);
        json_add_text(first, "because", r->why);
    }
    return item;
}
