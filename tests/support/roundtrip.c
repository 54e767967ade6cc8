// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
#include "tests/support/roundtrip.h"

#include <stdio.h>
#include <string.h>

#include "core/backend.h"

static int complain(char *text, size_t size, const char *what, int decoded, int encoded)
{
    snprintf(text, size, "%s: decode %d, encode %d", what, decoded, encoded);
    return -1;
}

/* Bits that the decoder has no field for are lost on the way, so the encoder cannot see them. */
static bool has_lost_bits(const struct xinv_fault *fault)
{
    return fault->kind == XINV_FAULT_RESERVED;
}

int roundtrip(const struct xinv_iommu *iommu, const uint64_t *words, char *text, size_t size)
{
    uint64_t again[XINV_COMMAND_WORDS] = {0};
    struct xinv_fault fault = {0};
    struct xinv_decoded d;
    char line[1024];
    int decoded = xinv_decode(iommu, words, &d);
    int encoded;

    if ((decoded == 0) != (d.fault.kind == XINV_FAULT_NONE))
        return complain(text, size, "the result and the fault disagree", decoded, 0);
    if (xinv_format(&d, line, sizeof(line)) >= sizeof(line))
        return complain(text, size, "the text is too long", decoded, 0);
    if (!d.name)
        return decoded == -XINV_E_NOENT ? 0 : complain(text, size, "no name", decoded, 0);
    encoded = xinv_encode(iommu, d.name, d.fields, d.n_fields, again, &fault);
    if (!decoded && encoded == iommu->words)
        return memcmp(words, again, iommu->words * 8u)
                   ? complain(text, size, "other words", decoded, encoded)
                   : 1;
    if (!decoded || (encoded > 0 && !has_lost_bits(&d.fault)))
        return complain(text, size, "one takes it and the other does not", decoded, encoded);
    if (has_lost_bits(&d.fault))
        return 0;
    if (encoded != decoded || fault.kind != d.fault.kind || fault.field != d.fault.field ||
        fault.hardware != d.fault.hardware)
        return complain(text, size, "another reason", decoded, encoded);
    return 0;
}
