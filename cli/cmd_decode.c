// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/* xinv decode: commands as words, by name and field. */
#include <inttypes.h>
#include <string.h>

#include "cli/command_draw.h"
#include "cli/command_input.h"
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
    {"bin", "FILE", "read raw commands, little-endian, plain or gzip (- for standard input)"},
    {"verbose", NULL, "draw each command's fields over its bits"},
    {"removes", NULL, "say what each command removes, by the table"},
    {"json", NULL, "print one JSON object a line"},
    {NULL, NULL, NULL},
};

static const char help[] =
    "VENDOR is smmuv3, vtd or amdvi. With - the words come from standard input, one command a\n"
    "line: 64-bit words, low word first; or the same bits as pieces of 8, 4 or 2 digits in the\n"
    "order of memory; for vtd also Linux qi_submit and QEMU vtd_inv_desc trace lines. A command\n"
    "that the IOMMU does not take is marked with '!', and the exit status is 1.\n";

#define MAX_WORDS 64

struct settings {
    struct vendor_iommu vendor;
    struct xinv_iommu iommu;
    const char *as;
    const char *bin;
    const char *words[MAX_WORDS];
    unsigned n;
    unsigned n_words; /* in a command */
    int name_width;
    bool standard_input;
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

static void decode(struct settings *s, const uint64_t *words)
{
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

static int decode_stream(struct settings *s)
{
    struct command_input in = {
        .name = "-", .n_words = s->n_words, .traces = has_traces(s), .f = stdin};
    uint64_t words[XINV_COMMAND_WORDS] = {0};
    int ret = 1;

    if (s->bin && command_input_bytes(&in, s->bin))
        return CLI_INPUT;
    while ((ret = command_input_next(&in, words)) > 0)
        decode(s, words);
    command_input_close(&in);
    return ret ? CLI_INPUT : CLI_OK;
}

/* The operands are the words of one command after another, or lines of them. */
static int decode_operands(const struct cli_command *command, struct settings *s)
{
    struct command_input one = {.n_words = 1};
    struct command_input all = {.n_words = s->n_words, .traces = has_traces(s)};
    uint64_t words[XINV_COMMAND_WORDS] = {0};
    unsigned column;
    unsigned have = 0;

    for (unsigned i = 0; i < s->n; i++) {
        if (!have && command_input_line(&all, s->words[i], words, &column) > 0) {
            decode(s, words);
        } else if (command_input_line(&one, s->words[i], &words[have], &column) <= 0) {
            return cli_misuse(command, "'%s' is no word; expected hexadecimal digits", s->words[i]);
        } else if (++have == s->n_words) {
            decode(s, words);
            have = 0;
        }
    }
    if (have)
        return cli_misuse(command, "%u words of a command are missing; it has %u",
                          s->n_words - have, s->n_words);
    return CLI_OK;
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
    if ((s->n != 0) + s->standard_input + (s->bin != NULL) > 1)
        return cli_misuse(command, "commands come from operands, from - or from --bin");
    if (!s->n && !s->standard_input && !s->bin)
        return cli_misuse(command, "no command is given");
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
        s->bin = value;
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
        if (!s->vendor.vendor)
            s->vendor.vendor = value;
        else if (!strcmp(value, "-"))
            s->standard_input = true;
        else if (s->n == MAX_WORDS)
            return cli_misuse(command, "more than %d words; longer input comes from -", MAX_WORDS);
        else
            s->words[s->n++] = value;
        return CLI_OK;
    default:
        return vendor_iommu_take(command, &s->vendor, option, value);
    }
}

static int run(const struct cli_command *command, int argc, char **argv)
{
    struct settings s = {.n = 0};
    int status = cli_each(command, argc, argv, take, &s);

    if (status == CLI_HELP)
        return CLI_OK;
    if (!status)
        status = prepare(command, &s);
    if (!status)
        status = s.n ? decode_operands(command, &s) : decode_stream(&s);
    if (!status && s.faults)
        status = cli_fail(CLI_INPUT, "%" PRIu64 " of %" PRIu64 " commands are not valid", s.faults,
                          s.commands);
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
