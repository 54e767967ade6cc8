// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/*
 * The matrix for a terminal: a block for each vendor. Platforms whose answers are all the same
 * share a column; reasons stand below the block, numbered.
 */
#include <stdlib.h>
#include <string.h>

#include "cli/matrix.h"
#include "cli/text.h"

#define NAME 19 /* columns of a kind's name */

struct block {
    const struct matrix *m;
    size_t first; /* platforms of this vendor */
    size_t end;
    size_t *column; /* per platform of the matrix: the first one that answers as it does */
    char **notes;   /* reasons, in the order in which they come */
    size_t n_notes;
};

static bool same_cell(const struct matrix_cell *a, const struct matrix_cell *b)
{
    return !strcmp(a->status, b->status) && a->widened == b->widened &&
           a->commands == b->commands && a->registers == b->registers &&
           !strcmp(a->reason, b->reason);
}

static bool same_column(const struct matrix *m, size_t a, size_t b)
{
    for (size_t k = 0; k < m->n_kinds; k++)
        if (!same_cell(matrix_at(m, k, a), matrix_at(m, k, b)))
            return false;
    return true;
}

static size_t note_of(struct block *b, const struct matrix_cell *cell)
{
    struct text text = {0};
    size_t i;

    text_add(&text, "%s [%s]", cell->reason, cell->source);
    for (i = 0; i < b->n_notes && strcmp(b->notes[i], text_of(&text)) != 0; i++)
        ;
    if (i == b->n_notes) {
        b->notes = cli_grow(b->notes, b->n_notes + 1, sizeof(*b->notes));
        b->notes[b->n_notes++] = cli_copy(text_of(&text));
    }
    text_free(&text);
    return i + 1;
}

static void cell_text(struct block *b, const struct matrix_cell *cell, char *text, size_t size)
{
    char tags[120];

    if (cell->brief)
        snprintf(text, size, "no (%zu)", note_of(b, cell));
    else if (cell->widened)
        snprintf(text, size, "%u%s ~%s", cell->commands, cell->registers ? "+reg" : "",
                 cli_tags(cell->widened, tags, sizeof(tags)));
    else
        snprintf(text, size, "%u%s", cell->commands, cell->registers ? "+reg" : "");
}

static int column_width(struct block *b, size_t platform)
{
    char text[160];
    size_t width = 2;

    for (size_t k = 0; k < b->m->n_kinds; k++) {
        cell_text(b, matrix_at(b->m, k, platform), text, sizeof(text));
        if (strlen(text) > width)
            width = strlen(text);
    }
    return (int)width;
}

/* A, B, ... for the columns of a block. */
static char letter(const struct block *b, size_t platform)
{
    char c = 'A';

    for (size_t p = b->first; p < platform; p++)
        c = (char)(c + (b->column[p] == p));
    return c;
}

static void print_key(const struct block *b)
{
    for (size_t p = b->first; p < b->end; p++) {
        struct text text = {0};
        char key[4] = {letter(b, p), '\0'};

        if (b->column[p] != p)
            continue;
        for (size_t q = p; q < b->end; q++)
            if (b->column[q] == p)
                text_item(&text, ", ", b->m->platforms[q]->name);
        page_line(2, 3, key, text_of(&text));
        text_free(&text);
    }
}

/* The columns from `from` that fit beside the names; returns the one after them. */
static size_t print_columns(struct block *b, size_t from)
{
    int width = NAME;
    size_t to;

    for (to = from; to < b->end; to++) {
        int own = b->column[to] == to ? 2 + column_width(b, to) : 0;

        if (width + own > TEXT_WIDTH && to > from)
            break;
        width += own;
    }
    printf("\n");
    for (size_t k = 0; k <= b->m->n_kinds; k++) {
        struct text text = {0};

        text_add(&text, "%-*s", NAME, k ? b->m->kinds[k - 1]->name : "");
        for (size_t p = from; p < to; p++) {
            char cell[160] = {letter(b, p)};

            if (b->column[p] != p)
                continue;
            if (k)
                cell_text(b, matrix_at(b->m, k - 1, p), cell, sizeof(cell));
            text_add(&text, "  %-*s", column_width(b, p), cell);
        }
        while (text.n && text.s[text.n - 1] == ' ')
            text.s[--text.n] = '\0';
        printf("%s\n", text_of(&text));
        text_free(&text);
    }
    return to;
}

static void print_notes(struct block *b)
{
    if (b->n_notes)
        printf("\n");
    for (size_t i = 0; i < b->n_notes; i++) {
        char key[24];

        snprintf(key, sizeof(key), "(%zu)", i + 1);
        page_line(2, 6, key, b->notes[i]);
        free(b->notes[i]);
    }
    free(b->notes);
    b->notes = NULL;
    b->n_notes = 0;
}

static void print_block(struct block *b)
{
    page_heading("%s", matrix_vendor(b->m->platforms[b->first]));
    print_key(b);
    for (size_t at = b->first; at < b->end;) {
        at = print_columns(b, at);
        while (at < b->end && b->column[at] != at)
            at++;
    }
    print_notes(b);
}

void matrix_print(const struct matrix *m)
{
    struct block b = {.m = m, .column = cli_alloc(m->n_platforms, sizeof(*b.column))};

    printf("Kinds of requests on platforms. One platform stands for all that answer alike.\n\n"
           "  N       exact: everything known is matched, N commands in the queue beside syncs\n"
           "  N+reg   and a register write\n"
           "  N ~TAG  widened: TAG is known, and the commands cannot match on it\n"
           "  0       nothing is needed\n"
           "  no (K)  impossible: reason K below the block\n");
    for (b.first = 0; b.first < m->n_platforms; b.first = b.end) {
        b.end = matrix_vendor_end(m, b.first);
        for (size_t q = b.first; q < b.end; q++) {
            size_t p = b.first;

            while (!same_column(m, p, q))
                p++;
            b.column[q] = p;
        }
        print_block(&b);
    }
    page_heading("KINDS");
    for (size_t k = 0; k < m->n_kinds; k++)
        page_line(2, NAME, m->kinds[k]->name, m->kinds[k]->text);
    free(b.column);
}
