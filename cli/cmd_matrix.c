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

struct settings {
    struct matrix m;
    struct cli_platforms list;
    bool json;
    bool html;
};

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

static int print(const struct cli_command *command, struct settings *s)
{
    struct matrix *m = &s->m;
    const struct cli_kind *kind;
    int status = CLI_OK;

    if (s->json && s->html)
        return cli_misuse(command, "--json or --html, not both");
    cli_platforms_add_files(&s->list);
    if (!s->list.n)
        status = cli_platforms_add(command, &s->list, "all");
    if (!m->n_kinds)
        for (unsigned i = 0; !status && (kind = cli_kind_at(i)) != NULL; i++)
            status = add_kind(command, m, kind->name);
    if (status)
        return status;
    group(m, &s->list);
    status = matrix_fill(m);
    if (status)
        return status;
    if (s->json)
        matrix_print_json(m);
    else if (s->html)
        matrix_print_html(m);
    else
        matrix_print(m);
    return CLI_OK;
}

static int take(const struct cli_command *command, void *context, int option, const char *value)
{
    struct settings *s = context;

    switch (option) {
    case PLATFORM:
        return cli_platforms_add(command, &s->list, value);
    case PLATFORM_FILE:
    case VENDOR_FILE:
        return CLI_OK; /* read before the command runs */
    case KIND:
        return add_kind(command, &s->m, value);
    case JSON:
        s->json = true;
        return CLI_OK;
    case HTML:
        s->html = true;
        return CLI_OK;
    default: /* CLI_OPERAND */
        return cli_misuse(command, "'%s' is not expected; platforms are given by --platform",
                          value);
    }
}

static int run(const struct cli_command *command, int argc, char **argv)
{
    struct settings s = {.json = false};
    int status = cli_each(command, argc, argv, take, &s);

    if (!status)
        status = print(command, &s);
    matrix_free(&s.m);
    free(s.list.at);
    return status == CLI_HELP ? CLI_OK : status;
}

const struct cli_command cli_matrix = {
    .name = "matrix",
    .operands = "",
    .summary = "Prints what every platform makes of every kind of request.",
    .help = help,
    .options = options,
    .run = run,
};
