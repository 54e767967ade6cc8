// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
#include <string.h>

#include "schema/builder.h"

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

const char *schema_source(struct builder *b, const struct schema_node *row)
{
    struct schema_node source = schema_get(row, "source");

    if (!source.node)
        schema_fail(row, "source is missing; every row says where its rule stands");
    return schema_arena_copy(b->arena, schema_text(&source));
}

bool schema_room(const struct schema_node *at, unsigned used, unsigned most, const char *what)
{
    if (used < most)
        return true;
    schema_fail(at, "too many %s; a table holds at most %u", what, most);
    return false;
}

/* ---- Conditions ---- */

static int feature_index(const struct builder *b, const char *name, size_t length)
{
    for (unsigned i = 0; i < b->n_features; i++)
        if (strlen(b->features[i].name) == length && !memcmp(b->features[i].name, name, length))
            return (int)i;
    return -1;
}

/* " OP NUMBER", the part of a condition behind the feature's name */
static bool read_comparison(const char *text, struct xinv_cond *cond)
{
    static const char *const ops[] = {"==", "!=", ">=", "<"};
    uint64_t value;

    while (*text == ' ')
        text++;
    for (uint8_t op = 0; op < 4; op++) {
        size_t length = strlen(ops[op]);

        if (strncmp(text, ops[op], length) != 0)
            continue;
        text += length;
        while (*text == ' ')
            text++;
        if (!schema_parse_number(text, &value) || value > UINT16_MAX)
            return false;
        cond->op = op;
        cond->value = (uint16_t)value;
        return true;
    }
    return false;
}

/* NAME, !NAME, or NAME OP NUMBER with OP one of == != >= < */
static void read_cond(struct builder *b, const struct schema_node *node)
{
    const char *text = schema_text(node);
    struct xinv_cond cond = {0, XINV_COND_NE, 0};
    const char *name = text;
    size_t length;
    int feature;

    if (node->doc->failed)
        return;
    if (*name == '!') {
        cond.op = XINV_COND_EQ;
        name++;
    }
    length = strcspn(name, " =!<>");
    if (!length || (name[length] && (name > text || !read_comparison(name + length, &cond)))) {
        schema_fail(node,
                    "'%.60s' is no condition; NAME, !NAME, or NAME with ==, !=, >= or < and a "
                    "number up to 65535",
                    text);
        return;
    }
    feature = feature_index(b, name, length);
    if (feature < 0) {
        schema_fail(node, "'%.*s' is no feature of this vendor; see features",
                    (int)(length > 60 ? 60 : length), name);
        return;
    }
    cond.feature = (uint8_t)feature;
    if (schema_room(node, b->n_conds, MOST, "conditions"))
        b->conds[b->n_conds++] = cond;
}

struct xinv_span schema_conds(struct builder *b, const struct schema_node *row, const char *key)
{
    struct schema_node when = schema_get(row, key);
    struct xinv_span span = {(uint8_t)b->n_conds, 0};

    for (size_t i = 0; i < schema_length(&when); i++) {
        struct schema_node item = schema_item(&when, i);

        read_cond(b, &item);
    }
    span.count = (uint8_t)(b->n_conds - span.first);
    /* a list that stands already is shared */
    for (unsigned at = 0; span.count && at + span.count <= span.first; at++) {
        if (memcmp(&b->conds[at], &b->conds[span.first], span.count * sizeof(*b->conds)) != 0)
            continue;
        b->n_conds = span.first;
        span.first = (uint8_t)at;
        break;
    }
    if (!span.count)
        span.first = 0;
    return span;
}

/* ---- Sets ---- */

uint8_t schema_tags(const struct builder *b, const struct schema_node *list)
{
    uint8_t tags = (uint8_t)schema_choices(list, schema_tag_names);

    schema_tags_within(list, tags, b->tags, "this vendor");
    return tags;
}

void schema_tags_within(const struct schema_node *list, uint8_t tags, uint8_t known,
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

unsigned schema_axis(const struct schema_node *node, unsigned axis)
{
    unsigned bits;

    if (node->node && node->node->type == YAML_SCALAR_NODE)
        bits = 1u << schema_choice(node, axis_table[axis].values);
    else
        bits = schema_some(node, axis_table[axis].values);
    return bits << axis_first(axis);
}

xinv_axes schema_classes(const struct schema_node *row, const char *key, unsigned preset)
{
    struct schema_node classes = schema_get(row, key);

    if (!classes.node || !schema_map(&classes, axis_names))
        return (xinv_axes)preset;
    for (unsigned axis = 0; axis < AXES; axis++) {
        struct schema_node value = schema_get(&classes, axis_table[axis].name);

        if (value.node)
            preset = (preset & ~axis_mask(axis)) | schema_axis(&value, axis);
    }
    return (xinv_axes)preset;
}

bool schema_classes_meet(unsigned a, unsigned b)
{
    for (unsigned axis = 0; axis < AXES; axis++)
        if (!(a & b & axis_mask(axis)))
            return false;
    return true;
}

/* ---- Numbers that follow from features ---- */

static bool read_terms(const struct schema_node *node, struct xinv_linear *linear,
                       struct schema_node *name)
{
    static const char *const keys[] = {"base", "times", "feature", NULL};
    struct schema_node base;
    struct schema_node times;

    if (node->node->type != YAML_MAPPING_NODE) {
        schema_fail(node, "must be a number, a feature, or {base, times, feature}");
        return false;
    }
    if (!schema_map(node, keys))
        return false;
    base = schema_require(node, "base");
    times = schema_require(node, "times");
    *name = schema_require(node, "feature");
    linear->base = (uint8_t)schema_number(&base, 0, 64);
    linear->times = (uint8_t)schema_number(&times, 1, 64);
    return !node->doc->failed;
}

struct xinv_linear schema_linear(struct builder *b, const struct schema_node *node, unsigned most)
{
    struct xinv_linear linear = {0, 0, XINV_NO_FEATURE};
    struct schema_node name = *node;
    const char *text;
    int feature;

    if (node->doc->failed || !node->node)
        return linear;
    if (node->node->type == YAML_SCALAR_NODE) {
        text = schema_text(node);
        if (*text >= '0' && *text <= '9') {
            linear.base = (uint8_t)schema_number(node, 0, most);
            return linear;
        }
        linear.times = 1;
    } else if (!read_terms(node, &linear, &name)) {
        return linear;
    }
    text = schema_text(&name);
    feature = feature_index(b, text, strlen(text));
    if (feature < 0)
        schema_fail(&name, "'%.60s' is neither a number nor a feature of this vendor; see features",
                    text);
    else
        linear.feature = (uint8_t)feature;
    return linear;
}
