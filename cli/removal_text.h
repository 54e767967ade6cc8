// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/* What a command removes, in words and as JSON. */
#ifndef XINV_CLI_REMOVAL_TEXT_H
#define XINV_CLI_REMOVAL_TEXT_H

#include <xinv/xinv.h>

#define REMOVAL_TEXT_SIZE 4096

/* removal_row - the row's op in the table, and "leaf" for the form with the leaf bit */
const char *removal_row(const struct xinv_iommu *iommu, unsigned row, char *text, size_t size);

/*
 * removal_text - one removal of a set: "stage1 asid=0x5 vmid=0x0 address=0x1000..0x1fff; level
 * leaf"
 */
const char *removal_text(const struct xinv_iommu *iommu, const struct xinv_removal_set *set,
                         unsigned index, char *text, size_t size);

/* removal_json - "row":...,"removes":[...], members of an object; returns the length */
size_t removal_json(const struct xinv_iommu *iommu, const struct xinv_removal_set *set, char *text,
                    size_t size);

#endif
