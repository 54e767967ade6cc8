// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/*
 * Where words go: a buffer or a ring, the steps over it, and the fences that a platform's order
 * data demand.
 */
#ifndef XINV_CORE_EMIT_H
#define XINV_CORE_EMIT_H

#include "core/backend.h"

/* Stores are little-endian whatever the host is. */
static inline uint64_t xinv_to_le64(uint64_t v)
{
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    return __builtin_bswap64(v);
#else
    return v;
#endif
}

/* xinv_out_steps - the steps over a list's words in one piece, behind those that are there */
static inline void xinv_out_steps(struct xinv_out *out, uint32_t n_words, bool sync)
{
    struct xinv_step *to = &out->steps[out->n_steps];

    to[0] = (struct xinv_step){.kind = XINV_STEP_QUEUE, .first = out->n_words, .count = n_words};
    if (sync)
        to[1] = (struct xinv_step){.kind = XINV_STEP_WAIT, .first = out->n_words + n_words};
}

/* xinv_out_advance - moves the output's end on past them */
static inline void xinv_out_advance(struct xinv_out *out, uint32_t n_words, bool sync)
{
    out->n_words += n_words;
    out->n_steps += 1u + sync;
}

struct xinv_emit {
    const struct xinv_iommu *iommu;
    struct xinv_out *out;
    bool counting;
    uint8_t phase;   /* being emitted */
    uint8_t last;    /* phase with commands before this one; XINV_NPHASES: none */
    uint32_t run;    /* commands since the last sync */
    uint32_t target; /* of the queue step in progress */
    bool again;      /* a repeated phase: fence it from its first run */
    uint32_t words;  /* from the output's first word */
    uint32_t steps;
    uint32_t first; /* first word of the queue step in progress */
    uint32_t commands;
    uint32_t syncs;
};

/* xinv_emit_asked - does a completion tell anybody anything? Where it does not, a vendor may do
 * without. */
static inline bool xinv_emit_asked(const struct xinv_completion *completion)
{
    return completion->store || completion->interrupt || completion->fence || completion->drain;
}

/* xinv_emit_check - can this IOMMU complete that way? 0 or -XINV_E_INVAL */
int xinv_emit_check(const struct xinv_iommu *iommu, const struct xinv_completion *completion);

/* xinv_emit_fits - is there certainly room for that many commands? */
bool xinv_emit_fits(const struct xinv_iommu *iommu, const struct xinv_out *out, uint64_t commands);

void xinv_emit_begin(struct xinv_emit *emit, const struct xinv_iommu *iommu, struct xinv_out *out,
                     bool counting);
void xinv_emit_phase(struct xinv_emit *emit, unsigned phase, bool again);

/* xinv_emit_order - what must stand between the commands so far and the next one (enum xinv_order)
 */
uint8_t xinv_emit_order(struct xinv_emit *emit);

void xinv_emit_command(struct xinv_emit *emit, unsigned row, const struct xinv_operands *operands);
/* xinv_emit_words, xinv_emit_close - a command that is there already, outside every phase, for an
 * attachment; the end of a list without a sync */
void xinv_emit_words(struct xinv_emit *emit, const struct xinv_attachment *at,
                     const uint64_t *words);
void xinv_emit_close(struct xinv_emit *emit);
void xinv_emit_end(struct xinv_emit *emit, const struct xinv_completion *completion);

/*
 * xinv_emit_result - what came out
 * Fills the report's counts; after a pass that wrote, or that counted for a caller without a
 * buffer, moves the output's ends on.
 *
 * returns: 0, or -XINV_E_NOSPACE
 */
int xinv_emit_result(const struct xinv_emit *emit, struct xinv_out *out,
                     struct xinv_report *report);

#endif
