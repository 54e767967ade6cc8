// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/* Entries by their fields, and what the kernel refuses of them, or does not look at. */
#include "backends/vtd_hwpt/layout.h"
#include "backends/vtd_hwpt/vtd_hwpt.h"
#include "core/read.h"

#define PAGE_BITS UINT64_C(0xfff)

static void check_all(const struct xinv_iommu *iommu, const uint64_t *w, struct xinv_fault *fault)
{
    (void)iommu;
    if (XINV_GET(w, VTD_HWPT_ADDR) & PAGE_BITS)
        xinv_fault_rule(fault, "ADDR", "not of a 4 KiB page", XINV_HW_EINVAL);
    else if (XINV_GET(w, VTD_HWPT_ADDR))
        xinv_fault_rule(fault, "ADDR", "not 0, but NPAGES says every address", XINV_HW_EINVAL);
}

/* The last two are not looked at by the kernel: it would invalidate another range. */
static void check_range(const struct xinv_iommu *iommu, const uint64_t *w, struct xinv_fault *fault)
{
    uint64_t addr = XINV_GET(w, VTD_HWPT_ADDR);
    uint64_t npages = XINV_GET(w, VTD_HWPT_NPAGES);

    (void)iommu;
    if (addr & PAGE_BITS)
        xinv_fault_rule(fault, "ADDR", "not of a 4 KiB page", XINV_HW_EINVAL);
    else if (!npages)
        xinv_fault_rule(fault, "NPAGES", "0, which is no range", XINV_HW_NO_ERROR);
    else if (npages > (UINT64_MAX >> 12) - (addr >> 12))
        xinv_fault_rule(fault, "NPAGES", "the range passes the last page", XINV_HW_NO_ERROR);
}

static const struct xinv_layout_field fields[] = {{"ADDR", VTD_HWPT_ADDR, NULL},
                                                  {"NPAGES", VTD_HWPT_NPAGES, NULL},
                                                  {"LEAF", VTD_HWPT_LEAF, NULL}};

#define N(array) (sizeof(array) / sizeof((array)[0]))

static const struct xinv_field_list all = {fields, N(fields), xinv_layout_judge, check_all};
static const struct xinv_field_list range = {fields, N(fields), xinv_layout_judge, check_range};

/* An entry has no opcode: npages of all ones is a form of its own. */
static const struct xinv_layout layouts[] = {
    {.name = "s1_all", .form_mask = VTD_HWPT_EVERY, .form = VTD_HWPT_EVERY, .list = &all},
    {.name = "s1_range", .list = &range, .number = 1},
};
static const uint8_t by_opcode[] = {1 | XINV_FORMS};

XINV_CODEC_DECODE(xinv_vtd_hwpt_codec)

const struct xinv_codec xinv_vtd_hwpt_codec = {
    .decode = decode,
    .layouts = layouts,
    .by_opcode = by_opcode,
    .n_opcodes = N(by_opcode),
    .n_layouts = N(layouts),
    .opcode_hardware = XINV_HW_EINVAL,
    .reserved_hardware = XINV_HW_EOPNOTSUPP,
};
