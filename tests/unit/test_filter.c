// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/*
 * The filter on every platform: whatever a guest puts in its queue, nothing leaves that could
 * remove another guest's entries; and what an output without room looks like.
 */
#include <criterion/criterion.h>
#include <inttypes.h>
#include <string.h>

#include "core/layout.h"
#include "tests/support/guestrig.h"
#include "tests/support/hardware.h"
#include "tests/support/random.h"
#include "tests/support/trespass.h"

static struct guestrig rig;
/* ---- Neighbours ---- */

/*
 * The guest's tags on the host are odd, its neighbours' are even, and the guest's own names are any
 * of these: whoever mixes them up names a neighbour.
 */
#define LOWEST 2
#define VALUES 16

static uint32_t odd_tag(void)
{
    return LOWEST + 1 + 2 * (uint32_t)(random_next() % (VALUES / 2));
}

static uint32_t any_tag(void)
{
    return LOWEST + (uint32_t)(random_next() % VALUES);
}

static void random_guest(void)
{
    static const uint8_t stages[] = {XINV_STAGE_NESTED, XINV_STAGE_NESTED, XINV_STAGE_NESTED,
                                     XINV_STAGE_STAGE2, XINV_STAGE_PASSTHROUGH};
    uint32_t vmid = odd_tag(); /* a guest has one */
    unsigned n = 1 + (unsigned)(random_next() % GUEST_MAX);

    rig.guest.n = 0;
    rig.guest.pasid_bits = (uint8_t)(random_next() % 6);
    for (unsigned i = 0; i < n; i++) {
        struct xinv_guest_attachment *a =
            guestrig_add(&rig, stages[random_next() % 5], any_tag(), odd_tag());
        struct xinv_attachment *at = &rig.host[i];

        a->did = any_tag();
        a->known |= XINV_TAG_BIT(XINV_TAG_DID);
        at->did = at->stage == XINV_STAGE_PASSTHROUGH ? 1 : odd_tag();
        at->vmid = vmid;
        at->flags = random_next() & 1 ? XINV_ATT_ATS : 0;
        at->queue_id = (uint16_t)odd_tag();
        at->pfsid = (uint16_t)odd_tag();
        at->queue_depth = (uint8_t)(random_next() % 33);
        at->known |= XINV_TAG_BIT(XINV_TAG_DID);
        if (at->stage != XINV_STAGE_PASSTHROUGH)
            at->known |= XINV_TAG_BIT(XINV_TAG_VMID);
    }
}

/* A command with all fields small, so that it often names something. */
static void random_command(uint64_t *words)
{
    const struct xinv_codec *codec = rig.iommu.vendor->backend->codec;
    const struct xinv_layout *layout = &codec->layouts[random_next() % codec->n_layouts];

    memset(words, 0, XINV_COMMAND_WORDS * sizeof(*words));
    words[0] = layout->opcode;
    words[1] = layout->form;
    for (unsigned i = 0; i < layout->list->n; i++) {
        const struct xinv_layout_field *f = &layout->list->fields[i];
        uint64_t value = random_next() % 3 ? any_tag() : random_next() % 4;

        xinv_put(words, f->word, f->lsb, f->width, 0, value);
    }
    if (random_next() % 32 == 0)
        words[random_next() % rig.iommu.words] ^= UINT64_C(1) << (random_next() % 64);
}

struct counts {
    unsigned verdict[XINV_FILTER_NVERDICTS];
    unsigned reason[XINV_FILTER_NREASONS];
};

static void check_one(struct counts *counts)
{
    uint64_t words[XINV_COMMAND_WORDS];
    int ret;

    random_guest();
    random_command(words);
    rig.out =
        (struct xinv_out){.words = rig.words, .steps = rig.steps, .cap_words = 64, .cap_steps = 4};
    ret = xinv_filter(&rig.iommu, &rig.guest, words, &rig.out, &rig.result);
    counts->verdict[rig.result.verdict]++;
    counts->reason[rig.result.reason]++;
    cr_assert_eq(ret < 0, rig.result.verdict == XINV_FILTER_REFUSED);
    cr_assert_eq(rig.result.reason == XINV_FILTER_ALLOWED, ret >= 0);
    cr_assert_eq(rig.out.n_words, ret > 0 ? (uint32_t)ret * rig.iommu.words : 0);
    for (uint32_t at = 0; at < rig.out.n_words; at += rig.iommu.words) {
        const char *text = trespass(&rig.iommu, &rig.guest, &rig.words[at]);

        cr_assert_null(
            text, "%s: %016" PRIx64 " %016" PRIx64 " of %016" PRIx64 " %016" PRIx64 ": %s",
            rig.iommu.platform->name, rig.words[at], rig.words[at + 1], words[0], words[1], text);
    }
}

Test(filter, no_command_reaches_a_neighbour_on_any_platform)
{
    const struct xinv_platform *p;

    random_start();
    for (unsigned i = 0; (p = hardware_at(i)) != NULL; i++) {
        struct counts counts = {0};

        guestrig_begin(&rig, p->name);
        for (unsigned round = 0; round < 20000; round++)
            check_one(&counts);
        cr_expect_gt(counts.verdict[XINV_FILTER_ANSWERED], 0, "%s", p->name);
        cr_expect_gt(counts.reason[XINV_FILTER_INVALID], 0, "%s", p->name);
        /* the DIDs and the VMID of nested tables need nesting; streams do not */
        if (rig.iommu.stages & XINV_STAGE_BIT(XINV_STAGE_NESTED))
            cr_expect_gt(counts.verdict[XINV_FILTER_REWRITTEN], 100, "%s", p->name);
    }
}

Test(filter, no_command_reaches_a_neighbour_where_every_feature_is_there)
{
    static const char *const platforms[] = {"arm-smmuv3-ril", "intel-vtd-scalable",
                                            "amd-vi-generic"};

    random_start();
    for (unsigned i = 0; i < 3; i++) {
        struct counts counts = {0};

        guestrig_begin_all(&rig, platforms[i], NULL, 0);
        for (unsigned round = 0; round < 100000; round++)
            check_one(&counts);
        for (unsigned v = 0; v < XINV_FILTER_NVERDICTS; v++)
            cr_expect_gt(counts.verdict[v], 0, "%s: no verdict %u", platforms[i], v);
    }
}

/* ---- The output ---- */

static struct xinv_guest_attachment *add_nested(uint32_t guest_rid, uint32_t did, uint32_t host_did)
{
    struct xinv_guest_attachment *a =
        guestrig_add(&rig, XINV_STAGE_NESTED, guest_rid, 0x300 + guest_rid);
    struct xinv_attachment *at = &rig.host[a - rig.at];

    a->did = did;
    a->known |= XINV_TAG_BIT(XINV_TAG_DID);
    at->did = host_did;
    at->known |= XINV_TAG_BIT(XINV_TAG_DID);
    return a;
}

/* A command that becomes two. */
static const uint64_t two[4] = {0x3000000300000003, 0x5006, 0, 0};

static void begin_two(void)
{
    guestrig_begin(&rig, "amd-vi-generic");
    add_nested(0x18, 3, 0x55);
    add_nested(0x20, 3, 0x56);
    memset(rig.words, 0xa5, sizeof(rig.words));
}

Test(filter, an_output_without_room_for_all_is_left_as_it_was)
{
    begin_two();
    rig.out =
        (struct xinv_out){.words = rig.words, .steps = rig.steps, .cap_words = 3, .cap_steps = 4};
    cr_expect_eq(xinv_filter(&rig.iommu, &rig.guest, two, &rig.out, &rig.result), -XINV_E_NOSPACE);
    cr_expect_eq(rig.result.need_words, 4);
    cr_expect_eq(rig.result.need_steps, 1);
    cr_expect_eq(rig.result.verdict, XINV_FILTER_REWRITTEN);
    cr_expect_eq(rig.out.n_words, 0);
    cr_expect_eq(rig.out.n_steps, 0);
    cr_expect_eq(rig.words[0], UINT64_C(0xa5a5a5a5a5a5a5a5));
}

Test(filter, an_output_without_a_buffer_counts)
{
    begin_two();
    rig.out = (struct xinv_out){0};
    cr_expect_eq(xinv_filter(&rig.iommu, &rig.guest, two, &rig.out, NULL), 2);
    cr_expect_eq(rig.out.n_words, 4);
    cr_expect_eq(rig.out.n_steps, 1);
}

Test(filter, commands_go_behind_what_is_there_and_around_a_ring)
{
    begin_two();
    rig.out = (struct xinv_out){.words = rig.words,
                                .steps = rig.steps,
                                .ring_words = 8,
                                .head = 4,
                                .cap_words = 8,
                                .cap_steps = 4,
                                .n_words = 2};
    cr_expect_eq(xinv_filter(&rig.iommu, &rig.guest, two, &rig.out, &rig.result), 2);
    cr_expect_eq(rig.out.n_words, 6);
    cr_expect_eq(rig.words[6], UINT64_C(0x3000005500000003));
    cr_expect_eq(rig.words[7], UINT64_C(0x5006));
    cr_expect_eq(rig.words[0], UINT64_C(0x3000005600000003));
    cr_expect_eq(rig.words[1], UINT64_C(0x5006));
    cr_expect_eq(rig.words[4], UINT64_C(0xa5a5a5a5a5a5a5a5));
    cr_expect_eq(rig.steps[0].kind, XINV_STEP_QUEUE);
    cr_expect_eq(rig.steps[0].first, 2);
    cr_expect_eq(rig.steps[0].count, 4);
}

/* The second attachment's tag is the host's own: the first one's command must not leave alone. */
Test(filter, one_attachment_that_is_wrong_keeps_the_others_command_back)
{
    begin_two();
    rig.host[1].did = 1;
    rig.out =
        (struct xinv_out){.words = rig.words, .steps = rig.steps, .cap_words = 64, .cap_steps = 4};
    cr_expect_eq(xinv_filter(&rig.iommu, &rig.guest, two, &rig.out, &rig.result), -XINV_E_TAG);
    cr_expect_eq(rig.result.commands, 0);
    cr_expect_eq(rig.out.n_words, 0);
    cr_expect_eq(rig.words[0], UINT64_C(0xa5a5a5a5a5a5a5a5));
}

Test(filter, arguments_that_are_missing_are_an_error)
{
    const struct xinv_guest none = {NULL, 1, 4};

    begin_two();
    cr_expect_eq(xinv_filter(NULL, &rig.guest, two, &rig.out, NULL), -XINV_E_INVAL);
    cr_expect_eq(xinv_filter(&rig.iommu, NULL, two, &rig.out, NULL), -XINV_E_INVAL);
    cr_expect_eq(xinv_filter(&rig.iommu, &none, two, &rig.out, NULL), -XINV_E_INVAL);
    cr_expect_eq(xinv_filter(&rig.iommu, &rig.guest, NULL, &rig.out, NULL), -XINV_E_INVAL);
    cr_expect_eq(xinv_filter(&rig.iommu, &rig.guest, two, NULL, NULL), -XINV_E_INVAL);
}

Test(filter, every_reason_has_a_text_of_its_own)
{
    for (unsigned a = 0; a < XINV_FILTER_NREASONS; a++)
        for (unsigned b = 0; b < a; b++)
            cr_expect_str_neq(xinv_filter_text(a), xinv_filter_text(b));
    cr_expect_str_eq(xinv_filter_text(XINV_FILTER_NREASONS),
                     xinv_filter_text(XINV_FILTER_UNLISTED));
}
