// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/*
 * The best plan for a random table, by trying every set of rows.
 *
 * A choice is a usable row with one value for each of its operands: those of the attachment, or
 * those that some need asks for. Which sets of choices leave no stale entry is found out entry by
 * entry, with the blocks that core/range cuts; what a set costs is counted as docs/design.md says.
 * Where there are several attachments, all of them know the same tags.
 */
#ifndef XINV_TESTS_PLANORACLE_H
#define XINV_TESTS_PLANORACLE_H

#include "tests/support/randomtable.h"

struct plan_value {
    double excess;
    uint64_t commands;
    unsigned syncs; /* without the last */
};

/* plan_is_better - fewest syncs, fewest commands, least excess; or least excess, fewest commands */
bool plan_is_better(const struct plan_value *a, const struct plan_value *b, bool latency);

/*
 * plan_best - the best of all sets that leave no stale entry
 * Where none keeps to max_commands, that limit gives way; and where few blocks cannot say the
 * range, as many as it takes may.
 *
 * returns: false if no set covers
 */
bool plan_best(const struct rt_world *w, uint64_t seed, struct plan_value *best);

/* plan_value_of - what the set of rows of an answer is worth; after plan_best() of the same world
 */
struct plan_value plan_value_of(const struct rt_world *w, uint64_t seed,
                                const struct rt_answer *answer);

#endif
