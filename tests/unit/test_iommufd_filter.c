// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/* A guest's own SMMUv3 commands, for a vIOMMU: the kernel knows its streams by the guest's names.
 */
#include <criterion/criterion.h>

#include <inttypes.h>

#include <xinv/filter.h>

#include "tests/support/hostrig.h"

static struct hostrig h;
static struct xinv_attachment host;
static struct xinv_guest_attachment at;
static struct xinv_guest guest;
static struct xinv_filtered result;

static void open_guest(const char *platform)
{
    host_open(&h, platform, NULL, 0);
    host = host_attachment();
    host.vmid = 0x12345; /* an object's ID does not fit in a VMID */
    at = (struct xinv_guest_attachment){
        .host = &host, .rid = HOST_SID, .known = XINV_TAG_BIT(XINV_TAG_RID)};
    guest = (struct xinv_guest){.at = &at, .n = 1, .pasid_bits = 4};
    h.out = (struct xinv_out){
        .words = h.words, .steps = h.steps, .cap_words = HOST_WORDS, .cap_steps = HOST_STEPS};
}

static int filter(uint64_t low, uint64_t high)
{
    uint64_t words[4] = {low, high, 0, 0};

    open_guest("iommufd-arm-smmuv3");
    return xinv_filter(&h.iommu, &guest, words, &h.out, &result);
}

static void expect(uint64_t low, uint64_t high, uint64_t to_low, uint64_t to_high)
{
    struct xinv_iommufd_hwpt_invalidate call;

    cr_assert_eq(filter(low, high), 1, "%#" PRIx64, low);
    cr_assert_eq(h.words[0], to_low, "%#" PRIx64, h.words[0]);
    cr_assert_eq(h.words[1], to_high, "%#" PRIx64, h.words[1]);
    cr_assert_eq(xinv_iommufd_calls(&h.iommu, &h.out, &call, 1), 1);
    cr_assert_eq(call.hwpt_id, 0x12345);
    cr_assert_eq(xinv_iommufd_check(&h.iommu, &call, h.words, &host, 1, NULL), 0);
}

Test(iommufd_filter, translations_go_without_a_vmid)
{
    expect(0x0005000700000012, 0x40000001, 0x0005000000000012, 0x40000001); /* NH_VA, VMID 7 */
    expect(0x0005000700000011, 0, 0x0005000000000011, 0);                   /* NH_ASID */
    expect(0x0000000700000010, 0, 0x10, 0);                                 /* NH_ALL */
    expect(0x0000000000000030, 0, 0x10, 0);                                 /* NSNH_ALL */
}

Test(iommufd_filter, streams_keep_the_guests_name)
{
    expect(0x0000000800003005, 1, 0x0000000800003005, 1);                   /* CFGI_CD */
    expect(0x0000000800000006, 0, 0x0000000800000006, 0);                   /* CFGI_CD_ALL */
    expect(0x0000000800003840, 0x40000004, 0x0000000800003840, 0x40000004); /* ATC_INV */
}

Test(iommufd_filter, a_sync_is_answered_by_the_call_that_has_returned)
{
    cr_assert_eq(filter(0x46, 0), 0);
    cr_assert_eq(result.verdict, XINV_FILTER_ANSWERED);
    cr_assert_eq(h.out.n_words, 0);
    cr_assert_eq(xinv_sync(&h.iommu, NULL, &h.out), 0, "nor is there a sync to end a list with");
    cr_assert_eq(h.out.n_words, 0);
}

/* The kernel would answer EIO; the guest's own table is the VMM's to read all the same. */
Test(iommufd_filter, what_the_kernel_does_not_take_is_refused_for_the_same_reasons)
{
    cr_assert_eq(filter(0x0000000800000003, 1), -XINV_E_UNSUPP); /* CFGI_STE */
    cr_assert_eq(result.reason, XINV_FILTER_EMULATED);
    cr_assert_eq(filter(0x04, 31), -XINV_E_UNSUPP); /* CFGI_ALL */
    cr_assert_eq(result.reason, XINV_FILTER_EMULATED);
    cr_assert_eq(filter(0x0000000800000001, 0), -XINV_E_UNSUPP); /* PREFETCH_CONFIG */
    cr_assert_eq(result.reason, XINV_FILTER_HINT);
    cr_assert_eq(filter(0x28, 0), -XINV_E_UNSUPP); /* TLBI_S12_VMALL */
    cr_assert_eq(result.reason, XINV_FILTER_UNLISTED);
    cr_assert_eq(filter(0x0000000900003005, 1), -XINV_E_NOENT);
    cr_assert_eq(result.reason, XINV_FILTER_ENDPOINT);
    cr_assert_eq(filter(0x0005000000000112, 0x40000001), -XINV_E_INVAL); /* bit 8 is RES0 */
    cr_assert_eq(result.reason, XINV_FILTER_INVALID);
}

Test(iommufd_filter, an_object_whose_id_is_0_is_none)
{
    uint64_t words[2] = {0x10, 0};

    open_guest("iommufd-arm-smmuv3");
    host.vmid = 0;
    cr_assert_eq(xinv_filter(&h.iommu, &guest, words, &h.out, &result), -XINV_E_TAG);
    cr_assert_eq(result.reason, XINV_FILTER_HOST);
}

/* A guest's descriptors are no entries of the kernel's, so there is nothing to forward. */
Test(iommufd_filter, no_guest_has_a_queue_of_entries)
{
    uint64_t words[4] = {0x0000000000050022, 0, 0, 0};

    open_guest("iommufd-vtd-s1");
    cr_assert_eq(xinv_filter(&h.iommu, &guest, words, &h.out, &result), -XINV_E_UNSUPP);
    cr_assert_eq(result.verdict, XINV_FILTER_REFUSED);
    cr_assert_eq(result.reason, XINV_FILTER_UNLISTED);
    cr_assert_eq(h.out.n_words, 0);
}
