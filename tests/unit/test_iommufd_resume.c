// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/* What is issued after a call that failed. */
#include <criterion/criterion.h>

#include <errno.h>

#include "tests/support/hostrig.h"

#define VTD  "iommufd-vtd-s1"
#define SMMU "iommufd-arm-smmuv3"

static struct hostrig h;
static struct xinv_iommufd_hwpt_invalidate call;
static uint64_t entries[64];

/* A call of n entries that are in `entries`. */
static void open_call(const char *platform, uint32_t n)
{
    bool vtd;

    host_open(&h, platform, NULL, 0);
    vtd = h.iommu.words == 3;
    h.out = (struct xinv_out){
        .words = h.words, .steps = h.steps, .cap_words = HOST_WORDS, .cap_steps = HOST_STEPS};
    call = (struct xinv_iommufd_hwpt_invalidate){.size = 32,
                                                 .hwpt_id = vtd ? HOST_HWPT : HOST_VIOMMU,
                                                 .data_uptr = (uint64_t)(uintptr_t)entries,
                                                 .data_type = vtd ? 0 : 1,
                                                 .entry_len = vtd ? 24 : 16,
                                                 .entry_num = n};
}

static void open_vtd(uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        entries[3 * i] = 0x1000 * (i + 1);
        entries[3 * i + 1] = 1;
        entries[3 * i + 2] = 1;
    }
    open_call(VTD, n);
}

static int resume(int linux_errno, uint32_t done)
{
    int ret = xinv_iommufd_resume(&h.iommu, &call, entries, linux_errno, done, &h.out);

    if (ret > 0)
        h.n_calls = xinv_iommufd_calls(&h.iommu, &h.out, h.calls, HOST_CALLS);
    return ret;
}

/* ---- VT-d: the number is exact ---- */

Test(iommufd_resume, what_is_done_is_done)
{
    open_vtd(3);
    cr_assert_eq(resume(0, 3), 0);
    cr_assert_eq(h.out.n_words, 0);
    call.entry_num = 0;
    cr_assert_eq(resume(EINVAL, 0), 0, "a call without entries asked for nothing");
}

Test(iommufd_resume, vtd_goes_on_behind_what_is_done_after_an_error_of_the_moment)
{
    static const int moments[] = {EINTR, EAGAIN, EBUSY, ENOMEM, 0};

    for (size_t i = 0; i < sizeof(moments) / sizeof(moments[0]); i++) {
        open_vtd(3);
        cr_assert_eq(resume(moments[i], 1), 2, "errno %d", moments[i]);
        cr_assert_eq(h.n_calls, 1);
        cr_assert_eq(h.calls[0].hwpt_id, HOST_HWPT);
        cr_assert_eq(h.calls[0].entry_num, 2);
        cr_assert_arr_eq(host_entry(&h, 0, 0), entries + 3, 48);
    }
}

Test(iommufd_resume, vtd_takes_every_address_after_an_error_that_would_come_again)
{
    static const int lasting[] = {EINVAL, EOPNOTSUPP, EIO, ETIMEDOUT, EFAULT};
    static const uint64_t everything[3] = {0, UINT64_MAX, 0};

    for (size_t i = 0; i < sizeof(lasting) / sizeof(lasting[0]); i++) {
        open_vtd(3);
        cr_assert_eq(resume(lasting[i], 2), 1, "errno %d", lasting[i]);
        cr_assert_eq(h.n_calls, 1);
        cr_assert_eq(h.calls[0].hwpt_id, HOST_HWPT);
        cr_assert_arr_eq(host_entry(&h, 0, 0), everything, 24);
    }
}

/* The kernel writes the number back only where it came as far as the entries. */
Test(iommufd_resume, a_number_that_was_not_written_over_says_nothing)
{
    open_vtd(3);
    cr_assert_eq(resume(EINTR, 3), 3);
    cr_assert_arr_eq(host_entry(&h, 0, 0), entries, 72);
    open_vtd(3);
    cr_assert_eq(resume(EINTR, 4), 3);
    cr_assert_eq(resume(0, 4), 3, "more than there were");
}

Test(iommufd_resume, the_widest_entry_that_fails_leaves_nothing_to_try)
{
    open_vtd(1);
    entries[0] = 0;
    entries[1] = UINT64_MAX;
    entries[2] = 0;
    cr_assert_eq(resume(EIO, 0), -XINV_E_MUST_BLOCK);
    cr_assert_eq(resume(EINTR, 0), 1, "of the moment: again");
    entries[2] = 1; /* with LEAF it can be wider */
    cr_assert_eq(resume(EIO, 0), 1);
}

/* ---- SMMUv3: the number is not ---- */

static void open_smmu(void)
{
    static const uint64_t list[] = {
        0x0000000800003005, 1,          /* CFGI_CD vSID 8, SSID 3, leaf */
        0x0000000800004005, 1,          /* the same stream, SSID 4 */
        0x0000000900000006, 0,          /* CFGI_CD_ALL vSID 9 */
        0x0005000000000012, 0x40000001, /* TLBI_NH_VA */
        0x0005000000000011, 0,          /* TLBI_NH_ASID */
        0x0000000800003840, 0x40000004, /* ATC_INV vSID 8, SSID 3 */
        0x0000000800003840, 0x80000000, /* more of the same */
        0x0000000900000040, 0x40000000, /* vSID 9, no SSID */
    };

    memcpy(entries, list, sizeof(list));
    open_call(SMMU, sizeof(list) / 16);
}

static void expect_call(int at, uint32_t n, const uint64_t *list)
{
    cr_assert_lt(at, h.n_calls);
    cr_assert_eq(h.calls[at].hwpt_id, HOST_VIOMMU);
    cr_assert_eq(h.calls[at].entry_num, n, "%u", h.calls[at].entry_num);
    cr_assert_arr_eq(host_entry(&h, at, 0), list, n * 16);
}

Test(iommufd_resume, smmuv3_issues_all_again_after_an_error_of_the_moment)
{
    open_smmu();
    cr_assert_eq(resume(EINTR, 7), 8, "entries before the seventh may not have been issued");
    cr_assert_eq(h.n_calls, 1);
    expect_call(0, 8, entries);
    open_smmu();
    cr_assert_eq(resume(0, 7), 8);
}

Test(iommufd_resume, smmuv3_widens_each_kind_and_issues_it_by_itself)
{
    static const uint64_t config[] = {0x0000000800000006, 0, 0x0000000900000006, 0};
    static const uint64_t tlb[] = {0x10, 0};
    static const uint64_t atc[] = {0x0000000800003840, 52, 0x0000000900000040, 52};
    static const int lasting[] = {EINVAL, EOPNOTSUPP, EIO, ETIMEDOUT, EFAULT};

    for (size_t i = 0; i < sizeof(lasting) / sizeof(lasting[0]); i++) {
        open_smmu();
        cr_assert_eq(resume(lasting[i], 7), 5, "errno %d", lasting[i]);
        cr_assert_eq(h.n_calls, 3);
        expect_call(0, 2, config);
        expect_call(1, 1, tlb);
        expect_call(2, 2, atc);
    }
}

Test(iommufd_resume, smmuv3_widens_a_kind_that_is_alone)
{
    static const uint64_t tlb[] = {0x10, 0};

    open_smmu();
    memmove(entries, entries + 6, 32);
    call.entry_num = 2;
    cr_assert_eq(resume(EIO, 1), 1);
    cr_assert_eq(h.n_calls, 1);
    expect_call(0, 1, tlb);
}

Test(iommufd_resume, smmuv3_commands_that_are_as_wide_as_they_get_leave_nothing_to_try)
{
    static const uint64_t wide[] = {0x0000000800000006, 0, 0x10, 0, 0x0000000800003840, 52};

    memcpy(entries, wide, sizeof(wide));
    open_call(SMMU, 3);
    cr_assert_eq(resume(EIO, 0), -XINV_E_MUST_BLOCK);
    entries[2] = 0x30; /* TLBI_NSNH_ALL, which the kernel makes NH_ALL */
    cr_assert_eq(resume(EIO, 0), 3);
}

Test(iommufd_resume, a_command_that_is_not_for_users_cannot_be_put_in_other_words)
{
    open_smmu();
    entries[6] = 0x0000000800000003; /* CFGI_STE */
    cr_assert_eq(resume(EIO, 3), -XINV_E_MUST_BLOCK);
    cr_assert_eq(h.out.n_words, 0);
}

/* ---- Both ---- */

Test(iommufd_resume, nothing_helps_where_the_object_is_gone)
{
    static const int gone[] = {ENOENT, ENOTTY, EBADF, ENODEV, EPERM, E2BIG, -EINVAL};

    for (size_t i = 0; i < sizeof(gone) / sizeof(gone[0]); i++) {
        open_vtd(2);
        cr_assert_eq(resume(gone[i], 0), -XINV_E_MUST_BLOCK, "errno %d", gone[i]);
        open_smmu();
        cr_assert_eq(resume(gone[i], 0), -XINV_E_MUST_BLOCK, "errno %d", gone[i]);
    }
}

/* Whatever fails, a caller that resumes until it is told to block comes to an end. */
Test(iommufd_resume, a_loop_that_resumes_what_it_was_given_ends)
{
    static const char *const names[] = {VTD, SMMU};

    for (size_t p = 0; p < 2; p++) {
        unsigned rounds = 0;

        if (p)
            open_smmu();
        else
            open_vtd(5);
        while (resume(EIO, 0) > 0 && rounds < 10) {
            cr_assert_geq(h.n_calls, 1);
            call = h.calls[h.n_calls - 1];
            memcpy(entries, (const void *)(uintptr_t)call.data_uptr,
                   (size_t)call.entry_num * call.entry_len);
            h.out.n_words = 0;
            h.out.n_steps = 0;
            rounds++;
        }
        cr_assert_eq(rounds, 1, "%s: %u", names[p], rounds);
    }
}

Test(iommufd_resume, an_output_that_is_too_small_is_left_as_it_was)
{
    uint32_t words;

    open_smmu();
    cr_assert_eq(resume(EIO, 7), 5);
    words = h.out.n_words;
    for (uint32_t cap = 0; cap < words; cap++) {
        open_smmu();
        memset(h.words, 0xa5, sizeof(h.words));
        h.out.cap_words = cap;
        cr_assert_eq(resume(EIO, 7), -XINV_E_NOSPACE);
        cr_assert_eq(h.out.n_words + h.out.n_steps, 0);
        cr_assert_eq(h.words[0], UINT64_C(0xa5a5a5a5a5a5a5a5));
    }
    open_smmu();
    h.out.cap_steps = 2;
    cr_assert_eq(resume(EIO, 7), -XINV_E_NOSPACE, "three calls are three steps");
    h.out = (struct xinv_out){0};
    cr_assert_eq(xinv_iommufd_resume(&h.iommu, &call, entries, EIO, 7, &h.out), 5, "counted");
    cr_assert_eq(h.out.n_words, words);
}

Test(iommufd_resume, calls_of_another_form_are_refused)
{
    struct xinv_iommu hardware;

    open_vtd(2);
    cr_assert_eq(xinv_iommufd_resume(NULL, &call, entries, EIO, 0, &h.out), -XINV_E_INVAL);
    cr_assert_eq(xinv_iommufd_resume(&h.iommu, NULL, entries, EIO, 0, &h.out), -XINV_E_INVAL);
    cr_assert_eq(xinv_iommufd_resume(&h.iommu, &call, NULL, EIO, 0, &h.out), -XINV_E_INVAL);
    cr_assert_eq(xinv_iommufd_resume(&h.iommu, &call, entries, EIO, 0, NULL), -XINV_E_INVAL);
    call.entry_len = 16;
    cr_assert_eq(resume(EIO, 0), -XINV_E_INVAL);
    open_vtd(2);
    call.data_type = 1;
    cr_assert_eq(resume(EIO, 0), -XINV_E_INVAL);
    open_vtd(2);
    call.entry_num = XINV_IOMMUFD_MAX_ENTRIES + 1;
    cr_assert_eq(resume(EIO, 0), -XINV_E_INVAL);
    cr_assert_eq(xinv_iommu_init(&hardware, xinv_platform_find("arm-smmuv3-ril"), NULL, NULL, 0),
                 0);
    cr_assert_eq(xinv_iommufd_resume(&hardware, &call, entries, EIO, 0, &h.out), -XINV_E_INVAL);
}
