// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/*
 * Requests on one IOMMU: shapes, plans, order, words.
 *
 * Everything that can fail is found before the first word is written: the attachments are checked
 * and every shape is planned, then the size is bounded, then words go out.
 */
#include "core/translate.h"
#include "core/cover.h"
#include "core/emit.h"
#include "core/iommu.h"
#include "core/ladder.h"
#include "core/range.h"
#include "core/shape.h"

#define ADDRESS_TAGS ((uint8_t)(XINV_TAG_BIT(XINV_TAG_ADDRESS) | XINV_TAG_BIT(XINV_TAG_IPA)))
#define PASID_BIT    XINV_TAG_BIT(XINV_TAG_PASID)
#define DID_BIT      XINV_TAG_BIT(XINV_TAG_DID)

/* A shape that was planned: the rows that the policy chose, and what their operands are. */
struct plan {
    uint32_t key;
    uint8_t n;
    uint8_t
        cut_policy; /* enum xinv_policy_kind; exact where the caller's own cannot say the range */
    uint8_t row[XINV_MAX_ROWS];
    uint8_t phase[XINV_MAX_ROWS];
    uint8_t zero[XINV_MAX_ROWS];    /* operands that are 0 */
    uint8_t flags[XINV_MAX_ROWS];   /* XINV_NEED_ALIASES, XINV_NEED_NEW_DID */
    uint32_t blocks[XINV_MAX_ROWS]; /* commands for one attachment */
    uint16_t listed; /* rows that must go out for every live value of a tag, a bit each */
};

#define PLANS 8 /* shapes that are remembered at once; more are planned again */

struct job {
    const struct xinv_iommu *iommu;
    const struct xinv_vendor *vendor;
    const struct xinv_attachment *at;
    size_t n;
    struct xinv_request request;
    struct xinv_policy policy;
    struct xinv_parts *parts;
    unsigned n_parts;
    unsigned phases;           /* mask of those that some part needs */
    struct xinv_report report; /* of this part */
    bool ranged;
    bool count_first; /* the output's size cannot be bounded without a pass that counts */
    uint8_t next_plan;
    struct plan plans[PLANS];
};

/* Checks. */

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

/* Is a change about translations of requests without PASID alone? */
static bool is_untagged(const struct job *job, const struct xinv_attachment *at)
{
    const struct xinv_request *r = &job->request;

    return !(r->flags & XINV_REQ_INVALIDATE) && r->change <= XINV_CHANGE_STAGE2_PTE &&
           !((at->known & PASID_BIT) && at->pasid) && !(at->flags & XINV_ATT_PASIDS_UNKNOWN);
}

static int check_attachment(struct job *job, const struct xinv_attachment *at)
{
    uint32_t value[XINV_NTAGS] = {
        [XINV_TAG_RID] = at->rid, [XINV_TAG_PASID] = at->pasid, [XINV_TAG_ASID] = at->asid,
        [XINV_TAG_DID] = at->did, [XINV_TAG_VMID] = at->vmid,
    };

    if (at->stage >= XINV_NSTAGES || (at->n_aliases && !at->aliases))
        return refuse(job, at, 0, -XINV_E_INVAL);
    if (!(job->iommu->stages & XINV_STAGE_BIT(at->stage)) ||
        (is_untagged(job, at) && !(job->iommu->untagged & XINV_STAGE_BIT(at->stage))))
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
        r->log2_granule > 16 || (r->log2_granule && r->log2_granule < 12) ||
        r->log2_smallest_leaf > (r->log2_leaf_size ? r->log2_leaf_size : 12))
        return -XINV_E_INVAL;
    if ((r->flags & XINV_REQ_RANGE) && r->first > r->last)
        return -XINV_E_RANGE;
    if (r->flags & XINV_REQ_INVALIDATE) {
        if (!r->caches || r->scope > XINV_SCOPE_EVERYTHING)
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

/* Plans. */

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

static void cut_request(const struct job *job, unsigned row, uint8_t policy,
                        struct xinv_cut_request *cut)
{
    cut->spec = job->iommu->range[row];
    cut->policy = policy;
    cut->blocks = job->policy.blocks;
    cut->log2_granule = job->request.log2_granule;
    /* any address in a block entry finds it (SMMUv3 4.4.1: TG = 0), but not the tables beside it */
    cut->log2_step = job->request.flags & XINV_REQ_LEAF_ONLY ? job->request.log2_smallest_leaf : 0;
    cut->log2_leaf = job->request.log2_leaf_size;
    cut->leaves_within = job->request.flags & XINV_REQ_LEAVES_WITHIN;
    cut->first = job->request.first;
    cut->last = job->request.last;
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

/* Is the request about this attachment at all? */
static bool concerns(const struct job *job, size_t i)
{
    const struct xinv_attachment *at = &job->at[i];

    return !((job->request.flags & XINV_REQ_INVALIDATE) && (job->request.flags & XINV_REQ_PASID) &&
             (at->known & PASID_BIT) && at->pasid != job->request.pasid);
}

static void operands_of(const struct job *job, size_t i, uint8_t zero, uint8_t flags,
                        struct xinv_operands *op)
{
    const struct xinv_attachment at = named(job, i);

    op->at = &job->at[i];
    op->rid = (at.known & XINV_TAG_BIT(XINV_TAG_RID)) ? at.rid : 0;
    op->pasid = (at.known & PASID_BIT) ? at.pasid : 0;
    op->asid = (at.known & XINV_TAG_BIT(XINV_TAG_ASID)) ? at.asid : 0;
    op->did = (at.known & DID_BIT) ? at.did : 0;
    op->vmid = (at.known & XINV_TAG_BIT(XINV_TAG_VMID)) ? at.vmid : 0;
    if (flags & XINV_NEED_NEW_DID)
        op->did = job->request.new_did;
    if (zero & DID_BIT)
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
             (tags & DID_BIT && a->did != b->did) ||
             (tags & XINV_TAG_BIT(XINV_TAG_VMID) && a->vmid != b->vmid));
}

static uint32_t key_of(const struct job *job, size_t i)
{
    return xinv_shape_key(&job->at[i], has_pasids(job, i));
}

/* How many commands one row comes to over all attachments of a shape: one for each value of its
 * operands. */
static uint64_t fan_out(const struct job *job, uint32_t key, const struct xinv_candidate *c)
{
    uint8_t tags = job->vendor->commands[c->row].operands;
    uint64_t n = 0;

    if (job->n == 1)
        return 1;
    for (size_t i = 0; i < job->n; i++) {
        struct xinv_operands own;
        bool seen = false;

        if (!concerns(job, i) || key_of(job, i) != key)
            continue;
        operands_of(job, i, c->choice.zero, c->choice.flags, &own);
        for (size_t k = 0; k < i && !seen; k++) {
            struct xinv_operands other;

            if (!concerns(job, k) || key_of(job, k) != key)
                continue;
            operands_of(job, k, c->choice.zero, c->choice.flags, &other);
            seen = same_operands(&own, &other, tags);
        }
        n += !seen;
    }
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

static uint8_t pass_policy(const struct job *job, unsigned pass)
{
    return pass == PASS_ANY_CUT && job->policy.kind == XINV_POLICY_AT_MOST ? XINV_POLICY_EXACT
                                                                           : job->policy.kind;
}

/* Blocks of a row for one attachment; 0 if it cannot say the range. */
static uint64_t blocks_of(const struct job *job, unsigned row, unsigned pass, uint64_t *pages)
{
    struct xinv_cut_request cut;
    uint64_t limit = MOST_BLOCKS;
    uint64_t n;

    *pages = 0;
    if (!job->vendor->commands[row].ranges.count)
        return 1;
    if (!job->ranged)
        return 0; /* there is no address to say, even where only some of its removals look at it */
    if (pass == PASS_POLICY && job->policy.max_commands)
        limit = job->policy.max_commands;
    if (pass == PASS_ANY_CUT)
        limit = UINT32_MAX - 1;
    cut_request(job, row, pass_policy(job, pass), &cut);
    n = xinv_cut_count(&cut, limit, pages);
    return n > limit ? 0 : n;
}

/* Syncs of every set of phases, as emission will place them. */
static void count_syncs(const struct job *job, uint8_t syncs[1 << XINV_NPHASES])
{
    for (unsigned set = 0; set < 1u << XINV_NPHASES; set++) {
        unsigned pending = 0;

        syncs[set] = 0;
        for (unsigned p = XINV_PHASE_REGISTER + 1; p < XINV_NPHASES; p++) {
            bool fence = false;
            unsigned again;

            if (!(set >> p & 1))
                continue;
            for (unsigned q = 0; q < p; q++)
                fence |= (pending >> q & 1) && job->vendor->order[q][p] != XINV_ORDER_QUEUE;
            again = repeats(job, NULL, p, XINV_REPEAT_PHASE) - 1;
            syncs[set] = (uint8_t)(syncs[set] + fence + again);
            pending = 1u << p;
        }
    }
}

/* The plan that the policy wants; returns the pass that found it, or N_PASSES if nothing covers the
 * shape. */
static unsigned choose(const struct job *job, uint32_t key, struct xinv_candidates *found,
                       struct xinv_cover *best)
{
    bool latency = job->policy.kind == XINV_POLICY_LATENCY;
    uint8_t syncs[1 << XINV_NPHASES];
    uint64_t pages;
    unsigned pass;

    if (latency)
        count_syncs(job, syncs);
    for (pass = 0; pass < N_PASSES; pass++) {
        for (unsigned i = 0; i < found->n; i++)
            found->c[i].commands =
                blocks_of(job, found->c[i].row, pass, &pages) * fan_out(job, key, &found->c[i]);
        if (xinv_cover_best(found, latency ? syncs : NULL, best))
            break;
    }
    return pass;
}

/* What a plan gives up, for the report. */
static void account(struct job *job, const struct xinv_candidates *found,
                    const struct xinv_cover *cover)
{
    struct xinv_report *report = &job->report;
    uint8_t lost = 0;

    for (unsigned i = 0; i < cover->n; i++) {
        const struct xinv_candidate *c = &found->c[cover->chosen[i]];

        lost |= c->lost;
        report->must_beyond |= c->must;
        report->may_beyond |= c->may;
        report->rows |= UINT64_C(1) << c->row;
    }
    if (lost & ADDRESS_TAGS) {
        lost = (uint8_t)((lost & ~ADDRESS_TAGS) | XINV_TAG_BIT(XINV_TAG_ADDRESS));
        report->extra_unbounded = 1;
    }
    report->widened |= lost;
}

static void fill_plan(struct job *job, const struct xinv_candidates *found,
                      const struct xinv_cover *cover, unsigned pass, struct plan *plan)
{
    uint64_t asked = job->ranged ? xinv_pages(job->request.first, job->request.last) : 0;

    plan->n = cover->n;
    plan->cut_policy = pass_policy(job, pass);
    plan->listed = 0;
    for (unsigned i = 0; i < cover->n; i++) {
        const struct xinv_candidate *c = &found->c[cover->chosen[i]];
        uint64_t pages;

        plan->row[i] = c->row;
        plan->phase[i] = c->phase;
        plan->zero[i] = c->choice.zero;
        plan->flags[i] = c->choice.flags;
        plan->listed |= (uint16_t)((unsigned)c->listed << i);
        plan->blocks[i] = (uint32_t)blocks_of(job, c->row, pass, &pages);
        if (pages > asked && pages - asked > job->report.extra_pages)
            job->report.extra_pages = pages - asked;
    }
}

static struct plan *find_plan(struct job *job, uint32_t key)
{
    for (unsigned i = 0; i < PLANS; i++)
        if (job->plans[i].key == key)
            return &job->plans[i];
    return NULL;
}

/* The candidates of an attachment's shape, and the choice among them. */
static int plan_shape(struct job *job, size_t i, uint32_t key, struct xinv_candidates *found,
                      struct xinv_cover *best, unsigned *pass)
{
    const struct xinv_attachment at = named(job, i);
    struct xinv_shape shape;
    int ret;

    if (!job->parts->planned &&
        xinv_ladder_find(job->iommu, &job->request, &at, has_pasids(job, i), found)) {
        *pass = choose(job, key, found, best);
        if (*pass != N_PASSES)
            return 0;
    }
    ret = xinv_shape_build(job->iommu, &job->request, &at, has_pasids(job, i), &shape);
    if (ret)
        return ret;
    xinv_candidates_find(job->iommu, &shape, found);
    *pass = choose(job, key, found, best);
    if (job->parts->planned)
        job->parts->planned(job->parts, i, key, &shape, found, *pass == N_PASSES ? NULL : best);
    if (*pass != N_PASSES)
        return 0;
    job->report.at_cache = shape.need[xinv_cover_open(found)].cache;
    return -XINV_E_MUST_BLOCK;
}

static int make_plan(struct job *job, size_t i, uint32_t key, struct plan **made)
{
    struct plan *plan = &job->plans[job->next_plan];
    struct xinv_candidates found;
    struct xinv_cover best;
    unsigned pass;
    int ret = plan_shape(job, i, key, &found, &best, &pass);

    if (ret)
        return refuse(job, &job->at[i], 0, ret);
    account(job, &found, &best);
    fill_plan(job, &found, &best, pass, plan);
    plan->key = key;
    job->next_plan = (uint8_t)((job->next_plan + 1) % PLANS);
    *made = plan;
    return 0;
}

/* The plan of an attachment; NULL if the request is not about it. Cannot fail once plan_all() has
 * passed. */
static int plan_of(struct job *job, size_t i, struct plan **plan)
{
    uint32_t key;

    *plan = NULL;
    if (!concerns(job, i))
        return 0;
    key = key_of(job, i);
    *plan = find_plan(job, key);
    return *plan ? 0 : make_plan(job, i, key, plan);
}

/* The most that the errata of a table repeat anything. */
static unsigned most_repeats(const struct job *job, uint8_t unit)
{
    unsigned most = 1;

    for (unsigned i = 0; i < job->vendor->n_repeats; i++)
        if (job->vendor->repeats[i].unit == unit && job->vendor->repeats[i].times > most)
            most = job->vendor->repeats[i].times;
    return most;
}

static bool has_row(const struct plan *plan, const struct plan *of, unsigned j)
{
    for (unsigned i = 0; i < plan->n; i++)
        if (plan->row[i] == of->row[j] && plan->zero[i] == of->zero[j] &&
            plan->flags[i] == of->flags[j])
            return true;
    return false;
}

/*
 * Does another attachment remove all that lives under its own tags, whatever rows it does so with?
 * It has the same needs where these agree: what one attachment makes stale with tags that both have
 * in common, the other's own need is about as well. An alias is the exception, since not every need
 * is about aliases.
 */
static bool removes_its_own(const struct job *job, size_t i, size_t k)
{
    const struct xinv_attachment *at = &job->at[i];
    const struct xinv_attachment *other = &job->at[k];

    return at->stage == other->stage && at->flags == other->flags &&
           !((at->known ^ other->known) & PASID_BIT) && !other->n_aliases;
}

/*
 * A row that must go out for every live value of a tag is sent by each attachment for its own.
 * That is every value only if all of them send it, or remove what has their value in another way:
 * where they know different tags, their plans may differ.
 */
static int check_listed(struct job *job, size_t i, const struct plan *plan)
{
    for (size_t k = 0; plan->listed && k < job->n; k++) {
        struct plan *other;
        int ret = plan_of(job, k, &other);

        if (ret)
            return ret;
        if (removes_its_own(job, i, k))
            continue;
        for (unsigned j = 0; other && j < plan->n; j++)
            if ((plan->listed >> j & 1) && !has_row(other, plan, j)) {
                job->report.at_cache =
                    job->vendor->removals[job->vendor->commands[plan->row[j]].removals.first].cache;
                return refuse(job, &job->at[i], 0, -XINV_E_MUST_BLOCK);
            }
    }
    return 0;
}

/* Plans every attachment of a part, and bounds what can come out. */
static int plan_part(struct job *job, uint64_t *most_commands)
{
    uint64_t times =
        (uint64_t)most_repeats(job, XINV_REPEAT_PHASE) * most_repeats(job, XINV_REPEAT_COMMAND);
    bool any = false;

    for (size_t i = 0; i < job->n; i++) {
        struct plan *plan;
        int ret = plan_of(job, i, &plan);

        if (ret)
            return ret;
        if (!plan)
            continue;
        any = true;
        if (plan->listed) {
            struct plan own = *plan; /* planning the others may take its place */

            ret = check_listed(job, i, &own);
            if (!ret)
                ret = plan_of(job, i, &plan);
            if (ret)
                return ret;
        }
        for (unsigned k = 0; k < plan->n; k++) {
            *most_commands += plan->blocks[k] * times * (1u + job->at[i].n_aliases);
            job->count_first |= plan->phase[k] == XINV_PHASE_REGISTER;
            job->phases |= 1u << plan->phase[k];
        }
    }
    return any ? 0 : -XINV_E_NOENT;
}

/* Is row j of a plan, sent for attachment k, the same command? */
static bool same_command(const struct job *job, size_t k, const struct plan *plan, unsigned j,
                         unsigned row, const struct xinv_operands *op)
{
    const struct xinv_attachment *at = &job->at[k];
    uint8_t tags = job->vendor->commands[row].operands;
    struct xinv_operands other;

    /* an endpoint that needs it twice is not served by one that needs it once */
    if (plan->row[j] != row || repeats(job, at, plan->phase[j], XINV_REPEAT_COMMAND) <
                                   repeats(job, op->at, plan->phase[j], XINV_REPEAT_COMMAND))
        return false;
    operands_of(job, k, plan->zero[j], plan->flags[j], &other);
    if (same_operands(op, &other, tags))
        return true;
    for (unsigned a = 0; (plan->flags[j] & XINV_NEED_ALIASES) && a < at->n_aliases; a++) {
        other.rid = at->aliases[a];
        if (same_operands(op, &other, tags))
            return true;
    }
    return false;
}

/*
 * Did an attachment before i, or a row before j of its own plan, send the same command? Two users
 * of one tag need it once. Endpoints stand together, so what names an endpoint itself can only have
 * been sent by its neighbours.
 */
static bool sent_before(struct job *job, size_t i, unsigned row, unsigned j,
                        const struct xinv_operands *op)
{
    bool neighbours = (job->vendor->commands[row].operands & XINV_TAG_BIT(XINV_TAG_RID)) &&
                      op->rid == job->at[i].rid;
    struct plan *plan;

    if (plan_of(job, i, &plan) || !plan)
        return false;
    for (unsigned r = 0; r < j; r++)
        if (same_command(job, i, plan, r, row, op))
            return true;
    for (size_t k = i; k-- > 0;) {
        if (neighbours && job->at[k].rid != op->rid)
            return false;
        if (plan_of(job, k, &plan) || !plan)
            continue;
        for (unsigned r = 0; r < plan->n; r++)
            if (same_command(job, k, plan, r, row, op))
                return true;
    }
    return false;
}

static void emit_row(struct job *job, struct xinv_emit *emit, unsigned row, uint8_t policy,
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
    cut_request(job, row, policy, &request);
    op->scaled = request.spec.kind == XINV_RANGE_SCALED;
    if (!xinv_cut_begin(&cut, &request))
        return; /* blocks_of() has begun the same cut */
    while (xinv_cut_next(&cut, &op->block))
        for (unsigned t = 0; t < times; t++)
            xinv_emit_command(emit, row, op);
}

/* One row for one attachment, and for its aliases where the row names requester IDs that have them.
 */
static void emit_planned(struct job *job, struct xinv_emit *emit, size_t i, unsigned j,
                         const struct plan *plan)
{
    const struct xinv_attachment *at = &job->at[i];
    unsigned row = plan->row[j];
    struct xinv_operands op = {0};

    operands_of(job, i, plan->zero[j], plan->flags[j], &op);
    /* a field that the command ignores is written as 0 */
    if (!(job->vendor->commands[row].operands & DID_BIT))
        op.did = 0;
    if (!sent_before(job, i, row, j, &op))
        emit_row(job, emit, row, plan->cut_policy, &op);
    if (!(plan->flags[j] & XINV_NEED_ALIASES) ||
        !(job->vendor->commands[row].operands & XINV_TAG_BIT(XINV_TAG_RID)))
        return;
    for (unsigned a = 0; a < at->n_aliases; a++) {
        op.rid = at->aliases[a];
        if (op.rid != at->rid && !sent_before(job, i, row, j, &op))
            emit_row(job, emit, row, plan->cut_policy, &op);
    }
}

static void emit_attachment(struct job *job, struct xinv_emit *emit, size_t i, unsigned phase)
{
    struct plan *found;
    struct plan plan;

    if (plan_of(job, i, &found) || !found)
        return;
    plan = *found; /* looking for what was sent before may plan another shape in its place */
    for (unsigned j = 0; j < plan.n; j++)
        if (plan.phase[j] == phase)
            emit_planned(job, emit, i, j, &plan);
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

/* ---- The whole list ---- */

/* Makes a part the one at work. Its plans are made as they are needed. */
static void take_part(struct job *job, const struct xinv_part *part)
{
    job->at = part->at;
    job->n = part->n;
    job->request = part->request;
    job->report = (struct xinv_report){0};
    job->next_plan = 0;
    for (unsigned i = 0; i < PLANS; i++)
        job->plans[i].key = 0;
    normalise(job);
}

static void add_report(struct xinv_report *sum, const struct xinv_report *part, bool again)
{
    sum->widened |= part->widened;
    sum->must_beyond |= part->must_beyond;
    sum->may_beyond |= part->may_beyond;
    sum->extra_unbounded |= part->extra_unbounded;
    sum->rows |= part->rows;
    sum->extra_pages += part->extra_pages;
    if (!again)
        sum->asked_pages += part->asked_pages;
    if (part->at)
        sum->at = part->at;
    sum->at_tag = part->at_tag;
    sum->at_cache = part->at_cache;
}

/* Checks and plans every part: everything that can fail does so here. */
static int plan_all(struct job *job, struct xinv_report *sum, uint64_t *most_commands)
{
    uint64_t times =
        (uint64_t)most_repeats(job, XINV_REPEAT_PHASE) * most_repeats(job, XINV_REPEAT_COMMAND);
    struct xinv_part part = {0};

    *most_commands = times * XINV_NPHASES + 1; /* fences of every phase, and the last sync */
    job->n_parts = 0;
    for (job->parts->rewind(job->parts); job->parts->next(job->parts, &part); job->n_parts++) {
        int ret = check_request(&part.request, &job->policy);

        if (!ret) {
            take_part(job, &part);
            ret = check_tags(job);
        }
        if (!ret)
            ret = plan_part(job, most_commands);
        add_report(sum, &job->report, part.again);
        if (ret)
            return ret;
    }
    if (job->iommu->max_batch)
        *most_commands += *most_commands / job->iommu->max_batch;
    return 0;
}

static void emit_phase(struct job *job, struct xinv_emit *emit, unsigned phase)
{
    struct xinv_part part = {0};

    job->parts->rewind(job->parts);
    while (job->parts->next(job->parts, &part)) {
        if (job->n_parts > 1)
            take_part(job, &part);
        for (size_t i = 0; i < job->n; i++)
            emit_attachment(job, emit, i, phase);
    }
}

static void emit_all(struct job *job, struct xinv_emit *emit,
                     const struct xinv_completion *completion)
{
    for (unsigned phase = 0; phase < XINV_NPHASES; phase++) {
        unsigned times = repeats(job, NULL, phase, XINV_REPEAT_PHASE);

        for (unsigned t = 0; t < times && (job->phases >> phase & 1); t++) {
            xinv_emit_phase(emit, phase, t > 0);
            emit_phase(job, emit, phase);
        }
    }
    xinv_emit_end(emit, completion);
}

/* Counts where the list may not fit or is not to be written, then writes it. */
static int write_all(struct job *job, const struct xinv_completion *completion,
                     struct xinv_out *out, uint64_t most, struct xinv_report *sum)
{
    struct xinv_emit emit;
    int ret = 0;

    if (most > (UINT32_MAX - out->n_words) / job->iommu->words) {
        /* positions are 32 bits: a list that could pass them is not even counted */
        sum->need_words = UINT32_MAX;
        return -XINV_E_NOSPACE;
    }
    if (!out->words || job->count_first || !xinv_emit_fits(job->iommu, out, most)) {
        xinv_emit_begin(&emit, job->iommu, out, true);
        emit_all(job, &emit, completion);
        ret = xinv_emit_result(&emit, out, sum);
    }
    if (!ret && out->words) {
        xinv_emit_begin(&emit, job->iommu, out, false);
        emit_all(job, &emit, completion);
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
    struct job job = {0};
    uint64_t most;
    int ret;

    job.iommu = iommu;
    job.vendor = iommu->vendor;
    job.parts = parts;
    job.policy = policy ? *policy : exact;
    completion = completion ? completion : &nothing;
    ret = plan_all(&job, &sum, &most);
    if (!ret)
        ret = xinv_emit_check(iommu, completion);
    if (!ret)
        ret = write_all(&job, completion, out, most, &sum);
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
    *single =
        (struct xinv_single){{rewind_single, next_single, NULL}, {at, n, *request, false}, false};
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
