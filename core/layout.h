// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/*
 * One description of a command's bits serves both ways. A field is a list of four numbers, so that
 * the same macro is an argument list for the encoder, which the compiler turns into shifts and ORs,
 * and an initialiser for the decoder's table:
 *
 *     word, lsb, width, shift     value bits shift..shift+width-1 stand at bits lsb.. of that word
 *
 * A value whose bits stand in two places is two fields of one name (one and the same string); the
 * decoder joins them. The one with the value's bit 0 comes first, and its check holds for the
 * whole; the others follow it at once.
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

#define XINV_FIELD(name, ...)   \
    {                           \
        name, __VA_ARGS__, NULL \
    }

/* a field with a struct xinv_field_check */
#define XINV_CHECKED(name, check, ...) \
    {                                  \
        name, __VA_ARGS__, &(check)    \
    }

/* The bits of its word that a field has. */
static inline uint64_t xinv_field_mask(const struct xinv_layout_field *f)
{
    return xinv_low_bits(f->width) << f->lsb;
}

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

/* xinv_layout_find - which command of the queue these words are; NULL: none */
const struct xinv_layout *xinv_layout_find(const struct xinv_iommu *iommu, const uint64_t *words);

/* xinv_layout_named - the layout of that name, or NULL */
const struct xinv_layout *xinv_layout_named(const struct xinv_layout *layouts, unsigned n,
                                            const char *name);

/* xinv_layout_decode - the fields of words that hold this command; returns as xinv_decode */
int xinv_layout_decode(const struct xinv_iommu *iommu, const struct xinv_layout *layout,
                       const uint64_t *words, unsigned n_words, struct xinv_decoded *decoded);

/* xinv_decode_by_table - xinv_decode(), for any command */
int xinv_decode_by_table(const struct xinv_iommu *iommu, const uint64_t *words,
                         struct xinv_decoded *decoded);

#endif
