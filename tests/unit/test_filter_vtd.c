// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/*
 * A guest's VT-d descriptors on the host. Functions 8 and 10h of the guest share its DID 5; on the
 * host they are 310h under DID 21h, a VF of 305h, and 311h under DID 22h, without ATS. Function 18h
 * has no first stage: DID 6 in the guest, the host's second stage DID 30h. The neighbour has DID
 * 40h and function 320h.
 */
#include <criterion/criterion.h>

#include "tests/support/guestrig.h"

static struct guestrig rig;

static struct xinv_attachment *add(uint8_t stage, uint32_t guest_rid, uint32_t guest_did,
                                   uint32_t host_rid, uint32_t host_did)
{
    struct xinv_guest_attachment *a = guestrig_add(&rig, stage, guest_rid, host_rid);
    struct xinv_attachment *at = &rig.host[a - rig.at];

    a->did = guest_did;
    a->known |= XINV_TAG_BIT(XINV_TAG_DID);
    at->did = host_did;
    at->known |= XINV_TAG_BIT(XINV_TAG_DID);
    return at;
}

static void fill(void)
{
    struct xinv_attachment *at = add(XINV_STAGE_NESTED, 8, 5, 0x310, 0x21);

    at->flags = XINV_ATT_ATS;
    at->pfsid = 0x305;
    at->queue_depth = 16;
    add(XINV_STAGE_NESTED, 0x10, 5, 0x311, 0x22);
    add(XINV_STAGE_STAGE2, 0x18, 6, 0x318, 0x30);
}

static void begin(void)
{
    guestrig_begin(&rig, "intel-vtd-scalable");
    fill();
}

Test(filter_vtd, first_stage_goes_to_each_nested_did_of_the_guests_did)
{
    begin();
    guestrig_expect(&rig, 0x0000000300050036, 0x7000,
                    "rewritten 0000000300210036 0000000000007000, "
                    "0000000300220036 0000000000007000");
    guestrig_expect(&rig, 0x0000000300050026, 0,
                    "rewritten 0000000300210026 0000000000000000, "
                    "0000000300220026 0000000000000000");
}

Test(filter_vtd, one_nested_did_is_named_once)
{
    begin();
    rig.host[1].did = 0x21;
    guestrig_expect(&rig, 0x0000000300050026, 0, "rewritten 0000000300210026 0000000000000000");
}

Test(filter_vtd, what_already_names_the_host_is_forwarded)
{
    begin();
    rig.host[1].did = 0x21;
    rig.at[0].did = 0x21;
    guestrig_expect(&rig, 0x0000000300210036, 0x7049,
                    "forwarded 0000000300210036 0000000000007049");
}

Test(filter_vtd, dids_that_are_not_the_guests_are_refused)
{
    /* the host's numbers of its own, its neighbour's, those that the host keeps, and one without a
     * first stage */
    static const uint64_t dids[] = {0x21, 0x22, 0x30, 0x40, 0, 1, 4, 6, 0xffff};

    begin();
    for (size_t i = 0; i < sizeof(dids) / sizeof(dids[0]); i++) {
        guestrig_refused(&rig, dids[i] << 16 | 0x0000000300000036, 0x7000, XINV_FILTER_TAG,
                         -XINV_E_NOENT);
        guestrig_refused(&rig, dids[i] << 16 | 0x0000000300000026, 0, XINV_FILTER_TAG,
                         -XINV_E_NOENT);
        guestrig_refused(&rig, dids[i] << 16 | 0x22, 0, XINV_FILTER_TAG, -XINV_E_NOENT);
        guestrig_refused(&rig, dids[i] << 16 | 0x32, 0x7000, XINV_FILTER_TAG, -XINV_E_NOENT);
    }
}

/* 6.5.2.3: a nested DID's entries go at any address, and a second-stage address is not the guest's.
 */
Test(filter_vtd, an_iotlb_of_any_granularity_is_the_nested_dids_whole)
{
    const char *both = "rewritten 0000000000210022 0000000000000000, "
                       "0000000000220022 0000000000000000";

    begin();
    guestrig_expect(&rig, 0x0000000000000012, 0, both);
    guestrig_expect(&rig, 0x0000000000050022, 0, both);
    guestrig_expect(&rig, 0x0000000000050032, 0x40000049, both);
    /* draining is kept */
    guestrig_expect(&rig, 0x00000000000000d2, 0,
                    "rewritten 00000000002100e2 0000000000000000, "
                    "00000000002200e2 0000000000000000");
}

Test(filter_vtd, device_tlbs_are_the_hosts_functions_with_their_queue)
{
    begin();
    guestrig_expect(&rig, 0x0000000800050003, 0x7ffffffffffff001,
                    "rewritten 0300031000105003 7ffffffffffff001");
    guestrig_expect(&rig, 0x0000000300080008, 0x47800,
                    "rewritten 0300000303105108 0000000000047800");
    /* what the guest says of queues is replaced */
    guestrig_expect(&rig, 0xfff00008001ff003, 0x1000,
                    "rewritten 0300031000105003 0000000000001000");
    guestrig_expect(&rig, 0xfff000030008f1f8, 0x1000,
                    "rewritten 0300000303105108 0000000000001000");
    rig.host[0].queue_depth = 32;
    guestrig_expect(&rig, 0x0000000800050003, 0x1000,
                    "rewritten 0300031000005003 0000000000001000");
}

Test(filter_vtd, the_physical_function_is_left_out_where_the_unit_does_not_take_it)
{
    guestrig_begin(&rig, "intel-vtd-scalable");
    rig.iommu.feature[xinv_feature_find(rig.iommu.vendor, "DIT")] = 0;
    fill();
    guestrig_expect(&rig, 0x0000000800050003, 0x1000,
                    "rewritten 0000031000100003 0000000000001000");
}

Test(filter_vtd, functions_that_are_not_the_guests_are_refused)
{
    static const uint64_t sids[] = {0x310, 0x311, 0x320, 0x305, 9, 0, 0xffff};

    begin();
    for (size_t i = 0; i < sizeof(sids) / sizeof(sids[0]); i++) {
        guestrig_refused(&rig, sids[i] << 32 | 3, 0x1000, XINV_FILTER_ENDPOINT, -XINV_E_NOENT);
        guestrig_refused(&rig, sids[i] << 16 | 0x0000000300000008, 0x1000, XINV_FILTER_ENDPOINT,
                         -XINV_E_NOENT);
    }
}

Test(filter_vtd, pasids_end_where_the_guests_do)
{
    begin();
    guestrig_refused(&rig, 0x0000001000050036, 0x7000, XINV_FILTER_PASID, -XINV_E_TAG);
    guestrig_refused(&rig, 0x0000001000050026, 0, XINV_FILTER_PASID, -XINV_E_TAG);
    guestrig_refused(&rig, 0x0000001000080008, 0x1000, XINV_FILTER_PASID, -XINV_E_TAG);
    guestrig_expect(&rig, 0x0000000f00080008, 0x1000,
                    "rewritten 0300000f03105108 0000000000001000");
    /* G = 1: every PASID of the function; the field is not looked at, and not passed on */
    guestrig_expect(&rig, 0x000fffff00080008, 0x7ffffffffffff801,
                    "rewritten 0300000003105108 7ffffffffffff801");
}

Test(filter_vtd, a_device_tlb_that_is_off_would_not_answer)
{
    begin();
    guestrig_refused(&rig, 0x0000001000000003, 0x1000, XINV_FILTER_NO_ATS, -XINV_E_UNSUPP);
    guestrig_refused(&rig, 0x0000000300100008, 0x1000, XINV_FILTER_NO_ATS, -XINV_E_UNSUPP);
}

Test(filter_vtd, a_wait_is_answered)
{
    begin();
    guestrig_expect(&rig, 0x0000000100000025, 0x1000, "answered");
    guestrig_expect(&rig, 0x0000000000000015, 0, "answered");
    guestrig_expect(&rig, 0x0000000000000045, 0, "answered");
    guestrig_refused(&rig, 0x0000000000000105, 0, XINV_FILTER_INVALID, -XINV_E_INVAL);
}

Test(filter_vtd, tables_are_the_callers_to_read)
{
    static const uint64_t commands[] = {
        0x0000000000000011, 0x0000000000050021, 0x0000000800050031, 0x0000000000050007,
        0x0000000300050017, 0x0000000000000037, 0x0000000000000004, 0x0000000600000014,
    };

    begin();
    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
        guestrig_refused(&rig, commands[i], 0, XINV_FILTER_EMULATED, -XINV_E_UNSUPP);
}

Test(filter_vtd, page_responses_are_unlisted)
{
    guestrig_begin_all(&rig, "intel-vtd-scalable", NULL, 0);
    guestrig_refused(&rig, 0x0000000300080019, 0xc, XINV_FILTER_UNLISTED, -XINV_E_UNSUPP);
}

Test(filter_vtd, what_the_hardware_would_stop_at_never_reaches_it)
{
    const uint64_t upper[4] = {0x0000000300050036, 0x7000, 0, 1};

    begin();
    guestrig_refused(&rig, 0, 0, XINV_FILTER_INVALID, -XINV_E_NOENT);
    guestrig_refused(&rig, 0xa, 0, XINV_FILTER_INVALID, -XINV_E_NOENT);
    guestrig_refused(&rig, 0x203, 0, XINV_FILTER_INVALID, -XINV_E_NOENT);
    /* granularities, and the reserved bits 6 of p_iotlb and 8 of iotlb */
    guestrig_refused(&rig, 0x0000000300050006, 0, XINV_FILTER_INVALID, -XINV_E_INVAL);
    guestrig_refused(&rig, 0x0000000000050002, 0, XINV_FILTER_INVALID, -XINV_E_INVAL);
    guestrig_refused(&rig, 0x0000000300050076, 0, XINV_FILTER_INVALID, -XINV_E_INVAL);
    guestrig_refused(&rig, 0x0000000000000112, 0, XINV_FILTER_INVALID, -XINV_E_INVAL);
    /* an address without a size */
    guestrig_refused(&rig, 0x0000000800000003, 0xfffffffffffff001, XINV_FILTER_INVALID,
                     -XINV_E_INVAL);
    /* the upper half */
    cr_expect_eq(xinv_filter(&rig.iommu, &rig.guest, upper, &rig.out, &rig.result), -XINV_E_INVAL);
    cr_expect_eq(rig.result.reason, XINV_FILTER_INVALID);
    cr_expect_eq(rig.result.fault.word, 3);
}

/* 6.2.3.1: 0 and 1 are the host's own. */
Test(filter_vtd, a_did_that_the_host_keeps_is_refused)
{
    begin();
    rig.host[1].did = 1;
    guestrig_refused(&rig, 0x0000000300050026, 0, XINV_FILTER_HOST, -XINV_E_TAG);
}

Test(filter_vtd, a_did_that_the_field_would_cut_is_refused)
{
    begin();
    rig.host[1].did = 0x10021;
    guestrig_refused(&rig, 0x0000000300050026, 0, XINV_FILTER_HOST, -XINV_E_TAG);
}

Test(filter_vtd, without_nested_functions_everything_is_nothing)
{
    guestrig_begin(&rig, "intel-vtd-scalable");
    add(XINV_STAGE_STAGE2, 0x18, 6, 0x318, 0x30);
    guestrig_expect(&rig, 0x0000000000000012, 0, "answered");
}
