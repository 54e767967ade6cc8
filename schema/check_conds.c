// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
#include <string.h>

#include "core/iommu.h"
#include "schema/check_impl.h"

void schema_check_require(struct schema_spans *spans, struct xinv_span span)
{
    if (span.count && spans->n < SCHEMA_SPANS)
        spans->span[spans->n++] = span;
}

static bool all_hold(const struct xinv_vendor *table, const struct schema_spans *spans,
                     unsigned feature, uint32_t value)
{
    if (value >> table->features[feature].width)
        return false;
    for (unsigned s = 0; s < spans->n; s++)
        for (unsigned i = 0; i < spans->span[s].count; i++) {
            const struct xinv_cond *cond = &table->conds[spans->span[s].first + i];

            if (cond->feature == feature && !xinv_cond_holds_for(cond, value))
                return false;
        }
    return true;
}

/*
 * What meets conditions on one feature is a set of intervals, and each of them has an end at 0, at
 * the largest value, or at or next to a condition's number.
 */
static bool solve_feature(const struct xinv_vendor *table, const struct schema_spans *spans,
                          unsigned feature, uint16_t *value)
{
    uint32_t most = (UINT32_C(1) << table->features[feature].width) - 1;

    if (all_hold(table, spans, feature, *value))
        return true;
    for (unsigned s = 0; s < spans->n; s++)
        for (unsigned i = 0; i < spans->span[s].count; i++) {
            const struct xinv_cond *cond = &table->conds[spans->span[s].first + i];
            uint32_t tries[5] = {0, most, cond->value, cond->value + 1u, cond->value - 1u};

            for (unsigned t = 0; cond->feature == feature && t < 5; t++)
                if (all_hold(table, spans, feature, tries[t])) {
                    *value = (uint16_t)tries[t];
                    return true;
                }
        }
    return false;
}

int schema_check_solve(const struct xinv_vendor *table, const struct schema_spans *spans,
                       const uint16_t *from, uint16_t *values)
{
    memcpy(values, from, table->n_features * sizeof(*values));
    for (unsigned f = 0; f < table->n_features; f++)
        if (!solve_feature(table, spans, f, &values[f]))
            return (int)f;
    return -1;
}

static bool check_row(struct schema_checker *check, const struct schema_place *place,
                      const char *what, struct xinv_span own, struct xinv_span around)
{
    static const uint16_t zeros[XINV_MAX_FEATURES];
    uint16_t values[XINV_MAX_FEATURES];
    struct schema_spans spans = {0};
    int feature;

    schema_check_require(&spans, own);
    schema_check_require(&spans, around);
    feature = schema_check_solve(check->table, &spans, zeros, values);
    if (feature < 0)
        return true;
    schema_check_warn(check, check->vendor->file, place,
                      "this %s never applies: no %u-bit value of %s meets its conditions%s", what,
                      check->table->features[feature].width, check->table->features[feature].name,
                      around.count ? " and those around it" : "");
    return false;
}

static void check_commands(struct schema_checker *check)
{
    const struct xinv_vendor *table = check->table;

    for (unsigned i = 0; i < table->n_commands; i++) {
        const struct xinv_command_def *c = &table->commands[i];

        /* the leaf form is the same row once more */
        if (c->leaf || !check_row(check, &check->vendor->command_places[i], "command", c->conds,
                                  (struct xinv_span){0, 0}))
            continue;
        for (unsigned k = 0; k < c->ranges.count; k++)
            (void)check_row(check, &check->vendor->range_places[c->ranges.first + k], "range",
                            table->ranges[c->ranges.first + k].conds, c->conds);
    }
}

static void check_changes(struct schema_checker *check)
{
    const struct xinv_vendor *table = check->table;

    for (unsigned i = 0; i < table->n_changes; i++) {
        const struct xinv_change_def *c = &table->changes[i];

        if (!check_row(check, &check->vendor->change_places[i], "change", c->conds,
                       (struct xinv_span){0, 0}))
            continue;
        for (unsigned k = 0; k < c->needs.count; k++)
            (void)check_row(check, &check->vendor->need_places[c->needs.first + k], "need",
                            table->needs[c->needs.first + k].conds, c->conds);
    }
}

void schema_check_conditions(struct schema_checker *check)
{
    static const struct xinv_span none = {0, 0};
    const struct schema_vendor *v = check->vendor;
    const struct xinv_vendor *table = check->table;

    for (unsigned i = 0; i < XINV_NSTAGES; i++)
        if (table->stages[i].present)
            (void)check_row(check, &v->stage_places[i], "stage", table->stages[i].conds, none);
    for (unsigned i = 0; i < XINV_NCACHES; i++)
        if (table->caches[i].present)
            (void)check_row(check, &v->cache_places[i], "cache", table->caches[i].conds, none);
    check_commands(check);
    for (unsigned i = 0; i < table->n_repeats; i++)
        (void)check_row(check, &v->repeat_places[i], "erratum", table->repeats[i].conds, none);
    for (unsigned i = 0; i < table->n_attaches; i++)
        (void)check_row(check, &v->attach_places[i], "row", table->attaches[i].conds, none);
    check_changes(check);
}
