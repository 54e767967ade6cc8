// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
#include "tests/support/refdec.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FAIL(...) return snprintf(err, errlen, __VA_ARGS__), -1

static void add(struct refdec_cmd *c, const char *name, uint64_t value)
{
    c->fields[c->nfields++] = (struct refdec_field){name, value};
}

uint64_t refdec_field(const struct refdec_cmd *cmd, const char *name)
{
    for (unsigned i = 0; i < cmd->nfields; i++)
        if (!strcmp(cmd->fields[i].name, name))
            return cmd->fields[i].value;
    fprintf(stderr, "%s has no field %s\n", cmd->name, name);
    abort();
}

static void span(struct refdec_cmd *c, uint64_t first, unsigned log2)
{
    uint64_t mask = log2 >= 64 ? UINT64_MAX : (UINT64_C(1) << log2) - 1;

    c->has_range = true;
    c->first = first & ~mask;
    c->last = first | mask;
}

/* ---- SMMUv3 (IHI 0070, chapter 4) ---- */

/* Range, leaf and hint of an address TLBI: NUM 16:12, SCALE 24:20, Leaf 64, TTL 73:72, TG 75:74,
 * address 127:76. */
static int smmu_range(const struct refdec_caps *caps, const uint64_t *w, struct refdec_cmd *c,
                      char *err, size_t errlen)
{
    uint64_t num = w[0] >> 12 & 31;
    uint64_t scale = w[0] >> 20 & 31;
    uint64_t ttl = w[1] >> 8 & 3;
    uint64_t tg = w[1] >> 10 & 3;
    uint64_t address = w[1] & ~UINT64_C(0xfff);
    unsigned granule = (unsigned)(10 + 2 * tg);
    unsigned level = 12;

    add(c, "NUM", num);
    add(c, "SCALE", scale);
    add(c, "Leaf", w[1] & 1);
    add(c, "TTL", ttl);
    add(c, "TG", tg);
    add(c, "Address", address);
    if (w[1] & 0xfe)
        FAIL("reserved bits in 71:65");
    if (!tg) {
        if (num || scale || ttl)
            FAIL("TG = 0 with NUM, SCALE or TTL");
        span(c, address, 12);
        return 0;
    }
    if (!caps->ril)
        FAIL("TG without IDR3.RIL");
    if (!num && !scale && !ttl)
        FAIL("TG with NUM = SCALE = TTL = 0 is reserved");
    if (ttl == 1)
        level = tg == 1 ? 30 : tg == 2 ? (caps->ds ? 36 : 14) : 42;
    else if (ttl == 2)
        level = tg == 1 ? 21 : tg == 2 ? 25 : 29;
    else
        level = granule;
    if (address & ((UINT64_C(1) << level) - 1))
        FAIL("the start is not aligned to what TTL and TG say");
    c->has_range = true;
    c->first = address;
    c->last = address + (((num + 1) << scale) << granule) - 1;
    if (((num + 1) << scale) >> (64 - granule) || c->last < address)
        c->last = UINT64_MAX;
    return 0;
}

static int smmu_ids(const struct refdec_caps *caps, const uint64_t *w, bool vmid, bool asid,
                    struct refdec_cmd *c, char *err, size_t errlen)
{
    uint64_t v = w[0] >> 32 & 0xffff;
    uint64_t a = w[0] >> 48;

    if (vmid)
        add(c, "VMID", v);
    if (asid)
        add(c, "ASID", a);
    if ((!vmid && v) || (!asid && a))
        FAIL("reserved bits in 63:32");
    if (vmid && !caps->vmid16 && v > 0xff)
        FAIL("VMID needs IDR0.VMID16");
    if (vmid && !caps->s2p && v)
        FAIL("VMID is reserved without IDR0.S2P");
    if (asid && !caps->asid16 && a > 0xff)
        FAIL("ASID needs IDR0.ASID16");
    return 0;
}

static int smmu_sid(const struct refdec_caps *caps, const uint64_t *w, struct refdec_cmd *c,
                    char *err, size_t errlen)
{
    add(c, "SID", w[0] >> 32);
    if (caps->sidsize < 32 && (w[0] >> 32) >> caps->sidsize)
        FAIL("StreamID is wider than IDR1.SIDSIZE");
    return 0;
}

static int smmu_ssid(const struct refdec_caps *caps, const uint64_t *w, struct refdec_cmd *c,
                     char *err, size_t errlen)
{
    add(c, "SSID", w[0] >> 12 & 0xfffff);
    if ((w[0] >> 12 & 0xfffff) >> caps->ssidsize)
        FAIL("SubstreamID is wider than IDR1.SSIDSIZE");
    return 0;
}

static int smmu_tlbi(const struct refdec_caps *caps, const uint64_t *w, struct refdec_cmd *c,
                     char *err, size_t errlen)
{
    static const struct {
        uint8_t op;
        const char *name;
        bool vmid, asid, range, el2, s2;
    } table[] = {
        {0x10, "TLBI_NH_ALL", true, false, false, false, false},
        {0x11, "TLBI_NH_ASID", true, true, false, false, false},
        {0x12, "TLBI_NH_VA", true, true, true, false, false},
        {0x13, "TLBI_NH_VAA", true, false, true, false, false},
        {0x20, "TLBI_EL2_ALL", false, false, false, true, false},
        {0x21, "TLBI_EL2_ASID", false, true, false, true, false},
        {0x22, "TLBI_EL2_VA", false, true, true, true, false},
        {0x23, "TLBI_EL2_VAA", false, false, true, true, false},
        {0x28, "TLBI_S12_VMALL", true, false, false, false, true},
        {0x2a, "TLBI_S2_IPA", true, false, true, false, true},
        {0x30, "TLBI_NSNH_ALL", false, false, false, false, false},
    };
    unsigned op = w[0] & 0xff;

    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        if (table[i].op != op)
            continue;
        c->name = table[i].name;
        if (table[i].el2 ? !caps->hyp : table[i].s2 ? !caps->s2p : op != 0x30 && !caps->s1p)
            FAIL("CERROR_ILL: the stage or EL2 is not there");
        if (w[0] & 0xfe0e0f00)
            FAIL("reserved bits in 31:8");
        if (!table[i].range && ((w[0] & 0x01f1f000) || w[1]))
            FAIL("reserved bits: this TLBI has no range");
        if (op == 0x2a && w[1] >> 56)
            FAIL("IPA above bit 55");
        if (smmu_ids(caps, w, table[i].vmid, table[i].asid, c, err, errlen))
            return -1;
        return table[i].range ? smmu_range(caps, w, c, err, errlen) : 0;
    }
    FAIL("CERROR_ILL: opcode 0x%02x", op);
}

static int smmu_cfgi(const struct refdec_caps *caps, const uint64_t *w, struct refdec_cmd *c,
                     char *err, size_t errlen)
{
    unsigned op = w[0] & 0xff;

    if (w[0] & (op == 5 ? 0xf00u : 0xffffff00u))
        FAIL("reserved bits in word 0");
    if (op >= 5 && !caps->s1p)
        FAIL("CERROR_ILL: CFGI_CD without IDR0.S1P");
    if (op == 4) {
        c->name = (w[1] & 31) == 31 ? "CFGI_ALL" : "CFGI_STE_RANGE";
        add(c, "Range", w[1] & 31);
        if (w[1] & ~UINT64_C(31))
            FAIL("reserved bits in word 1");
        return smmu_sid(caps, w, c, err, errlen);
    }
    c->name = op == 3 ? "CFGI_STE" : op == 5 ? "CFGI_CD" : "CFGI_CD_ALL";
    if (w[1] & ~UINT64_C(1) || (op == 6 && w[1]))
        FAIL("reserved bits in word 1");
    if (op != 6)
        add(c, "Leaf", w[1] & 1);
    if (op == 5 && smmu_ssid(caps, w, c, err, errlen))
        return -1;
    return smmu_sid(caps, w, c, err, errlen);
}

static int smmu_atc(const struct refdec_caps *caps, const uint64_t *w, struct refdec_cmd *c,
                    char *err, size_t errlen)
{
    uint64_t size = w[1] & 0x3f;

    c->name = "ATC_INV";
    if (!caps->ats)
        FAIL("CERROR_ILL: ATC_INV without IDR0.ATS");
    if ((w[0] & 0x500) || (w[1] & 0xfc0))
        FAIL("reserved bits");
    add(c, "Global", w[0] >> 9 & 1);
    add(c, "SSV", w[0] >> 11 & 1);
    if (!(w[0] >> 11 & 1) && (w[0] >> 12 & 0xfffff))
        FAIL("SubstreamID without SSV");
    if (smmu_ssid(caps, w, c, err, errlen) || smmu_sid(caps, w, c, err, errlen))
        return -1;
    add(c, "Size", size);
    add(c, "Address", w[1] & ~UINT64_C(0xfff));
    if (size > 52)
        FAIL("Size above 52");
    span(c, w[1] & ~UINT64_C(0xfff), (unsigned)size + 12);
    return 0;
}

static int smmu_sync(const struct refdec_caps *caps, const uint64_t *w, struct refdec_cmd *c,
                     char *err, size_t errlen)
{
    uint64_t cs = w[0] >> 12 & 3;

    c->name = "SYNC";
    add(c, "CS", cs);
    add(c, "MSH", w[0] >> 22 & 3);
    add(c, "MSIAttr", w[0] >> 24 & 15);
    add(c, "MSIData", w[0] >> 32);
    add(c, "MSIAddr", w[1] & UINT64_C(0x00fffffffffffffc));
    if (cs == 3)
        FAIL("CERROR_ILL: CS = 3");
    if ((w[0] & 0xf03fcf00) || (w[1] & ~UINT64_C(0x00fffffffffffffc)))
        FAIL("reserved bits");
    if ((w[0] >> 32 || w[1]) && (cs != 1 || !caps->msi))
        FAIL("an MSI that would be ignored");
    return 0;
}

static int smmu(const struct refdec_caps *caps, const uint64_t *w, struct refdec_cmd *c, char *err,
                size_t errlen)
{
    switch (w[0] & 0xff) {
    case 3:
    case 4:
    case 5:
    case 6:
        return smmu_cfgi(caps, w, c, err, errlen);
    case 0x40:
        return smmu_atc(caps, w, c, err, errlen);
    case 0x46:
        return smmu_sync(caps, w, c, err, errlen);
    default:
        return smmu_tlbi(caps, w, c, err, errlen);
    }
}

/* ---- VT-d (6.5.2) ---- */

/* Device-TLB region: with S, the first zero at or above bit 12 gives the size. */
static int ats_span(uint64_t address, bool sized, struct refdec_cmd *c, char *err, size_t errlen)
{
    unsigned n = 0;

    if (!sized) {
        span(c, address, 12);
        return 0;
    }
    while (n < 52 && (address >> (12 + n) & 1))
        n++;
    if (n == 52)
        FAIL("an address of all ones has no size");
    span(c, address, 12 + n + 1);
    return 0;
}

static int vtd_pages(const struct refdec_caps *caps, const uint64_t *w, bool second,
                     struct refdec_cmd *c, char *err, size_t errlen)
{
    unsigned am = w[1] & 0x3f;

    add(c, "AM", am);
    add(c, "IH", w[1] >> 6 & 1);
    add(c, "ADDR", w[1] & ~UINT64_C(0xfff));
    if (second && (!caps->psi || am > caps->mamv))
        FAIL("AM above CAP.MAMV, or no CAP.PSI");
    if (am > 51)
        FAIL("AM above 51");
    span(c, w[1], am + 12);
    return 0;
}

static int vtd_did(const struct refdec_caps *caps, const uint64_t *w, struct refdec_cmd *c,
                   char *err, size_t errlen)
{
    uint64_t did = w[0] >> 16 & 0xffff;

    add(c, "DID", did);
    if (did >> (4 + 2 * caps->nd))
        FAIL("DID is wider than CAP.ND");
    return 0;
}

static int vtd_pasid(const struct refdec_caps *caps, const uint64_t *w, struct refdec_cmd *c,
                     char *err, size_t errlen)
{
    uint64_t pasid = w[0] >> 32 & 0xfffff;

    add(c, "PASID", pasid);
    if (pasid >> (caps->pss + 1))
        FAIL("PASID is wider than ECAP.PSS");
    return 0;
}

static int vtd_pfsid(const struct refdec_caps *caps, const uint64_t *w, struct refdec_cmd *c,
                     char *err, size_t errlen)
{
    uint64_t pfsid = (w[0] >> 12 & 0xf) | (w[0] >> 52) << 4;

    add(c, "PFSID", pfsid);
    if (pfsid && !caps->dit)
        FAIL("PFSID is reserved without ECAP.DIT");
    return 0;
}

static int vtd_iotlb(const struct refdec_caps *caps, const uint64_t *w, struct refdec_cmd *c,
                     char *err, size_t errlen)
{
    unsigned g = w[0] >> 4 & 3;

    c->name = "iotlb";
    add(c, "G", g);
    add(c, "DW", w[0] >> 6 & 1);
    add(c, "DR", w[0] >> 7 & 1);
    if (!g)
        FAIL("granularity 0 is reserved");
    if (vtd_did(caps, w, c, err, errlen))
        return -1;
    if (g == 3)
        return vtd_pages(caps, w, true, c, err, errlen);
    if (w[1])
        FAIL("ADDR, AM or IH without page granularity");
    return 0;
}

static int vtd_p_iotlb(const struct refdec_caps *caps, const uint64_t *w, struct refdec_cmd *c,
                       char *err, size_t errlen)
{
    unsigned g = w[0] >> 4 & 3;

    c->name = "p_iotlb";
    add(c, "G", g);
    if (g < 2)
        FAIL("granularity %u is reserved", g);
    if (vtd_did(caps, w, c, err, errlen) || vtd_pasid(caps, w, c, err, errlen))
        return -1;
    if (g == 3)
        return vtd_pages(caps, w, false, c, err, errlen);
    if (w[1])
        FAIL("ADDR, AM or IH without page granularity");
    return 0;
}

static int vtd_wait(const struct refdec_caps *caps, const uint64_t *w, struct refdec_cmd *c,
                    char *err, size_t errlen)
{
    c->name = "wait";
    add(c, "IF", w[0] >> 4 & 1);
    add(c, "SW", w[0] >> 5 & 1);
    add(c, "FN", w[0] >> 6 & 1);
    add(c, "PD", w[0] >> 7 & 1);
    add(c, "status_data", w[0] >> 32);
    add(c, "status_address", w[1]);
    if ((w[0] & 0x80) && !caps->pds)
        FAIL("PD without ECAP.PDS");
    if (!(w[0] & 0xf0))
        FAIL("a wait that does nothing");
    if (!(w[0] & 0x20) && (w[0] >> 32 || w[1]))
        FAIL("status without SW");
    return 0;
}

static int vtd_dev_tlb(const struct refdec_caps *caps, const uint64_t *w, bool pasid,
                       struct refdec_cmd *c, char *err, size_t errlen)
{
    bool sized = pasid ? w[1] >> 11 & 1 : w[1] & 1;

    c->name = pasid ? "p_dev_tlb" : "dev_tlb";
    if (!caps->dt || (pasid && !caps->pasid))
        FAIL("Device-TLB without ECAP.DT or PASID");
    add(c, "MIP", pasid ? w[0] >> 4 & 31 : w[0] >> 16 & 31);
    add(c, "SID", pasid ? w[0] >> 16 & 0xffff : w[0] >> 32 & 0xffff);
    if (pasid) {
        add(c, "G", w[1] & 1);
        if (vtd_pasid(caps, w, c, err, errlen))
            return -1;
    }
    if (vtd_pfsid(caps, w, c, err, errlen))
        return -1;
    add(c, "S", sized);
    add(c, "ADDR", w[1] & ~UINT64_C(0xfff));
    return ats_span(w[1] & ~UINT64_C(0xfff), sized, c, err, errlen);
}

static int vtd(const struct refdec_caps *caps, const uint64_t *w, unsigned n, struct refdec_cmd *c,
               char *err, size_t errlen)
{
    /* reserved bits of qw0 and qw1 by type; 0x3 and 0x8 without the PFSID parts */
    static const uint64_t reserved[9][2] = {
        {0, 0},
        {UINT64_C(0xfffc00000000f1c0), UINT64_MAX},
        {UINT64_C(0xffffffff0000f100), 0xf80},
        {UINT64_C(0x000f0000ffe001f0), 0xffe},
        {UINT64_C(0xffff000007fff1e0), UINT64_MAX},
        {UINT64_C(0xfffff100), 0x3},
        {UINT64_C(0xfff000000000f1c0), 0xf80},
        {UINT64_C(0xfff000000000f1c0), UINT64_MAX},
        {0, 0x7fe},
    };
    unsigned type = (unsigned)((w[0] & 0xf) | (w[0] >> 5 & 0x70));
    unsigned g = w[0] >> 4 & 3;

    if (n != caps->width / 64)
        FAIL("descriptor width");
    if (n == 4 && (w[2] || w[3]))
        FAIL("reserved bits in qw2 or qw3");
    if (!type || type > 8)
        FAIL("IQE 3: type 0x%x", type);
    if (type >= 6 && (n != 4 || !caps->smts))
        FAIL("type 0x%x needs a 256-bit ring", type);
    /* type 5's data stand in qw0 63:32 */
    if ((w[0] & reserved[type][0] & ~UINT64_C(0xe00)) || (w[1] & reserved[type][1]))
        FAIL("IQE 4: reserved bits in type 0x%x", type);
    switch (type) {
    case 1:
        c->name = "cc";
        add(c, "G", g);
        add(c, "SID", w[0] >> 32 & 0xffff);
        add(c, "FM", w[0] >> 48 & 3);
        if (!g)
            FAIL("granularity 0 is reserved");
        return vtd_did(caps, w, c, err, errlen);
    case 2:
        return vtd_iotlb(caps, w, c, err, errlen);
    case 3:
        return vtd_dev_tlb(caps, w, false, c, err, errlen);
    case 4:
        c->name = "iec";
        add(c, "G", w[0] >> 4 & 1);
        add(c, "IM", w[0] >> 27 & 31);
        add(c, "IIDX", w[0] >> 32 & 0xffff);
        if (!caps->ir || (w[0] >> 27 & 31) > caps->mhmv)
            FAIL("iec without ECAP.IR, or IM above MHMV");
        return 0;
    case 5:
        return vtd_wait(caps, w, c, err, errlen);
    case 6:
        return vtd_p_iotlb(caps, w, c, err, errlen);
    case 7:
        c->name = "pc";
        add(c, "G", g);
        if (g == 2)
            FAIL("granularity 2 is reserved");
        return vtd_did(caps, w, c, err, errlen) || vtd_pasid(caps, w, c, err, errlen) ? -1 : 0;
    default:
        return vtd_dev_tlb(caps, w, true, c, err, errlen);
    }
}

/* ---- AMD-Vi (48882, 2.4) ---- */

static int amd_pasid(const struct refdec_caps *caps, uint64_t pasid, bool gn, struct refdec_cmd *c,
                     char *err, size_t errlen)
{
    add(c, "PASID", pasid);
    add(c, "GN", gn);
    if (gn && !caps->gtsup)
        FAIL("ILLEGAL_COMMAND: GN without GTSup");
    if (!gn && pasid)
        FAIL("a PASID that GN = 0 ignores");
    if (pasid >> (caps->pasmax + 1))
        FAIL("PASID is wider than PASmax");
    return 0;
}

static int amd(const struct refdec_caps *caps, const uint64_t *w, struct refdec_cmd *c, char *err,
               size_t errlen)
{
    static const struct {
        const char *name;
        uint64_t zero[2];
    } table[9] = {
        [1] = {"COMPLETION_WAIT", {UINT64_C(0x0ff0000000000000), 0}},
        [2] = {"INVALIDATE_DEVTAB_ENTRY", {UINT64_C(0x0fffffffffff0000), UINT64_MAX}},
        [3] = {"INVALIDATE_IOMMU_PAGES", {UINT64_C(0x0fff0000fff00000), 0xff8}},
        [4] = {"INVALIDATE_IOTLB_PAGES", {0, 0xfca}},
        [5] = {"INVALIDATE_INTERRUPT_TABLE", {UINT64_C(0x0fffffffffff0000), UINT64_MAX}},
        [8] = {"INVALIDATE_IOMMU_ALL", {UINT64_C(0x0fffffffffffffff), UINT64_MAX}},
    };
    unsigned op = (unsigned)(w[0] >> 60);
    uint64_t type = op == 4 && !caps->inviotlbtypesup ? 0x30 : 0;

    if (op > 8 || !table[op].name)
        FAIL("ILLEGAL_COMMAND: opcode %u", op);
    c->name = table[op].name;
    if ((w[0] & table[op].zero[0]) || (w[1] & (table[op].zero[1] | type)))
        FAIL("ILLEGAL_COMMAND: reserved bits in opcode %u", op);
    switch (op) {
    case 1:
        add(c, "Store", w[0] & 1);
        add(c, "Interrupt", w[0] >> 1 & 1);
        add(c, "Flush", w[0] >> 2 & 1);
        add(c, "Address", w[0] & UINT64_C(0x000ffffffffffff8));
        add(c, "Data", w[1]);
        return 0;
    case 3:
        add(c, "DomainID", w[0] >> 32 & 0xffff);
        add(c, "S", w[1] & 1);
        add(c, "PDE", w[1] >> 1 & 1);
        add(c, "Address", w[1] & ~UINT64_C(0xfff));
        if (amd_pasid(caps, w[0] & 0xfffff, w[1] >> 2 & 1, c, err, errlen))
            return -1;
        return ats_span(w[1] & ~UINT64_C(0xfff), w[1] & 1, c, err, errlen);
    case 4:
        if (!caps->iotlbsup)
            FAIL("ILLEGAL_COMMAND: no IotlbSup");
        add(c, "DeviceID", w[0] & 0xffff);
        add(c, "MaxPend", w[0] >> 24 & 0xff);
        add(c, "QueueID", w[0] >> 32 & 0xffff);
        add(c, "S", w[1] & 1);
        add(c, "Address", w[1] & ~UINT64_C(0xfff));
        if (amd_pasid(caps,
                      (w[0] >> 48 & 0xff) | (w[0] >> 16 & 0xff) << 8 | (w[0] >> 56 & 0xf) << 16,
                      w[1] >> 2 & 1, c, err, errlen))
            return -1;
        return ats_span(w[1] & ~UINT64_C(0xfff), w[1] & 1, c, err, errlen);
    case 8:
        if (!caps->iasup)
            FAIL("ILLEGAL_COMMAND: no IASup");
        return 0;
    default:
        add(c, "DeviceID", w[0] & 0xffff);
        return 0;
    }
}

int refdec_decode(enum refdec_vendor vendor, const struct refdec_caps *caps, const uint64_t *words,
                  unsigned n, struct refdec_cmd *cmd, char *err, size_t errlen)
{
    memset(cmd, 0, sizeof(*cmd));
    if (vendor == REFDEC_VTD)
        return vtd(caps, words, n, cmd, err, errlen);
    if (n != 2)
        FAIL("command width");
    return vendor == REFDEC_SMMUV3 ? smmu(caps, words, cmd, err, errlen)
                                   : amd(caps, words, cmd, err, errlen);
}
