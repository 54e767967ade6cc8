// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/* xinv encode: a command's words from its name and fields. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cli/fault_text.h"
#include "cli/json.h"
#include "cli/vendor_iommu.h"
#include "core/backend.h"

enum {
    BIN = VENDOR_IOMMU_OPTIONS
};

static const struct cli_option options[] = {
    VENDOR_IOMMU_OPTION_TEXTS,
    {"bin", "FILE", "write raw commands, little-endian, instead of text"},
    {NULL, NULL, NULL},
};

static const char help[] =
    "VENDOR is smmuv3, vtd, amdvi or vtd_hwpt. A field that is not given is 0; values are decimal\n"
    "or 0x. With - commands come from standard input, a JSON object a line, as decode --json prints\n"
    "them: {\"name\": ..., \"fields\": {...}}; other keys are not looked at. A command that the\n"
    "IOMMU does not take is an error.\n";

#define MAX_LINE (1u << 16)

struct settings {
    struct vendor_iommu vendor;
    struct xinv_iommu iommu;
    const char *name;
    const char *pairs[XINV_MAX_FIELDS];
    unsigned n;
    bool standard_input;
    const char *bin;
    struct cli_file out;
};

static void print_words(const struct settings *s, const uint64_t *words, int n)
{
    for (int i = 0; i < n; i++) {
        if (!s->bin) {
            printf("%s0x%016" PRIx64, i ? " " : "", words[i]);
            continue;
        }
        for (unsigned shift = 0; shift < 64; shift += 8)
            putc((int)(words[i] >> shift & 0xff), s->out.f);
    }
    if (!s->bin)
        printf("\n");
}

/* The names that a command's fields have here, or those of all commands. */
static void known_names(const struct xinv_iommu *iommu, const char *name, char *text, size_t size)
{
    const struct xinv_codec *codec = iommu->vendor->backend->codec;
    size_t used = 0;

    text[0] = '\0';
    for (unsigned i = 0; i < codec->n_layouts + codec->n_registers; i++) {
        const struct xinv_layout *l =
            i < codec->n_layouts ? &codec->layouts[i] : &codec->registers[i - codec->n_layouts];

        if (!name && used < size)
            used += (size_t)snprintf(text + used, size - used, "%s%s", used ? ", " : "", l->name);
        if (!name || strcmp(name, l->name) != 0)
            continue;
        for (unsigned k = 0; k < l->list->n && used < size; k++)
            if (l->list->fields[k].name)
                used += (size_t)snprintf(text + used, size - used, "%s%s", used ? ", " : "",
                                         l->list->fields[k].name);
    }
}

/* What is wrong, without the place. */
static void explain(const struct xinv_iommu *iommu, const char *name,
                    const struct xinv_fault *fault, char *text, size_t size)
{
    char list[1024];
    char line[200];

    if (fault->kind == XINV_FAULT_OPCODE) {
        known_names(iommu, NULL, list, sizeof(list));
        snprintf(text, size, "%s has no command '%.60s'; known are %s", iommu->vendor->name, name,
                 list);
    } else if (fault->kind == XINV_FAULT_FIELD && !fault->rule) {
        known_names(iommu, name, list, sizeof(list));
        snprintf(text, size, "%s has no field '%.60s'; %s%s", name, fault->field,
                 *list ? "it has " : "it has none", list);
    } else if (fault->kind == XINV_FAULT_FIELD || fault->kind == XINV_FAULT_WIDTH) {
        snprintf(text, size, "%s: %s", name, fault_text(iommu, fault, line, sizeof(line)));
    } else {
        snprintf(text, size, "%s: %s; hardware: %s", name,
                 fault_text(iommu, fault, line, sizeof(line)), xinv_hardware_text(fault->hardware));
    }
}

/* ---- From the command line ----------------------------------------------------------------------
 */

static int encode_operands(const struct cli_command *command, const struct settings *s)
{
    struct xinv_field fields[XINV_MAX_FIELDS];
    char *names[XINV_MAX_FIELDS] = {0};
    uint64_t words[XINV_COMMAND_WORDS];
    struct xinv_fault fault = {0};
    char text[1400];
    int status = CLI_OK;
    int n;

    for (unsigned i = 0; !status && i < s->n; i++) {
        char *equals;

        names[i] = cli_copy(s->pairs[i]);
        equals = strchr(names[i], '=');
        if (!equals)
            status = cli_misuse(command, "'%s' is not FIELD=VALUE", s->pairs[i]);
        else if (!cli_number(equals + 1, UINT64_MAX, &fields[i].value))
            status = cli_misuse(command, "'%s' is no value of %.*s", equals + 1,
                                (int)(equals - names[i]), names[i]);
        if (equals)
            *equals = '\0';
        fields[i].name = names[i];
    }
    if (!status) {
        n = xinv_encode(&s->iommu, s->name, fields, s->n, words, &fault);
        if (n > 0) {
            print_words(s, words, n);
        } else {
            explain(&s->iommu, s->name, &fault, text, sizeof(text));
            status = fault.kind == XINV_FAULT_OPCODE || fault.kind == XINV_FAULT_FIELD ||
                             fault.kind == XINV_FAULT_WIDTH
                         ? cli_misuse(command, "%s", text)
                         : cli_fail(CLI_INPUT, "%s", text);
        }
    }
    for (unsigned i = 0; i < s->n; i++)
        free(names[i]);
    return status;
}

/* ---- From lines of JSON -------------------------------------------------------------------------
 */

static bool read_value(const cJSON *item, uint64_t *value)
{
    const char *text = cJSON_GetStringValue(item);
    double number = cJSON_GetNumberValue(item);

    if (text)
        return cli_number(text, UINT64_MAX, value);
    if (!cJSON_IsNumber(item) || number < 0 || number >= 9007199254740992.0)
        return false;
    *value = (uint64_t)number;
    return (double)*value == number;
}

/* One line; its complaint goes to `text`. */
static bool encode_json(const struct settings *s, const cJSON *item, char *text, size_t size)
{
    const char *name = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(item, "name"));
    const cJSON *map = cJSON_GetObjectItemCaseSensitive(item, "fields");
    struct xinv_field fields[XINV_MAX_FIELDS];
    uint64_t words[XINV_COMMAND_WORDS];
    struct xinv_fault fault = {0};
    unsigned n_fields = 0;
    int n;

    if (!name) {
        snprintf(text, size, "name: expected a command's name");
        return false;
    }
    if (map && !cJSON_IsObject(map)) {
        snprintf(text, size, "fields: expected an object of values");
        return false;
    }
    for (const cJSON *f = map ? map->child : NULL; f; f = f->next) {
        if (n_fields == XINV_MAX_FIELDS || !read_value(f, &fields[n_fields].value)) {
            snprintf(text, size,
                     "fields.%.60s: expected a whole number from 0; one of 2^53 or more as a "
                     "string \"0x...\"",
                     f->string);
            return false;
        }
        fields[n_fields++].name = f->string;
    }
    n = xinv_encode(&s->iommu, name, fields, n_fields, words, &fault);
    if (n > 0)
        print_words(s, words, n);
    else
        explain(&s->iommu, name, &fault, text, size);
    return n > 0;
}

static int encode_lines(const struct settings *s)
{
    char *line = cli_alloc(MAX_LINE, 1);
    uint64_t number = 0;
    int status = CLI_OK;

    while (!status && fgets(line, MAX_LINE, stdin)) {
        size_t n = strlen(line);
        char text[1400];
        cJSON *item;

        number++;
        if (n == MAX_LINE - 1 && line[n - 1] != '\n')
            status = cli_fail(CLI_INPUT, "-:%" PRIu64 ": the line is longer than %u bytes", number,
                              MAX_LINE - 2);
        if (status || !line[strspn(line, " \t\r\n")])
            continue;
        item = cJSON_Parse(line);
        if (!cJSON_IsObject(item))
            status = cli_fail(CLI_INPUT, "-:%" PRIu64 ": not JSON; expected one object", number);
        else if (!encode_json(s, item, text, sizeof(text)))
            status = cli_fail(CLI_INPUT, "-:%" PRIu64 ": %s", number, text);
        cJSON_Delete(item);
    }
    if (!status && ferror(stdin))
        status = cli_fail(CLI_INPUT, "-: cannot be read: %s", strerror(errno));
    free(line);
    return status;
}

/* ---- The command -------------------------------------------------------------------------------
 */

static int take(const struct cli_command *command, void *context, int option, const char *value)
{
    struct settings *s = context;

    if (option == BIN) {
        s->bin = value;
        return CLI_OK;
    }
    if (option != CLI_OPERAND)
        return vendor_iommu_take(command, &s->vendor, option, value);
    if (!s->vendor.vendor) {
        s->vendor.vendor = value;
    } else if (s->standard_input) {
        return cli_misuse(command, "'%s' is not expected behind -", value);
    } else if (!s->name && !strcmp(value, "-")) {
        s->standard_input = true;
    } else if (!s->name) {
        s->name = value;
    } else if (s->n == XINV_MAX_FIELDS) {
        return cli_misuse(command, "more than %d fields", XINV_MAX_FIELDS);
    } else {
        s->pairs[s->n++] = value;
    }
    return CLI_OK;
}

static int run(const struct cli_command *command, int argc, char **argv)
{
    struct settings s = {.n = 0};
    int status = cli_each(command, argc, argv, take, &s);

    if (status == CLI_HELP)
        return CLI_OK;
    if (!status)
        status = vendor_iommu_make(command, &s.vendor, &s.iommu);
    if (!status && !s.name && !s.standard_input)
        status = cli_misuse(command, "no command is named");
    if (!status && s.bin)
        status = cli_file_open(&s.out, s.bin);
    else if (!status)
        s.out.f = NULL;
    if (status)
        return status;
    status = s.standard_input ? encode_lines(&s) : encode_operands(command, &s);
    if (s.bin && !status)
        status = cli_file_commit(&s.out);
    else if (s.bin)
        cli_file_drop(&s.out);
    return status;
}

const struct cli_command cli_encode = {
    .name = "encode",
    .operands = "VENDOR NAME [FIELD=VALUE...] | VENDOR -",
    .summary = "Prints a command's words from its name and fields.",
    .help = help,
    .options = options,
    .run = run,
};
