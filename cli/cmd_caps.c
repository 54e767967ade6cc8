// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/* xinv caps: ID registers by field, and what each field changes for invalidation. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "cli/caps.h"
#include "cli/json.h"

enum {
    SMMUV3,
    VTD,
    AMD,
    JSON
};

static const struct cli_option options[] = {
    {"smmuv3", "NAME=VALUE,...", "registers IDR0, IDR1, IDR3, IDR5, IDR6, IIDR, AIDR"},
    {"vtd", "NAME=VALUE,...", "registers CAP, ECAP"},
    {"amd", "NAME=VALUE,...", "the capability header CAP; registers EFR, EFR2"},
    {"json", NULL, "one JSON document"},
    {NULL, NULL, NULL},
};

#define MAX_REGISTERS 8

struct given {
    const struct caps_register *r;
    uint64_t value;
};

struct settings {
    const char *vendor;
    struct given given[MAX_REGISTERS];
    unsigned n;
    bool json;
};

/* ---- What a value means -------------------------------------------------------------------------
 */

static void meaning(const struct caps_field *f, uint64_t value, char *text, size_t size)
{
    const char *pattern = value || !f->clear ? f->set : f->clear;
    const char *hash;

    if (f->texts) {
        pattern = "reserved";
        for (uint64_t i = 0; f->texts[i]; i++)
            if (i == value)
                pattern = f->texts[i];
    } else if (!value && !f->clear && !f->times && f->high == f->low) {
        pattern = "absent"; /* a flag that is off */
    }
    hash = f->times ? strchr(pattern, '#') : NULL;
    if (hash)
        snprintf(text, size, "%.*s%" PRIu64 "%s", (int)(hash - pattern), pattern,
                 f->base + f->times * value, hash + 1);
    else
        snprintf(text, size, "%s", pattern);
}

static uint64_t field_value(const struct caps_field *f, uint64_t value)
{
    return value >> f->low & ((UINT64_C(2) << (f->high - f->low)) - 1);
}

/* The flag without which a register says nothing, where it is known to be 0; or NULL. */
static const char *missing(const struct settings *s, const struct caps_register *r, char *text,
                           size_t size)
{
    for (unsigned i = 0; r->with_register && i < s->n; i++) {
        const struct given *g = &s->given[i];

        if (strcmp(g->r->name, r->with_register) != 0)
            continue;
        for (unsigned k = 0; k < g->r->n_fields; k++)
            if (!strcmp(g->r->fields[k].name, r->with_field) &&
                !field_value(&g->r->fields[k], g->value)) {
                snprintf(text, size, "%s.%s is 0", r->with_register, r->with_field);
                return text;
            }
    }
    return NULL;
}

static const char *bits_of(const struct caps_field *f, char *text, size_t size)
{
    if (f->high == f->low)
        snprintf(text, size, "%u", f->low);
    else
        snprintf(text, size, "%u:%u", f->high, f->low);
    return text;
}

/* Bits that are set and have no row. */
static uint64_t others(const struct given *g)
{
    uint64_t rest = g->value;

    for (unsigned i = 0; i < g->r->n_fields; i++) {
        const struct caps_field *f = &g->r->fields[i];

        rest &= ~(((UINT64_C(2) << (f->high - f->low)) - 1) << f->low);
    }
    return rest;
}

static int name_width(const struct settings *s)
{
    size_t width = 0;

    for (unsigned i = 0; i < s->n; i++)
        for (unsigned k = 0; k < s->given[i].r->n_fields; k++)
            if (strlen(s->given[i].r->fields[k].name) > width)
                width = strlen(s->given[i].r->fields[k].name);
    return (int)width;
}

static void print_register(const struct settings *s, const struct given *g)
{
    char flag[64];

    printf("%s %s = 0x%" PRIx64 "\n", s->vendor, g->r->name, g->value);
    if (missing(s, g->r, flag, sizeof(flag))) {
        printf("  not used: %s\n", flag);
        return;
    }
    for (unsigned i = 0; i < g->r->n_fields; i++) {
        const struct caps_field *f = &g->r->fields[i];
        uint64_t value = field_value(f, g->value);
        char text[256];
        char bits[16];

        meaning(f, value, text, sizeof(text));
        printf("  %-*s  %5s  %5" PRIu64 "  %s\n", name_width(s), f->name,
               bits_of(f, bits, sizeof(bits)), value, text);
    }
    if (others(g))
        printf("  other bits: 0x%" PRIx64 ", which change no invalidation\n", others(g));
}

static cJSON *register_json(const struct settings *s, const struct given *g)
{
    cJSON *item = json_object();
    cJSON *list;
    char flag[64];

    json_add_text(item, "name", g->r->name);
    json_add_hex(item, "value", g->value);
    if (missing(s, g->r, flag, sizeof(flag)))
        json_add_text(item, "not_used", flag);
    list = json_add_array(item, "fields");
    for (unsigned i = 0; i < g->r->n_fields; i++) {
        const struct caps_field *f = &g->r->fields[i];
        uint64_t value = field_value(f, g->value);
        cJSON *field = json_object();
        char text[256];
        char bits[16];

        meaning(f, value, text, sizeof(text));
        json_add_text(field, "name", f->name);
        json_add_text(field, "bits", bits_of(f, bits, sizeof(bits)));
        json_add_count(field, "value", value);
        json_add_text(field, "meaning", text);
        json_append(list, field);
    }
    json_add_hex(item, "other_bits", others(g));
    return item;
}

static void print(const struct settings *s)
{
    cJSON *document = s->json ? json_object() : NULL;
    cJSON *list = NULL;

    if (document) {
        json_add_text(document, "vendor", s->vendor);
        list = json_add_array(document, "registers");
    }
    for (unsigned i = 0; i < s->n; i++) {
        if (document)
            json_append(list, register_json(s, &s->given[i]));
        else
            print_register(s, &s->given[i]);
    }
    if (document)
        json_print(document, true);
    cJSON_Delete(document);
}

/* ---- The command -------------------------------------------------------------------------------
 */

static int take_register(const struct cli_command *command, struct settings *s,
                         const struct caps_register *known, const char *text)
{
    const char *equals = strchr(text, '=');
    const struct caps_register *r = known;
    uint64_t value;

    if (!equals || equals == text)
        return cli_misuse(command, "'%s' is not NAME=VALUE", text);
    while (r->name && (strlen(r->name) != (size_t)(equals - text) ||
                       strncasecmp(r->name, text, (size_t)(equals - text)) != 0))
        r++;
    if (!r->name)
        return cli_misuse(command, "%s has no register '%.*s' here", s->vendor,
                          (int)(equals - text), text);
    if (!cli_number(equals + 1, UINT64_MAX, &value))
        return cli_misuse(command, "'%s' is no value of %s; expected decimal or 0x... digits",
                          equals + 1, r->name);
    for (unsigned i = 0; i < s->n; i++)
        if (s->given[i].r == r)
            return cli_misuse(command, "%s is given twice", r->name);
    if (s->n == MAX_REGISTERS)
        return cli_misuse(command, "more than %d registers", MAX_REGISTERS);
    s->given[s->n++] = (struct given){r, value};
    return CLI_OK;
}

static int take_list(const struct cli_command *command, struct settings *s, const char *vendor,
                     const struct caps_register *known, const char *text)
{
    char *copy;
    int status = CLI_OK;

    if (s->vendor && strcmp(s->vendor, vendor) != 0)
        return cli_misuse(command, "registers of one vendor at a time");
    s->vendor = vendor;
    copy = cli_copy(text);
    for (char *save, *p = strtok_r(copy, ",", &save); p && !status; p = strtok_r(NULL, ",", &save))
        status = take_register(command, s, known, p);
    free(copy);
    return status;
}

static int take(const struct cli_command *command, void *context, int option, const char *value)
{
    struct settings *s = context;

    switch (option) {
    case SMMUV3:
        return take_list(command, s, "smmuv3", caps_smmuv3, value);
    case VTD:
        return take_list(command, s, "vtd", caps_vtd, value);
    case AMD:
        return take_list(command, s, "amdvi", caps_amdvi, value);
    case JSON:
        s->json = true;
        return CLI_OK;
    default: /* CLI_OPERAND */
        return cli_misuse(command, "'%s' is not expected; registers are given by options", value);
    }
}

static int run(const struct cli_command *command, int argc, char **argv)
{
    struct settings s = {.n = 0};
    int status = cli_each(command, argc, argv, take, &s);

    if (status == CLI_HELP)
        return CLI_OK;
    if (!status && !s.n)
        status = cli_misuse(command, "no register is given");
    if (!status)
        print(&s);
    return status;
}

const struct cli_command cli_caps = {
    .name = "caps",
    .operands = "",
    .summary = "Prints what each field of an IOMMU's ID registers changes for invalidation.",
    .options = options,
    .run = run,
};
