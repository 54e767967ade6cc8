// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/* A list of steps as people and programs read it. */
#ifndef XINV_CLI_COMMAND_TEXT_H
#define XINV_CLI_COMMAND_TEXT_H

#include "cli/json.h"

/* command_text_load - the words of the command at a position of an output, as numbers */
void command_text_load(const struct xinv_iommu *iommu, const struct xinv_out *out, uint32_t at,
                       uint64_t *words);

/* command_text_steps - a line per command, register write and wait, each after `prefix` */
void command_text_steps(const struct xinv_iommu *iommu, const struct xinv_out *out,
                        const char *prefix);

/*
 * command_json_steps - the same as objects appended to an array: {"iommu", "name", "words",
 * "fields"}, {"register", ...}, {"wait": true}; iommu < 0 leaves that key out
 */
void command_json_steps(const struct xinv_iommu *iommu, const struct xinv_out *out, cJSON *array,
                        int which);

#endif
