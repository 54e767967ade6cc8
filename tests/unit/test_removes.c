// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/*
 * What a command removes, from its words alone. The words and the ranges are assembled by hand from
 * the specifications' layouts; what is removed follows from the commands' descriptions.
 */
#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cli/removal_text.h"
#include "core/backend.h"
#include "tests/support/testiommu.h"

static struct xinv_iommu iommu;

static void use(const char *platform)
{
    iommu = test_iommu(platform, NULL, 0);
}

/* The same with every ID-register bit set, and one setting. */
static void use_all(const char *platform, const char *feature, uint16_t value)
{
    iommu = test_iommu_every(platform, feature, value);
}

/* "ROW: REMOVAL | REMOVAL", or the error. */
static const char *removes(uint64_t low, uint64_t high)
{
    static char text[2048];
    const uint64_t words[4] = {low, high, 0, 0};
    struct xinv_removal_set set;
    char part[512];
    int ret = xinv_removes(&iommu, words, &set);
    size_t n;

    if (ret < 0) {
        snprintf(text, sizeof(text), "error %d", -ret);
        return text;
    }
    cr_expect_eq(ret, set.n);
    if (set.row == XINV_NO_ROW) {
        cr_expect_eq(set.n, 0);
        return "nothing";
    }
    n = (size_t)snprintf(text, sizeof(text),
                         "%s:", removal_row(&iommu, set.row, part, sizeof(part)));
    for (unsigned i = 0; i < set.n; i++)
        n += (size_t)snprintf(text + n, sizeof(text) - n, "%s %s%s", i ? " |" : "",
                              set.removal[i].must ? "" : "may ",
                              removal_text(&iommu, &set, i, part, sizeof(part)));
    return text;
}

static void expect(uint64_t low, uint64_t high, const char *text)
{
    const char *found = removes(low, high);

    cr_expect_str_eq(found, text, "%016" PRIx64 " %016" PRIx64 ":\n%s\n%s", low, high, found, text);
}

struct block {
    uint64_t low, high;
    uint64_t first, last;
};

static void expect_blocks(const struct block *blocks, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const uint64_t words[4] = {blocks[i].low, blocks[i].high, 0, 0};
        struct xinv_removal_set set = {0};

        cr_expect_gt(xinv_removes(&iommu, words, &set), 0, "%zu", i);
        cr_expect_eq(set.first, blocks[i].first, "%zu: first %" PRIx64, i, set.first);
        cr_expect_eq(set.last, blocks[i].last, "%zu: last %" PRIx64, i, set.last);
    }
}
#define EXPECT_BLOCKS(blocks) expect_blocks((blocks), sizeof(blocks) / sizeof((blocks)[0]))

/* ---- SMMUv3 ---- */

/* 4.4.1.1: (NUM + 1) * 2^SCALE granules from Address, not aligned to their own size; without TG,
 * entries that hold Address. */
Test(removes, smmuv3_ranges_are_num_scale_and_granule)
{
    static const struct block blocks[] = {
        /* 3 and 32 granules of 4 KiB, TTL 3 */
        {0x0005000000002012, 0x0000000000100701, 0x100000, 0x102fff},
        {0x0005000000500012, 0x0000000000103701, 0x103000, 0x122fff},
        /* no range: NUM, SCALE, TTL and TG are 0 */
        {0x0005000000000012, 0x00007f1234567000, 0x7f1234567000, 0x7f1234567fff},
        /* one granule with TTL 3, of each size */
        {0x0005000000000012, 0x0000000000105701, 0x105000, 0x105fff},
        {0x0005000000000012, 0x0000000000108b01, 0x108000, 0x10bfff},
        {0x0005000000000012, 0x0000000000110f01, 0x110000, 0x11ffff},
        /* 5 << 3 granules of 16 KiB from an address that is aligned to 16 KiB alone */
        {0x0005000000304012, 0x0000000000004800, 0x4000, 0xa3fff},
        /* NUM 31, SCALE 31: 2^36 granules */
        {0x0005000001f1f012, 0x0000000000000400, 0, 0xffffffffffff},
        {0x0005000001f1f012, 0x0000000000000c00, 0, 0xfffffffffffff},
        /* a range ends with the space */
        {0x0005000000001012, 0xfffffffffffff400, 0xfffffffffffff000, 0xffffffffffffffff},
        {0x0005000000003012, 0xffffffffffffe400, 0xffffffffffffe000, 0xffffffffffffffff},
    };

    use("arm-smmuv3-ril");
    EXPECT_BLOCKS(blocks);
}

/* 1.3: SCALE has a bit more with IDR5.DS, and above 39 it is 39. */
Test(removes, smmuv3_wide_scale_ends_at_39)
{
    static const struct block blocks[] = {
        {0x0005000002700012, 0x0000000000000400, 0, 0x7ffffffffffff},
        {0x0005000002800012, 0x0000000000000400, 0, 0x7ffffffffffff},
        {0x0005000003f00012, 0x0000000000000400, 0, 0x7ffffffffffff},
    };

    use_all("arm-smmuv3-ril", "E2H", 0);
    EXPECT_BLOCKS(blocks);
}

/* 4.4.1.1: TTL L of granule 2^g is a leaf of g + (3 - L) * (g - 3) bits; of 128-bit descriptors
 * g - 4. */
Test(removes, smmuv3_level_hint_is_a_leaf_size)
{
    static const struct {
        uint64_t high;
        unsigned log2_leaf;
    } cases[] = {
        {0x0000000040000500, 30}, {0x0000000000200600, 21}, {0x0000000000001700, 12},
        {0x0000001000000900, 36}, {0x0000000002000a00, 25}, {0x0000000000004b00, 14},
        {0x0000040000000d00, 42}, {0x0000000020000e00, 29}, {0x0000000000010f00, 16},
        {0x0000000010000580, 28}, {0x0000000000100680, 20}, {0x0000000000001780, 12},
        {0x0000000400000980, 34}, {0x0000000001000a80, 24}, {0x0000010000000d80, 40},
        {0x0000000010000e80, 28}, {0x0000000000010f80, 16}, {0x0000000000001000, 0},
    };

    use_all("arm-smmuv3-ril", "E2H", 0);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const uint64_t words[2] = {0x0005000000000012, cases[i].high};
        struct xinv_removal_set set = {0};

        cr_expect_gt(xinv_removes(&iommu, words, &set), 0, "%zu", i);
        cr_expect_eq(set.log2_leaf, cases[i].log2_leaf, "%zu: %u", i, set.log2_leaf);
    }
}

/* 4.4.1.1: TTL 1 of 16 KiB says nothing without IDR5.DS. */
Test(removes, smmuv3_level_1_of_16_kib_needs_ds)
{
    const uint64_t words[2] = {0x0005000000001012, 0x0000001000000900};
    struct xinv_removal_set set = {0};

    cr_assert_eq(xinv_iommu_init(&iommu, xinv_platform_find("arm-smmuv3-ril"), NULL, NULL, 0), 0);
    cr_expect_gt(xinv_removes(&iommu, words, &set), 0);
    cr_expect_eq(set.log2_leaf, 0, "%u", set.log2_leaf);
}

/* 4.5.1: 4096 << Size bytes, aligned whatever the address says; 52 is everything. */
Test(removes, smmuv3_device_tlb_blocks_are_aligned)
{
    static const struct block blocks[] = {
        {0x0000000300005840, 0x0000000000000004, 0, 0xffff},
        {0x0000000300005840, 0x0000000000008002, 0x8000, 0xbfff},
        {0x0000000300005840, 0x000000000000b002, 0x8000, 0xbfff},
        {0x0000000300000040, 0x00007f1234567000, 0x7f1234567000, 0x7f1234567fff},
        {0x0000000300000040, 0xffffffffffffe033, 0x8000000000000000, 0xffffffffffffffff},
    };

    use("arm-smmuv3-ril");
    EXPECT_BLOCKS(blocks);
}

Test(removes, smmuv3_commands_remove_what_their_rows_say)
{
    use_all("arm-smmuv3-ril", "E2H", 0);
    expect(0x0000010000000003, 1,
           "cfgi_ste leaf: device_config rid=0x100; level leaf | pasid_config rid=0x100");
    expect(0x0000010000000003, 0, "cfgi_ste: device_config rid=0x100 | pasid_config rid=0x100");
    expect(0x0000000000000004, 0x1f, "cfgi_all: device_config | pasid_config");
    expect(0x0000012300000004, 5,
           "cfgi_all: device_config rid=0x100 (bits 0x3f do not count) | "
           "pasid_config rid=0x100 (bits 0x3f do not count)");
    expect(0x0000010000003005, 1, "cfgi_cd leaf: pasid_config rid=0x100 pasid=0x3; level leaf");
    expect(0x0000010000000006, 0, "cfgi_cd_all: pasid_config rid=0x100");
    expect(0x0005002a00000012, 0x7000,
           "tlbi_nh_va: stage1 asid=0x5 vmid=0x2a address=0x7000..0x7fff; global no; regime el1 | "
           "nested asid=0x5 vmid=0x2a address=0x7000..0x7fff; global no | "
           "stage1 vmid=0x2a address=0x7000..0x7fff; global yes; regime el1 | "
           "nested vmid=0x2a address=0x7000..0x7fff; global yes");
    expect(0x0000002a00000013, 0x7001,
           "tlbi_nh_vaa leaf: stage1 vmid=0x2a address=0x7000..0x7fff; level leaf; regime el1 | "
           "nested vmid=0x2a address=0x7000..0x7fff; level leaf");
    expect(0x0005002a00000011, 0,
           "tlbi_nh_asid: stage1 asid=0x5 vmid=0x2a; global no; regime el1 | "
           "nested asid=0x5 vmid=0x2a; global no");
    expect(0x0000002a00000010, 0, "tlbi_nh_all: stage1 vmid=0x2a; regime el1 | nested vmid=0x2a");
    expect(0x0000002a0000002a, 0x7000, "tlbi_s2_ipa: stage2 vmid=0x2a ipa=0x7000..0x7fff");
    expect(0x0000002a00000028, 0,
           "tlbi_s12_vmall: stage1 vmid=0x2a; regime el1 | stage2 vmid=0x2a | nested vmid=0x2a");
    expect(0x0000000000000030, 0, "tlbi_nsnh_all: stage1; regime el1 | stage2 | nested");
    expect(0x0000010000000040, 0x34,
           "atc_inv_all: device_tlb rid=0x100; pasid untagged | "
           "may device_tlb rid=0x100; pasid tagged");
    expect(0x0000000300005840, 4,
           "atc_inv_pasid: device_tlb rid=0x3 pasid=0x5 address=0x0..0xffff; pasid tagged");
    expect(0x0000000300005840, 0x34,
           "atc_inv_pasid_all: device_tlb rid=0x3 pasid=0x5; pasid tagged");
    /* Global = 1: other PASIDs where the endpoint can */
    expect(0x0000000300005a40, 0x34,
           "atc_inv_pasid_all: device_tlb rid=0x3 pasid=0x5; pasid tagged | "
           "may device_tlb rid=0x3; pasid tagged");
}

/* 4.4.3: without CR2.E2H no EL2 entry has an ASID. */
Test(removes, smmuv3_el2_asid_counts_with_e2h_alone)
{
    use_all("arm-smmuv3-ril", "E2H", 1);
    expect(0x0001000000000022, 0x8000,
           "tlbi_el2_va: stage1 asid=0x1 address=0x8000..0x8fff; global no; regime el2 | "
           "stage1 address=0x8000..0x8fff; global yes; regime el2");
    expect(0x0001000000000021, 0, "tlbi_el2_asid: stage1 asid=0x1; global no; regime el2");
    use_all("arm-smmuv3-ril", "E2H", 0);
    expect(0x0001000000000022, 0x8000, "tlbi_el2_vaa: stage1 address=0x8000..0x8fff; regime el2");
    expect(0x0001000000000021, 0, "error 8");
    expect(0x0000000000000020, 0, "tlbi_el2_all: stage1; regime el2");
}

Test(removes, smmuv3_other_commands_remove_nothing)
{
    use_all("arm-smmuv3-ril", "E2H", 0);
    expect(0x0000031000005801, 0, "nothing");
    expect(0x0000031000000002, 0x7f000044, "nothing");
    expect(0x0000000000000046, 0, "nothing");
    expect(0x0000031000000045, 0, "nothing");
    /* of caches that the table does not have */
    expect(0x0000123400000007, 0, "error 8");
    expect(0x0000000000000070, 0, "error 8");
}

/* ---- VT-d ---- */

/* 6.5.2.3, 6.5.2.4: 2^AM pages at ADDR rounded down; AM has six bits. */
Test(removes, vtd_pages_are_2_to_the_am)
{
    static const struct block blocks[] = {
        {0x0000000500070036, 0x0000000040000000, 0x40000000, 0x40000fff},
        {0x0000000500070036, 0x0000000040000009, 0x40000000, 0x401fffff},
        {0x0000000500070036, 0x00000000401ff049, 0x40000000, 0x401fffff},
        {0x0000000500070036, 0xffffffffffe00009, 0xffffffffffe00000, 0xffffffffffffffff},
        {0x0000000500070036, 0x8000000000000033, 0x8000000000000000, 0xffffffffffffffff},
        {0x0000000500070036, 0x0000000000000034, 0, 0xffffffffffffffff},
        {0x0000000500070036, 0x000000004000003f, 0, 0xffffffffffffffff},
        {0x0000000000070032, 0x0000000040000012, 0x40000000, 0x7fffffff},
    };

    use("intel-vtd-scalable");
    EXPECT_BLOCKS(blocks);
}

/* 6.5.2.5: n ones from bit 12 up before the first zero are 2^(n+1) pages. */
Test(removes, vtd_device_tlb_size_is_in_the_address)
{
    static const struct block blocks[] = {
        {0x0000031000000003, 0x0000000000047000, 0x47000, 0x47fff},
        {0x0000031000000003, 0x0000000000040001, 0x40000, 0x41fff},
        {0x0000031000000003, 0x0000000000047001, 0x40000, 0x4ffff},
        /* bits above the first zero are the address */
        {0x0000031000000003, 0x0000000000057001, 0x50000, 0x5ffff},
        {0x0000031000000003, 0x00000000400ff001, 0x40000000, 0x401fffff},
        {0x0000031000000003, 0x3ffffffffffff001, 0, 0x7fffffffffffffff},
        {0x0000031000000003, 0xbffffffffffff001, 0x8000000000000000, 0xffffffffffffffff},
        /* PASID-based: S is bit 11 */
        {0x0000000503100008, 0x0000000000047800, 0x40000, 0x4ffff},
        {0x0000000503100008, 0x0000000000047000, 0x47000, 0x47fff},
        {0x0000000503100008, 0x0000000000047801, 0x40000, 0x4ffff},
    };

    use("intel-vtd-scalable");
    EXPECT_BLOCKS(blocks);
}

Test(removes, vtd_scalable_descriptors_remove_what_their_rows_say)
{
    use_all("intel-vtd-scalable", "ttm", 1);
    expect(0x0000000000000011, 0, "cc_global: device_config");
    /* the DID of a scalable context entry does not exist */
    expect(0x0000031000070031, 0, "cc_device: device_config rid=0x310");
    expect(0x0000000000070021, 0, "error 8");
    expect(0x0001031700070031, 0, "cc_device: device_config rid=0x313 (bits 0x4 do not count)");
    expect(0x0000000000070007, 0, "pc_domain: pasid_config did=0x7");
    expect(0x0000000500070017, 0, "pc_pasid: pasid_config pasid=0x5 did=0x7");
    expect(0x0000000000000037, 0, "pc_global: pasid_config");
    expect(0x0000000500070026, 0,
           "p_iotlb_pasid: stage1 pasid=0x5 did=0x7 | nested pasid=0x5 did=0x7 | "
           "may stage2 did=0x7");
    expect(0x0000000500070036, 0x40000049,
           "p_iotlb_page leaf: stage1 pasid=0x5 did=0x7 address=0x40000000..0x401fffff; "
           "level leaf | nested pasid=0x5 did=0x7 address=0x40000000..0x401fffff; level leaf");
    expect(0x0000000000070032, 0x40000009,
           "iotlb_page: stage2 did=0x7 ipa=0x40000000..0x401fffff | stage1 did=0x7 | "
           "nested did=0x7");
    expect(0x0000000000070022, 0, "iotlb_domain: stage1 did=0x7 | stage2 did=0x7 | nested did=0x7");
    expect(0x0000000000000012, 0, "iotlb_global: stage1 | stage2 | nested");
    expect(
        0x0000031000000003, 0x7ffffffffffff001,
        "dev_tlb_all: device_tlb rid=0x310; pasid untagged | may device_tlb rid=0x310; pasid tagged");
    expect(0x0000031000000003, 0x1000,
           "dev_tlb_page: device_tlb rid=0x310 address=0x1000..0x1fff; pasid untagged | "
           "may device_tlb rid=0x310 address=0x1000..0x1fff; pasid tagged");
    expect(0x0000000503100008, 0x7ffffffffffff800,
           "p_dev_tlb_all: device_tlb rid=0x310 pasid=0x5; pasid tagged");
    expect(0x0000000503100008, 0x1001,
           "p_dev_tlb_page_all_pasids: device_tlb rid=0x310 address=0x1000..0x1fff; pasid tagged");
    expect(0x0000000503100008, 0x7ffffffffffff801,
           "p_dev_tlb_all_pasids: device_tlb rid=0x310; pasid tagged");
    expect(0x0000000000000004, 0, "iec_global: interrupt");
    /* G = 1, IM = 2, index 6 of an aligned four */
    expect(0x0000000610000014, 0, "iec_global: interrupt index=0x4 (bits 0x3 do not count)");
    expect(0x0000000100000025, 0x1000, "nothing");
}

Test(removes, vtd_legacy_context_entries_have_a_did)
{
    use("intel-vtd-legacy");
    expect(0x0000031000070031, 0, "cc_device: device_config rid=0x310 did=0x7");
    expect(0x0003031500070031, 0,
           "cc_device: device_config rid=0x310 (bits 0x7 do not count) did=0x7");
    expect(0x0002031700070031, 0,
           "cc_device: device_config rid=0x311 (bits 0x6 do not count) did=0x7");
    expect(0x0000000000070021, 0, "cc_domain: device_config did=0x7");
}

/* ---- AMD-Vi ---- */

/* 2.4.3: without S a page; with S, the first zero at or above bit 12 is the top bit of the size. */
Test(removes, amdvi_size_is_in_the_address)
{
    static const struct block blocks[] = {
        {0x3000000300000080, 0x0000000000005006, 0x5000, 0x5fff},
        {0x3000000300000000, 0x0000000000004003, 0x4000, 0x5fff},
        {0x300029c900000000, 0x00000007dd57b003, 0x7dd578000, 0x7dd57ffff},
        {0x3000000300000000, 0x00000000400ff003, 0x40000000, 0x401fffff},
        {0x3000000300000000, 0x000000005ffff003, 0x40000000, 0x7fffffff},
        {0x3000000300000000, 0x0007fffffffff003, 0, 0xfffffffffffff},
        {0x3000000300000080, 0xfff7fffffffff007, 0xfff0000000000000, 0xffffffffffffffff},
        {0x400e019a0192019a, 0x00007d18d237f005, 0x7d18d2300000, 0x7d18d23fffff},
    };

    use("amd-vi-generic");
    EXPECT_BLOCKS(blocks);
}

Test(removes, amdvi_commands_remove_what_their_rows_say)
{
    use_all("amd-vi-generic", "SNP", 0);
    expect(0x20000000000003e6, 0, "devtab_entry: device_config rid=0x3e6");
    expect(0x5000000000006475, 0, "interrupt_table: interrupt rid=0x6475");
    expect(0x8000000000000000, 0,
           "iommu_all: device_config | pasid_config | stage1 | stage2 | nested | interrupt");
    expect(0x3000005500000000, 0x7ffffffffffff003,
           "pages_host_all: pasid_config did=0x55 | stage1 did=0x55 | stage2 did=0x55 | "
           "nested did=0x55");
    expect(0x3000000200000000, 0x7ffffffffffff007,
           "pages_guest_all: pasid_config pasid=0x0 did=0x2 | stage1 pasid=0x0 did=0x2 | "
           "nested pasid=0x0 did=0x2");
    expect(0x3000000300000080, 0x5006,
           "pages_guest: stage1 pasid=0x80 did=0x3 address=0x5000..0x5fff | "
           "nested pasid=0x80 did=0x3 address=0x5000..0x5fff");
    expect(0x3000000300000000, 0x5002,
           "pages_host: stage2 did=0x3 ipa=0x5000..0x5fff | nested did=0x3 ipa=0x5000..0x5fff | "
           "may stage1 did=0x3 | may nested did=0x3");
    expect(
        0x400003e6080003e6, 0x7ffffffffffff001,
        "iotlb_all: device_tlb rid=0x3e6; pasid untagged | may device_tlb rid=0x3e6; pasid tagged");
    /* the PASID's pieces are 1 at 59:56, 23h at 23:16 and 45h at 55:48 */
    expect(0x414503e6082303e6, 0x7ffffffffffff005,
           "iotlb_pasid_all: device_tlb rid=0x3e6 pasid=0x12345; pasid tagged");
    expect(0x1000000000000009, 0, "nothing");
    expect(0x60000000010003e6, 0x1000, "nothing");
    expect(0x60000000010003e6, 0x1010, "error 8");
}

/* 2.4.3: without PDE page-directory entries stay, so that every address is not everything. */
Test(removes, amdvi_every_address_without_pde_is_leaves_alone)
{
    use("amd-vi-generic");
    expect(0x3000000300000080, 0x7ffffffffffff005,
           "pages_guest leaf: "
           "stage1 pasid=0x80 did=0x3 address=0x0..0xffffffffffffffff; level leaf | "
           "nested pasid=0x80 did=0x3 address=0x0..0xffffffffffffffff; level leaf");
}

/* A block above 2^52 bytes is larger than any address of the host: what it takes at most is
 * everything. */
Test(removes, amdvi_blocks_above_every_address_may_be_everything)
{
    use("amd-vi-generic");
    expect(0x3000000300000080, 0x000ffffffffff007,
           "pages_guest: stage1 pasid=0x80 did=0x3 address=0x0..0x1fffffffffffff | "
           "may stage1 pasid=0x80 did=0x3 | "
           "nested pasid=0x80 did=0x3 address=0x0..0x1fffffffffffff | "
           "may nested pasid=0x80 did=0x3");
}

/* ---- Errors ---- */

Test(removes, words_that_the_iommu_does_not_take_are_an_error_and_change_nothing)
{
    static const struct {
        const char *platform;
        uint64_t low, high;
        int ret;
    } cases[] = {
        {"arm-smmuv3-ril", 0x0000000000000000, 0, -XINV_E_NOENT},
        {"arm-smmuv3-ril", 0x0000000000000130, 0, -XINV_E_INVAL},     /* bit 8 is reserved */
        {"arm-smmuv3-ril", 0x0005000000000012, 0x400, -XINV_E_INVAL}, /* TG alone */
        {"arm-smmuv3-minimal", 0x0000010000000040, 0, -XINV_E_UNSUPP},
        {"arm-smmuv3-minimal", 0x0100000000000011, 0, -XINV_E_TAG},
        {"intel-vtd-legacy", 0x0000000000000002, 0, -XINV_E_INVAL}, /* G = 0 */
        {"amd-rd890", 0x3000000300000000, 0x5006, -XINV_E_UNSUPP},
        {"amd-vi-generic", 0x3000000300000000, 0xfffffffffffff003, -XINV_E_INVAL},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const uint64_t words[4] = {cases[i].low, cases[i].high, 0, 0};
        struct xinv_removal_set before;
        struct xinv_removal_set set;

        memset(&set, 0x5a, sizeof(set));
        before = set;
        use(cases[i].platform);
        cr_expect_eq(xinv_removes(&iommu, words, &set), cases[i].ret, "%zu: %d", i,
                     xinv_removes(&iommu, words, &set));
        cr_expect_eq(memcmp(&set, &before, sizeof(set)), 0, "%zu", i);
    }
}

/* ---- Registers of VT-d (11.4.6) ---- */

static void register_removes(const char *name, uint64_t value, const uint64_t *iva, int ret,
                             const char *op, uint64_t first, uint64_t last)
{
    struct xinv_removal_set set = {.n = 77};
    int got = xinv_removes_register(&iommu, name, value, iva, &set);

    cr_expect_eq(got, ret, "%s %016" PRIx64 ": %d", name, value, got);
    if (got < 0) {
        cr_expect_eq(set.n, 77, "%s %016" PRIx64 " changed the set", name, value);
        return;
    }
    cr_expect_eq(set.row == XINV_NO_ROW, !op, "%s %016" PRIx64, name, value);
    if (!op)
        return;
    cr_expect_str_eq(iommu.vendor->backend->op_names[iommu.vendor->commands[set.row].op], op);
    cr_expect(set.first == first && set.last == last, "%s: 0x%" PRIx64 "..0x%" PRIx64, name,
              set.first, set.last);
}

Test(removes, vtd_registers_remove_what_their_descriptors_do)
{
    const uint64_t iva = 0x7f3c5a049;       /* 2 MiB, leaf entries */
    const uint64_t wide = 0x7f3c00000 | 19; /* above MAMV 18 */
    struct xinv_removal_set set;

    use("intel-vtd-legacy");
    register_removes("CCMD", 0xe000000303100047, NULL, 1, "cc_device", 0, 0);
    register_removes("CCMD", 0xc000000000000047, NULL, 1, "cc_domain", 0, 0);
    register_removes("CCMD", 0xa000000000000000, NULL, 1, "cc_global", 0, 0);
    register_removes("IOTLB", 0x9000000000000000, NULL, 1, "iotlb_global", 0, 0);
    register_removes("IOTLB", 0xa000004700000000, NULL, 1, "iotlb_domain", 0, 0);
    register_removes("IOTLB", 0xb000004700000000, &iva, 1, "iotlb_page", 0x7f3c00000, 0x7f3dfffff);
    /* the go bit is 0, or the register has none */
    register_removes("CCMD", 0x6000000303100047, NULL, 0, NULL, 0, 0);
    register_removes("IOTLB", 0x3000004700000000, &iva, 0, NULL, 0, 0);
    register_removes("IVA", iva, NULL, 0, NULL, 0, 0);
    /* a granularity of 0; pages of which nobody said which, or too many; no such register */
    register_removes("CCMD", 0x8000000000000000, NULL, -XINV_E_INVAL, NULL, 0, 0);
    register_removes("IOTLB", 0xb000004700000000, NULL, -XINV_E_INVAL, NULL, 0, 0);
    register_removes("IOTLB", 0xb000004700000000, &wide, -XINV_E_TAG, NULL, 0, 0);
    register_removes("ECAP", 0, NULL, -XINV_E_NOENT, NULL, 0, 0);
    cr_assert_eq(xinv_removes_register(&iommu, "CCMD", 0xe000000303100047, NULL, &set), 1);
    cr_expect_eq(set.rid, 0x310);
    cr_expect_eq(set.rid_ignored, 7);
    cr_expect_eq(set.did, 0x47);
    cr_assert_eq(xinv_removes_register(&iommu, "IOTLB", 0xa000004700000000, NULL, &set), 1);
    cr_expect_eq(set.did, 0x47);
}
