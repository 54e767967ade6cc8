// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/* The blocks of a cut, one after the other: inline, since this is the loop that every command of a
 * range goes through. */
#ifndef XINV_CORE_CUT_H
#define XINV_CORE_CUT_H

#include "core/bits.h"
#include "core/range.h"

#define LOG2_PAGE 12
#define LOG2_NUM  5 /* a SCALED command counts up to 32 of its units */

static inline unsigned ctz64(uint64_t v)
{
    return (unsigned)__builtin_ctzll(v);
}

/* number of bits needed to write v; 0 for 0 */
static inline unsigned bit_length(uint64_t v)
{
    return v ? 64 - (unsigned)__builtin_clzll(v) : 0;
}

static inline unsigned at_most(unsigned v, unsigned most)
{
    return v < most ? v : most;
}

/* The most units of one command: 32 << max_order. */
static inline unsigned log2_most(const struct xinv_cut *cut)
{
    return cut->max_order + (unsigned)LOG2_NUM;
}

/* Can one command say exactly n units? */
static inline bool is_scaled(const struct xinv_cut *cut, uint64_t n)
{
    return n >> at_most(ctz64(n), cut->max_order) <= 1u << LOG2_NUM;
}

/* Smallest scale at which n units, rounded up, are at most 32. */
static inline unsigned rounded_scale(uint64_t n)
{
    unsigned length = bit_length(n - 1);

    return length > LOG2_NUM ? length - LOG2_NUM : 0;
}

/* The fewest units, from n on, that one command says exactly; n is at most 32 << max_order. */
static inline uint64_t round_scaled(uint64_t n)
{
    unsigned scale = rounded_scale(n);

    return (((n - 1) >> scale) + 1) << scale;
}

/* The most units, up to n, that one command says exactly. */
static inline uint64_t trim_scaled(const struct xinv_cut *cut, uint64_t n)
{
    unsigned length = bit_length(n);
    unsigned scale = length > LOG2_NUM ? length - LOG2_NUM : 0;

    if (n >> log2_most(cut))
        return UINT64_C(1) << log2_most(cut);
    return n >> scale << scale;
}

static inline void set_block(const struct xinv_cut *cut, struct xinv_block *block, uint64_t unit,
                             uint64_t units)
{
    block->first = unit << cut->log2_unit;
    block->last = ((unit + units - 1) << cut->log2_unit) | xinv_low_bits(cut->log2_unit);
}

/* Moves on past `units`; the last unit may be the top of the space, so done is a flag and not a
 * comparison. */
static inline void advance(struct xinv_cut *cut, uint64_t units)
{
    cut->begun = true;
    if (cut->last_unit - cut->unit < units)
        cut->done = true;
    else
        cut->unit += units;
}

/* The largest block that starts here and does not pass the end: alignment bounds it, then length.
 */
static inline void next_pow2(struct xinv_cut *cut, struct xinv_block *block)
{
    unsigned order =
        at_most(bit_length(cut->last_unit - cut->unit + 1) - 1, (unsigned)cut->max_order);

    if (cut->unit)
        order = at_most(ctz64(cut->unit), order);
    set_block(cut, block, cut->unit, UINT64_C(1) << order);
    block->order = (uint8_t)order;
    advance(cut, UINT64_C(1) << order);
}

/* What the next command says of n units: all that are left, or as many as leave what one command
 * can say. */
static inline uint64_t next_units(const struct xinv_cut *cut, uint64_t n)
{
    unsigned scale = at_most(ctz64(n), cut->max_order);
    uint64_t lowest = ((n >> scale) & ((1u << LOG2_NUM) - 1)) << scale;

    if (is_scaled(cut, n))
        return n;
    if (!(n >> log2_most(cut)) && is_scaled(cut, n - lowest))
        return lowest; /* the lowest window first: the rest starts at a multiple of itself */
    return trim_scaled(cut, n);
}

static inline void next_scaled(struct xinv_cut *cut, struct xinv_block *block)
{
    uint64_t n = cut->last_unit - cut->unit + 1;
    uint64_t units = next_units(cut, n);

    if (units < n && cut->begun && (n - 1) >> log2_most(cut) == 0) {
        /* the last command ends where the range does, and starts within the one before */
        units = round_scaled(n);
        cut->unit -= units - n;
    }
    block->scale = (uint8_t)at_most(ctz64(units), cut->max_order);
    block->num = (uint8_t)((units >> block->scale) - 1);
    set_block(cut, block, cut->unit, units);
    advance(cut, units);
}

/* xinv_cut_next - the next block, or false after the last */
static inline bool xinv_cut_next(struct xinv_cut *cut, struct xinv_block *block)
{
    if (cut->done)
        return false;
    block->order = 0;
    block->num = 0;
    block->scale = 0;
    switch (cut->kind) {
    case XINV_RANGE_POW2:
        next_pow2(cut, block);
        break;
    case XINV_RANGE_SCALED:
        next_scaled(cut, block);
        break;
    default:
        set_block(cut, block, cut->unit, 1);
        advance(cut, 1);
        break;
    }
    return true;
}

#endif
