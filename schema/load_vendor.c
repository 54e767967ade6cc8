// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "schema/yaml.h"

const char *const schema_cache_names[] = {"device_config", "pasid_config", "stage1",
                                          "stage2",        "nested",       "device_tlb",
                                          "interrupt",     "write_buffer", NULL};
const char *const schema_tag_names[] = {"rid",     "pasid", "asid",  "did", "vmid",
                                        "address", "ipa",   "index", NULL};
const char *const schema_change_names[] = {
    "stage1_pte",   "stage2_pte",  "pasid_entry", "pasid_table",
    "device_entry", "tag_release", "everything",  NULL};
const char *const schema_stage_names[] = {"stage1", "stage2", "nested", "passthrough", NULL};
const char *const schema_phase_names[] = {"register", "config",     "stage2",
                                          "stage1",   "device_tlb", NULL};

#define MOST         255 /* sub-rows of one kind: a span is two bytes */
#define MAX_COMMANDS 64
#define MAX_FEATURES 56

/* The axes in the order of the XINV_* class bits. */
static const struct {
    const char *name;
    const char *values[5];
} axis_table[] = {
    {"level", {"leaf", "walk", NULL}},
    {"global", {"no", "yes", NULL}},
    {"pasid", {"untagged", "tagged", NULL}},
    {"presence", {"present", "not_present", NULL}},
    {"regime", {"el1", "el2", "secure", "realm", NULL}},
};
#define AXES 5
static const char *const axis_names[] = {"level", "global", "pasid", "presence", "regime", NULL};

struct builder {
    struct schema_vendor *v;
    struct schema_arena *arena;
    struct xinv_feature_def features[MAX_FEATURES];
    const char *feature_sources[MAX_FEATURES];
    unsigned n_features;
    struct xinv_cond conds[MOST];
    unsigned n_conds;
    struct xinv_command_def commands[MAX_COMMANDS];
    const char *op_names[MAX_COMMANDS];
    const char *command_sources[MAX_COMMANDS];
    unsigned n_commands;
    struct xinv_removal_def removals[MOST];
    unsigned n_removals;
    struct xinv_range_def ranges[MOST];
    unsigned n_ranges;
    struct xinv_change_def changes[MOST];
    const char *change_sources[MOST];
    unsigned n_changes;
    struct xinv_need_def needs[MOST];
    unsigned n_needs;
    struct xinv_repeat_def repeats[8];
    const char *repeat_sources[8];
    unsigned n_repeats;
    struct xinv_attach_def attaches[8];
    unsigned n_attaches;
    const char *registers[16];
    unsigned n_registers;
};

/* ---- Small parts
 * --------------------------------------------------------------------------------- */

static const char *source_of(struct builder *b, const struct schema_node *row)
{
    struct schema_node source = schema_require(row, "source");

    return schema_arena_copy(b->arena, schema_text(&source));
}

static bool room(const struct schema_node *at, unsigned used, unsigned most, const char *what)
{
    if (used < most)
        return true;
    schema_fail(at, "too many %s; a table holds at most %u", what, most);
    return false;
}

static int feature_index(const struct builder *b, const char *name, size_t length)
{
    for (unsigned i = 0; i < b->n_features; i++)
        if (strlen(b->features[i].name) == length && !memcmp(b->features[i].name, name, length))
            return (int)i;
    return -1;
}

/* NAME, !NAME, or NAME OP NUMBER with OP one of == != >= < */
static void read_cond(struct builder *b, const struct schema_node *node)
{
    static const char *const ops[] = {"==", "!=", ">=", "<"};
    const char *text = schema_text(node);
    struct xinv_cond cond = {0, XINV_COND_NE, 0};
    const char *name = text;
    size_t length;
    int feature;

    if (*name == '!') {
        cond.op = XINV_COND_EQ;
        name++;
    }
    length = strcspn(name, " ");
    if (name[length]) {
        char op[4] = "";
        char rest[8] = "";
        unsigned value = 0;
        unsigned k;

        if (*text == '!' || sscanf(name + length, " %3s %u%7s", op, &value, rest) != 2 ||
            value > 0xffff) {
            schema_fail(
                node,
                "'%.60s' is no condition; NAME, !NAME, or NAME with ==, !=, >= or < and a number",
                text);
            return;
        }
        for (k = 0; k < 4 && strcmp(op, ops[k]); k++)
            ;
        if (k == 4) {
            schema_fail(node, "'%s' is no comparison; known: ==, !=, >=, <", op);
            return;
        }
        cond.op = (uint8_t)k;
        cond.value = (uint16_t)value;
    }
    feature = feature_index(b, name, length);
    if (feature < 0) {
        schema_fail(node, "'%.*s' is no feature of this vendor; see features",
                    (int)(length > 60 ? 60 : length), name);
        return;
    }
    cond.feature = (uint8_t)feature;
    if (room(node, b->n_conds, MOST, "conditions"))
        b->conds[b->n_conds++] = cond;
}

static struct xinv_span read_when(struct builder *b, const struct schema_node *row)
{
    struct schema_node when = schema_get(row, "when");
    struct xinv_span span = {(uint8_t)b->n_conds, 0};

    for (size_t i = 0; i < schema_length(&when); i++) {
        struct schema_node item = schema_item(&when, i);

        read_cond(b, &item);
    }
    span.count = (uint8_t)(b->n_conds - span.first);
    /* a list that stands already is shared */
    for (unsigned at = 0; span.count && at + span.count <= span.first; at++) {
        if (memcmp(&b->conds[at], &b->conds[span.first], span.count * sizeof(*b->conds)))
            continue;
        b->n_conds = span.first;
        span.first = (uint8_t)at;
        break;
    }
    if (!span.count)
        span.first = 0;
    return span;
}

static uint8_t read_tags(const struct schema_node *list)
{
    uint8_t tags = 0;

    for (size_t i = 0; i < schema_length(list); i++) {
        struct schema_node item = schema_item(list, i);

        tags |= XINV_TAG_BIT(schema_choice(&item, schema_tag_names));
    }
    return tags;
}

static void tags_within(const struct schema_node *list, uint8_t tags, uint8_t known,
                        const char *whose)
{
    for (unsigned t = 0; t < XINV_NTAGS; t++)
        if ((tags & ~known) & XINV_TAG_BIT(t))
            schema_fail(list, "%s is no tag of %s", schema_tag_names[t], whose);
}

static unsigned axis_first(unsigned axis)
{
    return axis * 2;
}

static unsigned axis_mask(unsigned axis)
{
    return (axis == 4 ? 0xfu : 0x3u) << axis_first(axis);
}

/* A value or a list of values of one axis, as class bits. */
static unsigned read_axis(const struct schema_node *node, unsigned axis)
{
    unsigned bits = 0;

    if (node->node && node->node->type == YAML_SCALAR_NODE)
        return 1u << (axis_first(axis) + schema_choice(node, axis_table[axis].values));
    for (size_t i = 0; i < schema_length(node); i++) {
        struct schema_node item = schema_item(node, i);

        bits |= 1u << (axis_first(axis) + schema_choice(&item, axis_table[axis].values));
    }
    if (!bits)
        schema_fail(node, "names no value of %s", axis_table[axis].name);
    return bits;
}

/* classes: each axis that is listed replaces that axis of `preset`. */
static xinv_axes read_classes(const struct schema_node *row, const char *key, unsigned preset)
{
    struct schema_node classes = schema_get(row, key);

    if (!classes.node || !schema_map(&classes, axis_names))
        return (xinv_axes)preset;
    for (unsigned axis = 0; axis < AXES; axis++) {
        struct schema_node value = schema_get(&classes, axis_table[axis].name);

        if (value.node)
            preset = (preset & ~axis_mask(axis)) | read_axis(&value, axis);
    }
    return (xinv_axes)preset;
}

/* A number, a feature, or {base, times, feature}. */
static struct xinv_linear read_linear(struct builder *b, const struct schema_node *node)
{
    static const char *const keys[] = {"base", "times", "feature", NULL};
    struct xinv_linear linear = {0, 0, XINV_NO_FEATURE};
    struct schema_node name = *node;

    if (node->doc->failed || !node->node)
        return linear;
    if (node->node->type == YAML_SCALAR_NODE) {
        const char *text = schema_text(node);

        if (*text >= '0' && *text <= '9') {
            linear.base = (uint8_t)schema_number(node, 64);
            return linear;
        }
        linear.times = 1;
    } else {
        struct schema_node base;
        struct schema_node times;

        if (!schema_map(node, keys))
            return linear;
        base = schema_require(node, "base");
        times = schema_require(node, "times");
        name = schema_require(node, "feature");
        linear.base = (uint8_t)schema_number(&base, 64);
        linear.times = (uint8_t)schema_number(&times, 64);
    }
    if (!node->doc->failed) {
        const char *text = schema_text(&name);
        int feature = feature_index(b, text, strlen(text));

        if (feature < 0)
            schema_fail(&name, "'%.60s' is no feature of this vendor; see features", text);
        linear.feature = (uint8_t)feature;
    }
    return linear;
}

/* ---- Sections
 * ------------------------------------------------------------------------------------ */

static void read_registers(struct builder *b, const struct schema_node *root)
{
    struct schema_node list = schema_require(root, "registers");

    for (size_t i = 0; i < schema_length(&list); i++) {
        struct schema_node item = schema_item(&list, i);

        if (!room(&item, b->n_registers, 15, "registers"))
            return;
        b->registers[b->n_registers++] = schema_arena_copy(b->arena, schema_text(&item));
    }
    b->registers[b->n_registers] = NULL;
}

static void read_bits(const struct schema_node *bits, struct xinv_feature_def *def)
{
    const char *text = schema_text(bits);
    unsigned high = 0;
    unsigned low = 0;
    char rest[4] = "";
    int n = sscanf(text, "%2u:%2u%3s", &high, &low, rest);

    if (n == 1 && !strchr(text, ':')) {
        high = (unsigned)schema_number(bits, 63);
        low = high;
    } else if (n != 2 || high > 63 || low > high || high - low > 15) {
        schema_fail(bits, "'%.20s' is no bit range; BIT or \"HIGH:LOW\", at most 16 bits of 63:0",
                    text);
        return;
    }
    def->lsb = (uint8_t)low;
    def->width = (uint8_t)(high - low + 1);
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
        struct xinv_feature_def *def = &b->features[b->n_features];
        struct schema_node setting;

        if (!room(&node, b->n_features, MAX_FEATURES, "features") || !schema_map(&node, keys))
            return;
        def->name = schema_arena_copy(b->arena, name);
        setting = schema_get(&node, "setting");
        if (setting.node) {
            def->reg = XINV_SETTING;
            def->width = 16;
            def->preset = (uint16_t)schema_number(&setting, 0xffff);
        } else {
            struct schema_node reg = schema_require(&node, "register");
            struct schema_node bits = schema_require(&node, "bits");

            def->reg = (uint8_t)schema_choice(&reg, b->registers);
            if (!node.doc->failed)
                read_bits(&bits, def);
        }
        b->feature_sources[b->n_features++] = source_of(b, &node);
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
        b->v->tag_names[t] = schema_arena_copy(b->arena, schema_text(&name));
        b->v->table.tag_bits[t] = read_linear(b, &bits);
    }
}

static void read_stage(struct builder *b, const struct schema_node *node,
                       struct xinv_stage_def *stage)
{
    static const char *const keys[] = {"allocate", "per", "constant", "pasid", "when", NULL};
    static const char *const pers[] = {"domain", "endpoint", NULL};
    struct schema_node tag = schema_get(node, "allocate");
    struct schema_node constant = schema_get(node, "constant");
    struct schema_node pasid = schema_get(node, "pasid");

    if (!schema_map(node, keys))
        return;
    stage->present = 1;
    if (tag.node) {
        struct schema_node per = schema_require(node, "per");

        stage->alloc_tag = (uint8_t)schema_choice(&tag, schema_tag_names);
        stage->alloc = schema_choice(&per, pers) ? XINV_ALLOC_ENDPOINT : XINV_ALLOC_DOMAIN;
    }
    if (constant.node && schema_map(&constant, schema_tag_names)) {
        if (!tag.node)
            stage->alloc = XINV_ALLOC_CONSTANT;
        for (unsigned t = 0; t < XINV_NTAGS; t++) {
            struct schema_node value = schema_get(&constant, schema_tag_names[t]);

            if (!value.node)
                continue;
            stage->const_tags |= XINV_TAG_BIT(t);
            stage->const_value = (uint8_t)schema_number(&value, 255);
        }
    }
    if (pasid.node) {
        (void)schema_number(&pasid, 0);
        stage->pasid_required = 1;
    }
    stage->conds = read_when(b, node);
}

static void read_stages(struct builder *b, const struct schema_node *root)
{
    struct schema_node map = schema_require(root, "stages");

    if (!schema_map(&map, schema_stage_names))
        return;
    for (unsigned s = 0; s < XINV_NSTAGES; s++) {
        struct schema_node node = schema_get(&map, schema_stage_names[s]);

        if (node.node)
            read_stage(b, &node, &b->v->table.stages[s]);
    }
}

static void read_spread(const struct schema_node *node, struct xinv_cache_def *cache)
{
    struct schema_node map = schema_get(node, "spread");
    unsigned sum = 0;

    if (!map.node || !schema_map(&map, schema_tag_names))
        return;
    for (unsigned t = 0; t < XINV_NTAGS; t++) {
        struct schema_node value = schema_get(&map, schema_tag_names[t]);

        if (!value.node)
            continue;
        if (!(cache->tags & XINV_TAG_BIT(t)))
            schema_fail(&value, "is no tag of this cache");
        cache->spread[t] = (uint8_t)schema_number(&value, 16);
        sum += cache->spread[t];
    }
    if (sum > 28)
        schema_fail(&map, "adds up to %u; at most 28", sum);
}

static void read_cache(struct builder *b, const struct schema_node *node, unsigned id)
{
    static const char *const keys[] = {"tags", "owner",        "zero",   "via_asid", "pasid_zero",
                                       "axes", "log2_entries", "spread", "when",     "source",
                                       NULL};
    struct xinv_cache_def *cache = &b->v->table.caches[id];
    struct schema_node tags = schema_require(node, "tags");
    struct schema_node owner = schema_get(node, "owner");
    struct schema_node zero = schema_get(node, "zero");
    struct schema_node via = schema_get(node, "via_asid");
    struct schema_node pasid_zero = schema_get(node, "pasid_zero");
    struct schema_node entries = schema_require(node, "log2_entries");

    if (!schema_map(node, keys))
        return;
    cache->present = 1;
    cache->tags = read_tags(&tags);
    cache->owner = read_tags(&owner);
    cache->zero = read_tags(&zero);
    tags_within(&owner, cache->owner, cache->tags, "this cache");
    tags_within(&zero, cache->zero, cache->tags, "this cache");
    cache->via_asid = schema_bool(&via);
    if (pasid_zero.node)
        cache->pasid_zero = (uint8_t)(read_axis(&pasid_zero, 2) >> 4);
    /* an axis that is not listed has its first value only */
    cache->axes = read_classes(node, "axes",
                               XINV_LEVEL_LEAF | XINV_GLOBAL_NO | XINV_PASID_UNTAGGED |
                                   XINV_PRESENT | XINV_REGIME_EL1);
    cache->log2_entries = (uint8_t)schema_number(&entries, 24);
    read_spread(node, cache);
    cache->conds = read_when(b, node);
    b->v->cache_sources[id] = source_of(b, node);
}

static void read_caches(struct builder *b, const struct schema_node *root)
{
    struct schema_node map = schema_require(root, "caches");

    if (!schema_map(&map, schema_cache_names))
        return;
    for (unsigned c = 0; c < XINV_NCACHES; c++) {
        struct schema_node node = schema_get(&map, schema_cache_names[c]);

        if (node.node)
            read_cache(b, &node, c);
    }
}

static void add_removal(struct builder *b, const struct schema_node *node,
                        const struct schema_node *cache_node, bool must, bool leaf)
{
    struct schema_node match = schema_require(node, "match");
    struct schema_node keep = schema_get(node, "keep_level");
    struct xinv_removal_def r = {0};

    r.cache = (uint8_t)schema_choice(cache_node, schema_cache_names);
    if (node->doc->failed)
        return;
    if (!b->v->table.caches[r.cache].present) {
        schema_fail(cache_node, "%s is no cache of this vendor; see caches",
                    schema_cache_names[r.cache]);
        return;
    }
    r.match = read_tags(&match);
    tags_within(&match, r.match, b->v->table.caches[r.cache].tags, schema_cache_names[r.cache]);
    r.must = must;
    r.classes = read_classes(node, "classes", XINV_AXES_ALL);
    if (leaf && !schema_bool(&keep))
        r.classes &= (xinv_axes)~XINV_LEVEL_WALK;
    if (room(node, b->n_removals, MOST, "removals"))
        b->removals[b->n_removals++] = r;
}

static void read_removals(struct builder *b, const struct schema_node *row, const char *key,
                          bool must, bool leaf)
{
    static const char *const keys[] = {"cache", "match", "classes", "keep_level", NULL};
    struct schema_node list = schema_get(row, key);

    for (size_t i = 0; i < schema_length(&list); i++) {
        struct schema_node node = schema_item(&list, i);
        struct schema_node cache;

        if (!schema_map(&node, keys))
            return;
        cache = schema_require(&node, "cache");
        if (cache.node && cache.node->type == YAML_SCALAR_NODE) {
            add_removal(b, &node, &cache, must, leaf);
            continue;
        }
        for (size_t k = 0; k < schema_length(&cache); k++) {
            struct schema_node item = schema_item(&cache, k);

            add_removal(b, &node, &item, must, leaf);
        }
    }
}

static void read_ranges(struct builder *b, const struct schema_node *row)
{
    static const char *const keys[] = {"kind", "max_order", "leaf_floor", "when", NULL};
    static const char *const kinds[] = {"page", "pow2", "scaled", NULL};
    struct schema_node list = schema_get(row, "range");

    for (size_t i = 0; i < schema_length(&list); i++) {
        struct schema_node node = schema_item(&list, i);
        struct schema_node kind = schema_require(&node, "kind");
        struct schema_node order = schema_get(&node, "max_order");
        struct schema_node floor = schema_get(&node, "leaf_floor");
        struct xinv_range_def def = {0};

        if (!schema_map(&node, keys))
            return;
        def.kind = (uint8_t)(XINV_RANGE_PAGE + schema_choice(&kind, kinds));
        def.max_order.feature = XINV_NO_FEATURE;
        if (def.kind != XINV_RANGE_PAGE && !order.node)
            schema_fail(&node, "max_order is missing");
        if (order.node)
            def.max_order = read_linear(b, &order);
        def.leaf_floor = schema_bool(&floor);
        def.conds = read_when(b, &node);
        if (room(&node, b->n_ranges, MOST, "ranges"))
            b->ranges[b->n_ranges++] = def;
    }
}

static void add_command(struct builder *b, const struct schema_node *node, bool leaf)
{
    struct schema_node name = schema_require(node, "name");
    struct schema_node op = schema_require(node, "op");
    struct schema_node phase = schema_require(node, "phase");
    struct schema_node operands = schema_get(node, "operands");
    struct xinv_command_def def = {0};

    if (!room(node, b->n_commands, MAX_COMMANDS, "command rows"))
        return;
    def.name = schema_arena_copy(b->arena, schema_text(&name));
    def.phase = (uint8_t)schema_choice(&phase, schema_phase_names);
    def.leaf = leaf;
    def.removals.first = (uint8_t)b->n_removals;
    read_removals(b, node, "removes", true, leaf);
    if (b->n_removals == def.removals.first)
        schema_fail(node, "removes nothing; a command needs at least one removal");
    read_removals(b, node, "may", false, leaf);
    def.removals.count = (uint8_t)(b->n_removals - def.removals.first);
    def.ranges.first = (uint8_t)b->n_ranges;
    read_ranges(b, node);
    def.ranges.count = (uint8_t)(b->n_ranges - def.ranges.first);
    for (unsigned i = def.removals.first; i < b->n_removals; i++)
        def.operands |= b->removals[i].match;
    if (!node->doc->failed &&
        ((def.operands & (XINV_TAG_BIT(XINV_TAG_ADDRESS) | XINV_TAG_BIT(XINV_TAG_IPA))) != 0) !=
            (def.ranges.count != 0))
        schema_fail(node, "a command that matches an address says how in range, and no other does");
    if (operands.node)
        def.operands = read_tags(&operands);
    def.conds = read_when(b, node);
    b->op_names[b->n_commands] = schema_arena_copy(b->arena, schema_text(&op));
    b->command_sources[b->n_commands] = source_of(b, node);
    b->commands[b->n_commands++] = def;
}

static void read_commands(struct builder *b, const struct schema_node *root)
{
    static const char *const keys[] = {"name", "op",   "phase",  "leaf",    "operands", "range",
                                       "may",  "when", "source", "removes", NULL};
    static const char *const leafs[] = {"optional", NULL};
    struct schema_node list = schema_require(root, "commands");

    for (size_t i = 0; i < schema_length(&list); i++) {
        struct schema_node node = schema_item(&list, i);
        struct schema_node leaf;

        if (!schema_map(&node, keys))
            return;
        add_command(b, &node, false);
        leaf = schema_get(&node, "leaf");
        if (leaf.node) {
            (void)schema_choice(&leaf, leafs);
            add_command(b, &node, true);
        }
    }
}

static uint8_t read_mask(const struct schema_node *row, const char *key, const char *const *names)
{
    struct schema_node list = schema_get(row, key);
    unsigned mask = 0;

    for (size_t i = 0; i < schema_length(&list); i++) {
        struct schema_node item = schema_item(&list, i);

        mask |= 1u << schema_choice(&item, names);
    }
    return (uint8_t)mask;
}

static void read_need(struct builder *b, const struct schema_node *node)
{
    static const char *const keys[] = {"cache", "tags",    "zero", "hints",
                                       "only",  "classes", "when", NULL};
    static const char *const hints[] = {"level", "global", NULL};
    static const char *const onlys[] = {"ats",      "aliases",   "new_did", "pasid",
                                        "no_pasid", "stale_did", NULL};
    static const uint8_t only_flags[] = {XINV_NEED_ATS,   XINV_NEED_ALIASES,  XINV_NEED_NEW_DID,
                                         XINV_NEED_PASID, XINV_NEED_NO_PASID, XINV_NEED_STALE_DID};
    struct schema_node cache = schema_require(node, "cache");
    struct schema_node tags = schema_require(node, "tags");
    struct schema_node zero = schema_get(node, "zero");
    struct xinv_need_def def = {0};
    const struct xinv_cache_def *c;
    unsigned preset;
    uint8_t mask;

    if (!schema_map(node, keys))
        return;
    def.cache = (uint8_t)schema_choice(&cache, schema_cache_names);
    c = &b->v->table.caches[def.cache];
    if (!node->doc->failed && !c->present)
        schema_fail(&cache, "%s is no cache of this vendor; see caches",
                    schema_cache_names[def.cache]);
    def.tags = read_tags(&tags);
    def.zero = read_tags(&zero);
    tags_within(&tags, def.tags, c->tags, schema_cache_names[def.cache]);
    tags_within(&zero, def.zero, def.tags, "this need");
    mask = read_mask(node, "hints", hints);
    def.flags =
        (uint8_t)((mask & 1 ? XINV_NEED_LEVEL_HINT : 0) | (mask & 2 ? XINV_NEED_GLOBAL_HINT : 0));
    mask = read_mask(node, "only", onlys);
    for (unsigned i = 0; i < sizeof(only_flags); i++)
        if (mask >> i & 1)
            def.flags |= only_flags[i];
    preset = c->axes;
    if (preset & XINV_REGIME_EL1)
        preset &= ~(XINV_REGIME_EL2 | XINV_REGIME_SECURE | XINV_REGIME_REALM);
    def.classes = read_classes(node, "classes", preset);
    def.conds = read_when(b, node);
    if (room(node, b->n_needs, MOST, "needs"))
        b->needs[b->n_needs++] = def;
}

static void read_changes(struct builder *b, const struct schema_node *root)
{
    static const char *const keys[] = {"change", "from", "stages", "needs", "when", "source", NULL};
    static const char *const froms[] = {"present", "not_present", NULL};
    struct schema_node list = schema_require(root, "changes");

    for (size_t i = 0; i < schema_length(&list); i++) {
        struct schema_node node = schema_item(&list, i);
        struct schema_node change = schema_require(&node, "change");
        struct schema_node needs = schema_require(&node, "needs");
        struct xinv_change_def def = {0};

        if (!schema_map(&node, keys) || !room(&node, b->n_changes, MOST, "changes"))
            return;
        (void)schema_require(&node, "from");
        (void)schema_require(&node, "stages");
        def.change = (uint8_t)schema_choice(&change, schema_change_names);
        def.from = read_mask(&node, "from", froms);
        def.stages = read_mask(&node, "stages", schema_stage_names);
        def.needs.first = (uint8_t)b->n_needs;
        for (size_t k = 0; k < schema_length(&needs); k++) {
            struct schema_node need = schema_item(&needs, k);

            read_need(b, &need);
        }
        def.needs.count = (uint8_t)(b->n_needs - def.needs.first);
        def.conds = read_when(b, &node);
        b->change_sources[b->n_changes] = source_of(b, &node);
        b->changes[b->n_changes++] = def;
    }
}

static void read_order(struct builder *b, const struct schema_node *root)
{
    static const char *const orders[] = {"queue", "fence", "wait", NULL};
    struct schema_node map = schema_require(root, "order");
    struct schema_node preset;
    uint8_t order;

    if (!schema_map(&map, NULL))
        return;
    preset = schema_require(&map, "default");
    order = (uint8_t)schema_choice(&preset, orders);
    memset(b->v->table.order, order, sizeof(b->v->table.order));
    for (size_t i = 0; i < schema_pairs(&map); i++) {
        const char *key;
        struct schema_node value = schema_pair(&map, i, &key);
        char first[20] = "";
        char then[20] = "";
        unsigned f;
        unsigned t;

        if (!strcmp(key, "default"))
            continue;
        (void)sscanf(key, "%19[a-z0-9_]>%19[a-z0-9_]", first, then);
        for (f = 0; f < XINV_NPHASES && strcmp(first, schema_phase_names[f]); f++)
            ;
        for (t = 0; t < XINV_NPHASES && strcmp(then, schema_phase_names[t]); t++)
            ;
        if (f >= t || t == XINV_NPHASES) {
            schema_fail(&value,
                        "is no pair of phases; \"EARLIER>LATER\" such as \"config>stage1\"");
            return;
        }
        b->v->table.order[f][t] = (uint8_t)schema_choice(&value, orders);
    }
}

static void read_endpoint(const struct schema_node *node, struct xinv_repeat_def *def,
                          unsigned quirk)
{
    static const char *const keys[] = {"pci_vendor", "pci_device", "pci_mask", NULL};
    struct schema_node vendor = schema_require(node, "pci_vendor");
    struct schema_node device = schema_require(node, "pci_device");
    struct schema_node mask = schema_require(node, "pci_mask");

    if (!schema_map(node, keys))
        return;
    def->quirk = (uint8_t)(1u << quirk);
    def->pci_vendor = (uint16_t)schema_number(&vendor, 0xffff);
    def->pci_device = (uint16_t)schema_number(&device, 0xffff);
    def->pci_mask = (uint16_t)schema_number(&mask, 0xffff);
}

static void read_repeats(struct builder *b, const struct schema_node *root)
{
    static const char *const keys[] = {"unit",     "times", "phases", "except",
                                       "endpoint", "when",  "source", NULL};
    static const char *const units[] = {"phase", "command", NULL};
    struct schema_node list = schema_get(root, "repeats");
    unsigned quirks = 0;

    for (size_t i = 0; i < schema_length(&list); i++) {
        struct schema_node node = schema_item(&list, i);
        struct schema_node unit = schema_require(&node, "unit");
        struct schema_node times = schema_require(&node, "times");
        struct schema_node endpoint = schema_get(&node, "endpoint");
        struct xinv_repeat_def def = {0};

        if (!schema_map(&node, keys) || !room(&node, b->n_repeats, 8, "repeats"))
            return;
        def.unit = (uint8_t)schema_choice(&unit, units);
        def.times = (uint8_t)schema_number(&times, 2);
        def.phases = read_mask(&node, "phases", schema_phase_names);
        def.except_changes = read_mask(&node, "except", schema_change_names);
        if (endpoint.node)
            read_endpoint(&endpoint, &def, quirks++);
        def.conds = read_when(b, &node);
        b->repeat_sources[b->n_repeats] = source_of(b, &node);
        b->repeats[b->n_repeats++] = def;
    }
}

static void read_attaches(struct builder *b, const struct schema_node *root)
{
    static const char *const keys[] = {"change", "when", NULL};
    struct schema_node list = schema_require(root, "attach");

    for (size_t i = 0; i < schema_length(&list); i++) {
        struct schema_node node = schema_item(&list, i);
        struct schema_node change = schema_require(&node, "change");

        if (!schema_map(&node, keys) || !room(&node, b->n_attaches, 8, "attach rows"))
            return;
        b->attaches[b->n_attaches].change = (uint8_t)schema_choice(&change, schema_change_names);
        b->attaches[b->n_attaches++].conds = read_when(b, &node);
    }
}

/* A number or a feature; only where every list ends with a sync does a limit hold across lists. */
static void read_max_batch(struct builder *b, const struct schema_node *root)
{
    struct schema_node batch = schema_get(root, "max_batch");

    b->v->table.max_batch.feature = XINV_NO_FEATURE;
    if (!batch.node)
        return;
    if (!b->v->table.final_sync)
        schema_fail(&batch, "needs final_sync: always");
    b->v->table.max_batch = read_linear(b, &batch);
}

static void read_vendor(struct builder *b, const struct schema_node *root)
{
    static const char *const keys[] = {"vendor",     "title",    "registers", "first_free_tag",
                                       "final_sync", "features", "tags",      "stages",
                                       "caches",     "commands", "order",     "repeats",
                                       "attach",     "changes",  "max_batch", NULL};
    static const char *const syncs[] = {"asked", "always", NULL};
    struct schema_node name = schema_require(root, "vendor");
    struct schema_node title = schema_require(root, "title");
    struct schema_node first = schema_require(root, "first_free_tag");
    struct schema_node sync = schema_require(root, "final_sync");

    if (!schema_map(root, keys))
        return;
    b->v->table.name = schema_arena_copy(b->arena, schema_text(&name));
    b->v->title = schema_arena_copy(b->arena, schema_text(&title));
    b->v->table.first_free_tag = (uint8_t)schema_number(&first, 255);
    b->v->table.final_sync = (uint8_t)schema_choice(&sync, syncs);
    read_registers(b, root);
    read_features(b, root);
    read_max_batch(b, root);
    read_tag_widths(b, root);
    read_stages(b, root);
    read_caches(b, root);
    read_commands(b, root);
    read_order(b, root);
    read_repeats(b, root);
    read_attaches(b, root);
    read_changes(b, root);
}

/* ---- The whole
 * ----------------------------------------------------------------------------------- */

#define KEEP(field, array, count)                                                       \
    do {                                                                                \
        void *copy_ = schema_arena_alloc(b->arena, sizeof((array)[0]) * ((count) + 1)); \
        memcpy(copy_, (array), sizeof((array)[0]) * (count));                           \
        (field) = copy_;                                                                \
    } while (0)

static void finish(struct builder *b)
{
    struct schema_vendor *v = b->v;
    struct xinv_vendor *t = &v->table;

    KEEP(t->registers, b->registers, b->n_registers);
    KEEP(t->features, b->features, b->n_features);
    KEEP(t->conds, b->conds, b->n_conds);
    KEEP(t->commands, b->commands, b->n_commands);
    KEEP(t->removals, b->removals, b->n_removals);
    KEEP(t->ranges, b->ranges, b->n_ranges);
    KEEP(t->changes, b->changes, b->n_changes);
    KEEP(t->needs, b->needs, b->n_needs);
    KEEP(t->repeats, b->repeats, b->n_repeats);
    KEEP(t->attaches, b->attaches, b->n_attaches);
    KEEP(v->op_names, b->op_names, b->n_commands);
    KEEP(v->command_sources, b->command_sources, b->n_commands);
    KEEP(v->feature_sources, b->feature_sources, b->n_features);
    KEEP(v->change_sources, b->change_sources, b->n_changes);
    KEEP(v->repeat_sources, b->repeat_sources, b->n_repeats);
    t->n_registers = (uint8_t)b->n_registers;
    t->n_features = (uint8_t)b->n_features;
    t->n_commands = (uint8_t)b->n_commands;
    t->n_changes = (uint8_t)b->n_changes;
    t->n_repeats = (uint8_t)b->n_repeats;
    t->n_attaches = (uint8_t)b->n_attaches;
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
