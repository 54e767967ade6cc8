// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/* What replays came to, as a table for people and as JSON. */
#ifndef XINV_CLI_REPLAY_TABLE_H
#define XINV_CLI_REPLAY_TABLE_H

#include "cli/json.h"
#include "cli/replay.h"

/* replay_print - one table: with one topology a row of details, with more a column for each */
void replay_print(const struct capture *capture, struct replay_result *results, size_t n,
                  size_t topologies);

cJSON *replay_result_json(const struct replay_result *r);

/* replay_sort_names - the most frequent command first */
void replay_sort_names(struct replay_result *r);

#endif
