// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/* Prepared lists on their way out. Nothing here plans, or knows a vendor. */
#include "core/prepared.h"

#include "core/cut.h"

/* Functions that keep their registers to themselves: inlined, the rare one of them, or the next
 * loop, would have those of the one that counts. */
#define OUT_OF_LINE __attribute__((noinline)) static

/* One that would need a frame of its own beside that of the caller, which has most of the stack. */
#define IN_LINE __attribute__((always_inline)) static inline

/* Has the output room for so many words, and for the steps over them? */
static inline bool has_room(const struct xinv_out *out, uint64_t words)
{
    return out->n_words + words <= out->cap_words && (uint64_t)out->n_steps + 2 <= out->cap_steps;
}

static inline void put_sync(const struct xinv_prepared_sync *sync,
                            const struct xinv_completion *completion, uint64_t *to, unsigned n)
{
    to[0] = sync->words[0];
    to[1] = sync->words[1];
    if (n != 2) {
        to[2] = sync->words[2];
        to[3] = sync->words[3];
    }
    if (!sync->stores)
        return;
    to[sync->address_word] |= xinv_to_le64(completion->address);
    to[sync->data_word] |= xinv_to_le64(completion->data << sync->data_lsb);
}

/* ---- One page ---- */

static inline bool is_page(const struct xinv_prepared *list, uint64_t first, uint64_t last)
{
    return (first ^ last) == list->page && !(first & list->page) && last <= list->page_top;
}

/* The sync that ends a list, if it tells nobody, or stores and no more, an address and data that
 * have their place; NULL: it completes in another way. Address 0 may have a meaning of its own. */
static inline const struct xinv_prepared_sync *known_sync(const struct xinv_prepared *list,
                                                          const struct xinv_completion *c)
{
    static const struct xinv_completion store = {.store = 1};
    const struct xinv_prepared_sync *sync = &list->store;

    if (c && !__builtin_memcmp(c, &store, offsetof(struct xinv_completion, drain) + 1))
        return c->address && !((c->address & sync->not_address) | (c->data & sync->not_data))
                   ? sync
                   : NULL;
    return (c && xinv_emit_asked(c)) || list->plain.not_address ? NULL : &list->plain;
}

/* Has the output room for a page's list in one piece? A ring must not wrap in it. */
static inline bool has_page_room(const struct xinv_prepared *list, const struct xinv_out *out)
{
    const uint32_t mask = out->ring_words - 1; /* of positions; of a plain buffer, every bit */
    const uint32_t at = (out->head + out->n_words) & mask;

    return out->words && has_room(out, list->room) && mask - at >= list->room - 1;
}

/* A page's command, into which the address goes as it is. */
static inline void put_template(const struct xinv_prepared_command *c, uint64_t first, uint64_t *to,
                                unsigned n)
{
    to[0] = c->page[0];
    to[1] = c->page[1] | (xinv_to_le64(first) & c->page_mask);
    if (n == 2)
        return;
    to[2] = c->words[2];
    to[3] = c->words[3];
}

/* All of a page's commands. A list that says a page has some. */
static inline void put_templates(const struct xinv_prepared *list, uint64_t first, uint64_t *to,
                                 unsigned n)
{
    const struct xinv_prepared_command *c = list->commands;
    const struct xinv_prepared_command *end = c + list->n;

    do {
        put_template(c, first, to, n);
        to += n;
    } while (++c < end);
}

uint32_t xinv_prepared_page(const struct xinv_prepared *list, uint64_t first, uint64_t *words)
{
    if (!list || !words || (first & list->page) || (first | list->page) > list->page_top)
        return 0;
    put_templates(list, first, words, list->words);
    return list->room - list->words;
}

/* A page's list, where everything is known to be fine. The commands come last: they leave little to
 * remember meanwhile. */
static inline int put_page(const struct xinv_prepared *list, uint64_t first,
                           const struct xinv_prepared_sync *sync,
                           const struct xinv_completion *completion, struct xinv_out *out,
                           struct xinv_report *report)
{
    uint64_t *to = &out->words[(out->head + out->n_words) & (out->ring_words - 1)];
    const unsigned n = list->words;

    if (report)
        *report = list->page_report;
    xinv_out_steps(out, list->room, true);
    xinv_out_advance(out, list->room, true);
    put_sync(sync, completion, to + (list->room - n), n);
    put_templates(list, first, to, n);
    return (int)list->page_report.commands;
}

/* The same, if it is a page; 0: it is not, or it completes in another way, or has no room. */
static inline int write_page(const struct xinv_prepared *list, uint64_t first, uint64_t last,
                             const struct xinv_completion *completion, struct xinv_out *out,
                             struct xinv_report *report)
{
    const struct xinv_prepared_sync *sync;

    if (!is_page(list, first, last) || !has_page_room(list, out))
        return 0;
    sync = known_sync(list, completion);
    return sync ? put_page(list, first, sync, completion, out, report) : 0;
}

/* ---- Any range ---- */

/* A list on its way out. Words behind the output's end are nobody's until the end is moved on. */
struct writer {
    uint64_t *words;
    uint32_t mask; /* of a ring's positions; of a plain buffer: every bit */
    uint32_t n;    /* words of a command */
};

/* A command with its block. Positions, `at` and the one that is returned, are before any wrap. */
static inline uint32_t put_once(const struct writer *w, uint32_t at,
                                const struct xinv_prepared_command *c, uint64_t first,
                                uint64_t second)
{
    uint64_t *to = &w->words[at & w->mask];

    to[0] = c->words[0] | xinv_to_le64(first);
    to[1] = c->words[1] | xinv_to_le64(second);
    if (w->n != 2) {
        to[2] = c->words[2];
        to[3] = c->words[3];
    }
    return at + w->n;
}

/* As often as it goes out in place, which is nearly always once. */
static inline uint32_t put(const struct writer *w, uint32_t at,
                           const struct xinv_prepared_command *c, uint64_t first, uint64_t second)
{
    unsigned times = c->times;

    at = put_once(w, at, c, first, second);
    if (times == 1)
        return at;
    while (--times)
        at = put_once(w, at, c, first, second);
    return at;
}

OUT_OF_LINE uint32_t put_pow2(const struct writer *writer, uint32_t at,
                              const struct xinv_prepared_command *c,
                              const struct xinv_prepared_range *range, const struct xinv_cut *cut)
{
    const struct writer w = *writer;
    const unsigned max_order = cut->max_order;
    const uint64_t one = range->one;
    const bool sized = range->sized;
    uint64_t left = cut->last_unit - cut->unit + 1;
    uint64_t unit = cut->unit;

    while (left) {
        const unsigned order = pow2_order(unit, left, max_order);
        const uint64_t said = sized ? xinv_sized_address(order ? one : 0, order) : one * order;

        at = put(&w, at, c, 0, unit << LOG2_PAGE | said);
        unit += UINT64_C(1) << order;
        left -= UINT64_C(1) << order;
    }
    return at;
}

OUT_OF_LINE uint32_t put_units(const struct writer *writer, uint32_t at,
                               const struct xinv_prepared_command *c, const struct xinv_cut *cut)
{
    const struct writer w = *writer;
    const uint64_t step = UINT64_C(1) << cut->log2_unit;
    uint64_t address = cut->unit << cut->log2_unit;

    for (uint64_t left = cut->last_unit - cut->unit + 1; left; left--, address += step)
        at = put(&w, at, c, 0, address);
    return at;
}

OUT_OF_LINE uint32_t put_scaled(const struct writer *writer, uint32_t at,
                                const struct xinv_prepared_command *c,
                                const struct xinv_prepared_range *range, const struct xinv_cut *cut)
{
    const struct writer w = *writer;
    struct xinv_cut rest = *cut;
    struct xinv_block block;

    while (xinv_cut_next(&rest, &block))
        at = put(&w, at, c, range->one * block.num | range->scale * block.scale,
                 block.first | (block.num || block.scale ? range->many : 0));
    return at;
}

/* The words of the sync that ends a list, if there is one; false if it cannot complete that way. */
static bool last_sync(const struct xinv_prepared *list, const struct xinv_completion *completion,
                      bool *sync, uint64_t *words)
{
    const struct xinv_prepared_sync *known = known_sync(list, completion);
    int ret = 0;

    *sync = list->sync || (completion && xinv_emit_asked(completion));
    if (!*sync)
        return true;
    if (known) {
        put_sync(known, completion, words, list->words);
        return true;
    }
    if (!completion || !xinv_emit_asked(completion))
        return false;
    ret = list->iommu->vendor->backend->complete(list->iommu, completion, words);
    for (unsigned i = 0; i < list->words; i++)
        words[i] = xinv_to_le64(words[i]);
    return !ret;
}

/* Cuts for every way to say the range. Returns the commands, without a sync; 0 if the list does not
 * hold for so many blocks. *pages: the most that one of the ways says. */
IN_LINE uint64_t begin_cuts(const struct xinv_prepared *list, uint64_t first, uint64_t last,
                            struct xinv_cut *cuts, uint64_t *pages)
{
    uint64_t total = list->total;

    for (unsigned i = 0; i < list->n_ranges; i++) {
        struct xinv_cut_request request = list->range[i].cut;
        uint64_t blocks;
        uint64_t said;

        request.first = first;
        request.last = last;
        if (!xinv_cut_begin(&cuts[i], &request))
            return 0;
        blocks = xinv_cut_blocks(&cuts[i], &said);
        if (blocks > list->blocks)
            return 0;
        total += (blocks - 1) * list->range[i].times;
        *pages = said > *pages ? said : *pages;
    }
    return list->iommu->max_batch && total > list->iommu->max_batch ? 0 : total;
}

/* A command for each of its blocks. */
static inline uint32_t put_blocks(const struct writer *w, uint32_t at,
                                  const struct xinv_prepared *list,
                                  const struct xinv_prepared_command *c,
                                  const struct xinv_cut *cuts)
{
    const struct xinv_prepared_range *range;
    const struct xinv_cut *cut;

    if (c->range == XINV_PREPARED_WHOLE)
        return put(w, at, c, 0, 0);
    range = &list->range[c->range];
    cut = &cuts[c->range];
    if (cut->kind == XINV_RANGE_POW2)
        return put_pow2(w, at, c, range, cut);
    if (cut->kind == XINV_RANGE_PAGE)
        return put_units(w, at, c, cut);
    return put_scaled(w, at, c, range, cut);
}

static void put_all(const struct xinv_prepared *list, const struct xinv_out *out,
                    const struct xinv_cut *cuts, const uint64_t *sync)
{
    const struct writer w = {out->words, out->ring_words - 1, list->words};
    const struct xinv_prepared_command *c = list->commands;
    uint32_t at = out->head + out->n_words;

    for (uint32_t left = list->n; left; left--, c++)
        at = put_blocks(&w, at, list, c, cuts);
    for (unsigned i = 0; sync && i < w.n; i++)
        w.words[(at & w.mask) + i] = sync[i];
}

/* Can so many words go out, whole commands in a ring, or be counted? */
static bool takes(const struct xinv_prepared *list, const struct xinv_out *out, uint64_t words)
{
    if (!out->words)
        return out->n_words + words <= UINT32_MAX && out->n_steps <= UINT32_MAX - 2;
    return has_room(out, words) &&
           !(out->ring_words && ((out->head + out->n_words) & (list->words - 1u)));
}

/* Every command for each of its blocks; 0 if the list does not hold for that. */
static int write_cut(const struct xinv_prepared *list, uint64_t first, uint64_t last,
                     const struct xinv_completion *completion, struct xinv_out *out,
                     struct xinv_report *report)
{
    const uint64_t asked = xinv_pages(first, last);
    struct xinv_cut cuts[XINV_PREPARED_RANGES];
    uint64_t sync_words[XINV_COMMAND_WORDS];
    uint64_t said = asked;
    uint64_t total = begin_cuts(list, first, last, cuts, &said);
    uint32_t n_words;
    bool sync;

    if (!total || !takes(list, out, (total + 1) * list->words) ||
        !last_sync(list, completion, &sync, sync_words))
        return 0;
    n_words = (uint32_t)(total + sync) * list->words;
    if (out->words) {
        put_all(list, out, cuts, sync ? sync_words : NULL);
        xinv_out_steps(out, n_words, sync);
    }
    xinv_out_advance(out, n_words, sync);
    if (report) {
        *report = list->report;
        report->commands = (uint32_t)total + sync;
        report->syncs += sync;
        report->need_words = n_words;
        report->need_steps = 1u + sync;
        report->asked_pages = asked;
        report->extra_pages = said - asked;
    }
    return (int)(total + sync);
}

/* What is more, or less, than a page. */
OUT_OF_LINE int write_range(const struct xinv_prepared *list, uint64_t first, uint64_t last,
                            const struct xinv_completion *completion, struct xinv_out *out,
                            struct xinv_report *report)
{
    if (!list->n || first > last || last > list->top || last - first == UINT64_MAX)
        return 0;
    return write_cut(list, first, last, completion, out, report);
}

/* The same, or planned anew. */
OUT_OF_LINE int emit_range(const struct xinv_prepared *list, uint64_t first, uint64_t last,
                           const struct xinv_completion *completion, struct xinv_out *out,
                           struct xinv_report *report)
{
    int ret = write_range(list, first, last, completion, out, report);
    struct xinv_request request;

    if (ret)
        return ret;
    request = list->request;
    request.first = first;
    request.last = last;
    return xinv_translate(list->iommu, list->attachments, list->n_attachments, &request,
                          &list->policy, completion, out, report);
}

int xinv_prepared_write(const struct xinv_prepared *list, uint64_t first, uint64_t last,
                        const struct xinv_completion *completion, struct xinv_out *out,
                        struct xinv_report *report)
{
    int ret;

    if (!list || !out)
        return -XINV_E_INVAL;
    ret = write_page(list, first, last, completion, out, report);
    if (ret)
        return ret;
    return write_range(list, first, last, completion, out, report);
}

/* A list without commands is as good as any completion is; other ranges are counted as they are
 * written. */
OUT_OF_LINE int count_range(const struct xinv_prepared *list, uint64_t first, uint64_t last,
                            const struct xinv_completion *completion, struct xinv_report *report)
{
    struct xinv_out none = {0};

    if (!list->nothing)
        return write_range(list, first, last, completion, &none, report) ? 0 : -1;
    if (first > last || last > list->top || last - first == UINT64_MAX ||
        (completion && xinv_emit_check(list->iommu, completion)))
        return -1;
    *report = list->report;
    report->asked_pages = xinv_pages(first, last);
    return 0;
}

int xinv_prepared_count(const struct xinv_prepared *list, uint64_t first, uint64_t last,
                        const struct xinv_completion *completion, struct xinv_report *report)
{
    if (!is_page(list, first, last) || !known_sync(list, completion))
        return count_range(list, first, last, completion, report);
    *report = list->page_report;
    return 0;
}

int xinv_prepared_emit(const struct xinv_prepared *list, uint64_t first, uint64_t last,
                       const struct xinv_completion *completion, struct xinv_out *out,
                       struct xinv_report *report)
{
    int ret;

    if (!list || !out)
        return -XINV_E_INVAL;
    ret = write_page(list, first, last, completion, out, report);
    if (ret)
        return ret;
    return emit_range(list, first, last, completion, out, report);
}

/* ---- One range of several ---- */

bool xinv_prepared_part(const struct xinv_prepared *list, uint64_t first, uint64_t last,
                        struct xinv_prepared_part *part)
{
    struct xinv_cut cuts[XINV_PREPARED_RANGES];
    uint64_t total = list->total;

    if (list->apart || first > last || last > list->top || last - first == UINT64_MAX)
        return false;
    part->pages = xinv_pages(first, last);
    if (!list->nothing && !is_page(list, first, last))
        total = list->n ? begin_cuts(list, first, last, cuts, &part->pages) : 0;
    part->commands = total - list->report.syncs;
    return total || list->nothing;
}

uint32_t xinv_prepared_put(const struct xinv_prepared *list, unsigned phase, uint64_t first,
                           uint64_t last, const struct xinv_out *out, uint32_t at)
{
    const struct writer w = {out->words, out->ring_words - 1, list->words};
    const struct xinv_prepared_command *c = list->commands;
    const bool page = is_page(list, first, last);
    struct xinv_cut cuts[XINV_PREPARED_RANGES];
    uint64_t pages = 0;

    if (!page)
        (void)begin_cuts(list, first, last, cuts, &pages);
    for (uint32_t left = list->n; left; left--, c++)
        if (c->phase == phase && page) {
            put_template(c, first, &w.words[at & w.mask], w.n);
            at += w.n;
        } else if (c->phase == phase) {
            at = put_blocks(&w, at, list, c, cuts);
        }
    return at;
}
