// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/* What it costs to set one IOMMU up from its registers, with its ladders. Instructions are counted
 * by scripts/check-setup-cost.sh. */
#include <inttypes.h>
#include <stdio.h>
#include <time.h>
#include <xinv/xinv.h>

static struct xinv_ladders ladders;

static uint64_t now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

int main(void)
{
    printf("%-32s  %8s  %8s  %10s\n", "set up from registers", "ladders", "rungs", "ns");
    for (unsigned i = 0; xinv_platform_at(i); i++) {
        const struct xinv_platform *platform = xinv_platform_at(i);
        struct xinv_iommu iommu;
        uint64_t start = now();

        if (platform->absent)
            continue;
        if (xinv_iommu_init(&iommu, platform, platform->registers, NULL, 0))
            return 1;
        xinv_iommu_prepare(&iommu, &ladders);
        printf("%-32s  %8u  %8u  %10" PRIu64 "\n", platform->name, ladders.n, ladders.n_rungs,
               now() - start);
    }
    return 0;
}
