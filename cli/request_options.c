// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
#include "cli/request_options.h"

#include <stdlib.h>
#include <string.h>

#include "cli/cache_info.h"

const char request_options_help[] =
    "Keys of --attach: stage (stage1, stage2, nested, passthrough), rid, pasid, asid, did, vmid,\n"
    "ats, pasid_enabled, pasids_unknown, queue_depth, queue_id, pfsid, pci_id. A tag that is not\n"
    "given is unknown; without pasid the traffic carries none. docs/json.md describes the JSON.\n"
    "--invalidate-bytes takes 56 bytes in hexadecimal, or @ and the name of a file that has them.\n"
    "The platform of the only --platform-file is that of requests that name neither a platform\n"
    "nor a vendor.\n";

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

/* A file of raw bytes becomes the digits that it abbreviates. */
static int add_bytes(cJSON *request, const char *text)
{
    char hex[2 * CACHE_INFO_BYTES + 1] = "";
    char why[200];
    size_t n;
    char *bytes;

    if (text[0] != '@') {
        json_add_text(part(request, "invalidate"), "bytes", text);
        return CLI_OK;
    }
    bytes = cli_read(text + 1, 1u << 20, &n, why, sizeof(why));
    if (!bytes)
        return cli_fail(CLI_INPUT, "%s: %s", text + 1, why);
    if (n > CACHE_INFO_BYTES) {
        free(bytes);
        return cli_fail(CLI_INPUT, "%s: %zu bytes; the structure has %d", text + 1, n,
                        CACHE_INFO_BYTES);
    }
    for (size_t i = 0; i < n; i++)
        snprintf(hex + 2 * i, 3, "%02x", (unsigned char)bytes[i]);
    free(bytes);
    json_add_text(part(request, "invalidate"), "bytes", hex);
    return CLI_OK;
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
static cJSON *subject(cJSON *request)
{
    return part(request, "subject");
}

static int add_range(const struct cli_command *command, cJSON *request, const char *text)
{
    const char *dots = strstr(text, "..");
    char first[32];

    if (!dots || dots == text || !dots[2] || (size_t)(dots - text) >= sizeof(first))
        return cli_misuse(command, "'%s' is not FIRST..LAST", text);
    snprintf(first, sizeof(first), "%.*s", (int)(dots - text), text);
    json_add_text(subject(request), "first", first);
    json_add_text(subject(request), "last", dots + 2);
    return CLI_OK;
}

static int add_option(const struct cli_command *command, cJSON *request, int option,
                      const char *value)
{
    static const char *const subject_keys[] = {
        [REQUEST_CHANGE] = "what",
        [REQUEST_FROM] = "from",
        [REQUEST_SCOPE] = "scope",
        [REQUEST_LEAF_SIZE] = "leaf_size",
        [REQUEST_SMALLEST_LEAF] = "smallest_leaf",
        [REQUEST_GRANULE] = "granule",
        [REQUEST_LEAF_ONLY] = "leaf_only",
        [REQUEST_GLOBAL] = "global",
        [REQUEST_LEAVES_WITHIN] = "leaves_within",
        [REQUEST_PASID] = "pasid",
        [REQUEST_ASID] = "asid",
        [REQUEST_NEW_DID] = "new_did",
        [REQUEST_ENUMERATED] = "enumerated",
        [REQUEST_BEYOND] = "beyond",
    };

    switch (option) {
    case REQUEST_PLATFORM:
        json_add_text(request, "platform", value);
        return CLI_OK;
    case REQUEST_VENDOR:
        json_add_text(request, "vendor", value);
        return CLI_OK;
    case REQUEST_REGISTER:
        return add_pair(command, part(request, "registers"), value);
    case REQUEST_SET:
        return add_pair(command, part(request, "settings"), value);
    case REQUEST_KIND:
        json_add_text(request, "kind", value);
        return CLI_OK;
    case REQUEST_ATTACH:
        return add_attachment(command, request, value);
    case REQUEST_INVALIDATE:
        add_caches(request, value);
        return CLI_OK;
    case REQUEST_INVALIDATE_BYTES:
        return add_bytes(request, value);
    case REQUEST_RANGE:
        return add_range(command, request, value);
    case REQUEST_POLICY:
        return add_policy(command, request, value);
    case REQUEST_MAX_COMMANDS:
        json_add_text(request, "max_commands", value);
        return CLI_OK;
    case REQUEST_COMPLETION:
        return add_completion(command, request, value);
    default:
        if (value)
            json_add_text(subject(request), subject_keys[option], value);
        else
            json_add_bool(subject(request), subject_keys[option], true);
        return CLI_OK;
    }
}

/* Moves what the options said of the request under `change` or `invalidate`. */
static void settle(cJSON *request)
{
    cJSON *from = cJSON_DetachItemFromObjectCaseSensitive(request, "subject");
    cJSON *to = cJSON_GetObjectItemCaseSensitive(request, "invalidate");

    if (!from)
        return;
    if (!to) {
        cJSON_AddItemToObject(request, "change", from);
        return;
    }
    while (from->child) {
        cJSON *v = cJSON_DetachItemViaPointer(from, from->child);

        cJSON_AddItemToObject(to, v->string, v);
    }
    cJSON_Delete(from);
}

int request_source_take(const struct cli_command *command, struct request_source *source,
                        int option, const char *value)
{
    switch (option) {
    case REQUEST_PLATFORM_FILE:
    case REQUEST_VENDOR_FILE:
        return CLI_OK; /* cli_platform_files_read() has read them; they go with --input as well */
    case REQUEST_INPUT:
        source->input = value;
        return CLI_OK;
    default:
        source->options = true;
        if (!source->request)
            source->request = json_object();
        return add_option(command, source->request, option, value);
    }
}

const char *request_source_name(const struct request_source *source)
{
    return source->input ? source->input : "request";
}

int request_source_read(const struct cli_command *command, struct request_source *source,
                        struct request *request)
{
    struct request_error error;

    if (source->input && source->options)
        return cli_misuse(command, "a request comes from options or --input");
    if (!source->input && !source->options)
        return cli_misuse(command, "no request is given");
    if (source->options)
        settle(source->request);
    else
        source->request = json_read(source->input, REQUEST_MAX_BYTES);
    if (!source->request)
        return CLI_INPUT;
    if (request_read(request, source->request, &error))
        return CLI_OK;
    if (source->options)
        return cli_misuse(command, "%s%s%s", error.path, *error.path ? ": " : "", error.text);
    return cli_fail(CLI_INPUT, "%s: %s%s%s", source->input, error.path, *error.path ? ": " : "",
                    error.text);
}

void request_source_free(struct request_source *source)
{
    cJSON_Delete(source->request);
    *source = (struct request_source){0};
}
