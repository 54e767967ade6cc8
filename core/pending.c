// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
#include "core/pending.h"

#include "core/range.h"

/* A range's attributes stand where a mapping has its physical address. */
static uint64_t pack(const struct xinv_pending_range *range)
{
    return (uint64_t)range->from | (uint64_t)range->log2_leaf << 8 | (uint64_t)range->flags << 16;
}

static struct xinv_pending_range unpack(const struct xinv_map_node *node)
{
    return (struct xinv_pending_range){.first = node->first,
                                       .last = node->last,
                                       .pages = xinv_pages(node->first, node->last),
                                       .from = (uint8_t)node->phys,
                                       .log2_leaf = (uint8_t)(node->phys >> 8),
                                       .flags = (uint16_t)(node->phys >> 16)};
}

static enum xinv_pending_kind kind_of(const struct xinv_pending_range *range)
{
    if (!(range->flags & XINV_REQ_LEAVES_WITHIN))
        return XINV_PENDING_SHARED;
    return range->flags & XINV_REQ_LEAF_ONLY ? XINV_PENDING_LEAVES : XINV_PENDING_TABLES;
}

void xinv_pending_init(struct xinv_pending *pending)
{
    for (unsigned kind = 0; kind < XINV_PENDING_KINDS; kind++)
        pending->root[kind] = XINV_NIL;
    pending->log2_shared = 0;
    pending->log2_leaf = 0;
}

/* What is stale of two ranges together. */
static void join(struct xinv_pending_range *into, const struct xinv_pending_range *other)
{
    if (other->first < into->first)
        into->first = other->first;
    if (other->last > into->last)
        into->last = other->last;
    if (other->log2_leaf > into->log2_leaf)
        into->log2_leaf = other->log2_leaf;
    into->from |= other->from;
    into->flags &= other->flags;
}

/*
 * May two ranges of one kind be one? A leaf within its own range is within both; but a leaf that
 * may reach beyond would widen the other's ends to its size.
 */
static bool alike(const struct xinv_pending_range *a, const struct xinv_pending_range *b)
{
    return kind_of(a) != XINV_PENDING_SHARED ||
           (a->log2_leaf == b->log2_leaf && a->flags == b->flags);
}

static bool touches(const struct xinv_map_node *node, uint64_t last)
{
    return node->first <= last || node->first == last + 1;
}

/* Lets a range that waits grow; the node's place among the others stays what it is. */
static void grow(struct xinv_map_store *store, uint32_t node, const struct xinv_pending_range *to)
{
    store->nodes[node].first = to->first;
    store->nodes[node].last = to->last;
    store->nodes[node].phys = pack(to);
}

void xinv_pending_add(struct xinv_map_store *store, struct xinv_pending *pending,
                      const struct xinv_pending_range *range)
{
    uint32_t *root = &pending->root[kind_of(range)];
    struct xinv_pending_range all = *range;
    uint32_t kept = XINV_NIL;
    uint32_t node = xinv_map_at_or_after(store, *root, all.first ? all.first - 1 : 0);

    while (node != XINV_NIL && touches(&store->nodes[node], all.last)) {
        struct xinv_pending_range old = unpack(&store->nodes[node]);

        if (!alike(&old, &all)) {
            node = xinv_map_next(store, node);
            continue;
        }
        join(&all, &old);
        if (kept != XINV_NIL)
            xinv_map_remove(store, root, kept);
        /* a removal can put another node's contents elsewhere in the tree, but not in the array */
        kept = node;
        grow(store, kept, &all);
        node = xinv_map_next(store, kept);
    }
    if (all.log2_leaf > pending->log2_leaf)
        pending->log2_leaf = all.log2_leaf;
    if (!(all.flags & XINV_REQ_LEAVES_WITHIN) && all.log2_leaf > pending->log2_shared)
        pending->log2_shared = all.log2_leaf;
    if (kept == XINV_NIL)
        (void)xinv_map_insert(store, root, all.first, all.last, pack(&all));
}

static uint64_t leaf_mask(uint8_t log2_leaf)
{
    return log2_leaf ? (UINT64_C(1) << log2_leaf) - 1 : 0;
}

/* Is some address of first..last in a leaf that was shared with others? */
static bool meets_shared(const struct xinv_map_store *store, const struct xinv_pending *pending,
                         uint64_t first, uint64_t last)
{
    uint64_t most = leaf_mask(pending->log2_shared);
    uint32_t node = xinv_map_at_or_after(store, pending->root[XINV_PENDING_SHARED], first & ~most);

    for (; node != XINV_NIL && store->nodes[node].first <= (last | most);
         node = xinv_map_next(store, node)) {
        struct xinv_pending_range range = unpack(&store->nodes[node]);
        uint64_t mask = leaf_mask(range.log2_leaf);

        if ((range.first & ~mask) <= last && (range.last | mask) >= first)
            return true;
    }
    return false;
}

bool xinv_pending_meets(const struct xinv_map_store *store, const struct xinv_pending *pending,
                        uint64_t first, uint64_t last)
{
    for (unsigned kind = 0; kind < XINV_PENDING_SHARED; kind++) {
        uint32_t node = xinv_map_at_or_after(store, pending->root[kind], first);

        if (node != XINV_NIL && store->nodes[node].first <= last)
            return true;
    }
    return meets_shared(store, pending, first, last);
}

void xinv_pending_clear(struct xinv_map_store *store, struct xinv_pending *pending)
{
    for (unsigned kind = 0; kind < XINV_PENDING_KINDS; kind++)
        xinv_map_clear(store, &pending->root[kind]);
    xinv_pending_init(pending);
}

/* ---- Walks ---- */

void xinv_pending_begin(struct xinv_pending_walk *walk, const struct xinv_map_store *store,
                        const struct xinv_pending *pending, const struct xinv_gaps *gaps)
{
    walk->store = store;
    walk->gaps = *gaps;
    for (unsigned kind = 0; kind < XINV_PENDING_KINDS; kind++)
        walk->node[kind] = xinv_map_at_or_after(store, pending->root[kind], 0);
}

/* The node that comes next in the order of first addresses, or NULL. */
static const struct xinv_map_node *lowest(const struct xinv_pending_walk *walk, unsigned *kind)
{
    const struct xinv_map_node *best = NULL;

    for (unsigned k = 0; k < XINV_PENDING_KINDS; k++) {
        const struct xinv_map_node *node;

        if (walk->node[k] == XINV_NIL)
            continue;
        node = &walk->store->nodes[walk->node[k]];
        if (best && best->first <= node->first)
            continue;
        best = node;
        *kind = k;
    }
    return best;
}

/* Is the gap before a node to be closed? */
static bool closes(struct xinv_gaps *gaps, uint64_t last, uint64_t first)
{
    uint64_t gap = first > last ? first - last - 1 : 0;

    if (!gaps->close)
        return false;
    if (gap != gaps->under)
        return gap < gaps->under;
    if (!gaps->open)
        return true;
    gaps->open--;
    return false;
}

static uint64_t pages_beyond(uint64_t last, const struct xinv_pending_range *range)
{
    if (range->last <= last)
        return 0;
    return xinv_pages(range->first > last ? range->first : last + 1, range->last);
}

bool xinv_pending_next(struct xinv_pending_walk *walk, struct xinv_pending_range *range)
{
    unsigned kind = 0;
    const struct xinv_map_node *node = lowest(walk, &kind);

    if (!node)
        return false;
    *range = unpack(node);
    walk->node[kind] = xinv_map_next(walk->store, walk->node[kind]);
    if (!walk->gaps.close)
        return true;
    for (node = lowest(walk, &kind); node && closes(&walk->gaps, range->last, node->first);
         node = lowest(walk, &kind)) {
        struct xinv_pending_range more = unpack(node);

        range->pages += pages_beyond(range->last, &more);
        join(range, &more);
        walk->node[kind] = xinv_map_next(walk->store, walk->node[kind]);
    }
    return true;
}

uint32_t xinv_pending_count(const struct xinv_map_store *store, const struct xinv_pending *pending,
                            uint32_t limit)
{
    static const struct xinv_gaps none = {0};
    struct xinv_pending_walk walk;
    struct xinv_pending_range range;
    uint32_t n = 0;

    xinv_pending_begin(&walk, store, pending, &none);
    while (n <= limit && xinv_pending_next(&walk, &range))
        n++;
    return n;
}

/* Keeps the largest gaps, in falling order. */
static unsigned keep_gap(uint64_t *largest, unsigned n, unsigned most, uint64_t gap)
{
    unsigned at = n < most ? n : most - 1;

    if (!most || (n == most && largest[at] >= gap))
        return n;
    for (; at && largest[at - 1] < gap; at--)
        largest[at] = largest[at - 1];
    largest[at] = gap;
    return n < most ? n + 1 : n;
}

uint32_t xinv_gaps_choose(const struct xinv_map_store *store, const struct xinv_pending *pending,
                          unsigned most, struct xinv_gaps *gaps)
{
    static const struct xinv_gaps touching = {true, 1, UINT32_MAX};
    uint64_t largest[XINV_MAX_BLOCKS];
    struct xinv_pending_walk walk;
    struct xinv_pending_range before;
    struct xinv_pending_range range;
    uint32_t n_gaps = 0;
    unsigned n = 0;

    *gaps = touching;
    xinv_pending_begin(&walk, store, pending, &touching);
    if (!xinv_pending_next(&walk, &before))
        return 0;
    for (; xinv_pending_next(&walk, &range); before = range, n_gaps++)
        n = keep_gap(largest, n, most - 1, range.first - before.last - 1);
    if (n_gaps < most)
        return n_gaps + 1;
    *gaps = (struct xinv_gaps){true, UINT64_MAX, 0};
    if (n)
        gaps->under = largest[n - 1];
    for (unsigned i = 0; i < n; i++)
        gaps->open += largest[i] == gaps->under;
    return most;
}
