// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/* One request as JSON (docs/json.md), read into a call of the library. */
#ifndef XINV_CLI_REQUEST_H
#define XINV_CLI_REQUEST_H

#include "cli/json.h"
#include "cli/kinds.h"

#define REQUEST_ATTACHMENTS 256
#define REQUEST_ALIASES     8
#define REQUEST_MAX_BYTES   (1u << 20) /* of its JSON */

struct request_error {
    char path[96]; /* such as attachments[0].rid; empty: the whole */
    char text[256];
};

/* An attachment with the aliases that it points to. */
struct request {
    const struct xinv_platform *platform; /* a built-in one, or `described` */
    struct xinv_platform described;       /* an IOMMU that is given by its ID registers */
    uint64_t registers[16];
    struct xinv_iommu iommu;
    struct xinv_attachment at[REQUEST_ATTACHMENTS];
    uint32_t aliases[REQUEST_ATTACHMENTS][REQUEST_ALIASES];
    size_t n;
    struct xinv_request request;
    struct xinv_policy policy;
    struct xinv_completion completion;
    const struct cli_kind *kind; /* NULL: attachments and a change of its own */
};

/*
 * request_read - reads a request
 * returns: true; false with *error filled in
 */
bool request_read(struct request *request, const cJSON *json, struct request_error *error);

/* request_text - the request in one line, without its attachments */
void request_text(const struct request *request, char *text, size_t size);

#endif
