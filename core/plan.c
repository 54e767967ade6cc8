// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/* Plans: for each shape of a request's attachments, the rows that the policy wants. */
#include "core/iommu.h"
#include "core/ladder.h"
#include "core/planner.h"
#include "core/shape.h"
#include "core/tags.h"

unsigned xinv_plan_repeats(const struct xinv_planner *p, uint8_t quirks, unsigned phase,
                           uint8_t unit)
{
    const struct xinv_vendor *v = p->iommu->vendor;
    unsigned times = 1;

    for (unsigned i = 0; i < v->n_repeats; i++) {
        const struct xinv_repeat_def *def = &v->repeats[i];

        if (def->unit != unit || !(def->phases >> phase & 1) ||
            (def->quirk && !(def->quirk & quirks)))
            continue;
        if (!(p->request.flags & XINV_REQ_INVALIDATE) &&
            (def->except_changes >> p->request.change & 1))
            continue;
        if (def->times > times && xinv_conds_hold(p->iommu, def->conds))
            times = def->times;
    }
    return times;
}

void xinv_plan_cut(const struct xinv_planner *p, unsigned row, uint8_t policy,
                   struct xinv_cut_request *cut)
{
    bool ipa = p->commands[row].operands & XINV_TAG_BIT(XINV_TAG_IPA);
    uint64_t top = xinv_address_top(p->iommu, ipa ? XINV_TAG_IPA : XINV_TAG_ADDRESS);

    cut->spec = p->iommu->range[row];
    cut->policy = policy;
    cut->blocks = p->blocks;
    cut->log2_granule = p->request.log2_granule;
    /* any address in a block entry finds it (SMMUv3 4.4.1: TG = 0), but not the tables beside it */
    cut->log2_step = p->request.flags & XINV_REQ_LEAF_ONLY ? p->request.log2_smallest_leaf : 0;
    cut->log2_leaf = p->request.log2_leaf_size;
    cut->leaves_within = (p->request.flags & XINV_REQ_LEAVES_WITHIN) != 0;
    cut->first = p->request.first;
    cut->last = p->request.last < top ? p->request.last : top;
}

static bool has_pasids(const struct xinv_planner *p, const struct xinv_attachment *at)
{
    const struct xinv_attachment *other = at;

    if (at->flags & (XINV_ATT_PASID_ENABLED | XINV_ATT_PASIDS_UNKNOWN))
        return true;
    /* attachments of one endpoint stand next to each other */
    while (other > p->at && other[-1].rid == at->rid)
        other--;
    for (; other < p->end && other->rid == at->rid; other++)
        if (other != at && (other->known & PASID_BIT) && other->pasid)
            return true;
    return false;
}

/* Is the request about this attachment at all? */
static bool concerns(const struct xinv_planner *p, const struct xinv_attachment *at)
{
    const uint16_t one_pasid = XINV_REQ_INVALIDATE | XINV_REQ_PASID;

    return (p->request.flags & one_pasid) != one_pasid || !(at->known & PASID_BIT) ||
           at->pasid == p->request.pasid;
}

void xinv_plan_operands(const struct xinv_planner *p, const struct xinv_attachment *at,
                        xinv_choice choice, struct xinv_operands *op)
{
    struct xinv_names names = xinv_names_of(&p->request, at);
    uint8_t carried = p->commands[xinv_choice_row(choice)].operands | p->iommu->target;
    uint8_t tags = carried & names.known & (uint8_t)~xinv_choice_zero(choice);

    /* a field that the command ignores is written as 0, and so is a tag that is not known */
    op->at = at;
    op->rid = tags & RID_BIT ? at->rid : 0;
    op->pasid = tags & PASID_BIT ? names.pasid : 0;
    op->asid = tags & ASID_BIT ? names.asid : 0;
    op->did = tags & DID_BIT ? at->did : 0;
    op->vmid = tags & VMID_BIT ? at->vmid : 0;
    if ((xinv_choice_flags(choice) & XINV_NEED_NEW_DID) && !(xinv_choice_zero(choice) & DID_BIT))
        op->did = p->request.new_did;
}

bool xinv_plan_same_operands(const struct xinv_operands *a, const struct xinv_operands *b)
{
    return a->rid == b->rid && a->pasid == b->pasid && a->asid == b->asid && a->did == b->did &&
           a->vmid == b->vmid;
}

/* The key of an attachment's shape; 0: the request is not about it. */
static uint32_t key_of(const struct xinv_planner *p, const struct xinv_attachment *at)
{
    return concerns(p, at) ? xinv_shape_key(at, has_pasids(p, at)) : 0;
}

/* Has an attachment before this one, of its shape, the same operands? Attachments of one endpoint
 * stand together, so what names an endpoint can only agree with its neighbours. */
static bool counted_before(const struct xinv_planner *p, const struct xinv_attachment *at,
                           uint32_t key, xinv_choice choice)
{
    const uint8_t named_tags =
        p->commands[xinv_choice_row(choice)].operands & (uint8_t)~xinv_choice_zero(choice);
    const bool neighbours = named_tags & at->known & RID_BIT;
    struct xinv_operands own;

    xinv_plan_operands(p, at, choice, &own);
    while (at > p->at && !(neighbours && at[-1].rid != own.rid)) {
        struct xinv_operands other;

        at--;
        if (key_of(p, at) != key)
            continue;
        xinv_plan_operands(p, at, choice, &other);
        if (xinv_plan_same_operands(&own, &other))
            return true;
    }
    return false;
}

/* How many commands one row comes to over all attachments of a shape: one for each value of its
 * operands. */
XINV_OWN_FRAME static uint64_t fan_out(const struct xinv_planner *p, uint32_t key,
                                       xinv_choice choice)
{
    uint64_t n = 0;

    for (const struct xinv_attachment *at = p->at; at < p->end; at++)
        n += key_of(p, at) == key && !counted_before(p, at, key, choice);
    return n;
}

/*
 * How far a row may go before a wider scope is taken. Where no plan keeps to max_commands, that
 * limit gives way, not the invalidation; and where a policy's few blocks cannot say the range, an
 * exact cut can.
 */
enum {
    PASS_POLICY,
    PASS_UNLIMITED,
    PASS_ANY_CUT,
    N_PASSES
};
#define MOST_BLOCKS (UINT32_C(1) << 20) /* a longer list for one tag and cache serves nobody */

static uint8_t pass_policy(const struct xinv_planner *p, unsigned pass)
{
    return pass == PASS_ANY_CUT && p->policy.kind == XINV_POLICY_AT_MOST ? XINV_POLICY_EXACT
                                                                         : p->policy.kind;
}

/* The most blocks of a row that a pass takes. */
static uint64_t most_blocks(const struct xinv_planner *p, unsigned row, unsigned pass)
{
    uint16_t own = p->policy.max_commands;

    if (own == XINV_WORTH)
        own = p->iommu->worth[row];
    if (pass == PASS_POLICY && own)
        return own;
    return pass == PASS_ANY_CUT ? UINT32_MAX - 1 : MOST_BLOCKS;
}

/* Blocks of a row for one attachment; 0 if it cannot say the range. */
static uint64_t blocks_of(const struct xinv_planner *p, unsigned row, unsigned pass,
                          uint64_t *pages)
{
    struct xinv_cut_request cut;
    uint64_t limit = most_blocks(p, row, pass);
    uint64_t n;

    *pages = 0;
    if (!p->commands[row].ranges.count)
        return 1;
    if (p->assumed.on)
        return p->assumed.rows >> row & 1 ? p->assumed.blocks : 1;
    if (!p->ranged)
        return 0; /* there is no address to say, even where only some of its removals look at it */
    xinv_plan_cut(p, row, pass_policy(p, pass), &cut);
    if (cut.first > cut.last)
        return 0; /* it cannot name any of it */
    n = xinv_cut_count(&cut, limit, pages);
    return n > limit ? 0 : n;
}

/* What is made of a shape: the rows that there are, and those that the policy wants. */
struct proposal {
    struct xinv_candidates found;
    struct xinv_cover cover;
    unsigned pass;                  /* that found it; N_PASSES: nothing covers the shape */
    uint32_t blocks[XINV_MAX_ROWS]; /* of the chosen rows, for one attachment */
    struct xinv_rung rung[XINV_MAX_CANDIDATES];
};

/* The plan that the policy wants; false if nothing covers the shape. */
static bool choose(const struct xinv_planner *p, uint32_t key, struct proposal *made)
{
    bool latency = p->policy.kind == XINV_POLICY_LATENCY;
    struct xinv_candidates *found = &made->found;
    struct xinv_sync_rule rule = {.vendor = p->iommu->vendor};

    for (unsigned phase = 0; latency && phase < XINV_NPHASES; phase++)
        rule.again[phase] = (uint8_t)(xinv_plan_repeats(p, 0, phase, XINV_REPEAT_PHASE) - 1);
    for (made->pass = 0; made->pass < N_PASSES; made->pass++) {
        for (unsigned i = 0; i < found->n; i++) {
            xinv_choice choice = found->c[i].choice;
            uint64_t pages;
            uint64_t n = blocks_of(p, xinv_choice_row(choice), made->pass, &pages);

            if (n && p->end - p->at > 1)
                n *= fan_out(p, key, choice);
            found->commands[i] = n < UINT32_MAX ? (uint32_t)n : UINT32_MAX;
        }
        if (xinv_cover_best(found, latency ? &rule : NULL, &made->cover))
            return true;
    }
    return false;
}

/* How the chosen rows say the range. */
static void count_blocks(struct xinv_planner *p, struct proposal *made)
{
    uint64_t asked = p->ranged ? xinv_pages(p->request.first, p->request.last) : 0;

    for (unsigned i = 0; i < made->cover.n; i++) {
        uint64_t pages;

        made->blocks[i] = (uint32_t)blocks_of(
            p, xinv_choice_row(made->found.c[made->cover.chosen[i]].choice), made->pass, &pages);
        if (pages > asked && pages - asked > p->extra_pages)
            p->extra_pages = pages - asked;
    }
}

/* The candidates of an attachment's shape, and the choice among them. */
static int plan_shape(struct xinv_planner *p, const struct xinv_attachment *at, uint32_t key,
                      struct proposal *made)
{
    bool pasids = has_pasids(p, at);
    struct xinv_shape shape;
    bool chosen;
    int ret;

    if (!p->parts->planned && xinv_ladder_find(p->iommu, &p->request, at, pasids, &made->found) &&
        choose(p, key, made)) {
        count_blocks(p, made);
        return 0;
    }
    ret = xinv_shape_build(p->iommu, &p->request, at, pasids, &shape);
    if (ret)
        return ret;
    xinv_candidates_find(p->iommu, &shape, made->rung, &made->found);
    chosen = choose(p, key, made);
    if (chosen)
        count_blocks(p, made);
    if (p->parts->planned)
        p->parts->planned(p->parts, (size_t)(at - p->at), key, &shape, &made->found,
                          chosen ? &made->cover : NULL, made->blocks);
    if (chosen)
        return 0;
    p->report.at_cache = shape.need[xinv_cover_open(&made->found)].cache;
    return -XINV_E_MUST_BLOCK;
}

/* Keeps a plan, and notes what it gives up for the report. */
static void fill_plan(struct xinv_planner *p, const struct proposal *made, struct xinv_plan *plan)
{
    struct xinv_report *report = &p->report;
    uint8_t lost = 0;

    plan->n = made->cover.n;
    plan->cut_policy = pass_policy(p, made->pass);
    plan->listed = 0;
    plan->blocks = 0;
    for (unsigned i = 0; i < plan->n; i++) {
        const struct xinv_rung *c = &made->found.c[made->cover.chosen[i]];

        plan->row[i] = c->choice;
        plan->listed |= (uint16_t)((unsigned)c->listed << i);
        plan->blocks += made->blocks[i] < UINT32_MAX - plan->blocks ? made->blocks[i]
                                                                    : UINT32_MAX - plan->blocks;
        lost |= c->lost;
        report->must_beyond |= c->must;
        report->may_beyond |= c->may;
        report->rows |= UINT64_C(1) << xinv_choice_row(c->choice);
        p->phases |= 1u << c->phase;
    }
    if (lost & ADDRESS_TAGS) {
        lost = (uint8_t)((lost & ~ADDRESS_TAGS) | XINV_TAG_BIT(XINV_TAG_ADDRESS));
        report->extra_unbounded = 1;
    }
    report->widened |= lost;
}

static const struct xinv_plan *make_plan(struct xinv_planner *p, const struct xinv_attachment *at,
                                         uint32_t key)
{
    struct proposal proposal;
    int ret = plan_shape(p, at, key, &proposal);
    struct xinv_plan *plan;

    if (ret) {
        p->error = ret;
        p->report.at = at;
        return NULL;
    }
    do {
        plan = &p->plans[p->next_plan];
        p->next_plan = (uint8_t)((p->next_plan + 1) % XINV_PLANS);
    } while (plan == p->held);
    fill_plan(p, &proposal, plan);
    plan->key = key;
    return plan;
}

const struct xinv_plan *xinv_plan_of(struct xinv_planner *p, const struct xinv_attachment *at)
{
    uint32_t key = key_of(p, at);

    if (!key)
        return NULL;
    for (unsigned i = 0; i < XINV_PLANS; i++)
        if (p->plans[i].key == key)
            return &p->plans[i];
    return make_plan(p, at, key);
}

uint64_t xinv_plan_limit(const struct xinv_planner *p, const struct xinv_plan *plan)
{
    uint64_t limit = UINT64_MAX;

    for (unsigned k = 0; k < plan->n; k++) {
        uint64_t own = most_blocks(p, xinv_choice_row(plan->row[k]), PASS_POLICY);

        if (p->commands[xinv_choice_row(plan->row[k])].ranges.count && own < limit)
            limit = own;
    }
    return limit;
}

/* Is a row of a plan a candidate with other operands too? */
static bool has_rival(const struct xinv_candidates *found, xinv_choice own)
{
    for (unsigned i = 0; i < found->n; i++)
        if (xinv_choice_row(found->c[i].choice) == xinv_choice_row(own) &&
            found->c[i].choice != own)
            return true;
    return false;
}

bool xinv_plan_holds(struct xinv_planner *p, const struct xinv_attachment *at,
                     const struct xinv_plan *plan, uint32_t blocks)
{
    struct proposal made;
    bool same;

    p->assumed.blocks = blocks;
    for (unsigned k = 0; k < plan->n; k++)
        p->assumed.rows |= UINT64_C(1) << xinv_choice_row(plan->row[k]);
    same = plan_shape(p, at, plan->key, &made) == 0 && made.cover.n == plan->n;
    p->assumed.rows = 0;
    for (unsigned k = 0; same && k < plan->n; k++)
        same = made.found.c[made.cover.chosen[k]].choice == plan->row[k] &&
               (blocks == 1 || !has_rival(&made.found, plan->row[k]));
    return same;
}

static bool has_row(const struct xinv_plan *plan, xinv_choice row)
{
    for (unsigned i = 0; i < plan->n; i++)
        if (plan->row[i] == row)
            return true;
    return false;
}

/*
 * Does another attachment remove all that lives under its own tags, whatever rows it does so with?
 * It has the same needs where these agree: what one attachment makes stale with tags that both have
 * in common, the other's own need is about as well. An alias is the exception, since not every need
 * is about aliases.
 */
static bool removes_its_own(const struct xinv_attachment *at, const struct xinv_attachment *other)
{
    return at->stage == other->stage && at->flags == other->flags &&
           !((at->known ^ other->known) & PASID_BIT) && !other->n_aliases;
}

/*
 * A row that must go out for every live value of a tag is sent by each attachment for its own.
 * That is every value only if all of them send it, or remove what has their value in another way:
 * where they know different tags, their plans may differ.
 */
static int check_listed(struct xinv_planner *p, const struct xinv_attachment *at,
                        const struct xinv_plan *plan)
{
    const struct xinv_vendor *v = p->iommu->vendor;

    if (!plan->listed)
        return 0;
    for (const struct xinv_attachment *k = p->at; k < p->end; k++) {
        const struct xinv_plan *other = xinv_plan_of(p, k);

        if (p->error)
            return p->error;
        if (!other || removes_its_own(at, k))
            continue;
        for (unsigned j = 0; j < plan->n; j++)
            if ((plan->listed >> j & 1) && !has_row(other, plan->row[j])) {
                p->report.at_cache =
                    v->removals[p->commands[xinv_choice_row(plan->row[j])].removals.first].cache;
                p->report.at = at;
                return -XINV_E_MUST_BLOCK;
            }
    }
    return 0;
}

int xinv_plan_part(struct xinv_planner *p, uint64_t *most_commands)
{
    bool any = false;

    for (const struct xinv_attachment *at = p->at; at < p->end; at++) {
        const struct xinv_plan *plan = xinv_plan_of(p, at);

        if (p->error)
            return p->error;
        if (!plan)
            continue;
        any = true;
        p->held = plan;
        p->error = check_listed(p, at, plan);
        p->held = NULL;
        if (p->error)
            return p->error;
        *most_commands += (uint64_t)plan->blocks * (1u + at->n_aliases);
    }
    return any ? 0 : -XINV_E_NOENT;
}
