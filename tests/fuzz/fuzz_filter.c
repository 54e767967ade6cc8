// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/*
 * A guest's commands: byte 0 picks the IOMMU, byte 1 says how many attachments the guest has and
 * how wide its PASIDs are, four bytes describe each, the rest is one command after another.
 * Whatever leaves for the host is valid there and stays within what is the guest's.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/backend.h"
#include "tests/support/trespass.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MOST 4

/* One of each vendor with every feature, and one as it is; both widths of VT-d's queue. */
static const struct {
    const char *platform;
    int every;
} kinds[] = {
    {"arm-smmuv3-ril", 1},     {"arm-smmuv3-ril", 0},   {"intel-vtd-scalable", 1},
    {"intel-vtd-scalable", 0}, {"intel-vtd-legacy", 0}, {"amd-vi-generic", 1},
    {"amd-vi-generic", 0},
};

struct guest {
    struct xinv_attachment host[MOST];
    struct xinv_guest_attachment at[MOST];
    struct xinv_guest all;
};

/* Host tags that no other guest has; the guest's own names are four bits wide. */
static void read_attachment(struct guest *g, const uint8_t *data)
{
    static const uint8_t stages[4] = {XINV_STAGE_NESTED, XINV_STAGE_NESTED, XINV_STAGE_STAGE2,
                                      XINV_STAGE_PASSTHROUGH};
    struct xinv_attachment *host = &g->host[g->all.n];
    unsigned n = (unsigned)g->all.n;

    *host = (struct xinv_attachment){.stage = stages[data[0] & 3],
                                     .flags = data[0] & 4 ? XINV_ATT_ATS : 0,
                                     .rid = 0x101 + 2 * n,
                                     .did = 0x21 + 2 * (data[0] >> 4),
                                     .vmid = 7,
                                     .queue_depth = data[3] & 31,
                                     .pfsid = data[3]};
    host->known = XINV_TAG_BIT(XINV_TAG_RID) | XINV_TAG_BIT(XINV_TAG_DID);
    if (host->stage != XINV_STAGE_PASSTHROUGH)
        host->known |= XINV_TAG_BIT(XINV_TAG_VMID);
    g->at[n] = (struct xinv_guest_attachment){.host = host,
                                              .rid = data[1] & 15,
                                              .did = data[2] & 15,
                                              .known = XINV_TAG_BIT(XINV_TAG_RID) |
                                                       XINV_TAG_BIT(XINV_TAG_DID)};
    g->all.n++;
}

static void filter(const char *platform, const struct xinv_iommu *iommu, const struct guest *g,
                   const uint64_t *words)
{
    uint64_t made[64];
    struct xinv_step steps[4];
    struct xinv_out out = {.words = made, .steps = steps, .cap_words = 64, .cap_steps = 4};
    int ret = xinv_filter(iommu, &g->all, words, &out, NULL);

    if (out.n_words != (ret > 0 ? (uint32_t)ret * iommu->words : 0))
        abort();
    for (uint32_t at = 0; at < out.n_words; at += iommu->words) {
        const char *text = trespass(iommu, &g->all, &made[at]);

        if (!text)
            continue;
        fprintf(stderr, "%s: %s\n", platform, text);
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint64_t ones[16] = {UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX,
                                      UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX};
    struct guest g = {.all = {.at = NULL}};
    struct xinv_iommu iommu;
    unsigned kind;
    unsigned n;
    size_t at = 2;

    if (size < 2)
        return 0;
    kind = data[0] % (sizeof(kinds) / sizeof(kinds[0]));
    if (xinv_iommu_init(&iommu, xinv_platform_find(kinds[kind].platform),
                        kinds[kind].every ? ones : NULL, NULL, 0))
        abort();
    n = data[1] % (MOST + 1);
    g.all.pasid_bits = data[1] >> 5;
    g.all.at = g.at;
    for (unsigned i = 0; i < n && at + 4 <= size; i++, at += 4)
        read_attachment(&g, data + at);
    for (; at + iommu.words * 8u <= size; at += iommu.words * 8u) {
        uint64_t words[XINV_COMMAND_WORDS];

        memcpy(words, data + at, iommu.words * 8u);
        filter(kinds[kind].platform, &iommu, &g, words);
    }
    return 0;
}
