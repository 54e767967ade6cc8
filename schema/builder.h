// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/* A vendor's table while it is read: arrays of the largest size, and the parts that rows share. */
#ifndef XINV_SCHEMA_BUILDER_H
#define XINV_SCHEMA_BUILDER_H

#include "schema/yaml.h"

#define MOST          255 /* sub-rows of one kind: a span is two bytes */
#define MAX_COMMANDS  64
#define MAX_FEATURES  56
#define MAX_REGISTERS 15
#define MAX_REPEATS   8
#define MAX_ATTACHES  8

struct builder {
    struct schema_vendor *v;
    struct schema_arena *arena;
    struct xinv_feature_def features[MAX_FEATURES];
    const char *feature_sources[MAX_FEATURES];
    struct schema_place feature_places[MAX_FEATURES];
    unsigned n_features;
    struct xinv_cond conds[MOST];
    unsigned n_conds;
    struct xinv_command_def commands[MAX_COMMANDS];
    const char *op_names[MAX_COMMANDS];
    const char *command_sources[MAX_COMMANDS];
    struct schema_place command_places[MAX_COMMANDS];
    struct schema_place op_places[MAX_COMMANDS];
    unsigned n_commands;
    struct xinv_removal_def removals[MOST];
    unsigned n_removals;
    struct xinv_range_def ranges[MOST];
    struct schema_place range_places[MOST];
    unsigned n_ranges;
    struct xinv_change_def changes[MOST];
    const char *change_sources[MOST];
    struct schema_place change_places[MOST];
    unsigned n_changes;
    struct xinv_need_def needs[MOST];
    struct schema_place need_places[MOST];
    unsigned n_needs;
    struct xinv_repeat_def repeats[MAX_REPEATS];
    const char *repeat_sources[MAX_REPEATS];
    struct schema_place repeat_places[MAX_REPEATS];
    unsigned n_repeats;
    struct xinv_attach_def attaches[MAX_ATTACHES];
    struct schema_place attach_places[MAX_ATTACHES];
    unsigned n_attaches;
    const char *registers[MAX_REGISTERS + 1];
    unsigned n_registers;
    uint8_t tags; /* of this vendor */
};

/* ---- Parts of rows (load_parts.c) ---- */

const char *schema_source(struct builder *b, const struct schema_node *row);
/* is there room for one more? An error says how many fit. */
bool schema_room(const struct schema_node *at, unsigned used, unsigned most, const char *what);
struct xinv_span schema_conds(struct builder *b, const struct schema_node *row, const char *key);
/* a list of tags of this vendor */
uint8_t schema_tags(const struct builder *b, const struct schema_node *list);
/* an error if `tags` has one that is not in `known` */
void schema_tags_within(const struct schema_node *list, uint8_t tags, uint8_t known,
                        const char *whose);
/* a value or a list of values of one axis, as XINV_* class bits */
#define SCHEMA_AXIS_PASID 2
unsigned schema_axis(const struct schema_node *node, unsigned axis);
/* each axis that is listed replaces that axis of `preset` */
xinv_axes schema_classes(const struct schema_node *row, const char *key, unsigned preset);
/* does some combination of classes lie in both sets? */
bool schema_classes_meet(unsigned a, unsigned b);
/* a number up to `most`, a feature, or {base, times, feature} */
struct xinv_linear schema_linear(struct builder *b, const struct schema_node *node, unsigned most);

/* ---- Long sections (load_rows.c) ---- */

void schema_read_caches(struct builder *b, const struct schema_node *root);
void schema_read_commands(struct builder *b, const struct schema_node *root);
void schema_read_changes(struct builder *b, const struct schema_node *root);

#endif
