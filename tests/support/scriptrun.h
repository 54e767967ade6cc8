// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/* A script through a session, or through xinv_translate() where a session has no such request, on
 * machines whose caches run the commands that come out. */
#ifndef XINV_TESTS_SCRIPTRUN_H
#define XINV_TESTS_SCRIPTRUN_H

#include <xinv/xinv.h>

#include "tests/support/script.h"

/* A defect: changes the commands of a step before they are executed. */
typedef void script_tamper(const struct script_step *step, uint32_t iommu, struct xinv_out *out);

struct scriptrun {
    const struct xinv_platform *platforms[2];
    uint8_t stage; /* enum xinv_stage: of every endpoint's tables */
    bool ats;
    bool eager; /* after each step every endpoint accesses every page that the script names */
    bool late;  /* commands of a kick run when it is done, or before something is mapped */
    const struct xinv_policy *policy;
    uint32_t lists; /* that the session keeps */
    script_tamper *tamper;
};

enum script_end {
    SCRIPT_FINE,
    SCRIPT_REFUSED, /* the platform cannot have such endpoints */
    SCRIPT_STATUS,  /* an answer that the script does not expect */
    SCRIPT_STALE    /* a stale entry can be hit */
};

struct script_result {
    enum script_end end;
    unsigned step;        /* where it ended */
    char text[512];       /* for a person: why */
    unsigned long filled; /* entries that were in the caches, over all steps */
    unsigned long judged; /* of them stale when commands ran */
    unsigned long commands;
};

void script_run(const struct script *script, const struct scriptrun *setup,
                struct script_result *result);

/*
 * script_shrink - takes away steps as long as something stale can still be hit; what is left
 * fails with every step needed. Statuses do not count.
 * returns: the number of runs that it took
 */
unsigned script_shrink(struct script *script, const struct scriptrun *setup);

/* script_report - a failure as a person would want to read it: the platform, the steps, why */
void script_report(const struct script *script, const struct scriptrun *setup,
                   const struct script_result *result, FILE *to);

#endif
