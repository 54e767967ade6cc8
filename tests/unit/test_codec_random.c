// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/*
 * Random words through the decoder: whatever it takes comes back from the encoder bit for bit, and
 * whatever it refuses, the encoder refuses for the same reason.
 */
#include <criterion/criterion.h>
#include <inttypes.h>
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

        for (unsigned i = 0; i < layout->n_fields; i++)
            if (layout->fields[i].word == w)
                known |= xinv_field_mask(&layout->fields[i]);
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

Test(codec_random, accepted_words_come_back_on_every_platform)
{
    const struct xinv_platform *p;
    unsigned taken = 0;

    random_start();
    for (unsigned i = 0; (p = working_at(i)) != NULL; i++) {
        struct xinv_iommu iommu;

        cr_assert_eq(xinv_iommu_init(&iommu, p, NULL, NULL, 0), 0);
        taken += run(p->name, &iommu, 4000);
    }
    cr_expect_gt(taken, 3000, "too few words are commands: %u", taken);
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
        cr_expect_gt(taken, 5000, "%s: too few words are commands: %u", names[i], taken);
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
    for (unsigned i = 0; i < layout->n_fields; i++)
        bits |= xinv_field_mask(&layout->fields[i]);
    return bits;
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
