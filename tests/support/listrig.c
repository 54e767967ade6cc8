// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
#include "tests/support/listrig.h"

#include <criterion/criterion.h>
#include <inttypes.h>
#include <string.h>

#include "tests/support/vectorcaps.h"

uint64_t list_words[LIST_WORDS];
struct xinv_step list_steps[LIST_STEPS];
struct xinv_report list_report;

const struct list_user list_users[LIST_USERS] = {
    {"arm-smmuv3-generic", XINV_STAGE_STAGE1}, {"arm-smmuv3-generic", XINV_STAGE_STAGE2},
    {"arm-smmuv3-ril", XINV_STAGE_STAGE1},     {"arm-smmuv3-ril", XINV_STAGE_STAGE2},
    {"intel-vtd-legacy", XINV_STAGE_STAGE2},   {"qemu-intel-caching-mode", XINV_STAGE_STAGE2},
    {"intel-vtd-scalable", XINV_STAGE_STAGE1}, {"intel-vtd-scalable", XINV_STAGE_STAGE2},
    {"amd-vi-generic", XINV_STAGE_STAGE1},     {"amd-vi-generic", XINV_STAGE_STAGE2},
    {"qemu-amd-npcache", XINV_STAGE_STAGE2},
};

uint16_t list_feature(const struct xinv_iommu *iommu, const char *name)
{
    int f = xinv_feature_find(iommu->vendor, name);

    return f < 0 ? 0 : iommu->feature[f];
}

struct xinv_attachment list_attachment(uint8_t stage)
{
    return (struct xinv_attachment){.stage = stage,
                                    .known = BIT(RID) | BIT(ASID) | BIT(DID) | BIT(VMID),
                                    .rid = 0x2b1,
                                    .asid = 0x35,
                                    .did = 0x47,
                                    .vmid = stage == XINV_STAGE_STAGE1 ? 0 : 0x59,
                                    .queue_depth = 16};
}

struct xinv_attachment list_narrow_attachment(uint8_t stage, uint8_t flags)
{
    struct xinv_attachment at = list_attachment(stage);

    at.did = 7;
    at.flags = flags;
    return at;
}

struct xinv_request list_change(uint8_t stage, uint64_t first, uint64_t last)
{
    return (struct xinv_request){.change = stage == XINV_STAGE_STAGE2 ? XINV_CHANGE_STAGE2_PTE
                                                                      : XINV_CHANGE_STAGE1_PTE,
                                 .flags = XINV_REQ_RANGE,
                                 .first = first,
                                 .last = last};
}

struct xinv_request list_page(uint8_t change, uint8_t from)
{
    return (struct xinv_request){.change = change,
                                 .from = from,
                                 .flags = XINV_REQ_RANGE | XINV_REQ_LEAF_ONLY,
                                 .first = 0x41234000,
                                 .last = 0x41234fff};
}

int list_run(const struct xinv_iommu *iommu, const struct xinv_attachment *at, size_t n,
             const struct xinv_request *request, const struct xinv_policy *policy,
             struct xinv_out *out)
{
    *out = (struct xinv_out){
        .words = list_words, .steps = list_steps, .cap_words = LIST_WORDS, .cap_steps = LIST_STEPS};
    memset(list_words, 0xa5, sizeof(list_words));
    return xinv_translate(iommu, at, n, request, policy, NULL, out, &list_report);
}

void list_decode(const struct xinv_iommu *iommu, uint32_t at, struct refdec_cmd *cmd)
{
    struct refdec_caps caps = vector_caps(iommu);
    char err[160];

    cr_assert_eq(refdec_decode(vector_refdec_vendor(iommu), &caps, list_words + at, iommu->words,
                               cmd, err, sizeof(err)),
                 0, "%016" PRIx64 " %016" PRIx64 ": %s", list_words[at], list_words[at + 1], err);
}

const char *list_names(const struct xinv_iommu *iommu, const struct xinv_out *out)
{
    static char text[LIST_WORDS * 16];

    text[0] = '\0';
    for (uint32_t i = 0; i < out->n_words; i += iommu->words) {
        struct refdec_cmd cmd;

        list_decode(iommu, i, &cmd);
        if (*text)
            strcat(text, " ");
        strcat(text, cmd.name);
    }
    return text;
}

static bool is_atc(const char *name)
{
    return !strcmp(name, "ATC_INV") || strstr(name, "dev_tlb") ||
           !strcmp(name, "INVALIDATE_IOTLB_PAGES");
}

struct list_covered list_cover(const struct xinv_iommu *iommu, const struct xinv_out *out, bool atc)
{
    struct list_covered c = {UINT64_MAX, 0, 0, 0};

    for (uint32_t i = 0; i < out->n_words; i += iommu->words) {
        struct refdec_cmd cmd;

        list_decode(iommu, i, &cmd);
        if (!cmd.has_range || is_atc(cmd.name) != atc)
            continue;
        /* blocks come in order: each starts where the one before ends */
        if (c.n)
            cr_assert_eq(cmd.first, c.last + 1, "blocks touch and do not overlap");
        c.first = cmd.first < c.first ? cmd.first : c.first;
        c.last = cmd.last;
        c.sum += cmd.last - cmd.first;
        c.n++;
    }
    return c;
}

void list_expect(const char *what, const struct xinv_iommu *iommu, const struct xinv_out *out,
                 const uint64_t (*list)[2], size_t n)
{
    cr_assert_geq(out->n_words, n * iommu->words, "%s", what);
    for (size_t i = 0; i < n; i++) {
        const uint64_t *w = list_words + i * iommu->words;

        cr_expect(w[0] == list[i][0] && w[1] == list[i][1],
                  "%s, command %zu: %016" PRIx64 " %016" PRIx64 " instead of %016" PRIx64
                  " %016" PRIx64,
                  what, i, w[0], w[1], list[i][0], list[i][1]);
        for (unsigned k = 2; k < iommu->words; k++)
            cr_expect_eq(w[k], 0, "%s", what);
    }
}

void list_expect_removals(const char *what, const struct xinv_iommu *iommu,
                          const struct xinv_out *out, const uint64_t (*list)[2], size_t n)
{
    list_expect(what, iommu, out, list, n);
    /* what follows removes nothing */
    for (uint32_t i = (uint32_t)n * iommu->words; i < out->n_words; i += iommu->words) {
        struct refdec_cmd cmd;

        list_decode(iommu, i, &cmd);
        cr_expect(!strcmp(cmd.name, "SYNC") || !strcmp(cmd.name, "COMPLETION_WAIT"), "%s: %s", what,
                  cmd.name);
    }
}
