// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
#include "core/prepared.h"

#include "core/cut.h"
#include "core/planner.h"
#include "core/shape.h"

/* Does a list end with a sync? */
static inline bool has_sync(const struct xinv_prepared *list,
                            const struct xinv_completion *completion)
{
    return list->sync || (completion && xinv_emit_asked(completion));
}

/* That sync; false if it cannot complete that way. */
static inline bool put_sync(const struct xinv_prepared *list,
                            const struct xinv_completion *completion, uint64_t *words)
{
    static const struct xinv_completion nothing = {0};

    return !list->backend->complete(list->iommu, completion ? completion : &nothing, words);
}

/* ---- Preparing ---- */

/* Nothing is said of this list's commands any more: every range is planned. */
static void give_up(struct xinv_prepared *list)
{
    list->cap = 0;
    list->n = 0;
}

/* The index of how a command says its range; XINV_PREPARED_RANGES if there is no room for it. */
static unsigned range_index(struct xinv_prepared *list, const struct xinv_cut_request *cut)
{
    bool page = cut->spec.kind == XINV_RANGE_PAGE && cut->log2_step > cut->log2_granule;
    struct xinv_prepared_range range = {cut->spec, cut->policy, 12, 0};
    unsigned i;

    if (cut->spec.kind != XINV_RANGE_POW2)
        range.log2_unit = page ? cut->log2_step : cut->log2_granule;
    else if (cut->spec.leaf_floor && !cut->leaves_within && cut->log2_leaf > 12)
        range.least = (uint8_t)(cut->log2_leaf - 12);
    for (i = 0; i < list->n_ranges; i++) {
        const struct xinv_prepared_range *r = &list->range[i];

        if (r->spec.kind == range.spec.kind && r->spec.leaf_floor == range.spec.leaf_floor &&
            r->spec.max_order == range.spec.max_order && r->policy == range.policy)
            return i;
    }
    if (i < XINV_PREPARED_RANGES)
        list->range[list->n_ranges++] = range;
    return i;
}

static void lower_top(struct xinv_prepared *list, unsigned tag)
{
    uint64_t top = xinv_address_top(list->iommu, tag);

    if (top < list->top)
        list->top = top;
}

static struct xinv_prepared_command *add_command(struct xinv_prepared *list, unsigned times)
{
    struct xinv_prepared_command *c;

    if (list->n == list->cap) {
        give_up(list);
        return NULL;
    }
    c = &list->commands[list->n++];
    *c = (struct xinv_prepared_command){.times = (uint8_t)times, .range = XINV_PREPARED_WHOLE};
    list->total += times;
    return c;
}

static void add_fence(struct xinv_prepared *list)
{
    struct xinv_prepared_command *c = add_command(list, 1);

    if (!c)
        return;
    list->backend->fence(list->iommu, c->words);
    list->report.syncs++;
}

void xinv_prepared_add(struct xinv_prepared *list, struct xinv_emit *emit, unsigned row,
                       unsigned times, const struct xinv_cut_request *cut,
                       const struct xinv_operands *op)
{
    const struct xinv_command_def *cmd = &list->iommu->vendor->commands[row];
    unsigned range = cut ? range_index(list, cut) : XINV_PREPARED_WHOLE;
    uint8_t order = xinv_emit_order(emit);
    struct xinv_prepared_command *c;
    struct xinv_operands bare = *op;

    if (order == XINV_ORDER_WAIT || range == XINV_PREPARED_RANGES) {
        give_up(list);
        return;
    }
    if (order == XINV_ORDER_FENCE)
        add_fence(list);
    c = add_command(list, times);
    if (!c)
        return;
    c->op = cmd->op;
    c->range = (uint8_t)range;
    if (cut) {
        bool ipa = cmd->operands & XINV_TAG_BIT(XINV_TAG_IPA);

        bare.block = (struct xinv_block){0};
        lower_top(list, ipa ? XINV_TAG_IPA : XINV_TAG_ADDRESS);
    }
    list->backend->encode(list->iommu, c->op, &bare, c->words);
}

/* The address bits of a single page or granule, where it is said by its address alone, once in each
 * command; 0: not so. */
static uint64_t page_bits_of(const struct xinv_prepared *list)
{
    for (uint32_t i = 0; i < list->n; i++)
        if (list->commands[i].times != 1)
            return 0;
    for (unsigned i = 0; i < list->n_ranges; i++)
        if (list->range[i].least || list->range[i].log2_unit != list->range[0].log2_unit)
            return 0;
    return list->n && list->n_ranges ? UINT64_MAX << list->range[0].log2_unit : 0;
}

/* The sync that stores, for any address and data: what is wrong with either is a matter of its
 * bits, one by one. */
static void prepare_store(struct xinv_prepared *list)
{
    const struct xinv_completion somewhere = {.store = 1, .address = 0x1000};
    const struct xinv_store_form *form = &list->backend->store;
    struct xinv_prepared_store *store = &list->store;
    uint64_t words[XINV_COMMAND_WORDS];

    store->not_address = UINT64_MAX;
    if (!put_sync(list, &somewhere, store->words))
        return;
    store->words[form->address_word] &= ~somewhere.address;
    store->address_word = form->address_word;
    store->data_word = form->data_word;
    store->data_lsb = form->data_lsb;
    store->not_address = 0;
    for (unsigned bit = 0; bit < 64; bit++) {
        struct xinv_completion one = somewhere;

        one.address |= UINT64_C(1) << bit;
        store->not_address |= (uint64_t)!put_sync(list, &one, words) << bit;
        one.address = somewhere.address;
        one.data = UINT64_C(1) << bit;
        store->not_data |= (uint64_t)!put_sync(list, &one, words) << bit;
    }
}

int xinv_prepare(struct xinv_prepared *list, struct xinv_prepared_command *commands, uint32_t cap,
                 const struct xinv_iommu *iommu, const struct xinv_attachment *attachments,
                 size_t n, const struct xinv_request *request, const struct xinv_policy *policy)
{
    static const struct xinv_policy exact = {XINV_POLICY_EXACT, 0, 0};
    int ret;

    if (!list || !iommu || !attachments || !n || !request || (cap && !commands) ||
        !(request->flags & XINV_REQ_RANGE))
        return -XINV_E_INVAL;
    *list = (struct xinv_prepared){.iommu = iommu,
                                   .backend = iommu->vendor->backend,
                                   .sync = iommu->vendor->final_sync,
                                   .attachments = attachments,
                                   .n_attachments = n,
                                   .commands = commands,
                                   .cap = iommu->never_syncs || iommu->target ? 0 : cap,
                                   .request = *request,
                                   .policy = policy ? *policy : exact,
                                   .top = UINT64_MAX};
    list->request.first = 0;
    list->request.last = 0;
    for (size_t i = 0; i < n; i++)
        lower_top(list, xinv_input_tag(request, &attachments[i]));
    ret = xinv_translate_record(list);
    if (ret)
        return ret;
    if (list->sync)
        (void)put_sync(list, NULL, list->plain_sync); /* a sync that tells nobody can be said */
    prepare_store(list);
    if (iommu->max_batch && list->total > iommu->max_batch)
        give_up(list);
    list->room = (list->total + 1) * iommu->words;
    list->page_bits = page_bits_of(list);
    return (int)list->n;
}

/* ---- Emitting ---- */

static inline void copy(uint64_t *restrict to, const uint64_t *restrict words, unsigned n)
{
    to[0] = xinv_to_le64(words[0]);
    to[1] = xinv_to_le64(words[1]);
    if (n == 2)
        return;
    to[2] = xinv_to_le64(words[2]);
    to[3] = xinv_to_le64(words[3]);
}

/* A list on its way out. Words behind the output's end are nobody's until the end is moved on. */
struct writer {
    const struct xinv_prepared *list;
    struct xinv_out *out;
    uint64_t *words;
    uint32_t at;   /* in `words`, before any wrap */
    uint32_t mask; /* of a ring's positions; of a plain buffer: every bit */
    uint32_t commands;
};

/* One command, so many times. It does not wrap in its middle. */
static inline void put(struct writer *w, const uint64_t *words, unsigned times)
{
    const unsigned n = w->list->iommu->words;

    for (; times > 0; times--) {
        copy(&w->words[w->at & w->mask], words, n);
        w->at += n;
        w->commands++;
    }
}

/* Has the output room for so many words of whole commands and for the steps over them? */
static inline bool has_room(const struct xinv_prepared *list, const struct xinv_out *out,
                            uint64_t words)
{
    return out->words && (uint64_t)out->n_steps + 2 <= out->cap_steps &&
           out->n_words + words <= out->cap_words &&
           !(out->ring_words && ((out->head + out->n_words) & (list->iommu->words - 1u)));
}

static inline struct writer writer_of(const struct xinv_prepared *list, struct xinv_out *out)
{
    return (struct writer){list, out, out->words, out->head + out->n_words, out->ring_words - 1, 0};
}

/* A command for each block of its range. */
static void put_blocks(struct writer *w, const struct xinv_prepared_command *c, struct xinv_cut cut)
{
    const struct xinv_backend *backend = w->list->backend;
    const unsigned granule = w->list->request.log2_granule;
    struct xinv_block block;

    while (xinv_cut_next(&cut, &block)) {
        uint64_t words[XINV_COMMAND_WORDS] = {c->words[0], c->words[1], c->words[2], c->words[3]};

        backend->place(c->op, &block, granule, words);
        put(w, words, c->times);
    }
}

/* What is said of a list of so many commands: pages asked for, and the most that one of them said.
 */
static inline void report_list(const struct xinv_prepared *list, struct xinv_report *report,
                               uint32_t commands, bool sync, uint64_t asked, uint64_t said)
{
    *report = list->report;
    report->commands = commands;
    report->syncs += sync;
    report->need_words = commands * list->iommu->words;
    report->need_steps = 1u + sync;
    report->asked_pages = asked;
    report->extra_pages = said - asked;
}

/* The steps over a list's words; here the output's end moves on. */
static inline void close_list(struct xinv_out *out, uint32_t n_words, bool sync)
{
    struct xinv_step *to = &out->steps[out->n_steps];

    to[0] = (struct xinv_step){.kind = XINV_STEP_QUEUE, .first = out->n_words, .count = n_words};
    out->n_words += n_words;
    out->n_steps += 1u + sync;
    if (sync)
        to[1] = (struct xinv_step){.kind = XINV_STEP_WAIT, .first = out->n_words};
}

/* The last sync of a list that is written, and what closes it; 0: it cannot complete that way. */
static int finish(struct writer *w, const struct xinv_completion *completion,
                  struct xinv_report *report, uint64_t asked, uint64_t said)
{
    const bool sync = has_sync(w->list, completion);

    if (sync) {
        uint64_t words[XINV_COMMAND_WORDS];

        if (!put_sync(w->list, completion, words))
            return 0;
        put(w, words, 1);
    }
    close_list(w->out, w->commands * w->list->iommu->words, sync);
    if (report)
        report_list(w->list, report, w->commands, sync, asked, said);
    return (int)w->commands;
}

/* Is a completion a store and no more, of an address and data that have their place? Address 0 may
 * have a meaning of its own. */
static inline bool only_stores(const struct xinv_prepared_store *store,
                               const struct xinv_completion *c)
{
    static const struct xinv_completion only = {.store = 1};

    return !__builtin_memcmp(c, &only, offsetof(struct xinv_completion, drain) + 1) && c->address &&
           !((c->address & store->not_address) | (c->data & store->not_data));
}

/*
 * A single page with a sync that tells nobody or stores: what nearly every unmap is. Its address
 * goes into each command as it is, and the list goes out in one piece. 0: another completion, or a
 * ring would wrap in the list.
 */
static int emit_page(const struct xinv_prepared *list, uint64_t first, uint64_t last,
                     const struct xinv_completion *completion, struct xinv_out *out,
                     struct xinv_report *report)
{
    const uint64_t address = xinv_to_le64(first & list->page_bits);
    const unsigned address_word = list->backend->address_word;
    const struct xinv_prepared_command *c = list->commands;
    const struct xinv_prepared_command *end = c + list->n;
    const struct xinv_prepared_store *store = &list->store;
    const unsigned n = list->iommu->words;
    uint32_t at = out->head + out->n_words;
    uint64_t *to;

    if (completion && !only_stores(store, completion)) {
        if (xinv_emit_asked(completion))
            return 0;
        completion = NULL;
    }
    if (!completion && !list->sync)
        return 0;
    if (out->ring_words) {
        at &= out->ring_words - 1;
        if (out->ring_words - at < list->room)
            return 0;
    }
    for (to = out->words + at; c < end; c++, to += n) {
        copy(to, c->words, n);
        if (c->range != XINV_PREPARED_WHOLE)
            to[address_word] |= address;
    }
    copy(to, completion ? store->words : list->plain_sync, n);
    if (completion) {
        to[store->address_word] |= xinv_to_le64(completion->address);
        to[store->data_word] |= xinv_to_le64(completion->data << store->data_lsb);
    }
    close_list(out, list->room, true);
    if (report)
        report_list(list, report, list->total + 1, true, xinv_pages(first, last),
                    xinv_pages(0, ~list->page_bits));
    return (int)list->total + 1;
}

static struct xinv_cut_request cut_of(const struct xinv_prepared *list,
                                      const struct xinv_prepared_range *r, uint64_t first,
                                      uint64_t last)
{
    return (struct xinv_cut_request){
        .spec = r->spec,
        .policy = r->policy,
        .blocks = list->policy.blocks,
        .log2_granule = list->request.log2_granule,
        .log2_step = r->log2_unit,
        .log2_leaf = list->request.log2_leaf_size,
        .leaves_within = (list->request.flags & XINV_REQ_LEAVES_WITHIN) != 0,
        .first = first,
        .last = last,
    };
}

/* Every command for each of its blocks; 0 if the list does not hold for so many. */
static int emit_cut(const struct xinv_prepared *list, uint64_t first, uint64_t last,
                    const struct xinv_completion *completion, struct xinv_out *out,
                    struct xinv_report *report)
{
    const uint64_t asked = xinv_pages(first, last);
    struct xinv_cut cuts[XINV_PREPARED_RANGES];
    uint64_t blocks[XINV_PREPARED_RANGES];
    uint64_t total = list->total;
    uint64_t most = asked;
    struct writer w;

    for (unsigned i = 0; i < list->n_ranges; i++) {
        const struct xinv_cut_request request = cut_of(list, &list->range[i], first, last);
        uint64_t pages;

        if (!xinv_cut_begin(&cuts[i], &request))
            return 0;
        blocks[i] = xinv_cut_blocks(&cuts[i], &pages);
        if (blocks[i] > list->blocks)
            return 0;
        most = pages > most ? pages : most;
    }
    for (uint32_t i = 0; i < list->n; i++)
        if (list->commands[i].range != XINV_PREPARED_WHOLE)
            total += (blocks[list->commands[i].range] - 1) * list->commands[i].times;
    if (!has_room(list, out, (total + 1) * list->iommu->words) ||
        (list->iommu->max_batch && total > list->iommu->max_batch))
        return 0;
    w = writer_of(list, out);
    for (uint32_t i = 0; i < list->n; i++) {
        const struct xinv_prepared_command *c = &list->commands[i];

        if (c->range == XINV_PREPARED_WHOLE)
            put(&w, c->words, c->times);
        else
            put_blocks(&w, c, cuts[c->range]);
    }
    return finish(&w, completion, report, asked, most);
}

/* What is more than a page: each command for its blocks; or planned anew. */
__attribute__((noinline)) static int emit_more(const struct xinv_prepared *list, uint64_t first,
                                               uint64_t last,
                                               const struct xinv_completion *completion,
                                               struct xinv_out *out, struct xinv_report *report)
{
    struct xinv_request request = list->request;

    if (list->n && first <= last && last <= list->top && last - first != UINT64_MAX) {
        int ret = emit_cut(list, first, last, completion, out, report);

        if (ret)
            return ret;
    }
    request.first = first;
    request.last = last;
    return xinv_translate(list->iommu, list->attachments, list->n_attachments, &request,
                          &list->policy, completion, out, report);
}

int xinv_prepared_emit(const struct xinv_prepared *list, uint64_t first, uint64_t last,
                       const struct xinv_completion *completion, struct xinv_out *out,
                       struct xinv_report *report)
{
    if (!list || !out)
        return -XINV_E_INVAL;
    if (list->page_bits && !((first ^ last) & list->page_bits) && first <= last &&
        last <= list->top && has_room(list, out, list->room)) {
        int ret = emit_page(list, first, last, completion, out, report);

        if (ret)
            return ret;
    }
    return emit_more(list, first, last, completion, out, report);
}
