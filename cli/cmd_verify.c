// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/* xinv verify: whether commands do what a request needs, as the model of the hardware sees it. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cli/request_options.h"
#include "cli/translation.h"
#include "cli/verdict.h"
#include "cli/verify.h"

enum {
    COMMANDS = REQUEST_N_OPTIONS,
    TOPOLOGY,
    BATCH,
    JSON
};

static const struct cli_option options[] = {
    REQUEST_OPTIONS,
    {"commands", "FILE", "judge these commands, a command a line, as decode takes them"},
    {"topology", "FILE", "with a capture: endpoints and how they are attached"},
    {"batch", NULL, "with a capture: send what the requests of one kick need together"},
    {"json", NULL, "print one JSON object"},
    {NULL, NULL, NULL},
};

static const char help[] =
    "With a request: the commands of --commands, or else the library's own, are run by a model\n"
    "of the hardware that holds every entry which the request makes stale, removes what it must\n"
    "and nothing else, and does it as late as it may. A line 'wait' in FILE is software that\n"
    "waits for the last sync, 'register' a write-buffer flush.\n"
    "With a capture: every request of it is judged, on one platform or on all, and what else its\n"
    "commands remove is held against what the library reports.\n\n"
    "An exit status of 1 also says that something stale can survive, or that a report is wrong.\n";

#define MOST_GIVEN 64

struct settings {
    struct {
        int option;
        const char *value;
    } given[MOST_GIVEN];
    size_t n;
    const char *commands;
    const char *capture;
    const char *topology;
    bool batch;
    bool json;
};

static int take_option(const struct cli_command *command, void *context, int option,
                       const char *value)
{
    struct settings *s = context;

    switch (option) {
    case COMMANDS:
        s->commands = value;
        return CLI_OK;
    case TOPOLOGY:
        s->topology = value;
        return CLI_OK;
    case BATCH:
        s->batch = true;
        return CLI_OK;
    case JSON:
        s->json = true;
        return CLI_OK;
    case CLI_OPERAND:
        if (s->capture)
            return cli_misuse(command, "one capture at a time, not '%s' as well", value);
        s->capture = value;
        return CLI_OK;
    default:
        if (s->n == MOST_GIVEN)
            return cli_misuse(command, "too many options");
        s->given[s->n].option = option;
        s->given[s->n++].value = value;
        return CLI_OK;
    }
}

/* ---- One request -------------------------------------------------------------------------------
 */

static int own_commands(struct translation *t, const char *where, struct verdict *v)
{
    if (v->config.vendor != MODEL_SMMUV3 && !t->request.completion.store &&
        !t->request.completion.interrupt)
        t->request.completion = (struct xinv_completion){.store = 1, .address = 0x1000, .data = 1};
    if (translation_run(t) < 0)
        return translation_fail(t, where);
    model_run_out(&v->run, &t->out);
    return CLI_OK;
}

static int judge(const struct settings *s, struct translation *t, const char *where)
{
    struct verdict v;
    int status = verdict_open(&v, &t->request.iommu);

    if (status)
        return status;
    status = s->commands ? verdict_read(&v, s->commands) : own_commands(t, where, &v);
    if (!status) {
        char text[400];

        verdict_judge(&v, t->request.at, t->request.n, &t->request.request, NULL);
        request_text(&t->request, text, sizeof(text));
        if (s->json) {
            cJSON *item = verdict_json(&v);

            json_add_text(item, "platform", t->request.platform->name);
            json_print(item, true);
            cJSON_Delete(item);
        } else {
            printf("%s: %s\n", t->request.platform->name, text);
            verdict_print(&v);
        }
        status = verdict_is_clean(&v) ? CLI_OK : CLI_INPUT;
    }
    verdict_close(&v);
    translation_free(t);
    return status;
}

static int one_request(const struct cli_command *command, const struct settings *s)
{
    static struct translation t;
    struct request_source source = {.request = NULL};
    int status = s->n ? CLI_OK : cli_misuse(command, "no request and no capture is given");

    if (!status && s->topology)
        status = cli_misuse(command, "--topology goes with a capture");
    if (!status && s->batch)
        status = cli_misuse(command, "--batch goes with a capture");
    for (size_t i = 0; i < s->n && !status; i++)
        status = request_source_take(command, &source, s->given[i].option, s->given[i].value);
    if (!status)
        status = request_source_read(command, &source, &t.request);
    if (!status)
        status = judge(s, &t, request_source_name(&source));
    request_source_free(&source);
    return status;
}

/* ---- A capture ---------------------------------------------------------------------------------
 */

static int capture_option(const struct cli_command *command, struct verify_job *job,
                          struct cli_platforms *platforms, int option, const char *value)
{
    switch (option) {
    case REQUEST_PLATFORM:
        return cli_platforms_add(command, platforms, value);
    case REQUEST_PLATFORM_FILE:
    case REQUEST_VENDOR_FILE:
        return CLI_OK;
    case REQUEST_POLICY:
        return cli_policy(command, value, &job->policy);
    case REQUEST_MAX_COMMANDS:
        return cli_max_commands(command, value, &job->policy);
    default:
        return cli_misuse(command, "--%s does not go with a capture",
                          command->options[option].name);
    }
}

static int one_platform(const struct verify_job *job, const struct xinv_platform *platform,
                        cJSON *platforms, bool *clean)
{
    struct verify_result result;
    int status = verify_run(job, platform, &result);

    if (status)
        return status;
    *clean = *clean && !result.stale && !result.untold;
    if (platforms) {
        json_append(platforms, verify_json(platform, &result));
        return CLI_OK;
    }
    verify_print(platform, &result);
    return CLI_OK;
}

static int whole_capture(const struct cli_command *command, const struct settings *s)
{
    struct cli_platforms platforms = {0};
    struct topology topology = {0};
    struct capture capture = {0};
    struct verify_job job = {.capture = &capture, .topology = &topology, .batch = s->batch};
    cJSON *document = s->json ? json_object() : NULL;
    cJSON *list = document ? json_add_array(document, "platforms") : NULL;
    bool clean = true;
    int status =
        s->commands ? cli_misuse(command, "--commands does not go with a capture") : CLI_OK;

    for (size_t i = 0; i < s->n && !status; i++)
        status = capture_option(command, &job, &platforms, s->given[i].option, s->given[i].value);
    cli_platforms_add_files(&platforms);
    if (!status && !platforms.n)
        status = cli_platforms_add(command, &platforms, "all");
    if (!status && s->topology)
        status = topology_read(&topology, s->topology);
    else if (!status)
        topology_default(&topology);
    if (!status)
        status = capture_read(&capture, s->capture);
    for (size_t p = 0; p < platforms.n && !status; p++)
        status = one_platform(&job, platforms.at[p], list, &clean);
    if (!status && document)
        json_print(document, true);
    if (!status && !clean)
        status = CLI_INPUT;
    capture_free(&capture);
    topology_free(&topology);
    free(platforms.at);
    cJSON_Delete(document);
    return status;
}

static int run(const struct cli_command *command, int argc, char **argv)
{
    static struct settings s;
    int status;

    memset(&s, 0, sizeof(s));
    status = cli_each(command, argc, argv, take_option, &s);
    if (!status)
        status = s.capture ? whole_capture(command, &s) : one_request(command, &s);
    return status == CLI_HELP ? CLI_OK : status;
}

const struct cli_command cli_verify = {
    .name = "verify",
    .operands = "[CAPTURE]",
    .summary = "Runs commands on a model of the hardware: what stale entry would survive?",
    .help = help,
    .options = options,
    .run = run,
};
