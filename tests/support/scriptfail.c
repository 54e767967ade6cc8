// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/* Scripts that fail: the steps that it takes, and a report. */
#include <string.h>

#include "tests/support/scriptrun.h"

static bool still_stale(const struct script *script, const struct scriptrun *setup)
{
    struct script_result result;

    script_run(script, setup, &result);
    return result.end == SCRIPT_STALE;
}

static void without(const struct script *from, unsigned first, unsigned n, struct script *to)
{
    *to = *from;
    memmove(&to->steps[first], &to->steps[first + n],
            (to->n_steps - first - n) * sizeof(to->steps[0]));
    to->n_steps -= n;
}

unsigned script_shrink(struct script *script, const struct scriptrun *setup)
{
    static struct script fewer;
    unsigned runs = 0;

    for (unsigned i = 0; i < script->n_steps; i++)
        script->steps[i].status = SCRIPT_ANY;
    /* halves, then smaller parts; single steps until none can go */
    for (unsigned part = script->n_steps / 2 ? script->n_steps / 2 : 1; part;) {
        bool shrunk = false;

        for (unsigned at = 0; at + part <= script->n_steps;) {
            without(script, at, part, &fewer);
            runs++;
            if (still_stale(&fewer, setup)) {
                *script = fewer;
                shrunk = true;
            } else {
                at += part;
            }
        }
        if (part > 1)
            part /= 2;
        else if (!shrunk)
            part = 0;
    }
    return runs;
}

void script_report(const struct script *script, const struct scriptrun *setup,
                   const struct script_result *result, FILE *to)
{
    char text[160];

    fprintf(to, "%s on %s%s%s, stage %s%s%s%s:\n", script->name, setup->platforms[0]->name,
            script->two_iommus ? " and " : "", script->two_iommus ? setup->platforms[1]->name : "",
            setup->stage == XINV_STAGE_STAGE1 ? "1" : "2", setup->ats ? ", ATS" : "",
            setup->eager ? ", eager" : "", setup->late ? ", late" : "");
    script_print(script, to);
    script_step_text(&script->steps[result->step], text, sizeof(text));
    fprintf(to, "  after '%s': %s\n", text, result->text);
}
