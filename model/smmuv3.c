// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/* SMMUv3: commands (IHI 0070 chapter 4) and what they remove (4.3 to 4.5, 16.2). */
#include "model/rules.h"

#include <stddef.h>

enum {
    CFGI_STE = 0x03,
    CFGI_STE_RANGE = 0x04,
    CFGI_CD = 0x05,
    CFGI_CD_ALL = 0x06,
    NH_ALL = 0x10,
    NH_ASID = 0x11,
    NH_VA = 0x12,
    NH_VAA = 0x13,
    EL2_ALL = 0x20,
    EL2_ASID = 0x21,
    EL2_VA = 0x22,
    EL2_VAA = 0x23,
    S12_VMALL = 0x28,
    S2_IPA = 0x2a,
    NSNH_ALL = 0x30,
    ATC_INV = 0x40,
    SYNC = 0x46
};

/* Which fields a command has, and which bits of its words are reserved with them. */
#define F_VMID   0x01u
#define F_ASID   0x02u
#define F_RANGE  0x04u
#define F_SID    0x08u
#define F_SSID   0x10u
#define F_LEAF   0x20u
#define N_S1P    0x100u
#define N_S2P    0x200u
#define N_HYP    0x400u
#define N_ATS    0x800u
#define IN_CMDQV 0x1000u /* Tegra241: a guest's own queue takes it */

static const struct {
    const char *name;
    uint16_t has;
    uint64_t zero[2];
} forms[] = {
    [CFGI_STE] = {"CFGI_STE", F_SID | F_LEAF, {0x00000000ffffff00, ~UINT64_C(1)}},
    [CFGI_STE_RANGE] = {"CFGI_STE_RANGE", F_SID, {0x00000000ffffff00, ~UINT64_C(0x1f)}},
    [CFGI_CD] = {"CFGI_CD", F_SID | F_SSID | F_LEAF | N_S1P, {0xf00, ~UINT64_C(1)}},
    [CFGI_CD_ALL] = {"CFGI_CD_ALL", F_SID | N_S1P, {0x00000000ffffff00, UINT64_MAX}},
    [NH_ALL] = {"TLBI_NH_ALL", F_VMID | N_S1P, {0xffff0000ffffff00, UINT64_MAX}},
    [NH_ASID] = {"TLBI_NH_ASID", F_VMID | F_ASID | N_S1P | IN_CMDQV, {0xffffff00, UINT64_MAX}},
    [NH_VA] = {"TLBI_NH_VA", F_VMID | F_ASID | F_RANGE | N_S1P | IN_CMDQV, {0xfe0e0f00, 0xfe}},
    [NH_VAA] = {"TLBI_NH_VAA", F_VMID | F_RANGE | N_S1P, {0xffff0000fe0e0f00, 0xfe}},
    [EL2_ALL] = {"TLBI_EL2_ALL", N_HYP, {~UINT64_C(0xff), UINT64_MAX}},
    [EL2_ASID] = {"TLBI_EL2_ASID", F_ASID | N_HYP, {0x0000ffffffffff00, UINT64_MAX}},
    [EL2_VA] = {"TLBI_EL2_VA", F_ASID | F_RANGE | N_HYP, {0x0000fffffe0e0f00, 0xfe}},
    [EL2_VAA] = {"TLBI_EL2_VAA", F_RANGE | N_HYP, {0xfffffffffe0e0f00, 0xfe}},
    [S12_VMALL] = {"TLBI_S12_VMALL", F_VMID | N_S2P, {0xffff0000ffffff00, UINT64_MAX}},
    [S2_IPA] = {"TLBI_S2_IPA", F_VMID | F_RANGE | N_S2P, {0xffff0000fe0e0f00, 0xfff00000000000fe}},
    [NSNH_ALL] = {"TLBI_NSNH_ALL", 0, {~UINT64_C(0xff), UINT64_MAX}},
    [ATC_INV] = {"ATC_INV", F_SID | N_ATS | IN_CMDQV, {0x500, 0xfc0}},
    [SYNC] = {"SYNC", IN_CMDQV, {0xf03fcf00, 0xff00000000000003}},
};

/* How many low address bits a range must start with as zeros (4.4.1.1), by TG and TTL. */
static unsigned start_bits(unsigned tg, unsigned ttl)
{
    static const uint8_t bits[4][4] = {
        {12, 12, 12, 12}, {12, 30, 21, 12}, {14, 36, 25, 14}, {16, 42, 29, 16}};

    return bits[tg][ttl];
}

/* 4.4.1.1: the range, level and granule of an address TLBI. */
static void decode_range(const struct model_config *config, const uint64_t *words,
                         struct model_command *command)
{
    unsigned num = (unsigned)model_bits(words[0], 12, 5);
    unsigned scale = (unsigned)model_bits(words[0], 20, config->ds ? 6 : 5);
    unsigned granule;
    uint64_t pages;

    command->ranged = true;
    command->leaf = words[1] & 1;
    command->ttl = (uint8_t)model_bits(words[1], 8, 2);
    command->tg = (uint8_t)model_bits(words[1], 10, 2);
    command->first = words[1] & ~UINT64_C(0xfff);
    command->last = command->first | 0xfff;
    if (!command->tg) {
        if (num || scale || command->ttl)
            command->illegal = "NUM, SCALE or TTL without TG";
        return;
    }
    if (!config->ril) {
        command->illegal = "a range without IDR3.RIL";
        return;
    }
    /* 16 KiB, level 1: reserved without DS, reads as any level */
    if (command->tg == 2 && command->ttl == 1 && !config->ds)
        command->ttl = 0;
    if (!num && !scale && !command->ttl) {
        command->illegal = "NUM = SCALE = TTL = 0 with TG is reserved";
        return;
    }
    if (command->first & ((UINT64_C(1) << start_bits(command->tg, command->ttl)) - 1))
        command->ignored = true;
    granule = 10u + 2u * command->tg;
    if (scale > 39)
        scale = 39;
    pages = (uint64_t)(num + 1) << scale;
    command->last = command->first + (pages << granule) - 1;
    if (pages >> (64 - granule) || command->last < command->first)
        command->last = UINT64_MAX;
}

/* Operands that are wider than the hardware's tags: it need not do anything, without an error. */
static void decode_ids(const struct model_config *config, const uint64_t *words, unsigned has,
                       struct model_command *command)
{
    bool wide;

    if (has & F_VMID)
        command->vmid = (uint32_t)model_bits(words[0], 32, 16);
    if (has & F_ASID)
        command->asid = (uint32_t)model_bits(words[0], 48, 16);
    if (has & F_SID)
        command->rid = (uint32_t)(words[0] >> 32);
    if (has & F_SSID)
        command->pasid = (uint32_t)model_bits(words[0], 12, 20);
    wide = (command->vmid > 0xff && !config->vmid16) || (command->vmid && !config->s2p) ||
           (command->asid > 0xff && !config->asid16) || (uint64_t)command->rid >> config->sidsize ||
           command->pasid >> config->ssidsize;
    if (!model_rule(config, MODEL_SMMU_TAG_WIDTH, !wide))
        command->ignored = true;
}

static void decode_atc(const struct model_config *config, const uint64_t *words,
                       struct model_command *command)
{
    unsigned size = (unsigned)model_bits(words[1], 0, 6);

    command->order = MODEL_DEV_TLB;
    command->tagged = words[0] >> 11 & 1;
    command->every_pasid = words[0] >> 9 & 1;
    command->pasid = (uint32_t)model_bits(words[0], 12, 20);
    command->ranged = true;
    command->first = model_base(words[1] & ~UINT64_C(0xfff), 12 + size);
    command->last = model_last(words[1], 12 + size);
    if (size > 52)
        command->illegal = "Size is above 52";
    if (command->tagged && command->pasid >> config->ssidsize)
        command->ignored = true;
}

void model_smmuv3_decode(const struct model_config *config, const uint64_t *words,
                         struct model_command *command)
{
    unsigned op = words[0] & 0xff;
    unsigned has;
    uint64_t reserved;

    command->op = (uint8_t)op;
    if (op >= sizeof(forms) / sizeof(forms[0]) || !forms[op].name) {
        command->name = "?";
        command->illegal = "no command has this opcode";
        return;
    }
    has = forms[op].has;
    reserved = forms[op].zero[0];
    command->name = forms[op].name;
    command->leaf = has & F_LEAF ? words[1] & 1 : false;
    decode_ids(config, words, has, command);
    if (has & F_RANGE)
        decode_range(config, words, command);
    if (op == ATC_INV)
        decode_atc(config, words, command);
    if (op == CFGI_STE_RANGE)
        command->log2_ids = (uint8_t)(model_bits(words[1], 0, 5) + 1);
    if (op == SYNC)
        command->sync = command->fence = command->visible = true;
    if (has & F_RANGE && config->ds) /* SCALE has a bit more */
        reserved &= ~(UINT64_C(1) << 25);
    if ((words[0] & reserved) || (words[1] & forms[op].zero[1]))
        command->illegal = "a reserved bit is set";
    if ((has & N_S1P && !config->s1p) || (has & N_S2P && !config->s2p) ||
        (has & N_HYP && !config->hyp) || (has & N_ATS && !config->ats))
        command->illegal = "this SMMU does not have the command";
    if (config->cmdqv && !(has & IN_CMDQV))
        command->illegal = "a guest's own queue does not take the command";
    if (op == SYNC && model_bits(words[0], 12, 2) == 3)
        command->illegal = "SYNC with CS = 3";
}

/* ---- What must go ----------------------------------------------------------------------------
 */

static const char other_kind[] = "the command is about other entries";
static const char other_sid[] = "its StreamID is another";
static const char other_pasid[] = "its SubstreamID is another";
static const char other_vmid[] = "its VMID is another";
static const char other_asid[] = "its ASID is another";
static const char is_global[] = "it is global, the command names an ASID";
static const char other_regime[] = "it is of another translation regime";
static const char other_address[] = "its address is not in the range";
static const char not_leaf[] = "it is no leaf entry, the command says Leaf = 1";

/* 4.3.1, 4.3.2: the STE, and all CDs and level 1 CD descriptors that were cached by way of it. */
static const char *ste_miss(const struct model_config *config, const struct model_command *c,
                            const struct model_entry *e)
{
    bool group = c->log2_ids >= 32 || e->rid >> c->log2_ids == c->rid >> c->log2_ids;
    bool ste = e->cache == XINV_CACHE_DEVICE_CONFIG;
    bool cd = model_rule(config, MODEL_SMMU_CFGI_STE_CDS, e->cache == XINV_CACHE_PASID_CONFIG);
    bool sid = model_rule(config, MODEL_SMMU_CFGI_STE_SID, group);
    /* level 1 stream table descriptors: CFGI_STE only with Leaf = 0, STE_RANGE and ALL always */
    bool leaf =
        model_rule(config, MODEL_SMMU_CFGI_STE_LEAF, !c->leaf || e->kind != MODEL_STE_TABLE);

    return !ste && !cd ? other_kind : !sid ? other_sid : !leaf ? not_leaf : NULL;
}

/* 4.3.3, 4.3.4: CDs, of one StreamID even where streams share a table. */
static const char *cd_miss(const struct model_config *config, const struct model_command *c,
                           const struct model_entry *e)
{
    bool cd = e->cache == XINV_CACHE_PASID_CONFIG;
    bool sid = model_rule(config, MODEL_SMMU_CFGI_CD_SID, e->rid == c->rid);
    bool any = c->op == CFGI_CD_ALL || e->kind == MODEL_TABLE;
    bool ssid = model_rule(config, MODEL_SMMU_CFGI_CD_SSID, any || e->pasid == c->pasid);
    bool leaf = model_rule(config, MODEL_SMMU_CFGI_CD_LEAF, !c->leaf || e->kind != MODEL_TABLE);

    return !cd ? other_kind : !sid ? other_sid : !ssid ? other_pasid : !leaf ? not_leaf : NULL;
}

/* The level of an entry by what it covers: 3 is the granule (4.4.1.2). */
static unsigned level(const struct model_entry *e)
{
    return 4u - (e->log2_size - 3u) / (e->log2_granule - 3u);
}

/* 4.4.1: which addresses, levels and granules an address TLBI names. */
static const char *range_miss(const struct model_config *config, const struct model_command *c,
                              const struct model_entry *e, uint64_t address)
{
    bool in = model_rule(config, MODEL_SMMU_TLBI_ADDRESS,
                         model_overlaps(address, e->log2_size, c->first, c->last));
    /* a range that spills from TTB0's half need not reach TTB1's entries */
    bool half = model_rule(config, MODEL_SMMU_TLBI_HALF,
                           e->walk == MODEL_SECOND || address >> 63 == c->first >> 63);
    bool leaf = model_rule(config, MODEL_SMMU_TLBI_LEAF, !c->leaf || e->kind == MODEL_LEAF);
    /* TG = 0 reaches every granule, any other its own */
    bool tg = model_rule(config, MODEL_SMMU_TLBI_TG, !c->tg || e->log2_granule == 10u + 2u * c->tg);
    /* TTL = L: leaf entries of L, table entries above L */
    bool at_level = e->kind == MODEL_LEAF ? level(e) == c->ttl : level(e) < c->ttl;
    bool ttl = model_rule(config, MODEL_SMMU_TLBI_TTL, !c->ttl || at_level);

    return !in || !half ? other_address
           : !leaf      ? not_leaf
           : !tg        ? "its granule is not TG's"
           : !ttl       ? "its level is not TTL's"
                        : NULL;
}

/* 4.4: which regime's entries a TLBI is about. */
static bool in_regime(const struct model_config *config, const struct model_command *c,
                      const struct model_entry *e)
{
    switch (c->op) {
    case EL2_ALL:
        return e->regime == MODEL_EL2 || e->regime == MODEL_EL2_E2H;
    case EL2_ASID:
        return e->regime == MODEL_EL2_E2H;
    case EL2_VA:
    case EL2_VAA:
        return e->regime == (config->e2h ? MODEL_EL2_E2H : MODEL_EL2);
    default:
        return e->regime == MODEL_EL1;
    }
}

/* 4.4: TLBs. */
static const char *tlbi_miss(const struct model_config *config, const struct model_command *c,
                             const struct model_entry *e)
{
    bool both = c->op == S12_VMALL || c->op == NSNH_ALL;
    /* NH_* and EL2_* are about stage 1 */
    bool stage2 = model_rule(config, MODEL_SMMU_TLBI_STAGE2,
                             e->walk != MODEL_SECOND || c->op == S2_IPA || both);
    /* S2_IPA need not find combined entries (4.4.3) */
    bool stage1 =
        model_rule(config, MODEL_SMMU_TLBI_STAGE1, e->walk == MODEL_SECOND || c->op != S2_IPA);
    bool regime = model_rule(config, MODEL_SMMU_TLBI_REGIME, in_regime(config, c, e));
    /* the hardware supplies the VMID of a guest's own queue; without stage 2 there are none */
    bool has_vmid = c->op < EL2_ALL || c->op == S12_VMALL || c->op == S2_IPA;
    bool any_vmid = !has_vmid || config->cmdqv || !config->s2p;
    bool vmid = model_rule(config, MODEL_SMMU_TLBI_VMID, any_vmid || e->vmid == c->vmid);
    /* EL2 without E2H has no ASIDs */
    bool whole_asid = c->op == NH_ASID || c->op == EL2_ASID;
    bool page_asid = c->op == NH_VA || (c->op == EL2_VA && config->e2h);
    /* by address, global entries go whatever the ASID; by ASID, only those with nG = 1 do */
    bool va_global = page_asid && model_rule(config, MODEL_SMMU_TLBI_VA_GLOBAL, e->global);
    bool any_asid = (!whole_asid && !page_asid) || va_global;
    bool asid = any_asid || model_rule(config, MODEL_SMMU_TLBI_ASID, e->asid == c->asid);
    bool not_global = any_asid || model_rule(config, MODEL_SMMU_TLBI_ASID_GLOBAL, !e->global);

    if (!stage1 || !stage2)
        return other_kind;
    if (!regime)
        return other_regime;
    if (!vmid)
        return other_vmid;
    if (!not_global)
        return is_global;
    if (!asid)
        return other_asid;
    return c->ranged ? range_miss(config, c, e, c->op == S2_IPA ? e->ipa : e->address) : NULL;
}

/* 4.5.1: what the endpoint holds. Whether an invalidation without SubstreamID reaches entries with
 * one, and whether the endpoint supports Global, sources disagree about: neither is relied on. */
static const char *atc_miss(const struct model_config *config, const struct model_command *c,
                            const struct model_entry *e)
{
    bool sid = model_rule(config, MODEL_SMMU_ATC_SID, e->rid == c->rid);
    bool untagged = model_rule(config, MODEL_SMMU_ATC_UNTAGGED, e->tagged == c->tagged);
    bool pasid = model_rule(config, MODEL_SMMU_ATC_PASID, !c->tagged || e->pasid == c->pasid);
    bool in = model_rule(config, MODEL_SMMU_ATC_ADDRESS,
                         model_overlaps(e->address, e->log2_size, c->first, c->last));

    return !sid        ? other_sid
           : !untagged ? e->tagged ? "it has a PASID, the command has none"
                                   : "it has no PASID, the command has one"
           : !pasid    ? other_pasid
           : !in       ? other_address
                       : NULL;
}

const char *model_smmuv3_miss(const struct model_config *config, const struct model_command *c,
                              const struct model_entry *e)
{
    switch (c->op) {
    case SYNC:
        return other_kind;
    case CFGI_STE:
    case CFGI_STE_RANGE:
        return ste_miss(config, c, e);
    case CFGI_CD:
    case CFGI_CD_ALL:
        return cd_miss(config, c, e);
    case ATC_INV:
        return e->cache == XINV_CACHE_DEVICE_TLB ? atc_miss(config, c, e) : other_kind;
    default:
        return model_is_tlb(e) ? tlbi_miss(config, c, e) : other_kind;
    }
}

/* What may go as well: see the notes at atc_miss. */
bool model_smmuv3_may(const struct model_config *config, const struct model_command *c,
                      const struct model_entry *e)
{
    struct model_entry as = *e;

    if (c->op != ATC_INV || e->cache != XINV_CACHE_DEVICE_TLB)
        return false;
    if (c->tagged && !c->every_pasid)
        return false;
    as.tagged = c->tagged;
    as.pasid = c->pasid;
    return !atc_miss(config, c, &as);
}
