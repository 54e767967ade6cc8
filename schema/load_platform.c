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

        values[i] = schema_number(&value, 0, UINT64_MAX);
    }
}

/* A vendor has fewer features than `set` has room, and no key stands twice. */
static unsigned read_settings(const struct schema_node *root, const struct xinv_vendor *vendor,
                              struct xinv_setting *set)
{
    struct schema_node map = schema_get(root, "settings");
    unsigned n = 0;

    if (!map.node || !schema_map(&map, NULL))
        return 0;
    for (size_t i = 0; i < schema_pairs(&map); i++) {
        const char *name;
        struct schema_node value = schema_pair(&map, i, &name);
        struct schema_node key = schema_key(&map, i);
        unsigned f;

        for (f = 0; f < vendor->n_features && strcmp(vendor->features[f].name, name) != 0; f++)
            ;
        if (f == vendor->n_features) {
            schema_fail(&key, "is no feature of vendor %s", vendor->name);
            return 0;
        }
        set[n].feature = (uint8_t)f;
        set[n++].value = (uint16_t)schema_number(&value, 0, (1u << vendor->features[f].width) - 1u);
    }
    return n;
}

/* By change, the caches that keep stale entries here, because no command reaches them. */
static void read_uncovered(struct schema_platform *p, const struct schema_node *quirk)
{
    struct schema_node map = schema_get(quirk, "uncovered");

    if (!map.node || !schema_map(&map, schema_change_names))
        return;
    for (unsigned c = 0; c < XINV_NCHANGES; c++) {
        struct schema_node list = schema_get(&map, schema_change_names[c]);

        if (!list.node)
            continue;
        p->uncovered[c] |= (uint8_t)schema_choices(&list, schema_cache_names);
        p->uncovered_places[c] = schema_place_of(&list, p->arena);
    }
}

static void read_quirks(struct schema_platform *p, const struct schema_node *root)
{
    static const char *const keys[] = {"text", "uncovered", "source", NULL};
    struct schema_node list = schema_get(root, "quirks");

    for (size_t i = 0; i < schema_length(&list); i++) {
        struct schema_node node = schema_record(&list, i, keys);
        struct schema_node text = schema_require(&node, "text");
        struct schema_node source = schema_require(&node, "source");

        (void)schema_text(&text);
        read_uncovered(p, &node);
        (void)schema_text(&source);
    }
}

/* How its lists are taken: by one queue that syncs, unless it says otherwise; or not at all. */
static void read_queues(struct schema_platform *p, const struct schema_node *root)
{
    static const char *const syncs[] = {"never", NULL};
    static const char *const targets[] = {"did", "vmid", NULL};
    struct schema_node sync = schema_get(root, "final_sync");
    struct schema_node target = schema_get(root, "target");
    struct schema_node absent = schema_get(root, "absent");

    if (sync.node) {
        (void)schema_choice(&sync, syncs);
        p->table.never_syncs = 1;
    }
    if (target.node) {
        p->table.target = XINV_TAG_BIT(XINV_TAG_DID + schema_choice(&target, targets));
        if (!p->table.never_syncs)
            schema_fail(&target, "needs final_sync: never; a sync would be addressed to one value");
    }
    if (absent.node)
        p->table.absent = schema_arena_copy(p->arena, schema_text(&absent));
}

static void read_names(struct schema_platform *p, const struct schema_node *root)
{
    static const char *const keys[] = {"platform",   "title",  "vendor", "registers",
                                       "settings",   "source", "quirks", "costs",
                                       "final_sync", "target", "absent", NULL};
    struct schema_node name;
    struct schema_node title;
    struct schema_node vendor;
    struct schema_node source;

    if (!schema_map(root, keys))
        return;
    name = schema_require(root, "platform");
    title = schema_require(root, "title");
    vendor = schema_require(root, "vendor");
    source = schema_get(root, "source");
    if (!source.node)
        schema_fail(root, "source is missing; a platform says where its registers were read");
    p->table.name = schema_arena_copy(p->arena, schema_word(&name));
    p->table.title = schema_arena_copy(p->arena, schema_text(&title));
    p->vendor_name = schema_arena_copy(p->arena, schema_word(&vendor));
    p->source = schema_arena_copy(p->arena, schema_text(&source));
}

static void read_platform(struct schema_platform *p, const struct schema_node *root,
                          schema_find_vendor *find, void *context)
{
    const struct schema_vendor *v;
    struct schema_node registers;
    struct xinv_setting *settings;
    uint64_t *values;

    read_names(p, root);
    if (root->doc->failed)
        return;
    v = find(context, p->vendor_name);
    if (!v) {
        struct schema_node vendor = schema_get(root, "vendor");

        schema_fail(&vendor, "no table of vendor '%s'", p->vendor_name);
        return;
    }
    values = schema_arena_alloc(p->arena, sizeof(*values) * (v->table.n_registers + 1u));
    settings = schema_arena_alloc(p->arena, sizeof(*settings) * (v->table.n_features + 1u));
    registers = schema_get(root, "registers");
    read_registers(root, &v->table, values);
    p->registers_place = schema_place_of(&registers, p->arena);
    read_queues(p, root);
    p->table.n_settings = (uint8_t)read_settings(root, &v->table, settings);
    read_quirks(p, root);
    p->table.costs = v->costs;
    p->cost_source = v->cost_source ? v->cost_source : "";
    (void)schema_read_costs(root, p->arena, &p->table.costs, &p->cost_source);
    p->table.vendor = &v->table;
    p->table.registers = values;
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
    p->file = schema_arena_copy(arena, file);
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
