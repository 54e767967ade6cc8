// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/* Where the commands of a command line come from: operands, standard input or a file of bytes. */
#ifndef XINV_CLI_COMMAND_SOURCE_H
#define XINV_CLI_COMMAND_SOURCE_H

#include "cli/cli.h"

#define COMMAND_SOURCE_OPERANDS 64

/* All zero at first. */
struct command_source {
    const char *bin; /* FILE of COMMAND_SOURCE_BIN_OPTION */
    const char *operands[COMMAND_SOURCE_OPERANDS];
    unsigned n;
    bool standard_input;
};

#define COMMAND_SOURCE_BIN_OPTION                                                               \
    {                                                                                           \
        "bin", "FILE", "read raw commands, little-endian, plain or gzip (- for standard input)" \
    }

/* command_source_operand - one operand: words, a line of them, or -; CLI_OK or CLI_USAGE */
int command_source_operand(const struct cli_command *command, struct command_source *source,
                           const char *value);

/* command_source_check - that the commands come from one place; CLI_OK or CLI_USAGE */
int command_source_check(const struct cli_command *command, const struct command_source *source);

/*
 * command_source_each - hands one command after another to take()
 * @n_words: in a command
 * @traces: lines of VT-d traces are read as well
 *
 * Operands are all read before the first one is handed on; a stream is not.
 *
 * returns: CLI_OK; CLI_USAGE or CLI_INPUT after a complaint
 */
int command_source_each(const struct cli_command *command, const struct command_source *source,
                        unsigned n_words, bool traces,
                        void (*take)(void *context, const uint64_t *words), void *context);

#endif
