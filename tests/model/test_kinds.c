// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/* Every kind of request on every built-in platform under every policy: nothing stale survives, and
 * the report tells what else is lost. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "cli/kinds.h"
#include "tests/support/hardware.h"
#include "tests/support/modelrig.h"

static const struct xinv_policy policies[] = {
    {.kind = XINV_POLICY_EXACT},
    {.kind = XINV_POLICY_LATENCY},
    {.kind = XINV_POLICY_AT_MOST, .blocks = 2},
};

struct sum {
    unsigned long requests;
    unsigned long refused;
    unsigned long entries;
};

static void run_kinds(struct modelrig *rig, struct sum *sum)
{
    for (unsigned k = 0; cli_kind_at(k); k++) {
        for (unsigned q = 0; q < 3; q++) {
            struct xinv_attachment at;
            struct xinv_request request;

            cli_kind_request(cli_kind_at(k), &rig->iommu, &at, &request);
            if (modelrig_judge(rig, &at, 1, &request, &policies[q]) == MODEL_CLEAN) {
                cr_assert(rig->commands >= 0 || rig->commands == -XINV_E_UNSUPP ||
                              rig->commands == -XINV_E_MUST_BLOCK || rig->commands == -XINV_E_TAG ||
                              cli_kind_at(k)->caches,
                          "%s on %s: error %d", cli_kind_at(k)->name, rig->iommu.platform->name,
                          rig->commands);
                continue;
            }
            cr_expect_fail("%s, policy %u, %s", cli_kind_at(k)->name, q, modelrig_text(rig));
        }
    }
    sum->requests += rig->requests;
    sum->refused += rig->refused;
    sum->entries += rig->entries;
}

Test(kinds, leave_nothing_stale_and_tell_the_rest)
{
    struct sum sum = {.requests = 0};

    for (unsigned p = 0; hardware_at(p); p++) {
        struct modelrig rig;

        cr_assert(modelrig_open(&rig, hardware_at(p), NULL, 0));
        run_kinds(&rig, &sum);
        modelrig_close(&rig);
    }
    printf("%lu requests, %lu refused, %lu entries\n", sum.requests, sum.refused, sum.entries);
}

/* The host's own stage 1 at EL2 (E2H): other commands, other tags. */
Test(kinds, leave_nothing_stale_under_e2h)
{
    unsigned units = 0;
    struct sum sum = {.requests = 0};

    for (unsigned p = 0; hardware_at(p); p++) {
        const struct xinv_platform *platform = hardware_at(p);
        int e2h = xinv_feature_find(platform->vendor, "E2H");
        struct xinv_setting setting = {.feature = (uint8_t)e2h, .value = 1};
        struct modelrig rig;

        if (e2h < 0 || !modelrig_open(&rig, platform, &setting, 1))
            continue;
        if (rig.config.hyp) {
            units++;
            cr_assert(rig.config.e2h);
            run_kinds(&rig, &sum);
        }
        modelrig_close(&rig);
    }
    cr_assert_gt(units, 3);
    cr_assert_gt(sum.requests, sum.refused);
}
