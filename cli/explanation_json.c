// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
#include <string.h>

#include "cli/command_text.h"
#include "cli/explanation.h"
#include "cli/reason.h"
#include "core/shape.h"

static void add_text_of(cJSON *to, const char *key, struct text *text)
{
    json_add_text(to, key, text_of(text));
    text_free(text);
}

static void add_costs(cJSON *to, const struct xinv_platform *platform)
{
    cJSON *item = json_add_object(to, "costs");

    json_add_count(item, "command", platform->costs.command);
    json_add_count(item, "sync", platform->costs.sync);
    json_add_count(item, "device_tlb", platform->costs.device_tlb);
    json_add_count(item, "refill", platform->costs.refill);
    json_add_text(item, "source", cli_platform_cost_source(platform));
}

static void add_platform(cJSON *to, const struct translation *t)
{
    const struct xinv_iommu *iommu = &t->request.iommu;
    const struct schema_vendor *prose = reason_prose(iommu);
    uint64_t features = explanation_features(t);
    cJSON *map;

    json_add_text(to, "platform", iommu->platform->name);
    json_add_text(to, "title", iommu->platform->title);
    json_add_text(to, "vendor", iommu->vendor->name);
    json_add_text(to, "source", cli_platform_source(iommu->platform));
    map = json_add_object(to, "features");
    for (unsigned i = 0; i < iommu->vendor->n_features; i++)
        if (features >> i & 1) {
            cJSON *item = json_add_object(map, iommu->vendor->features[i].name);

            json_add_count(item, "value", iommu->feature[i]);
            json_add_text(item, "source", prose->feature_sources[i]);
        }
    add_costs(to, iommu->platform);
}

static void add_attachments(cJSON *to, const struct translation *t)
{
    cJSON *array = json_add_array(to, "attachments");

    for (size_t i = 0; i < t->request.n; i++) {
        const struct xinv_attachment *at = &t->request.at[i];
        const uint32_t values[] = {at->rid, at->pasid, at->asid, at->did, at->vmid};
        cJSON *item = json_object();

        json_add_text(item, "stage", schema_stage_names[at->stage]);
        for (unsigned tag = XINV_TAG_RID; tag <= XINV_TAG_VMID; tag++)
            if (at->known >> tag & 1)
                json_add_hex(item, schema_tag_names[tag], values[tag]);
        json_add_bool(item, "ats", at->flags & XINV_ATT_ATS);
        json_add_bool(item, "pasid_enabled", at->flags & XINV_ATT_PASID_ENABLED);
        json_add_bool(item, "pasids_unknown", at->flags & XINV_ATT_PASIDS_UNKNOWN);
        json_append(array, item);
    }
}

static void add_request(cJSON *to, const struct translation *t)
{
    cJSON *item = json_add_object(to, "request");
    struct text text = {0};

    if (t->request.kind)
        json_add_text(item, "kind", t->request.kind->name);
    explanation_request(&t->request, &text);
    add_text_of(item, "text", &text);
    add_attachments(item, t);
}

static void add_changes(cJSON *to, const struct translation *t, unsigned stage)
{
    const struct xinv_vendor *v = t->request.iommu.vendor;
    const struct schema_vendor *prose = reason_prose(&t->request.iommu);
    cJSON *array = json_add_array(to, "changes");

    for (unsigned i = 0; i < v->n_changes; i++) {
        cJSON *item;

        if ((t->request.request.flags & XINV_REQ_INVALIDATE) ||
            !xinv_change_applies(&t->request.iommu, &t->request.request, (uint8_t)stage,
                                 &v->changes[i]))
            continue;
        item = json_object();
        json_add_text(item, "change", schema_change_names[v->changes[i].change]);
        json_add_text(item, "source", prose->change_sources[i]);
        json_add_text(item, "file", prose->file);
        json_add_count(item, "line", prose->change_places[i].line);
        json_append(array, item);
    }
}

static void add_values(cJSON *to, const struct translation *t, const struct xinv_explained *e,
                       const struct xinv_need *need)
{
    cJSON *known = json_add_object(to, "known");

    for (unsigned tag = 0; tag < XINV_NTAGS; tag++) {
        if (!(need->known >> tag & 1))
            continue;
        if (tag == XINV_TAG_ADDRESS || tag == XINV_TAG_IPA) {
            cJSON *range = json_add_object(known, schema_tag_names[tag]);

            json_add_hex(range, "first", t->request.request.first);
            json_add_hex(range, "last", t->request.request.last);
        } else {
            json_add_hex(known, schema_tag_names[tag], explanation_tag(t, e, need, tag));
        }
    }
}

static void add_classes(cJSON *to, const struct xinv_iommu *iommu, const struct xinv_need *need)
{
    cJSON *classes = json_add_object(to, "classes");
    struct explanation_axis axis;

    for (unsigned i = 0;
         explanation_axis(&iommu->vendor->caches[need->cache], need->classes, i, &axis); i++) {
        cJSON *values;

        if (!axis.values[0])
            continue;
        values = json_add_array(classes, axis.name);
        for (unsigned k = 0; axis.values[k]; k++)
            json_append_text(values, axis.values[k]);
    }
}

static cJSON *row_json(const struct xinv_iommu *iommu, const struct explanation_row *row)
{
    static const char *const obstacles[] = {
        [XINV_ROW_COVERS] = "",         [XINV_ROW_UNRELATED] = "unrelated",
        [XINV_ROW_MISSING] = "missing", [XINV_ROW_UNKNOWN_TAG] = "unknown_tag",
        [XINV_ROW_BEYOND] = "beyond",
    };
    const struct schema_vendor *prose = reason_prose(iommu);
    cJSON *item = json_object();
    char name[64];

    json_add_text(item, "row", reason_row(iommu->vendor, row->row, name, sizeof(name)));
    json_add_text(item, "command", iommu->vendor->commands[row->row].name);
    json_add_text(item, "source", prose->command_sources[row->row]);
    json_add_tags(item, "matches", row->matches);
    json_add_bool(item, "chosen", row->chosen);
    if (row->obstacle == XINV_ROW_COVERS) {
        json_add_count(item, "commands", row->commands);
        json_add_bool(item, "partly", row->partly);
        json_add_tags(item, "loses", row->loses);
        json_add_caches(item, "must_beyond", row->must_beyond);
        json_add_caches(item, "may_beyond", row->may_beyond);
    } else {
        struct reason reason = {0};

        reason_obstacle(iommu, row->row, row->obstacle, row->unknown, &reason);
        json_add_text(item, "obstacle", obstacles[row->obstacle]);
        json_add_text(item, "text", text_of(&reason.text));
        reason_free(&reason);
    }
    return item;
}

static cJSON *need_json(const struct translation *t, const struct xinv_explained *e, unsigned k)
{
    const struct xinv_iommu *iommu = &t->request.iommu;
    const struct xinv_need *need = &e->shape.need[k];
    cJSON *item = json_object();
    struct explanation_row row;
    unsigned next = 0;
    cJSON *rows;

    json_add_text(item, "cache", schema_cache_names[need->cache]);
    json_add_text(item, "source", reason_prose(iommu)->cache_sources[need->cache]);
    add_values(item, t, e, need);
    json_add_tags(item, "listed", need->listed & (uint8_t)~need->known);
    add_classes(item, iommu, need);
    rows = json_add_array(item, "rows");
    while (explanation_row(iommu, e, k, &next, &row))
        json_append(rows, row_json(iommu, &row));
    return item;
}

static void add_lost(cJSON *array, const struct translation *t, const struct xinv_explained *e,
                     unsigned shape)
{
    for (unsigned k = 0; e->covered && k < e->shape.n; k++) {
        uint8_t lost = xinv_explained_lost(&t->request.iommu, e, k);

        for (unsigned tag = 0; tag < XINV_NTAGS; tag++) {
            struct reason reason = {0};
            cJSON *item;

            if (!(lost >> tag & 1))
                continue;
            item = json_object();
            reason_lost(&t->request.iommu, &t->request.request, t->request.at[e->at].stage, e, k,
                        (uint8_t)(1u << tag), &reason);
            json_add_text(item, "tag", reason_tag(tag));
            json_add_count(item, "shape", shape);
            json_add_count(item, "need", k);
            json_add_text(item, "cache", schema_cache_names[e->shape.need[k].cache]);
            json_add_text(item, "why", text_of(&reason.text));
            json_add_text(item, "source", text_of(&reason.source));
            json_append(array, item);
            reason_free(&reason);
        }
    }
}

static void add_shapes(cJSON *to, const struct translation *t)
{
    const struct xinv_explanation *all = t->explanation;
    cJSON *shapes = json_add_array(to, "shapes");

    for (unsigned i = 0; i < all->n; i++) {
        cJSON *shape = json_object();
        cJSON *needs;

        json_add_count(shape, "attachment", all->shape[i].at);
        add_changes(shape, t, t->request.at[all->shape[i].at].stage);
        needs = json_add_array(shape, "needs");
        for (unsigned k = 0; k < all->shape[i].shape.n; k++)
            json_append(needs, need_json(t, &all->shape[i], k));
        json_append(shapes, shape);
    }
}

static void add_reason(cJSON *to, const struct translation *t)
{
    struct reason reason = {0};

    reason_find(t, &reason);
    json_add_text(to, "reason", text_of(&reason.text));
    json_add_text(to, "reason_source", text_of(&reason.source));
    reason_free(&reason);
}

cJSON *explanation_json(const struct translation *t)
{
    cJSON *item = json_object();
    cJSON *lost;
    cJSON *answer;

    add_platform(item, t);
    add_request(item, t);
    add_shapes(item, t);
    json_add_text(item, "status", explanation_status(t));
    if (t->ret < 0) {
        add_reason(item, t);
        return item;
    }
    lost = json_add_array(item, "widened");
    for (unsigned i = 0; i < t->explanation->n; i++)
        add_lost(lost, t, &t->explanation->shape[i], i);
    answer = translation_json(t);
    cJSON_DeleteItemFromObjectCaseSensitive(answer, "platform");
    while (answer->child) {
        cJSON *v = cJSON_DetachItemViaPointer(answer, answer->child);

        cJSON_AddItemToObject(item, v->string, v);
    }
    cJSON_Delete(answer);
    reason_add_rows(item, "sources", t->request.iommu.vendor, t->report.rows);
    return item;
}
