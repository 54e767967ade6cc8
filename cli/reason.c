// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
#include "cli/reason.h"

#include <inttypes.h>
#include <string.h>

#include "core/iommu.h"
#include "core/shape.h"

const struct schema_vendor *reason_prose(const struct xinv_iommu *iommu)
{
    return cli_vendor_tables(iommu->vendor);
}

void reason_free(struct reason *reason)
{
    text_free(&reason->text);
    text_free(&reason->source);
}

const char *reason_tag(unsigned tag)
{
    return schema_tag_names[tag == XINV_TAG_IPA ? XINV_TAG_ADDRESS : tag];
}

const char *reason_row(const struct xinv_vendor *v, unsigned row, char *text, size_t size)
{
    snprintf(text, size, "%s%s", v->backend->op_names[v->commands[row].op],
             v->commands[row].leaf ? " leaf" : "");
    return text;
}

void reason_add_rows(cJSON *to, const char *key, const struct xinv_vendor *v, uint64_t rows)
{
    cJSON *item = json_add_object(to, key);

    for (unsigned row = 0; row < v->n_commands; row++) {
        char name[64];

        if (rows >> row & 1)
            json_add_text(item, reason_row(v, row, name, sizeof(name)),
                          cli_vendor_tables(v)->command_sources[row]);
    }
}

/* A source once, however often it is the reason. */
static void add_source(struct reason *reason, const char *source)
{
    if (source && *source && !strstr(text_of(&reason->source), source))
        text_item(&reason->source, "; ", source);
}

/* A feature as the specification names it, and where. */
static void add_feature_source(const struct xinv_iommu *iommu, unsigned feature,
                               struct reason *reason)
{
    const struct xinv_vendor *v = iommu->vendor;
    const struct xinv_feature_def *def = &v->features[feature];
    struct text text = {0};

    if (def->reg != XINV_SETTING)
        text_add(&text, "%s.%s, ", v->registers[def->reg], def->name);
    text_add(&text, "%s", reason_prose(iommu)->feature_sources[feature]);
    add_source(reason, text_of(&text));
    text_free(&text);
}

unsigned reason_conditions(const struct xinv_iommu *iommu, struct xinv_span conds,
                           struct reason *reason)
{
    static const char *const ops[] = {"==", "!=", ">=", "<"};
    const struct xinv_vendor *v = iommu->vendor;
    unsigned n = 0;

    for (unsigned i = 0; i < conds.count; i++) {
        const struct xinv_cond *c = &v->conds[conds.first + i];
        struct xinv_span one = {(uint8_t)(conds.first + i), 1};

        if (xinv_conds_hold(iommu, one))
            continue;
        text_add(&reason->text, "%s%s is %u", n++ ? ", " : "", v->features[c->feature].name,
                 iommu->feature[c->feature]);
        if (!(c->value == 0 && (c->op == XINV_COND_EQ || c->op == XINV_COND_NE)))
            text_add(&reason->text, ", not %s %u", ops[c->op], c->value);
        add_feature_source(iommu, c->feature, reason);
    }
    return n;
}

void reason_obstacle(const struct xinv_iommu *iommu, unsigned row, enum xinv_obstacle obstacle,
                     uint8_t tags, struct reason *reason)
{
    switch (obstacle) {
    case XINV_ROW_MISSING:
        text_add(&reason->text, "not here, ");
        if (!reason_conditions(iommu, iommu->vendor->commands[row].conds, reason))
            text_add(&reason->text, "it can say no range");
        break;
    case XINV_ROW_UNKNOWN_TAG:
        text_add(&reason->text, "needs ");
        text_tags(&reason->text, tags, "");
        text_add(&reason->text, ", not known of these entries");
        break;
    case XINV_ROW_BEYOND:
        text_add(&reason->text, "reaches entries of other users");
        break;
    default:
        break;
    }
}

/* ---- Why a request is impossible ---------------------------------------------------------------
 */

static void no_stage(const struct xinv_iommu *iommu, unsigned stage, struct reason *reason)
{
    const struct xinv_stage_def *def = &iommu->vendor->stages[stage];

    reason->brief = "no stage";
    text_add(&reason->text, "no %s translation: ", schema_stage_names[stage]);
    if (!def->present) {
        text_add(&reason->text, "%s has none", reason_prose(iommu)->title);
        add_source(reason, reason_prose(iommu)->file);
    } else if (!(iommu->stages & XINV_STAGE_BIT(stage))) {
        reason_conditions(iommu, def->conds, reason);
    } else {
        text_add(&reason->text, "requests without PASID: ");
        reason_conditions(iommu, def->untagged_conds, reason);
    }
}

/* No row of the changes is about it: which come nearest, and what keeps them off. */
static void no_change(const struct xinv_iommu *iommu, const struct xinv_request *request,
                      unsigned stage, struct reason *reason)
{
    const struct xinv_vendor *v = iommu->vendor;

    reason->brief = "no change";
    text_add(&reason->text, "no %s under %s: ", schema_change_names[request->change],
             schema_stage_names[stage]);
    for (unsigned i = 0; i < v->n_changes; i++) {
        const struct xinv_change_def *c = &v->changes[i];

        if (c->change != request->change || !(c->stages & XINV_STAGE_BIT(stage)))
            continue;
        if (reason_conditions(iommu, c->conds, reason)) {
            add_source(reason, reason_prose(iommu)->change_sources[i]);
            return;
        }
    }
    text_add(&reason->text, "the table has no such change");
    add_source(reason, reason_prose(iommu)->file);
}

static void no_cache(const struct xinv_iommu *iommu, unsigned cache, struct reason *reason)
{
    const struct xinv_cache_def *def = &iommu->vendor->caches[cache];

    reason->brief = "no cache";
    text_add(&reason->text, "no %s cache: ", schema_cache_names[cache]);
    if (!def->present) {
        text_add(&reason->text, "%s has none", reason_prose(iommu)->title);
        add_source(reason, reason_prose(iommu)->file);
    } else {
        reason_conditions(iommu, def->conds, reason);
        add_source(reason, reason_prose(iommu)->cache_sources[cache]);
    }
}

/* The caches that an explicit request names and this IOMMU does not have; the first of them. */
static bool lacks_cache(const struct xinv_iommu *iommu, const struct xinv_request *request,
                        unsigned *cache)
{
    static const struct {
        uint8_t inv;
        uint8_t cache;
    } named[] = {
        {XINV_INV_DEVICE_TLB, XINV_CACHE_DEVICE_TLB},
        {XINV_INV_PASID_CONFIG, XINV_CACHE_PASID_CONFIG},
        {XINV_INV_DEVICE_CONFIG, XINV_CACHE_DEVICE_CONFIG},
        {XINV_INV_INTERRUPT, XINV_CACHE_INTERRUPT},
        {XINV_INV_STAGE1, XINV_CACHE_STAGE1},
        {XINV_INV_STAGE2, XINV_CACHE_STAGE2},
        {XINV_INV_NESTED, XINV_CACHE_NESTED},
    };

    for (unsigned i = 0; i < sizeof(named) / sizeof(named[0]); i++)
        if ((request->caches & named[i].inv) && !(iommu->caches & (1u << named[i].cache))) {
            *cache = named[i].cache;
            return true;
        }
    return false;
}

static void too_wide(const struct translation *t, struct reason *reason)
{
    const struct xinv_iommu *iommu = &t->request.iommu;
    const struct xinv_report *report = &t->report;
    const struct schema_vendor *prose = reason_prose(iommu);
    const struct xinv_linear *width = &iommu->vendor->tag_bits[report->at_tag];

    reason->brief = "too wide";
    text_add(&reason->text, "a %s has %u bit%s here", prose->tag_names[report->at_tag],
             iommu->tag_bits[report->at_tag], cli_s(iommu->tag_bits[report->at_tag]));
    if (report->at && report->at_tag == XINV_TAG_PASID)
        text_add(&reason->text, ", too few for %" PRIu32, report->at->pasid);
    if (width->feature != XINV_NO_FEATURE) {
        text_add(&reason->text, ": %s is %u", iommu->vendor->features[width->feature].name,
                 iommu->feature[width->feature]);
        add_feature_source(iommu, width->feature, reason);
    } else {
        add_source(reason, prose->file);
    }
}

/* How near the rows come to a need, those with one obstacle; what is the same of many is told once.
 */
static void list_rows(const struct xinv_iommu *iommu, const struct xinv_explained *e,
                      const struct xinv_need *need, enum xinv_obstacle obstacle,
                      struct reason *reason)
{
    const struct xinv_vendor *v = iommu->vendor;
    struct text last = {0};

    for (unsigned row = 0; row < v->n_commands; row++) {
        struct reason own = {0};
        char name[64];
        uint8_t tags;

        if (v->commands[row].leaf ||
            xinv_row_obstacle(iommu, &e->shape, need, row, &tags) != obstacle)
            continue;
        reason_obstacle(iommu, row, obstacle, tags, &own);
        if (last.n && strcmp(text_of(&last), text_of(&own.text)) != 0)
            text_add(&reason->text, " %s", text_of(&last));
        text_add(&reason->text, "%s %s",
                 last.n && !strcmp(text_of(&last), text_of(&own.text)) ? "," : ";",
                 reason_row(v, row, name, sizeof(name)));
        text_free(&last);
        last = own.text;
        add_source(reason,
                   own.source.n ? text_of(&own.source) : reason_prose(iommu)->command_sources[row]);
        text_free(&own.source);
    }
    if (last.n)
        text_add(&reason->text, " %s", text_of(&last));
    text_free(&last);
}

static void uncovered(const struct translation *t, struct reason *reason)
{
    const struct xinv_iommu *iommu = &t->request.iommu;
    const struct xinv_explanation *all = t->explanation;
    const struct xinv_explained *e = all->n ? &all->shape[all->n - 1] : NULL;
    const struct xinv_need *need;

    reason->brief = "no command";
    text_add(&reason->text, "no command removes the %s entries",
             schema_cache_names[t->report.at_cache]);
    if (!e || e->covered) {
        /* the plans exist, but a list of live tags is not complete */
        text_add(&reason->text, " of every live tag");
        add_source(reason, reason_prose(iommu)->cache_sources[t->report.at_cache]);
        return;
    }
    need = &e->shape.need[xinv_cover_open(&e->found)];
    if (need->known)
        text_add(&reason->text, " by ");
    if (need->known)
        text_tags(&reason->text, need->known, "");
    list_rows(iommu, e, need, XINV_ROW_UNKNOWN_TAG, reason);
    list_rows(iommu, e, need, XINV_ROW_MISSING, reason);
    list_rows(iommu, e, need, XINV_ROW_BEYOND, reason);
    if (!reason->source.n)
        add_source(reason, reason_prose(iommu)->cache_sources[need->cache]);
}

void reason_find(const struct translation *t, struct reason *reason)
{
    const struct request *r = &t->request;
    unsigned stage = t->report.at ? t->report.at->stage : r->at[0].stage;
    unsigned cache;

    reason->brief = "refused";
    switch (-t->ret) {
    case XINV_E_UNSUPP:
        if (!(r->iommu.stages & XINV_STAGE_BIT(stage)) ||
            (!(r->iommu.untagged & XINV_STAGE_BIT(stage)) && t->report.at && !t->report.at->pasid))
            no_stage(&r->iommu, stage, reason);
        else if ((r->request.flags & XINV_REQ_INVALIDATE) &&
                 lacks_cache(&r->iommu, &r->request, &cache))
            no_cache(&r->iommu, cache, reason);
        else if (!(r->request.flags & XINV_REQ_INVALIDATE))
            no_change(&r->iommu, &r->request, stage, reason);
        else
            text_add(&reason->text, "%s", xinv_strerror(t->ret));
        break;
    case XINV_E_TAG:
        too_wide(t, reason);
        break;
    case XINV_E_MUST_BLOCK:
        uncovered(t, reason);
        break;
    default:
        text_add(&reason->text, "%s", xinv_strerror(t->ret));
        break;
    }
    if (!reason->source.n)
        add_source(reason, reason_prose(&r->iommu)->file);
}

/* ---- Why a tag is lost -------------------------------------------------------------------------
 */

static bool is_chosen(const struct xinv_explained *e, unsigned candidate)
{
    for (unsigned i = 0; i < e->chosen.n; i++)
        if (e->chosen.chosen[i] == candidate)
            return true;
    return false;
}

/* A chosen row that reaches a need, and that other needs take as well; -1 if there is none. */
static int shared_row(const struct xinv_explained *e, uint64_t part)
{
    for (unsigned i = 0; i < e->chosen.n; i++) {
        const struct xinv_rung *c = &e->found.c[e->chosen.chosen[i]];

        if ((c->covers & part) && (c->covers & ~part))
            return (int)xinv_choice_row(c->choice);
    }
    return -1;
}

/* A candidate that matches on the tag and was left. */
static bool lost_to_choice(const struct xinv_iommu *iommu, const struct xinv_explained *e,
                           const struct xinv_need *need, uint64_t part, uint8_t tag,
                           struct reason *reason)
{
    for (unsigned i = 0; i < e->found.n; i++) {
        const struct xinv_rung *c = &e->found.c[i];
        char name[64];

        if (is_chosen(e, i) || !(c->covers & part) ||
            !(xinv_row_matches(iommu, xinv_choice_row(c->choice), need) & tag))
            continue;
        text_add(&reason->text, "%s matches it, ",
                 reason_row(iommu->vendor, xinv_choice_row(c->choice), name, sizeof(name)));
        if (!e->found.commands[i])
            text_add(&reason->text, "but cannot say this range within the limits");
        else if ((c->covers & part) != part)
            text_add(&reason->text, "but reaches only a part of these entries");
        else if (shared_row(e, part) >= 0)
            text_add(&reason->text, "but %s goes out for others and reaches these too",
                     reason_row(iommu->vendor, (unsigned)shared_row(e, part), name, sizeof(name)));
        else
            text_add(&reason->text, "but is more costly under this policy");
        add_source(reason, reason_prose(iommu)->command_sources[xinv_choice_row(c->choice)]);
        return true;
    }
    return false;
}

/* A row that matches on the tag in this cache, and is no candidate. */
static bool lost_to_obstacle(const struct xinv_iommu *iommu, const struct xinv_explained *e,
                             const struct xinv_need *need, uint8_t tag, struct reason *reason)
{
    for (unsigned row = 0; row < iommu->vendor->n_commands; row++) {
        uint8_t tags;
        enum xinv_obstacle obstacle = xinv_row_obstacle(iommu, &e->shape, need, row, &tags);
        char name[64];

        if (obstacle == XINV_ROW_UNRELATED || obstacle == XINV_ROW_COVERS ||
            !(xinv_row_matches(iommu, row, need) & tag))
            continue;
        text_add(&reason->text, "%s matches it, but ",
                 reason_row(iommu->vendor, row, name, sizeof(name)));
        if (obstacle == XINV_ROW_MISSING)
            text_add(&reason->text, "is ");
        reason_obstacle(iommu, row, obstacle, tags, reason);
        add_source(reason, reason_prose(iommu)->command_sources[row]);
        return true;
    }
    return false;
}

void reason_lost(const struct xinv_iommu *iommu, const struct xinv_request *request, uint8_t stage,
                 const struct xinv_explained *explained, unsigned k, uint8_t tag,
                 struct reason *reason)
{
    const struct xinv_need *need = &explained->shape.need[k];
    const struct schema_vendor *prose = reason_prose(iommu);

    if (!(need->known & tag)) {
        if (tag == XINV_TAG_BIT(XINV_TAG_ADDRESS))
            text_add(&reason->text, "the address of this change does not find these entries");
        else
            text_add(&reason->text, "these entries do not carry it");
        for (unsigned i = 0; i < iommu->vendor->n_changes; i++)
            if (!(request->flags & XINV_REQ_INVALIDATE) &&
                xinv_change_applies(iommu, request, stage, &iommu->vendor->changes[i]))
                add_source(reason, prose->change_sources[i]);
        add_source(reason, prose->cache_sources[need->cache]);
        return;
    }
    if (lost_to_choice(iommu, explained, need, xinv_explained_part(explained, k), tag, reason) ||
        lost_to_obstacle(iommu, explained, need, tag, reason))
        return;
    text_add(&reason->text, "no command matches these entries on it");
    add_source(reason, prose->cache_sources[need->cache]);
}
