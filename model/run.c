// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/* A queue: what was put in it, what waited for what, and what is known to be done in the end. */
#include <stdlib.h>
#include <string.h>

#include "model/rules.h"

void model_decode(const struct model_config *config, const uint64_t *words,
                  struct model_command *command)
{
    memset(command, 0, sizeof(*command));
    switch (config->vendor) {
    case MODEL_SMMUV3:
        model_smmuv3_decode(config, words, command);
        break;
    case MODEL_VTD:
        model_vtd_decode(config, words, command);
        break;
    case MODEL_AMDVI:
        model_amdvi_decode(config, words, command);
        break;
    }
}

const char *model_miss(const struct model_config *config, const struct model_command *command,
                       const struct model_entry *entry)
{
    if (command->illegal)
        return "the hardware stops at the command";
    if (command->ignored)
        return "the hardware need not understand the command's operands";
    switch (config->vendor) {
    case MODEL_SMMUV3:
        return model_smmuv3_miss(config, command, entry);
    case MODEL_VTD:
        return model_vtd_miss(config, command, entry);
    default:
        return model_amdvi_miss(config, command, entry);
    }
}

bool model_may(const struct model_config *config, const struct model_command *command,
               const struct model_entry *entry)
{
    if (command->illegal)
        return false;
    if (!model_miss(config, command, entry))
        return true;
    switch (config->vendor) {
    case MODEL_SMMUV3:
        return model_smmuv3_may(config, command, entry);
    case MODEL_VTD:
        return model_vtd_may(config, command, entry);
    default:
        return model_amdvi_may(config, command, entry);
    }
}

/* ---- The queue -------------------------------------------------------------------------------
 */

void model_run_init(struct model_run *run, const struct model_config *config)
{
    memset(run, 0, sizeof(*run));
    run->config = *config;
}

void model_run_free(struct model_run *run)
{
    free(run->commands);
    memset(run, 0, sizeof(*run));
}

void model_run_reset(struct model_run *run)
{
    run->n = 0;
    run->epoch = 0;
    run->since_sync = 0;
    run->illegal = NULL;
}

static void complain(struct model_run *run, const char *what)
{
    if (run->illegal)
        return;
    run->illegal = what;
    run->illegal_at = run->n - 1;
}

static struct model_command *append(struct model_run *run)
{
    if (run->n == run->room) {
        size_t room = run->room ? 2 * run->room : 64;
        void *p = realloc(run->commands, room * sizeof(*run->commands));

        if (!p)
            abort();
        run->commands = p;
        run->room = room;
    }
    return &run->commands[run->n++];
}

/* A sync completes what came before it. Software knows of it where the sync says when it is done;
 * SMMUv3's can always be polled. */
static void sync(struct model_run *run, const struct model_command *command)
{
    enum model_rule fence = run->config.vendor == MODEL_SMMUV3  ? MODEL_SMMU_SYNC_ORDERS
                            : run->config.vendor == MODEL_AMDVI ? MODEL_AMD_WAIT_FENCE
                                                                : MODEL_VTD_WAIT_FENCE;

    run->since_sync = 0;
    if (model_rule(&run->config, MODEL_JUDGE_COMPLETE, command->visible))
        for (size_t i = run->n; i-- > 0;)
            run->commands[i].complete = true;
    if (model_rule(&run->config, fence, command->fence))
        run->epoch++;
}

void model_run_words(struct model_run *run, const uint64_t *words, size_t n)
{
    unsigned each = run->config.words;

    for (size_t i = 0; i + each <= n; i += each) {
        struct model_command *command = append(run);

        model_decode(&run->config, &words[i], command);
        command->epoch = run->epoch;
        if (command->illegal)
            complain(run, command->illegal);
        if (command->sync)
            sync(run, command);
        else if (++run->since_sync > run->config.max_batch && run->config.max_batch)
            complain(run, "the batch is too long for this SMMU without a SYNC");
    }
    if (n % each)
        complain(run, "half a command");
}

void model_run_register(struct model_run *run)
{
    struct model_command *command = append(run);

    memset(command, 0, sizeof(*command));
    command->name = "write-buffer flush";
    command->op = 0xff;
    command->complete = true; /* polled */
    command->epoch = run->epoch++;
}

void model_run_wait(struct model_run *run)
{
    size_t i = run->n;

    while (i && !run->commands[i - 1].sync)
        i--;
    /* what came after the last sync is not waited for, nor one that tells nobody */
    if (i == run->n && i && run->commands[i - 1].visible)
        run->epoch++;
}

void model_run_out(struct model_run *run, const struct xinv_out *out)
{
    for (uint32_t i = 0; i < out->n_steps; i++) {
        const struct xinv_step *step = &out->steps[i];

        if (step->kind == XINV_STEP_QUEUE)
            model_run_words(run, &out->words[step->first], step->count);
        else if (step->kind == XINV_STEP_REGISTER)
            model_run_register(run);
        else
            model_run_wait(run);
    }
}

/* ---- Order ------------------------------------------------------------------------------------
 */

bool model_before(const struct model_run *run, size_t i, size_t j)
{
    const struct model_command *a = &run->commands[i];
    const struct model_command *b = &run->commands[j];

    if (a->epoch != b->epoch)
        return a->epoch < b->epoch;
    if (run->config.vendor != MODEL_VTD || i >= j)
        return false;
    if (model_vtd_queue_orders(&run->config, a->order, b->order))
        return true;
    /* a chain, such as cc, iotlb, dev_tlb */
    for (size_t k = i + 1; k < j; k++)
        if (model_vtd_queue_orders(&run->config, a->order, run->commands[k].order) &&
            model_vtd_queue_orders(&run->config, run->commands[k].order, b->order))
            return true;
    return false;
}
