// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
#include "schema/yaml.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- Memory ---- */

struct schema_block {
    struct schema_block *next;
    max_align_t data[];
};

struct schema_arena {
    struct schema_block *blocks;
};

static void *must(void *p)
{
    if (!p) {
        fputs("xinv: out of memory\n", stderr);
        abort();
    }
    return p;
}

struct schema_arena *schema_arena_new(void)
{
    return must(calloc(1, sizeof(struct schema_arena)));
}

void *schema_arena_alloc(struct schema_arena *arena, size_t size)
{
    struct schema_block *block = must(calloc(1, sizeof(*block) + size));

    block->next = arena->blocks;
    arena->blocks = block;
    return block->data;
}

const char *schema_arena_copy(struct schema_arena *arena, const char *text)
{
    size_t n = strlen(text) + 1;

    return memcpy(schema_arena_alloc(arena, n), text, n);
}

void schema_arena_free(struct schema_arena *arena)
{
    if (!arena)
        return;
    while (arena->blocks) {
        struct schema_block *block = arena->blocks;

        arena->blocks = block->next;
        free(block);
    }
    free(arena);
}

/* ---- Errors ---- */

static void set_error(struct schema_error *error, const char *file, unsigned line, unsigned column,
                      const char *path, const char *format, va_list args)
{
    memset(error, 0, sizeof(*error));
    snprintf(error->file, sizeof(error->file), "%s", file);
    snprintf(error->path, sizeof(error->path), "%s", path);
    error->line = line;
    error->column = column;
    vsnprintf(error->text, sizeof(error->text), format, args);
}

static void fail_at(struct schema_error *error, const char *file, unsigned line, unsigned column,
                    const char *format, ...) __attribute__((format(printf, 5, 6)));

static void fail_at(struct schema_error *error, const char *file, unsigned line, unsigned column,
                    const char *format, ...)
{
    va_list args;

    va_start(args, format);
    set_error(error, file, line, column, "", format, args);
    va_end(args);
}

void schema_fail(const struct schema_node *at, const char *format, ...)
{
    struct schema_doc *doc = at->doc;
    char file[sizeof(doc->error->file)];
    va_list args;

    if (doc->failed)
        return;
    doc->failed = true;
    snprintf(file, sizeof(file), "%s", doc->error->file);
    va_start(args, format);
    set_error(doc->error, file, at->node ? (unsigned)at->node->start_mark.line + 1 : 0,
              at->node ? (unsigned)at->node->start_mark.column + 1 : 0, at->path, format, args);
    va_end(args);
}

void schema_error_format(const struct schema_error *error, char *text, size_t size)
{
    char where[64] = "";

    if (error->line)
        snprintf(where, sizeof(where), ":%u:%u", error->line, error->column);
    snprintf(text, size, "%s%s: %s%s%s", error->file, where, error->path, *error->path ? ": " : "",
             error->text);
}

/* ---- Documents ---- */

char *schema_read_file(const char *file, size_t *size, struct schema_error *error)
{
    FILE *f = fopen(file, "rb");
    char *text;

    if (!f) {
        fail_at(error, file, 0, 0, "cannot be opened: %s", strerror(errno));
        return NULL;
    }
    text = must(malloc(SCHEMA_MAX_BYTES + 1));
    *size = fread(text, 1, SCHEMA_MAX_BYTES + 1, f);
    if (ferror(f)) {
        fail_at(error, file, 0, 0, "cannot be read: %s", strerror(errno));
    } else if (*size > SCHEMA_MAX_BYTES) {
        fail_at(error, file, 0, 0, "is larger than 1 MiB; a table fits in less");
    } else {
        fclose(f);
        return text;
    }
    fclose(f);
    free(text);
    return NULL;
}

static unsigned line_of(const yaml_mark_t *mark)
{
    return (unsigned)mark->line + 1;
}

static unsigned column_of(const yaml_mark_t *mark)
{
    return (unsigned)mark->column + 1;
}

/* A value that is fine in YAML but stands for no table's value; NULL if it is fine. */
static const char *refused_value(const yaml_event_t *event)
{
    const yaml_char_t *text = event->data.scalar.value;
    size_t length = event->data.scalar.length;

    if (length > SCHEMA_MAX_SCALAR)
        return "a value of more than 1000 bytes; none needs as many";
    /* among them a NUL, which would hide what follows it */
    for (size_t i = 0; i < length; i++)
        if (text[i] < 0x20 || text[i] == 0x7f)
            return "control characters and line breaks are not allowed in a value";
    return NULL;
}

/* What a table may not contain, whatever it would mean; NULL if the event is fine. */
static const char *refused(const yaml_event_t *event, unsigned *depth, unsigned *documents)
{
    const yaml_char_t *anchor = NULL;
    const yaml_char_t *tag = NULL;

    switch (event->type) {
    case YAML_ALIAS_EVENT:
        return "aliases are not allowed; write the value out";
    case YAML_DOCUMENT_START_EVENT:
        return ++*documents > 1 ? "a second document; one file holds one table" : NULL;
    case YAML_SCALAR_EVENT:
        anchor = event->data.scalar.anchor;
        tag = event->data.scalar.tag;
        break;
    case YAML_SEQUENCE_START_EVENT:
        anchor = event->data.sequence_start.anchor;
        tag = event->data.sequence_start.tag;
        break;
    case YAML_MAPPING_START_EVENT:
        anchor = event->data.mapping_start.anchor;
        tag = event->data.mapping_start.tag;
        break;
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT:
        --*depth;
        return NULL;
    default:
        return NULL;
    }
    if (anchor)
        return "anchors are not allowed; write the value out";
    if (tag)
        return "tags are not allowed; a value's type follows from its key";
    if (event->type == YAML_SCALAR_EVENT)
        return refused_value(event);
    if (++*depth > SCHEMA_MAX_DEPTH)
        return "nested too deeply; a table needs at most 12 levels";
    return NULL;
}

/* The reader knows the byte that it cannot read, everything behind it knows a line and a column. */
static void fail_yaml(struct schema_error *error, const char *file, const char *text,
                      const yaml_parser_t *parser)
{
    const char *problem = parser->problem ? parser->problem : "cannot be read";
    unsigned line = 1;
    unsigned column = 1;

    if (parser->error != YAML_READER_ERROR) {
        fail_at(error, file, line_of(&parser->problem_mark), column_of(&parser->problem_mark),
                "not YAML: %s", problem);
        return;
    }
    for (size_t i = 0; i < parser->problem_offset; i++) {
        if (text[i] == '\n') {
            line++;
            column = 1;
        } else if (((unsigned char)text[i] & 0xc0) != 0x80) {
            column++;
        }
    }
    fail_at(error, file, line, column, "not YAML in UTF-8: %s", problem);
}

static void start_parser(yaml_parser_t *parser, const char *text, size_t size)
{
    if (!yaml_parser_initialize(parser))
        abort();
    /* said and not guessed: a byte-order mark would turn the file into UTF-16 */
    yaml_parser_set_encoding(parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(parser, (const unsigned char *)text, size);
}

/* Walks the events before the document is built: aliases must not get the chance to multiply. */
static bool check_events(const char *file, const char *text, size_t size,
                         struct schema_error *error)
{
    yaml_parser_t parser;
    unsigned depth = 0;
    unsigned documents = 0;
    bool good = true;
    bool end = false;

    start_parser(&parser, text, size);
    while (good && !end) {
        yaml_event_t event;
        const char *why;

        if (!yaml_parser_parse(&parser, &event)) {
            fail_yaml(error, file, text, &parser);
            good = false;
            break;
        }
        why = refused(&event, &depth, &documents);
        if (why) {
            fail_at(error, file, line_of(&event.start_mark), column_of(&event.start_mark), "%s",
                    why);
            good = false;
        }
        end = event.type == YAML_STREAM_END_EVENT;
        yaml_event_delete(&event);
    }
    yaml_parser_delete(&parser);
    if (good && !documents) {
        fail_at(error, file, 1, 1, "is empty; a table is a map");
        good = false;
    }
    return good;
}

bool schema_doc_parse(struct schema_doc *doc, const char *file, const char *text, size_t size,
                      struct schema_error *error)
{
    yaml_parser_t parser;

    memset(doc, 0, sizeof(*doc));
    doc->error = error;
    if (size > SCHEMA_MAX_BYTES) {
        fail_at(error, file, 0, 0, "is larger than 1 MiB; a table fits in less");
        return false;
    }
    if (!check_events(file, text, size, error))
        return false;
    memset(error, 0, sizeof(*error));
    snprintf(error->file, sizeof(error->file), "%s", file);
    start_parser(&parser, text, size);
    doc->loaded = yaml_parser_load(&parser, &doc->document) != 0;
    yaml_parser_delete(&parser);
    if (!doc->loaded || !yaml_document_get_root_node(&doc->document)) {
        fail_at(error, file, 0, 0, "cannot be parsed a second time");
        schema_doc_close(doc);
        return false;
    }
    return true;
}

void schema_doc_close(struct schema_doc *doc)
{
    if (doc->loaded)
        yaml_document_delete(&doc->document);
    doc->loaded = false;
}

struct schema_node schema_root(struct schema_doc *doc)
{
    return (struct schema_node){doc, yaml_document_get_root_node(&doc->document), ""};
}

/* ---- Access ---- */

static struct schema_node child(const struct schema_node *parent, yaml_node_t *node,
                                const char *key, long index)
{
    struct schema_node c = {parent->doc, node, ""};

    if (index >= 0)
        snprintf(c.path, sizeof(c.path), "%.120s[%ld]", parent->path, index);
    else
        snprintf(c.path, sizeof(c.path), "%.100s%s%.50s", parent->path, *parent->path ? "." : "",
                 key);
    return c;
}

static const char *scalar_of(struct schema_doc *doc, int index)
{
    yaml_node_t *node = yaml_document_get_node(&doc->document, index);

    return node && node->type == YAML_SCALAR_NODE ? (const char *)node->data.scalar.value : NULL;
}

static void list_names(const char *const *names, char *text, size_t size)
{
    size_t n = 0;

    text[0] = '\0';
    for (size_t i = 0; names[i] && n < size; i++)
        n += (size_t)snprintf(text + n, size - n, "%s%s", i ? ", " : "", names[i]);
}

static bool listed(const char *const *names, const char *name)
{
    for (size_t i = 0; names[i]; i++)
        if (!strcmp(names[i], name))
            return true;
    return false;
}

static bool check_key(const struct schema_node *map, size_t index, const char *const *keys)
{
    struct schema_doc *doc = map->doc;
    yaml_node_pair_t *pairs = map->node->data.mapping.pairs.start;
    const char *key = scalar_of(doc, pairs[index].key);
    struct schema_node at =
        child(map, yaml_document_get_node(&doc->document, pairs[index].key), key ? key : "?", -1);
    char right[200];

    if (!key) {
        schema_fail(&at, "a key must be a plain value");
        return false;
    }
    if (keys && !listed(keys, key)) {
        list_names(keys, right, sizeof(right));
        schema_fail(&at, "unknown key; known: %s", right);
        return false;
    }
    for (size_t i = 0; i < index; i++) {
        const char *other = scalar_of(doc, pairs[i].key);

        if (other && !strcmp(other, key)) {
            schema_fail(&at, "given twice; a key stands once in its map");
            return false;
        }
    }
    return true;
}

bool schema_map(const struct schema_node *node, const char *const *keys)
{
    if (node->doc->failed || !node->node)
        return false;
    if (node->node->type != YAML_MAPPING_NODE) {
        schema_fail(node, "must be a map");
        return false;
    }
    if (schema_pairs(node) > SCHEMA_MAX_PAIRS) {
        schema_fail(node, "has more than %d keys; no map needs as many", SCHEMA_MAX_PAIRS);
        return false;
    }
    for (size_t i = 0; i < schema_pairs(node); i++)
        if (!check_key(node, i, keys))
            return false;
    return true;
}

size_t schema_pairs(const struct schema_node *map)
{
    if (map->doc->failed || !map->node || map->node->type != YAML_MAPPING_NODE)
        return 0;
    return (size_t)(map->node->data.mapping.pairs.top - map->node->data.mapping.pairs.start);
}

struct schema_node schema_pair(const struct schema_node *map, size_t index, const char **key)
{
    yaml_node_pair_t *pair = &map->node->data.mapping.pairs.start[index];

    *key = scalar_of(map->doc, pair->key);
    return child(map, yaml_document_get_node(&map->doc->document, pair->value), *key ? *key : "?",
                 -1);
}

struct schema_node schema_key(const struct schema_node *map, size_t index)
{
    yaml_node_pair_t *pair = &map->node->data.mapping.pairs.start[index];
    const char *key = scalar_of(map->doc, pair->key);

    return child(map, yaml_document_get_node(&map->doc->document, pair->key), key ? key : "?", -1);
}

struct schema_node schema_get(const struct schema_node *map, const char *key)
{
    for (size_t i = 0; i < schema_pairs(map); i++) {
        const char *name;
        struct schema_node value = schema_pair(map, i, &name);

        if (name && !strcmp(name, key))
            return value;
    }
    return child(map, NULL, key, -1);
}

struct schema_node schema_require(const struct schema_node *map, const char *key)
{
    struct schema_node node = schema_get(map, key);

    if (!node.node && map->node && map->node->type != YAML_MAPPING_NODE)
        schema_fail(map, "must be a map");
    else if (!node.node)
        schema_fail(map, "%s is missing", key);
    return node;
}

size_t schema_length(const struct schema_node *list)
{
    if (list->doc->failed || !list->node)
        return 0;
    if (list->node->type != YAML_SEQUENCE_NODE) {
        schema_fail(list, "must be a list");
        return 0;
    }
    return (size_t)(list->node->data.sequence.items.top - list->node->data.sequence.items.start);
}

struct schema_node schema_item(const struct schema_node *list, size_t index)
{
    return child(
        list,
        yaml_document_get_node(&list->doc->document, list->node->data.sequence.items.start[index]),
        "", (long)index);
}

struct schema_node schema_record(const struct schema_node *list, size_t index,
                                 const char *const *keys)
{
    struct schema_node node = schema_item(list, index);

    (void)schema_map(&node, keys);
    return node;
}

struct schema_place schema_place_of(const struct schema_node *node, struct schema_arena *arena)
{
    struct schema_place place = {0, 0, schema_arena_copy(arena, node->path)};

    if (node->node) {
        place.line = line_of(&node->node->start_mark);
        place.column = column_of(&node->node->start_mark);
    }
    return place;
}

const char *schema_text(const struct schema_node *node)
{
    if (node->doc->failed || !node->node)
        return "";
    if (node->node->type != YAML_SCALAR_NODE) {
        schema_fail(node, "must be a plain value");
        return "";
    }
    if (!node->node->data.scalar.length) {
        schema_fail(node, "is empty");
        return "";
    }
    return (const char *)node->node->data.scalar.value;
}

static bool in_word(char c, size_t at)
{
    if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'))
        return true;
    return at && ((c >= '0' && c <= '9') || c == '_' || c == '-');
}

const char *schema_word(const struct schema_node *node)
{
    const char *text = schema_text(node);
    size_t n = 0;

    if (node->doc->failed || !node->node)
        return "";
    while (in_word(text[n], n))
        n++;
    if (text[n] || n > SCHEMA_MAX_WORD) {
        schema_fail(node, "'%.60s' is no name; a letter, then letters, digits, _ or -, at most %d",
                    text, SCHEMA_MAX_WORD);
        return "";
    }
    return text;
}

/* Digits of one base alone: no sign, no blank, no suffix. */
bool schema_parse_number(const char *text, uint64_t *value)
{
    unsigned base = 10;

    *value = 0;
    if (text[0] == '0' && (text[1] == 'x' || text[1] == 'X')) {
        base = 16;
        text += 2;
    }
    if (!*text)
        return false;
    for (; *text; text++) {
        unsigned digit;

        if (*text >= '0' && *text <= '9')
            digit = (unsigned)(*text - '0');
        else if (base == 16 && *text >= 'a' && *text <= 'f')
            digit = (unsigned)(*text - 'a') + 10;
        else if (base == 16 && *text >= 'A' && *text <= 'F')
            digit = (unsigned)(*text - 'A') + 10;
        else
            return false;
        if (*value > (UINT64_MAX - digit) / base)
            return false;
        *value = *value * base + digit;
    }
    return true;
}

uint64_t schema_number(const struct schema_node *node, uint64_t least, uint64_t most)
{
    const char *text = schema_text(node);
    uint64_t value = 0;

    if (node->doc->failed || !node->node)
        return 0;
    if (!schema_parse_number(text, &value)) {
        schema_fail(node, "'%.40s' is not a number; decimal or 0x digits up to %llu", text,
                    (unsigned long long)most);
        return 0;
    }
    if (value > most) {
        schema_fail(node, "%.40s is out of range; at most %llu", text, (unsigned long long)most);
        return 0;
    }
    if (value < least) {
        schema_fail(node, "%.40s is out of range; at least %llu", text, (unsigned long long)least);
        return 0;
    }
    return value;
}

bool schema_bool(const struct schema_node *node)
{
    static const char *const names[] = {"false", "true", NULL};

    return node->node && schema_choice(node, names) == 1;
}

unsigned schema_choice(const struct schema_node *node, const char *const *names)
{
    const char *text = schema_text(node);
    char right[200];

    if (node->doc->failed || !node->node)
        return 0;
    for (unsigned i = 0; names[i]; i++)
        if (!strcmp(names[i], text))
            return i;
    list_names(names, right, sizeof(right));
    schema_fail(node, "'%.40s' is unknown; known: %s", text, right);
    return 0;
}

unsigned schema_choices(const struct schema_node *list, const char *const *names)
{
    unsigned mask = 0;

    for (size_t i = 0; i < schema_length(list); i++) {
        struct schema_node item = schema_item(list, i);
        unsigned bit = 1u << schema_choice(&item, names);

        if (mask & bit && !list->doc->failed)
            schema_fail(&item, "given twice; a value stands once in its list");
        mask |= bit;
    }
    return mask;
}
