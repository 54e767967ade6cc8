// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/*
 * A YAML document with positions: typed access that records the first error and where it is. Once
 * an error is recorded, every further access answers with a harmless value, so callers check once
 * at the end.
 */
#ifndef XINV_SCHEMA_YAML_H
#define XINV_SCHEMA_YAML_H

#include <stdbool.h>
#include <yaml.h>

#include "schema/load.h"

#define SCHEMA_MAX_BYTES  (1u << 20)
#define SCHEMA_MAX_DEPTH  12
#define SCHEMA_MAX_SCALAR 1000 /* bytes of one value */
#define SCHEMA_MAX_PAIRS  256  /* keys of one map */
#define SCHEMA_MAX_WORD   40   /* characters of a name */

struct schema_doc {
    yaml_document_t document;
    struct schema_error *error;
    bool failed;
    bool loaded;
};

struct schema_node {
    struct schema_doc *doc;
    yaml_node_t *node; /* NULL: not there */
    char path[160];
};

/* Memory that lives until its arena is freed. */
struct schema_arena *schema_arena_new(void);
void *schema_arena_alloc(struct schema_arena *arena,
                         size_t size); /* zeroed; aborts when there is none */
const char *schema_arena_copy(struct schema_arena *arena, const char *text);
void schema_arena_free(struct schema_arena *arena);

/* schema_read_file - a whole file of at most SCHEMA_MAX_BYTES, or NULL with *error filled in */
char *schema_read_file(const char *file, size_t *size, struct schema_error *error);

bool schema_doc_parse(struct schema_doc *doc, const char *file, const char *text, size_t size,
                      struct schema_error *error);
void schema_doc_close(struct schema_doc *doc);
struct schema_node schema_root(struct schema_doc *doc);

/* Records an error at a node; the first one stays. */
void schema_fail(const struct schema_node *at, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* The node must be a map whose keys are all in `keys` (NULL-terminated; NULL: any), each at most
 * once. */
bool schema_map(const struct schema_node *node, const char *const *keys);
struct schema_node schema_get(const struct schema_node *map, const char *key); /* may be absent */
struct schema_node schema_require(const struct schema_node *map,
                                  const char *key); /* must be there */
size_t schema_pairs(const struct schema_node *map);
struct schema_node schema_pair(const struct schema_node *map, size_t index, const char **key);
/* the same place as schema_pair(), but the key itself */
struct schema_node schema_key(const struct schema_node *map, size_t index);

size_t schema_length(
    const struct schema_node *list); /* 0 for what is not there; an error for what is no list */
struct schema_node schema_item(const struct schema_node *list, size_t index);
/* an item that must be a map with no other keys */
struct schema_node schema_record(const struct schema_node *list, size_t index,
                                 const char *const *keys);
struct schema_place schema_place_of(const struct schema_node *node, struct schema_arena *arena);

const char *schema_text(const struct schema_node *node); /* a non-empty scalar, "" on error */
/* a name: a letter, then letters, digits, _ and - */
const char *schema_word(const struct schema_node *node);
bool schema_parse_number(const char *text, uint64_t *value);
uint64_t schema_number(const struct schema_node *node, uint64_t least, uint64_t most);
bool schema_bool(const struct schema_node *node);
/* index of a scalar in a NULL-terminated list; an error lists what would be right */
unsigned schema_choice(const struct schema_node *node, const char *const *names);
/* a list of such names, each at most once, as a mask */
unsigned schema_choices(const struct schema_node *list, const char *const *names);
/* the same, but not an empty one */
unsigned schema_some(const struct schema_node *list, const char *const *names);

/* schema_read_costs - the key `costs` of a vendor or a platform; false where there is none */
bool schema_read_costs(const struct schema_node *root, struct schema_arena *arena,
                       struct xinv_costs *costs, const char **source);

#endif
