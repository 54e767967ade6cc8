// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
#include <stdlib.h>
#include <string.h>

#include "schema/builder.h"

const char *const schema_cache_names[] = {"device_config", "pasid_config", "stage1",
                                          "stage2",        "nested",       "device_tlb",
                                          "interrupt",     "write_buffer", NULL};
const char *const schema_tag_names[] = {"rid",     "pasid", "asid",  "did", "vmid",
                                        "address", "ipa",   "index", NULL};
const char *const schema_change_names[] = {
    "stage1_pte",   "stage2_pte",  "pasid_entry", "pasid_table",
    "device_entry", "tag_release", "everything",  NULL};
const char *const schema_stage_names[] = {"stage1", "stage2", "nested", "passthrough", NULL};
const char *const schema_phase_names[] = {"register", "config",     "pasid", "stage2",
                                          "stage1",   "device_tlb", NULL};

/* ---- Features and tags ---- */

static void read_registers(struct builder *b, const struct schema_node *root)
{
    struct schema_node list = schema_require(root, "registers");

    for (size_t i = 0; i < schema_length(&list); i++) {
        struct schema_node item = schema_item(&list, i);
        const char *name = schema_word(&item);

        if (!schema_room(&item, b->n_registers, MAX_REGISTERS, "registers"))
            return;
        for (unsigned k = 0; k < b->n_registers; k++)
            if (!strcmp(b->registers[k], name))
                schema_fail(&item, "given twice; a value stands once in its list");
        b->registers[b->n_registers++] = schema_arena_copy(b->arena, name);
    }
    b->registers[b->n_registers] = NULL;
}

/* One or two digits; what follows them in *end. */
static bool read_bit(const char *text, unsigned *bit, const char **end)
{
    *bit = 0;
    for (*end = text; **end >= '0' && **end <= '9' && *end < text + 2; ++*end)
        *bit = *bit * 10 + (unsigned)(**end - '0');
    return *end > text && *bit <= 63;
}

static void read_bits(const struct schema_node *bits, struct xinv_feature_def *def)
{
    const char *text = schema_text(bits);
    const char *end = text;
    unsigned high = 0;
    unsigned low = 0;
    bool good = read_bit(text, &high, &end);

    low = high;
    if (good && *end == ':')
        good = read_bit(end + 1, &low, &end);
    if (!good || *end || low > high || high - low > 15) {
        schema_fail(bits, "'%.20s' is no bit range; BIT or \"HIGH:LOW\", at most 16 bits of 63:0",
                    text);
        return;
    }
    def->lsb = (uint8_t)low;
    def->width = (uint8_t)(high - low + 1);
}

static void read_feature(struct builder *b, const struct schema_node *node,
                         struct xinv_feature_def *def)
{
    struct schema_node setting = schema_get(node, "setting");
    struct schema_node reg = schema_get(node, "register");
    struct schema_node bits = schema_get(node, "bits");

    if (setting.node) {
        if (reg.node || bits.node)
            schema_fail(node, "has both setting and register; a feature is one of them");
        def->reg = XINV_SETTING;
        def->width = 16;
        def->preset = (uint16_t)schema_number(&setting, 0, 0xffff);
        return;
    }
    if (!reg.node || !bits.node) {
        schema_fail(node, "%s is missing; a feature has register and bits, or setting",
                    reg.node ? "bits" : "register");
        return;
    }
    def->reg = (uint8_t)schema_choice(&reg, b->registers);
    read_bits(&bits, def);
}

static void read_features(struct builder *b, const struct schema_node *root)
{
    static const char *const keys[] = {"register", "bits", "setting", "source", NULL};
    struct schema_node map = schema_require(root, "features");

    if (!schema_map(&map, NULL))
        return;
    for (size_t i = 0; i < schema_pairs(&map); i++) {
        const char *name;
        struct schema_node node = schema_pair(&map, i, &name);
        struct schema_node key = schema_key(&map, i);

        if (!schema_room(&key, b->n_features, MAX_FEATURES, "features") || !schema_map(&node, keys))
            return;
        b->features[b->n_features].name = schema_arena_copy(b->arena, schema_word(&key));
        read_feature(b, &node, &b->features[b->n_features]);
        b->feature_sources[b->n_features] = schema_source(b, &node);
        b->feature_places[b->n_features++] = schema_place_of(&key, b->arena);
    }
}

static void read_tag_widths(struct builder *b, const struct schema_node *root)
{
    static const char *const keys[] = {"name", "bits", NULL};
    struct schema_node map = schema_require(root, "tags");

    for (unsigned t = 0; t < XINV_NTAGS; t++)
        b->v->table.tag_bits[t].feature = XINV_NO_FEATURE;
    if (!schema_map(&map, schema_tag_names))
        return;
    for (unsigned t = 0; t < XINV_NTAGS; t++) {
        struct schema_node node = schema_get(&map, schema_tag_names[t]);
        struct schema_node name;
        struct schema_node bits;

        if (!node.node || !schema_map(&node, keys))
            continue;
        name = schema_require(&node, "name");
        bits = schema_require(&node, "bits");
        b->tags |= XINV_TAG_BIT(t);
        b->v->tag_names[t] = schema_arena_copy(b->arena, schema_text(&name));
        b->v->table.tag_bits[t] = schema_linear(b, &bits, 64);
    }
}

/* ---- Stages ---- */

/* A host tag: one that a session can hand out or keep constant. */
static unsigned read_host_tag(const struct builder *b, const struct schema_node *node)
{
    static const char *const names[] = {"asid", "did", "vmid", NULL};
    unsigned tag = XINV_TAG_ASID + schema_choice(node, names);

    if (!node->doc->failed && !(b->tags & XINV_TAG_BIT(tag)))
        schema_fail(node, "%s is no tag of this vendor", schema_tag_names[tag]);
    return tag;
}

static void read_constants(const struct builder *b, const struct schema_node *map,
                           struct xinv_stage_def *stage)
{
    static const char *const names[] = {"asid", "did", "vmid", NULL};

    if (!schema_map(map, names))
        return;
    for (size_t i = 0; i < schema_pairs(map); i++) {
        const char *name;
        struct schema_node value = schema_pair(map, i, &name);
        struct schema_node key = schema_key(map, i);
        unsigned tag = read_host_tag(b, &key);
        uint8_t number = (uint8_t)schema_number(&value, 0, 255);

        if (stage->const_tags && number != stage->const_value)
            schema_fail(&value, "is not %u; all constants of a stage have one value",
                        stage->const_value);
        if (stage->alloc != XINV_ALLOC_CONSTANT && stage->alloc_tag == tag)
            schema_fail(&key, "%s is allocated already", name);
        stage->const_tags |= XINV_TAG_BIT(tag);
        stage->const_value = number;
    }
}

static void read_stage(struct builder *b, const struct schema_node *node,
                       struct xinv_stage_def *stage)
{
    static const char *const keys[] = {"allocate", "per",           "constant", "pasid",
                                       "when",     "untagged_when", NULL};
    static const char *const pers[] = {"domain", "endpoint", NULL};
    struct schema_node tag = schema_get(node, "allocate");
    struct schema_node per = schema_get(node, "per");
    struct schema_node constant = schema_get(node, "constant");
    struct schema_node pasid = schema_get(node, "pasid");

    if (!schema_map(node, keys))
        return;
    stage->present = 1;
    if (tag.node) {
        (void)schema_require(node, "per");
        stage->alloc_tag = (uint8_t)read_host_tag(b, &tag);
        stage->alloc = schema_choice(&per, pers) ? XINV_ALLOC_ENDPOINT : XINV_ALLOC_DOMAIN;
    } else if (per.node) {
        schema_fail(&per, "says whose tag is allocated; allocate is missing");
    }
    if (constant.node) {
        if (!tag.node)
            stage->alloc = XINV_ALLOC_CONSTANT;
        read_constants(b, &constant, stage);
    }
    if (pasid.node) {
        (void)schema_number(&pasid, 0, 0);
        stage->pasid_required = 1;
    }
    stage->conds = schema_conds(b, node, "when");
    stage->untagged_conds = schema_conds(b, node, "untagged_when");
}

static void read_stages(struct builder *b, const struct schema_node *root)
{
    struct schema_node map = schema_require(root, "stages");

    if (!schema_map(&map, schema_stage_names))
        return;
    for (unsigned s = 0; s < XINV_NSTAGES; s++) {
        struct schema_node node = schema_get(&map, schema_stage_names[s]);

        if (!node.node)
            continue;
        read_stage(b, &node, &b->v->table.stages[s]);
        b->v->stage_places[s] = schema_place_of(&node, b->arena);
    }
}

/* ---- Order and errata ---- */

static unsigned phase_of(const char *name, size_t length)
{
    unsigned p;

    for (p = 0; p < XINV_NPHASES; p++)
        if (strlen(schema_phase_names[p]) == length && !memcmp(name, schema_phase_names[p], length))
            break;
    return p;
}

static void read_order(struct builder *b, const struct schema_node *root)
{
    static const char *const orders[] = {"queue", "fence", "wait", NULL};
    struct schema_node map = schema_require(root, "order");
    struct schema_node preset;

    if (!schema_map(&map, NULL))
        return;
    preset = schema_require(&map, "default");
    memset(b->v->table.order, (int)schema_choice(&preset, orders), sizeof(b->v->table.order));
    for (size_t i = 0; i < schema_pairs(&map); i++) {
        const char *name;
        struct schema_node value = schema_pair(&map, i, &name);
        struct schema_node key = schema_key(&map, i);
        size_t length = strcspn(name, ">");
        unsigned first = phase_of(name, length);
        unsigned then = name[length] ? phase_of(name + length + 1, strlen(name + length + 1)) : 0;

        if (!strcmp(name, "default"))
            continue;
        if (first >= then || then == XINV_NPHASES) {
            schema_fail(&key,
                        "is no pair of phases; \"EARLIER>LATER\", such as \"config>stage1\", of: "
                        "register, config, pasid, stage2, stage1, device_tlb");
            return;
        }
        b->v->table.order[first][then] = (uint8_t)schema_choice(&value, orders);
    }
}

static void read_endpoint(const struct schema_node *node, struct xinv_repeat_def *def,
                          unsigned quirk)
{
    static const char *const keys[] = {"pci_vendor", "pci_device", "pci_mask", NULL};
    struct schema_node vendor;
    struct schema_node device;
    struct schema_node mask;

    if (!schema_map(node, keys))
        return;
    vendor = schema_require(node, "pci_vendor");
    device = schema_require(node, "pci_device");
    mask = schema_require(node, "pci_mask");
    def->quirk = (uint8_t)(1u << quirk);
    def->pci_vendor = (uint16_t)schema_number(&vendor, 0, 0xffff);
    def->pci_device = (uint16_t)schema_number(&device, 0, 0xffff);
    def->pci_mask = (uint16_t)schema_number(&mask, 0, 0xffff);
    if (def->pci_device & ~def->pci_mask)
        schema_fail(&device, "has bits outside pci_mask; no endpoint would match");
    if (def->unit == XINV_REPEAT_PHASE)
        schema_fail(node, "a phase belongs to no endpoint; with endpoint, unit is command");
}

static void read_repeat(struct builder *b, const struct schema_node *node, unsigned *quirks)
{
    static const char *const units[] = {"phase", "command", NULL};
    struct schema_node unit = schema_require(node, "unit");
    struct schema_node times = schema_require(node, "times");
    struct schema_node phases = schema_require(node, "phases");
    struct schema_node except = schema_get(node, "except");
    struct schema_node endpoint = schema_get(node, "endpoint");
    struct xinv_repeat_def def = {0};

    if (!schema_room(node, b->n_repeats, MAX_REPEATS, "repeats"))
        return;
    def.unit = (uint8_t)schema_choice(&unit, units);
    def.times = (uint8_t)schema_number(&times, 2, 2);
    def.phases = (uint8_t)schema_some(&phases, schema_phase_names);
    def.except_changes = (uint8_t)schema_choices(&except, schema_change_names);
    if (endpoint.node)
        read_endpoint(&endpoint, &def, (*quirks)++);
    def.conds = schema_conds(b, node, "when");
    b->repeat_sources[b->n_repeats] = schema_source(b, node);
    b->repeat_places[b->n_repeats] = schema_place_of(node, b->arena);
    b->repeats[b->n_repeats++] = def;
}

static void read_repeats(struct builder *b, const struct schema_node *root)
{
    static const char *const keys[] = {"unit",     "times", "phases", "except",
                                       "endpoint", "when",  "source", NULL};
    struct schema_node list = schema_get(root, "repeats");
    unsigned quirks = 0;

    for (size_t i = 0; i < schema_length(&list); i++) {
        struct schema_node node = schema_record(&list, i, keys);

        read_repeat(b, &node, &quirks);
    }
}

static void read_attaches(struct builder *b, const struct schema_node *root)
{
    static const char *const keys[] = {"change", "when", NULL};
    struct schema_node list = schema_require(root, "attach");

    for (size_t i = 0; i < schema_length(&list); i++) {
        struct schema_node node = schema_record(&list, i, keys);
        struct schema_node change = schema_require(&node, "change");
        struct xinv_attach_def def = {0};

        if (!schema_room(&node, b->n_attaches, MAX_ATTACHES, "attach rows"))
            return;
        def.change = (uint8_t)schema_choice(&change, schema_change_names);
        def.conds = schema_conds(b, &node, "when");
        b->attach_places[b->n_attaches] = schema_place_of(&node, b->arena);
        b->attaches[b->n_attaches++] = def;
    }
}

/* ---- The whole ---- */

/* A number or a feature; only where every list ends with a sync does a limit hold across lists. */
static void read_max_batch(struct builder *b, const struct schema_node *root)
{
    struct schema_node batch = schema_get(root, "max_batch");

    b->v->table.max_batch.feature = XINV_NO_FEATURE;
    if (!batch.node)
        return;
    if (b->v->table.final_sync != XINV_SYNC_ALWAYS)
        schema_fail(&batch, "needs final_sync: always");
    b->v->table.max_batch = schema_linear(b, &batch, UINT8_MAX);
}

static void read_vendor(struct builder *b, const struct schema_node *root)
{
    static const char *const keys[] = {
        "vendor", "title",   "registers", "first_free_tag", "final_sync", "features",
        "tags",   "stages",  "caches",    "commands",       "order",      "repeats",
        "attach", "changes", "max_batch", "costs",          NULL};
    static const char *const syncs[] = {"asked", "always", "never", NULL};
    struct schema_node name;
    struct schema_node title;
    struct schema_node first;
    struct schema_node sync;

    if (!schema_map(root, keys))
        return;
    name = schema_require(root, "vendor");
    title = schema_require(root, "title");
    first = schema_require(root, "first_free_tag");
    sync = schema_require(root, "final_sync");
    b->v->table.name = schema_arena_copy(b->arena, schema_word(&name));
    b->v->name_place = schema_place_of(&name, b->arena);
    b->v->title = schema_arena_copy(b->arena, schema_text(&title));
    b->v->table.first_free_tag = (uint8_t)schema_number(&first, 0, 255);
    b->v->table.final_sync = (uint8_t)schema_choice(&sync, syncs);
    read_registers(b, root);
    read_features(b, root);
    read_tag_widths(b, root);
    read_stages(b, root);
    schema_read_caches(b, root);
    schema_read_commands(b, root);
    read_max_batch(b, root);
    (void)schema_read_costs(root, b->arena, &b->v->costs, &b->v->cost_source);
    read_order(b, root);
    read_repeats(b, root);
    read_attaches(b, root);
    schema_read_changes(b, root);
}

/* A builder's array as one of the right size; never empty, so that it has an address. */
static void *keep(struct builder *b, const void *array, size_t size, unsigned count)
{
    void *copy = schema_arena_alloc(b->arena, size * (count + 1));

    memcpy(copy, array, size * count);
    return copy;
}
#define KEEP(array, count) keep(b, (array), sizeof((array)[0]), (count))

static void finish_table(struct builder *b, struct xinv_vendor *t)
{
    t->registers = KEEP(b->registers, b->n_registers);
    t->features = KEEP(b->features, b->n_features);
    t->conds = KEEP(b->conds, b->n_conds);
    b->v->commands = KEEP(b->commands, b->n_commands);
    t->commands = b->v->commands;
    t->removals = KEEP(b->removals, b->n_removals);
    t->ranges = KEEP(b->ranges, b->n_ranges);
    t->changes = KEEP(b->changes, b->n_changes);
    t->needs = KEEP(b->needs, b->n_needs);
    t->repeats = KEEP(b->repeats, b->n_repeats);
    t->attaches = KEEP(b->attaches, b->n_attaches);
    t->n_registers = (uint8_t)b->n_registers;
    t->n_features = (uint8_t)b->n_features;
    t->n_commands = (uint8_t)b->n_commands;
    t->n_changes = (uint8_t)b->n_changes;
    t->n_repeats = (uint8_t)b->n_repeats;
    t->n_attaches = (uint8_t)b->n_attaches;
}

static void finish(struct builder *b)
{
    struct schema_vendor *v = b->v;

    finish_table(b, &v->table);
    v->op_names = KEEP(b->op_names, b->n_commands);
    v->command_sources = KEEP(b->command_sources, b->n_commands);
    v->feature_sources = KEEP(b->feature_sources, b->n_features);
    v->change_sources = KEEP(b->change_sources, b->n_changes);
    v->repeat_sources = KEEP(b->repeat_sources, b->n_repeats);
    v->feature_places = KEEP(b->feature_places, b->n_features);
    v->command_places = KEEP(b->command_places, b->n_commands);
    v->op_places = KEEP(b->op_places, b->n_commands);
    v->range_places = KEEP(b->range_places, b->n_ranges);
    v->change_places = KEEP(b->change_places, b->n_changes);
    v->need_places = KEEP(b->need_places, b->n_needs);
    v->repeat_places = KEEP(b->repeat_places, b->n_repeats);
    v->attach_places = KEEP(b->attach_places, b->n_attaches);
    v->n_conds = b->n_conds;
    v->n_removals = b->n_removals;
    v->n_ranges = b->n_ranges;
    v->n_needs = b->n_needs;
}

struct schema_vendor *schema_vendor_parse(const char *file, const char *text, size_t size,
                                          struct schema_error *error)
{
    struct schema_arena *arena = schema_arena_new();
    struct builder *b = schema_arena_alloc(arena, sizeof(*b));
    struct schema_doc doc;
    struct schema_node root;

    b->arena = arena;
    b->v = schema_arena_alloc(arena, sizeof(*b->v));
    b->v->arena = arena;
    b->v->file = schema_arena_copy(arena, file);
    if (!schema_doc_parse(&doc, file, text, size, error)) {
        schema_arena_free(arena);
        return NULL;
    }
    root = schema_root(&doc);
    read_vendor(b, &root);
    schema_doc_close(&doc);
    if (doc.failed) {
        schema_arena_free(arena);
        return NULL;
    }
    finish(b);
    return b->v;
}

struct schema_vendor *schema_vendor_load(const char *file, struct schema_error *error)
{
    size_t size;
    char *text = schema_read_file(file, &size, error);
    struct schema_vendor *v;

    if (!text)
        return NULL;
    v = schema_vendor_parse(file, text, size, error);
    free(text);
    return v;
}

void schema_vendor_free(struct schema_vendor *vendor)
{
    if (vendor)
        schema_arena_free(vendor->arena);
}
