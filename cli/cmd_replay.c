// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/* xinv replay: recorded requests, and the host commands that they come to. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/command_text.h"
#include "cli/json.h"
#include "cli/platform.h"
#include "cli/replay.h"
#include "cli/replay_table.h"
#include "schema/load.h"

enum {
    PLATFORM,
    PLATFORM_FILE,
    VENDOR_FILE,
    TOPOLOGY,
    POLICY,
    MAX_COMMANDS,
    BATCH,
    LEAF_SIZE,
    LEAF_ONLY,
    COMMANDS,
    BIN,
    JSON
};

static const struct cli_option options[] = {
    {"platform", "NAME|all", "on this platform; may be given again (all without it)"},
    CLI_PLATFORM_FILE_OPTIONS,
    {"topology", "FILE", "endpoints and how they are attached; may be given again"},
    {"policy", "POLICY", "exact (default), latency or at-most:K blocks; may be given again"},
    CLI_MAX_COMMANDS_OPTION,
    {"batch", NULL, "send what the requests of one kick need together"},
    {"leaf-size", "LOG2", "the largest leaf that any UNMAP removed, as log2 of its bytes"},
    {"leaf-only", NULL, "no UNMAP freed a table page; goes with --leaf-size"},
    {"commands", NULL, "print every command, its fields and the request behind it"},
    {"bin", "FILE", "write the queue's words, little-endian; FILE.0, FILE.1... per IOMMU"},
    {"json", NULL, "one JSON document"},
    {NULL, NULL, NULL},
};

static const char help[] =
    "FILE is a capture, plain or gzip: lines 'SECONDS REQUEST RESPONSE' in hexadecimal, 'kick'\n"
    "and '# comment'. Without --topology every endpoint that the capture names is behind one\n"
    "IOMMU, attached through stage 2 (stage 1 where there is no other), without ATS, with its\n"
    "own number as requester ID; host tags are handed out by the session.\n\n"
    "Without --batch every request has commands and syncs of its own. With it a kick has one list:\n"
    "ranges that touch are one, nothing goes out twice, and a MAP, ATTACH or DETACH that meets what\n"
    "is still to be invalidated ends the list early.\n";

#define MOST_POLICIES 18 /* as many as there are */

struct settings {
    struct cli_platforms platforms;
    struct topology *topologies;
    size_t n_topologies;
    struct replay_policy {
        const char *name;
        struct xinv_policy policy;
    } policies[MOST_POLICIES];
    size_t n_policies;
    struct xinv_policy limit; /* max_commands of all of them */
    struct xinv_unmap_hint hint;
    const char *file;
    const char *bin;
    bool named; /* a platform was named, so that it must work */
    bool batch;
    bool commands;
    bool json;
};

/* ---- Every command -----------------------------------------------------------------------------
 */

struct stream {
    const struct settings *settings;
    const struct capture *capture;
    cJSON *requests; /* NULL: text */
    struct cli_file bin[TOPOLOGY_MAX_IOMMUS];
    uint32_t n_iommus;
    uint64_t skipped; /* register steps that no file of words can hold */
};

static void describe(const struct xinv_outcome *o, char *text, size_t size)
{
    size_t used =
        (size_t)snprintf(text, size, "%s", replay_kind_names[o->type < REPLAY_KINDS ? o->type : 0]);

    if (o->type == XINV_VIRTIO_MAP || o->type == XINV_VIRTIO_UNMAP)
        snprintf(text + used, size - used, " domain %" PRIu32 ", 0x%" PRIx64 "..0x%" PRIx64,
                 o->domain, o->first, o->last);
    else if (o->type == XINV_VIRTIO_PROBE)
        snprintf(text + used, size - used, " endpoint 0x%" PRIx32, o->endpoint);
    else if (o->type)
        snprintf(text + used, size - used, " domain %" PRIu32 ", endpoint 0x%" PRIx32, o->domain,
                 o->endpoint);
}

static void print_event(const struct stream *s, const struct xinv_iommu *iommu,
                        const struct replay_event *e)
{
    char text[160];

    describe(e->outcome, text, sizeof(text));
    printf("%" PRIu32 ": %s -> %s", e->request->line, text,
           replay_status_names[e->outcome->status]);
    if (e->k + 1 < e->n) {
        printf("\n");
        return;
    }
    if (s->settings->batch)
        printf("\n%s of %zu request%s", e->early ? "early batch" : "batch", e->n, cli_s(e->n));
    printf("; %d command%s\n", e->commands, cli_s((uint64_t)e->commands));
    for (uint32_t k = 0; k < s->n_iommus; k++) {
        char prefix[32];

        snprintf(prefix, sizeof(prefix), "    iommu %" PRIu32 "  ", k);
        command_text_steps(iommu, &e->outs[k], prefix);
    }
}

static void add_event(const struct stream *s, const struct xinv_iommu *iommu,
                      const struct replay_event *e)
{
    cJSON *item = json_object();
    cJSON *steps;

    json_add_count(item, "line", e->request->line);
    json_add_text(item, "kind",
                  replay_kind_names[e->outcome->type < REPLAY_KINDS ? e->outcome->type : 0]);
    json_add_text(item, "status", replay_status_names[e->outcome->status]);
    if (e->outcome->type != XINV_VIRTIO_PROBE)
        json_add_count(item, "domain", e->outcome->domain);
    if (e->outcome->type == XINV_VIRTIO_MAP || e->outcome->type == XINV_VIRTIO_UNMAP) {
        json_add_hex(item, "first", e->outcome->first);
        json_add_hex(item, "last", e->outcome->last);
    } else {
        json_add_hex(item, "endpoint", e->outcome->endpoint);
    }
    if (s->settings->batch)
        json_add_count(item, "batch", e->list);
    steps = json_add_array(item, "steps");
    for (uint32_t k = 0; e->k + 1 == e->n && k < s->n_iommus; k++)
        command_json_steps(iommu, &e->outs[k], steps, (int)k);
    json_append(s->requests, item);
}

static void put_words(struct stream *s, const struct replay_event *e)
{
    for (uint32_t k = 0; k < s->n_iommus; k++) {
        const struct xinv_out *out = &e->outs[k];

        /* words are stored little-endian by the library */
        if (out->n_words)
            fwrite(out->words, 8, out->n_words, s->bin[k].f);
        for (uint32_t i = 0; i < out->n_steps; i++)
            s->skipped += out->steps[i].kind == XINV_STEP_REGISTER;
    }
}

static int each(void *context, const struct xinv_iommu *iommu, const struct replay_event *event)
{
    struct stream *s = context;

    if (s->settings->bin && event->k + 1 == event->n)
        put_words(s, event);
    if (s->settings->commands && s->requests)
        add_event(s, iommu, event);
    else if (s->settings->commands)
        print_event(s, iommu, event);
    return CLI_OK;
}

static int open_bin(struct stream *s)
{
    for (uint32_t k = 0; s->settings->bin && k < s->n_iommus; k++) {
        char path[4096];
        int status;

        if (s->n_iommus > 1)
            snprintf(path, sizeof(path), "%s.%" PRIu32, s->settings->bin, k);
        else
            snprintf(path, sizeof(path), "%s", s->settings->bin);
        status = cli_file_open(&s->bin[k], path);
        if (status) {
            s->bin[k] = (struct cli_file){0};
            return status;
        }
    }
    return CLI_OK;
}

static int close_bin(struct stream *s, int status)
{
    for (uint32_t k = 0; s->settings->bin && k < s->n_iommus; k++) {
        if (!status)
            status = cli_file_commit(&s->bin[k]);
        else
            cli_file_drop(&s->bin[k]);
    }
    if (!status && s->skipped)
        fprintf(stderr, "xinv: %s: %" PRIu64 " register steps are not in it\n", s->settings->bin,
                s->skipped);
    return status;
}

/* ---- The command -------------------------------------------------------------------------------
 */

static int replay_one(const struct settings *s, const struct capture *capture,
                      const struct xinv_platform *platform, const struct topology *topology,
                      const struct replay_policy *policy, struct replay_result *result,
                      cJSON *platforms)
{
    struct stream stream = {
        .settings = s, .capture = capture, .n_iommus = topology->config.n_iommus};
    struct replay_job job = {.capture = capture,
                             .topology = topology,
                             .platform = platform,
                             .policy = policy->policy,
                             .batch = s->batch,
                             .hint = s->hint,
                             .progress = isatty(2) && !s->commands,
                             .context = &stream};
    int status;

    if (s->commands || s->bin)
        job.each = each;
    if (s->commands && s->json)
        stream.requests = json_array();
    if (s->commands && !s->json)
        printf("# %s, %s%s%s\n", platform->name, topology->name, s->n_policies > 1 ? ", " : "",
               s->n_policies > 1 ? policy->name : "");
    status = open_bin(&stream);
    if (!status)
        status = replay_run(&job, result);
    result->policy = policy->name;
    if (!status && *result->refused && s->named)
        status = cli_fail(CLI_INPUT, "%s, %s: %s", platform->name, topology->name, result->refused);
    status = close_bin(&stream, status);
    if (!status)
        replay_sort_names(result);
    if (!status && platforms) {
        cJSON *item = replay_result_json(result);

        if (stream.requests)
            cJSON_AddItemToObject(item, "stream", stream.requests);
        json_append(platforms, item);
    } else if (stream.requests) {
        cJSON_Delete(stream.requests);
    }
    return status;
}

static int replay_all(const struct settings *s, const struct capture *capture)
{
    size_t n = s->platforms.n * s->n_topologies * s->n_policies;
    struct replay_result *results = cli_alloc(n, sizeof(*results));
    cJSON *document = s->json ? json_object() : NULL;
    cJSON *platforms = NULL;
    size_t done = 0;
    int status = CLI_OK;

    if (document) {
        json_add_text(document, "capture", capture->name);
        json_add_count(document, "kicks", capture->kicks);
        platforms = json_add_array(document, "platforms");
    }
    for (size_t t = 0; !status && t < s->n_topologies; t++)
        for (size_t p = 0; !status && p < s->platforms.n; p++)
            for (size_t k = 0; !status && k < s->n_policies; k++)
                status = replay_one(s, capture, s->platforms.at[p], &s->topologies[t],
                                    &s->policies[k], &results[done++], platforms);
    if (!status && document)
        json_print(document, true);
    else if (!status)
        replay_print(capture, results, done, s->n_topologies);
    for (size_t i = 0; i < done; i++)
        replay_result_free(&results[i]);
    free(results);
    cJSON_Delete(document);
    return status;
}

static int add_policy(const struct cli_command *command, struct settings *s, const char *name)
{
    if (s->n_policies == MOST_POLICIES)
        return cli_misuse(command, "at most %d policies", MOST_POLICIES);
    s->policies[s->n_policies].name = name;
    return cli_policy(command, name, &s->policies[s->n_policies++].policy);
}

static int take_option(const struct cli_command *command, void *context, int option,
                       const char *value)
{
    struct settings *s = context;
    uint64_t number;

    switch (option) {
    case PLATFORM:
        s->named |= strcmp(value, "all") != 0;
        return cli_platforms_add(command, &s->platforms, value);
    case PLATFORM_FILE:
        s->named = true;
        return CLI_OK;
    case VENDOR_FILE:
        return CLI_OK;
    case TOPOLOGY:
        s->topologies = cli_grow(s->topologies, s->n_topologies + 1, sizeof(*s->topologies));
        if (topology_read(&s->topologies[s->n_topologies], value))
            return CLI_INPUT;
        s->n_topologies++;
        return CLI_OK;
    case POLICY:
        return add_policy(command, s, value);
    case MAX_COMMANDS:
        return cli_max_commands(command, value, &s->limit);
    case BATCH:
        s->batch = true;
        return CLI_OK;
    case LEAF_SIZE:
        if (!cli_number(value, 63, &number) || number < 12)
            return cli_misuse(command, "'%s' is no leaf size; expected 12 to 63", value);
        s->hint.log2_leaf_size = (uint8_t)number;
        s->hint.known = 1;
        return CLI_OK;
    case LEAF_ONLY:
        s->hint.leaf_only = 1;
        return CLI_OK;
    case COMMANDS:
        s->commands = true;
        return CLI_OK;
    case BIN:
        s->bin = value;
        return CLI_OK;
    case JSON:
        s->json = true;
        return CLI_OK;
    default: /* CLI_OPERAND */
        if (s->file)
            return cli_misuse(command, "one capture at a time, not '%s' as well", value);
        s->file = value;
        return CLI_OK;
    }
}

static int check_settings(const struct cli_command *command, struct settings *s)
{
    if (!s->file)
        return cli_misuse(command, "no capture is named");
    if (s->hint.leaf_only && !s->hint.known)
        return cli_misuse(command, "--leaf-only needs --leaf-size as well");
    cli_platforms_add_files(&s->platforms);
    if (!s->platforms.n && cli_platforms_add(command, &s->platforms, "all"))
        return CLI_USAGE;
    if (!s->n_topologies) {
        s->topologies = cli_alloc(1, sizeof(*s->topologies));
        topology_default(&s->topologies[s->n_topologies++]);
    }
    if (!s->n_policies && add_policy(command, s, "exact"))
        return CLI_USAGE;
    for (size_t i = 0; i < s->n_policies; i++)
        s->policies[i].policy.max_commands = s->limit.max_commands;
    if (s->n_policies > 1 && s->n_topologies > 1)
        return cli_misuse(command, "several policies or several topologies, not both");
    if (s->bin && (s->platforms.n != 1 || s->n_topologies != 1))
        return cli_misuse(command, "--bin takes one platform and one topology");
    if (s->bin && s->n_policies != 1)
        return cli_misuse(command, "--bin takes one policy");
    return CLI_OK;
}

static int run(const struct cli_command *command, int argc, char **argv)
{
    struct settings s = {0};
    struct capture capture = {0};
    int status = cli_each(command, argc, argv, take_option, &s);

    if (!status)
        status = check_settings(command, &s);
    if (!status)
        status = capture_read(&capture, s.file);
    if (!status)
        status = replay_all(&s, &capture);
    capture_free(&capture);
    for (size_t i = 0; i < s.n_topologies; i++)
        topology_free(&s.topologies[i]);
    free(s.topologies);
    free(s.platforms.at);
    return status == CLI_HELP ? CLI_OK : status;
}

const struct cli_command cli_replay = {
    .name = "replay",
    .operands = "FILE",
    .summary = "Replays a guest's recorded virtio-iommu requests, and counts the host's commands.",
    .help = help,
    .options = options,
    .run = run,
};
