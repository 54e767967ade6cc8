// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
#include "core/layout.h"

/* Puts one value where the layout has its field; 0, or an error with *fault filled in. */
static int put_field(const struct xinv_layout *layout, const struct xinv_field *field,
                     uint64_t *words, struct xinv_fault *fault)
{
    uint64_t bits = 0;
    bool known = false;
    bool meant = false;

    for (unsigned i = 0; i < layout->list->n; i++) {
        const struct xinv_layout_field *f = &layout->list->fields[i];

        if (f->name)
            meant = xinv_text_equal(f->name, field->name);
        if (!meant)
            continue;
        known = true;
        bits |= xinv_field_mask(f) >> f->lsb << f->shift;
        words[f->word] &= ~xinv_field_mask(f);
        xinv_put(words, f->word, f->lsb, f->width, f->shift, field->value);
    }
    *fault = (struct xinv_fault){.field = field->name, .limit = bits};
    if (known && !(field->value & ~bits))
        return 0;
    fault->kind = known ? XINV_FAULT_WIDTH : XINV_FAULT_FIELD;
    return known ? -XINV_E_TAG : -XINV_E_INVAL;
}

static int put_fields(const struct xinv_layout *layout, const struct xinv_field *fields, unsigned n,
                      uint64_t *words, struct xinv_fault *fault)
{
    for (unsigned i = 0; i < n; i++) {
        int ret = put_field(layout, &fields[i], words, fault);

        for (unsigned k = 0; !ret && k < i; k++)
            if (xinv_text_equal(fields[k].name, fields[i].name)) {
                fault->kind = XINV_FAULT_FIELD;
                fault->rule = "it comes twice";
                ret = -XINV_E_INVAL;
            }
        if (!ret && (words[1] & layout->form_mask) != layout->form) {
            fault->kind = XINV_FAULT_RULE;
            fault->rule = "the command's name stands for another value";
            ret = -XINV_E_INVAL;
        }
        if (ret)
            return ret;
    }
    return 0;
}

static int encode(const struct xinv_iommu *iommu, const char *name, const struct xinv_field *fields,
                  unsigned n, uint64_t *words, struct xinv_fault *fault)
{
    const struct xinv_codec *codec = iommu->vendor->backend->codec;
    const struct xinv_layout *layout = xinv_layout_named(codec->layouts, codec->n_layouts, name);
    uint64_t made[XINV_COMMAND_WORDS] = {0};
    unsigned n_words = iommu->words;
    struct xinv_decoded decoded;
    int ret;

    if (!layout) {
        layout = xinv_layout_named(codec->registers, codec->n_registers, name);
        n_words = 1;
    }
    if (!layout) {
        *fault = (struct xinv_fault){.kind = XINV_FAULT_OPCODE};
        return -XINV_E_NOENT;
    }
    made[0] = layout->opcode;
    made[1] = layout->form;
    ret = put_fields(layout, fields, n, made, fault);
    if (ret)
        return ret;
    ret = layout->list->decode(iommu, made, &decoded, layout);
    if (ret) {
        *fault = decoded.fault;
        return ret;
    }
    for (unsigned i = 0; i < n_words; i++)
        words[i] = made[i];
    return (int)n_words;
}

int xinv_encode(const struct xinv_iommu *iommu, const char *name, const struct xinv_field *fields,
                unsigned n, uint64_t *words, struct xinv_fault *fault)
{
    struct xinv_fault found = {0};
    int ret = encode(iommu, name, fields, n, words, &found);

    if (ret < 0 && fault)
        *fault = found;
    return ret;
}
