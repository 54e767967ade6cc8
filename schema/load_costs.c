// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
#include "schema/yaml.h"

bool schema_read_costs(const struct schema_node *root, struct schema_arena *arena,
                       struct xinv_costs *costs, const char **source)
{
    static const char *const keys[] = {"command", "sync", "device_tlb", "refill", "source", NULL};
    struct schema_node map = schema_get(root, "costs");
    uint16_t *const values[] = {&costs->command, &costs->sync, &costs->device_tlb, &costs->refill};
    struct schema_node text;

    if (!map.node || !schema_map(&map, keys))
        return false;
    for (unsigned i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        struct schema_node value = schema_require(&map, keys[i]);

        *values[i] = (uint16_t)schema_number(&value, 1, UINT16_MAX);
    }
    text = schema_get(&map, "source");
    if (!text.node)
        schema_fail(&map, "source is missing; costs say where they were measured");
    *source = schema_arena_copy(arena, schema_text(&text));
    return true;
}
