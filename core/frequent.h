// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/*
 * A decoder made for one layout: what xinv_layout_decode() does by the table, with a layout that
 * the compiler knows, so that its fields become constants. It finds only whether something is
 * wrong; what that is, the table's decoder says.
 */
#ifndef XINV_CORE_FREQUENT_H
#define XINV_CORE_FREQUENT_H

#include "core/iommu.h"
#include "core/layout.h"

#define XINV_FREQUENT static inline __attribute__((always_inline))

#if defined(__clang__)
#define XINV_UNROLL /* it does so by itself, and warns of being told */
#else
#define XINV_UNROLL _Pragma("GCC unroll 20")
#endif

/* Is this field a further part of the value of the one before it? */
XINV_FREQUENT bool xinv_field_goes_on(const struct xinv_layout *layout, unsigned i)
{
    return i > 0 && i < layout->n_fields && layout->fields[i].name == layout->fields[i - 1].name;
}

XINV_FREQUENT uint64_t xinv_field_part(const struct xinv_layout *layout, unsigned i,
                                       const uint64_t *words)
{
    const struct xinv_layout_field *f = &layout->fields[i];

    return (words[f->word] & xinv_field_mask(f)) >> f->lsb << f->shift;
}

/* The value of a field; its parts stand next to each other, and there are three at most. */
XINV_FREQUENT uint64_t xinv_field_value(const struct xinv_layout *layout, unsigned i,
                                        const uint64_t *words)
{
    uint64_t value = xinv_field_part(layout, i, words);

    if (xinv_field_goes_on(layout, i + 1))
        value |= xinv_field_part(layout, i + 1, words);
    if (xinv_field_goes_on(layout, i + 1) && xinv_field_goes_on(layout, i + 2))
        value |= xinv_field_part(layout, i + 2, words);
    return value;
}

/* A field that is left out where it is 0 is taken as 0. */
XINV_FREQUENT bool xinv_field_fine(const struct xinv_iommu *iommu,
                                   const struct xinv_field_check *check, uint64_t value)
{
    if (check->rare)
        return !value;
    if (check->gated && !iommu->feature[check->feature] && value)
        return false;
    if (check->limit == XINV_LIMIT_FEATURE && value > iommu->feature[check->of])
        return false;
    /* a tag of 64 bits counts as one of none: then the table's decoder has it */
    if (check->limit == XINV_LIMIT_TAG && value >> (iommu->tag_bits[check->of] & 63))
        return false;
    return !check->rule || (check->values >> value & 1);
}

/* Are all bits of the words those of a field? */
XINV_FREQUENT bool xinv_bits_fine(const struct xinv_layout *layout, const uint64_t *words)
{
    uint64_t known[XINV_COMMAND_WORDS] = {layout->opcode_mask};
    uint64_t rest = 0;

    XINV_UNROLL
    for (unsigned i = 0; i < layout->n_fields; i++)
        known[layout->fields[i].word] |= xinv_field_mask(&layout->fields[i]);
    for (unsigned i = 0; i < XINV_COMMAND_WORDS; i++)
        rest |= words[i] & ~known[i];
    return rest == 0;
}

/* Decodes words of a layout that the compiler knows; false: the table's decoder is to do it. */
XINV_FREQUENT bool xinv_decode_frequent(const struct xinv_iommu *iommu,
                                        const struct xinv_layout *layout, const uint64_t *words,
                                        unsigned n_words, struct xinv_decoded *decoded)
{
    uint64_t own[XINV_COMMAND_WORDS] = {0}; /* which what is written cannot be */
    unsigned n = 0;

    for (unsigned i = 0; i < n_words; i++)
        own[i] = words[i];
    if (!xinv_bits_fine(layout, own))
        return false;
    XINV_UNROLL
    for (unsigned i = 0; i < layout->n_gates; i++)
        if (!xinv_cond_holds(&layout->gates[i].cond, iommu->feature))
            return false;
    XINV_UNROLL
    for (unsigned i = 0; i < layout->n_fields; i++) {
        const struct xinv_field_check *check = layout->fields[i].check;
        uint64_t value;

        if (xinv_field_goes_on(layout, i))
            continue;
        value = xinv_field_value(layout, i, own);
        if (check && !xinv_field_fine(iommu, check, value))
            return false;
        if (check && check->rare)
            continue;
        decoded->fields[n++] = (struct xinv_field){layout->fields[i].name, value};
    }
    decoded->name = layout->name;
    decoded->n_fields = (uint8_t)n;
    decoded->fault = (struct xinv_fault){0};
    if (layout->check)
        layout->check(iommu, own, &decoded->fault);
    return !decoded->fault.kind;
}

/* Defines the decoder of one layout, given as its initialiser: int NAME(iommu, words, decoded), as
 * xinv_decode(). */
#define XINV_DECODER(name, initialiser, n_words)                                             \
    __attribute__((noinline, flatten)) static int name(                                      \
        const struct xinv_iommu *iommu, const uint64_t *words, struct xinv_decoded *decoded) \
    {                                                                                        \
        static const struct xinv_layout layout = initialiser;                                \
                                                                                             \
        if (xinv_decode_frequent(iommu, &layout, words, (n_words), decoded))                 \
            return 0;                                                                        \
        return xinv_decode_by_table(iommu, words, decoded);                                  \
    }

#endif
