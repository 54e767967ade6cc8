// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
#include "backends/vtd_hwpt/layout.h"
#include "backends/vtd_hwpt/vtd_hwpt.h"
#include "core/read.h"

static uint8_t entry_words(const struct xinv_iommu *iommu)
{
    (void)iommu;
    return VTD_HWPT_WORDS;
}

static void encode(const struct xinv_iommu *iommu, uint8_t form, const struct xinv_operands *op,
                   uint64_t *w)
{
    (void)iommu;
    w[0] = 0;
    w[1] = 0;
    w[2] = 0;
    if (form == XINV_VTD_HWPT_OP_ALL) {
        XINV_PUT(w, VTD_HWPT_NPAGES, VTD_HWPT_EVERY);
        return;
    }
    XINV_PUT(w, VTD_HWPT_ADDR, op->block.first);
    XINV_PUT(w, VTD_HWPT_NPAGES, UINT64_C(1) << op->block.order);
    XINV_PUT(w, VTD_HWPT_LEAF, op->leaf);
}

static void read_entry(const struct xinv_iommu *iommu, const uint64_t *w, struct xinv_form *form,
                       struct xinv_removal_set *set)
{
    uint64_t npages = XINV_GET(w, VTD_HWPT_NPAGES);

    (void)iommu;
    form->leaf = (uint8_t)XINV_GET(w, VTD_HWPT_LEAF); /* of every address there is no such row */
    form->op = XINV_VTD_HWPT_OP_ALL;
    if (npages == VTD_HWPT_EVERY)
        return;
    form->op = XINV_VTD_HWPT_OP_RANGE;
    set->first = XINV_GET(w, VTD_HWPT_ADDR);
    set->last = set->first + (npages << 12) - 1;
}

/* The kernel completes every entry before it returns: there is nothing to ask for. */
static void fence(const struct xinv_iommu *iommu, uint64_t *w)
{
    static const struct xinv_operands none = {0};

    encode(iommu, XINV_VTD_HWPT_OP_ALL, &none, w);
}

static int complete(const struct xinv_iommu *iommu, const struct xinv_completion *c, uint64_t *w)
{
    (void)c;
    fence(iommu, w);
    return -XINV_E_INVAL;
}

static const char *const op_names[XINV_VTD_HWPT_NOPS] = {
    [XINV_VTD_HWPT_OP_RANGE] = "range",
    [XINV_VTD_HWPT_OP_ALL] = "all",
};

const struct xinv_backend xinv_backend_vtd_hwpt = {
    .name = "vtd_hwpt",
    .op_names = op_names,
    .n_ops = XINV_VTD_HWPT_NOPS,
    .words = entry_words,
    .encode = encode,
    .read = read_entry,
    .fence = fence,
    .complete = complete,
    .codec = &xinv_vtd_hwpt_codec,
};
