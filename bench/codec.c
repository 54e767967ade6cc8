// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/*
 * What one command costs: words to fields and to text, fields to words, and the encoders that plans
 * use. Times are of this run alone; scripts/check-codec-cost.sh counts instructions.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "core/backend.h"

/* what the calls give goes here, so that none is left out */
static volatile uint64_t sink;

static uint64_t now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

__attribute__((noinline)) static int decode_fields(const struct xinv_iommu *iommu,
                                                   const uint64_t *words, struct xinv_decoded *d)
{
    return xinv_decode(iommu, words, d);
}

__attribute__((noinline)) static size_t decode_text(const struct xinv_iommu *iommu,
                                                    const uint64_t *words)
{
    struct xinv_decoded d;
    char text[512];

    if (xinv_decode(iommu, words, &d))
        exit(1);
    return xinv_format(&d, text, sizeof(text));
}

__attribute__((noinline)) static int encode_fields(const struct xinv_iommu *iommu,
                                                   const struct xinv_decoded *d, uint64_t *words)
{
    return xinv_encode(iommu, d->name, d->fields, d->n_fields, words, NULL);
}

__attribute__((noinline)) static void encode_form(const struct xinv_iommu *iommu, uint8_t op,
                                                  const struct xinv_operands *o, uint64_t *words)
{
    iommu->vendor->backend->encode(iommu, op, o, words);
}

struct sample {
    const char *platform;
    const char *op;
    uint64_t words[XINV_COMMAND_WORDS];
};

/* what recorded drivers send, and of each vendor those with the most fields */
static const struct sample samples[] = {
    {"arm-smmuv3-ril", "tlbi_nh_va", {UINT64_C(0x0005000000002012), 0x100701}},
    {"arm-smmuv3-ril", "tlbi_s2_ipa", {UINT64_C(0x000000050000202a), UINT64_C(0x7f3c5a401)}},
    {"arm-smmuv3-ril", "tlbi_nh_asid", {UINT64_C(0x0005000000000011), 0}},
    {"arm-smmuv3-ril", "cfgi_cd", {UINT64_C(0x0000010000003005), 1}},
    {"arm-smmuv3-ril", "atc_inv_pasid", {UINT64_C(0x0000000300005840), 4}},
    {"arm-smmuv3-ril", NULL, {0x0fc02046, 0}},
    {"arm-smmuv3-ril", NULL, {UINT64_C(0x0000031000005802), 0x7f000044}},
    {"intel-vtd-legacy", "cc_device", {UINT64_C(0x00000310002a0031), 0}},
    {"intel-vtd-legacy", "iotlb_page", {0x2a00f2, UINT64_C(0x7f3c5a001)}},
    {"intel-vtd-legacy", NULL, {UINT64_C(0x0000000200000025), 0x1052c04}},
    {"intel-vtd-scalable", "iotlb_page", {0x2a00f2, UINT64_C(0x7f3c5a001)}},
    {"intel-vtd-scalable", "p_iotlb_page", {UINT64_C(0x0000000500010036), 0x200049}},
    {"intel-vtd-scalable", "pc_pasid", {UINT64_C(0x0000000512340017), 0}},
    {"intel-vtd-scalable", "p_dev_tlb_page", {UINT64_C(0x0000000503100008), 0x1000}},
    {"intel-vtd-scalable", NULL, {UINT64_C(0x0000000200000025), 0x1052c04}},
    {"amd-vi-generic", "pages_host", {UINT64_C(0x3000005500000000), UINT64_C(0x7ffffffffffff003)}},
    {"amd-vi-generic", "iotlb_pasid", {UINT64_C(0x400503e6080003e6), 0x1004}},
    {"amd-vi-generic", "devtab_entry", {UINT64_C(0x20000000000003e6), 0}},
    {"amd-vi-generic", NULL, {UINT64_C(0x1000123456789abd), 7}},
};

static int op_of(const struct xinv_iommu *iommu, const char *name)
{
    const struct xinv_backend *b = iommu->vendor->backend;

    for (int i = 0; name && i < b->n_ops; i++) {
        const char *a = b->op_names[i];
        const char *n = name;

        while (*a && *a == *n) {
            a++;
            n++;
        }
        if (*a == *n)
            return i;
    }
    return -1;
}

static void run(const struct sample *s, uint64_t calls)
{
    static const struct xinv_attachment at = {.queue_depth = 32};
    struct xinv_operands o = {.at = &at, .rid = 0x310, .did = 5, .asid = 5, .log2_granule = 12};
    uint64_t words[XINV_COMMAND_WORDS];
    struct xinv_iommu iommu;
    struct xinv_decoded d;
    uint64_t fields_ns;
    uint64_t text_ns;
    uint64_t encode_ns;
    uint64_t start;
    int op;

    if (xinv_iommu_init(&iommu, xinv_platform_find(s->platform), NULL, NULL, 0) ||
        xinv_decode(&iommu, s->words, &d))
        exit(1);
    op = op_of(&iommu, s->op);
    start = now();
    for (uint64_t i = 0; i < calls; i++)
        sink += (uint64_t)decode_fields(&iommu, s->words, &d);
    fields_ns = now() - start;
    start = now();
    for (uint64_t i = 0; i < calls; i++)
        sink += decode_text(&iommu, s->words);
    text_ns = now() - start;
    start = now();
    for (uint64_t i = 0; i < calls; i++)
        sink += (uint64_t)encode_fields(&iommu, &d, words);
    encode_ns = now() - start;
    printf("%-20s  %-24s  %9" PRIu64 "  %9" PRIu64 "  %9" PRIu64, s->platform, d.name,
           fields_ns / calls, text_ns / calls, encode_ns / calls);
    if (op >= 0) {
        start = now();
        for (uint64_t i = 0; i < calls; i++) {
            o.block.first = i << 12;
            encode_form(&iommu, (uint8_t)op, &o, words);
            sink += words[0];
        }
        printf("  %9.1f", (double)(now() - start) / (double)calls);
    }
    printf("\n");
}

int main(int argc, char **argv)
{
    uint64_t calls = argc > 1 ? strtoull(argv[1], NULL, 10) : 200000;

    if (!calls)
        return 2;
    printf("%-20s  %-24s  %9s  %9s  %9s  %9s\n", "ns a command", "", "to fields", "to text",
           "by name", "in a plan");
    for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++)
        run(&samples[i], calls);
    return 0;
}
