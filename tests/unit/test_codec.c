// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/*
 * Commands by name: words out of fields, fields out of words, and what is wrong with them. Words
 * are assembled by hand from the specifications' sections that are named.
 */
#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/backend.h"
#include "tests/support/testiommu.h"

#define COUNT(x) (sizeof(x) / sizeof((x)[0]))

/* SMMUv3 with everything; the narrow one has little beside stage 1. */
static struct xinv_iommu smmu(void)
{
    static const struct test_setting on[] = {
        {"Hyp", 1},      {"PRI", 1}, {"MPAM", 1},      {"DPT", 1}, {"DS", 1},     {"D128", 1},
        {"SIDSIZE", 32}, {"RIL", 1}, {"SSIDSIZE", 20}, {"ATS", 1}, {"ASID16", 1}, {"VMID16", 1}};

    return test_iommu_with("arm-smmuv3-ril", on, COUNT(on));
}

static struct xinv_iommu vtd(void)
{
    static const struct test_setting on[] = {{"DIT", 1}, {"PDS", 1}, {"DT", 1}, {"PRS", 1}};

    return test_iommu_with("intel-vtd-scalable", on, COUNT(on));
}

static struct xinv_iommu amd(void)
{
    static const struct test_setting on[] = {
        {"PASmax", 19}, {"PreFSup", 1}, {"PPRSup", 1}, {"InvIotlbTypeSup", 1}, {"vIommuSup", 1}};

    return test_iommu_with("amd-vi-generic", on, COUNT(on));
}

/* ---- Both ways ---- */

/* "NAME FIELD=0x..." as the fields that it says; the text is cut up. */
static unsigned parse(char *text, struct xinv_field *fields)
{
    unsigned n = 0;

    strtok(text, " ");
    for (char *p; (p = strtok(NULL, " ")) != NULL; n++) {
        char *equals = strchr(p, '=');

        *equals = '\0';
        fields[n] = (struct xinv_field){p, strtoull(equals + 1, NULL, 16)};
    }
    return n;
}

struct pair {
    uint64_t w[2];
    const char *text;
};

static void both_ways(const struct xinv_iommu *iommu, const struct pair *list, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        uint64_t w[XINV_COMMAND_WORDS] = {list[i].w[0], list[i].w[1], 0, 0};
        uint64_t again[XINV_COMMAND_WORDS] = {7, 7, 7, 7};
        struct xinv_field fields[XINV_MAX_FIELDS];
        struct xinv_decoded d;
        struct xinv_fault fault = {0};
        char text[512];
        unsigned n_fields;

        cr_expect_eq(xinv_decode(iommu, w, &d), 0, "%s: fault %u, %s", list[i].text, d.fault.kind,
                     d.fault.field ? d.fault.field : "");
        cr_assert_lt(xinv_format(&d, text, sizeof(text)), sizeof(text));
        cr_expect_str_eq(text, list[i].text, "%s instead of %s", text, list[i].text);
        snprintf(text, sizeof(text), "%s", list[i].text);
        n_fields = parse(text, fields);
        cr_expect_eq(xinv_encode(iommu, text, fields, n_fields, again, &fault), iommu->words,
                     "%s: fault %u", list[i].text, fault.kind);
        cr_expect(!memcmp(again, w, iommu->words * 8u), "%s: %016" PRIx64 " %016" PRIx64,
                  list[i].text, again[0], again[1]);
    }
}

/* 4.2 to 4.7 */
Test(codec, smmuv3_commands_that_no_plan_has)
{
    static const struct pair list[] = {
        {{UINT64_C(0x0000031000005801), 0}, "PREFETCH_CONFIG SSec=0x0 SSV=0x1 SSID=0x5 SID=0x310"},
        {{UINT64_C(0x0000031000000002), 0x7f000044},
         "PREFETCH_ADDR SSec=0x0 SSV=0x0 SSID=0x0 SID=0x310 Size=0x4 Stride=0x2 Address=0x7f000000"},
        {{UINT64_C(0x0000123400000007), 0}, "CFGI_VMS_PIDM SSec=0x0 VMID=0x1234"},
        {{UINT64_C(0x00000310fffff841), 0x21ff},
         "PRI_RESP SSV=0x1 SSID=0xfffff SID=0x310 PRGIndex=0x1ff Resp=0x2"},
        {{UINT64_C(0x0000031000001044), 0xbeef},
         "RESUME SSec=0x0 Ac=0x1 Ab=0x0 SID=0x310 STAG=0xbeef"},
        {{UINT64_C(0x0000031000002044), 1}, "RESUME SSec=0x0 Ac=0x0 Ab=0x1 SID=0x310 STAG=0x1"},
        {{UINT64_C(0xffffffff00000045), 0}, "STALL_TERM SSec=0x0 SID=0xffffffff"},
        {{0x70, 0}, "DPTI_ALL"},
        {{0x73, UINT64_C(0x00fffffffffff000)}, "DPTI_PA LeafSIZE=0x0 Address=0xfffffffffff000"},
        /* IDR5.DS: SCALE 25:20; IDR5.D128: TTL128 in hi 7 */
        {{UINT64_C(0x0000000002700012), 0x400},
         "TLBI_NH_VA VMID=0x0 ASID=0x0 NUM=0x0 SCALE=0x27 Leaf=0x0 TTL=0x0 TG=0x1 Address=0x0"},
        {{UINT64_C(0x0005000000000012), 0x100681},
         "TLBI_NH_VA VMID=0x0 ASID=0x5 NUM=0x0 SCALE=0x0 Leaf=0x1 TTL128=0x1 TTL=0x2 TG=0x1 Address=0x100000"},
    };
    struct xinv_iommu iommu = smmu();

    /* TTL 2 of 128-bit descriptors and 4 KiB: 19:12 of the address are 0 */
    both_ways(&iommu, list, COUNT(list));
}

/* 7.7.1, page group response: 4 PP, 15:12 code, 31:16 RID, 51:32 PASID; qw1: 2 LPIG, 11:3 PRGI */
Test(codec, vtd_descriptors_that_no_plan_has)
{
    static const struct pair list[] = {
        {{UINT64_C(0x000fffff0310f019), 0xffc},
         "page_resp PP=0x1 code=0xf RID=0x310 PASID=0xfffff LPIG=0x1 PRGI=0x1ff"},
        {{UINT64_C(0x0000000003101009), 8},
         "page_resp PP=0x0 code=0x1 RID=0x310 PASID=0x0 LPIG=0x0 PRGI=0x1"},
    };
    struct xinv_iommu iommu = vtd();

    both_ways(&iommu, list, COUNT(list));
}

/* 2.4 */
Test(codec, amd_commands_that_no_plan_has)
{
    static const struct pair list[] = {
        {{UINT64_C(0x600fffff20000310), UINT64_C(0x0000000012345015)},
         "PREFETCH_IOMMU_PAGES DeviceID=0x310 PFCount=0x20 PASID=0xfffff S=0x1 GN=0x1 Inval=0x1 Address=0x12345000"},
        {{UINT64_C(0x70005298000001f8), UINT64_C(0x000020ca00000004)},
         "COMPLETE_PPR_REQUEST DeviceID=0x1f8 PASID=0x5298 GN=0x1 CompletionTag=0x20ca"},
        {{UINT64_C(0x9000123400000000), 0}, "INSERT_GUEST_EVENT GuestID=0x1234"},
        {{UINT64_C(0xa000000090000005), 0}, "RESET_VMMIO GuestID=0x5 All=0x1 vCmd=0x1"},
    };
    struct xinv_iommu iommu = amd();

    both_ways(&iommu, list, COUNT(list));
}

/* 11.4.6: CCMD, IVA, IOTLB */
Test(codec, vtd_registers_go_both_ways)
{
    static const struct {
        uint64_t value;
        const char *text;
    } list[] = {
        {UINT64_C(0xe000000303100047), "CCMD DID=0x47 SID=0x310 FM=0x3 CAIG=0x0 CIRG=0x3 ICC=0x1"},
        {UINT64_C(0x2800000000000000), "CCMD DID=0x0 SID=0x0 FM=0x0 CAIG=0x1 CIRG=0x1 ICC=0x0"},
        {UINT64_C(0x7f3c5a049), "IVA AM=0x9 IH=0x1 ADDR=0x7f3c5a000"},
        {UINT64_C(0xb003004700000000), "IOTLB DID=0x47 DW=0x1 DR=0x1 IAIG=0x0 IIRG=0x3 IVT=0x1"},
        {UINT64_C(0x1200000000000000), "IOTLB DID=0x0 DW=0x0 DR=0x0 IAIG=0x1 IIRG=0x1 IVT=0x0"},
    };
    struct xinv_iommu iommu = test_iommu_with("intel-vtd-legacy", NULL, 0);
    uint64_t word = 7;

    for (size_t i = 0; i < COUNT(list); i++) {
        struct xinv_field fields[XINV_MAX_FIELDS];
        struct xinv_decoded d;
        char text[256];
        unsigned n;

        snprintf(text, sizeof(text), "%s", list[i].text);
        n = parse(text, fields);
        cr_expect_eq(xinv_encode(&iommu, text, fields, n, &word, NULL), 1, "%s", list[i].text);
        cr_expect_eq(word, list[i].value, "%s: %016" PRIx64, list[i].text, word);
        cr_expect_eq(xinv_decode_register(&iommu, text, list[i].value, &d), 0, "%s", list[i].text);
        xinv_format(&d, text, sizeof(text));
        cr_expect_str_eq(text, list[i].text);
    }
}

/* ---- What is wrong ---- */

struct broken {
    uint64_t w[2];
    int ret;
    uint8_t kind;
    uint8_t hardware;
    const char *field;
    const char *what; /* the feature that is needed, or the rule */
    uint64_t number;  /* the limit; of a reserved bit, its number in the command */
};

static void check_fault(const struct xinv_iommu *iommu, const struct broken *b,
                        const struct xinv_fault *f, const char *where)
{
    const char *field = f->field ? f->field : "";

    cr_expect_eq(f->kind, b->kind, "%s: fault %u", where, f->kind);
    cr_expect_eq(f->hardware, b->hardware, "%s: %s", where, xinv_hardware_text(f->hardware));
    cr_expect_str_eq(field, b->field ? b->field : "", "%s: field %s", where, field);
    if (f->kind == XINV_FAULT_FEATURE)
        cr_expect_str_eq(iommu->vendor->features[f->need.feature].name, b->what, "%s: needs %s",
                         where, iommu->vendor->features[f->need.feature].name);
    if (f->kind == XINV_FAULT_RULE)
        cr_expect_str_eq(f->rule, b->what, "%s: %s", where, f->rule);
    if (f->kind == XINV_FAULT_LIMIT)
        cr_expect_eq(f->limit, b->number, "%s: limit 0x%" PRIx64, where, f->limit);
    if (f->kind == XINV_FAULT_RESERVED)
        cr_expect_eq(f->word * 64u + f->bit, b->number, "%s: bit %u", where,
                     f->word * 64u + f->bit);
}

static void refused(const struct xinv_iommu *iommu, const struct broken *list, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        uint64_t w[XINV_COMMAND_WORDS] = {list[i].w[0], list[i].w[1], 0, 0};
        uint64_t out[XINV_COMMAND_WORDS] = {7, 7, 7, 7};
        struct xinv_fault fault = {0};
        struct xinv_decoded d;
        char where[64];

        snprintf(where, sizeof(where), "%016" PRIx64 " %016" PRIx64, w[0], w[1]);
        cr_expect_eq(xinv_decode(iommu, w, &d), list[i].ret, "%s", where);
        check_fault(iommu, &list[i], &d.fault, where);
        if (list[i].kind == XINV_FAULT_RESERVED || list[i].kind == XINV_FAULT_OPCODE)
            continue;
        /* the encoder refuses the same for the same reason, and writes nothing */
        cr_expect_eq(xinv_encode(iommu, d.name, d.fields, d.n_fields, out, &fault), list[i].ret,
                     "%s", where);
        check_fault(iommu, &list[i], &fault, where);
        cr_expect_eq(out[0], 7, "%s", where);
    }
}

#define RESERVED(bit, hw)        -XINV_E_INVAL, XINV_FAULT_RESERVED, XINV_HW_##hw, NULL, NULL, bit
#define FEATURE(field, name, hw) -XINV_E_UNSUPP, XINV_FAULT_FEATURE, XINV_HW_##hw, field, name, 0
#define LIMIT(field, most, hw)   -XINV_E_TAG, XINV_FAULT_LIMIT, XINV_HW_##hw, field, NULL, most
#define RULE(field, text, hw)    -XINV_E_INVAL, XINV_FAULT_RULE, XINV_HW_##hw, field, text, 0
#define OPCODE(hw)               -XINV_E_NOENT, XINV_FAULT_OPCODE, XINV_HW_##hw, NULL, NULL, 0

Test(codec, smmuv3_illegal_commands_say_which_rule)
{
    static const struct broken list[] = {
        {{0x08, 0}, OPCODE(CERROR_ILL)},
        {{0x80, 0}, OPCODE(CERROR_ILL)},
        {{0x10, 1}, RESERVED(64, MAY_CERROR_ILL)},
        {{0x805, 0}, RESERVED(11, MAY_CERROR_ILL)}, /* CFGI_CD has no SSV */
        {{0x403, 0}, RULE("SSec", "1 belongs to the Secure queue", CERROR_ILL)},
        {{0x18, 0}, RULE(NULL, "the command belongs to the Secure queue", CERROR_ILL)},
        {{0x5a, 0}, RULE(NULL, "the command belongs to the Secure queue", CERROR_ILL)},
        {{0x60, 0}, RULE(NULL, "the command belongs to the Secure queue", CERROR_ILL)},
        {{0x40, 53}, RULE("Size", "above 52", MAY_CERROR_ILL)},
        {{0x41, 0x3000}, RULE("Resp", "3 is reserved", CERROR_ILL)},
        {{0x3046, 0}, RULE("CS", "3 is reserved", CERROR_ILL)},
        {{0x46, UINT64_C(1) << 63},
         RULE("MSI_NS", "1 belongs to the Secure or Realm queue", MAY_CERROR_ILL)},
        {{0x02, 0x400}, RULE("NS", "1 belongs to the Secure or Realm queue", MAY_CERROR_ILL)},
        /* 4.4.1.1 */
        {{0x1012, 0}, RULE("TG", "0, but NUM, SCALE or TTL is not", MAY_CERROR_ILL)},
        {{0x100012, 0}, RULE("TG", "0, but NUM, SCALE or TTL is not", MAY_CERROR_ILL)},
        {{0x2a, 0x300}, RULE("TG", "0, but NUM, SCALE or TTL is not", MAY_CERROR_ILL)},
        {{0x22, 0x80}, RULE("TG", "0, but NUM, SCALE or TTL is not", MAY_CERROR_ILL)},
        {{0x12, 0x400}, RULE("TG", "not 0, but NUM, SCALE and TTL are", CERROR_ILL)},
        {{0x2a, 0xc00}, RULE("TG", "not 0, but NUM, SCALE and TTL are", CERROR_ILL)},
        /* level 2 of 4 KiB: 20:12; level 1 of 16 KiB with DS: 35:12; any level of 64 KiB: 15:12 */
        {{0x12, 0x101600}, RULE("Address", "not aligned to what TTL and TG say", NO_ERROR)},
        {{0x12, UINT64_C(0x800000900)},
         RULE("Address", "not aligned to what TTL and TG say", NO_ERROR)},
        {{0x1012, 0x8c00}, RULE("Address", "not aligned to what TTL and TG say", NO_ERROR)},
        /* 4 KiB, level 1, 128-bit descriptors: 27:12 */
        {{0x12, 0x8000580}, RULE("Address", "not aligned to what TTL and TG say", NO_ERROR)},
    };
    struct xinv_iommu iommu = smmu();

    refused(&iommu, list, COUNT(list));
}

Test(codec, smmuv3_commands_beyond_a_narrow_iommu)
{
    /* arm-smmuv3-minimal: stages 1 and 2, 8-bit tags, 16-bit StreamIDs, no SubstreamIDs */
    static const struct broken list[] = {
        {{0x40, 0}, FEATURE(NULL, "ATS", CERROR_ILL)},
        {{0x41, 0}, FEATURE(NULL, "PRI", CERROR_ILL)},
        {{0x20, 0}, FEATURE(NULL, "Hyp", CERROR_ILL)},
        {{0x07, 0}, FEATURE(NULL, "MPAM", CERROR_ILL)},
        {{0x70, 0}, FEATURE(NULL, "DPT", CERROR_ILL)},
        {{0x1012, 0x400}, FEATURE("NUM", "RIL", MAY_CERROR_ILL)},
        {{0x12, 0x700}, FEATURE("TTL", "RIL", MAY_CERROR_ILL)},
        {{0x12, 0x80}, FEATURE("TTL128", "D128", MAY_CERROR_ILL)},
        {{UINT64_C(0x0100000000000011), 0}, LIMIT("ASID", 0xff, NO_ERROR)},
        {{UINT64_C(0x0000010000000011), 0}, LIMIT("VMID", 0xff, NO_ERROR)},
        {{UINT64_C(0x0001000000000003), 0}, LIMIT("SID", 0xffff, NO_ERROR)},
        {{0x1005, 0}, LIMIT("SSID", 0, NO_ERROR)},
    };
    static const struct broken no_stall[] = {{{0x44, 0}, FEATURE(NULL, "STALL_MODEL", CERROR_ILL)},
                                             {{0x45, 0}, FEATURE(NULL, "STALL_MODEL", CERROR_ILL)}};
    static const struct broken no_s1[] = {{{0x10, 0}, FEATURE(NULL, "S1P", CERROR_ILL)},
                                          {{0x05, 0}, FEATURE(NULL, "S1P", CERROR_ILL)}};
    static const struct broken no_s2[] = {
        {{0x28, 0}, FEATURE(NULL, "S2P", CERROR_ILL)},
        {{UINT64_C(0x0000000100000010), 0}, FEATURE("VMID", "S2P", NO_ERROR)}};
    static const struct broken no_ds[] = {
        {{0x2000012, 0x400}, RESERVED(25, MAY_CERROR_ILL)},
        /* TTL 1 of 16 KiB counts as 0 without DS */
        {{0x12, 0x900}, RULE("TTL", "1 with the 16 KiB granule needs DS", CERROR_ILL)},
        {{0x1012, 0x900}, RULE("TTL", "1 with the 16 KiB granule needs DS", NO_ERROR)}};
    static const struct broken vcmdq[] = {
        {{0x03, 0}, FEATURE(NULL, "CMDQV_GUEST", CERROR_ILL)},
        {{0x1046, 0}, RULE("CS", "a guest's VCMDQ takes 0 only", UNSPECIFIED)}};
    static const struct broken oas_32[] = {
        {{0x1046, UINT64_C(0x100000000)}, LIMIT("MSIAddr", 0xfffffffc, NO_ERROR)}};
    static const struct broken hisilicon[] = {
        {{0x01, 0}, FEATURE(NULL, "NO_PREFETCH", UNSPECIFIED)}};
    static const struct test_setting stall[] = {{"STALL_MODEL", 1}};
    static const struct test_setting s1[] = {{"S1P", 0}};
    static const struct test_setting s2[] = {{"S2P", 0}};
    static const struct test_setting guest[] = {{"CMDQV_GUEST", 1}};
    static const struct test_setting oas[] = {{"OAS", 0}};
    struct xinv_iommu iommu = test_iommu_with("arm-smmuv3-minimal", NULL, 0);

    refused(&iommu, list, COUNT(list));
    iommu = test_iommu_with("arm-smmuv3-ril", stall, 1);
    refused(&iommu, no_stall, COUNT(no_stall));
    iommu = test_iommu_with("arm-smmuv3-ril", s1, 1);
    refused(&iommu, no_s1, COUNT(no_s1));
    iommu = test_iommu_with("arm-smmuv3-ril", s2, 1);
    refused(&iommu, no_s2, COUNT(no_s2));
    iommu = test_iommu_with("arm-smmuv3-ril", NULL, 0);
    refused(&iommu, no_ds, COUNT(no_ds));
    iommu = test_iommu_with("arm-smmuv3-ril", guest, 1);
    refused(&iommu, vcmdq, COUNT(vcmdq));
    iommu = test_iommu_with("arm-smmuv3-ril", oas, 1);
    refused(&iommu, oas_32, COUNT(oas_32));
    iommu = test_iommu_with("hisilicon-hip07", NULL, 0);
    refused(&iommu, hisilicon, COUNT(hisilicon));
}

Test(codec, vtd_illegal_descriptors_say_which_rule)
{
    static const struct broken list[] = {
        {{0x0, 0}, OPCODE(IQE_TYPE)},
        {{0xa, 0}, OPCODE(IQE_TYPE)},
        {{0x205, 0}, OPCODE(IQE_TYPE)}, /* type 0x15 */
        {{0x41, 0}, RESERVED(6, IQE_RESERVED)},
        {{0x29, 0}, RESERVED(5, IQE_RESERVED)},
        {{0x01, 0}, RULE("G", "0 is reserved", IQE_RESERVED)},
        {{0x02, 0}, RULE("G", "0 is reserved", IQE_RESERVED)},
        {{0x06, 0}, RULE("G", "0 and 1 are reserved", IQE_RESERVED)},
        {{0x16, 0}, RULE("G", "0 and 1 are reserved", IQE_RESERVED)},
        {{0x27, 0}, RULE("G", "2 is reserved", IQE_RESERVED)},
        {{0x03, UINT64_C(0xfffffffffffff001)},
         RULE("ADDR", "all ones, which have no size", UNSPECIFIED)},
        {{0x08, UINT64_C(0xfffffffffffff800)},
         RULE("ADDR", "all ones, which have no size", UNSPECIFIED)},
    };
    struct xinv_iommu iommu = vtd();

    refused(&iommu, list, COUNT(list));
}

Test(codec, vtd_descriptors_beyond_a_unit)
{
    /* intel-vtd-legacy: 128-bit ring, MAMV 18, MHMV 15, 16-bit DIDs, no Device-TLBs, no DIT, no PDS
     */
    static const struct test_setting legacy[] = {{"ND", 2}, {"DT", 1}, {"MHMV", 4}};
    static const struct broken narrow[] = {
        {{0x26, 0}, FEATURE(NULL, "queue_width", IQE_WIDTH)},
        {{0x07, 0}, FEATURE(NULL, "queue_width", IQE_WIDTH)},
        {{0x08, 0}, FEATURE(NULL, "queue_width", IQE_WIDTH)},
        {{0x09, 0}, FEATURE(NULL, "queue_width", IQE_WIDTH)},
        {{0x32, 19}, LIMIT("AM", 18, IQE)},
        {{0x1000022, 0}, LIMIT("DID", 0xff, NO_ERROR)},
        {{0x28000014, 0}, LIMIT("IM", 4, IQE)},
        {{0x1003, 0}, FEATURE("PFSID", "DIT", IQE_RESERVED)},
        {{UINT64_C(0x0010000000000003), 0}, FEATURE("PFSID", "DIT", IQE_RESERVED)},
        {{0x85, 0}, FEATURE("PD", "PDS", IQE_RESERVED)},
    };
    static const struct test_setting bare[] = {{"DT", 0}, {"IR", 0}, {"PSI", 0}};
    static const struct broken less[] = {
        {{0x03, 0}, FEATURE(NULL, "DT", IQE_TYPE)},
        {{0x04, 0}, FEATURE(NULL, "IR", IQE_TYPE)},
        {{0x32, 0}, FEATURE("G", "PSI", IQE)},
    };
    static const struct test_setting wide_legacy[] = {{"ttm", 0}};
    static const struct broken types_6_to_9[] = {{{0x26, 0}, FEATURE(NULL, "ttm", IQE_TYPE)},
                                                 {{0x09, 0}, FEATURE(NULL, "ttm", IQE_TYPE)}};
    static const struct test_setting small[] = {{"PSS", 3}, {"PASID", 0}, {"PRS", 0}};
    static const struct broken no_pasid[] = {
        {{0x08, 0}, FEATURE(NULL, "PASID", IQE_TYPE)},
        {{0x09, 0}, FEATURE(NULL, "PRS", IQE_TYPE)},
        {{UINT64_C(0x0000001000000026), 0}, LIMIT("PASID", 15, UNSPECIFIED)},
    };
    struct xinv_iommu iommu = test_iommu_with("intel-vtd-legacy", legacy, COUNT(legacy));

    refused(&iommu, narrow, COUNT(narrow));
    iommu = test_iommu_with("intel-vtd-legacy", bare, COUNT(bare));
    refused(&iommu, less, COUNT(less));
    iommu = test_iommu_with("intel-vtd-scalable", wide_legacy, COUNT(wide_legacy));
    refused(&iommu, types_6_to_9, COUNT(types_6_to_9));
    iommu = test_iommu_with("intel-vtd-scalable", small, COUNT(small));
    refused(&iommu, no_pasid, COUNT(no_pasid));
}

Test(codec, the_upper_half_of_a_wide_descriptor_is_reserved)
{
    struct xinv_iommu iommu = vtd();
    struct xinv_decoded d;

    for (unsigned bit = 128; bit < 256; bit++) {
        uint64_t w[XINV_COMMAND_WORDS] = {0x12, 0, 0, 0};

        w[bit / 64] = UINT64_C(1) << (bit % 64);
        cr_expect_eq(xinv_decode(&iommu, w, &d), -XINV_E_INVAL);
        cr_expect_eq(d.fault.kind, XINV_FAULT_RESERVED);
        cr_expect_eq(d.fault.word * 64u + d.fault.bit, bit);
        cr_expect_str_eq(d.name, "iotlb");
    }
}

Test(codec, amd_illegal_commands_say_why)
{
    static const struct test_setting off[] = {{"IotlbSup", 0}, {"GTSup", 0},  {"PPRSup", 0},
                                              {"IASup", 0},    {"PASmax", 7}, {"PreFSup", 0}};
    static const struct broken less[] = {
        {{UINT64_C(0x0), 0}, OPCODE(ILLEGAL_COMMAND)},
        {{UINT64_C(0xb) << 60, 0}, OPCODE(ILLEGAL_COMMAND)},
        {{UINT64_C(0x4) << 60, 0}, FEATURE(NULL, "IotlbSup", ILLEGAL_COMMAND)},
        {{UINT64_C(0x6) << 60, 0}, FEATURE(NULL, "PreFSup", ILLEGAL_COMMAND)},
        {{UINT64_C(0x7) << 60, 0}, FEATURE(NULL, "PPRSup", ILLEGAL_COMMAND)},
        {{UINT64_C(0x8) << 60, 0}, FEATURE(NULL, "IASup", ILLEGAL_COMMAND)},
        {{UINT64_C(0x9) << 60, 0}, FEATURE(NULL, "vIommuSup", ILLEGAL_COMMAND)},
        {{UINT64_C(0xa) << 60, 0}, FEATURE(NULL, "vIommuSup", ILLEGAL_COMMAND)},
        {{UINT64_C(0x3) << 60, 4}, FEATURE("GN", "GTSup", ILLEGAL_COMMAND)},
    };
    static const struct test_setting narrow[] = {{"PASmax", 7}, {"InvIotlbTypeSup", 0}};
    static const struct broken list[] = {
        {{UINT64_C(0x4) << 60, 0x10}, FEATURE("Type", "InvIotlbTypeSup", ILLEGAL_COMMAND)},
        {{UINT64_C(0x3000000000000100), 4}, LIMIT("PASID", 0xff, UNSPECIFIED)},
        {{UINT64_C(0x4100000000000000), 4}, LIMIT("PASID", 0xff, UNSPECIFIED)},
        {{UINT64_C(0x1010000000000000), 0}, RESERVED(52, ILLEGAL_COMMAND)},
        {{UINT64_C(0x4) << 60, 2}, RESERVED(65, ILLEGAL_COMMAND)},
        {{UINT64_C(0x3) << 60, UINT64_C(0xfffffffffffff001)},
         RULE("Address", "all ones, which have no size", UNSPECIFIED)},
        {{UINT64_C(0x4) << 60, UINT64_C(0xfffffffffffff001)},
         RULE("Address", "all ones, which have no size", UNSPECIFIED)},
    };
    struct xinv_iommu iommu = test_iommu_with("amd-vi-generic", off, COUNT(off));

    refused(&iommu, less, COUNT(less));
    iommu = test_iommu_with("amd-vi-generic", narrow, COUNT(narrow));
    refused(&iommu, list, COUNT(list));
}

/* ---- The limits themselves are taken ---- */

static void taken(const char *platform, const struct test_setting *features, size_t n,
                  const uint64_t (*words)[2], size_t n_commands)
{
    struct xinv_iommu iommu = test_iommu_with(platform, features, n);

    for (size_t i = 0; i < n_commands; i++) {
        uint64_t w[XINV_COMMAND_WORDS] = {words[i][0], words[i][1], 0, 0};
        struct xinv_decoded d;

        cr_expect_eq(xinv_decode(&iommu, w, &d), 0, "%s: %016" PRIx64 " %016" PRIx64 ": fault %u",
                     platform, w[0], w[1], d.fault.kind);
    }
}

Test(codec, a_value_at_its_limit_is_taken)
{
    /* ASID and VMID of 8 bits, StreamIDs of 16; RESUME with STALL_MODEL 0; SYNC up to CS 2 */
    static const uint64_t minimal[][2] = {{UINT64_C(0x00ff00ff00000011), 0},
                                          {UINT64_C(0x0000ffff00000003), 0},
                                          {0x44, 0xffff},
                                          {0x2046, 0}};
    /* ATC_INV Size 52; PRI_RESP Resp 2; aligned starts of 4 KiB levels 1 and 2, 64 KiB level 3;
     * IDR5.OAS 5 is 48 bits of an MSI's address */
    static const struct test_setting pri[] = {{"PRI", 1}};
    static const uint64_t ril[][2] = {{0x40, 52},
                                      {0x41, 0x2000},
                                      {0x12, UINT64_C(0x40000500)},
                                      {0x12, 0x200600},
                                      {0x12, 0x10f00},
                                      {0x1012, 0x10c00},
                                      {0x1012, 0x4800},
                                      {0x1046, UINT64_C(0xfffffffffffc)}};
    static const uint64_t ril_forced[][2] = {{0x45, 0}};
    static const struct test_setting forced[] = {{"STALL_MODEL", 2}};
    static const struct test_setting unit[] = {{"ND", 2}, {"MHMV", 4}, {"DT", 1}};
    static const uint64_t legacy[][2] = {{0x32, 18},
                                         {0xff0022, 0},
                                         {0x20000014, 0},
                                         {0x03, UINT64_C(0x7ffffffffffff001)},
                                         {0x03, UINT64_C(0xfffffffffffff000)},
                                         {0x05, 0}};
    static const struct test_setting scalable[] = {{"PSS", 3}};
    /* AM of p_iotlb is not bound by MAMV; pc takes 0, 1 and 3 */
    static const uint64_t wide[][2] = {
        {UINT64_C(0x0000000f00000036), 51}, {0x07, 0}, {0x17, 0}, {0x37, 0}};
    static const struct test_setting pasid[] = {{"PASmax", 7}};
    static const uint64_t amd_8[][2] = {{UINT64_C(0x30000000000000ff), 4},
                                        {UINT64_C(0x40ff000000000000), 4},
                                        {UINT64_C(0x3) << 60, UINT64_C(0x7ffffffffffff003)}};

    taken("arm-smmuv3-minimal", NULL, 0, minimal, COUNT(minimal));
    taken("arm-smmuv3-ril", pri, 1, ril, COUNT(ril));
    taken("arm-smmuv3-ril", forced, 1, ril_forced, 1);
    taken("intel-vtd-legacy", unit, COUNT(unit), legacy, COUNT(legacy));
    taken("intel-vtd-scalable", scalable, 1, wide, COUNT(wide));
    taken("amd-vi-generic", pasid, 1, amd_8, COUNT(amd_8));
}

/* 4.4.1.1: the start's bits from 12 to this one must be 0 */
Test(codec, a_range_starts_where_its_granule_and_level_say)
{
    static const struct {
        uint8_t tg, ttl, ttl128, high;
    } list[] = {
        {1, 1, 0, 29}, {1, 2, 0, 20}, {2, 0, 0, 13}, {2, 1, 0, 35}, {2, 2, 0, 24}, {2, 3, 0, 13},
        {3, 0, 0, 15}, {3, 1, 0, 41}, {3, 2, 0, 28}, {3, 3, 0, 15}, {1, 1, 1, 27}, {1, 2, 1, 19},
        {2, 1, 1, 33}, {2, 2, 1, 23}, {2, 3, 1, 13}, {3, 1, 1, 39}, {3, 2, 1, 27}, {3, 3, 1, 15},
    };
    struct xinv_iommu iommu = smmu();

    for (size_t i = 0; i < COUNT(list); i++) {
        /* NUM 1 */
        uint64_t w[2] = {0x1012, (uint64_t)list[i].tg << 10 | (uint64_t)list[i].ttl << 8 |
                                     (uint64_t)list[i].ttl128 << 7};
        struct xinv_decoded d;

        w[1] |= UINT64_C(1) << (list[i].high + 1);
        cr_expect_eq(xinv_decode(&iommu, w, &d), 0, "TG %u, TTL %u, TTL128 %u", list[i].tg,
                     list[i].ttl, list[i].ttl128);
        for (unsigned bit = 12; bit <= list[i].high; bit++) {
            uint64_t low[2] = {w[0], w[1] | UINT64_C(1) << bit};

            cr_expect_eq(xinv_decode(&iommu, low, &d), -XINV_E_INVAL, "TG %u, TTL %u, TTL128 %u",
                         list[i].tg, list[i].ttl, list[i].ttl128);
            cr_expect_str_eq(d.fault.field, "Address");
        }
    }
}

/* ---- Encoding by name ---- */

static void bad_fields(const char *name, const struct xinv_field *fields, unsigned n, int ret,
                       uint8_t kind, const char *field, uint64_t limit)
{
    struct xinv_iommu iommu = smmu();
    struct xinv_fault fault = {0};
    uint64_t w[2] = {7, 7};

    cr_expect_eq(xinv_encode(&iommu, name, fields, n, w, &fault), ret, "%s", name);
    cr_expect_eq(fault.kind, kind, "%s: fault %u", name, fault.kind);
    cr_expect(field ? fault.field && !strcmp(fault.field, field) : !fault.field, "%s", name);
    cr_expect_eq(fault.limit, limit, "%s: 0x%" PRIx64, name, fault.limit);
    cr_expect(w[0] == 7 && w[1] == 7, "%s", name);
}

Test(codec, encode_says_what_it_cannot_encode)
{
    static const struct xinv_field wide[] = {{"ASID", 0x10000}};
    static const struct xinv_field low[] = {{"Address", 0x1001}};
    static const struct xinv_field split[] = {{"SCALE", 64}};
    static const struct xinv_field stranger[] = {{"ASID", 1}};
    static const struct xinv_field twice[] = {{"VMID", 1}, {"ASID", 2}, {"VMID", 1}};
    static const struct xinv_field part[] = {{"SID", 0}, {"Range", 5}};

    bad_fields("TLBI_NONE", NULL, 0, -XINV_E_NOENT, XINV_FAULT_OPCODE, NULL, 0);
    bad_fields("TLBI_NH_AS", NULL, 0, -XINV_E_NOENT, XINV_FAULT_OPCODE, NULL, 0);
    bad_fields("TLBI_NH_ASID", wide, 1, -XINV_E_TAG, XINV_FAULT_WIDTH, "ASID", 0xffff);
    bad_fields("TLBI_NH_VA", low, 1, -XINV_E_TAG, XINV_FAULT_WIDTH, "Address",
               UINT64_C(0xfffffffffffff000));
    bad_fields("TLBI_NH_VA", split, 1, -XINV_E_TAG, XINV_FAULT_WIDTH, "SCALE", 63);
    bad_fields("TLBI_NH_ALL", stranger, 1, -XINV_E_INVAL, XINV_FAULT_FIELD, "ASID", 0);
    bad_fields("TLBI_NH_ASID", twice, 3, -XINV_E_INVAL, XINV_FAULT_FIELD, "VMID", 0xffff);
    bad_fields("CFGI_ALL", part, 2, -XINV_E_INVAL, XINV_FAULT_RULE, "Range", 31);
}

Test(codec, cfgi_all_is_the_range_form_with_31)
{
    static const struct xinv_field range[] = {{"Range", 31}};
    struct xinv_iommu iommu = smmu();
    uint64_t w[2] = {7, 7};

    cr_expect_eq(xinv_encode(&iommu, "CFGI_ALL", NULL, 0, w, NULL), 2);
    cr_expect(w[0] == 4 && w[1] == 31);
    cr_expect_eq(xinv_encode(&iommu, "CFGI_ALL", range, 1, w, NULL), 2);
    cr_expect_eq(xinv_encode(&iommu, "CFGI_STE_RANGE", range, 1, w, NULL), 2);
    cr_expect(w[0] == 4 && w[1] == 31);
}

Test(codec, format_returns_the_length_that_it_needs)
{
    struct xinv_iommu iommu = smmu();
    uint64_t w[2] = {UINT64_C(0x5678123400000011), 0};
    struct xinv_decoded d;
    char text[64];

    cr_assert_eq(xinv_decode(&iommu, w, &d), 0);
    cr_expect_eq(xinv_format(&d, NULL, 0), strlen("TLBI_NH_ASID VMID=0x1234 ASID=0x5678"));
    cr_expect_eq(xinv_format(&d, text, 8), strlen("TLBI_NH_ASID VMID=0x1234 ASID=0x5678"));
    cr_expect_str_eq(text, "TLBI_NH");
    w[0] = 8;
    cr_expect_eq(xinv_decode(&iommu, w, &d), -XINV_E_NOENT);
    cr_expect_null(d.name);
    xinv_format(&d, text, sizeof(text));
    cr_expect_str_eq(text, "?");
}
