// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/* The life of an endpoint: an IOMMU, then attach, unmap and detach in, commands out. */
#include <inttypes.h>
#include <stdio.h>
#include <xinv/platforms.h>
#include <xinv/xinv.h>

static const struct xinv_request life[] = {
    {.change = XINV_CHANGE_DEVICE_ENTRY, .from = XINV_FROM_NOT_PRESENT}, /* attach */
    {.change = XINV_CHANGE_STAGE2_PTE, .flags = XINV_REQ_RANGE, .first = 0x1000, .last = 0x2fff},
    {.change = XINV_CHANGE_DEVICE_ENTRY}, /* detach */
};

int main(void)
{
    struct xinv_iommu iommu;
    struct xinv_attachment at = {.stage = XINV_STAGE_STAGE2, .rid = 0x310, .vmid = 5};
    uint64_t words[64];
    struct xinv_step steps[16];

    at.flags = XINV_ATT_ATS; /* its device has a TLB */
    at.known = XINV_TAG_BIT(XINV_TAG_RID) | XINV_TAG_BIT(XINV_TAG_VMID);
    if (xinv_iommu_init(&iommu, &xinv_platform_arm_smmuv3_ril, NULL, NULL, 0))
        return 1;
    for (unsigned i = 0; i < sizeof(life) / sizeof(life[0]); i++) {
        struct xinv_out out = {.words = words, .steps = steps, .cap_words = 64, .cap_steps = 16};

        if (xinv_translate(&iommu, &at, 1, &life[i], NULL, NULL, &out, NULL) < 0)
            return 1;
        printf("request %u\n", i);
        for (uint32_t w = 0; w < out.n_words; w += iommu.words)
            printf("    %016" PRIx64 " %016" PRIx64 "\n", words[w], words[w + 1]);
    }
    return 0;
}
