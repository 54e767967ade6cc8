// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/* xinv filter: a guest's own commands as the host may send them. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <xinv/filter.h>

#include "cli/command_source.h"
#include "cli/command_text.h"
#include "cli/fault_text.h"
#include "cli/vendor_iommu.h"
#include "core/backend.h"
#include "schema/load.h"

enum {
    ATTACH = VENDOR_IOMMU_OPTIONS,
    PASID_BITS,
    BIN,
    JSON
};

static const struct cli_option options[] = {
    VENDOR_IOMMU_OPTION_TEXTS,
    {"attach", "KEY=VALUE,...", "one of the guest's attachments: its names and the host's"},
    {"pasid-bits", "N", "PASIDs below 2^N are the guest's; 0, the default: PASID 0 alone"},
    COMMAND_SOURCE_BIN_OPTION,
    {"json", NULL, "print one JSON object a line"},
    {NULL, NULL, NULL},
};

static const char help[] =
    "VENDOR is smmuv3, vtd or amdvi; the words are those that decode takes. Keys of --attach:\n"
    "guest_rid, guest_did (what the guest calls it), and of the host: rid, did, vmid, stage\n"
    "(nested, unless it is given), ats, queue_depth, queue_id, pfsid.\n"
    "A command is forwarded, rewritten, answered (a sync or wait: nothing goes to the host) or\n"
    "refused; if one is refused, the exit status is 1.\n";

#define MAX_ATTACHMENTS 64
#define MAX_OUT         (2 * MAX_ATTACHMENTS * XINV_COMMAND_WORDS)

struct settings {
    struct vendor_iommu vendor;
    struct xinv_iommu iommu;
    struct xinv_attachment host[MAX_ATTACHMENTS];
    struct xinv_guest_attachment at[MAX_ATTACHMENTS];
    struct xinv_guest guest;
    struct command_source source;
    bool json;
    uint64_t commands;
    uint64_t refused;
    uint64_t out[MAX_OUT];
    struct xinv_step steps[4];
};

/* ---- Attachments -------------------------------------------------------------------------------
 */

enum {
    GUEST_RID,
    GUEST_DID,
    RID,
    DID,
    VMID,
    QUEUE_DEPTH,
    QUEUE_ID,
    PFSID,
    N_KEYS
};

/* What --attach says; a key that is not given is 0. */
struct given {
    uint32_t value[N_KEYS];
    bool known[N_KEYS];
    uint8_t stage;
    uint8_t flags;
};

static int take_number(const struct cli_command *command, struct given *given, const char *key,
                       const char *text)
{
    static const char *const keys[] = {"guest_rid",   "guest_did", "rid",   "did", "vmid",
                                       "queue_depth", "queue_id",  "pfsid", NULL};
    static const uint32_t most[] = {UINT32_MAX, UINT32_MAX, UINT32_MAX, UINT32_MAX,
                                    UINT32_MAX, 32,         UINT16_MAX, UINT16_MAX};
    int k = cli_choice(key, keys);
    char names[100];
    uint64_t value;

    if (k < 0)
        return cli_misuse(command, "--attach has no key '%s'; it has %s, stage, ats", key,
                          cli_join(keys, names, sizeof(names)));
    if (!cli_number(text, most[k], &value))
        return cli_misuse(command, "'%s' is no value of %s; expected 0 to %" PRIu32, text, key,
                          most[k]);
    given->value[k] = (uint32_t)value;
    given->known[k] = true;
    return CLI_OK;
}

static int take_key(const struct cli_command *command, struct given *given, char *text)
{
    char *equals = strchr(text, '=');
    char names[100];
    int stage;

    if (!strcmp(text, "ats")) {
        given->flags |= XINV_ATT_ATS;
        return CLI_OK;
    }
    if (!equals)
        return cli_misuse(command, "'%s' is not KEY=VALUE", text);
    *equals = '\0';
    if (strcmp(text, "stage") != 0)
        return take_number(command, given, text, equals + 1);
    stage = cli_choice(equals + 1, schema_stage_names);
    if (stage < 0)
        return cli_misuse(command, "'%s' is no stage; expected one of %s", equals + 1,
                          cli_join(schema_stage_names, names, sizeof(names)));
    given->stage = (uint8_t)stage;
    return CLI_OK;
}

static uint8_t tag_bit(const struct given *given, unsigned key, unsigned tag)
{
    return (uint8_t)(given->known[key] ? XINV_TAG_BIT(tag) : 0);
}

static void add_attachment(struct settings *s, const struct given *given)
{
    const uint32_t *v = given->value;
    struct xinv_attachment *host = &s->host[s->guest.n];

    *host = (struct xinv_attachment){
        .stage = given->stage,
        .flags = given->flags,
        .known = tag_bit(given, RID, XINV_TAG_RID) | tag_bit(given, DID, XINV_TAG_DID) |
                 tag_bit(given, VMID, XINV_TAG_VMID),
        .rid = v[RID],
        .did = v[DID],
        .vmid = v[VMID],
        .queue_depth = (uint8_t)v[QUEUE_DEPTH],
        .queue_id = (uint16_t)v[QUEUE_ID],
        .pfsid = (uint16_t)v[PFSID],
    };
    s->at[s->guest.n++] = (struct xinv_guest_attachment){
        .host = host,
        .rid = v[GUEST_RID],
        .did = v[GUEST_DID],
        .known = tag_bit(given, GUEST_RID, XINV_TAG_RID) | tag_bit(given, GUEST_DID, XINV_TAG_DID),
    };
}

static int take_attachment(const struct cli_command *command, struct settings *s, const char *text)
{
    struct given given = {.stage = XINV_STAGE_NESTED};
    char *copy;
    int status = CLI_OK;

    if (s->guest.n == MAX_ATTACHMENTS)
        return cli_misuse(command, "more than %d attachments", MAX_ATTACHMENTS);
    copy = cli_copy(text);
    for (char *save, *p = strtok_r(copy, ",", &save); p && !status; p = strtok_r(NULL, ",", &save))
        status = take_key(command, &given, p);
    free(copy);
    if (!status)
        add_attachment(s, &given);
    return status;
}

/* ---- One command -------------------------------------------------------------------------------
 */

static const char *const verdicts[XINV_FILTER_NVERDICTS] = {[XINV_FILTER_REFUSED] = "refused",
                                                            [XINV_FILTER_ANSWERED] = "answered",
                                                            [XINV_FILTER_FORWARDED] = "forwarded",
                                                            [XINV_FILTER_REWRITTEN] = "rewritten"};
static const char *const reasons[XINV_FILTER_NREASONS] = {
    [XINV_FILTER_ALLOWED] = "allowed",   [XINV_FILTER_INVALID] = "invalid",
    [XINV_FILTER_UNLISTED] = "unlisted", [XINV_FILTER_EMULATED] = "emulated",
    [XINV_FILTER_HINT] = "hint",         [XINV_FILTER_ENDPOINT] = "endpoint",
    [XINV_FILTER_TAG] = "tag",           [XINV_FILTER_PASID] = "pasid",
    [XINV_FILTER_NO_ATS] = "no_ats",     [XINV_FILTER_HOST] = "host"};

static void print_text(const struct settings *s, const uint64_t *words,
                       const struct xinv_filtered *result, const struct xinv_out *out)
{
    struct xinv_decoded d;
    char fault[200];

    xinv_decode(&s->iommu, words, &d);
    printf("%s", d.name ? d.name : "?");
    for (unsigned i = 0; i < s->iommu.words; i++)
        printf(" 0x%016" PRIx64, words[i]);
    printf("  %s", verdicts[result->verdict]);
    if (result->verdict == XINV_FILTER_REFUSED)
        printf(": %s", xinv_filter_text(result->reason));
    if (result->fault.kind)
        printf(": %s", fault_text(&s->iommu, &result->fault, fault, sizeof(fault)));
    printf("\n");
    command_text_steps(&s->iommu, out, "    ");
}

static void print_json(const struct settings *s, const uint64_t *words,
                       const struct xinv_filtered *result, const struct xinv_out *out)
{
    cJSON *item = json_object();
    struct xinv_decoded d;
    char text[600];

    xinv_decode(&s->iommu, words, &d);
    if (d.name)
        json_add_text(item, "name", d.name);
    else
        cJSON_AddNullToObject(item, "name");
    json_add_words(item, "words", words, s->iommu.words);
    json_add_text(item, "verdict", verdicts[result->verdict]);
    if (result->verdict == XINV_FILTER_REFUSED) {
        json_add_text(item, "reason", reasons[result->reason]);
        json_add_text(item, "text", xinv_filter_text(result->reason));
    } else {
        command_json_steps(&s->iommu, out, json_add_array(item, "host"), -1);
    }
    if (result->fault.kind) {
        fault_json(&s->iommu, &result->fault, text, sizeof(text));
        cJSON_AddItemToObject(item, "error", cJSON_Parse(text));
    }
    json_print(item, false);
    cJSON_Delete(item);
}

static void filter(void *context, const uint64_t *words)
{
    struct settings *s = context;
    struct xinv_out out = {
        .words = s->out, .steps = s->steps, .cap_words = MAX_OUT, .cap_steps = 4};
    struct xinv_filtered result = {0};

    xinv_filter(&s->iommu, &s->guest, words, &out, &result);
    s->commands++;
    s->refused += result.verdict == XINV_FILTER_REFUSED;
    if (s->json)
        print_json(s, words, &result, &out);
    else
        print_text(s, words, &result, &out);
}

/* ---- The command -------------------------------------------------------------------------------
 */

static int take(const struct cli_command *command, void *context, int option, const char *value)
{
    struct settings *s = context;
    uint64_t bits;

    switch (option) {
    case ATTACH:
        return take_attachment(command, s, value);
    case PASID_BITS:
        if (!cli_number(value, 20, &bits))
            return cli_misuse(command, "'%s' is no number of bits up to 20", value);
        s->guest.pasid_bits = (uint8_t)bits;
        return CLI_OK;
    case BIN:
        s->source.bin = value;
        return CLI_OK;
    case JSON:
        s->json = true;
        return CLI_OK;
    case CLI_OPERAND:
        if (s->vendor.vendor)
            return command_source_operand(command, &s->source, value);
        s->vendor.vendor = value;
        return CLI_OK;
    default:
        return vendor_iommu_take(command, &s->vendor, option, value);
    }
}

static int run(const struct cli_command *command, int argc, char **argv)
{
    struct settings s = {.commands = 0};
    int status;

    s.guest.at = s.at;
    status = cli_each(command, argc, argv, take, &s);
    if (status == CLI_HELP)
        return CLI_OK;
    if (!status)
        status = vendor_iommu_make(command, &s.vendor, &s.iommu);
    if (!status)
        status = command_source_check(command, &s.source);
    if (!status)
        status = command_source_each(command, &s.source, s.iommu.words,
                                     !strcmp(s.vendor.vendor, "vtd"), filter, &s);
    if (!status && s.refused)
        status = cli_fail(CLI_INPUT, "%" PRIu64 " of %" PRIu64 " command%s %s refused", s.refused,
                          s.commands, cli_s(s.commands), s.refused == 1 ? "is" : "are");
    return status;
}

const struct cli_command cli_filter = {
    .name = "filter",
    .operands = "VENDOR WORDS...|-",
    .summary = "Checks a guest's own commands and rewrites them for the host.",
    .help = help,
    .options = options,
    .run = run,
};
