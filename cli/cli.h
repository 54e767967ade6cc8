// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/* What the commands of the tool share: exit codes, errors, options, output files. */
#ifndef XINV_CLI_H
#define XINV_CLI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* Exit codes. */
#define CLI_OK    0
#define CLI_INPUT 1 /* an input is wrong, or an output cannot be written */
#define CLI_USAGE 2 /* the command line is wrong */
#define CLI_WARN  3 /* xinv check: warnings, and nothing that is wrong */

/* cli_fail - one line on stderr: "xinv: ..."; returns `status` */
int cli_fail(int status, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Memory, or the end of the program. */
void *cli_alloc(size_t n, size_t each); /* zeroed */
void *cli_grow(void *p, size_t n, size_t each);
char *cli_copy(const char *text);

/* ---- Options ----------------------------------------------------------------------------------
 */

struct cli_option {
    const char *name;     /* without dashes */
    const char *argument; /* NULL: takes none */
    const char *help;
};

struct cli_command {
    const char *name;
    const char *operands;             /* for the usage line */
    const char *summary;              /* one line */
    const char *help;                 /* prose after the options, or NULL */
    const struct cli_option *options; /* name NULL ends the list */
    int (*run)(const struct cli_command *command, int argc, char **argv);
};

extern const struct cli_command cli_caps;
extern const struct cli_command cli_decode;
extern const struct cli_command cli_encode;
extern const struct cli_command cli_filter;
extern const struct cli_command cli_check;
extern const struct cli_command cli_replay;
extern const struct cli_command cli_translate;
extern const struct cli_command cli_explain;
extern const struct cli_command cli_matrix;
extern const struct cli_command cli_verify;
extern const struct cli_command cli_platforms;

#define CLI_END     (-1) /* no more arguments */
#define CLI_OPERAND (-2) /* *value is an operand */
#define CLI_BAD     (-3) /* a complaint has been printed */
#define CLI_HELP    (-4) /* --help has been answered */

struct cli_args {
    const struct cli_command *command;
    int argc;
    char **argv;
    int at;
    bool operands_only; /* after -- */
    bool quiet;         /* no complaint, no help: another pass says it */
};

/* cli_next - the index of the next option in command->options, or one of the codes above */
int cli_next(struct cli_args *args, const char **value);

/*
 * cli_each - hands options, by their index, and operands (CLI_OPERAND) to take() until one fails
 * returns: CLI_OK; CLI_HELP once --help has been answered; CLI_USAGE, or what take() returned
 */
int cli_each(const struct cli_command *command, int argc, char **argv,
             int (*take)(const struct cli_command *command, void *context, int option,
                         const char *value),
             void *context);

void cli_print_help(const struct cli_command *command);

/* cli_misuse - complains about the command line and names the help; returns CLI_USAGE */
int cli_misuse(const struct cli_command *command, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* ---- Values ------------------------------------------------------------------------------------
 */

/* cli_number - decimal, or hexadecimal with 0x; nothing may follow */
bool cli_number(const char *text, uint64_t most, uint64_t *value);

/* cli_s - the s of a plural: "%u command%s" */
const char *cli_s(uint64_t n);

/* cli_hex_byte - the value of the first two characters, or -1 where they are no hexadecimal digits
 */
int cli_hex_byte(const char *text);

/* cli_choice - index in a NULL-terminated list, or -1 */
int cli_choice(const char *text, const char *const *names);

/* cli_join - a NULL-terminated list as "a, b, c" */
const char *cli_join(const char *const *names, char *text, size_t size);

/* ---- Input -------------------------------------------------------------------------------------
 */

/*
 * cli_read - a whole file, or standard input for "-"; a NUL stands behind it
 * returns: the text; NULL with *why, such as "cannot be opened: No such file or directory"
 */
char *cli_read(const char *path, size_t most, size_t *size, char *why, size_t why_size);

/* ---- Output ------------------------------------------------------------------------------------
 */

/* A file that takes its name only when it is complete. */
struct cli_file {
    FILE *f;
    char *path;
    char *temporary;
};

int cli_file_open(struct cli_file *file, const char *path);
int cli_file_commit(
    struct cli_file *file); /* CLI_OK or CLI_INPUT; the file is gone from memory either way */
void cli_file_drop(struct cli_file *file);

/* cli_flush - whether everything written to stdout arrived */
int cli_flush(void);

#endif
