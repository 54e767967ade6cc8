// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/*
 * One description of a command's bits serves both ways. A field is a list of four numbers, so that
 * the same macro is an argument list for the encoder, which the compiler turns into shifts and ORs,
 * and an initialiser for the decoder's table:
 *
 *     word, lsb, width, shift     value bits shift..shift+width-1 stand at bits lsb.. of that word
 *
 * A value whose bits stand in two places is two fields of one name; the decoder joins them.
 */
#ifndef XINV_CORE_LAYOUT_H
#define XINV_CORE_LAYOUT_H

#include "core/backend.h"

static inline void xinv_put(uint64_t *words, unsigned word, unsigned lsb, unsigned width,
                            unsigned shift, uint64_t value)
{
    uint64_t mask = width >= 64 ? UINT64_MAX : (UINT64_C(1) << width) - 1;

    words[word] |= (value >> shift & mask) << lsb;
}

static inline uint64_t xinv_get(const uint64_t *words, unsigned word, unsigned lsb, unsigned width,
                                unsigned shift)
{
    uint64_t mask = width >= 64 ? UINT64_MAX : (UINT64_C(1) << width) - 1;

    return (words[word] >> lsb & mask) << shift;
}

/* XINV_PUT(words, SOME_FIELD, value): SOME_FIELD expands to the four numbers */
#define XINV_PUT(words, ...) xinv_put((words), __VA_ARGS__)

#define XINV_FIELD(name, ...) \
    {                         \
        name, __VA_ARGS__     \
    }

/*
 * xinv_layout_decode - the fields of words that hold this command
 * returns: 0; -XINV_E_INVAL: a bit is set that no field has
 */
int xinv_layout_decode(const struct xinv_layout *layout, const uint64_t *words, unsigned n_words,
                       struct xinv_decoded *decoded);

#endif
