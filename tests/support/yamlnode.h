// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/* A small view of a YAML document for tests: nodes by key and by index. Anything missing is NULL.
 */
#ifndef XINV_TESTS_YAMLNODE_H
#define XINV_TESTS_YAMLNODE_H

#include <stdbool.h>
#include <stdint.h>
#include <yaml.h>

struct ynode {
    yaml_document_t *doc;
    yaml_node_t *node;
};

/* Loads one file; aborts with a message if it cannot be read or parsed. */
void yload(const char *path, yaml_document_t *doc);
struct ynode yroot(yaml_document_t *doc);
struct ynode yget(struct ynode map, const char *key);
struct ynode yat(struct ynode list, size_t index);
size_t ylen(struct ynode list);
bool yhas(struct ynode map, const char *key);
const char *ystr(struct ynode node); /* "" if it is no scalar */
uint64_t yu64(struct ynode node);    /* aborts if it is no number; true and false are 1 and 0 */
/* the key and value of a map's i-th pair */
const char *ykey(struct ynode map, size_t index);
struct ynode yvalue(struct ynode map, size_t index);
size_t ypairs(struct ynode map);

#endif
