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

/* One request's outcome, for those who want every command. A list of commands is one request's, or
 * that of a batch: then the events of its requests come one after the other once it is there. */
struct replay_event {
    size_t index; /* of the request in the capture */
    const struct capture_request *request;
    const struct xinv_outcome *outcome;
    size_t list;                        /* counted from 0 */
    size_t n;                           /* requests of the list */
    size_t k;                           /* which of them this is: 0..n - 1 */
    bool early;                         /* the batch ended before its kick did */
    const struct xinv_session *session; /* after all of them */
    const struct xinv_report *reports;  /* of the list, one per IOMMU */
    const struct xinv_out *outs;        /* likewise */
    int commands;                       /* likewise */
};

struct replay_job {
    const struct capture *capture;
    const struct topology *topology;
    const struct xinv_platform *platform;
    struct xinv_policy policy;
    struct xinv_unmap_hint hint;
    bool batch;    /* the requests of one kick together */
    bool progress; /* a line on stderr while it runs */
    /* called after each request; returns CLI_OK to go on */
    int (*each)(void *context, const struct xinv_iommu *iommu, const struct replay_event *event);
    void *context;
};

struct replay_names {
    struct replay_name *at;
    size_t n;
};

struct replay_result {
    const struct xinv_platform *platform;
    const struct topology *topology;
    const char *policy; /* as it was given */
    bool batch;
    char refused[128]; /* not empty: why this platform cannot run under this topology */
    uint64_t requests[REPLAY_KINDS];
    uint64_t n_requests;
    uint64_t responses_equal;
    uint64_t errors; /* requests that the session itself failed */
    struct replay_names names;
    uint64_t lists; /* with commands or register steps */
    uint64_t early; /* batches that ended before their kick did, for a break before a make */
    /* lists that UNMAPs have a part in */
    uint64_t unmap_lists;
    uint64_t unmap_syncs;
    struct replay_names unmap_names;
    uint64_t commands; /* syncs among them */
    uint64_t syncs;
    uint64_t registers; /* register steps, outside the queue */
    uint64_t bytes;
    uint64_t pages_asked;
    uint64_t pages_extra;
    uint64_t unbounded;           /* lists in which the address was given up */
    uint64_t widened[XINV_NTAGS]; /* lists in which this tag was */
    uint8_t must_beyond;
    uint8_t may_beyond;
};

/* replay_run - CLI_OK (also where `refused` says that it cannot be), or the code of a complaint */
int replay_run(const struct replay_job *job, struct replay_result *result);
void replay_result_free(struct replay_result *result);

#endif
