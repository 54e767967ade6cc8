// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/* One request of the tool through xinv_translate(), and its answer as text and JSON. */
#ifndef XINV_CLI_TRANSLATION_H
#define XINV_CLI_TRANSLATION_H

#include "cli/request.h"
#include "cli/text.h"
#include "core/explain.h"

struct translation {
    struct request request;
    struct xinv_out out;
    struct xinv_report report;
    int ret;                              /* of xinv_translate() */
    struct xinv_explanation *explanation; /* NULL, or to be filled in as well */
};

/* translation_run - fills in out, report and ret; returns ret */
int translation_run(struct translation *t);
void translation_free(struct translation *t);

/* translation_registers - register writes among the steps */
unsigned translation_registers(const struct translation *t);

/* translation_commands - "5, 2 of them syncs", "1 register write", "none" */
void translation_commands(const struct translation *t, struct text *text);
/* translation_extra - "0 beyond the 3 asked (4 KiB)" */
void translation_extra(const struct xinv_report *report, struct text *text);
/* translation_beyond - "certainly stage2; possibly stage1, nested", "nothing" */
void translation_beyond(const struct xinv_report *report, struct text *text);

void translation_print(const struct translation *t);
cJSON *translation_json(const struct translation *t);
/* translation_add_id - the id of a request, if it has one, comes back in its answer */
void translation_add_id(cJSON *answer, const cJSON *request);

/*
 * translation_fail - complains of a negative ret: what it means, and whom it is about
 * @where: the request comes from
 * returns: CLI_INPUT
 */
int translation_fail(const struct translation *t, const char *where);

/* translation_lines - a request a line in, an answer a line out; CLI_OK, also where lines are bad
 */
int translation_lines(FILE *in);

#endif
