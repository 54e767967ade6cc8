// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/* The whole life of a domain on one IOMMU: init, attach, unmap, commands out. */
#include <inttypes.h>
#include <stdio.h>
#include <xinv/platforms.h>
#include <xinv/xinv.h>

static void run(const struct xinv_iommu *iommu, const struct xinv_attachment *at,
                const struct xinv_request *request)
{
    uint64_t words[64];
    struct xinv_step steps[16];
    struct xinv_out out = {.words = words, .steps = steps, .cap_words = 64, .cap_steps = 16};
    struct xinv_completion done = {.store = 1, .address = 0x1000, .data = 1};
    struct xinv_report report;
    int n = xinv_translate(iommu, at, 1, request, NULL, &done, &out, &report);

    printf("%d commands, %" PRIu32 " syncs, %" PRIu64 " extra pages\n", n, report.syncs,
           report.extra_pages);
    for (uint32_t i = 0; i < out.n_words; i += iommu->words)
        printf("  %016" PRIx64 " %016" PRIx64 "\n", words[i], words[i + 1]);
}

int main(void)
{
    struct xinv_iommu iommu;
    struct xinv_attachment at = {.stage = XINV_STAGE_STAGE2,
                                 .flags = XINV_ATT_ATS,
                                 .queue_depth = 32,
                                 .rid = 0x310,
                                 .did = 0x2a,
                                 .known = XINV_TAG_BIT(XINV_TAG_RID) | XINV_TAG_BIT(XINV_TAG_DID)};
    struct xinv_request attach = {.change = XINV_CHANGE_DEVICE_ENTRY, .from = XINV_FROM_PRESENT};
    struct xinv_request unmap = {.change = XINV_CHANGE_STAGE2_PTE,
                                 .flags = XINV_REQ_RANGE,
                                 .first = 0x7f3c5a000,
                                 .last = 0x7f3c5cfff};

    if (xinv_iommu_init(&iommu, &xinv_platform_intel_vtd_legacy, NULL, NULL, 0))
        return 1;
    run(&iommu, &at, &attach);
    run(&iommu, &at, &unmap);
    return 0;
}
