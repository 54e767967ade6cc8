// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/*
 * One request on one IOMMU: shapes, rungs, order, words.
 *
 * Everything that can fail is found before the first word is written: the attachments are checked
 * and every shape is planned, then the size is bounded, then words go out.
 */
#include "core/cover.h"
#include "core/emit.h"
#include "core/iommu.h"
#include "core/range.h"
#include "core/shape.h"

#define ADDRESS_TAGS ((uint8_t)(XINV_TAG_BIT(XINV_TAG_ADDRESS) | XINV_TAG_BIT(XINV_TAG_IPA)))
#define PASID_BIT    XINV_TAG_BIT(XINV_TAG_PASID)
#define NO_ROW       0xff

/* A shape that was planned: the rung that the policy chose, and for each of its rows the need that
 * it serves. */
struct plan {
    uint32_t key;
    uint8_t n;
    uint8_t row[XINV_MAX_ROWS];
    uint8_t phase[XINV_MAX_ROWS];
    uint8_t zero[XINV_MAX_ROWS];    /* operands that are 0 */
    uint8_t flags[XINV_MAX_ROWS];   /* XINV_NEED_ALIASES, XINV_NEED_NEW_DID */
    uint32_t blocks[XINV_MAX_ROWS]; /* commands for one attachment */
};

#define PLANS 4 /* shapes that are remembered at once; more are planned again */

struct job {
    const struct xinv_iommu *iommu;
    const struct xinv_vendor *vendor;
    const struct xinv_attachment *at;
    size_t n;
    struct xinv_request request;
    struct xinv_policy policy;
    const struct xinv_completion *completion;
    struct xinv_report report;
    bool ranged;
    uint8_t next_plan;
    struct plan plans[PLANS];
};

/* ---- Checks
 * -------------------------------------------------------------------------------------- */

/* Is a tag's value wider than its field? A tag that the vendor does not have at all is ignored. */
static bool too_wide(const struct job *job, unsigned tag, uint32_t value)
{
    const struct xinv_linear *width = &job->vendor->tag_bits[tag];
    uint8_t bits = job->iommu->tag_bits[tag];

    return (width->base || width->times) && bits < 32 && (value >> bits) != 0;
}

static int refuse(struct job *job, const struct xinv_attachment *at, unsigned tag, int error)
{
    job->report.at = at;
    job->report.at_tag = (uint8_t)tag;
    return error;
}

static int check_attachment(struct job *job, const struct xinv_attachment *at)
{
    uint32_t value[XINV_NTAGS] = {
        [XINV_TAG_RID] = at->rid, [XINV_TAG_PASID] = at->pasid, [XINV_TAG_ASID] = at->asid,
        [XINV_TAG_DID] = at->did, [XINV_TAG_VMID] = at->vmid,
    };

    if (at->stage >= XINV_NSTAGES || (at->n_aliases && !at->aliases))
        return refuse(job, at, 0, -XINV_E_INVAL);
    if (!(job->iommu->stages & XINV_STAGE_BIT(at->stage)))
        return refuse(job, at, 0, -XINV_E_UNSUPP);
    for (unsigned t = XINV_TAG_RID; t <= XINV_TAG_VMID; t++) {
        /* a tag that the hardware would cut names somebody else's entries and leaves the stale ones
         */
        if ((at->known & XINV_TAG_BIT(t)) && too_wide(job, t, value[t]))
            return refuse(job, at, t, -XINV_E_TAG);
    }
    for (unsigned i = 0; i < at->n_aliases; i++)
        if (too_wide(job, XINV_TAG_RID, at->aliases[i]))
            return refuse(job, at, XINV_TAG_RID, -XINV_E_TAG);
    return 0;
}

static int check_tags(struct job *job)
{
    const struct xinv_request *r = &job->request;

    if ((r->flags & XINV_REQ_PASID) && too_wide(job, XINV_TAG_PASID, r->pasid))
        return refuse(job, NULL, XINV_TAG_PASID, -XINV_E_TAG);
    if ((r->flags & XINV_REQ_ASID) && too_wide(job, XINV_TAG_ASID, r->asid))
        return refuse(job, NULL, XINV_TAG_ASID, -XINV_E_TAG);
    if ((r->flags & XINV_REQ_NEW_DID) && too_wide(job, XINV_TAG_DID, r->new_did))
        return refuse(job, NULL, XINV_TAG_DID, -XINV_E_TAG);
    for (size_t i = 0; i < job->n; i++) {
        int ret = check_attachment(job, &job->at[i]);

        if (ret)
            return ret;
    }
    return 0;
}

static int check_request(const struct xinv_request *r, const struct xinv_policy *policy)
{
    if (policy->kind > XINV_POLICY_AT_MOST ||
        (policy->kind == XINV_POLICY_AT_MOST &&
         (!policy->blocks || policy->blocks > XINV_MAX_PIECES)))
        return -XINV_E_INVAL;
    if (r->log2_leaf_size > 63 || (r->log2_leaf_size && r->log2_leaf_size < 12) ||
        r->log2_granule > 16 || (r->log2_granule && r->log2_granule < 12))
        return -XINV_E_INVAL;
    if ((r->flags & XINV_REQ_RANGE) && r->first > r->last)
        return -XINV_E_RANGE;
    if (r->flags & XINV_REQ_INVALIDATE) {
        if (!r->caches || (r->caches & ~0xfu) || r->scope > XINV_SCOPE_ADDRESS)
            return -XINV_E_INVAL;
        if (r->scope == XINV_SCOPE_ADDRESS && !(r->flags & XINV_REQ_RANGE))
            return -XINV_E_INVAL;
        return 0;
    }
    if (r->change >= XINV_NCHANGES || (r->from & ~(XINV_FROM_PRESENT | XINV_FROM_NOT_PRESENT)))
        return -XINV_E_INVAL;
    return 0;
}

/* The granule follows from the leaf size where the caller does not say (4K: 12 21 30 39; 16K: 14 25
 * 36; 64K: 16 29 42). */
static uint8_t granule_of(const struct xinv_request *r)
{
    if (r->log2_granule)
        return r->log2_granule;
    switch (r->log2_leaf_size) {
    case 14:
    case 25:
    case 36:
        return 14;
    case 16:
    case 29:
    case 42:
        return 16;
    default:
        return 12;
    }
}

/* An attachment as an explicit request sees it: with the tags that the request names. */
static struct xinv_attachment named(const struct job *job, size_t i)
{
    struct xinv_attachment at = job->at[i];

    if (!(job->request.flags & XINV_REQ_INVALIDATE))
        return at;
    if (job->request.flags & XINV_REQ_PASID) {
        at.pasid = job->request.pasid;
        at.known |= PASID_BIT;
    }
    if (job->request.flags & XINV_REQ_ASID) {
        at.asid = job->request.asid;
        at.known |= XINV_TAG_BIT(XINV_TAG_ASID);
    }
    return at;
}

/* ---- Plans
 * --------------------------------------------------------------------------------------- */

static void cut_request(const struct job *job, unsigned row, struct xinv_cut_request *cut)
{
    cut->spec = job->iommu->range[row];
    cut->policy = job->policy.kind;
    cut->blocks = job->policy.blocks;
    cut->log2_granule = job->request.log2_granule;
    cut->log2_leaf = job->request.log2_leaf_size;
    cut->leaves_within = job->request.flags & XINV_REQ_LEAVES_WITHIN;
    cut->first = job->request.first;
    cut->last = job->request.last;
}

/* What a rung costs for one attachment on this range. */
struct cost {
    uint64_t commands;
    uint64_t extra_pages;
    unsigned syncs;
    bool possible;
};

static void price(const struct job *job, const struct xinv_rung *rung, bool limited,
                  struct cost *cost)
{
    uint64_t asked = job->ranged ? xinv_pages(job->request.first, job->request.last) : 0;
    unsigned last_phase = XINV_NPHASES;

    cost->commands = 0;
    cost->extra_pages = 0;
    cost->syncs = 0;
    cost->possible = true;
    for (unsigned p = 0; p < XINV_NPHASES; p++) {
        if (!(rung->phases & (1u << p)))
            continue;
        if (last_phase < XINV_NPHASES && job->vendor->order[last_phase][p] != XINV_ORDER_QUEUE)
            cost->syncs++;
        last_phase = p;
    }
    for (unsigned i = 0; i < rung->n; i++) {
        struct xinv_cut_request cut;
        uint64_t limit = UINT32_MAX;
        uint64_t pages;
        uint64_t n;

        if (!job->vendor->commands[rung->row[i]].ranges.count) {
            cost->commands++;
            continue;
        }
        if (limited && job->policy.max_commands)
            limit = job->policy.max_commands;
        cut_request(job, rung->row[i], &cut);
        n = xinv_cut_count(&cut, limit, &pages);
        if (!n || n > limit) {
            cost->possible = false;
            return;
        }
        cost->commands += n;
        if (pages - asked > cost->extra_pages)
            cost->extra_pages = pages - asked;
    }
}

static bool cheaper(const struct cost *a, const struct cost *b)
{
    if (a->syncs != b->syncs)
        return a->syncs < b->syncs;
    return a->commands < b->commands;
}

/* The rung that the policy wants: the first that can say the range, or under latency the one with
 * the fewest commands. */
static const struct xinv_rung *choose(const struct job *job, const struct xinv_ladder *ladder,
                                      struct cost *cost)
{
    const struct xinv_rung *best = NULL;
    struct cost c;

    for (unsigned pass = 0; pass < 2 && !best; pass++) {
        for (unsigned i = 0; i < ladder->n; i++) {
            /* where no rung keeps to max_commands, the limit gives way, not the invalidation */
            price(job, &ladder->rung[i], pass == 0, &c);
            if (!c.possible || (best && !cheaper(&c, cost)))
                continue;
            best = &ladder->rung[i];
            *cost = c;
            if (job->policy.kind != XINV_POLICY_LATENCY)
                break;
        }
    }
    return best;
}

/* What a rung gives up, for the report. */
static void account(struct job *job, const struct xinv_shape *shape, const struct xinv_rung *rung,
                    const struct cost *cost)
{
    struct xinv_report *report = &job->report;
    uint8_t widened = 0;

    for (unsigned k = 0; k < shape->n; k++) {
        uint8_t matched = 0xff;

        for (unsigned i = 0; i < rung->n; i++)
            if (xinv_row_covers(job->iommu, rung->row[i], &shape->need[k]))
                matched &= xinv_row_matches(job->iommu, rung->row[i], &shape->need[k]);
        widened |= shape->need[k].report & (uint8_t)~matched;
    }
    if (widened & ADDRESS_TAGS) {
        widened = (uint8_t)((widened & ~ADDRESS_TAGS) | XINV_TAG_BIT(XINV_TAG_ADDRESS));
        report->extra_unbounded = 1;
    }
    report->widened |= widened;
    if (cost->extra_pages > report->extra_pages)
        report->extra_pages = cost->extra_pages;
    for (unsigned i = 0; i < rung->n; i++) {
        (void)xinv_row_excess(job->iommu, rung->row[i], shape, &report->must_beyond,
                              &report->may_beyond);
        report->rows |= UINT64_C(1) << rung->row[i];
    }
}

static void fill_plan(const struct job *job, const struct xinv_shape *shape,
                      const struct xinv_rung *rung, struct plan *plan)
{
    plan->n = rung->n;
    for (unsigned i = 0; i < rung->n; i++) {
        unsigned row = rung->row[i];
        struct xinv_cut_request cut;
        uint64_t pages;

        plan->row[i] = (uint8_t)row;
        plan->phase[i] = job->vendor->commands[row].phase;
        plan->zero[i] = 0;
        plan->flags[i] = 0;
        plan->blocks[i] = 1;
        for (unsigned k = 0; k < shape->n; k++) {
            if (!xinv_row_covers(job->iommu, row, &shape->need[k]))
                continue;
            plan->zero[i] |= shape->need[k].zero;
            plan->flags[i] |= shape->need[k].flags;
        }
        if (!job->vendor->commands[row].ranges.count)
            continue;
        cut_request(job, row, &cut);
        plan->blocks[i] = (uint32_t)xinv_cut_count(&cut, UINT32_MAX - 1, &pages);
    }
}

static bool has_pasids(const struct job *job, size_t i)
{
    const struct xinv_attachment *at = &job->at[i];

    if (at->flags & (XINV_ATT_PASID_ENABLED | XINV_ATT_PASIDS_UNKNOWN))
        return true;
    /* attachments of one endpoint stand next to each other */
    for (size_t k = i; k-- > 0 && job->at[k].rid == at->rid;)
        if ((job->at[k].known & PASID_BIT) && job->at[k].pasid)
            return true;
    for (size_t k = i + 1; k < job->n && job->at[k].rid == at->rid; k++)
        if ((job->at[k].known & PASID_BIT) && job->at[k].pasid)
            return true;
    return false;
}

static struct plan *find_plan(struct job *job, uint32_t key)
{
    for (unsigned i = 0; i < PLANS; i++)
        if (job->plans[i].key == key)
            return &job->plans[i];
    return NULL;
}

static int make_plan(struct job *job, size_t i, uint32_t key, bool pasids, struct plan **made)
{
    const struct xinv_attachment at = named(job, i);
    struct plan *plan = &job->plans[job->next_plan];
    const struct xinv_rung *rung;
    struct xinv_shape shape;
    struct xinv_ladder ladder;
    struct cost cost = {0};
    unsigned open = 0;
    int ret = xinv_shape_build(job->iommu, &job->request, &at, pasids, &shape);

    if (ret)
        return refuse(job, &job->at[i], 0, ret);
    (void)xinv_ladder_build(job->iommu, &shape, &ladder, &open);
    rung = choose(job, &ladder, &cost);
    if (!rung) {
        job->report.at_cache = shape.n ? shape.need[open].cache : 0;
        return refuse(job, &job->at[i], 0, -XINV_E_MUST_BLOCK);
    }
    account(job, &shape, rung, &cost);
    fill_plan(job, &shape, rung, plan);
    plan->key = key;
    job->next_plan = (uint8_t)((job->next_plan + 1) % PLANS);
    *made = plan;
    return 0;
}

/* The plan of an attachment; NULL if the request is not about it. Cannot fail once plan_all() has
 * passed. */
static int plan_of(struct job *job, size_t i, struct plan **plan)
{
    const struct xinv_attachment *at = &job->at[i];
    bool pasids;
    uint32_t key;

    *plan = NULL;
    if ((job->request.flags & XINV_REQ_INVALIDATE) && (job->request.flags & XINV_REQ_PASID) &&
        (at->known & PASID_BIT) && at->pasid != job->request.pasid)
        return 0;
    pasids = has_pasids(job, i);
    key = xinv_shape_key(at, pasids);
    *plan = find_plan(job, key);
    if (*plan)
        return 0;
    return make_plan(job, i, key, pasids, plan);
}

/* Plans every attachment, and bounds what can come out. */
static int plan_all(struct job *job, uint64_t *most_commands)
{
    bool any = false;

    *most_commands =
        2 * 2 * XINV_NPHASES + 1; /* fences of every phase, repeated, and the last sync */
    for (size_t i = 0; i < job->n; i++) {
        struct plan *plan;
        int ret = plan_of(job, i, &plan);

        if (ret)
            return ret;
        if (!plan)
            continue;
        any = true;
        for (unsigned k = 0; k < plan->n; k++)
            *most_commands += (uint64_t)plan->blocks[k] * (1u + job->at[i].n_aliases) *
                              4u; /* 4: repeats of both kinds */
    }
    if (job->iommu->max_batch)
        *most_commands += *most_commands / job->iommu->max_batch;
    return any ? 0 : -XINV_E_NOENT;
}

/* ---- Emission
 * ------------------------------------------------------------------------------------ */

static void operands_of(const struct job *job, size_t i, uint8_t zero, uint8_t flags,
                        struct xinv_operands *op)
{
    const struct xinv_request *r = &job->request;
    const struct xinv_attachment at = named(job, i);

    op->at = &job->at[i];
    op->rid = at.rid;
    op->pasid = (at.known & PASID_BIT) ? at.pasid : 0;
    op->asid = (at.known & XINV_TAG_BIT(XINV_TAG_ASID)) ? at.asid : 0;
    op->did = (at.known & XINV_TAG_BIT(XINV_TAG_DID)) ? at.did : 0;
    op->vmid = (at.known & XINV_TAG_BIT(XINV_TAG_VMID)) ? at.vmid : 0;
    if ((flags & XINV_NEED_NEW_DID) && (r->flags & XINV_REQ_NEW_DID))
        op->did = r->new_did;
    if (zero & XINV_TAG_BIT(XINV_TAG_DID))
        op->did = 0;
    if (zero & PASID_BIT)
        op->pasid = 0;
}

static bool same_operands(const struct xinv_operands *a, const struct xinv_operands *b,
                          uint8_t tags)
{
    return !((tags & XINV_TAG_BIT(XINV_TAG_RID) && a->rid != b->rid) ||
             (tags & PASID_BIT && a->pasid != b->pasid) ||
             (tags & XINV_TAG_BIT(XINV_TAG_ASID) && a->asid != b->asid) ||
             (tags & XINV_TAG_BIT(XINV_TAG_DID) && a->did != b->did) ||
             (tags & XINV_TAG_BIT(XINV_TAG_VMID) && a->vmid != b->vmid));
}

/* Did an attachment before i send the same command? Two users of one tag need it once. */
static bool sent_before(struct job *job, size_t i, unsigned row, const struct xinv_operands *op)
{
    uint8_t tags = job->vendor->commands[row].operands;
    bool by_rid = tags & XINV_TAG_BIT(XINV_TAG_RID);

    for (size_t k = i; k-- > 0;) {
        struct xinv_operands other;
        struct plan *plan;

        if (by_rid && job->at[k].rid != op->rid)
            return false;
        if (plan_of(job, k, &plan) || !plan)
            continue;
        for (unsigned j = 0; j < plan->n; j++) {
            if (plan->row[j] != row)
                continue;
            operands_of(job, k, plan->zero[j], plan->flags[j], &other);
            if (same_operands(op, &other, tags))
                return true;
        }
    }
    return false;
}

/* How often one command goes out in place, and a phase with its sync. */
static unsigned repeats(const struct job *job, const struct xinv_attachment *at, unsigned phase,
                        uint8_t unit)
{
    const struct xinv_vendor *v = job->vendor;
    unsigned times = 1;

    for (unsigned i = 0; i < v->n_repeats; i++) {
        const struct xinv_repeat_def *def = &v->repeats[i];

        if (def->unit != unit || !(def->phases & (1u << phase)) ||
            (def->quirk && !(at && (at->quirks & def->quirk))))
            continue;
        if (!(job->request.flags & XINV_REQ_INVALIDATE) &&
            (def->except_changes & (1u << job->request.change)))
            continue;
        if (xinv_conds_hold(v, job->iommu->feature, def->conds) && def->times > times)
            times = def->times;
    }
    return times;
}

static void emit_row(struct job *job, struct xinv_emit *emit, unsigned row,
                     struct xinv_operands *op)
{
    const struct xinv_command_def *cmd = &job->vendor->commands[row];
    unsigned times = repeats(job, op->at, cmd->phase, XINV_REPEAT_COMMAND);
    struct xinv_cut_request request;
    struct xinv_cut cut;

    op->leaf = cmd->leaf;
    op->log2_granule = job->request.log2_granule;
    op->log2_leaf = job->request.log2_leaf_size;
    op->scaled = 0;
    if (!cmd->ranges.count) {
        for (unsigned t = 0; t < times; t++)
            xinv_emit_command(emit, row, op);
        return;
    }
    cut_request(job, row, &request);
    op->scaled = request.spec.kind == XINV_RANGE_SCALED;
    if (!xinv_cut_begin(&cut, &request))
        return; /* price() has begun the same cut */
    while (xinv_cut_next(&cut, &op->block))
        for (unsigned t = 0; t < times; t++)
            xinv_emit_command(emit, row, op);
}

static void emit_attachment(struct job *job, struct xinv_emit *emit, size_t i, unsigned phase)
{
    const struct xinv_attachment *at = &job->at[i];
    struct plan *plan;

    if (plan_of(job, i, &plan) || !plan)
        return;
    for (unsigned j = 0; j < plan->n; j++) {
        struct xinv_operands op = {0};
        unsigned row = plan->row[j];
        uint8_t flags = plan->flags[j];

        if (plan->phase[j] != phase)
            continue;
        operands_of(job, i, plan->zero[j], flags, &op);
        if (sent_before(job, i, row, &op))
            continue;
        emit_row(job, emit, row, &op);
        if (!(flags & XINV_NEED_ALIASES))
            continue;
        for (unsigned a = 0; a < at->n_aliases; a++) {
            op.rid = at->aliases[a];
            if (op.rid != at->rid)
                emit_row(job, emit, row, &op);
        }
    }
}

static void emit_all(struct job *job, struct xinv_emit *emit)
{
    for (unsigned phase = 0; phase < XINV_NPHASES; phase++) {
        unsigned times = repeats(job, NULL, phase, XINV_REPEAT_PHASE);

        for (unsigned t = 0; t < times; t++) {
            xinv_emit_phase(emit, phase, t > 0);
            for (size_t i = 0; i < job->n; i++)
                emit_attachment(job, emit, i, phase);
        }
    }
    xinv_emit_end(emit, job->completion);
}

static void normalise(struct job *job)
{
    struct xinv_request *r = &job->request;

    r->log2_granule = granule_of(r);
    job->ranged = xinv_request_ranged(r);
    if (!job->ranged)
        r->flags &= (uint16_t)~XINV_REQ_RANGE;
    job->report.asked_pages = job->ranged ? xinv_pages(r->first, r->last) : 0;
    if ((r->flags & XINV_REQ_INVALIDATE) && r->scope == XINV_SCOPE_ADDRESS && !job->ranged)
        r->scope =
            (r->flags & (XINV_REQ_PASID | XINV_REQ_ASID)) ? XINV_SCOPE_PASID : XINV_SCOPE_DOMAIN;
}

int xinv_translate(const struct xinv_iommu *iommu, const struct xinv_attachment *attachments,
                   size_t n, const struct xinv_request *request, const struct xinv_policy *policy,
                   const struct xinv_completion *completion, struct xinv_out *out,
                   struct xinv_report *report)
{
    static const struct xinv_policy exact = {XINV_POLICY_EXACT, 0, 0};
    static const struct xinv_completion nothing = {0};
    struct job job = {0};
    uint64_t most;
    int ret;

    if (!iommu || !attachments || !n || !request || !out)
        return -XINV_E_INVAL;
    job.iommu = iommu;
    job.vendor = iommu->vendor;
    job.at = attachments;
    job.n = n;
    job.request = *request;
    job.policy = policy ? *policy : exact;
    job.completion = completion ? completion : &nothing;
    ret = check_request(&job.request, &job.policy);
    if (!ret)
        ret = check_tags(&job);
    if (!ret)
        ret = xinv_emit_check(iommu, job.completion);
    if (!ret) {
        normalise(&job);
        ret = plan_all(&job, &most);
    }
    if (!ret) {
        struct xinv_emit emit;

        if (!out->words || !xinv_emit_fits(iommu, out, most)) {
            xinv_emit_begin(&emit, iommu, out, true);
            emit_all(&job, &emit);
            ret = xinv_emit_result(&emit, out, &job.report);
        }
        if (!ret && out->words) {
            xinv_emit_begin(&emit, iommu, out, false);
            emit_all(&job, &emit);
            ret = xinv_emit_result(&emit, out, &job.report);
        }
    }
    if (report)
        *report = job.report;
    return ret ? ret : (int)job.report.commands;
}
