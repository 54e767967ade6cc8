// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/* xinv translate: one request, or a line of JSON each, and the host commands for it. */
#include "cli/cache_info.h"
#include "cli/request_options.h"
#include "cli/translation.h"

enum {
    JSONL = REQUEST_N_OPTIONS,
    JSON,
    AS_BYTES
};

static const struct cli_option options[] = {
    REQUEST_OPTIONS,
    {"jsonl", NULL, "read requests from standard input, a JSON object a line"},
    {"json", NULL, "print one JSON object"},
    {"as-bytes", NULL, "print the request as --invalidate-bytes takes it, and no commands"},
    {NULL, NULL, NULL},
};

struct settings {
    struct request_source source;
    bool jsonl;
    bool json;
    bool as_bytes;
};

static int take_option(const struct cli_command *command, void *context, int option,
                       const char *value)
{
    struct settings *s = context;

    switch (option) {
    case JSONL:
        s->jsonl = true;
        return CLI_OK;
    case JSON:
        s->json = true;
        return CLI_OK;
    case AS_BYTES:
        s->as_bytes = true;
        return CLI_OK;
    case CLI_OPERAND:
        return cli_misuse(command, "'%s' is not expected; requests are given by options", value);
    default:
        return request_source_take(command, &s->source, option, value);
    }
}

static void print(const struct translation *t, const struct settings *s)
{
    cJSON *item;

    if (!s->json) {
        translation_print(t);
        return;
    }
    item = translation_json(t);
    translation_add_id(item, s->source.request);
    json_print(item, true);
    cJSON_Delete(item);
}

static int print_bytes(const struct xinv_request *request, const char *where)
{
    struct cache_info_error error;
    uint8_t bytes[CACHE_INFO_BYTES];

    if (!cache_info_write(request, bytes, &error))
        return cli_fail(CLI_INPUT, "%s: %s%s%s", where, error.field ? error.field : "",
                        error.field ? ": " : "", error.text);
    for (size_t i = 0; i < sizeof(bytes); i++)
        printf("%02x", bytes[i]);
    printf("\n");
    return CLI_OK;
}

static int translate_one(const struct cli_command *command, struct settings *s)
{
    static struct translation t;
    int status = request_source_read(command, &s->source, &t.request);

    if (status)
        return status;
    if (s->as_bytes)
        return print_bytes(&t.request.request, request_source_name(&s->source));
    if (translation_run(&t) < 0)
        status = translation_fail(&t, request_source_name(&s->source));
    else
        print(&t, s);
    translation_free(&t);
    return status;
}

static int run(const struct cli_command *command, int argc, char **argv)
{
    struct settings s = {.json = false};
    int status = cli_each(command, argc, argv, take_option, &s);

    if (!status && s.jsonl && (s.source.input || s.source.options))
        status = cli_misuse(command, "a request comes from options, --input or --jsonl");
    else if (!status && s.as_bytes && (s.jsonl || s.json))
        status = cli_misuse(command, "--as-bytes goes with neither --json nor --jsonl");
    else if (!status)
        status = s.jsonl ? translation_lines(stdin) : translate_one(command, &s);
    request_source_free(&s.source);
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
