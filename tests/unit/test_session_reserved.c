// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/* Reserved regions and PROBE. */
#include <criterion/criterion.h>

#include "tests/support/sessionrig.h"

#define S2 XINV_STAGE_STAGE2

static struct rig r;

static const struct xinv_reserved_region doorbell[] = {{0xfee00000, 0xfeefffff, 1}};

/* Endpoint 8 has the region of the worked PROBE reply; 9 has none. */
static void open_reserved(uint32_t probe_size)
{
    struct xinv_session_config config = rig_config(1);
    struct xinv_endpoint a = rig_endpoint(8, 0, S2);
    struct xinv_endpoint b = rig_endpoint(9, 0, S2);

    config.probe_size = probe_size;
    a.reserved = doorbell;
    a.n_reserved = 1;
    rig_platform(&r, 0, "intel-vtd-legacy", NULL, 0);
    rig_open(&r, &config);
    rig_add(&r, &a);
    rig_add(&r, &b);
}

Test(session, probe_replies_with_the_reserved_regions_then_zeroes)
{
    static const uint8_t expect[36] = {
        0x01, 0,    0x14, 0, 0x01, 0, 0,    0,    0,    0,
        0xe0, 0xfe, 0,    0, 0,    0, 0xff, 0xff, 0xef, 0xfe, /* the rest is zero */
    };
    uint8_t b[72];

    open_reserved(32);
    cr_assert_eq(rig_request(&r, b, rig_probe_bytes(b, 8), 36), XINV_VIRTIO_OK);
    cr_assert_arr_eq(r.reply, expect, sizeof(expect));
    cr_assert_eq(rig_request(&r, b, rig_probe_bytes(b, 9), 36), XINV_VIRTIO_OK);
    for (unsigned i = 0; i < 36; i++)
        cr_assert_eq(r.reply[i], 0, "no region: no property");
    cr_assert_eq(rig_request(&r, b, rig_probe_bytes(b, 8), 100), XINV_VIRTIO_OK);
    cr_assert_arr_eq(r.reply, expect, 24);
    for (unsigned i = 24; i < 100; i++)
        cr_assert_eq(r.reply[i], 0, "a larger area is zero to its end");
    rig_close(&r);
}

Test(session, probe_with_every_shorter_buffer)
{
    uint8_t b[72];

    open_reserved(32);
    rig_remember(&r);
    for (unsigned n = 0; n < 36; n++) {
        cr_assert_eq(rig_request(&r, b, rig_probe_bytes(b, 8), n),
                     n < 4 ? XINV_VIRTIO_IOERR : XINV_VIRTIO_INVAL);
        cr_assert_eq(r.outcome.written, n < 4 ? 0 : n);
        for (unsigned i = 0; n >= 4 && i < n - 4; i++)
            cr_assert_eq(r.reply[i], 0, "no property");
    }
    cr_assert(rig_unchanged(&r));
    rig_close(&r);
}

Test(session, an_endpoint_whose_region_is_mapped_cannot_join)
{
    open_reserved(32);
    cr_assert_eq(rig_attach(&r, 1, 9, 0), XINV_VIRTIO_OK);
    cr_assert_eq(rig_map(&r, 1, 0xfeeff000, 0xfef0ffff, 0), XINV_VIRTIO_OK);
    rig_remember(&r);
    cr_assert_eq(rig_attach(&r, 1, 8, 0), XINV_VIRTIO_UNSUPP);
    cr_assert(rig_unchanged(&r));
    cr_assert_eq(rig_unmap(&r, 1, 0xfeeff000, 0xfef0ffff), XINV_VIRTIO_OK);
    cr_assert_eq(rig_map(&r, 1, 0xfef00000, 0xfef0ffff, 0), XINV_VIRTIO_OK);
    cr_assert_eq(rig_attach(&r, 1, 8, 0), XINV_VIRTIO_OK);
    cr_assert_eq(rig_map(&r, 1, 0xfee00000, 0xfee00fff, 0), XINV_VIRTIO_INVAL);
    rig_close(&r);
}

Test(session, a_region_counts_to_its_last_byte)
{
    static const struct xinv_reserved_region bytes[] = {{0x5fff, 0x7000, 0}};
    struct xinv_session_config config = rig_config(1);
    struct xinv_endpoint e = rig_endpoint(8, 0, S2);

    e.reserved = bytes;
    e.n_reserved = 1;
    rig_platform(&r, 0, "intel-vtd-legacy", NULL, 0);
    rig_open(&r, &config);
    rig_add(&r, &e);
    cr_assert_eq(rig_attach(&r, 1, 8, 0), XINV_VIRTIO_OK);
    cr_assert_eq(rig_map(&r, 1, 0x7000, 0x7fff, 0), XINV_VIRTIO_INVAL);
    cr_assert_eq(rig_map(&r, 1, 0x5000, 0x5fff, 0), XINV_VIRTIO_INVAL);
    cr_assert_eq(rig_map(&r, 1, 0x8000, 0x8fff, 0), XINV_VIRTIO_OK);
    cr_assert_eq(rig_map(&r, 1, 0x4000, 0x4fff, 0), XINV_VIRTIO_OK);
    rig_close(&r);
}
