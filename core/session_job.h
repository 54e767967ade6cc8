// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/*
 * A request of a session at work. Each goes the same way: syntax, existence, ranges; then every
 * translation is counted, so that nothing can fail any more; then words go out; and only then does
 * the state change and the response is written.
 */
#ifndef XINV_CORE_SESSION_JOB_H
#define XINV_CORE_SESSION_JOB_H

#include "core/session_impl.h"
#include "core/translate.h"
#include "core/virtio.h"

struct xinv_job {
    struct xinv_session *s;
    const struct xinv_unmap_hint *hint;
    const struct xinv_policy *policy;
    const struct xinv_completion *completions;
    struct xinv_out *outs;
    struct xinv_report *reports;
    struct xinv_outcome *outcome;
    bool counting;
    bool batched; /* commands wait for a flush */
    int commands;
    size_t scratch_used;
    struct xinv_virtio_request r;
    /* what the request is about */
    uint32_t domain;
    uint32_t endpoint;
    uint32_t node;  /* MAP, UNMAP: the first mapping that ends in the range or after it */
    bool one_range; /* MAP, UNMAP: what changes is this range, and no other */
    struct xinv_pending_range range;
    const struct xinv_prepared *list; /* for it, on the IOMMU that was counted last */
    uint32_t list_iommu;
    bool idle_passes;    /* what endpoints without a domain do, after the request */
    uint32_t old_domain; /* ATTACH: the one that the endpoint leaves */
    uint32_t new_tag;    /* ATTACH: under which it enters */
    uint32_t new_pool;   /* ATTACH: the pool that numbers it */
    bool tag_taken;      /* ATTACH: new_tag came out of the pool for this request */
    bool domain_made;    /* ATTACH: the domain did not exist */
};

/* What a request comes to: a virtio status, or an error of the call. */
struct xinv_job_result {
    uint8_t status;
    int error;
};

static inline struct xinv_job_result xinv_job_status(uint8_t status)
{
    return (struct xinv_job_result){status, 0};
}

static inline struct xinv_job_result xinv_job_error(int error)
{
    return (struct xinv_job_result){XINV_VIRTIO_DEVERR, error};
}

/* Adds what was counted for an IOMMU to the job. */
void xinv_job_tally(struct xinv_job *job, uint32_t iommu, const struct xinv_report *report);

/* One list to one IOMMU. While counting, only the needs of the IOMMU grow. */
int xinv_job_send(struct xinv_job *job, uint32_t iommu, struct xinv_parts *parts, bool completes);

/*
 * The same for one range, by a prepared list: false, and nothing done, where it does not hold.
 */
bool xinv_job_send_listed(struct xinv_job *job, uint32_t iommu, const struct xinv_prepared *list,
                          uint64_t first, uint64_t last);

/*
 * xinv_job_list - the list that the session keeps for the change of a range of a domain's tables on
 * one IOMMU, whatever the range
 * @blocks: XINV_POLICY_AT_MOST: for this range; 0: as the job's policy says
 * The list lasts until the next call of the session's. Uses the scratch array.
 *
 * returns: NULL if there is none
 */
const struct xinv_prepared *xinv_job_list(struct xinv_job *job, uint32_t domain, uint32_t iommu,
                                          const struct xinv_pending_range *range, uint8_t blocks);

/* Counts, then emits what a pass sends; returns 0 or an error, with nothing changed. */
int xinv_job_run(struct xinv_job *job, int (*pass)(struct xinv_job *));

/* An error of the call: there is no response, and nothing to complete. */
int xinv_job_fail(const struct xinv_job *job, int error);

/*
 * A whole request, from its bytes to its response. Returns the number of commands, or an error of
 * the call.
 */
int xinv_job_serve(struct xinv_job *job, const void *readable, size_t n_readable, void *writable,
                   size_t n_writable);

/* The job of a call: nothing is known of a request yet. */
void xinv_job_begin(struct xinv_job *job);

/* The types of requests. */
struct xinv_job_result xinv_job_attach(struct xinv_job *job);
struct xinv_job_result xinv_job_detach(struct xinv_job *job);
struct xinv_job_result xinv_job_map(struct xinv_job *job);
struct xinv_job_result xinv_job_unmap(struct xinv_job *job);

/*
 * The change of an endpoint's entry: it leaves old_domain, or enters domain, or both; where it is
 * in none, it may pass untranslated.
 */
int xinv_job_send_entry(struct xinv_job *job, bool completes);

/* The change of an entry that is as `entry` says. */
struct xinv_request xinv_entry_request(const struct xinv_iommu *iommu,
                                       const struct xinv_held_entry *entry);

/* The endpoint leaves its domain, which goes with its last one. */
void xinv_job_leave(struct xinv_job *job);

/* ---- Parts of MAPs and UNMAPs ---- */

#define XINV_SESSION_GRANULES 3
extern const uint8_t xinv_session_granules[XINV_SESSION_GRANULES];
extern const uint8_t xinv_session_stages[XINV_TABLE_STAGES];

/* The attachments of a domain on one IOMMU under one stage, in the scratch array from `at` on. */
size_t xinv_job_gather(struct xinv_job *job, uint32_t domain, uint32_t iommu, uint8_t stage,
                       size_t at);

/* A change of the entries of a range, in the tables of one stage. */
struct xinv_request xinv_pte_request(uint8_t stage, const struct xinv_pending_range *range);

/* ---- The batch ---- */

/* The job's commands, which have been counted, wait in the batch. */
void xinv_batch_open(struct xinv_job *job);

/* Is what the job is about apart from all that the batch holds? If not, the batch goes first. */
bool xinv_batch_admits(const struct xinv_job *job);

/* Holds a range of the job's domain, or the change of its endpoint's entry. */
void xinv_batch_hold(struct xinv_job *job, const struct xinv_pending_range *range);
void xinv_batch_hold_entry(struct xinv_job *job, const struct xinv_held_entry *entry);

/* IOMMUs whose held commands must complete before the response to a request is published, its own
 * and those of requests before it. */
uint32_t xinv_batch_awaited(const struct xinv_job *job);

/* Sends all that the batch holds: a pass for xinv_job_run(). */
int xinv_batch_send(struct xinv_job *job);

/*
 * xinv_batch_count_listed - what the ranges of one domain, or of all (XINV_NIL), come to by the
 * session's prepared lists
 * @phases: of their commands, a bit each
 * returns: false: no list says some of it, or they are not alone in the batch
 */
bool xinv_batch_count_listed(struct xinv_job *job, uint32_t iommu, uint32_t domain,
                             const struct xinv_completion *completion, struct xinv_report *report,
                             uint8_t *phases);

/* Sends all that the batch holds for an IOMMU by lists; false: it is planned. */
bool xinv_batch_send_listed(struct xinv_job *job, uint32_t iommu);

void xinv_batch_clear(struct xinv_session *s);

#endif
