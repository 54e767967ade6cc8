// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
#include "schema/builder.h"

#define ADDRESS_TAGS ((uint8_t)(XINV_TAG_BIT(XINV_TAG_ADDRESS) | XINV_TAG_BIT(XINV_TAG_IPA)))

/* ---- Caches ---- */

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
            schema_fail(&value, "%s is no tag of this cache", schema_tag_names[t]);
        cache->spread[t] = (uint8_t)schema_number(&value, 0, 16);
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
    struct schema_node owner = schema_get(node, "owner");
    struct schema_node zero = schema_get(node, "zero");
    struct schema_node via = schema_get(node, "via_asid");
    struct schema_node pasid_zero = schema_get(node, "pasid_zero");
    struct schema_node tags;
    struct schema_node entries;

    if (!schema_map(node, keys))
        return;
    tags = schema_require(node, "tags");
    entries = schema_require(node, "log2_entries");
    cache->present = 1;
    cache->tags = schema_tags(b, &tags);
    cache->owner = schema_tags(b, &owner);
    cache->zero = schema_tags(b, &zero);
    schema_tags_within(&owner, cache->owner, cache->tags, "this cache");
    schema_tags_within(&zero, cache->zero, cache->tags, "this cache");
    cache->via_asid = schema_bool(&via);
    if (cache->via_asid && !(cache->tags & XINV_TAG_BIT(XINV_TAG_ASID)))
        schema_fail(&via, "asid is no tag of this cache");
    if (pasid_zero.node)
        cache->pasid_zero = (uint8_t)(schema_axis(&pasid_zero, SCHEMA_AXIS_PASID) >> 4);
    /* an axis that is not listed has its first value only */
    cache->axes = schema_classes(node, "axes",
                                 XINV_LEVEL_LEAF | XINV_GLOBAL_NO | XINV_PASID_UNTAGGED |
                                     XINV_PRESENT | XINV_REGIME_EL1);
    cache->log2_entries = (uint8_t)schema_number(&entries, 0, 24);
    read_spread(node, cache);
    cache->conds = schema_conds(b, node, "when");
    b->v->cache_sources[id] = schema_source(b, node);
    b->v->cache_places[id] = schema_place_of(node, b->arena);
}

void schema_read_caches(struct builder *b, const struct schema_node *root)
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

/* A cache by name that this vendor has. */
static uint8_t read_cache_name(const struct builder *b, const struct schema_node *node)
{
    unsigned cache = schema_choice(node, schema_cache_names);

    if (!node->doc->failed && !b->v->table.caches[cache].present)
        schema_fail(node, "%s is no cache of this vendor; see caches", schema_cache_names[cache]);
    return (uint8_t)cache;
}

/* ---- Commands ---- */

struct removal_list {
    const char *key;
    bool must;
    bool leaf; /* the form of the command that removes leaf entries only */
};

static void add_removal(struct builder *b, const struct schema_node *node,
                        const struct schema_node *cache_node, const struct removal_list *list)
{
    struct schema_node match = schema_require(node, "match");
    struct schema_node keep = schema_get(node, "keep_level");
    bool keeps = schema_bool(&keep);
    struct xinv_removal_def r = {.must = list->must};
    const struct xinv_cache_def *cache;

    r.cache = read_cache_name(b, cache_node);
    cache = &b->v->table.caches[r.cache];
    r.match = schema_tags(b, &match);
    r.classes = schema_classes(node, "classes", XINV_AXES_ALL);
    if (node->doc->failed)
        return;
    schema_tags_within(&match, r.match, cache->tags, schema_cache_names[r.cache]);
    if (!schema_classes_meet(r.classes, cache->axes))
        schema_fail(node, "has no class that %s has; see its axes", schema_cache_names[r.cache]);
    if (list->leaf && !keeps) {
        r.classes &= (xinv_axes)~XINV_LEVEL_WALK;
        if (!schema_classes_meet(r.classes, cache->axes))
            return;
    }
    if (schema_room(node, b->n_removals, MOST, "removals"))
        b->removals[b->n_removals++] = r;
}

static void read_removals(struct builder *b, const struct schema_node *row,
                          const struct removal_list *which)
{
    static const char *const keys[] = {"cache", "match", "classes", "keep_level", NULL};
    struct schema_node list = schema_get(row, which->key);

    for (size_t i = 0; i < schema_length(&list); i++) {
        struct schema_node node = schema_record(&list, i, keys);
        struct schema_node cache = schema_require(&node, "cache");

        if (node.doc->failed)
            return;
        if (cache.node->type == YAML_SCALAR_NODE) {
            add_removal(b, &node, &cache, which);
            continue;
        }
        (void)schema_some(&cache, schema_cache_names);
        for (size_t k = 0; k < schema_length(&cache); k++) {
            struct schema_node item = schema_item(&cache, k);

            add_removal(b, &node, &item, which);
        }
    }
}

static void read_range(struct builder *b, const struct schema_node *node)
{
    static const char *const kinds[] = {"page", "pow2", "scaled", NULL};
    struct schema_node kind = schema_require(node, "kind");
    struct schema_node order = schema_get(node, "max_order");
    struct schema_node floor = schema_get(node, "leaf_floor");
    struct schema_node below = schema_get(node, "below_top");
    struct xinv_range_def def = {0};

    def.kind = (uint8_t)(XINV_RANGE_PAGE + schema_choice(&kind, kinds));
    def.max_order.feature = XINV_NO_FEATURE;
    if (def.kind != XINV_RANGE_PAGE && !order.node)
        schema_fail(node, "max_order is missing");
    if (def.kind == XINV_RANGE_PAGE && order.node)
        schema_fail(&order, "a page has no order; leave max_order out");
    /* 2^52 pages of 4 KiB are the whole space; SCALE has 5 bits (SMMUv3 4.4.1.1) */
    if (order.node)
        def.max_order = schema_linear(b, &order, def.kind == XINV_RANGE_SCALED ? 31 : 52);
    def.leaf_floor = schema_bool(&floor);
    def.below_top = schema_bool(&below);
    if (def.below_top && def.kind != XINV_RANGE_POW2)
        schema_fail(&below, "is about blocks of pages, of kind pow2");
    def.conds = schema_conds(b, node, "when");
    if (!schema_room(node, b->n_ranges, MOST, "ranges"))
        return;
    b->range_places[b->n_ranges] = schema_place_of(node, b->arena);
    b->ranges[b->n_ranges++] = def;
}

static struct xinv_span read_ranges(struct builder *b, const struct schema_node *row)
{
    static const char *const keys[] = {"kind",      "max_order", "leaf_floor",
                                       "below_top", "when",      NULL};
    struct schema_node list = schema_get(row, "range");
    struct xinv_span span = {(uint8_t)b->n_ranges, 0};

    for (size_t i = 0; i < schema_length(&list); i++) {
        struct schema_node node = schema_record(&list, i, keys);

        read_range(b, &node);
    }
    span.count = (uint8_t)(b->n_ranges - span.first);
    return span;
}

/* Tags that the words carry: those that some removal matches, or more if the row says so. */
static uint8_t read_operands(const struct builder *b, const struct schema_node *row,
                             struct xinv_span removals)
{
    struct schema_node list = schema_get(row, "operands");
    uint8_t matched = 0;
    uint8_t operands;

    for (unsigned i = 0; i < removals.count; i++)
        matched |= b->removals[removals.first + i].match;
    if (!list.node)
        return matched;
    operands = schema_tags(b, &list);
    for (unsigned t = 0; t < XINV_NTAGS; t++)
        if ((matched & ~operands) & XINV_TAG_BIT(t))
            schema_fail(&list, "%s is missing; the row matches it", schema_tag_names[t]);
    return operands;
}

static void add_command(struct builder *b, const struct schema_node *node, bool leaf)
{
    struct schema_node name = schema_require(node, "name");
    struct schema_node op = schema_require(node, "op");
    struct schema_node phase = schema_require(node, "phase");
    struct xinv_command_def def = {.leaf = leaf};

    if (!schema_room(node, b->n_commands, MAX_COMMANDS, "command rows"))
        return;
    def.name = schema_arena_copy(b->arena, schema_text(&name));
    b->op_names[b->n_commands] = schema_arena_copy(b->arena, schema_word(&op));
    def.phase = (uint8_t)schema_choice(&phase, schema_phase_names);
    def.removals.first = (uint8_t)b->n_removals;
    read_removals(b, node, &(struct removal_list){"removes", true, leaf});
    if (b->n_removals == def.removals.first)
        schema_fail(node, "removes nothing; a command needs at least one removal%s",
                    leaf ? ", in its leaf form too" : "");
    read_removals(b, node, &(struct removal_list){"may", false, leaf});
    def.removals.count = (uint8_t)(b->n_removals - def.removals.first);
    def.ranges = read_ranges(b, node);
    def.operands = read_operands(b, node, def.removals);
    if (((def.operands & ADDRESS_TAGS) != 0) != (def.ranges.count != 0))
        schema_fail(node, "a command that matches an address says how in range, and no other does");
    def.conds = schema_conds(b, node, "when");
    b->command_sources[b->n_commands] = schema_source(b, node);
    b->command_places[b->n_commands] = schema_place_of(node, b->arena);
    b->op_places[b->n_commands] = schema_place_of(&op, b->arena);
    b->commands[b->n_commands++] = def;
}

void schema_read_commands(struct builder *b, const struct schema_node *root)
{
    static const char *const keys[] = {"name", "op",   "phase",  "leaf",    "operands", "range",
                                       "may",  "when", "source", "removes", NULL};
    static const char *const leafs[] = {"optional", NULL};
    struct schema_node list = schema_require(root, "commands");

    for (size_t i = 0; i < schema_length(&list); i++) {
        struct schema_node node = schema_record(&list, i, keys);
        struct schema_node leaf = schema_get(&node, "leaf");

        add_command(b, &node, false);
        if (!leaf.node)
            continue;
        (void)schema_choice(&leaf, leafs);
        add_command(b, &node, true);
    }
}

/* ---- Changes ---- */

static uint8_t read_need_flags(const struct schema_node *node)
{
    static const char *const hints[] = {"level", "global", NULL};
    static const char *const onlys[] = {"ats", "aliases", "new_did", "pasid", "no_pasid", NULL};
    static const uint8_t hint_flags[] = {XINV_NEED_LEVEL_HINT, XINV_NEED_GLOBAL_HINT};
    static const uint8_t only_flags[] = {XINV_NEED_ATS, XINV_NEED_ALIASES, XINV_NEED_NEW_DID,
                                         XINV_NEED_PASID, XINV_NEED_NO_PASID};
    struct schema_node hint = schema_get(node, "hints");
    struct schema_node only = schema_get(node, "only");
    unsigned hint_mask = schema_choices(&hint, hints);
    unsigned only_mask = schema_choices(&only, onlys);
    uint8_t flags = 0;

    for (unsigned i = 0; i < sizeof(hint_flags); i++)
        if (hint_mask >> i & 1)
            flags |= hint_flags[i];
    for (unsigned i = 0; i < sizeof(only_flags); i++)
        if (only_mask >> i & 1)
            flags |= only_flags[i];
    if ((flags & XINV_NEED_PASID) && (flags & XINV_NEED_NO_PASID))
        schema_fail(&only, "pasid and no_pasid exclude each other");
    return flags;
}

static void read_need(struct builder *b, const struct schema_node *node)
{
    struct schema_node cache = schema_require(node, "cache");
    struct schema_node tags = schema_require(node, "tags");
    struct schema_node zero = schema_get(node, "zero");
    struct xinv_need_def def = {0};
    const struct xinv_cache_def *c;
    unsigned preset;

    def.cache = read_cache_name(b, &cache);
    if (node->doc->failed)
        return;
    c = &b->v->table.caches[def.cache];
    def.tags = schema_tags(b, &tags);
    def.zero = schema_tags(b, &zero);
    schema_tags_within(&tags, def.tags, c->tags, schema_cache_names[def.cache]);
    schema_tags_within(&zero, def.zero, def.tags, "this need");
    def.flags = read_need_flags(node);
    preset = c->axes;
    if (preset & XINV_REGIME_EL1)
        preset &= ~(XINV_REGIME_EL2 | XINV_REGIME_SECURE | XINV_REGIME_REALM);
    def.classes = schema_classes(node, "classes", preset);
    if (def.classes & ~c->axes)
        schema_fail(node, "has a class that %s has not; see its axes",
                    schema_cache_names[def.cache]);
    def.conds = schema_conds(b, node, "when");
    if (!schema_room(node, b->n_needs, MOST, "needs"))
        return;
    b->need_places[b->n_needs] = schema_place_of(node, b->arena);
    b->needs[b->n_needs++] = def;
}

static void read_change(struct builder *b, const struct schema_node *node)
{
    static const char *const keys[] = {"cache", "tags",    "zero", "hints",
                                       "only",  "classes", "when", NULL};
    static const char *const froms[] = {"present", "not_present", NULL};
    struct schema_node change = schema_require(node, "change");
    struct schema_node from = schema_require(node, "from");
    struct schema_node stages = schema_require(node, "stages");
    struct schema_node needs = schema_require(node, "needs");
    struct xinv_change_def def = {0};

    def.change = (uint8_t)schema_choice(&change, schema_change_names);
    def.from = (uint8_t)schema_some(&from, froms);
    def.stages = (uint8_t)schema_some(&stages, schema_stage_names);
    def.needs.first = (uint8_t)b->n_needs;
    for (size_t k = 0; k < schema_length(&needs); k++) {
        struct schema_node need = schema_record(&needs, k, keys);

        read_need(b, &need);
    }
    def.needs.count = (uint8_t)(b->n_needs - def.needs.first);
    def.conds = schema_conds(b, node, "when");
    if (!schema_room(node, b->n_changes, MOST, "changes"))
        return;
    b->change_sources[b->n_changes] = schema_source(b, node);
    b->change_places[b->n_changes] = schema_place_of(node, b->arena);
    b->changes[b->n_changes++] = def;
}

void schema_read_changes(struct builder *b, const struct schema_node *root)
{
    static const char *const keys[] = {"change", "from", "stages", "needs", "when", "source", NULL};
    struct schema_node list = schema_require(root, "changes");

    for (size_t i = 0; i < schema_length(&list); i++) {
        struct schema_node node = schema_record(&list, i, keys);

        read_change(b, &node);
    }
}
