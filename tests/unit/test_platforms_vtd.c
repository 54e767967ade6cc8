// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/* Quirks of VT-d platforms: each has its own, and no other platform. */
#include <criterion/criterion.h>
#include <string.h>

#include "tests/support/hardware.h"
#include "tests/support/listrig.h"

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

    for (unsigned i = 0; hardware_at(i); i++)
        for (size_t k = 0; k < N(endpoints); k++) {
            const char *name = hardware_at(i)->name;
            struct xinv_iommu iommu = test_iommu(name, NULL, 0);
            struct xinv_attachment at = list_narrow_attachment(XINV_STAGE_STAGE2, XINV_ATT_ATS);
            struct xinv_request r = list_page(XINV_CHANGE_STAGE2_PTE, XINV_FROM_PRESENT);
            struct xinv_out out;
            const char *text;
            unsigned n = 0;

            at.quirks = xinv_endpoint_quirks(&iommu, endpoints[k].vendor, endpoints[k].device);
            cr_expect_eq(at.quirks != 0, is_vtd(&iommu) && endpoints[k].quirk, "%s", name);
            if (!is_vtd(&iommu) || !list_feature(&iommu, "DT"))
                continue;
            cr_assert_gt(list_run(&iommu, &at, 1, &r, NULL, &out), 0);
            for (text = list_names(&iommu, &out); (text = strstr(text, "dev_tlb")) != NULL; text++)
                n++;
            cr_expect_eq(n, endpoints[k].quirk ? 2 : 1, "%s: %s", name, list_names(&iommu, &out));
            tried++;
        }
    cr_assert_eq(tried, 6 * N(endpoints)); /* legacy, client-graphics, scalable, -nopasid,
                                              legacy-wide, caching-mode */
}

/* One requester ID in two attachments: the one that is not known to be a QAT stands first. */
Test(platforms, a_flush_that_was_sent_once_does_not_serve_the_qat_endpoint)
{
    struct xinv_iommu iommu = test_iommu("intel-vtd-legacy", NULL, 0);
    struct xinv_attachment at[2] = {list_narrow_attachment(XINV_STAGE_STAGE2, XINV_ATT_ATS),
                                    list_narrow_attachment(XINV_STAGE_STAGE2, XINV_ATT_ATS)};
    struct xinv_request r = list_page(XINV_CHANGE_STAGE2_PTE, XINV_FROM_PRESENT);
    struct xinv_out out;

    at[1].quirks = xinv_endpoint_quirks(&iommu, 0x8086, 0x4942);
    cr_assert_gt(list_run(&iommu, at, 2, &r, NULL, &out), 0);
    cr_assert_str_eq(list_names(&iommu, &out), "iotlb dev_tlb dev_tlb dev_tlb");
}

Test(platforms, the_qat_endpoint_gets_one_flush_when_its_pasid_entry_goes)
{
    struct xinv_iommu iommu = test_iommu("intel-vtd-scalable", NULL, 0);
    struct xinv_attachment at = list_narrow_attachment(XINV_STAGE_STAGE1, XINV_ATT_ATS);
    struct xinv_request r = {.change = XINV_CHANGE_PASID_ENTRY};
    struct xinv_out out;
    const char *text;

    at.known |= XINV_TAG_BIT(XINV_TAG_PASID);
    at.pasid = 0x33;
    at.quirks = xinv_endpoint_quirks(&iommu, 0x8086, 0x4942);
    cr_assert_gt(list_run(&iommu, &at, 1, &r, NULL, &out), 0);
    cr_assert_str_eq(list_names(&iommu, &out), "pc p_iotlb p_dev_tlb");
    r.change = XINV_CHANGE_DEVICE_ENTRY;
    cr_assert_gt(list_run(&iommu, &at, 1, &r, NULL, &out), 0);
    text = list_names(&iommu, &out);
    cr_assert_str_eq(strstr(text, "p_dev_tlb"), "p_dev_tlb p_dev_tlb", "%s", text);
}

Test(platforms, two_units_alone_need_a_write_buffer_flush_when_a_page_is_mapped)
{
    for (unsigned i = 0; hardware_at(i); i++) {
        const char *name = hardware_at(i)->name;
        struct xinv_iommu iommu = test_iommu(name, NULL, 0);
        struct xinv_attachment at = list_narrow_attachment(XINV_STAGE_STAGE2, 0);
        struct xinv_request r = list_page(XINV_CHANGE_STAGE2_PTE, XINV_FROM_NOT_PRESENT);
        bool quirk =
            test_platform_is(name, "intel-vtd-rwbf") || test_platform_is(name, "intel-vtd-mobile4");
        struct xinv_out out;

        if (!is_vtd(&iommu))
            continue;
        cr_assert_geq(list_run(&iommu, &at, 1, &r, NULL, &out), 0, "%s", name);
        cr_expect_eq(out.n_steps && list_steps[0].kind == XINV_STEP_REGISTER, quirk, "%s", name);
        if (!quirk)
            continue;
        cr_expect_eq(out.n_words, 0);
        cr_expect_eq(out.n_steps, 1);
        cr_expect_eq(list_steps[0].reg, 0x18);       /* GCMD */
        cr_expect_eq(list_steps[0].poll_reg, 0x1c);  /* GSTS */
        cr_expect_eq(list_steps[0].bits, 0x8000000); /* WBF, bit 27 */
    }
}

Test(platforms, mobile_4_does_not_advertise_its_write_buffer)
{
    cr_assert_eq(xinv_platform_find("intel-vtd-mobile4")->registers[0] >> 4 & 1, 0);
    cr_assert_eq(xinv_platform_find("intel-vtd-rwbf")->registers[0] >> 4 & 1, 1);
}

Test(platforms, caching_mode_alone_invalidates_when_a_page_is_mapped)
{
    for (unsigned i = 0; hardware_at(i); i++) {
        const char *name = hardware_at(i)->name;
        struct xinv_iommu iommu = test_iommu(name, NULL, 0);
        struct xinv_attachment at = list_narrow_attachment(XINV_STAGE_STAGE2, 0);
        struct xinv_request r = list_page(XINV_CHANGE_STAGE2_PTE, XINV_FROM_NOT_PRESENT);
        bool caching = test_platform_is(name, "qemu-intel-caching-mode");
        struct xinv_out out;

        if (!is_vtd(&iommu))
            continue;
        cr_assert_geq(list_run(&iommu, &at, 1, &r, NULL, &out), 0, "%s", name);
        cr_expect_str_eq(list_names(&iommu, &out), caching ? "iotlb" : "", "%s", name);
    }
}

Test(platforms, the_graphics_unit_alone_gives_up_the_address_of_a_page)
{
    for (unsigned i = 0; hardware_at(i); i++) {
        const char *name = hardware_at(i)->name;
        struct xinv_iommu iommu = test_iommu(name, NULL, 0);
        struct xinv_attachment at = list_narrow_attachment(XINV_STAGE_STAGE2, 0);
        struct xinv_request r = list_page(XINV_CHANGE_STAGE2_PTE, XINV_FROM_PRESENT);
        struct xinv_out out;

        if (!is_vtd(&iommu))
            continue;
        cr_assert_eq(list_run(&iommu, &at, 1, &r, NULL, &out), 1, "%s", name);
        cr_expect_eq(list_report.widened,
                     test_platform_is(name, "intel-vtd-client-graphics")
                         ? XINV_TAG_BIT(XINV_TAG_ADDRESS)
                         : 0,
                     "%s", name);
        /* iotlb: G 5:4 is 3 for a page, 2 for the domain */
        cr_expect_eq(list_words[0] >> 4 & 3,
                     test_platform_is(name, "intel-vtd-client-graphics") ? 2 : 3, "%s", name);
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
        struct xinv_iommu iommu = test_iommu(cases[i].name, NULL, 0);
        struct xinv_attachment at = list_narrow_attachment(XINV_STAGE_STAGE2, 0);
        struct xinv_request r = list_page(XINV_CHANGE_STAGE2_PTE, XINV_FROM_PRESENT);
        struct xinv_out out;

        r.first = 0x40000000;
        r.last = 0x7fffffff;
        r.log2_leaf_size = 30;
        cr_assert_eq(list_run(&iommu, &at, 1, &r, NULL, &out), 1, "%s", cases[i].name);
        cr_expect_eq(list_words[0] >> 4 & 3, cases[i].g, "%s", cases[i].name);
    }
}

Test(platforms, legacy_mode_on_a_wide_queue_pads_its_descriptors)
{
    struct xinv_iommu iommu = test_iommu("intel-vtd-legacy-wide", NULL, 0);
    struct xinv_attachment at = list_narrow_attachment(XINV_STAGE_STAGE2, 0);
    struct xinv_request r = list_page(XINV_CHANGE_STAGE2_PTE, XINV_FROM_PRESENT);
    struct xinv_out out;

    memset(list_words, 0xa5, sizeof(list_words));
    cr_assert_eq(list_run(&iommu, &at, 1, &r, NULL, &out), 1);
    cr_assert_eq(out.n_words, 4);
    cr_assert_eq(list_words[0], 0x000700f2); /* DID 7, DR, DW, G 3, type 2 */
    cr_assert_eq(list_words[1], 0x41234040); /* IH */
    cr_assert_eq(list_words[2], 0);
    cr_assert_eq(list_words[3], 0);
}

/* 11.4.3 ECAP.QI, ECAP.SMTS; 11.4.9.4 IQA_REG.DW */
Test(platforms, a_vtd_unit_that_cannot_be_is_refused)
{
    static const struct {
        const char *platform;
        const char *feature;
        uint16_t value;
        int ret;
    } cases[] = {
        {"intel-vtd-legacy", "QI", 0, -XINV_E_UNSUPP},
        {"intel-vtd-scalable", "QI", 0, -XINV_E_UNSUPP},
        {"intel-vtd-scalable", "SMTS", 0, -XINV_E_TABLE},
        {"intel-vtd-scalable", "queue_width", 128, -XINV_E_TABLE},
        {"intel-vtd-scalable", "queue_width", 512, -XINV_E_TABLE},
        {"intel-vtd-scalable", "ttm", 2, -XINV_E_TABLE},
        {"intel-vtd-legacy", "queue_width", 256, -XINV_E_TABLE},
        {"intel-vtd-legacy", "ttm", 1, -XINV_E_TABLE},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct xinv_platform *p = xinv_platform_find(cases[i].platform);
        int feature = xinv_feature_find(p->vendor, cases[i].feature);
        struct xinv_setting setting = {(uint8_t)feature, cases[i].value};
        struct xinv_iommu iommu = {.words = 7};

        cr_assert_geq(feature, 0, "%s", cases[i].feature);
        cr_expect_eq(xinv_iommu_init(&iommu, p, NULL, &setting, 1), cases[i].ret, "%s, %s %u",
                     cases[i].platform, cases[i].feature, cases[i].value);
        cr_expect(!iommu.platform && iommu.words == 7, "%s: changed", cases[i].feature);
    }
}
