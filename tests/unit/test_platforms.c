// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/* Every built-in platform: its limits as the ID registers give them. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/backend.h"
#include "core/iommu.h"
#include "schema/load.h"
#include "tests/support/hardware.h"
#include "tests/support/listrig.h"

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
#define PDT  "p_dev_tlb_page p_dev_tlb_all p_dev_tlb_page_all_pasids p_dev_tlb_all_pasids "

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
    {"iommufd-arm-smmuv3", 16, 16, 16, 0, 32, NESTED, 2, "tlbi_nh_va", XINV_RANGE_PAGE, 0,
     "cfgi_ste cfgi_all " HYP "tlbi_s2_ipa tlbi_s12_vmall tlbi_nsnh_all ", NULL},
    {"iommufd-vtd-s1", 0, 0, 0, 32, 0, NESTED, 3, "range", XINV_RANGE_POW2, 51, "", NULL},
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

static bool is(const struct expect *e, const char *name)
{
    return !strcmp(e->name, name);
}

/* ---- Limits ---- */

Test(platforms, every_built_in_platform_has_its_limits_written_down)
{
    const struct xinv_platform *p;
    unsigned n = 0;

    for (; (p = working_at(n)) != NULL; n++) {
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
        struct xinv_iommu iommu = test_iommu(e->name, NULL, 0);

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
        struct xinv_iommu iommu = test_iommu(expects[i].name, NULL, 0);

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
        struct xinv_iommu iommu = test_iommu(expects[i].name, NULL, 0);
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
        struct xinv_iommu iommu = test_iommu(e->name, NULL, 0);
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
        f[n++] = xinv_conds_hold(iommu, v->repeats[i].conds);
    for (unsigned i = 0; i < v->n_changes; i++) {
        const struct xinv_change_def *c = &v->changes[i];

        f[n++] = xinv_conds_hold(iommu, c->conds);
        for (unsigned k = 0; k < c->needs.count; k++)
            f[n++] = xinv_conds_hold(iommu, v->needs[c->needs.first + k].conds);
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
        struct xinv_iommu a = test_iommu(expects[i].name, NULL, 0);
        uint8_t fa[512];
        bool alone = true;

        fingerprint(&a, fa, sizeof(fa));
        for (size_t k = 0; k < i; k++) {
            struct xinv_iommu b = test_iommu(expects[k].name, NULL, 0);
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
