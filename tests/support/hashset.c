// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
#include "tests/support/hashset.h"

#include <stdlib.h>

uint64_t hash_of(uint64_t hash, const void *bytes, size_t n)
{
    const unsigned char *b = bytes;

    for (size_t i = 0; i < n; i++)
        hash = (hash ^ b[i]) * UINT64_C(0x100000001b3);
    return hash;
}

static bool put(struct hashset *set, uint64_t hash)
{
    size_t i = hash & (set->room - 1);

    while (set->slots[i] && set->slots[i] != hash)
        i = (i + 1) & (set->room - 1);
    if (set->slots[i])
        return false;
    set->slots[i] = hash;
    set->n++;
    return true;
}

static void grow(struct hashset *set)
{
    struct hashset larger = {.room = set->room ? 2 * set->room : 1024};

    larger.slots = calloc(larger.room, sizeof(*larger.slots));
    if (!larger.slots)
        abort();
    for (size_t i = 0; i < set->room; i++)
        if (set->slots[i])
            put(&larger, set->slots[i]);
    free(set->slots);
    *set = larger;
}

bool hashset_add(struct hashset *set, uint64_t hash)
{
    if (2 * set->n >= set->room)
        grow(set);
    return put(set, hash ? hash : 1);
}

void hashset_free(struct hashset *set)
{
    free(set->slots);
    *set = (struct hashset){.n = 0};
}
