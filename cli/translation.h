// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/* One request of the tool through xinv_translate(), and its answer as text and JSON. */
#ifndef XINV_CLI_TRANSLATION_H
#define XINV_CLI_TRANSLATION_H

#include "cli/request.h"
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
