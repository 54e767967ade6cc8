// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
#include "cli/cli.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void complain(const char *format, va_list args)
{
    fflush(stdout);
    fputs("xinv: ", stderr);
    vfprintf(stderr, format, args);
}

int cli_fail(int status, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    complain(format, args);
    va_end(args);
    fputc('\n', stderr);
    return status;
}

int cli_misuse(const struct cli_command *command, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    complain(format, args);
    va_end(args);
    fprintf(stderr, "; see xinv %s --help\n", command->name);
    return CLI_USAGE;
}

void *cli_alloc(size_t n, size_t each)
{
    void *p = calloc(n ? n : 1, each);

    if (!p)
        exit(cli_fail(CLI_INPUT, "out of memory"));
    return p;
}

void *cli_grow(void *p, size_t n, size_t each)
{
    p = n > SIZE_MAX / each ? NULL : realloc(p, n * each);
    if (!p)
        exit(cli_fail(CLI_INPUT, "out of memory"));
    return p;
}

char *cli_copy(const char *text)
{
    size_t n = strlen(text) + 1;

    return memcpy(cli_alloc(n, 1), text, n);
}

/* ---- Options ----------------------------------------------------------------------------------
 */

void cli_print_help(const struct cli_command *command)
{
    size_t width = sizeof("--help") - 1;

    printf("usage: xinv %s [OPTION...]%s%s\n\n%s\n\noptions:\n", command->name,
           *command->operands ? " " : "", command->operands, command->summary);
    for (const struct cli_option *o = command->options; o->name; o++) {
        size_t n = 2 + strlen(o->name) + (o->argument ? 1 + strlen(o->argument) : 0);

        if (n > width)
            width = n;
    }
    for (const struct cli_option *o = command->options; o->name; o++) {
        char text[80];

        snprintf(text, sizeof(text), "--%s%s%s", o->name, o->argument ? " " : "",
                 o->argument ? o->argument : "");
        printf("  %-*s  %s\n", (int)width, text, o->help);
    }
    printf("  %-*s  %s\n", (int)width, "--help", "this text");
    if (command->help)
        printf("\n%s", command->help);
    printf("\nexit status: 0 done; 1 an input is wrong or an output cannot be written; 2 usage\n");
}

static const char *value_of(struct cli_args *args, const char *inline_value)
{
    if (inline_value)
        return inline_value;
    return args->at < args->argc ? args->argv[args->at++] : NULL;
}

static int bad(const struct cli_args *args, const struct cli_option *o, const char *why,
               const char *more)
{
    if (!args->quiet)
        cli_misuse(args->command, "--%s %s%s", o->name, why, more);
    return CLI_BAD;
}

int cli_next(struct cli_args *args, const char **value)
{
    const char *arg;
    const char *equals;
    size_t n;

    if (args->at == args->argc)
        return CLI_END;
    arg = args->argv[args->at++];
    if (args->operands_only || arg[0] != '-' || !arg[1]) {
        *value = arg;
        return CLI_OPERAND;
    }
    if (!strcmp(arg, "--")) {
        args->operands_only = true;
        return cli_next(args, value);
    }
    if (!strcmp(arg, "--help") || !strcmp(arg, "-h")) {
        if (!args->quiet)
            cli_print_help(args->command);
        return CLI_HELP;
    }
    equals = strchr(arg, '=');
    n = equals ? (size_t)(equals - arg) : strlen(arg);
    for (int i = 0; args->command->options[i].name; i++) {
        const struct cli_option *o = &args->command->options[i];

        if (strncmp(arg, "--", 2) || strlen(o->name) != n - 2 || strncmp(arg + 2, o->name, n - 2))
            continue;
        if (!o->argument && equals)
            return bad(args, o, "takes no value", "");
        *value = o->argument ? value_of(args, equals ? equals + 1 : NULL) : NULL;
        if (o->argument && !*value)
            return bad(args, o, "needs a value: ", o->argument);
        return i;
    }
    if (!args->quiet)
        cli_misuse(args->command, "unknown option %.*s", (int)n, arg);
    return CLI_BAD;
}

int cli_each(const struct cli_command *command, int argc, char **argv,
             int (*take)(const struct cli_command *command, void *context, int option,
                         const char *value),
             void *context)
{
    struct cli_args args = {.command = command, .argc = argc, .argv = argv};
    const char *value = NULL;
    int status = CLI_OK;
    int option;

    while (!status && (option = cli_next(&args, &value)) != CLI_END) {
        if (option == CLI_HELP)
            return CLI_HELP;
        status = option == CLI_BAD ? CLI_USAGE : take(command, context, option, value);
    }
    return status;
}

/* ---- Values ------------------------------------------------------------------------------------
 */

bool cli_number(const char *text, uint64_t most, uint64_t *value)
{
    unsigned base = 10;
    uint64_t v = 0;

    if (text[0] == '0' && (text[1] == 'x' || text[1] == 'X')) {
        base = 16;
        text += 2;
    }
    if (!*text)
        return false;
    for (; *text; text++) {
        unsigned digit;

        if (*text >= '0' && *text <= '9')
            digit = (unsigned)(*text - '0');
        else if (base == 16 && ((*text | 32) >= 'a' && (*text | 32) <= 'f'))
            digit = (unsigned)((*text | 32) - 'a') + 10;
        else
            return false;
        if (v > (UINT64_MAX - digit) / base)
            return false;
        v = v * base + digit;
    }
    *value = v;
    return v <= most;
}

const char *cli_s(uint64_t n)
{
    return n == 1 ? "" : "s";
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

int cli_hex_byte(const char *text)
{
    int high = hex_digit(text[0]);
    int low = high < 0 ? -1 : hex_digit(text[1]);

    return low < 0 ? -1 : high << 4 | low;
}

int cli_choice(const char *text, const char *const *names)
{
    for (int i = 0; names[i]; i++)
        if (!strcmp(text, names[i]))
            return i;
    return -1;
}

const char *cli_join(const char *const *names, char *text, size_t size)
{
    size_t used = 0;

    text[0] = '\0';
    for (unsigned i = 0; names[i] && used < size; i++)
        used += (size_t)snprintf(text + used, size - used, "%s%s", i ? ", " : "", names[i]);
    return text;
}

/* ---- Input -------------------------------------------------------------------------------------
 */

char *cli_read(const char *path, size_t most, size_t *size, char *why, size_t why_size)
{
    FILE *f = strcmp(path, "-") ? fopen(path, "rb") : stdin;
    char *text = NULL;
    size_t n = 0;

    if (!f) {
        snprintf(why, why_size, "cannot be opened: %s", strerror(errno));
        return NULL;
    }
    do {
        text = cli_grow(text, n + 65536, 1);
        n += fread(text + n, 1, 65535, f);
    } while (!feof(f) && !ferror(f) && n <= most);
    text[n] = '\0';
    *size = n;
    if (ferror(f) || n > most) {
        if (ferror(f))
            snprintf(why, why_size, "cannot be read: %s", strerror(errno));
        else
            snprintf(why, why_size, "is larger than %zu MiB", most >> 20);
        free(text);
        text = NULL;
    }
    if (f != stdin)
        fclose(f);
    return text;
}

/* ---- Output ------------------------------------------------------------------------------------
 */

int cli_file_open(struct cli_file *file, const char *path)
{
    size_t n = strlen(path) + sizeof(".XXXXXX");
    int fd;

    file->path = cli_copy(path);
    file->temporary = cli_alloc(n, 1);
    snprintf(file->temporary, n, "%s.XXXXXX", path);
    file->f = NULL;
    fd = mkstemp(file->temporary);
    if (fd >= 0) {
        /* as fopen() would have made it, not private as mkstemp() does */
        mode_t mask = umask(0);

        umask(mask);
        if (!fchmod(fd, 0666 & ~mask))
            file->f = fdopen(fd, "wb");
    }
    if (file->f)
        return CLI_OK;
    cli_fail(CLI_INPUT, "%s: cannot be written: %s", path, strerror(errno));
    if (fd >= 0) {
        close(fd);
        unlink(file->temporary);
    }
    free(file->path);
    free(file->temporary);
    return CLI_INPUT;
}

static void forget(struct cli_file *file)
{
    free(file->path);
    free(file->temporary);
    *file = (struct cli_file){0};
}

int cli_file_commit(struct cli_file *file)
{
    bool good = !ferror(file->f);
    int status = CLI_OK;

    good = !fclose(file->f) && good;
    if (!good || rename(file->temporary, file->path)) {
        status = cli_fail(CLI_INPUT, "%s: cannot be written: %s", file->path, strerror(errno));
        unlink(file->temporary);
    }
    forget(file);
    return status;
}

void cli_file_drop(struct cli_file *file)
{
    if (!file->f)
        return;
    fclose(file->f);
    unlink(file->temporary);
    forget(file);
}

int cli_flush(void)
{
    if (!fflush(stdout) && !ferror(stdout))
        return CLI_OK;
    return cli_fail(CLI_INPUT, "standard output: cannot be written: %s", strerror(errno));
}
