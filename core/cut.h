// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/* What cuts are made of (core/range.c), inline for the loops that every command of a range goes
 * through. */
#ifndef XINV_CORE_CUT_H
#define XINV_CORE_CUT_H

#include "core/range.h"

#define LOG2_PAGE 12

static inline unsigned ctz64(uint64_t v)
{
    return (unsigned)__builtin_ctzll(v);
}

static inline unsigned at_most(unsigned v, unsigned most)
{
    return v < most ? v : most;
}

/* The largest aligned block that starts at a unit and does not pass the end, `left` units on: its
 * alignment bounds it, then the length. */
static inline unsigned pow2_order(uint64_t unit, uint64_t left, unsigned max_order)
{
    /* a bit at the largest order: it counts where the unit has more zeros, or is 0 */
    unsigned aligned = ctz64(unit | UINT64_C(1) << max_order);

    return at_most((unsigned)__builtin_clzll(left) ^ 63, aligned);
}

#endif
