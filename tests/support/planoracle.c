// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
#include "tests/support/planoracle.h"

#include <criterion/criterion.h>
#include <inttypes.h>
#include <string.h>

#include "core/cut.h"

#define PASID   XINV_TAG_BIT(XINV_TAG_PASID)
#define DID     XINV_TAG_BIT(XINV_TAG_DID)
#define ADDRESS XINV_TAG_BIT(XINV_TAG_ADDRESS)

#define MAX_CHOICES 64
#define MAX_CUT     64

struct choice {
    unsigned row;
    uint32_t tag[RT_AT][RT_TAGS];
    uint64_t commands; /* blocks times values of the operands */
    double excess;
};

static struct choice choices[MAX_CHOICES];
static unsigned n_choices;

/* Commands that match none of a cache's owner tags reach other users' entries. */
static bool beyond_user(const struct rt_world *w, unsigned row)
{
    const struct xinv_command_def *cmd = &w->rows[row];

    for (unsigned c = 0; c < RT_CACHES; c++) {
        uint8_t owner = w->vendor.caches[rt_caches[c]].owner;
        bool there = false;
        bool confined = false;

        for (unsigned i = 0; i < cmd->removals.count; i++) {
            const struct xinv_removal_def *r = &w->removals[cmd->removals.first + i];

            there |= r->must && r->cache == rt_caches[c];
            confined |= r->must && r->cache == rt_caches[c] && (r->match & owner);
        }
        if (there && owner && !confined)
            return true;
    }
    return false;
}

static bool may_go_beyond(const struct rt_world *w)
{
    if (w->request.flags & XINV_REQ_BEYOND)
        return true;
    for (unsigned n = 0; n < w->change.needs.count; n++)
        if (!w->needs[n].tags && w->vendor.caches[w->needs[n].cache].owner)
            return true;
    return false;
}

static bool is_usable(const struct rt_world *w, unsigned row)
{
    const struct xinv_command_def *cmd = &w->rows[row];

    if (cmd->conds.count && !w->settings[w->conds[cmd->conds.first].feature].value)
        return false;
    return may_go_beyond(w) || !beyond_user(w, row);
}

static struct xinv_cut_request cut_of(const struct rt_world *w, unsigned row, uint8_t policy)
{
    return (struct xinv_cut_request){
        .spec = {w->ranges[row].kind, w->ranges[row].leaf_floor, w->ranges[row].below_top,
                 w->ranges[row].max_order.base},
        .policy = policy,
        .blocks = w->policy.blocks,
        .log2_granule = 12,
        .log2_leaf = w->request.log2_leaf_size,
        .leaves_within = (w->request.flags & XINV_REQ_LEAVES_WITHIN) != 0,
        .first = w->request.first,
        .last = w->request.last};
}

/* Blocks of a row; 0 if it cannot say the range. */
static uint64_t blocks_of(const struct rt_world *w, unsigned row, uint8_t policy)
{
    struct xinv_cut_request cut = cut_of(w, row, policy);
    uint64_t pages;

    if (!w->rows[row].ranges.count)
        return 1;
    if (!(w->request.flags & XINV_REQ_RANGE))
        return 0;
    return xinv_cut_count(&cut, MAX_CUT, &pages);
}

/* A need as it is of one class of entries: entries without PASID have none to match. */
static uint8_t tags_named(const struct xinv_need_def *n, xinv_axes class)
{
    bool none = n->cache == XINV_CACHE_DEVICE_TLB && (class & XINV_PASID_UNTAGGED);

    return none ? n->tags & (uint8_t)~PASID : n->tags;
}

static bool takes_new_did(const struct rt_world *w, const struct xinv_need_def *n)
{
    return (n->flags & XINV_NEED_NEW_DID) && (n->tags & DID) &&
           (w->request.flags & XINV_REQ_NEW_DID);
}

/* Tags with a value for a need. */
static uint8_t tags_given(const struct rt_world *w, const struct xinv_need_def *n)
{
    uint8_t given = w->at[0].known | w->vendor.caches[n->cache].zero | n->zero;

    if (takes_new_did(w, n))
        given |= DID;
    if (w->request.flags & XINV_REQ_RANGE)
        given |= ADDRESS;
    return given & w->vendor.caches[n->cache].tags;
}

static uint32_t need_value(const struct rt_world *w, const struct xinv_need_def *n, size_t at,
                           unsigned t)
{
    const struct xinv_attachment *a = &w->at[at];

    if (n->zero & XINV_TAG_BIT(rt_tags[t]))
        return 0;
    if (t == 2 && takes_new_did(w, n))
        return RT_NEW_DID;
    if (!(a->known & XINV_TAG_BIT(rt_tags[t])))
        return 0;
    return t == 0 ? a->rid : t == 1 ? a->pasid : a->did;
}

static bool need_has_class(const struct rt_world *w, const struct xinv_need_def *n, xinv_axes class)
{
    xinv_axes classes = n->classes;

    if (n->cache == XINV_CACHE_DEVICE_TLB) {
        classes &= (xinv_axes) ~(XINV_PASID_UNTAGGED | XINV_PASID_TAGGED);
        classes |= rt_traffic(w, &w->at[0]) & (XINV_PASID_UNTAGGED | XINV_PASID_TAGGED);
    }
    if ((n->flags & XINV_NEED_LEVEL_HINT) && (w->request.flags & XINV_REQ_LEAF_ONLY) &&
        (classes & XINV_LEVEL_LEAF))
        classes &= (xinv_axes)~XINV_LEVEL_WALK;
    if ((n->flags & XINV_NEED_GLOBAL_HINT) && !(w->request.flags & XINV_REQ_GLOBAL) &&
        (classes & XINV_GLOBAL_NO))
        classes &= (xinv_axes)~XINV_GLOBAL_YES;
    return (classes & class) == class;
}

/* The entries of one class that agree on some tags: the cache's population, divided by how many
 * values of each of them share it. */
static double share(const struct rt_world *w, uint8_t cache, uint8_t match)
{
    const struct xinv_cache_def *c = &w->vendor.caches[cache];
    double n = (double)(UINT64_C(1) << c->log2_entries);

    for (unsigned t = 0; t < RT_TAGS + 1; t++)
        if (match & c->tags & XINV_TAG_BIT(rt_tags[t]))
            n /= (double)(1u << c->spread[rt_tags[t]]);
    return n / (c->axes & XINV_PASID_TAGGED ? 16 : 8);
}

/* Of what a removal takes of one class, what the request asks for. */
static double share_asked(const struct rt_world *w, const struct choice *c,
                          const struct xinv_removal_def *r, xinv_axes class)
{
    double most = 0;

    for (unsigned n = 0; n < w->change.needs.count; n++) {
        const struct xinv_need_def *need = &w->needs[n];
        uint8_t known = tags_named(need, class) & tags_given(w, need);
        uint8_t compared =
            r->match & (w->request.flags & XINV_REQ_ENUMERATED ? tags_given(w, need) : known);
        bool other = false;
        double asked;

        if (need->cache != r->cache || !need_has_class(w, need, class))
            continue;
        for (unsigned t = 0; t < RT_TAGS; t++)
            other |=
                (compared & XINV_TAG_BIT(rt_tags[t])) && c->tag[0][t] != need_value(w, need, 0, t);
        asked = other ? 0 : share(w, r->cache, r->match | known);
        most = asked > most ? asked : most;
    }
    return most;
}

/* Does another removal of the row take every entry of a class that this one takes? */
static bool is_swallowed(const struct rt_world *w, unsigned row, unsigned i, xinv_axes class)
{
    const struct xinv_removal_def *all = &w->removals[w->rows[row].removals.first];

    for (unsigned k = 0; k < w->rows[row].removals.count; k++)
        if (k != i && all[k].cache == all[i].cache && (all[k].classes & class) == class &&
            !(all[k].match & ~all[i].match) && (all[k].match != all[i].match || k < i))
            return true;
    return false;
}

static double excess_of(const struct rt_world *w, const struct choice *c)
{
    const struct xinv_command_def *row = &w->rows[c->row];
    double beyond[XINV_NCACHES] = {0};
    double sum = 0;

    for (unsigned i = 0; i < row->removals.count; i++) {
        const struct xinv_removal_def *r = &w->removals[row->removals.first + i];

        for (unsigned k = 0; k < RT_CLASSES; k++)
            if ((r->classes & w->vendor.caches[r->cache].axes & rt_class(k)) == rt_class(k) &&
                !is_swallowed(w, c->row, i, rt_class(k)))
                beyond[r->cache] +=
                    share(w, r->cache, r->match) - share_asked(w, c, r, rt_class(k));
    }
    for (unsigned c2 = 0; c2 < XINV_NCACHES; c2++) {
        double most = (double)(UINT64_C(1) << w->vendor.caches[c2].log2_entries);

        sum += beyond[c2] < most ? beyond[c2] : most;
    }
    return sum;
}

/* How many different commands the attachments' values make. */
static unsigned fan_out(const struct rt_world *w, const struct choice *c)
{
    unsigned n = 0;

    for (size_t i = 0; i < w->n_at; i++) {
        bool seen = false;

        for (size_t k = 0; k < i; k++)
            seen |= !memcmp(c->tag[i], c->tag[k], sizeof(c->tag[i]));
        n += !seen;
    }
    return n;
}

/* A row with one value for each of its operands, if that is a new command. */
static void add_choice(const struct rt_world *w, unsigned row, uint64_t blocks,
                       const struct xinv_need_def *const source[RT_TAGS])
{
    struct choice c = {.row = row};

    for (size_t i = 0; i < w->n_at; i++)
        for (unsigned t = 0; t < RT_TAGS; t++)
            if (w->rows[row].operands & XINV_TAG_BIT(rt_tags[t]))
                c.tag[i][t] = need_value(w, source[t], i, t);
    for (unsigned i = 0; i < n_choices; i++)
        if (choices[i].row == row && !memcmp(choices[i].tag, c.tag, sizeof(c.tag)))
            return;
    c.excess = excess_of(w, &c);
    c.commands = blocks * fan_out(w, &c);
    cr_assert_lt(n_choices, MAX_CHOICES);
    choices[n_choices++] = c;
}

/* A row with every combination of the attachments' own values and those that a need has. */
static void add_choices(const struct rt_world *w, unsigned row, uint64_t blocks)
{
    static const struct xinv_need_def nothing;
    const struct xinv_need_def *need[RT_NEEDS + 1] = {&nothing};
    unsigned n = 1u + w->change.needs.count;

    for (unsigned k = 1; k < n; k++)
        need[k] = &w->needs[k - 1];
    for (unsigned p = 0; p < n; p++)
        for (unsigned d = 0; d < n; d++)
            add_choice(w, row, blocks,
                       (const struct xinv_need_def *[RT_TAGS]){&nothing, need[p], need[d]});
}

/* Choices, where no row takes more than so many blocks. */
static void list_choices(const struct rt_world *w, uint8_t policy, uint64_t limit)
{
    n_choices = 0;
    for (unsigned row = 0; row < w->vendor.n_commands; row++) {
        uint64_t blocks = is_usable(w, row) ? blocks_of(w, row, policy) : 0;

        if (blocks && blocks <= limit)
            add_choices(w, row, blocks);
    }
}

static bool choice_removes(const struct rt_world *w, const struct choice *c, uint8_t policy,
                           const struct rt_entry *e)
{
    struct rt_command cmd = {.row = c->row, .last = UINT64_MAX};
    struct xinv_cut_request request = cut_of(w, c->row, policy);
    struct xinv_cut cut;
    struct xinv_block block;
    bool ranged = w->rows[c->row].ranges.count;

    for (size_t i = 0; i < w->n_at; i++) {
        memcpy(cmd.tag, c->tag[i], sizeof(cmd.tag));
        if (!ranged) {
            if (rt_removes(w, &cmd, e, false))
                return true;
            continue;
        }
        cr_assert(xinv_cut_begin(&cut, &request));
        while (xinv_cut_next(&cut, &block)) {
            cmd.first = block.first;
            cmd.last = block.last;
            if (rt_removes(w, &cmd, e, false))
                return true;
        }
    }
    return false;
}

/* Syncs between the phases of a set, by the order data. */
static unsigned fences_of(const struct rt_world *w, unsigned phases)
{
    unsigned since = 0;
    unsigned n = 0;

    for (unsigned p = 0; p < XINV_NPHASES; p++) {
        bool fence = false;

        if (!(phases >> p & 1))
            continue;
        for (unsigned q = 0; q < p; q++)
            fence |= (since >> q & 1) && w->vendor.order[q][p] != XINV_ORDER_QUEUE;
        n += fence;
        since = 1u << p; /* what p waits for, whatever waits for p waits for as well */
    }
    return n;
}

static struct plan_value value_of_set(const struct rt_world *w, uint64_t set)
{
    struct plan_value v = {0};
    unsigned phases = 0;

    for (unsigned i = 0; i < n_choices; i++)
        if (set >> i & 1) {
            v.excess += choices[i].excess;
            v.commands += choices[i].commands;
            phases |= 1u << w->rows[choices[i].row].phase;
        }
    v.syncs = fences_of(w, phases);
    return v;
}

bool plan_is_better(const struct plan_value *a, const struct plan_value *b, bool latency)
{
    if (latency && a->syncs != b->syncs)
        return a->syncs < b->syncs;
    if (latency && a->commands != b->commands)
        return a->commands < b->commands;
    if (a->excess != b->excess)
        return a->excess < b->excess;
    return a->commands < b->commands;
}

/* The distinct sets of choices that remove some stale entry. */
#define MAX_REMOVERS 4096
static uint64_t removers[MAX_REMOVERS];
static size_t n_removers;

static void list_removers(const struct rt_world *w, uint8_t policy)
{
    size_t n;
    const struct rt_entry *e = rt_entries(w, &n);

    n_removers = 0;
    for (size_t k = 0; k < n; k++) {
        uint64_t mask = 0;
        size_t i;

        if (!e[k].stale)
            continue;
        for (unsigned c = 0; c < n_choices; c++)
            mask |= (uint64_t)choice_removes(w, &choices[c], policy, &e[k]) << c;
        for (i = 0; i < n_removers && removers[i] != mask; i++)
            ;
        cr_assert_lt(i, MAX_REMOVERS);
        if (i == n_removers)
            removers[n_removers++] = mask;
    }
}

/* Is a choice of no use beside another of the same row, which removes as much for no more? */
static bool is_dominated(unsigned c, unsigned by)
{
    bool equal =
        choices[by].excess == choices[c].excess && choices[by].commands == choices[c].commands;

    if (choices[by].row != choices[c].row || choices[by].excess > choices[c].excess ||
        choices[by].commands > choices[c].commands)
        return false;
    for (size_t i = 0; i < n_removers; i++) {
        if ((removers[i] >> c & 1) && !(removers[i] >> by & 1))
            return false;
        equal &= (removers[i] >> c & 1) == (removers[i] >> by & 1);
    }
    return !equal || by < c;
}

#define MAX_KEPT 14
static unsigned kept[MAX_KEPT];
static unsigned n_kept;

static void list_kept(uint64_t seed)
{
    n_kept = 0;
    for (unsigned c = 0; c < n_choices; c++) {
        bool keep = false;

        for (size_t i = 0; i < n_removers; i++)
            keep |= removers[i] >> c & 1;
        for (unsigned by = 0; by < n_choices; by++)
            keep &= by == c || !is_dominated(c, by);
        if (!keep)
            continue;
        cr_assert_lt(n_kept, MAX_KEPT, "XINV_SEED=%" PRIu64, seed);
        kept[n_kept++] = c;
    }
}

static bool set_covers(uint64_t set)
{
    for (size_t i = 0; i < n_removers; i++)
        if (!(removers[i] & set))
            return false;
    return true;
}

/* Would the set cover without one of its choices? Such a one can only be there to stand between two
 * phases that would need a fence: no plan sends a command for that. */
static bool is_superfluous(uint64_t set)
{
    for (unsigned c = 0; c < n_choices; c++)
        if ((set >> c & 1) && set_covers(set & ~(UINT64_C(1) << c)))
            return true;
    return false;
}

static bool search_sets(const struct rt_world *w, struct plan_value *best)
{
    bool any = false;

    for (uint32_t subset = 0; subset < UINT32_C(1) << n_kept; subset++) {
        uint64_t set = 0;
        struct plan_value v;

        for (unsigned i = 0; i < n_kept; i++)
            set |= (uint64_t)(subset >> i & 1) << kept[i];
        if (!set_covers(set) || is_superfluous(set))
            continue;
        v = value_of_set(w, set);
        if (!any || plan_is_better(&v, best, w->policy.kind == XINV_POLICY_LATENCY))
            *best = v;
        any = true;
    }
    return any;
}

bool plan_best(const struct rt_world *w, uint64_t seed, struct plan_value *best)
{
    const struct {
        uint8_t policy;
        uint64_t limit;
    } way[3] = {
        {w->policy.kind, w->policy.max_commands ? w->policy.max_commands : MAX_CUT},
        {w->policy.kind, MAX_CUT},
        {w->policy.kind == XINV_POLICY_LATENCY ? XINV_POLICY_LATENCY : XINV_POLICY_EXACT, MAX_CUT}};

    for (unsigned i = 0; i < 3; i++) {
        list_choices(w, way[i].policy, way[i].limit);
        list_removers(w, way[i].policy);
        list_kept(seed);
        if (search_sets(w, best))
            return true;
    }
    return false;
}

/* The set of choices that an answer is made of. */
static uint64_t set_of_answer(const struct rt_world *w, uint64_t seed,
                              const struct rt_answer *answer)
{
    uint64_t set = 0;

    for (uint32_t i = 0; i < answer->out.n_words; i += 4) {
        struct rt_command cmd;
        uint64_t found = 0;

        if (!rt_command_at(answer, i, &cmd))
            continue;
        for (unsigned c = 0; c < n_choices; c++)
            for (size_t k = 0; k < w->n_at && choices[c].row == cmd.row; k++) {
                bool same = true;

                for (unsigned t = 0; t < RT_TAGS; t++)
                    if (w->rows[cmd.row].operands & XINV_TAG_BIT(rt_tags[t]))
                        same &= choices[c].tag[k][t] == cmd.tag[t];
                found |= (uint64_t)same << c;
            }
        cr_assert(found, "XINV_SEED=%" PRIu64 ": row %u has operands of no need", seed, cmd.row);
        set |= found;
    }
    return set;
}

struct plan_value plan_value_of(const struct rt_world *w, uint64_t seed,
                                const struct rt_answer *answer)
{
    return value_of_set(w, set_of_answer(w, seed, answer));
}
