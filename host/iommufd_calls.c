// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
#include "host/iommufd.h"

/* The entries of one step, in as many calls as the kernel's limit asks for. */
static uint64_t add_step(const struct xinv_iommu *iommu, const struct xinv_out *out,
                         const struct xinv_step *step, struct xinv_iommufd_hwpt_invalidate *calls,
                         uint64_t n)
{
    uint32_t left = step->count / iommu->words;
    const uint64_t *words = out->words + out->head + step->first;

    while (left) {
        uint32_t most = left < XINV_IOMMUFD_MAX_ENTRIES ? left : XINV_IOMMUFD_MAX_ENTRIES;

        if (calls)
            calls[n] = (struct xinv_iommufd_hwpt_invalidate){
                .size = sizeof(*calls),
                .hwpt_id = step->target,
                .data_uptr = (uint64_t)(uintptr_t)words,
                .data_type = xinv_iommufd_data_type(iommu),
                .entry_len = xinv_iommufd_entry_len(iommu),
                .entry_num = most,
            };
        words += (size_t)most * iommu->words;
        left -= most;
        n++;
    }
    return n;
}

static uint64_t add_all(const struct xinv_iommu *iommu, const struct xinv_out *out,
                        struct xinv_iommufd_hwpt_invalidate *calls)
{
    uint64_t n = 0;

    for (uint32_t i = 0; i < out->n_steps; i++)
        if (out->steps[i].kind == XINV_STEP_QUEUE)
            n = add_step(iommu, out, &out->steps[i], calls, n);
    return n;
}

int xinv_iommufd_calls(const struct xinv_iommu *iommu, const struct xinv_out *out,
                       struct xinv_iommufd_hwpt_invalidate *calls, uint32_t capacity)
{
    uint64_t n;

    if (!iommu || !iommu->target || !out || out->ring_words ||
        (out->n_steps && (!out->words || !out->steps)))
        return -XINV_E_INVAL;
    n = add_all(iommu, out, NULL);
    if (n > INT32_MAX || (calls && n > capacity))
        return -XINV_E_NOSPACE;
    if (calls)
        (void)add_all(iommu, out, calls);
    return (int)n;
}
