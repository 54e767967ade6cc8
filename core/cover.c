// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
#include "core/cover.h"

/*
 * A combination's index has a bit for the value of each two-valued axis and two for the regime.
 * Each table gives, for the values that an axis may have, the combinations that have one of them;
 * the axes stand in the order of the XINV_* class bits.
 */
#define P(a) UINT64_C(0x##a##a)
static const uint64_t two_valued[4][4] = {
    {0, P(55555555), P(aaaaaaaa), UINT64_MAX}, /* level: leaf, walk */
    {0, P(33333333), P(cccccccc), UINT64_MAX}, /* global: no, yes */
    {0, P(0f0f0f0f), P(f0f0f0f0), UINT64_MAX}, /* pasid: untagged, tagged */
    {0, P(00ff00ff), P(ff00ff00), UINT64_MAX}, /* presence: present, not present */
};
#undef P

static inline xinv_classes expand(xinv_axes axes)
{
    uint64_t regimes =
        (uint64_t)(axes >> 8 & 15); /* EL1, EL2, Secure, Realm: 16 combinations each */

    regimes = (regimes & 1) | (regimes & 2) << 15 | (regimes & 4) << 30 | (regimes & 8) << 45;
    return regimes * 0xffff & two_valued[0][axes & 3] & two_valued[1][axes >> 2 & 3] &
           two_valued[2][axes >> 4 & 3] & two_valued[3][axes >> 6 & 3];
}

xinv_classes xinv_classes_expand(xinv_axes axes)
{
    return expand(axes);
}

static unsigned popcount64(uint64_t v)
{
    v -= v >> 1 & UINT64_C(0x5555555555555555);
    v = (v & UINT64_C(0x3333333333333333)) + (v >> 2 & UINT64_C(0x3333333333333333));
    v = (v + (v >> 4)) & UINT64_C(0x0f0f0f0f0f0f0f0f);
    return (unsigned)((v * UINT64_C(0x0101010101010101)) >> 56);
}

/* Is a removal no narrower than another of the same row, where both reach the same entries? */
static bool is_subsumed(const struct xinv_vendor *v, const struct xinv_command_def *cmd, unsigned i,
                        xinv_classes classes)
{
    const struct xinv_removal_def *r = &v->removals[cmd->removals.first + i];

    for (unsigned k = 0; k < cmd->removals.count; k++) {
        const struct xinv_removal_def *other = &v->removals[cmd->removals.first + k];

        if (other->must && other->cache == r->cache && other->match != r->match &&
            !(other->match & ~r->match) && (expand(other->classes) & expand(r->classes) & classes))
            return true;
    }
    return false;
}

uint8_t xinv_row_matches(const struct xinv_iommu *iommu, unsigned row, const struct xinv_need *need)
{
    const struct xinv_vendor *v = iommu->vendor;
    const struct xinv_command_def *cmd = &v->commands[row];
    uint8_t matched = 0;

    for (unsigned i = 0; i < cmd->removals.count; i++) {
        const struct xinv_removal_def *r = &v->removals[cmd->removals.first + i];

        /* of two removals that reach the same entries the wider one decides what dies */
        if (r->must && r->cache == need->cache && (expand(r->classes) & need->classes) &&
            !is_subsumed(v, cmd, i, need->classes))
            matched |= r->match;
    }
    return matched;
}

/*
 * How many entries a removal finds, in units of 2^-28 entries: the cache's population, divided by
 * the number of values that share it for every tag that is matched. A population, never the size of
 * an address space, bounds it.
 */
static uint64_t entries(const struct xinv_cache_def *cache, uint8_t match, xinv_classes classes)
{
    unsigned log2 = 28u + cache->log2_entries;
    xinv_classes all = expand(cache->axes);

    for (unsigned left = match & cache->tags; left; left &= left - 1)
        log2 -= cache->spread[__builtin_ctz(left)];
    if (!(all & ~classes))
        return UINT64_C(1) << log2;
    return ((uint64_t)popcount64(classes & all) << log2) / popcount64(all);
}

/* Does a command with this choice of operands name the values that a need asks for, as far as it
 * matches on them? */
static bool choice_fits(struct xinv_operand_choice choice, uint8_t match,
                        const struct xinv_need *need)
{
    uint8_t named = match & (need->known | need->listed);

    if ((choice.zero ^ need->zero) & named)
        return false;
    return !(named & (uint8_t)~need->zero & XINV_TAG_BIT(XINV_TAG_DID)) ||
           !((choice.flags ^ need->flags) & XINV_NEED_NEW_DID);
}

/*
 * Does a removal reach entries that no need asks for? Told from the tags, not from numbers: a tag
 * that one value has to itself divides nothing, and of two removals each can reach beyond what the
 * other matches on.
 */
static bool reaches_beyond(const struct xinv_cache_def *cache, const struct xinv_removal_def *r,
                           struct xinv_operand_choice choice, const struct xinv_shape *shape)
{
    xinv_classes beyond = expand(r->classes) & expand(cache->axes);

    for (unsigned k = 0; k < shape->n; k++) {
        const struct xinv_need *need = &shape->need[k];

        if (need->cache == r->cache && !(need->known & cache->tags & ~r->match) &&
            choice_fits(choice, r->match, need))
            beyond &= ~need->classes;
    }
    return beyond != 0;
}

/* The classes of a removal's entries that no other removal of the row takes all of: an entry dies
 * once. */
static xinv_classes own_classes(const struct xinv_vendor *v, const struct xinv_command_def *cmd,
                                unsigned i)
{
    const struct xinv_removal_def *r = &v->removals[cmd->removals.first + i];
    xinv_classes classes = expand(r->classes);

    for (unsigned k = 0; k < cmd->removals.count; k++) {
        const struct xinv_removal_def *other = &v->removals[cmd->removals.first + k];

        if (k != i && other->cache == r->cache && !(other->match & ~r->match) &&
            (other->match != r->match || k < i))
            classes &= ~expand(other->classes);
    }
    return classes;
}

/* How many of a removal's entries the shape asks for: of each class, as many as the need does that
 * asks for most of it. */
static uint64_t asked_of(const struct xinv_cache_def *cache, const struct xinv_removal_def *r,
                         xinv_classes classes, struct xinv_operand_choice choice,
                         const struct xinv_shape *shape)
{
    uint64_t asked = 0;

    while (classes) {
        const struct xinv_need *widest = NULL;

        for (unsigned k = 0; k < shape->n; k++) {
            const struct xinv_need *need = &shape->need[k];

            if (need->cache == r->cache && (classes & need->classes) &&
                choice_fits(choice, r->match, need) &&
                (!widest || entries(cache, r->match | need->known, ~UINT64_C(0)) >
                                entries(cache, r->match | widest->known, ~UINT64_C(0))))
                widest = need;
        }
        if (!widest)
            break;
        asked += entries(cache, r->match | widest->known, classes & widest->classes);
        classes &= ~widest->classes;
    }
    return asked;
}

uint64_t xinv_row_excess(const struct xinv_iommu *iommu, unsigned row,
                         struct xinv_operand_choice choice, const struct xinv_shape *shape,
                         uint8_t *must, uint8_t *may)
{
    const struct xinv_vendor *v = iommu->vendor;
    const struct xinv_command_def *cmd = &v->commands[row];
    uint64_t excess[XINV_NCACHES] = {0};
    uint64_t sum = 0;
    uint8_t asked = 0; /* 1 << cache: some need is of it */

    for (unsigned k = 0; k < shape->n; k++)
        asked |= (uint8_t)(1u << shape->need[k].cache);

    for (unsigned i = 0; i < cmd->removals.count; i++) {
        const struct xinv_removal_def *r = &v->removals[cmd->removals.first + i];
        const struct xinv_cache_def *cache = &v->caches[r->cache];
        xinv_classes classes;

        if (!(iommu->caches & (1u << r->cache)))
            continue;
        classes = own_classes(v, cmd, i);
        excess[r->cache] += entries(cache, r->match, classes);
        if (asked >> r->cache & 1)
            excess[r->cache] -= asked_of(cache, r, classes, choice, shape);
        if (reaches_beyond(cache, r, choice, shape))
            *(r->must ? must : may) |= (uint8_t)(1u << r->cache);
    }
    for (unsigned c = 0; c < XINV_NCACHES; c++) {
        /* removals that overlap in part are counted each, but no more dies than there is */
        uint64_t most = UINT64_C(1) << (28u + v->caches[c].log2_entries);

        sum += excess[c] < most ? excess[c] : most;
    }
    return sum;
}

/* Candidates. */

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

/* The classes of a need that a row removes with a choice of operands. */
static xinv_classes covers_with(const struct xinv_iommu *iommu, unsigned row,
                                struct xinv_operand_choice choice, const struct xinv_need *need)
{
    const struct xinv_vendor *v = iommu->vendor;
    const struct xinv_command_def *cmd = &v->commands[row];
    xinv_classes covered = 0;

    if (!(iommu->reach[row] & (1u << need->cache)))
        return 0;
    for (unsigned i = 0; i < cmd->removals.count; i++) {
        const struct xinv_removal_def *r = &v->removals[cmd->removals.first + i];

        if (r->must && r->cache == need->cache && !(r->match & ~(need->known | need->listed)) &&
            choice_fits(choice, r->match, need))
            covered |= expand(r->classes);
    }
    return covered & need->classes;
}

static struct xinv_operand_choice choice_for(const struct xinv_command_def *cmd,
                                             const struct xinv_need *need)
{
    struct xinv_operand_choice choice = {need->zero & cmd->operands, 0};

    if (cmd->operands & (uint8_t)~need->zero & XINV_TAG_BIT(XINV_TAG_DID))
        choice.flags = need->flags & XINV_NEED_NEW_DID;
    return choice;
}

static bool same_choice(struct xinv_operand_choice a, struct xinv_operand_choice b)
{
    return a.zero == b.zero && a.flags == b.flags;
}

static bool is_there(const struct xinv_candidates *found, unsigned row,
                     struct xinv_operand_choice choice)
{
    for (unsigned i = found->n; i-- > 0 && found->c[i].row == row;)
        if (same_choice(found->c[i].choice, choice))
            return true;
    return false;
}

/* Does a row with a choice of operands remove some entry of the shape? */
static bool covers_any(const struct xinv_iommu *iommu, unsigned row,
                       struct xinv_operand_choice choice, const struct xinv_shape *shape)
{
    for (unsigned k = 0; k < shape->n; k++)
        if (covers_with(iommu, row, choice, &shape->need[k]))
            return true;
    return false;
}

static void add_choice(struct xinv_candidates *found, const struct xinv_iommu *iommu,
                       const struct xinv_shape *shape, unsigned row,
                       struct xinv_operand_choice choice)
{
    struct xinv_candidate *c = &found->c[found->n];

    if (found->n == XINV_MAX_CANDIDATES || is_there(found, row, choice) ||
        !covers_any(iommu, row, choice, shape))
        return;
    *c = (struct xinv_candidate){.row = (uint8_t)row,
                                 .phase = iommu->vendor->commands[row].phase,
                                 .choice = choice,
                                 .commands = 1};
    c->excess = xinv_row_excess(iommu, row, choice, shape, &c->must, &c->may);
    found->n++;
}

/* The PASID of one choice with the DID of another. */
static struct xinv_operand_choice joined(struct xinv_operand_choice pasid,
                                         struct xinv_operand_choice did)
{
    const uint8_t bit = XINV_TAG_BIT(XINV_TAG_DID);

    did.zero = (did.zero & bit) | (pasid.zero & (uint8_t)~bit);
    return did;
}

/* A row once for every choice of operands that some need asks for; the DID that one need asks for
 * and the PASID of another go together in one command too. */
static void add_row(struct xinv_candidates *found, const struct xinv_iommu *iommu,
                    const struct xinv_shape *shape, unsigned row)
{
    const struct xinv_command_def *cmd = &iommu->vendor->commands[row];
    struct xinv_operand_choice last = {0};

    for (unsigned k = 0; k < shape->n; k++) {
        struct xinv_operand_choice own = choice_for(cmd, &shape->need[k]);

        if (k && same_choice(own, last))
            continue;
        add_choice(found, iommu, shape, row, own);
        for (unsigned j = 0; j < k; j++) {
            struct xinv_operand_choice other = choice_for(cmd, &shape->need[j]);
            struct xinv_operand_choice mixed = joined(own, other);

            if (same_choice(mixed, own) || same_choice(mixed, other))
                continue;
            add_choice(found, iommu, shape, row, mixed);
            add_choice(found, iommu, shape, row, joined(other, own));
        }
        last = own;
    }
}

/* Atoms of one need: its classes, split by what each candidate covers. Room runs out to the safe
 * side: an atom not split further counts as covered only if all of it is. */
static unsigned split_need(const struct xinv_need *need, const xinv_classes *covered,
                           unsigned n_covered, unsigned room, xinv_classes *atom)
{
    unsigned n = 1;

    atom[0] = need->classes;
    for (unsigned i = 0; i < n_covered; i++) {
        unsigned now = n;

        for (unsigned k = 0; k < now && n < room; k++)
            if ((atom[k] & covered[i]) && (atom[k] & ~covered[i])) {
                atom[n++] = atom[k] & ~covered[i];
                atom[k] &= covered[i];
            }
    }
    return n;
}

static void add_atoms(struct xinv_candidates *found, const struct xinv_iommu *iommu,
                      const struct xinv_shape *shape, unsigned k)
{
    const struct xinv_need *need = &shape->need[k];
    xinv_classes atom[XINV_MAX_ATOMS];
    xinv_classes covered[XINV_MAX_CANDIDATES];
    unsigned room = XINV_MAX_ATOMS - found->n_atoms -
                    (shape->n - 1 - k); /* one is left for each need to come */
    unsigned n;

    for (unsigned i = 0; i < found->n; i++)
        covered[i] = covers_with(iommu, found->c[i].row, found->c[i].choice, need);
    n = split_need(need, covered, found->n, room, atom);
    for (unsigned i = 0; i < found->n; i++) {
        struct xinv_candidate *c = &found->c[i];
        uint8_t matches;

        if (!covered[i])
            continue;
        c->choice.flags |= need->flags & XINV_NEED_ALIASES;
        matches = xinv_row_matches(iommu, c->row, need);
        if (matches & (uint8_t)~need->known)
            c->listed = 1;
        c->lost |= need->report & (uint8_t)~matches;
        for (unsigned a = 0; a < n; a++)
            if (!(atom[a] & ~covered[i]))
                c->covers |= UINT64_C(1) << (found->n_atoms + a);
    }
    for (unsigned a = 0; a < n; a++) {
        found->need_of[found->n_atoms] = (uint8_t)k;
        found->atoms |= UINT64_C(1) << found->n_atoms++;
    }
}

void xinv_candidates_find(const struct xinv_iommu *iommu, const struct xinv_shape *shape,
                          struct xinv_candidates *found)
{
    const struct xinv_vendor *v = iommu->vendor;
    uint8_t caches = 0;

    found->atoms = 0;
    found->n_atoms = 0;
    found->n = 0;
    for (unsigned k = 0; k < shape->n; k++)
        caches |= (uint8_t)(1u << shape->need[k].cache);
    for (unsigned row = 0; row < v->n_commands; row++)
        if ((iommu->commands >> row & 1) && (iommu->reach[row] & caches) &&
            (shape->beyond || (iommu->confined >> row & 1)))
            add_row(found, iommu, shape, row);
    for (unsigned k = 0; k < shape->n; k++)
        if (shape->need[k].classes)
            add_atoms(found, iommu, shape, k);
}

/* The search. */

static struct xinv_cover with(const struct xinv_cover *cover, const struct xinv_candidates *found,
                              unsigned c, const uint8_t *least)
{
    struct xinv_cover more = *cover;

    more.excess += found->c[c].excess;
    more.commands += found->c[c].commands;
    more.listed = (uint8_t)(more.listed + found->c[c].listed);
    more.phases |= (uint8_t)(1u << found->c[c].phase);
    if (least)
        more.syncs = least[more.phases];
    more.chosen[more.n++] = (uint8_t)c;
    return more;
}

void xinv_cover_syncs(const struct xinv_vendor *vendor, const uint8_t again[XINV_NPHASES],
                      uint8_t syncs[1 << XINV_NPHASES])
{
    for (unsigned set = 0; set < 1u << XINV_NPHASES; set++) {
        unsigned last =
            XINV_NPHASES; /* what it waits for, whatever waits for it waits for as well */

        syncs[set] = 0;
        for (unsigned p = XINV_PHASE_REGISTER + 1; p < XINV_NPHASES; p++) {
            if (!(set >> p & 1))
                continue;
            if (last < XINV_NPHASES && vendor->order[last][p] != XINV_ORDER_QUEUE)
                syncs[set]++;
            syncs[set] = (uint8_t)(syncs[set] + again[p]);
            last = p;
        }
    }
}

/*
 * Syncs by the phases of a plan in the making: the fewest that any plan with more rows can come to.
 * A phase in between may order two others that would need a fence.
 */
static void fewest_syncs(const uint8_t *syncs, uint8_t *least)
{
    for (unsigned set = 1u << XINV_NPHASES; set-- > 0;) {
        least[set] = syncs[set];
        for (unsigned p = 0; p < XINV_NPHASES; p++)
            if (!(set >> p & 1) && least[set | 1u << p] < least[set])
                least[set] = least[set | 1u << p];
    }
}

/* Every part of the comparison only grows as rows are added, with syncs as fewest_syncs() counts
 * them, so a plan in the making that is not better never will be. */
static bool better(const struct xinv_cover *a, const struct xinv_cover *b, bool latency)
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

/*
 * Depth first: at each depth the first open atom is closed by one more candidate, tried in table
 * order. Every plan without a superfluous row is reached, except those that cannot beat the best so
 * far. Without recursion: level[d] is the plan of d rows.
 */
bool xinv_cover_best(const struct xinv_candidates *found, const uint8_t *syncs,
                     struct xinv_cover *best)
{
    struct xinv_cover level[XINV_MAX_ROWS + 1];
    uint64_t open[XINV_MAX_ROWS + 1];
    unsigned depth = 0;
    unsigned next = 0; /* candidate to try at this depth */
    uint8_t least[1 << XINV_NPHASES];
    bool any = false;

    if (syncs)
        fewest_syncs(syncs, least);
    level[0] = (struct xinv_cover){0};
    open[0] = found->atoms;
    for (;;) {
        unsigned c = next;

        if (!open[depth]) {
            if (syncs)
                level[depth].syncs = syncs[level[depth].phases];
            if (!any || better(&level[depth], best, syncs != NULL))
                *best = level[depth];
            any = true;
            c = found->n;
        } else if (depth == XINV_MAX_ROWS) {
            c = found->n;
        } else {
            uint64_t first = open[depth] & (~open[depth] + 1);

            for (; c < found->n; c++) {
                if (!(found->c[c].covers & first) || !found->c[c].commands)
                    continue;
                level[depth + 1] = with(&level[depth], found, c, syncs ? least : NULL);
                if (!any || better(&level[depth + 1], best, syncs != NULL))
                    break;
            }
        }
        if (c < found->n) {
            open[depth + 1] = open[depth] & ~found->c[c].covers;
            depth++;
            next = 0;
            continue;
        }
        if (!depth)
            return any;
        next = level[depth].chosen[depth - 1] + 1u;
        depth--;
    }
}

unsigned xinv_cover_open(const struct xinv_candidates *found)
{
    uint64_t open = found->atoms;

    for (unsigned c = 0; c < found->n; c++)
        if (found->c[c].commands)
            open &= ~found->c[c].covers;
    for (unsigned a = 0; a < found->n_atoms; a++)
        if (open >> a & 1)
            return found->need_of[a];
    return 0;
}
