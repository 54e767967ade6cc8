// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/* VT-d: descriptors (6.5.2) and what they remove (6.2, 6.5). */
#include "model/rules.h"

#include <stddef.h>

enum {
    CC = 1,
    IOTLB = 2,
    DEV_TLB = 3,
    IEC = 4,
    WAIT = 5,
    P_IOTLB = 6,
    PC = 7,
    P_DEV_TLB = 8,
    /* not a descriptor: GCMD.WBF, polled */
    WRITE_BUFFER = 0xff
};

/* Granularities: iotlb and cc count from 1 (global), p_iotlb uses 2 and 3, pc starts with the
 * domain at 0. */
enum {
    G_GLOBAL = 1,
    G_DOMAIN = 2,
    G_DEVICE = 3,
    G_PAGE = 3,
    G_PC_DOMAIN = 0,
    G_PC_PASID = 1,
    G_PC_GLOBAL = 3,
    G_P_PASID = 2
};

static const struct {
    const char *name;
    uint8_t order; /* enum model_order */
    uint64_t zero[2];
} forms[] = {
    [CC] = {"cc", MODEL_CC, {0xfffc00000000f1c0, UINT64_MAX}},
    [IOTLB] = {"iotlb", MODEL_IOTLB, {0xffffffff0000f100, 0xf80}},
    [DEV_TLB] = {"dev_tlb", MODEL_DEV_TLB, {0x000f0000ffe001f0, 0xffe}},
    [IEC] = {"iec", MODEL_IEC, {0xffff000007fff1e0, UINT64_MAX}},
    [WAIT] = {"wait", MODEL_PLAIN, {0xfffff100, 3}},
    [P_IOTLB] = {"p_iotlb", MODEL_P_IOTLB, {0xfff000000000f1c0, 0xf80}},
    [PC] = {"pc", MODEL_PC, {0xfff000000000f1c0, UINT64_MAX}},
    [P_DEV_TLB] = {"p_dev_tlb", MODEL_DEV_TLB, {0, 0x7fe}},
};

/* Bits of a domain or PASID that the hardware has; upper ones are ignored (CAP.ND) or too many. */
static void decode_ids(const struct model_config *config, const uint64_t *words,
                       struct model_command *command)
{
    command->did =
        (uint32_t)(model_bits(words[0], 16, 16) & model_bits(~UINT64_C(0), 0, config->did_bits));
    command->pasid = (uint32_t)model_bits(words[0], 32, 20);
    if (command->pasid >> config->pasid_bits)
        command->ignored = true;
}

/* 6.5.2.3: 2^AM pages. For iotlb, AM is bounded by CAP.MAMV and needs CAP.PSI; p_iotlb is not,
 * except that a mask of 52 bits and more is not known to work on silicon. */
static void decode_pages(const struct model_config *config, const uint64_t *words,
                         struct model_command *command)
{
    unsigned am = (unsigned)model_bits(words[1], 0, 6);

    command->ranged = true;
    command->leaf = words[1] >> 6 & 1;
    command->log2_ids = 0;
    command->first = model_base(words[1] & ~UINT64_C(0xfff), 12 + am);
    command->last = model_last(words[1], 12 + am);
    if (command->op == IOTLB && !config->psi)
        command->illegal = "page-selective without CAP.PSI";
    else if (command->op == IOTLB && am > config->mamv)
        command->illegal = "AM is above CAP.MAMV";
    if (am >= 52)
        command->ignored = true;
}

static void decode_device_tlb(const struct model_config *config, const uint64_t *words,
                              struct model_command *command)
{
    bool with_pasid = command->op == P_DEV_TLB;
    bool sized = words[1] >> (with_pasid ? 11 : 0) & 1;

    command->ranged = true;
    command->tagged = with_pasid;
    command->every_pasid = with_pasid && words[1] & 1;
    command->rid = (uint32_t)model_bits(words[0], with_pasid ? 16 : 32, 16);
    command->pasid = with_pasid ? (uint32_t)model_bits(words[0], 32, 20) : 0;
    if (!model_ats_block(words[1], sized, &command->first, &command->last))
        command->illegal = "the address has no zero that would give a size";
    if (!config->dt || (with_pasid && !config->pasid))
        command->illegal = "this unit does not have the descriptor";
    if (!config->dit && words[0] & UINT64_C(0xfff000000000f000))
        command->illegal = "a PFSID without ECAP.DIT";
}

static void decode_selective(const struct model_config *config, const uint64_t *words,
                             struct model_command *command)
{
    command->g = (uint8_t)model_bits(words[0], 4, 2);
    decode_ids(config, words, command);
    switch (command->op) {
    case CC:
        command->pasid = 0;
        command->ignored = false;
        command->rid = (uint32_t)model_bits(words[0], 32, 16);
        /* FM ignores function bits: 1 -> bit 2, 2 -> bits 2:1, 3 -> bits 2:0 */
        command->index = (uint32_t[]){0, 4, 6, 7}[model_bits(words[0], 48, 2)];
        if (!command->g)
            command->illegal = "granularity 0 is reserved";
        break;
    case IOTLB:
        command->pasid = 0;
        command->ignored = false;
        if (!command->g)
            command->illegal = "granularity 0 is reserved";
        if (command->g == G_PAGE)
            decode_pages(config, words, command);
        break;
    case P_IOTLB:
        if (command->g < G_P_PASID)
            command->illegal = "granularities 0 and 1 are reserved";
        if (command->g == G_PAGE)
            decode_pages(config, words, command);
        break;
    default:
        if (command->g == G_PC_GLOBAL || command->g == G_PC_DOMAIN)
            command->ignored = false;
        if (command->g == 2)
            command->illegal = "granularity 2 is reserved";
        break;
    }
}

void model_vtd_decode(const struct model_config *config, const uint64_t *words,
                      struct model_command *command)
{
    /* the high three bits of the type are 11:9 */
    unsigned type = (unsigned)(model_bits(words[0], 0, 4) | model_bits(words[0], 9, 3) << 4);

    command->op = (uint8_t)type;
    if (!type || type >= sizeof(forms) / sizeof(forms[0])) {
        command->name = "?";
        command->illegal = "no descriptor has this type";
        return;
    }
    command->name = forms[type].name;
    command->order = forms[type].order;
    if (type == DEV_TLB || type == P_DEV_TLB)
        decode_device_tlb(config, words, command);
    else if (type != WAIT && type != IEC)
        decode_selective(config, words, command);
    if (type == IEC) {
        command->ranged = words[0] >> 4 & 1; /* G = 0 is global */
        command->log2_ids = (uint8_t)model_bits(words[0], 27, 5);
        command->index = (uint32_t)model_bits(words[0], 32, 16);
        if (!config->ir || command->log2_ids > config->mhmv)
            command->illegal = "this unit does not have the descriptor";
    }
    if (type == WAIT) {
        command->sync = true;
        command->fence = words[0] >> 6 & 1;
        command->visible = words[0] >> 4 & 3; /* IF, SW */
        if (words[0] >> 7 & 1 && !config->pds)
            command->illegal = "PD without ECAP.PDS";
    }
    if ((words[0] & forms[type].zero[0]) || (words[1] & forms[type].zero[1]) ||
        (config->words == 4 && (words[2] || words[3])))
        command->illegal = "a reserved bit is set";
    if (type >= P_IOTLB && (config->words != 4 || !config->smts))
        command->illegal = "a descriptor of the 256-bit queue";
}

/* 6.5.2.12 (revision 5.10): PASID entries after context entries, translations after both, device
 * TLBs after translations and interrupt entries. */
bool model_vtd_queue_orders(const struct model_config *config, enum model_order earlier,
                            enum model_order later)
{
    bool entry = earlier == MODEL_CC || earlier == MODEL_PC;
    bool tlb = earlier == MODEL_IOTLB || earlier == MODEL_P_IOTLB || earlier == MODEL_IEC;
    bool tlb_later = later == MODEL_IOTLB || later == MODEL_P_IOTLB;

    return model_rule(config, MODEL_VTD_QUEUE_ORDER,
                      (entry && tlb_later) || (earlier == MODEL_CC && later == MODEL_PC) ||
                          (tlb && later == MODEL_DEV_TLB));
}

/* ---- What must go ----------------------------------------------------------------------------
 */

static const char other_kind[] = "the descriptor is about other entries";
static const char other_did[] = "its DID is another";
static const char other_sid[] = "its source ID is another";
static const char other_pasid[] = "its PASID is another";
static const char other_address[] = "its address is not in the range";
static const char not_leaf[] = "it is no leaf entry, the descriptor says IH = 1";
static const char larger[] = "it maps more than the descriptor's range";

/* 6.5.2.1. Legacy entries are also tagged with their DID (0 while not present); scalable context
 * entries have none, so that a domain-selective invalidation finds none. */
static const char *cc_miss(const struct model_config *config, const struct model_command *c,
                           const struct model_entry *e)
{
    bool same_did = !config->scalable && e->did == c->did;
    bool any_did = c->g == G_GLOBAL || (c->g == G_DEVICE && config->scalable);
    bool did = model_rule(config, MODEL_VTD_CC_DID, any_did || same_did);
    bool same_sid = (e->rid | c->index) == (c->rid | c->index);
    bool sid = model_rule(config, MODEL_VTD_CC_SID, c->g != G_DEVICE || same_sid);

    return !sid ? other_sid : !did ? other_did : NULL;
}

/* 6.5.2.6. */
static const char *pc_miss(const struct model_config *config, const struct model_command *c,
                           const struct model_entry *e)
{
    bool did = model_rule(config, MODEL_VTD_PC_DID, c->g == G_PC_GLOBAL || e->did == c->did);
    bool pasid = model_rule(config, MODEL_VTD_PC_PASID, c->g != G_PC_PASID || e->pasid == c->pasid);

    return !did ? other_did : !pasid ? other_pasid : NULL;
}

/* A superpage only goes with a mask of its size (MAMV, SLLPS); a paging-structure entry with any
 * address below it. */
static bool covers(const struct model_command *c, const struct model_entry *e)
{
    return e->kind == MODEL_TABLE || c->last - c->first >= model_last(0, e->log2_size);
}

/* 6.5.2.3. Page-selective: second-stage entries of the DID in the range, first-stage and nested
 * entries of the DID at any address. */
static const char *iotlb_miss(const struct model_config *config, const struct model_command *c,
                              const struct model_entry *e)
{
    bool did = model_rule(config, MODEL_VTD_IOTLB_DID, c->g == G_GLOBAL || e->did == c->did);
    bool page = c->g == G_PAGE;
    bool by_address = page && e->walk == MODEL_SECOND;
    bool in = model_rule(config, MODEL_VTD_IOTLB_ADDRESS,
                         !by_address || model_overlaps(e->ipa, e->log2_size, c->first, c->last));
    bool size = model_rule(config, MODEL_VTD_IOTLB_SIZE, !by_address || covers(c, e));
    /* IH is a promise about second-stage tables, which are walked by address */
    bool leaf = model_rule(config, MODEL_VTD_IOTLB_IH, !page || !c->leaf || e->kind == MODEL_LEAF);

    return !did ? other_did : !in ? other_address : !leaf ? not_leaf : !size ? larger : NULL;
}

/* 6.5.2.4. Second-stage entries have no PASID; page-selective also leaves pass-through ones. */
static const char *p_iotlb_miss(const struct model_config *config, const struct model_command *c,
                                const struct model_entry *e)
{
    bool did = model_rule(config, MODEL_VTD_P_IOTLB_DID, e->did == c->did);
    bool pasid = model_rule(config, MODEL_VTD_P_IOTLB_PASID, e->pasid == c->pasid);
    bool page = c->g == G_PAGE;
    bool first = e->walk == MODEL_FIRST || e->walk == MODEL_BOTH;
    bool stage =
        model_rule(config, MODEL_VTD_P_IOTLB_STAGE, first || (e->walk == MODEL_PASS && !page));
    bool in = model_rule(config, MODEL_VTD_P_IOTLB_ADDRESS,
                         !page || model_overlaps(e->address, e->log2_size, c->first, c->last));
    bool size = model_rule(config, MODEL_VTD_P_IOTLB_SIZE, !page || covers(c, e));
    bool leaf =
        model_rule(config, MODEL_VTD_P_IOTLB_IH, !page || !c->leaf || e->kind == MODEL_LEAF);

    return !did     ? other_did
           : !stage ? "it is a second-stage entry, which has no PASID"
           : !pasid ? other_pasid
           : !in    ? other_address
           : !leaf  ? not_leaf
           : !size  ? larger
                    : NULL;
}

/* 6.5.2.5, 6.5.2.7: without PASID only entries without one, and the reverse. */
static const char *device_tlb_miss(const struct model_config *config, const struct model_command *c,
                                   const struct model_entry *e)
{
    bool sid = model_rule(config, MODEL_VTD_DEV_TLB_SID, e->rid == c->rid);
    bool same = !c->tagged || c->every_pasid || e->pasid == c->pasid;
    bool pasid = model_rule(config, MODEL_VTD_DEV_TLB_PASID, e->tagged == c->tagged && same);
    bool in = model_rule(config, MODEL_VTD_DEV_TLB_ADDRESS,
                         model_overlaps(e->address, e->log2_size, c->first, c->last));

    return !sid                      ? other_sid
           : e->tagged && !c->tagged ? "it has a PASID, the descriptor has none"
           : !pasid                  ? other_pasid
           : !in                     ? other_address
                                     : NULL;
}

const char *model_vtd_miss(const struct model_config *config, const struct model_command *c,
                           const struct model_entry *e)
{
    bool cc = e->cache == XINV_CACHE_DEVICE_CONFIG;
    bool pc = e->cache == XINV_CACHE_PASID_CONFIG;
    bool device = e->cache == XINV_CACHE_DEVICE_TLB;

    /* CAP.RWBF: any invalidation flushes the write buffer first (6.8) */
    if (e->cache == XINV_CACHE_WRITE_BUFFER)
        return c->op == WAIT ? other_kind : NULL;
    switch (c->op) {
    case CC:
        return cc ? cc_miss(config, c, e) : other_kind;
    case PC:
        return pc ? pc_miss(config, c, e) : other_kind;
    case IOTLB:
        return model_is_tlb(e) ? iotlb_miss(config, c, e) : other_kind;
    case P_IOTLB:
        return model_is_tlb(e) ? p_iotlb_miss(config, c, e) : other_kind;
    case DEV_TLB:
    case P_DEV_TLB:
        return device ? device_tlb_miss(config, c, e) : other_kind;
    case IEC: {
        bool any = !c->ranged;
        bool same = any || (uint32_t)e->index >> c->log2_ids == c->index >> c->log2_ids;
        bool index = model_rule(config, MODEL_VTD_IEC_INDEX, same);

        return e->cache != XINV_CACHE_INTERRUPT ? other_kind : !index ? "another index" : NULL;
    }
    default:
        return other_kind;
    }
}

/* ---- What may go as well ---------------------------------------------------------------------
 */

/* A device-TLB invalidation without PASID may take entries with one; p_iotlb of a PASID may take
 * entries of any stage; paging-structure entries may go although IH = 1; a part of a superpage
 * may take it whole. */
bool model_vtd_may(const struct model_config *config, const struct model_command *c,
                   const struct model_entry *e)
{
    struct model_entry as = *e;
    struct model_command wide = *c;

    wide.leaf = false;
    if (c->op == DEV_TLB)
        as.tagged = false;
    if (c->op == P_IOTLB && c->g == G_P_PASID && e->walk == MODEL_SECOND) {
        as.walk = MODEL_PASS;
        as.pasid = c->pasid;
    }
    if (c->op == IOTLB || c->op == P_IOTLB)
        as.log2_size = as.kind == MODEL_LEAF ? 12 : as.log2_size;
    return !model_vtd_miss(config, &wide, &as);
}
