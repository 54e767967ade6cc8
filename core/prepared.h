// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/* A prepared list in the making: the planner emits into it what it would emit as words. */
#ifndef XINV_CORE_PREPARED_H
#define XINV_CORE_PREPARED_H

#include <xinv/prepared.h>

#include "core/emit.h"
#include "core/range.h"

/*
 * xinv_prepared_add - one more command
 * @emit: the list's place in its phases
 * @cut: how it would say its range; NULL: it takes none
 * @op: its operands; the block does not count
 */
void xinv_prepared_add(struct xinv_prepared *list, struct xinv_emit *emit, unsigned row,
                       unsigned times, const struct xinv_cut_request *cut,
                       const struct xinv_operands *op);

/*
 * xinv_prepared_count - what xinv_prepared_write() would report for an output with room
 * returns: 0; -1: the list does not hold, and *report is as it was
 */
int xinv_prepared_count(const struct xinv_prepared *list, uint64_t first, uint64_t last,
                        const struct xinv_completion *completion, struct xinv_report *report);

/*
 * A list's commands for one range of several: those of each phase go out for all of them, and then
 * those of the next, after what the order between the two phases demands.
 */
struct xinv_prepared_part {
    uint64_t commands; /* without fences */
    uint64_t pages;    /* the most that some of them say */
};

/* xinv_prepared_part - false: the list does not hold for that */
bool xinv_prepared_part(const struct xinv_prepared *list, uint64_t first, uint64_t last,
                        struct xinv_prepared_part *part);

/*
 * xinv_prepared_put - the commands of a phase, for a range of which xinv_prepared_part() is true
 * @out: has room for them, and no command wraps in its middle
 * @at: where they begin, before any wrap
 * returns: where they end
 */
uint32_t xinv_prepared_put(const struct xinv_prepared *list, unsigned phase, uint64_t first,
                           uint64_t last, const struct xinv_out *out, uint32_t at);

/* xinv_translate_record - plans a list for every range and emits it into *list; 0 or -XINV_E_* */
int xinv_translate_record(struct xinv_prepared *list);

#endif
