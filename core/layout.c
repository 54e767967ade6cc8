// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
#include "core/layout.h"

static struct xinv_field *named(struct xinv_decoded *decoded, const char *name)
{
    /* parts of one value share the string, so its address is its identity */
    for (unsigned i = 0; i < decoded->n_fields; i++)
        if (decoded->fields[i].name == name)
            return &decoded->fields[i];
    decoded->fields[decoded->n_fields] = (struct xinv_field){name, 0};
    return &decoded->fields[decoded->n_fields++];
}

int xinv_layout_decode(const struct xinv_layout *layout, const uint64_t *words, unsigned n_words,
                       struct xinv_decoded *decoded)
{
    uint64_t rest[XINV_COMMAND_WORDS] = {0};
    uint64_t stray = 0;

    decoded->name = layout->name;
    decoded->n_fields = 0;
    for (unsigned i = 0; i < n_words; i++)
        rest[i] = words[i];
    rest[0] &= ~layout->opcode_mask;
    for (unsigned i = 0; i < layout->n_fields; i++) {
        const struct xinv_layout_field *f = &layout->fields[i];
        uint64_t mask = f->width >= 64 ? UINT64_MAX : (UINT64_C(1) << f->width) - 1;

        rest[f->word] &= ~(mask << f->lsb);
        named(decoded, f->name)->value |= xinv_get(words, f->word, f->lsb, f->width, f->shift);
    }
    for (unsigned i = 0; i < n_words; i++)
        stray |= rest[i];
    return stray ? -XINV_E_INVAL : 0;
}
