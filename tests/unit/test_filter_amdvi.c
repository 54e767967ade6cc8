// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/*
 * A guest's AMD-Vi commands on the host. Device 18h of DomainID 3 is 3e6h of DomainID 55h with
 * QueueID 3e0h on the host; 20h of DomainID 4 is 401h of 56h, without IOTLB. The neighbour has 402h
 * of 57h.
 */
#include <criterion/criterion.h>

#include "tests/support/guestrig.h"

static struct guestrig rig;

static struct xinv_attachment *add(uint32_t guest_rid, uint32_t guest_did, uint32_t host_rid,
                                   uint32_t host_did)
{
    struct xinv_guest_attachment *a = guestrig_add(&rig, XINV_STAGE_NESTED, guest_rid, host_rid);
    struct xinv_attachment *at = &rig.host[a - rig.at];

    a->did = guest_did;
    a->known |= XINV_TAG_BIT(XINV_TAG_DID);
    at->did = host_did;
    at->known |= XINV_TAG_BIT(XINV_TAG_DID);
    return at;
}

static void fill(void)
{
    struct xinv_attachment *at = add(0x18, 3, 0x3e6, 0x55);

    at->flags = XINV_ATT_ATS;
    at->queue_id = 0x3e0;
    at->queue_depth = 8;
    add(0x20, 4, 0x401, 0x56);
}

static void begin(void)
{
    guestrig_begin(&rig, "amd-vi-generic");
    fill();
}

static void begin_all(void)
{
    guestrig_begin_all(&rig, "amd-vi-generic", NULL, 0);
    fill();
}

Test(filter_amdvi, translations_go_by_the_hosts_domain_id)
{
    begin();
    guestrig_expect(&rig, 0x3000000300000003, 0x5006,
                    "rewritten 3000005500000003 0000000000005006");
    guestrig_expect(&rig, 0x3000000400000000, 0x7ffffffffffff003,
                    "rewritten 3000005600000000 7ffffffffffff003");
}

Test(filter_amdvi, devices_of_one_domain_id_are_each_named)
{
    begin();
    rig.at[1].did = 3;
    guestrig_expect(&rig, 0x3000000300000003, 0x5006,
                    "rewritten 3000005500000003 0000000000005006, "
                    "3000005600000003 0000000000005006");
}

Test(filter_amdvi, what_already_names_the_host_is_forwarded)
{
    begin();
    rig.at[0].did = 0x55;
    guestrig_expect(&rig, 0x3000005500000003, 0x5006,
                    "forwarded 3000005500000003 0000000000005006");
}

Test(filter_amdvi, domain_ids_that_are_not_the_guests_are_refused)
{
    static const uint64_t dids[] = {0x55, 0x56, 0x57, 0, 1, 2, 5, 0xffff};

    begin();
    for (size_t i = 0; i < sizeof(dids) / sizeof(dids[0]); i++) {
        guestrig_refused(&rig, dids[i] << 32 | 0x3000000000000003, 0x5006, XINV_FILTER_TAG,
                         -XINV_E_NOENT);
        guestrig_refused(&rig, dids[i] << 32 | 0x3000000000000000, 0x7ffffffffffff003,
                         XINV_FILTER_TAG, -XINV_E_NOENT);
    }
}

Test(filter_amdvi, iotlbs_are_the_hosts_devices_with_their_queue)
{
    begin();
    guestrig_expect(&rig, 0x4003001801000018, 0x7ffffffffffff005,
                    "rewritten 400303e0080003e6 7ffffffffffff005");
    guestrig_expect(&rig, 0x4000ffffff000018, 0x5000,
                    "rewritten 400003e0080003e6 0000000000005000");
    /* no depth is 32, no queue of its own is the device's */
    rig.host[0].queue_id = 0;
    rig.host[0].queue_depth = 0;
    guestrig_expect(&rig, 0x4000ffffff000018, 0x5000,
                    "rewritten 400003e6200003e6 0000000000005000");
}

Test(filter_amdvi, devices_that_are_not_the_guests_are_refused)
{
    static const uint64_t rids[] = {0x3e6, 0x3e0, 0x401, 0x402, 0x19, 0, 0xffff};

    begin();
    for (size_t i = 0; i < sizeof(rids) / sizeof(rids[0]); i++) {
        guestrig_refused(&rig, 0x4000001801000000 | rids[i], 0x5000, XINV_FILTER_ENDPOINT,
                         -XINV_E_NOENT);
        guestrig_refused(&rig, 0x7000000000000000 | rids[i], 0xca00000000, XINV_FILTER_ENDPOINT,
                         -XINV_E_NOENT);
    }
}

Test(filter_amdvi, an_iotlb_that_is_off_would_not_answer)
{
    begin();
    guestrig_refused(&rig, 0x4000002001000020, 0x5000, XINV_FILTER_NO_ATS, -XINV_E_UNSUPP);
}

Test(filter_amdvi, pasids_end_where_the_guests_do)
{
    begin();
    guestrig_expect(&rig, 0x300000030000000f, 0x5006,
                    "rewritten 300000550000000f 0000000000005006");
    guestrig_refused(&rig, 0x3000000300000010, 0x5006, XINV_FILTER_PASID, -XINV_E_TAG);
    guestrig_refused(&rig, 0x4010001801000018, 0x5004, XINV_FILTER_PASID, -XINV_E_TAG);
    /* PASID 100h: bits 15:8 stand at 23:16 */
    guestrig_refused(&rig, 0x4000001801010018, 0x5004, XINV_FILTER_PASID, -XINV_E_TAG);
    guestrig_refused(&rig, 0x7000001000000018, 0xca00000004, XINV_FILTER_PASID, -XINV_E_TAG);
}

Test(filter_amdvi, a_pasid_that_is_not_valid_is_not_passed_on)
{
    begin();
    guestrig_expect(&rig, 0x30000003000fffff, 0x5002,
                    "rewritten 3000005500000000 0000000000005002");
    guestrig_expect(&rig, 0x4fff001801ff0018, 0x5000,
                    "rewritten 400003e0080003e6 0000000000005000");
    guestrig_expect(&rig, 0x700fffff00000018, 0xca00000000,
                    "rewritten 70000000000003e6 000000ca00000000");
}

Test(filter_amdvi, page_requests_are_completed_for_the_hosts_device)
{
    begin();
    guestrig_expect(&rig, 0x7000000300000018, 0x000020ca00000004,
                    "rewritten 70000003000003e6 000020ca00000004");
}

Test(filter_amdvi, everything_is_the_guests_devices_and_domain_ids_alone)
{
    begin();
    guestrig_expect(&rig, 0x8000000000000000, 0,
                    "rewritten 20000000000003e6 0000000000000000, "
                    "2000000000000401 0000000000000000, "
                    "3000005500000000 7ffffffffffff003, "
                    "3000005600000000 7ffffffffffff003");
    rig.guest.n = 0;
    guestrig_expect(&rig, 0x8000000000000000, 0, "answered");
}

Test(filter_amdvi, a_wait_is_answered)
{
    begin();
    guestrig_expect(&rig, 0x1000000000001009, 0x1234, "answered");
    guestrig_expect(&rig, 0x1000000000000000, 0, "answered");
    guestrig_refused(&rig, 0x1010000000000000, 0, XINV_FILTER_INVALID, -XINV_E_INVAL);
}

Test(filter_amdvi, tables_are_the_callers_to_read)
{
    begin();
    guestrig_refused(&rig, 0x2000000000000018, 0, XINV_FILTER_EMULATED, -XINV_E_UNSUPP);
    guestrig_refused(&rig, 0x5000000000000018, 0, XINV_FILTER_EMULATED, -XINV_E_UNSUPP);
}

Test(filter_amdvi, all_other_commands_are_refused)
{
    begin_all();
    guestrig_refused(&rig, 0x6000000001000018, 0x5000, XINV_FILTER_HINT, -XINV_E_UNSUPP);
    guestrig_refused(&rig, 0x6000000001000018, 0x5010, XINV_FILTER_UNLISTED, -XINV_E_UNSUPP);
    guestrig_refused(&rig, 0x9000000100000000, 0, XINV_FILTER_UNLISTED, -XINV_E_UNSUPP);
    guestrig_refused(&rig, 0xa000000090000001, 0, XINV_FILTER_UNLISTED, -XINV_E_UNSUPP);
}

Test(filter_amdvi, what_the_hardware_would_stop_at_never_reaches_it)
{
    begin();
    guestrig_refused(&rig, 0, 0, XINV_FILTER_INVALID, -XINV_E_NOENT);
    guestrig_refused(&rig, 0xb000000000000000, 0, XINV_FILTER_INVALID, -XINV_E_NOENT);
    /* without their features */
    guestrig_refused(&rig, 0x6000000001000018, 0x5000, XINV_FILTER_INVALID, -XINV_E_UNSUPP);
    guestrig_refused(&rig, 0x9000000100000000, 0, XINV_FILTER_INVALID, -XINV_E_UNSUPP);
    guestrig_refused(&rig, 0x4000001801000018, 0x5010, XINV_FILTER_INVALID, -XINV_E_UNSUPP);
    /* reserved bits, of a command whose words are replaced too */
    guestrig_refused(&rig, 0x3000000300100000, 0x5002, XINV_FILTER_INVALID, -XINV_E_INVAL);
    guestrig_refused(&rig, 0x4000001801000018, 0x5002, XINV_FILTER_INVALID, -XINV_E_INVAL);
    guestrig_refused(&rig, 0x8000000000000001, 0, XINV_FILTER_INVALID, -XINV_E_INVAL);
    /* an address without a size */
    guestrig_refused(&rig, 0x3000000300000000, 0xfffffffffffff003, XINV_FILTER_INVALID,
                     -XINV_E_INVAL);
    cr_expect_eq(rig.result.fault.kind, XINV_FAULT_RULE);
}

/* 0 and 1 are the host's own. */
Test(filter_amdvi, a_domain_id_that_the_host_keeps_is_refused)
{
    begin();
    rig.host[0].did = 1;
    guestrig_refused(&rig, 0x3000000300000003, 0x5006, XINV_FILTER_HOST, -XINV_E_TAG);
}
