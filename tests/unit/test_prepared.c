// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/* A prepared list answers every range as xinv_translate() does. */
#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <xinv/prepared.h>

#include "tests/support/hardware.h"
#include "tests/support/listrig.h"
#include "tests/support/random.h"

#define WORDS    4096
#define STEPS    64
#define COMMANDS 64

struct answer {
    int ret;
    struct xinv_report report;
    struct xinv_out out;
    uint64_t words[WORDS];
    struct xinv_step steps[STEPS];
};

static struct answer translated;
static struct answer emitted;
static struct xinv_prepared list;
static struct xinv_prepared_command commands[COMMANDS];

static uint64_t written; /* ranges that were not planned */
static uint64_t pages;   /* of which the words alone were looked at */

/* A page's words are those that it emits, but for the sync at the end. */
static void expect_page_words(uint64_t first, uint64_t last)
{
    uint64_t words[COMMANDS * 4];
    uint32_t n = xinv_prepared_page(&list, first, words);

    if (!n)
        return;
    cr_assert_lt(n, N(words));
    if (last - first == list.page && emitted.ret > 0 && !emitted.out.ring_words) {
        pages++;
        cr_assert_leq(n, emitted.out.n_words);
        cr_assert_arr_eq(words, emitted.words, n * sizeof(words[0]));
        cr_assert(emitted.out.n_words - n == list.words || emitted.out.n_words == n,
                  "one sync more, or none");
    }
}

/* What a list writes without planning is what it emits; otherwise it leaves everything alone. */
static void expect_same_without_plan(const struct xinv_completion *completion,
                                     const struct xinv_out *fresh, uint64_t first, uint64_t last)
{
    static uint64_t words[WORDS];
    static struct xinv_step steps[STEPS];
    static const struct xinv_report before = {.commands = 0xa5a5a5a5};
    struct xinv_report report = before;
    struct xinv_out out = *fresh;
    struct xinv_out count = {.n_words = 6, .n_steps = 3};
    int ret;

    out.words = words;
    out.steps = steps;
    memset(words, 0xa5, sizeof(words));
    memset(steps, 0, sizeof(steps));
    ret = xinv_prepared_write(&list, first, last, completion, &out, &report);
    if (ret) {
        written++;
        cr_assert_eq(ret, emitted.ret);
        cr_assert_eq(out.n_words, emitted.out.n_words);
        cr_assert_eq(out.n_steps, emitted.out.n_steps);
        cr_assert_arr_eq(words, emitted.words, sizeof(words));
        cr_assert_arr_eq(steps, emitted.steps, sizeof(steps));
        cr_assert_arr_eq(&report, &emitted.report, sizeof(report));
    } else {
        cr_assert_eq(out.n_words, 0);
        cr_assert_eq(out.n_steps, 0);
        cr_assert_arr_eq(&report, &before, sizeof(report));
    }
    ret = xinv_prepared_write(&list, first, last, completion, &count, &report);
    cr_assert(ret == 0 || emitted.ret == -XINV_E_NOSPACE || ret == emitted.ret);
    cr_assert_eq(count.n_words, 6 + (ret ? emitted.report.need_words : 0));
    cr_assert_eq(count.n_steps, 3 + (ret ? emitted.report.need_steps : 0));
    cr_assert(!ret || report.commands == emitted.report.commands);
}

static void expect_same(const struct xinv_completion *completion, uint32_t ring, uint32_t cap,
                        uint64_t first, uint64_t last)
{
    struct xinv_request request = list.request;
    struct xinv_out fresh = {
        .ring_words = ring, .head = ring ? ring - 4 : 0, .cap_words = cap, .cap_steps = STEPS};
    const struct xinv_report *a = &emitted.report;
    const struct xinv_report *b = &translated.report;

    request.first = first;
    request.last = last;
    translated.out = emitted.out = fresh;
    translated.out.words = translated.words;
    translated.out.steps = translated.steps;
    emitted.out.words = emitted.words;
    emitted.out.steps = emitted.steps;
    memset(translated.words, 0xa5, sizeof(translated.words));
    memset(emitted.words, 0xa5, sizeof(emitted.words));
    memset(translated.steps, 0, sizeof(translated.steps));
    memset(emitted.steps, 0, sizeof(emitted.steps));
    translated.ret = xinv_translate(list.iommu, list.attachments, list.n_attachments, &request,
                                    &list.policy, completion, &translated.out, &translated.report);
    emitted.ret = xinv_prepared_emit(&list, first, last, completion, &emitted.out, &emitted.report);
    cr_assert_eq(emitted.ret, translated.ret, "%s, %" PRIx64 "..%" PRIx64 ": %d, not %d",
                 list.iommu->platform->name, first, last, emitted.ret, translated.ret);
    cr_assert_eq(emitted.out.n_words, translated.out.n_words);
    cr_assert_eq(emitted.out.n_steps, translated.out.n_steps);
    if (emitted.ret >= 0) {
        cr_assert_arr_eq(emitted.words, translated.words, sizeof(emitted.words));
        cr_assert_arr_eq(emitted.steps, translated.steps, sizeof(emitted.steps));
    }
    cr_assert(a->commands == b->commands && a->syncs == b->syncs &&
              a->need_words == b->need_words && a->need_steps == b->need_steps);
    cr_assert(a->widened == b->widened && a->must_beyond == b->must_beyond &&
              a->may_beyond == b->may_beyond && a->rows == b->rows);
    cr_assert_eq(a->asked_pages, b->asked_pages);
    cr_assert_eq(a->extra_pages, b->extra_pages, "%s, %" PRIx64 "..%" PRIx64,
                 list.iommu->platform->name, first, last);
    cr_assert(a->extra_unbounded == b->extra_unbounded && a->at == b->at &&
              a->at_tag == b->at_tag && a->at_cache == b->at_cache);
    expect_same_without_plan(completion, &fresh, first, last);
    expect_page_words(first, last);
}

static struct xinv_attachment random_attachment(uint8_t stage, uint32_t rid)
{
    static const uint8_t flags[] = {0, XINV_ATT_ATS, XINV_ATT_ATS,
                                    XINV_ATT_ATS | XINV_ATT_PASID_ENABLED,
                                    XINV_ATT_ATS | XINV_ATT_PASIDS_UNKNOWN};
    struct xinv_attachment at = list_narrow_attachment(stage, flags[random_next() % N(flags)]);

    at.rid = rid;
    at.did += (uint32_t)(random_next() % 2);
    at.vmid = at.vmid ? at.did : 0;
    if (random_next() % 3 == 0) {
        at.known |= XINV_TAG_BIT(XINV_TAG_PASID);
        at.pasid = (uint32_t)(random_next() % 3);
    }
    if (random_next() % 8 == 0)
        at.known &= (uint8_t)~XINV_TAG_BIT(random_next() % XINV_NTAGS);
    if (random_next() % 8 == 0)
        at.quirks = 0xff;
    return at;
}

static struct xinv_request random_request(uint8_t stage)
{
    static const uint8_t leaves[] = {0, 12, 12, 14, 16, 21, 21, 25, 29, 30, 39};
    struct xinv_request r = list_change(stage, 0, 0);

    if (random_next() % 8 == 0)
        r.from = XINV_FROM_NOT_PRESENT;
    if (random_next() % 6 == 0)
        r = (struct xinv_request){.caches = (uint8_t)(1u + random_next() % 255),
                                  .scope = XINV_SCOPE_ADDRESS,
                                  .flags = XINV_REQ_INVALIDATE | XINV_REQ_RANGE};
    if (random_next() % 2)
        r.flags |= XINV_REQ_LEAF_ONLY;
    if (random_next() % 4 == 0)
        r.flags |= XINV_REQ_LEAVES_WITHIN;
    if (random_next() % 4 == 0)
        r.flags |= XINV_REQ_GLOBAL;
    if (random_next() % 4 == 0)
        r.flags |= XINV_REQ_BEYOND;
    r.log2_leaf_size = leaves[random_next() % N(leaves)];
    if (r.log2_leaf_size && random_next() % 2)
        r.log2_smallest_leaf = r.log2_leaf_size;
    return r;
}

static struct xinv_policy random_policy(void)
{
    static const struct xinv_policy policies[] = {{XINV_POLICY_EXACT, 0, 0},
                                                  {XINV_POLICY_EXACT, 0, 0},
                                                  {XINV_POLICY_LATENCY, 0, 0},
                                                  {XINV_POLICY_AT_MOST, 1, 0},
                                                  {XINV_POLICY_AT_MOST, 3, 0},
                                                  {XINV_POLICY_EXACT, 0, 2},
                                                  {XINV_POLICY_EXACT, 0, 16},
                                                  {XINV_POLICY_EXACT, 0, XINV_WORTH},
                                                  {XINV_POLICY_AT_MOST, 4, XINV_WORTH},
                                                  {XINV_POLICY_LATENCY, 0, 100}};

    return policies[random_next() % N(policies)];
}

/* A page, an aligned block, a few pages anywhere, many, up to the top of the space, or all of it.
 */
static void random_range(uint64_t *first, uint64_t *last)
{
    uint64_t at = random_next() >> (random_next() % 48);
    uint64_t size = UINT64_C(1) << (12 + random_next() % 20);

    switch (random_next() % 8) {
    case 0:
    case 1:
        *first = at & ~UINT64_C(0xfff);
        *last = *first + 0xfff;
        break;
    case 2:
    case 3:
        *first = at & ~(size - 1);
        *last = *first + size - 1;
        break;
    case 4:
        *first = at;
        *last = at > UINT64_MAX - size ? UINT64_MAX : at + size;
        break;
    case 5:
        *first = UINT64_MAX - size * (random_next() % 4);
        *last = UINT64_MAX;
        break;
    case 6:
        *first = 0;
        *last = random_next() % 2 ? UINT64_MAX : size * 3;
        break;
    default:
        *first = at & ~UINT64_C(0xfff);
        *last = *first + ((1 + random_next() % 40) << 12) - 1; /* or past the top: refused */
        break;
    }
}

/* A random list, prepared; false if it is refused, which xinv_translate() must do as well. */
static bool prepare(const struct xinv_iommu *iommu, struct xinv_attachment *at)
{
    uint8_t stage = (uint8_t)(XINV_STAGE_STAGE1 + random_next() % 3);
    size_t n = 1 + random_next() % 3;
    struct xinv_request request = random_request(stage);
    struct xinv_policy policy = random_policy();
    struct xinv_out out = {0};
    int ret;
    int direct;

    for (size_t i = 0; i < n; i++)
        at[i] = random_attachment(stage, (uint32_t)(0x100 + i / 2));
    ret = xinv_prepare(&list, commands, random_next() % 8 ? COMMANDS : 2, iommu, at, n, &request,
                       &policy);
    if (ret >= 0)
        return true;
    direct = xinv_translate(iommu, at, n, &request, &policy, NULL, &out, NULL);
    cr_assert_eq(ret, direct, "%s: %d, not %d", iommu->platform->name, ret, direct);
    return false;
}

Test(prepared, every_range_is_answered_as_translate_does)
{
    static const struct xinv_completion completions[] = {
        {.store = 1, .address = 0x1000, .data = 1},
        {.store = 1, .address = 0x1000, .data = 1},
        {.store = 1, .address = 0x7ffff8, .data = UINT32_MAX},
        {.store = 1, .address = 0x1004, .data = UINT64_MAX},
        {.store = 1, .address = UINT64_C(0x00f0000000001000), .data = 1},
        {.store = 1, .address = 0x1002, .data = 1},
        {.store = 1, .address = 0, .data = 1},
        {.store = 1, .fence = 1, .address = 0x2000, .data = 3},
        {.interrupt = 1},
        {.drain = 1},
        {0}};
    unsigned long prepared = 0;
    unsigned long ranges = 0;

    random_start();
    for (unsigned k = 0; k < 60; k++)
        for (unsigned i = 0; working_at(i); i++) {
            struct xinv_iommu iommu;
            struct xinv_attachment at[3];

            cr_assert_eq(xinv_iommu_init(&iommu, working_at(i), NULL, NULL, 0), 0);
            if (!prepare(&iommu, at))
                continue;
            for (unsigned r = 0; r < 24; r++) {
                uint64_t first;
                uint64_t last;

                random_range(&first, &last);
                expect_same(random_next() % 2 ? &completions[random_next() % N(completions)] : NULL,
                            random_next() % 2 ? WORDS : 0,
                            random_next() % 4 ? WORDS : (uint32_t)(random_next() % 16), first,
                            last);
                ranges++;
                prepared += list.n != 0;
            }
        }
    fprintf(stderr, "%lu ranges, %lu of them of lists that are prepared, %" PRIu64 " written\n",
            ranges, prepared, written);
    cr_assert_gt(prepared, ranges / 4);
    cr_assert_gt(written, ranges / 4);
    cr_assert_gt(pages, ranges / 100);
}

/* ---- One page, or one leaf, in one piece ---- */

/* A stage-2 list of one endpoint under tag 5, for leaves of one size. */
static void prepare_leaves(struct xinv_iommu *iommu, struct xinv_attachment *at,
                           const char *platform, uint8_t log2_leaf)
{
    struct xinv_request request = {.change = XINV_CHANGE_STAGE2_PTE,
                                   .flags = XINV_REQ_RANGE | XINV_REQ_LEAF_ONLY,
                                   .log2_leaf_size = log2_leaf,
                                   .log2_smallest_leaf = log2_leaf};

    cr_assert_eq(xinv_iommu_init(iommu, xinv_platform_find(platform), NULL, NULL, 0), 0);
    *at =
        (struct xinv_attachment){.stage = XINV_STAGE_STAGE2,
                                 .known = XINV_TAG_BIT(XINV_TAG_RID) | XINV_TAG_BIT(XINV_TAG_DID) |
                                          XINV_TAG_BIT(XINV_TAG_VMID),
                                 .rid = 0x310,
                                 .did = 5,
                                 .vmid = 5};
    cr_assert_eq(xinv_prepare(&list, commands, COMMANDS, iommu, at, 1, &request, NULL), 1);
}

/* What is written for a range without planning; 0: nothing. */
static int write_range(uint64_t first, uint64_t last)
{
    static const struct xinv_completion done = {.store = 1, .address = 0x10000, .data = 1};

    emitted.out = (struct xinv_out){
        .words = emitted.words, .steps = emitted.steps, .cap_words = WORDS, .cap_steps = STEPS};
    return xinv_prepared_write(&list, first, last, &done, &emitted.out, &emitted.report);
}

/* iotlb, page-selective, DR and DW, IH, AM = 9 (VT-d 6.5.2.3) */
Test(prepared, a_leaf_of_2_MiB_on_vtd_is_one_block_of_its_size)
{
    struct xinv_iommu iommu;
    struct xinv_attachment at;

    prepare_leaves(&iommu, &at, "intel-vtd-legacy", 21);
    cr_assert_eq(list.page, 0x1fffff);
    cr_assert_eq(write_range(0x40200000, 0x403fffff), 2);
    cr_assert_eq(emitted.words[0], 0x500f2);
    cr_assert_eq(emitted.words[1], 0x40200049);
    cr_assert_eq(emitted.report.asked_pages, 512);
    cr_assert_eq(emitted.report.extra_pages, 0);
}

/* INVALIDATE_IOMMU_PAGES without PDE: S, and eight ones from bit 12 up (AMD 2.4.3) */
Test(prepared, a_leaf_of_2_MiB_on_amd_is_one_block_of_its_size)
{
    struct xinv_iommu iommu;
    struct xinv_attachment at;

    prepare_leaves(&iommu, &at, "amd-vi-generic", 21);
    cr_assert_eq(list.page, 0x1fffff);
    cr_assert_eq(write_range(0x40200000, 0x403fffff), 2);
    cr_assert_eq(emitted.words[0], UINT64_C(0x3000000500000000));
    cr_assert_eq(emitted.words[1], 0x402ff001);
}

/* One address in the leaf finds it (SMMUv3 4.4.1: TG = 0). */
Test(prepared, a_leaf_of_2_MiB_on_smmuv3_without_ranges_is_one_address)
{
    struct xinv_iommu iommu;
    struct xinv_attachment at;

    prepare_leaves(&iommu, &at, "arm-smmuv3-generic", 21);
    cr_assert_eq(list.page, 0x1fffff);
    cr_assert_eq(write_range(0x40200000, 0x403fffff), 2);
    cr_assert_eq(emitted.words[0], UINT64_C(0x50000002a));
    cr_assert_eq(emitted.words[1], 0x40200001);
}

/* TLBI_S2_IPA of 1 << 9 granules: NUM = 0, SCALE = 9, TG = 4 KiB (SMMUv3 4.4.1.1) */
Test(prepared, a_leaf_of_2_MiB_on_smmuv3_with_ranges_is_one_range)
{
    struct xinv_iommu iommu;
    struct xinv_attachment at;

    prepare_leaves(&iommu, &at, "arm-smmuv3-ril", 21);
    cr_assert_eq(write_range(0x40200000, 0x403fffff), 2);
    cr_assert_eq(emitted.words[0], UINT64_C(0x50000002a) | UINT64_C(9) << 20);
    cr_assert_eq(emitted.words[1], 0x40200001 | UINT64_C(1) << 10);
}

Test(prepared, part_of_a_leaf_is_widened_to_the_leaf)
{
    struct xinv_iommu iommu;
    struct xinv_attachment at;

    prepare_leaves(&iommu, &at, "intel-vtd-legacy", 21);
    cr_assert_eq(write_range(0x40201000, 0x40201fff), 2);
    cr_assert_eq(emitted.words[1], 0x40200049);
    cr_assert_eq(emitted.report.asked_pages, 1);
    cr_assert_eq(emitted.report.extra_pages, 511);
}

Test(prepared, nothing_is_written_beyond_what_a_list_holds_for)
{
    struct xinv_iommu iommu;
    struct xinv_attachment at;

    prepare_leaves(&iommu, &at, "arm-smmuv3-ril", 12);
    cr_assert_eq(write_range(0x40001000, 0x40000fff), 0, "last before first");
    cr_assert_eq(write_range(0, UINT64_MAX), 0, "every address");
    cr_assert_eq(write_range(UINT64_MAX - 0xfff, UINT64_MAX), 0, "above the input addresses");
    cr_assert_eq(emitted.out.n_words, 0);
    cr_assert_eq(xinv_prepared_write(NULL, 0, 0xfff, NULL, &emitted.out, NULL), -XINV_E_INVAL);
    cr_assert_eq(xinv_prepared_write(&list, 0, 0xfff, NULL, NULL, NULL), -XINV_E_INVAL);
}

/* ---- The words of a page alone ---- */

/* iotlb in a descriptor of 256 bits, without the wait (VT-d 6.5.2.3) */
Test(prepared, the_words_of_a_page_come_without_a_sync)
{
    static const uint64_t expected[] = {0x500f2, 0x40003040, 0, 0};
    struct xinv_iommu iommu;
    struct xinv_attachment at;
    uint64_t words[8] = {0};

    prepare_leaves(&iommu, &at, "intel-vtd-scalable", 12);
    cr_assert_eq(xinv_prepared_page(&list, 0x40003000, words), 4);
    cr_assert_arr_eq(words, expected, sizeof(expected));
    cr_assert_eq(words[4], 0);
}

Test(prepared, what_is_no_page_has_no_words)
{
    struct xinv_iommu iommu;
    struct xinv_attachment at;
    uint64_t words[8] = {0};

    prepare_leaves(&iommu, &at, "arm-smmuv3-ril", 21);
    cr_assert_eq(xinv_prepared_page(&list, 0x40001000, words), 0, "within a leaf");
    cr_assert_eq(xinv_prepared_page(&list, list.top + 1, words), 0, "beyond the last address");
    cr_assert_eq(xinv_prepared_page(NULL, 0x40000000, words), 0);
    cr_assert_eq(xinv_prepared_page(&list, 0x40000000, NULL), 0);
    cr_assert_eq(words[0], 0);
}

Test(prepared, a_list_without_commands_has_no_words_for_any_page)
{
    struct xinv_iommu iommu;
    struct xinv_attachment at;
    uint64_t words[8] = {0};

    prepare_leaves(&iommu, &at, "arm-smmuv3-ril", 12);
    cr_assert_eq(xinv_prepare(&list, commands, 0, &iommu, &at, 1, &list.request, NULL), 0);
    for (uint64_t first = 0; first < 0x4000; first++)
        cr_assert_eq(xinv_prepared_page(&list, first, words), 0);
    cr_assert_eq(words[0], 0, "nothing is written");
}
