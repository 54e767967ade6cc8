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
    IVA,
    BIN,
    VERBOSE,
    REMOVES,
    JSON
};

static const struct cli_option options[] = {
    VENDOR_IOMMU_OPTION_TEXTS,
    {"as", "REGISTER", "the words are values of this register: CCMD, IVA or IOTLB (vtd)"},
    {"iva", "VALUE", "of IVA_REG: the addresses that a value of IOTLB goes by, for --removes"},
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
    const uint64_t *iva; /* NULL: not given */
    uint64_t iva_value;
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

#define ROW(d) \
    d "0" d "1" d "2" d "3" d "4" d "5" d "6" d "7" d "8" d "9" d "a" d "b" d "c" d "d" d "e" d "f"
/* "00" to "ff" */
static const char byte_digits[] = ROW("0") ROW("1") ROW("2") ROW("3") ROW("4") ROW("5") ROW("6")
    ROW("7") ROW("8") ROW("9") ROW("a") ROW("b") ROW("c") ROW("d") ROW("e") ROW("f");

static char *put_word(char *at, uint64_t word)
{
    *at++ = '0';
    *at++ = 'x';
    for (unsigned shift = 64; shift; shift -= 8, at += 2)
        memcpy(at, &byte_digits[(word >> (shift - 8) & 255) * 2], 2);
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
    memcpy(at, name, strlen(name));
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
        at = stpcpy(at, "  ! ");
        at = stpcpy(at, fault_text(&s->iommu, &d->fault, fault, sizeof(fault)));
        at = stpcpy(at, "; hardware: ");
        at = stpcpy(at, xinv_hardware_text(d->fault.hardware));
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
        at = stpcpy(at, d->fields[i].name);
        at = stpcpy(at, "\":\"");
        xinv_format(&one, value, sizeof(value));
        at = stpcpy(at, value + 2); /* behind " =" */
        *at++ = '"';
    }
    return at;
}

static int removes(const struct settings *s, const uint64_t *words, struct xinv_removal_set *set)
{
    return s->as ? xinv_removes_register(&s->iommu, s->as, words[0], s->iva, set)
                 : xinv_removes(&s->iommu, words, set);
}

/* Lines under a command that is valid. */
static void print_removals(const struct settings *s, const uint64_t *words)
{
    struct xinv_removal_set set;
    char text[REMOVAL_TEXT_SIZE];
    int n = removes(s, words, &set);

    if (s->as && n == -XINV_E_INVAL)
        printf("    removes at the addresses in IVA_REG; see --iva\n");
    else if (s->as && n == -XINV_E_TAG)
        printf("    removes nothing: AM of IVA_REG is above MAMV\n");
    else if (n < 0)
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

    at = stpcpy(at, ",");
    if (removes(s, words, &set) < 0)
        return stpcpy(at, "\"removes\":null");
    return at + removal_json(&s->iommu, &set, at, size - 1);
}

static void print_json(const struct settings *s, const uint64_t *words,
                       const struct xinv_decoded *d)
{
    char line[2048 + REMOVAL_TEXT_SIZE];
    char *at = stpcpy(line, "{\"name\":");

    if (d->name) {
        *at++ = '"';
        at = stpcpy(at, d->name);
        *at++ = '"';
    } else {
        at = stpcpy(at, "null");
    }
    at = stpcpy(at, ",\"fields\":{");
    at = put_fields(at, d);
    at = stpcpy(at, "},\"words\":[");
    for (unsigned i = 0; i < s->n_words; i++) {
        at = stpcpy(at, i ? ",\"" : "\"");
        at = put_word(at, words[i]);
        *at++ = '"';
    }
    *at++ = ']';
    if (d->fault.kind) {
        at = stpcpy(at, ",\"error\":");
        at += fault_json(&s->iommu, &d->fault, at, (size_t)(line + sizeof(line) - at));
    } else if (s->removes) {
        at = put_removals(s, words, at, REMOVAL_TEXT_SIZE);
    }
    at = stpcpy(at, "}\n");
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
    if (s->iva && (!s->as || strcmp(s->as, "IOTLB") != 0))
        return cli_misuse(command, "--iva goes with --as IOTLB");
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
    case IVA:
        s->iva = &s->iva_value;
        return cli_number(value, UINT64_MAX, &s->iva_value)
                   ? CLI_OK
                   : cli_misuse(command, "--iva: '%s' is no number", value);
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
