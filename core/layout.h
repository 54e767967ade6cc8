// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/*
 * One description of a command's bits serves both ways. A field is a list of four numbers, so that
 * the same macro is an argument list for the encoder, which the compiler turns into shifts and ORs,
 * and an initialiser for the table:
 *
 *     word, lsb, width, shift     value bits shift..shift+width-1 stand at bits lsb.. of that word
 *
 * The fields of a command are a list, LIST(F), that hands each of them to F: its name, its check or
 * NULL, and the four numbers. XINV_FIELDS makes of it the table, by which commands are encoded by
 * name, drawn and judged, and a decoder, which is shifts and ANDs again.
 *
 * A field without a name has further bits of the value before it, which has the value's bit 0; the
 * check of the latter holds for the whole.
 */
#ifndef XINV_CORE_LAYOUT_H
#define XINV_CORE_LAYOUT_H

#include "core/backend.h"
#include "core/bits.h"

static inline void xinv_put(uint64_t *words, unsigned word, unsigned lsb, unsigned width,
                            unsigned shift, uint64_t value)
{
    uint64_t mask = xinv_low_bits(width);

    words[word] |= (value >> shift & mask) << lsb;
}

static inline uint64_t xinv_get(const uint64_t *words, unsigned word, unsigned lsb, unsigned width,
                                unsigned shift)
{
    uint64_t mask = xinv_low_bits(width);

    return (words[word] >> lsb & mask) << shift;
}

/* XINV_PUT(words, SOME_FIELD, value): SOME_FIELD expands to the four numbers */
#define XINV_PUT(words, ...) xinv_put((words), __VA_ARGS__)

/* `width` bits from `lsb` up */
#define XINV_BITS(lsb, width) (UINT64_MAX >> (64 - (width)) << (lsb))

/* XINV_MASK(SOME_FIELD): the bits of its word that it has */
#define XINV_MASK_(word, lsb, width, shift) XINV_BITS(lsb, width)
#define XINV_MASK(...)                      XINV_MASK_(__VA_ARGS__)

/* The bits of its word that a field has. */
static inline uint64_t xinv_field_mask(const struct xinv_layout_field *f)
{
    return xinv_low_bits(f->width) << f->lsb;
}

/* ---- Decoders ---- */

/*
 * xinv_layout_judge - by the table: the fields, those that seldom are there among them, and what is
 * wrong, if anything is
 * returns: as xinv_decode
 */
int xinv_layout_judge(const struct xinv_iommu *iommu, const uint64_t *words,
                      struct xinv_decoded *decoded, const struct xinv_layout *layout);

static inline bool xinv_is_rare(const struct xinv_field_check *check)
{
    return check && check->rare;
}

/*
 * Not 0 where a value may be wrong; which it is, and how, is left to the table. Of a value in parts
 * each is looked at alone, which features and widths of tags allow. No tag that limits a field is
 * 64 bits wide.
 */
static inline uint64_t xinv_odd(const struct xinv_iommu *iommu,
                                const struct xinv_field_check *check, uint64_t value)
{
    uint64_t odd = 0;

    if (!check || check->rare)
        return 0;
    if (check->gated && !iommu->feature[check->feature])
        odd |= value;
    if (check->limit == XINV_LIMIT_TAG)
        odd |= value >> iommu->tag_bits[check->of];
    if (check->limit == XINV_LIMIT_FEATURE)
        odd |= value > iommu->feature[check->of];
    if (check->rule)
        odd |= ~(check->values >> value) & 1;
    return odd;
}

/* Puts a value where the next field goes, or to the field before. */
static inline unsigned xinv_read(struct xinv_field *fields, unsigned n, const char *name,
                                 const struct xinv_field_check *check, uint64_t value)
{
    if (xinv_is_rare(check))
        return n;
    if (!name) {
        fields[n - 1].value |= value;
        return n;
    }
    fields[n] = (struct xinv_field){name, value};
    return n + 1;
}

/* of a list without rules between its fields */
static inline void xinv_no_rule(const struct xinv_iommu *iommu, const uint64_t *words,
                                struct xinv_fault *fault)
{
    (void)iommu;
    (void)words;
    (void)fault;
}

#define XINV_TABLE_FIELD(name, check, ...) {name, __VA_ARGS__, check},
#define XINV_CHECK_FIELD(name, check, ...) odd |= xinv_odd(iommu, check, xinv_get(w, __VA_ARGS__));
#define XINV_READ_FIELD(name, check, ...) \
    n = xinv_read(decoded->fields, n, name, check, xinv_get(w, __VA_ARGS__));
#define XINV_BITS_OF(n, word, lsb, width, shift) ((word) == (n) ? XINV_BITS(lsb, width) : 0)
#define XINV_COMMON_0(name, check, ...)          | (xinv_is_rare(check) ? 0 : XINV_BITS_OF(0, __VA_ARGS__))
#define XINV_COMMON_1(name, check, ...)          | (xinv_is_rare(check) ? 0 : XINV_BITS_OF(1, __VA_ARGS__))

/*
 * The straight decoder. Most commands are right, so it only asks whether anything may be wrong, or
 * a field is there that seldom is, and leaves all else to xinv_layout_judge(); which is the whole
 * decoder where the library is built for size.
 */
#ifdef __OPTIMIZE_SIZE__
#define XINV_DECODER(list, LIST, opcode_mask, wide, rule)
#define XINV_DECODE(list) xinv_layout_judge
#else
#define XINV_DECODER(list, LIST, opcode_mask, wide, rule)                                    \
    static int list##_decode(const struct xinv_iommu *iommu, const uint64_t *words,          \
                             struct xinv_decoded *decoded, const struct xinv_layout *layout) \
    {                                                                                        \
        const uint64_t known[2] = {(opcode_mask)LIST(XINV_COMMON_0), 0 LIST(XINV_COMMON_1)}; \
        const uint64_t w[2] = {words[0] & known[0], words[1] & known[1]};                    \
        uint64_t odd = (words[0] & ~known[0]) | (words[1] & ~known[1]);                      \
        struct xinv_fault broken = {0};                                                      \
        unsigned n = 0;                                                                      \
                                                                                             \
        if ((wide) && iommu->words == XINV_COMMAND_WORDS)                                    \
            odd |= words[2] | words[3];                                                      \
        LIST(XINV_CHECK_FIELD)                                                               \
        rule(iommu, w, &broken);                                                             \
        if (odd || broken.kind || !(iommu->layouts >> layout->number & 1))                   \
            return xinv_layout_judge(iommu, words, decoded, layout);                         \
        decoded->name = layout->name;                                                        \
        LIST(XINV_READ_FIELD)                                                                \
        decoded->n_fields = (uint8_t)n;                                                      \
        decoded->fault = (struct xinv_fault){0};                                             \
        return 0;                                                                            \
    }
#define XINV_DECODE(list) list##_decode
#endif

/*
 * Defines a struct xinv_field_list. `opcode_mask`: the bits of word 0 that are the opcode; `wide`:
 * words 2 and 3 may be there, and are reserved; `rule`: its check.
 */
#define XINV_FIELDS(list, LIST, opcode_mask, wide, rule)                                        \
    /* it ends with an empty field, since a list may be empty */                                \
    static const struct xinv_layout_field list##_fields[] = {LIST(XINV_TABLE_FIELD){0}};        \
    XINV_DECODER(list, LIST, opcode_mask, wide, rule)                                           \
    static const struct xinv_field_list list = {                                                \
        list##_fields, sizeof(list##_fields) / sizeof(list##_fields[0]) - 1, XINV_DECODE(list), \
        rule};

/* ---- Text and faults ---- */

static inline bool xinv_text_equal(const char *a, const char *b)
{
    while (*a && *a == *b) {
        a++;
        b++;
    }
    return *a == *b;
}

static inline void xinv_fault_rule(struct xinv_fault *fault, const char *field, const char *rule,
                                   uint8_t hardware)
{
    *fault = (struct xinv_fault){
        .kind = XINV_FAULT_RULE, .hardware = hardware, .field = field, .rule = rule};
}

static inline void xinv_fault_limit(struct xinv_fault *fault, const char *field, uint64_t limit,
                                    uint8_t hardware)
{
    *fault = (struct xinv_fault){
        .kind = XINV_FAULT_LIMIT, .hardware = hardware, .field = field, .limit = limit};
}

static inline void xinv_fault_need(struct xinv_fault *fault, const char *field,
                                   struct xinv_cond need, uint8_t hardware)
{
    *fault = (struct xinv_fault){
        .kind = XINV_FAULT_FEATURE, .hardware = hardware, .field = field, .need = need};
}

/* The layout with these words' opcode, and its form; NULL: none. */
static inline const struct xinv_layout *xinv_find_in(const struct xinv_codec *codec,
                                                     const uint64_t *words)
{
    uint64_t opcode = (words[0] & codec->opcode_mask) >> codec->opcode_at;
    const struct xinv_layout *l;
    unsigned number;

    if (opcode >= codec->n_opcodes || !codec->by_opcode[opcode])
        return NULL;
    number = codec->by_opcode[opcode];
    if (!(number & XINV_FORMS))
        return &codec->layouts[number - 1];
    l = &codec->layouts[(number ^ XINV_FORMS) - 1];
    while ((words[1] & l->form_mask) != l->form)
        l++;
    return l;
}

/* xinv_decode_none - what xinv_decode says to an opcode that no command of the queue has */
int xinv_decode_none(const struct xinv_codec *codec, const uint64_t *words,
                     struct xinv_decoded *decoded);

/* Defines the `decode` of a codec: it knows the codec's numbers as constants. */
#define XINV_CODEC_DECODE(codec)                                             \
    static int decode(const struct xinv_iommu *iommu, const uint64_t *words, \
                      struct xinv_decoded *decoded)                          \
    {                                                                        \
        const struct xinv_layout *layout = xinv_find_in(&(codec), words);    \
                                                                             \
        return layout ? layout->list->decode(iommu, words, decoded, layout)  \
                      : xinv_decode_none(&(codec), words, decoded);          \
    }

/* xinv_layouts_held - the commands that this IOMMU has by its features: a bit per layout */
uint64_t xinv_layouts_held(const struct xinv_iommu *iommu);

/* xinv_layout_find - which command of the queue these words are; NULL: none */
const struct xinv_layout *xinv_layout_find(const struct xinv_iommu *iommu, const uint64_t *words);

/* xinv_layout_named - the layout of that name, or NULL */
const struct xinv_layout *xinv_layout_named(const struct xinv_layout *layouts, unsigned n,
                                            const char *name);

#endif
