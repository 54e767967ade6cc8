// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
#include "core/map.h"

#include <stddef.h>

static struct xinv_map_node *at(const struct xinv_map_store *store, uint32_t i)
{
    return &store->nodes[i];
}

static uint32_t height(const struct xinv_map_store *store, uint32_t i)
{
    return i == XINV_NIL ? 0 : at(store, i)->height;
}

static void update(const struct xinv_map_store *store, uint32_t i)
{
    uint32_t left = height(store, at(store, i)->child[0]);
    uint32_t right = height(store, at(store, i)->child[1]);

    at(store, i)->height = (left > right ? left : right) + 1;
}

void xinv_map_init(struct xinv_map_store *store, struct xinv_map_node *nodes, uint32_t n)
{
    store->nodes = nodes;
    store->free = n ? 0 : XINV_NIL;
    for (uint32_t i = 0; i < n; i++) {
        nodes[i] = (struct xinv_map_node){.child = {XINV_NIL, XINV_NIL}};
        nodes[i].parent = i + 1 < n ? i + 1 : XINV_NIL;
    }
}

uint32_t xinv_map_at_or_after(const struct xinv_map_store *store, uint32_t root, uint64_t address)
{
    uint32_t best = XINV_NIL;

    while (root != XINV_NIL) {
        if (at(store, root)->last >= address) {
            best = root;
            root = at(store, root)->child[0];
        } else {
            root = at(store, root)->child[1];
        }
    }
    return best;
}

uint32_t xinv_map_next(const struct xinv_map_store *store, uint32_t node)
{
    uint32_t up;

    if (at(store, node)->child[1] != XINV_NIL) {
        node = at(store, node)->child[1];
        while (at(store, node)->child[0] != XINV_NIL)
            node = at(store, node)->child[0];
        return node;
    }
    for (up = at(store, node)->parent; up != XINV_NIL && at(store, up)->child[1] == node;
         up = at(store, up)->parent)
        node = up;
    return up;
}

/* Puts `to` where `from` hung under `parent`. */
static void replace(struct xinv_map_store *store, uint32_t *root, uint32_t parent, uint32_t from,
                    uint32_t to)
{
    if (parent == XINV_NIL)
        *root = to;
    else
        at(store, parent)->child[at(store, parent)->child[1] == from] = to;
    if (to != XINV_NIL)
        at(store, to)->parent = parent;
}

/* Lifts the child on side `side` above node i; returns it. */
static uint32_t rotate(struct xinv_map_store *store, uint32_t *root, uint32_t i, unsigned side)
{
    uint32_t up = at(store, i)->child[side];
    uint32_t inner = at(store, up)->child[!side];

    replace(store, root, at(store, i)->parent, i, up);
    at(store, up)->child[!side] = i;
    at(store, i)->parent = up;
    at(store, i)->child[side] = inner;
    if (inner != XINV_NIL)
        at(store, inner)->parent = i;
    update(store, i);
    update(store, up);
    return up;
}

/* Restores the balance from node i upwards, as far as subtrees have another height than before. */
static void rebalance(struct xinv_map_store *store, uint32_t *root, uint32_t i)
{
    while (i != XINV_NIL) {
        uint32_t left = height(store, at(store, i)->child[0]);
        uint32_t right = height(store, at(store, i)->child[1]);
        uint32_t before = at(store, i)->height;

        if (left > right + 1 || right > left + 1) {
            unsigned side = right > left;
            uint32_t child = at(store, i)->child[side];

            if (height(store, at(store, child)->child[!side]) >
                height(store, at(store, child)->child[side]))
                (void)rotate(store, root, child, !side);
            i = rotate(store, root, i, side);
        } else {
            update(store, i);
        }
        if (at(store, i)->height == before)
            return;
        i = at(store, i)->parent;
    }
}

bool xinv_map_insert(struct xinv_map_store *store, uint32_t *root, uint64_t first, uint64_t last,
                     uint64_t phys)
{
    uint32_t node = store->free;
    uint32_t parent = XINV_NIL;
    unsigned side = 0;

    if (node == XINV_NIL)
        return false;
    store->free = at(store, node)->parent;
    for (uint32_t i = *root; i != XINV_NIL; i = at(store, i)->child[side]) {
        parent = i;
        side = first > at(store, i)->first;
    }
    *at(store, node) = (struct xinv_map_node){first, last, phys, {XINV_NIL, XINV_NIL}, parent, 1};
    if (parent == XINV_NIL)
        *root = node;
    else
        at(store, parent)->child[side] = node;
    rebalance(store, root, parent);
    return true;
}

static void release(struct xinv_map_store *store, uint32_t node)
{
    *at(store, node) = (struct xinv_map_node){.child = {XINV_NIL, XINV_NIL}, .parent = store->free};
    store->free = node;
}

void xinv_map_remove(struct xinv_map_store *store, uint32_t *root, uint32_t node)
{
    struct xinv_map_node *n = at(store, node);
    uint32_t from;

    if (n->child[0] != XINV_NIL && n->child[1] != XINV_NIL) {
        /* the next node has no left child: it takes this one's place */
        uint32_t next = xinv_map_next(store, node);
        struct xinv_map_node *s = at(store, next);

        from = s->parent == node ? next : s->parent;
        replace(store, root, s->parent, next, s->child[1]);
        s->child[0] = n->child[0];
        s->child[1] = n->child[1];
        s->height = n->height;
        replace(store, root, n->parent, node, next);
        for (unsigned side = 0; side < 2; side++)
            if (s->child[side] != XINV_NIL)
                at(store, s->child[side])->parent = next;
    } else {
        from = n->parent;
        replace(store, root, n->parent, node, n->child[n->child[0] == XINV_NIL]);
    }
    release(store, node);
    rebalance(store, root, from);
}

void xinv_map_clear(struct xinv_map_store *store, uint32_t *root)
{
    uint32_t i = *root;

    /* leaves first, by the parent links */
    while (i != XINV_NIL) {
        uint32_t left = at(store, i)->child[0];
        uint32_t right = at(store, i)->child[1];
        uint32_t up = at(store, i)->parent;

        if (left != XINV_NIL || right != XINV_NIL) {
            i = left != XINV_NIL ? left : right;
            continue;
        }
        if (up != XINV_NIL)
            at(store, up)->child[at(store, up)->child[1] == i] = XINV_NIL;
        release(store, i);
        i = up;
    }
    *root = XINV_NIL;
}
