// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/* A command's fields over its bits. */
#ifndef XINV_CLI_COMMAND_DRAW_H
#define XINV_CLI_COMMAND_DRAW_H

#include "core/backend.h"

/* command_draw - under each word one row per field; layout NULL: the words alone */
void command_draw(const struct xinv_layout *layout, const uint64_t *words, unsigned n_words);

#endif
