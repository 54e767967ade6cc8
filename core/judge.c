// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/* Commands that are not plainly right. */
#include "core/iommu.h"
#include "core/layout.h"

static void read_fields(const struct xinv_layout *layout, const uint64_t *words,
                        struct xinv_decoded *decoded)
{
    decoded->name = layout->name;
    decoded->n_fields = 0;
    for (unsigned i = 0; i < layout->list->n; i++) {
        const struct xinv_layout_field *f = &layout->list->fields[i];
        uint64_t value = xinv_get(words, f->word, f->lsb, f->width, f->shift);

        if (!f->name)
            decoded->fields[decoded->n_fields - 1].value |= value;
        else if (value || !xinv_is_rare(f->check))
            decoded->fields[decoded->n_fields++] = (struct xinv_field){f->name, value};
    }
}

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

static const struct xinv_gate *closed_gate(const struct xinv_iommu *iommu,
                                           const struct xinv_layout *layout)
{
    for (unsigned i = 0; i < layout->n_gates; i++)
        if (!xinv_cond_holds(&layout->gates[i].cond, iommu->feature))
            return &layout->gates[i];
    return NULL;
}

uint64_t xinv_layouts_held(const struct xinv_iommu *iommu)
{
    const struct xinv_codec *codec = iommu->vendor->backend->codec;
    uint64_t held = 0;

    for (unsigned i = 0; i < codec->n_layouts; i++)
        if (!codec->layouts[i].elsewhere && !closed_gate(iommu, &codec->layouts[i]))
            held |= UINT64_C(1) << i;
    return held;
}

/* How sure the hardware is to answer with an error. */
static unsigned certainty(const struct xinv_fault *fault)
{
    switch (fault->hardware) {
    case XINV_HW_UNSPECIFIED:
    case XINV_HW_NO_ERROR:
        return 0;
    case XINV_HW_MAY_CERROR_ILL:
        return 1;
    default:
        return 2;
    }
}

/* Several things can be wrong: what the hardware answers to is told, else what was found first. */
static void keep_worse(struct xinv_fault *fault, const struct xinv_fault *other)
{
    if (other->kind && (!fault->kind || certainty(other) > certainty(fault)))
        *fault = *other;
}

/* The words of a register behind its first one are 0. */
static void check_reserved(const struct xinv_iommu *iommu, const struct xinv_layout *layout,
                           const uint64_t *words, struct xinv_fault *fault)
{
    uint64_t rest[XINV_COMMAND_WORDS] = {0};

    for (unsigned i = 0; i < iommu->words; i++)
        rest[i] = words[i];
    rest[0] &= ~layout->opcode_mask;
    for (unsigned i = 0; i < layout->list->n; i++)
        rest[layout->list->fields[i].word] &= ~xinv_field_mask(&layout->list->fields[i]);
    for (unsigned i = 0; i < iommu->words; i++) {
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

static uint64_t limit_of(const struct xinv_iommu *iommu, const struct xinv_field_check *check)
{
    unsigned bits = 64;

    if (check->limit == XINV_LIMIT_FEATURE)
        return iommu->feature[check->of];
    if (check->limit == XINV_LIMIT_TAG)
        bits = iommu->tag_bits[check->of];
    return xinv_low_bits(bits);
}

static void check_value(const struct xinv_iommu *iommu, const struct xinv_layout_field *field,
                        uint64_t value, struct xinv_fault *fault)
{
    const struct xinv_field_check *check = field->check;
    uint64_t most = limit_of(iommu, check);

    if (check->gated && value && !iommu->feature[check->feature])
        xinv_fault_need(fault, field->name, (struct xinv_cond){check->feature, XINV_COND_NE, 0},
                        check->gate_hardware);
    else if (value > most)
        xinv_fault_limit(fault, field->name, most, check->limit_hardware);
    else if (check->rule && !(check->values >> value & 1))
        xinv_fault_rule(fault, field->name, check->rule, check->limit_hardware);
}

static void check_fields(const struct xinv_iommu *iommu, const struct xinv_layout *layout,
                         const uint64_t *words, struct xinv_fault *fault)
{
    for (unsigned i = 0; i < layout->list->n; i++) {
        const struct xinv_layout_field *f = &layout->list->fields[i];
        struct xinv_fault found = {0};
        uint64_t value = 0;

        if (!f->name || !f->check)
            continue;
        do
            value |= xinv_get(words, f->word, f->lsb, f->width, f->shift);
        while (++f < layout->list->fields + layout->list->n && !f->name);
        check_value(iommu, &layout->list->fields[i], value, &found);
        keep_worse(fault, &found);
    }
}

static void find_fault(const struct xinv_iommu *iommu, const struct xinv_layout *layout,
                       const uint64_t *words, struct xinv_fault *fault)
{
    const struct xinv_gate *gate = closed_gate(iommu, layout);
    struct xinv_fault rule = {0};

    if (layout->elsewhere) {
        xinv_fault_rule(fault, NULL, layout->elsewhere,
                        iommu->vendor->backend->codec->opcode_hardware);
        return;
    }
    if (gate) {
        xinv_fault_need(fault, NULL, gate->cond, gate->hardware);
        return;
    }
    check_reserved(iommu, layout, words, fault);
    check_fields(iommu, layout, words, fault);
    layout->list->check(iommu, words, &rule);
    keep_worse(fault, &rule);
}

int xinv_layout_judge(const struct xinv_iommu *iommu, const uint64_t *words,
                      struct xinv_decoded *decoded, const struct xinv_layout *layout)
{
    read_fields(layout, words, decoded);
    decoded->fault = (struct xinv_fault){0};
    find_fault(iommu, layout, words, &decoded->fault);
    switch (decoded->fault.kind) {
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
