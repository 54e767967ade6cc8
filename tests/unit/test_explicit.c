// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/*
 * Explicit requests: caches and a scope, as a guest names them. Expected words are put together by
 * hand from the commands' layouts; syncs are left out.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <xinv/xinv.h>

#define RID   XINV_TAG_BIT(XINV_TAG_RID)
#define PASID XINV_TAG_BIT(XINV_TAG_PASID)
#define ASID  XINV_TAG_BIT(XINV_TAG_ASID)
#define DID   XINV_TAG_BIT(XINV_TAG_DID)
#define VMID  XINV_TAG_BIT(XINV_TAG_VMID)

#define RANGE_FIRST UINT64_C(0x40000000)
#define RANGE_LAST  UINT64_C(0x40000fff)

static struct xinv_report report;

/* StreamID, source ID, DeviceID 0x310; every host tag 5, but VMID 0 on stage 1; PASID 5 and an ASID
 * where there is a stage 1. */
static struct xinv_attachment user(uint8_t stage, uint8_t flags)
{
    return (struct xinv_attachment){
        .stage = stage,
        .flags = flags,
        .known = stage == XINV_STAGE_STAGE2 ? RID | DID | VMID : RID | ASID | DID | VMID | PASID,
        .queue_depth = 32,
        .rid = 0x310,
        .pasid = 5,
        .asid = 5,
        .did = 5,
        .vmid = stage == XINV_STAGE_STAGE1 ? 0 : 5};
}

static int ask(const char *platform, const struct xinv_attachment *at, size_t n, uint8_t caches,
               uint8_t scope, const char **text)
{
    static char all[1024];
    uint64_t words[64];
    struct xinv_step steps[16];
    struct xinv_out out = {.words = words, .steps = steps, .cap_words = 64, .cap_steps = 16};
    struct xinv_request request = {
        .caches = caches, .scope = scope, .flags = XINV_REQ_INVALIDATE | XINV_REQ_LEAF_ONLY};
    struct xinv_iommu iommu;
    struct xinv_decoded decoded;
    int ret;

    if (scope == XINV_SCOPE_ADDRESS) {
        request.flags |= XINV_REQ_RANGE;
        request.first = RANGE_FIRST;
        request.last = RANGE_LAST;
    }
    cr_assert_eq(xinv_iommu_init(&iommu, xinv_platform_find(platform), NULL, NULL, 0), 0);
    ret = xinv_translate(&iommu, at, n, &request, NULL, NULL, &out, &report);
    all[0] = '\0';
    for (uint32_t i = 0; i < out.n_words; i += iommu.words) {
        char one[64];

        cr_assert_eq(xinv_decode(&iommu, words + i, &decoded), 0);
        if (!strcmp(decoded.name, "SYNC") || !strcmp(decoded.name, "COMPLETION_WAIT"))
            continue;
        snprintf(one, sizeof(one), "%s%llx:%llx", all[0] ? " " : "", (unsigned long long)words[i],
                 (unsigned long long)words[i + 1]);
        strcat(all, one);
    }
    *text = all;
    return ret;
}

#define CASE(name, platform, stage, flags, caches, scope, expected)    \
    Test(explicit_requests, name)                                      \
    {                                                                  \
        struct xinv_attachment at = user(stage, flags);                \
        const char *text;                                              \
        int ret = ask(platform, &at, 1, caches, scope, &text);         \
        cr_assert(ret >= 0, "error %d", ret);                          \
        cr_assert_str_eq(text, expected);                              \
        cr_assert_eq(report.widened, 0, "widened %x", report.widened); \
    }

/* ---- interrupt entries ---- */

CASE(amd_interrupt_entries_of_an_endpoint_go_by_device_id, "amd-vi-generic", XINV_STAGE_STAGE2, 0,
     XINV_INV_INTERRUPT, XINV_SCOPE_ENDPOINT, "5000000000000310:0")
CASE(vtd_interrupt_entries_have_no_source_id_so_all_of_them_go, "intel-vtd-scalable",
     XINV_STAGE_STAGE2, 0, XINV_INV_INTERRUPT, XINV_SCOPE_ENDPOINT, "4:0")
CASE(amd_interrupt_entries_of_everybody_go_with_all_else_of_the_iommu, "amd-vi-generic",
     XINV_STAGE_STAGE2, 0, XINV_INV_INTERRUPT, XINV_SCOPE_EVERYTHING, "8000000000000000:0")

/* ---- one endpoint: its device TLB with and without PASID, all of its PASID entries ---- */

CASE(smmuv3_device_tlb_of_an_endpoint_with_and_without_pasid, "arm-smmuv3-ril", XINV_STAGE_STAGE1,
     XINV_ATT_ATS | XINV_ATT_PASID_ENABLED, XINV_INV_DEVICE_TLB, XINV_SCOPE_ENDPOINT,
     "31000000040:34 31000005840:34")
CASE(vtd_device_tlb_of_an_endpoint_with_and_without_pasid, "intel-vtd-scalable", XINV_STAGE_STAGE1,
     XINV_ATT_ATS | XINV_ATT_PASID_ENABLED, XINV_INV_DEVICE_TLB, XINV_SCOPE_ENDPOINT,
     "31000000003:7ffffffffffff001 503100008:7ffffffffffff800")
CASE(vtd_device_tlb_of_an_endpoint_whose_pasids_nobody_knows, "intel-vtd-scalable",
     XINV_STAGE_NESTED, XINV_ATT_ATS | XINV_ATT_PASIDS_UNKNOWN, XINV_INV_DEVICE_TLB,
     XINV_SCOPE_ENDPOINT, "31000000003:7ffffffffffff001 3100008:7ffffffffffff801")
CASE(smmuv3_all_cds_of_an_endpoint, "arm-smmuv3-ril", XINV_STAGE_STAGE1, 0, XINV_INV_PASID_CONFIG,
     XINV_SCOPE_ENDPOINT, "31000000006:0")
CASE(vtd_all_pasid_entries_of_the_did, "intel-vtd-scalable", XINV_STAGE_STAGE1, 0,
     XINV_INV_PASID_CONFIG, XINV_SCOPE_ENDPOINT, "50007:0")

/* ---- a stage's own cache, whatever the attachment's stage ---- */

CASE(smmuv3_stage2_by_ipa_under_nesting, "arm-smmuv3-generic", XINV_STAGE_NESTED, 0,
     XINV_INV_STAGE2, XINV_SCOPE_ADDRESS, "50000002a:40000001")
CASE(smmuv3_stage1_entries_of_a_stage2_users_vmid, "arm-smmuv3-generic", XINV_STAGE_STAGE2, 0,
     XINV_INV_STAGE1, XINV_SCOPE_DOMAIN, "500000010:0")
CASE(vtd_stage2_by_address_under_nesting, "intel-vtd-scalable", XINV_STAGE_NESTED, 0,
     XINV_INV_STAGE2, XINV_SCOPE_ADDRESS, "500f2:40000040")

/* ---- everything of the IOMMU, without the caller's leave ---- */

CASE(smmuv3_every_device_entry, "arm-smmuv3-ril", XINV_STAGE_STAGE2, 0, XINV_INV_DEVICE_CONFIG,
     XINV_SCOPE_EVERYTHING, "4:1f")
CASE(smmuv3_translations_of_everybody, "arm-smmuv3-generic", XINV_STAGE_STAGE2, 0, XINV_INV_IOTLB,
     XINV_SCOPE_EVERYTHING, "30:0")
CASE(vtd_translations_of_everybody, "intel-vtd-legacy", XINV_STAGE_STAGE2, 0, XINV_INV_IOTLB,
     XINV_SCOPE_EVERYTHING, "d2:0")

/* ---- refused ---- */

Test(explicit_requests, caches_that_this_iommu_lacks_are_unsupported)
{
    struct xinv_attachment at = user(XINV_STAGE_STAGE2, 0);
    const char *text;

    cr_assert_eq(ask("arm-smmuv3-ril", &at, 1, XINV_INV_INTERRUPT, XINV_SCOPE_ENDPOINT, &text),
                 -XINV_E_UNSUPP);
    cr_assert_eq(report.at, &at);
}

Test(explicit_requests, a_cache_that_this_iommu_lacks_is_empty_beside_one_that_it_has)
{
    struct xinv_attachment at = user(XINV_STAGE_STAGE2, 0);
    const char *text;

    cr_assert_geq(ask("arm-smmuv3-ril", &at, 1, XINV_INV_INTERRUPT | XINV_INV_DEVICE_CONFIG,
                      XINV_SCOPE_ENDPOINT, &text),
                  0);
    cr_assert_str_eq(text, "31000000003:1");
}

Test(explicit_requests, a_scope_beyond_the_last_is_malformed)
{
    struct xinv_attachment at = user(XINV_STAGE_STAGE2, 0);
    const char *text;

    cr_assert_eq(ask("arm-smmuv3-ril", &at, 1, XINV_INV_STAGE2, XINV_SCOPE_EVERYTHING + 1, &text),
                 -XINV_E_INVAL);
}
