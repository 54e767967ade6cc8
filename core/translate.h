// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/*
 * Several requests of one IOMMU as one command list: each phase of all of them goes out before the
 * next, so that they share their fences and the last sync.
 */
#ifndef XINV_CORE_TRANSLATE_H
#define XINV_CORE_TRANSLATE_H

#include <xinv/xinv.h>

struct xinv_part {
    const struct xinv_attachment *at;
    size_t n;
    const struct xinv_request *request;
    bool again;     /* ranges of parts before, for another granule or stage */
    bool alike;     /* it differs from the part before in its range and granule alone */
    uint8_t blocks; /* XINV_POLICY_AT_MOST: for this part; 0: as the policy says */
    uint64_t pages; /* 4 KiB pages of the range that were asked for; 0: all of them */
};

struct xinv_shape;
struct xinv_candidates;
struct xinv_cover;

/*
 * Where the parts come from. They are walked several times and must be the same each time.
 * next: the next one, until it is asked for another; NULL after the last.
 * planned: NULL, or told of each plan that is made for a shape, maybe more than once: the
 * attachment's index, the shape's key, its needs, the candidates with what they cost, the choice,
 * NULL where nothing covers the needs, and for each chosen row the commands for one attachment.
 */
struct xinv_parts {
    void (*rewind)(struct xinv_parts *parts);
    const struct xinv_part *(*next)(struct xinv_parts *parts);
    void (*planned)(struct xinv_parts *parts, size_t at, uint32_t key,
                    const struct xinv_shape *shape, const struct xinv_candidates *found,
                    const struct xinv_cover *chosen, const uint32_t *blocks);
};

/* One request is a list of one part. */
struct xinv_single {
    struct xinv_parts parts;
    struct xinv_part part;
    bool done;
};

void xinv_single_init(struct xinv_single *single, const struct xinv_attachment *at, size_t n,
                      const struct xinv_request *request);

/* As xinv_translate(); the report adds up over the parts. */
int xinv_translate_parts(const struct xinv_iommu *iommu, struct xinv_parts *parts,
                         const struct xinv_policy *policy, const struct xinv_completion *completion,
                         struct xinv_out *out, struct xinv_report *report);

#endif
