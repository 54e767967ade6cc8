// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/*
 * A guest's SMMUv3 commands on the host. The guest is VMID 2ah with two streams: 8, which is 310h
 * on the host, and 10h, which is 311h and has no ATC; its neighbour is VMID 2bh with stream 320h.
 */
#include <criterion/criterion.h>

#include "tests/support/guestrig.h"

static struct guestrig rig;

static void add(uint32_t guest_rid, uint32_t host_rid, uint8_t flags)
{
    struct xinv_attachment *at =
        &rig.host[guestrig_add(&rig, XINV_STAGE_NESTED, guest_rid, host_rid) - rig.at];

    at->vmid = 0x2a;
    at->known |= XINV_TAG_BIT(XINV_TAG_VMID);
    at->flags = flags;
}

static void begin(void)
{
    guestrig_begin(&rig, "arm-smmuv3-ril");
    add(8, 0x310, XINV_ATT_ATS);
    add(0x10, 0x311, 0);
}

static void begin_all(void)
{
    guestrig_begin_all(&rig, "arm-smmuv3-ril", NULL, 0);
    add(8, 0x310, XINV_ATT_ATS);
}

Test(filter_smmuv3, translations_go_by_the_hosts_vmid_alone)
{
    begin();
    guestrig_expect(&rig, 0x0000000000000010, 0, "rewritten 0000002a00000010 0000000000000000");
    guestrig_expect(&rig, 0x0005000000000011, 0, "rewritten 0005002a00000011 0000000000000000");
    guestrig_expect(&rig, 0x0005000000002012, 0x100701,
                    "rewritten 0005002a00002012 0000000000100701");
    guestrig_expect(&rig, 0x0000000000000013, 0x7000,
                    "rewritten 0000002a00000013 0000000000007000");
}

Test(filter_smmuv3, a_neighbours_vmid_is_replaced_like_any_other)
{
    begin();
    guestrig_expect(&rig, 0x0000002b00000010, 0, "rewritten 0000002a00000010 0000000000000000");
    guestrig_expect(&rig, 0x0005002b00000011, 0, "rewritten 0005002a00000011 0000000000000000");
    guestrig_expect(&rig, 0x0005ffff00000012, 0x7000,
                    "rewritten 0005002a00000012 0000000000007000");
}

Test(filter_smmuv3, what_already_names_the_host_is_forwarded)
{
    begin();
    guestrig_expect(&rig, 0x0005002a00000011, 0, "forwarded 0005002a00000011 0000000000000000");
}

Test(filter_smmuv3, everything_of_nonsecure_el1_becomes_everything_of_the_vmid)
{
    begin();
    guestrig_expect(&rig, 0x0000000000000030, 0, "rewritten 0000002a00000010 0000000000000000");
}

Test(filter_smmuv3, streams_are_the_hosts)
{
    begin();
    guestrig_expect(&rig, 0x0000000800003005, 1, "rewritten 0000031000003005 0000000000000001");
    guestrig_expect(&rig, 0x0000001000000006, 0, "rewritten 0000031100000006 0000000000000000");
    guestrig_expect(&rig, 0x0000000800005840, 4, "rewritten 0000031000005840 0000000000000004");
    guestrig_expect(&rig, 0x0000000800000040, 0x34, "rewritten 0000031000000040 0000000000000034");
}

Test(filter_smmuv3, a_substream_that_is_not_valid_is_not_passed_on)
{
    begin();
    guestrig_expect(&rig, 0x00000008fffff040, 0x34, "rewritten 0000031000000040 0000000000000034");
}

Test(filter_smmuv3, streams_that_are_not_the_guests_are_refused)
{
    /* the host's number of its own, its neighbour's, and the next one */
    static const uint64_t sids[] = {0x310, 0x311, 0x320, 9, 7, 0, 0xffffffff};

    begin();
    for (size_t i = 0; i < sizeof(sids) / sizeof(sids[0]); i++) {
        guestrig_refused(&rig, sids[i] << 32 | 0x40, 0x34, XINV_FILTER_ENDPOINT, -XINV_E_NOENT);
        guestrig_refused(&rig, sids[i] << 32 | 0x3005, 1, XINV_FILTER_ENDPOINT, -XINV_E_NOENT);
        guestrig_refused(&rig, sids[i] << 32 | 0x06, 0, XINV_FILTER_ENDPOINT, -XINV_E_NOENT);
    }
}

Test(filter_smmuv3, substreams_end_where_the_guests_do)
{
    begin();
    guestrig_expect(&rig, 0x000000080000f840, 4, "rewritten 000003100000f840 0000000000000004");
    guestrig_refused(&rig, 0x0000000800010840, 4, XINV_FILTER_PASID, -XINV_E_TAG);
    guestrig_expect(&rig, 0x000000080000f005, 1, "rewritten 000003100000f005 0000000000000001");
    guestrig_refused(&rig, 0x0000000800010005, 1, XINV_FILTER_PASID, -XINV_E_TAG);
    rig.guest.pasid_bits = 0;
    guestrig_expect(&rig, 0x0000000800000005, 1, "rewritten 0000031000000005 0000000000000001");
    guestrig_refused(&rig, 0x0000000800001005, 1, XINV_FILTER_PASID, -XINV_E_TAG);
}

Test(filter_smmuv3, an_atc_that_is_off_would_not_answer)
{
    begin();
    guestrig_refused(&rig, 0x0000001000000040, 0x34, XINV_FILTER_NO_ATS, -XINV_E_UNSUPP);
}

/* One stream of the guest's that is two of the host's: both have its CDs, one has an ATC. */
Test(filter_smmuv3, an_atc_that_is_off_is_left_out_beside_one_that_is_on)
{
    begin();
    add(8, 0x312, 0);
    guestrig_expect(&rig, 0x0000000800000040, 0x34, "rewritten 0000031000000040 0000000000000034");
    guestrig_expect(&rig, 0x0000000800000006, 0,
                    "rewritten 0000031000000006 0000000000000000, 0000031200000006 "
                    "0000000000000000");
}

Test(filter_smmuv3, a_sync_is_answered_whatever_its_completion)
{
    begin();
    guestrig_expect(&rig, 0x0000000000000046, 0, "answered");
    guestrig_expect(&rig, 0x0000009900001046, 0x00ff345678900004, "answered");
    guestrig_expect(&rig, 0x0000000000002046, 0, "answered");
    guestrig_refused(&rig, 0x0000000000003046, 0, XINV_FILTER_INVALID, -XINV_E_INVAL);
    cr_expect_eq(rig.result.fault.hardware, XINV_HW_CERROR_ILL);
}

Test(filter_smmuv3, the_stream_table_is_the_callers_to_read)
{
    begin();
    guestrig_refused(&rig, 0x0000000800000003, 1, XINV_FILTER_EMULATED, -XINV_E_UNSUPP);
    guestrig_refused(&rig, 0xffffffff00000003, 1, XINV_FILTER_EMULATED, -XINV_E_UNSUPP);
    guestrig_refused(&rig, 0x0000000800000004, 3, XINV_FILTER_EMULATED, -XINV_E_UNSUPP);
    guestrig_refused(&rig, 0x0000000000000004, 0x1f, XINV_FILTER_EMULATED, -XINV_E_UNSUPP);
    /* SSec = 1 */
    guestrig_refused(&rig, 0x0000000800000403, 1, XINV_FILTER_INVALID, -XINV_E_INVAL);
}

Test(filter_smmuv3, hints_are_refused_as_such)
{
    begin();
    guestrig_refused(&rig, 0x0000000800000001, 0, XINV_FILTER_HINT, -XINV_E_UNSUPP);
    guestrig_refused(&rig, 0x0000000800000002, 0x7000, XINV_FILTER_HINT, -XINV_E_UNSUPP);
    /* where the host must not send one either */
    guestrig_begin(&rig, "hisilicon-hip07");
    guestrig_refused(&rig, 0x0000000800000001, 0, XINV_FILTER_HINT, -XINV_E_UNSUPP);
}

Test(filter_smmuv3, all_other_commands_are_unlisted)
{
    static const uint64_t commands[][2] = {
        {0x0000002a00000007, 0}, {0x0000000000000020, 0},      {0x0001000000000021, 0},
        {0x0001000000000022, 0}, {0x0000000000000023, 0x7000}, {0x0000002a00000028, 0},
        {0x0000002a0000002a, 0}, {0x0000000800000041, 0x2001}, {0x0000000800001044, 1},
        {0x0000000800000045, 0}, {0x0000000000000070, 0},      {0x0000000000000073, 0},
    };

    begin_all();
    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
        guestrig_refused(&rig, commands[i][0], commands[i][1], XINV_FILTER_UNLISTED,
                         -XINV_E_UNSUPP);
}

/* 0x80 to 0x8f are the implementation's own: whatever they do, they are not the guest's. */
Test(filter_smmuv3, implementation_defined_commands_are_unlisted)
{
    begin();
    guestrig_refused(&rig, 0x0000000000000080, 0, XINV_FILTER_UNLISTED, -XINV_E_UNSUPP);
    guestrig_refused(&rig, 0x000000000000008f, 0, XINV_FILTER_UNLISTED, -XINV_E_UNSUPP);
}

Test(filter_smmuv3, what_the_hardware_would_stop_at_never_reaches_it)
{
    begin();
    /* reserved opcodes, and the Secure queue's */
    guestrig_refused(&rig, 0x0000000000000000, 0, XINV_FILTER_INVALID, -XINV_E_NOENT);
    guestrig_refused(&rig, 0x0000000000000008, 0, XINV_FILTER_INVALID, -XINV_E_NOENT);
    guestrig_refused(&rig, 0x000000000000007f, 0, XINV_FILTER_INVALID, -XINV_E_NOENT);
    guestrig_refused(&rig, 0x0000000000000060, 0, XINV_FILTER_INVALID, -XINV_E_INVAL);
    /* TG without NUM, SCALE and TTL (4.4.1.1) */
    guestrig_refused(&rig, 0x0005000000000012, 0x400, XINV_FILTER_INVALID, -XINV_E_INVAL);
    cr_expect_eq(rig.result.fault.hardware, XINV_HW_CERROR_ILL);
    /* reserved bits, of a command whose words are replaced too */
    guestrig_refused(&rig, 0x0000000000000110, 0, XINV_FILTER_INVALID, -XINV_E_INVAL);
    guestrig_refused(&rig, 0x0000000000000030, 1, XINV_FILTER_INVALID, -XINV_E_INVAL);
    cr_expect_eq(rig.result.fault.kind, XINV_FAULT_RESERVED);
    cr_expect_eq(rig.result.fault.word, 1);
    /* ATC_INV's Size above 52 */
    guestrig_refused(&rig, 0x0000000800000040, 53, XINV_FILTER_INVALID, -XINV_E_INVAL);
}

Test(filter_smmuv3, ranges_need_the_hosts_range_invalidation)
{
    guestrig_begin(&rig, "arm-smmuv3-generic");
    add(8, 0x310, 0);
    guestrig_expect(&rig, 0x0005000000000012, 0x7001,
                    "rewritten 0005002a00000012 0000000000007001");
    guestrig_refused(&rig, 0x0005000000002012, 0x100701, XINV_FILTER_INVALID, -XINV_E_UNSUPP);
}

Test(filter_smmuv3, a_stream_on_stage_2_alone_has_the_vmid_too)
{
    begin();
    rig.host[0].stage = XINV_STAGE_STAGE2;
    rig.host[1].stage = XINV_STAGE_STAGE2;
    guestrig_expect(&rig, 0x0000000000000030, 0, "rewritten 0000002a00000010 0000000000000000");
}

Test(filter_smmuv3, the_hosts_own_stage_1_is_never_meant)
{
    begin();
    for (unsigned i = 0; i < 2; i++) {
        rig.host[i].stage = XINV_STAGE_STAGE1;
        rig.host[i].vmid = 0;
    }
    guestrig_expect(&rig, 0x0000000000000030, 0, "answered");
    guestrig_expect(&rig, 0x0005000000000011, 0, "answered");
}

Test(filter_smmuv3, without_streams_there_is_nothing_to_remove)
{
    guestrig_begin(&rig, "arm-smmuv3-ril");
    guestrig_expect(&rig, 0x0000000000000030, 0, "answered");
    guestrig_refused(&rig, 0x0000000800000040, 0x34, XINV_FILTER_ENDPOINT, -XINV_E_NOENT);
}

Test(filter_smmuv3, a_tag_that_the_field_would_cut_is_refused)
{
    begin();
    rig.host[0].vmid = 0x1002a;
    guestrig_refused(&rig, 0x0000000000000010, 0, XINV_FILTER_HOST, -XINV_E_TAG);
    rig.host[0].rid = 0x10310;
    guestrig_refused(&rig, 0x0000000800000040, 0x34, XINV_FILTER_HOST, -XINV_E_TAG);
}

/* 3.8: VMID 0 is that of the host's own streams. */
Test(filter_smmuv3, a_tag_that_the_host_keeps_is_refused)
{
    begin();
    rig.host[0].vmid = 0;
    guestrig_refused(&rig, 0x0000000000000010, 0, XINV_FILTER_HOST, -XINV_E_TAG);
}
