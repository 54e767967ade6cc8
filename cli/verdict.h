// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/* What the model says of a stream of commands, for people and as JSON. */
#ifndef XINV_CLI_VERDICT_H
#define XINV_CLI_VERDICT_H

#include "cli/json.h"
#include "model/model.h"

struct verdict {
    struct model_config config;
    struct model_run run;
    struct model_bench bench;
    struct model_result result;
};

/* verdict_open - CLI_OK, or CLI_INPUT after a complaint: an IOMMU that the model does not know */
int verdict_open(struct verdict *v, const struct xinv_iommu *iommu);
void verdict_close(struct verdict *v);

/*
 * verdict_read - a file of commands, one a line as command_input_line() takes it; "wait": software
 * waits for the last sync; "register": a write-buffer flush; # begins a comment
 *
 * returns: CLI_OK, or CLI_INPUT after a complaint with the line
 */
int verdict_read(struct verdict *v, const char *path);

/* verdict_judge - fills in v->result
 * @report: what the library says of the commands, to be held against what they do; NULL: nothing */
void verdict_judge(struct verdict *v, const struct xinv_attachment *attachments, size_t n,
                   const struct xinv_request *request, const struct xinv_report *report);

bool verdict_is_clean(const struct verdict *v);
void verdict_print(const struct verdict *v);
cJSON *verdict_json(const struct verdict *v);

#endif
