// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/* A session that keeps prepared lists answers as one that plans every request. */
#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "core/session_impl.h"
#include "tests/support/hardware.h"
#include "tests/support/random.h"
#include "tests/support/sessionrig.h"

#define IOMMUS    2
#define ENDPOINTS 6
#define DOMAINS   2
#define WORDS     4096
#define STEPS     256
#define RUNS      200
#define REQUESTS  250

/* ---- Two sessions that are told the same ---- */

struct side {
    void *memory;
    struct xinv_session *session;
    struct xinv_out outs[IOMMUS];
    struct xinv_report reports[IOMMUS];
    struct xinv_outcome outcome;
    uint8_t reply[RIG_REPLY];
    uint64_t words[IOMMUS][WORDS];
    struct xinv_step steps[IOMMUS][STEPS];
    int ret;
};

static struct side sides[2]; /* the second keeps lists */
static struct xinv_iommu iommus[IOMMUS];
static const char *names[IOMMUS];
static uint32_t n_iommus;
static struct xinv_completion completions[IOMMUS];
static uint64_t from_lists; /* requests with commands that some list was there for */

/* What the next call is given. */
static struct {
    const struct xinv_policy *policy;
    const struct xinv_unmap_hint *hint;
    bool completes;
    bool reports;
    bool outs;
    uint32_t cap_words;
    uint32_t cap_steps;
    uint32_t ring;
    uint32_t head;
} given;

static void open_side(struct side *side, struct xinv_session_config config, uint32_t lists)
{
    const struct xinv_iommu *units[IOMMUS] = {&iommus[0], &iommus[1]};
    size_t size;

    config.prepared_lists = lists;
    size = xinv_session_size(&config);
    side->memory = aligned_alloc(16, size);
    cr_assert(size && side->memory);
    memset(side->memory, RIG_POISON, size);
    cr_assert_eq(xinv_session_init(side->memory, size, &config, units, &side->session), 0);
}

static void close_sides(void)
{
    free(sides[0].memory);
    free(sides[1].memory);
}

static void fresh(struct side *side)
{
    memset(side->words, RIG_POISON, sizeof(side->words));
    memset(side->steps, RIG_POISON, sizeof(side->steps));
    memset(side->reply, RIG_POISON, sizeof(side->reply));
    memset(side->reports, RIG_POISON, sizeof(side->reports));
    memset(&side->outcome, RIG_POISON, sizeof(side->outcome));
    for (uint32_t i = 0; i < IOMMUS; i++)
        side->outs[i] = (struct xinv_out){.words = side->words[i],
                                          .steps = side->steps[i],
                                          .cap_words = given.cap_words,
                                          .cap_steps = given.cap_steps,
                                          .ring_words = given.ring,
                                          .head = given.head};
}

static bool same_report(const struct xinv_report *a, const struct xinv_report *b)
{
    return a->commands == b->commands && a->syncs == b->syncs && a->need_words == b->need_words &&
           a->need_steps == b->need_steps && a->widened == b->widened &&
           a->must_beyond == b->must_beyond && a->may_beyond == b->may_beyond &&
           a->extra_unbounded == b->extra_unbounded && a->asked_pages == b->asked_pages &&
           a->extra_pages == b->extra_pages && a->rows == b->rows && a->at == b->at &&
           a->at_tag == b->at_tag && a->at_cache == b->at_cache;
}

static bool same_outcome(const struct xinv_outcome *a, const struct xinv_outcome *b)
{
    return a->type == b->type && a->status == b->status && a->fenced == b->fenced &&
           a->error == b->error && a->written == b->written && a->iommus == b->iommus &&
           a->token == b->token && a->domain == b->domain && a->endpoint == b->endpoint &&
           a->first == b->first && a->last == b->last;
}

static bool same_steps(const struct xinv_out *a, const struct xinv_out *b)
{
    for (uint32_t i = 0; i < a->n_steps; i++)
        if (a->steps[i].kind != b->steps[i].kind || a->steps[i].first != b->steps[i].first ||
            a->steps[i].count != b->steps[i].count || a->steps[i].row != b->steps[i].row)
            return false;
    return true;
}

/* Everything that came out, to the last byte behind it. */
static void expect_same(const char *what)
{
    const struct side *a = &sides[0];
    const struct side *b = &sides[1];

    cr_assert_eq(b->ret, a->ret, "%s on %s and %s: %d, not %d", what, names[0], names[1], b->ret,
                 a->ret);
    cr_assert(same_outcome(&a->outcome, &b->outcome), "%s on %s: outcome", what, names[0]);
    cr_assert_arr_eq(b->reply, a->reply, sizeof(a->reply), "%s on %s: response", what, names[0]);
    for (uint32_t i = 0; i < n_iommus; i++) {
        cr_assert_eq(b->outs[i].n_words, a->outs[i].n_words, "%s on %s: words", what, names[i]);
        cr_assert_eq(b->outs[i].n_steps, a->outs[i].n_steps, "%s on %s: steps", what, names[i]);
        cr_assert(!memcmp(b->words[i], a->words[i], sizeof(a->words[i])), "%s on %s: words", what,
                  names[i]);
        cr_assert(same_steps(&a->outs[i], &b->outs[i]), "%s on %s: steps", what, names[i]);
        cr_assert(!given.reports || same_report(&a->reports[i], &b->reports[i]), "%s on %s: report",
                  what, names[i]);
    }
}

static bool has_lists(const struct xinv_session *s)
{
    for (uint32_t i = 0; i < s->config.prepared_lists; i++)
        if (s->lists[i].call == s->calls && s->lists[i].state == XINV_LIST_MADE &&
            s->lists[i].prepared.n)
            return true;
    return false;
}

static struct xinv_out *outs_of(struct side *side)
{
    return given.outs ? side->outs : NULL;
}

static struct xinv_report *reports_of(struct side *side)
{
    return given.reports ? side->reports : NULL;
}

static int send_request(const uint8_t *bytes, size_t n)
{
    for (unsigned k = 0; k < 2; k++) {
        struct side *side = &sides[k];

        fresh(side);
        side->ret = xinv_session_request(side->session, bytes, n, side->reply, 4, given.hint,
                                         given.policy, given.completes ? completions : NULL,
                                         outs_of(side), reports_of(side), &side->outcome);
    }
    expect_same("a request");
    from_lists += sides[1].ret > 0 && has_lists(sides[1].session);
    return sides[0].ret < 0 ? sides[0].ret : sides[0].outcome.status;
}

static int add_to_batch(const uint8_t *bytes, size_t n)
{
    for (unsigned k = 0; k < 2; k++) {
        struct side *side = &sides[k];

        fresh(side);
        side->ret = xinv_session_batch_add(side->session, bytes, n, side->reply, 4, given.hint,
                                           &side->outcome);
    }
    expect_same("a request of a batch");
    return sides[0].ret;
}

static int flush(void)
{
    for (unsigned k = 0; k < 2; k++) {
        struct side *side = &sides[k];

        fresh(side);
        side->ret = xinv_session_batch_flush(side->session, given.policy,
                                             given.completes ? completions : NULL, outs_of(side),
                                             reports_of(side), &side->outcome);
    }
    expect_same("a flush");
    from_lists += sides[1].ret > 0 && has_lists(sides[1].session);
    return sides[0].ret;
}

static void reset(void)
{
    for (unsigned k = 0; k < 2; k++) {
        struct side *side = &sides[k];

        fresh(side);
        side->ret =
            xinv_session_reset(side->session, given.policy, given.completes ? completions : NULL,
                               outs_of(side), reports_of(side), &side->outcome);
    }
    expect_same("a reset");
}

static void set_bypass(uint8_t bypass)
{
    for (unsigned k = 0; k < 2; k++) {
        struct side *side = &sides[k];

        fresh(side);
        side->ret = xinv_session_set_bypass(side->session, bypass, given.policy,
                                            given.completes ? completions : NULL, outs_of(side),
                                            reports_of(side), &side->outcome);
    }
    expect_same("the bypass byte");
}

static void complete(void)
{
    xinv_session_complete(sides[0].session, sides[0].outcome.token);
    xinv_session_complete(sides[1].session, sides[1].outcome.token);
}

/* ---- Random sessions ---- */

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
    given.policy = random_chance(40) ? NULL : &policies[random_chance(40)];
    given.hint = random_chance(40) ? NULL : &hints[random_chance(40)];
    given.completes = random_chance(80);
    given.reports = random_chance(80);
    given.outs = random_chance(90);
    given.cap_words = random_chance(80) ? WORDS : random_below(40);
    given.cap_steps = random_chance(90) ? STEPS : random_below(6);
    given.ring = random_chance(30) ? WORDS : 0;
    given.head = given.ring ? random_below(WORDS / 4) * 4 + (random_chance(3) ? 2 : 0) : 0;
    for (uint32_t i = 0; i < IOMMUS; i++) {
        completions[i] = (struct xinv_completion){.store = random_chance(80),
                                                  .interrupt = random_chance(5),
                                                  .fence = random_chance(5),
                                                  .address = 0x7000 + 8 * random_below(64),
                                                  .data = random_below(1000)};
        if (random_chance(3))
            completions[i].address = random_next(); /* often one that no sync can store to */
    }
}

/* Everything fits, and nothing is unusual. */
static void plain_call(void)
{
    memset(&given, 0, sizeof(given));
    given.reports = true;
    given.outs = true;
    given.cap_words = WORDS;
    given.cap_steps = STEPS;
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
            *open = add_to_batch(bytes, n) == 0;
            if (*open)
                return;
        }
        if (flush() == -XINV_E_NOSPACE) {
            plain_call();
            (void)flush();
        }
        *open = false;
        complete();
        return;
    }
    if (random_chance(1)) {
        reset();
    } else if (random_chance(1)) {
        set_bypass((uint8_t)random_below(2));
    } else if (send_request(bytes, n) == -XINV_E_NOSPACE) {
        plain_call();
        (void)send_request(bytes, n);
    }
    if (random_chance(80))
        complete();
}

static void add_endpoint(uint32_t id)
{
    struct xinv_endpoint e = rig_endpoint(id, id % n_iommus, XINV_STAGE_STAGE1);

    e.stage = random_chance(70) ? XINV_STAGE_STAGE2 : XINV_STAGE_STAGE1;
    if (!(iommus[e.iommu].stages & XINV_STAGE_BIT(e.stage)))
        e.stage = e.stage == XINV_STAGE_STAGE1 ? XINV_STAGE_STAGE2 : XINV_STAGE_STAGE1;
    e.flags = random_chance(50) ? XINV_ATT_ATS : 0;
    e.quirks = (uint8_t)(random_chance(10) ? 1 : 0);
    cr_assert_eq(xinv_session_add_endpoint(sides[0].session, &e),
                 xinv_session_add_endpoint(sides[1].session, &e));
}

static void random_session(const struct xinv_platform *platform)
{
    static const uint8_t pages[] = {12, 12, 12, 14, 16};
    unsigned page = pages[random_below(5)];
    struct xinv_session_config config = rig_config(1 + random_below(2));
    bool open = false;

    n_iommus = config.n_iommus;
    for (uint32_t i = 0; i < IOMMUS; i++) {
        const struct xinv_platform *p = i ? working_at(random_below(30)) : platform;

        p = p ? p : platform;
        names[i] = p->name;
        cr_assert_eq(xinv_iommu_init(&iommus[i], p, NULL, NULL, 0), 0);
    }
    config.page_size_mask = ~((UINT64_C(1) << page) - 1);
    config.log2_granule = (uint8_t)(random_chance(70) ? page : 0);
    log2_unit = random_chance(80) ? page : 21;
    base = random_chance(70) ? 0x40000000 : random_below(1 << 16) * UINT64_C(0x80000000);
    open_side(&sides[0], config, 0);
    open_side(&sides[1], config, 1 + random_below(random_chance(50) ? 4 : 40));
    plain_call();
    for (uint32_t id = 0; id < ENDPOINTS; id++)
        add_endpoint(id);
    choose_policies();
    choose_hints();
    for (uint32_t id = 0; id < ENDPOINTS; id++) {
        uint8_t bytes[64];

        (void)send_request(bytes, rig_attach_bytes(bytes, 1 + random_below(DOMAINS), id, 0));
    }
    for (unsigned i = 0; i < REQUESTS; i++)
        random_step(&open);
    close_sides();
}

Test(session_lists_random, a_session_with_lists_answers_as_one_without)
{
    const struct xinv_platform *platform;

    random_start();
    for (unsigned run = 0; run < RUNS; run++) {
        for (unsigned i = run % 4; (platform = working_at(i)) != NULL; i += 4)
            random_session(platform);
    }
    cr_assert_gt(from_lists, RUNS * 10, "%" PRIu64 " requests had a list", from_lists);
}

/* ---- What a list depends on ---- */

/* Endpoints 0 and up on the first IOMMU, stage 2, with device TLBs; the first is in domain 1. */
static void open_twins(const char *first, const char *second, uint32_t lists)
{
    struct xinv_session_config config = rig_config(second ? 2 : 1);

    n_iommus = config.n_iommus;
    names[0] = first;
    names[1] = second ? second : first;
    for (uint32_t i = 0; i < IOMMUS; i++)
        cr_assert_eq(xinv_iommu_init(&iommus[i], xinv_platform_find(names[i]), NULL, NULL, 0), 0);
    open_side(&sides[0], config, 0);
    open_side(&sides[1], config, lists);
    plain_call();
    from_lists = 0;
}

static void add_to_both(uint32_t id, uint32_t iommu)
{
    struct xinv_endpoint e = rig_endpoint(id, iommu, XINV_STAGE_STAGE2);

    cr_assert_eq(xinv_session_add_endpoint(sides[0].session, &e), 0);
    cr_assert_eq(xinv_session_add_endpoint(sides[1].session, &e), 0);
}

static void attach(uint32_t domain, uint32_t endpoint)
{
    uint8_t b[64];

    cr_assert_eq(send_request(b, rig_attach_bytes(b, domain, endpoint, 0)), XINV_VIRTIO_OK);
    complete();
}

static void detach(uint32_t domain, uint32_t endpoint)
{
    uint8_t b[64];

    cr_assert_eq(send_request(b, rig_detach_bytes(b, domain, endpoint)), XINV_VIRTIO_OK);
    complete();
}

/* Maps so many pages and unmaps them; returns the commands of the UNMAP, which both agree on. */
static int unmap(uint32_t domain, unsigned pages)
{
    const uint64_t last = 0x40001000 + pages * 0x1000 - 1;
    uint8_t b[64];

    cr_assert_eq(send_request(b, rig_map_bytes(b, domain, 0x40001000, last, 0, 3)), 0);
    cr_assert_eq(send_request(b, rig_unmap_bytes(b, domain, 0x40001000, last)), 0);
    return sides[1].ret;
}

/* Until a list says it. */
static int unmap_often(uint32_t domain, unsigned pages)
{
    const uint64_t before = from_lists;
    int commands = 0;

    for (unsigned i = 0; i < 3; i++)
        commands = unmap(domain, pages);
    cr_assert_gt(from_lists, before, "no list was made");
    return commands;
}

Test(session_lists, an_endpoint_that_enters_or_leaves_a_domain_changes_its_lists)
{
    int alone;
    int both;

    open_twins("intel-vtd-legacy", NULL, 8);
    add_to_both(0, 0);
    add_to_both(1, 0);
    attach(1, 0);
    alone = unmap_often(1, 1);
    attach(1, 1);
    both = unmap(1, 1);
    cr_assert_eq(both, alone + 1, "a command for the other's device TLB");
    cr_assert_eq(unmap_often(1, 1), both);
    detach(1, 0);
    cr_assert_eq(unmap(1, 1), alone);
    close_sides();
}

Test(session_lists, a_domain_in_the_place_of_another_has_lists_of_its_own)
{
    open_twins("intel-vtd-legacy", NULL, 8);
    add_to_both(0, 0);
    attach(1, 0);
    (void)unmap_often(1, 1);
    attach(2, 0); /* under another DID: the first one's commands have not been issued yet */
    (void)unmap_often(2, 1);
    detach(2, 0);
    attach(3, 0);
    (void)unmap_often(3, 1);
    reset();
    attach(1, 0);
    (void)unmap_often(1, 1);
    close_sides();
}

Test(session_lists, a_domain_on_two_iommus_has_a_list_for_each)
{
    open_twins("intel-vtd-legacy", "intel-vtd-legacy", 64);
    add_to_both(0, 0);
    add_to_both(1, 1);
    attach(1, 0);
    attach(1, 1);
    (void)unmap_often(1, 1);
    (void)unmap_often(1, 3);
    close_sides();
}

/* Three unaligned pages: two blocks of a page and of two, one block of four, or the domain. */
Test(session_lists, another_policy_has_another_list)
{
    static const struct xinv_policy latency = {.kind = XINV_POLICY_LATENCY};
    static const struct xinv_policy one = {.kind = XINV_POLICY_AT_MOST, .blocks = 1};
    static const struct xinv_policy two = {.kind = XINV_POLICY_AT_MOST, .blocks = 2};
    static const struct xinv_policy limited = {.kind = XINV_POLICY_EXACT, .max_commands = 1};
    static const struct xinv_policy *const policies_of[] = {NULL, &latency, &one, &two, &limited};

    open_twins("intel-vtd-legacy", NULL, 64);
    add_to_both(0, 0);
    attach(1, 0);
    for (unsigned i = 0; i < 5; i++) {
        given.policy = policies_of[i];
        (void)unmap(1, 3);
        (void)unmap(1, 3);
        (void)unmap(1, 3);
    }
    given.policy = NULL;
    (void)unmap_often(1, 3);
    close_sides();
}

/* TTL says the level of a page's leaf, and of no other. */
Test(session_lists, another_hint_has_another_list)
{
    static const struct xinv_unmap_hint leaves = {.known = 1, .leaf_only = 1, .log2_leaf_size = 12};
    static const struct xinv_unmap_hint large = {.known = 1, .leaf_only = 1, .log2_leaf_size = 14};
    static const struct xinv_unmap_hint tables = {.known = 1, .log2_leaf_size = 14};
    static const struct xinv_unmap_hint *const hints_of[] = {NULL, &leaves, &large, &tables};

    open_twins("arm-smmuv3-ril", NULL, 64);
    add_to_both(0, 0);
    attach(1, 0);
    for (unsigned i = 0; i < 4; i++) {
        given.hint = hints_of[i];
        (void)unmap_often(1, 16);
    }
    close_sides();
}

/* A page's UNMAP alone: those of domain 1 are mapped from 0x1000 on, those of domain 2 likewise. */
static void unmap_page(uint32_t domain, unsigned page)
{
    uint8_t b[64];

    cr_assert_eq(send_request(b, rig_unmap_bytes(b, domain, page * 0x1000, page * 0x1000 + 0xfff)),
                 0);
}

Test(session_lists, a_list_is_made_for_what_is_asked_for_again_and_keeps_its_place)
{
    const struct xinv_session_list *only;
    uint64_t first;
    uint8_t b[64];

    open_twins("intel-vtd-legacy", NULL, 1);
    only = sides[1].session->lists;
    for (uint32_t i = 0; i < 2; i++) {
        add_to_both(i, 0);
        attach(1 + i, i);
        for (unsigned page = 1; page <= 40; page++)
            (void)send_request(b,
                               rig_map_bytes(b, 1 + i, page * 0x1000, page * 0x1000 + 0xfff, 0, 3));
    }
    first = only->epoch; /* the MAPs' */
    for (unsigned page = 1; only->epoch == first; page++)
        unmap_page(1, page);
    first = only->epoch;
    cr_assert_eq(only->state, XINV_LIST_NOTED, "made for what is asked for once");
    for (unsigned page = 31; page <= 34; page++)
        unmap_page(1, page);
    cr_assert_eq(only->state, XINV_LIST_MADE);
    unmap_page(2, 1);
    unmap_page(2, 2);
    cr_assert_eq(only->epoch, first, "asked for five times, it makes way for two others");
    for (unsigned page = 3; page <= 12; page++)
        unmap_page(2, page);
    cr_assert_neq(only->epoch, first, "not asked for any more, it keeps its place");
    close_sides();
}
