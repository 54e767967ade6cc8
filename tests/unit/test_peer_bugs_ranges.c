// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/*
 * Mistakes that other implementations of the same thing have made in public, each as a test of the
 * behaviour that they missed: those with ranges. Words were assembled by hand from the
 * specifications.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "tests/support/listrig.h"
#include "tests/support/random.h"

struct expected {
    struct list_user user;
    uint8_t granule;
    uint8_t policy;
    uint64_t first;
    uint64_t last;
    size_t n;
    uint64_t w[4][2];
};

static void check(const struct expected *list, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct xinv_iommu iommu = test_iommu(list[i].user.platform, NULL, 0);
        struct xinv_attachment at = list_attachment(list[i].user.stage);
        struct xinv_request r = list_change(list[i].user.stage, list[i].first, list[i].last);
        struct xinv_policy policy = {.kind = list[i].policy};
        struct xinv_out out;
        char what[96];

        r.log2_granule = list[i].granule;
        snprintf(what, sizeof(what), "%s, line %zu", list[i].user.platform, i);
        cr_assert_gt(list_run(&iommu, &at, 1, &r, &policy, &out), 0, "%s", what);
        list_expect_removals(what, &iommu, &out, list[i].w, list[i].n);
    }
}

/* 1: page-aligning an inclusive end that ends in 000 lost the last page */
Test(peer_bugs, a_last_byte_in_the_first_byte_of_a_page_keeps_that_page)
{
    static const struct expected list[] = {
        {LIST_SMMU,
         0,
         0,
         0x40000000,
         0x40001000,
         2,
         {{UINT64_C(0x000000590000002a), 0x40000000}, {UINT64_C(0x000000590000002a), 0x40001000}}},
        {LIST_SMMU_RIL,
         0,
         0,
         0x40000000,
         0x40001000,
         1,
         {{UINT64_C(0x0035000000100012), 0x40000400}}},
        {LIST_VTD, 0, 0, 0x40000000, 0x40001000, 1, {{0x4700f2, 0x40000001}}},
        {LIST_VTD_FIRST, 0, 0, 0x40000000, 0x40001000, 1, {{0x470036, 0x40000001}}},
        {LIST_AMD, 0, 0, 0x40000000, 0x40001000, 1, {{UINT64_C(0x3000004700000000), 0x40000003}}},
    };

    check(list, N(list));
}

/* 2: end + 1 wrapped at the top of 64 bits, then a shift by 64 */
Test(peer_bugs, a_last_byte_at_the_top_of_64_bits_keeps_its_range_at_every_granule)
{
    static const struct expected list[] = {
        {LIST_SMMU_RIL,
         12,
         0,
         UINT64_C(0xffffffffffffe000),
         UINT64_MAX,
         1,
         {{UINT64_C(0x0035000000100012), UINT64_C(0xffffffffffffe400)}}},
        {LIST_SMMU_RIL,
         14,
         0,
         UINT64_C(0xffffffffffff8000),
         UINT64_MAX,
         1,
         {{UINT64_C(0x0035000000100012), UINT64_C(0xffffffffffff8800)}}},
        {LIST_SMMU_RIL,
         16,
         0,
         UINT64_C(0xfffffffffffe0000),
         UINT64_MAX,
         1,
         {{UINT64_C(0x0035000000100012), UINT64_C(0xfffffffffffe0c00)}}},
        {LIST_VTD,
         0,
         0,
         UINT64_C(0xffffffffffffe000),
         UINT64_MAX,
         1,
         {{0x4700f2, UINT64_C(0xffffffffffffe001)}}},
        {LIST_VTD_FIRST,
         0,
         0,
         UINT64_C(0xffffffffffffe000),
         UINT64_MAX,
         1,
         {{0x470036, UINT64_C(0xffffffffffffe001)}}},
        {LIST_AMD,
         0,
         0,
         UINT64_C(0xffffffffffffe000),
         UINT64_MAX,
         1,
         {{UINT64_C(0x3000004700000000), UINT64_C(0xffffffffffffe003)}}},
        {LIST_VTD,
         0,
         XINV_POLICY_LATENCY,
         UINT64_MAX,
         UINT64_MAX,
         1,
         {{0x4700f2, UINT64_C(0xfffffffffffff000)}}},
        {LIST_AMD,
         0,
         XINV_POLICY_LATENCY,
         UINT64_MAX,
         UINT64_MAX,
         1,
         {{UINT64_C(0x3000004700000000), UINT64_C(0xfffffffffffff002)}}},
    };

    check(list, N(list));
}

/* 3: an empty gather (first = ~0, last = 0) flushed the whole address space */
Test(peer_bugs, first_above_last_is_an_error_on_every_platform_and_never_everything)
{
    static const uint64_t empty[][2] = {
        {UINT64_MAX, 0}, {0x1000, 0xfff}, {1, 0}, {UINT64_MAX, UINT64_MAX - 1}};

    for (size_t u = 0; u < LIST_USERS; u++)
        for (size_t e = 0; e < N(empty); e++)
            for (unsigned policy = XINV_POLICY_EXACT; policy <= XINV_POLICY_AT_MOST; policy++)
                for (unsigned given = 0; given < 2; given++) {
                    struct xinv_iommu iommu = test_iommu(list_users[u].platform, NULL, 0);
                    struct xinv_attachment at = list_attachment(list_users[u].stage);
                    struct xinv_request r =
                        list_change(list_users[u].stage, empty[e][0], empty[e][1]);
                    struct xinv_policy p = {.kind = (uint8_t)policy, .blocks = 1};
                    struct xinv_out out;

                    if (given) {
                        r.flags |= XINV_REQ_INVALIDATE;
                        r.caches = XINV_INV_IOTLB;
                        r.scope = XINV_SCOPE_ADDRESS;
                    }
                    cr_assert_eq(list_run(&iommu, &at, 1, &r, &p, &out), -XINV_E_RANGE, "%s",
                                 list_users[u].platform);
                    cr_assert_eq(out.n_words, 0);
                    cr_assert_eq(out.n_steps, 0);
                    cr_assert_eq(list_words[0], UINT64_C(0xa5a5a5a5a5a5a5a5));
                }
}

/* 5: alignment (the lowest set bit) confused with size (the highest) at the split */
Test(peer_bugs, every_small_range_is_cut_into_blocks_that_say_it_exactly)
{
    for (size_t u = 0; u < LIST_USERS; u++) {
        struct xinv_iommu iommu = test_iommu(list_users[u].platform, NULL, 0);

        for (uint64_t a = 0; a < 20; a++)
            for (uint64_t b = a; b < 20; b++) {
                struct xinv_attachment at = list_attachment(list_users[u].stage);
                struct xinv_request r =
                    list_change(list_users[u].stage, a << 12, (b << 12) | 0xfff);
                struct xinv_out out;

                at.flags = XINV_ATT_ATS;
                cr_assert_gt(list_run(&iommu, &at, 1, &r, NULL, &out), 0);
                for (unsigned atc = 0; atc < 2; atc++) {
                    struct list_covered c = list_cover(&iommu, &out, atc);

                    cr_assert_eq(c.first, r.first, "%s: pages %d to %d", list_users[u].platform,
                                 (int)a, (int)b);
                    cr_assert_eq(c.last, r.last, "%s: pages %d to %d", list_users[u].platform,
                                 (int)a, (int)b);
                }
                cr_assert_eq(list_report.widened, 0);
            }
    }
}

/* 6: the same for the largest block */
Test(peer_bugs, both_sides_of_the_largest_block_choose_as_they_should)
{
    static const struct {
        uint64_t first;
        uint64_t last;
        uint8_t leaf;
        size_t n;
        uint64_t w[3][2];
    } cases[] = {
        {0x40000000, 0x401fffff, 12, 1, {{0x4700f2, 0x40000009}}},
        {0x40000000, 0x401fffff, 21, 1, {{0x4700f2, 0x40000009}}},
        {0x40000000, 0x403fffff, 21, 2, {{0x4700f2, 0x40000009}, {0x4700f2, 0x40200009}}},
        {0x401ff000,
         0x40400fff,
         12,
         3,
         {{0x4700f2, 0x401ff000}, {0x4700f2, 0x40200009}, {0x4700f2, 0x40400000}}},
        {0x40000000, 0x401fffff, 22, 1, {{0x4700e2, 0}}},
        {0x40000000, 0x7fffffff, 30, 1, {{0x4700e2, 0}}},
    };

    for (size_t i = 0; i < N(cases); i++) {
        struct xinv_iommu iommu = test_iommu("intel-vtd-legacy", "MAMV", 9);
        struct xinv_attachment at = list_attachment(XINV_STAGE_STAGE2);
        struct xinv_request r = list_change(XINV_STAGE_STAGE2, cases[i].first, cases[i].last);
        struct xinv_out out;
        char what[32];

        snprintf(what, sizeof(what), "line %zu", i);
        r.log2_leaf_size = cases[i].leaf;
        cr_assert_gt(list_run(&iommu, &at, 1, &r, NULL, &out), 0);
        list_expect_removals(what, &iommu, &out, cases[i].w, cases[i].n);
    }
}

/* 9: a helper passed an empty range on, every range became everything, and nobody saw it */
Test(peer_bugs, an_exact_invalidation_removes_what_was_asked_and_no_page_more)
{
    random_start();
    for (unsigned i = 0; i < 20000; i++) {
        const struct list_user *user = &list_users[random_next() % LIST_USERS];
        struct xinv_iommu iommu = test_iommu(user->platform, NULL, 0);
        struct xinv_attachment at = list_attachment(user->stage);
        /* an intermediate physical address has 52 bits on SMMUv3, any other address up to 56 here
         */
        unsigned beyond =
            user->stage == XINV_STAGE_STAGE2 && iommu.tag_bits[XINV_TAG_IPA] == 52 ? 12 : 8;
        uint64_t first = random_next() >> (random_next() % 24 + beyond);
        uint64_t last = first + (random_next() & ((UINT64_C(1) << (random_next() % 19)) - 1));
        struct xinv_request r = list_change(user->stage, first, last);
        struct xinv_out out;

        at.flags = XINV_ATT_ATS;
        cr_assert_gt(list_run(&iommu, &at, 1, &r, NULL, &out), 0);
        for (unsigned atc = 0; atc < 2; atc++) {
            struct list_covered c = list_cover(&iommu, &out, atc);

            cr_assert_eq(c.first, first & ~UINT64_C(0xfff), "%s", user->platform);
            cr_assert_eq(c.last, last | 0xfff, "%s", user->platform);
        }
        cr_assert_eq(list_report.widened, 0, "%s", user->platform);
        cr_assert_eq(list_report.extra_pages, 0);
        cr_assert_not(list_report.extra_unbounded);
    }
}

/* 13: the lowest set bit of address 0 is undefined */
Test(peer_bugs, a_range_that_starts_at_address_0_is_cut_like_any_other)
{
    static const struct expected list[] = {
        {LIST_AMD, 0, 0, 0, 0xfff, 1, {{UINT64_C(0x3000004700000000), 0x2}}},
        {LIST_AMD,
         0,
         0,
         0,
         0x2fff,
         2,
         {{UINT64_C(0x3000004700000000), 0x3}, {UINT64_C(0x3000004700000000), 0x2002}}},
        {LIST_AMD,
         0,
         0,
         0,
         0x6fff,
         3,
         {{UINT64_C(0x3000004700000000), 0x1003},
          {UINT64_C(0x3000004700000000), 0x4003},
          {UINT64_C(0x3000004700000000), 0x6002}}},
        {LIST_AMD, 0, XINV_POLICY_LATENCY, 0, 0x2fff, 1, {{UINT64_C(0x3000004700000000), 0x1003}}},
        {{"qemu-amd-npcache", XINV_STAGE_STAGE2},
         0,
         0,
         0,
         0x2fff,
         2,
         {{UINT64_C(0x3000004700000000), 0x3}, {UINT64_C(0x3000004700000000), 0x2002}}},
        {LIST_VTD, 0, 0, 0, 0x2fff, 2, {{0x4700f2, 1}, {0x4700f2, 0x2000}}},
        {LIST_SMMU_RIL, 0, 0, 0, 0x2fff, 1, {{UINT64_C(0x0035000000002012), 0x400}}},
    };

    check(list, N(list));
}

/* 16: no address bit is shared, and the mask becomes as wide as the address space */
Test(peer_bugs, a_range_across_the_middle_of_the_address_space_stays_two_pages)
{
    static const uint64_t low = UINT64_C(0x7ffffffffffff000);
    static const uint64_t high = UINT64_C(0x8000000000000000);
    static const struct expected list[] = {
        {LIST_SMMU_RIL,
         0,
         0,
         UINT64_C(0x7ffffffffffff000),
         UINT64_C(0x8000000000000fff),
         1,
         {{UINT64_C(0x0035000000100012), UINT64_C(0x7ffffffffffff400)}}},
        {LIST_VTD,
         0,
         0,
         UINT64_C(0x7ffffffffffff000),
         UINT64_C(0x8000000000000fff),
         2,
         {{0x4700f2, UINT64_C(0x7ffffffffffff000)}, {0x4700f2, UINT64_C(0x8000000000000000)}}},
        {LIST_VTD_FIRST,
         0,
         0,
         UINT64_C(0x7ffffffffffff000),
         UINT64_C(0x8000000000000fff),
         2,
         {{0x470036, UINT64_C(0x7ffffffffffff000)}, {0x470036, UINT64_C(0x8000000000000000)}}},
        {LIST_AMD,
         0,
         0,
         UINT64_C(0x7ffffffffffff000),
         UINT64_C(0x8000000000000fff),
         2,
         {{UINT64_C(0x3000004700000000), UINT64_C(0x7ffffffffffff002)},
          {UINT64_C(0x3000004700000000), UINT64_C(0x8000000000000002)}}},
        /* as one block it is everything, and everything has a form of its own: bit 63 is 0 */
        {LIST_VTD,
         0,
         XINV_POLICY_LATENCY,
         UINT64_C(0x7ffffffffffff000),
         UINT64_C(0x8000000000000fff),
         1,
         {{0x4700e2, 0}}},
        {LIST_AMD,
         0,
         XINV_POLICY_LATENCY,
         UINT64_C(0x7ffffffffffff000),
         UINT64_C(0x8000000000000fff),
         1,
         {{UINT64_C(0x3000004700000000), UINT64_C(0x7ffffffffffff003)}}},
    };

    check(list, N(list));
    for (size_t u = 0; u < LIST_USERS; u++)
        for (unsigned policy = XINV_POLICY_EXACT; policy <= XINV_POLICY_AT_MOST; policy++) {
            struct xinv_iommu iommu = test_iommu(list_users[u].platform, NULL, 0);
            struct xinv_attachment at = list_attachment(list_users[u].stage);
            struct xinv_request r = list_change(list_users[u].stage, low, high + 0xfff);
            struct xinv_policy p = {.kind = (uint8_t)policy, .blocks = 2};
            struct xinv_out out;

            at.flags = XINV_ATT_ATS;
            /* no stage 2 of an SMMUv3 has such an address: IPAs end at 52 bits */
            if (list_users[u].stage == XINV_STAGE_STAGE2 && iommu.tag_bits[XINV_TAG_IPA] == 52) {
                cr_expect_eq(list_run(&iommu, &at, 1, &r, &p, &out), -XINV_E_TAG);
                continue;
            }
            cr_assert_gt(list_run(&iommu, &at, 1, &r, &p, &out), 0);
            /* the decoder refuses an address of all ones, which has no size */
            (void)list_names(&iommu, &out);
            if (policy != XINV_POLICY_LATENCY && list_users[u].stage == XINV_STAGE_STAGE2)
                cr_expect_eq(list_cover(&iommu, &out, true).n, 2, "%s", list_users[u].platform);
        }
}

/* 17: a guest had to round its page count up to a power of two, since the host could say nothing
 * else */
Test(peer_bugs, ragged_page_counts_are_right_and_cheap)
{
    for (size_t u = 0; u < LIST_USERS; u++) {
        struct xinv_iommu iommu = test_iommu(list_users[u].platform, NULL, 0);
        bool scaled = !strcmp(list_users[u].platform, "arm-smmuv3-ril");

        if (!strcmp(list_users[u].platform, "arm-smmuv3-generic"))
            continue; /* a page a command: the ragged count is its cost */
        for (uint64_t pages = 1; pages <= 512; pages++) {
            struct xinv_attachment at = list_attachment(list_users[u].stage);
            struct xinv_request r =
                list_change(list_users[u].stage, 0x40003000, 0x40003000 + (pages << 12) - 1);
            struct xinv_policy two = {.kind = XINV_POLICY_AT_MOST, .blocks = 2};
            struct list_covered c;
            struct xinv_out out;

            cr_assert_gt(list_run(&iommu, &at, 1, &r, NULL, &out), 0);
            c = list_cover(&iommu, &out, false);
            cr_assert_eq(c.first, r.first);
            cr_assert_eq(c.last, r.last);
            cr_assert_leq(c.n, scaled ? 2 : 18, "%s: %d pages in %u", list_users[u].platform,
                          (int)pages, c.n);
            cr_assert_gt(list_run(&iommu, &at, 1, &r, &two, &out), 0);
            c = list_cover(&iommu, &out, false);
            cr_assert_leq(c.n, 2);
            cr_assert_leq(c.first, r.first);
            cr_assert_geq(c.last, r.last);
            cr_assert_lt(list_report.extra_pages, pages, "%s: less than as much again",
                         list_users[u].platform);
        }
    }
}

/* 18: a page size that is not a power of two was rounded down */
Test(peer_bugs, a_size_that_is_no_power_of_two_and_ragged_ends_are_rounded_outward)
{
    static const struct expected list[] = {
        /* 12 KiB at 60 KiB: pages 15 to 17; in granules of 16 KiB 3 and 4; in those of 64 KiB 0 and
           1 */
        {LIST_SMMU_RIL, 12, 0, 0xf000, 0x11fff, 1, {{UINT64_C(0x0035000000002012), 0xf400}}},
        {LIST_SMMU_RIL, 14, 0, 0xf000, 0x11fff, 1, {{UINT64_C(0x0035000000100012), 0xc800}}},
        {LIST_SMMU_RIL, 16, 0, 0xf000, 0x11fff, 1, {{UINT64_C(0x0035000000100012), 0x0c00}}},
        {LIST_VTD, 0, 0, 0xf000, 0x11fff, 2, {{0x4700f2, 0xf000}, {0x4700f2, 0x10001}}},
        {LIST_AMD,
         0,
         0,
         0xf000,
         0x11fff,
         2,
         {{UINT64_C(0x3000004700000000), 0xf002}, {UINT64_C(0x3000004700000000), 0x10003}}},
        /* bytes */
        {LIST_SMMU_RIL,
         12,
         0,
         0x40000801,
         0x400017fe,
         1,
         {{UINT64_C(0x0035000000100012), 0x40000400}}},
        {LIST_VTD, 0, 0, 0x40000801, 0x400017fe, 1, {{0x4700f2, 0x40000001}}},
        {LIST_VTD_FIRST, 0, 0, 0x40000801, 0x400017fe, 1, {{0x470036, 0x40000001}}},
        {LIST_AMD, 0, 0, 0x40000801, 0x400017fe, 1, {{UINT64_C(0x3000004700000000), 0x40000003}}},
    };

    check(list, N(list));
}

/* NUM and SCALE in a loop of five-bit windows: SCALE 32 cut to its field for 2^32 pages, a table's
 * page next to the top padded to two and never ended, three commands where two say it */
Test(peer_bugs, scaled_ranges_that_a_loop_of_windows_gets_wrong_or_says_at_length)
{
    static const struct expected list[] = {
        {LIST_SMMU_RIL,
         12,
         0,
         0,
         UINT64_C(0xfffffffffff),
         1,
         {{UINT64_C(0x0035000001f01012), 0x400}}},
        {LIST_SMMU_RIL,
         12,
         0,
         UINT64_C(0xffffffffffffe000),
         UINT64_C(0xffffffffffffefff),
         1,
         {{UINT64_C(0x0035000000000012), UINT64_C(0xffffffffffffe000)}}},
        /* 4161 pages: 4096 from the first on, 17 times 4 up to the last */
        {LIST_SMMU_RIL,
         12,
         0,
         0x40000000,
         0x41040fff,
         2,
         {{UINT64_C(0x0035000000c00012), 0x40000400}, {UINT64_C(0x0035000000210012), 0x40ffd400}}},
        {LIST_SMMU_RIL,
         12,
         XINV_POLICY_LATENCY,
         0x40000000,
         0x41040fff,
         1,
         {{UINT64_C(0x0035000000810012), 0x40000400}}},
    };

    check(list, N(list));
}
