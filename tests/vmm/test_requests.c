// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/* Requests of the drafts to the kernel's entries, byte by byte; and bytes that are no requests. */
#include <criterion/criterion.h>
#include <stdio.h>

#include "tests/support/random.h"
#include "tests/vmm/rig.h"

static char entries[1024]; /* in hexadecimal, a blank behind each */

static void removed(void *context, uint32_t object, const void *entry)
{
    const uint8_t *bytes = entry;
    size_t used = strlen(entries);
    unsigned size = k.hw_type == XINV_IOMMUFD_HW_INFO_VTD ? 24 : 16;

    (void)context;
    (void)object;
    if (used + 2 * size + 2 > sizeof(entries))
        return;
    for (unsigned i = 0; i < size; i++)
        used += (size_t)snprintf(entries + used, 3, "%02x", bytes[i]);
    strcpy(entries + used, " ");
}

static uint8_t ask(const char *hex)
{
    static uint8_t bytes[128];
    static uint8_t reply[4];
    struct request r = {.readable = bytes, .writable = reply, .n_writable = sizeof(reply)};

    for (const char *p = hex; *p; p += 2) {
        unsigned byte;

        cr_assert_eq(sscanf(p, "%2x", &byte), 1);
        bytes[r.n_readable++] = (uint8_t)byte;
    }
    entries[0] = '\0';
    device_kick(&device, &r, 1);
    cr_assert_eq(reply[0], r.status);
    cr_assert_eq(r.written, 4);
    return r.status;
}

#define ZEROES "0000000000000000"
/* domain 1, endpoint 8: a first-stage table at 0x12345000, 48 bits (D); a table of 2^16 CDs at
 * 0x48000000, S1DSS 2 (C) */
#define VTD_TABLE                                                                        \
    "0600000001000000080000000000000004000000000000000050341200000000" ZEROES "30000000" \
    "000000000000000000000000000000000000000000000000000000000000000000000000"           \
    "00000000"
#define CD_TABLE                                                                                  \
    "06000000010000000800000002000102000000480000000010000000" ZEROES ZEROES ZEROES ZEROES ZEROES \
        ZEROES

static void open_vm(uint32_t type, enum dialect dialect, unsigned no_ats)
{
    static const uint32_t endpoints[] = {8, 9, 0x10};

    vm_open(type, dialect, endpoints, 3, no_ats, removed);
    cr_assert_eq(host_open(&host), 0);
    cr_assert_eq(device_init(&device), 0);
}

static void open_vtd(void)
{
    open_vm(XINV_IOMMUFD_HW_INFO_VTD, DIALECT_D, 0);
    cr_assert_eq(ask(VTD_TABLE), XINV_VIRTIO_OK);
}

static void open_smmuv3(unsigned no_ats)
{
    open_vm(XINV_IOMMUFD_HW_INFO_ARM_SMMUV3, DIALECT_C, no_ats);
    cr_assert_eq(ask(CD_TABLE), XINV_VIRTIO_OK);
}

/* gran, type, flags | domain 1 | pasid | archid | address, pages, log2 of their size */
#define ADDRESS_512    \
    "0000004000000000" \
    "0002000000000000" \
    "0c"
#define REST "0000000000000000000000"

Test(requests, a_domain_is_everything_on_vtd)
{
    open_vtd();
    cr_assert_eq(
        ask("070000000100010000000000010000000000000000000000" ZEROES ZEROES ZEROES "00" REST),
        XINV_VIRTIO_OK);
    cr_assert_str_eq(entries, "0000000000000000ffffffffffffffff0000000000000000 ");
}

Test(requests, a_leaf_range_is_an_entry_of_vtd)
{
    open_vtd();
    cr_assert_eq(ask("070000000400010006000000010000000000000000000000"
                     "0500000000000000" ADDRESS_512 REST),
                 XINV_VIRTIO_OK);
    cr_assert_str_eq(entries, "000000400000000000020000000000000100000000000000 ");
}

Test(requests, a_range_with_its_table_pages_has_no_leaf_bit_on_vtd)
{
    open_vtd();
    cr_assert_eq(ask("070000000400010002000000010000000000000000000000"
                     "0500000000000000" ADDRESS_512 REST),
                 XINV_VIRTIO_OK);
    cr_assert_str_eq(entries, "000000400000000000020000000000000000000000000000 ");
}

Test(requests, a_page_of_an_asid_is_a_command_of_smmuv3)
{
    open_smmuv3(7);
    cr_assert_eq(ask("070000000400010006000000010000000000000000000000"
                     "0500000000000000"
                     "000000400000000001000000000000000c" REST),
                 XINV_VIRTIO_OK);
    cr_assert_str_eq(entries, "12000000000005000100004000000000 ");
}

Test(requests, flush_all_of_the_driver_names_its_asid_without_the_flag)
{
    open_smmuv3(7);
    cr_assert_eq(ask("070000000200010001000000010000000000000000000000"
                     "0300000000000000" ZEROES ZEROES "00" REST),
                 XINV_VIRTIO_OK);
    cr_assert_str_eq(entries, "11000000000003000000000000000000 "); /* TLBI_NH_ASID */
}

Test(requests, a_pasid_entry_is_a_command_for_the_virtual_streamid)
{
    open_smmuv3(7);
    cr_assert_eq(
        ask("070000000200040005000000010000000300000000000000" ZEROES ZEROES ZEROES "00" REST),
        XINV_VIRTIO_OK);
    cr_assert_str_eq(entries, "05300000080000000100000000000000 ");
    cr_assert_eq(
        ask("070000000200040001000000010000000300000000000000" ZEROES ZEROES ZEROES "00" REST),
        XINV_VIRTIO_OK);
    cr_assert_str_eq(entries, "05300000080000000000000000000000 ");
}

Test(requests, device_tlbs_are_thought_of_on_smmuv3)
{
    open_smmuv3(0);
    /* 16 pages of PASID 3 and ASID 3, in the IOTLB alone */
    cr_assert_eq(ask("070000000400010007000000010000000300000000000000"
                     "0300000000000000"
                     "000000400000000010000000000000000c" REST),
                 XINV_VIRTIO_OK);
    cr_assert_not_null(strstr(entries, "40380000080000000400004000000000 "), "%s", entries);
    cr_assert_eq(strlen(entries), 17 * 33); /* behind 16 TLBI_NH_VA */
    cr_assert_str_eq(entries + 16 * 33, "40380000080000000400004000000000 ");
}

Test(requests, a_table_of_cds_becomes_an_ste)
{
    struct wire_table table;
    uint8_t bytes[76] = {6, 0, 0, 0, 1, 0, 0, 0, 8, 0, 0, 0, 2, 0, 1, 2, 0, 0, 0, 0x48};

    bytes[24] = 16;
    cr_assert_eq(wire_attach_table(DIALECT_C, bytes, sizeof(bytes), &table), XINV_VIRTIO_OK);
    cr_assert_eq(table.ste[0], UINT64_C(0x800000004800001b));
    cr_assert_eq(table.ste[1], 0xd6);
    bytes[16] = 0x20; /* the pointer is aligned to 64 bytes */
    cr_assert_eq(wire_attach_table(DIALECT_C, bytes, sizeof(bytes), &table), XINV_VIRTIO_INVAL);
    bytes[16] = 0;
    bytes[22] = 0x10; /* and has 52 bits */
    cr_assert_eq(wire_attach_table(DIALECT_C, bytes, sizeof(bytes), &table), XINV_VIRTIO_INVAL);
}

/* Endpoint 8 is behind one IOMMU, endpoint 0x10 behind another, both in domain 1. */
Test(requests, an_asid_is_clean_on_an_iommu_before_it_is_another_domains_there)
{
    open_vm(XINV_IOMMUFD_HW_INFO_ARM_SMMUV3, DIALECT_MERGED, 7);
    cr_assert_eq(ask("0100000001000000080000000000000000000000"), XINV_VIRTIO_OK);
    cr_assert_eq(ask("0100000001000000100000000000000000000000"), XINV_VIRTIO_OK);
    cr_assert_str_eq(entries, "");
    cr_assert_eq(ask("0200000001000000100000000000000000000000"), XINV_VIRTIO_OK);
    cr_assert_str_eq(entries, "11000000000001000000000000000000 "); /* TLBI_NH_ASID, of ASID 1 */
    cr_assert_eq(ask("0200000001000000080000000000000000000000"), XINV_VIRTIO_OK);
    cr_assert_str_eq(entries, "11000000000001000000000000000000 ");
}

/* Requests of every type with random fields: answered, and nothing else. */
static void speak(uint32_t type, enum dialect dialect)
{
    static const uint8_t sizes[] = {0, 20, 20, 36, 28, 72, 76, 60, 84};
    uint8_t bytes[128];
    uint8_t reply[4];

    open_vm(type, dialect, 2);
    for (unsigned i = 0; i < 20000; i++) {
        unsigned kind = (unsigned)(random_next() % 9);
        struct request r = {.readable = bytes, .writable = reply, .n_writable = 4};

        for (unsigned b = 0; b < sizeof(bytes); b++)
            bytes[b] = random_next() % 3 ? 0 : (uint8_t)(random_next() % 9);
        bytes[0] = (uint8_t)kind;
        bytes[4] = bytes[12] = 1;
        bytes[8] = 8;
        r.n_readable = random_next() % 8 ? sizes[kind] : random_next() % sizeof(bytes);
        r.n_writable = random_next() % 16 ? 4 : random_next() % 4;
        device_kick(&device, &r, 1);
        cr_assert(r.status <= XINV_VIRTIO_NOMEM);
        cr_assert(!r.written || (r.written == 4 && reply[0] == r.status && !reply[1]));
    }
}

Test(requests, random_bytes_are_answered)
{
    random_start();
    speak(XINV_IOMMUFD_HW_INFO_VTD, DIALECT_MERGED);
    speak(XINV_IOMMUFD_HW_INFO_VTD, DIALECT_D);
    speak(XINV_IOMMUFD_HW_INFO_ARM_SMMUV3, DIALECT_MERGED);
    speak(XINV_IOMMUFD_HW_INFO_ARM_SMMUV3, DIALECT_C);
    speak(XINV_IOMMUFD_HW_INFO_ARM_SMMUV3, DIALECT_D);
}
