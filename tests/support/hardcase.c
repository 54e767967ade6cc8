// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
#include "tests/support/hardcase.h"

#include <criterion/criterion.h>
#include <inttypes.h>

void hardcase_page(struct hardcase *h, uint8_t change, uint16_t flags)
{
    h->trial.request =
        (struct xinv_request){.change = change,
                              .flags = (uint16_t)(XINV_REQ_RANGE | XINV_REQ_LEAVES_WITHIN | flags),
                              .first = 0x40000000,
                              .last = 0x40000fff};
}

void hardcase_expect(struct hardcase *h, const char *text)
{
    cr_assert_geq(trial_run(&h->trial), 0);
    cr_expect_str_eq(trial_text(&h->trial), text, "%s", trial_text(&h->trial));
    oracle_begin(&h->oracle, &h->trial);
    oracle_read(&h->oracle, &h->trial);
}

void hardcase_expect_words(const struct hardcase *h, unsigned i, uint64_t low, uint64_t high)
{
    const uint64_t *words = h->trial.words + (size_t)i * h->trial.iommu.words;

    cr_assert_lt(i, h->trial.n_cmd);
    cr_expect_eq(words[0], low, "%016" PRIx64, words[0]);
    cr_expect_eq(words[1], high, "%016" PRIx64, words[1]);
}

void hardcase_stale(struct hardcase *h, uint8_t cache, uint8_t fixed, xinv_axes classes)
{
    oracle_stale(&h->oracle, &h->trial, cache, fixed, classes);
}

void hardcase_stale_of(struct hardcase *h, uint8_t cache, uint8_t fixed, xinv_axes classes,
                       uint8_t tag, uint32_t value)
{
    const struct xinv_attachment *at = &h->trial.at[0];
    struct oracle_pattern p = {cache, fixed, classes,
                               .tag = {at->rid, at->pasid, at->asid, at->did, at->vmid}};

    p.tag[tag] = value;
    oracle_stale_pattern(&h->oracle, p);
}

void hardcase_expect_gone(struct hardcase *h)
{
    const char *text = oracle_survivor(&h->oracle);

    cr_expect_null(text, "%s", text);
}

void hardcase_expect_clean(struct hardcase *h)
{
    const char *text;

    hardcase_expect_gone(h);
    text = oracle_unreported(&h->oracle, &h->trial.report);
    cr_expect_null(text, "%s", text);
    text = oracle_overreported(&h->oracle, &h->trial.report);
    cr_expect_null(text, "%s", text);
}

void hardcase_expect_report(const struct hardcase *h, uint8_t widened, uint8_t must, uint8_t may,
                            uint64_t extra_pages)
{
    const struct xinv_report *r = &h->trial.report;

    cr_expect_eq(r->widened, widened, "widened 0x%x", r->widened);
    cr_expect_eq(r->must_beyond, must, "must_beyond 0x%x", r->must_beyond);
    cr_expect_eq(r->may_beyond, may, "may_beyond 0x%x", r->may_beyond);
    cr_expect_eq(r->extra_pages, extra_pages, "%" PRIu64 " extra pages", r->extra_pages);
    cr_expect_eq(r->extra_unbounded, (widened & ADDRESS) != 0);
}

bool hardcase_would_do(struct hardcase *h, const char *op, bool leaf, uint8_t cache)
{
    oracle_imagine(&h->oracle, &h->trial, op, leaf);
    return cache == XINV_NCACHES ? !oracle_survivor(&h->oracle)
                                 : !oracle_survivor_in(&h->oracle, cache);
}
