// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/*
 * Commands as words: byte 0 picks the IOMMU, the rest is one command after another. Whatever the
 * decoder takes comes back from the encoder bit for bit.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/backend.h"
#include "tests/support/roundtrip.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* One of each vendor with every feature, and one as it is; both widths of VT-d's queue. */
static const struct {
    const char *platform;
    int every;
} kinds[] = {
    {"arm-smmuv3-ril", 1},     {"arm-smmuv3-minimal", 0}, {"intel-vtd-scalable", 1},
    {"intel-vtd-scalable", 0}, {"intel-vtd-legacy", 1},   {"intel-vtd-legacy", 0},
    {"amd-vi-generic", 1},     {"amd-rd890", 0},
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint64_t ones[16] = {UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX,
                                      UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX};
    struct xinv_iommu iommu;
    unsigned kind;
    size_t step;

    if (!size)
        return 0;
    kind = data[0] % (sizeof(kinds) / sizeof(kinds[0]));
    if (xinv_iommu_init(&iommu, xinv_platform_find(kinds[kind].platform),
                        kinds[kind].every ? ones : NULL, NULL, 0))
        abort();
    step = iommu.words * 8u;
    for (size_t at = 1; at + step <= size; at += step) {
        uint64_t words[XINV_COMMAND_WORDS];
        char text[256] = "";

        memcpy(words, data + at, step);
        if (roundtrip(&iommu, words, text, sizeof(text)) < 0) {
            fprintf(stderr, "%s: %s\n", kinds[kind].platform, text);
            abort();
        }
    }
    return 0;
}
