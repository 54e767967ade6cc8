// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/* A capture through a session on one platform, every request's commands judged by the model. */
#ifndef XINV_CLI_VERIFY_H
#define XINV_CLI_VERIFY_H

#include "cli/json.h"
#include "cli/replay.h"

struct verify_job {
    const struct capture *capture;
    const struct topology *topology;
    struct xinv_policy policy;
    bool batch; /* the requests of one kick together */
};

struct verify_result {
    char refused[128]; /* not empty: why the platform cannot run under this topology */
    uint64_t requests; /* of the capture */
    uint64_t judged;   /* changes of one table on one IOMMU */
    uint64_t entries;  /* stale ones that were looked at */
    uint64_t stale;    /* changes after which one of them can survive */
    uint64_t reports;  /* that were held against the commands */
    uint64_t untold;   /* of them wrong */
    unsigned line;     /* of the first request after which something survives, or is not told */
    char entry[160];   /* what it is */
    const char *why;
};

/* verify_run - CLI_OK, or the code of a complaint */
int verify_run(const struct verify_job *job, const struct xinv_platform *platform,
               struct verify_result *result);
void verify_print(const struct xinv_platform *platform, const struct verify_result *result);
cJSON *verify_json(const struct xinv_platform *platform, const struct verify_result *result);

#endif
