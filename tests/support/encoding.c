// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
#include "tests/support/encoding.h"

#include <stdio.h>

#define POISON UINT64_C(0xa5a5a5a5a5a5a5a5)

struct xinv_iommu encoding_smmu(void)
{
    static const struct test_setting set[] = {
        {"Hyp", 1}, {"E2H", 1}, {"SIDSIZE", 32}, {"SSIDSIZE", 20}};

    return test_iommu_with("arm-smmuv3-ril", set, N(set));
}

struct xinv_iommu encoding_vtd_legacy(void)
{
    return test_iommu_with("intel-vtd-legacy", NULL, 0);
}

struct xinv_iommu encoding_vtd_scalable(uint16_t dit)
{
    const struct test_setting set[] = {{"DIT", dit}, {"PDS", 1}, {"DT", 1}};

    return test_iommu_with("intel-vtd-scalable", set, N(set));
}

struct xinv_iommu encoding_amd(void)
{
    static const struct test_setting set[] = {{"PASmax", 19}};

    return test_iommu_with("amd-vi-generic", set, N(set));
}

static const struct xinv_attachment no_depth = {.queue_depth = 0};

void encoding_check(const struct xinv_iommu *iommu, const struct encoding *list, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        uint64_t w[XINV_COMMAND_WORDS] = {POISON, POISON, POISON, POISON};
        struct xinv_operands o = list[i].o;

        if (!o.at)
            o.at = &no_depth;
        iommu->vendor->backend->encode(iommu, list[i].op, &o, w);
        cr_expect(w[0] == list[i].w[0] && w[1] == list[i].w[1],
                  "%s, line %zu: %016" PRIx64 " %016" PRIx64 " instead of %016" PRIx64
                  " %016" PRIx64,
                  iommu->vendor->backend->op_names[list[i].op], i, w[0], w[1], list[i].w[0],
                  list[i].w[1]);
        for (unsigned k = 2; k < XINV_COMMAND_WORDS; k++)
            cr_expect_eq(w[k], iommu->words == 4 ? 0 : POISON, "%s, line %zu, word %u",
                         iommu->vendor->backend->op_names[list[i].op], i, k);
    }
}

void encoding_check_completions(const struct xinv_iommu *iommu,
                                const struct encoding_completion *list, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        uint64_t w[XINV_COMMAND_WORDS] = {POISON, POISON, POISON, POISON};

        cr_expect_eq(iommu->vendor->backend->complete(iommu, &list[i].c, w), list[i].ret,
                     "line %zu", i);
        if (list[i].ret)
            continue;
        cr_expect(w[0] == list[i].w[0] && w[1] == list[i].w[1],
                  "line %zu: %016" PRIx64 " %016" PRIx64, i, w[0], w[1]);
        for (unsigned k = 2; k < XINV_COMMAND_WORDS; k++)
            cr_expect_eq(w[k], iommu->words == 4 ? 0 : POISON, "line %zu, word %u", i, k);
    }
}

void encoding_check_fence(const struct xinv_iommu *iommu, uint64_t low)
{
    uint64_t w[XINV_COMMAND_WORDS] = {POISON, POISON, POISON, POISON};

    iommu->vendor->backend->fence(iommu, w);
    cr_expect_eq(w[0], low);
    for (unsigned k = 1; k < iommu->words; k++)
        cr_expect_eq(w[k], 0);
}

static const char *text_of(const struct xinv_decoded *d)
{
    static char text[512];
    int n = snprintf(text, sizeof(text), "%s", d->name);

    for (unsigned i = 0; i < d->n_fields; i++)
        n += snprintf(text + n, sizeof(text) - (size_t)n, " %s=%" PRIx64, d->fields[i].name,
                      d->fields[i].value);
    return text;
}

void encoding_check_texts(const struct xinv_iommu *iommu, const struct encoding_text *list,
                          size_t n)
{
    for (size_t i = 0; i < n; i++) {
        uint64_t w[XINV_COMMAND_WORDS] = {list[i].w[0], list[i].w[1], 0, 0};
        struct xinv_decoded d;

        cr_expect_eq(xinv_decode(iommu, w, &d), 0, "%s", list[i].text);
        cr_expect_str_eq(text_of(&d), list[i].text, "%s instead of %s", text_of(&d), list[i].text);
    }
}

void encoding_check_masks(const struct xinv_iommu *iommu, uint64_t type,
                          const struct encoding_mask *list, size_t n)
{
    for (size_t i = 0; i < n; i++)
        for (unsigned bit = 0; bit < 64u * iommu->words; bit++) {
            uint64_t w[XINV_COMMAND_WORDS] = {list[i].opcode, 0, 0, 0};
            uint64_t one = UINT64_C(1) << (bit % 64);
            bool reserved = bit >= 128 || (list[i].zero[bit / 64] & one);
            struct xinv_decoded d = {.name = NULL};

            if (bit < 64 && (type & one))
                continue;
            w[bit / 64] |= one;
            xinv_decode(iommu, w, &d);
            /* a bit that a field has can break another rule */
            cr_expect_eq(d.fault.kind == XINV_FAULT_RESERVED, reserved,
                         "opcode %" PRIx64 ", bit %u", list[i].opcode, bit);
            if (reserved)
                cr_expect_eq(d.fault.word * 64u + d.fault.bit, bit, "opcode %" PRIx64 ", bit %u",
                             list[i].opcode, bit);
            cr_expect_not_null(d.name, "the fields are there all the same");
        }
}
