// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/* Quirks of AMD-Vi platforms: each has its own, and no other platform. */
#include <criterion/criterion.h>
#include <string.h>

#include "tests/support/hardware.h"
#include "tests/support/listrig.h"

#define S2     XINV_STAGE_BIT(XINV_STAGE_STAGE2)
#define NESTED XINV_STAGE_BIT(XINV_STAGE_NESTED)

static bool is_amdvi(const struct xinv_iommu *iommu)
{
    return !strcmp(iommu->vendor->name, "amdvi");
}

Test(platforms, qemus_unit_alone_invalidates_when_a_page_is_mapped)
{
    for (unsigned i = 0; hardware_at(i); i++) {
        const char *name = hardware_at(i)->name;
        struct xinv_iommu iommu = test_iommu(name, NULL, 0);
        struct xinv_attachment at = list_narrow_attachment(XINV_STAGE_STAGE2, 0);
        struct xinv_request r = list_page(XINV_CHANGE_STAGE2_PTE, XINV_FROM_NOT_PRESENT);
        struct xinv_out out;

        if (!is_amdvi(&iommu))
            continue;
        cr_assert_geq(list_run(&iommu, &at, 1, &r, NULL, &out), 0, "%s", name);
        cr_expect_str_eq(list_names(&iommu, &out),
                         test_platform_is(name, "qemu-amd-npcache")
                             ? "INVALIDATE_IOMMU_PAGES COMPLETION_WAIT"
                             : "",
                         "%s", name);
    }
}

Test(platforms, rd890_alone_cannot_say_everything_in_one_command)
{
    for (unsigned i = 0; hardware_at(i); i++) {
        const char *name = hardware_at(i)->name;
        struct xinv_iommu iommu = test_iommu(name, NULL, 0);
        struct xinv_attachment at = list_narrow_attachment(XINV_STAGE_STAGE2, 0);
        struct xinv_request r = {.change = XINV_CHANGE_EVERYTHING, .flags = XINV_REQ_BEYOND};
        struct xinv_out out;
        int ret;

        if (!is_amdvi(&iommu))
            continue;
        ret = list_run(&iommu, &at, 1, &r, NULL, &out);
        if (strcmp(name, "amd-rd890")) {
            cr_expect_str_eq(list_names(&iommu, &out), "INVALIDATE_IOMMU_ALL COMPLETION_WAIT", "%s",
                             name);
            continue;
        }
        cr_expect_eq(ret, -XINV_E_MUST_BLOCK);
        r.flags = XINV_REQ_ENUMERATED;
        cr_assert_gt(list_run(&iommu, &at, 1, &r, NULL, &out), 0);
        cr_expect_str_eq(list_names(&iommu, &out),
                         "INVALIDATE_DEVTAB_ENTRY INVALIDATE_INTERRUPT_TABLE COMPLETION_WAIT "
                         "INVALIDATE_IOMMU_PAGES COMPLETION_WAIT");
    }
}

Test(platforms, a_host_with_snp_alone_has_no_pass_through)
{
    for (unsigned i = 0; hardware_at(i); i++) {
        const char *name = hardware_at(i)->name;
        struct xinv_iommu iommu = test_iommu(name, NULL, 0);
        struct xinv_attachment at = list_narrow_attachment(XINV_STAGE_PASSTHROUGH, 0);
        struct xinv_request r = {.change = XINV_CHANGE_DEVICE_ENTRY};
        struct xinv_out out;
        int ret;

        if (!is_amdvi(&iommu))
            continue;
        ret = list_run(&iommu, &at, 1, &r, NULL, &out);
        if (test_platform_is(name, "amd-snp-host"))
            cr_expect_eq(ret, -XINV_E_UNSUPP);
        else
            cr_expect_gt(ret, 0, "%s", name);
    }
}

Test(platforms, snp_takes_the_guest_table_without_a_host_table_too)
{
    struct xinv_iommu iommu = test_iommu("amd-zen1", "SNP", 1);

    cr_assert_eq(iommu.stages, S2 | NESTED);
}

/* MMIO 0030h, GIoSup: without it a GCR3 table serves requests with a PASID alone. */
Test(platforms, a_guest_table_serves_requests_without_pasid_only_with_giosup)
{
    struct xinv_iommu with = test_iommu("amd-vi-generic", NULL, 0);
    struct xinv_iommu without = test_iommu("amd-vi-generic", "GIoSup", 0);
    struct xinv_attachment at = list_narrow_attachment(XINV_STAGE_STAGE1, 0);
    struct xinv_request r = list_page(XINV_CHANGE_STAGE1_PTE, XINV_FROM_PRESENT);
    struct xinv_out out;

    at.known &= (uint8_t)~XINV_TAG_BIT(XINV_TAG_PASID);
    cr_expect_gt(list_run(&with, &at, 1, &r, NULL, &out), 0);
    cr_expect_eq(list_run(&without, &at, 1, &r, NULL, &out), -XINV_E_UNSUPP);
    at.known |= XINV_TAG_BIT(XINV_TAG_PASID);
    at.pasid = 0;
    cr_expect_eq(list_run(&without, &at, 1, &r, NULL, &out), -XINV_E_UNSUPP);
    at.pasid = 1;
    cr_expect_gt(list_run(&without, &at, 1, &r, NULL, &out), 0);
}
