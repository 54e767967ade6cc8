// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/* xinv check: what is wrong with a vendor's or a platform's file, and what is odd about it. */
#include <stdlib.h>
#include <string.h>

#include "cli/json.h"
#include "cli/table_file.h"
#include "schema/check.h"

enum {
    JSON
};

static const struct cli_option options[] = {
    {"json", NULL, "one JSON object a line for each file"},
    {NULL, NULL, NULL},
};

static const char help[] =
    "FILE is YAML as schema/README.md has it (- for standard input). A platform names its vendor:\n"
    "a vendor's file on the same command line, or a built-in table. Each finding is a line on\n"
    "standard output: 'FILE:LINE:COLUMN: error|warning: KEY: what is wrong; what would be right'.\n"
    "An error is what keeps a file from being used, and the only finding of its file. A warning\n"
    "is what a table says and can hardly mean: rows that nothing uses, entries that no command\n"
    "removes. Exit status 3: warnings, no error.\n";

struct settings {
    struct table_file *files;
    size_t n;
    bool json;
};

struct findings {
    cJSON *json; /* NULL: text */
    unsigned n;
};

/* ---- Findings ----------------------------------------------------------------------------------
 */

static void print_finding(const char *severity, const struct schema_error *e)
{
    char where[64] = "";

    if (e->line)
        snprintf(where, sizeof(where), ":%u:%u", e->line, e->column);
    printf("%s%s: %s: %s%s%s\n", e->file, where, severity, e->path, *e->path ? ": " : "", e->text);
}

static void add_finding(cJSON *list, const char *severity, const struct schema_error *e)
{
    cJSON *item = json_object();

    json_add_text(item, "severity", severity);
    json_add_text(item, "file", e->file);
    json_add_count(item, "line", e->line);
    json_add_count(item, "column", e->column);
    json_add_text(item, "path", e->path);
    json_add_text(item, "text", e->text);
    json_append(list, item);
}

static void find(struct findings *f, const char *severity, const struct schema_error *e)
{
    f->n++;
    if (f->json)
        add_finding(f->json, severity, e);
    else
        print_finding(severity, e);
}

static void warn(void *context, const struct schema_error *warning)
{
    find(context, "warning", warning);
}

/* ---- Files -------------------------------------------------------------------------------------
 */

static void print_file(const struct table_file *file, cJSON *findings, const char *result)
{
    static const char *const kinds[] = {"unknown", "vendor", "platform"};
    cJSON *item = json_object();

    json_add_text(item, "file", file->path);
    json_add_text(item, "kind", kinds[file->kind]);
    if (file->name)
        json_add_text(item, "name", file->name);
    json_add_text(item, "result", result);
    cJSON_AddItemToObject(item, "findings", findings);
    json_print(item, false);
    cJSON_Delete(item);
}

static int check_file(const struct table_file *file, bool json)
{
    static const char *const results[] = {
        [CLI_OK] = "clean", [CLI_INPUT] = "errors", [CLI_WARN] = "warnings"};
    struct findings f = {.json = json ? json_array() : NULL};
    int status = CLI_OK;

    if (file->failed) {
        find(&f, "error", &file->error);
        status = CLI_INPUT;
    } else {
        schema_check(file->vendor ? file->vendor : file->tables, file->platform, warn, &f);
        status = f.n ? CLI_WARN : CLI_OK;
    }
    if (json)
        print_file(file, f.json, results[status]);
    return status;
}

/* Errors before warnings before nothing. */
static int check_all(const struct settings *s)
{
    int status = CLI_OK;

    table_files_read(s->files, s->n);
    for (size_t i = 0; i < s->n; i++) {
        int one = check_file(&s->files[i], s->json);

        if (one && status != CLI_INPUT)
            status = one;
    }
    return cli_flush() ? CLI_INPUT : status;
}

static int add_file(const struct cli_command *command, struct settings *s, const char *path)
{
    for (size_t i = 0; i < s->n; i++)
        if (!strcmp(path, "-") && !strcmp(s->files[i].path, "-"))
            return cli_misuse(command, "standard input cannot be read twice");
    s->files = cli_grow(s->files, s->n + 1, sizeof(*s->files));
    s->files[s->n++] = (struct table_file){.path = path};
    return CLI_OK;
}

static int run(const struct cli_command *command, int argc, char **argv)
{
    struct cli_args args = {.command = command, .argc = argc, .argv = argv};
    struct settings s = {0};
    const char *value;
    bool helped = false;
    int status = CLI_OK;
    int option;

    while (!status && !helped && (option = cli_next(&args, &value)) != CLI_END) {
        if (option == CLI_HELP)
            helped = true;
        else if (option == CLI_BAD)
            status = CLI_USAGE;
        else if (option == CLI_OPERAND)
            status = add_file(command, &s, value);
        else
            s.json |= option == JSON;
    }
    if (!status && !helped && !s.n)
        status = cli_misuse(command, "no file is named");
    else if (!status && !helped)
        status = check_all(&s);
    table_files_free(s.files, s.n);
    return status;
}

const struct cli_command cli_check = {
    .name = "check",
    .operands = "FILE...",
    .summary = "Checks tables of vendors and platforms: what is wrong, and what is odd.",
    .help = help,
    .options = options,
    .run = run,
};
