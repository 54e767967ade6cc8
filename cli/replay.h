// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/* A capture through a session on one platform under one topology, and what came of it. */
#ifndef XINV_CLI_REPLAY_H
#define XINV_CLI_REPLAY_H

#include "cli/capture.h"
#include "cli/topology.h"

#define REPLAY_KINDS 6 /* 0: no type that the specification knows */
extern const char *const replay_kind_names[REPLAY_KINDS];
extern const char *const replay_status_names[];

struct replay_name {
    const char *name;
    uint64_t count;
};

/* One request's outcome, for those who want every command. */
struct replay_event {
    size_t index; /* of the request in the capture */
    const struct capture_request *request;
    const struct xinv_outcome *outcome;
    const struct xinv_session *session; /* after the request */
    const struct xinv_report *reports;  /* one per IOMMU */
    const struct xinv_out *outs;        /* likewise */
    int commands;
};

struct replay_job {
    const struct capture *capture;
    const struct topology *topology;
    const struct xinv_platform *platform;
    struct xinv_policy policy;
    struct xinv_unmap_hint hint;
    bool progress; /* a line on stderr while it runs */
    /* called after each request; returns CLI_OK to go on */
    int (*each)(void *context, const struct xinv_iommu *iommu, const struct replay_event *event);
    void *context;
};

struct replay_result {
    const struct xinv_platform *platform;
    const struct topology *topology;
    char refused[128]; /* not empty: why this platform cannot run under this topology */
    uint64_t requests[REPLAY_KINDS];
    uint64_t n_requests;
    uint64_t responses_equal;
    uint64_t errors; /* requests that the session itself failed */
    struct replay_name *names;
    size_t n_names;
    uint64_t commands; /* syncs among them */
    uint64_t syncs;
    uint64_t registers; /* register steps, outside the queue */
    uint64_t bytes;
    uint64_t pages_asked;
    uint64_t pages_extra;
    uint64_t unbounded;           /* requests whose address was given up */
    uint64_t widened[XINV_NTAGS]; /* requests that gave up this tag */
    uint8_t must_beyond;
    uint8_t may_beyond;
};

/* replay_run - CLI_OK (also where `refused` says that it cannot be), or the code of a complaint */
int replay_run(const struct replay_job *job, struct replay_result *result);
void replay_result_free(struct replay_result *result);

#endif
