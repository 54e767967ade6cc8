// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/*
 * A session with its IOMMUs, buffers and last answer. After each request everything that came out
 * goes through the independent decoder, and the steps, counts and completions are checked.
 */
#ifndef XINV_TESTS_SESSIONRIG_H
#define XINV_TESTS_SESSIONRIG_H

#include <xinv/session.h>

#include "tests/support/refdec.h"

#define RIG_IOMMUS   2
#define RIG_COMMANDS 4096
#define RIG_WORDS    (RIG_COMMANDS * 4)
#define RIG_STEPS    1024
#define RIG_REPLY    512
#define RIG_POISON   0xa5

struct rig {
    struct xinv_iommu iommu[RIG_IOMMUS];
    struct xinv_session_config config;
    struct xinv_session *session;
    void *memory;
    void *before; /* of the same size: rig_remember() */
    size_t size;
    const struct xinv_unmap_hint *hint; /* of the next requests */
    const struct xinv_policy *policy;
    struct xinv_completion done[RIG_IOMMUS]; /* store, at an address of the IOMMU's own */
    struct xinv_out outs[RIG_IOMMUS];
    struct xinv_report reports[RIG_IOMMUS];
    struct xinv_outcome outcome;
    uint8_t reply[RIG_REPLY];
    uint64_t words[RIG_IOMMUS][RIG_WORDS];
    struct xinv_step steps[RIG_IOMMUS][RIG_STEPS];
    struct refdec_cmd cmd[RIG_IOMMUS][RIG_COMMANDS];
    unsigned n_cmd[RIG_IOMMUS];
    char text[RIG_COMMANDS * 28];
};

/* A configuration that tests start from: 4 KiB pages, no ranges, every feature but BYPASS. */
struct xinv_session_config rig_config(uint32_t n_iommus);

/* An endpoint with ATS: its rid is 0x100 + id, so that no number stands for another. */
struct xinv_endpoint rig_endpoint(uint32_t id, uint32_t iommu, uint8_t stage);

/* One platform per IOMMU. rig_feature() changes a feature of an IOMMU before rig_open(). */
void rig_platform(struct rig *r, uint32_t iommu, const char *name, const char *feature,
                  uint16_t value);
void rig_open(struct rig *r, const struct xinv_session_config *config);
void rig_close(struct rig *r);

/* Adds an endpoint and asserts that this works. */
void rig_add(struct rig *r, const struct xinv_endpoint *endpoint);

/* Opens a session with one IOMMU and two endpoints, 8 and 9, under that stage. */
void rig_open_pair(struct rig *r, const char *platform, uint8_t stage);

/*
 * Requests: the response's status, or -XINV_E_*. Outputs start empty and poisoned. After an error,
 * or a status that is not OK, no command may have come out.
 */
int rig_request(struct rig *r, const void *readable, size_t n_readable, size_t n_writable);
int rig_attach(struct rig *r, uint32_t domain, uint32_t endpoint, uint32_t flags);
int rig_detach(struct rig *r, uint32_t domain, uint32_t endpoint);
int rig_map(struct rig *r, uint32_t domain, uint64_t first, uint64_t last, uint64_t phys);
int rig_unmap(struct rig *r, uint32_t domain, uint64_t first, uint64_t last);
int rig_reset(struct rig *r);
int rig_set_bypass(struct rig *r, uint8_t bypass);

/*
 * Requests of a batch: the response's status, or -XINV_E_*; no command comes out. rig_flush()
 * returns the number of commands, which are looked at as those of a request are.
 */
int rig_batch_add(struct rig *r, const void *readable, size_t n_readable, size_t n_writable);
int rig_batch_attach(struct rig *r, uint32_t domain, uint32_t endpoint, uint32_t flags);
int rig_batch_detach(struct rig *r, uint32_t domain, uint32_t endpoint);
int rig_batch_map(struct rig *r, uint32_t domain, uint64_t first, uint64_t last);
int rig_batch_unmap(struct rig *r, uint32_t domain, uint64_t first, uint64_t last);
int rig_flush(struct rig *r);

/* Opens a session with one IOMMU and endpoints 8 to 11, under stage 2 and without device TLBs; 8 is
 * in domain 1. */
void rig_open_members(struct rig *r, const char *platform);

/* Maps pages, a request each; unmaps them in a batch, a request each, from the last to the first.
 */
void rig_map_pages(struct rig *r, uint32_t domain, uint64_t first, unsigned n);
void rig_batch_unmap_pages(struct rig *r, uint32_t domain, uint64_t first, unsigned n);

/* The bytes of a request; return their number. */
size_t rig_attach_bytes(uint8_t *b, uint32_t domain, uint32_t endpoint, uint32_t flags);
size_t rig_detach_bytes(uint8_t *b, uint32_t domain, uint32_t endpoint);
size_t rig_map_bytes(uint8_t *b, uint32_t domain, uint64_t first, uint64_t last, uint64_t phys,
                     uint32_t flags);
size_t rig_unmap_bytes(uint8_t *b, uint32_t domain, uint64_t first, uint64_t last);
size_t rig_probe_bytes(uint8_t *b, uint32_t endpoint);

/* Every command that has been asked for has completed. */
void rig_complete(struct rig *r);

/* Names of the commands for an IOMMU, joined by blanks. */
const char *rig_names(struct rig *r, uint32_t iommu);

/* The first command of that name whose field has that value (NULL: any), or NULL. */
const struct refdec_cmd *rig_find(const struct rig *r, uint32_t iommu, const char *name,
                                  const char *field, uint64_t value);

/* Do the commands of that name and field value cover the range, and nothing outside of it? */
bool rig_covers_exactly(const struct rig *r, uint32_t iommu, const char *name, const char *field,
                        uint64_t value, uint64_t first, uint64_t last);

/* Host tag of an endpoint's domain: 0 if there is none; asserts that the endpoint is attached. */
uint32_t rig_tag(const struct rig *r, uint32_t domain, uint32_t iommu, uint32_t rid);

/* Keeps a copy of the session's memory; is it the same now? */
void rig_remember(struct rig *r);
bool rig_unchanged(const struct rig *r);

#endif
