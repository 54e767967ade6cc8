// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
#include <stdlib.h>
#include <string.h>

#include "schema/yaml.h"

static void read_registers(const struct schema_node *root, const struct xinv_vendor *vendor,
                           uint64_t *values)
{
    struct schema_node map = schema_require(root, "registers");

    if (!schema_map(&map, vendor->registers))
        return;
    for (unsigned i = 0; i < vendor->n_registers; i++) {
        struct schema_node value = schema_require(&map, vendor->registers[i]);

        values[i] = schema_number(&value, UINT64_MAX);
    }
}

static unsigned read_settings(const struct schema_node *root, const struct xinv_vendor *vendor,
                              struct xinv_setting *set)
{
    struct schema_node map = schema_get(root, "settings");
    unsigned n = 0;

    if (!map.node || !schema_map(&map, NULL))
        return 0;
    for (size_t i = 0; i < schema_pairs(&map) && n < 64; i++) {
        const char *name;
        struct schema_node value = schema_pair(&map, i, &name);
        unsigned f;

        for (f = 0; f < vendor->n_features && strcmp(vendor->features[f].name, name); f++)
            ;
        if (f == vendor->n_features) {
            schema_fail(&value, "is no feature of vendor %s", vendor->name);
            return 0;
        }
        set[n].feature = (uint8_t)f;
        set[n++].value = (uint16_t)schema_number(&value, 0xffff);
    }
    return n;
}

static void read_quirks(const struct schema_node *root)
{
    static const char *const keys[] = {"text", "source", NULL};
    struct schema_node list = schema_get(root, "quirks");

    for (size_t i = 0; i < schema_length(&list); i++) {
        struct schema_node node = schema_item(&list, i);
        struct schema_node text = schema_require(&node, "text");
        struct schema_node source = schema_require(&node, "source");

        if (!schema_map(&node, keys))
            return;
        (void)schema_text(&text);
        (void)schema_text(&source);
    }
}

static void read_platform(struct schema_platform *p, const struct schema_node *root,
                          schema_find_vendor *find, void *context)
{
    static const char *const keys[] = {"platform", "title",  "vendor", "registers",
                                       "settings", "source", "quirks", NULL};
    struct schema_node name = schema_require(root, "platform");
    struct schema_node title = schema_require(root, "title");
    struct schema_node vendor = schema_require(root, "vendor");
    struct schema_node source = schema_require(root, "source");
    const struct schema_vendor *v;
    struct xinv_setting *settings;
    uint64_t *registers;

    if (!schema_map(root, keys))
        return;
    p->table.name = schema_arena_copy(p->arena, schema_text(&name));
    p->table.title = schema_arena_copy(p->arena, schema_text(&title));
    p->vendor_name = schema_arena_copy(p->arena, schema_text(&vendor));
    p->source = schema_arena_copy(p->arena, schema_text(&source));
    if (root->doc->failed)
        return;
    v = find(context, p->vendor_name);
    if (!v) {
        schema_fail(&vendor, "no table of vendor '%.40s'", p->vendor_name);
        return;
    }
    registers = schema_arena_alloc(p->arena, sizeof(*registers) * 16);
    settings = schema_arena_alloc(p->arena, sizeof(*settings) * 64);
    read_registers(root, &v->table, registers);
    p->table.n_settings = (uint8_t)read_settings(root, &v->table, settings);
    read_quirks(root);
    p->table.vendor = &v->table;
    p->table.registers = registers;
    p->table.settings = settings;
}

struct schema_platform *schema_platform_parse(const char *file, const char *text, size_t size,
                                              schema_find_vendor *find, void *context,
                                              struct schema_error *error)
{
    struct schema_arena *arena = schema_arena_new();
    struct schema_platform *p = schema_arena_alloc(arena, sizeof(*p));
    struct schema_doc doc;
    struct schema_node root;

    p->arena = arena;
    if (!schema_doc_parse(&doc, file, text, size, error)) {
        schema_arena_free(arena);
        return NULL;
    }
    root = schema_root(&doc);
    read_platform(p, &root, find, context);
    schema_doc_close(&doc);
    if (doc.failed) {
        schema_arena_free(arena);
        return NULL;
    }
    return p;
}

struct schema_platform *schema_platform_load(const char *file, schema_find_vendor *find,
                                             void *context, struct schema_error *error)
{
    size_t size;
    char *text = schema_read_file(file, &size, error);
    struct schema_platform *p;

    if (!text)
        return NULL;
    p = schema_platform_parse(file, text, size, find, context, error);
    free(text);
    return p;
}

void schema_platform_free(struct schema_platform *platform)
{
    if (platform)
        schema_arena_free(platform->arena);
}
