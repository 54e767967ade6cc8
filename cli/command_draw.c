// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
#include "cli/command_draw.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "core/layout.h"

/* "63:32": bits of the row, its digits where the mask has a bit, and what they are. */
static void row(uint64_t word, uint64_t mask, unsigned high, unsigned low, const char *name,
                uint64_t value)
{
    char bits[16];
    char digits[65];

    for (unsigned i = 0; i < 64; i++) {
        unsigned bit = 63 - i;

        digits[i] = '.';
        if (mask >> bit & 1)
            digits[i] = word >> bit & 1 ? '1' : '0';
    }
    digits[64] = '\0';
    if (high == low)
        snprintf(bits, sizeof(bits), "%u", low);
    else
        snprintf(bits, sizeof(bits), "%u:%u", high, low);
    printf("    %5s  %s  %s = 0x%" PRIx64 "\n", bits, digits, name, value);
}

/* The value that a field has bits of. */
static const struct xinv_layout_field *whole(const struct xinv_layout_field *field)
{
    while (!field->name)
        field--;
    return field;
}

/* The fields from the top bit down. */
static void draw_fields(const struct xinv_layout *layout, unsigned w, uint64_t word, uint64_t *rest)
{
    for (unsigned bit = 64; bit-- > 0;)
        for (unsigned i = 0; i < layout->list->n; i++) {
            const struct xinv_layout_field *f = &layout->list->fields[i];
            uint64_t mask = xinv_field_mask(f);
            char name[40];

            if (f->word != w || f->lsb + f->width - 1u != bit)
                continue;
            *rest &= ~mask;
            if (f->name && xinv_is_rare(f->check) && !(word & mask))
                continue;
            if (!f->name)
                snprintf(name, sizeof(name), "%s from bit %u", whole(f)->name, f->shift);
            else
                snprintf(name, sizeof(name), "%s", f->name);
            row(word, mask, bit, f->lsb, name, (word & mask) >> f->lsb << f->shift);
        }
}

static void draw_reserved(uint64_t word, uint64_t rest)
{
    for (unsigned bit = 64; bit-- > 0;)
        if (word & rest & UINT64_C(1) << bit)
            row(word, UINT64_C(1) << bit, bit, bit, "reserved", 1);
}

void command_draw(const struct xinv_layout *layout, const uint64_t *words, unsigned n_words)
{
    for (unsigned w = 0; w < n_words; w++) {
        uint64_t rest = UINT64_MAX;

        printf("    word %u 63", w);
        for (unsigned bit = 56; bit > 0; bit -= 8)
            printf("%8u", bit - 1);
        printf("%7u\n", 0);
        row(words[w], UINT64_MAX, 63, 0, "word", words[w]);
        if (!layout)
            continue;
        if (w == 0 && layout->opcode_mask) {
            unsigned high = 63;
            unsigned low = 0;

            while (!(layout->opcode_mask >> high & 1))
                high--;
            while (!(layout->opcode_mask >> low & 1))
                low++;
            rest &= ~layout->opcode_mask;
            row(words[w], layout->opcode_mask, high, low, "opcode",
                (words[w] & layout->opcode_mask) >> low);
        }
        draw_fields(layout, w, words[w], &rest);
        draw_reserved(words[w], rest);
    }
}
