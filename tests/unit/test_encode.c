// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/* What the encoders and decoders of all vendors share, among it a second decoder's opinion. */
#include <string.h>

#include "tests/support/encoding.h"
#include "tests/support/random.h"
#include "tests/support/refdec.h"
#include "tests/support/vectorcaps.h"

static void check_bytes(const char *platform, struct xinv_attachment at, const uint8_t *bytes,
                        size_t n)
{
    struct xinv_iommu iommu = test_iommu_with(platform, NULL, 0);
    struct xinv_request r = {.change = XINV_CHANGE_STAGE2_PTE,
                             .flags = XINV_REQ_RANGE,
                             .first = UINT64_C(0x123456789000),
                             .last = UINT64_C(0x123456789fff)};
    uint64_t words[8];
    struct xinv_step steps[4];
    struct xinv_out out = {.words = words, .steps = steps, .cap_words = 8, .cap_steps = 4};

    at.stage = XINV_STAGE_STAGE2;
    memset(words, 0xa5, sizeof(words));
    cr_assert_gt(xinv_translate(&iommu, &at, 1, &r, NULL, NULL, &out, NULL), 0);
    cr_assert_geq(out.n_words * 8, n);
    cr_expect(!memcmp(words, bytes, n), "%s", platform);
}

Test(encode, words_lie_in_memory_low_byte_first_whatever_the_host)
{
    /* 16 bytes each: both words, low byte first */
    static const uint8_t s2_ipa[] = {0x2a, 0,    0,    0,    0x34, 0x12, 0, 0,
                                     0,    0x90, 0x78, 0x56, 0x34, 0x12, 0, 0};
    static const uint8_t iotlb[] = {0xf2, 0,    0x34, 0x12, 0,    0,    0, 0,
                                    0,    0x90, 0x78, 0x56, 0x34, 0x12, 0, 0};
    static const uint8_t pages[] = {0,    0,    0,    0,    0x34, 0x12, 0, 0x30,
                                    0x02, 0x90, 0x78, 0x56, 0x34, 0x12, 0, 0};
    struct xinv_attachment at = {.known = XINV_TAG_BIT(XINV_TAG_DID) | XINV_TAG_BIT(XINV_TAG_VMID),
                                 .did = 0x1234,
                                 .vmid = 0x1234};

    check_bytes("arm-smmuv3-generic", at, s2_ipa, sizeof(s2_ipa));
    check_bytes("intel-vtd-legacy", at, iotlb, sizeof(iotlb));
    check_bytes("amd-vi-generic", at, pages, sizeof(pages));
}

Test(decode, unknown_opcodes_are_refused)
{
    static const uint8_t known[] = {0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x10, 0x11,
                                    0x12, 0x13, 0x18, 0x1a, 0x20, 0x21, 0x22, 0x23, 0x28,
                                    0x2a, 0x30, 0x40, 0x41, 0x44, 0x45, 0x46, 0x50, 0x51,
                                    0x52, 0x53, 0x58, 0x5a, 0x60, 0x70, 0x73};
    struct xinv_iommu iommu = encoding_smmu();
    struct xinv_decoded d;

    for (unsigned op = 0; op < 256; op++) {
        uint64_t w[XINV_COMMAND_WORDS] = {op, 0, 0, 0};

        cr_expect_eq(xinv_decode(&iommu, w, &d) == -XINV_E_NOENT,
                     !memchr(known, (int)op, sizeof(known)), "0x%02x", op);
    }
    iommu = encoding_vtd_scalable(1);
    for (unsigned type = 0; type < 128; type++) {
        /* type 3:0 of qw0, and above it 11:9 */
        uint64_t w[XINV_COMMAND_WORDS] = {(type & 0xf) | (uint64_t)(type >> 4) << 9, 0, 0, 0};

        cr_expect_eq(xinv_decode(&iommu, w, &d) == -XINV_E_NOENT, type < 1 || type > 9, "0x%02x",
                     type);
    }
    iommu = encoding_amd();
    for (unsigned op = 0; op < 16; op++) {
        uint64_t w[XINV_COMMAND_WORDS] = {(uint64_t)op << 60, 0, 0, 0};

        cr_expect_eq(xinv_decode(&iommu, w, &d) == -XINV_E_NOENT, op < 1 || op > 10, "%u", op);
    }
}

/* ---- Random operands against the second decoder ---- */

/* A value of at most `bits` bits; its ends are as likely as all the rest. */
static uint32_t random_tag(unsigned bits)
{
    uint64_t max = (UINT64_C(1) << bits) - 1;

    switch (random_next() % 8) {
    case 0:
        return 0;
    case 1:
        return 1;
    case 2:
        return (uint32_t)max;
    default:
        return (uint32_t)(random_next() & max);
    }
}

/* Which fields of the second decoder hold which operands. */
static void check_fields(const char *name, const struct refdec_cmd *cmd,
                         const struct xinv_operands *o, const struct xinv_decoded *d)
{
    static const struct {
        const char *field;
        size_t offset;
    } map[] = {
        {"SID", offsetof(struct xinv_operands, rid)},
        {"DeviceID", offsetof(struct xinv_operands, rid)},
        {"SSID", offsetof(struct xinv_operands, pasid)},
        {"PASID", offsetof(struct xinv_operands, pasid)},
        {"ASID", offsetof(struct xinv_operands, asid)},
        {"VMID", offsetof(struct xinv_operands, vmid)},
        {"DID", offsetof(struct xinv_operands, did)},
        {"DomainID", offsetof(struct xinv_operands, did)},
    };

    for (unsigned i = 0; i < cmd->nfields; i++) {
        const struct refdec_field *f = &cmd->fields[i];
        bool found = false;

        for (unsigned k = 0; k < d->n_fields && !found; k++)
            if (!strcmp(d->fields[k].name, f->name)) {
                cr_assert_eq(d->fields[k].value, f->value, "%s: %s", name, f->name);
                found = true;
            }
        cr_assert(found, "%s has no field %s", name, f->name);
        for (size_t k = 0; k < N(map); k++) {
            uint32_t value;

            memcpy(&value, (const char *)o + map[k].offset, sizeof(value));
            /* a form that takes no such operand has 0 there */
            if (!strcmp(f->name, map[k].field) && f->value)
                cr_assert_eq(f->value, value, "%s: %s", name, f->name);
        }
    }
}

static void random_block(struct xinv_operands *o, bool scaled, unsigned max_order,
                         unsigned address_bits)
{
    static const uint8_t granules[] = {12, 14, 16};
    uint64_t space = address_bits >= 64 ? UINT64_MAX : (UINT64_C(1) << address_bits) - 1;
    uint64_t mask;

    o->scaled = scaled;
    o->log2_granule = granules[random_next() % 3];
    o->log2_leaf = (uint8_t)(random_next() % 2 ? o->log2_granule : 0);
    if (scaled) {
        uint64_t units;

        o->block.num = (uint8_t)(random_next() % 32);
        o->block.scale = (uint8_t)(random_next() % 32);
        units = (uint64_t)(o->block.num + 1) << o->block.scale;
        mask = (units << o->log2_granule) - 1;
        o->block.first = (random_next() & space) >> o->log2_granule << o->log2_granule;
        if (o->block.first > space - mask)
            o->block.first = (space - mask) >> o->log2_granule << o->log2_granule;
        o->block.last = o->block.first + mask;
        return;
    }
    o->block.order = (uint8_t)(random_next() % (max_order + 1));
    mask = (UINT64_C(1) << (o->block.order + 12)) - 1;
    o->block.first = random_next() & space & ~mask;
    o->block.last = o->block.first | mask;
}

/* rows: the table's, so that a form is only made where the IOMMU has it and with the kind of range
 * that it takes there */
static void agree(const struct xinv_iommu *iommu, unsigned rounds)
{
    struct refdec_caps caps = vector_caps(iommu);
    const struct xinv_vendor *v = iommu->vendor;

    for (unsigned i = 0; i < rounds; i++) {
        unsigned row = (unsigned)(random_next() % v->n_commands);
        const struct xinv_command_def *def = &v->commands[row];
        struct xinv_attachment at = {.queue_depth = (uint8_t)(1 + random_next() % 32),
                                     .pfsid = (uint16_t)random_next(),
                                     .queue_id = (uint16_t)random_next()};
        struct xinv_operands o = {.at = &at};
        uint64_t w[XINV_COMMAND_WORDS];
        struct refdec_cmd cmd;
        struct xinv_decoded d;
        char err[160];

        if (!(iommu->commands >> row & 1) || def->phase == XINV_PHASE_REGISTER)
            continue;
        o.leaf = def->leaf;
        o.rid = random_tag(iommu->tag_bits[XINV_TAG_RID]);
        o.pasid = random_tag(iommu->tag_bits[XINV_TAG_PASID]);
        o.asid = random_tag(iommu->tag_bits[XINV_TAG_ASID]);
        o.did = random_tag(iommu->tag_bits[XINV_TAG_DID]);
        o.vmid = random_tag(iommu->tag_bits[XINV_TAG_VMID]);
        if (def->ranges.count) {
            random_block(&o, iommu->range[row].kind == XINV_RANGE_SCALED,
                         iommu->range[row].max_order, !strcmp(def->name, "TLBI_S2_IPA") ? 56 : 64);
        }
        v->backend->encode(iommu, def->op, &o, w);
        cr_assert_eq(refdec_decode(vector_refdec_vendor(iommu), &caps, w, iommu->words, &cmd, err,
                                   sizeof(err)),
                     0, "%s %016" PRIx64 " %016" PRIx64 ": %s", def->name, w[0], w[1], err);
        cr_assert_eq(xinv_decode(iommu, w, &d), 0);
        cr_assert_str_eq(d.name, cmd.name);
        check_fields(def->name, &cmd, &o, &d);
        if (!def->ranges.count)
            continue;
        cr_assert(cmd.has_range, "%s", def->name);
        cr_assert_leq(cmd.first, o.block.first, "%s", def->name);
        /* one granule in the plain form is one address that its entry holds */
        if (!(o.scaled && !o.block.num && !o.block.scale))
            cr_assert_eq(cmd.last, o.block.last, "%s %016" PRIx64 " %016" PRIx64, def->name, w[0],
                         w[1]);
    }
}

Test(decode, the_second_decoder_agrees_on_random_operands)
{
    struct xinv_iommu iommu;

    random_start();
    iommu = encoding_smmu();
    agree(&iommu, 200000);
    iommu = test_iommu_with("arm-smmuv3-generic", NULL, 0);
    agree(&iommu, 50000);
    iommu = encoding_vtd_legacy();
    agree(&iommu, 50000);
    iommu = encoding_vtd_scalable(1);
    agree(&iommu, 200000);
    iommu = test_iommu_with("qemu-intel-caching-mode", NULL, 0);
    agree(&iommu, 50000);
    iommu = encoding_amd();
    agree(&iommu, 200000);
}
