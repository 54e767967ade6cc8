// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
#include <criterion/criterion.h>
#include <stdio.h>

#include "core/range.h"

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

/* Runs a cut over the small space; asserts that blocks are legal and disjoint, and returns the
 * units they cover. */
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
            cr_assert(!(mask >> u & 1), "blocks do not overlap");
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

/* Least units covered by at most k aligned blocks, over every way to cut first..last. */
static unsigned least_cover(unsigned first, unsigned last, unsigned k)
{
    unsigned order = 0;
    unsigned best;

    while (first >> order != last >> order)
        order++;
    best = 1u << order;
    if (k == 1 || best == last - first + 1)
        return best;
    for (unsigned cut = first; cut < last; cut++)
        for (unsigned left = 1; left < k; left++) {
            unsigned sum = least_cover(first, cut, left) + least_cover(cut + 1, last, k - left);

            if (sum < best)
                best = sum;
        }
    return best;
}

Test(range, at_most_two_blocks_waste_least_and_always_under_a_hundred_percent)
{
    for (unsigned a = 0; a < SPACE; a++)
        for (unsigned b = a; b < SPACE; b++) {
            struct xinv_cut_request r =
                request(XINV_RANGE_POW2, XINV_POLICY_AT_MOST, PAGE(a), PAGE(b + 1) - 1);
            uint64_t mask;
            unsigned n;

            r.blocks = 2;
            mask = covered(&r, &n);
            cr_assert_eq(mask & units(a, b), units(a, b));
            cr_assert_leq(n, 2);
            cr_assert_eq(popcount(mask), least_cover(a, b, 2));
            cr_assert_lt(popcount(mask) - (b - a + 1), b - a + 1);
        }
}

Test(range, at_most_k_covers_with_no_more_than_k_blocks)
{
    for (unsigned k = 1; k <= XINV_MAX_PIECES; k++)
        for (unsigned a = 0; a < SPACE; a++)
            for (unsigned b = a; b < SPACE; b++) {
                struct xinv_cut_request r =
                    request(XINV_RANGE_POW2, XINV_POLICY_AT_MOST, PAGE(a), PAGE(b + 1) - 1);
                uint64_t mask;
                unsigned n;

                r.blocks = (uint8_t)k;
                mask = covered(&r, &n);
                cr_assert_eq(mask & units(a, b), units(a, b));
                cr_assert_leq(n, k);
                if (fewest_blocks(a, b, 6) <= k)
                    cr_assert_eq(mask, units(a, b), "exact where the blocks suffice");
            }
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
            cr_assert_eq(popcount(mask), least_cover(a, b, 1));
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

/* Fewest (NUM + 1) << SCALE pieces that add up to n granules. */
static unsigned fewest_scaled(unsigned n)
{
    static unsigned best[5000];

    if (!best[1]) {
        for (unsigned i = 1; i < 5000; i++) {
            best[i] = 1000;
            for (unsigned scale = 0; scale < 13; scale++)
                for (unsigned num = 1; num <= 32 && num << scale <= i; num++) {
                    unsigned rest = i - (num << scale);

                    if ((rest ? best[rest] : 0) + 1 < best[i])
                        best[i] = (rest ? best[rest] : 0) + 1;
                }
        }
    }
    return best[n];
}

Test(range, scaled_ranges_are_exact_with_the_fewest_commands)
{
    for (unsigned n = 1; n < 5000; n++) {
        struct xinv_cut_request r =
            request(XINV_RANGE_SCALED, XINV_POLICY_EXACT, PAGE(7), PAGE(7 + n) - 1);
        struct xinv_cut cut;
        struct xinv_block b;
        uint64_t next = PAGE(7);
        unsigned count = 0;

        cr_assert(xinv_cut_begin(&cut, &r));
        while (xinv_cut_next(&cut, &b)) {
            cr_assert_eq(b.first, next);
            next = b.last + 1;
            count++;
        }
        cr_assert_eq(next, PAGE(7 + n));
        cr_assert_eq(count, fewest_scaled(n), "%u granules in %u commands", n, count);
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

                        if (kind == XINV_RANGE_SCALED && (policy != XINV_POLICY_EXACT || max))
                            continue; /* rounding leaves the small space */
                        if (kind == XINV_RANGE_POW2)
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

    for (unsigned k = 1; k <= XINV_MAX_PIECES; k++)
        for (unsigned more = 0; more < 2; more++) {
            struct xinv_cut_request r = request(XINV_RANGE_SCALED, XINV_POLICY_AT_MOST, PAGE(1),
                                                k * most + PAGE(1 + more) - 1);
            uint64_t pages;

            r.blocks = (uint8_t)k;
            cr_assert_eq(xinv_cut_count(&r, 1000, &pages), more ? 0 : k, "%u and %u", k, more);
        }
}

Test(range, at_most_k_scaled_blocks_cover_with_no_more_than_k)
{
    for (unsigned k = 1; k <= 4; k++)
        for (unsigned n = 1; n < 5000; n++) {
            struct xinv_cut_request r =
                request(XINV_RANGE_SCALED, XINV_POLICY_AT_MOST, PAGE(7), PAGE(7 + n) - 1);
            struct xinv_cut cut;
            struct xinv_block b;
            uint64_t next = PAGE(7);
            unsigned count = 0;

            r.blocks = (uint8_t)k;
            cr_assert(xinv_cut_begin(&cut, &r));
            while (xinv_cut_next(&cut, &b)) {
                cr_assert_eq(b.first, next);
                next = b.last + 1;
                count++;
            }
            cr_assert_geq(next, PAGE(7 + n));
            cr_assert_leq(count, k, "%u granules in %u commands", n, count);
            if (fewest_scaled(n) <= k)
                cr_assert_eq(next, PAGE(7 + n), "exact where the commands suffice: %u", n);
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
