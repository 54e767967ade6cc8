// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
#include "tests/support/trial.h"

#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "tests/support/hardware.h"
#include "tests/support/testiommu.h"
#include "tests/support/vectorcaps.h"

void trial_begin(struct trial *t, const char *platform, const char *feature, uint16_t value)
{
    memset(t, 0, sizeof(*t));
    t->iommu = test_iommu(platform, feature, value);
}

void trial_decode(struct trial *t)
{
    struct refdec_caps caps = vector_caps(&t->iommu);

    t->n_cmd = 0;
    for (uint32_t i = 0; i < t->out.n_words; i += t->iommu.words) {
        char err[160];

        cr_assert_eq(refdec_decode(vector_refdec_vendor(&t->iommu), &caps, t->words + i,
                                   t->iommu.words, &t->cmd[t->n_cmd++], err, sizeof(err)),
                     0, "%s: %016" PRIx64 " %016" PRIx64 ": %s", t->iommu.platform->name,
                     t->words[i], t->words[i + 1], err);
    }
}

int trial_run(struct trial *t)
{
    int ret;

    t->out = (struct xinv_out){.words = t->words,
                               .steps = t->steps,
                               .cap_words = TRIAL_COMMANDS * 4,
                               .cap_steps = TRIAL_STEPS};
    memset(t->words, 0xa5, sizeof(t->words));
    ret =
        xinv_translate(&t->iommu, t->at, t->n, &t->request, &t->policy, NULL, &t->out, &t->report);
    trial_decode(t);
    return ret;
}

static void say(struct trial *t, const char *format, ...)
{
    size_t used = strlen(t->text);
    va_list args;
    int n;

    va_start(args, format);
    n = vsnprintf(t->text + used, sizeof(t->text) - used, format, args);
    va_end(args);
    cr_assert(n >= 0 && (size_t)n < sizeof(t->text) - used, "the text is too long");
}

static void say_registers(struct trial *t, uint32_t word)
{
    for (uint32_t i = 0; i < t->out.n_steps; i++)
        if (t->steps[i].kind == XINV_STEP_REGISTER && t->steps[i].first == word)
            say(t, "%sregister 0x%x=0x%" PRIx32, *t->text ? "; " : "", t->steps[i].reg,
                t->steps[i].bits);
}

const char *trial_text(struct trial *t)
{
    t->text[0] = '\0';
    say_registers(t, 0);
    for (unsigned i = 0; i < t->n_cmd; i++) {
        const struct refdec_cmd *c = &t->cmd[i];

        say(t, "%s%s", *t->text ? "; " : "", c->name);
        for (unsigned f = 0; f < c->nfields; f++)
            if (c->fields[f].value)
                say(t, " %s=0x%" PRIx64, c->fields[f].name, c->fields[f].value);
        say_registers(t, (i + 1) * t->iommu.words);
    }
    return t->text;
}

const char *trial_names(struct trial *t)
{
    t->text[0] = '\0';
    for (unsigned i = 0; i < t->n_cmd; i++)
        say(t, "%s%s", i ? " " : "", t->cmd[i].name);
    return t->text;
}

static void run_kind(struct trial *t, const char *platform, const struct cli_kind *kind,
                     struct xinv_policy policy,
                     void (*check)(const char *platform, const struct cli_kind *kind, int ret))
{
    trial_begin(t, platform, NULL, 0);
    t->policy = policy;
    t->n = 1;
    cli_kind_request(kind, &t->iommu, &t->at[0], &t->request);
    check(platform, kind, trial_run(t));
}

void trial_each_kind(struct trial *t, const char *vendor, unsigned platforms,
                     void (*check)(const char *platform, const struct cli_kind *kind, int ret))
{
    static const struct xinv_policy policies[] = {{XINV_POLICY_EXACT, 0, 0},
                                                  {XINV_POLICY_EXACT, 0, 2},
                                                  {XINV_POLICY_LATENCY, 0, 0},
                                                  {XINV_POLICY_AT_MOST, 2, 0}};
    const struct xinv_platform *p;

    for (unsigned n = 0; (p = hardware_at(n)) != NULL; n++) {
        const struct cli_kind *kind;

        if (strcmp(p->vendor->name, vendor) != 0)
            continue;
        platforms--;
        for (unsigned k = 0; (kind = cli_kind_at(k)) != NULL; k++)
            for (size_t i = 0; i < sizeof(policies) / sizeof(policies[0]); i++)
                run_kind(t, p->name, kind, policies[i], check);
    }
    cr_expect_eq(platforms, 0);
}
