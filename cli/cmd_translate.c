// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/* xinv translate: one request, or a line of JSON each, and the host commands for it. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cli/command_text.h"
#include "cli/platform.h"
#include "cli/request.h"
#include "cli/translation.h"

enum {
    PLATFORM,
    PLATFORM_FILE,
    VENDOR_FILE,
    VENDOR,
    REGISTER,
    SET,
    ATTACH,
    CHANGE,
    FROM,
    INVALIDATE,
    SCOPE,
    RANGE,
    LEAF_SIZE,
    SMALLEST_LEAF,
    GRANULE,
    LEAF_ONLY,
    GLOBAL,
    LEAVES_WITHIN,
    PASID,
    ASID,
    NEW_DID,
    ENUMERATED,
    BEYOND,
    POLICY,
    MAX_COMMANDS,
    COMPLETION,
    INPUT,
    JSONL,
    JSON
};

static const struct cli_option options[] = {
    {"platform", "NAME", "a built-in platform (xinv platforms lists them)"},
    CLI_PLATFORM_FILE_OPTIONS,
    {"vendor", "NAME", "smmuv3, vtd or amdvi: the IOMMU is given by its ID registers"},
    {"register", "NAME=VALUE", "an ID register's value"},
    {"set", "NAME=VALUE", "a feature's value, whatever the registers say"},
    {"attach", "KEY=VALUE,...", "an attachment, such as stage=stage2,rid=0x310,did=0x2a,ats"},
    {"change", "WHAT", "what software changed, such as stage2_pte or device_entry"},
    {"from", "STATE", "the entry's state before: present (default) or not_present"},
    {"invalidate", "CACHE,...", "an explicit request: iotlb, device_tlb, pasid_config, ..."},
    {"scope", "SCOPE", "of an explicit request: domain, pasid or address"},
    {"range", "FIRST..LAST", "addresses in bytes, both inclusive"},
    {"leaf-size", "LOG2", "the largest leaf that was removed, as log2 of its bytes"},
    {"smallest-leaf", "LOG2", "the smallest leaf that was removed; goes with --leaf-size"},
    {"granule", "LOG2", "the page table's granule: 12, 14 or 16"},
    {"leaf-only", NULL, "no table page was changed or freed"},
    {"global", NULL, "global entries may be among the stale ones"},
    {"leaves-within", NULL, "no leaf that was removed reaches beyond the range"},
    {"pasid", "N", "the PASID that an explicit request names"},
    {"asid", "N", "the ASID that an explicit request names"},
    {"new-did", "N", "the tag that the changed entry has now"},
    {"enumerated", NULL, "the attachments are every live one of the IOMMU"},
    {"beyond", NULL, "commands that reach other users' entries are allowed"},
    {"policy", "POLICY", "exact (default), latency or at-most:K"},
    {"max-commands", "N", "a wider scope beyond this many commands for one tag and cache"},
    {"completion", "HOW", "none (default), or of store=ADDRESS:DATA,interrupt,fence,drain"},
    {"input", "FILE", "read the request as one JSON object (- for standard input)"},
    {"jsonl", NULL, "read requests from standard input, a JSON object a line"},
    {"json", NULL, "print one JSON object"},
    {NULL, NULL, NULL},
};

static const char help[] =
    "Keys of --attach: stage (stage1, stage2, nested, passthrough), rid, pasid, asid, did, vmid,\n"
    "ats, pasid_enabled, pasids_unknown, queue_depth, queue_id, pfsid, pci_id. A tag that is not\n"
    "given is unknown; without pasid the traffic carries none. docs/json.md describes the JSON.\n"
    "The platform of the only --platform-file is that of requests that name neither a platform\n"
    "nor a vendor.\n";

struct settings {
    cJSON *request; /* made of options */
    const char *input;
    bool options; /* the request comes from options */
    bool jsonl;
    bool json;
};

/* ---- Options become the JSON that they abbreviate -----------------------------------------------
 */

static cJSON *part(cJSON *in, const char *key)
{
    cJSON *v = cJSON_GetObjectItemCaseSensitive(in, key);

    return v ? v : json_add_object(in, key);
}

static int add_pair(const struct cli_command *command, cJSON *to, const char *text)
{
    const char *equals = strchr(text, '=');
    char name[64];

    if (!equals || equals == text || (size_t)(equals - text) >= sizeof(name))
        return cli_misuse(command, "'%s' is not NAME=VALUE", text);
    snprintf(name, sizeof(name), "%.*s", (int)(equals - text), text);
    json_add_text(to, name, equals + 1);
    return CLI_OK;
}

/* stage=stage2,rid=0x310,ats: a key without a value is true. */
static int add_attachment(const struct cli_command *command, cJSON *request, const char *text)
{
    cJSON *list = cJSON_GetObjectItemCaseSensitive(request, "attachments");
    cJSON *item = json_object();
    char *copy = cli_copy(text);
    int status = CLI_OK;

    if (!list)
        list = json_add_array(request, "attachments");
    json_append(list, item);
    for (char *save, *p = strtok_r(copy, ",", &save); p && !status; p = strtok_r(NULL, ",", &save))
        if (strchr(p, '='))
            status = add_pair(command, item, p);
        else
            json_add_bool(item, p, true);
    free(copy);
    return status;
}

static void add_caches(cJSON *request, const char *text)
{
    cJSON *list = json_add_array(part(request, "invalidate"), "caches");
    char *copy = cli_copy(text);

    for (char *save, *p = strtok_r(copy, ",", &save); p; p = strtok_r(NULL, ",", &save))
        json_append_text(list, p);
    free(copy);
}

static int add_completion(const struct cli_command *command, cJSON *request, const char *text)
{
    cJSON *to;
    char *copy;
    int status = CLI_OK;

    if (!strcmp(text, "none"))
        return CLI_OK;
    to = part(request, "completion");
    copy = cli_copy(text);
    for (char *save, *p = strtok_r(copy, ",", &save); p && !status;
         p = strtok_r(NULL, ",", &save)) {
        char *colon = strchr(p, ':');

        if (strncmp(p, "store=", 6)) {
            json_add_bool(to, p, true);
        } else if (!colon) {
            status = cli_misuse(command, "'%s' is not store=ADDRESS:DATA", p);
        } else {
            *colon = '\0';
            json_add_text(to, "address", p + 6);
            json_add_text(to, "data", colon + 1);
        }
    }
    free(copy);
    return status;
}

static int add_policy(const struct cli_command *command, cJSON *request, const char *text)
{
    struct xinv_policy policy = {0};
    int status = cli_policy(command, text, &policy);

    if (status)
        return status;
    if (policy.kind == XINV_POLICY_AT_MOST)
        json_add_count(part(request, "policy"), "at_most", policy.blocks);
    else
        json_add_text(request, "policy", text);
    return CLI_OK;
}

/* Where what an option says belongs: the change, unless the request is an explicit one. */
static cJSON *subject(struct settings *s)
{
    return part(s->request, "subject");
}

static int add_range(const struct cli_command *command, struct settings *s, const char *text)
{
    const char *dots = strstr(text, "..");
    char first[32];

    if (!dots || dots == text || !dots[2] || (size_t)(dots - text) >= sizeof(first))
        return cli_misuse(command, "'%s' is not FIRST..LAST", text);
    snprintf(first, sizeof(first), "%.*s", (int)(dots - text), text);
    json_add_text(subject(s), "first", first);
    json_add_text(subject(s), "last", dots + 2);
    return CLI_OK;
}

static int take_option(const struct cli_command *command, struct settings *s, int option,
                       const char *value)
{
    static const char *const subject_keys[] = {
        [CHANGE] = "what",
        [FROM] = "from",
        [SCOPE] = "scope",
        [LEAF_SIZE] = "leaf_size",
        [SMALLEST_LEAF] = "smallest_leaf",
        [GRANULE] = "granule",
        [LEAF_ONLY] = "leaf_only",
        [GLOBAL] = "global",
        [LEAVES_WITHIN] = "leaves_within",
        [PASID] = "pasid",
        [ASID] = "asid",
        [NEW_DID] = "new_did",
        [ENUMERATED] = "enumerated",
        [BEYOND] = "beyond",
    };

    if (option != INPUT && option != JSONL && option != JSON && option != PLATFORM_FILE &&
        option != VENDOR_FILE)
        s->options = true;
    switch (option) {
    case PLATFORM_FILE:
    case VENDOR_FILE:
        return CLI_OK;
    case PLATFORM:
        json_add_text(s->request, "platform", value);
        return CLI_OK;
    case VENDOR:
        json_add_text(s->request, "vendor", value);
        return CLI_OK;
    case REGISTER:
        return add_pair(command, part(s->request, "registers"), value);
    case SET:
        return add_pair(command, part(s->request, "settings"), value);
    case ATTACH:
        return add_attachment(command, s->request, value);
    case INVALIDATE:
        add_caches(s->request, value);
        return CLI_OK;
    case RANGE:
        return add_range(command, s, value);
    case POLICY:
        return add_policy(command, s->request, value);
    case MAX_COMMANDS:
        json_add_text(s->request, "max_commands", value);
        return CLI_OK;
    case COMPLETION:
        return add_completion(command, s->request, value);
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
        if (value)
            json_add_text(subject(s), subject_keys[option], value);
        else
            json_add_bool(subject(s), subject_keys[option], true);
        return CLI_OK;
    }
}

/* Moves what the options said of the request under `change` or `invalidate`. */
static void settle_subject(struct settings *s)
{
    cJSON *from = cJSON_DetachItemFromObjectCaseSensitive(s->request, "subject");
    cJSON *to = cJSON_GetObjectItemCaseSensitive(s->request, "invalidate");

    if (!from)
        return;
    if (!to) {
        cJSON_AddItemToObject(s->request, "change", from);
        return;
    }
    while (from->child) {
        cJSON *v = cJSON_DetachItemViaPointer(from, from->child);

        cJSON_AddItemToObject(to, v->string, v);
    }
    cJSON_Delete(from);
}

/* ---- Input -------------------------------------------------------------------------------------
 */

/* Line and column of a byte offset, from 1. */
static void locate(const char *text, size_t at, unsigned *line, unsigned *column)
{
    *line = 1;
    *column = 1;
    for (size_t i = 0; i < at; i++) {
        (*column)++;
        if (text[i] == '\n') {
            (*line)++;
            *column = 1;
        }
    }
}

static int read_input(struct settings *s)
{
    const char *end = NULL;
    size_t size = 0;
    char why[200];
    char *text = cli_read(s->input, TRANSLATION_MAX_LINE, &size, why, sizeof(why));
    int status = CLI_OK;

    if (!text)
        return cli_fail(CLI_INPUT, "%s: %s", s->input, why);
    cJSON_Delete(s->request);
    s->request = cJSON_ParseWithLengthOpts(text, size + 1, &end, 1);
    if (!s->request) {
        unsigned line;
        unsigned column;

        locate(text, end ? (size_t)(end - text) : 0, &line, &column);
        status =
            cli_fail(CLI_INPUT, "%s:%u:%u: not JSON; expected one object", s->input, line, column);
    }
    free(text);
    return status;
}

/* ---- The command -------------------------------------------------------------------------------
 */

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
        settle_subject(&s);
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
    return status;
}

const struct cli_command cli_translate = {
    .name = "translate",
    .operands = "",
    .summary = "Prints the host commands for one request.",
    .help = help,
    .options = options,
    .run = run,
};
