// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
#include "tests/support/modelrig.h"

#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_WORDS 65536
#define MAX_STEPS 8192

bool modelrig_open(struct modelrig *rig, const struct xinv_platform *platform,
                   const struct xinv_setting *settings, unsigned n_settings)
{
    memset(rig, 0, sizeof(*rig));
    if (xinv_iommu_init(&rig->iommu, platform, NULL, settings, n_settings))
        return false;
    cr_assert_eq(model_config_of(&rig->config, &rig->iommu), 0);
    model_run_init(&rig->run, &rig->config);
    rig->out.words = malloc(MAX_WORDS * sizeof(*rig->out.words));
    rig->out.steps = malloc(MAX_STEPS * sizeof(*rig->out.steps));
    cr_assert(rig->out.words && rig->out.steps);
    rig->out.cap_words = MAX_WORDS;
    rig->out.cap_steps = MAX_STEPS;
    rig->most = 64;
    return true;
}

void modelrig_close(struct modelrig *rig)
{
    free(rig->out.words);
    free(rig->out.steps);
    model_run_free(&rig->run);
    model_bench_free(&rig->bench);
}

enum model_finding modelrig_judge(struct modelrig *rig, const struct xinv_attachment *attachments,
                                  size_t n, const struct xinv_request *request,
                                  const struct xinv_policy *policy)
{
    /* SMMUv3's SYNC can be polled; the others must be asked to tell */
    struct xinv_completion completion = {
        .store = rig->config.vendor != MODEL_SMMUV3, .address = 0x1000, .data = 1};

    rig->out.n_words = 0;
    rig->out.n_steps = 0;
    rig->requests++;
    memset(&rig->result, 0, sizeof(rig->result));
    model_run_reset(&rig->run);
    rig->commands = xinv_translate(&rig->iommu, attachments, n, request, policy, &completion,
                                   &rig->out, &rig->report);
    if (rig->commands < 0) {
        rig->refused++;
        return MODEL_CLEAN;
    }
    model_run_out(&rig->run, &rig->out);
    model_check(&rig->bench, &rig->run, attachments, n, request, &rig->report, rig->most,
                &rig->result);
    rig->entries += rig->result.stale + rig->result.neighbours;
    return (enum model_finding)rig->result.finding;
}

const char *modelrig_text(const struct modelrig *rig)
{
    static const char *const findings[] = {"clean", "illegal command", "survivor",
                                           "not in the report", "wrong number of pages"};
    static char text[8192];
    const struct model_result *r = &rig->result;
    char entry[160];
    char root[160];
    size_t used;

    used = (size_t)snprintf(text, sizeof(text),
                            "%s: %s: %s; from %s; %s (command %zu; pages %" PRIu64 ")\n",
                            rig->iommu.platform->name, findings[r->finding],
                            model_entry_text(&rig->config, &r->entry, entry, sizeof(entry)),
                            model_entry_text(&rig->config, &r->root, root, sizeof(root)),
                            r->why ? r->why : "", r->at, r->pages);
    used +=
        (size_t)snprintf(text + used, sizeof(text) - used,
                         "report: widened 0x%x must 0x%x may 0x%x extra %" PRIu64 "%s\n",
                         rig->report.widened, rig->report.must_beyond, rig->report.may_beyond,
                         rig->report.extra_pages, rig->report.extra_unbounded ? ", unbounded" : "");
    for (size_t i = 0; i < rig->run.n && i < 40 && used < sizeof(text); i++) {
        const struct model_command *c = &rig->run.commands[i];

        used += (size_t)snprintf(text + used, sizeof(text) - used,
                                 "  %s%s rid 0x%x pasid %u asid %u did %u vmid %u 0x%" PRIx64
                                 "..0x%" PRIx64 "\n",
                                 c->name, c->leaf ? " leaf" : "", c->rid, c->pasid, c->asid, c->did,
                                 c->vmid, c->first, c->last);
    }
    return text;
}
