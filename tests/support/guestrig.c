// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
#include "tests/support/guestrig.h"

#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "tests/support/testiommu.h"

static void begin(struct guestrig *rig, const struct xinv_iommu *iommu)
{
    memset(rig, 0, sizeof(*rig));
    rig->iommu = *iommu;
    rig->guest = (struct xinv_guest){rig->at, 0, 4};
}

void guestrig_begin(struct guestrig *rig, const char *platform)
{
    struct xinv_iommu iommu = test_iommu(platform, NULL, 0);

    begin(rig, &iommu);
}

void guestrig_begin_all(struct guestrig *rig, const char *platform, const char *setting,
                        uint16_t value)
{
    struct xinv_iommu iommu = test_iommu_every(platform, setting, value);

    begin(rig, &iommu);
}

struct xinv_guest_attachment *guestrig_add(struct guestrig *rig, uint8_t stage, uint32_t guest_rid,
                                           uint32_t host_rid)
{
    size_t i = rig->guest.n++;

    cr_assert_lt(i, GUEST_MAX);
    rig->host[i] = (struct xinv_attachment){
        .stage = stage, .rid = host_rid, .known = XINV_TAG_BIT(XINV_TAG_RID)};
    rig->at[i] = (struct xinv_guest_attachment){
        .host = &rig->host[i], .rid = guest_rid, .known = XINV_TAG_BIT(XINV_TAG_RID)};
    return &rig->at[i];
}

int guestrig_filter(struct guestrig *rig, uint64_t low, uint64_t high)
{
    const uint64_t words[4] = {low, high, 0, 0};

    memset(rig->words, 0xa5, sizeof(rig->words));
    rig->out = (struct xinv_out){.words = rig->words,
                                 .steps = rig->steps,
                                 .cap_words = sizeof(rig->words) / 8,
                                 .cap_steps = 4};
    return xinv_filter(&rig->iommu, &rig->guest, words, &rig->out, &rig->result);
}

static void say(struct guestrig *rig, const char *format, ...)
{
    size_t used = strlen(rig->text);
    va_list args;

    va_start(args, format);
    vsnprintf(rig->text + used, sizeof(rig->text) - used, format, args);
    va_end(args);
}

const char *guestrig_text(struct guestrig *rig, uint64_t low, uint64_t high)
{
    static const char *const verdicts[XINV_FILTER_NVERDICTS] = {
        [XINV_FILTER_REFUSED] = "refused",
        [XINV_FILTER_ANSWERED] = "answered",
        [XINV_FILTER_FORWARDED] = "forwarded",
        [XINV_FILTER_REWRITTEN] = "rewritten"};
    int ret = guestrig_filter(rig, low, high);
    unsigned n = rig->iommu.words;

    rig->text[0] = '\0';
    say(rig, "%s", verdicts[rig->result.verdict]);
    if (rig->result.verdict == XINV_FILTER_REFUSED) {
        say(rig, " %d: %s", -ret, xinv_filter_text(rig->result.reason));
        return rig->text;
    }
    cr_expect_eq(ret, (int)rig->result.commands);
    cr_expect_eq(rig->out.n_words, rig->result.commands * n);
    for (uint32_t i = 0; i < rig->out.n_words; i += n) {
        say(rig, "%s%016" PRIx64 " %016" PRIx64, i ? ", " : " ", rig->words[i], rig->words[i + 1]);
        for (unsigned k = 2; k < n; k++)
            cr_expect_eq(rig->words[i + k], 0, "word %u", k);
    }
    return rig->text;
}

void guestrig_expect(struct guestrig *rig, uint64_t low, uint64_t high, const char *text)
{
    const char *found = guestrig_text(rig, low, high);

    cr_expect_str_eq(found, text, "%016" PRIx64 " %016" PRIx64 ":\n%s\n%s", low, high, found, text);
}

void guestrig_refused(struct guestrig *rig, uint64_t low, uint64_t high, uint8_t reason, int error)
{
    int ret = guestrig_filter(rig, low, high);

    cr_expect_eq(ret, error, "%016" PRIx64 " %016" PRIx64 ": %d, expected %d", low, high, ret,
                 error);
    cr_expect_eq(rig->result.verdict, XINV_FILTER_REFUSED, "%016" PRIx64 " %016" PRIx64, low, high);
    cr_expect_eq(rig->result.reason, reason, "%016" PRIx64 " %016" PRIx64 ": %s", low, high,
                 xinv_filter_text(rig->result.reason));
    cr_expect_eq(rig->out.n_words, 0);
    cr_expect_eq(rig->words[0], UINT64_C(0xa5a5a5a5a5a5a5a5));
}
