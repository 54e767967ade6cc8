// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/* xinv explain: one request on one platform, and how its commands came about. */
#include "cli/explanation.h"
#include "cli/request_options.h"

enum {
    JSON = REQUEST_N_OPTIONS
};

static const struct cli_option options[] = {
    REQUEST_OPTIONS,
    {"json", NULL, "print one JSON object"},
    {NULL, NULL, NULL},
};

struct settings {
    struct request_source source;
    bool json;
};

static int take_option(const struct cli_command *command, void *context, int option,
                       const char *value)
{
    struct settings *s = context;

    switch (option) {
    case JSON:
        s->json = true;
        return CLI_OK;
    case CLI_OPERAND:
        return cli_misuse(command, "'%s' is not expected; requests are given by options", value);
    default:
        return request_source_take(command, &s->source, option, value);
    }
}

static void print(const struct translation *t, bool json)
{
    cJSON *item;

    if (!json) {
        explanation_print(t);
        return;
    }
    item = explanation_json(t);
    json_print(item, true);
    cJSON_Delete(item);
}

static int explain(const struct cli_command *command, struct settings *s)
{
    static struct translation t;
    static struct xinv_explanation explanation;
    int status = request_source_read(command, &s->source, &t.request);

    if (status)
        return status;
    t.explanation = &explanation;
    /* that a platform cannot do it is an answer, that it makes no sense is not */
    if (translation_run(&t) == -XINV_E_INVAL || t.ret == -XINV_E_RANGE)
        status = translation_fail(&t, request_source_name(&s->source));
    else
        print(&t, s->json);
    translation_free(&t);
    return status;
}

static int run(const struct cli_command *command, int argc, char **argv)
{
    struct settings s = {.json = false};
    int status = cli_each(command, argc, argv, take_option, &s);

    if (!status)
        status = explain(command, &s);
    request_source_free(&s.source);
    return status == CLI_HELP ? CLI_OK : status;
}

const struct cli_command cli_explain = {
    .name = "explain",
    .operands = "",
    .summary = "Prints how the commands for one request come about: needs, rows, plan, sources.",
    .help = request_options_help,
    .options = options,
    .run = run,
};
