// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
#include "cli/replay.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

const char *const replay_kind_names[REPLAY_KINDS] = {"OTHER", "ATTACH", "DETACH",
                                                     "MAP",   "UNMAP",  "PROBE"};
const char *const replay_status_names[] = {"OK",    "IOERR", "UNSUPP", "DEVERR", "INVAL",
                                           "RANGE", "NOENT", "FAULT",  "NOMEM",  NULL};

/* Where completions are stored, 8 bytes for each IOMMU: any address does, since nothing is
 * executed.
 */
#define COMPLETION_ADDRESS UINT64_C(0x1000)

/* A request whose commands are in the list that is made. */
struct held {
    size_t index;
    struct xinv_outcome outcome;
};

struct run {
    const struct replay_job *job;
    struct replay_result *result;
    struct xinv_iommu iommu;
    struct xinv_ladders ladders;
    struct xinv_session *session;
    void *memory;
    uint32_t n_iommus;
    struct xinv_out *outs;
    struct xinv_report *reports;
    struct xinv_completion *completions;
    bool stores; /* the last sync can store */
    uint8_t *response;
    size_t cap_response;
    /* the list in the making */
    struct held *held;
    size_t n_held;
    size_t cap_held;
    size_t list;
    size_t kick;
    bool unmaps;
};

/* ---- Set-up ------------------------------------------------------------------------------------
 */

static uint32_t load32(const uint8_t *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

/* The endpoint that an ATTACH, a DETACH or a PROBE names. */
static bool endpoint_of(const uint8_t *bytes, size_t n, uint32_t *id)
{
    if (n >= 12 && (bytes[0] == XINV_VIRTIO_ATTACH || bytes[0] == XINV_VIRTIO_DETACH))
        *id = load32(bytes + 8);
    else if (n >= 8 && bytes[0] == XINV_VIRTIO_PROBE)
        *id = load32(bytes + 4);
    else
        return false;
    return true;
}

static void refuse(struct run *run, uint32_t id, const char *why)
{
    snprintf(run->result->refused, sizeof(run->result->refused), "endpoint 0x%x: %s", id, why);
}

static void add_endpoint(struct run *run, uint32_t id, const struct topology_endpoint *from)
{
    const struct topology *t = run->job->topology;
    struct xinv_endpoint e = from->e;
    int ret;

    if (from == &t->defaults) {
        e.id = id;
        e.rid = id;
        if (!t->stage_given && !(run->iommu.untagged & XINV_STAGE_BIT(e.stage)))
            e.stage = XINV_STAGE_STAGE1;
    }
    if (from->pci_vendor != 0xffff)
        e.quirks = xinv_endpoint_quirks(&run->iommu, from->pci_vendor, from->pci_device);
    ret = xinv_session_add_endpoint(run->session, &e);
    if (ret == -XINV_E_UNSUPP && !(run->iommu.untagged & XINV_STAGE_BIT(e.stage)))
        refuse(run, id, e.stage == XINV_STAGE_STAGE1 ? "no stage 1 here" : "no stage 2 here");
    else if (ret == -XINV_E_UNSUPP)
        refuse(run, id, "a change of its entry or its table cannot be said here");
    else if (ret && ret != -XINV_E_EXIST)
        refuse(run, id, xinv_strerror(ret));
}

/* Endpoints that the topology lists, then those that the capture names besides. */
static void add_endpoints(struct run *run)
{
    const struct topology *t = run->job->topology;
    const struct capture *c = run->job->capture;

    for (size_t i = 0; i < t->n && !*run->result->refused; i++)
        add_endpoint(run, t->endpoints[i].e.id, &t->endpoints[i]);
    for (size_t i = 0; i < c->n && !t->listed_only && !*run->result->refused; i++) {
        const struct topology_endpoint *from;
        uint32_t domain;
        uint32_t id;

        if (!endpoint_of(capture_request(c, i), c->requests[i].n_request, &id) ||
            xinv_session_attached(run->session, id, &domain) >= 0)
            continue;
        from = topology_find(t, id);
        if (from)
            add_endpoint(run, id, from);
    }
}

/* Room for everything that the capture can make. */
static void size_session(const struct replay_job *job, struct xinv_session_config *config)
{
    const struct capture *c = job->capture;
    uint32_t attaches = 1;
    uint32_t maps = 1;
    uint32_t named = 0;

    for (size_t i = 0; i < c->n; i++) {
        uint8_t type = *capture_request(c, i);

        attaches += type == XINV_VIRTIO_ATTACH;
        maps += type == XINV_VIRTIO_MAP;
        named +=
            type == XINV_VIRTIO_ATTACH || type == XINV_VIRTIO_DETACH || type == XINV_VIRTIO_PROBE;
    }
    *config = job->topology->config;
    config->max_endpoints = (uint32_t)job->topology->n + named + 1;
    config->max_domains = attaches;
    config->max_mappings = maps;
    config->prepared_lists = 64;
}

static void ask_completion(struct run *run)
{
    struct xinv_completion store = {.store = 1, .address = COMPLETION_ADDRESS};
    struct xinv_out none = {0};

    run->stores = xinv_sync(&run->iommu, &store, &none) > 0;
    for (uint32_t i = 0; i < run->n_iommus; i++) {
        run->completions[i] = (struct xinv_completion){0};
        if (run->stores)
            run->completions[i] = store;
        store.address += 8;
    }
}

static int set_up(struct run *run)
{
    const struct xinv_iommu *iommus[TOPOLOGY_MAX_IOMMUS];
    struct xinv_session_config config;
    size_t size;
    int ret = xinv_iommu_init(&run->iommu, run->job->platform, NULL, NULL, 0);

    if (ret == -XINV_E_NOFORM || (!ret && run->iommu.target)) {
        snprintf(
            run->result->refused, sizeof(run->result->refused), "%s",
            ret ? xinv_strerror(ret)
                : "a guest's MAP and UNMAP are the kernel's own there: it takes no commands for them");
        return CLI_OK;
    }
    if (ret)
        return cli_fail(CLI_INPUT, "%s: %s", run->job->platform->name, xinv_strerror(ret));
    xinv_iommu_prepare(&run->iommu, &run->ladders);
    size_session(run->job, &config);
    run->n_iommus = config.n_iommus;
    for (uint32_t i = 0; i < run->n_iommus; i++)
        iommus[i] = &run->iommu;
    size = xinv_session_size(&config);
    run->memory = cli_alloc(size, 1);
    ret = xinv_session_init(run->memory, size, &config, iommus, &run->session);
    if (ret)
        return cli_fail(CLI_INPUT, "%s: session: %s", run->job->topology->name, xinv_strerror(ret));
    run->outs = cli_alloc(run->n_iommus, sizeof(*run->outs));
    run->reports = cli_alloc(run->n_iommus, sizeof(*run->reports));
    run->completions = cli_alloc(run->n_iommus, sizeof(*run->completions));
    ask_completion(run);
    add_endpoints(run);
    return CLI_OK;
}

static void tear_down(struct run *run)
{
    for (uint32_t i = 0; run->outs && i < run->n_iommus; i++) {
        free(run->outs[i].words);
        free(run->outs[i].steps);
    }
    free(run->outs);
    free(run->reports);
    free(run->completions);
    free(run->response);
    free(run->held);
    free(run->memory);
}

/* ---- Lists -------------------------------------------------------------------------------
 */

static void count_name(struct replay_names *names, const char *name)
{
    for (size_t i = 0; i < names->n; i++)
        if (!strcmp(names->at[i].name, name)) {
            names->at[i].count++;
            return;
        }
    names->at = cli_grow(names->at, names->n + 1, sizeof(*names->at));
    names->at[names->n++] = (struct replay_name){name, 1};
}

static int count_commands(struct run *run, const struct xinv_out *out)
{
    for (uint32_t i = 0; i < out->n_words; i += run->iommu.words) {
        struct xinv_decoded decoded;
        int ret = xinv_decode(&run->iommu, out->words + i, &decoded);

        if (ret)
            return cli_fail(CLI_INPUT, "%s: a command that came out does not decode: %s",
                            run->job->platform->name, xinv_strerror(ret));
        count_name(&run->result->names, decoded.name);
        if (run->unmaps)
            count_name(&run->result->unmap_names, decoded.name);
    }
    for (uint32_t i = 0; i < out->n_steps; i++)
        run->result->registers += out->steps[i].kind == XINV_STEP_REGISTER;
    run->result->bytes += (uint64_t)out->n_words * 8;
    return CLI_OK;
}

static void count_report(struct replay_result *r, const struct xinv_report *report)
{
    r->commands += report->commands;
    r->syncs += report->syncs;
    if (!report->commands)
        return;
    r->pages_asked += report->asked_pages;
    r->pages_extra += report->extra_pages;
    r->must_beyond |= report->must_beyond;
    r->may_beyond |= report->may_beyond;
}

/* One request: its kind and its response. */
static void count_request(struct run *run, size_t i, const struct xinv_outcome *outcome)
{
    struct replay_result *r = run->result;
    const struct capture_request *q = &run->job->capture->requests[i];

    r->n_requests++;
    r->requests[outcome->type < REPLAY_KINDS ? outcome->type : 0]++;
    if (outcome->written == q->n_response &&
        !memcmp(run->response, capture_response(run->job->capture, i), q->n_response))
        r->responses_equal++;
}

/* One list: its commands, and what they cost in precision. */
static int count_list(struct run *run)
{
    struct replay_result *r = run->result;
    uint8_t widened = 0;
    bool unbounded = false;
    bool any = false;
    int status = CLI_OK;

    for (uint32_t k = 0; !status && k < run->n_iommus; k++) {
        count_report(r, &run->reports[k]);
        if (run->unmaps)
            r->unmap_syncs += run->reports[k].syncs;
        widened |= run->reports[k].widened;
        unbounded |= run->reports[k].extra_unbounded;
        any |= run->outs[k].n_steps != 0;
        status = count_commands(run, &run->outs[k]);
    }
    r->lists += any;
    r->unmap_lists += any && run->unmaps;
    r->unbounded += unbounded;
    for (unsigned t = 0; t < XINV_NTAGS; t++)
        r->widened[t] += widened >> t & 1;
    return status;
}

/* Makes room for what the reports asked for. */
static void grow_outputs(struct run *run)
{
    for (uint32_t k = 0; k < run->n_iommus; k++) {
        struct xinv_out *out = &run->outs[k];

        if (run->reports[k].need_words > out->cap_words || !out->words) {
            out->cap_words = run->reports[k].need_words + 1024;
            out->words = cli_grow(out->words, out->cap_words, sizeof(*out->words));
        }
        if (run->reports[k].need_steps > out->cap_steps || !out->steps) {
            out->cap_steps = run->reports[k].need_steps + 64;
            out->steps = cli_grow(out->steps, out->cap_steps, sizeof(*out->steps));
        }
    }
}

/* The outputs are empty, and their completions tell one list from another. */
static void empty_outputs(struct run *run)
{
    for (uint32_t k = 0; k < run->n_iommus; k++) {
        run->outs[k].n_words = 0;
        run->outs[k].n_steps = 0;
        run->completions[k].data = run->stores ? (run->list + 1) & UINT32_MAX : 0;
    }
    grow_outputs(run);
}

static int session_error(struct run *run, size_t i, int error)
{
    run->result->errors++;
    return cli_fail(CLI_INPUT, "%s: request at line %u: %s", run->job->platform->name,
                    run->job->capture->requests[i].line, xinv_strerror(error));
}

/* An ATTACH that the recorded device could do, and this platform cannot. */
static bool refuses(struct run *run, size_t i, const struct xinv_outcome *outcome)
{
    const struct capture *c = run->job->capture;
    const struct capture_request *q = &c->requests[i];

    if (outcome->type != XINV_VIRTIO_ATTACH || outcome->status != XINV_VIRTIO_UNSUPP ||
        q->n_response < 4 || capture_response(c, i)[q->n_response - 4])
        return false;
    refuse(run, outcome->endpoint,
           capture_request(c, i)[12] & 1 ? "nothing passes untranslated here"
                                         : "a change of its table cannot be said here");
    return true;
}

static void hold(struct run *run, size_t i, const struct xinv_outcome *outcome)
{
    if (run->n_held == run->cap_held) {
        run->cap_held = run->cap_held ? 2 * run->cap_held : 64;
        run->held = cli_grow(run->held, run->cap_held, sizeof(*run->held));
    }
    run->held[run->n_held++] = (struct held){i, *outcome};
    run->unmaps |= outcome->type == XINV_VIRTIO_UNMAP && outcome->iommus;
}

/* The list is there: counts it, and tells of each request that it is for. */
static int end_list(struct run *run, int commands, bool early, uint64_t token)
{
    const struct replay_job *job = run->job;
    int status = count_list(run);

    run->result->early += early;
    for (size_t k = 0; !status && job->each && k < run->n_held; k++) {
        struct replay_event event = {.index = run->held[k].index,
                                     .request = &job->capture->requests[run->held[k].index],
                                     .outcome = &run->held[k].outcome,
                                     .list = run->list,
                                     .n = run->n_held,
                                     .k = k,
                                     .early = early,
                                     .session = run->session,
                                     .reports = run->reports,
                                     .outs = run->outs,
                                     .commands = commands};

        status = job->each(job->context, &run->iommu, &event);
    }
    xinv_session_complete(run->session, token);
    run->n_held = 0;
    run->unmaps = false;
    run->list++;
    return status;
}

/* Sends what the batch holds. */
static int flush(struct run *run, bool early)
{
    struct xinv_outcome outcome;
    int ret;

    if (!run->n_held)
        return CLI_OK;
    do {
        empty_outputs(run);
        ret = xinv_session_batch_flush(run->session, &run->job->policy, run->completions, run->outs,
                                       run->reports, &outcome);
    } while (ret == -XINV_E_NOSPACE);
    if (ret < 0)
        return session_error(run, run->held[run->n_held - 1].index, ret);
    return end_list(run, ret, early, outcome.token);
}

static uint8_t *response_of(struct run *run, size_t n)
{
    if (n > run->cap_response) {
        run->cap_response = n;
        run->response = cli_grow(run->response, run->cap_response, 1);
    }
    memset(run->response, 0xff, n);
    return run->response;
}

/* What the session made of a request: counted and held for its list, unless it was refused. */
static int take(struct run *run, size_t i, int ret, const struct xinv_outcome *outcome)
{
    if (ret < 0)
        return session_error(run, i, ret);
    if (refuses(run, i, outcome))
        return CLI_OK;
    count_request(run, i, outcome);
    hold(run, i, outcome);
    return CLI_OK;
}

static int add_request(struct run *run, size_t i)
{
    const struct replay_job *job = run->job;
    const struct capture_request *q = &job->capture->requests[i];
    struct xinv_outcome outcome;
    int status = CLI_OK;
    int ret;

    if (q->kick != run->kick)
        status = flush(run, false);
    run->kick = q->kick;
    for (unsigned attempt = 0; !status && attempt < 2; attempt++) {
        ret = xinv_session_batch_add(run->session, capture_request(job->capture, i), q->n_request,
                                     response_of(run, q->n_response), q->n_response, &job->hint,
                                     &outcome);
        if (ret != -XINV_E_AGAIN)
            break;
        status = flush(run, true);
    }
    return status ? status : take(run, i, ret, &outcome);
}

static int one_request(struct run *run, size_t i)
{
    const struct replay_job *job = run->job;
    const struct capture_request *q = &job->capture->requests[i];
    struct xinv_outcome outcome;
    int status;
    int ret;

    do {
        empty_outputs(run);
        ret =
            xinv_session_request(run->session, capture_request(job->capture, i), q->n_request,
                                 response_of(run, q->n_response), q->n_response, &job->hint,
                                 &job->policy, run->completions, run->outs, run->reports, &outcome);
    } while (ret == -XINV_E_NOSPACE);
    status = take(run, i, ret, &outcome);
    return status || !run->n_held ? status : end_list(run, ret, false, outcome.token);
}

/* A line that comes only when there is something to wait for. */
static void progress(const struct replay_job *job, size_t done, time_t start)
{
    if ((done & 1023) || time(NULL) == start)
        return;
    fprintf(stderr, "\r\033[K%s, %s: %zu of %zu requests", job->platform->name, job->topology->name,
            done, job->capture->n);
    fflush(stderr);
}

int replay_run(const struct replay_job *job, struct replay_result *result)
{
    struct run run = {.job = job, .result = result};
    time_t start = time(NULL);
    int status;

    *result = (struct replay_result){
        .platform = job->platform, .topology = job->topology, .batch = job->batch};
    status = set_up(&run);
    for (size_t i = 0; !status && !*result->refused && i < job->capture->n; i++) {
        if (job->progress)
            progress(job, i, start);
        status = job->batch ? add_request(&run, i) : one_request(&run, i);
    }
    if (!status && !*result->refused && job->batch)
        status = flush(&run, false);
    if (job->progress && time(NULL) != start)
        fputs("\r\033[K", stderr);
    tear_down(&run);
    return status;
}

void replay_result_free(struct replay_result *result)
{
    free(result->names.at);
    free(result->unmap_names.at);
    *result = (struct replay_result){0};
}
