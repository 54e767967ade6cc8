// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/*
 * What a table that loads can still get wrong: it says something, but not what its author meant.
 */
#ifndef XINV_SCHEMA_CHECK_H
#define XINV_SCHEMA_CHECK_H

#include "schema/load.h"

/* One warning; the texts are stable. Valid until the callback returns. */
typedef void schema_warn(void *context, const struct schema_error *warning);

/*
 * schema_check - the warnings about a vendor's table, or about one platform of it
 * @vendor: with its backend (schema_vendor_attach)
 * @platform: NULL: the table alone
 *
 * Of a table: rows of any kind whose conditions no features can meet; entries that a change makes
 * stale and that no command removes, whatever the features; command rows that no request puts in a
 * plan, of any kind, on any stage, with any tags known, under any policy. (A search for a plan that
 * would take too long is given up, and the row passes.)
 * Of a platform: registers and settings that contradict each other; entries that a change makes
 * stale, on a stage that the platform has, and that no command of the platform removes.
 *
 * returns: how many warnings there were
 */
unsigned schema_check(const struct schema_vendor *vendor, const struct schema_platform *platform,
                      schema_warn *warn, void *context);

/* schema_init_text - what an error of xinv_iommu_init() says of registers and settings */
const char *schema_init_text(int error);

#endif
