// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/* Commands as engineers have them: words in hexadecimal, trace lines, raw bytes. */
#ifndef XINV_CLI_COMMAND_INPUT_H
#define XINV_CLI_COMMAND_INPUT_H

#include "cli/cli.h"
#include "core/backend.h"

struct command_input {
    const char *name; /* for complaints */
    unsigned n_words; /* in a command */
    bool traces;      /* VT-d trace lines are read as well */
    FILE *f;          /* text */
    void *z;          /* bytes, plain or gzip */
    uint64_t line;
};

/* command_input_bytes - opens a file of raw commands, "-" for standard input; CLI_OK or CLI_INPUT
 */
int command_input_bytes(struct command_input *in, const char *path);

/*
 * command_input_next - the next command
 * returns: 1; 0 at the end; -1 after a complaint
 */
int command_input_next(struct command_input *in, uint64_t *words);

void command_input_close(struct command_input *in);

/*
 * command_input_line - the words of one line of text
 * @column: where it is wrong, from 1
 *
 * returns: 1; 0 if nothing is on it; -1 if it is no command
 */
int command_input_line(const struct command_input *in, const char *line, uint64_t *words,
                       unsigned *column);

#endif
