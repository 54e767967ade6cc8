// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/* AMD-Vi: commands (48882, 2.4) and what they remove (2.2, 2.4). */
#include "model/rules.h"

#include <stddef.h>

enum {
    COMPLETION_WAIT = 1,
    DEVTAB_ENTRY = 2,
    IOMMU_PAGES = 3,
    IOTLB_PAGES = 4,
    INTERRUPT_TABLE = 5,
    IOMMU_ALL = 8
};

static const struct {
    const char *name;
    uint64_t zero[2];
} forms[] = {
    [COMPLETION_WAIT] = {"COMPLETION_WAIT", {0x0ff0000000000000, 0}},
    [DEVTAB_ENTRY] = {"INVALIDATE_DEVTAB_ENTRY", {0x0fffffffffff0000, UINT64_MAX}},
    [IOMMU_PAGES] = {"INVALIDATE_IOMMU_PAGES", {0x0fff0000fff00000, 0xff8}},
    /* Type, 69:68, is written as 0 whatever EFR.InvIotlbTypeSup says */
    [IOTLB_PAGES] = {"INVALIDATE_IOTLB_PAGES", {0, 0xffa}},
    [INTERRUPT_TABLE] = {"INVALIDATE_INTERRUPT_TABLE", {0x0fffffffffff0000, UINT64_MAX}},
    [IOMMU_ALL] = {"INVALIDATE_IOMMU_ALL", {0x0fffffffffffffff, UINT64_MAX}},
};

static void decode_pages(const struct model_config *config, const uint64_t *words,
                         struct model_command *command)
{
    command->ranged = true;
    command->tagged = words[1] >> 2 & 1;
    if (!model_ats_block(words[1], words[1] & 1, &command->first, &command->last))
        command->illegal = "the address has no zero that would give a size";
    /* blocks above 2^52 bytes stand for everything */
    if (command->last - command->first >= UINT64_C(1) << 52) {
        command->first = 0;
        command->last = UINT64_MAX;
    }
    if (command->tagged && !config->gtsup)
        command->illegal = "GN without EFR.GTSup";
    if (command->tagged && command->pasid >> (config->pasmax + 1))
        command->ignored = true;
}

void model_amdvi_decode(const struct model_config *config, const uint64_t *words,
                        struct model_command *command)
{
    unsigned op = (unsigned)(words[0] >> 60);

    command->op = (uint8_t)op;
    if (op >= sizeof(forms) / sizeof(forms[0]) || !forms[op].name) {
        command->name = "?";
        command->illegal = "no command has this opcode, or none that invalidates";
        return;
    }
    command->name = forms[op].name;
    switch (op) {
    case COMPLETION_WAIT:
        command->sync = true;
        command->visible = words[0] & 3; /* S, I */
        command->fence = words[0] >> 2 & 1;
        break;
    case IOMMU_PAGES:
        command->pasid = (uint32_t)model_bits(words[0], 0, 20);
        command->did = (uint32_t)model_bits(words[0], 32, 16);
        command->leaf = !(words[1] >> 1 & 1); /* PDE */
        decode_pages(config, words, command);
        break;
    case IOTLB_PAGES:
        command->order = MODEL_DEV_TLB;
        command->rid = (uint32_t)model_bits(words[0], 0, 16);
        /* PASID[15:8] at 23:16, [7:0] at 55:48, [19:16] at 59:56 */
        command->pasid = (uint32_t)(model_bits(words[0], 48, 8) | model_bits(words[0], 16, 8) << 8 |
                                    model_bits(words[0], 56, 4) << 16);
        decode_pages(config, words, command);
        if (!config->iotlbsup)
            command->illegal = "this IOMMU does not have the command";
        break;
    case IOMMU_ALL:
        if (!config->iasup)
            command->illegal = "this IOMMU does not have the command";
        break;
    default:
        command->rid = (uint32_t)model_bits(words[0], 0, 16);
        break;
    }
    if ((words[0] & forms[op].zero[0]) || (words[1] & forms[op].zero[1]))
        command->illegal = "a reserved bit is set";
}

/* ---- What must go ----------------------------------------------------------------------------
 */

static const char other_kind[] = "the command is about other entries";
static const char other_device[] = "its DeviceID is another";
static const char other_domain[] = "its DomainID is another";
static const char other_pasid[] = "its PASID is another";
static const char other_address[] = "its address is not in the range";

/* 2.4.3, GN = 1: guest entries of the domain and PASID. A GCR3 entry goes when every address of
 * its PASID does. */
static const char *guest_miss(const struct model_config *config, const struct model_command *c,
                              const struct model_entry *e, bool everywhere)
{
    bool gcr3 = e->cache == XINV_CACHE_PASID_CONFIG;
    bool guest = model_rule(config, MODEL_AMD_PAGES_GN, gcr3 || e->walk != MODEL_SECOND);
    bool pasid = model_rule(config, MODEL_AMD_PAGES_PASID, e->pasid == c->pasid);
    bool all = model_rule(config, MODEL_AMD_PAGES_GCR3, !gcr3 || everywhere);
    bool in = model_rule(config, MODEL_AMD_PAGES_ADDRESS,
                         gcr3 || model_overlaps(e->address, e->log2_size, c->first, c->last));

    return !guest   ? "it is no guest entry, the command says GN = 1"
           : !pasid ? other_pasid
           : !all   ? "it goes only with every address of its PASID"
           : !in    ? other_address
                    : NULL;
}

/* 2.4.3, GN = 0: host entries by GPA; guest entries whose walk used the range; every guest entry of
 * the domain with the form for all addresses. */
static const char *host_miss(const struct model_config *config, const struct model_command *c,
                             const struct model_entry *e, bool everywhere)
{
    bool host = e->walk == MODEL_SECOND;
    bool nested = e->walk == MODEL_BOTH;
    bool by_gpa = host || nested;
    bool walked = everywhere || by_gpa;
    bool guest = model_rule(config, MODEL_AMD_PAGES_NESTED, walked);
    bool in =
        model_rule(config, MODEL_AMD_PAGES_ADDRESS,
                   everywhere || model_overlaps(e->ipa, model_ipa_log2(e), c->first, c->last));

    return !guest ? "it is a guest entry of no host table" : !in ? other_address : NULL;
}

static const char *pages_miss(const struct model_config *config, const struct model_command *c,
                              const struct model_entry *e)
{
    bool everywhere = c->first == 0 && c->last == UINT64_MAX;
    bool domain = model_rule(config, MODEL_AMD_PAGES_DOMAIN, e->did == c->did);
    /* PDE = 0 keeps page-directory entries */
    bool leaf = model_rule(config, MODEL_AMD_PAGES_PDE, !c->leaf || e->kind == MODEL_LEAF);
    /* a page-directory entry goes with any address below it; a superpage with a block of its size
     */
    bool by_size =
        e->kind == MODEL_LEAF && model_is_tlb(e) && (c->tagged || e->walk == MODEL_SECOND);
    bool size = model_rule(config, MODEL_AMD_PAGES_SIZE,
                           !by_size || c->last - c->first >= model_last(0, e->log2_size));
    const char *miss =
        c->tagged ? guest_miss(config, c, e, everywhere) : host_miss(config, c, e, everywhere);

    return !domain ? other_domain
           : miss  ? miss
           : !leaf ? "it is a page-directory entry, the command says PDE = 0"
           : !size ? "it maps more than the command's range"
                   : NULL;
}

/* 2.4.4: the endpoint decides. Without a PASID prefix only entries without one are promised. */
static const char *iotlb_miss(const struct model_config *config, const struct model_command *c,
                              const struct model_entry *e)
{
    bool device = model_rule(config, MODEL_AMD_IOTLB_DEVICE, e->rid == c->rid);
    bool same = !c->tagged || e->pasid == c->pasid;
    bool pasid = model_rule(config, MODEL_AMD_IOTLB_PASID, e->tagged == c->tagged && same);
    bool in = model_rule(config, MODEL_AMD_IOTLB_ADDRESS,
                         model_overlaps(e->address, e->log2_size, c->first, c->last));

    return !device                   ? other_device
           : e->tagged && !c->tagged ? "it has a PASID, the command has none"
           : !pasid                  ? other_pasid
           : !in                     ? other_address
                                     : NULL;
}

const char *model_amdvi_miss(const struct model_config *config, const struct model_command *c,
                             const struct model_entry *e)
{
    bool dte = e->cache == XINV_CACHE_DEVICE_CONFIG;
    bool irt = e->cache == XINV_CACHE_INTERRUPT;
    bool atc = e->cache == XINV_CACHE_DEVICE_TLB;

    switch (c->op) {
    case DEVTAB_ENTRY:
        return !dte                                                          ? other_kind
               : !model_rule(config, MODEL_AMD_DTE_DEVICE, e->rid == c->rid) ? other_device
                                                                             : NULL;
    case INTERRUPT_TABLE:
        return !irt                                                          ? other_kind
               : !model_rule(config, MODEL_AMD_IRT_DEVICE, e->rid == c->rid) ? other_device
                                                                             : NULL;
    case IOMMU_PAGES:
        return dte || irt || atc ? other_kind : pages_miss(config, c, e);
    case IOTLB_PAGES:
        return atc ? iotlb_miss(config, c, e) : other_kind;
    case IOMMU_ALL:
        /* 2.4.8: sends nothing to endpoints */
        return model_rule(config, MODEL_AMD_ALL_NOT_ATC, !atc) ? NULL : other_kind;
    default:
        return other_kind;
    }
}

/* ---- What may go as well ---------------------------------------------------------------------
 */

/* A device-TLB invalidation without PASID may take entries with one; GN = 0 may take every guest
 * entry of the domain; a part of a superpage may take it whole. */
bool model_amdvi_may(const struct model_config *config, const struct model_command *c,
                     const struct model_entry *e)
{
    struct model_entry as = *e;

    if (c->op == IOTLB_PAGES && !c->tagged)
        as.tagged = false;
    if (c->op == IOMMU_PAGES && as.kind == MODEL_LEAF && model_is_tlb(e))
        as.log2_size = 12;
    if (c->op == IOMMU_PAGES && !c->tagged && e->did == c->did &&
        (e->walk != MODEL_SECOND || e->cache == XINV_CACHE_PASID_CONFIG))
        return e->cache != XINV_CACHE_DEVICE_CONFIG && e->cache != XINV_CACHE_INTERRUPT &&
               e->cache != XINV_CACHE_DEVICE_TLB;
    return !model_amdvi_miss(config, c, &as);
}
