// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
#include "core/layout.h"

#include "core/iommu.h"
#include "core/mem.h"

const struct xinv_layout *xinv_layout_find(const struct xinv_iommu *iommu, const uint64_t *words)
{
    const struct xinv_codec *codec = iommu->vendor->backend->codec;

    for (unsigned i = 0; i < codec->n_layouts; i++) {
        const struct xinv_layout *l = &codec->layouts[i];

        if ((words[0] & l->opcode_mask) == l->opcode && (words[1] & l->form_mask) == l->form)
            return l;
    }
    return NULL;
}

const struct xinv_layout *xinv_layout_named(const struct xinv_layout *layouts, unsigned n,
                                            const char *name)
{
    for (unsigned i = 0; i < n; i++)
        if (xinv_text_equal(layouts[i].name, name))
            return &layouts[i];
    return NULL;
}

/* ---- Fields ---- */

struct reader {
    struct xinv_decoded *decoded;
    const struct xinv_field_check *checks[XINV_MAX_FIELDS];
};

static void read_field(struct reader *rd, const struct xinv_layout_field *f, uint64_t value)
{
    struct xinv_decoded *d = rd->decoded;

    /* parts of one value share the string, so its address is its identity; bit 0's comes first */
    for (unsigned i = 0; f->shift && i < d->n_fields; i++)
        if (d->fields[i].name == f->name) {
            d->fields[i].value |= value;
            return;
        }
    if (f->check && f->check->rare && !value)
        return;
    d->fields[d->n_fields] = (struct xinv_field){f->name, value};
    rd->checks[d->n_fields++] = f->check;
}

static void check_reserved(const struct xinv_iommu *iommu, const uint64_t *rest, unsigned n,
                           struct xinv_fault *fault)
{
    for (unsigned i = 0; i < n; i++) {
        unsigned bit = 0;

        if (!rest[i])
            continue;
        while (!(rest[i] >> bit & 1))
            bit++;
        *fault = (struct xinv_fault){.kind = XINV_FAULT_RESERVED,
                                     .hardware = iommu->vendor->backend->codec->reserved_hardware,
                                     .word = (uint8_t)i,
                                     .bit = (uint8_t)bit};
        return;
    }
}

/* ---- Checks ---- */

static void check_gates(const struct xinv_iommu *iommu, const struct xinv_layout *layout,
                        struct xinv_fault *fault)
{
    for (unsigned i = 0; i < layout->n_gates; i++)
        if (!xinv_cond_holds(&layout->gates[i].cond, iommu->feature)) {
            xinv_fault_need(fault, NULL, layout->gates[i].cond, layout->gates[i].hardware);
            return;
        }
}

static uint64_t limit_of(const struct xinv_iommu *iommu, const struct xinv_field_check *check)
{
    unsigned bits = 64;

    if (check->limit == XINV_LIMIT_FEATURE)
        return iommu->feature[check->of];
    if (check->limit == XINV_LIMIT_TAG)
        bits = iommu->tag_bits[check->of];
    return xinv_low_bits(bits);
}

static void check_field(const struct xinv_iommu *iommu, const struct xinv_field *field,
                        const struct xinv_field_check *check, struct xinv_fault *fault)
{
    uint64_t most = limit_of(iommu, check);

    if (check->gated && field->value && !iommu->feature[check->feature])
        xinv_fault_need(fault, field->name, (struct xinv_cond){check->feature, XINV_COND_NE, 0},
                        check->gate_hardware);
    else if (field->value > most)
        xinv_fault_limit(fault, field->name, most, check->limit_hardware);
    else if (check->rule && !(check->values >> field->value & 1))
        xinv_fault_rule(fault, field->name, check->rule, check->limit_hardware);
}

static int result_of(const struct xinv_fault *fault)
{
    switch (fault->kind) {
    case XINV_FAULT_NONE:
        return 0;
    case XINV_FAULT_FEATURE:
        return -XINV_E_UNSUPP;
    case XINV_FAULT_LIMIT:
        return -XINV_E_TAG;
    default:
        return -XINV_E_INVAL;
    }
}

int xinv_layout_decode(const struct xinv_iommu *iommu, const struct xinv_layout *layout,
                       const uint64_t *words, unsigned n_words, struct xinv_decoded *decoded)
{
    struct xinv_fault *fault = &decoded->fault;
    uint64_t rest[XINV_COMMAND_WORDS] = {0};
    struct reader rd = {.decoded = decoded};

    decoded->name = layout->name;
    decoded->n_fields = 0;
    *fault = (struct xinv_fault){0};
    for (unsigned i = 0; i < n_words; i++)
        rest[i] = words[i];
    rest[0] &= ~layout->opcode_mask;
    for (unsigned i = 0; i < layout->n_fields; i++) {
        const struct xinv_layout_field *f = &layout->fields[i];
        uint64_t mask = xinv_field_mask(f);

        rest[f->word] &= ~mask;
        read_field(&rd, f, (words[f->word] & mask) >> f->lsb << f->shift);
    }
    if (layout->elsewhere)
        xinv_fault_rule(fault, NULL, layout->elsewhere,
                        iommu->vendor->backend->codec->opcode_hardware);
    else
        check_gates(iommu, layout, fault);
    if (!fault->kind)
        check_reserved(iommu, rest, n_words, fault);
    for (unsigned i = 0; i < decoded->n_fields && !fault->kind; i++)
        if (rd.checks[i])
            check_field(iommu, &decoded->fields[i], rd.checks[i], fault);
    if (!fault->kind && layout->check)
        layout->check(iommu, words, fault);
    return result_of(fault);
}

/* ---- Text ---- */

/* Room in which any field fits: a space, its name (at most 40 long), "=0x" and 16 digits. */
#define FIELD_ROOM 64

static char *copy(char *at, const char *text)
{
    while (*text)
        *at++ = *text++;
    return at;
}

static char *put_field(char *at, const struct xinv_field *field)
{
    unsigned shift = 0;

    *at++ = ' ';
    at = copy(at, field->name);
    *at++ = '=';
    *at++ = '0';
    *at++ = 'x';
    while (shift < 60 && field->value >> (shift + 4))
        shift += 4;
    for (;; shift -= 4) {
        *at++ = "0123456789abcdef"[field->value >> shift & 15];
        if (!shift)
            return at;
    }
}

static size_t length(const char *text)
{
    size_t n = 0;

    while (text[n])
        n++;
    return n;
}

/* What of a piece still fits; the text's length counts all of it. */
static size_t put_piece(const char *piece, size_t n, char *text, size_t size, size_t used)
{
    if (used < size) {
        size_t room = size - used - 1;

        memcpy(text + used, piece, n < room ? n : room);
        text[used + (n < room ? n : room)] = '\0';
    }
    return used + n;
}

size_t xinv_format(const struct xinv_decoded *decoded, char *text, size_t size)
{
    const char *name = decoded->name ? decoded->name : "?";
    size_t used = put_piece(name, length(name), text, size, 0);

    for (unsigned i = 0; i < decoded->n_fields; i++) {
        char field[FIELD_ROOM];

        if (used + FIELD_ROOM < size) {
            char *end = put_field(text + used, &decoded->fields[i]);

            *end = '\0';
            used = (size_t)(end - text);
            continue;
        }
        used = put_piece(field, (size_t)(put_field(field, &decoded->fields[i]) - field), text, size,
                         used);
    }
    return used;
}
