// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/* Files inside the tool: the tables' YAML, whose sources and prose are not in the library, and the
 * page of the matrix. */
#ifndef XINV_CLI_EMBEDDED_H
#define XINV_CLI_EMBEDDED_H

#include <stddef.h>

struct cli_embedded {
    const char *name; /* such as schema/vtd.yaml; NULL ends the list */
    const unsigned char *data;
    size_t size;
};

extern const struct cli_embedded cli_embedded[];

#endif
