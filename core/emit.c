// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
#include "core/emit.h"

#include "core/iommu.h"

int xinv_emit_check(const struct xinv_iommu *iommu, const struct xinv_completion *completion)
{
    uint64_t words[XINV_COMMAND_WORDS];

    if (iommu->never_syncs)
        return xinv_emit_asked(completion) ? -XINV_E_INVAL : 0;
    return iommu->vendor->backend->complete(iommu, completion, words);
}

bool xinv_emit_fits(const struct xinv_iommu *iommu, const struct xinv_out *out, uint64_t commands)
{
    uint64_t steps = 3 + 3 * XINV_NPHASES;

    return out->words && out->steps && out->n_words <= out->cap_words &&
           out->n_steps <= out->cap_steps &&
           commands <= (uint64_t)(out->cap_words - out->n_words) / iommu->words &&
           steps <= (uint64_t)(out->cap_steps - out->n_steps);
}

void xinv_emit_begin(struct xinv_emit *emit, const struct xinv_iommu *iommu, struct xinv_out *out,
                     bool counting)
{
    *emit = (struct xinv_emit){.iommu = iommu,
                               .out = out,
                               .counting = counting,
                               .last = XINV_NPHASES,
                               .words = out->n_words,
                               .steps = out->n_steps,
                               .first = out->n_words};
}

static void put(struct xinv_emit *emit, const uint64_t *words)
{
    unsigned n = emit->iommu->words;

    if (!emit->counting) {
        struct xinv_out *out = emit->out;

        for (unsigned i = 0; i < n; i++) {
            uint32_t at = out->head + emit->words + i;

            if (out->ring_words)
                at &= out->ring_words - 1;
            out->words[at] = xinv_to_le64(words[i]);
        }
    }
    emit->words += n;
    emit->commands++;
}

static struct xinv_step *new_step(struct xinv_emit *emit, uint8_t kind)
{
    struct xinv_step *step = NULL;

    if (!emit->counting) {
        step = &emit->out->steps[emit->steps];
        *step = (struct xinv_step){.kind = kind, .first = emit->words};
    }
    emit->steps++;
    return step;
}

/* Closes the run of words in progress. */
static void queue_step(struct xinv_emit *emit)
{
    struct xinv_step *step;

    if (emit->first == emit->words)
        return;
    step = new_step(emit, XINV_STEP_QUEUE);
    if (step) {
        step->first = emit->first;
        step->count = emit->words - emit->first;
        step->target = emit->target;
    }
    emit->first = emit->words;
}

static void wait_step(struct xinv_emit *emit)
{
    queue_step(emit);
    (void)new_step(emit, XINV_STEP_WAIT);
}

/* Words from here on are for an attachment: a queue of its own, where each target has one. */
static void aim(struct xinv_emit *emit, const struct xinv_attachment *at)
{
    uint32_t target = xinv_target_of(emit->iommu, at);

    if (target != emit->target)
        queue_step(emit);
    emit->target = target;
}

/* What the order data ask for between the phase before and this one. What that one waited for, this
 * one waits for with it. */
uint8_t xinv_emit_order(struct xinv_emit *emit)
{
    uint8_t order = XINV_ORDER_QUEUE;

    if (emit->last == emit->phase)
        order = emit->again ? XINV_ORDER_FENCE : XINV_ORDER_QUEUE;
    else if (emit->last != XINV_NPHASES)
        order = emit->iommu->vendor->order[emit->last][emit->phase];
    emit->again = false;
    emit->last = emit->phase;
    return order;
}

static void fence_if_needed(struct xinv_emit *emit)
{
    uint8_t order = xinv_emit_order(emit);
    uint16_t most = emit->iommu->max_batch;

    if (order == XINV_ORDER_QUEUE && most && emit->run >= most)
        order = XINV_ORDER_FENCE;
    if (order != XINV_ORDER_QUEUE && emit->iommu->never_syncs) {
        emit->run = 0;
        wait_step(emit);
    } else if (order != XINV_ORDER_QUEUE) {
        uint64_t words[XINV_COMMAND_WORDS];

        emit->iommu->vendor->backend->fence(emit->iommu, words);
        put(emit, words);
        emit->syncs++;
        emit->run = 0;
        if (order == XINV_ORDER_WAIT)
            wait_step(emit);
    }
}

void xinv_emit_phase(struct xinv_emit *emit, unsigned phase, bool again)
{
    emit->phase = (uint8_t)phase;
    emit->again = again;
}

void xinv_emit_command(struct xinv_emit *emit, unsigned row, const struct xinv_operands *operands)
{
    const struct xinv_vendor *v = emit->iommu->vendor;
    uint64_t words[XINV_COMMAND_WORDS];
    struct xinv_operands spelt;

    if (emit->phase == XINV_PHASE_REGISTER) {
        struct xinv_step *step;

        queue_step(emit);
        step = new_step(emit, XINV_STEP_REGISTER);
        if (step) {
            step->row = (uint8_t)row;
            v->backend->step(emit->iommu, v->commands[row].op, step);
        }
        return;
    }
    fence_if_needed(emit);
    if (emit->iommu->target) {
        aim(emit, operands->at);
        spelt = *operands;
        xinv_target_clear(emit->iommu, &spelt.did, &spelt.vmid);
        operands = &spelt;
    }
    if (!emit->counting)
        v->backend->encode(emit->iommu, v->commands[row].op, operands, words);
    put(emit, words);
    emit->run++;
}

void xinv_emit_words(struct xinv_emit *emit, const struct xinv_attachment *at,
                     const uint64_t *words)
{
    aim(emit, at);
    put(emit, words);
}

void xinv_emit_close(struct xinv_emit *emit)
{
    queue_step(emit);
}

void xinv_emit_end(struct xinv_emit *emit, const struct xinv_completion *completion)
{
    const struct xinv_vendor *v = emit->iommu->vendor;
    uint64_t words[XINV_COMMAND_WORDS];

    if (!emit->commands)
        return; /* nothing in the queue, so nothing to wait for */
    if (!emit->iommu->never_syncs && (v->final_sync || xinv_emit_asked(completion))) {
        (void)v->backend->complete(emit->iommu, completion, words);
        put(emit, words);
        emit->syncs++;
        wait_step(emit);
    } else {
        queue_step(emit);
    }
}

int xinv_emit_result(const struct xinv_emit *emit, struct xinv_out *out, struct xinv_report *report)
{
    report->commands = emit->commands;
    report->syncs = emit->syncs;
    report->need_words = emit->words - out->n_words;
    report->need_steps = emit->steps - out->n_steps;
    if (out->words && (emit->words > out->cap_words || emit->steps > out->cap_steps))
        return -XINV_E_NOSPACE;
    if (!emit->counting || !out->words) {
        out->n_words = emit->words;
        out->n_steps = emit->steps;
    }
    return 0;
}

int xinv_sync(const struct xinv_iommu *iommu, const struct xinv_completion *completion,
              struct xinv_out *out)
{
    static const struct xinv_completion nothing = {0};
    struct xinv_emit emit;
    struct xinv_report report;
    uint64_t words[XINV_COMMAND_WORDS];
    int ret;

    if (!iommu || !out)
        return -XINV_E_INVAL;
    if (!completion)
        completion = &nothing;
    if (iommu->never_syncs)
        return xinv_emit_check(iommu, completion);
    /* where a sync that tells nobody cannot be said, there is nothing to emit */
    if (!iommu->vendor->final_sync && !xinv_emit_asked(completion))
        return -XINV_E_INVAL;
    for (unsigned pass = 0; pass < 2; pass++) {
        ret = iommu->vendor->backend->complete(iommu, completion, words);
        if (ret)
            return ret;
        xinv_emit_begin(&emit, iommu, out, pass == 0);
        put(&emit, words);
        wait_step(&emit);
        ret = xinv_emit_result(&emit, out, &report);
        if (ret)
            return ret;
        if (!out->words)
            break;
    }
    return 1;
}
