// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/*
 * Every built-in platform: its limits as the ID registers give them, and each quirk of exactly
 * those that have it.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/backend.h"
#include "core/iommu.h"
#include "schema/load.h"
#include "tests/support/refdec.h"
#include "tests/support/vectorcaps.h"

#define N(x) (sizeof(x) / sizeof((x)[0]))

#define S1     XINV_STAGE_BIT(XINV_STAGE_STAGE1)
#define S2     XINV_STAGE_BIT(XINV_STAGE_STAGE2)
#define NESTED XINV_STAGE_BIT(XINV_STAGE_NESTED)
#define PASS   XINV_STAGE_BIT(XINV_STAGE_PASSTHROUGH)

/* Rows that are missing together: without IDR0.Hyp, ATS, substreams; without scalable mode,
 * Device-TLBs, PASIDs; without GTSup. */
#define E2H  "tlbi_el2_va tlbi_el2_asid "
#define HYP  "tlbi_el2_va tlbi_el2_asid tlbi_el2_vaa tlbi_el2_all "
#define SSID "atc_inv_pasid atc_inv_pasid_all "
#define ATS  "atc_inv atc_inv_all " SSID
#define WBF  "write_buffer_flush "
#define SM   "pc_pasid pc_domain pc_global p_iotlb_page p_iotlb_pasid "
#define DT   "dev_tlb_page dev_tlb_all "
#define PDT  "p_dev_tlb_page p_dev_tlb_all p_dev_tlb_all_pasids "

/* What the reference says, by hand from the register values: widths of the tags, stages, words of a
 * command, how the row `ranged` says a range. */
static const struct expect {
    const char *name;
    uint8_t rid, pasid, asid, did, vmid;
    uint8_t stages;
    uint8_t words;
    const char *ranged;
    uint8_t kind;
    uint8_t max_order;
    const char *missing;
    const char *same_as; /* a platform with the same limits and behaviour */
} expects[] = {
    {"arm-smmuv3-generic", 16, 16, 16, 0, 16, S1 | S2 | NESTED | PASS, 2, "tlbi_nh_va",
     XINV_RANGE_PAGE, 0, HYP, NULL},
    {"arm-smmuv3-ril", 16, 16, 16, 0, 16, S1 | S2 | NESTED | PASS, 2, "tlbi_nh_va",
     XINV_RANGE_SCALED, 31, HYP, NULL},
    {"arm-smmuv3-minimal", 16, 0, 8, 0, 8, S1 | S2 | NESTED | PASS, 2, "tlbi_nh_va",
     XINV_RANGE_PAGE, 0, HYP ATS, NULL},
    {"arm-mmu-600", 24, 20, 16, 0, 16, S1 | S2 | NESTED | PASS, 2, "tlbi_nh_va", XINV_RANGE_PAGE, 0,
     E2H, NULL},
    {"arm-mmu-600-r0", 24, 20, 16, 0, 16, S1 | S2 | PASS, 2, "tlbi_nh_va", XINV_RANGE_PAGE, 0, E2H,
     NULL},
    {"arm-mmu-700", 16, 0, 8, 0, 8, S1 | S2 | PASS, 2, "tlbi_nh_va", XINV_RANGE_SCALED, 31,
     E2H SSID, NULL},
    {"arm-fvp-base-revc", 32, 20, 16, 0, 16, S1 | S2 | NESTED | PASS, 2, "tlbi_nh_va",
     XINV_RANGE_SCALED, 31, E2H, NULL},
    {"hisilicon-hip07", 16, 0, 8, 0, 8, S1 | S2 | NESTED | PASS, 2, "tlbi_nh_va", XINV_RANGE_PAGE,
     0, HYP ATS, NULL},
    {"hisilicon-hip08", 16, 0, 8, 0, 8, S1 | S2 | NESTED | PASS, 2, "tlbi_nh_va", XINV_RANGE_PAGE,
     0, HYP SSID, NULL},
    {"cavium-thunderx2", 16, 0, 8, 0, 8, S1 | S2 | NESTED | PASS, 2, "tlbi_s2_ipa", XINV_RANGE_PAGE,
     0, E2H ATS, NULL},
    {"nvidia-grace", 16, 20, 8, 0, 8, S1 | S2 | NESTED | PASS, 2, "tlbi_nh_va", XINV_RANGE_PAGE, 0,
     E2H, NULL},
    {"nvidia-tegra241-cmdqv", 16, 20, 16, 0, 8, S1 | PASS, 2, "tlbi_nh_va", XINV_RANGE_PAGE, 0,
     "cfgi_ste cfgi_all cfgi_cd cfgi_cd_all tlbi_nh_vaa tlbi_nh_all " HYP
     "tlbi_s2_ipa tlbi_s12_vmall tlbi_nsnh_all ",
     NULL},
    {"nvidia-tegra264", 16, 0, 8, 0, 8, S1 | S2 | NESTED | PASS, 2, "tlbi_nh_va", XINV_RANGE_PAGE,
     0, HYP ATS, NULL},
    {"qemu-virt-smmuv3", 16, 0, 16, 0, 8, S1 | PASS, 2, "tlbi_nh_va", XINV_RANGE_SCALED, 31,
     HYP "tlbi_s2_ipa tlbi_s12_vmall " ATS, NULL},
    {"intel-vtd-legacy", 16, 1, 0, 16, 0, S2 | PASS, 2, "iotlb_page", XINV_RANGE_POW2, 18,
     WBF SM PDT, NULL},
    {"intel-vtd-client", 16, 1, 0, 8, 0, S2 | PASS, 2, "iotlb_page", XINV_RANGE_POW2, 18,
     WBF SM DT PDT, NULL},
    {"intel-vtd-client-graphics", 16, 20, 0, 8, 0, S2 | PASS, 2, "dev_tlb_page", XINV_RANGE_POW2,
     51, WBF SM "iotlb_page " PDT, NULL},
    {"intel-vtd-rwbf", 16, 1, 0, 8, 0, S2, 2, "iotlb_page", XINV_RANGE_POW2, 9,
     SM DT PDT "iec_global ", NULL},
    {"intel-vtd-mobile4", 16, 1, 0, 4, 0, S2, 2, "iotlb_page", XINV_RANGE_POW2, 9,
     SM DT PDT "iec_global ", NULL},
    {"intel-vtd-scalable", 16, 20, 0, 16, 0, S1 | S2 | NESTED | PASS, 4, "iotlb_page",
     XINV_RANGE_POW2, 45, WBF "cc_domain ", NULL},
    {"intel-vtd-scalable-nopasid", 16, 20, 0, 16, 0, S1 | S2 | NESTED | PASS, 4, "iotlb_page",
     XINV_RANGE_POW2, 45, WBF "cc_domain " PDT, NULL},
    {"intel-vtd-legacy-wide", 16, 20, 0, 16, 0, S2 | PASS, 4, "iotlb_page", XINV_RANGE_POW2, 45,
     WBF SM PDT, NULL},
    {"qemu-intel-caching-mode", 16, 1, 0, 16, 0, S2 | PASS, 2, "iotlb_page", XINV_RANGE_POW2, 18,
     WBF SM PDT, NULL},
    {"qemu-intel-scalable", 16, 1, 0, 16, 0, S2 | PASS, 4, "iotlb_page", XINV_RANGE_POW2, 18,
     WBF "cc_domain " DT PDT, NULL},
    {"amd-vi-generic", 16, 16, 0, 16, 0, S1 | S2 | NESTED | PASS, 2, "pages_host", XINV_RANGE_POW2,
     40, "", NULL},
    {"amd-zen1", 16, 16, 0, 16, 0, S1 | S2 | NESTED | PASS, 2, "pages_guest", XINV_RANGE_POW2, 40,
     "", "amd-vi-generic"},
    {"amd-rd890", 16, 1, 0, 16, 0, S2 | PASS, 2, "pages_host", XINV_RANGE_POW2, 40,
     "iommu_all pages_guest pages_guest_all iotlb iotlb_all iotlb_pasid iotlb_pasid_all ", NULL},
    {"amd-epyc-v1", 16, 1, 0, 16, 0, S2 | PASS, 2, "pages_host", XINV_RANGE_POW2, 40,
     "pages_guest pages_guest_all iotlb_pasid iotlb_pasid_all ", NULL},
    {"amd-snp-host", 16, 1, 0, 16, 0, S2, 2, "pages_host", XINV_RANGE_POW2, 40,
     "pages_guest pages_guest_all iotlb_pasid iotlb_pasid_all ", NULL},
    {"qemu-amd-npcache", 16, 1, 0, 16, 0, S1 | S2 | NESTED | PASS, 2, "pages_host", XINV_RANGE_POW2,
     40, "", NULL},
};

static struct xinv_iommu with(const char *name, const char *feature, uint16_t value)
{
    const struct xinv_platform *p = xinv_platform_find(name);
    struct xinv_setting set = {0, value};
    struct xinv_iommu iommu;

    cr_assert_not_null(p, "%s", name);
    if (feature) {
        int f = xinv_feature_find(p->vendor, feature);

        cr_assert_geq(f, 0, "%s", feature);
        set.feature = (uint8_t)f;
    }
    cr_assert_eq(xinv_iommu_init(&iommu, p, NULL, &set, feature != NULL), 0, "%s", name);
    return iommu;
}

static uint16_t feature(const struct xinv_iommu *iommu, const char *name)
{
    int f = xinv_feature_find(iommu->vendor, name);

    return f < 0 ? 0 : iommu->feature[f];
}

static bool is(const struct expect *e, const char *name)
{
    return !strcmp(e->name, name);
}

/* ---- Limits ---- */

Test(platforms, every_built_in_platform_has_its_limits_written_down)
{
    const struct xinv_platform *p;
    unsigned n = 0;

    for (; (p = xinv_platform_at(n)) != NULL; n++) {
        bool found = false;

        for (size_t i = 0; i < N(expects); i++)
            found |= is(&expects[i], p->name);
        cr_expect(found, "%s", p->name);
    }
    cr_assert_eq(n, N(expects));
}

Test(platforms, tags_are_as_wide_as_the_registers_say)
{
    for (size_t i = 0; i < N(expects); i++) {
        const struct expect *e = &expects[i];
        struct xinv_iommu iommu = with(e->name, NULL, 0);

        cr_expect_eq(iommu.tag_bits[XINV_TAG_RID], e->rid, "%s", e->name);
        cr_expect_eq(iommu.tag_bits[XINV_TAG_PASID], e->pasid, "%s", e->name);
        cr_expect_eq(iommu.tag_bits[XINV_TAG_ASID], e->asid, "%s", e->name);
        cr_expect_eq(iommu.tag_bits[XINV_TAG_DID], e->did, "%s", e->name);
        cr_expect_eq(iommu.tag_bits[XINV_TAG_VMID], e->vmid, "%s", e->name);
    }
}

Test(platforms, stages_and_command_size_are_as_the_registers_say)
{
    for (size_t i = 0; i < N(expects); i++) {
        struct xinv_iommu iommu = with(expects[i].name, NULL, 0);

        cr_expect_eq(iommu.stages, expects[i].stages, "%s: %#x", expects[i].name, iommu.stages);
        cr_expect_eq(iommu.words, expects[i].words, "%s", expects[i].name);
    }
}

static const char *op_name(const struct xinv_vendor *v, unsigned row)
{
    return v->backend->op_names[v->commands[row].op];
}

/* Has the IOMMU a row of this form? Some forms have a row for each of two modes. */
static bool has_op(const struct xinv_iommu *iommu, uint8_t op)
{
    for (unsigned row = 0; row < iommu->vendor->n_commands; row++)
        if ((iommu->commands >> row & 1) && iommu->vendor->commands[row].op == op)
            return true;
    return false;
}

Test(platforms, rows_that_the_features_rule_out_are_missing_and_no_others)
{
    for (size_t i = 0; i < N(expects); i++) {
        struct xinv_iommu iommu = with(expects[i].name, NULL, 0);
        char missing[512] = "";

        for (unsigned row = 0; row < iommu.vendor->n_commands; row++) {
            if (has_op(&iommu, iommu.vendor->commands[row].op) || iommu.vendor->commands[row].leaf)
                continue;
            strcat(missing, op_name(iommu.vendor, row));
            strcat(missing, " ");
        }
        cr_expect_str_eq(missing, expects[i].missing, "%s: %s", expects[i].name, missing);
    }
}

Test(platforms, ranges_are_said_as_the_registers_allow)
{
    for (size_t i = 0; i < N(expects); i++) {
        const struct expect *e = &expects[i];
        struct xinv_iommu iommu = with(e->name, NULL, 0);
        unsigned seen = 0;

        for (unsigned row = 0; row < iommu.vendor->n_commands; row++) {
            if (strcmp(op_name(iommu.vendor, row), e->ranged))
                continue;
            seen++;
            cr_expect_eq(iommu.range[row].kind, e->kind, "%s", e->name);
            cr_expect_eq(iommu.range[row].max_order, e->max_order, "%s", e->name);
        }
        cr_assert_gt(seen, 0, "%s", e->name);
    }
}

/* Everything that planning and emission look at, in bytes that can be compared. */
static void fingerprint(const struct xinv_iommu *iommu, uint8_t *f, size_t size)
{
    const struct xinv_vendor *v = iommu->vendor;
    size_t n = 0;

    memset(f, 0, size);
    memcpy(f, &iommu->commands, sizeof(iommu->commands));
    n += sizeof(iommu->commands);
    memcpy(f + n, iommu->tag_bits, sizeof(iommu->tag_bits));
    n += sizeof(iommu->tag_bits);
    f[n++] = iommu->caches;
    f[n++] = iommu->stages;
    f[n++] = iommu->words;
    f[n++] = (uint8_t)iommu->max_batch;
    for (unsigned i = 0; i < v->n_commands; i++) {
        if (!(iommu->commands >> i & 1))
            continue;
        f[n + 2 * i] = iommu->range[i].kind;
        f[n + 2 * i + 1] = iommu->range[i].max_order;
    }
    n += 2 * XINV_MAX_COMMANDS;
    for (unsigned i = 0; i < v->n_repeats; i++)
        f[n++] = xinv_conds_hold(v, iommu->feature, v->repeats[i].conds);
    for (unsigned i = 0; i < v->n_changes; i++) {
        const struct xinv_change_def *c = &v->changes[i];

        f[n++] = xinv_conds_hold(v, iommu->feature, c->conds);
        for (unsigned k = 0; k < c->needs.count; k++)
            f[n++] = xinv_conds_hold(v, iommu->feature, v->needs[c->needs.first + k].conds);
    }
    for (unsigned i = 0; i < v->n_features; i++)
        if (v->features[i].reg == XINV_SETTING)
            f[n++] = (uint8_t)(iommu->feature[i] ^ iommu->feature[i] >> 8);
    cr_assert_leq(n, size);
}

Test(platforms, no_two_are_equal_but_those_that_say_so)
{
    unsigned distinct = 0;

    for (size_t i = 0; i < N(expects); i++) {
        struct xinv_iommu a = with(expects[i].name, NULL, 0);
        uint8_t fa[512];
        bool alone = true;

        fingerprint(&a, fa, sizeof(fa));
        for (size_t k = 0; k < i; k++) {
            struct xinv_iommu b = with(expects[k].name, NULL, 0);
            bool said = expects[i].same_as && is(&expects[k], expects[i].same_as);
            uint8_t fb[512];
            bool equal;

            fingerprint(&b, fb, sizeof(fb));
            equal = a.vendor == b.vendor && !memcmp(fa, fb, sizeof(fa));
            cr_expect_eq(equal, said, "%s and %s", expects[i].name, expects[k].name);
            alone &= !equal;
        }
        distinct += alone;
    }
    cr_assert_geq(distinct, 16, "%u", distinct);
}

/* ---- What comes out ---- */

#define WORDS 4096
static uint64_t words[WORDS];
static struct xinv_step steps[64];
static struct xinv_report report;

static struct xinv_attachment attachment(uint8_t stage, uint8_t flags)
{
    return (struct xinv_attachment){.stage = stage,
                                    .flags = flags,
                                    .known =
                                        XINV_TAG_BIT(XINV_TAG_RID) | XINV_TAG_BIT(XINV_TAG_ASID) |
                                        XINV_TAG_BIT(XINV_TAG_DID) | XINV_TAG_BIT(XINV_TAG_VMID),
                                    .rid = 0x2b1,
                                    .asid = 0x35,
                                    .did = 0x7,
                                    .vmid = stage == XINV_STAGE_STAGE1 ? 0 : 0x59,
                                    .queue_depth = 16};
}

static struct xinv_request pages(uint8_t change, uint8_t from)
{
    return (struct xinv_request){.change = change,
                                 .from = from,
                                 .flags = XINV_REQ_RANGE | XINV_REQ_LEAF_ONLY,
                                 .first = 0x41234000,
                                 .last = 0x41234fff};
}

static int run(const struct xinv_iommu *iommu, const struct xinv_attachment *at, size_t n,
               const struct xinv_request *request, struct xinv_out *out)
{
    *out = (struct xinv_out){.words = words, .steps = steps, .cap_words = WORDS, .cap_steps = 64};
    return xinv_translate(iommu, at, n, request, NULL, NULL, out, &report);
}

/* Names of the commands that came out, each checked by the independent decoder. */
static const char *names(const struct xinv_iommu *iommu, const struct xinv_out *out)
{
    static char text[WORDS * 16];
    struct refdec_caps caps = vector_caps(iommu);

    text[0] = '\0';
    for (uint32_t i = 0; i < out->n_words; i += iommu->words) {
        struct refdec_cmd cmd;
        char err[160];

        cr_assert_eq(refdec_decode(vector_refdec_vendor(iommu), &caps, words + i, iommu->words,
                                   &cmd, err, sizeof(err)),
                     0, "%s: %s", iommu->platform->name, err);
        if (*text)
            strcat(text, " ");
        strcat(text, cmd.name);
    }
    return text;
}

/* ---- SMMUv3 quirks ---- */

#define OPCODE_SYNC 0x46

/* Longest run of commands without a CMD_SYNC when each of n VMIDs loses a page. */
static unsigned longest_run(const struct xinv_iommu *iommu, unsigned n, uint32_t *syncs)
{
    struct xinv_attachment at[130];
    struct xinv_request r = pages(XINV_CHANGE_STAGE2_PTE, XINV_FROM_PRESENT);
    struct xinv_out out;
    unsigned now = 0;
    unsigned longest = 0;

    cr_assert_leq(n, N(at));
    for (unsigned i = 0; i < n; i++) {
        at[i] = attachment(XINV_STAGE_STAGE2, 0);
        at[i].rid = 0x100 + i;
        at[i].vmid = 1 + i;
    }
    cr_assert_gt(run(iommu, at, n, &r, &out), 0);
    *syncs = report.syncs;
    for (uint32_t i = 0; i < out.n_words; i += 2) {
        now = (words[i] & 0xff) == OPCODE_SYNC ? 0 : now + 1;
        if (now > longest)
            longest = now;
    }
    cr_assert_eq(words[out.n_words - 2] & 0xff, OPCODE_SYNC);
    return longest;
}

Test(platforms, mmu_700_alone_syncs_after_63_commands)
{
    for (size_t i = 0; i < N(expects); i++) {
        struct xinv_iommu iommu = with(expects[i].name, NULL, 0);
        uint32_t syncs;

        if (strcmp(iommu.vendor->name, "smmuv3")) {
            cr_expect_eq(iommu.max_batch, 0, "%s", expects[i].name);
            continue;
        }
        if (!(iommu.stages & S2))
            continue;
        if (is(&expects[i], "arm-mmu-700")) {
            cr_expect_eq(longest_run(&iommu, 63, &syncs), 63);
            cr_expect_eq(syncs, 1);
            cr_expect_eq(longest_run(&iommu, 64, &syncs), 63);
            cr_expect_eq(syncs, 2);
            cr_expect_eq(longest_run(&iommu, 130, &syncs), 63);
            cr_expect_eq(syncs, 3);
        } else {
            cr_expect_geq(longest_run(&iommu, 130, &syncs), 130, "%s", expects[i].name);
        }
    }
}

Test(platforms, a_forced_sync_is_counted_in_the_size_that_is_needed)
{
    struct xinv_iommu iommu = with("arm-mmu-700", NULL, 0);
    struct xinv_attachment at[64];
    struct xinv_request r = pages(XINV_CHANGE_STAGE2_PTE, XINV_FROM_PRESENT);
    struct xinv_out out = {.words = words, .steps = steps, .cap_words = 2 * 65, .cap_steps = 64};

    for (unsigned i = 0; i < N(at); i++) {
        at[i] = attachment(XINV_STAGE_STAGE2, 0);
        at[i].vmid = 1 + i;
    }
    memset(words, 0xa5, sizeof(words));
    cr_assert_eq(xinv_translate(&iommu, at, N(at), &r, NULL, NULL, &out, &report), -XINV_E_NOSPACE);
    cr_assert_eq(report.need_words, 2 * 66); /* 63, SYNC, 1, SYNC */
    cr_assert_eq(words[0], 0xa5a5a5a5a5a5a5a5);
    out.cap_words = 2 * 66;
    cr_assert_eq(xinv_translate(&iommu, at, N(at), &r, NULL, NULL, &out, &report), 66);
    cr_assert_eq(words[2 * 63], OPCODE_SYNC); /* CS = 0 */
    cr_assert_eq(words[2 * 65], OPCODE_SYNC);
}

Test(platforms, forced_syncs_stand_for_those_between_phases)
{
    struct xinv_iommu iommu = with("arm-mmu-700", NULL, 0);
    struct xinv_attachment at[63];
    struct xinv_request r = pages(XINV_CHANGE_STAGE2_PTE, XINV_FROM_PRESENT);
    struct xinv_out out;

    for (unsigned i = 0; i < N(at); i++) {
        at[i] = attachment(XINV_STAGE_STAGE2, XINV_ATT_ATS);
        at[i].rid = 0x100 + i;
        at[i].vmid = 1 + i;
    }
    /* 63 TLBI, SYNC, 63 ATC_INV, SYNC */
    cr_assert_eq(run(&iommu, at, N(at), &r, &out), 128);
    cr_assert_eq(report.syncs, 2);
}

Test(platforms, early_mmu_600_and_mmu_700_alone_do_not_nest_two_stages)
{
    struct xinv_attachment at = attachment(XINV_STAGE_NESTED, 0);
    struct xinv_request r = pages(XINV_CHANGE_STAGE1_PTE, XINV_FROM_PRESENT);

    for (size_t i = 0; i < N(expects); i++) {
        struct xinv_iommu iommu = with(expects[i].name, NULL, 0);
        bool quirk = is(&expects[i], "arm-mmu-600-r0") || is(&expects[i], "arm-mmu-700");
        struct xinv_out out;
        int ret;

        if (strcmp(iommu.vendor->name, "smmuv3"))
            continue;
        cr_expect_eq(feature(&iommu, "NO_NESTING"), quirk, "%s", expects[i].name);
        if (!feature(&iommu, "S1P") || !feature(&iommu, "S2P"))
            continue;
        ret = run(&iommu, &at, 1, &r, &out);
        if (quirk)
            cr_expect_eq(ret, -XINV_E_UNSUPP, "%s", expects[i].name);
        else
            cr_expect_gt(ret, 0, "%s", expects[i].name);
        cr_expect_eq((iommu.caches >> XINV_CACHE_NESTED & 1) != 0, !quirk, "%s", expects[i].name);
    }
}

Test(platforms, early_mmu_600_alone_has_sev_taken_away)
{
    for (size_t i = 0; i < N(expects); i++) {
        struct xinv_iommu iommu = with(expects[i].name, NULL, 0);
        int f = xinv_feature_find(iommu.vendor, "SEV");

        if (f < 0)
            continue;
        cr_expect_eq((iommu.platform->registers[0] >> 14 & 1) != iommu.feature[f],
                     is(&expects[i], "arm-mmu-600-r0"), "%s", expects[i].name);
    }
}

Test(platforms, hip07_alone_takes_no_prefetch)
{
    for (size_t i = 0; i < N(expects); i++) {
        struct xinv_iommu iommu = with(expects[i].name, NULL, 0);

        cr_expect_eq(feature(&iommu, "NO_PREFETCH"), is(&expects[i], "hisilicon-hip07"), "%s",
                     expects[i].name);
    }
}

Test(platforms, tegra264_alone_sends_tlb_invalidations_twice_and_atc_invalidations_once)
{
    for (size_t i = 0; i < N(expects); i++) {
        struct xinv_iommu iommu = with(expects[i].name, NULL, 0);
        struct xinv_attachment at = attachment(XINV_STAGE_STAGE2, XINV_ATT_ATS);
        struct xinv_request r = pages(XINV_CHANGE_STAGE2_PTE, XINV_FROM_PRESENT);
        struct xinv_out out;

        if (strcmp(iommu.vendor->name, "smmuv3") || !(iommu.stages & S2))
            continue;
        iommu = with(expects[i].name, "ATS", 1);
        cr_assert_gt(run(&iommu, &at, 1, &r, &out), 0);
        cr_expect_str_eq(names(&iommu, &out),
                         is(&expects[i], "nvidia-tegra264")
                             ? "TLBI_S2_IPA SYNC TLBI_S2_IPA SYNC ATC_INV SYNC"
                             : "TLBI_S2_IPA SYNC ATC_INV SYNC",
                         "%s: %s", expects[i].name, names(&iommu, &out));
    }
}

Test(platforms, tegra264_alone_sends_configuration_invalidations_twice)
{
    struct xinv_attachment at = attachment(XINV_STAGE_PASSTHROUGH, 0);
    struct xinv_request r = {.change = XINV_CHANGE_DEVICE_ENTRY, .flags = XINV_REQ_LEAF_ONLY};
    struct xinv_out out;
    struct xinv_iommu iommu = with("nvidia-tegra264", NULL, 0);

    cr_assert_gt(run(&iommu, &at, 1, &r, &out), 0);
    cr_assert_str_eq(names(&iommu, &out), "CFGI_STE SYNC CFGI_STE SYNC");
    iommu = with("arm-smmuv3-minimal", NULL, 0);
    cr_assert_gt(run(&iommu, &at, 1, &r, &out), 0);
    cr_assert_str_eq(names(&iommu, &out), "CFGI_STE SYNC");
}

Test(platforms, a_guests_vcmdq_takes_its_four_commands_and_blocks_for_the_rest)
{
    struct xinv_iommu iommu = with("nvidia-tegra241-cmdqv", NULL, 0);
    struct xinv_attachment at = attachment(XINV_STAGE_STAGE1, XINV_ATT_ATS);
    struct xinv_request r = pages(XINV_CHANGE_STAGE1_PTE, XINV_FROM_PRESENT);
    struct xinv_out out;

    cr_assert_gt(run(&iommu, &at, 1, &r, &out), 0);
    cr_assert_str_eq(names(&iommu, &out), "TLBI_NH_VA SYNC ATC_INV SYNC");
    r.flags = 0;
    cr_assert_gt(run(&iommu, &at, 1, &r, &out), 0);
    cr_assert_str_eq(names(&iommu, &out), "TLBI_NH_ASID SYNC ATC_INV SYNC");
    r.change = XINV_CHANGE_DEVICE_ENTRY;
    cr_assert_eq(run(&iommu, &at, 1, &r, &out), -XINV_E_MUST_BLOCK);
    cr_assert_eq(report.at_cache, XINV_CACHE_DEVICE_CONFIG);
}

Test(platforms, a_guests_vcmdq_alone_has_no_sync_that_interrupts)
{
    const struct xinv_completion interrupt = {.interrupt = 1};

    for (size_t i = 0; i < N(expects); i++) {
        struct xinv_iommu iommu = with(expects[i].name, NULL, 0);
        struct xinv_out out = {.words = words, .steps = steps, .cap_words = WORDS, .cap_steps = 64};

        cr_expect_eq(xinv_sync(&iommu, &interrupt, &out),
                     is(&expects[i], "nvidia-tegra241-cmdqv") ? -XINV_E_INVAL : 1, "%s",
                     expects[i].name);
    }
}

Test(platforms, a_sync_that_stores_needs_idr0_msi)
{
    const struct xinv_completion store = {.store = 1, .address = 0x1000, .data = 1};

    for (size_t i = 0; i < N(expects); i++) {
        /* IDR0 bit 13, and a queue that takes CS = 1 */
        static const char *const without[] = {
            "arm-smmuv3-minimal",    "arm-mmu-700",     "hisilicon-hip07", "cavium-thunderx2",
            "nvidia-tegra241-cmdqv", "nvidia-tegra264", "qemu-virt-smmuv3"};
        struct xinv_iommu iommu = with(expects[i].name, NULL, 0);
        struct xinv_out out = {.words = words, .steps = steps, .cap_words = WORDS, .cap_steps = 64};
        int expected = 1;

        for (size_t k = 0; k < N(without); k++)
            if (is(&expects[i], without[k]))
                expected = -XINV_E_INVAL;
        cr_expect_eq(xinv_sync(&iommu, &store, &out), expected, "%s", expects[i].name);
    }
}

/* ---- VT-d quirks ---- */

static bool is_vtd(const struct xinv_iommu *iommu)
{
    return !strcmp(iommu->vendor->name, "vtd");
}

Test(platforms, the_qat_endpoint_alone_gets_each_device_tlb_flush_twice)
{
    static const struct {
        uint16_t vendor, device;
        bool quirk;
    } endpoints[] = {{0x8086, 0x4940, true},  {0x8086, 0x4943, true},  {0x8086, 0x493f, false},
                     {0x8086, 0x4944, false}, {0x1022, 0x4940, false}, {0xffff, 0xffff, false}};
    unsigned tried = 0;

    for (size_t i = 0; i < N(expects); i++)
        for (size_t k = 0; k < N(endpoints); k++) {
            struct xinv_iommu iommu = with(expects[i].name, NULL, 0);
            struct xinv_attachment at = attachment(XINV_STAGE_STAGE2, XINV_ATT_ATS);
            struct xinv_request r = pages(XINV_CHANGE_STAGE2_PTE, XINV_FROM_PRESENT);
            struct xinv_out out;
            const char *text;
            unsigned n = 0;

            at.quirks = xinv_endpoint_quirks(&iommu, endpoints[k].vendor, endpoints[k].device);
            cr_expect_eq(at.quirks != 0, is_vtd(&iommu) && endpoints[k].quirk, "%s",
                         expects[i].name);
            if (!is_vtd(&iommu) || !feature(&iommu, "DT"))
                continue;
            cr_assert_gt(run(&iommu, &at, 1, &r, &out), 0);
            for (text = names(&iommu, &out); (text = strstr(text, "dev_tlb")) != NULL; text++)
                n++;
            cr_expect_eq(n, endpoints[k].quirk ? 2 : 1, "%s: %s", expects[i].name,
                         names(&iommu, &out));
            tried++;
        }
    cr_assert_eq(tried, 6 * N(endpoints)); /* legacy, client-graphics, scalable, -nopasid,
                                              legacy-wide, caching-mode */
}

Test(platforms, the_qat_endpoint_gets_one_flush_when_its_pasid_entry_goes)
{
    struct xinv_iommu iommu = with("intel-vtd-scalable", NULL, 0);
    struct xinv_attachment at = attachment(XINV_STAGE_STAGE1, XINV_ATT_ATS);
    struct xinv_request r = {.change = XINV_CHANGE_PASID_ENTRY};
    struct xinv_out out;
    const char *text;

    at.known |= XINV_TAG_BIT(XINV_TAG_PASID);
    at.pasid = 0x33;
    at.quirks = xinv_endpoint_quirks(&iommu, 0x8086, 0x4942);
    cr_assert_gt(run(&iommu, &at, 1, &r, &out), 0);
    cr_assert_str_eq(names(&iommu, &out), "pc p_iotlb p_dev_tlb");
    r.change = XINV_CHANGE_DEVICE_ENTRY;
    cr_assert_gt(run(&iommu, &at, 1, &r, &out), 0);
    text = names(&iommu, &out);
    cr_assert_str_eq(strstr(text, "p_dev_tlb"), "p_dev_tlb p_dev_tlb", "%s", text);
}

Test(platforms, two_units_alone_need_a_write_buffer_flush_when_a_page_is_mapped)
{
    for (size_t i = 0; i < N(expects); i++) {
        struct xinv_iommu iommu = with(expects[i].name, NULL, 0);
        struct xinv_attachment at = attachment(XINV_STAGE_STAGE2, 0);
        struct xinv_request r = pages(XINV_CHANGE_STAGE2_PTE, XINV_FROM_NOT_PRESENT);
        bool quirk = is(&expects[i], "intel-vtd-rwbf") || is(&expects[i], "intel-vtd-mobile4");
        struct xinv_out out;

        if (!is_vtd(&iommu))
            continue;
        cr_assert_geq(run(&iommu, &at, 1, &r, &out), 0, "%s", expects[i].name);
        cr_expect_eq(out.n_steps && steps[0].kind == XINV_STEP_REGISTER, quirk, "%s",
                     expects[i].name);
        if (!quirk)
            continue;
        cr_expect_eq(out.n_words, 0);
        cr_expect_eq(out.n_steps, 1);
        cr_expect_eq(steps[0].reg, 0x18);       /* GCMD */
        cr_expect_eq(steps[0].poll_reg, 0x1c);  /* GSTS */
        cr_expect_eq(steps[0].bits, 0x8000000); /* WBF, bit 27 */
    }
}

Test(platforms, mobile_4_does_not_advertise_its_write_buffer)
{
    cr_assert_eq(xinv_platform_find("intel-vtd-mobile4")->registers[0] >> 4 & 1, 0);
    cr_assert_eq(xinv_platform_find("intel-vtd-rwbf")->registers[0] >> 4 & 1, 1);
}

Test(platforms, caching_mode_alone_invalidates_when_a_page_is_mapped)
{
    for (size_t i = 0; i < N(expects); i++) {
        struct xinv_iommu iommu = with(expects[i].name, NULL, 0);
        struct xinv_attachment at = attachment(XINV_STAGE_STAGE2, 0);
        struct xinv_request r = pages(XINV_CHANGE_STAGE2_PTE, XINV_FROM_NOT_PRESENT);
        bool caching = is(&expects[i], "qemu-intel-caching-mode");
        struct xinv_out out;

        if (!is_vtd(&iommu))
            continue;
        cr_assert_geq(run(&iommu, &at, 1, &r, &out), 0, "%s", expects[i].name);
        cr_expect_str_eq(names(&iommu, &out), caching ? "iotlb" : "", "%s", expects[i].name);
    }
}

Test(platforms, the_graphics_unit_alone_gives_up_the_address_of_a_page)
{
    for (size_t i = 0; i < N(expects); i++) {
        struct xinv_iommu iommu = with(expects[i].name, NULL, 0);
        struct xinv_attachment at = attachment(XINV_STAGE_STAGE2, 0);
        struct xinv_request r = pages(XINV_CHANGE_STAGE2_PTE, XINV_FROM_PRESENT);
        struct xinv_out out;

        if (!is_vtd(&iommu))
            continue;
        cr_assert_eq(run(&iommu, &at, 1, &r, &out), 1, "%s", expects[i].name);
        cr_expect_eq(report.widened,
                     is(&expects[i], "intel-vtd-client-graphics") ? XINV_TAG_BIT(XINV_TAG_ADDRESS)
                                                                  : 0,
                     "%s", expects[i].name);
        /* iotlb: G 5:4 is 3 for a page, 2 for the domain */
        cr_expect_eq(words[0] >> 4 & 3, is(&expects[i], "intel-vtd-client-graphics") ? 2 : 3, "%s",
                     expects[i].name);
    }
}

Test(platforms, a_leaf_of_1_gib_takes_the_domain_where_mamv_is_9)
{
    static const struct {
        const char *name;
        unsigned g;
    } cases[] = {{"intel-vtd-rwbf", 2},
                 {"intel-vtd-mobile4", 2},
                 {"intel-vtd-client", 3},
                 {"intel-vtd-scalable", 3}};

    for (size_t i = 0; i < N(cases); i++) {
        struct xinv_iommu iommu = with(cases[i].name, NULL, 0);
        struct xinv_attachment at = attachment(XINV_STAGE_STAGE2, 0);
        struct xinv_request r = pages(XINV_CHANGE_STAGE2_PTE, XINV_FROM_PRESENT);
        struct xinv_out out;

        r.first = 0x40000000;
        r.last = 0x7fffffff;
        r.log2_leaf_size = 30;
        cr_assert_eq(run(&iommu, &at, 1, &r, &out), 1, "%s", cases[i].name);
        cr_expect_eq(words[0] >> 4 & 3, cases[i].g, "%s", cases[i].name);
    }
}

Test(platforms, legacy_mode_on_a_wide_queue_pads_its_descriptors)
{
    struct xinv_iommu iommu = with("intel-vtd-legacy-wide", NULL, 0);
    struct xinv_attachment at = attachment(XINV_STAGE_STAGE2, 0);
    struct xinv_request r = pages(XINV_CHANGE_STAGE2_PTE, XINV_FROM_PRESENT);
    struct xinv_out out;

    memset(words, 0xa5, sizeof(words));
    cr_assert_eq(run(&iommu, &at, 1, &r, &out), 1);
    cr_assert_eq(out.n_words, 4);
    cr_assert_eq(words[0], 0x000700f2); /* DID 7, DR, DW, G 3, type 2 */
    cr_assert_eq(words[1], 0x41234040); /* IH */
    cr_assert_eq(words[2], 0);
    cr_assert_eq(words[3], 0);
}

/* ---- AMD-Vi quirks ---- */

static bool is_amdvi(const struct xinv_iommu *iommu)
{
    return !strcmp(iommu->vendor->name, "amdvi");
}

Test(platforms, qemus_unit_alone_invalidates_when_a_page_is_mapped)
{
    for (size_t i = 0; i < N(expects); i++) {
        struct xinv_iommu iommu = with(expects[i].name, NULL, 0);
        struct xinv_attachment at = attachment(XINV_STAGE_STAGE2, 0);
        struct xinv_request r = pages(XINV_CHANGE_STAGE2_PTE, XINV_FROM_NOT_PRESENT);
        struct xinv_out out;

        if (!is_amdvi(&iommu))
            continue;
        cr_assert_geq(run(&iommu, &at, 1, &r, &out), 0, "%s", expects[i].name);
        cr_expect_str_eq(
            names(&iommu, &out),
            is(&expects[i], "qemu-amd-npcache") ? "INVALIDATE_IOMMU_PAGES COMPLETION_WAIT" : "",
            "%s", expects[i].name);
    }
}

Test(platforms, rd890_alone_cannot_say_everything_in_one_command)
{
    for (size_t i = 0; i < N(expects); i++) {
        struct xinv_iommu iommu = with(expects[i].name, NULL, 0);
        struct xinv_attachment at = attachment(XINV_STAGE_STAGE2, 0);
        struct xinv_request r = {.change = XINV_CHANGE_EVERYTHING, .flags = XINV_REQ_BEYOND};
        struct xinv_out out;
        int ret;

        if (!is_amdvi(&iommu))
            continue;
        ret = run(&iommu, &at, 1, &r, &out);
        if (!is(&expects[i], "amd-rd890")) {
            cr_expect_str_eq(names(&iommu, &out), "INVALIDATE_IOMMU_ALL COMPLETION_WAIT", "%s",
                             expects[i].name);
            continue;
        }
        cr_expect_eq(ret, -XINV_E_MUST_BLOCK);
        r.flags = XINV_REQ_ENUMERATED;
        cr_assert_gt(run(&iommu, &at, 1, &r, &out), 0);
        cr_expect_str_eq(names(&iommu, &out),
                         "INVALIDATE_DEVTAB_ENTRY INVALIDATE_INTERRUPT_TABLE COMPLETION_WAIT "
                         "INVALIDATE_IOMMU_PAGES COMPLETION_WAIT");
    }
}

Test(platforms, a_host_with_snp_alone_has_no_pass_through)
{
    for (size_t i = 0; i < N(expects); i++) {
        struct xinv_iommu iommu = with(expects[i].name, NULL, 0);
        struct xinv_attachment at = attachment(XINV_STAGE_PASSTHROUGH, 0);
        struct xinv_request r = {.change = XINV_CHANGE_DEVICE_ENTRY};
        struct xinv_out out;
        int ret;

        if (!is_amdvi(&iommu))
            continue;
        ret = run(&iommu, &at, 1, &r, &out);
        if (is(&expects[i], "amd-snp-host"))
            cr_expect_eq(ret, -XINV_E_UNSUPP);
        else
            cr_expect_gt(ret, 0, "%s", expects[i].name);
    }
}

Test(platforms, snp_takes_the_guest_table_without_a_host_table_too)
{
    struct xinv_iommu iommu = with("amd-zen1", "SNP", 1);

    cr_assert_eq(iommu.stages, S2 | NESTED);
}

/* ---- The key of the batch limit ---- */

/* The vendor table of SMMUv3 with one line in place of another. */
static struct schema_vendor *parse_with(const char *line, const char *instead,
                                        struct schema_error *error)
{
    static char text[65536];
    static char changed[66000];
    const char *dir = getenv("XINV_SOURCE_DIR");
    char path[1024];
    const char *at;
    size_t n;
    FILE *f;

    snprintf(path, sizeof(path), "%s/schema/smmuv3.yaml", dir ? dir : ".");
    f = fopen(path, "rb");
    cr_assert_not_null(f, "%s", path);
    n = fread(text, 1, sizeof(text) - 1, f);
    fclose(f);
    text[n] = '\0';
    at = strstr(text, line);
    cr_assert_not_null(at, "%s", line);
    snprintf(changed, sizeof(changed), "%.*s%s%s", (int)(at - text), text, instead,
             at + strlen(line));
    return schema_vendor_parse("table.yaml", changed, strlen(changed), error);
}

Test(platforms, a_table_without_a_batch_limit_has_none)
{
    struct schema_error error;
    struct schema_vendor *v = parse_with("max_batch: MAX_BATCH\n", "", &error);

    cr_assert_not_null(v, "%s", error.text);
    cr_assert_eq(v->table.max_batch.base, 0);
    cr_assert_eq(v->table.max_batch.times, 0);
    cr_assert_eq(v->table.max_batch.feature, XINV_NO_FEATURE);
    schema_vendor_free(v);
}

Test(platforms, a_batch_limit_may_be_a_number)
{
    struct schema_error error;
    struct schema_vendor *v = parse_with("max_batch: MAX_BATCH\n", "max_batch: 8\n", &error);

    cr_assert_not_null(v, "%s", error.text);
    cr_assert_eq(v->table.max_batch.base, 8);
    cr_assert_eq(v->table.max_batch.feature, XINV_NO_FEATURE);
    schema_vendor_free(v);
}

Test(platforms, a_batch_limit_is_refused_where_lists_need_not_end_with_a_sync)
{
    struct schema_error error;

    cr_assert_null(parse_with("final_sync: always\n", "final_sync: asked\n", &error));
    cr_assert_str_eq(error.text, "needs final_sync: always");
    cr_assert_str_eq(error.path, "max_batch");
}
