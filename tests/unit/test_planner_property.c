// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/*
 * The planner on random small tables: no stale entry survives, nothing dies unannounced, and no
 * other set of rows is better.
 *
 * Every table has a number, and the tests run through fixed numbers. XINV_SEED=n starts each test
 * at table n instead, XINV_TABLES=n sets how many it takes: XINV_SEED=n XINV_TABLES=1 is the one
 * table that a failure names.
 */
#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "tests/support/planoracle.h"
#include "tests/support/randomtable.h"

static struct rt_world world;
static struct rt_answer answer;

static bool is_gone(const struct rt_world *w, const struct rt_entry *e, bool may)
{
    for (uint32_t i = 0; i < answer.out.n_words; i += 4) {
        struct rt_command command;

        if (rt_command_at(&answer, i, &command) && rt_removes(w, &command, e, may))
            return true;
    }
    return false;
}

static void check_survivors(const struct rt_world *w, uint64_t seed)
{
    size_t n;
    const struct rt_entry *e = rt_entries(w, &n);

    for (size_t k = 0; k < n; k++) {
        char text[120];

        if (!e[k].stale || is_gone(w, &e[k], false))
            continue;
        rt_describe(&e[k], text, sizeof(text));
        cr_assert_fail("XINV_SEED=%" PRIu64 ": %s survives", seed, text);
    }
}

/* Tables that can serve their request must not be few, or nothing has been tested. */
static void check_share(unsigned judged, unsigned of)
{
    printf("%u of %u tables judged\n", judged, of);
    fflush(stdout);
    cr_assert(of < 500 || judged >= of / 3, "%u of %u", judged, of);
}

static void find_survivors(uint64_t preset, unsigned n)
{
    struct rt_world *w = &world;
    uint64_t base = rt_seed(preset);
    unsigned planned = 0;

    n = rt_count(n);
    printf("XINV_SEED=%" PRIu64 "\n", base);
    for (uint64_t s = base; s - base < n; s++) {
        rt_make(w, s);
        rt_run(w, &answer);
        if (answer.ret == -XINV_E_MUST_BLOCK) {
            cr_assert(answer.report.at >= w->at && answer.report.at < w->at + w->n_at,
                      "XINV_SEED=%" PRIu64, s);
            continue;
        }
        cr_assert_geq(answer.ret, 0, "XINV_SEED=%" PRIu64 ": %d", s, answer.ret);
        planned++;
        check_survivors(w, s);
    }
    check_share(planned, n);
}

Test(planner, no_stale_entry_survives_on_any_table)
{
    find_survivors(1, 3000);
}

/* All attachments have a PASID or none has, and no aliases. */
static void make_list(struct rt_world *w)
{
    const uint8_t pasid = XINV_TAG_BIT(XINV_TAG_PASID);

    w->request.flags |= XINV_REQ_ENUMERATED;
    for (size_t i = 0; i < w->n_at; i++) {
        w->at[i].flags = XINV_ATT_PASID_ENABLED;
        w->at[i].known = (w->at[i].known & (uint8_t)~pasid) | (w->at[0].known & pasid);
        w->at[i].n_aliases = 0;
    }
}

static bool is_refused_alone(const struct rt_world *w, size_t i)
{
    static struct rt_world alone;

    alone = *w;
    alone.at[0] = w->at[i];
    alone.n_at = 1;
    rt_run(&alone, &answer);
    return answer.ret == -XINV_E_MUST_BLOCK;
}

/* Their plans may differ, by the tags that they know; together they remove what lives under any. */
Test(planner, a_whole_list_is_refused_only_if_one_attachment_is)
{
    struct rt_world *w = &world;
    uint64_t base = rt_seed(1);
    unsigned n = rt_count(8000);
    unsigned planned = 0;
    unsigned lists = 0;

    printf("XINV_SEED=%" PRIu64 "\n", base);
    for (uint64_t s = base; s - base < n; s++) {
        bool refused = false;

        rt_make(w, s);
        if (w->n_at == 1)
            continue;
        lists++;
        make_list(w);
        for (size_t i = 0; i < w->n_at; i++)
            refused |= is_refused_alone(w, i);
        rt_run(w, &answer);
        cr_assert_eq(answer.ret == -XINV_E_MUST_BLOCK, refused, "XINV_SEED=%" PRIu64 ": %d", s,
                     answer.ret);
        if (refused)
            continue;
        check_survivors(w, s);
        planned++;
    }
    check_share(planned, lists);
}

/* What a row removes beyond the request. */

static void check_told(const struct rt_world *w, uint64_t seed)
{
    const struct xinv_report *r = &answer.report;
    size_t n;
    const struct rt_entry *e = rt_entries(w, &n);

    for (size_t k = 0; k < n; k++) {
        /* a superpage that is not stale cannot have been there: the range's leaves are gone */
        bool other = e[k].last - e[k].first > 4095;
        bool told = (r->must_beyond >> e[k].cache & 1) || r->extra_pages;
        char text[120];

        if (e[k].stale || other || told || !is_gone(w, &e[k], true))
            continue;
        rt_describe(&e[k], text, sizeof(text));
        cr_assert_not(is_gone(w, &e[k], false), "XINV_SEED=%" PRIu64 ": %s dies unannounced", seed,
                      text);
        cr_assert(r->may_beyond >> e[k].cache & 1,
                  "XINV_SEED=%" PRIu64 ": %s can die, which nothing says", seed, text);
    }
}

Test(planner, what_dies_beyond_the_request_is_reported)
{
    struct rt_world *w = &world;
    uint64_t base = rt_seed(1);
    unsigned n = rt_count(3000);
    unsigned planned = 0;

    printf("XINV_SEED=%" PRIu64 "\n", base);
    for (uint64_t s = base; s - base < n; s++) {
        rt_make(w, s);
        w->n_at = 1;
        w->at[0].n_aliases = 0;
        w->request.flags &= (uint16_t)~XINV_REQ_ENUMERATED;
        rt_run(w, &answer);
        if (answer.ret < 0)
            continue;
        planned++;
        check_told(w, s);
    }
    check_share(planned, n);
}

/* No set of rows is better. */

static void check_best(const struct rt_world *w, uint64_t seed, const struct plan_value *best)
{
    bool latency = w->policy.kind == XINV_POLICY_LATENCY;
    struct plan_value got = plan_value_of(w, seed, &answer);

    cr_assert_not(plan_is_better(best, &got, latency),
                  "XINV_SEED=%" PRIu64 " policy %u: %.3f %" PRIu64 " %u, but %.3f %" PRIu64
                  " %u is possible",
                  seed, w->policy.kind, got.excess, got.commands, got.syncs, best->excess,
                  best->commands, best->syncs);
    cr_assert_eq(answer.report.commands - answer.report.syncs, got.commands, "XINV_SEED=%" PRIu64,
                 seed);
    cr_assert_eq(answer.report.syncs, got.syncs + 1, "XINV_SEED=%" PRIu64, seed);
}

/* Attachments that know the same tags have one plan, with a command for each value. */
static void make_alike(struct rt_world *w)
{
    for (size_t i = 0; i < w->n_at; i++) {
        w->at[i].n_aliases = 0;
        w->at[i].flags = XINV_ATT_PASID_ENABLED;
        w->at[i].known = w->at[0].known;
        if (!w->at[0].pasid)
            w->at[i].pasid = 0;
        else if (!w->at[i].pasid)
            w->at[i].pasid = 1;
    }
}

static void judge_plans(uint64_t preset, unsigned n)
{
    struct rt_world *w = &world;
    uint64_t base = rt_seed(preset);
    unsigned judged = 0;

    n = rt_count(n);
    printf("XINV_SEED=%" PRIu64 "\n", base);
    for (uint64_t s = base; s - base < n; s++) {
        struct plan_value best = {0};

        rt_make(w, s);
        make_alike(w);
        rt_run(w, &answer);
        if (!plan_best(w, s, &best)) {
            cr_assert_eq(answer.ret, -XINV_E_MUST_BLOCK,
                         "XINV_SEED=%" PRIu64 ": %d where nothing covers", s, answer.ret);
            continue;
        }
        cr_assert_geq(answer.ret, 0, "XINV_SEED=%" PRIu64 ": %d where a plan exists", s,
                      answer.ret);
        check_best(w, s, &best);
        judged++;
    }
    check_share(judged, n);
}

Test(planner, no_set_of_rows_is_better_and_none_is_missed)
{
    judge_plans(1, 3000);
}

static void check_equal(const struct rt_answer *a, const struct rt_answer *b, uint64_t seed)
{
    cr_assert_eq(a->ret, b->ret, "XINV_SEED=%" PRIu64, seed);
    cr_assert_eq(a->out.n_words, b->out.n_words, "XINV_SEED=%" PRIu64, seed);
    cr_assert_arr_eq(a->words, b->words, a->out.n_words * sizeof(a->words[0]), "XINV_SEED=%" PRIu64,
                     seed);
    cr_assert_eq(a->report.rows, b->report.rows, "XINV_SEED=%" PRIu64, seed);
    cr_assert_eq(a->report.widened, b->report.widened, "XINV_SEED=%" PRIu64, seed);
    cr_assert_eq(a->report.must_beyond, b->report.must_beyond, "XINV_SEED=%" PRIu64, seed);
    cr_assert_eq(a->report.may_beyond, b->report.may_beyond, "XINV_SEED=%" PRIu64, seed);
}

static struct rt_world again;
static struct rt_answer second;

Test(planner, equal_requests_give_equal_plans)
{
    uint64_t base = rt_seed(1);
    unsigned n = rt_count(1000);

    for (uint64_t s = base; s - base < n; s++) {
        rt_make(&world, s);
        rt_run(&world, &answer);
        rt_make(&again, s);
        rt_run(&again, &second);
        check_equal(&answer, &second, s);
    }
}

Test(planner, ladders_change_no_plan)
{
    static struct xinv_ladders ladders;
    uint64_t base = rt_seed(1);
    unsigned n = rt_count(1000);

    for (uint64_t s = base; s - base < n; s++) {
        rt_make(&world, s);
        rt_run(&world, &answer);
        xinv_iommu_prepare(&world.iommu, &ladders);
        rt_run(&world, &second);
        check_equal(&answer, &second, s);
    }
}
