// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/* xinv explain: one request on one platform, and how its commands came about. */
#include "cli/explanation.h"
#include "cli/request_options.h"

enum {
    INPUT = REQUEST_N_OPTIONS,
    JSON
};

static const struct cli_option options[] = {
    REQUEST_OPTIONS,
    {"input", "FILE", "read the request as one JSON object (- for standard input)"},
    {"json", NULL, "print one JSON object"},
    {NULL, NULL, NULL},
};

struct settings {
    cJSON *request;
    const char *input;
    bool options; /* the request comes from options */
    bool json;
};

static int take_option(const struct cli_command *command, struct settings *s, int option,
                       const char *value)
{
    switch (option) {
    case INPUT:
        s->input = value;
        return CLI_OK;
    case JSON:
        s->json = true;
        return CLI_OK;
    case CLI_OPERAND:
        return cli_misuse(command, "'%s' is not expected; requests are given by options", value);
    default:
        s->options = true;
        return request_option_take(command, s->request, option, value);
    }
}

static int explain(const struct cli_command *command, const struct settings *s)
{
    static struct translation t;
    static struct xinv_explanation explanation;
    struct request_error error;

    if (!request_read(&t.request, s->request, &error)) {
        if (!s->input)
            return cli_misuse(command, "%s%s%s", error.path, *error.path ? ": " : "", error.text);
        return cli_fail(CLI_INPUT, "%s: %s%s%s", s->input, error.path, *error.path ? ": " : "",
                        error.text);
    }
    t.explanation = &explanation;
    /* that a platform cannot do it is an answer, that it makes no sense is not */
    if (translation_run(&t) == -XINV_E_INVAL || t.ret == -XINV_E_RANGE) {
        translation_free(&t);
        return cli_fail(CLI_INPUT, "%s: %s: %s", s->input ? s->input : "request",
                        t.request.platform->name, xinv_strerror(t.ret));
    }
    if (s->json) {
        cJSON *item = explanation_json(&t);

        json_print(item, true);
        cJSON_Delete(item);
    } else {
        explanation_print(&t);
    }
    translation_free(&t);
    return CLI_OK;
}

static int run(const struct cli_command *command, int argc, char **argv)
{
    struct cli_args args = {.command = command, .argc = argc, .argv = argv};
    struct settings s = {.request = json_object()};
    const char *value = NULL;
    bool helped = false;
    int status = CLI_OK;
    int option;

    while (!status && !helped && (option = cli_next(&args, &value)) != CLI_END) {
        if (option == CLI_HELP)
            helped = true;
        else
            status = option == CLI_BAD ? CLI_USAGE : take_option(command, &s, option, value);
    }
    if (!status && !helped) {
        request_options_settle(s.request);
        if (s.input && s.options) {
            status = cli_misuse(command, "a request comes from options or --input");
        } else if (!s.input && !s.options) {
            status = cli_misuse(command, "no request is given");
        } else if (s.input) {
            cJSON_Delete(s.request);
            s.request = json_read(s.input, TRANSLATION_MAX_LINE);
            status = s.request ? explain(command, &s) : CLI_INPUT;
        } else {
            status = explain(command, &s);
        }
    }
    cJSON_Delete(s.request);
    return status;
}

const struct cli_command cli_explain = {
    .name = "explain",
    .operands = "",
    .summary = "Prints how the commands for one request come about: needs, rows, plan, sources.",
    .help = request_options_help,
    .options = options,
    .run = run,
};
