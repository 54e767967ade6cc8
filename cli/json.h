// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/* JSON as the tool writes and reads it: 64-bit numbers that a double cannot hold are "0x..."
 * strings. */
#ifndef XINV_CLI_JSON_H
#define XINV_CLI_JSON_H

#include <cjson/cJSON.h>
#include <xinv/xinv.h>

#include "cli/cli.h"

/* Adding cannot fail: without memory the program ends. */
cJSON *json_object(void);
cJSON *json_array(void);
cJSON *json_add_object(cJSON *to, const char *key);
cJSON *json_add_array(cJSON *to, const char *key);
void json_add_text(cJSON *to, const char *key, const char *text); /* what is no UTF-8 becomes ? */
void json_add_bool(cJSON *to, const char *key, bool value);
void json_add_count(cJSON *to, const char *key, uint64_t value); /* a number */
void json_add_hex(cJSON *to, const char *key, uint64_t value);   /* "0x..." */
void json_append(cJSON *array, cJSON *item);
void json_append_text(cJSON *array, const char *text);

/* json_add_tags - the names of a tag mask, as an array of strings */
void json_add_tags(cJSON *to, const char *key, uint8_t tags);
/* json_add_caches - the names of a mask of 1 << cache */
void json_add_caches(cJSON *to, const char *key, uint8_t caches);

/* json_add_words - words as an array of hexadecimal strings of 16 digits */
void json_add_words(cJSON *to, const char *key, const uint64_t *words, unsigned n);

/* json_add_fields - decoded fields as an object of hexadecimal strings */
void json_add_fields(cJSON *to, const char *key, const struct xinv_decoded *decoded);

void json_print(const cJSON *item, bool pretty);

/* json_is_text - UTF-8 without a NUL, as JSON must be */
bool json_is_text(const char *text, size_t n);

/*
 * json_read - the one JSON value in a file, - for standard input
 * @most: bytes that it may have
 * returns: it, or NULL after a complaint
 */
cJSON *json_read(const char *path, size_t most);

/* cli_tags - a tag mask as "vmid, address" or "none" */
const char *cli_tags(uint8_t tags, char *text, size_t size);

#endif
