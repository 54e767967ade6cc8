// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
#include "tests/support/randomtable.h"

#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "tests/support/random.h"

#define RID     XINV_TAG_BIT(XINV_TAG_RID)
#define PASID   XINV_TAG_BIT(XINV_TAG_PASID)
#define DID     XINV_TAG_BIT(XINV_TAG_DID)
#define ADDRESS XINV_TAG_BIT(XINV_TAG_ADDRESS)

#define BOTH_PASID (XINV_PASID_UNTAGGED | XINV_PASID_TAGGED)
#define BASE_AXES                                                                                 \
    (XINV_LEVEL_LEAF | XINV_LEVEL_WALK | XINV_GLOBAL_NO | XINV_GLOBAL_YES | XINV_PASID_UNTAGGED | \
     XINV_PRESENT | XINV_NOT_PRESENT | XINV_REGIME_EL1)

const uint8_t rt_caches[RT_CACHES] = {XINV_CACHE_DEVICE_CONFIG, XINV_CACHE_STAGE1,
                                      XINV_CACHE_DEVICE_TLB};
const uint8_t rt_tags[RT_TAGS + 1] = {XINV_TAG_RID, XINV_TAG_PASID, XINV_TAG_DID, XINV_TAG_ADDRESS};

uint64_t rt_seed(uint64_t preset)
{
    return random_given("XINV_SEED", preset);
}

unsigned rt_count(unsigned preset)
{
    return (unsigned)random_given("XINV_TABLES", preset);
}

/* A backend whose words say in plain numbers what the command is. */
#define FENCE_WORD UINT64_C(0xfe)
#define SYNC_WORD  UINT64_C(0xff)

static uint8_t fake_words(const struct xinv_iommu *iommu)
{
    (void)iommu;
    return 4;
}

static void fake_encode(const struct xinv_iommu *iommu, uint8_t op, const struct xinv_operands *o,
                        uint64_t *w)
{
    bool ranged = iommu->vendor->commands[op].ranges.count != 0;

    w[0] = op;
    w[1] = o->rid | (uint64_t)o->pasid << 16 | (uint64_t)o->did << 32;
    w[2] = ranged ? o->block.first : 0;
    w[3] = ranged ? o->block.last : UINT64_MAX;
}

static void fake_fence(const struct xinv_iommu *iommu, uint64_t *w)
{
    (void)iommu;
    memset(w, 0, 4 * sizeof(*w));
    w[0] = FENCE_WORD;
}

static int fake_complete(const struct xinv_iommu *iommu, const struct xinv_completion *c,
                         uint64_t *w)
{
    (void)c;
    fake_fence(iommu, w);
    w[0] = SYNC_WORD;
    return 0;
}

static const struct xinv_codec no_commands = {0}; /* by their words */
static const struct xinv_backend fake = {.name = "fake",
                                         .codec = &no_commands,
                                         .words = fake_words,
                                         .encode = fake_encode,
                                         .fence = fake_fence,
                                         .complete = fake_complete};

/* Tables. */

static uint8_t random_tags(uint8_t of, unsigned percent)
{
    uint8_t tags = 0;

    for (unsigned i = 0; i < 4; i++)
        if ((of & XINV_TAG_BIT(rt_tags[i])) && random_chance(percent))
            tags |= XINV_TAG_BIT(rt_tags[i]);
    return tags;
}

/* Some values of each axis that a cache has. */
static xinv_axes random_axes(const struct xinv_cache_def *cache)
{
    static const xinv_axes pairs[4] = {XINV_LEVEL_LEAF | XINV_LEVEL_WALK,
                                       XINV_GLOBAL_NO | XINV_GLOBAL_YES,
                                       XINV_PRESENT | XINV_NOT_PRESENT, BOTH_PASID};
    xinv_axes axes = XINV_REGIME_EL1;

    for (unsigned i = 0; i < 4; i++) {
        xinv_axes pair = pairs[i] & cache->axes;
        xinv_axes low = pair & (xinv_axes)-pair;

        if (pair == low || random_chance(60))
            axes |= pair;
        else
            axes |= random_chance(50) ? low : (xinv_axes)(pair & ~low);
    }
    return axes;
}

static void make_caches(struct rt_world *w)
{
    for (unsigned i = 0; i < RT_CACHES; i++) {
        struct xinv_cache_def *c = &w->vendor.caches[rt_caches[i]];
        bool atc = rt_caches[i] == XINV_CACHE_DEVICE_TLB;

        c->present = 1;
        do
            c->tags = random_tags(RID | PASID | DID | ADDRESS, 60) | (atc ? RID | PASID : 0);
        while (!c->tags);
        c->owner = random_tags(c->tags & (uint8_t)~ADDRESS, 60);
        c->zero = random_tags(c->tags & (atc ? DID : PASID | DID), 30);
        c->pasid_zero = atc ? (uint8_t)((random_below(4) * XINV_PASID_UNTAGGED) >> 4) : 0;
        c->log2_entries = (uint8_t)(8 + random_below(5));
        for (unsigned t = 0; t < 4; t++)
            c->spread[rt_tags[t]] = (uint8_t)random_below(5);
        c->axes = atc ? BASE_AXES | XINV_PASID_TAGGED : BASE_AXES;
    }
}

/* In nearly half of the rows each removal is of all classes, and of few tags: those that can serve
 * where others cannot. */
static void make_removal(struct rt_world *w, unsigned i, bool ranged, bool broad)
{
    struct xinv_removal_def *r = &w->removals[i];
    const struct xinv_cache_def *c;

    r->cache = rt_caches[random_below(RT_CACHES)];
    c = &w->vendor.caches[r->cache];
    r->match = random_tags(c->tags & (uint8_t) ~(ranged ? 0 : ADDRESS), broad ? 30 : 60);
    r->must = random_chance(85);
    r->classes = broad ? c->axes : random_axes(c);
    if (r->cache == XINV_CACHE_DEVICE_TLB && (r->match & PASID))
        r->classes = (xinv_axes)((r->classes & ~BOTH_PASID) | XINV_PASID_TAGGED);
}

static void make_row(struct rt_world *w, unsigned row)
{
    struct xinv_command_def *cmd = &w->rows[row];
    bool broad = random_chance(45);
    bool ranged = random_chance(broad ? 25 : 45);

    cmd->name = "row";
    cmd->op = (uint8_t)row;
    cmd->phase = (uint8_t)(1 + random_below(4));
    cmd->removals.first = (uint8_t)(row * RT_REMOVALS);
    cmd->removals.count = (uint8_t)(1 + random_below(RT_REMOVALS));
    for (unsigned i = 0; i < cmd->removals.count; i++) {
        make_removal(w, cmd->removals.first + i, ranged, broad);
        cmd->operands |= w->removals[cmd->removals.first + i].match & (uint8_t)~ADDRESS;
    }
    if (ranged) {
        cmd->ranges = (struct xinv_span){(uint8_t)row, 1};
        w->ranges[row] = (struct xinv_range_def){
            .kind = random_chance(70) ? XINV_RANGE_POW2 : XINV_RANGE_PAGE,
            .max_order = {(uint8_t)random_below(12), 0, XINV_NO_FEATURE},
        };
        w->ranges[row].leaf_floor = w->ranges[row].kind == XINV_RANGE_POW2 && random_chance(60);
    }
    if (random_chance(20))
        cmd->conds = (struct xinv_span){(uint8_t)random_below(2), 1};
}

static void make_need(struct rt_world *w, unsigned i, bool everything)
{
    struct xinv_need_def *n = &w->needs[i];
    const struct xinv_cache_def *c;
    bool atc;

    n->cache = rt_caches[random_below(RT_CACHES)];
    atc = n->cache == XINV_CACHE_DEVICE_TLB;
    c = &w->vendor.caches[n->cache];
    n->classes = random_axes(c);
    if (everything) {
        n->tags = atc ? RID | PASID : 0;
        return;
    }
    do
        n->tags = random_tags(c->tags, 80) | (atc ? RID : 0); /* a device TLB is one endpoint's */
    while (!n->tags);
    if (random_chance(20))
        n->zero = random_tags(n->tags & (atc ? DID : PASID | DID), 50);
    n->flags = (uint8_t)(random_chance(40) ? XINV_NEED_LEVEL_HINT : 0);
    n->flags |= (uint8_t)(random_chance(40) ? XINV_NEED_GLOBAL_HINT : 0);
    n->flags |= (uint8_t)(random_chance(20) ? XINV_NEED_ALIASES : 0);
    n->flags |= (uint8_t)(random_chance(20) ? XINV_NEED_NEW_DID : 0);
}

static void make_vendor(struct rt_world *w)
{
    struct xinv_vendor *v = &w->vendor;
    unsigned n_needs = 1 + random_below(RT_NEEDS);
    bool everything = random_chance(10);

    v->name = "random";
    v->backend = &fake;
    v->features = w->features;
    v->conds = w->conds;
    v->commands = w->rows;
    v->removals = w->removals;
    v->ranges = w->ranges;
    v->changes = &w->change;
    v->needs = w->needs;
    v->n_features = 2;
    v->n_changes = 1;
    v->n_commands = (uint8_t)(5 + random_below(RT_ROWS - 4));
    for (unsigned i = 0; i < 2; i++) {
        w->features[i] = (struct xinv_feature_def){i ? "g" : "f", XINV_SETTING, 0, 1, 0};
        w->conds[i] = (struct xinv_cond){(uint8_t)i, XINV_COND_NE, 0};
        w->settings[i] = (struct xinv_setting){(uint8_t)i, (uint16_t)random_below(2)};
    }
    for (unsigned t = 0; t < RT_TAGS; t++)
        v->tag_bits[rt_tags[t]] = (struct xinv_linear){8, 0, XINV_NO_FEATURE};
    v->stages[XINV_STAGE_STAGE1].present = 1;
    for (unsigned a = 0; a < XINV_NPHASES; a++)
        for (unsigned b = 0; b < XINV_NPHASES; b++)
            v->order[a][b] = random_chance(50) ? XINV_ORDER_QUEUE : XINV_ORDER_FENCE;
    v->final_sync = 1;
    make_caches(w);
    for (unsigned i = 0; i < v->n_commands; i++)
        make_row(w, i);
    for (unsigned i = 0; i < n_needs; i++)
        make_need(w, i, everything);
    w->change = (struct xinv_change_def){.change = everything ? XINV_CHANGE_EVERYTHING
                                                              : XINV_CHANGE_STAGE1_PTE,
                                         .from = XINV_FROM_PRESENT,
                                         .stages = XINV_STAGE_BIT(XINV_STAGE_STAGE1),
                                         .needs = {0, (uint8_t)n_needs}};
}

static void make_request(struct rt_world *w)
{
    struct xinv_request *r = &w->request;
    uint64_t first = random_below(64);

    r->change = w->change.change;
    r->flags = (uint16_t)(random_chance(50) ? XINV_REQ_LEAF_ONLY : 0);
    r->flags |= (uint16_t)(random_chance(30) ? XINV_REQ_GLOBAL : 0);
    r->flags |= (uint16_t)(random_chance(70) ? XINV_REQ_RANGE : 0);
    r->flags |= (uint16_t)(random_chance(30) ? XINV_REQ_ENUMERATED : 0);
    r->flags |= (uint16_t)(random_chance(40) ? XINV_REQ_BEYOND : 0);
    r->flags |= (uint16_t)(random_chance(30) ? XINV_REQ_LEAVES_WITHIN : 0);
    r->flags |= (uint16_t)(random_chance(40) ? XINV_REQ_NEW_DID : 0);
    r->new_did = RT_NEW_DID;
    r->log2_leaf_size = (uint8_t)(12 + random_below(8));
    r->log2_granule = 12;
    r->first = first << 12;
    r->last = ((first + 1 + random_below(40)) << 12) - 1;
    w->policy.kind = (uint8_t)random_below(3);
    w->policy.blocks = (uint8_t)(1 + random_below(4));
    w->policy.max_commands = (uint16_t)(random_chance(30) ? 1 + random_below(8) : 0);
}

/* Attachments of one endpoint stand next to each other. */
static void make_attachments(struct rt_world *w)
{
    uint32_t rid = 1;
    uint8_t flags = random_chance(50) ? XINV_ATT_PASID_ENABLED : 0;

    w->n_at = random_chance(60) ? 1 : 2 + random_below(RT_AT - 1);
    for (size_t i = 0; i < w->n_at; i++) {
        rid += random_below(i ? 2 : 3);
        w->aliases[i][0] = 20 + random_below(3);
        w->aliases[i][1] = 20 + random_below(3);
        w->at[i] = (struct xinv_attachment){
            .stage = XINV_STAGE_STAGE1,
            .flags = flags,
            .known = random_tags(RID | PASID | DID, 90),
            .rid = rid,
            .pasid = random_below(3),
            .did = 1 + random_below(3),
            .n_aliases = (uint8_t)(random_chance(30) ? 1 + random_below(2) : 0),
            .aliases = w->aliases[i]};
    }
}

void rt_make(struct rt_world *w, uint64_t n)
{
    random_seed(n);
    memset(w, 0, sizeof(*w));
    make_vendor(w);
    make_request(w);
    make_attachments(w);
    w->platform = (struct xinv_platform){
        .name = "random", .vendor = &w->vendor, .settings = w->settings, .n_settings = 2};
    cr_assert_eq(xinv_iommu_init(&w->iommu, &w->platform, NULL, NULL, 0), 0);
}

/* Answers. */

void rt_run(const struct rt_world *w, struct rt_answer *a)
{
    a->out = (struct xinv_out){
        .words = a->words, .steps = a->steps, .cap_words = RT_WORDS, .cap_steps = 128};
    a->report = (struct xinv_report){0};
    a->ret = xinv_translate(&w->iommu, w->at, w->n_at, &w->request, &w->policy, NULL, &a->out,
                            &a->report);
}

bool rt_command_at(const struct rt_answer *answer, uint32_t word, struct rt_command *command)
{
    const uint64_t *w = answer->words + word;

    *command = (struct rt_command){
        (unsigned)w[0], {w[1] & 0xffff, w[1] >> 16 & 0xffff, w[1] >> 32 & 0xffff}, w[2], w[3]};
    return w[0] < FENCE_WORD;
}

/* Entries. */

#define MAX_ENTRIES 60000
static struct rt_entry entries[MAX_ENTRIES];
static size_t n_entries;

static void add_addresses(const struct rt_world *w, struct rt_entry e)
{
    uint64_t first = w->request.first >> 12;
    uint64_t last = w->request.last >> 12;
    uint64_t page[6] = {first, (first + last) / 2, last, last + 1, first + 300, UINT64_C(1) << 40};
    uint64_t super = UINT64_C(1) << w->request.log2_leaf_size;
    unsigned n = (w->vendor.caches[e.cache].tags & ADDRESS) ? 6 : 1;

    for (unsigned i = 0; i < n; i++) {
        e.first = page[i] << 12;
        e.last = e.first + 4095;
        cr_assert_lt(n_entries, MAX_ENTRIES - 3);
        entries[n_entries++] = e;
    }
    if (n == 1 || super == 4096 || !(e.class & XINV_LEVEL_LEAF))
        return;
    for (unsigned i = 0; i < 2; i++) {
        e.first = (i ? w->request.last : w->request.first) & ~(super - 1);
        e.last = e.first + super - 1;
        entries[n_entries++] = e;
    }
}

xinv_axes rt_class(unsigned i)
{
    return (xinv_axes)((i & 1 ? XINV_LEVEL_WALK : XINV_LEVEL_LEAF) |
                       (i & 2 ? XINV_GLOBAL_YES : XINV_GLOBAL_NO) |
                       (i & 4 ? XINV_NOT_PRESENT : XINV_PRESENT) |
                       (i & 8 ? XINV_PASID_TAGGED : XINV_PASID_UNTAGGED));
}

/* Entries of one class of one cache: every value of each tag that the cache has. */
static void add_class(const struct rt_world *w, uint8_t cache, xinv_axes class)
{
    static const uint32_t values[RT_TAGS][8] = {
        {1, 2, 3, 4, 5, 20, 21, RT_OTHER}, {0, 1, 2, RT_OTHER}, {0, 1, 2, 3, RT_NEW_DID, RT_OTHER}};
    static const unsigned counts[RT_TAGS] = {8, 4, 6};
    const struct xinv_cache_def *c = &w->vendor.caches[cache];
    bool none = cache == XINV_CACHE_DEVICE_TLB && (class & XINV_PASID_UNTAGGED);
    unsigned n[RT_TAGS];

    for (unsigned t = 0; t < RT_TAGS; t++)
        n[t] = c->tags & XINV_TAG_BIT(rt_tags[t]) && !(none && t == 1) ? counts[t] : 1;
    for (unsigned i = 0; i < n[0] * n[1] * n[2]; i++) {
        struct rt_entry e = {.cache = cache, .class = class};
        unsigned rest = i;

        for (unsigned t = 0; t < RT_TAGS; t++) {
            e.tag[t] = n[t] == 1 ? 0 : values[t][rest % n[t]];
            rest /= n[t];
        }
        if (none)
            e.tag[1] = RT_NO_PASID;
        add_addresses(w, e);
    }
}

static uint32_t value_of(const struct xinv_attachment *at, unsigned t)
{
    return t == 0 ? at->rid : t == 1 ? at->pasid : at->did;
}

static bool is_alias(const struct xinv_attachment *at, uint32_t rid)
{
    for (unsigned i = 0; i < at->n_aliases; i++)
        if (at->aliases[i] == rid)
            return true;
    return false;
}

static bool uses_pasids(const struct rt_world *w, const struct xinv_attachment *at)
{
    bool any = at->flags & XINV_ATT_PASID_ENABLED;

    for (size_t i = 0; i < w->n_at; i++)
        any |= w->at[i].rid == at->rid && (w->at[i].known & PASID) && w->at[i].pasid;
    return any;
}

xinv_axes rt_traffic(const struct rt_world *w, const struct xinv_attachment *at)
{
    xinv_axes zero = (xinv_axes)(w->vendor.caches[XINV_CACHE_DEVICE_TLB].pasid_zero << 4);

    if (!(at->known & PASID))
        return XINV_PASID_UNTAGGED;
    if (at->pasid || !zero)
        zero = XINV_PASID_TAGGED;
    /* what an endpoint translated without PASID counts where its own entry changes */
    if (w->change.change == XINV_CHANGE_EVERYTHING && w->request.from != XINV_FROM_NOT_PRESENT)
        zero |= XINV_PASID_UNTAGGED;
    if (at->pasid)
        return zero;
    /* an endpoint that can use other PASIDs can have tagged ones of PASID 0 as well */
    if (zero & XINV_PASID_UNTAGGED)
        zero |= uses_pasids(w, at) ? XINV_PASID_TAGGED : 0;
    return zero;
}

/* Can an entry of such a class, and PASID, be an attachment's? Other caches have PASIDs like any
 * tag. */
static bool fits_traffic(const struct rt_world *w, const struct xinv_attachment *at,
                         const struct rt_entry *e)
{
    return e->cache != XINV_CACHE_DEVICE_TLB || (e->class & rt_traffic(w, at) & BOTH_PASID);
}

static bool takes_new_did(const struct rt_world *w, const struct xinv_need_def *n)
{
    return (n->flags & XINV_NEED_NEW_DID) && (n->tags & DID) &&
           (w->request.flags & XINV_REQ_NEW_DID);
}

/* Where every live attachment is given, an entry that no attachment can have made does not exist;
 * but what the need says of a tag itself goes before what the attachment has. */
static bool lives(const struct rt_world *w, const struct rt_entry *e, const struct xinv_need_def *n)
{
    const struct xinv_cache_def *c = &w->vendor.caches[e->cache];

    if (!(w->request.flags & XINV_REQ_ENUMERATED))
        return true;
    for (size_t i = 0; i < w->n_at; i++) {
        const struct xinv_attachment *at = &w->at[i];
        bool fits = fits_traffic(w, at, e);

        for (unsigned t = 0; t < RT_TAGS; t++) {
            uint8_t bit = XINV_TAG_BIT(rt_tags[t]);

            if (!(c->tags & bit) || (n->zero & bit) || (t == 2 && takes_new_did(w, n)) ||
                e->tag[t] == RT_NO_PASID)
                continue;
            if (at->known & bit)
                fits &= e->tag[t] == value_of(at, t) || (t == 0 && is_alias(at, e->tag[0]));
            else if (c->zero & bit)
                fits &= e->tag[t] == 0;
        }
        if (fits)
            return true;
    }
    return false;
}

static bool need_has_class(const struct rt_world *w, const struct xinv_need_def *n, xinv_axes class)
{
    xinv_axes classes = n->classes;

    if (n->cache == XINV_CACHE_DEVICE_TLB)
        classes |= BOTH_PASID; /* the traffic decides */
    if ((n->flags & XINV_NEED_LEVEL_HINT) && (w->request.flags & XINV_REQ_LEAF_ONLY) &&
        (classes & XINV_LEVEL_LEAF))
        classes &= (xinv_axes)~XINV_LEVEL_WALK;
    if ((n->flags & XINV_NEED_GLOBAL_HINT) && !(w->request.flags & XINV_REQ_GLOBAL) &&
        (classes & XINV_GLOBAL_NO))
        classes &= (xinv_axes)~XINV_GLOBAL_YES;
    return (classes & class) == class;
}

/* Is a tag's value what a need asks for on behalf of an attachment? */
static bool tag_agrees(const struct rt_world *w, const struct xinv_attachment *at,
                       const struct xinv_need_def *n, const struct rt_entry *e, unsigned t)
{
    uint8_t bit = XINV_TAG_BIT(rt_tags[t]);

    if (!(n->tags & bit) || e->tag[t] == RT_NO_PASID)
        return true;
    if (n->zero & bit)
        return e->tag[t] == 0;
    if (t == 2 && takes_new_did(w, n))
        return e->tag[t] == RT_NEW_DID;
    if (at->known & bit)
        return e->tag[t] == value_of(at, t) ||
               (t == 0 && (n->flags & XINV_NEED_ALIASES) && is_alias(at, e->tag[0]));
    return !(w->vendor.caches[n->cache].zero & bit) || e->tag[t] == 0;
}

/* Is the entry among those that a need of the table makes stale for one attachment? */
static bool needs_removal(const struct rt_world *w, const struct xinv_attachment *at,
                          const struct xinv_need_def *n, const struct rt_entry *e)
{
    const struct xinv_request *r = &w->request;

    if (n->cache != e->cache || !need_has_class(w, n, e->class) || !fits_traffic(w, at, e))
        return false;
    for (unsigned t = 0; t < RT_TAGS; t++)
        if (!tag_agrees(w, at, n, e, t))
            return false;
    if (!(n->tags & ADDRESS) || !(r->flags & XINV_REQ_RANGE))
        return true;
    if ((r->flags & XINV_REQ_LEAVES_WITHIN) && e->last - e->first > 4095)
        return e->first >= r->first && e->last <= r->last;
    return e->first <= r->last && r->first <= e->last;
}

static bool is_stale(const struct rt_world *w, const struct rt_entry *e)
{
    for (size_t i = 0; i < w->n_at; i++)
        for (unsigned n = 0; n < w->change.needs.count; n++)
            if (needs_removal(w, &w->at[i], &w->needs[n], e) && lives(w, e, &w->needs[n]))
                return true;
    return false;
}

const struct rt_entry *rt_entries(const struct rt_world *w, size_t *n)
{
    n_entries = 0;
    for (unsigned c = 0; c < RT_CACHES; c++) {
        xinv_axes axes = w->vendor.caches[rt_caches[c]].axes;

        for (unsigned i = 0; i < RT_CLASSES; i++)
            if ((axes & rt_class(i)) == rt_class(i))
                add_class(w, rt_caches[c], rt_class(i));
    }
    for (size_t k = 0; k < n_entries; k++)
        entries[k].stale = is_stale(w, &entries[k]);
    *n = n_entries;
    return entries;
}

bool rt_removes(const struct rt_world *w, const struct rt_command *cmd, const struct rt_entry *e,
                bool may)
{
    const struct xinv_command_def *row = &w->rows[cmd->row];

    for (unsigned i = 0; i < row->removals.count; i++) {
        const struct xinv_removal_def *r = &w->removals[row->removals.first + i];
        bool hit = (r->must || may) && r->cache == e->cache && (r->classes & e->class) == e->class;

        for (unsigned t = 0; t < RT_TAGS; t++)
            if (r->match & XINV_TAG_BIT(rt_tags[t]))
                hit &= e->tag[t] == cmd->tag[t];
        if (hit && (r->match & ADDRESS)) {
            /* a block smaller than the leaf need not remove it */
            if (w->ranges[cmd->row].leaf_floor && !may)
                hit = e->first >= cmd->first && e->last <= cmd->last;
            else
                hit = e->first <= cmd->last && cmd->first <= e->last;
        }
        if (hit)
            return true;
    }
    return false;
}

void rt_describe(const struct rt_entry *e, char *text, size_t size)
{
    snprintf(text, size, "cache %u rid %u pasid %u did %u class 0x%x %" PRIx64 "..%" PRIx64,
             e->cache, e->tag[0], e->tag[1], e->tag[2], e->class, e->first, e->last);
}
