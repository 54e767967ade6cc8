// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/* A guest whose own commands are filtered, and a neighbour's names that it must not reach. */
#ifndef XINV_TESTS_GUESTRIG_H
#define XINV_TESTS_GUESTRIG_H

#include <xinv/filter.h>

#define GUEST_MAX 8

struct guestrig {
    struct xinv_iommu iommu;
    struct xinv_attachment host[GUEST_MAX];
    struct xinv_guest_attachment at[GUEST_MAX];
    struct xinv_guest guest;
    uint64_t words[64];
    struct xinv_step steps[4];
    struct xinv_out out;
    struct xinv_filtered result;
    char text[1024];
};

/* No attachments, PASIDs below 16. */
void guestrig_begin(struct guestrig *rig, const char *platform);

/* The same with every bit of the ID registers set, and one setting changed (NULL: none). */
void guestrig_begin_all(struct guestrig *rig, const char *platform, const char *setting,
                        uint16_t value);

/* An attachment: the guest's requester ID and the host's, without ATS; no tag is known. */
struct xinv_guest_attachment *guestrig_add(struct guestrig *rig, uint8_t stage, uint32_t guest_rid,
                                           uint32_t host_rid);

/* What xinv_filter() returns; the output is empty before. */
int guestrig_filter(struct guestrig *rig, uint64_t low, uint64_t high);

/*
 * The verdict in words: "answered"; "forwarded LOW HIGH"; "rewritten LOW HIGH, LOW HIGH" in 16
 * digits each; "refused ERROR: REASON", with the error's number
 */
const char *guestrig_text(struct guestrig *rig, uint64_t low, uint64_t high);

/* Expects the text. */
void guestrig_expect(struct guestrig *rig, uint64_t low, uint64_t high, const char *text);

/* Expects a refusal, its code, and that nothing is written. */
void guestrig_refused(struct guestrig *rig, uint64_t low, uint64_t high, uint8_t reason, int error);

#endif
