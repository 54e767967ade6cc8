// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/* Every change, on every stage of one platform, for the attachments that a session makes: does some
 * command remove what it makes stale? */
#include <stdio.h>
#include <string.h>

#include "core/iommu.h"
#include "schema/check_impl.h"

#define PASID_BIT XINV_TAG_BIT(XINV_TAG_PASID)

/* Does the table, or an IOMMU of it, have a row that removes such entries? */
static bool removable(const struct xinv_vendor *table, const struct xinv_iommu *iommu,
                      unsigned cache, xinv_axes classes)
{
    for (unsigned row = 0; row < table->n_commands; row++) {
        const struct xinv_command_def *c = &table->commands[row];

        if (iommu && !(iommu->commands >> row & 1))
            continue;
        for (unsigned i = 0; i < c->removals.count; i++) {
            const struct xinv_removal_def *r = &table->removals[c->removals.first + i];

            if (r->must && r->cache == cache && (r->classes & classes))
                return true;
        }
    }
    return false;
}

/*
 * Can endpoints hold such ATC entries here? Where rows would remove them, and this platform's
 * features turn all of those off, it has no ATS, or no PASIDs; where the table has no such row, it
 * forgot them.
 */
static bool has_atc(const struct xinv_iommu *iommu, xinv_axes classes)
{
    const struct xinv_vendor *table = iommu->vendor;

    return removable(table, iommu, XINV_CACHE_DEVICE_TLB, classes) ||
           !removable(table, NULL, XINV_CACHE_DEVICE_TLB, classes);
}

struct survey {
    struct schema_checker *check;
    const struct schema_platform *platform;
    const struct xinv_iommu *iommu;
    struct xinv_request request;
    struct xinv_attachment at;
    bool open;                           /* something of this change stays */
    const struct schema_place *said[16]; /* places that have their warning */
    uint8_t kept[XINV_NCHANGES];         /* 1 << cache: entries that no command removes */
};

/* The row of the table that a need of a shape came from; for words alone, so any that fits will do.
 */
static const struct schema_place *place_of(const struct survey *s, const struct xinv_need *need)
{
    const struct xinv_vendor *table = s->iommu->vendor;
    const struct schema_place *place = &s->check->vendor->name_place;

    for (unsigned i = 0; i < table->n_changes; i++) {
        const struct xinv_change_def *c = &table->changes[i];

        if (c->change != s->request.change || !(c->from & s->request.from) ||
            !(c->stages & XINV_STAGE_BIT(s->at.stage)) || !xinv_conds_hold(s->iommu, c->conds))
            continue;
        place = &s->check->vendor->change_places[i];
        for (unsigned k = c->needs.first; need && k < c->needs.first + (unsigned)c->needs.count;
             k++)
            if (table->needs[k].cache == need->cache &&
                xinv_classes_expand(table->needs[k].classes & need->classes) &&
                xinv_conds_hold(s->iommu, table->needs[k].conds))
                return &s->check->vendor->need_places[k];
    }
    return place;
}

/* One warning for a need and a stage, whether the entry was present before or not. */
static bool said(struct survey *s, const struct schema_place *place)
{
    for (unsigned i = 0; i < 16; i++) {
        if (s->said[i] == place)
            return true;
        if (!s->said[i]) {
            s->said[i] = place;
            return false;
        }
    }
    return false;
}

static void say(struct survey *s, const struct xinv_need *need, const char *what)
{
    const struct schema_place *place = place_of(s, need);

    s->open = true;
    if (!said(s, place))
        schema_check_warn(s->check, s->check->vendor->file, place, "%s on %s, %s: %s",
                          schema_change_names[s->request.change], schema_stage_names[s->at.stage],
                          s->platform->table.name, what);
}

/* Classes of a need that no row of the IOMMU removes. */
static xinv_classes open_classes(const struct xinv_iommu *iommu, const struct xinv_need *need)
{
    const struct xinv_vendor *table = iommu->vendor;
    xinv_classes open = xinv_classes_expand(need->classes);

    for (unsigned row = 0; row < table->n_commands; row++) {
        const struct xinv_command_def *c = &table->commands[row];

        if (!(iommu->commands >> row & 1) || c->ranges.count)
            continue;
        for (unsigned i = 0; i < c->removals.count; i++) {
            const struct xinv_removal_def *r = &table->removals[c->removals.first + i];

            if (r->must && r->cache == need->cache && !(r->match & ~need->known))
                open &= ~xinv_classes_expand(r->classes);
        }
    }
    return open;
}

static void survey_shape(struct survey *s, bool has_pasids)
{
    struct xinv_rung rung[XINV_MAX_CANDIDATES];
    struct xinv_candidates found;
    struct xinv_shape shape;
    char what[300];
    char entries[240];
    int ret = xinv_shape_build(s->iommu, &s->request, &s->at, has_pasids, &shape);

    if (ret == -XINV_E_UNSUPP)
        return;
    if (ret) {
        snprintf(what, sizeof(what), "has more than %d needs", XINV_MAX_NEEDS);
        say(s, NULL, what);
        return;
    }
    xinv_candidates_find(s->iommu, &shape, rung, &found);
    if (found.n == XINV_MAX_CANDIDATES) {
        snprintf(what, sizeof(what), "%d rows to choose from or more, and no more are looked at",
                 XINV_MAX_CANDIDATES);
        say(s, NULL, what);
    }
    for (unsigned k = 0; k < shape.n; k++) {
        xinv_classes open = open_classes(s->iommu, &shape.need[k]);
        uint8_t cache = (uint8_t)(1u << shape.need[k].cache);

        if (!open)
            continue;
        s->kept[s->request.change] |= cache;
        if (s->platform->uncovered[s->request.change] & cache)
            continue;
        schema_check_describe(s->iommu->vendor, shape.need[k].cache, open, shape.need[k].known,
                              entries, sizeof(entries));
        snprintf(what, sizeof(what), "no command removes %s", entries);
        say(s, &shape.need[k], what);
    }
}

/* An attachment as a session makes it: the stage's own tags, and nothing of the guest's. */
static void session_tags(struct survey *s, unsigned stage)
{
    const struct xinv_stage_def *def = &s->iommu->vendor->stages[stage];

    s->at = (struct xinv_attachment){.stage = (uint8_t)stage,
                                     .known = XINV_TAG_BIT(XINV_TAG_RID) | def->const_tags};
    if (def->alloc == XINV_ALLOC_DOMAIN || def->alloc == XINV_ALLOC_ENDPOINT)
        s->at.known |= XINV_TAG_BIT(def->alloc_tag);
    if (def->pasid_required)
        s->at.known |= PASID_BIT;
    s->at.known |= s->iommu->target;
}

/* The entries without PASID first, then those of one PASID; what is said of the first says it of
 * both. */
static void survey_change(struct survey *s, unsigned stage)
{
    const struct xinv_vendor *table = s->iommu->vendor;
    bool pasids = s->iommu->tag_bits[XINV_TAG_PASID] &&
                  (s->iommu->caches & (1u << XINV_CACHE_PASID_CONFIG)) &&
                  has_atc(s->iommu, XINV_PASID_TAGGED);

    s->open = false;
    session_tags(s, stage);
    if (table->caches[XINV_CACHE_DEVICE_TLB].present && has_atc(s->iommu, XINV_PASID_UNTAGGED))
        s->at.flags = XINV_ATT_ATS;
    survey_shape(s, false);
    if (s->open || !pasids || stage == XINV_STAGE_PASSTHROUGH)
        return;
    s->at.known |= PASID_BIT;
    s->at.pasid = 1;
    survey_shape(s, true);
}

/* What a quirk says of entries that a command does remove is out of date, and would hide a hole. */
static void check_uncovered(const struct survey *s)
{
    for (unsigned change = 0; change < XINV_NCHANGES; change++)
        for (unsigned cache = 0; cache < XINV_NCACHES; cache++)
            if ((s->platform->uncovered[change] & ~s->kept[change]) >> cache & 1)
                schema_check_warn(s->check, s->platform->file,
                                  &s->platform->uncovered_places[change],
                                  "nothing of %s stays uncovered here", schema_cache_names[cache]);
}

const char *schema_init_text(int error)
{
    switch (error) {
    case -XINV_E_TABLE:
        return "registers and settings contradict each other";
    case -XINV_E_UNSUPP:
        return "the unit has no command queue";
    default:
        return xinv_strerror(error);
    }
}

void schema_check_platform(struct schema_checker *check, const struct schema_platform *platform)
{
    struct xinv_platform table = platform->table;
    struct xinv_iommu iommu;
    struct survey s = {.check = check, .platform = platform, .iommu = &iommu};
    int ret;

    table.vendor = check->table;
    table.absent = NULL; /* its registers are of some IOMMU all the same */
    ret = xinv_iommu_init(&iommu, &table, NULL, NULL, 0);
    if (ret) {
        schema_check_warn(check, platform->file, &platform->registers_place, "%s",
                          schema_init_text(ret));
        return;
    }
    if (platform->table.absent)
        return;
    /* without a range, and with all that can be stale. Rows that reach other users' entries count:
     * whether one of them may be sent is for each request to say. */
    s.request.flags = XINV_REQ_GLOBAL;
    for (unsigned stage = 0; stage < XINV_NSTAGES; stage++)
        for (unsigned change = 0; change < XINV_NCHANGES; change++)
            for (unsigned from = XINV_FROM_PRESENT; from <= XINV_FROM_NOT_PRESENT; from++) {
                if (!(iommu.stages & XINV_STAGE_BIT(stage)))
                    continue;
                if (from == XINV_FROM_PRESENT)
                    memset(s.said, 0, sizeof(s.said));
                s.request.change = (uint8_t)change;
                s.request.from = (uint8_t)from;
                survey_change(&s, stage);
            }
    check_uncovered(&s);
}
