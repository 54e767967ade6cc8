// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
#include "core/layout.h"

static const char *const hardware_texts[XINV_NHARDWARE] = {
    [XINV_HW_UNSPECIFIED] = "not specified",
    [XINV_HW_NO_ERROR] = "no error, but no effect or another one",
    [XINV_HW_CERROR_ILL] = "CERROR_ILL",
    [XINV_HW_MAY_CERROR_ILL] = "CERROR_ILL or ignored",
    [XINV_HW_IQE] = "IQE",
    [XINV_HW_IQE_TYPE] = "IQE, code 3",
    [XINV_HW_IQE_RESERVED] = "IQE, code 4",
    [XINV_HW_IQE_WIDTH] = "IQE, code 3 or 5",
    [XINV_HW_REFUSED] = "actual granularity 0",
    [XINV_HW_ILLEGAL_COMMAND] = "ILLEGAL_COMMAND_ERROR",
    [XINV_HW_EIO] = "EIO",
    [XINV_HW_EINVAL] = "EINVAL",
    [XINV_HW_EOPNOTSUPP] = "EOPNOTSUPP",
};

const char *xinv_hardware_text(unsigned hardware)
{
    return hardware_texts[hardware < XINV_NHARDWARE ? hardware : XINV_HW_UNSPECIFIED];
}

static int no_such(uint8_t hardware, struct xinv_decoded *decoded)
{
    decoded->name = NULL;
    decoded->n_fields = 0;
    decoded->fault = (struct xinv_fault){.kind = XINV_FAULT_OPCODE, .hardware = hardware};
    return -XINV_E_NOENT;
}

int xinv_decode_by_table(const struct xinv_iommu *iommu, const uint64_t *words,
                         struct xinv_decoded *decoded)
{
    const struct xinv_layout *layout = xinv_layout_find(iommu, words);

    if (!layout)
        return no_such(iommu->vendor->backend->codec->opcode_hardware, decoded);
    return xinv_layout_decode(iommu, layout, words, iommu->words, decoded);
}

int xinv_decode(const struct xinv_iommu *iommu, const uint64_t *words, struct xinv_decoded *decoded)
{
    const struct xinv_codec *codec = iommu->vendor->backend->codec;

    return codec->decode ? codec->decode(iommu, words, decoded)
                         : xinv_decode_by_table(iommu, words, decoded);
}

int xinv_decode_register(const struct xinv_iommu *iommu, const char *name, uint64_t value,
                         struct xinv_decoded *decoded)
{
    const struct xinv_codec *codec = iommu->vendor->backend->codec;
    const struct xinv_layout *layout =
        xinv_layout_named(codec->registers, codec->n_registers, name);

    if (!layout)
        return no_such(XINV_HW_UNSPECIFIED, decoded);
    return xinv_layout_decode(iommu, layout, &value, 1, decoded);
}
