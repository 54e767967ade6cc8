// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
#include "tests/support/scriptrun.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <xinv/session.h>

#include "cli/kinds.h"
#include "tests/support/machine.h"
#include "tests/support/sessionrig.h"

#define DOMAINS   16
#define MAX_WORDS 65536
#define MAX_STEPS 8192
#define LISTS     64 /* of a kick */

struct domain {
    uint32_t id; /* 0: free */
    struct machine_table table;
};

/* Of an endpoint of the session, or of a context of the script. */
struct actor {
    struct machine_context context;
    uint32_t domain; /* 0: none */
};

struct run {
    const struct script *script;
    const struct scriptrun *setup;
    struct script_result *result;
    unsigned n_iommus;
    struct xinv_iommu iommu[2];
    struct machine machine[2];
    struct model_run lists[2][LISTS]; /* that have not been executed */
    unsigned n_lists[2];
    struct xinv_session *session;
    void *memory;
    struct domain domains[DOMAINS];
    struct machine_table tables[SCRIPT_CONTEXTS]; /* A..H */
    struct actor endpoints[SCRIPT_ENDPOINTS];
    struct actor contexts[SCRIPT_CONTEXTS];
    bool idle_passes;
    bool in_kick;
    uint64_t token; /* of the last request */
    struct xinv_out outs[2];
    struct xinv_report reports[2];
    struct xinv_completion done[2];
};

static bool ended(const struct run *r)
{
    return r->result->end != SCRIPT_FINE;
}

static void end(struct run *r, enum script_end how, const char *why)
{
    if (ended(r))
        return;
    r->result->end = how;
    snprintf(r->result->text, sizeof(r->result->text), "%s", why);
}

/* ---- Opening -----------------------------------------------------------------------------------
 */

static bool open_iommu(struct run *r, unsigned k)
{
    if (xinv_iommu_init(&r->iommu[k], r->setup->platforms[k], NULL, NULL, 0))
        return false;
    machine_open(&r->machine[k], &r->iommu[k]);
    /* SMMUv3's SYNC can be polled; the others must be asked to tell */
    for (unsigned i = 0; i < LISTS; i++)
        model_run_init(&r->lists[k][i], &r->machine[k].config);
    r->done[k] = (struct xinv_completion){
        .store = r->machine[k].config.vendor != MODEL_SMMUV3, .address = 0x1000, .data = 1};
    r->outs[k].words = malloc(MAX_WORDS * sizeof(uint64_t));
    r->outs[k].steps = malloc(MAX_STEPS * sizeof(struct xinv_step));
    cr_assert(r->outs[k].words && r->outs[k].steps);
    r->outs[k].cap_words = MAX_WORDS;
    r->outs[k].cap_steps = MAX_STEPS;
    return true;
}

/* What stands in for a device entry where only PASID entries change. */
static bool has_lasting_device_entry(const struct machine *m, uint32_t pasid)
{
    return pasid || (m->config.vendor == MODEL_VTD && m->config.scalable);
}

static uint8_t other_stage(uint8_t stage)
{
    return stage == XINV_STAGE_STAGE1 ? XINV_STAGE_STAGE2 : XINV_STAGE_STAGE1;
}

static bool add_endpoint(struct run *r, unsigned i)
{
    const struct script_endpoint *s = &r->script->endpoints[i];
    struct xinv_endpoint e = {.id = s->id,
                              .iommu = s->iommu,
                              .rid = 0x100 + s->id,
                              .stage =
                                  s->other_stage ? other_stage(r->setup->stage) : r->setup->stage,
                              .flags = r->setup->ats && !s->no_ats ? XINV_ATT_ATS : 0,
                              .queue_depth = 16};
    struct machine *m = &r->machine[s->iommu];
    struct machine_context *c = &r->endpoints[i].context;

    c->at = (struct xinv_attachment){.rid = e.rid, .flags = e.flags};
    c->device = has_lasting_device_entry(m, 0) ? machine_serial() : 0;
    cr_assert_lt(m->n_contexts, MACHINE_CONTEXTS);
    m->contexts[m->n_contexts++] = c;
    return !xinv_session_add_endpoint(r->session, &e);
}

static bool open_session(struct run *r)
{
    const struct xinv_iommu *iommus[2] = {&r->iommu[0], &r->iommu[1]};
    struct xinv_session_config config = rig_config(r->n_iommus);
    size_t size;

    config.max_domains = r->script->max_domains ? r->script->max_domains : DOMAINS - 1;
    config.max_mappings = MACHINE_MAPS;
    config.prepared_lists = r->setup->lists;
    config.log2_granule = 12;
    size = xinv_session_size(&config);
    r->memory = aligned_alloc(16, size);
    cr_assert(r->memory && !xinv_session_init(r->memory, size, &config, iommus, &r->session));
    for (unsigned i = 0; i < r->script->n_endpoints; i++)
        if (!add_endpoint(r, i))
            return false;
    return true;
}

/* The context's attachment as cli_kind_request() makes one, with the script's numbers. Endpoints
 * that cannot share a tag (AMD-Vi's with a GCR3 table, 3.1) have their own. */
static void open_context(struct run *r, unsigned i)
{
    const struct script_context *s = &r->script->contexts[i];
    const struct xinv_stage_def *stage = &r->iommu[0].vendor->stages[s->stage];
    struct cli_kind kind = {.name = "",
                            .stage = s->stage,
                            .pasid = s->pasid ? 1 : 0,
                            .at_flags = (uint8_t)((r->setup->ats ? XINV_ATT_ATS : 0) |
                                                  (s->pasid ? XINV_ATT_PASID_ENABLED : 0))};
    struct machine_context *c = &r->contexts[i].context;
    struct machine *m = &r->machine[0];
    struct xinv_request unused;
    uint32_t tag = s->tag;

    cli_kind_request(&kind, &r->iommu[0], &c->at, &unused);
    c->at.rid = s->rid;
    c->at.pasid = s->pasid;
    if (s->stage == XINV_STAGE_NESTED && c->at.known & XINV_TAG_BIT(XINV_TAG_ASID))
        c->at.asid = s->asid;
    if (stage->alloc == XINV_ALLOC_ENDPOINT)
        tag += s->rid - r->script->contexts[0].rid;
    if (stage->alloc_tag == XINV_TAG_ASID && s->stage == XINV_STAGE_STAGE1)
        c->at.asid = tag;
    else if (stage->alloc_tag == XINV_TAG_VMID)
        c->at.vmid = tag;
    else
        c->at.did = tag;
    c->tagged = s->pasid != 0;
    c->device = has_lasting_device_entry(m, s->pasid) ? 1 : 0;
    c->stage1 = s->stage1 ? &r->tables[s->stage1 - 'A'] : NULL;
    c->stage2 = s->stage2 ? &r->tables[s->stage2 - 'A'] : NULL;
    cr_assert_lt(m->n_contexts, MACHINE_CONTEXTS);
    m->contexts[m->n_contexts++] = c;
}

static bool open_run(struct run *r)
{
    r->n_iommus = r->script->two_iommus ? 2 : 1;
    for (unsigned k = 0; k < r->n_iommus; k++)
        if (!open_iommu(r, k))
            return false;
    for (unsigned i = 0; i < r->script->n_contexts; i++)
        open_context(r, i);
    return !r->script->n_endpoints || open_session(r);
}

static void close_run(struct run *r)
{
    for (unsigned k = 0; k < 2; k++) {
        r->result->filled += r->machine[k].filled;
        r->result->judged += r->machine[k].judged;
        machine_close(&r->machine[k]);
        free(r->outs[k].words);
        free(r->outs[k].steps);
    }
    for (unsigned i = 0; i < DOMAINS; i++)
        machine_table_clear(&r->domains[i].table);
    for (unsigned i = 0; i < SCRIPT_CONTEXTS; i++)
        machine_table_clear(&r->tables[i]);
    for (unsigned k = 0; k < 2; k++)
        for (unsigned i = 0; i < LISTS; i++)
            model_run_free(&r->lists[k][i]);
    free(r->memory);
}

/* ---- Commands ----------------------------------------------------------------------------------
 */

/* All that waits in the queue of an IOMMU. */
static void execute(struct run *r, uint32_t k)
{
    machine_run(&r->machine[k], r->lists[k], r->n_lists[k]);
    for (; r->n_lists[k]; r->n_lists[k]--) {
        struct model_run *list = &r->lists[k][r->n_lists[k] - 1];

        r->result->commands += list->n;
        if (list->illegal)
            end(r, SCRIPT_STALE, list->illegal);
        model_run_reset(list);
    }
}

static void execute_all(struct run *r)
{
    for (uint32_t k = 0; k < r->n_iommus; k++)
        execute(r, k);
}

/* The step's commands go into the queue. */
static void submit(struct run *r, const struct script_step *step, uint32_t k)
{
    if (r->setup->tamper)
        r->setup->tamper(step, k, &r->outs[k]);
    model_run_out(&r->lists[k][r->n_lists[k]++], &r->outs[k]);
    machine_submit(&r->machine[k]);
    if (!r->setup->late || !r->in_kick || r->n_lists[k] == LISTS)
        execute(r, k);
}

static void empty_outs(struct run *r)
{
    for (unsigned k = 0; k < 2; k++)
        r->outs[k].n_words = r->outs[k].n_steps = 0;
}

/* Nothing that some endpoint's traffic can hit is stale. */
static void check(struct run *r)
{
    for (unsigned k = 0; k < r->n_iommus && !ended(r); k++) {
        const struct machine_entry *entry = machine_stale(&r->machine[k]);
        char text[160];
        char why[480];

        if (!entry)
            continue;
        model_entry_text(&r->machine[k].config, &entry->e, text, sizeof(text));
        snprintf(why, sizeof(why), "IOMMU %u: %s: %s", k, text, r->machine[k].why);
        end(r, SCRIPT_STALE, why);
    }
}

/* ---- The session's requests --------------------------------------------------------------------
 */

static struct domain *find_domain(struct run *r, uint32_t id)
{
    for (unsigned i = 0; i < DOMAINS; i++)
        if (r->domains[i].id == id)
            return &r->domains[i];
    return NULL;
}

static struct domain *need_domain(struct run *r, uint32_t id)
{
    struct domain *d = find_domain(r, id);

    if (!d)
        d = find_domain(r, 0);
    cr_assert_not_null(d);
    d->id = id;
    return d;
}

/* A domain that has gone has left no table behind. */
static void forget_domains(struct run *r)
{
    for (unsigned i = 0; i < DOMAINS; i++) {
        struct domain *d = &r->domains[i];

        if (d->id && xinv_session_mappings(r->session, d->id) < 0) {
            machine_table_clear(&d->table);
            d->id = 0;
        }
    }
}

static bool attachment_of(const struct run *r, uint32_t domain, uint32_t iommu, uint32_t rid,
                          struct xinv_attachment *at)
{
    struct xinv_attachment all[SCRIPT_ENDPOINTS];
    int n = xinv_session_attachments(r->session, domain, iommu, all, SCRIPT_ENDPOINTS);

    for (int i = 0; i < n; i++)
        if (all[i].rid == rid) {
            *at = all[i];
            return true;
        }
    return false;
}

/* An endpoint without a domain: what passes has tags of its own. */
static void leave_alone(const struct run *r, uint32_t iommu, struct machine_context *c)
{
    struct xinv_attachment at;
    struct xinv_request unused;

    cli_kind_request(&(struct cli_kind){.stage = XINV_STAGE_PASSTHROUGH}, &r->iommu[iommu], &at,
                     &unused);
    at.rid = c->at.rid;
    at.flags = c->at.flags;
    c->at = at;
}

/* The endpoint's entry is written anew if it is in another domain, or translated otherwise. */
static void look_at_endpoint(struct run *r, unsigned i)
{
    const struct script_endpoint *s = &r->script->endpoints[i];
    struct machine *m = &r->machine[s->iommu];
    struct actor *a = &r->endpoints[i];
    struct machine_context *c = &a->context;
    uint32_t domain = 0;
    bool in = xinv_session_attached(r->session, s->id, &domain) == 1;
    bool passes = !in && r->idle_passes;

    domain = in ? domain : 0;
    if (domain == a->domain && passes == (c->passes && !in) && c->live == (in || passes) &&
        (!in || find_domain(r, domain)))
        return;
    a->domain = domain;
    leave_alone(r, s->iommu, c);
    if (in) {
        cr_assert(attachment_of(r, domain, s->iommu, c->at.rid, &c->at));
        machine_refused(m, c);
        c->stage1 = c->stage2 = &need_domain(r, domain)->table;
        passes = c->at.stage == XINV_STAGE_PASSTHROUGH;
    }
    c->passes = passes;
    c->live = in || passes;
    c->knocked = false;
    c->pasid = c->live ? machine_serial() : 0;
    if (!has_lasting_device_entry(m, 0))
        c->device = c->pasid;
}

static void change_tables(struct run *r, const struct script_step *s)
{
    if (s->op == SCRIPT_MAP)
        cr_assert(machine_map(&need_domain(r, s->number)->table,
                              &(struct machine_mapping){.first = s->first,
                                                        .last = s->last,
                                                        .to = s->first,
                                                        .log2_max = s->log2_leaf,
                                                        .shared = s->flags & SCRIPT_SHARED}));
    else if (s->op == SCRIPT_UNMAP)
        machine_unmap(&need_domain(r, s->number)->table, s->first, s->last,
                      s->flags & SCRIPT_LEAF_ONLY);
    else if (s->op == SCRIPT_BYPASS)
        r->idle_passes = s->first;
    forget_domains(r);
    for (unsigned i = 0; i < r->script->n_endpoints; i++)
        look_at_endpoint(r, i);
}

static struct xinv_unmap_hint hint_of(struct run *r, const struct script_step *s)
{
    struct xinv_unmap_hint hint = {.known =
                                       s->log2_leaf || s->flags & (SCRIPT_LEAF_ONLY | SCRIPT_HINT),
                                   .leaf_only = (s->flags & SCRIPT_LEAF_ONLY) != 0,
                                   .log2_leaf_size = s->log2_leaf};
    const struct domain *d = find_domain(r, s->number);

    if (hint.known && !s->log2_leaf && d)
        hint.log2_leaf_size = machine_largest(&d->table, s->first, s->last);
    return hint;
}

static size_t bytes_of(const struct script_step *s, uint8_t *b)
{
    switch (s->op) {
    case SCRIPT_ATTACH:
        return rig_attach_bytes(b, s->number, s->endpoint, s->flags & SCRIPT_BYPASSED ? 1 : 0);
    case SCRIPT_DETACH:
        return rig_detach_bytes(b, s->number, s->endpoint);
    case SCRIPT_MAP:
        return rig_map_bytes(b, s->number, s->first, s->last, s->first, 3);
    default:
        return rig_unmap_bytes(b, s->number, s->first, s->last);
    }
}

static void complete(struct run *r)
{
    if (!r->in_kick && r->session)
        xinv_session_complete(r->session, r->token);
}

static void request(struct run *r, const struct script_step *s)
{
    struct xinv_unmap_hint hint = hint_of(r, s);
    struct xinv_outcome outcome;
    uint8_t reply[4];
    uint8_t b[40];
    char why[80];
    int ret;

    empty_outs(r);
    if (s->op == SCRIPT_RESET)
        ret = xinv_session_reset(r->session, r->setup->policy, r->done, r->outs, r->reports,
                                 &outcome);
    else if (s->op == SCRIPT_BYPASS)
        ret = xinv_session_set_bypass(r->session, (uint8_t)s->first, r->setup->policy, r->done,
                                      r->outs, r->reports, &outcome);
    else
        ret = xinv_session_request(r->session, b, bytes_of(s, b), reply, sizeof(reply),
                                   s->op == SCRIPT_UNMAP ? &hint : NULL, r->setup->policy, r->done,
                                   r->outs, r->reports, &outcome);
    if (ret == -XINV_E_UNSUPP && s->status == SCRIPT_ANY)
        return;
    if (ret < 0) {
        snprintf(why, sizeof(why), "the session answers with error %d", ret);
        end(r, ret == -XINV_E_UNSUPP ? SCRIPT_REFUSED : SCRIPT_STATUS, why);
        return;
    }
    if (s->status != SCRIPT_ANY && outcome.status != s->status) {
        snprintf(why, sizeof(why), "the status is %u", outcome.status);
        /* a platform may lack what the endpoint needs */
        end(r, outcome.status == XINV_VIRTIO_UNSUPP ? SCRIPT_REFUSED : SCRIPT_STATUS, why);
        return;
    }
    if (outcome.status)
        return;
    r->token = outcome.token;
    /* what is unmapped in the same kick is gone before something else is mapped there */
    if (s->op == SCRIPT_MAP)
        execute_all(r);
    change_tables(r, s);
    for (uint32_t k = 0; k < r->n_iommus; k++)
        submit(r, s, k);
    complete(r);
}

/* ---- Changes that a session does not have ------------------------------------------------------
 */

static void translate(struct run *r, const struct script_step *s, const struct xinv_attachment *at,
                      size_t n, const struct xinv_request *request)
{
    char why[80];
    int ret;

    empty_outs(r);
    ret = xinv_translate(&r->iommu[0], at, n, request, r->setup->policy, &r->done[0], &r->outs[0],
                         &r->reports[0]);
    if (ret < 0) {
        snprintf(why, sizeof(why), "the change is answered with error %d", ret);
        end(r, SCRIPT_REFUSED, why);
        return;
    }
    submit(r, s, 0);
}

/* To the contexts that walk a table, those of one kind at a time. */
static void translate_for(struct run *r, const struct script_step *s,
                          const struct machine_table *table, bool stage2,
                          const struct xinv_request *request)
{
    for (unsigned stage = XINV_STAGE_STAGE1; stage <= XINV_STAGE_NESTED; stage++) {
        struct xinv_attachment at[SCRIPT_CONTEXTS];
        size_t n = 0;

        for (unsigned i = 0; i < r->script->n_contexts; i++) {
            const struct machine_context *c = &r->contexts[i].context;
            /* VT-d has the second stage in the PASID entry, the others in the device entry */
            bool walks = stage2 && r->machine[0].config.vendor != MODEL_VTD ? c->device : c->live;

            if (walks && c->at.stage == stage && (stage2 ? c->stage2 : c->stage1) == table)
                at[n++] = c->at;
        }
        if (n && !ended(r))
            translate(r, s, at, n, request);
    }
}

static void pte_step(struct run *r, const struct script_step *s)
{
    bool stage2 = s->op == SCRIPT_S2MAP || s->op == SCRIPT_S2UNMAP;
    bool map = s->op == SCRIPT_S1MAP || s->op == SCRIPT_S2MAP;
    struct machine_table *t = &r->tables[s->number];
    struct xinv_request request = {
        .change = stage2 ? XINV_CHANGE_STAGE2_PTE : XINV_CHANGE_STAGE1_PTE,
        .from = map ? XINV_FROM_NOT_PRESENT : XINV_FROM_PRESENT,
        .flags = (uint16_t)(XINV_REQ_RANGE | XINV_REQ_LEAVES_WITHIN |
                            (s->flags & SCRIPT_LEAF_ONLY ? XINV_REQ_LEAF_ONLY : 0) |
                            (s->flags & SCRIPT_GLOBAL ? XINV_REQ_GLOBAL : 0)),
        .log2_granule = 12,
        .first = s->first,
        .last = s->last};

    if (map && !machine_map(t, &(struct machine_mapping){.first = s->first,
                                                         .last = s->last,
                                                         .to = s->to ? s->to : s->first,
                                                         .log2_max = s->log2_leaf,
                                                         .global = s->flags & SCRIPT_GLOBAL}))
        return;
    machine_extent(t, &request.first, &request.last);
    request.log2_leaf_size =
        s->log2_leaf ? s->log2_leaf : machine_largest(t, request.first, request.last);
    if (!map)
        machine_unmap(t, s->first, s->last, s->flags & SCRIPT_LEAF_ONLY);
    translate_for(r, s, t, stage2, &request);
}

static void entry_step(struct run *r, const struct script_step *s)
{
    struct machine *m = &r->machine[0];
    struct machine_context *c = &r->contexts[s->number].context;
    bool lasting = has_lasting_device_entry(m, c->tagged);
    struct xinv_request request = {
        .change = lasting ? XINV_CHANGE_PASID_ENTRY : XINV_CHANGE_DEVICE_ENTRY,
        .from = s->op == SCRIPT_ENTER ? XINV_FROM_NOT_PRESENT : XINV_FROM_PRESENT};

    if (c->live == (s->op == SCRIPT_ENTER))
        return;
    if (s->op == SCRIPT_ENTER && c->at.known & XINV_TAG_BIT(XINV_TAG_DID)) {
        request.flags |= XINV_REQ_NEW_DID;
        request.new_did = c->at.did;
    }
    machine_refused(m, c);
    c->knocked = false;
    c->live = s->op == SCRIPT_ENTER;
    c->pasid = c->live ? machine_serial() : 0;
    if (!lasting)
        c->device = c->pasid;
    translate(r, s, &c->at, 1, &request);
}

static void release_step(struct run *r, const struct script_step *s)
{
    const struct machine_context *c = &r->contexts[s->number].context;
    struct xinv_request request = {.change = XINV_CHANGE_TAG_RELEASE, .pasid = c->at.pasid};

    if (c->tagged)
        request.flags |= XINV_REQ_PASID;
    translate(r, s, &c->at, 1, &request);
}

/* ---- Steps -------------------------------------------------------------------------------------
 */

static void dma_step(struct run *r, const struct script_step *s)
{
    for (unsigned i = 0; i < r->script->n_endpoints; i++)
        if (r->script->endpoints[i].id == s->endpoint)
            machine_dma(&r->machine[r->script->endpoints[i].iommu], &r->endpoints[i].context,
                        s->first);
}

/* Everybody accesses everything that the script maps. */
static void storm(struct run *r)
{
    for (unsigned i = 0; i < r->script->n_steps; i++) {
        const struct script_step *s = &r->script->steps[i];

        if (s->op != SCRIPT_MAP && s->op != SCRIPT_S1MAP && s->op != SCRIPT_S2MAP)
            continue;
        for (unsigned e = 0; e < r->script->n_endpoints; e++) {
            struct machine *m = &r->machine[r->script->endpoints[e].iommu];

            machine_dma(m, &r->endpoints[e].context, s->first);
            machine_dma(m, &r->endpoints[e].context, s->last);
        }
        for (unsigned c = 0; c < r->script->n_contexts; c++) {
            machine_dma(&r->machine[0], &r->contexts[c].context, s->first);
            machine_dma(&r->machine[0], &r->contexts[c].context, s->last);
        }
    }
}

static void take_step(struct run *r, const struct script_step *s)
{
    switch (s->op) {
    case SCRIPT_KICK:
        r->in_kick = true;
        break;
    case SCRIPT_DONE:
        r->in_kick = false;
        execute_all(r);
        complete(r);
        break;
    case SCRIPT_DMA:
        dma_step(r, s);
        break;
    case SCRIPT_C_DMA:
        machine_dma(&r->machine[0], &r->contexts[s->number].context, s->first);
        break;
    case SCRIPT_ENTER:
    case SCRIPT_LEAVE:
        entry_step(r, s);
        break;
    case SCRIPT_RELEASE:
        release_step(r, s);
        break;
    case SCRIPT_S1MAP:
    case SCRIPT_S1UNMAP:
    case SCRIPT_S2MAP:
    case SCRIPT_S2UNMAP:
        pte_step(r, s);
        break;
    default:
        request(r, s);
        break;
    }
}

void script_run(const struct script *script, const struct scriptrun *setup,
                struct script_result *result)
{
    static struct run r; /* too large for a stack */

    memset(&r, 0, sizeof(r));
    memset(result, 0, sizeof(*result));
    r.script = script;
    r.setup = setup;
    r.result = result;
    if (!open_run(&r))
        end(&r, SCRIPT_REFUSED, "the platform refuses an endpoint");
    for (unsigned i = 0; i < script->n_steps && !ended(&r); i++) {
        result->step = i;
        take_step(&r, &script->steps[i]);
        if (!setup->late || !r.in_kick)
            check(&r);
        if (setup->eager && !ended(&r))
            storm(&r);
    }
    close_run(&r);
}
