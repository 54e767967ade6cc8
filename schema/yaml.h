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

#define SCHEMA_MAX_BYTES (1u << 20)
#define SCHEMA_MAX_DEPTH 12

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
struct schema_node schema_get(const struct schema_node *map,
                              const char *key); /* may not be there */
struct schema_node schema_require(const struct schema_node *map,
                                  const char *key); /* must be there */
size_t schema_pairs(const struct schema_node *map);
struct schema_node schema_pair(const struct schema_node *map, size_t index, const char **key);

size_t schema_length(
    const struct schema_node *list); /* 0 for what is not there; an error for what is no list */
struct schema_node schema_item(const struct schema_node *list, size_t index);

const char *schema_text(const struct schema_node *node); /* a non-empty scalar, "" on error */
uint64_t schema_number(const struct schema_node *node, uint64_t most);
bool schema_bool(const struct schema_node *node);
/* index of a scalar in a NULL-terminated list; an error lists what would be right */
unsigned schema_choice(const struct schema_node *node, const char *const *names);

#endif
