// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/*
 * Is a command row part of any plan? Asked of features that turn the row on and as much as possible
 * else on, or off, and of every kind of request that entries of the row's caches are stale after. A
 * row with an answer costs little; the search ends with a row that has none.
 */
#include <string.h>

#include "schema/check_impl.h"

#define RECENT          128      /* shapes that need no second look with the same features */
#define MOST_EFFORT     4000000  /* plans to look at for one row */
#define MOST_ALL_EFFORT 40000000 /* and for all */

static const uint64_t all_tags = XINV_TAG_BIT(XINV_TAG_RID) | XINV_TAG_BIT(XINV_TAG_PASID) |
                                 XINV_TAG_BIT(XINV_TAG_ASID) | XINV_TAG_BIT(XINV_TAG_DID) |
                                 XINV_TAG_BIT(XINV_TAG_VMID);

struct uses {
    struct schema_checker *check;
    struct xinv_backend backend; /* a copy that takes any features */
    struct xinv_vendor vendor;   /* a copy with that backend */
    struct xinv_platform platform;
    uint64_t used;
    uint64_t effort; /* for this row */
    uint64_t all_effort;
    bool given_up;
    unsigned row;
    struct xinv_iommu iommu;
    struct xinv_request request;
    unsigned n_recent;
    struct xinv_shape recent[RECENT];
};

uint64_t schema_check_effort(const struct xinv_iommu *iommu, const struct xinv_shape *shape)
{
    uint64_t effort = 1;

    for (unsigned k = 0; k < shape->n; k++) {
        uint64_t rows = 0;

        for (unsigned row = 0; row < iommu->vendor->n_commands; row++)
            if ((iommu->commands >> row & 1) && xinv_row_covers(iommu, row, &shape->need[k]))
                rows++;
        if (rows > 1 && effort < UINT32_MAX)
            effort *= rows;
    }
    return effort;
}

static bool seen(struct uses *u, const struct xinv_shape *shape)
{
    for (unsigned i = 0; i < u->n_recent && i < RECENT; i++)
        if (!memcmp(&u->recent[i], shape, sizeof(*shape)))
            return true;
    memcpy(&u->recent[u->n_recent++ % RECENT], shape, sizeof(*shape));
    return false;
}

static bool done(const struct uses *u)
{
    return u->given_up || (u->used >> u->row & 1);
}

/* Plans one attachment, if the row has any part in it. */
static void try_shape(struct uses *u, const struct xinv_attachment *at, bool has_pasids)
{
    struct xinv_shape shape;
    struct xinv_ladder ladder;
    unsigned uncovered;
    uint64_t effort;
    bool part = false;

    memset(&shape, 0, sizeof(shape));
    if (xinv_shape_build(&u->iommu, &u->request, at, has_pasids, &shape))
        return;
    for (unsigned k = 0; k < shape.n && !part; k++)
        part = xinv_row_covers(&u->iommu, u->row, &shape.need[k]) != 0;
    if (!part || seen(u, &shape))
        return;
    effort = schema_check_effort(&u->iommu, &shape);
    u->effort += effort;
    u->all_effort += effort;
    if (u->effort > MOST_EFFORT || u->all_effort > MOST_ALL_EFFORT) {
        u->given_up = true;
        return;
    }
    (void)xinv_ladder_build(&u->iommu, &shape, &ladder, &uncovered);
    for (unsigned i = 0; i < ladder.n; i++)
        for (unsigned k = 0; k < ladder.rung[i].n; k++)
            u->used |= UINT64_C(1) << ladder.rung[i].row[k];
}

/* Attachments that know every tag, or all but one, or hold PASID 0; with and without an ATC. */
static void try_attachments(struct uses *u, unsigned stage)
{
    static const uint8_t flags[] = {XINV_ATT_ATS, 0, XINV_ATT_ATS | XINV_ATT_PASIDS_UNKNOWN};

    for (unsigned missing = 0; missing <= XINV_TAG_VMID + 1; missing++)
        for (unsigned f = 0; f < sizeof(flags); f++)
            for (uint32_t pasid = 0; pasid < 2 && !done(u); pasid++) {
                struct xinv_attachment at = {
                    .stage = (uint8_t)stage, .flags = flags[f], .pasid = pasid};

                at.known = (uint8_t)(all_tags & ~XINV_TAG_BIT(missing));
                try_shape(u, &at, true);
            }
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

/* Everything else off, everything else on, and each of these but for one feature. */
static void try_spans(struct uses *u, const struct schema_spans *spans, const struct cause *cause)
{
    for (unsigned on = 0; on < 2; on++) {
        uint16_t from[XINV_MAX_FEATURES];

        for (unsigned f = 0; f < u->vendor.n_features; f++)
            from[f] = on ? (uint16_t)((1u << u->vendor.features[f].width) - 1) : 0;
        try_features(u, spans, from, cause);
        for (unsigned f = 0; f < u->vendor.n_features && !done(u); f++) {
            uint16_t old = from[f];

            if (!in_conditions(u, f))
                continue;
            from[f] = old ? 0 : (uint16_t)((1u << u->vendor.features[f].width) - 1);
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
            "%s (%s%s) is in no plan: wherever it would do, other rows do as well or better",
            c->name, u->check->vendor->op_names[u->row], c->leaf ? ", leaf form" : "");
}

void schema_check_uses(struct schema_checker *check)
{
    static const uint64_t zeros[UINT8_MAX + 1];
    struct uses u = {.check = check, .backend = *check->table->backend, .vendor = *check->table};

    u.backend.check = NULL;
    u.vendor.backend = &u.backend;
    u.platform = (struct xinv_platform){.vendor = &u.vendor, .registers = zeros};
    for (u.row = 0; u.row < u.vendor.n_commands && u.all_effort <= MOST_ALL_EFFORT; u.row++) {
        u.given_up = false;
        check_use(&u);
    }
}
