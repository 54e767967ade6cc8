// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/* A list of entries that grows. */
#include <stdlib.h>
#include <string.h>

#include "model/model.h"

void model_entries_add(struct model_entries *entries, const struct model_entry *entry)
{
    if (entries->n == entries->room) {
        size_t room = entries->room ? 2 * entries->room : 64;
        void *p = realloc(entries->at, room * sizeof(*entries->at));

        if (!p)
            abort();
        entries->at = p;
        entries->room = room;
    }
    entries->at[entries->n++] = *entry;
}

void model_entries_free(struct model_entries *entries)
{
    free(entries->at);
    memset(entries, 0, sizeof(*entries));
}
