// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/*
 * tests/vectors/codec-*.yaml: every command of a vendor, each field at its lowest bit, at its most
 * and beyond, each reserved bit alone, combinations, missing features and unknown opcodes; words
 * and answers are of somebody who has not seen the decoder. The files' headers say how to read
 * them.
 */
#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/backend.h"
#include "tests/support/yamlnode.h"

#define COUNT(x) (sizeof(x) / sizeof((x)[0]))

/* ---- What an answer means ---- */

#define HW(name) (1u << XINV_HW_##name)
#define ANY_IQE  (HW(IQE) | HW(IQE_TYPE) | HW(IQE_RESERVED) | HW(IQE_WIDTH))

struct answer {
    const char *is;
    const char *iqei;  /* "": whatever it is */
    bool taken;        /* it may be valid */
    uint32_t hardware; /* or a fault with one of these answers */
};

static const struct answer answers[] = {
    {"OK", "", true, 0},
    {"MEANINGLESS", "", true, 0},
    {"IDLE", "", true, 0},
    /* bits that the hardware cuts may be a fault, if one without an error */
    {"IGNORED", "", true, HW(NO_ERROR)},
    {"UNSTATED", "", true, UINT32_MAX},
    {"LIMIT", "", false, UINT32_MAX},
    {"CERROR_ILL", "", false, HW(CERROR_ILL)},
    {"RES0-ILL", "", false, HW(MAY_CERROR_ILL)},
    {"MAY_ILL", "", false, HW(MAY_CERROR_ILL)},
    {"NO_EFFECT", "", false, HW(NO_ERROR)},
    {"UNPREDICTABLE", "", false, HW(NO_ERROR)},
    {"IMPDEF", "", false, HW(UNSPECIFIED)},
    {"IQE", "3", false, HW(IQE_TYPE)},
    {"IQE", "4", false, HW(IQE_RESERVED)},
    {"IQE", "3,5", false, HW(IQE_WIDTH)},
    {"IQE", "5", false, HW(IQE_WIDTH)},
    {"IQE", "unstated", false, ANY_IQE},
    {"REFUSED", "", false, HW(REFUSED)},
    {"ILLEGAL_COMMAND_ERROR", "", false, HW(ILLEGAL_COMMAND)},
};

static const struct answer *answer_of(const char *is, const char *iqei)
{
    for (size_t i = 0; i < COUNT(answers); i++)
        if (!strcmp(answers[i].is, is) && (!*answers[i].iqei || !strcmp(answers[i].iqei, iqei)))
            return &answers[i];
    cr_assert_fail("no answer '%s' with IQEI '%s'", is, iqei);
    return NULL;
}

static bool meets(const struct answer *answer, int ret, const struct xinv_fault *fault)
{
    return ret >= 0 ? answer->taken : (answer->hardware >> fault->hardware & 1) != 0;
}

/* ---- Names ---- */

/* The reference's names where the decoder has shorter ones. */
static const char *const renamed[][2] = {
    {"StreamID", "SID"},
    {"SubstreamID", "SSID"},
    {"StatusData", "status_data"},
    {"StatusAddr", "status_address"},
    {"page_group_response", "page_resp"},
    {"PASID_present", "PP"},
    {"RequesterID", "RID"},
    {"CCMD_REG", "CCMD"},
    {"IVA_REG", "IVA"},
    {"IOTLB_REG", "IOTLB"},
};

static const char *name_of(const char *name)
{
    for (size_t i = 0; i < COUNT(renamed); i++)
        if (!strcmp(name, renamed[i][0]))
            return renamed[i][1];
    return name;
}

static const char *field_of(const char *vendor, const char *name)
{
    if (!strcmp(vendor, "vtd") && !strcmp(name, "ResponseCode"))
        return "code";
    if (!strcmp(vendor, "vtd") && !strcmp(name, "PRGIndex"))
        return "PRGI";
    return name_of(name);
}

/* ---- The IOMMU of an entry ---- */

struct run {
    const char *vendor;
    const char *platform;
    struct ynode context;
    /* the entry */
    const char *command;
    unsigned width;
    bool is_register;
    bool is_elsewhere; /* in another queue */
    uint64_t base[XINV_COMMAND_WORDS];
    /* counts */
    unsigned judged;
    unsigned elsewhere; /* about something that this library has no notion of */
};

struct settings {
    struct xinv_setting set[64];
    unsigned n;
};

static bool put_feature(const struct xinv_vendor *vendor, struct settings *s, const char *name,
                        uint64_t value)
{
    int f = xinv_feature_find(vendor, name);

    if (f < 0)
        return false;
    s->set[s->n++] = (struct xinv_setting){(uint8_t)f, (uint16_t)value};
    return true;
}

/* The features that the library reads; false: it does not know one of `special`. */
static bool put_features(const struct run *run, const struct xinv_vendor *vendor,
                         struct settings *s, struct ynode map, bool special)
{
    for (size_t i = 0; i < ypairs(map); i++) {
        const char *name = ykey(map, i);
        const char *value = ystr(yvalue(map, i));
        uint64_t number;

        if (!strcmp(name, "TTM")) {
            name = "ttm";
            /* any: the mode that has all descriptors of this width */
            number = strcmp(value, "any") ? !strcmp(value, "scalable")
                                          : run->width == 256 && !run->is_register;
        } else {
            number = yu64(yvalue(map, i));
        }
        if (!put_feature(vendor, s, name, number) && special)
            return false;
    }
    return true;
}

enum made {
    MADE,
    UNKNOWN,   /* a feature that the library has not */
    IMPOSSIBLE /* features that exclude each other */
};

static enum made make_iommu(const struct run *run, struct ynode special, struct xinv_iommu *iommu)
{
    const struct xinv_platform *p = xinv_platform_find(run->platform);
    struct settings s = {.n = 0};
    int ret;

    put_features(run, p->vendor, &s, run->context, false);
    put_feature(p->vendor, &s, "queue_width", run->width == 256 ? 256 : 128);
    if (!put_features(run, p->vendor, &s, special, true))
        return UNKNOWN;
    ret = xinv_iommu_init(iommu, p, NULL, s.set, s.n);
    cr_assert(!ret || ret == -XINV_E_TABLE, "%s: %d", run->command, ret);
    return ret ? IMPOSSIBLE : MADE;
}

/* ---- One command ---- */

struct values {
    struct xinv_field fields[XINV_MAX_FIELDS];
    unsigned n;
};

struct expected {
    const struct answer *answer;
    const struct values *values; /* NULL: nothing to encode */
    unsigned word, bit;          /* of a reserved bit; word XINV_COMMAND_WORDS: none */
    char what[256];
};

static void read_words(struct ynode list, uint64_t *words)
{
    memset(words, 0, XINV_COMMAND_WORDS * sizeof(*words));
    for (size_t i = 0; i < ylen(list); i++)
        words[i] = yu64(yat(list, i));
}

static int decode(const struct run *run, const struct xinv_iommu *iommu, const uint64_t *words,
                  struct xinv_decoded *d)
{
    return run->is_register ? xinv_decode_register(iommu, run->command, words[0], d)
                            : xinv_decode(iommu, words, d);
}

static uint64_t value_in(const struct xinv_field *fields, unsigned n, const char *name,
                         uint64_t otherwise)
{
    for (unsigned i = 0; i < n; i++)
        if (!strcmp(fields[i].name, name))
            return fields[i].value;
    return otherwise;
}

/* Every field that was named has its value, and every other one that of the base. */
static void check_fields(const struct run *run, const struct xinv_iommu *iommu,
                         const struct xinv_decoded *d, const struct expected *e)
{
    struct xinv_decoded base;

    decode(run, iommu, run->base, &base);
    for (unsigned i = 0; i < d->n_fields; i++) {
        const struct xinv_field *f = &d->fields[i];
        uint64_t plain = value_in(base.fields, base.n_fields, f->name, 0);
        uint64_t value = value_in(e->values->fields, e->values->n, f->name, plain);

        cr_expect_eq(f->value, value, "%s: %s is 0x%" PRIx64 ", not 0x%" PRIx64, e->what, f->name,
                     f->value, value);
    }
    for (unsigned i = 0; i < e->values->n; i++) {
        const struct xinv_field *f = &e->values->fields[i];

        cr_expect_eq(value_in(d->fields, d->n_fields, f->name, 0), f->value, "%s: %s is missing",
                     e->what, f->name);
    }
}

static void check_encode(const struct run *run, const struct xinv_iommu *iommu,
                         const uint64_t *words, const struct expected *e)
{
    uint64_t made[XINV_COMMAND_WORDS] = {7, 7, 7, 7};
    struct xinv_fault fault = {0};
    int ret = xinv_encode(iommu, run->command, e->values->fields, e->values->n, made, &fault);
    unsigned n = run->width / 64;

    cr_expect(meets(e->answer, ret, &fault), "%s: encoded: %d, fault %u, %s; expected %s", e->what,
              ret, fault.kind, xinv_hardware_text(fault.hardware), e->answer->is);
    if (ret < 0)
        cr_expect_eq(made[0], 7, "%s: words after an error", e->what);
    else
        cr_expect(ret == (int)n && !memcmp(made, words, n * sizeof(*made)),
                  "%s: encoded as %016" PRIx64 " %016" PRIx64, e->what, made[0], made[1]);
}

static void judge(struct run *run, const struct xinv_iommu *iommu, const uint64_t *words,
                  const struct expected *e)
{
    struct xinv_decoded d;
    int ret = decode(run, iommu, words, &d);
    /* CFGI_STE_RANGE over all streams has a name of its own */
    bool all = !strcmp(run->command, "CFGI_STE_RANGE") && words[1] == 31;

    run->judged++;
    cr_expect(meets(e->answer, ret, &d.fault),
              "%s: %016" PRIx64 " %016" PRIx64 ": %d, fault %u, %s; expected %s", e->what, words[0],
              words[1], ret, d.fault.kind, xinv_hardware_text(d.fault.hardware), e->answer->is);
    cr_expect_str_eq(d.name ? d.name : "?", all ? "CFGI_ALL" : run->command, "%s: it is %s",
                     e->what, d.name ? d.name : "?");
    if (e->word < XINV_COMMAND_WORDS && d.fault.kind == XINV_FAULT_RESERVED)
        cr_expect(d.fault.word == e->word && d.fault.bit == e->bit, "%s: word %u, bit %u", e->what,
                  d.fault.word, d.fault.bit);
    if (!e->values)
        return;
    check_fields(run, iommu, &d, e);
    check_encode(run, iommu, words, e);
}

/* ---- Entries ---- */

static void expect(const struct run *run, struct expected *e, const char *what)
{
    snprintf(e->what, sizeof(e->what), "%s %u: %s", run->command, run->width, what);
    e->word = XINV_COMMAND_WORDS;
}

/* "one_is", or the entry's "default_is", or OK; the same of IQEI */
static const char *text_of(struct ynode node, struct ynode entry, const char *key,
                           const char *fallback, const char *otherwise)
{
    if (yhas(node, key))
        return ystr(yget(node, key));
    return yhas(entry, fallback) ? ystr(yget(entry, fallback)) : otherwise;
}

static void run_value(struct run *run, const struct xinv_iommu *iommu, struct ynode entry,
                      struct ynode field, const char *which)
{
    char keys[3][24];
    struct values values = {.n = 1};
    struct expected e = {.values = &values};
    uint64_t words[XINV_COMMAND_WORDS];
    char what[128];

    snprintf(keys[0], sizeof(keys[0]), "%s_value", which);
    snprintf(keys[1], sizeof(keys[1]), "%s_is", which);
    snprintf(keys[2], sizeof(keys[2]), "%s_iqei", which);
    values.fields[0].name = field_of(run->vendor, ystr(yget(field, "name")));
    values.fields[0].value = yu64(yget(field, keys[0]));
    snprintf(what, sizeof(what), "%s at %s", values.fields[0].name, which);
    expect(run, &e, what);
    e.answer = answer_of(text_of(field, entry, keys[1], "default_is", "OK"),
                         text_of(field, entry, keys[2], "default_iqei", ""));
    read_words(yget(field, which), words);
    judge(run, iommu, words, &e);
}

/* A value that the field has no room for is not cut. */
static void run_misfit(struct run *run, const struct xinv_iommu *iommu, struct ynode field,
                       const char *key)
{
    const char *name = field_of(run->vendor, ystr(yget(field, "name")));
    struct xinv_field value = {name, 0};
    uint64_t made[XINV_COMMAND_WORDS] = {7, 7, 7, 7};
    struct xinv_fault fault = {0};
    int ret;

    if (!yhas(field, key))
        return;
    value.value = yu64(yget(field, key));
    run->judged++;
    ret = xinv_encode(iommu, run->command, &value, 1, made, &fault);
    if (run->is_elsewhere)
        cr_expect_lt(ret, 0, "%s: %s %s: %d", run->command, name, key, ret);
    else /* with other features the field has one bit more, which is reserved here */
        cr_expect((ret == -XINV_E_TAG && fault.kind == XINV_FAULT_WIDTH) ||
                      (ret == -XINV_E_INVAL && fault.kind == XINV_FAULT_RESERVED),
                  "%s: %s %s: %d, fault %u", run->command, name, key, ret, fault.kind);
    cr_expect_eq(made[0], 7);
}

static void run_field(struct run *run, struct ynode entry, struct ynode field)
{
    struct xinv_iommu iommu;

    if (yhas(field, "overlaps")) {
        run->elsewhere++; /* the parts have names here */
        return;
    }
    cr_assert_eq(make_iommu(run, yget(field, "when"), &iommu), MADE, "%s", run->command);
    run_value(run, &iommu, entry, field, "one");
    run_value(run, &iommu, entry, field, "max");
    run_misfit(run, &iommu, field, "too_wide");
    run_misfit(run, &iommu, field, "unaligned");
}

static void run_reserved(struct run *run, struct ynode bits)
{
    struct expected e = {.answer = answer_of(ystr(yget(bits, "answer")), ystr(yget(bits, "iqei")))};
    unsigned word = (unsigned)yu64(yget(bits, "word"));
    unsigned high = 0;
    unsigned low = 0;
    struct xinv_iommu iommu;

    cr_assert_eq(sscanf(ystr(yget(bits, "bits")), "%u:%u", &high, &low), 2);
    cr_assert_eq(make_iommu(run, yget(bits, "when"), &iommu), MADE, "%s", run->command);
    for (unsigned bit = low; bit <= high; bit++) {
        uint64_t words[XINV_COMMAND_WORDS];
        char what[64];

        memcpy(words, run->base, sizeof(words));
        words[word] ^= UINT64_C(1) << bit;
        if (words[word] < run->base[word])
            continue; /* the base has it */
        snprintf(what, sizeof(what), "bit %u of word %u", bit, word);
        expect(run, &e, what);
        e.word = word;
        e.bit = bit;
        judge(run, &iommu, words, &e);
    }
}

static void run_case(struct run *run, struct ynode node)
{
    struct expected e = {.answer = answer_of(ystr(yget(node, "is")), ystr(yget(node, "iqei")))};
    struct ynode map = yget(node, "values");
    uint64_t words[XINV_COMMAND_WORDS];
    struct values values = {.n = 0};
    struct xinv_iommu iommu;

    switch (make_iommu(run, yget(node, "features"), &iommu)) {
    case MADE:
        break;
    case UNKNOWN:
        run->elsewhere++;
        return;
    default: /* what the registers contradict is no IOMMU, so nothing is sent to it */
        cr_expect(!e.answer->taken, "%s: %s", run->command, ystr(yget(node, "why")));
        run->judged++;
        return;
    }
    if (yhas(map, "CompletionTag")) {
        run->elsewhere++; /* as above */
        return;
    }
    for (size_t i = 0; i < ypairs(map); i++) {
        const char *name = field_of(run->vendor, ykey(map, i));

        values.fields[values.n++] = (struct xinv_field){name, yu64(yvalue(map, i))};
    }
    read_words(yget(node, "words"), words);
    expect(run, &e, yhas(node, "why") ? ystr(yget(node, "why")) : "a sample");
    e.values = &values;
    judge(run, &iommu, words, &e);
}

static void run_list(struct run *run, struct ynode list, void (*each)(struct run *, struct ynode))
{
    for (size_t i = 0; i < ylen(list); i++)
        each(run, yat(list, i));
}

static void run_command(struct run *run, struct ynode entry)
{
    const struct values none = {.n = 0};
    struct expected e = {.values = &none};
    struct xinv_iommu iommu;

    run->command = name_of(ystr(yget(entry, "name")));
    run->width = (unsigned)yu64(yget(entry, "width"));
    run->is_register = yhas(entry, "register");
    run->is_elsewhere = yhas(entry, "queue");
    read_words(yget(entry, "base"), run->base);
    cr_assert_eq(make_iommu(run, (struct ynode){0}, &iommu), MADE, "%s", run->command);
    expect(run, &e, "every field 0");
    e.answer = answer_of(text_of(entry, entry, "base_is", "default_is", "OK"),
                         text_of(entry, entry, "base_iqei", "default_iqei", ""));
    judge(run, &iommu, run->base, &e);
    for (size_t i = 0; i < ylen(yget(entry, "fields")); i++)
        run_field(run, entry, yat(yget(entry, "fields"), i));
    run_list(run, yget(entry, "reserved"), run_reserved);
    run_list(run, yget(entry, "samples"), run_case);
    run_list(run, yget(entry, "combos"), run_case);
    run_list(run, yget(entry, "lacking"), run_case);
}

/* The number of an opcode over the bits where opcodes stand, the lowest first. */
static uint64_t opcode_word(struct ynode type_bits, uint64_t opcode)
{
    uint64_t word = 0;

    for (size_t i = 0; i < ylen(type_bits); i++) {
        unsigned high = 0;
        unsigned low = 0;

        cr_assert_eq(sscanf(ystr(yget(yat(type_bits, i), "bits")), "%u:%u", &high, &low), 2);
        for (unsigned bit = low; bit <= high; bit++, opcode >>= 1)
            word |= (opcode & 1) << bit;
    }
    cr_assert_eq(opcode, 0);
    return word;
}

static void run_unknown(struct run *run, struct ynode type_bits, struct ynode range)
{
    const struct answer *answer = answer_of(ystr(yget(range, "answer")), ystr(yget(range, "iqei")));
    struct xinv_iommu iommu;

    run->command = "?";
    run->is_register = false;
    run->width = yhas(range, "width") ? (unsigned)yu64(yget(range, "width")) : 128;
    cr_assert_eq(make_iommu(run, (struct ynode){0}, &iommu), MADE);
    for (uint64_t op = yu64(yget(range, "first")); op <= yu64(yget(range, "last")); op++) {
        uint64_t words[XINV_COMMAND_WORDS] = {opcode_word(type_bits, op)};
        struct xinv_decoded d;
        int ret = xinv_decode(&iommu, words, &d);

        run->judged++;
        cr_expect(meets(answer, ret, &d.fault), "opcode 0x%" PRIx64 ", %u bits: %d, %s", op,
                  run->width, ret, xinv_hardware_text(d.fault.hardware));
    }
}

static void run_file(const char *vendor, const char *platform, unsigned at_least)
{
    struct run run = {.vendor = vendor, .platform = platform};
    struct ynode root;
    yaml_document_t doc;
    char path[512];

    snprintf(path, sizeof(path), "%s/tests/vectors/codec-%s.yaml", getenv("XINV_SOURCE_DIR"),
             vendor);
    yload(path, &doc);
    root = yroot(&doc);
    run.context = yget(root, "context");
    run_list(&run, yget(root, "commands"), run_command);
    for (size_t i = 0; i < ylen(yget(root, "unknown_opcodes")); i++)
        run_unknown(&run, yget(root, "type_bits"), yat(yget(root, "unknown_opcodes"), i));
    fprintf(stderr, "%s: %u cases judged, %u of what this library does not look at\n", vendor,
            run.judged, run.elsewhere);
    cr_expect_geq(run.judged, at_least, "%s: only %u cases judged", vendor, run.judged);
    yaml_document_delete(&doc);
}

Test(codec_vectors, smmuv3)
{
    run_file("smmuv3", "arm-smmuv3-ril", 3800);
}

Test(codec_vectors, vtd)
{
    run_file("vtd", "intel-vtd-scalable", 2600);
}

Test(codec_vectors, amdvi)
{
    run_file("amdvi", "amd-vi-generic", 850);
}
