// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/*
 * AMD-Vi: what each command removes (AMD 48882, 2.4.2 to 2.4.8), line by line.
 */
#include <criterion/criterion.h>

#include "tests/support/rows.h"

#define DTE      XINV_CACHE_DEVICE_CONFIG
#define GCR3     XINV_CACHE_PASID_CONFIG
#define GUEST    XINV_CACHE_STAGE1
#define HOST     XINV_CACHE_STAGE2
#define NESTED   XINV_CACHE_NESTED
#define IOTLB    XINV_CACHE_DEVICE_TLB
#define IRTES    XINV_CACHE_INTERRUPT
#define DEVICE   ROW_RID
#define PASID    ROW_PASID
#define DID      ROW_DID
#define GVA      ROW_ADDRESS
#define GPA      ROW_IPA
#define ANY      ROW_NO_TAG
#define EVERY    ROW_EVERY_CLASS
#define LEAF     XINV_LEVEL_LEAF
#define UNTAGGED XINV_PASID_UNTAGGED
#define TAGGED   XINV_PASID_TAGGED
#define REMOVES  ROW_REMOVES
#define MUST     ROW_MUST
#define MAY      ROW_MAY

#define COMMON .vendor = "amdvi", .platform = "amd-vi-generic"

#define AT(stage_, known_, flags_)       \
    .at = {.stage = XINV_STAGE_##stage_, \
           .known = known_,              \
           .flags = flags_,              \
           .rid = 0x2b1,                 \
           .pasid = 5,                   \
           .did = 0x47,                  \
           .queue_depth = 8}
#define CHANGE    ROW_CHANGE
#define EXPLICIT  ROW_EXPLICIT
#define ATS       XINV_ATT_ATS
#define RANGE     XINV_REQ_RANGE
#define LEAF_ONLY XINV_REQ_LEAF_ONLY

/* A test for each line; its name is the rule. */
#define LINES(X)                                                                                   \
    X(DEVTAB, devtab_entry_removes_the_dte_of_a_device)                                            \
    X(IRT, interrupt_table_removes_the_interrupt_entries_of_a_device)                              \
    X(ALL, iommu_all_removes_every_internal_entry_and_nothing_at_endpoints)                        \
    X(HOST_RANGE, pages_without_gn_remove_gpas_of_a_domain_and_guest_entries_whose_walk_used_them) \
    X(HOST_LEAF, pages_without_gn_and_pde_keep_page_directory_entries)                             \
    X(HOST_ALL, pages_without_gn_of_every_address_remove_all_of_a_domain_and_of_its_pasids)        \
    X(GUEST_RANGE, pages_with_gn_remove_gvas_of_a_domain_and_pasid)                                \
    X(GUEST_LEAF, pages_with_gn_without_pde_keep_page_directory_entries)                           \
    X(GUEST_ALL, pages_with_gn_of_every_address_remove_the_gcr3_entry_of_the_pasid_too)            \
    X(IOTLB_RANGE, iotlb_pages_without_gn_remove_entries_without_pasid_in_range)                   \
    X(IOTLB_ALL, iotlb_pages_without_gn_of_every_address_remove_all_without_pasid)                 \
    X(IOTLB_PASID, iotlb_pages_with_gn_remove_entries_of_a_pasid_in_range)                         \
    X(IOTLB_PASID_ALL, iotlb_pages_with_gn_of_every_address_remove_all_of_a_pasid)

#define NUMBER(id, test) id,
enum {
    LINES(NUMBER) N_LINES
};

static const struct row_line lines[N_LINES] = {
    [DEVTAB] = {COMMON, .name = "INVALIDATE_DEVTAB_ENTRY", .op = "devtab_entry", .section = "2.4.2",
                REMOVES(MUST(DTE, DEVICE, EVERY)), AT(STAGE2, DEVICE | DID, 0),
                EXPLICIT(DEVICE_CONFIG, DOMAIN, 0), .fields = "DeviceID=0x2b1"},
    [IRT] = {COMMON, .name = "INVALIDATE_INTERRUPT_TABLE", .op = "interrupt_table",
             .section = "2.4.5", REMOVES(MUST(IRTES, DEVICE, EVERY)),
             /* without INVALIDATE_IOMMU_ALL, every live DeviceID and DomainID */ .settings =
                 {{"IASup", 0}},
             AT(STAGE2, DEVICE | DID, 0), CHANGE(EVERYTHING, XINV_REQ_ENUMERATED),
             .with = "devtab_entry pages_host_all", .fields = "DeviceID=0x2b1"},
    [ALL] = {COMMON, .name = "INVALIDATE_IOMMU_ALL", .op = "iommu_all", .when = "IASup",
             .section = "2.4.8",
             REMOVES(MUST(DTE, ANY, EVERY), MUST(GCR3, ANY, EVERY), MUST(GUEST, ANY, EVERY),
                     MUST(HOST, ANY, EVERY), MUST(NESTED, ANY, EVERY), MUST(IRTES, ANY, EVERY)),
             AT(STAGE2, DEVICE | DID, 0), CHANGE(EVERYTHING, 0)},
    [HOST_RANGE] = {COMMON, .name = "INVALIDATE_IOMMU_PAGES", .op = "pages_host", .range = "pow2",
                    .section = "2.4.3",
                    REMOVES(MUST(HOST, DID | GPA, EVERY), MUST(NESTED, DID | GPA, EVERY),
                            MAY(GUEST, DID, EVERY), MAY(NESTED, DID, EVERY)),
                    AT(STAGE2, DEVICE | DID, 0), CHANGE(STAGE2_PTE, RANGE),
                    .fields = "DomainID=0x47 PASID=0 S=0 PDE=1 GN=0 Address=0x41234000"},
    [HOST_LEAF] = {COMMON, .name = "INVALIDATE_IOMMU_PAGES", .op = "pages_host", .leaf = true,
                   .range = "pow2", .section = "2.4.3",
                   REMOVES(MUST(HOST, DID | GPA, LEAF), MUST(NESTED, DID | GPA, LEAF),
                           MAY(GUEST, DID, LEAF), MAY(NESTED, DID, LEAF)),
                   AT(STAGE2, DEVICE | DID, 0), CHANGE(STAGE2_PTE, RANGE | LEAF_ONLY),
                   .fields = "DomainID=0x47 PASID=0 S=0 PDE=0 GN=0 Address=0x41234000"},
    [HOST_ALL] = {COMMON, .name = "INVALIDATE_IOMMU_PAGES", .op = "pages_host_all",
                  .section = "2.4.3",
                  REMOVES(MUST(GCR3, DID, EVERY), MUST(GUEST, DID, EVERY), MUST(HOST, DID, EVERY),
                          MUST(NESTED, DID, EVERY)),
                  AT(STAGE2, DEVICE | DID, 0), CHANGE(STAGE2_PTE, 0),
                  .fields = "DomainID=0x47 PASID=0 S=1 PDE=1 GN=0 Address=0x7ffffffffffff000"},
    [GUEST_RANGE] = {COMMON, .name = "INVALIDATE_IOMMU_PAGES", .op = "pages_guest", .when = "GTSup",
                     .range = "pow2", .section = "2.4.3",
                     REMOVES(MUST(GUEST, DID | PASID | GVA, EVERY),
                             MUST(NESTED, DID | PASID | GVA, EVERY)),
                     AT(STAGE1, DEVICE | PASID | DID, 0), CHANGE(STAGE1_PTE, RANGE),
                     .fields = "DomainID=0x47 PASID=5 S=0 PDE=1 GN=1 Address=0x41234000"},
    [GUEST_LEAF] = {COMMON, .name = "INVALIDATE_IOMMU_PAGES", .op = "pages_guest", .leaf = true,
                    .when = "GTSup", .range = "pow2", .section = "2.4.3",
                    REMOVES(MUST(GUEST, DID | PASID | GVA, LEAF),
                            MUST(NESTED, DID | PASID | GVA, LEAF)),
                    AT(STAGE1, DEVICE | PASID | DID, 0), CHANGE(STAGE1_PTE, RANGE | LEAF_ONLY),
                    .fields = "DomainID=0x47 PASID=5 S=0 PDE=0 GN=1 Address=0x41234000"},
    [GUEST_ALL] = {COMMON, .name = "INVALIDATE_IOMMU_PAGES", .op = "pages_guest_all",
                   .when = "GTSup", .section = "2.4.3",
                   REMOVES(MUST(GCR3, DID | PASID, EVERY), MUST(GUEST, DID | PASID, EVERY),
                           MUST(NESTED, DID | PASID, EVERY)),
                   AT(STAGE1, DEVICE | PASID | DID, 0), CHANGE(STAGE1_PTE, 0),
                   .fields = "DomainID=0x47 PASID=5 S=1 PDE=1 GN=1 Address=0x7ffffffffffff000"},
    [IOTLB_RANGE] = {COMMON, .name = "INVALIDATE_IOTLB_PAGES", .op = "iotlb", .when = "IotlbSup",
                     .range = "pow2", .section = "2.4.4",
                     REMOVES(MUST(IOTLB, DEVICE | GVA, UNTAGGED), MAY(IOTLB, DEVICE | GVA, TAGGED)),
                     AT(STAGE2, DEVICE | DID, ATS), EXPLICIT(DEVICE_TLB, ADDRESS, RANGE),
                     .fields = "DeviceID=0x2b1 PASID=0 S=0 GN=0 Address=0x41234000"},
    [IOTLB_ALL] = {COMMON, .name = "INVALIDATE_IOTLB_PAGES", .op = "iotlb_all", .when = "IotlbSup",
                   .section = "2.4.4",
                   REMOVES(MUST(IOTLB, DEVICE, UNTAGGED), MAY(IOTLB, DEVICE, TAGGED)),
                   AT(STAGE2, DEVICE | DID, ATS), EXPLICIT(DEVICE_TLB, DOMAIN, 0),
                   .fields = "DeviceID=0x2b1 PASID=0 S=1 GN=0 Address=0x7ffffffffffff000"},
    [IOTLB_PASID] = {COMMON, .name = "INVALIDATE_IOTLB_PAGES", .op = "iotlb_pasid",
                     .when = "IotlbSup GTSup", .range = "pow2", .section = "2.4.4",
                     REMOVES(MUST(IOTLB, DEVICE | PASID | GVA, TAGGED)),
                     AT(STAGE1, DEVICE | PASID | DID, ATS), EXPLICIT(DEVICE_TLB, ADDRESS, RANGE),
                     .fields = "DeviceID=0x2b1 PASID=5 S=0 GN=1 Address=0x41234000"},
    [IOTLB_PASID_ALL] = {COMMON, .name = "INVALIDATE_IOTLB_PAGES", .op = "iotlb_pasid_all",
                         .when = "IotlbSup GTSup", .section = "2.4.4",
                         REMOVES(MUST(IOTLB, DEVICE | PASID, TAGGED)),
                         AT(STAGE1, DEVICE | PASID | DID, ATS), EXPLICIT(DEVICE_TLB, DOMAIN, 0),
                         .fields = "DeviceID=0x2b1 PASID=5 S=1 GN=1 Address=0x7ffffffffffff000"},
};

#define TEST(id, test) ROW_TEST(rows_amdvi, id, test)
LINES(TEST)

Test(rows_amdvi, the_table_has_no_other_row)
{
    row_check_all("amdvi", lines, N_LINES);
}

/* Every line has a row. INVALIDATE_INTERRUPT_TABLE has no form for one index. */
Test(rows_amdvi, commands_that_remove_nothing_have_no_row)
{
    static const char *const names[] = {"COMPLETION_WAIT",      "PREFETCH_IOMMU_PAGES",
                                        "COMPLETE_PPR_REQUEST", "INSERT_GUEST_EVENT",
                                        "RESET_VMMIO",          NULL};

    row_check_none("amdvi", names);
}
