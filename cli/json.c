// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
#include "cli/json.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "schema/load.h"

static void *must(void *p)
{
    if (!p)
        exit(cli_fail(CLI_INPUT, "out of memory"));
    return p;
}

cJSON *json_object(void)
{
    return must(cJSON_CreateObject());
}

cJSON *json_array(void)
{
    return must(cJSON_CreateArray());
}

cJSON *json_add_object(cJSON *to, const char *key)
{
    return must(cJSON_AddObjectToObject(to, key));
}

cJSON *json_add_array(cJSON *to, const char *key)
{
    return must(cJSON_AddArrayToObject(to, key));
}

/* The length of the UTF-8 character at the start of the text; 0: there is none (RFC 3629, 3-4). */
static size_t character(const char *text, size_t n)
{
    const unsigned char *p = (const unsigned char *)text;
    size_t length = *p < 0x80   ? 1
                    : *p < 0xc2 ? 0
                    : *p < 0xe0 ? 2
                    : *p < 0xf0 ? 3
                    : *p < 0xf5 ? 4
                                : 0;

    if (length > n)
        return 0;
    for (size_t i = 1; i < length; i++)
        if ((p[i] & 0xc0) != 0x80)
            return 0;
    /* longer than needed, a surrogate, beyond U+10FFFF */
    if ((*p == 0xe0 && p[1] < 0xa0) || (*p == 0xed && p[1] > 0x9f) || (*p == 0xf0 && p[1] < 0x90) ||
        (*p == 0xf4 && p[1] > 0x8f))
        return 0;
    return length;
}

bool json_is_text(const char *text, size_t n)
{
    for (size_t i = 0, k; i < n; i += k) {
        k = character(text + i, n - i);
        if (!k || !text[i])
            return false;
    }
    return true;
}

/* Names of files may be any bytes, and a text may have been cut in a character. */
void json_add_text(cJSON *to, const char *key, const char *text)
{
    size_t n = strlen(text);
    char *copy;

    if (json_is_text(text, n)) {
        must(cJSON_AddStringToObject(to, key, text));
        return;
    }
    copy = cli_copy(text);
    for (size_t i = 0, k; i < n; i += k ? k : 1) {
        k = character(copy + i, n - i);
        if (!k)
            copy[i] = '?';
    }
    must(cJSON_AddStringToObject(to, key, copy));
    free(copy);
}

void json_add_bool(cJSON *to, const char *key, bool value)
{
    must(cJSON_AddBoolToObject(to, key, value));
}

void json_add_count(cJSON *to, const char *key, uint64_t value)
{
    char text[24];

    /* cJSON prints 15 digits, so a raw number keeps all of them */
    snprintf(text, sizeof(text), "%" PRIu64, value);
    must(cJSON_AddRawToObject(to, key, text));
}

void json_add_hex(cJSON *to, const char *key, uint64_t value)
{
    char text[24];

    snprintf(text, sizeof(text), "0x%" PRIx64, value);
    json_add_text(to, key, text);
}

void json_append(cJSON *array, cJSON *item)
{
    cJSON_AddItemToArray(array, item);
}

void json_append_text(cJSON *array, const char *text)
{
    json_append(array, must(cJSON_CreateString(text)));
}

static void add_mask(cJSON *to, const char *key, uint8_t mask, const char *const *names)
{
    cJSON *array = json_add_array(to, key);

    for (unsigned i = 0; names[i]; i++)
        if (mask >> i & 1)
            json_append_text(array, names[i]);
}

void json_add_tags(cJSON *to, const char *key, uint8_t tags)
{
    add_mask(to, key, tags, schema_tag_names);
}

void json_add_caches(cJSON *to, const char *key, uint8_t caches)
{
    add_mask(to, key, caches, schema_cache_names);
}

void json_add_words(cJSON *to, const char *key, const uint64_t *words, unsigned n)
{
    cJSON *array = json_add_array(to, key);
    char text[24];

    for (unsigned i = 0; i < n; i++) {
        snprintf(text, sizeof(text), "0x%016" PRIx64, words[i]);
        json_append_text(array, text);
    }
}

void json_add_fields(cJSON *to, const char *key, const struct xinv_decoded *decoded)
{
    cJSON *fields = json_add_object(to, key);

    for (unsigned i = 0; i < decoded->n_fields; i++)
        json_add_hex(fields, decoded->fields[i].name, decoded->fields[i].value);
}

void json_print(const cJSON *item, bool pretty)
{
    char *text = must(pretty ? cJSON_Print(item) : cJSON_PrintUnformatted(item));

    fputs(text, stdout);
    fputc('\n', stdout);
    cJSON_free(text);
}

const char *cli_tags(uint8_t tags, char *text, size_t size)
{
    size_t used = 0;

    snprintf(text, size, "none");
    for (unsigned i = 0; schema_tag_names[i] && used < size; i++)
        if (tags >> i & 1)
            used += (size_t)snprintf(text + used, size - used, "%s%s", used ? ", " : "",
                                     schema_tag_names[i]);
    return text;
}

/* Line and column of a byte offset, from 1. */
static void locate(const char *text, size_t at, unsigned *line, unsigned *column)
{
    *line = 1;
    *column = 1;
    for (size_t i = 0; i < at; i++) {
        (*column)++;
        if (text[i] == '\n') {
            (*line)++;
            *column = 1;
        }
    }
}

cJSON *json_read(const char *path, size_t most)
{
    const char *end = NULL;
    size_t size = 0;
    char why[200];
    char *text = cli_read(path, most, &size, why, sizeof(why));
    cJSON *item = NULL;

    if (!text) {
        cli_fail(CLI_INPUT, "%s: %s%s", path, why,
                 strncmp(why, "is larger", 9) ? "" : "; one request fits in less");
        return NULL;
    }
    if (json_is_text(text, size))
        item = cJSON_ParseWithLengthOpts(text, size + 1, &end, 1);
    if (!item) {
        unsigned line;
        unsigned column;

        locate(text, end ? (size_t)(end - text) : 0, &line, &column);
        cli_fail(CLI_INPUT, "%s:%u:%u: not JSON; expected one object", path, line, column);
    }
    free(text);
    return item;
}
