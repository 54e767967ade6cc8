// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
#include "cli/text.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "schema/load.h"

void text_add(struct text *text, const char *format, ...)
{
    va_list args;
    va_list again;
    int n;

    va_start(args, format);
    va_copy(again, args);
    n = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (text->n + (size_t)n + 1 > text->size) {
        text->size = 2 * (text->n + (size_t)n + 1);
        text->s = cli_grow(text->s, text->size, 1);
    }
    vsnprintf(text->s + text->n, text->size - text->n, format, again);
    va_end(again);
    text->n += (size_t)n;
}

void text_item(struct text *text, const char *between, const char *item)
{
    text_add(text, "%s%s", text->n ? between : "", item);
}

static void add_mask(struct text *text, unsigned mask, const char *const *names, const char *none)
{
    const char *between = "";

    for (unsigned i = 0; names[i]; i++)
        if (mask >> i & 1) {
            text_add(text, "%s%s", between, names[i]);
            between = ", ";
        }
    if (!*between)
        text_add(text, "%s", none);
}

void text_tags(struct text *text, unsigned tags, const char *none)
{
    add_mask(text, tags, schema_tag_names, none);
}

void text_caches(struct text *text, unsigned caches, const char *none)
{
    add_mask(text, caches, schema_cache_names, none);
}

const char *text_of(const struct text *text)
{
    return text->s ? text->s : "";
}

void text_free(struct text *text)
{
    free(text->s);
    *text = (struct text){0};
}

static bool is_coloured(void)
{
    const char *no = getenv("NO_COLOR");
    const char *term = getenv("TERM");

    return isatty(STDOUT_FILENO) && !(no && *no) && term && strcmp(term, "dumb") != 0;
}

void page_heading(const char *format, ...)
{
    bool coloured = is_coloured();
    va_list args;

    printf("\n%s", coloured ? "\033[1m" : "");
    va_start(args, format);
    vprintf(format, args);
    va_end(args);
    printf("%s\n", coloured ? "\033[0m" : "");
}

void page_line(unsigned indent, unsigned width, const char *key, const char *text)
{
    size_t hang = indent + width;
    size_t column = hang;

    if (!*text) {
        printf("%*s%s\n", (int)indent, "", key);
        return;
    }
    printf("%*s%-*s", (int)indent, "", (int)width, key);
    if (strlen(key) >= width) {
        printf(" ");
        column = indent + strlen(key) + 1;
    }
    while (*text) {
        size_t n = strcspn(text, " ");
        size_t gap = strspn(text + n, " ");

        printf("%.*s", (int)n, text);
        column += n;
        text += n + gap;
        if (!*text)
            break;
        if (column + gap + strcspn(text, " ") <= TEXT_WIDTH) {
            printf("%*s", (int)gap, "");
            column += gap;
        } else {
            printf("\n%*s", (int)hang, "");
            column = hang;
        }
    }
    printf("\n");
}
