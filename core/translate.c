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

/* Is a row of a plan, sent for an attachment, the same command? */
XINV_OWN_FRAME static bool same_command(const struct xinv_planner *p,
                                        const struct xinv_attachment *at, xinv_choice sent,
                                        unsigned row, const struct xinv_operands *op)
{
    unsigned phase = p->commands[row].phase;
    unsigned aliases = xinv_choice_flags(sent) & XINV_NEED_ALIASES ? at->n_aliases : 0;
    struct xinv_operands other;

    /* an endpoint that needs it twice is not served by one that needs it once */
    if (xinv_choice_row(sent) != row ||
        xinv_plan_repeats(p, at->quirks, phase, XINV_REPEAT_COMMAND) <
            xinv_plan_repeats(p, op->at->quirks, phase, XINV_REPEAT_COMMAND))
        return false;
    xinv_plan_operands(p, at, sent, &other);
    for (unsigned a = 0;; a++) {
        if (xinv_plan_same_operands(op, &other))
            return true;
        if (a == aliases)
            return false;
        other.rid = at->aliases[a];
    }
}

/*
 * Did an attachment before this one, or a row before j of its own plan, send the same command? Two
 * users of one tag need it once. Endpoints stand together, so what names an endpoint itself can
 * only have been sent by its neighbours.
 */
static bool sent_before(struct xinv_planner *p, const struct xinv_plan *plan, unsigned j,
                        const struct xinv_operands *op)
{
    const struct xinv_attachment *at = op->at;
    unsigned row = xinv_choice_row(plan->row[j]);
    bool neighbours = (p->commands[row].operands & RID_BIT) && op->rid == at->rid;
    const struct xinv_plan *other = plan;
    unsigned n = j;

    for (;;) {
        for (unsigned r = 0; r < n; r++)
            if (same_command(p, at, other->row[r], row, op))
                return true;
        if (at == p->at || (neighbours && at[-1].rid != op->rid))
            return false;
        other = xinv_plan_of(p, --at);
        n = other ? other->n : 0;
    }
}

XINV_OWN_FRAME static void emit_row(struct xinv_planner *p, struct xinv_emit *emit, unsigned row,
                                    uint8_t policy, struct xinv_operands *op)
{
    const struct xinv_command_def *cmd = &p->commands[row];
    unsigned times = xinv_plan_repeats(p, op->at->quirks, cmd->phase, XINV_REPEAT_COMMAND);
    bool ranged = cmd->ranges.count != 0;
    struct xinv_cut_request request;
    struct xinv_cut cut;

    op->leaf = cmd->leaf;
    op->log2_granule = p->request.log2_granule;
    op->log2_leaf = p->request.log2_leaf_size;
    op->scaled = 0;
    if (ranged) {
        xinv_plan_cut(p, row, policy, &request);
        op->scaled = request.spec.kind == XINV_RANGE_SCALED;
    }
    if (p->record) {
        p->record(p->list, emit, row, times, ranged ? &request : NULL, op);
        return;
    }
    if (ranged && (!xinv_cut_begin(&cut, &request) || !xinv_cut_next(&cut, &op->block)))
        return; /* blocks_of() has begun the same cut */
    do {
        for (unsigned t = 0; t < times; t++)
            xinv_emit_command(emit, row, op);
    } while (ranged && xinv_cut_next(&cut, &op->block));
}

/*
 * Did parts before this one send the same command without a range for all that share a shape? What
 * names nothing at all is the same for everybody. If not, it is noted.
 */
static bool sent_by_parts(struct xinv_planner *p, const struct xinv_plan *plan, unsigned j,
                          uint8_t quirks)
{
    const xinv_choice choice = plan->row[j];
    const unsigned row = xinv_choice_row(choice);
    const struct xinv_command_def *cmd = &p->commands[row];
    const uint64_t bit = UINT64_C(1) << row;

    if (cmd->ranges.count)
        return false;
    if (!(cmd->operands | p->iommu->target)) {
        if ((p->sent_bare & bit) &&
            xinv_plan_repeats(p, quirks, cmd->phase, XINV_REPEAT_COMMAND) == 1)
            return true;
        p->sent_bare |= bit;
    }
    for (unsigned i = 0; i < p->n_sent; i++)
        if (p->sent_key[i] == plan->key && p->sent_row[i] == choice)
            return i < p->n_sent_before;
    if (p->n_sent < XINV_MAX_SENT) {
        p->sent_key[p->n_sent] = plan->key;
        p->sent_row[p->n_sent++] = choice;
    }
    return false;
}

/* Is all that one row removes for certain among what another does, whatever the address? */
static bool includes(const struct xinv_vendor *v, unsigned whole, unsigned row)
{
    const struct xinv_span *wholes = &v->commands[whole].removals;
    const struct xinv_span *removals = &v->commands[row].removals;
    bool all = v->commands[whole].leaf <= v->commands[row].leaf;

    for (unsigned i = 0; all && i < removals->count; i++) {
        const struct xinv_removal_def *r = &v->removals[removals->first + i];

        all = !r->must;
        for (unsigned k = 0; !all && k < wholes->count; k++) {
            const struct xinv_removal_def *w = &v->removals[wholes->first + k];

            all = w->must && w->cache == r->cache && !(w->match & ~r->match) &&
                  !(r->classes & ~w->classes);
        }
    }
    return all;
}

/*
 * Does a command before this one, in the same phase, leave nothing for it to do? An endpoint that
 * has moved to another domain loses its whole device TLB, in which ranges of that domain need not
 * be looked for. Both stand behind the same fence, after which no stale entry comes back.
 */
static bool is_needless(const struct xinv_planner *p, unsigned row, uint8_t quirks,
                        const struct xinv_operands *op)
{
    const struct xinv_command_def *cmd = &p->commands[row];
    unsigned times;

    if (!p->n_wholes || !cmd->ranges.count)
        return false;
    times = xinv_plan_repeats(p, quirks, cmd->phase, XINV_REPEAT_COMMAND);
    for (unsigned i = 0; i < p->n_wholes; i++) {
        const struct xinv_whole *w = &p->wholes[i];

        if (w->rid == op->rid && w->times >= times && includes(p->iommu->vendor, w->row, row) &&
            (w->pasid == op->pasid || !(p->commands[w->row].operands & PASID_BIT)))
            return true;
    }
    return false;
}

/* Parts of one list share what goes out for all of them; a list of one part has each command once
 * as it is. Where each target has a queue, nothing is known of another's order. */
static void note_whole(struct xinv_planner *p, unsigned row, uint8_t quirks,
                       const struct xinv_operands *op)
{
    const struct xinv_command_def *cmd = &p->commands[row];
    unsigned times;

    if (!p->several || p->iommu->target || cmd->phase != XINV_PHASE_DEVICE_TLB ||
        cmd->ranges.count || !(cmd->operands & RID_BIT) || p->n_wholes == XINV_MAX_WHOLES)
        return;
    times = xinv_plan_repeats(p, quirks, cmd->phase, XINV_REPEAT_COMMAND);
    p->wholes[p->n_wholes++] =
        (struct xinv_whole){op->rid, op->pasid, (uint8_t)row, (uint8_t)times};
}

/* One row with its operands, unless that has been done. */
static void emit_operands(struct xinv_planner *p, struct xinv_emit *emit,
                          const struct xinv_plan *plan, unsigned j, uint8_t quirks,
                          struct xinv_operands *op)
{
    unsigned row = xinv_choice_row(plan->row[j]);

    if (sent_before(p, plan, j, op) || is_needless(p, row, quirks, op))
        return;
    emit_row(p, emit, row, plan->cut_policy, op);
    note_whole(p, row, quirks, op);
}

/* One row for one attachment, and for its aliases where the row names requester IDs that have them.
 */
static void emit_planned(struct xinv_planner *p, struct xinv_emit *emit,
                         const struct xinv_attachment *at, const struct xinv_plan *plan, unsigned j)
{
    xinv_choice choice = plan->row[j];
    unsigned row = xinv_choice_row(choice);
    bool aliased =
        (xinv_choice_flags(choice) & XINV_NEED_ALIASES) && (p->commands[row].operands & RID_BIT);
    unsigned aliases = aliased ? at->n_aliases : 0;
    struct xinv_operands op = {0};

    if (p->several && sent_by_parts(p, plan, j, at->quirks))
        return;
    xinv_plan_operands(p, at, choice, &op);
    for (unsigned a = 0;; a++) {
        if (!a || op.rid != at->rid)
            emit_operands(p, emit, plan, j, at->quirks, &op);
        if (a == aliases)
            return;
        op.rid = at->aliases[a];
    }
}

static void emit_attachment(struct xinv_planner *p, struct xinv_emit *emit,
                            const struct xinv_attachment *at, unsigned phase)
{
    const struct xinv_plan *plan = xinv_plan_of(p, at);

    if (!plan)
        return;
    p->held = plan; /* looking for what was sent before may plan another shape */
    for (unsigned j = 0; j < plan->n; j++)
        if (xinv_plan_phase(p, plan, j) == phase)
            emit_planned(p, emit, at, plan, j);
    p->held = NULL;
}

/* Makes a part the one at work. Its plans are made as they are needed. */
static void take_part(struct xinv_planner *p, const struct xinv_part *part)
{
    p->at = part->at;
    p->end = part->at + part->n;
    p->request = *part->request;
    p->extra_pages = 0;
    p->blocks = part->blocks ? part->blocks : p->policy.blocks;
    if (!part->alike)
        p->n_sent = 0;
    p->n_sent_before = p->n_sent;
    p->next_plan = 0;
    for (unsigned i = 0; i < XINV_PLANS; i++)
        p->plans[i].key = 0;
    xinv_planner_normalise(p);
}

/* The pages of a part that was planned. Those between what was asked for are extra, and what
 * planned the whole range knows nothing of it. */
static void add_pages(struct xinv_planner *p, const struct xinv_part *part)
{
    const struct xinv_request *r = part->request;
    uint64_t asked = p->ranged ? xinv_pages(r->first, r->last) : 0;

    p->report.extra_pages += p->extra_pages;
    if (part->again)
        return;
    p->report.asked_pages += part->pages ? part->pages : asked;
    if (!part->pages)
        return;
    p->report.extra_pages += xinv_pages(r->first, r->last) - part->pages;
    if (!p->ranged) {
        p->report.extra_unbounded = 1;
        p->report.widened |= XINV_TAG_BIT(XINV_TAG_ADDRESS);
    }
}

/* The most that the errata of a table repeat anything. */
static unsigned most_repeats(const struct xinv_vendor *v, uint8_t unit)
{
    unsigned most = 1;

    for (unsigned i = 0; i < v->n_repeats; i++)
        if (v->repeats[i].unit == unit && v->repeats[i].times > most)
            most = v->repeats[i].times;
    return most;
}

/* Checks and plans every part: everything that can fail does so here. */
static int plan_all(struct xinv_planner *p, uint64_t *most_commands)
{
    const struct xinv_part *part;

    *most_commands = XINV_NPHASES; /* fences of every phase */
    p->parts->rewind(p->parts);
    while ((part = p->parts->next(p->parts)) != NULL) {
        int ret = xinv_request_check(part->request, &p->policy);

        if (ret)
            return ret;
        p->several = p->at != NULL;
        take_part(p, part);
        ret = xinv_planner_check(p);
        if (!ret)
            ret = xinv_plan_part(p, most_commands);
        add_pages(p, part);
        if (ret)
            return ret;
    }
    *most_commands *= (uint64_t)most_repeats(p->iommu->vendor, XINV_REPEAT_PHASE) *
                      most_repeats(p->iommu->vendor, XINV_REPEAT_COMMAND);
    *most_commands += 1; /* the last sync */
    if (p->iommu->max_batch)
        *most_commands += *most_commands / p->iommu->max_batch;
    return 0;
}

/* Has an attachment before this one the same queue? */
static bool target_before(const struct xinv_planner *p, const struct xinv_attachment *at)
{
    uint32_t target = xinv_target_of(p->iommu, at);

    for (const struct xinv_attachment *other = p->at; other < at; other++)
        if (xinv_target_of(p->iommu, other) == target)
            return true;
    return false;
}

/* A phase's commands for the queue of an attachment, so that they stand together. */
static void emit_target(struct xinv_planner *p, struct xinv_emit *emit,
                        const struct xinv_attachment *at, unsigned phase)
{
    uint32_t target = xinv_target_of(p->iommu, at);

    for (; at < p->end; at++)
        if (xinv_target_of(p->iommu, at) == target)
            emit_attachment(p, emit, at, phase);
}

static void emit_phase(struct xinv_planner *p, struct xinv_emit *emit, unsigned phase)
{
    const struct xinv_part *part;

    p->n_sent = 0;
    p->sent_bare = 0;
    p->n_wholes = 0;
    p->parts->rewind(p->parts);
    while ((part = p->parts->next(p->parts)) != NULL) {
        if (p->several)
            take_part(p, part);
        for (const struct xinv_attachment *at = p->at; at < p->end; at++)
            if (!target_before(p, at))
                emit_target(p, emit, at, phase);
    }
}

static void emit_phases(struct xinv_planner *p, struct xinv_emit *emit)
{
    for (unsigned phase = 0; phase < XINV_NPHASES; phase++) {
        unsigned times = xinv_plan_repeats(p, 0, phase, XINV_REPEAT_PHASE);

        for (unsigned t = 0; t < times && (p->phases >> phase & 1); t++) {
            xinv_emit_phase(emit, phase, t > 0);
            emit_phase(p, emit, phase);
        }
    }
}

/* Counts where the list may not fit or is not to be written, then writes it. */
static int write_all(struct xinv_planner *p, const struct xinv_completion *completion,
                     struct xinv_out *out, uint64_t most)
{
    /* neither register steps nor those of several queues are bounded by the phases */
    bool counting = !out->words || p->iommu->target || (p->phases & 1u << XINV_PHASE_REGISTER) ||
                    !xinv_emit_fits(p->iommu, out, most);

    if (most > (UINT32_MAX - out->n_words) / p->iommu->words) {
        /* positions are 32 bits: a list that could pass them is not even counted */
        p->report.need_words = UINT32_MAX;
        return -XINV_E_NOSPACE;
    }
    for (;;) {
        struct xinv_emit emit;
        int ret;

        xinv_emit_begin(&emit, p->iommu, out, counting);
        emit_phases(p, &emit);
        xinv_emit_end(&emit, completion);
        ret = xinv_emit_result(&emit, out, &p->report);
        if (ret || !counting || !out->words)
            return ret;
        counting = false;
    }
}

int xinv_translate_parts(const struct xinv_iommu *iommu, struct xinv_parts *parts,
                         const struct xinv_policy *policy, const struct xinv_completion *completion,
                         struct xinv_out *out, struct xinv_report *report)
{
    static const struct xinv_policy exact = {XINV_POLICY_EXACT, 0, 0};
    static const struct xinv_completion nothing = {0};
    struct xinv_planner p = {0};
    uint64_t most;
    int ret;

    p.iommu = iommu;
    p.commands = iommu->vendor->commands;
    p.parts = parts;
    p.policy = policy ? *policy : exact;
    completion = completion ? completion : &nothing;
    ret = plan_all(&p, &most);
    if (!ret)
        ret = xinv_emit_check(iommu, completion);
    if (!ret)
        ret = write_all(&p, completion, out, most);
    if (report)
        *report = p.report;
    return ret ? ret : (int)p.report.commands;
}

static void rewind_single(struct xinv_parts *parts)
{
    ((struct xinv_single *)parts)->done = false;
}

static const struct xinv_part *next_single(struct xinv_parts *parts)
{
    struct xinv_single *s = (struct xinv_single *)parts;

    if (s->done)
        return NULL;
    s->done = true;
    return &s->part;
}

void xinv_single_init(struct xinv_single *single, const struct xinv_attachment *at, size_t n,
                      const struct xinv_request *request)
{
    *single = (struct xinv_single){
        {rewind_single, next_single, NULL}, {at, n, request, false, false, 0, 0}, false};
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

    for (const struct xinv_attachment *at = p->at; at < p->end; at++) {
        const struct xinv_plan *plan = xinv_plan_of(p, at);
        size_t slot;

        if (!plan)
            continue;
        slot = (size_t)(plan - p->plans);
        if (asked[slot] == plan->key)
            continue;
        asked[slot] = plan->key;
        if (blocks > xinv_plan_limit(p, plan) || !xinv_plan_holds(p, at, plan, blocks))
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
    p.commands = list->iommu->vendor->commands;
    p.parts = &single.parts;
    p.policy = list->policy;
    p.assumed = (struct xinv_assumed){.blocks = 1, .on = true};
    ret = plan_all(&p, &most);
    list->report = p.report;
    if (ret)
        return ret;
    list->blocks = certain_blocks(&p);
    list->report.extra_pages = 0;
    list->request.log2_granule = p.request.log2_granule;
    if (!list->blocks || (p.phases & 1u << XINV_PHASE_REGISTER))
        return 0;
    list->nothing = !p.phases;
    p.list = list;
    p.record = xinv_prepared_add;
    xinv_emit_begin(&emit, p.iommu, &none, true);
    emit_phases(&p, &emit);
    return 0;
}
