// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
#include "tests/support/entryoracle.h"

#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define ADDRESS_TAGS (XINV_TAG_BIT(XINV_TAG_ADDRESS) | XINV_TAG_BIT(XINV_TAG_IPA))
#define N_AXES       5
#define LOG2_TABLE   21 /* what a paging-structure entry stands for: all of a last-level table */

struct span {
    uint64_t first;
    uint64_t last;
};

struct entry {
    uint8_t cache;
    uint8_t log2_size;
    xinv_axes class; /* one value of each axis */
    uint32_t tag[XINV_NTAGS];
    struct span at[XINV_NTAGS]; /* XINV_TAG_ADDRESS and XINV_TAG_IPA */
};

static const xinv_axes axis[N_AXES] = {
    XINV_LEVEL_LEAF | XINV_LEVEL_WALK,
    XINV_GLOBAL_NO | XINV_GLOBAL_YES,
    XINV_PASID_UNTAGGED | XINV_PASID_TAGGED,
    XINV_PRESENT | XINV_NOT_PRESENT,
    XINV_REGIME_EL1 | XINV_REGIME_EL2 | XINV_REGIME_SECURE | XINV_REGIME_REALM,
};

/* ---- What is enumerated ---- */

static void add_value(struct oracle *o, unsigned tag, uint32_t value)
{
    uint8_t bits = o->iommu->tag_bits[tag];

    if (o->n_values[tag] == ORACLE_VALUES || (bits < 32 && value >> bits))
        return;
    for (unsigned i = 0; i < o->n_values[tag]; i++)
        if (o->value[tag][i] == value)
            return;
    o->value[tag][o->n_values[tag]++] = value;
}

static void add_tags(struct oracle *o, const struct xinv_attachment *at, uint32_t delta)
{
    add_value(o, XINV_TAG_RID, at->rid + delta);
    add_value(o, XINV_TAG_PASID, at->pasid + delta);
    add_value(o, XINV_TAG_ASID, at->asid + delta);
    add_value(o, XINV_TAG_DID, at->did + delta);
    add_value(o, XINV_TAG_VMID, at->vmid + delta);
    for (unsigned i = 0; i < at->n_aliases; i++)
        add_value(o, XINV_TAG_RID, at->aliases[i] + delta);
}

void oracle_begin(struct oracle *o, const struct trial *t)
{
    uint64_t first = t->request.flags & XINV_REQ_RANGE ? t->request.first >> 12 : 0x40000;
    uint64_t last = t->request.flags & XINV_REQ_RANGE ? t->request.last >> 12 : 0x40010;
    uint64_t page[ORACLE_PAGES] = {first,    (first + last) / 2, last,           first - 1,
                                   last + 1, first + 512,        last + 0x40000, 0};

    memset(o, 0, sizeof(*o));
    o->iommu = &t->iommu;
    o->request = &t->request;
    for (unsigned i = 0; i < ORACLE_PAGES; i++)
        o->page[i] = page[i] & (UINT64_MAX >> 12);
    for (unsigned tag = XINV_TAG_RID; tag <= XINV_TAG_VMID; tag++)
        add_value(o, tag, 0);
    for (unsigned i = 0; i < 4; i++)
        add_value(o, XINV_TAG_INDEX, i);
    /* the ends of a long list of attachments stand for all of it */
    for (size_t i = 0; i < t->n; i++)
        if (i < 4 || i + 2 >= t->n)
            add_tags(o, &t->at[i], 0);
    if (t->request.flags & XINV_REQ_NEW_DID)
        add_value(o, XINV_TAG_DID, t->request.new_did);
    add_tags(o, &t->at[0], 1);
    add_tags(o, &t->at[0], UINT32_MAX);
    add_tags(o, &t->at[t->n - 1], 1);
}

/* A tag that an entry does not carry: global ones have no ASID, EL2 ones no VMID (SMMUv3 3.17),
 * untagged ones no PASID. */
static bool carries(const struct entry *e, unsigned tag)
{
    return !((tag == XINV_TAG_ASID && (e->class & XINV_GLOBAL_YES)) ||
             (tag == XINV_TAG_VMID && (e->class & XINV_REGIME_EL2)) ||
             (tag == XINV_TAG_PASID && e->cache == XINV_CACHE_DEVICE_TLB &&
              (e->class & XINV_PASID_UNTAGGED)));
}

static unsigned take(uint64_t *index, unsigned n)
{
    unsigned digit = (unsigned)(*index % n);

    *index /= n;
    return digit;
}

/* One value of each axis that the cache has. */
static bool take_class(const struct xinv_cache_def *cache, uint64_t *index, xinv_axes *class)
{
    *class = 0;
    for (unsigned a = 0; a < N_AXES; a++) {
        unsigned k = take(index, a == N_AXES - 1 ? 4 : 2);
        xinv_axes bit = (xinv_axes)((axis[a] & (xinv_axes)-axis[a]) << k);

        if (!(cache->axes & bit))
            return false;
        *class |= bit;
    }
    return true;
}

/* Leaves of the smallest and of the largest size that the request speaks of; an endpoint may hold a
 * part of one. */
static uint8_t leaf_size(const struct oracle *o, uint8_t cache, unsigned which)
{
    const struct xinv_request *r = o->request;
    uint8_t small = cache != XINV_CACHE_DEVICE_TLB ? r->log2_smallest_leaf : 0;

    if (which && r->log2_leaf_size > 12)
        return r->log2_leaf_size;
    return small ? small : r->log2_granule ? r->log2_granule : 12;
}

/*
 * The entry of a number, mixed radix: classes, tags, addresses. Returns false where the number
 * names nothing, or the same as a smaller one.
 */
static bool entry_at(const struct oracle *o, uint8_t cache_id, uint64_t index, struct entry *e)
{
    const struct xinv_cache_def *cache = &o->iommu->vendor->caches[cache_id];
    unsigned which = take(&index, 2);

    memset(e, 0, sizeof(*e));
    e->cache = cache_id;
    if (!take_class(cache, &index, &e->class))
        return false;
    e->log2_size = e->class & XINV_LEVEL_WALK && cache->tags & ADDRESS_TAGS
                       ? LOG2_TABLE
                       : leaf_size(o, cache_id, which);
    if (which && (e->class & XINV_LEVEL_WALK || e->log2_size == leaf_size(o, cache_id, 0)))
        return false;
    for (unsigned tag = 0; tag < XINV_NTAGS; tag++) {
        unsigned k;

        if (!(cache->tags & XINV_TAG_BIT(tag)))
            continue;
        if (ADDRESS_TAGS & XINV_TAG_BIT(tag)) {
            uint64_t mask = (UINT64_C(1) << e->log2_size) - 1;
            uint64_t address = o->page[take(&index, ORACLE_PAGES)] << 12;

            e->at[tag] = (struct span){address & ~mask, address | mask};
            continue;
        }
        k = take(&index, o->n_values[tag]);
        if (k && !carries(e, tag))
            return false;
        e->tag[tag] = o->value[tag][k];
    }
    return true;
}

static uint64_t n_entries(const struct oracle *o, uint8_t cache_id)
{
    uint8_t tags = o->iommu->vendor->caches[cache_id].tags;
    uint64_t n = 2 * 2 * 2 * 2 * 2 * 4;

    if (!(o->iommu->caches & (1u << cache_id)))
        return 0;
    for (unsigned tag = 0; tag < XINV_NTAGS; tag++)
        if (tags & XINV_TAG_BIT(tag))
            n *= ADDRESS_TAGS & XINV_TAG_BIT(tag) ? ORACLE_PAGES : o->n_values[tag];
    return n;
}

static const char *cache_name(uint8_t cache)
{
    static const char *const names[XINV_NCACHES] = {"device_config", "pasid_config", "stage1",
                                                    "stage2",        "nested",       "device_tlb",
                                                    "interrupt",     "write_buffer"};

    return names[cache];
}

static const char *say(struct oracle *o, const struct entry *e, const char *what)
{
    snprintf(o->text, sizeof(o->text),
             "%s entry of rid 0x%" PRIx32 " pasid %" PRIu32 " asid %" PRIu32 " did %" PRIu32
             " vmid %" PRIu32 " index %" PRIu32 " class 0x%x address 0x%" PRIx64 " ipa 0x%" PRIx64
             " size 2^%u %s",
             cache_name(e->cache), e->tag[XINV_TAG_RID], e->tag[XINV_TAG_PASID],
             e->tag[XINV_TAG_ASID], e->tag[XINV_TAG_DID], e->tag[XINV_TAG_VMID],
             e->tag[XINV_TAG_INDEX], e->class, e->at[XINV_TAG_ADDRESS].first,
             e->at[XINV_TAG_IPA].first, e->log2_size, what);
    return o->text;
}

/* ---- Patterns ---- */

static bool overlap(struct span a, struct span b)
{
    return a.first <= b.last && b.first <= a.last;
}

static bool within(struct span a, struct span b)
{
    return a.first >= b.first && a.last <= b.last;
}

static struct span range_of(const struct oracle *o)
{
    return o->request->flags & XINV_REQ_RANGE ? (struct span){o->request->first, o->request->last}
                                              : (struct span){0, UINT64_MAX};
}

/* Was the translation of such an entry changed? The caller may promise that no leaf reaches beyond
 * the range. */
static bool in_range(const struct oracle *o, const struct entry *e, struct span at)
{
    if ((o->request->flags & XINV_REQ_LEAVES_WITHIN) && (e->class & XINV_LEVEL_LEAF))
        return within(at, range_of(o));
    return overlap(at, range_of(o));
}

/* Tags of a pattern that an entry does not agree with; 0xff: another cache or class. */
static uint8_t differs(const struct oracle *o, const struct oracle_pattern *p,
                       const struct entry *e)
{
    uint8_t tags = 0;

    if (p->cache != e->cache || (p->classes & e->class) != e->class)
        return 0xff;
    for (unsigned t = 0; t < XINV_NTAGS; t++) {
        if (!(p->fixed & XINV_TAG_BIT(t)))
            continue;
        if (ADDRESS_TAGS & XINV_TAG_BIT(t) ? !in_range(o, e, e->at[t])
                                           : carries(e, t) && p->tag[t] != e->tag[t])
            tags |= XINV_TAG_BIT(t);
    }
    return tags;
}

static bool among(const struct oracle *o, const struct oracle_pattern *patterns, unsigned n,
                  const struct entry *e)
{
    for (unsigned i = 0; i < n; i++)
        if (!differs(o, &patterns[i], e))
            return true;
    return false;
}

void oracle_stale_pattern(struct oracle *o, struct oracle_pattern pattern)
{
    cr_assert_lt(o->n_stale, ORACLE_PATTERNS);
    cr_assert_lt(o->n_meant, ORACLE_PATTERNS);
    o->stale[o->n_stale++] = pattern;
    o->meant[o->n_meant++] = pattern;
}

void oracle_stale(struct oracle *o, const struct trial *t, uint8_t cache, uint8_t fixed,
                  xinv_axes classes)
{
    const struct xinv_attachment *at = &t->at[0];

    oracle_stale_pattern(
        o, (struct oracle_pattern){cache, fixed, classes,
                                   .tag = {at->rid, at->pasid, at->asid, at->did, at->vmid}});
}

/* ---- What the rows remove ---- */

/* Does a removal reach an entry: for certain, or at all? */
static bool reaches(const struct oracle *o, const struct oracle_command *c,
                    const struct xinv_removal_def *r, const struct entry *e, bool certain)
{
    struct span named = {c->first, c->last};

    if (r->cache != e->cache || (r->classes & e->class) != e->class || (certain && !r->must))
        return false;
    for (unsigned t = 0; t < XINV_NTAGS; t++) {
        bool leaf = e->class & XINV_LEVEL_LEAF;

        if (!(r->match & XINV_TAG_BIT(t)))
            continue;
        if (!(ADDRESS_TAGS & XINV_TAG_BIT(t))) {
            if (certain ? !carries(e, t) || e->tag[t] != c->tag[t]
                        : carries(e, t) && e->tag[t] != c->tag[t])
                return false;
            continue;
        }
        /* a block smaller than the leaf need not remove it */
        if (certain && leaf && o->iommu->range[c->row].leaf_floor ? !within(e->at[t], named)
                                                                  : !overlap(e->at[t], named))
            return false;
        if (certain && leaf && c->only_size && c->only_size != e->log2_size)
            return false;
    }
    return true;
}

/* The first removal of what was sent that reaches an entry; must: 1 or 0, or -1 for any. */
static bool gone(const struct oracle *o, const struct entry *e, bool certain, int must)
{
    const struct xinv_vendor *v = o->iommu->vendor;

    for (unsigned i = 0; i < o->n_sent; i++) {
        const struct xinv_command_def *row = &v->commands[o->sent[i].row];

        for (unsigned k = 0; k < row->removals.count; k++) {
            const struct xinv_removal_def *r = &v->removals[row->removals.first + k];

            if ((must < 0 || r->must == must) && reaches(o, &o->sent[i], r, e, certain))
                return true;
        }
    }
    return false;
}

const char *oracle_survivor_in(struct oracle *o, uint8_t cache)
{
    uint64_t n = n_entries(o, cache);

    for (uint64_t i = 0; i < n; i++) {
        struct entry e;

        if (entry_at(o, cache, i, &e) && among(o, o->stale, o->n_stale, &e) &&
            !gone(o, &e, true, 1))
            return say(o, &e, "survives");
    }
    return NULL;
}

const char *oracle_survivor(struct oracle *o)
{
    const char *text = NULL;

    for (uint8_t cache = 0; cache < XINV_NCACHES && !text; cache++)
        text = oracle_survivor_in(o, cache);
    return text;
}

/* ---- What the report says of it ---- */

/* The caller's promise about leaves says that this one was not there. */
static bool impossible(const struct oracle *o, const struct entry *e)
{
    if (!(o->request->flags & XINV_REQ_LEAVES_WITHIN) || !(e->class & XINV_LEVEL_LEAF))
        return false;
    for (unsigned t = XINV_TAG_ADDRESS; t <= XINV_TAG_IPA; t++)
        if ((o->iommu->vendor->caches[e->cache].tags & XINV_TAG_BIT(t)) &&
            overlap(e->at[t], range_of(o)) && !within(e->at[t], range_of(o)))
            return true;
    return false;
}

/* May an entry go by rounding, or because a tag in which alone it differs was given up? */
static const char *excused(struct oracle *o, const struct xinv_report *report,
                           const struct entry *e, bool told)
{
    bool single = true;

    for (unsigned i = 0; i < o->n_meant; i++) {
        uint8_t tags = differs(o, &o->meant[i], e);

        if (tags == 0xff)
            continue;
        if (!(tags & (uint8_t)~ADDRESS_TAGS)) {
            if (report->extra_pages || report->extra_unbounded)
                return NULL;
            return say(o, e, "goes although nothing was rounded");
        }
        if (!(tags & (tags - 1)) && !(report->widened & tags))
            single = false;
    }
    if (!told)
        return say(o, e, "goes unannounced");
    return single || o->n_meant > 8 ? NULL : say(o, e, "goes by a tag that is not called widened");
}

/* 4 KiB pages that the blocks of one row and its tags name beyond the range. */
static bool rounds_more(const struct oracle *o, const struct xinv_report *report, unsigned i)
{
    uint64_t pages = 0;

    if (!o->iommu->vendor->commands[o->sent[i].row].ranges.count)
        return false;
    for (unsigned k = 0; k < o->n_sent; k++) {
        const struct oracle_command *c = &o->sent[k];
        bool same = c->row == o->sent[i].row && !memcmp(c->tag, o->sent[i].tag, sizeof(c->tag));

        if (same && k < i)
            return false; /* counted there */
        for (unsigned b = i; b < k && same; b++)
            same = !(o->sent[b].row == c->row && o->sent[b].first == c->first &&
                     !memcmp(o->sent[b].tag, c->tag, sizeof(c->tag)));
        if (same)
            pages += (c->last - c->first) / 4096 + 1;
    }
    return pages > report->asked_pages + report->extra_pages;
}

const char *oracle_unreported(struct oracle *o, const struct xinv_report *report)
{
    uint8_t any = report->must_beyond | report->may_beyond;

    for (unsigned i = 0; i < o->n_sent; i++)
        if (rounds_more(o, report, i))
            return "more pages than asked and extra";
    for (uint8_t cache = 0; cache < XINV_NCACHES; cache++) {
        uint64_t n = n_entries(o, cache);

        for (uint64_t i = 0; i < n; i++) {
            struct entry e;
            const char *text = NULL;

            if (!entry_at(o, cache, i, &e) || among(o, o->meant, o->n_meant, &e) ||
                impossible(o, &e))
                continue;
            if (gone(o, &e, false, 1))
                text = excused(o, report, &e, report->must_beyond >> cache & 1);
            else if (!(any >> cache & 1) && gone(o, &e, false, 0))
                text = say(o, &e, "may go unannounced");
            if (text)
                return text;
        }
    }
    return NULL;
}

/* A global entry that one ASID's change makes stale serves the other ASIDs as well. */
static bool shared(const struct oracle *o, const struct entry *e)
{
    for (unsigned i = 0; (e->class & XINV_GLOBAL_YES) && i < o->n_meant; i++)
        if (o->meant[i].cache == e->cache && (o->meant[i].fixed & XINV_TAG_BIT(XINV_TAG_ASID)))
            return true;
    return false;
}

static bool something_goes(const struct oracle *o, uint8_t cache, int must)
{
    uint64_t n = n_entries(o, cache);

    for (uint64_t i = 0; i < n; i++) {
        struct entry e;

        if (entry_at(o, cache, i, &e) && (shared(o, &e) || !among(o, o->meant, o->n_meant, &e)) &&
            gone(o, &e, false, must))
            return true;
    }
    return false;
}

const char *oracle_overreported(struct oracle *o, const struct xinv_report *report)
{
    for (uint8_t cache = 0; cache < XINV_NCACHES; cache++) {
        if ((report->must_beyond >> cache & 1) && !something_goes(o, cache, 1)) {
            snprintf(o->text, sizeof(o->text), "must_beyond %s, but nothing goes there",
                     cache_name(cache));
            return o->text;
        }
        if ((report->may_beyond >> cache & 1) && !something_goes(o, cache, 0)) {
            snprintf(o->text, sizeof(o->text), "may_beyond %s, but nothing can go there",
                     cache_name(cache));
            return o->text;
        }
    }
    return NULL;
}
