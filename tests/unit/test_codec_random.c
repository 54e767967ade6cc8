// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/*
 * Random words through the decoder: whatever it takes comes back from the encoder bit for bit, and
 * whatever it refuses, the encoder refuses for the same reason.
 */
#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/layout.h"
#include "tests/support/hardware.h"
#include "tests/support/random.h"
#include "tests/support/roundtrip.h"

/* Words that are likely to be a command: an opcode, and few bits beside it. */
static void random_words(const struct xinv_iommu *iommu, uint64_t *words)
{
    const struct xinv_codec *codec = iommu->vendor->backend->codec;
    const struct xinv_layout *layout = &codec->layouts[random_next() % codec->n_layouts];
    unsigned kind = (unsigned)(random_next() % 4);

    for (unsigned i = 0; i < XINV_COMMAND_WORDS; i++) {
        words[i] = random_next();
        for (unsigned k = 0; k < kind; k++)
            words[i] &= random_next();
        if (i >= 2 && kind)
            words[i] = 0;
    }
    if (kind)
        words[0] = (words[0] & ~layout->opcode_mask) | layout->opcode;
    if (kind != 2)
        return;
    /* no reserved bit, so that the checks behind are reached */
    for (unsigned w = 0; w < 2; w++) {
        uint64_t known = w ? 0 : layout->opcode_mask;

        for (unsigned i = 0; i < layout->list->n; i++)
            if (layout->list->fields[i].word == w)
                known |= xinv_field_mask(&layout->list->fields[i]);
        words[w] &= known;
    }
}

static unsigned run(const char *platform, const struct xinv_iommu *iommu, unsigned rounds)
{
    unsigned taken = 0;

    for (unsigned i = 0; i < rounds; i++) {
        uint64_t words[XINV_COMMAND_WORDS];
        char text[256] = "";
        int ret;

        random_words(iommu, words);
        ret = roundtrip(iommu, words, text, sizeof(text));
        cr_assert_geq(ret, 0, "%s: %016" PRIx64 " %016" PRIx64 " %016" PRIx64 " %016" PRIx64 ": %s",
                      platform, words[0], words[1], words[2], words[3], text);
        taken += (unsigned)ret;
    }
    return taken;
}

static unsigned platforms(void)
{
    unsigned n = 0;

    while (working_at(n))
        n++;
    return n;
}

/* Of each platform: a slice, or its part of XINV_CODEC_WORDS. */
static unsigned rounds(void)
{
    const char *all = getenv("XINV_CODEC_WORDS");

    return all ? (unsigned)strtoul(all, NULL, 10) / platforms() + 1 : 4000;
}

Test(codec_random, accepted_words_come_back_on_every_platform, .timeout = 1800)
{
    const struct xinv_platform *p;
    unsigned n = rounds();
    unsigned taken = 0;

    random_start();
    for (unsigned i = 0; (p = working_at(i)) != NULL; i++) {
        struct xinv_iommu iommu;

        cr_assert_eq(xinv_iommu_init(&iommu, p, NULL, NULL, 0), 0);
        taken += run(p->name, &iommu, n);
    }
    cr_expect_gt(taken, 3000, "too few words are commands: %u", taken);
    fprintf(stderr, "%u words on each of %u platforms: %u are commands\n", n, platforms(), taken);
}

Test(codec_random, accepted_words_come_back_where_every_feature_is_there)
{
    static const uint64_t ones[16] = {UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX,
                                      UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX};
    static const char *const names[] = {"arm-smmuv3-ril", "intel-vtd-scalable", "intel-vtd-legacy",
                                        "amd-vi-generic"};

    random_start();
    for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        struct xinv_iommu iommu;
        unsigned taken;

        cr_assert_eq(xinv_iommu_init(&iommu, xinv_platform_find(names[i]), ones, NULL, 0), 0);
        taken = run(names[i], &iommu, 50000);
        cr_expect_gt(taken, 4000, "%s: too few words are commands: %u", names[i], taken);
    }
}

/* The bits of a register that are of some field, so that the checks behind are reached. */
static uint64_t bits_of(const struct xinv_iommu *iommu, const char *name)
{
    const struct xinv_codec *codec = iommu->vendor->backend->codec;
    const struct xinv_layout *layout =
        xinv_layout_named(codec->registers, codec->n_registers, name);
    uint64_t bits = 0;

    cr_assert_not_null(layout, "%s", name);
    for (unsigned i = 0; i < layout->list->n; i++)
        bits |= xinv_field_mask(&layout->list->fields[i]);
    return bits;
}

static bool same_fault(const struct xinv_fault *a, const struct xinv_fault *b)
{
    return a->kind == b->kind && a->hardware == b->hardware && a->word == b->word &&
           a->bit == b->bit && a->need.feature == b->need.feature && a->field == b->field &&
           a->rule == b->rule && a->limit == b->limit;
}

static bool same_fields(const struct xinv_decoded *a, const struct xinv_decoded *b)
{
    if (a->name != b->name || a->n_fields != b->n_fields)
        return false;
    for (unsigned i = 0; i < a->n_fields; i++)
        if (strcmp(a->fields[i].name, b->fields[i].name) != 0 ||
            a->fields[i].value != b->fields[i].value)
            return false;
    return true;
}

/* The straight decoders take no more than the table does, and find the same fields. */
Test(codec_random, what_is_decoded_at_once_is_what_the_table_says)
{
    const struct xinv_platform *p;
    unsigned valid = 0;

    random_start();
    for (unsigned i = 0; (p = working_at(i)) != NULL; i++) {
        struct xinv_iommu iommu;

        cr_assert_eq(xinv_iommu_init(&iommu, p, NULL, NULL, 0), 0);
        for (unsigned round = 0; round < 4000; round++) {
            uint64_t words[XINV_COMMAND_WORDS];
            const struct xinv_layout *layout;
            struct xinv_decoded a;
            struct xinv_decoded b;
            int ret;

            random_words(&iommu, words);
            layout = xinv_layout_find(&iommu, words);
            if (!layout)
                continue;
            ret = xinv_decode(&iommu, words, &a);
            cr_assert_eq(ret, xinv_layout_judge(&iommu, words, &b, layout),
                         "%s: %016" PRIx64 " %016" PRIx64, p->name, words[0], words[1]);
            cr_assert(same_fields(&a, &b) && same_fault(&a.fault, &b.fault),
                      "%s: %016" PRIx64 " %016" PRIx64, p->name, words[0], words[1]);
            valid += !ret;
        }
    }
    cr_expect_gt(valid, 3000, "too few words are commands: %u", valid);
}

Test(codec_random, registers_come_back)
{
    static const char *const names[] = {"CCMD", "IVA", "IOTLB"};
    unsigned taken[3] = {0};
    struct xinv_iommu iommu;

    random_start();
    cr_assert_eq(xinv_iommu_init(&iommu, xinv_platform_find("intel-vtd-legacy"), NULL, NULL, 0), 0);
    for (unsigned i = 0; i < 30000; i++) {
        const char *name = names[i % 3];
        uint64_t value = random_next() & random_next() & bits_of(&iommu, name);
        uint64_t again = 0;
        struct xinv_decoded d;
        int ret = xinv_decode_register(&iommu, name, value, &d);

        if (ret)
            continue;
        taken[i % 3]++;
        cr_assert_eq(xinv_encode(&iommu, name, d.fields, d.n_fields, &again, NULL), 1);
        cr_assert_eq(again, value, "%s: %016" PRIx64 " %016" PRIx64, name, value, again);
    }
    for (unsigned i = 0; i < 3; i++)
        cr_expect_gt(taken[i], 20, "too few values are valid in %s: %u", names[i], taken[i]);
}

/* ---- The hot path ---- */

static uint32_t random_tag(const struct xinv_iommu *iommu, unsigned tag)
{
    unsigned bits = iommu->tag_bits[tag];

    return (uint32_t)(random_next() & ((UINT64_C(1) << (bits < 32 ? bits : 32)) - 1));
}

/* Straight-line encoders and the description agree: what a form makes, its name and fields make. */
Test(codec_random, every_form_is_what_its_description_says)
{
    const struct xinv_platform *p;

    random_start();
    for (unsigned i = 0; (p = working_at(i)) != NULL; i++) {
        struct xinv_iommu iommu;

        cr_assert_eq(xinv_iommu_init(&iommu, p, NULL, NULL, 0), 0);
        for (unsigned round = 0; round < 200; round++)
            for (unsigned row = 0; row < p->vendor->n_commands; row++) {
                const struct xinv_command_def *def = &p->vendor->commands[row];
                struct xinv_attachment at = {.queue_depth = (uint8_t)(random_next() % 33),
                                             .pfsid = (uint16_t)random_next(),
                                             .queue_id = (uint16_t)random_next()};
                struct xinv_operands o = {.at = &at, .leaf = def->leaf, .log2_granule = 12};
                uint64_t words[XINV_COMMAND_WORDS] = {0};
                char text[256] = "";

                if (!(iommu.commands >> row & 1) || def->phase == XINV_PHASE_REGISTER)
                    continue;
                o.rid = random_tag(&iommu, XINV_TAG_RID);
                o.pasid = random_tag(&iommu, XINV_TAG_PASID);
                o.asid = random_tag(&iommu, XINV_TAG_ASID);
                o.did = random_tag(&iommu, XINV_TAG_DID);
                /* a VMID is 0 without stage 2 */
                if (iommu.caches & 1u << XINV_CACHE_STAGE2)
                    o.vmid = random_tag(&iommu, XINV_TAG_VMID);
                o.block.first = random_next() >> 20 << 12;
                o.block.last = o.block.first + 0xfff;
                p->vendor->backend->encode(&iommu, def->op, &o, words);
                cr_assert_eq(roundtrip(&iommu, words, text, sizeof(text)), 1,
                             "%s: %s: %016" PRIx64 " %016" PRIx64 ": %s", p->name, def->name,
                             words[0], words[1], text);
            }
    }
}
