// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/* A command as text. */
#include "core/backend.h"
#include "core/mem.h"

/* Room in which any field fits: a space, its name (at most 40 long), "=0x" and 16 digits. */
#define FIELD_ROOM 64

static char *copy(char *at, const char *text)
{
    while (*text)
        *at++ = *text++;
    return at;
}

static char *put_field(char *at, const struct xinv_field *field)
{
    unsigned shift = field->value ? (63 - (unsigned)__builtin_clzll(field->value)) & ~3u : 0;

    *at++ = ' ';
    at = copy(at, field->name);
    *at++ = '=';
    *at++ = '0';
    *at++ = 'x';
    for (;; shift -= 4) {
        *at++ = "0123456789abcdef"[field->value >> shift & 15];
        if (!shift)
            return at;
    }
}

static size_t length(const char *text)
{
    size_t n = 0;

    while (text[n])
        n++;
    return n;
}

/* What of a piece still fits; the text's length counts all of it. */
static size_t put_piece(const char *piece, size_t n, char *text, size_t size, size_t used)
{
    if (used < size) {
        size_t room = size - used - 1;

        memcpy(text + used, piece, n < room ? n : room);
        text[used + (n < room ? n : room)] = '\0';
    }
    return used + n;
}

size_t xinv_format(const struct xinv_decoded *decoded, char *text, size_t size)
{
    const char *name = decoded->name ? decoded->name : "?";
    size_t used = put_piece(name, length(name), text, size, 0);

    for (unsigned i = 0; i < decoded->n_fields; i++) {
        char field[FIELD_ROOM];

        if (used + FIELD_ROOM < size) {
            char *end = put_field(text + used, &decoded->fields[i]);

            *end = '\0';
            used = (size_t)(end - text);
            continue;
        }
        used = put_piece(field, (size_t)(put_field(field, &decoded->fields[i]) - field), text, size,
                         used);
    }
    return used;
}
