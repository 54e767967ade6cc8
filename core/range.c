// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
#include "core/range.h"

#define LOG2_PAGE 12

static unsigned ctz64(uint64_t v)
{
    return (unsigned)__builtin_ctzll(v);
}

/* number of bits needed to write v; 0 for 0 */
static unsigned bit_length(uint64_t v)
{
    return v ? 64 - (unsigned)__builtin_clzll(v) : 0;
}

uint64_t xinv_pages(uint64_t first, uint64_t last)
{
    return (last >> LOG2_PAGE) - (first >> LOG2_PAGE) + 1;
}

/* Widens first..last to whole blocks of 2^order units; both ends stay inclusive, so nothing can
 * overflow. */
static void align_outward(uint64_t *first, uint64_t *last, unsigned order)
{
    uint64_t mask = order >= 64 ? UINT64_MAX : (UINT64_C(1) << order) - 1;

    *first &= ~mask;
    *last |= mask;
}

/* Order of the smallest aligned block that holds both units. */
static unsigned covering_order(uint64_t first, uint64_t last)
{
    return bit_length(first ^ last);
}

/*
 * At most `blocks` aligned blocks: start from the covering block and split, again and again, the
 * one with the most waste at its top differing bit; a block that is too large for the command is
 * split before any other.
 */
static bool begin_at_most(struct xinv_cut *cut, unsigned blocks)
{
    uint64_t last[XINV_MAX_PIECES];
    unsigned n = 1;

    cut->piece_first[0] = cut->unit;
    last[0] = cut->last_unit;
    for (;;) {
        unsigned worst = 0;
        uint64_t most = 0;

        for (unsigned i = 0; i < n; i++) {
            unsigned order = covering_order(cut->piece_first[i], last[i]);
            uint64_t waste = (UINT64_C(1) << order) - 1 - (last[i] - cut->piece_first[i]);

            if (order > cut->max_order)
                waste = UINT64_MAX;
            if (waste > most) {
                most = waste;
                worst = i;
            }
        }
        if (most == 0)
            break;
        if (n == blocks) {
            if (most == UINT64_MAX)
                return false;
            break;
        }
        /* split piece `worst` at the boundary where its top differing bit flips; keep the pieces in
         * order */
        unsigned top = covering_order(cut->piece_first[worst], last[worst]) - 1;
        uint64_t middle = last[worst] >> top << top;

        for (unsigned i = n; i > worst; i--) {
            cut->piece_first[i] = cut->piece_first[i - 1];
            last[i] = last[i - 1];
        }
        cut->piece_first[worst + 1] = middle;
        last[worst] = middle - 1;
        n++;
    }
    for (unsigned i = 0; i < n; i++) {
        unsigned order = covering_order(cut->piece_first[i], last[i]);

        cut->piece_order[i] = (uint8_t)order;
        cut->piece_first[i] = cut->piece_first[i] >> order << order;
    }
    cut->pieces = (uint8_t)n;
    return true;
}

/* Does a naturally aligned block of 2^order units lie within first..last? */
static bool holds_block(uint64_t first, uint64_t last, unsigned order)
{
    uint64_t mask = (UINT64_C(1) << order) - 1;
    uint64_t start = (first + mask) & ~mask;

    return start >= first && start <= last && last - start >= mask;
}

/*
 * A block smaller than the leaf is not guaranteed to remove it (VT-d 6.5.2.3; AMD 2.4.3). Leaves
 * that lie within the range are safe as they are: an aligned block within a range lies within one
 * of the blocks that the range is cut into, as long as those may be that large. A leaf that may
 * reach beyond it needs the range widened to whole leaves.
 */
static bool fit_leaves(struct xinv_cut *cut, const struct xinv_cut_request *request)
{
    unsigned floor;

    if (!request->spec.leaf_floor || request->log2_leaf <= LOG2_PAGE)
        return true;
    floor = request->log2_leaf - LOG2_PAGE;
    if (request->leaves_within)
        /* log2_leaf may be more than there is: any block too large to say could be one leaf */
        return floor <= cut->max_order ||
               !holds_block(cut->unit, cut->last_unit, cut->max_order + 1u);
    if (floor > cut->max_order)
        return false;
    align_outward(&cut->unit, &cut->last_unit, floor);
    cut->last_unit &= UINT64_MAX >> LOG2_PAGE;
    return true;
}

static bool begin_pow2(struct xinv_cut *cut, const struct xinv_cut_request *request)
{
    unsigned order;

    if (!fit_leaves(cut, request))
        return false;
    switch (cut->mode) {
    case XINV_POLICY_LATENCY:
        order = covering_order(cut->unit, cut->last_unit);
        cut->order = (uint8_t)(order > cut->max_order ? cut->max_order : order);
        align_outward(&cut->unit, &cut->last_unit, cut->order);
        return true;
    case XINV_POLICY_AT_MOST:
        return begin_at_most(cut, request->blocks);
    default:
        return true;
    }
}

bool xinv_cut_begin(struct xinv_cut *cut, const struct xinv_cut_request *request)
{
    cut->kind = request->spec.kind;
    cut->log2_unit = cut->kind == XINV_RANGE_POW2 ? LOG2_PAGE : request->log2_granule;
    if (cut->kind == XINV_RANGE_PAGE && request->log2_step > cut->log2_unit)
        cut->log2_unit = request->log2_step;
    cut->mode = request->policy;
    cut->max_order = request->spec.max_order;
    cut->piece = 0;
    cut->pieces = request->blocks;
    cut->done = false;
    cut->unit = request->first >> cut->log2_unit;
    cut->last_unit = request->last >> cut->log2_unit;
    if (cut->kind == XINV_RANGE_POW2)
        return begin_pow2(cut, request);
    if (cut->mode == XINV_POLICY_AT_MOST) {
        /* one command says one granule, or up to 32 << max_order of them */
        unsigned log2_most = cut->kind == XINV_RANGE_SCALED ? cut->max_order + 5u : 0;

        if ((cut->last_unit - cut->unit) >> log2_most >= request->blocks)
            return false;
    }
    return cut->kind != XINV_RANGE_NONE;
}

static void set_block(const struct xinv_cut *cut, struct xinv_block *block, uint64_t unit,
                      uint64_t units)
{
    block->first = unit << cut->log2_unit;
    block->last = ((unit + units - 1) << cut->log2_unit) | ((UINT64_C(1) << cut->log2_unit) - 1);
}

/* Moves on past `units`; the last unit may be the top of the space, so done is a flag and not a
 * comparison. */
static void advance(struct xinv_cut *cut, uint64_t units)
{
    if (cut->last_unit - cut->unit < units)
        cut->done = true;
    else
        cut->unit += units;
}

static bool next_pow2(struct xinv_cut *cut, struct xinv_block *block)
{
    unsigned order;

    if (cut->mode == XINV_POLICY_AT_MOST) {
        if (cut->piece == cut->pieces)
            return false;
        order = cut->piece_order[cut->piece];
        set_block(cut, block, cut->piece_first[cut->piece], UINT64_C(1) << order);
        cut->piece++;
        block->order = (uint8_t)order;
        return true;
    }
    if (cut->mode == XINV_POLICY_LATENCY) {
        order = cut->order;
    } else {
        /* the largest block that starts here and does not pass the end: alignment bounds it, then
         * length */
        uint64_t units = cut->last_unit - cut->unit + 1;

        order = bit_length(units) - 1;
        if (cut->unit && ctz64(cut->unit) < order)
            order = ctz64(cut->unit);
        if (order > cut->max_order)
            order = cut->max_order;
    }
    set_block(cut, block, cut->unit, UINT64_C(1) << order);
    block->order = (uint8_t)order;
    advance(cut, UINT64_C(1) << order);
    return true;
}

/* Smallest scale at which n granules, rounded up, are at most 32 units. */
static unsigned rounded_scale(uint64_t n, unsigned max)
{
    unsigned scale = bit_length(n) > 5 ? bit_length(n) - 5 : 0;

    if (scale > 0 && ((n - 1) >> (scale - 1)) < 32)
        scale--;
    if (((n - 1) >> scale) >= 32)
        scale++;
    return scale > max ? max : scale;
}

static void set_scaled(struct xinv_cut *cut, struct xinv_block *block, unsigned scale, uint64_t num,
                       bool round)
{
    uint64_t units = num << scale;
    uint64_t space = UINT64_MAX >> cut->log2_unit;

    /* a rounded range that would pass the top of the space takes its excess from below instead */
    if (round && units - 1 > space - cut->unit) {
        uint64_t over = units - 1 - (space - cut->unit);

        cut->unit = cut->unit > over ? cut->unit - over : 0;
    }
    set_block(cut, block, cut->unit, units);
    block->scale = (uint8_t)scale;
    block->num = (uint8_t)(num - 1);
    advance(cut, units);
}

static bool next_scaled(struct xinv_cut *cut, struct xinv_block *block)
{
    uint64_t n = cut->last_unit - cut->unit + 1;
    unsigned max = cut->max_order;
    unsigned scale = ctz64(n);
    bool round =
        cut->mode == XINV_POLICY_LATENCY || (cut->mode == XINV_POLICY_AT_MOST && cut->pieces <= 1);

    if (scale > max)
        scale = max;
    if (n >> scale <= 32) { /* what is left is exactly one command */
        set_scaled(cut, block, scale, n >> scale, false);
        return true;
    }
    if (round) {
        uint64_t num;

        scale = rounded_scale(n, max);
        num = ((n - 1) >> scale) + 1;
        set_scaled(cut, block, scale, num > 32 ? 32 : num, true);
    } else if (cut->mode == XINV_POLICY_AT_MOST || scale == max) {
        /* largest window first, so that what is rounded at the end is small */
        scale = bit_length(n) - 5;
        if (scale > max)
            scale = max;
        set_scaled(cut, block, scale, n >> scale > 32 ? 32 : n >> scale, false);
        if (cut->mode == XINV_POLICY_AT_MOST)
            cut->pieces--;
    } else {
        /* lowest window first keeps every later start aligned to what is left */
        set_scaled(cut, block, scale, (n >> scale) & 31, false);
    }
    return true;
}

bool xinv_cut_next(struct xinv_cut *cut, struct xinv_block *block)
{
    if (cut->done)
        return false;
    block->order = 0;
    block->num = 0;
    block->scale = 0;
    switch (cut->kind) {
    case XINV_RANGE_POW2:
        return next_pow2(cut, block);
    case XINV_RANGE_SCALED:
        return next_scaled(cut, block);
    default:
        set_block(cut, block, cut->unit, 1);
        advance(cut, 1);
        return true;
    }
}

static unsigned popcount64(uint64_t v)
{
    unsigned n = 0;

    for (; v; v &= v - 1)
        n++;
    return n;
}

/*
 * How many blocks an exact cut has, without making them. Up to a boundary of the largest blocks
 * they grow, one for each 1 bit of the distance; beyond the last such boundary they shrink
 * likewise.
 */
static uint64_t exact_blocks(const struct xinv_cut *cut)
{
    uint64_t end = cut->last_unit + 1; /* units have 52 bits: no overflow */
    unsigned order = covering_order(cut->unit, cut->last_unit);
    uint64_t low;
    uint64_t high;

    if (order <= cut->max_order && end - cut->unit == UINT64_C(1) << order)
        return 1;
    if (order > cut->max_order)
        order = cut->max_order;
    else
        order--; /* a smaller range meets its boundary where its top differing bit flips */
    low = (cut->unit + (UINT64_C(1) << order) - 1) >> order;
    high = end >> order;
    return popcount64((low << order) - cut->unit) + (high - low) +
           popcount64(end - (high << order));
}

uint64_t xinv_cut_count(const struct xinv_cut_request *request, uint64_t limit, uint64_t *pages)
{
    struct xinv_cut cut;
    struct xinv_block block;
    uint64_t n = 0;

    *pages = 0;
    if (!xinv_cut_begin(&cut, request))
        return 0;
    if (cut.kind == XINV_RANGE_PAGE ||
        (cut.kind == XINV_RANGE_POW2 && cut.mode == XINV_POLICY_LATENCY)) {
        unsigned order = cut.kind == XINV_RANGE_PAGE ? 0 : cut.order;

        n = (cut.last_unit >> order) - (cut.unit >> order) + 1;
        *pages = n << order << (cut.log2_unit - LOG2_PAGE);
        return n > limit ? limit + 1 : n;
    }
    if (cut.kind == XINV_RANGE_POW2 && cut.mode == XINV_POLICY_EXACT) {
        n = exact_blocks(&cut);
        *pages = cut.last_unit - cut.unit + 1;
        return n > limit ? limit + 1 : n;
    }
    while (xinv_cut_next(&cut, &block)) {
        *pages += xinv_pages(block.first, block.last);
        if (++n > limit)
            break;
    }
    return n;
}
