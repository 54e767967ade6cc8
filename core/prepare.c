// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/* Prepared lists in the making: what core/prepared.c puts addresses into. */
#include "core/cut.h"
#include "core/iommu.h"
#include "core/planner.h"
#include "core/prepared.h"
#include "core/shape.h"

/* Nothing is said of this list's commands any more: every range is planned. */
static void give_up(struct xinv_prepared *list)
{
    list->cap = 0;
    list->n = 0;
}

/* No page is said in one piece: every range is cut. */
static void no_page(struct xinv_prepared *list)
{
    list->page = 1; /* no range from an even address to the odd one behind it is below page_top */
    list->page_top = 0;
}

static void to_le(uint64_t *to, const uint64_t *words, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        to[i] = xinv_to_le64(words[i]);
}

static void lower_top(struct xinv_prepared *list, unsigned tag)
{
    uint64_t top = xinv_address_top(list->iommu, tag);

    if (top < list->top)
        list->top = top;
}

/* ---- How a command says a block ---- */

/* A command's words for a block. */
static void encode(const struct xinv_prepared *list, uint8_t op, const struct xinv_operands *bare,
                   const struct xinv_block *block, uint64_t *words)
{
    struct xinv_operands operands = *bare;

    operands.block = *block;
    list->iommu->vendor->backend->encode(list->iommu, op, &operands, words);
}

static const struct xinv_block no_block = {0};

/* What a block does to a command's first two words. */
static void ask_block(const struct xinv_prepared *list, uint8_t op,
                      const struct xinv_operands *bare, const struct xinv_block *block,
                      uint64_t *set)
{
    uint64_t none[XINV_COMMAND_WORDS];
    uint64_t words[XINV_COMMAND_WORDS];

    encode(list, op, bare, &no_block, none);
    encode(list, op, bare, block, words);
    set[0] = words[0] ^ none[0];
    set[1] = words[1] ^ none[1];
}

/* How a command says the order of a block, or its count: the backend is asked (core/backend.h says
 * what it may answer). */
static void ask(const struct xinv_prepared *list, uint8_t op, const struct xinv_operands *bare,
                struct xinv_prepared_range *range)
{
    static const struct xinv_block order_1 = {.order = 1};
    static const struct xinv_block order_2 = {.order = 2};
    static const struct xinv_block num_1 = {.num = 1};
    static const struct xinv_block scale_1 = {.scale = 1};
    uint64_t one[2];
    uint64_t other[2];

    if (range->cut.spec.kind == XINV_RANGE_POW2) {
        ask_block(list, op, bare, &order_1, one);
        ask_block(list, op, bare, &order_2, other);
        range->one = one[1];
        range->sized = other[1] != one[1] << 1;
    } else if (range->cut.spec.kind == XINV_RANGE_SCALED) {
        ask_block(list, op, bare, &num_1, one);
        ask_block(list, op, bare, &scale_1, other);
        range->one = one[0];
        range->scale = other[0];
        range->many = one[1];
    }
}

static bool same_range(const struct xinv_prepared_range *a, const struct xinv_prepared_range *b)
{
    return a->cut.spec.kind == b->cut.spec.kind &&
           a->cut.spec.leaf_floor == b->cut.spec.leaf_floor &&
           a->cut.spec.below_top == b->cut.spec.below_top &&
           a->cut.spec.max_order == b->cut.spec.max_order && a->cut.policy == b->cut.policy &&
           a->sized == b->sized && a->one == b->one && a->scale == b->scale && a->many == b->many;
}

/* The index of how a command says its range; XINV_PREPARED_RANGES if there is no room for it. */
static unsigned range_index(struct xinv_prepared *list, uint8_t op,
                            const struct xinv_cut_request *cut, const struct xinv_operands *bare)
{
    struct xinv_prepared_range range = {.cut = *cut};
    unsigned i;

    ask(list, op, bare, &range);
    for (i = 0; i < list->n_ranges; i++)
        if (same_range(&list->range[i], &range))
            return i;
    if (i < XINV_PREPARED_RANGES)
        list->range[list->n_ranges++] = range;
    return i;
}

/* A command's words for the page at address 0; there is no such list if it takes more than one
 * block. One that it takes is the page: that is as large as a granule and a leaf. */
static void add_page(struct xinv_prepared *list, struct xinv_prepared_command *c, uint8_t op,
                     const struct xinv_cut_request *range, const struct xinv_operands *bare)
{
    struct xinv_cut_request request = *range;
    uint64_t words[XINV_COMMAND_WORDS];
    struct xinv_block block;
    struct xinv_cut cut;
    uint64_t pages;

    request.first = 0;
    request.last = list->page;
    if (range->spec.below_top || !xinv_cut_begin(&cut, &request) ||
        xinv_cut_blocks(&cut, &pages) != 1 || !xinv_cut_next(&cut, &block)) {
        no_page(list);
        return;
    }
    encode(list, op, bare, &block, words);
    to_le(c->page, words, 2);
    c->page_mask = xinv_to_le64(~list->page);
}

/* ---- Commands ---- */

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
    if (times > 1)
        no_page(list);
    return c;
}

/* Its words, and those for a page: the same, until an address says otherwise. */
static void set_words(struct xinv_prepared *list, struct xinv_prepared_command *c,
                      const uint64_t *words)
{
    to_le(c->words, words, list->words);
    to_le(c->page, words, 2);
}

static void add_fence(struct xinv_prepared *list)
{
    struct xinv_prepared_command *c = add_command(list, 1);
    uint64_t words[XINV_COMMAND_WORDS];

    if (!c)
        return;
    list->iommu->vendor->backend->fence(list->iommu, words);
    set_words(list, c, words);
    c->phase = XINV_PREPARED_FENCE;
    list->report.syncs++;
}

void xinv_prepared_add(struct xinv_prepared *list, struct xinv_emit *emit, unsigned row,
                       unsigned times, const struct xinv_cut_request *cut,
                       const struct xinv_operands *op)
{
    const struct xinv_command_def *cmd = &list->iommu->vendor->commands[row];
    unsigned range = cut ? range_index(list, cmd->op, cut, op) : XINV_PREPARED_WHOLE;
    bool again = emit->again;
    uint8_t order = xinv_emit_order(emit);
    uint64_t words[XINV_COMMAND_WORDS];
    struct xinv_prepared_command *c;

    if (order == XINV_ORDER_WAIT || range == XINV_PREPARED_RANGES) {
        give_up(list);
        return;
    }
    if (order == XINV_ORDER_FENCE)
        add_fence(list);
    c = add_command(list, times);
    if (!c)
        return;
    c->range = (uint8_t)range;
    c->phase = cmd->phase;
    list->phases |= (uint8_t)(1u << cmd->phase);
    /* a phase goes out again after all ranges, and one command without a range serves several */
    list->apart |= again || !cut;
    encode(list, cmd->op, op, &no_block, words);
    set_words(list, c, words);
    if (!cut)
        return;
    list->range[range].times += times;
    lower_top(list, cmd->operands & XINV_TAG_BIT(XINV_TAG_IPA) ? XINV_TAG_IPA : XINV_TAG_ADDRESS);
    if (list->page_top)
        add_page(list, c, cmd->op, cut, op);
}

/* ---- The sync at the end ---- */

static bool completes(const struct xinv_prepared *list, const struct xinv_completion *completion,
                      uint64_t *words)
{
    return !list->iommu->vendor->backend->complete(list->iommu, completion, words);
}

static void prepare_plain(struct xinv_prepared *list)
{
    static const struct xinv_completion nothing = {0};
    uint64_t words[XINV_COMMAND_WORDS];

    list->plain.not_address = UINT64_MAX;
    if (!list->sync || !completes(list, &nothing, words))
        return;
    list->plain.not_address = 0;
    to_le(list->plain.words, words, list->words);
}

/* The sync that stores, for any address and data: what is wrong with either is a matter of its
 * bits, one by one. */
static void prepare_store(struct xinv_prepared *list)
{
    const struct xinv_completion somewhere = {.store = 1, .address = 0x1000};
    const struct xinv_store_form *form = &list->iommu->vendor->backend->store;
    struct xinv_prepared_sync *store = &list->store;
    uint64_t words[XINV_COMMAND_WORDS];

    store->not_address = UINT64_MAX;
    if (!completes(list, &somewhere, words))
        return;
    words[form->address_word] &= ~somewhere.address;
    to_le(store->words, words, list->words);
    store->stores = 1;
    store->address_word = form->address_word;
    store->data_word = form->data_word;
    store->data_lsb = form->data_lsb;
    store->not_address = 0;
    for (unsigned bit = 0; bit < 64; bit++) {
        struct xinv_completion one = somewhere;

        one.address |= UINT64_C(1) << bit;
        store->not_address |= (uint64_t)!completes(list, &one, words) << bit;
        one.address = somewhere.address;
        one.data = UINT64_C(1) << bit;
        store->not_data |= (uint64_t)!completes(list, &one, words) << bit;
    }
}

/* ---- Lists ---- */

/* The smallest unit of a table that a change can be about. */
static uint64_t page_of(const struct xinv_request *request)
{
    unsigned log2 = 12;

    if (request->log2_granule > log2)
        log2 = request->log2_granule;
    if (request->log2_leaf_size > log2)
        log2 = request->log2_leaf_size;
    return xinv_low_bits(log2);
}

/* What a list says of a page. */
static void finish_page(struct xinv_prepared *list)
{
    struct xinv_report *report = &list->page_report;

    if (list->page_top)
        list->page_top = list->top;
    list->room = (list->total + 1) * list->words;
    *report = list->report;
    report->commands = list->total + 1;
    report->syncs++;
    report->need_words = list->room;
    report->need_steps = 2;
    report->asked_pages = xinv_pages(0, list->page);
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
    *list = (struct xinv_prepared){.commands = commands,
                                   .page = page_of(request),
                                   .page_top = UINT64_MAX,
                                   .words = iommu->words,
                                   .sync = iommu->vendor->final_sync,
                                   .top = UINT64_MAX,
                                   .cap = iommu->never_syncs || iommu->target ? 0 : cap,
                                   .iommu = iommu,
                                   .attachments = attachments,
                                   .n_attachments = n,
                                   .request = *request,
                                   .policy = policy ? *policy : exact};
    list->request.first = 0;
    list->request.last = 0;
    for (size_t i = 0; i < n; i++)
        lower_top(list, xinv_input_tag(request, &attachments[i]));
    ret = xinv_translate_record(list);
    if (ret)
        return ret;
    if (iommu->max_batch && list->total > iommu->max_batch)
        give_up(list);
    if (!list->n)
        no_page(list);
    prepare_plain(list);
    prepare_store(list);
    finish_page(list);
    return (int)list->n;
}
