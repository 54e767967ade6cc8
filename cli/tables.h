// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/* The vendors' tables with their prose, from the YAML inside the tool. */
#ifndef XINV_CLI_TABLES_H
#define XINV_CLI_TABLES_H

#include "schema/load.h"

/* tables_vendor - the built-in table of a vendor, with its backend; NULL if there is none of that
 * name */
const struct schema_vendor *tables_vendor(const char *name);

/* tables_vendor_names - the names of all, as "a, b, c" */
const char *tables_vendor_names(char *text, size_t size);

/* tables_platform - the built-in platform's file; NULL if there is none of that name */
const struct schema_platform *tables_platform(const char *name);

#endif
