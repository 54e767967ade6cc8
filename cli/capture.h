// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/* Recorded virtio-iommu traffic (tests/data/captures/README.md), plain or compressed with gzip. */
#ifndef XINV_CLI_CAPTURE_H
#define XINV_CLI_CAPTURE_H

#include "cli/cli.h"

struct capture_request {
    uint32_t line;
    uint32_t n_request;
    uint32_t n_response;
    size_t kick; /* how many there were before it */
    size_t at;   /* in capture.bytes: the request, then its response */
};

struct capture {
    char *name; /* the file's name without directories and endings */
    struct capture_request *requests;
    size_t n;
    size_t kicks;
    uint8_t *bytes;
};

/* capture_read - a whole file; CLI_OK, or CLI_INPUT after a complaint with file and line */
int capture_read(struct capture *capture, const char *path);
void capture_free(struct capture *capture);

static inline const uint8_t *capture_request(const struct capture *c, size_t i)
{
    return c->bytes + c->requests[i].at;
}

static inline const uint8_t *capture_response(const struct capture *c, size_t i)
{
    return c->bytes + c->requests[i].at + c->requests[i].n_request;
}

#endif
