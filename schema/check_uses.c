// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/*
 * Is a command row part of any plan? Asked of features that turn the row on and as much as possible
 * else on, or off, and of every kind of request that entries of the row's caches are stale after. A
 * row with an answer costs little; the search ends with a row that has none.
 */
#include <stdlib.h>

#include "schema/check_impl.h"

#define RECENT          16 /* shapes that need no second look with the same features */
#define LOG2_PLANNED    14 /* choices of rows that need no second plan, whatever the features */
#define MOST_EFFORT     4000000  /* plans to look at for one row */
#define MOST_ALL_EFFORT 40000000 /* and for all */

static const uint8_t all_tags = XINV_TAG_BIT(XINV_TAG_RID) | XINV_TAG_BIT(XINV_TAG_PASID) |
                                XINV_TAG_BIT(XINV_TAG_ASID) | XINV_TAG_BIT(XINV_TAG_DID) |
                                XINV_TAG_BIT(XINV_TAG_VMID);

struct uses {
    struct schema_checker *check;
    struct xinv_backend backend; /* a copy that takes any features */
    struct xinv_vendor vendor;   /* a copy with that backend */
    struct xinv_platform platform;
    uint8_t tags; /* that label entries of some cache */
    uint64_t used;
    uint64_t effort; /* for this row */
    uint64_t all_effort;
    bool given_up;
    unsigned row;
    struct xinv_iommu iommu;
    struct xinv_request request;
    unsigned n_recent;
    struct xinv_shape recent[RECENT];
    unsigned n_planned;
    uint64_t planned[1 << LOG2_PLANNED]; /* hashes; 0: free */
};

/* How many plans there are for the search to look at, at most. */
static uint64_t effort_of(const struct xinv_candidates *found)
{
    uint64_t effort = 1;

    for (unsigned a = 0; found->atoms >> a; a++) {
        uint64_t rows = 0;

        for (unsigned c = 0; c < found->n; c++)
            rows += found->c[c].covers >> a & 1;
        if (rows > 1 && effort < UINT32_MAX)
            effort *= rows;
    }
    return effort;
}

static bool same_need(const struct xinv_need *a, const struct xinv_need *b)
{
    return a->classes == b->classes && a->cache == b->cache && a->known == b->known &&
           a->listed == b->listed && a->zero == b->zero && a->flags == b->flags;
}

/* What is alike here has the same plans; what a report would say does not matter. */
static bool same_shape(const struct xinv_shape *a, const struct xinv_shape *b)
{
    if (a->n != b->n || a->beyond != b->beyond)
        return false;
    for (unsigned k = 0; k < a->n; k++)
        if (!same_need(&a->need[k], &b->need[k]))
            return false;
    return true;
}

static bool seen(struct uses *u, const struct xinv_shape *shape)
{
    for (unsigned i = 0; i < u->n_recent && i < RECENT; i++)
        if (same_shape(&u->recent[i], shape))
            return true;
    u->recent[u->n_recent++ % RECENT] = *shape;
    return false;
}

static uint64_t mix(uint64_t hash, uint64_t value)
{
    hash = (hash ^ value) * UINT64_C(0x9e3779b97f4a7c15);
    return hash ^ hash >> 32;
}

/* All that a plan depends on: who covers what, for how much, and whether there is a range. */
static uint64_t hash_of(const struct uses *u, const struct xinv_candidates *found)
{
    uint64_t hash = mix(u->request.flags & XINV_REQ_RANGE, found->atoms);

    for (unsigned i = 0; i < found->n; i++) {
        hash = mix(hash, found->c[i].covers);
        hash = mix(hash, found->c[i].excess);
        hash = mix(hash, (uint64_t)xinv_choice_row(found->c[i].choice) << 8 | found->c[i].listed);
    }
    return hash ? hash : 1;
}

/* Was the same plan made before, for this row or for another one? */
static bool planned(struct uses *u, const struct xinv_candidates *found)
{
    const uint64_t mask = (1u << LOG2_PLANNED) - 1;
    uint64_t hash = hash_of(u, found);
    uint64_t at = hash & mask;

    while (u->planned[at] && u->planned[at] != hash)
        at = (at + 1) & mask;
    if (u->planned[at])
        return true;
    if (u->n_planned < mask / 2) {
        u->planned[at] = hash;
        u->n_planned++;
    }
    return false;
}

static bool done(const struct uses *u)
{
    return u->given_up || (u->used >> u->row & 1);
}

/*
 * What a row can cost: one command; many, where a range takes many blocks, or where many endpoints,
 * or many of everything, use the table; none at all, where it says a range and there is none.
 */
enum {
    COST_ONE,
    COST_BLOCKS,
    COST_ENDPOINTS,
    COST_USERS,
    N_COSTS
};

static uint32_t cost(const struct uses *u, unsigned row, unsigned kind)
{
    const struct xinv_command_def *c = &u->vendor.commands[row];

    if (c->ranges.count && !(u->request.flags & XINV_REQ_RANGE))
        return 0;
    if ((kind == COST_BLOCKS && c->ranges.count) ||
        (kind == COST_ENDPOINTS && (c->operands & XINV_TAG_BIT(XINV_TAG_RID))) ||
        (kind == COST_USERS && (c->operands & all_tags)))
        return 1000;
    return 1;
}

static void plan(struct uses *u, struct xinv_candidates *found)
{
    const struct xinv_sync_rule rule = {.vendor = &u->vendor};
    struct xinv_cover best;

    for (unsigned kind = 0; kind < N_COSTS; kind++) {
        for (unsigned i = 0; i < found->n; i++)
            found->commands[i] = cost(u, xinv_choice_row(found->c[i].choice), kind);
        for (unsigned latency = 0; latency < 2; latency++) {
            if (!xinv_cover_best(found, latency ? &rule : NULL, &best))
                continue;
            for (unsigned i = 0; i < best.n; i++)
                u->used |= UINT64_C(1) << xinv_choice_row(found->c[best.chosen[i]].choice);
        }
    }
}

/* Plans one attachment, if the row has any part in it. */
static void try_shape(struct uses *u, const struct xinv_attachment *at, bool has_pasids)
{
    struct xinv_shape shape;
    struct xinv_rung rung[XINV_MAX_CANDIDATES];
    struct xinv_candidates found;
    uint64_t effort;
    bool part = false;

    if (xinv_shape_build(&u->iommu, &u->request, at, has_pasids, &shape) || seen(u, &shape))
        return;
    xinv_candidates_find(&u->iommu, &shape, rung, &found);
    for (unsigned i = 0; i < found.n && !part; i++)
        part = xinv_choice_row(found.c[i].choice) == u->row;
    if (!part || planned(u, &found))
        return;
    effort = effort_of(&found);
    u->effort += effort;
    u->all_effort += effort;
    if (u->effort > MOST_EFFORT || u->all_effort > MOST_ALL_EFFORT)
        u->given_up = true;
    else
        plan(u, &found);
}

static void try_known(struct uses *u, unsigned stage, uint8_t known)
{
    static const uint8_t flags[] = {XINV_ATT_ATS, 0, XINV_ATT_ATS | XINV_ATT_PASIDS_UNKNOWN};

    for (unsigned f = 0; f < sizeof(flags) && !done(u); f++) {
        struct xinv_attachment at = {.stage = (uint8_t)stage, .flags = flags[f], .known = known};

        try_shape(u, &at, true);
        at.pasid = 1;
        if (known & XINV_TAG_BIT(XINV_TAG_PASID))
            try_shape(u, &at, true);
    }
}

/* Attachments that know every tag, or all but one; with and without an ATC and PASIDs. */
static void try_attachments(struct uses *u, unsigned stage)
{
    try_known(u, stage, all_tags);
    for (unsigned tag = 0; tag < XINV_NTAGS; tag++)
        if ((all_tags & u->tags) >> tag & 1)
            try_known(u, stage, (uint8_t)(all_tags & ~XINV_TAG_BIT(tag)));
}

static void try_request(struct uses *u, unsigned stage)
{
    static const uint16_t hints[] = {0, XINV_REQ_LEAF_ONLY, XINV_REQ_GLOBAL};
    static const uint16_t grants[] = {0, XINV_REQ_ENUMERATED, XINV_REQ_BEYOND};
    uint16_t flags = u->request.flags;

    for (unsigned g = 0; g < 3; g++)
        for (unsigned h = 0; h < 3; h++)
            for (unsigned ranged = 0; ranged < 2 && !done(u); ranged++) {
                u->request.flags = (uint16_t)(flags | hints[h] | grants[g]);
                if (ranged)
                    u->request.flags |= XINV_REQ_RANGE;
                try_attachments(u, stage);
            }
    u->request.flags = flags;
}

static void try_explicit(struct uses *u, unsigned stage)
{
    static const uint16_t named[] = {0, XINV_REQ_PASID, XINV_REQ_ASID};

    for (unsigned cache = XINV_INV_IOTLB; cache <= XINV_INV_DEVICE_CONFIG; cache <<= 1)
        for (unsigned scope = XINV_SCOPE_DOMAIN; scope <= XINV_SCOPE_ADDRESS; scope++)
            for (unsigned n = 0; n < 3 && !done(u); n++) {
                u->request = (struct xinv_request){
                    .caches = (uint8_t)cache, .scope = (uint8_t)scope, .last = 0xfff};
                u->request.flags = XINV_REQ_INVALIDATE | named[n];
                try_request(u, stage);
            }
}

/* What makes entries stale: a row of `changes`, or NULL for a request that names caches. */
struct cause {
    const struct xinv_change_def *change;
    unsigned stage;
};

static void try_cause(struct uses *u, const struct cause *cause)
{
    if (!(u->iommu.stages & XINV_STAGE_BIT(cause->stage)))
        return;
    u->n_recent = 0;
    if (!cause->change) {
        try_explicit(u, cause->stage);
        return;
    }
    for (unsigned from = XINV_FROM_PRESENT; from <= XINV_FROM_NOT_PRESENT; from++) {
        if (!(cause->change->from & from) || done(u))
            continue;
        u->request = (struct xinv_request){
            .change = cause->change->change, .from = (uint8_t)from, .last = 0xfff};
        try_request(u, cause->stage);
    }
}

/* ---- Features ---- */

static void try_features(struct uses *u, const struct schema_spans *spans, const uint16_t *from,
                         const struct cause *cause)
{
    struct xinv_setting settings[XINV_MAX_FEATURES];
    uint16_t values[XINV_MAX_FEATURES];

    if (done(u) || schema_check_solve(&u->vendor, spans, from, values) >= 0)
        return;
    for (unsigned f = 0; f < u->vendor.n_features; f++)
        settings[f] = (struct xinv_setting){(uint8_t)f, values[f]};
    if (!xinv_iommu_init(&u->iommu, &u->platform, NULL, settings, u->vendor.n_features))
        try_cause(u, cause);
}

static bool in_conditions(const struct uses *u, unsigned feature)
{
    for (unsigned i = 0; i < u->check->vendor->n_conds; i++)
        if (u->vendor.conds[i].feature == feature)
            return true;
    return false;
}

static uint16_t largest(const struct uses *u, unsigned feature)
{
    return (uint16_t)((UINT32_C(1) << u->vendor.features[feature].width) - 1);
}

/* Everything else off, everything else on, and each of these but for one feature. */
static void try_spans(struct uses *u, const struct schema_spans *spans, const struct cause *cause)
{
    for (unsigned on = 0; on < 2; on++) {
        uint16_t from[XINV_MAX_FEATURES] = {0};

        for (unsigned f = 0; on && f < u->vendor.n_features; f++)
            from[f] = largest(u, f);
        try_features(u, spans, from, cause);
        for (unsigned f = 0; f < u->vendor.n_features && !done(u); f++) {
            uint16_t old = from[f];

            if (!in_conditions(u, f))
                continue;
            if (old)
                from[f] = 0;
            else
                from[f] = largest(u, f);
            try_features(u, spans, from, cause);
            from[f] = old;
        }
    }
}

static bool removes(const struct uses *u, unsigned cache)
{
    struct xinv_span removals = u->vendor.commands[u->row].removals;

    for (unsigned i = 0; i < removals.count; i++)
        if (u->vendor.removals[removals.first + i].must &&
            u->vendor.removals[removals.first + i].cache == cache)
            return true;
    return false;
}

static void try_changes(struct uses *u, const struct schema_spans *row, unsigned stage)
{
    for (unsigned i = 0; i < u->vendor.n_changes; i++) {
        const struct xinv_change_def *c = &u->vendor.changes[i];

        if (!(c->stages & XINV_STAGE_BIT(stage)))
            continue;
        for (unsigned k = c->needs.first; k < c->needs.first + (unsigned)c->needs.count; k++) {
            const struct xinv_need_def *need = &u->vendor.needs[k];
            struct schema_spans spans = *row;

            if (!removes(u, need->cache) || done(u))
                continue;
            schema_check_require(&spans, c->conds);
            schema_check_require(&spans, need->conds);
            schema_check_require(&spans, u->vendor.caches[need->cache].conds);
            try_spans(u, &spans, &(struct cause){c, stage});
        }
    }
}

static void try_stages(struct uses *u, const struct schema_spans *row)
{
    for (unsigned stage = 0; stage < XINV_NSTAGES; stage++) {
        struct schema_spans spans = *row;

        if (!u->vendor.stages[stage].present)
            continue;
        schema_check_require(&spans, u->vendor.stages[stage].conds);
        try_changes(u, &spans, stage);
        for (unsigned cache = 0; cache < XINV_NCACHES && !done(u); cache++) {
            struct schema_spans named = spans;

            if (!removes(u, cache))
                continue;
            schema_check_require(&named, u->vendor.caches[cache].conds);
            try_spans(u, &named, &(struct cause){NULL, stage});
        }
    }
}

/* Can the row be there at all? One that cannot has its own warning. */
static bool possible(const struct uses *u, const struct schema_spans *row)
{
    static const uint16_t zeros[XINV_MAX_FEATURES];
    uint16_t values[XINV_MAX_FEATURES];

    return schema_check_solve(&u->vendor, row, zeros, values) < 0;
}

static void check_use(struct uses *u)
{
    const struct xinv_command_def *c = &u->vendor.commands[u->row];
    bool any = false;

    u->effort = 0;
    for (unsigned k = 0; k < (c->ranges.count ? c->ranges.count : 1u) && !done(u); k++) {
        struct schema_spans spans = {0};

        schema_check_require(&spans, c->conds);
        if (c->ranges.count)
            schema_check_require(&spans, u->vendor.ranges[c->ranges.first + k].conds);
        if (!possible(u, &spans))
            continue;
        any = true;
        try_stages(u, &spans);
    }
    if (any && !done(u))
        schema_check_warn(
            u->check, u->check->vendor->file, &u->check->vendor->command_places[u->row],
            "%s (%s%s) is in no plan: nothing needs it, or other rows always do as well", c->name,
            u->check->vendor->op_names[u->row], c->leaf ? ", leaf form" : "");
}

void schema_check_uses(struct schema_checker *check)
{
    static const uint64_t zeros[UINT8_MAX + 1];
    struct uses *u = calloc(1, sizeof(*u));

    if (!u)
        abort(); /* as the loader does */
    u->check = check;
    u->backend = *check->table->backend;
    u->backend.check = NULL;
    u->vendor = *check->table;
    u->vendor.backend = &u->backend;
    for (unsigned c = 0; c < XINV_NCACHES; c++)
        u->tags |= u->vendor.caches[c].tags;
    u->platform = (struct xinv_platform){.vendor = &u->vendor, .registers = zeros};
    for (u->row = 0; u->row < u->vendor.n_commands && u->all_effort <= MOST_ALL_EFFORT; u->row++) {
        u->given_up = false;
        check_use(u);
    }
    free(u);
}
