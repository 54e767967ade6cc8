// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
#include <stdio.h>
#include <string.h>

#include "schema/check_impl.h"

#define ADDRESS_TAGS ((uint8_t)(XINV_TAG_BIT(XINV_TAG_ADDRESS) | XINV_TAG_BIT(XINV_TAG_IPA)))
#define PASID_BIT    XINV_TAG_BIT(XINV_TAG_PASID)

/* ---- Words for a need ---- */

static void append(char *text, size_t size, const char *more)
{
    size_t n = strlen(text);

    snprintf(text + n, size - n, "%s", more);
}

/* One axis of a set of classes, as "name value|value", where the cache has more than one value. */
static void append_axis(char *text, size_t size, xinv_classes open, xinv_axes axes, unsigned axis)
{
    static const char *const names[] = {"level", "global", "pasid", "presence", "regime"};
    static const char *const values[] = {"leaf",     "walk",   "no",      "yes",
                                         "untagged", "tagged", "present", "not_present",
                                         "el1",      "el2",    "secure",  "realm"};
    unsigned mask = (axis == 4 ? 0xfu : 0x3u) << axis * 2;
    unsigned shown = 0;

    if (!(axes & mask & ((axes & mask) - 1)))
        return;
    for (unsigned i = axis * 2; i < 12 && mask >> i & 1; i++) {
        xinv_axes one = (xinv_axes)((XINV_AXES_ALL & ~mask) | 1u << i);

        if (!(axes >> i & 1) || !(open & xinv_classes_expand(one)))
            continue;
        if (!shown++) {
            append(text, size, *text ? ", " : "");
            append(text, size, names[axis]);
        }
        append(text, size, shown > 1 ? "|" : " ");
        append(text, size, values[i]);
    }
}

void schema_check_describe(const struct xinv_vendor *table, unsigned cache, xinv_classes open,
                           uint8_t known, char *text, size_t size)
{
    char classes[120] = "";
    char tags[80] = "";

    for (unsigned axis = 0; axis < 5; axis++)
        append_axis(classes, sizeof(classes), open, table->caches[cache].axes, axis);
    for (unsigned t = 0; t < XINV_NTAGS; t++)
        if (known & XINV_TAG_BIT(t)) {
            append(tags, sizeof(tags), *tags ? ", " : "");
            append(tags, sizeof(tags), schema_tag_names[t]);
        }
    snprintf(text, size, "%s entries%s%s%s %s%s", schema_cache_names[cache], *classes ? " (" : "",
             classes, *classes ? ")" : "", *tags ? "known by " : "with any tags", tags);
}

/* ---- A table, whatever the features ---- */

static bool can_hold(const struct xinv_vendor *table, const struct schema_spans *spans)
{
    static const uint16_t zeros[XINV_MAX_FEATURES];
    uint16_t values[XINV_MAX_FEATURES];

    return schema_check_solve(table, spans, zeros, values) < 0;
}

/* A part of a need: entries of these classes, of which these tags are known. */
struct part {
    const struct xinv_change_def *change;
    const struct xinv_need_def *need;
    xinv_axes classes;
    uint8_t known;
    bool pasids; /* entries that are only where PASIDs are */
};

/* Classes of a cache that rows remove by these tags alone, under conditions that can hold here. */
static xinv_classes removed(const struct xinv_vendor *table, const struct part *part,
                            const struct schema_spans *around)
{
    xinv_classes classes = 0;

    for (unsigned row = 0; row < table->n_commands; row++) {
        const struct xinv_command_def *c = &table->commands[row];
        struct schema_spans spans = *around;

        schema_check_require(&spans, c->conds);
        if (c->ranges.count || !can_hold(table, &spans))
            continue; /* a row that says a range says nothing without one */
        for (unsigned i = 0; i < c->removals.count; i++) {
            const struct xinv_removal_def *r = &table->removals[c->removals.first + i];

            if (r->must && r->cache == part->need->cache && !(r->match & ~part->known))
                classes |= xinv_classes_expand(r->classes);
        }
    }
    return classes;
}

/* What stays of a part on one stage, where the conditions around it can hold at all. */
static xinv_classes stays(const struct xinv_vendor *table, const struct part *part, unsigned stage)
{
    struct schema_spans around = {0};

    if (!(part->change->stages & XINV_STAGE_BIT(stage)) || !table->stages[stage].present)
        return 0;
    schema_check_require(&around, part->change->conds);
    schema_check_require(&around, part->need->conds);
    schema_check_require(&around, table->stages[stage].conds);
    schema_check_require(&around, table->caches[part->need->cache].conds);
    if (part->pasids)
        schema_check_require(&around, table->caches[XINV_CACHE_PASID_CONFIG].conds);
    if (!can_hold(table, &around))
        return 0;
    return xinv_classes_expand(part->classes) & ~removed(table, part, &around);
}

static void check_part(struct schema_checker *check, const struct part *part)
{
    xinv_classes open = 0;
    char stages[60] = "";
    char what[240];

    for (unsigned stage = 0; stage < XINV_NSTAGES; stage++) {
        xinv_classes here = stays(check->table, part, stage);

        if (!here)
            continue;
        open |= here;
        append(stages, sizeof(stages), *stages ? ", " : "");
        append(stages, sizeof(stages), schema_stage_names[stage]);
    }
    if (!open)
        return;
    schema_check_describe(check->table, part->need->cache, open, part->known, what, sizeof(what));
    schema_check_warn(
        check, check->vendor->file, &check->vendor->need_places[part->need - check->table->needs],
        "%s on %s: no command removes %s", schema_change_names[part->change->change], stages, what);
}

/* Without a range, which every change can come without, the address is not known. */
static void check_need(struct schema_checker *check, struct part *part)
{
    const struct xinv_cache_def *caches = check->table->caches;
    xinv_axes classes = part->need->classes;
    uint8_t known = (uint8_t)((part->need->tags & ~ADDRESS_TAGS) | part->need->zero);

    part->classes = classes;
    part->known = known;
    if (part->need->cache != XINV_CACHE_DEVICE_TLB) {
        check_part(check, part);
        return;
    }
    /* entries without PASID have none to match; those with one are only where PASIDs are */
    part->classes = classes & (xinv_axes)~XINV_PASID_TAGGED;
    part->known = known & (uint8_t)~PASID_BIT;
    check_part(check, part);
    part->classes = classes & (xinv_axes)~XINV_PASID_UNTAGGED;
    part->known = known;
    part->pasids = true;
    if (caches[XINV_CACHE_PASID_CONFIG].present)
        check_part(check, part);
}

void schema_check_needs(struct schema_checker *check)
{
    const struct xinv_vendor *table = check->table;

    for (unsigned i = 0; i < table->n_changes; i++)
        for (unsigned k = 0; k < table->changes[i].needs.count; k++) {
            struct part part = {.change = &table->changes[i]};

            part.need = &table->needs[part.change->needs.first + k];
            check_need(check, &part);
        }
}
