// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
#include "core/cover.h"

#include "core/bits.h"
#include "core/tags.h"

/* The combinations of the two-valued axes, a bit each, that have one of the values that an axis may
 * have; the axes stand in the order of the XINV_* class bits. */
static const uint16_t two_valued[4][4] = {
    {0, 0x5555, 0xaaaa, 0xffff}, /* level: leaf, walk */
    {0, 0x3333, 0xcccc, 0xffff}, /* global: no, yes */
    {0, 0x0f0f, 0xf0f0, 0xffff}, /* pasid: untagged, tagged */
    {0, 0x00ff, 0xff00, 0xffff}, /* presence: present, not present */
};

/* A combination's index has a bit for the value of each two-valued axis and two for the regime:
 * EL1, EL2, Secure, Realm. */
xinv_classes xinv_classes_expand(xinv_axes axes)
{
    uint64_t regimes = (uint64_t)(axes >> 8 & 15);
    unsigned others = two_valued[0][axes & 3] & two_valued[1][axes >> 2 & 3] &
                      two_valued[2][axes >> 4 & 3] & two_valued[3][axes >> 6 & 3];

    regimes = (regimes & 1) | (regimes & 2) << 15 | (regimes & 4) << 30 | (regimes & 8) << 45;
    return regimes * others;
}

/* Is there a class that is in both products? */
static bool meet(xinv_axes a, xinv_axes b)
{
    unsigned both = a & b;

    return (both & 0x003) && (both & 0x00c) && (both & 0x030) && (both & 0x0c0) && (both & 0xf00);
}

static const struct xinv_removal_def *removals_of(const struct xinv_iommu *iommu, unsigned row)
{
    const struct xinv_vendor *v = iommu->vendor;

    return &v->removals[v->commands[row].removals.first];
}

uint8_t xinv_row_matches(const struct xinv_iommu *iommu, unsigned row, const struct xinv_need *need)
{
    const struct xinv_removal_def *removals = removals_of(iommu, row);
    unsigned n = iommu->vendor->commands[row].removals.count;
    uint8_t matched = 0;

    for (unsigned i = 0; i < n; i++) {
        const struct xinv_removal_def *r = &removals[i];
        xinv_axes reached = r->classes & need->classes;
        bool subsumed = false;

        if (!r->must || r->cache != need->cache || !meet(reached, reached))
            continue;
        /* of two removals that reach the same entries the wider one decides what dies */
        for (unsigned k = 0; k < n; k++)
            subsumed |= removals[k].must && removals[k].cache == r->cache &&
                        removals[k].match != r->match && !(removals[k].match & ~r->match) &&
                        meet(removals[k].classes, reached);
        if (!subsumed)
            matched |= r->match;
    }
    return matched;
}

/*
 * How many entries a removal finds, as a power of two of 2^-28 entries: the cache's population,
 * divided by the number of values that share it for every tag that is matched. A population, never
 * the size of an address space, bounds it.
 */
XINV_OWN_FRAME static unsigned log2_entries(const struct xinv_cache_def *cache, uint8_t match)
{
    unsigned log2 = 28u + cache->log2_entries;

    for (unsigned left = match & cache->tags; left; left &= left - 1)
        log2 -= cache->spread[__builtin_ctz(left)];
    return log2;
}

/* So many entries of all classes, and how many of them have some of the classes. */
XINV_OWN_FRAME static uint64_t share_of(xinv_classes all, unsigned log2, xinv_classes some)
{
    if (some == all)
        return UINT64_C(1) << log2;
    return ((uint64_t)xinv_count_bits(some) << log2) / xinv_count_bits(all);
}

/* Does a command with these operands name the values that a need asks for, as far as it matches on
 * them? */
static bool names_values(const struct xinv_rung *c, uint8_t match, const struct xinv_need *need)
{
    uint8_t named = match & (need->known | need->listed);

    if ((xinv_choice_zero(c->choice) ^ need->zero) & named)
        return false;
    return !(named & (uint8_t)~need->zero & DID_BIT) ||
           !((xinv_choice_flags(c->choice) ^ need->flags) & XINV_NEED_NEW_DID);
}

/*
 * Does a removal, with all of its classes, reach entries that no need asks for? Told from the tags,
 * not from numbers: a tag that one value has to itself divides nothing, and of two removals each
 * can reach beyond what the other matches on.
 */
static bool reaches_beyond(const struct xinv_cache_def *cache, const struct xinv_removal_def *r,
                           xinv_classes classes, const struct xinv_rung *c,
                           const struct xinv_shape *shape)
{
    for (unsigned k = 0; classes && k < shape->n; k++) {
        const struct xinv_need *need = &shape->need[k];

        if (need->cache == r->cache && !(need->known & cache->tags & ~r->match) &&
            names_values(c, r->match, need))
            classes &= ~xinv_classes_expand(need->classes);
    }
    return classes != 0;
}

/* Those of a removal's classes whose entries no other removal of the row takes all of: an entry
 * dies once. */
static xinv_classes own_classes(const struct xinv_removal_def *removals, unsigned n, unsigned i,
                                xinv_classes classes)
{
    const struct xinv_removal_def *r = &removals[i];

    for (unsigned k = 0; k < n; k++) {
        const struct xinv_removal_def *other = &removals[k];

        if (k != i && other->cache == r->cache && !(other->match & ~r->match) &&
            (other->match != r->match || k < i))
            classes &= ~xinv_classes_expand(other->classes);
    }
    return classes;
}

/* What the shape asks for of a removal's entries: of each class, as many as the need does that asks
 * for most of it. */
static uint64_t asked_of(const struct xinv_cache_def *cache, const struct xinv_removal_def *r,
                         xinv_classes all, xinv_classes classes, const struct xinv_rung *c,
                         const struct xinv_shape *shape)
{
    uint64_t asked = 0;

    while (classes) {
        xinv_classes widest = 0;
        unsigned most = 0;

        for (unsigned k = 0; k < shape->n; k++) {
            const struct xinv_need *need = &shape->need[k];
            xinv_classes own;
            unsigned log2;

            if (need->cache != r->cache || !names_values(c, r->match, need))
                continue;
            own = classes & xinv_classes_expand(need->classes);
            log2 = log2_entries(cache, r->match | need->known);
            if (!own || (widest && log2 <= most))
                continue;
            most = log2;
            widest = own;
        }
        if (!widest)
            break;
        asked += share_of(all, most, widest);
        classes &= ~widest;
    }
    return asked;
}

void xinv_row_excess(const struct xinv_iommu *iommu, const struct xinv_shape *shape,
                     struct xinv_rung *c)
{
    const struct xinv_vendor *v = iommu->vendor;
    const struct xinv_removal_def *removals = removals_of(iommu, xinv_choice_row(c->choice));
    unsigned n = v->commands[xinv_choice_row(c->choice)].removals.count;
    uint64_t excess[XINV_NCACHES] = {0};

    c->must = 0;
    c->may = 0;
    for (unsigned i = 0; i < n; i++) {
        const struct xinv_removal_def *r = &removals[i];
        const struct xinv_cache_def *cache = &v->caches[r->cache];
        xinv_classes all = xinv_classes_expand(cache->axes);
        xinv_classes reached = all & xinv_classes_expand(r->classes);
        xinv_classes own = own_classes(removals, n, i, reached);

        if (!(iommu->caches & (1u << r->cache)))
            continue;
        excess[r->cache] += share_of(all, log2_entries(cache, r->match), own);
        excess[r->cache] -= asked_of(cache, r, all, own, c, shape);
        if (reaches_beyond(cache, r, reached, c, shape))
            *(r->must ? &c->must : &c->may) |= (uint8_t)(1u << r->cache);
    }
    c->excess = 0;
    for (unsigned k = 0; k < XINV_NCACHES; k++) {
        /* removals that overlap in part are counted each, but no more dies than there is */
        uint64_t most = UINT64_C(1) << (28u + v->caches[k].log2_entries);

        c->excess += excess[k] < most ? excess[k] : most;
    }
}

/* Candidates. */

/* A shape's candidates as they are found. */
struct finding {
    const struct xinv_iommu *iommu;
    const struct xinv_shape *shape;
    struct xinv_candidates *found;
    struct xinv_rung *rung; /* of `found`, while they are worked out */
};

/* Does a cache that a row removes from keep to its user: is a tag matched that confines it? */
static bool cache_confined(const struct xinv_vendor *v, const struct xinv_command_def *cmd,
                           uint8_t cache)
{
    for (unsigned i = 0; i < cmd->removals.count; i++) {
        const struct xinv_removal_def *r = &v->removals[cmd->removals.first + i];

        if (r->must && r->cache == cache && (r->match & v->caches[cache].owner))
            return true;
    }
    return false;
}

bool xinv_row_confined(const struct xinv_vendor *v, const struct xinv_command_def *cmd)
{
    for (unsigned i = 0; i < cmd->removals.count; i++) {
        const struct xinv_removal_def *r = &v->removals[cmd->removals.first + i];

        if (r->must && v->caches[r->cache].owner && !cache_confined(v, cmd, r->cache))
            return false;
    }
    return true;
}

/* The classes of a need that a command removes. */
static xinv_classes covers_of(const struct xinv_iommu *iommu, const struct xinv_rung *c,
                              const struct xinv_need *need)
{
    const struct xinv_removal_def *removals = removals_of(iommu, xinv_choice_row(c->choice));
    unsigned n = iommu->vendor->commands[xinv_choice_row(c->choice)].removals.count;
    xinv_classes covered = 0;

    if (!(iommu->reach[xinv_choice_row(c->choice)] & (1u << need->cache)))
        return 0;
    for (unsigned i = 0; i < n; i++) {
        const struct xinv_removal_def *r = &removals[i];

        if (r->must && r->cache == need->cache && !(r->match & ~(need->known | need->listed)) &&
            names_values(c, r->match, need))
            covered |= xinv_classes_expand(r->classes & need->classes);
    }
    return covered;
}

static xinv_choice choice_for(const struct finding *f, unsigned row, const struct xinv_need *need)
{
    uint8_t operands = f->iommu->vendor->commands[row].operands;
    bool has_did = operands & (uint8_t)~need->zero & DID_BIT;

    return xinv_choice_of(row, need->zero & operands,
                          has_did ? need->flags & XINV_NEED_NEW_DID : 0);
}

/* One more candidate, if it removes some entry of the shape and is not there already. */
static void add_choice(struct finding *f, xinv_choice choice)
{
    unsigned row = xinv_choice_row(choice);
    struct xinv_rung *c = &f->rung[f->found->n];

    if (f->found->n == XINV_MAX_CANDIDATES)
        return;
    for (const struct xinv_rung *other = f->rung; other < c; other++)
        if (other->choice == choice)
            return;
    *c = (struct xinv_rung){.choice = choice, .phase = f->iommu->vendor->commands[row].phase};
    for (unsigned k = 0; k < f->shape->n; k++)
        if (covers_of(f->iommu, c, &f->shape->need[k])) {
            f->found->n++;
            return;
        }
}

/* The PASID of one choice with the DID of another. */
static xinv_choice joined(xinv_choice pasid, xinv_choice did)
{
    const xinv_choice others = xinv_choice_of(0, (uint8_t)~DID_BIT, 0);

    return (pasid & others) | (did & (xinv_choice)~others);
}

/* A row once for every choice of operands that some need asks for; the DID that one need asks for
 * and the PASID of another go together in one command too. */
static void add_row(struct finding *f, unsigned row)
{
    const struct xinv_need *need = f->shape->need;
    xinv_choice last = 0;

    for (unsigned k = 0; k < f->shape->n; k++) {
        xinv_choice own = choice_for(f, row, &need[k]);

        if (k && own == last)
            continue;
        last = own;
        add_choice(f, own);
        for (unsigned j = 0; j < k; j++) {
            xinv_choice other = choice_for(f, row, &need[j]);

            if (own == other)
                continue;
            add_choice(f, joined(own, other));
            add_choice(f, joined(other, own));
        }
    }
}

/*
 * Atoms of one need: its classes, split by what each candidate covers. Room runs out to the safe
 * side: an atom not split further counts as covered only if all of it is.
 */
XINV_OWN_FRAME static void add_atoms(struct finding *f, unsigned k)
{
    const struct xinv_need *need = &f->shape->need[k];
    const unsigned first = k ? f->found->end[k - 1] : 0;
    /* one is left for each need to come */
    const unsigned room = XINV_MAX_ATOMS - (f->shape->n - 1 - k) - first;
    const unsigned most = room < XINV_MAX_PARTS ? room : XINV_MAX_PARTS;
    xinv_classes atom[XINV_MAX_PARTS];
    unsigned n = 0;

    if (meet(need->classes, need->classes))
        atom[n++] = xinv_classes_expand(need->classes);
    for (struct xinv_rung *c = f->rung; c < f->rung + f->found->n; c++) {
        xinv_classes covered = covers_of(f->iommu, c, need);
        uint8_t matches;

        if (!covered)
            continue;
        for (unsigned a = 0, now = n; a < now && n < most; a++) {
            if (!(atom[a] & covered) || !(atom[a] & ~covered))
                continue;
            for (struct xinv_rung *before = f->rung; before < c; before++)
                before->covers |= (before->covers >> (first + a) & 1) << (first + n);
            atom[n++] = atom[a] & ~covered;
            atom[a] &= covered;
        }
        for (unsigned a = 0; a < n; a++)
            if (!(atom[a] & ~covered))
                c->covers |= UINT32_C(1) << (first + a);
        c->choice |= xinv_choice_of(0, 0, need->flags & XINV_NEED_ALIASES);
        matches = xinv_row_matches(f->iommu, xinv_choice_row(c->choice), need);
        if (matches & (uint8_t)~need->known)
            c->listed = 1;
        c->lost |= need->report & (uint8_t)~matches;
    }
    f->found->end[k] = (uint8_t)(first + n);
    f->found->atoms = (uint32_t)xinv_low_bits(first + n);
}

void xinv_candidates_find(const struct xinv_iommu *iommu, const struct xinv_shape *shape,
                          struct xinv_rung rung[XINV_MAX_CANDIDATES], struct xinv_candidates *found)
{
    struct finding f = {iommu, shape, found, rung};
    uint8_t caches = 0;

    found->c = rung;
    found->atoms = 0;
    found->n = 0;
    for (unsigned k = 0; k < shape->n; k++)
        caches |= (uint8_t)(1u << shape->need[k].cache);
    for (unsigned row = 0; row < iommu->vendor->n_commands; row++)
        if ((iommu->commands >> row & 1) && (iommu->reach[row] & caches) &&
            (shape->beyond || (iommu->confined >> row & 1)))
            add_row(&f, row);
    for (unsigned k = 0; k < shape->n; k++)
        add_atoms(&f, k);
    for (unsigned i = 0; i < found->n; i++)
        xinv_row_excess(iommu, shape, &rung[i]);
}

/* The search. */

/* The syncs that a plan with so many phases takes, as emission places them. */
static uint8_t syncs_of(const struct xinv_sync_rule *rule, unsigned phases)
{
    unsigned last = XINV_NPHASES; /* what it waits for, whatever waits for it waits for as well */
    unsigned syncs = 0;

    for (unsigned p = XINV_PHASE_REGISTER + 1; p < XINV_NPHASES; p++) {
        if (!(phases >> p & 1))
            continue;
        if (last < XINV_NPHASES && rule->vendor->order[last][p] != XINV_ORDER_QUEUE)
            syncs++;
        syncs += rule->again[p];
        last = p;
    }
    return (uint8_t)syncs;
}

/*
 * Syncs by the phases of a plan in the making: the fewest that any plan with more rows can come to.
 * A phase in between may order two others that would need a fence.
 */
static void fewest_syncs(const struct xinv_sync_rule *rule, uint8_t least[1 << XINV_NPHASES])
{
    for (unsigned set = 1u << XINV_NPHASES; set-- > 0;) {
        least[set] = syncs_of(rule, set);
        for (unsigned p = 0; p < XINV_NPHASES; p++)
            if (!(set >> p & 1) && least[set | 1u << p] < least[set])
                least[set] = least[set | 1u << p];
    }
}

/* Every part of the comparison only grows as rows are added, with syncs as fewest_syncs() counts
 * them, so a plan in the making that is not better never will be. */
static bool better(const struct xinv_price *a, const struct xinv_price *b, bool latency)
{
    if (latency && a->syncs != b->syncs)
        return a->syncs < b->syncs;
    if (latency && a->commands != b->commands)
        return a->commands < b->commands;
    if (a->excess != b->excess)
        return a->excess < b->excess;
    if (a->commands != b->commands)
        return a->commands < b->commands;
    return a->listed < b->listed;
}

/* A plan in the making, and what it leaves open. */
struct search {
    const struct xinv_candidates *found;
    const uint8_t *least; /* fewest_syncs(); NULL: syncs do not count */
    struct xinv_cover plan;
    uint32_t open;
};

static void take(struct search *s, unsigned c)
{
    const struct xinv_rung *row = &s->found->c[c];
    struct xinv_price *price = &s->plan.price;

    price->excess += row->excess;
    price->commands += s->found->commands[c];
    price->listed = (uint8_t)(price->listed + row->listed);
    price->phases |= (uint8_t)(1u << row->phase);
    if (s->least)
        price->syncs = s->least[price->phases];
    s->open &= ~row->covers;
    s->plan.chosen[s->plan.n++] = (uint8_t)c;
}

/* Takes the last row back; returns the candidate to try in its place. */
static unsigned take_back(struct search *s)
{
    unsigned n = s->plan.n - 1u;

    s->plan.price = (struct xinv_price){0};
    s->plan.n = 0;
    s->open = s->found->atoms;
    while (s->plan.n < n)
        take(s, s->plan.chosen[s->plan.n]);
    return s->plan.chosen[n] + 1u;
}

/* The first candidate from c on that closes the first open atom. */
static unsigned next_row(const struct search *s, unsigned c)
{
    const struct xinv_candidates *found = s->found;

    while (c < found->n && (!(found->c[c].covers & s->open & (0 - s->open)) || !found->commands[c]))
        c++;
    return c;
}

/*
 * Depth first: the first open atom of the plan in the making is closed by one more candidate, tried
 * in table order. Every plan without a superfluous row is reached, except those that cannot beat
 * the best so far.
 */
bool xinv_cover_best(const struct xinv_candidates *found, const struct xinv_sync_rule *rule,
                     struct xinv_cover *best)
{
    uint8_t least[1 << XINV_NPHASES];
    struct search s = {.found = found, .open = found->atoms};
    unsigned c = 0; /* candidate to try next */
    bool any = false;

    if (rule) {
        fewest_syncs(rule, least);
        s.least = least;
    }
    for (;;) {
        if (!s.open && rule)
            s.plan.price.syncs = syncs_of(rule, s.plan.price.phases);
        if (any && !better(&s.plan.price, &best->price, rule != NULL)) {
            c = found->n;
        } else if (!s.open) {
            *best = s.plan;
            any = true;
            c = found->n;
        } else if (s.plan.n == XINV_MAX_ROWS) {
            c = found->n;
        } else {
            c = next_row(&s, c);
        }
        if (c < found->n) {
            take(&s, c);
            c = 0;
        } else if (s.plan.n) {
            c = take_back(&s);
        } else {
            return any;
        }
    }
}

unsigned xinv_cover_open(const struct xinv_candidates *found)
{
    uint32_t open = found->atoms;
    unsigned k = 0;

    for (unsigned c = 0; c < found->n; c++)
        if (found->commands[c])
            open &= ~found->c[c].covers;
    while (open && !(open & (uint32_t)xinv_low_bits(found->end[k])))
        k++;
    return k;
}
