// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/* A session that keeps prepared lists answers as one that plans every request: at random. */
#include <criterion/criterion.h>
#include <inttypes.h>

#include "tests/support/hardware.h"
#include "tests/support/random.h"
#include "tests/support/testiommu.h"
#include "tests/support/twins.h"

#define ENDPOINTS 6
#define DOMAINS   2
#define RUNS      200
#define REQUESTS  250

static struct twins t;

/* A session's caller has habits, or no list would ever be asked for twice; the second policy and
 * the second hint differ from the first in one thing. */
static struct xinv_policy policies[2];
static struct xinv_unmap_hint hints[2];

static uint16_t random_limit(void)
{
    static const uint16_t limits[] = {0, 0, 1, 4, 64, XINV_WORTH};

    return limits[random_below(6)];
}

static void choose_policies(void)
{
    policies[0] = (struct xinv_policy){(uint8_t)random_below(3), (uint8_t)(1 + random_below(4)),
                                       random_limit()};
    policies[1] = policies[0];
    switch (random_below(3)) {
    case 0:
        policies[1].kind = (uint8_t)random_below(3);
        break;
    case 1:
        policies[1].blocks = (uint8_t)(1 + random_below(4));
        break;
    default:
        policies[1].max_commands = random_limit();
        break;
    }
}

static void choose_hints(void)
{
    hints[0] = (struct xinv_unmap_hint){random_chance(80), random_chance(60),
                                        (uint8_t)(random_chance(50) ? 12 : 21)};
    hints[1] = hints[0];
    if (random_chance(50))
        hints[1].leaf_only = !hints[1].leaf_only;
    else
        hints[1].log2_leaf_size = (uint8_t)(random_chance(50) ? 16 : 30);
}

static void vary_call(void)
{
    t.given.policy = random_chance(40) ? NULL : &policies[random_chance(40)];
    t.given.hint = random_chance(40) ? NULL : &hints[random_chance(40)];
    t.given.completes = random_chance(80);
    t.given.reports = random_chance(80);
    t.given.outs = random_chance(90);
    t.given.counts = random_chance(5);
    t.given.had_words = random_chance(20) ? random_below(8) * 4 : 0;
    t.given.had_steps = random_chance(20) ? random_below(4) : 0;
    t.given.cap_words = random_chance(80) ? TWIN_WORDS : random_below(40);
    t.given.cap_steps = random_chance(90) ? TWIN_STEPS : random_below(6);
    t.given.ring = random_chance(30) ? TWIN_WORDS : 0;
    t.given.head = t.given.ring ? random_below(TWIN_WORDS / 4) * 4 + (random_chance(3) ? 2 : 0) : 0;
    for (uint32_t i = 0; i < TWIN_IOMMUS; i++) {
        t.completions[i] = (struct xinv_completion){.store = random_chance(80),
                                                    .interrupt = random_chance(5),
                                                    .fence = random_chance(5),
                                                    .address = 0x7000 + 8 * random_below(64),
                                                    .data = random_below(1000)};
        if (random_chance(3))
            t.completions[i].address = random_next(); /* often one that no sync can store to */
    }
}

static uint64_t base;
static unsigned log2_unit;

/* Mostly one of a few places, so that an UNMAP finds what a MAP has put there. */
static void random_range(uint64_t *first, uint64_t *last)
{
    uint64_t unit = UINT64_C(1) << log2_unit;
    unsigned place = random_below(12);
    unsigned units = place % 4 + 1;

    *first = base + place * 5 * unit;
    if (random_chance(10)) {
        *first += random_below(4) * unit;
        units = 1 + random_below(12);
    }
    *last = *first + units * unit - 1;
}

static size_t random_bytes(uint8_t *b)
{
    uint32_t domain = 1 + random_below(DOMAINS);
    uint32_t endpoint = random_below(ENDPOINTS);
    unsigned what = random_below(100);
    uint64_t first;
    uint64_t last;

    random_range(&first, &last);
    if (what < 3)
        return rig_attach_bytes(b, domain, endpoint, random_chance(10));
    if (what < 4)
        return rig_detach_bytes(b, domain, endpoint);
    if (what < 50)
        return rig_map_bytes(b, domain, first, last, first, 3);
    if (what < 53) /* whatever is there */
        return rig_unmap_bytes(b, domain, base, base + (UINT64_C(60) << log2_unit) - 1);
    return rig_unmap_bytes(b, domain, first, last);
}

static void random_step(bool *open)
{
    uint8_t bytes[64];
    size_t n = random_bytes(bytes);

    vary_call();
    if (*open || random_chance(10)) {
        if (random_chance(90)) {
            *open = twins_add(&t, bytes, n) == 0;
            if (*open)
                return;
        }
        if (twins_flush(&t) == -XINV_E_NOSPACE) {
            twins_plain(&t);
            (void)twins_flush(&t);
        }
        *open = false;
        twins_complete(&t);
        return;
    }
    if (random_chance(1)) {
        twins_reset(&t);
    } else if (random_chance(1)) {
        twins_bypass(&t, (uint8_t)random_below(2));
    } else if (twins_request(&t, bytes, n) == -XINV_E_NOSPACE) {
        twins_plain(&t);
        (void)twins_request(&t, bytes, n);
    }
    if (random_chance(80))
        twins_complete(&t);
}

static void add_endpoint(uint32_t id)
{
    static const uint32_t aliases[] = {0x301, 0x302};
    struct xinv_endpoint e = rig_endpoint(id, id % t.n_iommus, XINV_STAGE_STAGE1);

    e.stage = random_chance(70) ? XINV_STAGE_STAGE2 : XINV_STAGE_STAGE1;
    if (!(t.iommu[e.iommu].stages & XINV_STAGE_BIT(e.stage)))
        e.stage = e.stage == XINV_STAGE_STAGE1 ? XINV_STAGE_STAGE2 : XINV_STAGE_STAGE1;
    e.flags = random_chance(50) ? XINV_ATT_ATS : 0;
    e.quirks = (uint8_t)(random_chance(10) ? 1 : 0);
    e.flags |= random_chance(20) ? XINV_ATT_PASID_ENABLED : 0;
    e.flags |= random_chance(10) ? XINV_ATT_PASIDS_UNKNOWN : 0;
    e.aliases = aliases;
    e.n_aliases = (uint8_t)(random_chance(20) ? 1 + random_below(2) : 0);
    cr_assert_eq(xinv_session_add_endpoint(t.side[0].session, &e),
                 xinv_session_add_endpoint(t.side[1].session, &e));
}

/* A platform as it is, or with every bit of its ID registers set; with ladders or without. */
static void choose_iommu(uint32_t i, const struct xinv_platform *platform)
{
    static struct xinv_ladders ladders[TWIN_IOMMUS];

    t.names[i] = platform ? platform->name : "arm-smmuv3-generic";
    t.iommu[i] =
        random_chance(70) ? test_iommu(t.names[i], NULL, 0) : test_iommu_every(t.names[i], NULL, 0);
    if (random_chance(50))
        xinv_iommu_prepare(&t.iommu[i], &ladders[i]);
}

/* Returns how many calls with commands found a list. */
static uint64_t random_session(const struct xinv_platform *platform)
{
    static const uint8_t pages[] = {12, 12, 12, 14, 16};
    unsigned page = pages[random_below(5)];
    struct xinv_session_config config = rig_config(1 + random_below(TWIN_IOMMUS));
    bool open = false;

    for (uint32_t i = 0; i < TWIN_IOMMUS; i++)
        choose_iommu(i, i ? working_at(random_below(30)) : platform);
    config.page_size_mask = ~((UINT64_C(1) << page) - 1);
    config.log2_granule = (uint8_t)(random_chance(70) ? page : 0);
    log2_unit = random_chance(80) ? page : 21;
    base = random_chance(70) ? 0x40000000 : random_below(1 << 16) * UINT64_C(0x80000000);
    twins_open_as(&t, &config, 1 + random_below(random_chance(50) ? 4 : 40));
    for (uint32_t id = 0; id < ENDPOINTS; id++)
        add_endpoint(id);
    choose_policies();
    choose_hints();
    for (uint32_t id = 0; id < ENDPOINTS; id++) {
        uint8_t bytes[64];

        (void)twins_request(&t, bytes, rig_attach_bytes(bytes, 1 + random_below(DOMAINS), id, 0));
    }
    for (unsigned i = 0; i < REQUESTS; i++)
        random_step(&open);
    twins_close(&t);
    return t.from_lists;
}

Test(session_lists_random, a_session_with_lists_answers_as_one_without)
{
    const struct xinv_platform *platform;
    uint64_t from_lists = 0;

    random_start();
    for (unsigned run = 0; run < RUNS; run++)
        for (unsigned i = run % 4; (platform = working_at(i)) != NULL; i += 4)
            from_lists += random_session(platform);
    cr_assert_gt(from_lists, RUNS * 10, "%" PRIu64 " calls had a list", from_lists);
}
