// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/*
 * Requests on one IOMMU as a list of words.
 *
 * Everything that can fail is found before the first word is written: the attachments are checked
 * and every shape is planned, then the size is bounded, then words go out.
 */
#include "core/translate.h"

#include "core/cut.h"
#include "core/emit.h"
#include "core/iommu.h"
#include "core/planner.h"
#include "core/prepared.h"
#include "core/shape.h"
#include "core/tags.h"

/* Is row j of a plan, sent for attachment k, the same command? */
static bool same_command(const struct xinv_planner *p, size_t k, const struct xinv_plan *plan,
                         unsigned j, unsigned row, const struct xinv_operands *op)
{
    const struct xinv_attachment *at = &p->at[k];
    unsigned phase = p->vendor->commands[row].phase;
    struct xinv_operands other;

    /* an endpoint that needs it twice is not served by one that needs it once */
    if (plan->row[j].row != row || xinv_plan_repeats(p, at, phase, XINV_REPEAT_COMMAND) <
                                       xinv_plan_repeats(p, op->at, phase, XINV_REPEAT_COMMAND))
        return false;
    xinv_plan_operands(p, k, &plan->row[j], &other);
    if (xinv_plan_same_operands(op, &other))
        return true;
    for (unsigned a = 0; (plan->row[j].flags & XINV_NEED_ALIASES) && a < at->n_aliases; a++) {
        other.rid = at->aliases[a];
        if (xinv_plan_same_operands(op, &other))
            return true;
    }
    return false;
}

/*
 * Did an attachment before i, or a row before j of its own plan, send the same command? Two users
 * of one tag need it once. Endpoints stand together, so what names an endpoint itself can only have
 * been sent by its neighbours.
 */
static bool sent_before(struct xinv_planner *p, size_t i, const struct xinv_plan *plan, unsigned j,
                        const struct xinv_operands *op)
{
    unsigned row = plan->row[j].row;
    bool neighbours = (p->vendor->commands[row].operands & RID_BIT) && op->rid == p->at[i].rid;

    for (unsigned r = 0; r < j; r++)
        if (same_command(p, i, plan, r, row, op))
            return true;
    for (size_t k = i; k-- > 0;) {
        struct xinv_plan *other;

        if (neighbours && p->at[k].rid != op->rid)
            return false;
        if (xinv_plan_of(p, k, &other) || !other)
            continue;
        for (unsigned r = 0; r < other->n; r++)
            if (same_command(p, k, other, r, row, op))
                return true;
    }
    return false;
}

static void emit_row(struct xinv_planner *p, struct xinv_emit *emit, unsigned row, uint8_t policy,
                     struct xinv_operands *op)
{
    const struct xinv_command_def *cmd = &p->vendor->commands[row];
    unsigned times = xinv_plan_repeats(p, op->at, cmd->phase, XINV_REPEAT_COMMAND);
    struct xinv_cut_request request;
    struct xinv_cut cut;

    op->leaf = cmd->leaf;
    op->log2_granule = p->request.log2_granule;
    op->log2_leaf = p->request.log2_leaf_size;
    op->scaled = 0;
    if (cmd->ranges.count) {
        xinv_plan_cut(p, row, policy, &request);
        op->scaled = request.spec.kind == XINV_RANGE_SCALED;
    }
    if (p->list) {
        xinv_prepared_add(p->list, emit, row, times, cmd->ranges.count ? &request : NULL, op);
        return;
    }
    if (!cmd->ranges.count) {
        for (unsigned t = 0; t < times; t++)
            xinv_emit_command(emit, row, op);
        return;
    }
    if (!xinv_cut_begin(&cut, &request))
        return; /* blocks_of() has begun the same cut */
    while (xinv_cut_next(&cut, &op->block))
        for (unsigned t = 0; t < times; t++)
            xinv_emit_command(emit, row, op);
}

/*
 * Did parts before this one send the same command without a range for all that share a shape? What
 * names nothing at all is the same for everybody.
 */
static bool sent_by_parts(const struct xinv_planner *p, const struct xinv_plan *plan, unsigned j,
                          const struct xinv_attachment *at)
{
    const struct xinv_command_def *cmd = &p->vendor->commands[plan->row[j].row];

    if (cmd->ranges.count)
        return false;
    if (!(cmd->operands | p->iommu->target) &&
        xinv_plan_repeats(p, at, cmd->phase, XINV_REPEAT_COMMAND) == 1)
        return p->sent_bare >> plan->row[j].row & 1;
    for (unsigned i = 0; i < p->n_sent_before; i++)
        if (p->sent[i].key == plan->key && xinv_same_choice(p->sent[i].row, plan->row[j]))
            return true;
    return false;
}

static void note_sent(struct xinv_planner *p, const struct xinv_plan *plan, unsigned j)
{
    const struct xinv_sent sent = {plan->key, plan->row[j]};
    const struct xinv_command_def *cmd = &p->vendor->commands[plan->row[j].row];

    if (cmd->ranges.count)
        return;
    if (!(cmd->operands | p->iommu->target))
        p->sent_bare |= UINT64_C(1) << plan->row[j].row;
    for (unsigned i = p->n_sent_before; i < p->n_sent; i++)
        if (p->sent[i].key == sent.key && xinv_same_choice(p->sent[i].row, sent.row))
            return;
    if (p->n_sent < XINV_MAX_SENT)
        p->sent[p->n_sent++] = sent;
}

/* One row for one attachment, and for its aliases where the row names requester IDs that have them.
 */
static void emit_planned(struct xinv_planner *p, struct xinv_emit *emit, size_t i, unsigned j,
                         const struct xinv_plan *plan)
{
    const struct xinv_attachment *at = &p->at[i];
    unsigned row = plan->row[j].row;
    struct xinv_operands op = {0};

    if (p->n_parts > 1) {
        if (sent_by_parts(p, plan, j, at))
            return;
        note_sent(p, plan, j);
    }
    xinv_plan_operands(p, i, &plan->row[j], &op);
    if (!sent_before(p, i, plan, j, &op))
        emit_row(p, emit, row, plan->cut_policy, &op);
    if (!(plan->row[j].flags & XINV_NEED_ALIASES) || !(p->vendor->commands[row].operands & RID_BIT))
        return;
    for (unsigned a = 0; a < at->n_aliases; a++) {
        op.rid = at->aliases[a];
        if (op.rid != at->rid && !sent_before(p, i, plan, j, &op))
            emit_row(p, emit, row, plan->cut_policy, &op);
    }
}

static void emit_attachment(struct xinv_planner *p, struct xinv_emit *emit, size_t i,
                            unsigned phase)
{
    struct xinv_plan *found;
    struct xinv_plan plan;

    if (xinv_plan_of(p, i, &found) || !found)
        return;
    plan = *found; /* looking for what was sent before may plan another shape in its place */
    for (unsigned j = 0; j < plan.n; j++)
        if (xinv_plan_phase(p, &plan, j) == phase)
            emit_planned(p, emit, i, j, &plan);
}

/* Makes a part the one at work. Its plans are made as they are needed. */
static void take_part(struct xinv_planner *p, const struct xinv_part *part)
{
    p->at = part->at;
    p->n = part->n;
    p->request = part->request;
    p->report = (struct xinv_report){0};
    p->blocks = part->blocks ? part->blocks : p->policy.blocks;
    if (!part->alike)
        p->n_sent = 0;
    p->n_sent_before = p->n_sent;
    p->next_plan = 0;
    for (unsigned i = 0; i < XINV_PLANS; i++)
        p->plans[i].key = 0;
    xinv_planner_normalise(p);
}

/* Pages between those that were asked for are extra, and what planned the whole range knows nothing
 * of it. */
static void add_gaps(struct xinv_report *sum, const struct xinv_part *part)
{
    const struct xinv_request *r = &part->request;

    sum->asked_pages += part->pages;
    sum->extra_pages += xinv_pages(r->first, r->last) - part->pages;
    if (!xinv_request_ranged(r)) {
        sum->extra_unbounded = 1;
        sum->widened |= XINV_TAG_BIT(XINV_TAG_ADDRESS);
    }
}

static void add_report(struct xinv_report *sum, const struct xinv_report *report,
                       const struct xinv_part *part)
{
    sum->widened |= report->widened;
    sum->must_beyond |= report->must_beyond;
    sum->may_beyond |= report->may_beyond;
    sum->extra_unbounded |= report->extra_unbounded;
    sum->rows |= report->rows;
    sum->extra_pages += report->extra_pages;
    if (!part->again && part->pages)
        add_gaps(sum, part);
    else if (!part->again)
        sum->asked_pages += report->asked_pages;
    if (report->at)
        sum->at = report->at;
    sum->at_tag = report->at_tag;
    sum->at_cache = report->at_cache;
}

/* Checks and plans every part: everything that can fail does so here. */
static int plan_all(struct xinv_planner *p, struct xinv_report *sum, uint64_t *most_commands)
{
    uint64_t times = (uint64_t)xinv_plan_most_repeats(p, XINV_REPEAT_PHASE) *
                     xinv_plan_most_repeats(p, XINV_REPEAT_COMMAND);
    struct xinv_part part = {0};

    *most_commands = times * XINV_NPHASES + 1; /* fences of every phase, and the last sync */
    p->n_parts = 0;
    for (p->parts->rewind(p->parts); p->parts->next(p->parts, &part); p->n_parts++) {
        int ret = xinv_request_check(&part.request, &p->policy);

        if (!ret) {
            take_part(p, &part);
            ret = xinv_planner_check(p);
        }
        if (!ret)
            ret = xinv_plan_part(p, most_commands);
        add_report(sum, &p->report, &part);
        if (ret)
            return ret;
    }
    if (p->iommu->max_batch)
        *most_commands += *most_commands / p->iommu->max_batch;
    return 0;
}

/* Has an attachment before i the same queue? */
static bool target_before(const struct xinv_planner *p, size_t i)
{
    uint32_t target = xinv_target_of(p->iommu, &p->at[i]);

    for (size_t k = 0; k < i; k++)
        if (xinv_target_of(p->iommu, &p->at[k]) == target)
            return true;
    return false;
}

/* A phase's commands for the queue of attachment i, so that they stand together. */
static void emit_target(struct xinv_planner *p, struct xinv_emit *emit, size_t i, unsigned phase)
{
    uint32_t target = xinv_target_of(p->iommu, &p->at[i]);

    for (size_t k = i; k < p->n; k++)
        if (xinv_target_of(p->iommu, &p->at[k]) == target)
            emit_attachment(p, emit, k, phase);
}

static void emit_phase(struct xinv_planner *p, struct xinv_emit *emit, unsigned phase)
{
    struct xinv_part part = {0};

    p->n_sent = 0;
    p->sent_bare = 0;
    p->parts->rewind(p->parts);
    while (p->parts->next(p->parts, &part)) {
        if (p->n_parts > 1)
            take_part(p, &part);
        for (size_t i = 0; i < p->n; i++)
            if (!p->iommu->target)
                emit_attachment(p, emit, i, phase);
            else if (!target_before(p, i))
                emit_target(p, emit, i, phase);
    }
}

static void emit_phases(struct xinv_planner *p, struct xinv_emit *emit)
{
    for (unsigned phase = 0; phase < XINV_NPHASES; phase++) {
        unsigned times = xinv_plan_repeats(p, NULL, phase, XINV_REPEAT_PHASE);

        for (unsigned t = 0; t < times && (p->phases >> phase & 1); t++) {
            xinv_emit_phase(emit, phase, t > 0);
            emit_phase(p, emit, phase);
        }
    }
}

static void emit_all(struct xinv_planner *p, struct xinv_emit *emit,
                     const struct xinv_completion *completion)
{
    emit_phases(p, emit);
    xinv_emit_end(emit, completion);
}

/* Counts where the list may not fit or is not to be written, then writes it. */
static int write_all(struct xinv_planner *p, const struct xinv_completion *completion,
                     struct xinv_out *out, uint64_t most, struct xinv_report *sum)
{
    struct xinv_emit emit;
    int ret = 0;

    if (most > (UINT32_MAX - out->n_words) / p->iommu->words) {
        /* positions are 32 bits: a list that could pass them is not even counted */
        sum->need_words = UINT32_MAX;
        return -XINV_E_NOSPACE;
    }
    if (!out->words || p->count_first || !xinv_emit_fits(p->iommu, out, most)) {
        xinv_emit_begin(&emit, p->iommu, out, true);
        emit_all(p, &emit, completion);
        ret = xinv_emit_result(&emit, out, sum);
    }
    if (!ret && out->words) {
        xinv_emit_begin(&emit, p->iommu, out, false);
        emit_all(p, &emit, completion);
        ret = xinv_emit_result(&emit, out, sum);
    }
    return ret;
}

int xinv_translate_parts(const struct xinv_iommu *iommu, struct xinv_parts *parts,
                         const struct xinv_policy *policy, const struct xinv_completion *completion,
                         struct xinv_out *out, struct xinv_report *report)
{
    static const struct xinv_policy exact = {XINV_POLICY_EXACT, 0, 0};
    static const struct xinv_completion nothing = {0};
    struct xinv_report sum = {0};
    struct xinv_planner p = {0};
    uint64_t most;
    int ret;

    p.iommu = iommu;
    p.vendor = iommu->vendor;
    p.parts = parts;
    p.count_first = iommu->target != 0; /* the number of steps grows with the attachments */
    p.policy = policy ? *policy : exact;
    completion = completion ? completion : &nothing;
    ret = plan_all(&p, &sum, &most);
    if (!ret)
        ret = xinv_emit_check(iommu, completion);
    if (!ret)
        ret = write_all(&p, completion, out, most, &sum);
    if (report)
        *report = sum;
    return ret ? ret : (int)sum.commands;
}

static void rewind_single(struct xinv_parts *parts)
{
    ((struct xinv_single *)parts)->done = false;
}

static bool next_single(struct xinv_parts *parts, struct xinv_part *part)
{
    struct xinv_single *s = (struct xinv_single *)parts;

    if (s->done)
        return false;
    s->done = true;
    *part = s->part;
    return true;
}

void xinv_single_init(struct xinv_single *single, const struct xinv_attachment *at, size_t n,
                      const struct xinv_request *request)
{
    *single = (struct xinv_single){
        {rewind_single, next_single, NULL}, {at, n, *request, false, false, 0, 0}, false};
}

int xinv_translate(const struct xinv_iommu *iommu, const struct xinv_attachment *attachments,
                   size_t n, const struct xinv_request *request, const struct xinv_policy *policy,
                   const struct xinv_completion *completion, struct xinv_out *out,
                   struct xinv_report *report)
{
    struct xinv_single single;

    if (!iommu || !attachments || !n || !request || !out)
        return -XINV_E_INVAL;
    xinv_single_init(&single, attachments, n, request);
    return xinv_translate_parts(iommu, &single.parts, policy, completion, out, report);
}

/* Do all plans hold up to so many blocks? */
static bool all_hold(struct xinv_planner *p, uint32_t blocks)
{
    uint32_t asked[XINV_PLANS] = {0};

    for (size_t i = 0; i < p->n; i++) {
        struct xinv_plan *plan;
        size_t slot;

        if (xinv_plan_of(p, i, &plan) || !plan)
            continue;
        slot = (size_t)(plan - p->plans);
        if (asked[slot] == plan->key)
            continue;
        asked[slot] = plan->key;
        if (blocks > xinv_plan_limit(p, plan) || !xinv_plan_holds(p, i, plan, blocks))
            return false;
    }
    return true;
}

/* The most blocks, of a few numbers, up to which the plans are known to hold. */
static uint32_t certain_blocks(struct xinv_planner *p)
{
    for (uint32_t blocks = 1u << 16; blocks; blocks >>= 2)
        if (all_hold(p, blocks))
            return blocks;
    return 0;
}

int xinv_translate_record(struct xinv_prepared *list)
{
    struct xinv_out none = {0};
    struct xinv_planner p = {0};
    struct xinv_single single;
    struct xinv_emit emit;
    uint64_t most;
    int ret;

    xinv_single_init(&single, list->attachments, list->n_attachments, &list->request);
    p.iommu = list->iommu;
    p.vendor = list->iommu->vendor;
    p.parts = &single.parts;
    p.policy = list->policy;
    p.assumed = (struct xinv_assumed){true, 0, 1};
    ret = plan_all(&p, &list->report, &most);
    if (ret)
        return ret;
    list->blocks = certain_blocks(&p);
    list->report.extra_pages = 0;
    list->request.log2_granule = p.request.log2_granule;
    if (!list->blocks || (p.phases & 1u << XINV_PHASE_REGISTER))
        return 0;
    list->nothing = !p.phases;
    p.list = list;
    xinv_emit_begin(&emit, p.iommu, &none, true);
    emit_phases(&p, &emit);
    return 0;
}
