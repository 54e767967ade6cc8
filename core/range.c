// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
#include "core/cut.h"

#define LOG2_NUM 5 /* a SCALED command counts up to 32 of its units */

/* number of bits needed to write v; 0 for 0 */
static unsigned bit_length(uint64_t v)
{
    return v ? ((unsigned)__builtin_clzll(v) ^ 63) + 1 : 0;
}

/* The most units of one command: 32 << max_order. */
static unsigned log2_most(const struct xinv_cut *cut)
{
    return cut->max_order + (unsigned)LOG2_NUM;
}

/* Can one command say exactly n units? */
static bool is_scaled(const struct xinv_cut *cut, uint64_t n)
{
    return n >> at_most(ctz64(n), cut->max_order) <= 1u << LOG2_NUM;
}

/* Smallest scale at which n units, rounded up, are at most 32. */
static unsigned rounded_scale(uint64_t n)
{
    unsigned length = bit_length(n - 1);

    return length > LOG2_NUM ? length - LOG2_NUM : 0;
}

/* The fewest units, from n on, that one command says exactly; n is at most 32 << max_order. */
static uint64_t round_scaled(uint64_t n)
{
    unsigned scale = rounded_scale(n);

    return (((n - 1) >> scale) + 1) << scale;
}

/* The most units, up to n, that one command says exactly. */
static uint64_t trim_scaled(const struct xinv_cut *cut, uint64_t n)
{
    unsigned length = bit_length(n);
    unsigned scale = length > LOG2_NUM ? length - LOG2_NUM : 0;

    if (n >> log2_most(cut))
        return UINT64_C(1) << log2_most(cut);
    return n >> scale << scale;
}

/* Without a function of the compiler's library: sums of 2, 4 and 8 bits side by side. */
unsigned xinv_count_bits(uint64_t v)
{
    const uint64_t pairs = UINT64_MAX / 3;
    const uint64_t nibbles = UINT64_MAX / 5;
    const uint64_t bytes = UINT64_MAX / 17;

    v -= (v >> 1) & pairs;
    v = (v & nibbles) + ((v >> 2) & nibbles);
    v = (v + (v >> 4)) & bytes;
    return (unsigned)((v * (UINT64_MAX / 255)) >> 56);
}

/* Widens first..last to whole blocks of 2^order units; both ends stay inclusive, so nothing can
 * overflow. */
static void align_outward(uint64_t *first, uint64_t *last, unsigned order)
{
    uint64_t mask = xinv_low_bits(order);

    *first &= ~mask;
    *last |= mask;
}

/* Order of the smallest aligned block that holds both units. */
static unsigned covering_order(uint64_t first, uint64_t last)
{
    return bit_length(first ^ last);
}

/* ---- Aligned blocks ---- */

/*
 * How the exact blocks of a range lie: towards a boundary they grow, one for each 1 bit of the
 * distance to it; beyond the last boundary they shrink likewise; between the two are only blocks of
 * the largest order. A range that one block says has none of this.
 */
struct halves {
    bool one;
    uint64_t below;  /* units before the first boundary */
    uint64_t middle; /* blocks of the largest order */
    uint64_t above;  /* units from the last boundary on */
};

static struct halves halves_of(const struct xinv_cut *cut)
{
    uint64_t end = cut->last_unit + 1; /* units have 52 bits: no overflow */
    unsigned order = covering_order(cut->unit, cut->last_unit);
    uint64_t low;
    uint64_t high;

    if (order <= cut->max_order) {
        if (end - cut->unit == UINT64_C(1) << order)
            return (struct halves){.one = true};
        order--; /* the one boundary is where the top differing bit flips */
    } else {
        order = cut->max_order;
    }
    low = (cut->unit + (UINT64_C(1) << order) - 1) >> order;
    high = end >> order;
    return (struct halves){false, (low << order) - cut->unit, high - low, end - (high << order)};
}

/* The least distance, from `distance` on, that so many blocks say: they keep its highest 1 bits,
 * and the lowest of them takes in the rest. */
static uint64_t said_by(uint64_t distance, unsigned blocks)
{
    uint64_t kept = distance;

    for (unsigned n = xinv_count_bits(distance); n > blocks; n--)
        kept &= kept - 1;
    return kept == distance ? kept : kept + (kept & (0 - kept));
}

/* Shares at most `blocks` blocks out among both halves where they waste least, then where fewest
 * do, and widens the range to what these say. */
static bool share_blocks(struct xinv_cut *cut, const struct halves *halves, unsigned blocks)
{
    unsigned least_above = halves->above ? 1 : 0;
    uint64_t best_below = 0;
    uint64_t best_above = 0;
    uint64_t best = UINT64_MAX;
    unsigned fewest = 0;

    for (unsigned n = halves->below ? 1 : 0; n + least_above <= blocks; n++) {
        uint64_t below = said_by(halves->below, n);
        uint64_t above = said_by(halves->above, blocks - n);
        unsigned count = xinv_count_bits(below) + xinv_count_bits(above);

        if (below + above < best || (below + above == best && count < fewest)) {
            best = below + above;
            best_below = below;
            best_above = above;
            fewest = count;
        }
        if (below == halves->below)
            break; /* more would be wasted on this half */
    }
    if (best == UINT64_MAX)
        return false;
    cut->unit -= best_below - halves->below;
    cut->last_unit += best_above - halves->above;
    return true;
}

/* Widens the range to what at most `blocks` blocks say with the least waste; 0: as few as can say
 * it at all. */
static bool fit_blocks(struct xinv_cut *cut, unsigned blocks)
{
    unsigned order = covering_order(cut->unit, cut->last_unit);
    struct halves halves;

    if (order <= cut->max_order && blocks <= 1) {
        align_outward(&cut->unit, &cut->last_unit, order);
        return true;
    }
    halves = halves_of(cut);
    if (halves.one)
        return true;
    if (!blocks)
        return share_blocks(cut, &halves, (halves.below ? 1u : 0u) + (halves.above ? 1u : 0u));
    return halves.middle <= blocks && share_blocks(cut, &halves, blocks - (unsigned)halves.middle);
}

/* Does a naturally aligned block of 2^order units lie within first..last? */
static bool holds_block(uint64_t first, uint64_t last, unsigned order)
{
    uint64_t mask = xinv_low_bits(order);
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
    if (!fit_leaves(cut, request))
        return false;
    if (request->policy != XINV_POLICY_EXACT &&
        !fit_blocks(cut, request->policy == XINV_POLICY_AT_MOST ? request->blocks : 0))
        return false;
    return !request->spec.below_top || cut->last_unit < UINT64_MAX >> LOG2_PAGE;
}

static uint64_t count_pow2(const struct xinv_cut *cut)
{
    const struct halves halves = halves_of(cut);

    return halves.one
               ? 1
               : xinv_count_bits(halves.below) + halves.middle + xinv_count_bits(halves.above);
}

/* ---- Scaled commands ---- */

/* Without rounding: two commands say whatever is not more than one can, and the largest ones, of
 * which the last may overlap, whatever is. */
static uint64_t count_scaled(const struct xinv_cut *cut)
{
    uint64_t n = cut->last_unit - cut->unit + 1;

    if (is_scaled(cut, n))
        return 1;
    return n >> log2_most(cut) ? ((n - 1) >> log2_most(cut)) + 1 : 2;
}

static bool begin_scaled(struct xinv_cut *cut, const struct xinv_cut_request *request)
{
    uint64_t n = cut->last_unit - cut->unit + 1;
    uint64_t space = UINT64_MAX >> cut->log2_unit;

    if ((request->policy == XINV_POLICY_LATENCY ||
         (request->policy == XINV_POLICY_AT_MOST && request->blocks == 1)) &&
        (n - 1) >> log2_most(cut) == 0) {
        uint64_t extra = round_scaled(n) - n;
        uint64_t room = space - cut->last_unit;

        /* what would pass the top of the space is taken from below instead */
        if (extra > room) {
            cut->unit -= extra - room;
            extra = room;
        }
        cut->last_unit += extra;
    }
    return request->policy != XINV_POLICY_AT_MOST || count_scaled(cut) <= request->blocks;
}

/* ---- Cuts ---- */

bool xinv_cut_begin(struct xinv_cut *cut, const struct xinv_cut_request *request)
{
    cut->kind = request->spec.kind;
    cut->log2_unit = cut->kind == XINV_RANGE_POW2 ? LOG2_PAGE : request->log2_granule;
    if (cut->kind == XINV_RANGE_PAGE && request->log2_step > cut->log2_unit)
        cut->log2_unit = request->log2_step;
    cut->max_order = request->spec.max_order;
    cut->begun = false;
    cut->done = false;
    cut->unit = request->first >> cut->log2_unit;
    cut->last_unit = request->last >> cut->log2_unit;
    switch (cut->kind) {
    case XINV_RANGE_POW2:
        return begin_pow2(cut, request);
    case XINV_RANGE_SCALED:
        return begin_scaled(cut, request);
    case XINV_RANGE_PAGE:
        return request->policy != XINV_POLICY_AT_MOST ||
               cut->last_unit - cut->unit < request->blocks;
    default:
        return false;
    }
}

uint64_t xinv_cut_blocks(const struct xinv_cut *cut, uint64_t *pages)
{
    uint64_t units = cut->last_unit - cut->unit + 1;

    *pages = units << (cut->log2_unit - LOG2_PAGE);
    switch (cut->kind) {
    case XINV_RANGE_POW2:
        return count_pow2(cut);
    case XINV_RANGE_SCALED:
        return count_scaled(cut);
    default:
        return units;
    }
}

uint64_t xinv_cut_count(const struct xinv_cut_request *request, uint64_t limit, uint64_t *pages)
{
    struct xinv_cut cut;
    uint64_t n;

    *pages = 0;
    if (!xinv_cut_begin(&cut, request))
        return 0;
    n = xinv_cut_blocks(&cut, pages);
    return n > limit ? limit + 1 : n;
}

/* ---- The blocks of a cut, one after the other ---- */

static void set_block(const struct xinv_cut *cut, struct xinv_block *block, uint64_t unit,
                      uint64_t units)
{
    block->first = unit << cut->log2_unit;
    block->last = ((unit + units - 1) << cut->log2_unit) | xinv_low_bits(cut->log2_unit);
}

/* Moves on past `units`; the last unit may be the top of the space, so done is a flag and not a
 * comparison. */
static void advance(struct xinv_cut *cut, uint64_t units)
{
    cut->begun = true;
    if (cut->last_unit - cut->unit < units)
        cut->done = true;
    else
        cut->unit += units;
}

static void next_pow2(struct xinv_cut *cut, struct xinv_block *block)
{
    unsigned order = pow2_order(cut->unit, cut->last_unit - cut->unit + 1, cut->max_order);

    set_block(cut, block, cut->unit, UINT64_C(1) << order);
    block->order = (uint8_t)order;
    advance(cut, UINT64_C(1) << order);
}

/* What the next command says of n units: all that are left, or as many as leave what one command
 * can say. */
static uint64_t next_units(const struct xinv_cut *cut, uint64_t n)
{
    unsigned scale = at_most(ctz64(n), cut->max_order);
    uint64_t lowest = ((n >> scale) & ((1u << LOG2_NUM) - 1)) << scale;

    if (is_scaled(cut, n))
        return n;
    if (!(n >> log2_most(cut)) && is_scaled(cut, n - lowest))
        return lowest; /* the lowest window first: the rest starts at a multiple of itself */
    return trim_scaled(cut, n);
}

static void next_scaled(struct xinv_cut *cut, struct xinv_block *block)
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

bool xinv_cut_next(struct xinv_cut *cut, struct xinv_block *block)
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
