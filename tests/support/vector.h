// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/* A worked example (tests/vectors/FORMAT.md) as a call of the library. */
#ifndef XINV_TESTS_VECTOR_H
#define XINV_TESTS_VECTOR_H

#include <xinv/xinv.h>

#include "tests/support/yamlnode.h"

#define VECTOR_ATTACHMENTS 16
#define VECTOR_ALIASES     8

struct vector {
    struct xinv_iommu iommu;
    struct xinv_attachment at[VECTOR_ATTACHMENTS];
    uint32_t aliases[VECTOR_ATTACHMENTS][VECTOR_ALIASES];
    size_t n;
    struct xinv_request request;
    struct xinv_policy policy;
    struct xinv_completion completion;
};

/* Fills a vector from an example of a vendor's file; aborts with a message on a key that it does
 * not know. */
void vector_read(struct vector *v, const char *vendor, struct ynode example);

/* A platform of that vendor, whose registers a vector's features replace. */
const struct xinv_platform *vector_platform(const char *vendor);

uint8_t vector_tag(const char *name); /* enum xinv_tag by its name */

#endif
