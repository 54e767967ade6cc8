// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
#ifndef XINV_SCHEMA_CHECK_IMPL_H
#define XINV_SCHEMA_CHECK_IMPL_H

#include "core/shape.h"
#include "schema/check.h"

struct schema_checker {
    const struct schema_vendor *vendor;
    const struct xinv_vendor *table;
    schema_warn *warn;
    void *context;
    unsigned warnings;
};

/* A warning at a place of `file`. */
void schema_check_warn(struct schema_checker *check, const char *file,
                       const struct schema_place *place, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* ---- Conditions (check_conds.c) ---- */

#define SCHEMA_SPANS 6 /* lists of conditions that hold together */
struct schema_spans {
    unsigned n;
    struct xinv_span span[SCHEMA_SPANS];
};

void schema_check_require(struct schema_spans *spans, struct xinv_span span);

/*
 * schema_check_solve - features that meet every condition, each as near to `from` as it can be
 * @from, @values: a value per feature; values is written whole
 * returns: -1; or the feature that no value of meets its conditions
 */
int schema_check_solve(const struct xinv_vendor *table, const struct schema_spans *spans,
                       const uint16_t *from, uint16_t *values);

/* Rows of every kind whose conditions no features can meet. */
void schema_check_conditions(struct schema_checker *check);

/* ---- Needs (check_needs.c) ---- */

/* Needs that no row removes, whatever the features. */
void schema_check_needs(struct schema_checker *check);
/* "CACHE entries (CLASSES) known by TAGS" */
void schema_check_describe(const struct xinv_vendor *table, unsigned cache, xinv_classes open,
                           uint8_t known, char *text, size_t size);
/* Needs that no row of a platform removes (check_platform.c). */
void schema_check_platform(struct schema_checker *check, const struct schema_platform *platform);

/* ---- Uses (check_uses.c) ---- */

/* Command rows that no request puts in a plan. */
void schema_check_uses(struct schema_checker *check);

#endif
