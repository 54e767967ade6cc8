// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/*
 * What one xinv_translate() costs: a page unmapped, on each vendor, with and without a device TLB.
 * Times are of this run alone; the ratio to a bare builder of two words in the same run is what
 * compares. Counts of instructions: valgrind --tool=callgrind build-release/bench/translate 1000
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <xinv/xinv.h>

static uint64_t words[256];
static struct xinv_step steps[32];
static struct xinv_ladders ladders;

static uint64_t now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* The least that anything can do: a TLBI by address, its fields put in place. */
static uint64_t bare(uint64_t calls)
{
    volatile uint64_t *out = words;
    uint64_t start = now();

    for (uint64_t i = 0; i < calls; i++) {
        out[0] = 0x12 | UINT64_C(5) << 48;
        out[1] = i << 12 | 1;
    }
    return now() - start;
}

static uint64_t translate(const struct xinv_iommu *iommu, uint8_t flags, uint64_t calls,
                          uint32_t *commands)
{
    struct xinv_attachment at = {.stage = XINV_STAGE_STAGE2,
                                 .flags = flags,
                                 .known = XINV_TAG_BIT(XINV_TAG_RID) | XINV_TAG_BIT(XINV_TAG_DID) |
                                          XINV_TAG_BIT(XINV_TAG_VMID),
                                 .rid = 0x310,
                                 .did = 5,
                                 .vmid = 5};
    struct xinv_request request = {.change = XINV_CHANGE_STAGE2_PTE,
                                   .flags = XINV_REQ_RANGE | XINV_REQ_LEAF_ONLY};
    struct xinv_report report = {0};
    uint64_t start = now();

    for (uint64_t i = 0; i < calls; i++) {
        struct xinv_out out = {.words = words, .steps = steps, .cap_words = 256, .cap_steps = 32};

        request.first = i << 12;
        request.last = request.first + 0xfff;
        if (xinv_translate(iommu, &at, 1, &request, NULL, NULL, &out, &report) < 0)
            exit(1);
    }
    *commands = report.commands;
    return now() - start;
}

int main(int argc, char **argv)
{
    static const char *const names[] = {"arm-smmuv3-ril", "intel-vtd-scalable", "amd-vi-generic"};
    uint64_t calls = argc > 1 ? strtoull(argv[1], NULL, 10) : 200000;
    uint64_t base;

    if (!calls)
        return 2;
    base = bare(calls * 16) / 16 + 1;
    printf("%-20s  %-6s  %8s  %10s  %s\n", "one page unmapped", "ATS", "commands", "ns a call",
           "bare builders");
    for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        for (unsigned ats = 0; ats < 2; ats++) {
            struct xinv_iommu iommu;
            uint32_t commands;
            uint64_t ns;

            if (xinv_iommu_init(&iommu, xinv_platform_find(names[i]), NULL, NULL, 0))
                return 1;
            xinv_iommu_prepare(&iommu, &ladders);
            ns = translate(&iommu, ats ? XINV_ATT_ATS : 0, calls, &commands);
            printf("%-20s  %-6s  %8" PRIu32 "  %10" PRIu64 "  %" PRIu64 "\n", names[i],
                   ats ? "on" : "off", commands, ns / calls, ns / base);
        }
    return 0;
}
