// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/* Text in the making, and pages of it for people. */
#ifndef XINV_CLI_TEXT_H
#define XINV_CLI_TEXT_H

#include <stddef.h>

#define TEXT_WIDTH 100 /* columns of a page */

struct text {
    char *s; /* never NULL after text_add() */
    size_t n;
    size_t size;
};

/* text_add - appends; without memory the program ends */
void text_add(struct text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* text_item - appends an item of a list; `between` goes before every one but the first */
void text_item(struct text *text, const char *between, const char *item);

/* text_tags - appends a mask of tags by their names, or `none` */
void text_tags(struct text *text, unsigned tags, const char *none);
/* text_caches - appends a mask of 1 << cache, or `none` */
void text_caches(struct text *text, unsigned caches, const char *none);

/* text_of - what is there so far, "" if nothing */
const char *text_of(const struct text *text);
void text_free(struct text *text);

/* page_heading - a heading, with a line before it; bold on a terminal */
void page_heading(const char *format, ...) __attribute__((format(printf, 1, 2)));

/*
 * page_line - a line of a page: the key at column `indent`, padded to `width`, then the text,
 * wrapped at spaces under its own first column
 */
void page_line(unsigned indent, unsigned width, const char *key, const char *text);

#endif
