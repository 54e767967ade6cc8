// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/*
 * One translation and the list that came out of it. The output's arrays are shared by the tests of
 * a file, and poisoned before each translation.
 */
#ifndef XINV_TESTS_LISTRIG_H
#define XINV_TESTS_LISTRIG_H

#include <xinv/xinv.h>

#include "tests/support/refdec.h"
#include "tests/support/testiommu.h"

#define N(x)     (sizeof(x) / sizeof((x)[0]))
#define BIT(tag) XINV_TAG_BIT(XINV_TAG_##tag)

#define LIST_WORDS 4096
#define LIST_STEPS 64
#define LIST_USERS 11

extern uint64_t list_words[LIST_WORDS];
extern struct xinv_step list_steps[LIST_STEPS];
extern struct xinv_report list_report;

/* A platform with the stage whose entries its address-selective command reaches. */
struct list_user {
    const char *platform;
    uint8_t stage;
};

/* Users that tests name. */
#define LIST_SMMU                               \
    {                                           \
        "arm-smmuv3-generic", XINV_STAGE_STAGE2 \
    }
#define LIST_SMMU_RIL                       \
    {                                       \
        "arm-smmuv3-ril", XINV_STAGE_STAGE1 \
    }
#define LIST_VTD                              \
    {                                         \
        "intel-vtd-legacy", XINV_STAGE_STAGE2 \
    }
#define LIST_VTD_FIRST                          \
    {                                           \
        "intel-vtd-scalable", XINV_STAGE_STAGE1 \
    }
#define LIST_AMD                            \
    {                                       \
        "amd-vi-generic", XINV_STAGE_STAGE2 \
    }

extern const struct list_user list_users[LIST_USERS];

/* test_iommu() by the name that lists have for it */
static inline struct xinv_iommu list_iommu(const char *platform, const char *feature,
                                           uint16_t value)
{
    return test_iommu(platform, feature, value);
}

/* A feature's value; 0 if the vendor has none of that name. */
uint16_t list_feature(const struct xinv_iommu *iommu, const char *name);

/* RID 2b1h, ASID 35h, DID or DomainID 47h, VMID 59h (0 on a stage-1-only stream), depth 16. */
struct xinv_attachment list_attachment(uint8_t stage);

/* The same with DID 7, which the narrowest unit can hold too. */
struct xinv_attachment list_narrow_attachment(uint8_t stage, uint8_t flags);

/* The change of a range of page-table entries of that stage, or of one page's leaf. */
struct xinv_request list_change(uint8_t stage, uint64_t first, uint64_t last);
struct xinv_request list_page(uint8_t change, uint8_t from);

/* What xinv_translate() returns; the list is in list_words and list_steps. */
int list_run(const struct xinv_iommu *iommu, const struct xinv_attachment *at, size_t n,
             const struct xinv_request *request, const struct xinv_policy *policy,
             struct xinv_out *out);

/* The command at a word of the list; it must be valid to the independent decoder. */
void list_decode(const struct xinv_iommu *iommu, uint32_t at, struct refdec_cmd *cmd);

/* Names of the commands that came out, joined by blanks. */
const char *list_names(const struct xinv_iommu *iommu, const struct xinv_out *out);

/* What the address-selective commands say in all: lowest and highest byte, bytes - 1 in sum, and
 * how many. */
struct list_covered {
    uint64_t first;
    uint64_t last;
    uint64_t sum;
    unsigned n;
};

/* Of the commands for the device's cache, or of the others. */
struct list_covered list_cover(const struct xinv_iommu *iommu, const struct xinv_out *out,
                               bool atc);

/* Expects the list to start with exactly these commands. */
void list_expect(const char *what, const struct xinv_iommu *iommu, const struct xinv_out *out,
                 const uint64_t (*list)[2], size_t n);

/* The same, and that nothing but syncs follows. */
void list_expect_removals(const char *what, const struct xinv_iommu *iommu,
                          const struct xinv_out *out, const uint64_t (*list)[2], size_t n);

#endif
