// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/* xinv translate: one request, or a line of JSON each, and the host commands for it. */
#include "cli/command_text.h"
#include "cli/request_options.h"
#include "cli/translation.h"

enum {
    INPUT = REQUEST_N_OPTIONS,
    JSONL,
    JSON
};

static const struct cli_option options[] = {
    REQUEST_OPTIONS,
    {"input", "FILE", "read the request as one JSON object (- for standard input)"},
    {"jsonl", NULL, "read requests from standard input, a JSON object a line"},
    {"json", NULL, "print one JSON object"},
    {NULL, NULL, NULL},
};

struct settings {
    cJSON *request; /* made of options */
    const char *input;
    bool options; /* the request comes from options */
    bool jsonl;
    bool json;
};

static int take_option(const struct cli_command *command, void *context, int option,
                       const char *value)
{
    struct settings *s = context;

    switch (option) {
    case INPUT:
        s->input = value;
        return CLI_OK;
    case JSONL:
        s->jsonl = true;
        return CLI_OK;
    case JSON:
        s->json = true;
        return CLI_OK;
    case CLI_OPERAND:
        return cli_misuse(command, "'%s' is not expected; requests are given by options", value);
    default:
        s->options |= request_option_says(option);
        return request_option_take(command, s->request, option, value);
    }
}

static int read_input(struct settings *s)
{
    cJSON_Delete(s->request);
    s->request = json_read(s->input, TRANSLATION_MAX_LINE);
    return s->request ? CLI_OK : CLI_INPUT;
}

static int translate_one(const struct cli_command *command, const struct settings *s)
{
    static struct translation t;
    struct request_error error;
    const char *where = s->input ? s->input : "request";
    int status = CLI_OK;

    if (!request_read(&t.request, s->request, &error)) {
        if (!s->input)
            return cli_misuse(command, "%s%s%s", error.path, *error.path ? ": " : "", error.text);
        return cli_fail(CLI_INPUT, "%s: %s%s%s", where, error.path, *error.path ? ": " : "",
                        error.text);
    }
    if (translation_run(&t) < 0) {
        char text[200];

        translation_error_text(&t, text, sizeof(text));
        status = cli_fail(CLI_INPUT, "%s: %s: %s", where, t.request.platform->name, text);
    } else if (s->json) {
        cJSON *item = translation_json(&t);

        translation_add_id(item, s->request);
        json_print(item, true);
        cJSON_Delete(item);
    } else {
        translation_print(&t);
    }
    translation_free(&t);
    return status;
}

static int run(const struct cli_command *command, int argc, char **argv)
{
    struct settings s = {.request = json_object()};
    int status = cli_each(command, argc, argv, take_option, &s);

    if (!status) {
        request_options_settle(s.request);
        if (s.jsonl + (s.input != NULL) + s.options > 1)
            status = cli_misuse(command, "a request comes from options, --input or --jsonl");
        else if (s.jsonl)
            status = translation_lines(stdin);
        else if (!s.input && !s.options)
            status = cli_misuse(command, "no request is given");
        else if (s.input && (status = read_input(&s)))
            status = CLI_INPUT;
        else
            status = translate_one(command, &s);
    }
    cJSON_Delete(s.request);
    return status == CLI_HELP ? CLI_OK : status;
}

const struct cli_command cli_translate = {
    .name = "translate",
    .operands = "",
    .summary = "Prints the host commands for one request.",
    .help = request_options_help,
    .options = options,
    .run = run,
};
