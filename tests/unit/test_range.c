// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
#include <criterion/criterion.h>
#include <stdio.h>

#include "core/cut.h"

#define PAGE(n) ((uint64_t)(n) << 12)
#define SPACE   64 /* units of the small space that is searched whole */

static struct xinv_cut_request request(uint8_t kind, uint8_t policy, uint64_t first, uint64_t last)
{
    struct xinv_cut_request r = {
        .policy = policy, .blocks = 1, .log2_granule = 12, .log2_leaf = 12};

    r.spec.kind = kind;
    r.spec.max_order = kind == XINV_RANGE_POW2 ? 51 : 31;
    r.spec.leaf_floor = kind == XINV_RANGE_POW2;
    r.first = first;
    r.last = last;
    return r;
}

/* Runs a cut over the small space; asserts that blocks are legal, and disjoint where they must be
 * aligned, and returns the units they cover. */
static uint64_t covered(const struct xinv_cut_request *r, unsigned *n)
{
    struct xinv_cut cut;
    struct xinv_block b;
    uint64_t mask = 0;

    *n = 0;
    if (!xinv_cut_begin(&cut, r))
        return 0;
    while (xinv_cut_next(&cut, &b)) {
        uint64_t first = b.first >> 12;
        uint64_t last = b.last >> 12;

        cr_assert_eq(b.first & 0xfff, 0);
        cr_assert_eq(b.last & 0xfff, 0xfff);
        cr_assert_lt(last, SPACE);
        if (r->spec.kind == XINV_RANGE_POW2) {
            cr_assert_eq(last - first + 1, UINT64_C(1) << b.order);
            cr_assert_eq(first & (last - first), 0, "a block is aligned to its size");
            cr_assert_leq(b.order, r->spec.max_order);
        }
        if (r->spec.kind == XINV_RANGE_SCALED)
            cr_assert_eq(last - first + 1, (uint64_t)(b.num + 1) << b.scale);
        for (uint64_t u = first; u <= last; u++) {
            cr_assert(r->spec.kind == XINV_RANGE_SCALED || !(mask >> u & 1),
                      "aligned blocks do not overlap");
            mask |= UINT64_C(1) << u;
        }
        (*n)++;
        cr_assert_leq(*n, SPACE);
    }
    return mask;
}

static uint64_t units(unsigned first, unsigned last)
{
    return (UINT64_MAX >> (63 - last)) & (UINT64_MAX << first);
}

static unsigned popcount(uint64_t v)
{
    return (unsigned)__builtin_popcountll(v);
}

/* Fewest aligned blocks of at most 2^max units that make up exactly first..last, by dynamic
 * programming. */
static unsigned fewest_blocks(unsigned first, unsigned last, unsigned max)
{
    unsigned best[SPACE + 1];

    best[last + 1] = 0;
    for (unsigned u = last + 1; u-- > first;) {
        best[u] = 1000;
        for (unsigned k = 0; k <= max && u + (1u << k) <= last + 1 && u % (1u << k) == 0; k++)
            if (best[u + (1u << k)] + 1 < best[u])
                best[u] = best[u + (1u << k)] + 1;
    }
    return best[first];
}

Test(range, exact_blocks_cover_exactly_with_the_fewest_commands)
{
    for (unsigned max = 0; max <= 6; max++)
        for (unsigned a = 0; a < SPACE; a++)
            for (unsigned b = a; b < SPACE; b++) {
                struct xinv_cut_request r =
                    request(XINV_RANGE_POW2, XINV_POLICY_EXACT, PAGE(a), PAGE(b + 1) - 1);
                unsigned n;

                r.spec.max_order = (uint8_t)max;
                cr_assert_eq(covered(&r, &n), units(a, b));
                cr_assert_eq(n, fewest_blocks(a, b, max));
            }
}

/* What at most k aligned blocks of up to 2^max units cover at least to have all of first..last, and
 * with how many of them: every way to take a block and go on behind it. */
struct cover {
    unsigned units;
    unsigned blocks;
};

#define NO_COVER 100000u

static void least_covers(unsigned last, unsigned max, unsigned k,
                         struct cover best[SPACE + 1][XINV_MAX_BLOCKS + 1])
{
    for (unsigned n = 0; n <= k; n++)
        best[last + 1][n] = (struct cover){0, 0};
    for (unsigned u = last + 1; u-- > 0;) {
        best[u][0] = (struct cover){NO_COVER, 0};
        for (unsigned n = 1; n <= k; n++) {
            best[u][n] = best[u][n - 1];
            for (unsigned order = 0; order <= max; order++) {
                unsigned end = (u >> order << order) + (1u << order);
                struct cover rest = best[end > last + 1 ? last + 1 : end][n - 1];
                struct cover sum = {rest.units + (1u << order), rest.blocks + 1};

                if (sum.units < best[u][n].units ||
                    (sum.units == best[u][n].units && sum.blocks < best[u][n].blocks))
                    best[u][n] = sum;
            }
        }
    }
}

Test(range, at_most_k_blocks_waste_least_of_all_ways_and_are_the_fewest_of_these)
{
    static struct cover best[SPACE + 1][XINV_MAX_BLOCKS + 1];

    for (unsigned max = 0; max <= 6; max++)
        for (unsigned b = 0; b < SPACE; b++) {
            least_covers(b, max, XINV_MAX_BLOCKS, best);
            for (unsigned a = 0; a <= b; a++)
                for (unsigned k = 1; k <= XINV_MAX_BLOCKS; k++) {
                    struct xinv_cut_request r =
                        request(XINV_RANGE_POW2, XINV_POLICY_AT_MOST, PAGE(a), PAGE(b + 1) - 1);
                    uint64_t mask;
                    unsigned n;

                    r.blocks = (uint8_t)k;
                    r.spec.max_order = (uint8_t)max;
                    mask = covered(&r, &n);
                    if (best[a][k].units >= NO_COVER) {
                        cr_assert_eq(n, 0, "%u..%u, max %u, k %u", a, b, max, k);
                        continue;
                    }
                    cr_assert_eq(mask & units(a, b), units(a, b));
                    cr_assert_eq(popcount(mask), best[a][k].units, "%u..%u, max %u, k %u", a, b,
                                 max, k);
                    cr_assert_eq(n, best[a][k].blocks, "%u..%u, max %u, k %u", a, b, max, k);
                }
        }
}

/* core/range.h: below n / 2^j for k blocks, j = floor(k / 2) - 1; and exact ones are few. */
Test(range, what_blocks_waste_and_how_many_there_are_is_bounded)
{
    for (unsigned a = 0; a < 600; a++)
        for (unsigned n = 1; n <= 600; n++) {
            struct xinv_cut_request r =
                request(XINV_RANGE_POW2, XINV_POLICY_EXACT, PAGE(a), PAGE(a + n) - 1);
            unsigned length = 0;
            uint64_t pages;

            while (n >> (length + 1))
                length++;
            cr_assert_leq(xinv_cut_count(&r, 1000, &pages), n > 1 ? 2 * length : 1);
            r.policy = XINV_POLICY_AT_MOST;
            for (unsigned k = 2; k <= XINV_MAX_BLOCKS; k++) {
                r.blocks = (uint8_t)k;
                cr_assert_leq(xinv_cut_count(&r, 1000, &pages), k);
                cr_assert_lt((pages - n) << (k / 2 - 1), n, "%u pages at %u, k %u", n, a, k);
            }
        }
}

/* Units of the smallest aligned block that holds both. */
static unsigned covering(unsigned first, unsigned last)
{
    unsigned order = 0;

    while (first >> order != last >> order)
        order++;
    return 1u << order;
}

Test(range, latency_is_the_one_smallest_covering_block)
{
    for (unsigned a = 0; a < SPACE; a++)
        for (unsigned b = a; b < SPACE; b++) {
            struct xinv_cut_request r =
                request(XINV_RANGE_POW2, XINV_POLICY_LATENCY, PAGE(a), PAGE(b + 1) - 1);
            uint64_t mask;
            unsigned n;

            mask = covered(&r, &n);
            cr_assert_eq(n, 1);
            cr_assert_eq(mask & units(a, b), units(a, b));
            cr_assert_eq(popcount(mask), covering(a, b));
        }
}

Test(range, latency_beyond_the_largest_block_is_the_fewest_blocks_with_the_least_waste)
{
    static struct cover best[SPACE + 1][XINV_MAX_BLOCKS + 1];

    for (unsigned max = 2; max <= 5; max++)
        for (unsigned b = 0; b < SPACE; b++) {
            least_covers(b, max, XINV_MAX_BLOCKS, best);
            for (unsigned a = 0; a <= b; a++) {
                struct xinv_cut_request r =
                    request(XINV_RANGE_POW2, XINV_POLICY_LATENCY, PAGE(a), PAGE(b + 1) - 1);
                unsigned fewest = 1;
                uint64_t mask;
                unsigned n;

                while (best[a][fewest].units >= NO_COVER)
                    fewest++;
                r.spec.max_order = (uint8_t)max;
                mask = covered(&r, &n);
                cr_assert_eq(n, fewest);
                cr_assert_eq(mask & units(a, b), units(a, b));
                cr_assert_eq(popcount(mask), best[a][fewest].units);
            }
        }
}

Test(range, a_block_is_never_smaller_than_the_leaf)
{
    for (unsigned leaf = 12; leaf <= 18; leaf++)
        for (unsigned a = 0; a < SPACE; a++)
            for (unsigned b = a; b < SPACE; b++) {
                struct xinv_cut_request r =
                    request(XINV_RANGE_POW2, XINV_POLICY_EXACT, PAGE(a), PAGE(b + 1) - 1);
                unsigned size = 1u << (leaf - 12);
                unsigned n;

                r.log2_leaf = (uint8_t)leaf;
                cr_assert_eq(covered(&r, &n), units(a / size * size, b / size * size + size - 1));
            }
}

Test(range, a_leaf_within_the_range_lies_within_one_block_and_nothing_is_widened)
{
    for (unsigned leaf = 12; leaf <= 18; leaf++)
        for (unsigned a = 0; a < SPACE; a++)
            for (unsigned b = a; b < SPACE; b++) {
                struct xinv_cut_request r =
                    request(XINV_RANGE_POW2, XINV_POLICY_EXACT, PAGE(a), PAGE(b + 1) - 1);
                unsigned size = 1u << (leaf - 12);
                struct xinv_cut cut;
                struct xinv_block block;
                unsigned held = 0;
                unsigned n;

                r.log2_leaf = (uint8_t)leaf;
                r.leaves_within = true;
                cr_assert_eq(covered(&r, &n), units(a, b));
                cr_assert(xinv_cut_begin(&cut, &r));
                while (xinv_cut_next(&cut, &block))
                    if (block.last - block.first + 1 >= PAGE(size))
                        held += (unsigned)((block.last - block.first + 1) / PAGE(size));
                for (unsigned u = (a + size - 1) / size * size; u + size - 1 <= b; u += size)
                    held--;
                cr_assert_eq(held, 0);
            }
}

Test(range, a_leaf_larger_than_the_largest_block_cannot_be_said)
{
    struct xinv_cut_request r = request(XINV_RANGE_POW2, XINV_POLICY_EXACT, 0, PAGE(1) - 1);
    struct xinv_cut cut;

    r.spec.max_order = 9;
    r.log2_leaf = 21;
    cr_expect(xinv_cut_begin(&cut, &r));
    r.log2_leaf = 30;
    cr_expect_not(xinv_cut_begin(&cut, &r));
}

#define GRANULES 400

/* Fewest ranges of (NUM + 1) << SCALE granules, SCALE at most `max`, that cover exactly 0..n - 1;
 * they may overlap. The one that reaches furthest starts where the others leave no gap. */
static void fewest_scaled(unsigned max, unsigned best[GRANULES + 1])
{
    best[0] = 0;
    for (unsigned n = 1; n <= GRANULES; n++) {
        best[n] = NO_COVER;
        for (unsigned scale = 0; scale <= max; scale++)
            for (unsigned num = 1; num <= 32 && num << scale <= n; num++)
                for (unsigned others = n - (num << scale); others < n; others++)
                    if (best[others] + 1 < best[n])
                        best[n] = best[others] + 1;
    }
}

/* Runs a cut of n granules from `at` on; asserts that they are covered without a gap from their
 * start to what is returned, each block in a form that a command has. */
static uint64_t scaled_end(const struct xinv_cut_request *r, uint64_t at, unsigned *count)
{
    struct xinv_cut cut;
    struct xinv_block b;
    uint64_t next = at;

    *count = 0;
    cr_assert(xinv_cut_begin(&cut, r));
    while (xinv_cut_next(&cut, &b)) {
        cr_assert_leq(b.first, next, "no gap");
        cr_assert_geq(b.first, at);
        cr_assert_leq(b.num, 31);
        cr_assert_leq(b.scale, r->spec.max_order);
        cr_assert_eq(b.last - b.first + 1, PAGE((uint64_t)(b.num + 1) << b.scale));
        cr_assert_geq(b.last, next, "each says something new");
        next = b.last + 1;
        ++*count;
    }
    return next;
}

Test(range, scaled_ranges_are_exact_with_the_fewest_commands)
{
    static unsigned best[GRANULES + 1];

    for (unsigned max = 0; max <= 5; max++) {
        fewest_scaled(max, best);
        for (unsigned n = 1; n <= GRANULES; n++) {
            struct xinv_cut_request r =
                request(XINV_RANGE_SCALED, XINV_POLICY_EXACT, PAGE(7), PAGE(7 + n) - 1);
            unsigned count;

            r.spec.max_order = (uint8_t)max;
            cr_assert_eq(scaled_end(&r, PAGE(7), &count), PAGE(7 + n));
            cr_assert_eq(count, best[n], "%u granules, SCALE up to %u, in %u", n, max, count);
        }
    }
}

/* Windows of five bits from the lowest on: what Linux 6.12 makes of n. */
static unsigned fewest_windows(unsigned n)
{
    unsigned windows = 0;

    for (; n; windows++)
        n &= ~(31u << __builtin_ctz(n));
    return windows;
}

Test(range, scaled_ranges_are_never_more_commands_than_windows_of_five_bits)
{
    for (unsigned n = 1; n < 200000; n++) {
        struct xinv_cut_request r =
            request(XINV_RANGE_SCALED, XINV_POLICY_EXACT, PAGE(7), PAGE(7 + n) - 1);
        unsigned count;

        cr_assert_eq(scaled_end(&r, PAGE(7), &count), PAGE(7 + n));
        cr_assert_leq(count, fewest_windows(n), "%u granules", n);
        cr_assert_leq(count, 2);
    }
}

Test(range, one_rounded_scaled_command_wastes_at_most_a_sixteenth)
{
    for (unsigned n = 1; n < 70000; n++) {
        struct xinv_cut_request r =
            request(XINV_RANGE_SCALED, XINV_POLICY_LATENCY, PAGE(7), PAGE(7 + n) - 1);
        uint64_t pages;

        cr_assert_eq(xinv_cut_count(&r, 100, &pages), 1);
        cr_assert_geq(pages, n);
        cr_assert_leq((pages - n) * 16, n, "%u granules", n);
    }
}

Test(range, a_range_that_ends_at_the_top_of_the_space_does_not_wrap)
{
    static const uint8_t kinds[] = {XINV_RANGE_PAGE, XINV_RANGE_POW2, XINV_RANGE_SCALED};
    static const uint8_t policies[] = {XINV_POLICY_EXACT, XINV_POLICY_LATENCY, XINV_POLICY_AT_MOST};
    static const uint8_t granules[] = {12, 14, 16};

    for (unsigned g = 0; g < 3; g++)
        for (unsigned k = 0; k < 3; k++)
            for (unsigned p = 0; p < 3; p++)
                for (unsigned n = 1; n <= 70; n++) {
                    uint64_t first = UINT64_MAX - ((uint64_t)n << granules[g]) + 1;
                    struct xinv_cut_request r = request(kinds[k], policies[p], first, UINT64_MAX);
                    struct xinv_cut cut;
                    struct xinv_block b;
                    uint64_t lowest = UINT64_MAX;
                    uint64_t highest = 0;
                    unsigned count = 0;

                    r.log2_granule = granules[g];
                    r.blocks = 3;
                    if (!xinv_cut_begin(&cut, &r))
                        continue;
                    while (xinv_cut_next(&cut, &b)) {
                        cr_assert_leq(b.first, b.last);
                        lowest = b.first < lowest ? b.first : lowest;
                        highest = b.last > highest ? b.last : highest;
                        cr_assert_leq(++count, 2000);
                    }
                    cr_assert_leq(lowest, first);
                    cr_assert_eq(highest, UINT64_MAX);
                }
}

Test(range, the_whole_space_is_said_at_every_granule)
{
    static const uint8_t granules[] = {12, 14, 16};

    for (unsigned g = 0; g < 3; g++) {
        struct xinv_cut_request r = request(XINV_RANGE_SCALED, XINV_POLICY_EXACT, 0, UINT64_MAX);
        struct xinv_cut cut;
        struct xinv_block b;
        uint64_t next = 0;
        uint64_t pages;
        uint64_t n = 0;

        r.log2_granule = granules[g];
        cr_assert(xinv_cut_begin(&cut, &r));
        while (xinv_cut_next(&cut, &b)) {
            cr_assert_eq(b.first, next);
            next = b.last + 1;
            n++;
        }
        cr_assert_eq(next, 0);
        cr_assert_eq(n, UINT64_C(1) << (64 - granules[g] - 36), "2^36 granules a command");
        cr_assert_eq(xinv_cut_count(&r, UINT64_MAX - 1, &pages), n);
        cr_assert_eq(pages, UINT64_C(1) << 52);
    }
}

Test(range, two_to_the_32_pages_are_one_scaled_command)
{
    struct xinv_cut_request r =
        request(XINV_RANGE_SCALED, XINV_POLICY_EXACT, 0, PAGE(UINT64_C(1) << 32) - 1);
    struct xinv_cut cut;
    struct xinv_block b;

    cr_assert(xinv_cut_begin(&cut, &r));
    cr_assert(xinv_cut_next(&cut, &b));
    cr_assert_eq((uint64_t)(b.num + 1) << b.scale, UINT64_C(1) << 32);
    cr_assert_leq(b.scale, 31);
    cr_assert_not(xinv_cut_next(&cut, &b));
}

Test(range, two_pages_across_a_power_of_two_stay_two_pages)
{
    struct xinv_cut_request r =
        request(XINV_RANGE_POW2, XINV_POLICY_EXACT, PAGE(UINT64_C(1) << 43) - 0x1000,
                PAGE(UINT64_C(1) << 43) + 0xfff);
    uint64_t pages;

    cr_assert_eq(xinv_cut_count(&r, 100, &pages), 2);
    cr_assert_eq(pages, 2);
}

Test(range, a_range_that_starts_at_zero_is_bounded_by_its_length)
{
    struct xinv_cut_request r = request(XINV_RANGE_POW2, XINV_POLICY_EXACT, 0, PAGE(3) - 1);
    unsigned n;

    cr_assert_eq(covered(&r, &n), units(0, 2));
    cr_assert_eq(n, 2);
}

Test(range, a_last_byte_in_the_first_byte_of_a_page_keeps_that_page)
{
    struct xinv_cut_request r = request(XINV_RANGE_POW2, XINV_POLICY_EXACT, PAGE(4), PAGE(6));
    unsigned n;

    cr_assert_eq(covered(&r, &n), units(4, 6));
}

Test(range, unaligned_ends_are_widened_outward)
{
    struct xinv_cut_request r =
        request(XINV_RANGE_PAGE, XINV_POLICY_EXACT, PAGE(4) + 0xfff, PAGE(6) + 1);
    unsigned n;

    cr_assert_eq(covered(&r, &n), units(4, 6));
    cr_assert_eq(n, 3);
}

Test(range, counting_agrees_with_cutting_and_stops_at_its_limit)
{
    for (unsigned kind = XINV_RANGE_PAGE; kind <= XINV_RANGE_SCALED; kind++)
        for (unsigned policy = XINV_POLICY_EXACT; policy <= XINV_POLICY_AT_MOST; policy++)
            for (unsigned max = 0; max <= 7; max++)
                for (unsigned a = 0; a < SPACE; a++)
                    for (unsigned b = a; b < SPACE; b++) {
                        struct xinv_cut_request r =
                            request((uint8_t)kind, (uint8_t)policy, PAGE(a), PAGE(b + 1) - 1);
                        uint64_t pages;
                        uint64_t mask;
                        unsigned n;

                        if (kind == XINV_RANGE_SCALED && policy != XINV_POLICY_EXACT && b > 59)
                            continue; /* rounding leaves the small space */
                        r.spec.max_order = (uint8_t)max;
                        r.blocks = 3;
                        mask = covered(&r, &n);
                        cr_assert_eq(xinv_cut_count(&r, 1000, &pages), n);
                        cr_assert_eq(pages, popcount(mask));
                        if (n > 1)
                            cr_assert_eq(xinv_cut_count(&r, n - 1, &pages), n);
                    }
}

Test(range, a_huge_range_of_small_blocks_is_counted_without_making_them)
{
    struct xinv_cut_request r =
        request(XINV_RANGE_POW2, XINV_POLICY_EXACT, PAGE(1), UINT64_MAX - 0x1000);
    uint64_t pages;

    r.spec.max_order = 0;
    cr_assert_eq(xinv_cut_count(&r, UINT64_MAX - 1, &pages), (UINT64_C(1) << 52) - 2);
    cr_assert_eq(pages, (UINT64_C(1) << 52) - 2);
    r.spec.max_order = 9;
    /* 511 pages up to the first boundary in 9 blocks, as many beyond the last */
    cr_assert_eq(xinv_cut_count(&r, UINT64_MAX - 1, &pages), 9 + (UINT64_C(1) << 43) - 2 + 9);
}

Test(range, at_most_k_scaled_blocks_cannot_say_more_than_k_of_the_largest)
{
    uint64_t most = UINT64_C(1) << 48; /* 32 << 31 granules of 4 KiB */

    for (unsigned k = 1; k <= XINV_MAX_BLOCKS; k++)
        for (unsigned more = 0; more < 2; more++) {
            struct xinv_cut_request r = request(XINV_RANGE_SCALED, XINV_POLICY_AT_MOST, PAGE(1),
                                                k * most + PAGE(1 + more) - 1);
            uint64_t pages;

            r.blocks = (uint8_t)k;
            cr_assert_eq(xinv_cut_count(&r, 1000, &pages), more ? 0 : k, "%u and %u", k, more);
        }
}

Test(range, two_scaled_commands_are_always_exact_and_one_is_the_rounded_one)
{
    for (unsigned k = 1; k <= 4; k++)
        for (unsigned n = 1; n < 5000; n++) {
            struct xinv_cut_request r =
                request(XINV_RANGE_SCALED, XINV_POLICY_AT_MOST, PAGE(7), PAGE(7 + n) - 1);
            unsigned least = n;
            unsigned count;

            while (k == 1 && fewest_windows(least) > 1)
                least++;
            r.blocks = (uint8_t)k;
            cr_assert_eq(scaled_end(&r, PAGE(7), &count), PAGE(7 + least), "%u granules", n);
            cr_assert_leq(count, k < 2 ? k : 2, "%u granules in %u commands", n, count);
        }
}

/* SMMUv3 4.4.1.1: the start stands at a granule, or the range is unpredictable. */
Test(range, granules_larger_than_a_page_widen_both_ends_to_granules)
{
    static const uint8_t kinds[] = {XINV_RANGE_PAGE, XINV_RANGE_SCALED};
    static const uint8_t granules[] = {14, 16};

    for (unsigned k = 0; k < 2; k++)
        for (unsigned g = 0; g < 2; g++)
            for (unsigned a = 0; a < SPACE; a++)
                for (unsigned b = a; b < SPACE; b++) {
                    struct xinv_cut_request r =
                        request(kinds[k], XINV_POLICY_EXACT, PAGE(a), PAGE(b + 1) - 1);
                    uint64_t mask = (UINT64_C(1) << granules[g]) - 1;
                    uint64_t next = r.first & ~mask;
                    struct xinv_cut cut;
                    struct xinv_block block;

                    r.log2_granule = granules[g];
                    cr_assert(xinv_cut_begin(&cut, &r));
                    while (xinv_cut_next(&cut, &block)) {
                        cr_assert_eq(block.first, next);
                        cr_assert_eq(block.last - block.first + 1,
                                     kinds[k] == XINV_RANGE_PAGE
                                         ? mask + 1
                                         : (uint64_t)(block.num + 1) << block.scale << granules[g]);
                        next = block.last + 1;
                    }
                    cr_assert_eq(next, (r.last | mask) + 1);
                }
}

/* A floor that overstates the leaves must not hide smaller ones that no block can hold. */
Test(range, no_leaf_larger_than_the_largest_block_can_hide_within_the_range)
{
    for (unsigned max = 0; max <= 5; max++)
        for (unsigned leaf = 12; leaf <= 20; leaf++)
            for (unsigned a = 0; a < SPACE; a++)
                for (unsigned b = a; b < SPACE; b++) {
                    struct xinv_cut_request r =
                        request(XINV_RANGE_POW2, XINV_POLICY_EXACT, PAGE(a), PAGE(b + 1) - 1);
                    unsigned size = 2u << max; /* the smallest that is too large, in pages */
                    unsigned start = (a + size - 1) / size * size;
                    bool holds = start + size - 1 <= b;
                    struct xinv_cut cut;

                    r.spec.max_order = (uint8_t)max;
                    r.log2_leaf = (uint8_t)leaf;
                    r.leaves_within = true;
                    cr_assert_eq(xinv_cut_begin(&cut, &r), leaf - 12 <= max || !holds,
                                 "max %u leaf %u: %u..%u", max, leaf, a, b);
                }
}

Test(range, a_leaf_at_the_top_of_the_space_is_widened_and_does_not_wrap)
{
    static const uint8_t policies[] = {XINV_POLICY_EXACT, XINV_POLICY_LATENCY, XINV_POLICY_AT_MOST};

    for (unsigned p = 0; p < 3; p++)
        for (unsigned leaf = 13; leaf <= 63; leaf++) {
            struct xinv_cut_request r =
                request(XINV_RANGE_POW2, policies[p], UINT64_MAX - 0xfff, UINT64_MAX);
            struct xinv_cut cut;
            struct xinv_block block;

            r.log2_leaf = (uint8_t)leaf;
            cr_assert(xinv_cut_begin(&cut, &r));
            cr_assert(xinv_cut_next(&cut, &block));
            cr_assert_eq(block.order, leaf - 12);
            cr_assert_eq(block.last, UINT64_MAX);
            cr_assert_eq(block.first, ~((UINT64_C(1) << leaf) - 1));
            cr_assert_not(xinv_cut_next(&cut, &block));
        }
}

Test(range, at_most_k_pages_are_k_and_no_page_more)
{
    for (unsigned k = 1; k <= XINV_MAX_BLOCKS; k++)
        for (unsigned n = 1; n <= XINV_MAX_BLOCKS + 1; n++) {
            struct xinv_cut_request r =
                request(XINV_RANGE_PAGE, XINV_POLICY_AT_MOST, PAGE(5), PAGE(5 + n) - 1);
            uint64_t pages;

            r.blocks = (uint8_t)k;
            cr_assert_eq(xinv_cut_count(&r, 1000, &pages), n <= k ? n : 0, "%u pages, k %u", n, k);
        }
}
