// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/* xinv decode: commands as words, by name and field. */
#include <inttypes.h>
#include <string.h>

#include "cli/command_draw.h"
#include "cli/command_source.h"
#include "cli/fault_text.h"
#include "cli/removal_text.h"
#include "cli/vendor_iommu.h"
#include "core/layout.h"

enum {
    AS = VENDOR_IOMMU_OPTIONS,
    BIN,
    VERBOSE,
    REMOVES,
    JSON
};

static const struct cli_option options[] = {
    VENDOR_IOMMU_OPTION_TEXTS,
    {"as", "REGISTER", "the words are values of this register: CCMD, IVA or IOTLB (vtd)"},
    COMMAND_SOURCE_BIN_OPTION,
    {"verbose", NULL, "draw each command's fields over its bits"},
    {"removes", NULL, "say what each command removes, by the table"},
    {"json", NULL, "print one JSON object a line"},
    {NULL, NULL, NULL},
};

static const char help[] =
    "VENDOR is smmuv3, vtd, amdvi or vtd_hwpt. With - the words come from standard input, one\n"
    "command a line: 64-bit words, low word first; or the same bits as pieces of 8, 4 or 2\n"
    "digits in the order of memory; for vtd also Linux qi_submit and QEMU vtd_inv_desc trace\n"
    "lines. A command that the IOMMU does not take is marked with '!', and the exit status is 1.\n";

struct settings {
    struct vendor_iommu vendor;
    struct xinv_iommu iommu;
    const char *as;
    struct command_source source;
    unsigned n_words; /* in a command */
    int name_width;
    bool verbose;
    bool removes;
    bool json;
    uint64_t commands;
    uint64_t faults;
};

/* ---- One command -------------------------------------------------------------------------------
 */

static char *put(char *at, const char *text)
{
    while (*text)
        *at++ = *text++;
    return at;
}

static char *put_word(char *at, uint64_t word)
{
    at = put(at, "0x");
    for (unsigned shift = 64; shift; shift -= 4)
        *at++ = "0123456789abcdef"[word >> (shift - 4) & 15];
    return at;
}

/* No stdio formatting here: streams are long. */
static void print_text(const struct settings *s, const uint64_t *words, struct xinv_decoded *d)
{
    char line[2048];
    char fault[200];
    char *at = line;
    const char *name = d->name ? d->name : "?";

    memset(at, ' ', (size_t)s->name_width + 1);
    put(at, name);
    at += s->name_width + 1;
    for (unsigned i = 0; i < s->n_words; i++) {
        *at++ = ' ';
        at = put_word(at, words[i]);
    }
    *at++ = ' ';
    d->name = ""; /* the fields alone */
    at += xinv_format(d, at, sizeof(line) / 2);
    while (at[-1] == ' ')
        at--;
    if (d->fault.kind) {
        at = put(at, "  ! ");
        at = put(at, fault_text(&s->iommu, &d->fault, fault, sizeof(fault)));
        at = put(at, "; hardware: ");
        at = put(at, xinv_hardware_text(d->fault.hardware));
    }
    *at++ = '\n';
    fwrite(line, 1, (size_t)(at - line), stdout);
}

static char *put_fields(char *at, const struct xinv_decoded *d)
{
    for (unsigned i = 0; i < d->n_fields; i++) {
        struct xinv_decoded one = {.name = "", .n_fields = 1, .fields = {{"", d->fields[i].value}}};
        char value[24];

        if (i)
            *at++ = ',';
        *at++ = '"';
        at = put(at, d->fields[i].name);
        at = put(at, "\":\"");
        xinv_format(&one, value, sizeof(value));
        at = put(at, value + 2); /* behind " =" */
        *at++ = '"';
    }
    return at;
}

/* Lines under a command that is valid. */
static void print_removals(const struct settings *s, const uint64_t *words)
{
    struct xinv_removal_set set;
    char text[REMOVAL_TEXT_SIZE];
    int n = xinv_removes(&s->iommu, words, &set);

    if (n < 0)
        printf("    no row of the table says what it removes\n");
    else if (!n)
        printf("    removes nothing\n");
    for (int i = 0; i < n; i++)
        printf("    %s %s\n", set.removal[i].must ? "removes" : "may remove",
               removal_text(&s->iommu, &set, (unsigned)i, text, sizeof(text)));
}

/* The same as members of the command's object. */
static char *put_removals(const struct settings *s, const uint64_t *words, char *at, size_t size)
{
    struct xinv_removal_set set;

    at = put(at, ",");
    if (xinv_removes(&s->iommu, words, &set) < 0)
        return put(at, "\"removes\":null");
    return at + removal_json(&s->iommu, &set, at, size - 1);
}

static void print_json(const struct settings *s, const uint64_t *words,
                       const struct xinv_decoded *d)
{
    char line[2048 + REMOVAL_TEXT_SIZE];
    char *at = put(line, "{\"name\":");

    if (d->name) {
        *at++ = '"';
        at = put(at, d->name);
        *at++ = '"';
    } else {
        at = put(at, "null");
    }
    at = put(at, ",\"fields\":{");
    at = put_fields(at, d);
    at = put(at, "},\"words\":[");
    for (unsigned i = 0; i < s->n_words; i++) {
        at = put(at, i ? ",\"" : "\"");
        at = put_word(at, words[i]);
        *at++ = '"';
    }
    *at++ = ']';
    if (d->fault.kind) {
        at = put(at, ",\"error\":");
        at += fault_json(&s->iommu, &d->fault, at, (size_t)(line + sizeof(line) - at));
    } else if (s->removes) {
        at = put_removals(s, words, at, REMOVAL_TEXT_SIZE);
    }
    at = put(at, "}\n");
    fwrite(line, 1, (size_t)(at - line), stdout);
}

static void decode(void *context, const uint64_t *words)
{
    struct settings *s = context;
    const struct xinv_codec *codec = s->iommu.vendor->backend->codec;
    const struct xinv_layout *layout = NULL;
    struct xinv_decoded d;

    if (s->as)
        xinv_decode_register(&s->iommu, s->as, words[0], &d);
    else
        xinv_decode(&s->iommu, words, &d);
    s->commands++;
    s->faults += d.fault.kind != XINV_FAULT_NONE;
    if (s->json) {
        print_json(s, words, &d);
        return;
    }
    print_text(s, words, &d);
    if (s->removes && !d.fault.kind)
        print_removals(s, words);
    if (!s->verbose)
        return;
    layout = s->as ? xinv_layout_named(codec->registers, codec->n_registers, s->as)
                   : xinv_layout_find(&s->iommu, words);
    command_draw(layout, words, s->n_words);
}

/* ---- The command -------------------------------------------------------------------------------
 */

static bool has_traces(const struct settings *s)
{
    return !s->as && !strcmp(s->vendor.vendor, "vtd");
}

static int prepare(const struct cli_command *command, struct settings *s)
{
    const struct xinv_codec *codec;
    int status = vendor_iommu_make(command, &s->vendor, &s->iommu);

    if (status)
        return status;
    codec = s->iommu.vendor->backend->codec;
    s->n_words = s->as ? 1 : s->iommu.words;
    if (s->as && !xinv_layout_named(codec->registers, codec->n_registers, s->as))
        return cli_misuse(command, "%s has no register '%s' that invalidates", s->vendor.vendor,
                          s->as);
    for (unsigned i = 0; i < codec->n_layouts; i++)
        if ((int)strlen(codec->layouts[i].name) > s->name_width)
            s->name_width = (int)strlen(codec->layouts[i].name);
    status = command_source_check(command, &s->source);
    if (status)
        return status;
    if (s->removes && s->as)
        return cli_misuse(command, "--removes is about commands of the queue, not registers");
    if (s->verbose && s->json)
        return cli_misuse(command, "either --verbose or --json");
    return CLI_OK;
}

static int take(const struct cli_command *command, void *context, int option, const char *value)
{
    struct settings *s = context;

    switch (option) {
    case AS:
        s->as = value;
        return CLI_OK;
    case BIN:
        s->source.bin = value;
        return CLI_OK;
    case VERBOSE:
        s->verbose = true;
        return CLI_OK;
    case REMOVES:
        s->removes = true;
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
    struct settings s = {.as = NULL};
    int status = cli_each(command, argc, argv, take, &s);

    if (status == CLI_HELP)
        return CLI_OK;
    if (!status)
        status = prepare(command, &s);
    if (!status)
        status = command_source_each(command, &s.source, s.n_words, has_traces(&s), decode, &s);
    if (!status && s.faults)
        status = cli_fail(CLI_INPUT, "%" PRIu64 " of %" PRIu64 " command%s %s not valid", s.faults,
                          s.commands, cli_s(s.commands), s.faults == 1 ? "is" : "are");
    return status;
}

const struct cli_command cli_decode = {
    .name = "decode",
    .operands = "VENDOR WORDS...|-",
    .summary = "Prints commands by name and field, and what is wrong with them.",
    .help = help,
    .options = options,
    .run = run,
};
