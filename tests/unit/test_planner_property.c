// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/*
 * The planner on random small tables. Three caches, four tags, classes on three axes; rows with
 * several removals each, certain and possible ones. An oracle that enumerates entries finds no
 * survivor, and nothing dies unannounced. XINV_SEED starts the sequence elsewhere; XINV_TABLES sets
 * how many tables.
 */
#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/backend.h"
#include "core/range.h"

#define N_CACHES       3
#define MAX_ROWS_HERE  9
#define MAX_REMOVALS   3
#define MAX_NEEDS_HERE 3
#define MAX_AT         3
#define NEW_DID        9
#define OTHER          7 /* a value of a tag that nobody here has */

#define RID     XINV_TAG_BIT(XINV_TAG_RID)
#define PASID   XINV_TAG_BIT(XINV_TAG_PASID)
#define DID     XINV_TAG_BIT(XINV_TAG_DID)
#define ADDRESS XINV_TAG_BIT(XINV_TAG_ADDRESS)

static const uint8_t cache_ids[N_CACHES] = {XINV_CACHE_DEVICE_CONFIG, XINV_CACHE_STAGE1,
                                            XINV_CACHE_STAGE2};
static const uint8_t tag_ids[4] = {XINV_TAG_RID, XINV_TAG_PASID, XINV_TAG_DID, XINV_TAG_ADDRESS};

/* Random numbers: xorshift64*. */
static uint64_t state;

static uint64_t draw(void)
{
    state ^= state >> 12;
    state ^= state << 25;
    state ^= state >> 27;
    return state * UINT64_C(0x2545f4914f6cdd1d);
}

static unsigned below(unsigned n)
{
    return (unsigned)((draw() >> 33) % n);
}

static bool chance(unsigned percent)
{
    return below(100) < percent;
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

static const struct xinv_backend fake = {.name = "fake",
                                         .words = fake_words,
                                         .encode = fake_encode,
                                         .fence = fake_fence,
                                         .complete = fake_complete};

/* One random table, IOMMU, request. */
struct world {
    struct xinv_vendor vendor;
    struct xinv_platform platform;
    struct xinv_feature_def features[2];
    struct xinv_cond conds[2];
    struct xinv_command_def rows[MAX_ROWS_HERE];
    struct xinv_removal_def removals[MAX_ROWS_HERE * MAX_REMOVALS];
    struct xinv_range_def ranges[MAX_ROWS_HERE];
    struct xinv_change_def change;
    struct xinv_need_def needs[MAX_NEEDS_HERE];
    struct xinv_setting settings[2];
    struct xinv_iommu iommu;
    struct xinv_attachment at[MAX_AT];
    uint32_t aliases[MAX_AT][2];
    size_t n_at;
    struct xinv_request request;
    struct xinv_policy policy;
};

static uint8_t random_tags(uint8_t of, unsigned percent)
{
    uint8_t tags = 0;

    for (unsigned i = 0; i < 4; i++)
        if ((of & XINV_TAG_BIT(tag_ids[i])) && chance(percent))
            tags |= XINV_TAG_BIT(tag_ids[i]);
    return tags;
}

/* Some values of each of three axes; the others have one value that counts. */
static xinv_axes random_axes(void)
{
    static const xinv_axes pairs[3] = {XINV_LEVEL_LEAF | XINV_LEVEL_WALK,
                                       XINV_GLOBAL_NO | XINV_GLOBAL_YES,
                                       XINV_PRESENT | XINV_NOT_PRESENT};
    xinv_axes axes = XINV_PASID_UNTAGGED | XINV_REGIME_EL1;

    for (unsigned i = 0; i < 3; i++) {
        xinv_axes low = pairs[i] & (xinv_axes)-pairs[i];

        axes |= chance(60) ? pairs[i] : chance(50) ? low : (xinv_axes)(pairs[i] & ~low);
    }
    return axes;
}

static void make_caches(struct world *w)
{
    for (unsigned i = 0; i < N_CACHES; i++) {
        struct xinv_cache_def *c = &w->vendor.caches[cache_ids[i]];

        c->present = 1;
        do
            c->tags = random_tags(RID | PASID | DID | ADDRESS, 60);
        while (!c->tags);
        c->owner = random_tags(c->tags & (uint8_t)~ADDRESS, 60);
        c->zero = random_tags(c->tags & (PASID | DID), 30);
        c->log2_entries = (uint8_t)(8 + below(5));
        for (unsigned t = 0; t < 4; t++)
            c->spread[tag_ids[t]] = (uint8_t)below(5);
        c->axes = XINV_LEVEL_LEAF | XINV_LEVEL_WALK | XINV_GLOBAL_NO | XINV_GLOBAL_YES |
                  XINV_PASID_UNTAGGED | XINV_PRESENT | XINV_NOT_PRESENT | XINV_REGIME_EL1;
    }
}

static void make_row(struct world *w, unsigned row)
{
    struct xinv_command_def *cmd = &w->rows[row];
    bool ranged = chance(45);

    cmd->name = "row";
    cmd->op = (uint8_t)row;
    cmd->phase = (uint8_t)(1 + below(4));
    cmd->removals.first = (uint8_t)(row * MAX_REMOVALS);
    cmd->removals.count = (uint8_t)(1 + below(MAX_REMOVALS));
    for (unsigned i = 0; i < cmd->removals.count; i++) {
        struct xinv_removal_def *r = &w->removals[cmd->removals.first + i];
        uint8_t tags;

        r->cache = cache_ids[below(N_CACHES)];
        tags = w->vendor.caches[r->cache].tags & (uint8_t) ~(ranged ? 0 : ADDRESS);
        r->match = random_tags(tags, 60);
        r->must = chance(85);
        r->classes = random_axes();
        cmd->operands |= r->match & (uint8_t)~ADDRESS;
    }
    if (ranged) {
        cmd->ranges = (struct xinv_span){(uint8_t)row, 1};
        w->ranges[row] = (struct xinv_range_def){
            .kind = chance(70) ? XINV_RANGE_POW2 : XINV_RANGE_PAGE,
            .max_order = {(uint8_t)below(12), 0, XINV_NO_FEATURE},
        };
        w->ranges[row].leaf_floor = w->ranges[row].kind == XINV_RANGE_POW2 && chance(60);
    }
    if (chance(20))
        cmd->conds = (struct xinv_span){(uint8_t)below(2), 1};
}

static void make_need(struct world *w, unsigned i, bool everything)
{
    struct xinv_need_def *n = &w->needs[i];
    const struct xinv_cache_def *c;

    n->cache = cache_ids[below(N_CACHES)];
    c = &w->vendor.caches[n->cache];
    n->classes = random_axes();
    if (everything)
        return;
    do
        n->tags = random_tags(c->tags, 80);
    while (!n->tags);
    if (chance(20))
        n->zero = random_tags(n->tags & (PASID | DID), 50);
    n->flags = (uint8_t)(chance(40) ? XINV_NEED_LEVEL_HINT : 0);
    n->flags |= (uint8_t)(chance(40) ? XINV_NEED_GLOBAL_HINT : 0);
    n->flags |= (uint8_t)(chance(20) ? XINV_NEED_ALIASES : 0);
    n->flags |= (uint8_t)(chance(20) ? XINV_NEED_NEW_DID : 0);
}

static void make_vendor(struct world *w)
{
    struct xinv_vendor *v = &w->vendor;
    unsigned n_needs = 1 + below(MAX_NEEDS_HERE);
    bool everything = chance(10);

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
    v->n_commands = (uint8_t)(3 + below(MAX_ROWS_HERE - 2));
    for (unsigned i = 0; i < 2; i++) {
        w->features[i] = (struct xinv_feature_def){i ? "g" : "f", XINV_SETTING, 0, 1, 0};
        w->conds[i] = (struct xinv_cond){(uint8_t)i, XINV_COND_NE, 0};
        w->settings[i] = (struct xinv_setting){(uint8_t)i, (uint16_t)below(2)};
    }
    for (unsigned t = 0; t < 3; t++)
        v->tag_bits[tag_ids[t]] = (struct xinv_linear){8, 0, XINV_NO_FEATURE};
    v->stages[XINV_STAGE_STAGE1].present = 1;
    for (unsigned a = 0; a < XINV_NPHASES; a++)
        for (unsigned b = 0; b < XINV_NPHASES; b++)
            v->order[a][b] = chance(50) ? XINV_ORDER_QUEUE : XINV_ORDER_FENCE;
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

static void make_request(struct world *w)
{
    struct xinv_request *r = &w->request;
    uint64_t first = below(64);

    r->change = w->change.change;
    r->flags = (uint16_t)(chance(50) ? XINV_REQ_LEAF_ONLY : 0);
    r->flags |= (uint16_t)(chance(30) ? XINV_REQ_GLOBAL : 0);
    r->flags |= (uint16_t)(chance(70) ? XINV_REQ_RANGE : 0);
    r->flags |= (uint16_t)(chance(30) ? XINV_REQ_ENUMERATED : 0);
    r->flags |= (uint16_t)(chance(20) ? XINV_REQ_BEYOND : 0);
    r->flags |= (uint16_t)(chance(30) ? XINV_REQ_LEAVES_WITHIN : 0);
    r->flags |= (uint16_t)(chance(40) ? XINV_REQ_NEW_DID : 0);
    r->new_did = NEW_DID;
    r->log2_leaf_size = (uint8_t)(12 + below(8));
    r->log2_granule = 12;
    r->first = first << 12;
    r->last = ((first + 1 + below(40)) << 12) - 1;
    w->policy.kind = (uint8_t)below(3);
    w->policy.blocks = (uint8_t)(1 + below(4));
    w->policy.max_commands = (uint16_t)(chance(30) ? 1 + below(8) : 0);
}

static void make_world(struct world *w)
{
    memset(w, 0, sizeof(*w));
    make_vendor(w);
    make_request(w);
    w->platform = (struct xinv_platform){
        .name = "random", .vendor = &w->vendor, .settings = w->settings, .n_settings = 2};
    cr_assert_eq(xinv_iommu_init(&w->iommu, &w->platform, NULL, NULL, 0), 0);
    w->n_at = chance(60) ? 1 : 2 + below(MAX_AT - 1);
    for (size_t i = 0; i < w->n_at; i++) {
        w->aliases[i][0] = 20 + below(3);
        w->aliases[i][1] = 20 + below(3);
        w->at[i] = (struct xinv_attachment){.stage = XINV_STAGE_STAGE1,
                                            .known = random_tags(RID | PASID | DID, 90),
                                            .rid = 1 + below(3),
                                            .pasid = below(3),
                                            .did = 1 + below(3),
                                            .n_aliases = (uint8_t)(chance(30) ? 1 + below(2) : 0),
                                            .aliases = w->aliases[i]};
    }
}

/* Entries. A superpage is a leaf of the largest size that the request speaks of; all others are 4
 * KiB. */
struct entry {
    uint8_t cache;
    uint32_t tag[3]; /* rid, pasid, did; of tags that the cache does not have: 0 */
    xinv_axes class; /* one value of each of the three axes */
    uint64_t first;
    uint64_t last;
};

#define MAX_ENTRIES 60000
static struct entry entries[MAX_ENTRIES];
static size_t n_entries;
static bool stale[MAX_ENTRIES];
static bool gone[MAX_ENTRIES];

static void add_addresses(const struct world *w, struct entry e)
{
    uint64_t first = w->request.first >> 12;
    uint64_t last = w->request.last >> 12;
    uint64_t page[5] = {first, (first + last) / 2, last, last + 1, first + 300};
    uint64_t super = UINT64_C(1) << w->request.log2_leaf_size;
    unsigned n = (w->vendor.caches[e.cache].tags & ADDRESS) ? 5 : 1;

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

static void enumerate(const struct world *w)
{
    static const uint32_t values[3][8] = {
        {1, 2, 3, 20, 21, 22, OTHER, 0}, {0, 1, 2, OTHER}, {0, 1, 2, 3, NEW_DID, OTHER}};
    static const unsigned counts[3] = {8, 4, 6};

    n_entries = 0;
    for (unsigned c = 0; c < N_CACHES; c++) {
        uint8_t tags = w->vendor.caches[cache_ids[c]].tags;
        unsigned n[3];

        for (unsigned t = 0; t < 3; t++)
            n[t] = tags & XINV_TAG_BIT(tag_ids[t]) ? counts[t] : 1;
        for (unsigned i = 0; i < n[0] * n[1] * n[2] * 8; i++) {
            struct entry e = {.cache = cache_ids[c]};
            unsigned rest = i / 8;

            e.class = (xinv_axes)((i & 1 ? XINV_LEVEL_WALK : XINV_LEVEL_LEAF) |
                                  (i & 2 ? XINV_GLOBAL_YES : XINV_GLOBAL_NO) |
                                  (i & 4 ? XINV_NOT_PRESENT : XINV_PRESENT));
            for (unsigned t = 0; t < 3; t++) {
                e.tag[t] = n[t] == 1 ? 0 : values[t][rest % n[t]];
                rest /= n[t];
            }
            add_addresses(w, e);
        }
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

/* Where every live attachment is given, an entry that no attachment can have made does not exist.
 */
static bool lives(const struct world *w, const struct entry *e, const struct xinv_need_def *n)
{
    const struct xinv_cache_def *c = &w->vendor.caches[e->cache];

    if (!(w->request.flags & XINV_REQ_ENUMERATED))
        return true;
    for (size_t i = 0; i < w->n_at; i++) {
        const struct xinv_attachment *at = &w->at[i];
        bool fits = true;

        for (unsigned t = 0; t < 3; t++) {
            uint8_t bit = XINV_TAG_BIT(tag_ids[t]);

            if (!(c->tags & bit) || (n->tags & bit))
                continue; /* the need itself says which values are stale */
            if (at->known & bit)
                fits &= e->tag[t] == value_of(at, t) || (t == 0 && is_alias(at, e->tag[0]));
            else if (c->zero & bit)
                fits &= e->tag[t] == 0;
        }
        /* and it is made under the attachment's own values of what the need names */
        for (unsigned t = 0; t < 3; t++) {
            uint8_t bit = XINV_TAG_BIT(tag_ids[t]);

            if (!(c->tags & n->tags & bit & (uint8_t)~n->zero) ||
                (t == 2 && (n->flags & XINV_NEED_NEW_DID)))
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

/* Is the entry among those that a need of the table makes stale for one attachment? */
static bool needs_removal(const struct world *w, const struct xinv_attachment *at,
                          const struct xinv_need_def *n, const struct entry *e)
{
    const struct xinv_request *r = &w->request;
    xinv_axes classes = n->classes;

    if (n->cache != e->cache)
        return false;
    if ((n->flags & XINV_NEED_LEVEL_HINT) && (r->flags & XINV_REQ_LEAF_ONLY) &&
        (classes & XINV_LEVEL_LEAF))
        classes &= (xinv_axes)~XINV_LEVEL_WALK;
    if ((n->flags & XINV_NEED_GLOBAL_HINT) && !(r->flags & XINV_REQ_GLOBAL) &&
        (classes & XINV_GLOBAL_NO))
        classes &= (xinv_axes)~XINV_GLOBAL_YES;
    if ((classes & e->class) != e->class)
        return false;
    for (unsigned t = 0; t < 3; t++) {
        uint8_t bit = XINV_TAG_BIT(tag_ids[t]);

        if (!(n->tags & bit))
            continue;
        if (n->zero & bit) {
            if (e->tag[t])
                return false;
        } else if (t == 2 && (n->flags & XINV_NEED_NEW_DID) && (r->flags & XINV_REQ_NEW_DID)) {
            if (e->tag[t] != NEW_DID)
                return false;
        } else if (at->known & bit) {
            bool alias = t == 0 && (n->flags & XINV_NEED_ALIASES) && is_alias(at, e->tag[0]);

            if (e->tag[t] != value_of(at, t) && !alias)
                return false;
        } else if ((w->vendor.caches[n->cache].zero & bit) && e->tag[t]) {
            return false;
        }
    }
    if (!(n->tags & ADDRESS) || !(r->flags & XINV_REQ_RANGE))
        return true;
    if ((r->flags & XINV_REQ_LEAVES_WITHIN) && e->last - e->first > 4095)
        return e->first >= r->first && e->last <= r->last;
    return e->first <= r->last && r->first <= e->last;
}

static void find_stale(const struct world *w)
{
    for (size_t k = 0; k < n_entries; k++) {
        stale[k] = gone[k] = false;
        for (size_t i = 0; i < w->n_at; i++)
            for (unsigned n = 0; n < w->change.needs.count; n++)
                stale[k] |= needs_removal(w, &w->at[i], &w->needs[n], &entries[k]) &&
                            lives(w, &entries[k], &w->needs[n]);
    }
}

/* One command as its words say it. */
struct command {
    unsigned row;
    uint32_t tag[3];
    uint64_t first;
    uint64_t last;
};

static struct command parse(const uint64_t *words)
{
    return (struct command){(unsigned)words[0],
                            {words[1] & 0xffff, words[1] >> 16 & 0xffff, words[1] >> 32 & 0xffff},
                            words[2],
                            words[3]};
}

/* Does a command certainly remove an entry? */
static bool removes(const struct world *w, const struct command *cmd, const struct entry *e)
{
    const struct xinv_command_def *row = &w->rows[cmd->row];

    for (unsigned i = 0; i < row->removals.count; i++) {
        const struct xinv_removal_def *r = &w->removals[row->removals.first + i];
        bool hit = r->must && r->cache == e->cache && (r->classes & e->class) == e->class;

        for (unsigned t = 0; t < 3; t++)
            if (r->match & XINV_TAG_BIT(tag_ids[t]))
                hit &= e->tag[t] == cmd->tag[t];
        if (hit && (r->match & ADDRESS)) {
            if (w->ranges[cmd->row]
                    .leaf_floor) /* a block smaller than the leaf need not remove it */
                hit = e->first >= cmd->first && e->last <= cmd->last;
            else
                hit = e->first <= cmd->last && cmd->first <= e->last;
        }
        if (hit)
            return true;
    }
    return false;
}

/* Every set of rows. A choice is a row with the operands that some need can ask for. */
struct choice {
    struct command cmd;
    uint64_t blocks;
    double excess;
};

#define MAX_CHOICES 24
struct value {
    double excess;
    uint64_t commands;
    unsigned syncs;
};

#define WORDS 65536
static uint64_t words[WORDS];
static struct xinv_step steps[128];

static int run(const struct world *w, struct xinv_out *out, struct xinv_report *report)
{
    *out = (struct xinv_out){.words = words, .steps = steps, .cap_words = WORDS, .cap_steps = 128};
    return xinv_translate(&w->iommu, w->at, w->n_at, &w->request, &w->policy, NULL, out, report);
}

static void apply(const struct world *w, const struct xinv_out *out)
{
    for (uint32_t i = 0; i < out->n_words; i += 4) {
        struct command cmd = parse(words + i);

        if (words[i] >= FENCE_WORD)
            continue;
        for (size_t k = 0; k < n_entries; k++)
            gone[k] |= removes(w, &cmd, &entries[k]);
    }
}

static uint64_t first_seed(void)
{
    const char *text = getenv("XINV_SEED");

    return text ? strtoull(text, NULL, 0) : 1;
}

static unsigned n_tables(unsigned preset)
{
    const char *text = getenv("XINV_TABLES");

    return text ? (unsigned)strtoul(text, NULL, 0) : preset;
}

static void seed(uint64_t n)
{
    state = (n + 1) * UINT64_C(0x9e3779b97f4a7c15);
    for (unsigned i = 0; i < 4; i++)
        (void)draw();
}

static void describe(const struct entry *e, char *text, size_t size)
{
    snprintf(text, size, "cache %u rid %u pasid %u did %u class 0x%x %" PRIx64 "..%" PRIx64,
             e->cache, e->tag[0], e->tag[1], e->tag[2], e->class, e->first, e->last);
}

Test(planner, no_stale_entry_survives_on_any_table)
{
    static struct world w;
    uint64_t base = first_seed();
    unsigned planned = 0;
    unsigned blocked = 0;

    printf("XINV_SEED=%" PRIu64 "\n", base);
    for (uint64_t s = base; s < base + n_tables(3000); s++) {
        struct xinv_out out;
        struct xinv_report report;
        int ret;

        seed(s);
        make_world(&w);
        ret = run(&w, &out, &report);
        if (ret == -XINV_E_MUST_BLOCK) {
            cr_assert(report.at >= w.at && report.at < w.at + w.n_at, "XINV_SEED=%" PRIu64, s);
            blocked++;
            continue;
        }
        cr_assert_geq(ret, 0, "XINV_SEED=%" PRIu64 ": %d", s, ret);
        planned++;
        enumerate(&w);
        find_stale(&w);
        apply(&w, &out);
        for (size_t k = 0; k < n_entries; k++) {
            char text[120];

            describe(&entries[k], text, sizeof(text));
            cr_assert(!stale[k] || gone[k], "XINV_SEED=%" PRIu64 ": %s survives", s, text);
        }
    }
    cr_assert_gt(planned, blocked / 4);
}

Test(planner, what_dies_beyond_the_request_is_reported)
{
    static struct world w;
    uint64_t base = first_seed();

    printf("XINV_SEED=%" PRIu64 "\n", base);
    for (uint64_t s = base; s < base + n_tables(3000); s++) {
        struct xinv_out out;
        struct xinv_report report;

        seed(s);
        make_world(&w);
        w.n_at = 1;
        w.at[0].n_aliases = 0;
        w.request.flags &= (uint16_t)~XINV_REQ_ENUMERATED;
        if (run(&w, &out, &report) < 0)
            continue;
        enumerate(&w);
        find_stale(&w);
        apply(&w, &out);
        for (size_t k = 0; k < n_entries; k++) {
            char text[120];
            bool told = (report.must_beyond >> entries[k].cache & 1) || report.widened ||
                        report.extra_pages;
            /* a superpage that is not stale cannot have been there: the range's leaves are gone */
            bool other = entries[k].last - entries[k].first > 4095;

            describe(&entries[k], text, sizeof(text));
            cr_assert(stale[k] || !gone[k] || other || told,
                      "XINV_SEED=%" PRIu64 ": %s dies unannounced", s, text);
        }
    }
}
