// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/* An entry in words. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "model/rules.h"

struct line {
    char *text;
    size_t size;
    size_t used;
};

static void say(struct line *line, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void say(struct line *line, const char *format, ...)
{
    va_list args;
    int n;

    if (line->used >= line->size)
        return;
    va_start(args, format);
    n = vsnprintf(line->text + line->used, line->size - line->used, format, args);
    va_end(args);
    line->used += n > 0 ? (size_t)n : 0;
}

/* By vendor: STE, context entry, DTE; CD, PASID entry, GCR3 entry. */
static const char *what(const struct model_config *config, const struct model_entry *e)
{
    static const char *const device[] = {"STE", "context entry", "device table entry"};
    static const char *const pasid[] = {"CD", "PASID entry", "GCR3 entry"};

    switch (e->cache) {
    case XINV_CACHE_DEVICE_CONFIG:
        return e->kind == MODEL_LEAF ? device[config->vendor] : "level 1 stream table descriptor";
    case XINV_CACHE_PASID_CONFIG:
        return e->kind == MODEL_LEAF ? pasid[config->vendor] : "level 1 CD descriptor";
    case XINV_CACHE_STAGE1:
        return e->kind == MODEL_LEAF ? "stage-1 TLB entry" : "stage-1 table entry";
    case XINV_CACHE_STAGE2:
        return e->kind == MODEL_LEAF ? "stage-2 TLB entry" : "stage-2 table entry";
    case XINV_CACHE_NESTED:
        return e->kind == MODEL_LEAF ? "combined TLB entry" : "combined table entry";
    case XINV_CACHE_DEVICE_TLB:
        return "device TLB entry";
    case XINV_CACHE_INTERRUPT:
        return "interrupt entry";
    default:
        return "buffered table write";
    }
}

static void say_tags(struct line *line, const struct model_config *config,
                     const struct model_entry *e)
{
    bool first = e->walk == MODEL_FIRST || e->walk == MODEL_BOTH;

    if (config->vendor == MODEL_SMMUV3) {
        if (e->regime == MODEL_EL1)
            say(line, " VMID %" PRIu32, e->vmid);
        else
            say(line, " EL2%s", e->regime == MODEL_EL2_E2H ? "-E2H" : "");
        if (first && e->global)
            say(line, " global");
        else if (first && e->regime != MODEL_EL2)
            say(line, " ASID %" PRIu32, e->asid);
        return;
    }
    say(line, config->vendor == MODEL_VTD ? " DID %" PRIu32 : " DomainID %" PRIu32, e->did);
    if (e->walk != MODEL_SECOND || e->cache == XINV_CACHE_PASID_CONFIG)
        say(line, " PASID %" PRIu32, e->pasid);
}

char *model_entry_text(const struct model_config *config, const struct model_entry *e, char *text,
                       size_t size)
{
    struct line line = {text, size, 0};
    bool by_device = e->cache == XINV_CACHE_DEVICE_CONFIG || e->cache == XINV_CACHE_DEVICE_TLB;
    uint64_t at = e->walk == MODEL_SECOND ? e->ipa : e->address;

    if (size)
        text[0] = 0;
    say(&line, "%s%s:", e->absent ? "not-present " : "", what(config, e));
    if (by_device || (e->cache == XINV_CACHE_PASID_CONFIG && config->vendor == MODEL_SMMUV3) ||
        (e->cache == XINV_CACHE_INTERRUPT && config->vendor == MODEL_AMDVI))
        say(&line, " RID 0x%" PRIx32, e->rid);
    if (e->cache == XINV_CACHE_DEVICE_TLB && e->tagged)
        say(&line, " PASID %" PRIu32, e->pasid);
    else if (e->cache == XINV_CACHE_DEVICE_TLB)
        say(&line, " no PASID");
    else if (e->cache == XINV_CACHE_PASID_CONFIG && config->vendor == MODEL_SMMUV3)
        say(&line, " SubstreamID %" PRIu32, e->pasid);
    else if (e->cache == XINV_CACHE_DEVICE_CONFIG && config->vendor == MODEL_VTD)
        say(&line, " DID %" PRIu32, e->did);
    else if (model_is_tlb(e) || e->cache == XINV_CACHE_PASID_CONFIG)
        say_tags(&line, config, e);
    if (e->cache == XINV_CACHE_INTERRUPT)
        say(&line, " index %u", e->index);
    if (model_is_tlb(e) || e->cache == XINV_CACHE_DEVICE_TLB)
        say(&line, " 0x%" PRIx64 "..0x%" PRIx64, model_base(at, e->log2_size),
            model_last(at, e->log2_size));
    return text;
}
