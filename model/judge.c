// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/*
 * Who survives. For each entry the set of commands that remove it for good: those that must remove
 * it and start only when everything that could feed it again has gone for good, or remove that as
 * well. Entries are taken in the order in which they feed one another.
 */
#include <stdlib.h>
#include <string.h>

#include "model/rules.h"

/* Entries of a lower layer feed those of a higher one. */
static unsigned layer(const struct model_entry *e)
{
    static const uint8_t layers[XINV_NCACHES] = {
        [XINV_CACHE_DEVICE_CONFIG] = 2, [XINV_CACHE_PASID_CONFIG] = 4,
        [XINV_CACHE_STAGE2] = 6,        [XINV_CACHE_STAGE1] = 8,
        [XINV_CACHE_NESTED] = 8,        [XINV_CACHE_DEVICE_TLB] = 10};

    return layers[e->cache] + (e->kind == MODEL_LEAF ? 1u : 0u);
}

#define N_LAYERS 12

/* Two entries that lookups by the same traffic can hit, as far as tags say. Translations are
 * shared by all who have their tags. */
static bool same_space(const struct model_config *config, const struct model_entry *from,
                       const struct model_entry *to)
{
    bool first = from->walk == MODEL_FIRST || from->walk == MODEL_BOTH;

    if (config->vendor == MODEL_SMMUV3)
        return from->regime == to->regime && from->vmid == to->vmid &&
               (!first || from->global || from->asid == to->asid);
    return from->did == to->did && (!first || from->pasid == to->pasid);
}

static bool same_place(const struct model_entry *from, const struct model_entry *to)
{
    /* a table entry makes what is smaller than the region below it */
    if (from->kind == MODEL_TABLE && from->cache == to->cache && from->log2_size <= to->log2_size)
        return false;
    if (from->walk == MODEL_SECOND) {
        bool by_ipa = to->walk == MODEL_SECOND || to->walk == MODEL_BOTH;

        return by_ipa && (to->wild & MODEL_WILD_IPA ||
                          model_overlaps(to->ipa, model_ipa_log2(to), from->ipa,
                                         model_last(from->ipa, from->log2_size)));
    }
    /* what a combined table entry makes was walked by way of that entry's IPA, and goes with it */
    if (from->walk == MODEL_BOTH && to->walk == MODEL_BOTH && from->ipa >> 12 != to->ipa >> 12 &&
        !((from->wild | to->wild) & MODEL_WILD_IPA))
        return false;
    return to->walk == from->walk &&
           model_overlaps(to->address, to->log2_size, model_base(from->address, from->log2_size),
                          model_last(from->address, from->log2_size));
}

/* The device entry or the PASID entry of the endpoint whose traffic made `to`, and where the IOMMU
 * tags what it makes, with those tags. */
static bool same_owner(const struct model_config *config, const struct model_entry *from,
                       const struct model_entry *to)
{
    bool smmu = config->vendor == MODEL_SMMUV3;
    uint16_t any = from->wild | to->wild;
    bool asid = !smmu || to->walk == MODEL_SECOND || to->global || any & MODEL_WILD_ASID ||
                from->asid == to->asid;
    bool outer = smmu ? any & MODEL_WILD_VMID || from->vmid == to->vmid
                      : any & MODEL_WILD_DID || from->did == to->did;

    /* "not present" is not what translations were made by, and has tags of its own */
    return from->rid == to->rid && (!model_is_tlb(to) || to->absent || (asid && outer));
}

bool model_feeds(const struct model_config *config, const struct model_entry *from,
                 const struct model_entry *to)
{
    bool fed;

    if (layer(from) >= layer(to) || from->absent != to->absent ||
        to->cache == XINV_CACHE_INTERRUPT || to->cache == XINV_CACHE_WRITE_BUFFER)
        return false;
    switch (from->cache) {
    case XINV_CACHE_DEVICE_CONFIG:
        fed = same_owner(config, from, to);
        break;
    case XINV_CACHE_PASID_CONFIG:
        fed = same_owner(config, from, to) && from->pasid == to->pasid;
        break;
    case XINV_CACHE_STAGE1:
    case XINV_CACHE_STAGE2:
    case XINV_CACHE_NESTED:
        fed = same_space(config, from, to) && same_place(from, to);
        break;
    default:
        fed = false;
        break;
    }
    return model_rule(config, MODEL_JUDGE_FEEDS, fed);
}

#define N_ORDERS (MODEL_DEV_TLB + 1)
#define NONE     SIZE_MAX

struct judge {
    const struct model_run *run;
    const struct model_entry *entries;
    size_t n;
    size_t words;     /* of a set of commands */
    uint64_t *good;   /* per entry: commands that remove it for good */
    size_t *earliest; /* per entry: the first of those, for each of what orders commands */
    size_t *feeders;  /* of the entry at hand */
    size_t n_feeders;
};

static bool has(const uint64_t *set, size_t i)
{
    return set[i / 64] >> (i % 64) & 1;
}

/* `command` removes an entry for good, or starts after one that does. What holds for a command
 * holds for an earlier one that is ordered alike. */
static bool over(const struct judge *j, size_t entry, size_t command)
{
    if (has(&j->good[entry * j->words], command))
        return true;
    for (size_t i = 0; i < N_ORDERS; i++) {
        size_t first = j->earliest[entry * N_ORDERS + i];

        if (first != NONE && model_before(j->run, first, command))
            return true;
    }
    return false;
}

static void find_feeders(struct judge *j, size_t at)
{
    j->n_feeders = 0;
    for (size_t p = 0; p < j->n; p++)
        if (model_feeds(&j->run->config, &j->entries[p], &j->entries[at]))
            j->feeders[j->n_feeders++] = p;
}

/* An entry that could feed the one at hand after `command`, or NONE. */
static size_t feeder(const struct judge *j, size_t command)
{
    for (size_t i = 0; i < j->n_feeders; i++)
        if (!over(j, j->feeders[i], command))
            return j->feeders[i];
    return NONE;
}

static void is_good(struct judge *j, size_t at, size_t command)
{
    size_t *first = &j->earliest[at * N_ORDERS + j->run->commands[command].order];

    j->good[at * j->words + command / 64] |= UINT64_C(1) << (command % 64);
    if (*first == NONE)
        *first = command;
}

static struct model_verdict judge_one(struct judge *j, size_t at)
{
    const struct model_config *config = &j->run->config;
    struct model_verdict verdict = {.fate = MODEL_MISSED};
    size_t tried = NONE;

    find_feeders(j, at);
    for (size_t i = 0; i < j->run->n; i++) {
        const struct model_command *c = &j->run->commands[i];
        bool again;
        size_t by;

        if (c->sync || model_miss(config, c, &j->entries[at]))
            continue;
        tried = tried == NONE ? i : tried;
        /* Tegra264: a removal counts when the same was tried, and completed, before; ATC_INV is not
         * concerned */
        again = model_rule(config, MODEL_SMMU_REPEAT, model_before(j->run, tried, i));
        if (config->repeat && c->order != MODEL_DEV_TLB && !again)
            continue;
        by = feeder(j, i);
        if (by != NONE) {
            if (verdict.fate == MODEL_MISSED)
                verdict = (struct model_verdict){MODEL_REFILLED, by};
            continue;
        }
        is_good(j, at, i);
        if (c->complete)
            verdict.fate = MODEL_GONE;
        else if (verdict.fate != MODEL_GONE)
            verdict.fate = MODEL_PENDING;
    }
    return verdict;
}

long model_judge(const struct model_run *run, const struct model_entry *entries, size_t n,
                 struct model_verdict *verdicts)
{
    struct judge j = {.run = run, .entries = entries, .n = n, .words = run->n / 64 + 1};
    size_t some = n ? n : 1;
    long survivors = 0;

    j.good = calloc(some, j.words * sizeof(*j.good));
    j.earliest = malloc(some * N_ORDERS * sizeof(*j.earliest));
    j.feeders = malloc(some * sizeof(*j.feeders));
    if (!j.good || !j.earliest || !j.feeders)
        survivors = -XINV_E_NOMEM;
    for (size_t i = 0; !survivors && i < n * N_ORDERS; i++)
        j.earliest[i] = NONE;
    for (unsigned l = 0; l < N_LAYERS && survivors >= 0; l++) {
        for (size_t i = 0; i < n; i++) {
            if (layer(&entries[i]) != l)
                continue;
            verdicts[i] = judge_one(&j, i);
            survivors += verdicts[i].fate != MODEL_GONE;
        }
    }
    free(j.good);
    free(j.earliest);
    free(j.feeders);
    return survivors;
}
