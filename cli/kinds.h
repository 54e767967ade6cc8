// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/* Kinds of requests that platforms are compared by: what changed, for one endpoint, on any IOMMU.
 */
#ifndef XINV_CLI_KINDS_H
#define XINV_CLI_KINDS_H

#include <xinv/xinv.h>

struct cli_kind {
    const char *name;
    const char *text;  /* one line */
    uint8_t stage;     /* enum xinv_stage */
    uint8_t change;    /* enum xinv_change, unless caches */
    uint8_t from;      /* XINV_FROM_*; 0: present */
    uint8_t caches;    /* XINV_INV_*: an explicit request */
    uint8_t scope;     /* of an explicit request */
    uint8_t log2_leaf; /* 0: 4 KiB */
    uint8_t pages;     /* of the range, in leaves; 0: no range */
    uint8_t at_flags;  /* XINV_ATT_* */
    uint16_t flags;    /* XINV_REQ_* */
    uint8_t pasid;     /* 0: traffic without PASID */
    uint8_t no_asid;   /* the guest's ASID is not known */
    uint64_t first;
};

/* cli_kind_at - the kinds in order; NULL past the end */
const struct cli_kind *cli_kind_at(unsigned index);
const struct cli_kind *cli_kind_find(const char *name);

/* cli_kind_request - the kind on this IOMMU: one attachment with every host tag known */
void cli_kind_request(const struct cli_kind *kind, const struct xinv_iommu *iommu,
                      struct xinv_attachment *at, struct xinv_request *request);

#endif
