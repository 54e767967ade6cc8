// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
#include "tests/support/yamlnode.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void die(const char *what, const char *which)
{
    fprintf(stderr, "yaml: %s: %s\n", what, which);
    abort();
}

void yload(const char *path, yaml_document_t *doc)
{
    FILE *file = fopen(path, "rb");
    yaml_parser_t parser;

    if (!file)
        die("cannot open", path);
    if (!yaml_parser_initialize(&parser))
        die("no parser", path);
    yaml_parser_set_input_file(&parser, file);
    if (!yaml_parser_load(&parser, doc))
        die(parser.problem ? parser.problem : "not YAML", path);
    yaml_parser_delete(&parser);
    fclose(file);
}

struct ynode yroot(yaml_document_t *doc)
{
    return (struct ynode){doc, yaml_document_get_root_node(doc)};
}

struct ynode yget(struct ynode map, const char *key)
{
    for (size_t i = 0; i < ypairs(map); i++)
        if (!strcmp(ykey(map, i), key))
            return yvalue(map, i);
    return (struct ynode){map.doc, NULL};
}

bool yhas(struct ynode map, const char *key)
{
    return yget(map, key).node != NULL;
}

size_t ylen(struct ynode list)
{
    if (!list.node || list.node->type != YAML_SEQUENCE_NODE)
        return 0;
    return (size_t)(list.node->data.sequence.items.top - list.node->data.sequence.items.start);
}

struct ynode yat(struct ynode list, size_t index)
{
    if (index >= ylen(list))
        return (struct ynode){list.doc, NULL};
    return (struct ynode){
        list.doc, yaml_document_get_node(list.doc, list.node->data.sequence.items.start[index])};
}

size_t ypairs(struct ynode map)
{
    if (!map.node || map.node->type != YAML_MAPPING_NODE)
        return 0;
    return (size_t)(map.node->data.mapping.pairs.top - map.node->data.mapping.pairs.start);
}

const char *ykey(struct ynode map, size_t index)
{
    yaml_node_pair_t *pair = &map.node->data.mapping.pairs.start[index];

    return ystr((struct ynode){map.doc, yaml_document_get_node(map.doc, pair->key)});
}

struct ynode yvalue(struct ynode map, size_t index)
{
    yaml_node_pair_t *pair = &map.node->data.mapping.pairs.start[index];

    return (struct ynode){map.doc, yaml_document_get_node(map.doc, pair->value)};
}

const char *ystr(struct ynode node)
{
    if (!node.node || node.node->type != YAML_SCALAR_NODE)
        return "";
    return (const char *)node.node->data.scalar.value;
}

uint64_t yu64(struct ynode node)
{
    const char *text = ystr(node);
    char *end;
    uint64_t value;

    if (!strcmp(text, "true"))
        return 1;
    if (!strcmp(text, "false"))
        return 0;
    value = strtoull(text, &end, 0);
    if (!*text || *end)
        die("not a number", text);
    return value;
}
