// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/* Why a platform cannot do something, and where its table says so. */
#ifndef XINV_CLI_REASON_H
#define XINV_CLI_REASON_H

#include "cli/platform.h"
#include "cli/text.h"
#include "cli/translation.h"
#include "schema/load.h"

struct reason {
    const char *brief; /* a few words, of reason_find() */
    struct text text;
    struct text source;
};

/* reason_prose - the table behind an IOMMU, with its prose */
const struct schema_vendor *reason_prose(const struct xinv_iommu *iommu);

/*
 * reason_find - why a translation failed
 * @t: with an explanation, after translation_run() returned an error
 */
void reason_find(const struct translation *t, struct reason *reason);
void reason_free(struct reason *reason);

/* reason_tag - a tag's name in a report, where an IPA is an address like any other */
const char *reason_tag(unsigned tag);

/* reason_row - a row's name: its op in the table, and "leaf" for the form with the leaf bit */
const char *reason_row(const struct xinv_vendor *v, unsigned row, char *text, size_t size);

/* reason_add_rows - an object of rows (a bit each) by their names, and their sources */
void reason_add_rows(cJSON *to, const char *key, const struct xinv_vendor *v, uint64_t rows);

/*
 * reason_conditions - appends which conditions of a list do not hold
 * @reason: its source is what the features' rows name, once each
 * returns: how many
 */
unsigned reason_conditions(const struct xinv_iommu *iommu, struct xinv_span conds,
                           struct reason *reason);

/* reason_obstacle - appends what stands between a row and a need; `tags` as of xinv_row_obstacle()
 */
void reason_obstacle(const struct xinv_iommu *iommu, unsigned row, enum xinv_obstacle obstacle,
                     uint8_t tags, struct reason *reason);

/*
 * reason_lost - appends why a tag of a need is not matched on
 * @tag: a bit of xinv_explained_lost()
 */
void reason_lost(const struct xinv_iommu *iommu, const struct xinv_request *request, uint8_t stage,
                 const struct xinv_explained *explained, unsigned need, uint8_t tag,
                 struct reason *reason);

#endif
