// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/* xinv matrix: what every platform makes of every kind of request. */
#include <stdlib.h>
#include <string.h>

#include "cli/matrix.h"

enum {
    PLATFORM,
    PLATFORM_FILE,
    VENDOR_FILE,
    KIND,
    JSON,
    HTML
};

static const struct cli_option options[] = {
    {"platform", "NAME|all", "a platform; may be given again (default: all)"},
    CLI_PLATFORM_FILE_OPTIONS,
    {"kind", "NAME", "a kind of request; may be given again (default: all)"},
    {"json", NULL, "print one JSON object"},
    {"html", NULL, "print one HTML page"},
    {NULL, NULL, NULL},
};

static const char help[] =
    "A kind is one change for one endpoint, 03:02.0, with every host tag known, under the policy\n"
    "exact. 'xinv explain --kind NAME --platform NAME' tells how a cell comes about.\n";

static int add_kind(const struct cli_command *command, struct matrix *m, const char *name)
{
    const struct cli_kind *kind = cli_kind_find(name);

    if (!kind)
        return cli_misuse(command, "no kind '%s'; xinv matrix lists them", name);
    m->kinds = cli_grow(m->kinds, m->n_kinds + 1, sizeof(*m->kinds));
    m->kinds[m->n_kinds++] = kind;
    return CLI_OK;
}

/* Those of one vendor stand together, vendors in the order of their first platform. */
static void group(struct matrix *m, const struct cli_platforms *list)
{
    m->platforms = cli_alloc(list->n, sizeof(*m->platforms));
    for (size_t i = 0; i < list->n; i++) {
        bool seen = false;

        for (size_t k = 0; k < i; k++)
            seen |= !strcmp(list->at[k]->vendor->name, list->at[i]->vendor->name);
        for (size_t k = i; !seen && k < list->n; k++)
            if (!strcmp(list->at[k]->vendor->name, list->at[i]->vendor->name))
                m->platforms[m->n_platforms++] = list->at[k];
    }
}

static int print(const struct cli_command *command, struct matrix *m, struct cli_platforms *list,
                 bool json, bool html)
{
    const struct cli_kind *kind;
    int status = CLI_OK;

    cli_platforms_add_files(list);
    if (!list->n)
        status = cli_platforms_add(command, list, "all");
    if (!m->n_kinds)
        for (unsigned i = 0; !status && (kind = cli_kind_at(i)) != NULL; i++)
            status = add_kind(command, m, kind->name);
    if (status)
        return status;
    group(m, list);
    status = matrix_fill(m);
    if (status)
        return status;
    if (json)
        matrix_print_json(m);
    else if (html)
        matrix_print_html(m);
    else
        matrix_print(m);
    return CLI_OK;
}

static int run(const struct cli_command *command, int argc, char **argv)
{
    struct cli_args args = {.command = command, .argc = argc, .argv = argv};
    struct cli_platforms list = {0};
    struct matrix m = {0};
    const char *value;
    bool json = false;
    bool html = false;
    bool helped = false;
    int status = CLI_OK;
    int option;

    while (!status && !helped && (option = cli_next(&args, &value)) != CLI_END) {
        if (option == CLI_HELP)
            helped = true;
        else if (option == CLI_BAD)
            status = CLI_USAGE;
        else if (option == PLATFORM)
            status = cli_platforms_add(command, &list, value);
        else if (option == KIND)
            status = add_kind(command, &m, value);
        else if (option == PLATFORM_FILE || option == VENDOR_FILE)
            continue; /* read before */
        else if (option == CLI_OPERAND)
            status = cli_misuse(command, "'%s' is not expected; platforms are given by --platform",
                                value);
        else
            *(option == JSON ? &json : &html) = true;
    }
    if (!status && !helped)
        status = json && html ? cli_misuse(command, "--json or --html, not both")
                              : print(command, &m, &list, json, html);
    matrix_free(&m);
    free(list.at);
    return status;
}

const struct cli_command cli_matrix = {
    .name = "matrix",
    .operands = "",
    .summary = "Prints what every platform makes of every kind of request.",
    .help = help,
    .options = options,
    .run = run,
};
