// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/*
 * Two sessions that are told the same: one plans every request, the other keeps prepared lists.
 * After each call everything that came out must be the same, to the last byte behind it.
 */
#ifndef XINV_TESTS_TWINS_H
#define XINV_TESTS_TWINS_H

#include "tests/support/sessionrig.h"

#define TWIN_IOMMUS 3
#define TWIN_WORDS  4096
#define TWIN_STEPS  256

struct twin_side {
    void *memory;
    struct xinv_session *session;
    struct xinv_out outs[TWIN_IOMMUS];
    struct xinv_report reports[TWIN_IOMMUS];
    struct xinv_outcome outcome;
    uint8_t reply[RIG_REPLY];
    uint64_t words[TWIN_IOMMUS][TWIN_WORDS];
    struct xinv_step steps[TWIN_IOMMUS][TWIN_STEPS];
    int ret;
};

/* What the next calls are given. */
struct twin_call {
    const struct xinv_policy *policy;
    const struct xinv_unmap_hint *hint;
    bool completes;
    bool reports;
    bool outs;
    bool counts;        /* the outputs have no words: they are counted */
    uint32_t had_words; /* that are there already */
    uint32_t had_steps;
    uint32_t cap_words;
    uint32_t cap_steps;
    uint32_t ring;
    uint32_t head;
};

struct twins {
    struct xinv_iommu iommu[TWIN_IOMMUS];
    const char *names[TWIN_IOMMUS];
    uint32_t n_iommus;
    struct twin_side side[2]; /* the second keeps lists */
    struct xinv_completion completions[TWIN_IOMMUS];
    struct twin_call given;
    uint64_t from_lists; /* calls with commands that asked for some list and found it */
};

/* twins_open - one IOMMU, or all of them where there is a second platform */
void twins_open(struct twins *t, const char *first, const char *second, uint32_t lists);

/* twins_open_as - of IOMMUs and names that are there */
void twins_open_as(struct twins *t, const struct xinv_session_config *config, uint32_t lists);
void twins_close(struct twins *t);

/* twins_plain - everything fits, and nothing is unusual */
void twins_plain(struct twins *t);

/* Calls. A request: the response's status, or -XINV_E_*; the others return what the call does. */
int twins_request(struct twins *t, const uint8_t *bytes, size_t n);
int twins_add(struct twins *t, const uint8_t *bytes, size_t n);
int twins_flush(struct twins *t);
void twins_reset(struct twins *t);
void twins_bypass(struct twins *t, uint8_t bypass);
void twins_complete(struct twins *t);

#endif
