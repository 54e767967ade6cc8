// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/*
 * Commands and waste of each policy on random ranges, next to what drivers of today do, each
 * written here from its description. Waste is extra pages over asked pages. Prints a JSON object a
 * line.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/range.h"

#define SEED    UINT64_C(0x9e3779b97f4a7c15)
#define SAMPLES 50000
#define N(list) (sizeof(list) / sizeof((list)[0]))

struct range {
    uint64_t first; /* pages */
    uint64_t pages;
};

struct cost {
    uint64_t commands;
    uint64_t pages;
};

/* ---- Drivers of today ---- */

/* Linux, VT-d and AMD without NpCache: the smallest aligned block that holds the range. */
static struct cost covering_block(const struct range *r)
{
    uint64_t differ = r->first ^ (r->first + r->pages - 1);
    uint64_t size = 1;

    while (differ) {
        size <<= 1;
        differ >>= 1;
    }
    return (struct cost){1, size};
}

/* Linux, AMD with NpCache: from the start on, the largest aligned block that does not pass the end.
 */
static struct cost aligned_pieces(const struct range *r)
{
    struct cost cost = {0, r->pages};
    uint64_t at = r->first;
    uint64_t left = r->pages;

    while (left) {
        uint64_t size = 1;

        while (size * 2 <= left && at % (size * 2) == 0)
            size *= 2;
        at += size;
        left -= size;
        cost.commands++;
    }
    return cost;
}

/* Linux, SMMUv3 without range invalidation */
static struct cost page_by_page(const struct range *r)
{
    return (struct cost){r->pages, r->pages};
}

/* Linux, SMMUv3 with it: SCALE is the lowest 1 bit of what is left, NUM + 1 the five bits from
 * there; a range of leaves, so that nothing is padded. */
static struct cost five_bit_windows(const struct range *r)
{
    struct cost cost = {0, r->pages};
    uint64_t left = r->pages;

    while (left) {
        unsigned scale = 0;

        while (!(left >> scale & 1))
            scale++;
        left -= (left >> scale & 31) << scale;
        cost.commands++;
    }
    return cost;
}

static const struct {
    const char *name;
    const char *blocks; /* the kind of command that it has */
    struct cost (*run)(const struct range *r);
} drivers[] = {
    {"one covering block", "pow2", covering_block},
    {"aligned pieces", "pow2", aligned_pieces},
    {"page by page", "page", page_by_page},
    {"windows of five bits", "scaled", five_bit_windows},
};

/* ---- This library's policies ---- */

static const char *const kinds[] = {
    [XINV_RANGE_PAGE] = "page", [XINV_RANGE_POW2] = "pow2", [XINV_RANGE_SCALED] = "scaled"};

static struct cost policy(const struct range *r, uint8_t kind, uint8_t policy, uint8_t blocks)
{
    const struct xinv_cut_request request = {
        .spec = {.kind = kind, .max_order = kind == XINV_RANGE_SCALED ? 31 : 51},
        .policy = policy,
        .blocks = blocks,
        .log2_granule = 12,
        .first = r->first << 12,
        .last = ((r->first + r->pages) << 12) - 1};
    struct cost cost;

    cost.commands = xinv_cut_count(&request, UINT64_MAX - 1, &cost.pages);
    return cost;
}

/* ---- Ranges ---- */

static uint64_t random64(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15); /* splitmix64 */

    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

static const struct {
    const char *name;
    uint64_t least;
    uint64_t most;
} sizes[] = {{"1-16", 1, 16}, {"32", 32, 32}, {"1-512", 1, 512}, {"1-65536", 1, 65536}};

static struct range samples[SAMPLES];
static double waste[SAMPLES]; /* per cent */

static void draw(size_t size)
{
    uint64_t state = SEED + size;

    for (unsigned i = 0; i < SAMPLES; i++) {
        samples[i].pages =
            sizes[size].least + random64(&state) % (sizes[size].most - sizes[size].least + 1);
        samples[i].first = random64(&state) >> 28; /* below 2^36 pages */
    }
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;

    return (x > y) - (x < y);
}

struct sum {
    double commands;
    double waste;
};

static void add(struct sum *sum, unsigned i, struct cost cost)
{
    sum->commands += (double)cost.commands;
    waste[i] = 100.0 * (double)(cost.pages - samples[i].pages) / (double)samples[i].pages;
    sum->waste += waste[i];
}

static void print(size_t size, const char *blocks, const char *who, const char *name,
                  const struct sum *sum)
{
    qsort(waste, SAMPLES, sizeof(waste[0]), by_value);
    printf("{\"pages\": \"%s\", \"blocks\": \"%s\", \"who\": \"%s\", \"strategy\": \"%s\", "
           "\"commands\": %.2f, \"waste_mean\": %.2f, \"waste_median\": %.2f, "
           "\"waste_most\": %.2f}\n",
           sizes[size].name, blocks, who, name, sum->commands / SAMPLES, sum->waste / SAMPLES,
           waste[SAMPLES / 2], waste[SAMPLES - 1]);
}

static void run_driver(size_t size, size_t driver)
{
    struct sum sum = {0, 0};

    for (unsigned i = 0; i < SAMPLES; i++)
        add(&sum, i, drivers[driver].run(&samples[i]));
    print(size, drivers[driver].blocks, "driver", drivers[driver].name, &sum);
}

static void run_policy(size_t size, uint8_t kind, uint8_t which, uint8_t blocks)
{
    char name[32] = "exact";
    struct sum sum = {0, 0};

    if (which == XINV_POLICY_LATENCY)
        strcpy(name, "latency");
    else if (which == XINV_POLICY_AT_MOST)
        snprintf(name, sizeof(name), "at-most:%u", blocks);
    for (unsigned i = 0; i < SAMPLES; i++)
        add(&sum, i, policy(&samples[i], kind, which, blocks));
    print(size, kinds[kind], "xinv", name, &sum);
}

int main(void)
{
    printf("{\"seed\": \"0x%" PRIx64 "\", \"samples\": %u}\n", SEED, SAMPLES);
    for (size_t size = 0; size < N(sizes); size++) {
        draw(size);
        for (size_t driver = 0; driver < N(drivers); driver++)
            run_driver(size, driver);
        run_policy(size, XINV_RANGE_PAGE, XINV_POLICY_EXACT, 0);
        run_policy(size, XINV_RANGE_SCALED, XINV_POLICY_EXACT, 0);
        run_policy(size, XINV_RANGE_SCALED, XINV_POLICY_LATENCY, 0);
        run_policy(size, XINV_RANGE_POW2, XINV_POLICY_EXACT, 0);
        run_policy(size, XINV_RANGE_POW2, XINV_POLICY_LATENCY, 0);
        for (uint8_t k = 1; k <= XINV_MAX_BLOCKS; k++)
            run_policy(size, XINV_RANGE_POW2, XINV_POLICY_AT_MOST, k);
    }
    return 0;
}
