// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
#include "tests/support/twins.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "core/session_impl.h"
#include "tests/support/testiommu.h"

static void open_side(struct twins *t, struct twin_side *side, struct xinv_session_config config,
                      uint32_t lists)
{
    const struct xinv_iommu *units[TWIN_IOMMUS] = {&t->iommu[0], &t->iommu[1], &t->iommu[2]};
    size_t size;

    config.prepared_lists = lists;
    size = xinv_session_size(&config);
    side->memory = aligned_alloc(16, size);
    cr_assert(size && side->memory);
    memset(side->memory, RIG_POISON, size);
    cr_assert_eq(xinv_session_init(side->memory, size, &config, units, &side->session), 0);
}

void twins_close(struct twins *t)
{
    free(t->side[0].memory);
    free(t->side[1].memory);
}

static void fresh(struct twins *t, struct twin_side *side)
{
    memset(side->words, RIG_POISON, sizeof(side->words));
    memset(side->steps, RIG_POISON, sizeof(side->steps));
    memset(side->reply, RIG_POISON, sizeof(side->reply));
    memset(side->reports, RIG_POISON, sizeof(side->reports));
    memset(&side->outcome, RIG_POISON, sizeof(side->outcome));
    for (uint32_t i = 0; i < TWIN_IOMMUS; i++)
        side->outs[i] = (struct xinv_out){.words = t->given.counts ? NULL : side->words[i],
                                          .steps = side->steps[i],
                                          .n_words = t->given.had_words,
                                          .n_steps = t->given.had_steps,
                                          .cap_words = t->given.cap_words,
                                          .cap_steps = t->given.cap_steps,
                                          .ring_words = t->given.ring,
                                          .head = t->given.head};
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
static void expect_same(struct twins *t, const char *what)
{
    const struct twin_side *a = &t->side[0];
    const struct twin_side *b = &t->side[1];

    cr_assert_eq(b->ret, a->ret, "%s on %s and %s: %d, not %d", what, t->names[0], t->names[1],
                 b->ret, a->ret);
    cr_assert(same_outcome(&a->outcome, &b->outcome), "%s on %s: outcome", what, t->names[0]);
    cr_assert_arr_eq(b->reply, a->reply, sizeof(a->reply), "%s on %s: response", what, t->names[0]);
    for (uint32_t i = 0; i < t->n_iommus; i++) {
        cr_assert_eq(b->outs[i].n_words, a->outs[i].n_words, "%s on %s: words", what, t->names[i]);
        cr_assert_eq(b->outs[i].n_steps, a->outs[i].n_steps, "%s on %s: steps", what, t->names[i]);
        cr_assert(!memcmp(b->words[i], a->words[i], sizeof(a->words[i])), "%s on %s: words", what,
                  t->names[i]);
        cr_assert(same_steps(&a->outs[i], &b->outs[i]), "%s on %s: steps", what, t->names[i]);
        cr_assert(!t->given.reports || same_report(&a->reports[i], &b->reports[i]),
                  "%s on %s: report", what, t->names[i]);
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

static struct xinv_out *outs_of(struct twins *t, struct twin_side *side)
{
    return t->given.outs ? side->outs : NULL;
}

static struct xinv_report *reports_of(struct twins *t, struct twin_side *side)
{
    return t->given.reports ? side->reports : NULL;
}

int twins_request(struct twins *t, const uint8_t *bytes, size_t n)
{
    for (unsigned k = 0; k < 2; k++) {
        struct twin_side *side = &t->side[k];

        fresh(t, side);
        side->ret =
            xinv_session_request(side->session, bytes, n, side->reply, 4, t->given.hint,
                                 t->given.policy, t->given.completes ? t->completions : NULL,
                                 outs_of(t, side), reports_of(t, side), &side->outcome);
    }
    expect_same(t, "a request");
    t->from_lists += t->side[1].ret > 0 && has_lists(t->side[1].session);
    return t->side[0].ret < 0 ? t->side[0].ret : t->side[0].outcome.status;
}

int twins_add(struct twins *t, const uint8_t *bytes, size_t n)
{
    for (unsigned k = 0; k < 2; k++) {
        struct twin_side *side = &t->side[k];

        fresh(t, side);
        side->ret = xinv_session_batch_add(side->session, bytes, n, side->reply, 4, t->given.hint,
                                           &side->outcome);
    }
    expect_same(t, "a request of a batch");
    return t->side[0].ret;
}

int twins_flush(struct twins *t)
{
    for (unsigned k = 0; k < 2; k++) {
        struct twin_side *side = &t->side[k];

        fresh(t, side);
        side->ret = xinv_session_batch_flush(side->session, t->given.policy,
                                             t->given.completes ? t->completions : NULL,
                                             outs_of(t, side), reports_of(t, side), &side->outcome);
    }
    expect_same(t, "a flush");
    t->from_lists += t->side[1].ret > 0 && has_lists(t->side[1].session);
    return t->side[0].ret;
}

void twins_reset(struct twins *t)
{
    for (unsigned k = 0; k < 2; k++) {
        struct twin_side *side = &t->side[k];

        fresh(t, side);
        side->ret = xinv_session_reset(side->session, t->given.policy,
                                       t->given.completes ? t->completions : NULL, outs_of(t, side),
                                       reports_of(t, side), &side->outcome);
    }
    expect_same(t, "a reset");
}

void twins_bypass(struct twins *t, uint8_t bypass)
{
    for (unsigned k = 0; k < 2; k++) {
        struct twin_side *side = &t->side[k];

        fresh(t, side);
        side->ret = xinv_session_set_bypass(side->session, bypass, t->given.policy,
                                            t->given.completes ? t->completions : NULL,
                                            outs_of(t, side), reports_of(t, side), &side->outcome);
    }
    expect_same(t, "the bypass byte");
}

void twins_complete(struct twins *t)
{
    xinv_session_complete(t->side[0].session, t->side[0].outcome.token);
    xinv_session_complete(t->side[1].session, t->side[1].outcome.token);
}

/* Everything fits, and nothing is unusual. */
void twins_plain(struct twins *t)
{
    memset(&t->given, 0, sizeof(t->given));
    t->given.reports = true;
    t->given.outs = true;
    t->given.cap_words = TWIN_WORDS;
    t->given.cap_steps = TWIN_STEPS;
}

/* One IOMMU, or several where there is a second platform. */
void twins_open_as(struct twins *t, const struct xinv_session_config *config, uint32_t lists)
{
    t->n_iommus = config->n_iommus;
    t->from_lists = 0;
    open_side(t, &t->side[0], *config, 0);
    open_side(t, &t->side[1], *config, lists);
    twins_plain(t);
}

void twins_open(struct twins *t, const char *first, const char *second, uint32_t lists)
{
    struct xinv_session_config config = rig_config(second ? TWIN_IOMMUS : 1);

    for (uint32_t i = 0; i < TWIN_IOMMUS; i++) {
        t->names[i] = i && second ? second : first;
        t->iommu[i] = test_iommu(t->names[i], NULL, 0);
    }
    twins_open_as(t, &config, lists);
}
