// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
#include <criterion/criterion.h>

#include "core/map.h"
#include "tests/support/random.h"

#define NODES 300
#define SPACE 1000

static struct xinv_map_node nodes[NODES];
static struct xinv_map_store store;
static uint32_t root;

/* Heights, order and parent links of a whole tree; returns how many nodes it has. */
static unsigned check(uint32_t i, uint32_t parent)
{
    uint32_t h[2] = {0, 0};
    unsigned n = 1;

    if (i == XINV_NIL)
        return 0;
    cr_assert_eq(nodes[i].parent, parent);
    for (unsigned side = 0; side < 2; side++) {
        uint32_t c = nodes[i].child[side];

        if (c == XINV_NIL)
            continue;
        cr_assert(side ? nodes[c].first > nodes[i].last : nodes[c].last < nodes[i].first);
        n += check(c, i);
        h[side] = nodes[c].height;
    }
    cr_assert_eq(nodes[i].height, (h[0] > h[1] ? h[0] : h[1]) + 1);
    cr_assert(h[0] <= h[1] + 1 && h[1] <= h[0] + 1, "balanced");
    return n;
}

Test(map, agrees_with_an_array_under_random_operations)
{
    static uint16_t owner[SPACE]; /* first address + 1 of the range that holds it */
    unsigned n = 0;

    random_start();
    xinv_map_init(&store, nodes, NODES);
    root = XINV_NIL;
    for (unsigned round = 0; round < 60000; round++) {
        unsigned a = random_below(SPACE);
        uint32_t node = xinv_map_at_or_after(&store, root, a);
        unsigned expect = a;

        while (expect < SPACE && !owner[expect])
            expect++;
        cr_assert_eq(node == XINV_NIL, expect == SPACE);
        if (node != XINV_NIL)
            cr_assert_eq(nodes[node].first, owner[expect] - 1u);
        if (owner[a] && random_below(3)) {
            for (uint64_t x = nodes[node].first, last = nodes[node].last; x <= last; x++)
                owner[x] = 0;
            xinv_map_remove(&store, &root, node);
            n--;
        } else if (!owner[a]) {
            unsigned b = a;

            while (b + 1 < SPACE && !owner[b + 1] && random_below(4))
                b++;
            cr_assert_eq(xinv_map_insert(&store, &root, a, b, 7), n < NODES);
            if (n < NODES) {
                for (unsigned x = a; x <= b; x++)
                    owner[x] = (uint16_t)(a + 1);
                n++;
            }
        }
        if (round % 64 == 0)
            cr_assert_eq(check(root, XINV_NIL), n);
    }
}

Test(map, walks_in_order_and_clears)
{
    uint32_t node;
    unsigned n = 0;

    xinv_map_init(&store, nodes, NODES);
    root = XINV_NIL;
    for (unsigned i = 0; i < NODES; i++)
        cr_assert(
            xinv_map_insert(&store, &root, (i * 7 % NODES) * 10, (i * 7 % NODES) * 10 + 9, 0));
    cr_assert_not(xinv_map_insert(&store, &root, 100000, 100001, 0), "no node is left");
    for (node = xinv_map_at_or_after(&store, root, 0); node != XINV_NIL;
         node = xinv_map_next(&store, node))
        cr_assert_eq(nodes[node].first, n++ * 10);
    cr_assert_eq(n, NODES);
    xinv_map_clear(&store, &root);
    cr_assert_eq(root, XINV_NIL);
    for (unsigned i = 0; i < NODES; i++)
        cr_assert(xinv_map_insert(&store, &root, i, i, 0), "every node is free again");
    check(root, XINV_NIL);
}

Test(map, holds_the_top_of_the_space)
{
    xinv_map_init(&store, nodes, NODES);
    root = XINV_NIL;
    cr_assert(xinv_map_insert(&store, &root, UINT64_MAX - 0xfff, UINT64_MAX, 0));
    cr_assert_neq(xinv_map_at_or_after(&store, root, UINT64_MAX), XINV_NIL);
    xinv_map_remove(&store, &root, 0);
    cr_assert_eq(root, XINV_NIL);
}
