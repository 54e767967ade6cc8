// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
#include "core/layout.h"

const struct xinv_layout *xinv_layout_find(const struct xinv_iommu *iommu, const uint64_t *words)
{
    return xinv_find_in(iommu->vendor->backend->codec, words);
}

const struct xinv_layout *xinv_layout_named(const struct xinv_layout *layouts, unsigned n,
                                            const char *name)
{
    for (unsigned i = 0; i < n; i++)
        if (xinv_text_equal(layouts[i].name, name))
            return &layouts[i];
    return NULL;
}

static int no_such(uint8_t hardware, struct xinv_decoded *decoded)
{
    decoded->name = NULL;
    decoded->n_fields = 0;
    decoded->fault = (struct xinv_fault){.kind = XINV_FAULT_OPCODE, .hardware = hardware};
    return -XINV_E_NOENT;
}

/* What hardware says to it may be its own affair. */
int xinv_decode_none(const struct xinv_codec *codec, const uint64_t *words,
                     struct xinv_decoded *decoded)
{
    uint64_t opcode = (words[0] & codec->opcode_mask) >> codec->opcode_at;
    bool open = codec->open_first && opcode >= codec->open_first && opcode <= codec->open_last;

    return no_such(open ? (uint8_t)XINV_HW_UNSPECIFIED : codec->opcode_hardware, decoded);
}

int xinv_decode(const struct xinv_iommu *iommu, const uint64_t *words, struct xinv_decoded *decoded)
{
    return iommu->vendor->backend->codec->decode(iommu, words, decoded);
}

int xinv_decode_register(const struct xinv_iommu *iommu, const char *name, uint64_t value,
                         struct xinv_decoded *decoded)
{
    const struct xinv_codec *codec = iommu->vendor->backend->codec;
    const struct xinv_layout *layout =
        xinv_layout_named(codec->registers, codec->n_registers, name);
    const uint64_t words[XINV_COMMAND_WORDS] = {value};

    if (!layout)
        return no_such(XINV_HW_UNSPECIFIED, decoded);
    return layout->list->decode(iommu, words, decoded, layout);
}
