// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
#include "core/cover.h"

/*
 * A combination's index has a bit for the value of each two-valued axis and two for the regime.
 * pattern[v] is the set of combinations that have axis value v; the axes stand in the order of the
 * XINV_* class bits.
 */
static const uint64_t pattern[12] = {
    UINT64_C(0x5555555555555555), UINT64_C(0xaaaaaaaaaaaaaaaa), /* level: leaf, walk */
    UINT64_C(0x3333333333333333), UINT64_C(0xcccccccccccccccc), /* global: no, yes */
    UINT64_C(0x0f0f0f0f0f0f0f0f), UINT64_C(0xf0f0f0f0f0f0f0f0), /* pasid: untagged, tagged */
    UINT64_C(0x00ff00ff00ff00ff), UINT64_C(0xff00ff00ff00ff00), /* presence: present, not present */
    UINT64_C(0x000000000000ffff), UINT64_C(0x00000000ffff0000), /* regime: EL1, EL2 */
    UINT64_C(0x0000ffff00000000), UINT64_C(0xffff000000000000), /* regime: Secure, Realm */
};

static uint64_t axis_set(xinv_axes axes, unsigned first, unsigned n)
{
    uint64_t set = 0;

    for (unsigned i = first; i < first + n; i++)
        if (axes & (1u << i))
            set |= pattern[i];
    return set;
}

xinv_classes xinv_classes_expand(xinv_axes axes)
{
    return axis_set(axes, 0, 2) & axis_set(axes, 2, 2) & axis_set(axes, 4, 2) &
           axis_set(axes, 6, 2) & axis_set(axes, 8, 4);
}

static unsigned popcount64(uint64_t v)
{
    unsigned n = 0;

    for (; v; v &= v - 1)
        n++;
    return n;
}

xinv_classes xinv_row_covers(const struct xinv_iommu *iommu, unsigned row,
                             const struct xinv_need *need)
{
    const struct xinv_vendor *v = iommu->vendor;
    const struct xinv_command_def *cmd = &v->commands[row];
    xinv_classes covered = 0;

    for (unsigned i = 0; i < cmd->removals.count; i++) {
        const struct xinv_removal_def *r = &v->removals[cmd->removals.first + i];

        if (r->must && r->cache == need->cache && !(r->match & ~(need->known | need->listed)))
            covered |= xinv_classes_expand(r->classes);
    }
    return covered & need->classes;
}

uint8_t xinv_row_matches(const struct xinv_iommu *iommu, unsigned row, const struct xinv_need *need)
{
    const struct xinv_vendor *v = iommu->vendor;
    const struct xinv_command_def *cmd = &v->commands[row];
    uint8_t matched = 0;

    for (unsigned i = 0; i < cmd->removals.count; i++) {
        const struct xinv_removal_def *r = &v->removals[cmd->removals.first + i];

        if (r->must && r->cache == need->cache && (xinv_classes_expand(r->classes) & need->classes))
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
    xinv_classes all = xinv_classes_expand(cache->axes);

    for (unsigned t = 0; t < XINV_NTAGS; t++)
        if (match & cache->tags & XINV_TAG_BIT(t))
            log2 -= cache->spread[t];
    return ((uint64_t)popcount64(classes & all) << log2) / popcount64(all);
}

uint64_t xinv_row_excess(const struct xinv_iommu *iommu, unsigned row,
                         const struct xinv_shape *shape, uint8_t *must, uint8_t *may)
{
    const struct xinv_vendor *v = iommu->vendor;
    const struct xinv_command_def *cmd = &v->commands[row];
    uint64_t excess = 0;

    for (unsigned i = 0; i < cmd->removals.count; i++) {
        const struct xinv_removal_def *r = &v->removals[cmd->removals.first + i];
        const struct xinv_cache_def *cache = &v->caches[r->cache];
        xinv_classes classes = xinv_classes_expand(r->classes);
        uint64_t removed;
        uint64_t wanted = 0;

        if (!(iommu->caches & (1u << r->cache)))
            continue;
        removed = entries(cache, r->match, classes);
        for (unsigned k = 0; k < shape->n; k++) {
            const struct xinv_need *need = &shape->need[k];

            if (need->cache != r->cache)
                continue;
            wanted += entries(cache, r->match | need->known, classes & need->classes);
            classes &= ~need->classes;
        }
        if (removed > wanted) {
            excess += removed - wanted;
            if (r->must)
                *must |= (uint8_t)(1u << r->cache);
            else
                *may |= (uint8_t)(1u << r->cache);
        }
    }
    return excess;
}

/* Does a row stay within its user's entries: does it match a tag that confines it, in any cache
 * that has one? */
static bool confined(const struct xinv_vendor *v, const struct xinv_command_def *cmd)
{
    for (unsigned i = 0; i < cmd->removals.count; i++) {
        const struct xinv_removal_def *r = &v->removals[cmd->removals.first + i];
        uint8_t owner = v->caches[r->cache].owner;

        if (r->must && (!owner || (r->match & owner)))
            return true;
    }
    return false;
}

struct search {
    const struct xinv_iommu *iommu;
    const struct xinv_shape *shape;
    struct xinv_ladder *ladder;
    uint8_t n_rows;
    uint8_t rows[XINV_MAX_COMMANDS]; /* candidates, in table order */
    uint64_t excess[XINV_MAX_COMMANDS];
};

static void find_candidates(struct search *s)
{
    const struct xinv_vendor *v = s->iommu->vendor;

    s->n_rows = 0;
    for (unsigned row = 0; row < v->n_commands; row++) {
        bool useful = false;
        uint8_t ignored = 0;

        if (!(s->iommu->commands & (UINT64_C(1) << row)))
            continue;
        if (!s->shape->beyond && !confined(v, &v->commands[row]))
            continue;
        for (unsigned k = 0; k < s->shape->n && !useful; k++)
            useful = xinv_row_covers(s->iommu, row, &s->shape->need[k]) != 0;
        if (!useful)
            continue;
        s->excess[s->n_rows] = xinv_row_excess(s->iommu, row, s->shape, &ignored, &ignored);
        s->rows[s->n_rows++] = (uint8_t)row;
    }
}

/* Is a at least as good as b in everything that a policy may look at? */
static bool no_worse(const struct xinv_rung *a, const struct xinv_rung *b)
{
    return a->excess <= b->excess && a->n <= b->n && a->n_ranged <= b->n_ranged &&
           a->n_listed <= b->n_listed && popcount64(a->phases) <= popcount64(b->phases);
}

/* The order of the ladder: excess, then what costs commands. */
static bool goes_before(const struct xinv_rung *a, const struct xinv_rung *b)
{
    if (a->excess != b->excess)
        return a->excess < b->excess;
    if (a->n_listed != b->n_listed)
        return a->n_listed < b->n_listed;
    return a->n < b->n;
}

static void keep(struct xinv_ladder *ladder, const struct xinv_rung *rung)
{
    unsigned n = 0;
    unsigned at;

    for (unsigned i = 0; i < ladder->n; i++)
        if (no_worse(&ladder->rung[i], rung))
            return; /* equal plans: the first in table order stays */
    for (unsigned i = 0; i < ladder->n; i++)
        if (!no_worse(rung, &ladder->rung[i]))
            ladder->rung[n++] = ladder->rung[i];
    for (at = n; at > 0 && goes_before(rung, &ladder->rung[at - 1]); at--)
        if (at < XINV_MAX_RUNGS)
            ladder->rung[at] = ladder->rung[at - 1];
    if (at < XINV_MAX_RUNGS)
        ladder->rung[at] = *rung;
    ladder->n = (uint8_t)(n < XINV_MAX_RUNGS ? n + 1 : XINV_MAX_RUNGS);
}

/* Does a row cover some need only through the list of a tag's live values? */
static bool is_listed(const struct search *s, unsigned row)
{
    for (unsigned k = 0; k < s->shape->n; k++) {
        const struct xinv_need *need = &s->shape->need[k];

        if (xinv_row_covers(s->iommu, row, need) &&
            (xinv_row_matches(s->iommu, row, need) & ~need->known))
            return true;
    }
    return false;
}

static void evaluate(struct search *s, const uint8_t *chosen, unsigned n)
{
    const struct xinv_vendor *v = s->iommu->vendor;
    struct xinv_rung rung = {0};

    for (unsigned i = 0; i < n; i++) {
        unsigned row = s->rows[chosen[i]];

        rung.row[i] = (uint8_t)row;
        rung.excess += s->excess[chosen[i]];
        rung.phases |= (uint8_t)(1u << v->commands[row].phase);
        if (v->commands[row].ranges.count)
            rung.n_ranged++;
        if (is_listed(s, row))
            rung.n_listed++;
    }
    rung.n = (uint8_t)n;
    keep(s->ladder, &rung);
}

/* The first need that the chosen rows leave open, and its open classes; 0 if none. */
static xinv_classes open_classes(const struct search *s, const uint8_t *chosen, unsigned n,
                                 unsigned *need)
{
    for (unsigned k = 0; k < s->shape->n; k++) {
        xinv_classes open = s->shape->need[k].classes;

        for (unsigned i = 0; i < n && open; i++)
            open &= ~xinv_row_covers(s->iommu, s->rows[chosen[i]], &s->shape->need[k]);
        if (open) {
            *need = k;
            return open;
        }
    }
    return 0;
}

/*
 * Every cover of at most XINV_MAX_ROWS rows, depth first: at each depth the first open need is
 * closed by one more row, tried in table order. Without recursion: choice[d] is the candidate tried
 * at depth d.
 */
static void search_covers(struct search *s)
{
    uint8_t choice[XINV_MAX_ROWS];
    unsigned depth = 0;
    unsigned next = 0; /* candidate to try at this depth */

    for (;;) {
        unsigned k = 0;
        xinv_classes open = open_classes(s, choice, depth, &k);
        unsigned c = next;

        if (!open) {
            evaluate(s, choice, depth);
            c = s->n_rows;
        } else if (depth == XINV_MAX_ROWS) {
            c = s->n_rows;
        }
        while (c < s->n_rows && !(xinv_row_covers(s->iommu, s->rows[c], &s->shape->need[k]) & open))
            c++;
        if (c < s->n_rows) {
            choice[depth++] = (uint8_t)c;
            next = 0;
            continue;
        }
        if (!depth)
            return;
        next = choice[--depth] + 1u;
    }
}

/* The first need that all candidates together leave open. */
static unsigned uncoverable(const struct search *s)
{
    for (unsigned k = 0; k < s->shape->n; k++) {
        xinv_classes open = s->shape->need[k].classes;

        for (unsigned c = 0; c < s->n_rows; c++)
            open &= ~xinv_row_covers(s->iommu, s->rows[c], &s->shape->need[k]);
        if (open)
            return k;
    }
    return 0;
}

unsigned xinv_ladder_build(const struct xinv_iommu *iommu, const struct xinv_shape *shape,
                           struct xinv_ladder *ladder, unsigned *uncovered)
{
    struct search s = {.iommu = iommu, .shape = shape, .ladder = ladder};

    ladder->n = 0;
    *uncovered = 0;
    find_candidates(&s);
    search_covers(&s);
    if (!ladder->n)
        *uncovered = uncoverable(&s);
    return ladder->n;
}
