// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/* Ranges that wait for a flush: unions, attributes, gaps; against one flag a page. */
#include <criterion/criterion.h>
#include <string.h>

#include "core/pending.h"
#include "tests/support/random.h"

#define PAGES  64
#define NODES  (3 * PAGES)
#define WITHIN XINV_REQ_LEAVES_WITHIN

static struct xinv_map_node nodes[NODES];
static struct xinv_map_store store;
static struct xinv_pending pending;

static void begin(void)
{
    xinv_map_init(&store, nodes, NODES);
    xinv_pending_init(&pending);
}

static void add(uint64_t first, uint64_t last, uint16_t flags, uint8_t log2_leaf)
{
    const struct xinv_pending_range range = {
        .first = first, .last = last, .from = 1, .log2_leaf = log2_leaf, .flags = flags};

    xinv_pending_add(&store, &pending, &range);
}

static unsigned walk(const struct xinv_gaps *gaps, struct xinv_pending_range *found)
{
    struct xinv_pending_walk w;
    unsigned n = 0;

    xinv_pending_begin(&w, &store, &pending, gaps);
    while (xinv_pending_next(&w, &found[n]))
        n++;
    return n;
}

static const struct xinv_gaps none = {0};

Test(pending, ranges_that_touch_or_overlap_are_one)
{
    struct xinv_pending_range found[8];

    begin();
    add(0x5000, 0x5fff, WITHIN, 12);
    add(0x3000, 0x3fff, WITHIN, 12);
    cr_assert_eq(walk(&none, found), 2);
    add(0x4000, 0x4fff, WITHIN, 13);
    cr_assert_eq(walk(&none, found), 1);
    cr_assert_eq(found[0].first, 0x3000);
    cr_assert_eq(found[0].last, 0x5fff);
    cr_assert_eq(found[0].log2_leaf, 13);
    cr_assert_eq(found[0].flags, WITHIN);
    add(0x1000, 0x8fff, WITHIN, 12);
    cr_assert_eq(walk(&none, found), 1);
    cr_assert_eq(found[0].pages, 8);
}

Test(pending, the_ends_of_the_space_are_no_exception)
{
    struct xinv_pending_range found[8];

    begin();
    add(UINT64_MAX - 0xfff, UINT64_MAX, WITHIN, 12);
    add(0, 0xfff, WITHIN, 12);
    cr_assert_eq(walk(&none, found), 2);
    add(UINT64_MAX - 0x1fff, UINT64_MAX - 0x1000, WITHIN, 12);
    cr_assert_eq(walk(&none, found), 2);
    cr_assert_eq(found[1].first, UINT64_MAX - 0x1fff);
    cr_assert_eq(found[1].last, UINT64_MAX);
    cr_assert(xinv_pending_meets(&store, &pending, UINT64_MAX, UINT64_MAX));
    cr_assert(xinv_pending_meets(&store, &pending, 0, 0));
    cr_assert_not(xinv_pending_meets(&store, &pending, 0x1000, UINT64_MAX - 0x2000));
}

Test(pending, ranges_of_other_kinds_stay_apart)
{
    struct xinv_pending_range found[8];

    begin();
    add(0x1000, 0x1fff, WITHIN, 12);
    add(0x2000, 0x2fff, WITHIN | XINV_REQ_LEAF_ONLY, 12);
    add(0x3000, 0x3fff, 0, 21);
    add(0x4000, 0x4fff, 0, 30);
    add(0x5000, 0x5fff, XINV_REQ_LEAF_ONLY, 30);
    cr_assert_eq(walk(&none, found), 5);
    add(0x6000, 0x6fff, XINV_REQ_LEAF_ONLY, 30);
    cr_assert_eq(walk(&none, found), 5, "shared leaves of one size");
}

Test(pending, a_closed_gap_joins_kinds_and_says_how_much_of_it_is_stale)
{
    const struct xinv_gaps all = {true, UINT64_MAX, 0};
    struct xinv_pending_range found[8];

    begin();
    add(0x1000, 0x1fff, WITHIN | XINV_REQ_LEAF_ONLY, 12);
    add(0x1000, 0x2fff, WITHIN, 13);
    add(0x8000, 0x8fff, XINV_REQ_LEAF_ONLY, 21);
    cr_assert_eq(walk(&all, found), 1);
    cr_assert_eq(found[0].first, 0x1000);
    cr_assert_eq(found[0].last, 0x8fff);
    cr_assert_eq(found[0].pages, 3);
    cr_assert_eq(found[0].flags, 0, "tables, and a leaf that reaches beyond");
    cr_assert_eq(found[0].log2_leaf, 21);
}

Test(pending, the_smallest_gaps_are_closed)
{
    struct xinv_pending_range found[8];
    struct xinv_gaps gaps;

    begin();
    add(0x1000, 0x1fff, WITHIN, 12);
    add(0x4000, 0x4fff, WITHIN, 12); /* after 2 pages */
    add(0x6000, 0x6fff, WITHIN, 12); /* after 1 */
    add(0x9000, 0x9fff, WITHIN, 12); /* after 2 */
    cr_assert_eq(xinv_gaps_choose(&store, &pending, 4, &gaps), 4);
    cr_assert_eq(walk(&gaps, found), 4);
    cr_assert_eq(xinv_gaps_choose(&store, &pending, 3, &gaps), 3);
    cr_assert_eq(walk(&gaps, found), 3);
    cr_assert_eq(found[1].first, 0x4000);
    cr_assert_eq(found[1].last, 0x6fff);
    cr_assert_eq(xinv_gaps_choose(&store, &pending, 2, &gaps), 2);
    cr_assert_eq(walk(&gaps, found), 2, "of gaps of one size the first stays open");
    cr_assert_eq(found[0].last, 0x1fff);
    cr_assert_eq(xinv_gaps_choose(&store, &pending, 1, &gaps), 1);
    cr_assert_eq(walk(&gaps, found), 1);
    cr_assert_eq(found[0].pages, 4);
}

/* ---- Against one flag a page ---- */

enum {
    KINDS = 2
};
static const uint16_t kinds[KINDS] = {WITHIN, WITHIN | XINV_REQ_LEAF_ONLY};
static bool stale[KINDS][PAGES];

static bool stale_at(unsigned page)
{
    return stale[0][page] || stale[1][page];
}

/* The gaps between stale pages, in any order; returns how many. */
static unsigned list_gaps(unsigned *gaps)
{
    unsigned n = 0;
    unsigned length = 0;
    bool begun = false;

    for (unsigned page = 0; page < PAGES; page++) {
        if (!stale_at(page)) {
            length++;
            continue;
        }
        if (begun && length)
            gaps[n++] = length;
        begun = true;
        length = 0;
    }
    return n;
}

/* Pages that the best choice of at most so many ranges takes beyond the stale ones. */
static unsigned least_waste(unsigned *gaps, unsigned n, unsigned most)
{
    unsigned waste = 0;

    for (unsigned i = 0; i < n; i++)
        waste += gaps[i];
    for (unsigned keep = 1; keep < most && keep <= n; keep++) {
        unsigned best = 0;

        for (unsigned i = 1; i < n; i++)
            best = gaps[i] > gaps[best] ? i : best;
        waste -= gaps[best];
        gaps[best] = 0;
    }
    return waste;
}

static void check_walk(void)
{
    static struct xinv_pending_range found[NODES];
    unsigned n = walk(&none, found);
    bool seen[KINDS][PAGES] = {{false}};

    for (unsigned i = 0; i < n; i++) {
        unsigned kind = (found[i].flags & XINV_REQ_LEAF_ONLY) != 0;

        cr_assert(!i || found[i - 1].first <= found[i].first);
        for (uint64_t page = found[i].first >> 12; page <= found[i].last >> 12; page++) {
            cr_assert_not(seen[kind][page], "a page comes twice");
            seen[kind][page] = true;
        }
        if ((found[i].last >> 12) + 1 < PAGES)
            cr_assert_not(stale[kind][(found[i].last >> 12) + 1], "it touches another");
    }
    cr_assert_arr_eq(seen, stale, sizeof(stale));
    cr_assert_eq(xinv_pending_count(&store, &pending, NODES), n);
}

static void check_gaps(unsigned most)
{
    static struct xinv_pending_range found[NODES];
    unsigned list[PAGES];
    unsigned n_gaps = list_gaps(list);
    struct xinv_gaps gaps;
    unsigned n = xinv_gaps_choose(&store, &pending, most, &gaps);
    unsigned waste = 0;
    unsigned pages = 0;
    unsigned all = 0;

    cr_assert_eq(n, n_gaps + 1 < most ? n_gaps + 1 : most);
    cr_assert_eq(walk(&gaps, found), n);
    for (unsigned i = 0; i < n; i++) {
        pages += (unsigned)found[i].pages;
        waste += (unsigned)((found[i].last - found[i].first + 1) >> 12) - (unsigned)found[i].pages;
    }
    for (unsigned page = 0; page < PAGES; page++)
        all += stale_at(page);
    cr_assert_eq(pages, all);
    cr_assert_eq(waste, least_waste(list, n_gaps, most));
}

Test(pending, random_ranges)
{
    random_start();
    for (unsigned round = 0; round < 400; round++) {
        begin();
        memset(stale, 0, sizeof(stale));
        for (unsigned i = 0; i < 24; i++) {
            unsigned kind = (unsigned)(random_next() >> 40) % KINDS;
            unsigned first = (unsigned)(random_next() >> 40) % PAGES;
            unsigned last = first + (unsigned)(random_next() >> 40) % 4;
            bool meets = false;

            last = last < PAGES ? last : PAGES - 1;
            for (unsigned page = first; page <= last; page++)
                meets = meets || stale_at(page);
            cr_assert_eq(xinv_pending_meets(&store, &pending, (uint64_t)first << 12,
                                            (uint64_t)last << 12 | 0xfff),
                         meets);
            for (unsigned page = first; page <= last; page++)
                stale[kind][page] = true;
            add((uint64_t)first << 12, (uint64_t)last << 12 | 0xfff, kinds[kind], 12);
            check_walk();
            check_gaps(1 + (unsigned)(random_next() >> 40) % XINV_MAX_BLOCKS);
        }
        xinv_pending_clear(&store, &pending);
        cr_assert_eq(walk(&none, (struct xinv_pending_range[1]){{0}}), 0);
    }
}
