// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/* Kinds of requests against platforms: what each platform can do exactly, and what it cannot. */
#ifndef XINV_CLI_MATRIX_H
#define XINV_CLI_MATRIX_H

#include "cli/json.h"
#include "cli/kinds.h"
#include "cli/platform.h"

struct matrix_cell {
    const char *status; /* explanation_status() */
    const char *brief;  /* impossible: a few words; else NULL */
    char *reason;       /* impossible: why; widened: why, a line for each tag and cache; else "" */
    char *source;       /* of the reason */
    char *steps;        /* a line for each command, register write and wait */
    uint64_t rows;      /* bit per row of the vendor's table */
    unsigned commands;  /* of the queue, without syncs */
    unsigned syncs;
    unsigned registers; /* register writes */
    uint8_t widened;    /* XINV_TAG_BIT mask */
};

struct matrix {
    const struct cli_kind **kinds;
    size_t n_kinds;
    const struct xinv_platform **platforms; /* those of one vendor stand together */
    size_t n_platforms;
    struct matrix_cell *cells; /* a row for each kind */
};

static inline const struct matrix_cell *matrix_at(const struct matrix *m, size_t kind,
                                                  size_t platform)
{
    return &m->cells[kind * m->n_platforms + platform];
}

/* matrix_fill - asks every platform for every kind; CLI_OK, or CLI_INPUT after a complaint */
int matrix_fill(struct matrix *m);
void matrix_free(struct matrix *m);

void matrix_print(const struct matrix *m);
void matrix_print_json(const struct matrix *m);
void matrix_print_html(const struct matrix *m);

/* matrix_value - a cell in words, such as "exact", "widened: address" or "impossible: ..." */
void matrix_value(const struct matrix_cell *cell, char *text, size_t size);

/* matrix_vendor - the title of a platform's vendor */
const char *matrix_vendor(const struct xinv_platform *platform);

/* matrix_vendor_end - the first platform behind those of the vendor of `first` */
size_t matrix_vendor_end(const struct matrix *m, size_t first);

#endif
