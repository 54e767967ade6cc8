// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/*
 * What a guest's command comes to on the host. A backend knows the words, the core knows which of
 * the guest's attachments are meant.
 */
#ifndef XINV_CORE_FILTER_H
#define XINV_CORE_FILTER_H

#include <xinv/filter.h>

#include "core/read.h"

/* A command of the host for each attachment of the guest that has a name. */
struct xinv_pass {
    uint64_t words[XINV_COMMAND_WORDS]; /* without what an attachment gives */
    uint32_t value;                     /* the guest's name */
    uint8_t by; /* the tag that names: RID, DID or VMID; one command for each value of the host's */
    uint8_t every; /* whatever the name */
    uint8_t ats;   /* of endpoints with a device TLB */
};

#define XINV_MAX_PASSES 2

struct xinv_guest_command {
    uint64_t
        words[XINV_COMMAND_WORDS]; /* without names that are replaced: the rest must be valid */
    struct xinv_pass pass[XINV_MAX_PASSES];
    uint32_t pasid; /* that it names; 0: none */
    uint8_t n;
    uint8_t verdict; /* REFUSED, ANSWERED or REWRITTEN */
    uint8_t reason;
};

struct xinv_filter_ops {
    /* *command is zeroed, but for its words, which are the guest's */
    void (*guest)(const struct xinv_iommu *iommu, struct xinv_guest_command *command);
    /* puts an attachment's names in the words of a pass */
    void (*host)(const struct xinv_iommu *iommu, const struct xinv_attachment *at, uint64_t *words);
};

static inline uint64_t xinv_take(uint64_t *words, unsigned word, unsigned lsb, unsigned width,
                                 unsigned shift)
{
    uint64_t value = xinv_get(words, word, lsb, width, shift);

    words[word] &= ~(xinv_low_bits(width) << lsb);
    return value;
}

/* XINV_TAKE(words, SOME_FIELD): its value; the field is 0 then */
#define XINV_TAKE(words, ...) xinv_take((words), __VA_ARGS__)

static inline struct xinv_pass *xinv_pass_add(struct xinv_guest_command *command, uint8_t by)
{
    struct xinv_pass *pass = &command->pass[command->n++];

    for (unsigned i = 0; i < XINV_COMMAND_WORDS; i++)
        pass->words[i] = command->words[i];
    pass->by = by;
    command->verdict = XINV_FILTER_REWRITTEN;
    return pass;
}

static inline void xinv_guest_refuse(struct xinv_guest_command *command, uint8_t reason)
{
    command->verdict = XINV_FILTER_REFUSED;
    command->reason = reason;
}

#endif
